"""By the clock: each turn once, whoever ticks, however often anything is started."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from bot.jobs import timetable
from bot.jobs.timetable import TIMETABLE, ScheduledJob, Scheduler, StepJob, tick
from db.base import transaction
from db.job_runs import claim_job_run
from db.key_values import KeyValue
from tests.conftest import Clock
from tests.platforms import PATIENCE

pytestmark = pytest.mark.both
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


async def note(session: AsyncSession, at: datetime) -> None:
    """An effect that shows when it is done twice."""
    done = await session.scalar(select(func.count()).select_from(KeyValue)) or 0
    session.add(KeyValue(key=f"{at:%H:%M} {done}", value="done"))


async def effects(engine: AsyncEngine) -> list[str]:
    async with transaction(engine) as session:
        return list(await session.scalars(select(KeyValue.key).order_by(KeyValue.key)))


NOTED = ScheduledJob("note", "0 12 * * *", note, timedelta(hours=2))


async def test_fifty_restarts_around_a_tick_do_it_once(engine: AsyncEngine, clock: Clock) -> None:
    """Before the time nothing happens; from then on it has happened."""
    for number in range(50):
        clock.now = NOON + timedelta(seconds=number - 25)
        await tick(engine, [NOTED], clock)
        assert len(await effects(engine)) == (number >= 25)


async def test_two_schedulers_at_once_do_it_once(engine: AsyncEngine, clock: Clock) -> None:
    """The slot is taken in the transaction of the effect."""
    clock.now = NOON
    await asyncio.gather(*(tick(engine, [NOTED], clock) for _ in range(8)))
    assert await effects(engine) == ["12:00 0"]


async def test_a_turn_that_failed_is_tried_again(engine: AsyncEngine, clock: Clock) -> None:
    """Nothing of it stays but the log entry; the others have their turn."""
    failing = [True]

    async def stumble(session: AsyncSession, at: datetime) -> None:
        await note(session, at)
        if failing:
            raise RuntimeError("not now")

    clock.now = NOON
    turns = [ScheduledJob("stumble", "0 12 * * *", stumble), NOTED]
    await tick(engine, turns, clock)
    assert len(await effects(engine)) == 1
    failing.clear()
    clock.advance(minutes=1)
    await tick(engine, turns, clock)
    assert len(await effects(engine)) == 2


@pytest.mark.parametrize(("late", "done"), [(0, True), (119, True), (121, False)])
async def test_what_was_missed_is_made_up_for_within_its_grace(
    late: int, done: bool, engine: AsyncEngine, clock: Clock
) -> None:
    """No process ran at the time."""
    clock.now = NOON + timedelta(minutes=late)
    await tick(engine, [NOTED], clock)
    assert bool(await effects(engine)) == done


async def test_only_the_newest_of_several_missed_turns_is_made_up_for(
    engine: AsyncEngine, clock: Clock
) -> None:
    """An hourly chore after a night without a process is one chore."""
    clock.now = NOON + timedelta(minutes=30)
    await tick(engine, [ScheduledJob("hourly", "0 * * * *", note, timedelta(hours=9))], clock)
    assert await effects(engine) == ["12:00 0"]


async def test_a_slot_is_taken_once(engine: AsyncEngine) -> None:
    """And another time of the same job is another slot."""
    async with transaction(engine, writes=True) as session:
        assert await claim_job_run(session, "job", NOON)
        assert not await claim_job_run(session, "job", NOON)
        assert await claim_job_run(session, "job", NOON + timedelta(minutes=1))


async def test_the_scheduler_ticks_at_once_and_then_each_minute(engine: AsyncEngine) -> None:
    """So that a turn missed during a restart comes right after it."""
    running = asyncio.create_task(
        Scheduler(engine, [ScheduledJob("soon", "* * * * *", note)]).run()
    )
    for _ in range(200):
        if await effects(engine):
            break
        await asyncio.sleep(0.05)
    running.cancel()
    assert len(await effects(engine)) == 1
    assert len({turn.name for turn in TIMETABLE}) == len(TIMETABLE)


async def test_a_process_that_stops_in_a_turn_reports_no_fault(
    engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    """The turn is undone; the next process has it. A traceback would look like a crash."""
    begun = asyncio.Event()

    async def slow(session: AsyncSession, at: datetime) -> None:
        await note(session, at)
        begun.set()
        await asyncio.sleep(60)

    running = asyncio.create_task(
        Scheduler(engine, [ScheduledJob("slow", "* * * * *", slow)]).run()
    )
    await begun.wait()
    running.cancel()
    await asyncio.wait([running])
    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []
    assert await effects(engine) == []


async def test_a_job_of_many_steps_stands_in_the_timetable_like_any_other(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line there; the tick leaves it alone, the scheduler gives it the engine and a clock."""
    given: list[tuple[AsyncEngine, datetime]] = []

    stepped = asyncio.Event()

    async def advance(handed: AsyncEngine, clock: Callable[[], datetime]) -> None:
        given.append((handed, clock()))
        stepped.set()

    turns: list[StepJob | ScheduledJob] = [
        StepJob("steps", advance),
        ScheduledJob("soon", "* * * * *", note),
    ]
    await tick(engine, turns)
    assert len(await effects(engine)) == 1
    assert given == []

    monkeypatch.setattr(timetable, "MINUTE", 0)
    running = asyncio.create_task(Scheduler(engine, turns).run())
    await asyncio.wait_for(stepped.wait(), PATIENCE)
    running.cancel()
    await asyncio.wait([running])
    handed, at = given[0]
    assert handed is engine
    assert at.tzinfo is UTC
    mine = [job.name for job in TIMETABLE if isinstance(job, StepJob)]
    assert mine == ["rounds", "checkpoint"]
