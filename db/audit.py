"""The audit log: who did what to whom, never what anybody wrote. Its rows form a sealed chain.

A row's seal is an HMAC with the secret key over the row and the seal of the row before it: who owns
the database but not the key cannot change a row and seal the rest anew. Rows from before seals had
a key carry a plain hash and are verified as that. The first row with a keyed seal covers the last
of them, and with it all of them, as they stood then; `seal_older_rows` writes one when the program
starts, and from there on a row without a keyed seal does not fit. Each row fits with any of the
keys, so that a newer key in front of the others leaves the older rows as they are.

Who deletes the newest rows leaves a chain that fits. That is found by the head: the number and the
seal of the newest row, kept somewhere else.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Index, event, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.orm.attributes import instance_state

from db.base import SEAL_KEYS, Base
from db.key_values import KeyValue

HEAD = "audit-head"
_LOCK = 7292024
_BATCH = 5000
_KEYED = "k:"
"""What a seal begins with that was made with a key."""


class Audit(Base):
    """One recorded act.

    `action` is a verb phrase («members approve»), `subject` what it was done to. `seal`
    covers the row and the seal of the row before it, so that no row can be changed, removed or
    moved without a trace. Members are stored by number, without a foreign key that
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


def compute_seal(key: str, before: str, row: Any) -> str:
    """Return the seal, made with a key, of a row that follows a row with the seal `before`."""
    made = hmac.new(f"audit log {key}".encode(), _describe_row(before, row), hashlib.sha256)
    return _KEYED + made.hexdigest()


def _describe_row(before: str, row: Any) -> bytes:
    moment = row.at.astimezone(UTC).isoformat(timespec="microseconds")
    told = (before, row.id, moment, row.member_id, row.action, row.subject, row.outcome)
    return "\x1f".join(map(str, told)).encode()


def _fits(keys: Sequence[str], before: str, row: Any) -> bool:
    """Return whether a row carries the seal that its time gave it; see the text of this module."""
    if row.seal.startswith(_KEYED):
        return any(hmac.compare_digest(row.seal, compute_seal(k, before, row)) for k in keys)
    plain = hashlib.sha256(_describe_row(before, row)).hexdigest()
    return not before.startswith(_KEYED) and hmac.compare_digest(row.seal, plain)


def _load_keys(session: Session) -> Sequence[str]:
    """Return the keys of the session's engine, newest first; an engine without any has an empty."""
    load: Callable[[], Sequence[str]] | None
    load = session.get_bind().get_execution_options().get(SEAL_KEYS)
    return (load() if load else None) or ("",)


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
    key = _load_keys(session)[0]
    for row in sorted(added, key=lambda r: instance_state(r).insert_order or 0):
        last += 1
        row.id, row.outcome = last, row.outcome or "done"
        row.seal = before = compute_seal(key, before, row)
    _remember_head(session, str(Head(last, before)))


def _remember_head(session: Session, head: str) -> None:
    changed = session.connection().execute(
        update(KeyValue).where(KeyValue.key == HEAD).values(value=head).returning(KeyValue.key)
    )
    if changed.first() is None:
        session.connection().execute(insert(KeyValue).values(key=HEAD, value=head))


# --- the head ---------------------------------------------------------------------------------


class Head(NamedTuple):
    """The number and the seal of a row, which was the newest when the head was noted."""

    number: int
    seal: str

    def __str__(self) -> str:
        """Return both as one word, as `parse_head` reads it."""
        return f"{self.number}:{self.seal}"


def parse_head(text: str) -> Head | None:
    """Return the head that was written as one word; None if it is none."""
    number, colon, seal = text.strip().partition(":")
    if colon and seal and number.isascii() and number.isdigit() and len(number) < 16:
        return Head(int(number), seal)
    return None


async def load_head(session: AsyncSession) -> Head:
    """Return the number and the seal of the newest row: 0 and empty if there is none."""
    newest = select(Audit.id, Audit.seal).order_by(Audit.id.desc()).limit(1)
    found = (await session.execute(newest)).first()
    return Head(*found) if found else Head(0, "")


async def seal_older_rows(session: AsyncSession, now: datetime) -> None:
    """Add a row with a keyed seal if the newest row has none, so that it covers all before it."""
    head = await load_head(session)
    if head.number and not head.seal.startswith(_KEYED):
        record_act(session, now, None, "log sealed", f"audit:{head.number}")


# --- verifying --------------------------------------------------------------------------------


class Verdict(NamedTuple):
    """The result of checking the chain.

    `rows` is how many were read, `broken_at` the number of the first row that does not fit (0 if
    all do), and `head` the last row that fits. `keyless`: how many rows at the beginning are from
    before seals had a key.
    """

    rows: int
    broken_at: int
    head: Head
    keyless: int = 0


async def verify(session: AsyncSession, noted: Head | None = None) -> Verdict:
    """Check the whole chain; it breaks at a row that was changed, removed, added or moved.

    `noted` is a head that was kept somewhere else: the chain breaks at its row if that has another
    seal by now, and behind the newest row if that comes before it.
    """
    keys = _load_keys(session.sync_session)
    rows, keyless, head = 0, 0, Head(0, "")
    while True:
        query = select(Audit).where(Audit.id > head.number).order_by(Audit.id).limit(_BATCH)
        some = (await session.execute(query.with_only_columns(*Audit.__table__.c))).all()
        rows += len(some)
        for row in some:
            if not _follows(keys, head, row, noted):
                return Verdict(rows, head.number + 1, head, keyless)
            head = Head(row.id, row.seal)
            keyless += not row.seal.startswith(_KEYED)
        if len(some) < _BATCH:
            break
    kept = await session.scalar(select(KeyValue.value).where(KeyValue.key == HEAD)) or str(
        Head(0, "")
    )
    is_cut = kept != str(head) or (noted is not None and noted.number > head.number)
    return Verdict(rows, head.number + 1 if is_cut else 0, head, keyless)


def _follows(keys: Sequence[str], head: Head, row: Any, noted: Head | None) -> bool:
    """Return whether a row is the next one behind `head`, with a seal that fits."""
    if row.id != head.number + 1 or not _fits(keys, head.seal, row):
        return False
    return noted is None or noted.number != row.id or noted.seal == row.seal
