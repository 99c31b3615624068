"""The audit log: who did what to whom, never what anybody wrote. Its rows form a hash chain."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Index, event, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.orm.attributes import instance_state

from db.base import Base
from db.key_values import KeyValue

HEAD = "audit-head"
_LOCK = 7292024
_BATCH = 5000


class Audit(Base):
    """One recorded act.

    `action` is a verb phrase («members approve»), `subject` what it was done to. `seal`
    is a hash over the row and the seal of the row before it, so that no row can be changed,
    removed or moved without a trace. Members are stored by number, without a foreign key that
    would clear the number: the log outlives the members it names.
    """

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_subject", "subject"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    member_id: Mapped[int | None]
    action: Mapped[str]
    subject: Mapped[str]
    outcome: Mapped[str] = mapped_column(default="done")
    seal: Mapped[str] = mapped_column(default="")


def record_act(
    session: AsyncSession,
    at: datetime,
    member_id: int | None,
    action: str,
    subject: str,
    outcome: str = "done",
) -> None:
    """Add one act to the log, in the transaction that performs it."""
    session.add(Audit(at=at, member_id=member_id, action=action, subject=subject, outcome=outcome))


def compute_seal(before: str, row: Any) -> str:
    """Return the seal (SHA-256, hexadecimal) of a row that follows a row with the seal `before`."""
    moment = row.at.astimezone(UTC).isoformat(timespec="microseconds")
    told = (before, row.id, moment, row.member_id, row.action, row.subject, row.outcome)
    return hashlib.sha256("\x1f".join(map(str, told)).encode()).hexdigest()


@event.listens_for(Session, "before_flush")
def _seal_new_rows(session: Session, *_: object) -> None:
    """Number and seal new rows; other transactions that add one wait until this one has ended."""
    added = [row for row in session.new if isinstance(row, Audit)]
    if not added:
        return
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    with session.no_autoflush:
        newest = select(Audit.id, Audit.seal).order_by(Audit.id.desc()).limit(1)
        found = session.execute(newest).first()
    last, before = found or (0, "")
    for row in sorted(added, key=lambda r: instance_state(r).insert_order or 0):
        last += 1
        row.id, row.outcome = last, row.outcome or "done"
        row.seal = before = compute_seal(before, row)
    _remember_head(session, f"{last}:{before}")


def _remember_head(session: Session, head: str) -> None:
    changed = session.connection().execute(
        update(KeyValue).where(KeyValue.key == HEAD).values(value=head).returning(KeyValue.key)
    )
    if changed.first() is None:
        session.connection().execute(insert(KeyValue).values(key=HEAD, value=head))


class Verdict(NamedTuple):
    """The result of checking the chain.

    `rows` is how many were read, `broken_at` the number of the first row that does not fit (0 if
    all do), and `head` the seal of the last row that fits.
    """

    rows: int
    broken_at: int
    head: str


async def verify(session: AsyncSession) -> Verdict:
    """Check the whole chain; it breaks at a row that was changed, removed, added or moved."""
    rows, expected, before = 0, 1, ""
    while True:
        query = select(Audit).where(Audit.id >= expected).order_by(Audit.id).limit(_BATCH)
        some = (await session.execute(query.with_only_columns(*Audit.__table__.c))).all()
        broken, before = _walk(some, expected, before)
        rows += len(some)
        if broken:
            return Verdict(rows, broken, before)
        expected += len(some)
        if len(some) < _BATCH:
            break
    head = await session.scalar(select(KeyValue.value).where(KeyValue.key == HEAD)) or "0:"
    cut = 0 if head == f"{expected - 1}:{before}" else expected
    return Verdict(rows, cut, before)


def _walk(rows: Iterable[Any], expected: int, before: str) -> tuple[int, str]:
    """Return the first number that does not fit, or 0, and the seal of the last row that does."""
    for row in rows:
        if row.id != expected or row.seal != compute_seal(before, row):
            return expected, before
        before, expected = row.seal, expected + 1
    return 0, before
