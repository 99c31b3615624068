"""`admin rounds`: the draft before it is sent, changes by hand, and the one release."""

import asyncio
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import plain
from bot.deliveries import load_card
from bot.domain.cadence import round_schedule
from bot.jobs import rounds as job
from db import rounds
from db.audit import Audit
from db.base import transaction
from db.members import Member
from db.outbox import Delivery
from db.rounds import Round, RoundPlace
from db.talks import Talk
from tests.conftest import Clock, CommandTyper
from tests.reading import button, commands_of

DAY = date(2026, 12, 1)
WHEN = round_schedule(DAY)
SOME = ("maya", "ben", "luis", "remi", "carl", "zoe")


@pytest.fixture
async def six(typing: CommandTyper) -> CommandTyper:
    """Six people take part: two of Boston, and four of other cities."""
    for key in SOME:
        await typing("rounds on", key)
    return typing


async def together(engine: AsyncEngine) -> set[frozenset[int]]:
    async with transaction(engine) as session:
        groups: dict[int, set[int]] = {}
        for place in await session.scalars(select(RoundPlace)):
            groups.setdefault(place.group_id, set()).add(place.member_id)
    return {frozenset(members) for members in groups.values()}


async def left(engine: AsyncEngine) -> set[int]:
    async with transaction(engine) as session:
        return {one.member_id for one in await rounds.list_unmatched(session, 1)}


async def test_nobody_takes_part_yet(typing: CommandTyper) -> None:
    """The card says so; how rounds are going says when the next draft is made."""
    assert "No one is signed up" in plain(await typing("admin rounds preview", "noor"))
    said = plain(await typing("admin rounds", "noor"))
    assert "It will be drafted Friday, November 27" in said


@pytest.mark.both
async def test_the_draft_is_a_table_and_stays_as_it_is(
    six: CommandTyper, engine: AsyncEngine
) -> None:
    """Pairs with points and reasons; looking again draws nothing anew."""
    said = plain(await six("admin rounds preview", "noor"))
    assert "Who | Points | Before | Why" in said
    assert "Pairs: 3" in said
    assert "No partner: 0" in said
    assert re.search(r"\d+ Maya Chen · |· \d+ Maya Chen", said)
    before = await together(engine)
    assert len(before) == 3
    assert plain(await six("admin rounds preview", "ada")) == said.replace("noor", "ada")
    assert await together(engine) == before


@pytest.mark.both
async def test_two_people_change_places_if_the_rules_allow(
    six: CommandTyper, engine: AsyncEngine
) -> None:
    """Each takes the other's place; colleagues, and those kept apart, are never put together."""
    await six("admin rounds preview", "noor")
    before = await together(engine)
    boston = [group for group in before if group & {1, 2}]
    (one,), (other,) = [group - {1, 2} for group in boston]
    said = plain(await six(f"admin rounds swap {one} {other}", "noor"))
    assert "swapped places." in said
    after = await together(engine)
    assert after - before == {frozenset(group ^ {one, other}) for group in boston}
    (beside,) = next(group for group in after if 1 in group) - {1}
    refused = plain(await six(f"admin rounds swap {beside} 2", "noor"))
    assert "two people from the same city" in refused
    assert await together(engine) == after


async def test_somebody_who_waits_may_take_a_place(six: CommandTyper, engine: AsyncEngine) -> None:
    """Whose place it was waits instead, and reads why."""
    for key in ("luis", "zoe", "carl", "remi"):
        await six("rounds off", key)
    await six("rounds on", "luis")
    await six("admin rounds preview", "noor")
    (waits,) = await left(engine)
    (pair,) = await together(engine)
    (goes,) = pair & {1, 2}
    assert "swapped places" in plain(await six(f"admin rounds swap {waits} {goes}", "noor"))
    assert await left(engine) == {goes}
    assert await together(engine) == {frozenset({waits, 3})}
    assert "already in the same group" in plain(await six(f"admin rounds swap {waits} 3", "noor"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("swap", "Please fill this in."), ("swap 1", "Please fill this in."),
        ("swap x 2", "«x»"), ("send later", "now or morning"),
        ("swap 1 999", "«999»"), ("swap 1 1", "the same group"),
        ("preview 0", "whole number"), ("preview 99", "Pairs: 3"), ("explode", "doesn't work here"),
    ],
)  # fmt: skip
async def test_bad_words_are_told_what_fits(six: CommandTyper, words: str, said: str) -> None:
    """Numbers that are none, or are nobody's here."""
    await six("admin rounds preview", "noor")
    assert said in plain(await six(f"admin rounds {words}", "noor"))


