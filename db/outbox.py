"""The outbox: every message is a row here before it is sent anywhere."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    bindparam,
    case,
    func,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, insert_into
from db.members import Account
from db.workspaces import Workspace

DUE, CLAIMED, INFLIGHT = "due", "claimed", "inflight"
SENT, EXPIRED, DEAD, CANCELLED, AMBIGUOUS, HELD = (
    "sent",
    "expired",
    "dead",
    "cancelled",
    "ambiguous",
    "held",
)
PENDING = (DUE, CLAIMED, INFLIGHT)
UNSOLVED = (DEAD, AMBIGUOUS, HELD)
"""States that remain until staff decide."""

STATES = (*PENDING, SENT, EXPIRED, CANCELLED, *UNSOLVED)
ANSWERS = "answer"
"""The kind of replies to a member's own action; suspended members get them too."""

REMOVED = "workspace removed"
"""The reason of a cancellation: the hub was removed from the workspace."""

PANIC = "panic"
"""The key of a value that stops all sending while it is not empty."""

NEEDED: list[ColumnElement[bool]] = []
"""Conditions under which a delivery is kept longer, as something still refers to it."""


def _partial_index(name: str, where: str, *columns: str) -> Index:
    """Build an index of the few rows that meet a condition.

    Queries for them then cost the same however many rows are kept.
    """
    return Index(
        f"ix_delivery_{name}", *columns, sqlite_where=text(where), postgresql_where=text(where)
    )


