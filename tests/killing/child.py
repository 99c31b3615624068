"""The one who is killed: a deliverer over real sockets, forked anew for each of its lives.

Started as a program it reads one life a line from its input, forks, and tells how that life
ended. It has no event loop and no thread of its own, so that a fork of it is a fresh process with
everything imported.
"""

import asyncio
import gc
import json
import mmap
import os
import signal
import struct
import sys
import traceback
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot import failpoints
from bot.adapters.base import DeliveryAdapter
from bot.adapters.discord.post import DiscordDeliveryAdapter
from bot.adapters.discord.rest import RestClient
from bot.adapters.slack.client import Clients
from bot.adapters.slack.post import SlackDeliveryAdapter
from bot.adapters.slack.tokens import Tokens
from bot.deliveries import withdraw_delivery
from bot.jobs.deliver import DeliveryWorker
from db import outbox, retention
from db.base import is_sqlite, open_engine, transaction
from db.outbox import CLAIMED, DUE, INFLIGHT, Delivery, RateLimit

KEYS = ("the key of the killing",)
MOST_ROUNDS = 300
STATEMENTS: dict[Any, Any] = {}
"""Compiled once in the program that forks, so that no life has to do it again."""
LEAP = timedelta(seconds=5)
"""The shortest: many short waits are slept through at once."""


class SharedClock:
    """One time for the platform and every life, in eight bytes of a file."""

    def __init__(self, file: Path) -> None:
        with file.open("r+b") as opened:
            self._bytes = mmap.mmap(opened.fileno(), 8)

    @property
    def seconds(self) -> float:
        """Since 1970."""
        return float(struct.unpack("d", self._bytes[:8])[0])

    @seconds.setter
    def seconds(self, value: float) -> None:
        self._bytes[:8] = struct.pack("d", value)

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)


class Killer:
    """Counts the places that are reached, and ends the process at the nth of one name."""

    def __init__(self, name: str, nth: int) -> None:
        self._name, self._left = name, nth
        self.reached: Counter[str] = Counter()

    def __call__(self, name: str) -> None:
        self.reached[name] += 1
        if name == self._name:
            self._left -= 1
            if not self._left:
                os.kill(os.getpid(), signal.SIGKILL)


def create_delivery_adapter(
    job: dict[str, Any], clock: SharedClock
) -> tuple[DeliveryAdapter, Clients | RestClient]:
    """The true one, as a worker has it, and what it speaks through."""
    if job["platform"] == "slack":
        clients = Clients(job["api_url"])
        return SlackDeliveryAdapter(clients, Tokens(clients, job["token"], None), clock), clients
    rest = RestClient(job["token"], job["api_url"], clock=lambda: clock.seconds)
    return DiscordDeliveryAdapter(rest), rest


async def _withdraw(session: AsyncSession, key: str, now: datetime) -> None:
    """Take a delivery back as the hub does, once: a later life finds it taken back."""
    if not await outbox.has_delivery(session, f"{key}:remove"):
        number = await session.scalar(select(Delivery.id).where(Delivery.key == key))
        await withdraw_delivery(session, now, number)


async def _upcoming(
    session: AsyncSession, now: datetime, withdrawn_at: datetime
) -> datetime | None:
    """The next moment at which something may have to be done; None if nothing is pending.

    A gate that is shut, a retry that waits, a lease that would run out, the withdrawal, whichever
    comes first.
    """
    waits = select(func.min(Delivery.retry_at)).where(
        Delivery.state == DUE, Delivery.retry_at > now
    )
    leases = select(func.min(Delivery.lease_until)).where(Delivery.state.in_((CLAIMED, INFLIGHT)))
    gates = select(func.min(RateLimit.until)).where(
        RateLimit.until > now,
        exists().where(Delivery.state == DUE, Delivery.retry_at <= RateLimit.until),
    )
    moments = [await session.scalar(query) for query in (waits, leases, gates)]
    moments.append(withdrawn_at if withdrawn_at > now else None)
    return min((m for m in moments if m is not None), default=None)


async def live(job: dict[str, Any], clock: SharedClock) -> dict[str, Any]:
    """Deliver until nothing is pending, leaping over every wait; the books at the end."""
    engine = open_engine(job["database"])
    engine.sync_engine.update_execution_options(compiled_cache=STATEMENTS)
    adapter, connections = create_delivery_adapter(job, clock)
    deliverer = DeliveryWorker(engine, [adapter], KEYS, clock, chance=lambda: 0.5)
    withdrawn_at = datetime.fromtimestamp(job["withdrawn_at"], UTC)
    for _ in range(MOST_ROUNDS):
        if clock() >= withdrawn_at:
            async with transaction(engine, writes=True) as session:
                await _withdraw(session, job["withdrawn"], clock())
        await deliverer.run_until_idle()
        async with transaction(engine) as session:
            then = await _upcoming(session, clock(), withdrawn_at)
            books = await _books(session) if then is None else {}
        if books:
            await connections.close()
            await engine.dispose()
            return books
        assert then
        clock.seconds = max(then, clock() + LEAP).timestamp() + 0.001
    async with transaction(engine) as session:
        rows = await session.scalars(select(Delivery).where(Delivery.state.in_(outbox.PENDING)))
        left = [f"{r.key}: {r.state} {r.reason} {r.retry_at} {r.lease_until}" for r in rows]
    raise RuntimeError(f"at {clock()} it has not come to rest: {left}")


async def _books(session: AsyncSession) -> dict[str, Any]:
    """Every delivery's state by its key. Numbers are also lost by a rollback on PostgreSQL."""
    rows = (await session.execute(select(Delivery.key, Delivery.state))).all()
    holds = not is_sqlite(session) or (await retention.load_conservation(session)).is_balanced
    return {"states": {row.key: row.state for row in rows}, "holds": holds}


def one_life(job: dict[str, Any]) -> int:
    """0 when it came to rest; in a fork it may also end in the middle of anything."""
    killer = Killer(job.get("name", ""), job.get("nth", 0))
    failpoints.arm(killer)
    try:
        books = asyncio.run(live(job, SharedClock(Path(job["clock"]))))
    except BaseException:
        traceback.print_exc()
        return 1
    print(json.dumps({"reached": killer.reached, **books}), flush=True)
    return 0


def serve() -> None:
    """A line in, a life, and a line out that tells whether it was killed.

    The first life is lived here, without a fork: what it learns all others know.
    """
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    first = True
    while line := sys.stdin.readline():
        if first:
            first = False
            print(json.dumps({"killed": False, "status": one_life(json.loads(line))}), flush=True)
            gc.collect()
            gc.freeze()  # a fork that collects nothing old copies no page of it
            continue
        child = os.fork()
        if not child:
            os._exit(one_life(json.loads(line)))
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print(json.dumps({"killed": killed, "status": status}), flush=True)


if __name__ == "__main__":
    serve()
