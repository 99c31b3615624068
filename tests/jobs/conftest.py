"""What tests of deliveries ask for: something owed, a platform, and somebody who delivers."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import Card
from bot.deliveries import dump_card
from bot.jobs.deliver import DeliveryWorker
from db import outbox
from db.base import transaction
from db.outbox import Address, Delivery, RateLimit, is_in
from tests.conftest import Clock
from tests.jobs.platform import Platform

KEY = "a key of the tests"
Owing = Callable[..., Awaitable[int]]
Rows = Callable[[], Awaitable[list[Delivery]]]


@pytest.fixture
def owing(engine: AsyncEngine, clock: Clock) -> Owing:
    """`await owing("text", channel="C1", …)`: one more delivery; returns its number."""

    async def owe(text: str, *, times: int = 1, **facts: Any) -> int:
        number = 0
        async with transaction(engine, writes=True) as session:
            for count in range(times):
                said = f"{text} {count}" if times > 1 else text
                number = await put(session, clock, said, **facts) or 0
        return number

    return owe


async def put(session: Any, clock: Clock, text: str, **facts: Any) -> int | None:
    place = {name: facts.pop(name) for name in ("platform", "workspace", "user", "channel")
             if name in facts}  # fmt: skip
    if not ("user" in place or "channel" in place):
        place["channel"] = "C1"
    to = Address(**{"platform": "slack", "workspace": "T1", **place})
    known = {"kind": "news", "key": text, "at": clock(), "created_at": clock()}
    return await outbox.add_delivery(
        session, to, **{**known, "body": dump_card(Card(text)), **facts}
    )


@pytest.fixture
def rows(engine: AsyncEngine) -> Rows:
    """Every delivery, as it is written down now."""

    async def read() -> list[Delivery]:
        async with transaction(engine) as session:
            return list(await session.scalars(select(Delivery).order_by(Delivery.id)))

    return read


@pytest.fixture
def platform(clock: Clock) -> Platform:
    """Slack, as far as deliveries see it."""
    return Platform(clock)


@pytest.fixture
def deliverer(engine: AsyncEngine, platform: Platform, clock: Clock) -> DeliveryWorker:
    """One process that delivers there."""
    return worker(engine, platform, clock)


def worker(engine: AsyncEngine, platform: Platform, clock: Clock, **how: Any) -> DeliveryWorker:
    """One more process."""
    return DeliveryWorker(engine, [platform], [KEY], clock=clock, chance=lambda: 0.5, **how)


async def leap(engine: AsyncEngine, clock: Clock) -> bool:
    """Set the clock to the next moment at which something may happen; False if there is none."""
    due = is_in(outbox.DUE)
    busy = is_in(outbox.CLAIMED, outbox.INFLIGHT)
    async with transaction(engine) as session:
        moments = [
            await session.scalar(query)
            for query in (
                select(func.min(Delivery.retry_at)).where(due, Delivery.retry_at > clock()),
                select(func.min(Delivery.lease_until)).where(busy),
                select(func.min(RateLimit.until)).where(
                    RateLimit.until > clock(), exists().where(due)
                ),
            )
        ]
        closed = select(func.max(RateLimit.until)).where(
            RateLimit.key == "slack", RateLimit.until > clock()
        )
        opens = await session.scalar(closed)  # before that, nothing of the platform may happen
    then = min((m for m in moments if m is not None), default=None)
    if then is None:
        return False
    clock.now = max(then, opens or then, clock.now + timedelta(milliseconds=1))
    return True