class Delivery(Base):
    """One message to one place, or a change of one that was sent before.

    `key` identifies it, so that nothing is enqueued twice; `lane` is the conversation it goes to,
    whose deliveries stay in order. `act` is post, edit or remove; the latter two change the
    delivery `of_id`. `under_id` is the delivery that opened the thread it belongs to. `body` is a
    card as JSON, in the reader's language. `at` is when it is due, `retry_at` the earliest next
    attempt, `expires` when it becomes stale. `fence` rises with each claim: a process that holds an
    older number may not write any more. `began_at` is when the first attempt began that may have
    arrived, so that it is looked for before it is posted again; None while there is no doubt.
    `resent`: its text says that it may be a duplicate. `deaths` counts processes that ended with it
    in flight. `weighs`: counts against its reader's weekly ceiling.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        _partial_index("due", "state = 'due'", "retry_at", "id"),
        _partial_index("pending", "state IN ('due', 'claimed', 'inflight')", "lane", "at", "id"),
        _partial_index("busy", "state IN ('claimed', 'inflight')", "lane", "lease_until"),
        _partial_index("stale", "state = 'due' AND expires IS NOT NULL", "expires"),
        _partial_index("unsolved", "state IN ('dead', 'ambiguous', 'held')", "id"),
        _partial_index("of", "of_id IS NOT NULL", "of_id"),
        _partial_index("under", "under_id IS NOT NULL", "under_id"),
        Index("ix_delivery_member", "member_id", "weighs", "created_at"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    platform: Mapped[str]
    workspace: Mapped[str]
    user: Mapped[str] = mapped_column(default="")
    channel: Mapped[str] = mapped_column(default="")
    lane: Mapped[str]
    act: Mapped[str] = mapped_column(default="post")
    of_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id", ondelete="SET NULL"))
    under_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id", ondelete="SET NULL"))
    language: Mapped[str] = mapped_column(default="en")
    body: Mapped[str] = mapped_column(default="")
    weighs: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(default=DUE)
    created_at: Mapped[datetime]
    at: Mapped[datetime]
    retry_at: Mapped[datetime]
    expires: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    resent: Mapped[bool] = mapped_column(default=False)
    deaths: Mapped[int] = mapped_column(default=0)
    fence: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    began_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    platform_id: Mapped[str] = mapped_column(default="")
    landed_in: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")


class Address(NamedTuple):
    """Where a message is sent: one person's direct messages, several people's, or a channel.

    `user` may name several, separated by commas: one conversation of all of them.
    """

    platform: str
    workspace: str
    user: str = ""
    channel: str = ""

    @property
    def lane(self) -> str:
        """The key of the conversation, within which messages are sent in order."""
        return f"{self.platform}:{self.workspace}:{self.channel or self.user}"


def is_in(*states: str, of: type[Delivery] = Delivery) -> ColumnElement[bool]:
    """Return the condition that a delivery is in one of these states.

    The states are literals in the statement: only then do both databases use the partial indexes.
    """
    if len(states) == 1:
        return of.state == literal(states[0], literal_execute=True)
    return of.state.in_(bindparam(None, states, expanding=True, literal_execute=True))


CLOCK_SKEW = timedelta(minutes=1)
"""How far the clocks of two processes may differ; what is set later than that was set wrongly."""


class RateLimit(Base):
    """Nothing is sent to a lane, a workspace or a platform before `until`: it asked to wait.

    `set_at` is when it was set. If that lies in the future, the clock went back since: the limit
    holds no more, and if the platform still wants to wait, it says so again.
    """

    __tablename__ = "gate"
    key: Mapped[str] = mapped_column(primary_key=True)
    set_at: Mapped[datetime]
    until: Mapped[datetime]
    reason: Mapped[str] = mapped_column(default="")


def delivery_address(delivery: Delivery) -> Address:
    """Return where a delivery was sent."""
    return Address(delivery.platform, delivery.workspace, delivery.user, delivery.channel)


class KeyConflictError(Exception):
    """A delivery has the key of another one, and other content: one of the two would be lost."""


async def add_delivery(session: AsyncSession, to: Address, **facts: Any) -> int | None:
    """Enqueue one delivery; return its id, or None if the same one was enqueued before.

    Raise KeyConflictError if there is one with this key that says something else.
    """
    # a refused insert would use up an id, and `load_conservation` counts by ids
    if await _is_enqueued(session, to, facts):
        return None
    facts.setdefault("retry_at", facts["at"])
    row = insert_into(session, Delivery).values(**to._asdict(), lane=to.lane, **facts)
    kept = row.on_conflict_do_nothing(index_elements=["key"]).returning(Delivery.id)
    number: int | None = (await session.execute(kept)).scalar()
    if number is None:
        await _is_enqueued(session, to, facts)  # another transaction was faster
        return None
    session.info["enqueued"] = True  # after the commit, the delivery workers are woken
    return number


async def _is_enqueued(session: AsyncSession, to: Address, facts: dict[str, Any]) -> bool:
    """Return whether a delivery with this key exists; raise KeyConflictError if it differs.

    Texts are compared where both are there and in one language. The place may have been changed
    since, and a member who was erased is not named any more.
    """
    known = await session.scalar(select(Delivery).where(Delivery.key == facts["key"]))
    if known is None:
        return False
    body, language = facts.get("body", ""), facts.get("language", "en")
    if (
        known.kind != facts["kind"]
        or known.act != facts.get("act", "post")
        or known.of_id not in (None, facts.get("of_id"))
        or known.member_id not in (None, facts.get("member_id"))
        or (known.body and known.language == language and known.body != body)
    ):
        raise KeyConflictError(f"another delivery has the key of this {facts['kind']}")
    return True


async def has_delivery(session: AsyncSession, key: str) -> bool:
    """Return whether a delivery with this key exists, whatever it says."""
    return await session.scalar(select(Delivery.id).where(Delivery.key == key)) is not None


async def find_address(session: AsyncSession, member_id: int) -> Address | None:
    """Find where a member gets messages: the newest account whose direct messages are open.

    A preferred account comes first. None for a member without an account in a workspace that the
    hub is still in.
    """
    query = (
        select(Workspace.platform, Workspace.external_id, Account.external_id)
        .join(Account.workspace)
        .where(
            Account.member_id == member_id,
            Account.reachable,
            Workspace.removed_at.is_(None),
        )
        .order_by(Account.preferred.desc(), Account.id.desc())
        .limit(1)
    )
    found = (await session.execute(query)).first()
    return Address(*found) if found else None


async def lock_delivery(session: AsyncSession, number: int | None) -> Delivery | None:
    """Load a delivery and lock its row, so that nobody claims it meanwhile."""
    return await session.scalar(select(Delivery).where(Delivery.id == number).with_for_update())


async def list_sent_about(
    session: AsyncSession, matter: str, since: datetime, limit: int
) -> Sequence[Delivery]:
    """Return the posts with this key, or with keys below it, that are sent or on their way."""
    about = (Delivery.key == matter) | Delivery.key.startswith(f"{matter}:", autoescape=True)
    sent = Delivery.state.in_((CLAIMED, INFLIGHT, SENT, AMBIGUOUS))
    query = select(Delivery).where(about, sent, Delivery.act == "post", Delivery.created_at > since)
    return (await session.scalars(query.order_by(Delivery.id).limit(limit))).all()


async def list_pending_edits(session: AsyncSession, of: int) -> Sequence[Delivery]:
    """Return and lock the edits of a delivery that are not on their way yet."""
    query = select(Delivery).where(Delivery.of_id == of, Delivery.state == DUE)
    return (await session.scalars(query.with_for_update())).all()


async def cancel_waiting(
    session: AsyncSession,
    now: datetime,
    reason: str,
    *which: ColumnElement[bool],
    unsolved: Collection[str] = (),
) -> list[Delivery]:
    """Cancel the deliveries of this condition that are not on their way; return them, by id.

    These are the due ones, those claimed by a worker, and of the `UNSOLVED` states only those in
    `unsolved`. A worker's claim becomes invalid, as the fence rises; what is in flight stays. The
    caller runs `deliveries.run_ended_hooks` with the result.
    """
    change = (
        update(Delivery)
        .where(is_in(DUE, CLAIMED, *unsolved), *which)
        .values(
            state=CANCELLED,
            ended_at=now,
            reason=reason,
            fence=Delivery.fence + 1,
            lease_until=None,
        )
        .returning(Delivery)
    )
    ended = await session.scalars(change, execution_options={"populate_existing": True})
    return sorted(ended, key=lambda one: one.id)


async def redirect_waiting(session: AsyncSession, to: Address, *which: ColumnElement[bool]) -> None:
    """Send the deliveries of this condition that are not on their way to another place.

    A claim on one of them becomes invalid: the fence rises, and its holder does not begin.
    """
    await session.execute(
        update(Delivery)
        .where(is_in(DUE, CLAIMED), *which)
        .values(**to._asdict(), lane=to.lane, state=DUE, fence=Delivery.fence + 1, lease_until=None)
    )


async def cancel_in_workspace(
    session: AsyncSession, platform: str, workspace: str, now: datetime, reason: str
) -> list[Delivery]:
    """Cancel everything that waits in this workspace; return what was cancelled."""
    here = Delivery.platform == platform, Delivery.workspace == workspace
    return await cancel_waiting(session, now, reason, *here)


# --- what staff see and decide ----------------------------------------------------------------


class DeliveryCount(NamedTuple):
    """How many deliveries of a kind are in a state for a reason."""

    state: str
    kind: str
    reason: str
    number: int


async def count_by_state(session: AsyncSession) -> Sequence[DeliveryCount]:
    """Count all deliveries that are kept; only those that ended unsent are counted by reason."""
    why = case((Delivery.state.in_((*PENDING, SENT)), ""), else_=Delivery.reason)
    query = (
        select(Delivery.state, Delivery.kind, why, func.count())
        .group_by(Delivery.state, Delivery.kind, why)
        .order_by(Delivery.state, Delivery.kind, why)
    )
    return [DeliveryCount(*row) for row in await session.execute(query)]


async def find_oldest_due(session: AsyncSession, now: datetime) -> Delivery | None:
    """Find the delivery that has been due for longest and is not sent yet."""
    query = (
        select(Delivery).where(is_in(*PENDING), Delivery.at <= now).order_by(Delivery.at).limit(1)
    )
    return await session.scalar(query)


async def count_due(session: AsyncSession, now: datetime) -> int:
    """Count the deliveries that are due by now and not sent yet."""
    query = select(func.count()).where(is_in(*PENDING), Delivery.at <= now)
    return await session.scalar(query) or 0


async def count_unsolved(session: AsyncSession) -> int:
    """Count the deliveries that staff have to decide about."""
    return await session.scalar(select(func.count()).where(is_in(*UNSOLVED))) or 0


async def list_unsolved(session: AsyncSession, limit: int, skip: int = 0) -> Sequence[Delivery]:
    """Return the deliveries that staff have to decide about, newest first."""
    query = select(Delivery).where(is_in(*UNSOLVED))
    return (
        await session.scalars(query.order_by(Delivery.id.desc()).offset(skip).limit(limit))
    ).all()


async def decide_delivery(
    session: AsyncSession, number: int, now: datetime, *, again: bool
) -> Delivery | None:
    """Send an unsolved delivery again, or drop it; return None if there is none of this id."""
    query = select(Delivery).where(Delivery.id == number, Delivery.state.in_(UNSOLVED))
    row = await session.scalar(query.with_for_update())
    if row is None:
        return None
    if again:
        if row.state == AMBIGUOUS:  # cannot be looked for; other doubtful ones are
            row.resent, row.began_at = True, None
        row.state, row.reason, row.ended_at = DUE, "", None
        row.attempts = row.deaths = 0
        row.retry_at, row.expires = now, None
        session.info["enqueued"] = True
    else:
        row.state, row.reason, row.ended_at = CANCELLED, "dropped by staff", now
    return row


async def hold_overdue(session: AsyncSession, now: datetime, reason: str) -> int:
    """Hold everything for the staff that may have been sent before now; return how many.

    For a database restored from a copy: what it had to send then may have arrived since.
    """
    overdue = update(Delivery).where(is_in(*PENDING), Delivery.at <= now)
    held = overdue.values(
        state=HELD, reason=reason, ended_at=now, fence=Delivery.fence + 1, lease_until=None
    )
    return len((await session.scalars(held.returning(Delivery.id))).all())
