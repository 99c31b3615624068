"""The timetable of jobs, fixed in the code, and the scheduler that runs them.

The scheduler only ticks. A run is done by the process that claims it first, in the transaction of
the job's work: if that fails, the run is still to be done, until its grace has passed.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from bot.failpoints import reach
from bot.jobs import introductions, maintenance, rounds
from db import job_runs
from db.base import transaction

log = structlog.get_logger()

Clock = Callable[[], datetime]
Job = Callable[[AsyncSession, datetime], Awaitable[None]]
"""Called with the session and the time at which the run was due."""


@dataclass(frozen=True)
class ScheduledJob:
    """A job and its schedule: minute, hour, day, month, weekday in UTC, as cron has them.

    `grace`: how late a run may still be done, after a time in which no process ran.
    """

    name: str
    cron: str
    run: Job
    grace: timedelta = timedelta(hours=1)

    def latest_due_time(self, now: datetime) -> datetime | None:
        """Return the latest due time at or before `now` within the grace; None if there is none."""
        trigger = CronTrigger.from_crontab(self.cron, timezone=UTC)
        found, after = None, now - self.grace
        while (at := trigger.get_next_fire_time(None, after)) and at <= now:
            found, after = at, at + timedelta(seconds=1)
        return found


@dataclass(frozen=True)
class StepJob:
    """A job of many transactions, run each minute to do whatever of it is due.

    Each of its steps is recorded in the transaction that does it, so that any process may run it at
    any time; `run` gets the clock. No run of it is claimed.
    """

    name: str
    run: Callable[[AsyncEngine, Clock], Awaitable[None]]


MINUTE = 60
ALIVE_SECONDS = 300.0
"""A timetable that was not gone through for so long stands still."""

TIMETABLE: tuple[ScheduledJob | StepJob, ...] = (
    ScheduledJob("forget seen events", "17 * * * *", maintenance.delete_old_events),
    ScheduledJob("scrub what was forgotten", "*/5 * * * *", maintenance.scrub_search_index),
    ScheduledJob("tend introductions", "*/5 * * * *", introductions.advance_introductions),
    ScheduledJob("erase relay drafts", "23 * * * *", maintenance.erase_relay_drafts),
    ScheduledJob("forget old sanctions", "29 * * * *", maintenance.delete_old_sanctions),
    ScheduledJob("tidy deliveries", "41 3 * * *", maintenance.tidy_deliveries, timedelta(hours=12)),
    StepJob("rounds", rounds.advance_rounds),
    StepJob("checkpoint", maintenance.empty_journal),
)


def _now() -> datetime:
    return datetime.now(UTC)


async def tick(
    engine: AsyncEngine, jobs: Iterable[ScheduledJob | StepJob] = TIMETABLE, clock: Clock = _now
) -> None:
    """Do every scheduled run that is due and that no process has done."""
    for turn in jobs:
        if isinstance(turn, ScheduledJob) and (at := turn.latest_due_time(clock())) is not None:
            await _run_if_due(engine, turn, at)


async def _run_if_due(engine: AsyncEngine, turn: ScheduledJob, at: datetime) -> None:
    try:
        async with transaction(engine) as session:
            if await job_runs.is_claimed(session, turn.name, at):
                return
        reach("timetable.before_turn")
        async with transaction(engine, writes=True) as session:
            if await job_runs.claim_job_run(session, turn.name, at):
                await turn.run(session, at)
            reach("timetable.before_commit")
        reach("timetable.after_commit")
    except Exception as error:  # the next tick tries again
        log.error("turn failed", turn=turn.name, error=type(error).__name__)


@dataclass
class Scheduler:
    """Runs the timetable in this process until cancelled: it ticks at once and then each minute.

    It keeps no state; the database does. Each `StepJob` runs beside the tick, from the next minute
    on, and never twice at once. It waits for a time to pass, not for one of the clock, which may
    go back.
    """

    engine: AsyncEngine
    jobs: Sequence[ScheduledJob | StepJob] = TIMETABLE
    clock: Clock = _now
    _ticked_at: float = field(default_factory=time.monotonic)

    async def run(self) -> None:
        """Run every job when it is due."""
        steps = [job for job in self.jobs if isinstance(job, StepJob)]
        async with asyncio.TaskGroup() as group:
            group.create_task(self._repeat("tick", self._tick, at_once=True))
            for job in steps:
                work = partial(job.run, self.engine, self.clock)
                group.create_task(self._repeat(job.name, work, at_once=False))

    def is_alive(self) -> bool:
        """Return whether the timetable was gone through a short time ago."""
        return time.monotonic() - self._ticked_at < ALIVE_SECONDS

    async def _tick(self) -> None:
        await tick(self.engine, self.jobs, self.clock)
        self._ticked_at = time.monotonic()

    async def _repeat(
        self, name: str, work: Callable[[], Awaitable[None]], *, at_once: bool
    ) -> None:
        while True:
            if at_once:
                await _run_logged(name, work)
            at_once = True
            await asyncio.sleep(MINUTE - self.clock().second)


async def _run_logged(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run a job and log its failure by the type of the error only; the next minute tries again."""
    try:
        await work()
    except asyncio.CancelledError:  # the process stops; what was not committed is still to be done
        log.info("turn stopped", turn=name)
        raise
    except Exception as error:
        log.error("turn failed", turn=name, error=type(error).__name__)
