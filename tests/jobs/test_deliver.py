"""What is owed arrives: once, in order, in time, and whatever goes wrong on the way."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.adapters.base import DeliveryError, Destination
from bot.jobs.deliver import LEASE, DeliveryWorker
from tests.conftest import Clock
from tests.jobs.conftest import Owing, Rows, leap, worker
from tests.jobs.platform import Platform, fail_times, timeout_error

pytestmark = pytest.mark.both


async def settle_everything(engine: AsyncEngine, deliverer: DeliveryWorker, clock: Clock) -> None:
    """Deliver, and let time pass, until nothing is pending any more."""
    for _ in range(500):
        await deliverer.run_until_idle()
        if not await leap(engine, clock):
            return
    raise AssertionError("it never comes to an end")


async def test_what_is_owed_arrives(
    deliverer: DeliveryWorker, platform: Platform, owing: Owing, rows: Rows
) -> None:
    """In the language it was written in, with a marker that only the key's holder can make."""
    await owing("Hello", channel="C7", language="es")
    await deliverer.run_until_idle()

    (post,) = platform.posts
    assert (post.place, post.language) == (Destination("slack", "T1", channel="C7"), "es")
    assert len(post.marker) == 25
    (row,) = await rows()
    assert (row.state, row.platform_id, row.landed_in) == ("sent", "1", "C7")
    assert row.attempts == 1
    assert row.ended_at is not None


async def test_a_lane_keeps_its_order_and_holds_nobody_else_up(
    engine: AsyncEngine, deliverer: DeliveryWorker, platform: Platform, owing: Owing, clock: Clock
) -> None:
    """The first of one channel fails for a while: what is behind it waits, others do not."""
    await owing("late", channel="C1", times=3)
    await owing("other", channel="C2", times=3)
    left = [2]

    def fault(place: Destination) -> Exception | None:
        if place.channel == "C1" and left[0]:
            left[0] -= 1
            return DeliveryError("internal")
        return None

    platform.before = fault
    await deliverer.run_until_idle()
    assert platform.texts() == ["other 0", "other 1", "other 2"]

    await settle_everything(engine, deliverer, clock)
    assert platform.texts()[3:] == ["late 0", "late 1", "late 2"]


async def test_what_is_due_later_blocks_nothing(
    engine: AsyncEngine, deliverer: DeliveryWorker, platform: Platform, owing: Owing, clock: Clock
) -> None:
    """A reminder for tomorrow in the same channel, owed before."""
    await owing("tomorrow", at=clock() + timedelta(days=1))
    await owing("now")
    await deliverer.run_until_idle()
    assert platform.texts() == ["now"]
    await settle_everything(engine, deliverer, clock)
    assert platform.texts() == ["now", "tomorrow"]


async def test_nothing_is_sent_when_it_is_stale(
    engine: AsyncEngine, deliverer: DeliveryWorker, platform: Platform, owing: Owing, clock: Clock,
    rows: Rows,
) -> None:  # fmt: skip
    """It is recorded as expired; and what would come again too late is given up at once."""
    await owing("stale", expires=clock())
    await owing("in time", channel="C2", expires=clock() + timedelta(seconds=1))
    await owing("would be late", channel="C3", expires=clock() + timedelta(seconds=2))
    platform.before = lambda place: DeliveryError("internal") if place.channel == "C3" else None
    await deliverer.run_until_idle()
    assert platform.texts() == ["in time"]
    assert [r.state for r in await rows()] == ["expired", "sent", "expired"]
    assert [r.reason for r in await rows()] == ["not sent in time", "", "internal"]


# --- what may have arrived --------------------------------------------------------------------


async def test_what_may_have_arrived_is_looked_for(
    engine: AsyncEngine, deliverer: DeliveryWorker, platform: Platform, owing: Owing, clock: Clock,
    rows: Rows,
) -> None:  # fmt: skip
    """It was there: nothing is posted twice, and its number is known."""
    await owing("once")
    platform.after = fail_times(1, timeout_error())
    await settle_everything(engine, deliverer, clock)
    assert platform.texts() == ["once"]
    assert platform.looks == 1
    (row,) = await rows()
    assert (row.state, row.platform_id) == ("sent", "1")


async def test_what_surely_did_not_arrive_is_sent_again(
    engine: AsyncEngine, deliverer: DeliveryWorker, platform: Platform, owing: Owing, clock: Clock,
    rows: Rows,
) -> None:  # fmt: skip
    """The connection broke before it was taken."""
    await owing("again")
    platform.before = fail_times(1, timeout_error())
    await settle_everything(engine, deliverer, clock)
    assert platform.texts() == ["again"]
    assert platform.looks == 1
    assert (await rows())[0].attempts == 2


@pytest.mark.parametrize("lag", [0, 1, 3, 10, 15])
async def test_a_platform_that_shows_late_gets_no_second_message(
    lag: int, engine: AsyncEngine, deliverer: DeliveryWorker, platform: Platform, owing: Owing,
    clock: Clock,
) -> None:  # fmt: skip
    """Nobody looks before what arrived is surely seen."""
    await owing("slow to show")
    platform.lag, platform.after = lag, fail_times(1, timeout_error())
    await settle_everything(engine, deliverer, clock)
    assert len(platform.posts) == 1


async def test_where_nobody_can_look_news_are_held_and_answers_sent_again(
    engine: AsyncEngine, deliverer: DeliveryWorker, platform: Platform, owing: Owing, clock: Clock,
    rows: Rows,
) -> None:  # fmt: skip
    """Again once, saying so; what is held, and a second doubt, somebody has to decide about."""
    platform.reads = False
    platform.after = lambda place: None if place.user == "ada" else timeout_error()
    await owing("news", channel="C1")
    await owing("answer", user="maya", kind="answer")
    await owing("late answer", user="ben", kind="answer", expires=clock() + timedelta(seconds=9))
    await settle_everything(engine, deliverer, clock)
    assert [r.state for r in await rows()] == ["ambiguous"] * 3 + ["sent"]
    assert "A message didn't arrive" in platform.texts()
    said = {post.text.splitlines()[-1] for post in platform.posts if "answer" in post.text}
    assert platform.texts().count("answer") == 2
    assert "(sent again: the first one may have arrived)" in said


@pytest.mark.parametrize(("age", "looks"), [(1, 0), (100, 0), (121, 1), (3600, 1)])
async def test_where_doubles_are_dropped_the_same_is_posted_again(
    age: int, looks: int, engine: AsyncEngine, platform: Platform, owing: Owing, clock: Clock,
    rows: Rows,
) -> None:  # fmt: skip
    """The process died and another came so much later: within the window it need not look."""
    platform.drops, platform.claims_to_drop = 180, 120
    await owing("once")
    platform.takes = 60
    dying = asyncio.create_task(worker(engine, platform, clock).run_until_idle())
    await platform.call_event.wait()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    platform.takes = 0
    clock.advance(seconds=max(age, LEASE.total_seconds() + 1))
    await settle_everything(engine, worker(engine, platform, clock), clock)
    assert platform.texts() == ["once"]
    assert platform.looks == looks
    assert (await rows())[0].state == "sent"
