"""`rounds`: taking part at one's own rhythm, skipping, avoiding, answering, and why."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import Buttons, Card, plain
from bot.domain.cadence import is_turn, next_round_day, round_schedule
from bot.jobs import rounds as job
from db import round_pools
from db.base import transaction
from db.round_members import RoundAvoidance, RoundMember
from db.rounds import RoundPlace
from tests.cast import NOW
from tests.conftest import Clock, CommandTyper

DAY = date(2026, 12, 1)


async def sent(engine: AsyncEngine, clock: Clock) -> None:
    """The first round is drafted and sent; an hour has passed."""
    when = round_schedule(DAY)
    for moment in (when.draft, when.send):
        clock.now = moment
        await job.advance_rounds(engine, clock)
    clock.now = when.send + timedelta(hours=1)


async def mine(engine: AsyncEngine, member_id: int = 1) -> RoundMember:
    async with transaction(engine) as session:
        found = await session.get(RoundMember, member_id)
    assert found is not None
    return found


@pytest.mark.both
async def test_taking_part_is_chosen_and_undone(typing: CommandTyper, engine: AsyncEngine) -> None:
    """Nobody takes part by default; on, twice, and off again."""
    assert "You're not signed up yet" in plain(await typing("rounds"))
    for _ in range(2):
        said = plain(await typing("rounds on"))
        assert "You're taking part." in said
        assert "Next one: Tuesday, December 1, 9:00" in said
    assert "no longer taking part" in plain(await typing("rounds off"))
    assert not (await mine(engine)).active
    assert "not signed up yet" in plain(await typing("rounds off", "ben"))


async def test_only_people_in_the_directory_take_part(typing: CommandTyper) -> None:
    """Whoever is met wants to know whom; the way there is a button."""
    said = plain(await typing("rounds on", "uma"))
    assert "/wwc profile edit" in said
    assert "You're not taking part in rounds yet." in plain(await typing("rounds weekly", "ben"))


@pytest.mark.parametrize(
    ("words", "rhythm", "next_one"),
    [
        ("rounds weekly", "Every week", "Tuesday, December 1,"),
        ("rounds every-two-weeks", "Every two weeks", "Tuesday, December 8,"),
        ("rounds monthly", "Once a month, on the first Tuesday", "Tuesday, December 1,"),
        ("rounds monthly 3", "Once a month, on the third Tuesday", "Tuesday, December 15,"),
        ("rounds monthly 5", "Once a month, on the last Tuesday", "Tuesday, December 29,"),
    ],
)
async def test_everybody_has_a_rhythm_of_their_own(
    typing: CommandTyper, words: str, rhythm: str, next_one: str
) -> None:
    """The card says it, and when the next round of that rhythm is, on the reader's clock."""
    await typing("rounds on")
    said = plain(await typing(words))
    assert f"How often: {rhythm}\n" in said
    assert f"Next one: {next_one}" in said


@pytest.mark.parametrize("words", ["rounds monthly 6", "rounds monthly x", "rounds weekly 2"])
async def test_a_week_that_no_month_has_is_refused(typing: CommandTyper, words: str) -> None:
    """With what was read and what fits."""
    await typing("rounds on")
    assert "write 1 to 4" in plain(await typing(words))


def test_turns_are_spread_over_the_weeks() -> None:
    """Every other Tuesday, and exactly one a month whichever was chosen."""
    days = [date(2026, 1, 6) + timedelta(weeks=week) for week in range(52)]
    assert sum(is_turn("every-two-weeks", 1, day) for day in days) == 26
    for nth in (1, 2, 3, 4, 5):
        months = [day.month for day in days if is_turn("monthly", nth, day)]
        assert months == list(range(1, 13))


def test_a_round_is_coming_until_it_is_sent() -> None:
    """On the Tuesday itself until the hour, then the next one."""
    send = round_schedule(DAY).send
    assert next_round_day(send - timedelta(seconds=1)) == DAY
    assert next_round_day(send) == DAY + timedelta(weeks=1)


@pytest.mark.parametrize(
    ("words", "until"),
    [
        ("rounds snooze", date(2026, 12, 22)),
        ("rounds snooze 2", date(2026, 12, 8)),
        ("rounds snooze 6 weeks", date(2027, 1, 5)),
        ("rounds snooze 2027-01-15", date(2027, 1, 15)),
    ],
)
async def test_rounds_can_be_paused_until_a_day(
    typing: CommandTyper, engine: AsyncEngine, words: str, until: date
) -> None:
    """Four weeks, so many weeks, or a day; quoted back; the next round is after it."""
    await typing("rounds on")
    said = plain(await typing(words))
    assert f"Your rounds pause until {until:%B} {until.day}, {until.year}." in said
    assert (await mine(engine)).snoozed_until == until
    async with transaction(engine) as session:
        assert not await round_pools.list_participants(session, until - timedelta(days=1), NOW)
        assert await round_pools.list_participants(session, until, NOW)
    await typing("rounds on")
    assert (await mine(engine)).snoozed_until is None


