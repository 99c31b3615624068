"""Small chores that keep the database tidy; each may run twice without harm."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from db import inbound, records
from db.base import checkpoint, unit


async def forget_seen_events(engine: AsyncEngine) -> None:
    """Platforms repeat an event for an hour at most; older keys are dropped."""
    async with unit(engine, writes=True) as session:
        await inbound.forget_old(session, datetime.now(UTC))


async def scrub_what_was_forgotten(engine: AsyncEngine) -> None:
    """After somebody was forgotten: no byte of them stays in the index or the journal."""
    async with unit(engine, writes=True) as session:
        if not await inbound.memo(session, records.SCRUB):
            return
        await records.scrub(session)
        await inbound.remember(session, records.SCRUB, "")
    await checkpoint(engine)
