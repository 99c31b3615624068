"""The runs of timed jobs: each is done once, by the process that claims it first."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, insert_into


class JobRun(Base):
    """One run of a timed job, by the job's name and the time it was due."""

    __tablename__ = "slot"
    job: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)


async def claim_job_run(session: AsyncSession, job: str, at: datetime) -> bool:
    """Claim one run; return False if another process has claimed it."""
    row = (
        insert_into(session, JobRun)
        .values(job=job, at=at)
        .on_conflict_do_nothing()
        .returning(JobRun.job)
    )
    return (await session.execute(row)).scalar() is not None


async def find_newest(session: AsyncSession) -> datetime | None:
    """Return when the newest run was due; None if there was none lately."""
    return await session.scalar(select(func.max(JobRun.at)))


async def is_claimed(session: AsyncSession, job: str, at: datetime) -> bool:
    """Return whether this run was claimed already."""
    return await session.get(JobRun, (job, at)) is not None
