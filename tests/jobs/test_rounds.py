"""The rounds by the clock: drafted, noticed, sent, asked after and closed, each once."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import plain
from bot.community import blocking
from bot.community.rounds import messages, pools
from bot.deliveries import load_card
from bot.domain.cadence import RoundSchedule, round_schedule
from bot.handlers.rounds import Rounds
from bot.jobs import rounds as job
from db import members, relay, round_pools, rounds, workspaces
from db.base import transaction
from db.directory import Expertise
from db.members import Member
from db.outbox import Delivery
from db.relay import RelayLine
from db.round_members import RoundMember
from db.rounds import Round, RoundGroup, RoundPlace, UnmatchedMember
from db.talks import Talk
from db.workspaces import Workspace
from tests.cast import NOW, WORKSPACE
from tests.conftest import Clock, CommandTyper

DAY = date(2026, 12, 1)
"""The Tuesday after the day on which tests begin."""
WHEN: RoundSchedule = round_schedule(DAY)
MINUTE = timedelta(minutes=1)


async def at(engine: AsyncEngine, moment: datetime) -> None:
    """The job at a moment."""
    await job.advance_rounds(engine, lambda: moment)


async def on(typing: CommandTyper, *keys: str) -> None:
    for key in keys:
        await typing("rounds on", key)


async def owed(engine: AsyncEngine, step: str) -> list[Delivery]:
    """What was owed under the keys of one step of the first round."""
    async with transaction(engine) as session:
        query = select(Delivery).where(Delivery.key.like(f"round:1:{step}:%")).order_by(Delivery.id)
        return list(await session.scalars(query))


async def pairs(engine: AsyncEngine) -> list[tuple[str, ...]]:
    """Who was put together, by name, in the first round."""
    async with transaction(engine) as session:
        query = (
            select(RoundPlace.group_id, Member.name)
            .join(RoundPlace.member)
            .where(RoundPlace.round_id == 1)
            .order_by(RoundPlace.group_id, Member.name)
        )
        groups: dict[int, list[str]] = {}
        for number, name in (await session.execute(query)).all():
            groups.setdefault(number, []).append(name)
        return sorted(map(tuple, groups.values()))


async def count(engine: AsyncEngine, kind: type[object]) -> int:
    async with transaction(engine) as session:
        return await session.scalar(select(func.count()).select_from(kind)) or 0


def text(deliveries: Sequence[Delivery]) -> str:
    return "\n".join(plain(load_card(one.body)) for one in deliveries)


@pytest.mark.both
async def test_a_round_from_the_draft_to_its_end(
    engine: AsyncEngine, typing: CommandTyper, clock: Clock
) -> None:
    """Staff see the draft; people are told the day before, brought together, asked, and done."""
    await on(typing, "maya", "ben", "luis", "zoe")
    await at(engine, WHEN.draft - MINUTE)
    assert await count(engine, Round) == 0
    await at(engine, WHEN.draft)
    assert {one.member_id for one in await owed(engine, "draft")} == {10, 11}  # noor and ada
    assert "People: 4" in text(await owed(engine, "draft"))
    assert not await owed(engine, "notice")

    await at(engine, WHEN.notice)
    notices = await owed(engine, "notice")
    assert len({one.member_id for one in notices}) == len(notices) == 4
    assert "/wwc rounds skip 2026-12-01" in text(notices)

    await at(engine, WHEN.send)
    assert await count(engine, Talk) == 2
    assert not [pair for pair in await pairs(engine) if set(pair) == {"Maya Chen", "Ben Ortiz"}]

    await at(engine, WHEN.check)
    checks = await owed(engine, "check")
    assert len(checks) == 4
    clock.now = WHEN.check
    group = load_card(checks[0].body)
    assert "/wwc rounds met" in plain(group)

    await at(engine, WHEN.close)
    async with transaction(engine) as session:
        left = [one.day for one in await rounds.list_unfinished(session)]
        assert left == [DAY + timedelta(weeks=1)]
        silent = await session.scalars(select(RoundMember.silent))
        assert list(silent) == [1, 1, 1, 1]


@pytest.mark.no_cover
@pytest.mark.both
async def test_fifty_restarts_around_each_tick_make_one_round_and_one_notice_each(
    engine: AsyncEngine, typing: CommandTyper
) -> None:
    """However often the job runs, before, at and after the moment, alone or at once."""
    await on(typing, "maya", "ben", "luis", "zoe", "carl")
    for moment in WHEN:
        for number in range(10):
            await at(engine, moment + (number - 3) * timedelta(seconds=20))
        await asyncio.gather(*(at(engine, moment + MINUTE) for _ in range(3)))
    assert await count(engine, Round) == 2  # this one, and the next one's draft
    for step, people in (("draft", 2), ("notice", 5), ("check", 5)):
        found = await owed(engine, step)
        assert len({one.member_id for one in found}) == len(found) == people, step
    assert len(await pairs(engine)) == 2
    assert await count(engine, Talk) == 4  # a pair, and three pairs of a trio without a room
    async with transaction(engine) as session:
        assert set(await session.scalars(select(RoundMember.silent))) == {1}


@pytest.mark.both
async def test_killed_between_two_transactions_it_goes_on_where_it_stopped(
    engine: AsyncEngine, typing: CommandTyper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one group in a transaction and a fault after each, everybody is told once."""
    monkeypatch.setattr(job, "BATCH_SIZE", 1)
    await on(typing, "maya", "ben", "luis", "zoe", "carl", "remi")
    begin, calls = messages.begin_group, 0

    async def dies(*args: Any) -> None:
        nonlocal calls
        calls += 1
        await begin(*args)
        if calls % 2:
            raise RuntimeError("killed")

    monkeypatch.setattr(messages, "begin_group", dies)
    await at(engine, WHEN.draft)
    for _ in range(12):
        try:
            await at(engine, WHEN.send)
        except RuntimeError:
            continue
    assert await count(engine, Talk) == 3
    async with transaction(engine) as session:
        assert None not in list(await session.scalars(select(RoundGroup.begun_at)))


