"""Answering who would like to meet: what each answer does, and what is told of a no."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import Card, Form, plain
from bot.hub import Hub
from bot.request import Request
from db.base import Base, transaction
from tests.cast import sender
from tests.conftest import Clock, CommandTyper
from tests.handlers.test_introductions import BECAUSE, asked, block, number_of
from tests.owed import list_pending, mark_delivered, run_introductions_job, update_member
from tests.reading import button, commands_of

pytestmark = pytest.mark.both


async def test_a_yes_brings_both_together_once(typing: CommandTyper, engine: AsyncEngine) -> None:
    """A second press of any of the buttons changes nothing."""
    number = await asked(typing, engine)

    first = await typing(f"intro answer {number} accept", as_="luis")
    told = await list_pending(engine)
    for said in ("accept", "later", "never"):
        assert await typing(f"intro answer {number} {said}", as_="luis") == first

    assert await list_pending(engine) == told
    assert [o.user for o in told if o.kind == "conversation"] == ["maya", "luis"]
    assert "introduced on Nov 24" in plain(await typing("intro list"))


async def test_two_presses_at_once_open_one_conversation(
    hub: Hub, typing: CommandTyper, engine: AsyncEngine
) -> None:
    """The row is held while it is answered."""
    number = await asked(typing, engine)
    press = Request(sender("luis"), f"intro answer {number} accept")

    await asyncio.gather(*(hub(press) for _ in range(4)))

    assert len([o for o in await list_pending(engine) if o.kind == "conversation"]) == 2


async def silent_ends(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock, end: str
) -> tuple[list[str], list[str]]:
    """One ask that comes to nothing in some way: all that its asker is told, and when."""
    if end == "blocked before":
        await block(engine, clock, "luis", "maya")
    number = await asked(typing, engine)
    if end in ("later", "never"):
        await typing(f"intro answer {number} {end}", as_="luis")
    if end == "blocked after":
        await block(engine, clock, "luis", "maya")
    seen, told = [], []
    for _ in range(9):
        clock.advance(days=1)
        await run_introductions_job(engine, clock())
        listed = plain(await typing("intro list"))
        told.append(" + ".join(o.text for o in await list_pending(engine, "maya")))
        again = plain(await typing("intro luis because so"))
        seen.append("".join(c for c in listed + again if not c.isdigit()))
    return seen, ["".join(c for c in text if not c.isdigit()) for text in told]


@pytest.mark.parametrize("end", ["never", "blocked before", "blocked after"])
async def test_every_no_looks_the_same_on_every_day(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock, end: str
) -> None:
    """What the asker reads and when is that of «not now», to the letter."""
    got = await silent_ends(typing, engine, clock, end)

    async with transaction(engine, writes=True) as session:
        for table in ("block", "introduction", "delivery"):
            await session.execute(Base.metadata.tables[table].delete())
        # a world of its own: what was owed in the other one is not missing here
        if engine.dialect.name == "sqlite":
            await session.execute(text("DELETE FROM sqlite_sequence WHERE name = 'delivery'"))
    clock.advance(days=-9)
    expected = await silent_ends(typing, engine, clock, "later")

    assert got == expected
    assert "Not available right now" in got[1][2]
    assert "Not available right now" not in got[1][1]


async def test_after_a_never_the_asker_is_told_as_ever_and_the_other_nothing(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """The second ask, a month later, is not seen by whoever said never."""
    number = await asked(typing, engine)
    await typing(f"intro answer {number} never", as_="luis")
    clock.advance(days=31)
    await run_introductions_job(engine, clock())
    await mark_delivered(engine)

    again = await asked(typing, engine)

    assert await list_pending(engine, "luis") == []
    assert "They would like" not in plain(await typing("intro list", as_="luis"))
    refused = await typing(f"intro answer {again} accept", as_="luis")
    assert refused == await typing("intro answer 999999 accept", as_="luis")
    clock.advance(days=3)
    await run_introductions_job(engine, clock())
    assert "Not available right now" in (await list_pending(engine, "maya"))[0].text


async def test_silence_for_a_week_is_told_once(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """With somebody else to ask; what comes later is too late."""
    number = await asked(typing, engine)
    clock.advance(days=6, hours=23)
    await run_introductions_job(engine, clock())
    assert await list_pending(engine, "maya") == []
    clock.advance(hours=1)
    for _ in range(2):
        await run_introductions_job(engine, clock())

    (notice,) = await list_pending(engine, "maya")
    assert notice.text.startswith("Not available right now\n")
    assert notice.kind == "answer"
    late = await typing(f"intro answer {number} accept", as_="luis")
    assert "Esta solicitud ya no está abierta" in plain(late)


async def test_a_no_may_become_a_yes_while_it_is_open(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """The asker never hears of the first answer."""
    number = await asked(typing, engine)
    reply = await typing(f"intro answer {number} later", as_="luis")

    await typing(commands_of(reply)[0], as_="luis")

    assert [o.user for o in await list_pending(engine) if o.kind == "conversation"] == [
        "maya",
        "luis",
    ]


async def test_whoever_asked_may_take_it_back(typing: CommandTyper, engine: AsyncEngine) -> None:
    """What is not sent yet is not sent; what was sent cannot be answered any more."""
    reply = await typing(f"intro luis because {BECAUSE}")
    number = await number_of(engine)

    for _ in range(2):
        assert plain(await typing(button(reply, "Withdraw").command)).startswith("Withdrawn\n")

    assert await list_pending(engine, "luis") == []
    assert "withdrawn" in plain(await typing("intro list"))
    for said in ("accept", "later"):
        answer = await typing(f"intro answer {number} {said}", as_="luis")
        assert "Esta solicitud ya no está abierta" in plain(answer)


async def test_a_suspended_asker_is_introduced_to_nobody(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Judged when the button is pressed, not when it was drawn."""
    number = await asked(typing, engine)
    await update_member(engine, "maya", status="suspended")

    reply = await typing(f"intro answer {number} accept", as_="luis")

    assert "Esta solicitud ya no está abierta" in plain(reply)
    assert not [o for o in await list_pending(engine) if o.kind == "conversation"]


