"""Serves files of a conversation that only one workspace may read to its other side."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable
from urllib.parse import quote

import structlog
from aiohttp import ClientError, web
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.adapters.base import Adapter, RemoteFile
from bot.community.relay.cards import MAX_FILE_SIZE
from bot.community.talks.opening import can_talk
from bot.domain.escaping import one_line
from bot.links import Links, SharedFile
from db import members, relay
from db.base import transaction

LINK_LIFETIME = timedelta(days=7)
"""How long the other side may open a file."""

STREAM_TIMEOUT = 120.0
"""Seconds within which a file must be read and written."""

log = structlog.get_logger()

NOT_FOUND_TEXT = "This file cannot be opened here any more; ask for it in your conversation.\n"


@runtime_checkable
class FileSource(Protocol):
    """An adapter that can read the files of its platform."""

    platform: str

    def open_file(
        self, workspace: str, name: str
    ) -> AbstractAsyncContextManager[RemoteFile | None]:
        """Open a file by its platform's id; yields None where it is gone or may not be read."""


def add_routes(
    app: web.Application,
    engine: AsyncEngine,
    links: Links,
    adapters: Sequence[Adapter],
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Add `/relay/file/<token>`: streams a file from its platform; the hub keeps nothing of it."""

    async def shared(request: web.Request) -> web.StreamResponse:
        known = links.parse_file_token(request.match_info["token"], clock(), LINK_LIFETIME)
        sources = {a.platform: a for a in adapters if isinstance(a, FileSource)}
        source = sources.get(known.platform) if known else None
        if known is None or source is None or not await _can_read(engine, known, clock()):
            raise web.HTTPNotFound(text=NOT_FOUND_TEXT)
        async with source.open_file(known.workspace, known.file) as found:
            if found is None or not 0 < found.size <= MAX_FILE_SIZE:
                raise web.HTTPNotFound(text=NOT_FOUND_TEXT)
            return await _stream_file(request, found)

    app.router.add_get("/relay/file/{token}", shared, allow_head=False)


async def _can_read(engine: AsyncEngine, shared: SharedFile, now: datetime) -> bool:
    """Return whether the other side may still open the file.

    It may not once the message was deleted, or one of the two left, was suspended or blocked the
    other; nor while the one who shared it is muted.
    """
    async with transaction(engine) as session:
        line = await relay.find_line_by_source(session, shared.source)
        talk = await session.get(relay.Relay, line.relay_id) if line and not line.gone else None
        if line is None or talk is None or talk.one_id is None or talk.other_id is None:
            return False
        author = await members.load_member(session, line.author_id)
        if author is None or author.is_muted(now):
            return False
        one = await members.load_member(session, talk.one_id)
        other = await members.load_member(session, talk.other_id)
        return one is not None and other is not None and await can_talk(session, one, other)


async def _stream_file(request: web.Request, found: RemoteFile) -> web.StreamResponse:
    """Stream a file as a download that no browser runs.

    One that is not of the size that was stated is refused: the connection is closed before its last
    part, so that nobody takes it for the whole, and nothing more of it is read.
    """
    name = one_line(found.name, 120) or "file"
    response = web.StreamResponse(
        headers={
            "Content-Type": "application/octet-stream",
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        }
    )
    response.content_length = found.size
    await response.prepare(request)
    try:
        async with asyncio.timeout(STREAM_TIMEOUT):
            is_whole = await _copy_chunks(response, found)
    except (ClientError, OSError, TimeoutError):
        is_whole = False
    if not is_whole:
        log.warning("file not passed on whole", size=found.size)
        if request.transport:
            request.transport.abort()
    return response


async def _copy_chunks(response: web.StreamResponse, found: RemoteFile) -> bool:
    """Copy a file, one part behind its reading; return False if its size is another one.

    The last part is written only once the end was seen.
    """
    received, last = 0, b""
    async for chunk in found.chunks:
        received += len(chunk)
        if received > found.size:
            return False
        await response.write(last)
        last = chunk
    if received != found.size:
        return False
    await response.write(last)
    return True
