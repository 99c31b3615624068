"""Report, decide, appeal: nobody is judge in their own matter, and nothing is decided twice."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import Form, plain
from bot.deliveries import load_card
from db import members
from db.audit import Audit
from db.base import transaction
from db.members import Member
from db.moderation import Report
from db.outbox import Delivery
from tests.cast import NOW
from tests.conftest import CANARY, Clock, CommandTyper
from tests.owed import list_pending, mark_delivered
from tests.reading import commands_of, problems_of, titles_of

MAYA, LUIS = 1, 3
WORDS = f'report {LUIS} because:"He wrote {CANARY} to me"'


async def reports(engine: AsyncEngine) -> list[Report]:
    async with transaction(engine) as session:
        return list(await session.scalars(select(Report).order_by(Report.id)))


async def owed(engine: AsyncEngine) -> list[tuple[int | None, str]]:
    async with transaction(engine) as session:
        rows = await session.scalars(select(Delivery).order_by(Delivery.id))
        return [(d.member_id, d.key) for d in rows]


async def person(engine: AsyncEngine, number: int = LUIS) -> Member:
    async with transaction(engine) as session:
        found = await members.load_member(session, number)
        assert found is not None
        return found


@pytest.mark.both
async def test_a_report_reaches_the_staff_and_nobody_else(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """The queue shows the words; deliveries, the log and the person reported do not."""
    said = plain(await typing(WORDS))
    assert "won't learn who reported it" in said

    queue = await typing("admin reports", as_="noor")
    assert CANARY in plain(queue)
    assert "Luis Ángel Rojas" in plain(queue)
    assert [key for _, key in await owed(engine)] == ["report:1:new:10", "report:1:new:11"]
    async with transaction(engine) as session:
        bodies = (await session.scalars(select(Delivery.body))).all()
        acts = (await session.execute(select(Audit.action, Audit.subject))).all()
    assert not any(CANARY in body for body in bodies)
    assert [tuple(act) for act in acts] == [("reported", "report:1")]
    assert CANARY not in plain(await typing("admin reports", as_="luis"))


async def test_a_second_report_of_the_same_adds_its_words(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """One entry in the queue, one notice to each on duty."""
    await typing(WORDS)
    await typing(f'report {LUIS} because:"And again today"')
    (one,) = await reports(engine)
    assert one.because.endswith("And again today")
    assert len(await owed(engine)) == 2


@pytest.mark.parametrize("words", ["report 1 because:nothing", "report @maya because:nothing"])
async def test_nobody_reports_oneself(
    typing: CommandTyper, engine: AsyncEngine, words: str
) -> None:
    """Kindly."""
    said = plain(await typing(words.replace("@maya", "<@maya>")))
    assert "can't report yourself" in said
    assert await reports(engine) == []


async def test_without_words_a_form_opens_with_the_person_in_it(typing: CommandTyper) -> None:
    """Whoever presses the button says what happened."""
    form = await typing(f"report {LUIS} where:relay:4")
    assert isinstance(form, Form)
    assert {i.name: i.text for i in form.inputs}["person"] == str(LUIS)
    assert "because" in problems_of(await typing(f"report {LUIS} because:x"))


async def test_the_form_of_a_report_asks_people_for_nothing_that_a_button_knows(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """The place is no field, and yet it is sent with the form."""
    form = await typing(f"report {LUIS} where:relay:12")
    assert isinstance(form, Form)
    assert [given.name for given in form.inputs] == ["person", "because"]
    told = {"person": (str(LUIS),), "because": ("It hurt me",)}
    await typing(form.command, values=told, submitted=True)
    (one,) = await reports(engine)
    assert (one.subject, one.because) == ("relay:12", "It hurt me")


async def test_a_mute_asks_why_and_the_appeal_shows_all_of_it_with_its_age(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """The member reads the reason; whoever decides the appeal reads it and what was reported."""
    await typing('report luis because:"He shouted at me"')
    clock.advance(days=2)
    form = await typing("admin reports mute luis", as_="noor")
    assert isinstance(form, Form)
    assert [given.name for given in form.inputs] == ["because"]
    assert not (await person(engine)).is_muted(clock.now)

    await typing(form.command, as_="noor", values={"because": ("No shouting",)}, submitted=True)
    assert (await person(engine)).is_muted(clock.now)
    told = (await cards(engine))[LUIS]
    assert "«No shouting»" in told
    clock.advance(days=3)
    await typing('appeal because:"It was loud there"', as_="luis")
    queue = plain(await typing("admin reports", as_="ada"))
    assert "Muted by Noor Haddad 3 days ago: «No shouting»" in queue
    assert "Reported by Maya Chen 5 days ago, on a profile: He shouted at me" in queue
    assert "from Luis Ángel Rojas, just now" in queue


async def test_the_cards_of_the_staff_say_what_waits_without_the_words_of_the_two(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Who, by whom, where, since when; after an appeal which decision it is about."""
    await typing(WORDS)
    card = (await cards(engine))[10]
    for fact in ("Luis Ángel Rojas was reported", "Reported by: Maya Chen", "Where: on a profile"):
        assert fact in card
    await typing("admin reports suspend 1", as_="ada")
    await typing("appeal because:nothing", as_="luis")
    card = (await cards(engine))[10]
    assert "Luis Ángel Rojas appeals a decision" in card
    assert "Decision: Suspended" in card
    assert CANARY not in card


