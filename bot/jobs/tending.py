"""Small chores that keep the database tidy; each may run twice without harm."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from db import inbound
from db.base import unit


async def forget_seen_events(engine: AsyncEngine) -> None:
    """Platforms repeat an event for an hour at most; older keys are dropped."""
    async with unit(engine, writes=True) as session:
        await inbound.forget_old(session, datetime.now(UTC))
