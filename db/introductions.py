"""Introductions: who asked to meet whom, what was answered, and who wants nothing of whom."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, delete, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.orm import relationship as related

from db.base import Base, keep
from db.members import Member


class Block(Base):
    """A member wants nothing of another one; the other is never told."""

    __tablename__ = "block"
    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )
    blocked_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    at: Mapped[datetime]


class Introduction(Base):
    """Two people who may come to talk, and what each said to it.

    `one` asked to meet `other`, or `by` wants to introduce both to each other; `by_id` becomes
    empty when the introducer is forgotten. `because` is what was typed as the reason. `status`
    is draft (shown to whoever asks, not asked yet), asked, agreed, declined, expired or
    withdrawn; each side said nothing yet, yes, later or never. `silent`: those who are asked
    never see it. `tells_at`: when it comes to nothing, its asker hears of it then, and at no
    other time, whatever the reason; `closed_at`: nothing is open any more. `passed` counts the
    people of a topic whom the asker did not want to ask.
    """

    __tablename__ = "introduction"
    __table_args__ = (
        Index("ix_introduction_pair", "one_id", "other_id", "status"),
        Index("ix_introduction_tells", "status", "tells_at"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    one_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"))
    other_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    by_id: Mapped[int | None] = mapped_column(
        ForeignKey("member.id", ondelete="SET NULL"), index=True
    )
    topic_id: Mapped[int | None] = mapped_column(ForeignKey("topic.id", ondelete="SET NULL"))
    because: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default="draft")
    one_said: Mapped[str] = mapped_column(default="")
    other_said: Mapped[str] = mapped_column(default="")
    silent: Mapped[bool] = mapped_column(default=False)
    passed: Mapped[int] = mapped_column(default=0)
    asked_at: Mapped[datetime]
    tells_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    one: Mapped[Member] = related(lazy="raise", foreign_keys=one_id)
    other: Mapped[Member] = related(lazy="raise", foreign_keys=other_id)
    by: Mapped[Member | None] = related(lazy="raise", foreign_keys=by_id)


# --- blocks -----------------------------------------------------------------------------------


async def is_blocked(session: AsyncSession, one_id: int, other_id: int) -> bool:
    """Does one of the two want nothing of the other, whichever it is?"""
    either = or_(
        (Block.member_id == one_id) & (Block.blocked_id == other_id),
        (Block.member_id == other_id) & (Block.blocked_id == one_id),
    )
    return bool(await session.scalar(select(exists().where(either))))


async def has_blocked(session: AsyncSession, member_id: int, whom_id: int) -> bool:
    """Does this member want nothing of that one?"""
    found = exists().where(Block.member_id == member_id, Block.blocked_id == whom_id)
    return bool(await session.scalar(select(found)))


async def block(session: AsyncSession, member: Member, blocked: Member, now: datetime) -> None:
    """The member wants nothing of the other one any more; twice is once."""
    await keep(session, Block, member_id=member.id, blocked_id=blocked.id, at=now)


async def unblock(session: AsyncSession, member: Member, blocked: Member) -> bool:
    """The member takes a block back; False if there was none."""
    gone = delete(Block).where(Block.member_id == member.id, Block.blocked_id == blocked.id)
    taken = await session.execute(gone.returning(Block.blocked_id))
    return taken.scalar() is not None
