"""The audit log: who did what to whom, never what anybody wrote."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base


class Audit(Base):
    """One act. `action` is a verb phrase («members approve»), `subject` what it was done to."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_subject", "subject"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    action: Mapped[str]
    subject: Mapped[str]
    outcome: Mapped[str] = mapped_column(default="done")


def note(
    session: AsyncSession,
    at: datetime,
    member_id: int | None,
    action: str,
    subject: str,
    outcome: str = "done",
) -> None:
    """Write one act in the transaction that does it."""
    session.add(Audit(at=at, member_id=member_id, action=action, subject=subject, outcome=outcome))