async def test_who_skips_after_the_draft_is_taken_out_and_the_other_is_paired_anew(
    engine: AsyncEngine, typing: CommandTyper, clock: Clock
) -> None:
    """The notice's button takes somebody out of the very round, and nobody waits in vain."""
    await on(typing, "maya", "ben", "luis", "zoe")
    await at(engine, WHEN.draft)
    clock.now = WHEN.notice
    assert "Saltas la ronda del martes 1" in plain(await typing("rounds skip 2026-12-01", "luis"))
    await at(engine, WHEN.send)
    assert len(await pairs(engine)) == 1
    together = [name for pair in await pairs(engine) for name in pair]
    assert "Luis Ángel Rojas" not in together
    left = await owed(engine, "left")
    assert len(left) == 1
    assert "You're first in line for your next round." in text(left)
    async with transaction(engine) as session:
        missed = dict(
            (await session.execute(select(RoundMember.member_id, RoundMember.missed))).all()
        )
    assert sorted(missed.values()) == [0, 0, 0, 1]
    clock.now = WHEN.send + MINUTE
    assert "already started" in plain(await typing("rounds skip 2026-12-01", "zoe"))


async def test_who_joins_while_a_round_is_drafted_takes_part(
    engine: AsyncEngine, typing: CommandTyper, clock: Clock
) -> None:
    """Two are drafted; a third who joins in time becomes part of the round."""
    await on(typing, "maya", "luis")
    await at(engine, WHEN.draft)
    clock.now = WHEN.notice
    await on(typing, "zoe")
    await at(engine, WHEN.send)
    assert await pairs(engine) == [("Luis Ángel Rojas", "Maya Chen", "Zoe King")]


