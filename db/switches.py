"""What a member wants to be sent: the kinds switched off, and how much came this week."""

from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base
from db.members import Member
from db.outbox import CANCELLED, Delivery

CEILING_OVER = timedelta(days=7)


class KindOptOut(Base):
    """A kind of message that a member does not want."""

    __tablename__ = "kind_off"
    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(primary_key=True)


async def is_kind_on(session: AsyncSession, person: Member, kind: str) -> bool:
    """Did the member leave this kind switched on?"""
    off = exists().where(KindOptOut.member_id == person.id, KindOptOut.kind == kind)
    return not await session.scalar(select(off))


async def list_switched_off(session: AsyncSession, member_id: int) -> set[str]:
    """The kinds a member does not want."""
    return set(
        await session.scalars(select(KindOptOut.kind).where(KindOptOut.member_id == member_id))
    )


async def switch_on(session: AsyncSession, member_id: int, kind: str) -> None:
    """The member wants this kind again."""
    await session.execute(
        delete(KindOptOut).where(KindOptOut.member_id == member_id, KindOptOut.kind == kind)
    )


async def count_recent_unasked(session: AsyncSession, member_id: int, now: datetime) -> int:
    """How many unasked-for messages a member was owed in the last seven days."""
    query = select(func.count()).where(
        Delivery.member_id == member_id,
        Delivery.weighs,
        Delivery.created_at > now - CEILING_OVER,
        Delivery.state != CANCELLED,
    )
    return await session.scalar(query) or 0
