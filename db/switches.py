"""Which kinds of messages a member has switched off, and how many arrived this week."""

from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base
from db.members import Member
from db.outbox import CANCELLED, Delivery

CEILING_PERIOD = timedelta(days=7)


class KindOptOut(Base):
    """A kind of message that a member has switched off."""

    __tablename__ = "kind_off"
    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(primary_key=True)


async def is_kind_on(session: AsyncSession, person: Member, kind: str) -> bool:
    """Return whether the member has left this kind switched on."""
    off = exists().where(KindOptOut.member_id == person.id, KindOptOut.kind == kind)
    return not await session.scalar(select(off))


async def list_switched_off(session: AsyncSession, member_id: int) -> set[str]:
    """Return the kinds that a member has switched off."""
    return set(
        await session.scalars(select(KindOptOut.kind).where(KindOptOut.member_id == member_id))
    )


async def switch_on(session: AsyncSession, member_id: int, kind: str) -> None:
    """Switch this kind on again for the member."""
    await session.execute(
        delete(KindOptOut).where(KindOptOut.member_id == member_id, KindOptOut.kind == kind)
    )


async def count_recent_unasked(session: AsyncSession, member_id: int, now: datetime) -> int:
    """Count the unrequested messages enqueued for a member in the last seven days."""
    query = select(func.count()).where(
        Delivery.member_id == member_id,
        Delivery.weighs,
        Delivery.created_at > now - CEILING_PERIOD,
        Delivery.state != CANCELLED,
    )
    return await session.scalar(query) or 0