async def test_who_comes_late_is_paired_with_others_who_do_and_the_last_joins_a_pair(
    engine: AsyncEngine, typing: CommandTyper, clock: Clock
) -> None:
    """Until the middle of a round: two latecomers meet each other, one more becomes the third."""
    await on(typing, "maya", "luis")
    await at(engine, WHEN.draft)
    await at(engine, WHEN.send)
    clock.now = WHEN.send + timedelta(hours=5)
    await on(typing, "ben")
    await at(engine, clock.now)
    assert len(await pairs(engine)) == 1
    await on(typing, "zoe")
    await at(engine, clock.now + MINUTE)
    assert ("Ben Ortiz", "Zoe King") in await pairs(engine)
    clock.now = WHEN.check - timedelta(hours=1)
    await on(typing, "carl")
    await at(engine, WHEN.check)
    assert sorted(map(len, await pairs(engine))) == [2, 3]
    trio = next(names for names in await pairs(engine) if len(names) == 3)
    assert "Carl Quiet" in trio
    checks = await owed(engine, "check")
    assert len(checks) == 4, "whoever was introduced just now is not asked whether they met"


async def test_three_silent_rounds_are_asked_about_and_then_paused(
    engine: AsyncEngine, typing: CommandTyper, clock: Clock
) -> None:
    """Luis answers, Maya does not: she is asked, and pauses; «Keep me» brings her back."""
    await on(typing, "maya", "luis")
    for week in range(3):
        steps = round_schedule(DAY + timedelta(weeks=week))
        for moment in steps:
            await at(engine, moment)
            clock.now = moment
            if moment == steps.check:
                assert "anoté" in plain(await typing("rounds not-yet", "luis"))
    asked = await owed(engine, "keep")
    kept = await owed_like(engine, "round:keep:")
    assert not asked
    assert [one.member_id for one in kept] == [1]
    assert "rounds keep" in plain(load_card(kept[0].body))
    await at(engine, clock.now + timedelta(days=2))
    assert "Paused, because you stopped answering" in plain(await typing("rounds"))
    async with transaction(engine) as session:
        assert [
            one.member_id for one in await round_pools.list_participants(session, DAY, NOW)
        ] == [3]
    assert "Next one: Tuesday" in plain(await typing("rounds keep"))


async def owed_like(engine: AsyncEngine, beginning: str) -> list[Delivery]:
    async with transaction(engine) as session:
        query = select(Delivery).where(Delivery.key.startswith(beginning))
        return list(await session.scalars(query))


@pytest.mark.both
async def test_only_those_who_met_count_as_met(
    engine: AsyncEngine, typing: CommandTyper, clock: Clock
) -> None:
    """Partners of old come last, those who really met last of all; their cities are known."""
    await on(typing, "maya", "luis")
    for moment in WHEN[:3]:
        await at(engine, moment)
    async with transaction(engine) as session:
        before = await round_pools.list_past_pairings(session, DAY - timedelta(days=400))
    assert [(one.member_id, one.other_id, one.met_on) for one in sorted(before)] == [
        (1, 3, None), (3, 1, None),
    ]  # fmt: skip
    clock.now = WHEN.check
    await typing("rounds met", "luis")
    async with transaction(engine) as session:
        after = await round_pools.list_past_pairings(session, DAY - timedelta(days=400))
        assert {one.met_on for one in after} == {DAY}
        assert len(after) == 2
        assert await round_pools.list_past_pairings(session, DAY + timedelta(days=1)) == []


@pytest.mark.both
async def test_blocks_never_and_avoiding_keep_two_apart(
    engine: AsyncEngine, typing: CommandTyper, clock: Clock
) -> None:
    """Whichever of the two said so; and the reason given to either names neither."""
    await on(typing, "maya", "luis", "zoe")
    await typing("rounds avoid luis", "zoe")
    async with transaction(engine, writes=True) as session:
        maya, luis = await members.load_member(session, 1), await members.load_member(session, 3)
        assert maya is not None
        assert luis is not None
        await blocking.block_member(session, clock.now, luis, maya)
    for moment in WHEN[:3]:
        await at(engine, moment)
    assert await pairs(engine) == [("Maya Chen", "Zoe King")]
    (left,) = await owed(engine, "left")
    assert left.member_id == 3
    assert "Maya" not in left.body
    assert "Zoe" not in left.body


