"""Maintenance jobs that delete what is no longer needed; each may run twice without harm."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from db import inbound, joining, kept, key_values, personal_data, relay, retention
from db.base import checkpoint


async def delete_old_events(session: AsyncSession, now: datetime) -> None:
    """Delete old keys of events; platforms repeat an event for an hour at most."""
    await inbound.delete_old(session, now)


async def tidy_deliveries(session: AsyncSession, now: datetime) -> None:
    """Delete deliveries that ended long ago, with old job runs and rate limits.

    The text of a delivery is deleted sooner.
    """
    await retention.delete_old(session, now)


async def scrub_search_index(session: AsyncSession, now: datetime) -> None:
    """Remove from the search index every word of members who were forgotten."""
    if await key_values.load_value(session, personal_data.SCRUB_KEY):
        await personal_data.scrub_index(session)
        await key_values.save_value(session, personal_data.SCRUB_KEY, "")


async def erase_relay_drafts(session: AsyncSession, now: datetime) -> None:
    """Delete drafts after a day, if their author did not say whom they were for.

    Conversations that both sides left for good are deleted, too.
    """
    await relay.delete_old(session, now)


async def delete_old_sanctions(session: AsyncSession, now: datetime) -> None:
    """Delete what is kept of forgotten accounts once no sanction, block or limit needs it."""
    await joining.delete_old_tries(session, now)
    await kept.delete_old(session, now)


async def empty_journal(engine: AsyncEngine, clock: Callable[[], datetime]) -> None:
    """Empty the database's journal of what was erased; each process empties its own."""
    await checkpoint(engine)
