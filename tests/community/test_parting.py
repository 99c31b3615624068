"""Parting: one table says what ends when somebody leaves, is forgotten, suspended or blocked."""

from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot import deliveries
from bot.cards import Card
from bot.community import parting
from bot.community.parting import Parting
from bot.deliveries import enqueue
from db import relay
from db.base import transaction
from db.outbox import Delivery
from db.relay import Relay
from tests.cast import NOW
from tests.talking import ConversationDriver, press

MAYA, LUIS, BEN = 1, 3, 2
STOPPED = [
    "bot.community.introductions.asking.withdraw_asks",
    "bot.community.joining.arrivals.withdraw_invitations",
    "bot.community.relay.threads.withdraw_lines",
    "bot.community.rounds.messages.withdraw_partner",
    "bot.community.talks.opening.withdraw_openings",
]
WAYS = {
    "left": "leave sure:yes",
    "forgotten": "my-data forget sure:yes",
}


def test_what_ends_stands_in_one_table() -> None:
    """In a fixed order, whatever was imported first; a new capability adds a line here."""
    assert {way: [f"{e.__module__}.{e.__name__}" for e in parting.list_endings(way)]
            for way in parting.WAYS} == {
        "left": ["bot.community.relay.threads.end_conversations"],
        "forgotten": ["bot.community.relay.threads.end_conversations"],
        "suspended": STOPPED,
        "muted": STOPPED,
        "blocked": [
            "bot.community.introductions.asking.silence_asks",
            "bot.community.talks.opening.withdraw_messages",
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("way", "who", "words"),
    [("left", "luis", "leave sure:yes"), ("forgotten", "luis", "my-data forget sure:yes"),
     ("suspended", "noor", "admin members suspend 3"), ("suspended", "noor",
     "admin reports suspend 1"), ("muted", "noor", "admin reports mute 1 because of rude words"),
     ("blocked", "luis", "block maya"),
     ("blocked", "luis", "relay block 1")],
)  # fmt: skip
async def test_an_ending_declared_for_a_way_runs_whatever_the_command(
    talk: ConversationDriver,
    monkeypatch: pytest.MonkeyPatch,
    way: parting.Way,
    who: str,
    words: str,
) -> None:
    """Once, in the transaction of the act, with who parts and from whom."""
    seen: list[tuple[str, int, int | None]] = []

    async def end_something(session: AsyncSession, now: datetime, act: Parting) -> None:
        seen.append((act.way, act.member.id, act.other.id if act.other else None))

    await talk.open_conversation("maya", "luis")
    await press(talk, "maya", f"report {LUIS} because:rude")
    parting.list_endings(way)  # everything is imported before the table is changed
    endings = {one: list(parting.ENDINGS[one]) for one in parting.WAYS}
    monkeypatch.setattr(parting, "ENDINGS", endings)
    parting.ends(way)(end_something)
    await press(talk, who, words)
    assert seen == [(way, LUIS, MAYA if way == "blocked" else None)]


@pytest.mark.both
@pytest.mark.parametrize("words", WAYS.values(), ids=WAYS)
async def test_all_conversations_end_however_many_there_are(
    talk: ConversationDriver, words: str
) -> None:
    """More than one list shows; the other sides are told."""
    async with transaction(talk.engine, writes=True) as session:
        maya, luis = (
            await talk.load_member(session, "maya"),
            await talk.load_member(session, "luis"),
        )
        for _ in range(relay.MAX_LISTED + 2):
            await relay.create_relay(session, NOW, luis, maya, (None, None))
    await press(talk, "luis", words)
    async with transaction(talk.engine) as session:
        assert set(await session.scalars(select(Relay.status))) == {relay.ENDED}
    assert len(await talk.list_pending("maya")) == relay.MAX_LISTED + 2


@pytest.mark.parametrize("words", WAYS.values(), ids=WAYS)
async def test_kinds_are_notified_of_what_is_not_owed_any_more(
    talk: ConversationDriver, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """Leaving and being forgotten cancel in the same way."""
    notified = []

    async def on_ended(session: AsyncSession, now: datetime, delivery: Delivery) -> None:
        notified.append((delivery.key, delivery.state))

    monkeypatch.setitem(deliveries.ENDED_HOOKS, "welcome", on_ended)
    async with transaction(talk.engine, writes=True) as session:
        luis = await talk.load_member(session, "luis")
        await enqueue(session, NOW, luis, "welcome", Card("soon"), key="soon")
    await press(talk, "luis", words)
    assert notified == [("soon", "cancelled")]
