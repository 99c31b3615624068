"""Two people who said yes begin to talk: together, in two threads, or not at all."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.community import blocking
from bot.community.talks.opening import begin_talk, load_pair, starters
from bot.domain.shared_interests import (
    MemberInterests,
    SharedInterest,
    find_shared_interests,
    pick_varied,
)
from bot.i18n import LANGUAGES, translator
from bot.jobs.introductions import MAX_OPENING
from db import talks
from db.base import transaction
from db.members import Account
from db.outbox import AMBIGUOUS, CANCELLED, DEAD, EXPIRED, HELD
from db.relay import Relay
from db.talks import Talk
from db.topics import Topic
from db.workspaces import Workspace
from tests.conftest import Clock
from tests.handlers.test_directory import Joining
from tests.owed import (
    PendingDelivery,
    list_pending,
    load_member,
    mark_delivered,
    run_introductions_job,
    update_member,
)
from tests.reading import commands_of

pytestmark = pytest.mark.both


async def begin(
    engine: AsyncEngine, now: datetime, one: str = "maya", other: str = "luis", key: str = "t:1",
    topic: str = "", because: str = "",
) -> Talk | None:  # fmt: skip
    """As an accepted introduction begins it."""
    people = await load_member(engine, one), await load_member(engine, other)
    async with transaction(engine, writes=True) as session:
        about = await session.scalar(select(Topic.id).where(Topic.slug == topic))
        return await begin_talk(session, now, *people, topic_id=about, because=because, key=key)


async def gather(engine: AsyncEngine) -> None:
    """The tests' workspace lets the hub open conversations of several people."""
    async with transaction(engine, writes=True) as session:
        await session.execute(update(Workspace).values(gathers=True))


async def unreachable(engine: AsyncEngine, user: str) -> None:
    """Somebody closed their direct messages."""
    change_of = update(Account).where(Account.external_id == user).values(reachable=False)
    async with transaction(engine, writes=True) as session:
        await session.execute(change_of)


async def relays(engine: AsyncEngine) -> list[str]:
    """The states of all relays."""
    async with transaction(engine) as session:
        return list((await session.scalars(select(Relay.status).order_by(Relay.id))).all())


async def status(engine: AsyncEngine, key: str = "t:1") -> str:
    """How a talk stands."""
    async with transaction(engine) as session:
        talk = await talks.find_by_key(session, key)
        assert talk is not None
        return talk.status


# --- where ------------------------------------------------------------------------------------


async def test_in_a_workspace_that_gathers_both_are_in_one_conversation(
    engine: AsyncEngine, now: datetime
) -> None:
    """One card, in a language both speak, to both accounts."""
    await gather(engine)

    await begin(engine, now)

    (card,) = await list_pending(engine)
    assert card.user == "luis,maya"
    assert card.kind == "conversation"
    assert card.text.startswith("Maya Chen, meet Luis Ángel Rojas\n")
    assert await relays(engine) == []


@pytest.mark.parametrize("apart", ["other workspace", "does not gather", "unreachable there"])
async def test_otherwise_each_gets_a_thread_of_their_own_language(
    engine: AsyncEngine, now: datetime, joining: Joining, apart: str
) -> None:
    """And the relay knows the two openings."""
    home = "T2" if apart == "other workspace" else "T1"
    await joining(key="rosa", name="Rosa Díaz", language="es", languages=("es",), workspace=home)
    if apart != "does not gather":
        await gather(engine)
    if apart == "unreachable there":
        await joining(key="aide", name="Aide", workspace="T2")
        async with transaction(engine, writes=True) as session:
            rosa = (
                await session.scalars(select(Account).where(Account.external_id == "rosa"))
            ).one()
            aide = (
                await session.scalars(select(Account).where(Account.external_id == "aide"))
            ).one()
            rosa.reachable, aide.member_id = False, rosa.member_id

    await begin(engine, now, other="rosa")

    mine, theirs = await list_pending(engine)
    assert mine.text.startswith("Meet Rosa Díaz\n")
    assert theirs.text.startswith("Te presento a Maya Chen\n")
    assert theirs.user == ("aide" if apart == "unreachable there" else "rosa")
    async with transaction(engine) as session:
        relay = (await session.scalars(select(Relay))).one()
        talk = await talks.find_by_key(session, "t:1")
    assert talk is not None
    assert (relay.one_root_id, relay.other_root_id) == (talk.one_root_id, talk.other_root_id)
    assert None not in (relay.one_root_id, relay.other_root_id)


async def test_the_same_key_begins_once(engine: AsyncEngine, now: datetime) -> None:
    """However often it is said; another key begins another talk."""
    for _ in range(3):
        await begin(engine, now)
    assert len(await list_pending(engine)) == 2
    await begin(engine, now, key="t:2")
    assert len(await list_pending(engine)) == 4


