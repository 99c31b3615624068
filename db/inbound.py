"""Events that arrived: platforms send some twice, and no effect may happen twice."""

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, insert_if_absent_statement

KEY_LIFETIME = timedelta(hours=72)


class InboundEvent(Base):
    """The key of an event that arrived."""

    __tablename__ = "inbound"
    key: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)


async def remember_event(session: AsyncSession, key: str, now: datetime) -> bool:
    """Store the key of an event; return False if it was there already."""
    row = insert_if_absent_statement(session, InboundEvent, key=key, at=now)
    return (await session.execute(row.returning(InboundEvent.key))).scalar() is not None


async def has_seen(session: AsyncSession, key: str) -> bool:
    """Return whether the key of an event is stored."""
    return await session.get(InboundEvent, key) is not None


async def delete_old(session: AsyncSession, now: datetime) -> None:
    """Delete the keys of events so old that no platform sends them again."""
    await session.execute(delete(InboundEvent).where(InboundEvent.at < now - KEY_LIFETIME))