async def test_a_swap_with_somebody_who_went_meanwhile_is_refused(
    six: CommandTyper, engine: AsyncEngine
) -> None:
    """Rules are checked with the people as they are now."""
    await six("admin rounds preview", "noor")
    await six("rounds off", "luis")
    other = next(key for group in await together(engine) if 3 not in group for key in group)
    assert "can't take part" in plain(await six(f"admin rounds swap 3 {other}", "noor"))


async def test_a_locked_round_stays_until_it_is_unlocked(
    six: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """Neither drawn again nor swapped; whoever joins then waits for the release."""
    await six("rounds off", "zoe")
    await six("rounds off", "carl")
    assert "Locked." in plain(await six("admin rounds lock", "noor"))
    for words in ("redraw", "swap 1 2"):
        assert "Unlock it" in plain(await six(f"admin rounds {words}", "noor"))
    before = await together(engine)
    await six("rounds on", "zoe")
    clock.now = round_schedule(DAY).notice
    await six("admin rounds send now", "noor")
    await job.advance_rounds(engine, lambda: clock.now + timedelta(minutes=5))
    assert await together(engine) == before
    assert before


async def test_drawing_again_makes_another_draft(six: CommandTyper, engine: AsyncEngine) -> None:
    """Those who joined are in it, and the act is written down."""
    await six("rounds off", "zoe")
    await six("admin rounds preview", "noor")
    await six("rounds on", "zoe")
    await six("admin rounds unlock", "noor")
    assert "New pairs drawn." in plain(await six("admin rounds redraw", "noor"))
    assert {key for group in await together(engine) for key in group} >= {1, 2, 3, 6}
    async with transaction(engine) as session:
        acts = set(await session.scalars(select(Audit.action).where(Audit.subject == "round:1")))
    assert acts == {"round unlocked", "round redrawn"}


@pytest.mark.both
async def test_two_admins_press_send_and_the_clock_strikes(
    six: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """All at once: one release, one introduction each; everybody else hears that it was sent."""
    await six("admin rounds preview", "noor")
    clock.now = round_schedule(DAY).send - timedelta(minutes=6)
    await asyncio.gather(
        *(six("admin rounds send now", who) for who in ("noor", "ada", "noor", "ada"))
    )
    after = round_schedule(DAY).send + timedelta(seconds=1)
    await asyncio.gather(*(job.advance_rounds(engine, lambda: after) for _ in range(3)))
    async with transaction(engine) as session:
        assert await session.scalar(select(func.count()).select_from(Talk)) == 3
    clock.now = after
    assert "6 people were introduced" in plain(await six("admin rounds", "noor"))


async def test_sending_is_asked_about_waits_and_can_be_undone(
    six: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """Nothing goes out before the window has passed; the card says to how many, and when."""
    asked = await six("admin rounds send", "noor")
    assert "6 people will hear of it." in plain(asked)
    assert await talks(engine) == 0
    held = await six(button(asked, "Send now").command, "noor")
    assert "you can undo it until then" in plain(held)
    await job.advance_rounds(engine, lambda: clock.now + timedelta(minutes=4))
    assert await talks(engine) == 0
    assert "Undone." in plain(await six(button(held, "Undo").command, "noor"))
    await job.advance_rounds(engine, lambda: clock.now + timedelta(hours=1))
    assert await talks(engine) == 0
    assert "nothing to undo" in plain(await six("admin rounds undo", "noor"))

    await six("admin rounds send now", "noor")
    clock.advance(minutes=5)
    await job.advance_rounds(engine, clock)
    assert await talks(engine) == 3
    assert "goes out once" in plain(await six("admin rounds undo", "noor"))
    async with transaction(engine) as session:
        acts = await session.scalars(select(Audit.action).where(Audit.subject == "round:1"))
        assert list(acts) == ["round sent now", "round held back", "round sent now"]


async def test_in_the_morning_each_pair_begins_when_both_are_at_work(
    six: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """On a Friday night: on Monday at 9:00 in Boston; with Denver not before 9:00 there."""
    clock.now = datetime(2026, 11, 28, 2, 0, tzinfo=UTC)
    asked = await six("admin rounds send", "noor")
    assert "the first read it on Monday, November 30, 9:00\u202fAM" in plain(asked)
    assert "the last on Monday, November 30, 11:00\u202fAM" in plain(asked)
    await six("admin rounds send morning", "noor")
    moments = [datetime(2026, 11, 30, hour, tzinfo=UTC) for hour in (13, 14, 15, 16)]
    begun = []
    for moment in moments:
        await job.advance_rounds(engine, lambda moment=moment: moment)  # type: ignore[misc] # now
        begun.append(await talks(engine))
    assert begun == [0, 2, 2, 3]


async def talks(engine: AsyncEngine) -> int:
    async with transaction(engine) as session:
        return await session.scalar(select(func.count()).select_from(Talk)) or 0


async def test_two_are_swapped_by_name(six: CommandTyper, engine: AsyncEngine) -> None:
    """As staff know them; who is not in the round is named."""
    await six("admin rounds preview", "noor")
    boston = [group for group in await together(engine) if group & {1, 2}]
    (one,), (other,) = [group - {1, 2} for group in boston]
    names = {3: "luis", 5: "gagnon", 6: "zoe@city.example", 7: "Quiet"}
    said = plain(await six(f"admin rounds swap {names[one]} {names[other]}", "noor"))
    assert "swapped places." in said
    assert "«uma» is not in this round." in plain(await six("admin rounds swap uma ben", "noor"))


async def test_long_drafts_have_pages(
    six: CommandTyper, engine: AsyncEngine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a button to the next and the previous one."""
    from bot.handlers import rounds_staff

    monkeypatch.setattr(rounds_staff, "PAGE_SIZE", 2)
    first = plain(await six("admin rounds preview", "noor"))
    second = plain(await six("admin rounds preview 2", "noor"))
    assert "Next page: /wwc admin rounds preview 2" in first
    assert "Previous page: /wwc admin rounds preview 1" in second
    for name in ("Maya", "Ben", "Luis", "Rémi", "Carl", "Zoe"):
        assert (name in first) != (name in second)


@pytest.mark.parametrize("words", ["", "preview", "redraw", "swap 1 2", "lock", "send now", "undo"])
async def test_only_staff_may(typing: CommandTyper, engine: AsyncEngine, words: str) -> None:
    """Members hear that it is for staff, and the try is written down."""
    assert "Staff only" in plain(await typing(f"admin rounds {words}"))
    async with transaction(engine) as session:
        assert await session.scalar(select(Audit.outcome)) == "refused"
        assert await session.scalar(select(func.count()).select_from(Member)) == 11


# --- skipping a round -------------------------------------------------------------------------


async def read_by(engine: AsyncEngine, part: str) -> dict[str, str]:
    """The messages of the skipped round whose key has this part, by reader, sent or not."""
    async with transaction(engine) as session:
        query = select(Delivery).where(Delivery.key.contains(f":{part}:"))
        rows = (await session.scalars(query)).all()
        return {row.user: plain(load_card(row.body)) for row in rows if row.state != "cancelled"}


@pytest.mark.both
async def test_staff_skip_a_round_and_members_are_told_what_comes_next(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """After a question; the draft is dropped, nothing is sent, and the week after is as usual."""
    for key in ("maya", "luis", "zoe", "remi"):
        await typing("rounds on", as_=key)
    clock.now = WHEN.draft
    await job.advance_rounds(engine, clock)
    asked = await typing("admin rounds skip", as_="noor")
    assert "4 people are told" in plain(asked)
    assert "The round after it is on Dec 8." in plain(asked)
    assert commands_of(asked)[0] == "admin rounds skip 2026-12-01 yes"
    assert await read_by(engine, "skipped") == {}
    done = await typing(commands_of(asked)[0], as_="noor")
    assert "is skipped" in plain(done)
    told = await read_by(engine, "skipped")
    assert told.keys() == {"maya", "luis", "zoe", "remi"}
    assert "skipping the pairing round on Dec 1" in told["maya"]
    assert "December 8" in told["maya"]
    assert "ronda" in told["luis"]
    assert "tour" in told["remi"]
    assert "December 8" in plain(await typing("rounds", as_="maya"))
    for words in ("admin rounds preview", "admin rounds send", "admin rounds"):
        assert "admin rounds resume 2026-12-01" in commands_of(await typing(words, as_="noor"))
    for moment in (WHEN.notice, WHEN.send, WHEN.check, WHEN.close):
        clock.now = moment
        await job.advance_rounds(engine, clock)
    assert await read_by(engine, "notice") == {}
    assert await read_by(engine, "check") == {}
    async with transaction(engine) as session:
        assert (await session.scalars(select(Talk))).all() == []
        found = {one.day: one for one in await session.scalars(select(Round))}
    assert found[DAY].closed_at is not None
    assert found[DAY + timedelta(days=7)].drafted_at is not None


async def test_a_skipped_round_is_held_after_all(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """Who was told is told again; who was not yet hears nothing of either."""
    for key in ("maya", "luis", "zoe", "remi"):
        await typing("rounds on", as_=key)
    await typing("admin rounds skip 2026-12-01 yes", as_="noor")
    assert "is skipped" in plain(await typing("admin rounds skip 2026-12-01 yes", as_="ada"))
    async with transaction(engine, writes=True) as session:
        mine = Delivery.user == "maya", Delivery.key.contains(":skipped:")
        await session.execute(update(Delivery).where(*mine).values(state="sent"))
    done = await typing("admin rounds resume 2026-12-01", as_="noor")
    assert "The round on Dec 1 takes place." in plain(done)
    assert (await read_by(engine, "skipped")).keys() == {"maya"}, "sent before"
    assert (await read_by(engine, "resumed")).keys() == {"maya"}
    again = await typing("admin rounds resume 2026-12-01", as_="noor")
    assert "nothing to undo" in plain(again)
    for moment in (WHEN.draft, WHEN.notice, WHEN.send):
        clock.now = moment
        await job.advance_rounds(engine, clock)
    async with transaction(engine) as session:
        assert len((await session.scalars(select(Talk))).all()) == 2


async def test_only_a_round_to_come_is_skipped(typing: CommandTyper, clock: Clock) -> None:
    """Another day, a past one and nonsense get one sentence with an example; members none of it."""
    for words in ("2026-12-02", "2026-11-17", "christmas", "2028-01-04"):
        said = plain(await typing(f"admin rounds skip {words}", as_="noor"))
        assert "is not the day of a round to come" in said, words
        assert "2026-12-08" in said
    ahead = await typing("admin rounds skip 2026-12-29", as_="noor")
    assert commands_of(ahead)[0] == "admin rounds skip 2026-12-29 yes"
    await typing(commands_of(ahead)[0], as_="noor")
    before = await typing("admin rounds skip 2026-12-22", as_="noor")
    assert "The round after it is on Jan 5." in plain(before)
    assert "Staff only" in plain(await typing("admin rounds skip", as_="maya"))
