"""Blocks: which member wants no contact with which other one."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, delete, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, insert_if_absent_statement
from db.members import Member


class Block(Base):
    """One member's block of another one, who is never notified of it."""

    __tablename__ = "block"
    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )
    blocked_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    at: Mapped[datetime]


async def is_blocked(session: AsyncSession, one_id: int, other_id: int) -> bool:
    """Return whether either of the two has blocked the other."""
    either = or_(
        (Block.member_id == one_id) & (Block.blocked_id == other_id),
        (Block.member_id == other_id) & (Block.blocked_id == one_id),
    )
    return bool(await session.scalar(select(exists().where(either))))


async def has_blocked(session: AsyncSession, member_id: int, whom_id: int) -> bool:
    """Return whether `member_id` has blocked `whom_id`; the reverse does not count."""
    found = exists().where(Block.member_id == member_id, Block.blocked_id == whom_id)
    return bool(await session.scalar(select(found)))


async def list_blocked_by(session: AsyncSession, member_id: int) -> Sequence[Member]:
    """Return the members whom a member has blocked, the newest block first."""
    query = (
        select(Member)
        .join(Block, Block.blocked_id == Member.id)
        .where(Block.member_id == member_id)
        .order_by(Block.at.desc(), Member.id)
    )
    return (await session.scalars(query)).all()


async def block_member(
    session: AsyncSession, member: Member, blocked: Member, now: datetime
) -> bool:
    """Record that `member` blocks `blocked`; return False if the block exists already."""
    row = insert_if_absent_statement(
        session, Block, member_id=member.id, blocked_id=blocked.id, at=now
    )
    made = await session.execute(row.returning(Block.blocked_id))
    return made.scalar() is not None


async def unblock_member(session: AsyncSession, member: Member, blocked: Member) -> bool:
    """Remove a block; return False if there was none."""
    gone = delete(Block).where(Block.member_id == member.id, Block.blocked_id == blocked.id)
    taken = await session.execute(gone.returning(Block.blocked_id))
    return taken.scalar() is not None
