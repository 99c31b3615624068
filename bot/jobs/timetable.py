"""What happens by the clock: a fixed timetable that fits on one screen."""

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.jobs import tending


def timetable(engine: AsyncEngine) -> AsyncIOScheduler:
    """A scheduler in UTC that only ticks; what is due is in the database."""
    scheduler = AsyncIOScheduler(
        timezone="UTC",
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 300},
    )
    scheduler.add_job(tending.forget_seen_events, "cron", minute=17, args=[engine])
    return scheduler
