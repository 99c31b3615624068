"""Refusals while others write: each is answered as a refusal, and each stands in the audit log."""

import asyncio

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import plain
from bot.hub import Hub
from bot.request import Request
from db.audit import Audit
from db.base import transaction
from tests.cast import sender

pytestmark = pytest.mark.both
REFUSALS, WRITERS = 40, 4


@pytest.mark.no_cover
async def test_a_refusal_is_kept_while_others_write(hub: Hub, engine: AsyncEngine) -> None:
    """A member tries a command of the staff again and again; four colleagues save settings."""
    refused = asyncio.Event()

    async def write(who: str) -> None:
        turn = 0
        while not refused.is_set():
            turn += 1
            await hub(Request(sender(who), f"settings weekly:{turn % 9}"))

    writing = [asyncio.create_task(write(who)) for who in ("luis", "ines", "remi", "ben")[:WRITERS]]
    tries = [Request(sender("maya"), "admin members") for _ in range(REFUSALS)]
    replies = [plain(await hub(one)) for one in tries]
    refused.set()
    await asyncio.gather(*writing)

    assert {reply.splitlines()[0] for reply in replies} == {"Staff only"}
    async with transaction(engine) as session:
        query = select(func.count()).where(Audit.outcome == "refused")
        assert await session.scalar(query) == REFUSALS
