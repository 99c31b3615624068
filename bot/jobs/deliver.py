"""What is owed becomes messages: claim, begin, send, write down how it ended."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.adapters.base import Courier
from bot.deliveries import KINDS, tell_ended
from bot.domain import outcomes
from bot.domain.outcomes import Arrived, Attempt
from bot.failpoints import reach
from bot.jobs import alerts
from bot.jobs.attempts import SEND_WITHIN, Result, attempt, look
from bot.jobs.circuit_breakers import Breakers, Gates
from bot.metrics import SENDS
from db import outbox, sending
from db.base import unit
from db.outbox import Delivery
from db.sending import Claim, Written

log = structlog.get_logger()

AT_ONCE = 96
"""Sends under way in one process."""
AT_ONCE_IN_ONE = 16
"""Of these, in one workspace: no more are refused before the first refusal is understood."""

LEASE = timedelta(seconds=30)
VISIBLE = timedelta(seconds=SEND_WITHIN) + outcomes.SETTLE
"""After its beginning, until what arrived is surely seen."""
DRAIN_WITHIN = 8.0
"""Seconds that sends under way have to end when the program does; hosts kill after ten."""
POLL = 1.0
"""Seconds between two looks at the database while nothing wakes it."""
ROOT_PAUSE = timedelta(seconds=2)
"""How long something waits for the message that it stands under."""
UNSERVED_FOR = timedelta(minutes=1)
"""How long a workspace that no courier here speaks in is left out."""


@dataclass
class Deliverer:
    """Sends what is due, as one of any number of processes. `keys`: newest first, as for tokens."""

    engine: AsyncEngine
    couriers: Sequence[Courier]
    keys: Sequence[str]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    chance: Callable[[], float] = random.random
    at_once: int = AT_ONCE
    _breakers: Breakers = field(default_factory=Breakers)
    _under_way: dict[asyncio.Task[Result], Delivery] = field(default_factory=dict)
    _written: list[Written] = field(default_factory=list)
    _gates: Gates = field(default_factory=dict)
    _opens: list[datetime] = field(default_factory=list)
    _unserved: dict[tuple[str, str], datetime] = field(default_factory=dict)
    _kept_house: datetime | None = None
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _ending: bool = False

    def wake(self) -> None:
        """Something was owed just now in this process."""
        self._woken.set()

    async def run(self) -> None:
        """Deliver until cancelled; then what is under way ends, and nothing new begins."""
        turning = asyncio.create_task(self._turn_on())
        try:
            await asyncio.shield(turning)
        except asyncio.CancelledError:
            self._ending = True
            self._woken.set()
            await turning
            raise

    async def once(self) -> None:
        """Deliver until nothing more can be done at this time of the clock."""
        while await self._turn() or self._under_way or self._written:
            if self._under_way and not self._written:
                await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)

    async def _turn_on(self) -> None:
        while not self._ending:
            self._woken.clear()
            try:
                busy = await self._turn()
            except (DBAPIError, OSError) as error:
                log.warning("outbox out of reach", error=type(error).__name__)
                busy = False
            if not (busy or self._ending):
                await self._until_something()
        await self._drain()

    async def _turn(self) -> bool:
        """One round: was there anything to do?"""
        wrote = await self._write()
        await self._keep_house()
        return await self._send_more() or wrote

    async def _until_something(self) -> None:
        """A send that ended, somebody who woke us, a gate that opens, or the usual second."""
        now = self.clock()
        self._opens = [until for until in self._opens if until > now]
        soonest = min(((until - now).total_seconds() for until in self._opens), default=POLL)
        woken = asyncio.ensure_future(self._woken.wait())
        waited: set[asyncio.Future[Any]] = {woken, *self._under_way}
        try:
            await asyncio.wait(
                waited, timeout=min(soonest, POLL), return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            woken.cancel()

    async def _drain(self) -> None:
        """What does not end in time may have arrived: whoever comes next looks for it."""
        if self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=DRAIN_WITHIN)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
        try:
            await self._write()
        except (DBAPIError, OSError) as error:
            log.warning("outbox out of reach", error=type(error).__name__)

    # --- once a second: what died with its process, and what would be stale ---

    async def _keep_house(self) -> None:
        now = self.clock()
        if self._kept_house is not None and now - self._kept_house < timedelta(seconds=POLL):
            return
        reach("deliver.before_recover")
        async with unit(self.engine, writes=True) as session:
            lost = await sending.recover(session, now, VISIBLE)
            stale = await sending.expire(session, now)
            await session.flush()
            await tell_ended(session, now, [*lost, *stale])
            await alerts.notify_of_failures(session, now, lost)
            reach("deliver.before_recover_commit")
        reach("deliver.after_recover_commit")
        self._kept_house = now

    # --- from the database to the platform ---

    async def _send_more(self) -> bool:
        free = self.at_once - len(self._under_way)
        if free <= 0 or self._ending:
            return False
        now = self.clock()
        claims = await self._claim(now, free)
        posts, looks, waits = list[Claim](), list[Claim](), list[Delivery]()
        for claim in claims:
            match _next_step(claim, self._courier(claim.row), now):
                case "post":
                    posts.append(claim)
                case "look":
                    looks.append(claim)
                case "wait":
                    waits.append(claim.row)
                case Written() as over:
                    self._written.append(over)
        begun = await self._begin(now, posts, waits)
        for claim in looks:
            self._start(claim, look(self._courier(claim.row), self.keys, claim, now))
        for claim in begun:
            self._start(claim, attempt(self._courier(claim.row), self.keys, claim, now))
        return bool(claims)

    async def _claim(self, now: datetime, free: int) -> Sequence[Claim]:
        busy = Counter(_home(row) for row in self._under_way.values())
        trying = {row.platform for row in self._under_way.values()}

        def may(row: Delivery) -> bool:
            home = _home(row)
            if not any(c.serves(*home) for c in self.couriers):
                self._unserved[home] = now + UNSERVED_FOR
                return False
            room = self._breakers.room(row, AT_ONCE_IN_ONE)
            down = self._breakers.outage(row.platform)
            if busy[home] >= room or (down and row.platform in trying):
                return False
            busy[home] += 1
            trying.add(row.platform)
            return True

        self._unserved = {home: until for home, until in self._unserved.items() if until > now}
        full = {home for home, number in busy.items() if number >= AT_ONCE_IN_ONE}
        reach("deliver.before_claim")
        async with unit(self.engine, writes=True) as session:
            taken = await sending.claim(
                session, now, LEASE, free, may, full | set(self._unserved),
                {name for name in trying if self._breakers.outage(name)},
            )  # fmt: skip
            await tell_ended(session, now, taken.ended)
            reach("deliver.before_claim_commit")
        reach("deliver.after_claim_commit")
        return taken.claims

    def _courier(self, row: Delivery) -> Courier:
        return next(c for c in self.couriers if c.serves(row.platform, row.workspace))

    async def _begin(
        self, now: datetime, posts: Sequence[Claim], waits: Sequence[Delivery]
    ) -> Sequence[Claim]:
        """Those that are marked as under way, for good; the others are free again."""
        if not (posts or waits):
            return ()
        reach("deliver.before_begin")
        async with unit(self.engine, writes=True) as session:
            rows = [claim.row for claim in posts]
            ours = await sending.begin(session, now, LEASE, rows) if rows else set[int]()
            refused = [row for row in rows if row.id not in ours]
            if refused:
                await sending.release(session, refused, now)
            if waits:
                await sending.release(session, waits, now + ROOT_PAUSE)
            reach("deliver.before_begin_commit")
        reach("deliver.after_inflight")
        return [claim for claim in posts if claim.row.id in ours]

    def _start(self, claim: Claim, work: Coroutine[Any, Any, Result]) -> None:
        self._under_way[asyncio.create_task(work)] = claim.row

    # --- and back ---

    async def _write(self) -> bool:
        """Everything that ended, in one transaction with what follows from it."""
        for task in [task for task in self._under_way if task.done()]:
            del self._under_way[task]
            self._judge(task.result())
        if not self._written:
            return False
        now, written, gates = self.clock(), list(self._written), dict(self._gates)
        reach("deliver.before_settle")
        async with unit(self.engine, writes=True) as session:
            ended = await sending.settle(session, now, written)
            if gates:
                await sending.shut(session, gates)
            await session.flush()
            await tell_ended(session, now, ended)
            await alerts.notify_of_failures(session, now, ended)
            reach("deliver.before_settle_commit")
        reach("deliver.after_settle_commit")
        del self._written[: len(written)]
        self._opens += [until for until, _ in gates.values()]
        self._gates = {key: gate for key, gate in self._gates.items() if gates.get(key) != gate}
        return True

    def _judge(self, result: Result) -> None:
        """What one end means: for its delivery, and for everything behind the same gate."""
        row, end, now, chance = result.row, result.end, self.clock(), self.chance()
        self._breakers.note(row, end)
        courier, kind = self._courier(row), KINDS.get(row.kind)
        became = outcomes.outcome(
            end,
            Attempt(
                now=now,
                began=result.began,
                number=row.attempts + (not result.looked),
                doubted_since=row.began_at if row.act == "post" else None,
                expires=row.expires,
                repeatable=row.act != "post",
                drops_doubles=timedelta(seconds=courier.doubles_dropped_for()),
                resends=kind is not None and kind.unsure == "resend",
                resent=row.resent,
                outage=self._breakers.outage(row.platform),
                chance=chance,
            ),
        )
        SENDS.labels(row.platform, became.state).inc()
        self._gates |= self._breakers.gates(row, end, now, chance)
        if result.gate:
            self._gates[result.gate] = (now + result.wait, became.reason)
        if isinstance(end, Arrived) and not result.looked and row.act == "post" and courier.pace():
            self._gates[row.lane] = (now + timedelta(seconds=courier.pace()), "pace")
        self._written.append(
            Written(
                row.id, row.fence, became.state, became.reason, became.retry_at, became.doubt,
                became.counted, became.resent, result.posted.id, result.posted.channel,
                result.closed,
            )
        )  # fmt: skip


def _home(row: Delivery) -> tuple[str, str]:
    return row.platform, row.workspace


def _next_step(
    claim: Claim, courier: Courier, now: datetime
) -> Literal["post", "look", "wait"] | Written:
    """What is to be done with a delivery in hand, or how it ended without being sent."""
    row, root = claim
    if row.of_id or row.under_id or row.act != "post":
        if root is not None and root.state in outbox.PENDING:
            return "wait"
        if root is None or root.state != outbox.SENT:
            state = outbox.DEAD if row.act == "post" else outbox.CANCELLED
            return Written(row.id, row.fence, state, "what it belongs to never arrived")
    if row.began_at is None or row.act != "post":
        return "post"
    stale = row.expires is not None and row.expires <= now
    safe = now - row.began_at < timedelta(seconds=courier.doubles_dropped_for())
    return "post" if safe and not stale else "look"