@pytest.mark.parametrize("lost", ["maya", "luis"])
async def test_when_one_can_be_reached_nowhere_the_other_is_told(
    engine: AsyncEngine, now: datetime, lost: str
) -> None:
    """And nothing else is sent."""
    await unreachable(engine, lost)

    await begin(engine, now)

    (notice,) = await list_pending(engine)
    assert notice.user == {"maya": "luis", "luis": "maya"}[lost]
    assert notice.text.startswith(("I couldn't reach Luis", "No pude escribirle a Maya"))
    assert await relays(engine) == []
    assert await status(engine) == talks.FAILED


async def test_when_neither_can_be_reached_nothing_is_owed(
    engine: AsyncEngine, now: datetime
) -> None:
    """There is nobody to tell."""
    for who in ("maya", "luis"):
        await unreachable(engine, who)

    await begin(engine, now)

    assert await list_pending(engine) == []


async def test_nothing_begins_for_whoever_is_suspended_or_blocked(
    engine: AsyncEngine, now: datetime
) -> None:
    """In either direction."""
    assert await begin(engine, now, other="sam") is None
    one, other = await load_member(engine, "luis"), await load_member(engine, "maya")
    async with transaction(engine, writes=True) as session:
        await blocking.block_member(session, now, one, other)
    assert await begin(engine, now) is None
    assert await begin(engine, now, "luis", "maya") is None
    assert await list_pending(engine) == []


# --- no half-open introduction ----------------------------------------------------------------


@pytest.mark.parametrize("end", [DEAD, EXPIRED, CANCELLED])
async def test_who_got_the_opening_alone_is_told(
    engine: AsyncEngine, clock: Clock, end: str
) -> None:
    """Luis closed his direct messages meanwhile; the relay ends, and it is said once."""
    await begin(engine, clock())
    await mark_delivered(engine, user="maya")
    await mark_delivered(engine, end, user="luis")

    for _ in range(2):
        clock.advance(minutes=5)
        await run_introductions_job(engine, clock())

    (notice,) = await list_pending(engine)
    assert notice.user == "maya"
    assert notice.text.startswith("I couldn't reach Luis")
    assert await relays(engine) == ["ended"]
    assert await status(engine) == talks.FAILED


@pytest.mark.parametrize("stuck", ["due", "claimed", "inflight", AMBIGUOUS, HELD])
async def test_no_introduction_is_half_open_for_more_than_a_day(
    engine: AsyncEngine, clock: Clock, stuck: str
) -> None:
    """Whatever keeps the second opening; what is not under way is not sent any more."""
    await begin(engine, clock())
    await mark_delivered(engine, user="maya")
    if stuck != "due":
        await mark_delivered(engine, stuck, user="luis")
    clock.advance(hours=23)
    await run_introductions_job(engine, clock())
    assert await status(engine) == talks.OPENING
    clock.now += MAX_OPENING - timedelta(hours=23) + timedelta(minutes=5)

    await run_introductions_job(engine, clock())

    assert [o.user for o in await list_pending(engine)] == ["maya"]
    assert await relays(engine) == ["ended"]


async def test_what_both_got_is_open_for_good(engine: AsyncEngine, clock: Clock) -> None:
    """And is never looked at again."""
    await begin(engine, clock())
    await mark_delivered(engine)
    await run_introductions_job(engine, clock())
    clock.advance(days=3)
    await run_introductions_job(engine, clock())

    assert await status(engine) == talks.OPEN
    assert await relays(engine) == ["open"]
    assert await list_pending(engine) == []


async def test_a_conversation_of_both_that_cannot_be_opened_becomes_two_threads(
    engine: AsyncEngine, clock: Clock
) -> None:
    """Where a workspace takes the permission back."""
    await gather(engine)
    await begin(engine, clock(), because="of trees")
    await mark_delivered(engine, DEAD)
    clock.advance(minutes=5)

    for _ in range(2):
        await run_introductions_job(engine, clock())

    assert [o.user for o in await list_pending(engine)] == ["maya", "luis"]
    assert all("of trees" in o.text for o in await list_pending(engine))
    assert await relays(engine) == ["open"]


async def test_a_block_before_the_opening_went_out_silences_both(
    engine: AsyncEngine, clock: Clock
) -> None:
    """Nobody is told of anything."""
    await begin(engine, clock())
    one, other = await load_member(engine, "luis"), await load_member(engine, "maya")
    async with transaction(engine, writes=True) as session:
        await blocking.block_member(session, clock(), one, other)
    clock.advance(minutes=5)

    await run_introductions_job(engine, clock())

    assert await list_pending(engine) == []
    assert await relays(engine) == ["ended"]


# --- what the opening says --------------------------------------------------------------------


async def opening(engine: AsyncEngine, user: str) -> PendingDelivery:
    """The opening that somebody got."""
    return next(o for o in await list_pending(engine) if o.user == user)


