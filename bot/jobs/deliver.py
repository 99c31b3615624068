"""The delivery worker: claims due deliveries, sends them and records how they ended."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from bot.adapters.base import DeliveryAdapter
from bot.deliveries import KINDS, run_ended_hooks
from bot.domain import outcomes
from bot.domain.outcomes import Attempt, Delivered
from bot.failpoints import reach
from bot.jobs import alerts
from bot.jobs.attempts import SEND_TIMEOUT, AttemptReport, attempt_delivery, look_up_delivery
from bot.jobs.circuit_breakers import CircuitBreakers, RateLimits
from bot.metrics import CLOCK_STEPS, SENDS
from db import outbox, recovery, sending, withdrawing
from db.base import transaction
from db.outbox import Delivery
from db.sending import Claim, Settlement

log = structlog.get_logger()

MAX_CONCURRENT = 96
"""Maximum sends under way in one process."""
MAX_PER_WORKSPACE = 16
"""Maximum of these in one workspace: no more are refused before the first refusal is read."""

LEASE = timedelta(seconds=30)
VISIBILITY_DELAY = timedelta(seconds=SEND_TIMEOUT) + outcomes.SETTLE_PAUSE
"""Time from the beginning of an attempt until a message that arrived is surely visible."""
DRAIN_TIMEOUT = 8.0
"""Seconds that sends under way have to end when the process stops; hosts kill after ten."""
POLL_SECONDS = 1.0
"""Seconds between two looks at the database while nothing wakes the worker."""
ROOT_PAUSE = timedelta(seconds=2)
"""How long a delivery waits for the message that it stands under, before it is tried again."""
ALIVE_SECONDS = 60.0
"""A worker that did not look for due deliveries for so long does not work."""
UNSERVED_PAUSE = timedelta(minutes=1)
"""How long a workspace that no adapter here serves is left out."""


@dataclass
class DeliveryWorker:
    """Sends what is due, as one of any number of processes.

    `keys` sign the markers of messages, newest first, as for tokens. `chance` returns 0 to 1.
    """

    engine: AsyncEngine
    adapters: Sequence[DeliveryAdapter]
    keys: Sequence[str]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    chance: Callable[[], float] = random.random
    concurrency: int = MAX_CONCURRENT
    _circuit_breakers: CircuitBreakers = field(default_factory=CircuitBreakers)
    _running: dict[asyncio.Task[AttemptReport], Delivery] = field(default_factory=dict)
    _settlements: list[Settlement] = field(default_factory=list)
    _rate_limits: RateLimits = field(default_factory=dict)
    _reopening_times: list[datetime] = field(default_factory=list)
    _unserved: dict[tuple[str, str], datetime] = field(default_factory=dict)
    _maintained_at: datetime | None = None
    _wake_event: asyncio.Event = field(default_factory=asyncio.Event)
    _is_stopping: bool = False
    _turned_at: float = field(default_factory=time.monotonic)

    def wake(self) -> None:
        """Look for due deliveries now: this process has just enqueued one."""
        self._wake_event.set()

    async def run(self) -> None:
        """Deliver until cancelled; then begin nothing new and wait for the sends under way."""
        turning = asyncio.create_task(self._run_loop())
        try:
            await asyncio.shield(turning)
        except asyncio.CancelledError:
            self._is_stopping = True
            self._wake_event.set()
            await turning
            raise

    async def run_until_idle(self) -> None:
        """Deliver until nothing more can be done at the clock's present time."""
        while await self._run_turn() or self._running or self._settlements:
            if self._running and not self._settlements:
                await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    async def _run_loop(self) -> None:
        while not self._is_stopping:
            self._wake_event.clear()
            try:
                busy = await self._run_turn()
            except (DBAPIError, OSError) as error:
                log.warning("outbox out of reach", error=type(error).__name__)
                busy = False
            if not (busy or self._is_stopping):
                await self._wait_for_work()
        await self._drain()

    async def _run_turn(self) -> bool:
        """Save results, run maintenance and begin sends; return whether there was any work."""
        wrote = await self._save_results()
        await self._run_maintenance()
        busy = await self._send_more() or wrote
        self._turned_at = time.monotonic()
        return busy

    def is_alive(self) -> bool:
        """Return whether the worker has looked for due deliveries a short time ago."""
        return time.monotonic() - self._turned_at < ALIVE_SECONDS

    async def _wait_for_work(self) -> None:
        """Wait for a send to end, a wake-up or the end of a rate limit; POLL_SECONDS at most."""
        now = self.clock()
        self._reopening_times = [until for until in self._reopening_times if until > now]
        soonest = min(
            ((until - now).total_seconds() for until in self._reopening_times), default=POLL_SECONDS
        )
        woken = asyncio.ensure_future(self._wake_event.wait())
        waited: set[asyncio.Future[Any]] = {woken, *self._running}
        try:
            await asyncio.wait(
                waited, timeout=min(soonest, POLL_SECONDS), return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            woken.cancel()

    async def _drain(self) -> None:
        """Wait for the sends under way, cancel those that are late, and save the results.

        A cancelled send may have arrived: the next process looks for it.
        """
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=DRAIN_TIMEOUT)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
        try:
            await self._save_results()
        except (DBAPIError, OSError) as error:
            log.warning("outbox out of reach", error=type(error).__name__)

    # --- once a second: recover the claims of dead processes, expire what is stale ---

    async def _run_maintenance(self) -> None:
        now, before = self.clock(), self._maintained_at
        if before is not None and before <= now < before + timedelta(seconds=POLL_SECONDS):
            return
        reach("deliver.before_recover")
        async with transaction(self.engine, writes=True) as session:
            step = before - now if before else await recovery.find_clock_step(session, now)
            if step > outbox.CLOCK_SKEW:
                await self._adapt_to_clock(session, now, step)
            lost = await recovery.recover_lost_claims(session, now, VISIBILITY_DELAY, LEASE)
            stale = await recovery.expire_stale(session, now)
            await session.flush()
            await run_ended_hooks(session, now, [*lost, *stale])
            await alerts.notify_of_failures(session, now, lost)
            reach("deliver.before_recover_commit")
        reach("deliver.after_recover_commit")
        self._maintained_at = now

    async def _adapt_to_clock(self, session: AsyncSession, now: datetime, step: timedelta) -> None:
        """Forget and bring forward what stands in the future, since the clock went back by `step`.

        The admins are alerted: until the clock is right, platforms may refuse the hub.
        """
        CLOCK_STEPS.inc()
        log.error("clock went back", seconds=round(step.total_seconds()))
        self._unserved.clear()
        self._reopening_times.clear()
        await recovery.realign(session, now)
        await alerts.notify_of_clock(session, now, step)

    # --- from the database to the platform ---

    async def _send_more(self) -> bool:
        free = self.concurrency - len(self._running)
        if free <= 0 or self._is_stopping:
            return False
        now = self.clock()
        claims = await self._claim(now, free)
        posts, looks, waits = list[Claim](), list[Claim](), list[Delivery]()
        for claim in claims:
            match _next_step(claim, self._find_adapter(claim.row), now):
                case "post":
                    posts.append(claim)
                case "look":
                    looks.append(claim)
                case "wait":
                    waits.append(claim.row)
                case Settlement() as over:
                    self._settlements.append(over)
        begun, late_looks = await self._mark_in_flight(now, posts, waits)
        for claim in (*looks, *late_looks):
            self._start(
                claim, look_up_delivery(self._find_adapter(claim.row), self.keys, claim, now)
            )
        for claim in begun:
            adapter = self._find_adapter(claim.row)
            self._start(claim, attempt_delivery(adapter, self.keys, claim, now))
        return bool(claims)

    async def _claim(self, now: datetime, free: int) -> Sequence[Claim]:
        busy = Counter(_workspace_of(row) for row in self._running.values())
        trying = {row.platform for row in self._running.values()}

        def may(row: Delivery) -> bool:
            home = _workspace_of(row)
            if not any(c.serves(*home) for c in self.adapters):
                self._unserved[home] = now + UNSERVED_PAUSE
                return False
            room = self._circuit_breakers.concurrency_limit(row, MAX_PER_WORKSPACE)
            down = self._circuit_breakers.is_outage(row.platform)
            if busy[home] >= room or (down and row.platform in trying):
                return False
            busy[home] += 1
            trying.add(row.platform)
            return True

        self._unserved = {home: until for home, until in self._unserved.items() if until > now}
        full = {home for home, number in busy.items() if number >= MAX_PER_WORKSPACE}
        reach("deliver.before_claim")
        async with transaction(self.engine, writes=True) as session:
            taken = await sending.claim_deliveries(
                session,
                now,
                LEASE,
                free,
                may,
                full | set(self._unserved),
                {name for name in trying if self._circuit_breakers.is_outage(name)},
            )
            await run_ended_hooks(session, now, taken.ended_deliveries)
            reach("deliver.before_claim_commit")
        reach("deliver.after_claim_commit")
        return taken.claims

    def _find_adapter(self, row: Delivery) -> DeliveryAdapter:
        return next(c for c in self.adapters if c.serves(row.platform, row.workspace))

    async def _mark_in_flight(
        self, now: datetime, posts: Sequence[Claim], waits: Sequence[Delivery]
    ) -> tuple[Sequence[Claim], Sequence[Claim]]:
        """Commit the posts as in flight and release the others.

        Returns those that may be sent and those that are only looked for. What was taken back since
        it was claimed is not sent; an earlier attempt may have arrived, and is looked for.
        """
        if not (posts or waits):
            return (), ()
        reach("deliver.before_begin")
        async with transaction(self.engine, writes=True) as session:
            unwanted = await withdrawing.list_unwanted(session, [claim.row for claim in posts])
            rows = [claim.row for claim in posts if claim.row.id not in unwanted]
            ours = await sending.mark_in_flight(session, now, LEASE, rows) if rows else set[int]()
            refused = [row for row in rows if row.id not in ours]
            if refused:
                await sending.release_claims(session, refused, now)
            if waits:
                await sending.release_claims(session, waits, now + ROOT_PAUSE)
            reach("deliver.before_begin_commit")
        reach("deliver.after_inflight")
        looks = []
        for claim in (claim for claim in posts if claim.row.id in unwanted):
            row = claim.row
            if row.act == "post" and row.began_at is not None:
                looks.append(claim)
            else:  # never begun, or an edit, whose message is removed in any case
                over = Settlement(row.id, row.fence, outbox.CANCELLED, "taken back")
                self._settlements.append(over)
        return [claim for claim in posts if claim.row.id in ours], looks

    def _start(self, claim: Claim, work: Coroutine[Any, Any, AttemptReport]) -> None:
        self._running[asyncio.create_task(work)] = claim.row

    # --- from the platform to the database ---

    async def _save_results(self) -> bool:
        """Save all sends that ended, and what follows from them, in one transaction.

        Returns whether there was anything to save.
        """
        for task in [task for task in self._running if task.done()]:
            del self._running[task]
            self._queue_settlement(task.result())
        if not self._settlements:
            return False
        now, written, gates = self.clock(), list(self._settlements), dict(self._rate_limits)
        reach("deliver.before_settle")
        async with transaction(self.engine, writes=True) as session:
            ended = await sending.record_results(session, now, written)
            if gates:
                await sending.set_rate_limits(session, now, gates)
            await session.flush()
            await run_ended_hooks(session, now, ended)
            await alerts.notify_of_failures(session, now, ended)
            reach("deliver.before_settle_commit")
        reach("deliver.after_settle_commit")
        del self._settlements[: len(written)]
        self._reopening_times += [until for until, _ in gates.values()]
        self._rate_limits = {
            key: gate for key, gate in self._rate_limits.items() if gates.get(key) != gate
        }
        return True

    def _queue_settlement(self, result: AttemptReport) -> None:
        """Decide the outcome of a send; queue it and its rate limits for `_save_results`."""
        row, end, now, chance = result.row, result.end, self.clock(), self.chance()
        self._circuit_breakers.record(row, end)
        adapter, kind = self._find_adapter(row), KINDS.get(row.kind)
        became = outcomes.decide_outcome(
            end,
            Attempt(
                now=now,
                started_at=result.began,
                number=row.attempts + (not result.is_lookup),
                ambiguous_since=row.began_at if row.act == "post" else None,
                expires=row.expires,
                is_idempotent=row.act != "post",
                dedup_window=timedelta(seconds=adapter.deduplication_seconds()),
                can_resend=kind is not None and kind.on_ambiguous == "resend",
                was_resent=row.resent,
                outage=self._circuit_breakers.is_outage(row.platform),
                jitter=chance,
            ),
        )
        SENDS.labels(row.platform, became.state).inc()
        self._rate_limits |= self._circuit_breakers.rate_limits_after(row, end, now, chance)
        if result.rate_limit:
            self._rate_limits[result.rate_limit] = (now + result.wait, became.reason)
        if (
            isinstance(end, Delivered)
            and not result.is_lookup
            and row.act == "post"
            and adapter.post_interval()
        ):
            self._rate_limits[row.lane] = (now + timedelta(seconds=adapter.post_interval()), "pace")
        self._settlements.append(
            Settlement(
                row.id,
                row.fence,
                became.state,
                became.reason,
                became.retry_at,
                became.is_ambiguous,
                became.counts_as_attempt,
                became.is_resend,
                result.posted.id,
                result.posted.channel,
                result.dm_closed,
            )
        )


def _workspace_of(row: Delivery) -> tuple[str, str]:
    return row.platform, row.workspace


def _next_step(
    claim: Claim, adapter: DeliveryAdapter, now: datetime
) -> Literal["post", "look", "wait"] | Settlement:
    """Return what to do with a claimed delivery, or its settlement if it is not to be sent."""
    row, root = claim
    if row.of_id or row.under_id or row.act != "post":
        if root is not None and root.state in outbox.PENDING:
            return "wait"
        if root is None or root.state != outbox.SENT:
            state = outbox.DEAD if row.act == "post" else outbox.CANCELLED
            return Settlement(row.id, row.fence, state, "what it belongs to never arrived")
    if row.began_at is None or row.act != "post":
        return "post"
    stale = row.expires is not None and row.expires <= now
    began = row.began_at
    safe = began <= now < began + timedelta(seconds=adapter.deduplication_seconds())
    return "post" if safe and not stale else "look"
