"""The timetable of jobs, fixed in the code, and the scheduler that runs them.

The scheduler only ticks. A run is done by the process that claims it first, in the transaction of
the job's work: if that fails, the run is still to be done, until its grace has passed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
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


TIMETABLE = (
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


def create_scheduler(
    engine: AsyncEngine, jobs: Sequence[ScheduledJob | StepJob] = TIMETABLE
) -> AsyncIOScheduler:
    """Return a scheduler in UTC that calls `tick` at once and then each minute.

    It keeps no state; the database does. Each `StepJob` runs beside the tick, each minute, and
    never twice at once in this process.
    """
    scheduler = AsyncIOScheduler(
        timezone="UTC",
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 300},
    )
    scheduler.add_job(
        _run_logged,
        "cron",
        minute="*",
        args=["tick", lambda: tick(engine, jobs)],
        next_run_time=datetime.now(UTC),
    )
    for job in jobs:
        if isinstance(job, StepJob):
            step = partial(job.run, engine, _now)
            scheduler.add_job(_run_logged, "cron", minute="*", args=[job.name, step])
    return scheduler


async def _run_logged(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run a job and log its failure by the type of the error only.

    The scheduler's own report would print a traceback, with the data that it quotes.
    """
    try:
        await work()
    except asyncio.CancelledError:  # the process stops; what was not committed is still to be done
        log.info("turn stopped", turn=name)
    except Exception as error:  # the next minute tries again
        log.error("turn failed", turn=name, error=type(error).__name__)
