"""Listens for HTTP connections, and closes those that hold one and ask for nothing.

A connection has a deadline for the headers and for the body of each request and for the pause
between two. There are fewer connections than the process may open files: when all are taken, a new
one replaces the one that has kept the hub waiting longest.
"""

import asyncio
import contextlib
import math
import resource
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import cast

import structlog
from aiohttp import web

from bot.metrics import CLOSED_CONNECTIONS, CONNECTIONS
from bot.web.guard import Handler, answer_faults, refuse_malformed

log = structlog.get_logger()


MAX_CONNECTIONS = 1000
BACKLOG = 128
ACCEPT_PAUSE = 1.0
"""Seconds before connections are accepted again when the process can open no more files."""
STREAM_SECONDS = 30.0
"""A request that is answered for longer is a stream; browsers open it again when it is closed."""
REPORT_SECONDS = 60.0


@dataclass(frozen=True)
class Deadlines:
    """Seconds that a client may take. `check`: how often connections are looked at."""

    headers: float = 10.0
    body: float = 30.0
    idle: float = 75.0
    check: float = 1.0


def connection_limit() -> int:
    """Return how many connections to hold: half of the files that the process may open.

    The other half is for the database and for the connections to the platforms.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_CONNECTIONS if files < 0 else max(1, min(MAX_CONNECTIONS, files // 2))


class Connection(asyncio.Protocol):
    """One connection: passes everything to aiohttp's protocol and knows what it waits for."""

    __slots__ = (
        "_connections",
        "_inner",
        "_transport",
        "deadline",
        "is_answering",
        "since",
        "what",
    )

    def __init__(self, inner: asyncio.Protocol, connections: "Connections") -> None:
        self._inner = inner
        self._connections = connections
        self._transport: asyncio.Transport | None = None
        self.is_answering = False
        self._wait_for("headers")

    def _wait_for(self, what: str) -> None:
        """Start the time of «headers», «body» or «idle»; without one for «answer»."""
        self.what, self.since = what, self._connections.now()
        self.deadline = self.since + getattr(self._connections.deadlines, what, math.inf)

    def begin_request(self, request: web.BaseRequest) -> None:
        """Note that the headers of a request are here; its body may still have to come."""
        self.is_answering = True
        self._wait_for("body")
        request.content.on_eof(self._on_body_received)

    def _on_body_received(self) -> None:
        if self.is_answering:
            self._wait_for("answer")

    def end_request(self) -> None:
        """Note that the answer is made; the client reads it and may then ask again."""
        self.is_answering = False
        self._wait_for("idle")

    def close(self, reason: str) -> None:
        """Close the connection without sending what is still to be sent."""
        self._connections.forget(self, reason)
        if self._transport is not None:
            self._transport.abort()

    # --- what asyncio calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self.what == "idle":
            self._wait_for("headers")
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.forget(self)
        self._inner.connection_lost(exc)


@dataclass
class Connections:
    """All open connections of an HTTP server; never more than `limit`."""

    create_protocol: Callable[[], asyncio.Protocol]
    limit: int = field(default_factory=connection_limit)
    deadlines: Deadlines = Deadlines()
    open: set[Connection] = field(default_factory=set)
    _closed: Counter[str] = field(default_factory=Counter)
    _reported: float = -math.inf

    def now(self) -> float:
        """Return the time by the clock of the event loop."""
        return asyncio.get_running_loop().time()

    async def accept(self, listening: socket.socket) -> None:
        """Accept the connections that come to a socket, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                taken, _ = await loop.sock_accept(listening)
            except ConnectionAbortedError:
                continue
            except OSError:  # no more files can be opened
                self._count("accept_failed")
                await asyncio.sleep(0 if self._close_longest_waiting() else ACCEPT_PAUSE)
                continue
            if len(self.open) >= self.limit and not self._close_longest_waiting():
                self._count("refused")
                taken.close()
                continue
            await self._connect(taken)

    async def _connect(self, taken: socket.socket) -> None:
        connection = Connection(self.create_protocol(), self)
        self.open.add(connection)
        CONNECTIONS.set(len(self.open))
        with contextlib.suppress(OSError):
            await asyncio.get_running_loop().connect_accepted_socket(lambda: connection, taken)

    def _close_longest_waiting(self) -> bool:
        """Close the connection that has waited longest; return False if none can be closed.

        A request that is being answered is not interrupted, but for streams, which come last.
        """
        streams_before = self.now() - STREAM_SECONDS
        able = [c for c in self.open if c.what != "answer" or c.since < streams_before]
        if not able:
            return False
        min(able, key=lambda c: (c.what == "answer", c.since)).close("full")
        return True

    def forget(self, connection: Connection, reason: str = "") -> None:
        """Take a connection off the list; `reason` says why the hub closed it."""
        if connection in self.open:
            self.open.discard(connection)
            CONNECTIONS.set(len(self.open))
            if reason:
                self._count(reason)

    def _count(self, reason: str) -> None:
        self._closed[reason] += 1
        CLOSED_CONNECTIONS.labels(reason).inc()

    async def watch(self) -> None:
        """Close connections whose time is over, and log how many, once a minute at most."""
        while True:
            await asyncio.sleep(self.deadlines.check)
            now = self.now()
            for late in [c for c in self.open if c.deadline < now]:
                late.close(late.what)
            if self._closed and now - self._reported >= REPORT_SECONDS:
                log.warning("connections closed", open=len(self.open), **self._closed)
                self._reported = now
                self._closed.clear()


async def note_request(request: web.BaseRequest, handler: Handler) -> web.StreamResponse:
    """Tell the connection of a request when its answer begins and when it is made."""
    transport = request.transport
    connection = transport.get_protocol() if transport else None
    if not isinstance(connection, Connection):
        return await handler(request)
    connection.begin_request(request)
    try:
        return await handler(request)
    finally:
        connection.end_request()


class HttpServer:
    """An application on the addresses of a host, behind `Connections`."""

    def __init__(
        self,
        app: web.Application,
        *,
        shutdown_timeout: float,
        deadlines: Deadlines = Deadlines(),
        limit: int | None = None,
    ) -> None:
        self._runner = web.AppRunner(
            app,
            access_log=None,
            shutdown_timeout=shutdown_timeout,
            keepalive_timeout=2 * deadlines.idle,  # `Connections` is earlier
        )
        self._deadlines, self._limit = deadlines, limit or connection_limit()
        self._sockets: list[socket.socket] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, host: str, port: int) -> int:
        """Listen on every address of a host; return the port, which is chosen if it is 0.

        Raises OSError if that cannot be.
        """
        loop = asyncio.get_running_loop()
        await self._runner.setup()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, address in dict.fromkeys((one[0], one[4][:2]) for one in found):
            listening = socket.create_server((address[0], port), family=family, backlog=BACKLOG)
            listening.setblocking(False)
            self._sockets.append(listening)
            port = listening.getsockname()[1]
        server = cast(web.Server, self._runner.server)
        # around the whole application: its middlewares see nothing of a header like Expect
        for layer in (refuse_malformed, answer_faults, note_request):
            server.request_handler = partial(layer, handler=server.request_handler)
        connections = Connections(server, self._limit, self._deadlines)
        self._tasks = [
            asyncio.create_task(connections.watch()),
            *(asyncio.create_task(connections.accept(one)) for one in self._sockets),
        ]
        return port

    async def close(self) -> None:
        """Accept nothing more, let requests under way end, and close every connection."""
        for task in self._tasks:
            task.cancel()
        for listening in self._sockets:
            listening.close()
        await self._runner.cleanup()