async def test_what_nobody_may_see_counts_nowhere(
    engine: AsyncEngine, typing: CommandTyper, clock: Clock
) -> None:
    """A topic that somebody hides does not bring them together with anybody."""
    await on(typing, "maya", "luis")
    await typing("profile seen_topics:nobody")
    async with transaction(engine) as session:
        known = await round_pools.load_knowledge(session)
        assert set(known) == {3}
        assert await session.scalar(select(func.count()).select_from(Expertise)) or 0 > 0


async def test_a_trio_in_one_workspace_talks_in_one_conversation(
    engine: AsyncEngine, typing: CommandTyper
) -> None:
    """Where the platform has such a thing: one message to all three."""
    await on(typing, "maya", "luis", "zoe")
    async with transaction(engine, writes=True) as session:
        home = await workspaces.find_workspace(session, "slack", WORKSPACE)
        assert home is not None
        home.gathers = True
    for moment in WHEN[:3]:
        await at(engine, moment)
    assert await count(engine, Talk) == 0
    (opening,) = await owed_like(engine, "round:1:1:3:6")
    assert opening.user == "luis,maya,zoe"
    said = plain(load_card(opening.body))
    assert "meet each other" in said
    assert "paired in this round" in said
    assert "Both know" in said
    assert "Stop rounds: /wwc rounds off" in said


async def test_people_out_of_reach_of_the_rules_by_the_time_are_not_introduced(
    engine: AsyncEngine, typing: CommandTyper
) -> None:
    """Suspended between the release and the beginning: no talk, and the other one hears of it."""
    await on(typing, "maya", "luis")
    await at(engine, WHEN.draft)
    async with transaction(engine, writes=True) as session:
        round_ = await rounds.find_round(session, DAY)
        assert round_ is not None
        await pools.release(session, round_.id, WHEN.send)
        luis = await members.load_member(session, 3)
        assert luis is not None
        luis.status = "suspended"
    await at(engine, WHEN.send)
    assert await count(engine, Talk) == 0
    assert "can't take part anymore" in text(await owed(engine, "left"))


async def test_a_machine_that_slept_through_a_round_leaves_it_out(
    engine: AsyncEngine, typing: CommandTyper
) -> None:
    """Drafted and then off for a week: nobody gets a stale introduction, the next round comes."""
    await on(typing, "maya", "luis")
    await at(engine, WHEN.draft)
    await at(engine, WHEN.send + timedelta(days=5))
    assert await pairs(engine) == []
    async with transaction(engine) as session:
        days = {one.day: one.sent_at for one in await session.scalars(select(Round))}
    assert set(days) == {DAY, DAY + timedelta(weeks=1)}
    assert set(days.values()) == {None}


async def test_forgetting_somebody_takes_them_out_of_every_round(
    engine: AsyncEngine, typing: CommandTyper
) -> None:
    """All rows of rounds hang on the member."""
    await on(typing, "maya", "luis")
    await typing("rounds avoid zoe")
    for moment in WHEN[:3]:
        await at(engine, moment)
    async with transaction(engine, writes=True) as session:
        maya = await members.load_member(session, 1)
        await session.delete(maya)
    async with transaction(engine) as session:
        for kind in (RoundMember, RoundPlace, UnmatchedMember):
            assert 1 not in list(await session.scalars(select(kind.member_id)))
    for moment in WHEN[3:]:
        await at(engine, moment)


def test_acts_are_what_the_hub_says() -> None:
    """Every button of a card is a word that the command takes."""
    acts = Rounds.model_fields["act"].annotation
    for word in ("skip", "keep", "met", "scheduled", "not-yet", "off", "why"):
        assert word in str(acts)
    assert round_schedule(DAY).send.tzinfo is UTC


# --- who cannot be reached --------------------------------------------------------------------


