"""Blocking: by name or in a conversation, it is one act with one effect."""

import pytest
from sqlalchemy import select

from bot.community import blocking
from db import blocks
from db.audit import Audit
from db.base import transaction
from db.introductions import Introduction
from db.outbox import CANCELLED, DUE, Delivery
from tests.cast import NOW
from tests.talking import ConversationDriver, press

MAYA, LUIS = 1, 3
pytestmark = pytest.mark.both


async def list_acts(talk: ConversationDriver) -> list[tuple[int | None, str, str]]:
    async with transaction(talk.engine) as session:
        rows = (await session.scalars(select(Audit).order_by(Audit.id))).all()
        return [(row.member_id, row.action, row.subject) for row in rows]


@pytest.mark.parametrize("words", ["block Luis", "relay block {number}"])
async def test_a_block_ends_what_waits_between_the_two(
    talk: ConversationDriver, words: str
) -> None:
    """Words on their way and a request to be introduced; the audit log says so in one word."""
    await press(talk, "luis", "intro maya because:hello")
    number = await talk.open_conversation("maya", "luis")
    await talk.write("luis", "on its way", number)
    before = len(await list_acts(talk))
    for _ in range(2):
        await press(talk, "maya", words.format(number=number))

    async with transaction(talk.engine) as session:
        assert await blocks.has_blocked(session, MAYA, LUIS)
        (asked,) = await session.scalars(select(Introduction))
        assert asked.silent
        mine = select(Delivery.state).where(Delivery.member_id == MAYA)
        states = set(await session.scalars(mine))
    assert DUE not in states
    assert CANCELLED in states
    assert (await list_acts(talk))[before:] == [(MAYA, "member blocked", f"member:{LUIS}")]


@pytest.mark.parametrize("words", ["unblock Luis", "relay unblock {number}"])
async def test_taking_a_block_back_stands_in_the_audit_log(
    talk: ConversationDriver, words: str
) -> None:
    """Once, and only where there was a block."""
    number = await talk.open_conversation("maya", "luis")
    await press(talk, "maya", "block Luis")
    for _ in range(2):
        await press(talk, "maya", words.format(number=number))

    async with transaction(talk.engine) as session:
        assert not await blocks.is_blocked(session, MAYA, LUIS)
    assert [act[1:] for act in await list_acts(talk)] == [
        ("member blocked", f"member:{LUIS}"), ("member unblocked", f"member:{LUIS}"),
    ]  # fmt: skip


async def test_unblocking_says_whether_there_was_a_block(talk: ConversationDriver) -> None:
    """True for the first time alone."""
    async with transaction(talk.engine, writes=True) as session:
        maya, luis = (
            await talk.load_member(session, "maya"),
            await talk.load_member(session, "luis"),
        )
        assert not await blocking.unblock_member(session, NOW, maya, luis)
        await blocking.block_member(session, NOW, maya, luis)
        assert await blocking.unblock_member(session, NOW, maya, luis)
