"""How long deliveries are kept, and the count by which it shows that none was lost."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.base import is_sqlite
from db.job_runs import JobRun
from db.key_values import load_value, save_value
from db.outbox import CANCELLED, EXPIRED, NEEDED, SENT, STATES, Delivery, RateLimit

RETENTION, BODY_RETENTION = timedelta(days=90), timedelta(days=2)
"""How long a delivery that ended is kept, and how long its text is."""
_TIDIED_KEY = "deliveries tidied"


class Conservation(NamedTuple):
    """How many deliveries were ever created, how many deleted, and how many are in each state."""

    created: int
    tidied: int
    states: dict[str, int]

    @property
    def total_kept(self) -> int:
        """How many must be there: created, and not deleted."""
        return self.created - self.tidied

    @property
    def is_balanced(self) -> bool:
        """Whether every delivery that must be there is in exactly one known state."""
        return set(self.states) <= set(STATES) and sum(self.states.values()) == self.total_kept


async def load_conservation(session: AsyncSession) -> Conservation:
    """Count the deliveries created, deleted and in each state.

    The number created is read from the sequence of ids. On PostgreSQL a rolled-back insert also
    uses up an id.
    """
    query = select(Delivery.state, func.count()).group_by(Delivery.state)
    states = {row[0]: row[1] for row in await session.execute(query)}
    tidied = int(await load_value(session, _TIDIED_KEY) or 0)
    if is_sqlite(session):
        made = text("SELECT seq FROM sqlite_sequence WHERE name = 'delivery'")
    else:
        made = text("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM delivery_id_seq")
    return Conservation(await session.scalar(made) or 0, tidied, states)


async def delete_old(session: AsyncSession, now: datetime) -> None:
    """Delete old texts, ended deliveries, job runs and rate limits; unsolved deliveries stay."""
    over = Delivery.state.in_((SENT, EXPIRED, CANCELLED))
    await session.execute(
        update(Delivery)
        .where(over, Delivery.ended_at < now - BODY_RETENTION, Delivery.body != "")
        .values(body="")
    )
    unneeded = [~still for still in NEEDED]
    gone = await session.execute(
        delete(Delivery).where(over, Delivery.ended_at < now - RETENTION, *unneeded)
    )
    tidied = int(await load_value(session, _TIDIED_KEY) or 0) + max(getattr(gone, "rowcount", 0), 0)
    await save_value(session, _TIDIED_KEY, str(tidied))
    await session.execute(delete(JobRun).where(JobRun.at < now - BODY_RETENTION))
    await session.execute(delete(RateLimit).where(RateLimit.until < now))
