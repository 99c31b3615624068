"""Moderation: what members reported, and what was decided."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, ForeignKey, Index, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, joinedload, mapped_column
from sqlalchemy.orm import relationship as related

from db.base import Base
from db.members import Member

OPEN, DISMISSED, MUTED, SUSPENDED, LIFTED = "open", "dismissed", "muted", "suspended", "lifted"
STANDING = (MUTED, SUSPENDED)
"""Decisions about a member, against which an appeal is possible."""
WORDS_GONE = "…"
"""Stands in the place of an appeal that was decided, once its words are erased."""


class Report(Base):
    """One report. `subject` says where it happened («profile:12», «relay:4»), never what was said.

    `status` is open, then the decision; lifted when an appeal was granted. `because` and `appeal`
    are the words of the two people, shown only to staff; `reason` are those of whoever decided,
    shown to the member too.
    """

    __tablename__ = "report"
    __table_args__ = (
        Index("ix_report_queue", "status", "id"),
        Index("ix_report_about", "about_id", "id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    about_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"))
    subject: Mapped[str]
    because: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]
    status: Mapped[str] = mapped_column(default=OPEN)
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    decided_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")
    appeal: Mapped[str] = mapped_column(default="")
    appealed_at: Mapped[datetime | None]
    by: Mapped[Member | None] = related(foreign_keys=[by_id], lazy="raise")
    about: Mapped[Member] = related(foreign_keys=[about_id], lazy="raise")
    decided_by: Mapped[Member | None] = related(foreign_keys=[decided_by_id], lazy="raise")


_WITH_PEOPLE = (
    joinedload(Report.by),
    joinedload(Report.decided_by),
    joinedload(Report.about).joinedload(Member.roles),
)


async def file_report(
    session: AsyncSession, now: datetime, by: Member, about: Member, subject: str, because: str
) -> tuple[Report, bool]:
    """Return the member's open report about this, and whether it is new.

    If there is one already, the words `because` are added to it.
    """
    known = await session.scalar(
        select(Report).where(
            Report.by_id == by.id,
            Report.about_id == about.id,
            Report.subject == subject,
            Report.status == OPEN,
        )
    )
    if known is not None:
        known.because = "\n".join(filter(None, (known.because, because)))
        return known, False
    made = Report(by_id=by.id, about_id=about.id, subject=subject, because=because, at=now)
    session.add(made)
    await session.flush()
    return made, True


async def list_open_reports(session: AsyncSession, limit: int = 8) -> Sequence[Report]:
    """Return what staff have to decide, oldest first: open reports, and appeals."""
    query = (
        select(Report)
        .where((Report.status == OPEN) | _has_open_appeal())
        .order_by(Report.id)
        .limit(limit)
        .options(*_WITH_PEOPLE)
    )
    return (await session.scalars(query)).unique().all()


async def count_open(session: AsyncSession, but_about: int) -> int:
    """Count the open reports and appeals, without those about this member."""
    waits = (Report.status == OPEN) | _has_open_appeal()
    query = select(func.count()).where(waits, Report.about_id != but_about)
    return await session.scalar(query) or 0


def _has_open_appeal() -> ColumnElement[bool]:
    return Report.status.in_(STANDING) & Report.appealed_at.is_not(None)


async def find_open_about(session: AsyncSession, member_id: int) -> int | None:
    """Return the number of the oldest report or appeal about a member that waits; None if none."""
    waits = (Report.status == OPEN) | _has_open_appeal()
    query = select(func.min(Report.id)).where(Report.about_id == member_id, waits)
    return await session.scalar(query)


async def lock_report(session: AsyncSession, number: int) -> Report | None:
    """Lock one report with its people until the transaction ends, so that it is decided once."""
    query = select(Report).where(Report.id == number).options(*_WITH_PEOPLE)
    return (await session.scalars(query.with_for_update(of=Report))).unique().first()


async def file_appeal(
    session: AsyncSession, now: datetime, person: Member, words: str
) -> tuple[Report, bool] | None:
    """Appeal against the newest decision about a member, once; return it and whether that is new.

    A suspension or mute without a report becomes one of its own. None if nothing was decided.
    """
    decided = await find_decision_about(session, person.id)
    status = MUTED if person.is_muted(now) else ""
    status = SUSPENDED if person.status == SUSPENDED else status
    if status and (decided is None or decided.status != status):
        decided = Report(
            about=person, by=None, subject=f"profile:{person.id}", because="", at=now, status=status
        )
        decided.appeal = decided.reason = ""
        session.add(decided)
    if decided is None:
        return None
    is_new = not decided.appeal
    if is_new:
        decided.appeal, decided.appealed_at = words, now
    await session.flush()
    return decided, is_new


async def lift_decisions(session: AsyncSession, member_id: int) -> None:
    """Mark the standing decisions about a member as lifted."""
    standing = Report.about_id == member_id, Report.status.in_(STANDING)
    await session.execute(update(Report).where(*standing).values(status=LIFTED))


async def keep_decision(session: AsyncSession, old_id: int, new_id: int) -> None:
    """Let the newest decision about a member hold for another row, without anybody's words.

    Who reported is not kept. An appeal that waits is withdrawn; one that was decided still counts.
    """
    decided = await find_decision_about(session, old_id)
    if decided is None:
        return
    decided.about_id, decided.by_id = new_id, None
    decided.because = decided.reason = ""
    decided.appeal = WORDS_GONE if decided.appeal and decided.appealed_at is None else ""
    decided.appealed_at = None
    await session.flush()


async def find_decision_about(session: AsyncSession, member_id: int) -> Report | None:
    """Find the newest decision about a member that can be appealed, with its people."""
    query = (
        select(Report)
        .where(Report.about_id == member_id, Report.status.in_(STANDING))
        .order_by(Report.id.desc())
        .limit(1)
        .options(*_WITH_PEOPLE)
    )
    return (await session.scalars(query)).unique().first()


async def count_muted(session: AsyncSession, now: datetime) -> int:
    """Count the members whom staff have muted for now."""
    return await session.scalar(select(func.count()).where(Member.muted_until > now)) or 0


async def list_muted(session: AsyncSession, now: datetime, limit: int = 10) -> Sequence[Member]:
    """Return the members whom staff have muted for now, whose mute ends soonest first."""
    query = select(Member).where(Member.muted_until > now).order_by(Member.muted_until, Member.id)
    return (await session.scalars(query.limit(limit))).all()
