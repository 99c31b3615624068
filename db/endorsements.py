"""Endorsements: a member vouches for what another one knows, and may take that back."""

from datetime import datetime

from sqlalchemy import ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base
from db.directory import Expertise
from db.members import Member


class Endorsement(Base):
    """One member's endorsement of what another one knows."""

    __tablename__ = "endorsement"
    expertise_id: Mapped[int] = mapped_column(
        ForeignKey("expertise.id", ondelete="CASCADE"), primary_key=True
    )
    by_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    at: Mapped[datetime]


async def endorse(session: AsyncSession, tie: Expertise, by: Member, now: datetime) -> bool:
    """Endorse a tie once; return False if this member has done so already."""
    await _lock_tie(session, tie)
    if await session.get(Endorsement, (tie.id, by.id)):
        return False
    session.add(Endorsement(expertise_id=tie.id, by_id=by.id, at=now))
    tie.endorsements += 1
    return True


async def _lock_tie(session: AsyncSession, tie: Expertise) -> None:
    """Lock the tie and reload its count, so that no other transaction counts meanwhile."""
    await session.refresh(tie, ["endorsements"], with_for_update=True)


async def withdraw_endorsement(session: AsyncSession, tie: Expertise, by: Member) -> bool:
    """Withdraw a member's endorsement; return False if there was none."""
    await _lock_tie(session, tie)
    given = await session.get(Endorsement, (tie.id, by.id))
    if given is None:
        return False
    await session.delete(given)
    tie.endorsements -= 1
    return True


async def list_endorsed_topics(session: AsyncSession, member_id: int, by_id: int) -> set[int]:
    """Return the topics for which one member has endorsed another."""
    query = (
        select(Expertise.topic_id)
        .join(Endorsement, Endorsement.expertise_id == Expertise.id)
        .where(Expertise.member_id == member_id, Endorsement.by_id == by_id)
    )
    return set((await session.scalars(query)).all())
