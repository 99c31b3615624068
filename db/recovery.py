"""Recovery of the outbox: claims of dead processes, what is stale, and a clock that went back."""

from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.outbox import CLAIMED, CLOCK_SKEW, DEAD, DUE, EXPIRED, INFLIGHT, PENDING, Delivery, is_in
from db.sending import end_delivery

MAX_DEATHS = 3
"""How many processes may end with one delivery in flight before it is given up."""

BATCH_SIZE = 500
"""How many rows are repaired in one transaction; the rest follow in the next."""


async def recover_lost_claims(
    session: AsyncSession, now: datetime, visible: timedelta, lease: timedelta
) -> list[Delivery]:
    """Free claims whose lease ran out, as their process died or slept; return those given up.

    So are those that run longer than `lease` from now: they were made before the clock went back.
    What was in flight may have arrived; it can be looked for `visible` after its beginning.
    """
    lost = or_(Delivery.lease_until < now, Delivery.lease_until > now + lease + CLOCK_SKEW)
    query = (
        select(Delivery)
        .where(is_in(CLAIMED, INFLIGHT), lost)
        .order_by(Delivery.id)
        .limit(BATCH_SIZE)
        .with_for_update(skip_locked=True)
    )
    ended = []
    for row in await session.scalars(query):
        row.fence += 1
        if row.state == INFLIGHT:
            row.deaths += 1
            row.retry_at = max(now, min(row.began_at or now, now) + visible)
        if row.deaths >= MAX_DEATHS:
            end_delivery(row, now, DEAD, "crash loop")
            ended.append(row)
        else:
            row.state, row.lease_until = DUE, None
    return ended


async def expire_stale(session: AsyncSession, now: datetime) -> list[Delivery]:
    """End and return stale deliveries, except those that may have arrived: they are looked for."""
    certain = or_(Delivery.began_at.is_(None), Delivery.act != "post")
    query = (
        select(Delivery)
        .where(is_in(DUE), Delivery.expires <= now, certain)
        .order_by(Delivery.id)
        .limit(BATCH_SIZE)
        .with_for_update(skip_locked=True)
    )
    ended = list(await session.scalars(query))
    for row in ended:
        end_delivery(row, now, EXPIRED, row.reason or "not sent in time")
    return ended


async def find_clock_step(session: AsyncSession, now: datetime) -> timedelta:
    """Return how far the newest delivery was created in the future; zero if it was not."""
    query = select(Delivery.created_at).order_by(Delivery.id.desc()).limit(1)
    newest = await session.scalar(query)
    return max(newest - now, timedelta(0)) if newest else timedelta(0)


async def realign(session: AsyncSession, now: datetime) -> None:
    """Bring forward what stands too far in the future since the clock went back.

    What was enqueued «later than now» keeps the distance from its creation, and what waits for a
    retry is tried now: a rate limit or the next failure makes it wait again.
    """
    ahead = select(Delivery).where(is_in(*PENDING), Delivery.created_at > now)
    for row in await session.scalars(ahead):
        step = row.created_at - now
        row.at, row.created_at = row.at - step, now
        row.expires = row.expires and row.expires - step
        row.retry_at = row.at
    await session.flush()
    await session.execute(update(Delivery).where(Delivery.created_at > now).values(created_at=now))
    retried = is_in(DUE), Delivery.retry_at > now, Delivery.retry_at > Delivery.at
    await session.execute(update(Delivery).where(*retried, Delivery.at <= now).values(retry_at=now))
