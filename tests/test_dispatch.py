"""Refusals while others write: each is answered as a refusal, and each stands in the audit log."""

import asyncio
from collections import Counter

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import Card, plain
from bot.hub import Hub
from bot.request import Request
from db.audit import Audit
from db.base import transaction
from tests.campaign import RecordFigures, scaled
from tests.cast import sender

pytestmark = pytest.mark.both
WRITERS = ("luis", "ines", "remi", "ben")
FORBIDDEN = ("admin health", "admin members", "intro 2 and 3", "admin dead list")
"""Commands that only read, that write, and one that is refused by its own handler."""


@pytest.mark.campaign
@pytest.mark.timeout(600)
async def test_every_refusal_is_kept_while_others_write(
    hub: Hub, engine: AsyncEngine, kind: str, record_figures: RecordFigures
) -> None:
    """Two at once try what is not theirs, a thousand times; four colleagues save settings."""
    answers: Counter[str] = Counter()
    tries = iter(range(scaled(1000)))
    finished = asyncio.Event()

    async def write(who: str) -> None:
        turn = 0
        while not finished.is_set():
            turn += 1
            reply = await hub(Request(sender(who), f"settings weekly:{turn % 9}"))
            answers[
                "saved" if isinstance(reply, Card) and reply.tone != "bad" else reply.title
            ] += 1

    async def try_forbidden() -> None:
        for number in tries:
            event = str(number) if number % 3 == 0 else ""
            words = FORBIDDEN[number % len(FORBIDDEN)]
            reply = await hub(Request(sender("maya"), words, event=event))
            answers[plain(reply).splitlines()[0]] += 1

    writing = [asyncio.create_task(write(who)) for who in WRITERS]
    await asyncio.gather(try_forbidden(), try_forbidden())
    finished.set()
    await asyncio.gather(*writing)

    saved = answers.pop("saved")
    assert saved
    async with transaction(engine) as session:
        query = select(func.count()).where(Audit.outcome == "refused")
        kept = await session.scalar(query)
    record_figures("refusals", kind, refusals=scaled(1000), audited=kept, writes=saved)
    assert answers == {"Staff only": scaled(1000)}
    assert kept == scaled(1000)
