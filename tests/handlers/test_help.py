"""Where everybody starts: help, and what is next for oneself."""

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import plain
from bot.commands import COMMANDS
from bot.domain.cadence import round_schedule
from bot.jobs.rounds import advance_rounds
from db.base import transaction
from db.outbox import Delivery
from tests.cast import PENDING
from tests.conftest import Clock, CommandTyper
from tests.reading import button, commands_of

DAY = date(2026, 12, 1)


@pytest.mark.parametrize("who", ["maya", "noor", "newcomer"])
async def test_help_lists_what_the_asker_may_run(typing: CommandTyper, who: str) -> None:
    """Staff see their commands, others do not."""
    said = plain(await typing("help", as_=who))
    allowed = {n for n, c in COMMANDS.items() if c.allow.permits(None) or who != "newcomer"}
    for name, declared in COMMANDS.items():
        if name.partition(" ")[0] in allowed - {name}:
            continue  # it goes on with another verb, whose own help tells of it
        shown = f"/wwc {declared.example or name}" in said
        roles = declared.allow.roles
        may = not declared.allow.members_only or (who != "newcomer" and not roles) or who == "noor"
        assert shown is may, name


@pytest.mark.parametrize("name", sorted(COMMANDS) or ["help"])
async def test_each_command_is_explained(typing: CommandTyper, name: str) -> None:
    """Its fields, its choices, and an example to press."""
    said = plain(await typing(f"help {name}", as_="noor"))

    assert said.startswith(f"/wwc {name}")
    assert COMMANDS[name].example in said


async def test_what_is_not_for_the_asker_is_not_known(typing: CommandTyper) -> None:
    """The same words as for what does not exist."""
    hidden = plain(await typing("help admin members"))

    assert "I don't know the command «admin members»." in hidden


async def test_home_leads_on_step_by_step(typing: CommandTyper) -> None:
    """First into the directory, then to one's topics."""
    assert "You're not in the directory yet." in plain(await typing("home", as_="uma"))
    await typing("profile knows: listed:yes", as_="uma", values={"knows": (), "listed": ("yes",)})
    assert "Add what you know" in plain(await typing("home", as_="uma"))
    assert "Boston, MA" in plain(await typing("home"))


async def test_home_shows_who_waits_for_an_answer(typing: CommandTyper) -> None:
    """Until it is given."""
    await typing("intro luis because trees")
    home = await typing("home", as_="luis")
    said = plain(home)
    assert "Una persona quiere conocerte" in said
    assert "Maya Chen" in said
    assert "intro list" in commands_of(home)
    await typing("intro answer 1 later", as_="luis")
    assert "Maya Chen" not in plain(await typing("home", as_="luis"))


async def test_home_shows_the_next_talk_until_it_is_over(
    typing: CommandTyper, clock: Clock
) -> None:
    """On the reader's own clock; from it one finds another time."""
    await typing("intro luis because trees")
    await typing("intro answer 1 accept", as_="luis")
    await typing("intro slot 1 1")
    assert "You talk with" not in plain(await typing("home"))
    await typing("intro slot 1 1", as_="luis")
    home = await typing("home")
    assert "You talk with Luis Ángel Rojas" in plain(home)
    assert plain(await typing(button(home, "Different time").command)).startswith("Talk with")
    clock.advance(days=14)
    assert "You talk with" not in plain(await typing("home"))


async def test_home_shows_the_next_round_of_those_who_take_part(typing: CommandTyper) -> None:
    """And nothing about rounds to others."""
    assert "Your next round" not in plain(await typing("home"))
    await typing("rounds on")
    assert "Your next round\n" in plain(await typing("home"))
    await typing("rounds off")
    assert "Your next round" not in plain(await typing("home"))


async def test_home_is_an_inbox(typing: CommandTyper, engine: AsyncEngine, clock: Clock) -> None:
    """Open conversations, the partner of the round, the next round after it: as it is now."""
    assert "conversation" not in plain(await typing("home", "zoe"))
    for who in ("zoe", "ben"):
        await typing("rounds on", who)
    clock.now = round_schedule(DAY).draft
    await advance_rounds(engine, clock)
    await typing("admin rounds send now", "noor")
    clock.advance(minutes=5)
    await advance_rounds(engine, clock)
    said = plain(await typing("home", "zoe"))
    assert "One open conversation" in said
    assert "Go to the conversation: /wwc relay show 1" in said
    assert "This round you meet Ben Ortiz" in said
    assert "Your next round\n  Tuesday, December 8" in said
    assert "Tuesday, December 8" in plain(await typing("rounds", "zoe"))
    assert "next round goes out Tuesday, December 8" in plain(await typing("admin rounds", "noor"))
    await typing("rounds met 1", "zoe")
    assert "This round you meet" not in plain(await typing("home", "zoe"))
    await typing("relay end sure:yes", "zoe")
    assert "conversation" not in plain(await typing("home", "zoe"))


async def test_home_shows_leads_and_staff_what_waits_for_them(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """People who ask, reports, mutes, what did not arrive, the draft; members see none of it."""
    assert "Waiting for you" not in plain(await typing("home", "noor"))
    await typing("admin members lead maya", "noor")
    await typing("join boston ask:yes", PENDING)
    await typing("report luis because:rude", "ben")
    await typing("report remi because:rude", "ben")
    await typing("admin reports mute remi because of rude words", "noor")
    for who in ("zoe", "ben"):
        await typing("rounds on", who)
    await typing("admin rounds preview", "noor")
    async with transaction(engine, writes=True) as session:
        row = await session.scalar(select(Delivery).limit(1))
        assert row is not None
        row.state = "dead"
    card = await typing("home", "noor")
    said = plain(card)
    for line in (
        "One person asks to join", "One report or appeal", "One person is muted now",
        "One undelivered message", "The round of Tue, Dec 1 is drafted",
    ):  # fmt: skip
        assert line in said, line
    for words in ("admit", "admin reports", "admin dead list", "admin rounds"):
        assert words in commands_of(card)
    assert "One person asks to join" in plain(await typing("home", "maya"))
    assert "muted" not in plain(await typing("home", "maya"))
    assert "Waiting for you" not in plain(await typing("home", "ben"))
    queue = await typing("admin reports", "noor")
    assert "Muted until December 8, 2026" in plain(queue)
    assert "is a member again" in plain(await typing(button(queue, "Unmute").command, "noor"))