@pytest.mark.parametrize("when", ["yesterday", "2026-11-24", "2028-01-01", "2026-13-45", "0"])
async def test_a_pause_that_cannot_be_read_says_how_to_write_it(
    typing: CommandTyper, when: str
) -> None:
    """Neither the past, nor years, nor days that do not exist."""
    await typing("rounds on")
    said = plain(await typing(f"rounds snooze {when}"))
    assert f"I can't read «{when}»" in said
    assert "2026-12-22" in said


@pytest.mark.parametrize("when", ["2026-11-24", "2026-12-02", "soon"])
async def test_only_a_round_to_come_can_be_skipped(typing: CommandTyper, when: str) -> None:
    """An old button skips nothing later."""
    await typing("rounds on")
    assert "already started, or there isn't one" in plain(await typing(f"rounds skip {when}"))


async def test_skipping_moves_the_next_one(typing: CommandTyper) -> None:
    """The next one is skipped, not the one after it."""
    await typing("rounds on")
    said = plain(await typing("rounds skip"))
    assert "You're skipping the Tuesday, December 1, 9:00" in said
    assert "Next one: Tuesday, December 8" in said


@pytest.mark.both
async def test_people_are_avoided_and_not_told(typing: CommandTyper, engine: AsyncEngine) -> None:
    """By name; twice is once; the list is on the own card only."""
    await typing("rounds on")
    for _ in range(2):
        said = plain(await typing("rounds avoid luis"))
        assert "You won't be paired with Luis Ángel Rojas, and they won't know." in said
    assert "Never paired with: Luis Ángel Rojas" in said
    await typing("rounds on", "luis")
    assert "Maya" not in plain(await typing("rounds", "luis"))
    async with transaction(engine) as session:
        assert len(list(await session.scalars(select(RoundAvoidance)))) == 1
    assert "Never paired" not in plain(await typing("rounds unavoid luis"))
    assert "never paired with yourself" in plain(await typing("rounds avoid maya"))
    assert "Please fill this in." in plain(await typing("rounds avoid"))
    assert "No one in the directory is called" in plain(await typing("rounds avoid uma"))


@pytest.mark.both
async def test_the_partner_stands_on_the_card_with_why(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """Who it is, why, and what one says of the meeting; a later word replaces an earlier one."""
    for key in ("maya", "luis"):
        await typing("rounds on", key)
    await sent(engine, clock)
    said = plain(await typing("rounds"))
    assert "Luis Ángel Rojas" in said
    why = plain(await typing("rounds why"))
    assert "You both know open data." in why
    assert "Your working days share 8 hours." in why
    assert "You haven't met anyone from each other’s city." in why
    number = said.split("/wwc rounds met ")[1].split("\n")[0]
    assert "You have a date." in plain(await typing(f"rounds scheduled {number}"))
    assert "You met." in plain(await typing(f"rounds met {number}"))
    async with transaction(engine) as session:
        answers = select(RoundPlace.answer).order_by(RoundPlace.member_id)
        assert list(await session.scalars(answers)) == ["met", ""]


@pytest.mark.parametrize("number", ["1", "99", "0", "x", "-1", "9" * 30])
async def test_nobody_answers_for_a_group_of_others(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock, number: str
) -> None:
    """A number that is somebody else's, or nobody's, sounds the same and changes nothing."""
    for key in ("maya", "luis"):
        await typing("rounds on", key)
    await sent(engine, clock)
    assert "not one of your introductions" in plain(await typing(f"rounds met {number}", "zoe"))
    async with transaction(engine) as session:
        assert set(await session.scalars(select(RoundPlace.answer))) == {""}


async def test_a_draft_is_told_to_nobody_before_it_is_sent(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """Neither on the card nor by asking why or answering."""
    for key in ("maya", "luis"):
        await typing("rounds on", key)
    draft = round_schedule(DAY).draft
    await job.advance_rounds(engine, lambda: draft)
    clock.now = draft
    for words in ("rounds", "rounds why", "rounds met", "rounds met 1"):
        assert "Luis" not in plain(await typing(words))


async def test_who_was_left_reads_why(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """Two colleagues alone: the rule, and no name."""
    for key in ("maya", "ben"):
        await typing("rounds on", key)
    await sent(engine, clock)
    for words in ("rounds", "rounds why"):
        said = plain(await typing(words))
        assert "works in your own city" in said
        assert "Ben" not in said


@pytest.mark.parametrize("words", ["rounds", "rounds on", "rounds avoid luis", "rounds met 1"])
@pytest.mark.parametrize("who", ["pat", "sam"])
async def test_members_only(typing: CommandTyper, words: str, who: str) -> None:
    """Neither those who wait nor those who are suspended."""
    assert "Members only" in plain(await typing(words, who)) or "miembros" in plain(
        await typing(words, who)
    )


async def test_every_button_fits(typing: CommandTyper, engine: AsyncEngine, clock: Clock) -> None:
    """And says a command that exists."""
    for key in ("maya", "luis"):
        await typing("rounds on", key)
    await sent(engine, clock)
    card = await typing("rounds")
    assert isinstance(card, Card)
    pressed = [b for part in card.parts if isinstance(part, Buttons) for b in part.buttons]
    assert len(pressed) > 5
    for button in pressed:
        assert not plain(await typing(button.command)).startswith("Sorry")
