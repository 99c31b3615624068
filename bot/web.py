"""What every HTTP process answers besides its adapters: health, readiness, metrics."""

import hmac
import ipaddress
from collections.abc import Sequence

from aiohttp import web
from prometheus_client import generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.adapters.base import Adapter
from bot.metrics import REGISTRY
from db import migrate

BY_A_PROXY = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via")


def add_routes(
    app: web.Application, engine: AsyncEngine, adapters: Sequence[Adapter], token: str
) -> None:
    """`/healthz` says the process lives, `/readyz` that it can work, `/metrics` how much it did."""

    async def healthz(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(request: web.Request) -> web.Response:
        checks = {"database": await _database(engine)}
        checks |= {a.platform: a.ready() for a in adapters}
        fine = all(checks.values())
        said = {name: "ok" if good else "fail" for name, good in checks.items()}
        return web.json_response(said, status=200 if fine else 503)

    async def metrics(request: web.Request) -> web.Response:
        if not _may_read(request, token):
            raise web.HTTPForbidden(
                text="Metrics are for this machine, or with the bearer token.\n"
            )
        return web.Response(body=generate_latest(REGISTRY), content_type="text/plain")

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)


async def _database(engine: AsyncEngine) -> bool:
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        return await migrate.revision(engine) == migrate.head()
    except (SQLAlchemyError, OSError):
        return False


def _may_read(request: web.Request, token: str) -> bool:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token and hmac.compare_digest(given.encode(), token.encode()):
        return True
    try:
        near = ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        return False
    # A proxy on this machine speaks for the world outside.
    return near and not any(name in request.headers for name in BY_A_PROXY)
