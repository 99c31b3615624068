"""Sending from the outbox: which process may send what, and recording how attempts ended."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.base import Moment, insert_into
from db.key_values import KeyValue
from db.members import Account, Member
from db.outbox import (
    ANSWERS,
    CANCELLED,
    CLAIMED,
    CLOCK_SKEW,
    DUE,
    INFLIGHT,
    PANIC,
    PENDING,
    REMOVED,
    Delivery,
    RateLimit,
    find_address,
    is_in,
)
from db.workspaces import Workspace

SPARE_ROWS = 16
"""How many more rows are looked at than claimed, as some may not be sent from here."""


CONTENTION_FACTOR = 4
"""How many times more rows are found: processes that look at once take what others left."""

WINDOW = 512
"""How many of the due rows are searched first; all of them only if nothing is found there."""

NO_WINDOW = 2**31


class Claim(NamedTuple):
    """One claimed delivery; `root` is the one that it changes or whose thread it belongs to."""

    row: Delivery
    root: Delivery | None


class ClaimResult(NamedTuple):
    """The claimed deliveries, and those that ended because they must not be sent any more."""

    claims: Sequence[Claim]
    ended_deliveries: Sequence[Delivery]


class Settlement(NamedTuple):
    """How one attempt or one look-up ended; `fence` is the number under which it was made."""

    id: int
    fence: int
    state: str
    reason: str = ""
    retry_at: datetime | None = None
    doubt: bool = False
    is_attempt: bool = True
    resent: bool = False
    platform_id: str = ""
    landed_in: str = ""
    dm_closed: bool = False


_sibling = aliased(Delivery)
_PANIC = exists().where(KeyValue.key == PANIC, KeyValue.value != "")


_NOW = bindparam("now", type_=Moment())
_DUE_BY = bindparam("due_by", type_=Moment())
_SET_BY = bindparam("set_by", type_=Moment())


def _heads_query() -> Select[int]:
    """Build the query for the oldest due delivery of each lane that is idle and not rate limited.

    Only the first `window` rows due by `due_by` are searched. Stale ones are left out, except those
    that may have arrived and are still looked for.
    """
    fresh = or_(Delivery.expires.is_(None), Delivery.expires > _NOW, Delivery.began_at.is_not(None))
    here = tuple_(Delivery.platform, Delivery.workspace)
    ripe = (
        select(Delivery.id, Delivery.lane, Delivery.platform, Delivery.workspace)
        .where(is_in(DUE), Delivery.retry_at <= _DUE_BY, Delivery.at <= _DUE_BY, fresh)
        .where(Delivery.platform.not_in(bindparam("down", expanding=True)))
        .where(here.not_in(bindparam("leaving_out", expanding=True)))
        .order_by(Delivery.retry_at, Delivery.id)
        .limit(bindparam("window"))
        .subquery("ripe")
        .c
    )
    # the first of its lane; NOT EXISTS of an earlier one would be evaluated for all rows
    head = (
        select(_sibling.id)
        .where(_sibling.lane == ripe.lane, is_in(*PENDING, of=_sibling))
        .order_by(_sibling.at, _sibling.id)
        .limit(1)
        .scalar_subquery()
    )
    under_way = exists().where(_sibling.lane == ripe.lane, is_in(CLAIMED, INFLIGHT, of=_sibling))
    home = ripe.platform + ":" + ripe.workspace
    shut = exists().where(
        RateLimit.key.in_((ripe.lane, home)), RateLimit.until > _NOW, RateLimit.set_at <= _SET_BY
    )
    query = select(ripe.id).where(ripe.id == head, ~under_way, ~shut, ~_PANIC)
    return query.limit(bindparam("most"))


def _build_lock_query() -> Select[Delivery, str | None, datetime | None]:
    """Build the query that locks due deliveries, with member status and workspace removal."""
    home = and_(
        Workspace.platform == Delivery.platform, Workspace.external_id == Delivery.workspace
    )
    mine = Delivery.id.in_(bindparam("ids", expanding=True))
    return (
        select(Delivery, Member.status, Workspace.removed_at)
        .outerjoin(Member, Member.id == Delivery.member_id)
        .outerjoin(Workspace, home)
        .where(mine, Delivery.state == DUE, Delivery.retry_at <= _NOW)
        .order_by(Delivery.retry_at, Delivery.id)
        .limit(bindparam("most"))
        .with_for_update(of=Delivery, skip_locked=True)
    )


# built once: that takes longer than running them
_HEADS, _LOCK = _heads_query(), _build_lock_query()


async def _list_paused_platforms(session: AsyncSession, now: datetime) -> Sequence[str]:
    """Return the platforms under a rate limit, none of whose deliveries are looked at."""
    holds = RateLimit.until > now, RateLimit.set_at <= now + CLOCK_SKEW
    query = select(RateLimit.key).where(*holds, RateLimit.key.not_like("%:%"))
    return (await session.scalars(query)).all()


async def claim_deliveries(
    session: AsyncSession,
    now: datetime,
    lease: timedelta,
    limit: int,
    can_send: Callable[[Delivery], bool],
    excluded_workspaces: Collection[tuple[str, str]] = (),
    down: Collection[str] = (),
) -> ClaimResult:
    """Claim up to `limit` deliveries for as long as the lease.

    `can_send` decides about each in turn; `excluded_workspaces` (platform, workspace) and the
    platforms `down` are not looked at.
    """
    down = {*down, *await _list_paused_platforms(session, now)}
    asked = {
        "now": now,
        "due_by": now,
        "set_by": now + CLOCK_SKEW,
        "most": limit * CONTENTION_FACTOR + SPARE_ROWS,
        "down": list(down),
        "window": WINDOW,
        "leaving_out": list(excluded_workspaces),
    }
    heads = (await session.scalars(_HEADS, asked)).all()
    if not heads:
        heads = (await session.scalars(_HEADS, {**asked, "window": NO_WINDOW})).all()
    if not heads:
        return ClaimResult((), ())
    ours, ended = list[Delivery](), list[Delivery]()
    found = await session.execute(_LOCK, {"now": now, "ids": heads, "most": limit + SPARE_ROWS})
    for row, status, removed in found.all():
        why = _cancel_reason(row, status, removed)
        if why:
            end_delivery(row, now, CANCELLED, why)
            ended.append(row)
        elif len(ours) < limit and can_send(row):
            ours.append(row)
    await session.flush()
    if not ours:
        return ClaimResult((), ended)
    roots = await _load_roots(session, ours)
    await _mark_claimed(session, ours, now + lease)
    return ClaimResult(
        [Claim(row, roots.get(row.of_id or row.under_id or 0)) for row in ours], ended
    )


def _cancel_reason(row: Delivery, status: str | None, removed: datetime | None) -> str:
    """Return why a delivery must not be sent any more; empty if it may."""
    if removed is not None:
        return REMOVED
    if status == "suspended" and row.kind != ANSWERS:
        return "suspended"
    return ""


async def _mark_claimed(session: AsyncSession, ours: Sequence[Delivery], until: datetime) -> None:
    """Mark all as claimed in one statement; set the same in memory, detached from the session."""
    mine = [row.id for row in ours]
    await session.execute(
        update(Delivery)
        .where(Delivery.id.in_(mine))
        .values(state=CLAIMED, fence=Delivery.fence + 1, lease_until=until)
        .execution_options(synchronize_session=False)
    )
    for row in ours:
        session.expunge(row)
        row.state, row.fence, row.lease_until = CLAIMED, row.fence + 1, until


async def _load_roots(session: AsyncSession, ours: Sequence[Delivery]) -> Mapping[int, Delivery]:
    """Load the deliveries that these change or whose threads they are in, by their own id."""
    wanted = {number for row in ours for number in (row.of_id, row.under_id) if number}
    if not wanted:
        return {}
    found = await session.scalars(select(Delivery).where(Delivery.id.in_(wanted)))
    return {row.id: row for row in found}


def _is_held(rows: Sequence[Delivery], state: str) -> ColumnElement[bool]:
    held = tuple_(Delivery.id, Delivery.fence).in_([(row.id, row.fence) for row in rows])
    return and_(held, Delivery.state == state)


async def mark_in_flight(
    session: AsyncSession, now: datetime, lease: timedelta, rows: Sequence[Delivery]
) -> set[int]:
    """Mark deliveries as in flight and return the ids of those that may be sent, after the commit.

    Missing are those that another process has claimed, that are stale, or all during a panic.
    """
    done = await session.execute(
        update(Delivery)
        .where(
            _is_held(rows, CLAIMED),
            or_(Delivery.expires.is_(None), Delivery.expires > now),
            ~_PANIC,
        )
        .values(
            state=INFLIGHT,
            began_at=func.coalesce(Delivery.began_at, literal(now, Moment())),
            attempts=Delivery.attempts + 1,
            lease_until=now + lease,
        )
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    )
    return set(done.scalars())


async def release_claims(session: AsyncSession, rows: Sequence[Delivery], until: datetime) -> None:
    """Give back claims that were not begun; they are due again, at `until` the earliest."""
    await session.execute(
        update(Delivery)
        .where(_is_held(rows, CLAIMED))
        .values(state=DUE, lease_until=None, retry_at=until)
        .execution_options(synchronize_session=False)
    )


async def record_results(
    session: AsyncSession, now: datetime, written: Sequence[Settlement]
) -> Sequence[Delivery]:
    """Record how attempts ended, if the fence is still the one they were made under.

    Return the deliveries that ended for good.
    """
    ids = [one.id for one in written]
    query = select(Delivery).where(Delivery.id.in_(ids)).with_for_update()
    rows = {row.id: row for row in await session.scalars(query)}
    ended = []
    for one in written:
        row = rows.get(one.id)
        if row is None or row.fence != one.fence or row.state not in (CLAIMED, INFLIGHT):
            continue
        if one.dm_closed and await _redirect_to_other_account(session, row, now):
            continue
        _apply_settlement(row, now, one)
        if row.state not in PENDING:
            ended.append(row)
    return ended


def _apply_settlement(row: Delivery, now: datetime, one: Settlement) -> None:
    if row.state == INFLIGHT and not one.is_attempt:
        row.attempts -= 1
    row.resent = row.resent or one.resent
    if one.state != DUE:
        end_delivery(row, now, one.state, one.reason)
        row.platform_id, row.landed_in = one.platform_id, one.landed_in
        return
    row.state, row.reason, row.lease_until = DUE, one.reason, None
    row.retry_at = one.retry_at or now
    if not one.doubt:
        row.began_at = None


def end_delivery(row: Delivery, now: datetime, state: str, reason: str) -> None:
    """Mark a delivery as ended in this state."""
    row.state, row.reason, row.ended_at, row.lease_until = state, reason, now, None


async def _redirect_to_other_account(session: AsyncSession, row: Delivery, now: datetime) -> bool:
    """Mark the account unreachable; return whether another one of its member takes the message."""
    closed = await session.scalar(
        select(Account)
        .join(Account.workspace)
        .where(
            Workspace.platform == row.platform,
            Workspace.external_id == row.workspace,
            Account.external_id == row.user,
        )
    )
    if closed is None:
        return False
    closed.reachable = False
    await session.flush()
    if row.member_id is None or row.under_id or row.of_id:
        return False
    other = await find_address(session, row.member_id)
    if other is None:
        return False
    row.platform, row.workspace, row.user, row.channel = other
    row.lane, row.state, row.reason = other.lane, DUE, "turned to another account"
    row.attempts, row.began_at, row.lease_until, row.retry_at = 0, None, None, now
    return True


async def find_overdue(
    session: AsyncSession, now: datetime, patience: timedelta, platforms: Collection[str]
) -> int | None:
    """Find a delivery to one of these platforms that could have been sent `patience` ago.

    Returns its id. What waits for a retry, a rate limit or the end of an emergency stop is not
    overdue.
    """
    down = await _list_paused_platforms(session, now)
    served = select(Delivery.platform).distinct().where(is_in(DUE))
    others = set((await session.scalars(served)).all()) - set(platforms)
    asked = {
        "now": now,
        "due_by": now - patience,
        "set_by": now + CLOCK_SKEW,
        "most": 1,
        "down": [*down, *others],
        "window": NO_WINDOW,
        "leaving_out": [],
    }
    return (await session.scalars(_HEADS, asked)).first()


async def set_rate_limits(
    session: AsyncSession, now: datetime, gates: Mapping[str, tuple[datetime, str]]
) -> None:
    """Set limits by key: until when, and why. A longer one that exists stays.

    One that was set in the future, before the clock went back, does not stay.
    """
    # in one order everywhere, so that two workers that write the same limits cannot deadlock
    rows = [
        {"key": key, "set_at": now, "until": until, "reason": why}
        for key, (until, why) in sorted(gates.items())
    ]
    row = insert_into(session, RateLimit).values(rows)
    newer = or_(row.excluded.until > RateLimit.until, RateLimit.set_at > now + CLOCK_SKEW)
    said = {name: row.excluded[name] for name in ("set_at", "until", "reason")}
    await session.execute(row.on_conflict_do_update(index_elements=["key"], set_=said, where=newer))
