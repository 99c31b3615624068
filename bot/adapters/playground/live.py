"""Live updates: every open page gets every message that its people may see."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiohttp import web

from bot.adapters.playground.guard import HEADERS, BadCallError
from bot.adapters.playground.world import Message, Persona

MAX_STREAMS = 64
MAX_QUEUED = 200
HEARTBEAT = 15.0

MessageRenderer = Callable[[Message, Persona], Awaitable[dict[str, Any]]]
"""Returns one message as JSON for the page of one viewer."""


class LiveStreams:
    """The open event streams, one for each page."""

    def __init__(self) -> None:
        self._streams: set[asyncio.Queue[Message | None]] = set()

    def publish(self, message: Message) -> None:
        """Send the message to every open page."""
        for queue in self._streams:
            _enqueue(queue, message)

    def end(self) -> None:
        """End every stream; browsers reconnect by themselves."""
        for queue in self._streams:
            _enqueue(queue, None)

    async def serve(
        self,
        request: web.Request,
        viewers: Sequence[Persona],
        missed: Sequence[Message],
        draw: MessageRenderer,
    ) -> web.StreamResponse:
        """Stream what the page missed, then everything as it happens.

        Raises `BadCallError` when too many pages are open.
        """
        if len(self._streams) >= MAX_STREAMS:
            raise BadCallError("Too many pages are open; close one and reload.", 503)
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        queue: asyncio.Queue[Message | None] = asyncio.Queue(MAX_QUEUED)
        self._streams.add(queue)
        try:
            await response.prepare(request)
            await response.write(b"retry: 2000\n\n")
            for message in missed:
                await _send_event(response, message, viewers, draw)
            await _follow(response, queue, viewers, draw)
        except ConnectionResetError:
            pass  # the page was closed
        finally:
            self._streams.discard(queue)
        return response


def _enqueue(queue: asyncio.Queue[Message | None], message: Message | None) -> None:
    if queue.full():
        queue.get_nowait()  # a page that does not read loses the oldest, not the newest
    queue.put_nowait(message)


async def _follow(
    response: web.StreamResponse,
    queue: asyncio.Queue[Message | None],
    viewers: Sequence[Persona],
    draw: MessageRenderer,
) -> None:
    while True:
        try:
            message = await asyncio.wait_for(queue.get(), HEARTBEAT)
        except TimeoutError:
            await response.write(b": still here\n\n")
            continue
        if message is None:
            return
        await _send_event(response, message, viewers, draw)


async def _send_event(
    response: web.StreamResponse,
    message: Message,
    viewers: Sequence[Persona],
    draw: MessageRenderer,
) -> None:
    for viewer in viewers:
        if message.is_visible_to(viewer.key):
            event = json.dumps(await draw(message, viewer))
            await response.write(f"id: {message.version}\ndata: {event}\n\n".encode())
