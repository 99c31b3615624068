"""Conduct: each act of moderation has one effect, whichever command a member or the staff used."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from bot import deliveries
from bot.cards import Card
from bot.deliveries import enqueue
from db import members
from db.audit import Audit
from db.base import transaction
from db.members import Member
from db.moderation import Report
from db.outbox import CANCELLED, DUE, Delivery
from db.relay import Relay
from tests.cast import NOW
from tests.conftest import CommandTyper
from tests.talking import ConversationDriver, press, reply_text

MAYA, LUIS, NOOR = 1, 3, 10


async def find_reports(engine: AsyncEngine) -> list[Report]:
    async with transaction(engine) as session:
        return list(await session.scalars(select(Report).order_by(Report.id)))


async def list_acts(engine: AsyncEngine, *actions: str) -> list[tuple[str, str]]:
    """Actions and subjects of the audit log, oldest first; only these actions if any are given."""
    async with transaction(engine) as session:
        rows = (await session.scalars(select(Audit).order_by(Audit.id))).all()
        return [(row.action, row.subject) for row in rows if not actions or row.action in actions]


async def find_member(session: AsyncSession, number: int = LUIS) -> Member:
    found = await members.load_member(session, number)
    assert found is not None
    return found


# --- reports ----------------------------------------------------------------------------------


@pytest.mark.both
async def test_a_conversation_that_is_reported_stands_in_the_moderation_queue(
    talk: ConversationDriver,
) -> None:
    """Staff see it there, decide about it, and the person decided about appeals."""
    number = await talk.open_conversation("maya", "luis")
    await press(talk, "maya", f"relay report {number}")

    (report,) = await find_reports(talk.engine)
    assert (report.by_id, report.about_id, report.subject) == (MAYA, LUIS, f"relay:{number}")
    queue = await press(talk, "noor", "admin reports list")
    assert "Luis Ángel Rojas" in queue
    assert "in a conversation" in queue
    assert "Maya Chen" in queue
    assert "has been decided" in await press(
        talk, "noor", "admin reports mute 1 because of rude words"
    )
    assert "Tus palabras" in await press(talk, "luis", 'appeal because:"It was a joke"')
    assert "has been decided" in await press(talk, "ada", "admin reports lift 1")
    assert [r.status for r in await find_reports(talk.engine)] == ["lifted"]


async def test_both_ways_to_report_are_one_act(talk: ConversationDriver) -> None:
    """One word in the audit log, one kind of notice to each on duty, one entry per subject."""
    number = await talk.open_conversation("maya", "luis")
    for _ in range(2):
        await press(talk, "maya", f"relay report {number}")
    await press(talk, "maya", f"report {LUIS} where:relay:{number} because:rude")
    await press(talk, "maya", f"report {LUIS} because:rude")

    by_relay, by_name = await find_reports(talk.engine)
    assert (by_relay.because, by_name.subject) == ("rude", f"profile:{LUIS}")
    acts = await list_acts(talk.engine)
    assert acts == [("reported", "report:1")] * 3 + [("reported", "report:2")]
    async with transaction(talk.engine) as session:
        keys = await session.scalars(select(Delivery.key).where(Delivery.kind == "duty"))
        assert sorted(keys) == [
            "report:1:new:10", "report:1:new:11", "report:2:new:10", "report:2:new:11",
        ]  # fmt: skip


async def test_a_report_about_one_of_the_staff_goes_to_the_others(talk: ConversationDriver) -> None:
    """Neither to the person reported nor to a member of the staff who reported."""
    async with transaction(talk.engine, writes=True) as session:
        session.add(members.MemberRole(member_id=LUIS, role="staff"))
    number = await talk.open_conversation("maya", "luis")
    await press(talk, "maya", f"relay report {number}")
    due = await talk.deliver_due()
    assert sorted(one.user for one in due) == ["ada", "noor"]
    assert "No hay nada por decidir." in await press(talk, "luis", "admin reports")


# --- suspensions ------------------------------------------------------------------------------

SUSPENDING = ("admin members suspend 3", "admin reports suspend 1")
RESTORING = ("admin members restore 3", "admin reports lift 1")


async def prepare_luis(talk: ConversationDriver) -> int:
    """Luis is owed something, has an open conversation and is reported."""
    number = await talk.open_conversation("maya", "luis")
    async with transaction(talk.engine, writes=True) as session:
        luis = await find_member(session)
        for kind in ("welcome", "conversation"):
            await enqueue(session, NOW, luis, kind, Card("soon"), key=f"soon:{kind}",
                      at=NOW + timedelta(days=1))  # fmt: skip
    await press(talk, "maya", f"report {LUIS} because:rude")
    return number


@pytest.mark.both
@pytest.mark.parametrize("words", SUSPENDING)
async def test_a_suspension_cancels_what_is_owed_at_once(
    talk: ConversationDriver, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kinds of those messages are notified; only the decision itself is still owed."""
    await prepare_luis(talk)
    notified = []

    async def on_ended(session: AsyncSession, now: object, delivery: Delivery) -> None:
        notified.append((delivery.key, delivery.state, delivery.reason))

    monkeypatch.setitem(deliveries.ENDED_HOOKS, "welcome", on_ended)
    await press(talk, "noor", words)

    async with transaction(talk.engine) as session:
        luis = await find_member(session)
        assert luis.status == "suspended"
        query = select(Delivery.key, Delivery.state).where(Delivery.key.startswith("soon:"))
        assert {row[1] for row in await session.execute(query)} == {CANCELLED}
        due = select(Delivery.kind).where(Delivery.member_id == LUIS, Delivery.state == DUE)
        assert set(await session.scalars(due)) <= {"answer"}
    assert notified == [("soon:welcome", CANCELLED, "suspended")]


