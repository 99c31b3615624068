"""The clock of the machine goes back: nothing that stands in the future holds up what is owed."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.adapters.base import DeliveryError
from bot.jobs import attempts
from bot.jobs.deliver import LEASE, DeliveryWorker
from bot.metrics import CLOCK_STEPS
from db import sending
from db.base import transaction
from db.outbox import RateLimit
from tests.conftest import Clock, Entry
from tests.jobs.conftest import KEY, Owing, Rows, worker
from tests.jobs.platform import Platform

pytestmark = pytest.mark.both
BACK = {"hours": -3}


def texts_on(platform: Platform) -> list[str]:
    """Return what was posted, but for the alert about the clock."""
    texts = [post.text.strip() for post in platform.posts]
    return [text for text in texts if not text.startswith("The clock went back")]


@pytest.mark.parametrize("scope", ["place", "workspace", "platform"])
async def test_a_wait_that_was_asked_for_lasts_no_longer_than_it_did(
    engine: AsyncEngine, deliverer: DeliveryWorker, platform: Platform, owing: Owing, clock: Clock,
    rows: Rows, scope: str,
) -> None:  # fmt: skip
    """Not three hours and half a minute; and the one that waits for it goes out, too."""
    platform.before = lambda place: DeliveryError("ratelimited", wait=30, scope=scope)  # type: ignore[arg-type] # one of three
    await owing("first")
    await deliverer.run_until_idle()
    platform.before = lambda place: None
    await owing("second")
    await deliverer.run_until_idle()
    assert platform.posts == []
    clock.advance(**BACK)
    await deliverer.run_until_idle()
    assert [(row.state, row.at <= clock()) for row in await rows()][:2] == [("sent", True)] * 2


async def test_a_wait_set_by_the_right_clock_replaces_one_of_the_wrong_one(
    engine: AsyncEngine, clock: Clock
) -> None:
    """Though it ends earlier."""
    for minutes in (10, 1):
        until = clock() + timedelta(minutes=minutes)
        async with transaction(engine, writes=True) as session:
            await sending.set_rate_limits(session, clock(), {"slack": (until, str(minutes))})
        clock.advance(**BACK)
    async with transaction(engine) as session:
        (gate,) = await session.scalars(select(RateLimit))
    assert gate.reason == "1"


async def test_what_a_dead_process_had_under_way_is_looked_for_soon(
    engine: AsyncEngine, platform: Platform, owing: Owing, clock: Clock, rows: Rows
) -> None:
    """It arrived before the clock went back; it is found there and not posted again."""
    await owing("claimed", channel="C2")
    await owing("arrived")
    async with transaction(engine, writes=True) as session:
        taken = await sending.claim_deliveries(session, clock(), LEASE, 9, lambda row: True)
    (flying,) = [claim for claim in taken.claims if claim.row.channel == "C1"]
    async with transaction(engine, writes=True) as session:
        await sending.mark_in_flight(session, clock(), LEASE, [flying.row])
    await attempts.attempt_delivery(platform, [KEY], flying, clock())
    platform.clock = Clock(clock.now).__call__  # the platform's clock is right all the time
    clock.advance(**BACK)
    other = worker(engine, platform, clock)
    for _ in range(3):
        await other.run_until_idle()
        clock.advance(seconds=30)
    assert [row.state for row in await rows()][:2] == ["sent", "sent"]
    assert sorted(texts_on(platform)) == ["arrived", "claimed"]


async def test_what_is_meant_for_later_keeps_its_distance(
    deliverer: DeliveryWorker, platform: Platform, owing: Owing, clock: Clock
) -> None:
    """An hour after the act is an hour, by whichever clock."""
    await owing("now")
    await deliverer.run_until_idle()
    await owing("later", at=clock() + timedelta(hours=1), expires=clock() + timedelta(hours=2))
    clock.advance(**BACK)
    await deliverer.run_until_idle()
    clock.advance(minutes=59)
    await deliverer.run_until_idle()
    assert texts_on(platform) == ["now"]
    clock.advance(minutes=1)
    await deliverer.run_until_idle()
    assert texts_on(platform) == ["now", "later"]


async def test_the_admins_and_the_log_are_told_once(
    engine: AsyncEngine, deliverer: DeliveryWorker, owing: Owing, clock: Clock, rows: Rows,
    log: list[Entry],
) -> None:  # fmt: skip
    """By whichever process sees it; small differences between machines are none."""
    before = CLOCK_STEPS._value.get()
    await owing("anything")
    await deliverer.run_until_idle()
    clock.advance(seconds=-50)
    await deliverer.run_until_idle()
    assert log == []
    clock.advance(**BACK)
    for _ in range(3):
        await deliverer.run_until_idle()
        clock.advance(seconds=2)
    (line,) = [entry for entry in log if entry["event"] == "clock went back"]
    assert line["level"] == "error"
    assert line["seconds"] == 3 * 3600
    assert CLOCK_STEPS._value.get() == before + 1
    alerts = [row for row in await rows() if row.key.startswith("clock:")]
    assert len(alerts) == 1
    assert "180" in alerts[0].body


async def test_a_process_that_starts_after_it_sees_it_in_the_outbox(
    engine: AsyncEngine, platform: Platform, owing: Owing, clock: Clock, log: list[Entry]
) -> None:
    """A machine often starts with a wrong clock, and is set right a minute later."""
    await owing("enqueued")
    clock.advance(**BACK)
    await worker(engine, platform, clock).run_until_idle()
    assert texts_on(platform) == ["enqueued"]
    assert [entry["event"] for entry in log] == ["clock went back"]
