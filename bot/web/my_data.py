"""Serves all that is kept of a member, as a file at an address that only they were given."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.links import Links
from db import personal_data, tags
from db.base import transaction
from db.members import Member


def add_routes(
    app: web.Application,
    engine: AsyncEngine,
    links: Links,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Add `/my-data/<token>.json`: a member's data, at an address that only they were given."""

    async def my_data(request: web.Request) -> web.Response:
        now = clock()
        known = links.parse_my_data_token(
            request.match_info["token"], now, personal_data.DOWNLOAD_LIFETIME
        )
        async with transaction(engine) as session:
            member = await session.get(Member, tags.read_number(known)) if known else None
            if member is None or member.tag != known:
                raise web.HTTPNotFound(text="This address is no longer valid; ask for a new one.\n")
            held = await personal_data.load_rows(session, member.id)
        return web.Response(
            body=json.dumps(_build_bundle(held, now), ensure_ascii=False, indent=2, default=str),
            content_type="application/json",
            headers={
                "Content-Disposition": 'attachment; filename="my-data.json"',
                "Cache-Control": "no-store",
            },
        )

    app.router.add_get("/my-data/{token}.json", my_data, allow_head=False)


def _build_bundle(held: dict[str, list[dict[str, Any]]], now: datetime) -> dict[str, Any]:
    """Return the tables with a SHA-256 hash of each, which shows whether one was changed since."""
    hashes = {
        name: hashlib.sha256(json.dumps(rows, sort_keys=True, default=str).encode()).hexdigest()
        for name, rows in held.items()
    }
    return {"made_at": now, "sha256": hashes, "tables": held}
