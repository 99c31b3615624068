"""Small chores that keep the database tidy; each may run twice without harm."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db import inbound, outbox


async def forget_seen_events(session: AsyncSession, now: datetime) -> None:
    """Platforms repeat an event for an hour at most; older keys are dropped."""
    await inbound.forget_old(session, now)


async def tidy_deliveries(session: AsyncSession, now: datetime) -> None:
    """What was sent long ago is not kept, its text even less."""
    await outbox.tidy(session, now)