async def test_the_opening_says_why_these_two_how_to_begin_and_when(
    engine: AsyncEngine, now: datetime, joining: Joining
) -> None:
    """Their topics, three starters, both clocks, three times with a button each."""
    eva = {"city": "denver-co-us", "zone": "America/Denver", "title": "Evaluator"}
    knows = {"program-evaluation": 3}
    await joining(key="eva", name="Eva Luz", knows=knows, learns=("metadata",), **eva)

    talk = await begin(engine, now, other="eva", because="we met in Reno")

    assert talk is not None
    card = await opening(engine, "maya")
    for said in (
        "Eva Luz", "Evaluator", "Denver, CO", "Reason: «we met in Reno»",
        "Maya knows metadata, which Eva wants to learn.",
        "Eva knows program evaluation, which Maya wants to learn.",
        "Maya, what would you do first if you started over with metadata?",
        "Local time of Eva: 8:00", "Local time of Maya: 10:00", "Times: Maya / Eva.",
    ):  # fmt: skip
        assert said in card.text, said
    assert [c for c in commands_of(card.card) if c.startswith("intro slot")] == [
        f"intro slot {talk.id} 1", f"intro slot {talk.id} 2", f"intro slot {talk.id} 3",
        f"intro slot {talk.id}",
    ]  # fmt: skip
    labels = card.text.split("Half an hour to talk?")[1]
    assert "Wed, Nov 25, 12:00\u202fPM / 10:00\u202fAM" in labels
    assert "Times: Eva / Maya." in (await opening(engine, "eva")).text


async def test_hours_that_never_meet_are_said_honestly(engine: AsyncEngine, now: datetime) -> None:
    """With what is least bad."""
    await update_member(engine, "maya", hours_from="14:00", zone="Pacific/Honolulu")

    await begin(engine, now)

    card = await opening(engine, "maya")
    assert "Your working hours don't overlap." in card.text
    assert card.text.count("intro slot") == 4


async def test_what_is_hidden_from_each_other_is_not_said(
    engine: AsyncEngine, now: datetime
) -> None:
    """Neither a topic nor a title; the opening is still whole."""
    await update_member(engine, "luis", seen_topics="nobody", seen_title="city")

    await begin(engine, now)

    text = (await opening(engine, "maya")).text
    assert "open data" not in text
    assert "Jefe" not in text
    assert "What does your city do with data" in text


@pytest.mark.parametrize("language", LANGUAGES)
async def test_both_read_it_in_their_language(
    engine: AsyncEngine, now: datetime, language: str
) -> None:
    """Whole: no English sentence is left in it."""
    await update_member(engine, "maya", language=language)

    await begin(engine, now, topic="open-data")

    card = await opening(engine, "maya")
    t = translator(language)
    assert card.language == language
    assert t("Three ways to begin") in card.text
    assert t("Half an hour to talk?") in card.text


async def test_without_a_common_language_the_conversation_of_both_is_in_english(
    engine: AsyncEngine, now: datetime
) -> None:
    """Inês reads Portuguese, Rémi French and English; Luis Spanish and English."""
    await gather(engine)
    await begin(engine, now, "ines", "remi", key="a")
    await begin(engine, now, "remi", "luis", key="b")

    assert [o.text.split("\n")[0] for o in await list_pending(engine)] == [
        "Inês Albuquerque, meet Rémi Gagnon", "Rémi Gagnon, meet Luis Ángel Rojas"
    ]  # fmt: skip


def test_the_most_useful_tie_comes_first() -> None:
    """What one knows and the other wants, then what both know, then what both want."""
    one, other = (
        MemberInterests({1: 3, 2: 2, 5: 1}, {3, 4}),
        MemberInterests({2: 3, 3: 1, 5: 1}, {1, 4}),
    )

    found = find_shared_interests(one, other)

    assert found == (
        SharedInterest("helps", 1),
        SharedInterest("helped", 3),
        SharedInterest("both-know", 2),
        SharedInterest("both-know", 5),
        SharedInterest("both-learn", 4),
    )
    assert find_shared_interests(one, other, main_topic=4)[0] == SharedInterest("both-learn", 4)
    assert [b.topic for b in pick_varied(found, 5)] == [1, 3, 2, 4, 5]
    assert find_shared_interests(MemberInterests({}), other) == ()


async def test_there_are_always_three_starters(engine: AsyncEngine) -> None:
    """The same for the same pair, without a blank and all different."""
    for one, other in (("maya", "luis"), ("maya", "ben"), ("noor", "ada"), ("ines", "remi")):
        pair = await load_member(engine, one), await load_member(engine, other)
        async with transaction(engine) as session:
            found = await load_pair(session, *pair)
        for language in LANGUAGES:
            said = starters(translator(language), found)
            assert len(set(said)) == 3
            assert said == starters(translator(language), found)
            assert not any("{" in text for text in said)