@pytest.mark.parametrize(
    ("suspend", "restore"),
    [(SUSPENDING[0], RESTORING[0]), (SUSPENDING[1], RESTORING[0]), (SUSPENDING[1], RESTORING[1])],
)
async def test_suspending_and_restoring_leave_the_same_traces(
    talk: ConversationDriver, suspend: str, restore: str
) -> None:
    """Found nowhere and heard by nobody, then as before; one word each in the audit log."""
    number = await prepare_luis(talk)
    await press(talk, "noor", suspend)
    assert "Luis Ángel" not in await press(talk, "maya", "who-does open data")
    assert reply_text(await talk.write("luis", "hola", number)) == ""
    assert "I can't reach" in reply_text(await talk.write("maya", "hello", number))

    await press(talk, "luis", "appeal because:unfair")
    await press(talk, "ada", restore)
    assert "Luis Ángel" in await press(talk, "maya", "who-does open data")
    async with transaction(talk.engine) as session:
        assert (await find_member(session)).status == "verified"
        assert (await session.get_one(Relay, number)).status == "open"
    assert await list_acts(talk.engine, "member suspended", "member restored") == [
        ("member suspended", f"member:{LUIS}"), ("member restored", f"member:{LUIS}"),
    ]  # fmt: skip


async def test_an_appeal_brings_back_nobody_who_left_meanwhile(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Restored by hand, left by their own choice: a late yes to the appeal changes nothing."""
    await typing(f"report {LUIS} because:rude")
    await typing("admin reports suspend 1", as_="noor")
    await typing("appeal because:unfair", as_="luis")
    await typing("admin members restore 3", as_="noor")
    await typing("leave sure:yes", as_="luis")
    await typing("admin reports lift 1", as_="ada")
    async with transaction(engine) as session:
        assert (await find_member(session)).status == "left"


async def test_a_second_press_suspends_nobody_twice(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """The audit log has one row for what happened once."""
    for _ in range(2):
        await typing("admin members suspend 3", as_="noor")
    for _ in range(2):
        await typing("admin members restore 3", as_="noor")
    assert [action for action, _ in await list_acts(engine)] == [
        "member suspended", "member restored",
    ]  # fmt: skip


async def test_restoring_lifts_a_mute(typing: CommandTyper, engine: AsyncEngine) -> None:
    """As a granted appeal does: a restored member may write again."""
    await typing(f"report {LUIS} because:rude")
    await typing("admin reports mute 1 because of rude words", as_="noor")
    assert ("member muted", f"member:{LUIS}") in await list_acts(engine)
    await typing("admin members restore 3", as_="ada")
    async with transaction(engine) as session:
        assert not (await find_member(session)).is_muted(NOW)
    assert ("member restored", f"member:{LUIS}") in await list_acts(engine)


# --- muted until ------------------------------------------------------------------------------


@pytest.mark.both
async def test_a_mute_is_said_in_the_same_words_everywhere(talk: ConversationDriver) -> None:
    """By the decision, by a conversation and by a request to be introduced."""
    number = await talk.open_conversation("maya", "luis")
    await press(talk, "luis", "report 1 because:rude")
    await press(talk, "noor", "admin reports mute 1 because of rude words")
    sentence = "muted you until December 8, 2026: you can look around, but not write to others."
    assert sentence in reply_text(await talk.write("maya", "hello", number))
    assert sentence in await press(talk, "maya", "intro ben because hello")
    await talk.deliver_due()
    assert any(sentence in text for text in talk.list_screen("maya"))