async def cards(engine: AsyncEngine) -> dict[int | None, str]:
    """The newest card owed to each member, as text."""
    async with transaction(engine) as session:
        rows = await session.scalars(select(Delivery).order_by(Delivery.id))
        return {d.member_id: plain(load_card(d.body)) for d in rows}


@pytest.mark.both
async def test_two_of_the_staff_at_once_decide_once(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """The second one reads that it is decided."""
    await typing(WORDS)
    answers = await asyncio.gather(
        typing("admin reports mute 1 because of rude words", as_="noor"),
        typing("admin reports suspend 1", as_="ada"),
    )
    told = sorted("has already been decided" in plain(answer) for answer in answers)
    assert told == [False, True]
    assert (
        len([k for _, k in await owed(engine) if k.startswith("report:1:") and "new" not in k]) == 1
    )


@pytest.mark.both
async def test_muted_for_two_weeks_and_free_again_on_appeal(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Whoever decided does not decide the appeal."""
    await typing(WORDS)
    assert "has been decided" in plain(
        await typing("admin reports mute 1 because of rude words", as_="noor")
    )
    assert (await person(engine)).is_muted(NOW)
    assert "Luis" not in titles_of(await typing("admin reports", as_="noor"))

    first = await typing('appeal because:"It was a joke"', as_="luis")
    assert "Tus palabras ya están con el equipo" in plain(first)
    again = await typing("appeal because:again", as_="luis")
    assert "Tu apelación ya está con el equipo" in plain(again)
    assert "You made this decision" in plain(await typing("admin reports lift 1", as_="noor"))
    queue = await typing("admin reports", as_="ada")
    assert "It was a joke" in plain(queue)
    assert "admin reports lift 1" in commands_of(queue)
    await typing("admin reports lift 1", as_="ada")
    assert not (await person(engine)).is_muted(NOW)
    assert "already been decided" in plain(await typing("admin reports uphold 1", as_="ada"))


async def test_suspended_on_every_account_and_back(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Suspension is the person's: another account of theirs gets no further; appeal is open."""
    async with transaction(engine, writes=True) as session:
        second = await members.get_or_create_account(session, "other", "G9", "luis-there", NOW)
        second.member_id = LUIS
    await typing(WORDS)
    await typing("admin reports suspend 1", as_="noor")
    there: dict[str, Any] = {"platform": "other", "workspace": "G9"}
    assert "Solo para miembros" in plain(await typing("topics", as_="luis"))
    assert "Solo para miembros" in plain(await typing("topics", as_="luis-there", **there))
    assert "Luis" not in plain(await typing("who-does open data"))

    await typing('appeal because:"Not me"', as_="luis-there", **there)
    await typing("admin reports lift 1", as_="ada")
    assert "Luis" in plain(await typing("who-is luis"))


async def test_who_is_not_concerned_learns_nothing(typing: CommandTyper) -> None:
    """No decision, no queue, no number that exists."""
    await typing(WORDS)
    assert "no decision about you" in plain(await typing("appeal because:why", as_="ben"))
    assert "staff" in plain(await typing("admin reports", as_="ben"))
    assert "Number «99» isn't on the list" in plain(
        await typing("admin reports mute 99", as_="noor")
    )


async def test_admins_are_not_muted_by_staff(typing: CommandTyper, engine: AsyncEngine) -> None:
    """Nor does anybody decide a report that they made or that is about them."""
    async with transaction(engine, writes=True) as session:
        (ada,) = [m for m in await session.scalars(select(Member)) if m.name == "Ada Root"]
        ada.listed = True
    await typing("report 11 because:rude")
    assert "about you" in plain(await typing("admin reports dismiss 1", as_="ada"))
    assert "Only the people who run the hub" in plain(
        await typing("admin reports mute 1 because of rude words", as_="noor")
    )
    assert "has been decided" in plain(await typing("admin reports dismiss 1", as_="noor"))
    (one,) = await reports(engine)
    assert one.status == "dismissed"


async def test_whoever_is_muted_asks_nobody(typing: CommandTyper, engine: AsyncEngine) -> None:
    """They may look, and are told until when and how to object; nobody is owed a card."""
    await typing(WORDS)
    await typing("admin reports mute 1 because of rude words", as_="noor")
    before = len(await owed(engine))
    reply = await typing("intro maya because hello", as_="luis")
    assert "8 de diciembre de 2026" in plain(reply) or "8 dic" in plain(reply)
    assert "appeal" in commands_of(reply)
    assert len(await owed(engine)) == before
    assert "Maya" in plain(await typing("who-is maya", as_="luis"))


async def test_the_staffs_cards_and_the_members_card_follow_the_decision(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """A report that is decided, an appeal that is, and the decision that it lifted."""
    await typing(WORDS)
    await mark_delivered(engine)
    await typing("admin reports mute 1 because of rude words", as_="noor")
    told = [d for d in await list_pending(engine) if ":decided:" in d.key]
    assert [d.user for d in told] == ["noor", "ada"]
    assert all("Noor Haddad has decided this." in d.text for d in told)
    assert not any(commands_of(d.card) for d in told)
    await typing("appeal because:why", as_="luis")
    await mark_delivered(engine)
    await typing("admin reports lift 1", as_="ada")
    told = [d for d in await list_pending(engine) if ":decided:" in d.key]
    assert [d.user for d in told] == ["noor", "ada", "luis"]
    assert commands_of(told[2].card) == []