async def test_a_suspended_person_can_answer_nothing(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Whatever button is still on the screen."""
    number = await asked(typing, engine)
    await update_member(engine, "luis", status="suspended")

    reply = await typing(f"intro answer {number} accept", as_="luis")

    assert plain(reply).startswith("Solo para miembros\n")


async def test_foreign_numbers_are_answered_like_those_that_do_not_exist(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Every act on every number by everybody it does not concern, the asker included."""
    number = await asked(typing, engine)
    draft = int(button(await typing("intro ines"), "Ask").command.split(" ")[-1])
    acts = ("answer {} accept", "answer {} later", "answer {} never", "withdraw {}", "why {}",
            "ask {}", "ask {} next", "ask {} say", "slot {} 1", "slot {}")  # fmt: skip
    before = await list_pending(engine, state="")
    for who in ("ben", "zoe", "noor"):
        for act in acts:
            strange = await typing(f"intro {act.format(2**31 - 1)}", as_=who)
            for known in (number, draft):
                assert await typing(f"intro {act.format(known)}", as_=who) == strange
    for act in acts[:3]:
        own = await typing(f"intro {act.format(number)}")
        assert own == await typing(f"intro {act.format(2**31 - 1)}")
    assert await list_pending(engine, state="") == before


@pytest.mark.parametrize(
    "words",
    ["answer x accept", "answer 0 accept", "answer -1 accept", "answer 99999999999999 accept",
     "answer", "answer 1", "answer 1 yes", "withdraw", "withdraw 1e9", "slot 1 0", "slot 1 61",
     "slot 1 -1", "ask ٣", "why 1;2"],
)  # fmt: skip
async def test_tampered_buttons_have_no_effect(
    typing: CommandTyper, engine: AsyncEngine, words: str
) -> None:
    """A form or a refusal, and not one row."""
    await asked(typing, engine)
    before = await list_pending(engine, state="")

    reply = await typing(f"intro {words}", as_="luis")

    assert isinstance(reply, Card | Form)
    assert await list_pending(engine, state="") == before


async def test_the_why_is_one_sentence_for_both(typing: CommandTyper, engine: AsyncEngine) -> None:
    """From what each shows the other."""
    number = await asked(typing, engine)

    assert "Both know open data." in plain(await typing(f"intro why {number}"))
    assert "Las dos personas saben de datos abiertos." in plain(
        await typing(f"intro why {number}", as_="luis")
    )


async def test_the_list_shows_what_waits_for_whom(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Requests with their three answers, one's own asks with the way back."""
    number = await asked(typing, engine)

    mine, theirs = await typing("intro list"), await typing("intro list", as_="luis")

    assert "waiting, until Dec 1 at the latest" in plain(mine)
    assert f"intro withdraw {number}" in commands_of(mine)
    assert f"intro answer {number} never" in commands_of(theirs)
    assert BECAUSE in plain(theirs)
    assert plain(await typing("intro list", as_="ben")).count("•") == 0
