"""Adds what every HTTP process answers besides its adapters: health, readiness and metrics."""

import contextlib
import hmac
import ipaddress
import re
import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web
from prometheus_client import generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.adapters.base import Adapter
from bot.metrics import AUDIT_HEAD, DELIVERIES, OLDEST_DELIVERY_SECONDS, REGISTRY
from db import audit, job_runs, migrate, outbox, sending
from db.base import transaction

PROXY_HEADERS = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via")


DELIVERY_PATIENCE = timedelta(minutes=5)
"""How long a delivery may wait that nothing hinders; then nobody sends."""
TIMETABLE_PATIENCE = timedelta(minutes=15)
"""How old the newest job run may be; there is one every five minutes."""
MIN_FREE_BYTES = 20_000_000


@dataclass
class Readiness:
    """What `/readyz` looks at besides the database and the adapters.

    `checks` say, by name, whether a part of this process works. `platforms`: those to which
    somebody has to deliver. `folder`: where an embedded database needs space.
    """

    checks: dict[str, Callable[[], bool]] = field(default_factory=dict)
    platforms: Collection[str] = ()
    folder: Path | None = None
    min_free_bytes: int = MIN_FREE_BYTES
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def check(self, engine: AsyncEngine, adapters: Sequence[Adapter]) -> dict[str, bool]:
        """Return, by name, whether each thing that the hub needs is well."""
        found = {"database": await _is_database_ready(engine)}
        if self.folder:
            found["disk"] = shutil.disk_usage(self.folder).free >= self.min_free_bytes
        found |= {a.platform: a.is_ready() for a in adapters}
        found |= {name: check() for name, check in self.checks.items()}
        if found["database"]:
            found |= await self._check_deliveries(engine)
        return found

    async def _check_deliveries(self, engine: AsyncEngine) -> dict[str, bool]:
        """Look in the database for what other processes have to do."""
        now = self.clock()
        async with transaction(engine) as session:
            late = await sending.find_overdue(session, now, DELIVERY_PATIENCE, self.platforms)
            newest = await job_runs.find_newest(session)
        found = {"deliveries": late is None}
        if newest and "timetable" not in self.checks:
            found["timetable"] = now - newest < TIMETABLE_PATIENCE
        return found


def add_routes(
    app: web.Application,
    engine: AsyncEngine,
    adapters: Sequence[Adapter],
    token: str,
    readiness: Readiness,
) -> None:
    """Add `/healthz` (the process runs), `/readyz` (it can work) and `/metrics` (Prometheus)."""

    async def healthz(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(request: web.Request) -> web.Response:
        checks = await readiness.check(engine, adapters)
        fine = all(checks.values())
        said = {name: "ok" if good else "fail" for name, good in checks.items()}
        if checks["database"]:
            said["queue"] = f"{await _count_deliveries(engine):.0f} s"
        return web.json_response(said, status=200 if fine else 503)

    async def metrics(request: web.Request) -> web.Response:
        if not _can_read_metrics(request, token):
            raise web.HTTPForbidden(
                text="Metrics are for this machine, or with the bearer token.\n"
            )
        with contextlib.suppress(SQLAlchemyError, OSError):
            await _count_deliveries(engine, all_of_them=True)
            await _note_audit_head(engine)
        return web.Response(body=generate_latest(REGISTRY), content_type="text/plain")

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)


async def _is_database_ready(engine: AsyncEngine) -> bool:
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        return await migrate.revision(engine) == migrate.head()
    except (SQLAlchemyError, OSError):
        return False


async def _count_deliveries(engine: AsyncEngine, *, all_of_them: bool = False) -> float:
    """Set the gauges of deliveries; return the age of the oldest due one in seconds.

    The numbers come from the database, so that every process reports the same. `all_of_them` also
    counts deliveries by state, kind and reason.
    """
    now = datetime.now(UTC)
    async with transaction(engine) as session:
        first = await outbox.find_oldest_due(session, now)
        counts = await outbox.count_by_state(session) if all_of_them else ()
    age = (now - first.at).total_seconds() if first else 0.0
    OLDEST_DELIVERY_SECONDS.set(age)
    if all_of_them:
        DELIVERIES.clear()
        for one in counts:
            DELIVERIES.labels(one.state, one.kind, _shorten_reason(one.reason)).inc(one.number)
    return age


async def _note_audit_head(engine: AsyncEngine) -> None:
    """Set the gauge of the audit log's head: who collects metrics keeps it out of the database."""
    async with transaction(engine) as session:
        head = await audit.load_head(session)
    AUDIT_HEAD.clear()
    AUDIT_HEAD.labels(head.seal).set(head.number)


def _shorten_reason(reason: str) -> str:
    """Reduce a platform's reason to a few shapes, so that metrics cannot fill a disk."""
    return re.sub(r"[^a-z_ ]", "", reason.casefold())[:40]


def _can_read_metrics(request: web.Request, token: str) -> bool:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token and hmac.compare_digest(given.encode(errors="surrogateescape"), token.encode()):
        return True
    try:
        near = ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        return False
    # A proxy on this machine passes on requests from outside.
    return near and not any(name in request.headers for name in PROXY_HEADERS)
