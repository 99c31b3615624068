"""Small chores that keep the database tidy; each may run twice without harm."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from db import inbound, key_values, outbox, personal_data, relay
from db.base import checkpoint


async def delete_old_events(session: AsyncSession, now: datetime) -> None:
    """Platforms repeat an event for an hour at most; older keys are dropped."""
    await inbound.delete_old(session, now)


async def tidy_deliveries(session: AsyncSession, now: datetime) -> None:
    """What was sent long ago is not kept, its text even less."""
    await outbox.delete_old(session, now)


async def scrub_search_index(session: AsyncSession, now: datetime) -> None:
    """After somebody was forgotten: no word of them stays in the index."""
    if await key_values.load_value(session, personal_data.SCRUB_KEY):
        await personal_data.scrub_index(session)
        await key_values.save_value(session, personal_data.SCRUB_KEY, "")


async def erase_relay_drafts(session: AsyncSession, now: datetime) -> None:
    """Words that nobody said whom they were for are kept for a day."""
    await relay.delete_old(session, now)


async def empty_journal(engine: AsyncEngine, clock: Callable[[], datetime]) -> None:
    """What was erased leaves the database's journal too; each process empties its own."""
    await checkpoint(engine)
