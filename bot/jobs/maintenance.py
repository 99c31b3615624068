"""Small chores that keep the database tidy; each may run twice without harm."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from db import inbound, key_values, outbox, personal_data, relay
from db.base import checkpoint


async def forget_seen_events(session: AsyncSession, now: datetime) -> None:
    """Platforms repeat an event for an hour at most; older keys are dropped."""
    await inbound.forget_old(session, now)


async def tidy_deliveries(session: AsyncSession, now: datetime) -> None:
    """What was sent long ago is not kept, its text even less."""
    await outbox.tidy(session, now)


async def scrub_what_was_forgotten(session: AsyncSession, now: datetime) -> None:
    """After somebody was forgotten: no word of them stays in the index."""
    if await key_values.load_value(session, personal_data.SCRUB):
        await personal_data.scrub(session)
        await key_values.save_value(session, personal_data.SCRUB, "")


async def erase_relay_drafts(session: AsyncSession, now: datetime) -> None:
    """Words that nobody said whom they were for are kept for a day."""
    await relay.erase_old(session, now)


async def empty_journal(engine: AsyncEngine, clock: Callable[[], datetime]) -> None:
    """What was erased leaves the database's journal too; each process empties its own."""
    await checkpoint(engine)