async def lose(engine: AsyncEngine, typing: CommandTyper, how: str) -> None:
    """Luis left, closed his direct messages, or is only where the hub was removed."""
    if how == "left":
        await typing("leave sure:yes", "luis")
        return
    async with transaction(engine, writes=True) as session:
        account = await members.find_account(session, "slack", WORKSPACE, "luis")
        assert account is not None
        if how == "closed":
            account.reachable = False
        else:
            account.workspace = Workspace(
                platform="slack", external_id="T-gone", first_seen=NOW, removed_at=NOW
            )


@pytest.mark.parametrize(
    ("how", "moment"), [("closed", "draft"), ("removed", "notice"), ("closed", "send"),
                        ("left", "check"), ("removed", "check"), ("closed", "check")],
)  # fmt: skip
async def test_who_cannot_be_reached_is_in_no_round(
    engine: AsyncEngine, typing: CommandTyper, clock: Clock, how: str, moment: str
) -> None:
    """Not drafted, noticed or introduced; nobody is asked whether they met, and nobody waits."""
    await on(typing, "maya", "luis", "zoe", "remi")
    for step, then in WHEN._asdict().items():
        if step == moment:
            await lose(engine, typing, how)
        clock.now = then
        await at(engine, then)
    for step in list(WHEN._asdict())[list(WHEN._asdict()).index(moment) :]:
        told = [*await owed(engine, step), *await owed(engine, "left")]
        assert "luis" not in {one.user for one in told}, step
        assert "Did you meet Luis" not in text(told)
    async with transaction(engine) as session:
        rows = {one.member_id: one for one in await session.scalars(select(RoundMember))}
        groups = await rounds.list_groups(session, 1)
    together = [{place.member_id for place in group.places} for group in groups]
    partner = next((number for ids in together if 3 in ids for number in ids - {3}), None)
    if moment == "check":
        assert partner is not None
        assert (rows[partner].silent, rows[partner].missed) == (0, 1), "first in line next time"
    else:
        assert partner is None
    answered = [number for number, one in rows.items() if one.silent == 0]
    assert set(answered) <= {3, partner or 3, *(u for u, one in rows.items() if one.missed)}


async def test_the_card_of_a_round_says_so_and_why_and_how_to_stop(
    engine: AsyncEngine, typing: CommandTyper
) -> None:
    """Also where the two have no topic in common; what was asked for is no round's card."""
    await on(typing, "ben", "zoe")
    for moment in WHEN[:3]:
        await at(engine, moment)
    cards = await owed_like(engine, "round:1:2:6")
    assert len(cards) == 2
    for one in cards:
        said = plain(load_card(one.body))
        assert "The pairing round put you two together." in said
        assert "different cities: Boston and Denver" in said
        assert "share 6 hours" in said
        assert "Stop rounds: /wwc rounds off" in said


async def test_two_who_write_to_each_other_are_not_paired(
    engine: AsyncEngine, typing: CommandTyper
) -> None:
    """Whose conversation has been silent for a month may be."""
    await on(typing, "maya", "luis", "ben")
    async with transaction(engine, writes=True) as session:
        maya, luis = [await members.load_member(session, key) for key in (1, 3)]
        assert maya is not None
        assert luis is not None
        then = WHEN.draft - timedelta(days=40)
        talk = await relay.create_relay(session, then, maya, luis, (None, None))
        session.add(RelayLine(relay_id=talk.id, author_id=1, source="s", at=WHEN.draft, gone=False))
    async with transaction(engine) as session:
        people = await pools.load_seekers(session, DAY, WHEN.draft)
        assert {p.key: p.excluded_keys for p in people}[1] == {3}
        later = await pools.load_seekers(session, DAY, WHEN.draft + timedelta(days=31))
        assert {p.key: p.excluded_keys for p in later}[1] == set()
    await at(engine, WHEN.draft)
    assert await pairs(engine) == [("Ben Ortiz", "Luis Ángel Rojas")]
