"""Clients that hold a connection and ask for nothing; over real sockets."""

import asyncio
import os
import resource
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
from aiohttp import web

from bot.web import connections
from bot.web.connections import Connections, Deadlines, HttpServer
from tests.conftest import Entry
from tests.platforms import PATIENCE

SHORT = Deadlines(headers=0.2, body=0.2, idle=0.2, check=0.02)
LONG = Deadlines(headers=60, body=60, idle=60, check=0.02)
ASK = b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n"
BEGIN = b"POST /echo HTTP/1.1\r\nHost: hub\r\n"


async def hello(request: web.Request) -> web.Response:
    return web.Response(text="hello")


async def echo(request: web.Request) -> web.Response:
    try:
        return web.Response(body=await request.read())
    except ConnectionError:
        return web.Response(status=400)


async def stream(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"here\n")
    await asyncio.Event().wait()
    return response


@asynccontextmanager
async def serving(deadlines: Deadlines, limit: int | None = None) -> AsyncIterator[int]:
    """The port of a server with an answer, an echo and a stream."""
    app = web.Application()
    app.router.add_get("/", hello)
    app.router.add_post("/echo", echo)
    app.router.add_get("/stream", stream)
    server = HttpServer(app, shutdown_timeout=0.1, deadlines=deadlines, limit=limit)
    try:
        yield await server.open("127.0.0.1", 0)
    finally:
        await server.close()


@asynccontextmanager
async def client(port: int, first: bytes = b"") -> AsyncIterator["Client"]:
    opened = Client(*await asyncio.open_connection("127.0.0.1", port))
    try:
        await opened.say(first)
        yield opened
    finally:
        opened.writer.close()


class Client:
    """One connection of a client's."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def hear(self, until: bytes) -> bytes:
        return await asyncio.wait_for(self.reader.readuntil(until), PATIENCE)

    async def is_closed(self, drip: bytes = b"") -> bool:
        """Wait until the other side closes, sending one more piece of `drip` all the time."""
        ended = asyncio.ensure_future(self.reader.read())
        try:
            async with asyncio.timeout(PATIENCE):
                while not ended.done():
                    self.writer.write(drip)
                    await asyncio.wait([ended], timeout=0.05)
                await ended
        except ConnectionError:
            return True
        except TimeoutError:
            return False
        return True


@pytest.mark.parametrize(
    ("first", "drip"),
    [
        (b"", b""),
        (b"GET / HTTP/1.1\r\nHost: hub\r\n", b""),
        (b"GET / HTTP/1.1\r\nHost: hub\r\n", b"X-More: 1\r\n"),
        (b"G", b"E"),
        (BEGIN + b"Content-Length: 900000\r\n\r\nab", b"c"),
        (BEGIN + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (ASK, b""),
        (ASK + ASK, b"G"),
        (b"GET / HTTP/1.1\r\nHost: hub\r\nContent-Length: 900000\r\n\r\n", b"x"),
    ],
    ids=["silent", "half", "headers", "slow", "body", "chunks", "idle", "pipelined", "unread"],
)
async def test_who_never_ends_a_request_is_closed(first: bytes, drip: bytes) -> None:
    """However busily bytes come: the time runs for the whole of it."""
    async with serving(SHORT) as port, client(port, first) as slow:
        assert await slow.is_closed(drip)


async def test_requests_in_time_and_streams_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part has its own time, and an answer has none."""
    now = 1000.0
    monkeypatch.setattr(Connections, "now", lambda _: now)
    deadlines = Deadlines(headers=10, body=10, idle=10, check=0.01)
    async with serving(deadlines) as port, client(port) as one, client(port) as page:
        await page.say(b"GET /stream HTTP/1.1\r\nHost: hub\r\n\r\n")
        assert await page.hear(b"here\n")
        for _ in range(3):
            for said in (BEGIN, b"Content-Length: 2\r\n\r\n", b"ok"):
                await one.say(said)
                await asyncio.sleep(0.05)
                now += 4
                await asyncio.sleep(0.05)
            assert await one.hear(b"\r\n\r\nok")
        assert not page.reader.at_eof()
        now += 11
        assert await one.is_closed()
        assert not page.reader.at_eof()


async def test_a_new_connection_replaces_the_one_that_waited_longest(log: list[Entry]) -> None:
    """Who asks for something is answered, however many ask for nothing; one line says so."""
    async with serving(LONG, limit=8) as port:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(40)]
        for _ in range(3):
            async with client(port, ASK) as one:
                assert await one.hear(b"hello")
        for reader, writer in idle[:-7]:
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await reader.readexactly(1)
            writer.close()
        await asyncio.sleep(3 * LONG.check)
        for _, writer in idle[-7:]:
            writer.close()
    (line,) = log
    assert line["event"] == "connections closed"
    assert line["full"] >= 1


async def test_streams_give_way_last_and_answers_never(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page opens its stream again by itself; a request is asked once."""
    ask_for_stream = b"GET /stream HTTP/1.1\r\nHost: hub\r\n\r\n"
    async with (
        serving(LONG, limit=2) as port,
        client(port, ask_for_stream) as first,
        client(port, ask_for_stream) as second,
    ):
        for page in (first, second):
            await page.hear(b"here\n")
        async with client(port, ASK) as refused:
            assert await refused.is_closed()
        assert not first.reader.at_eof()
        monkeypatch.setattr(connections, "STREAM_SECONDS", 0)
        async with client(port, ASK) as one:
            assert await one.hear(b"hello")
        assert await first.is_closed()
        assert not second.reader.at_eof()


@contextmanager
def no_more_files() -> Iterator[None]:
    """This process may open no further file, like one whose database and platforms need all."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(map(int, os.listdir("/proc/self/fd")))
    taken = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 4, hard))
        while True:
            try:
                taken.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                break
        yield
    finally:
        for number in taken:
            os.close(number)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_where_no_file_can_be_opened_it_waits_and_goes_on(
    log: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line says so, whoever knocks how often; then all are served that still wait."""
    monkeypatch.setattr(connections, "ACCEPT_PAUSE", 0.01)
    async with serving(LONG) as port:
        knocking = [socket.socket() for _ in range(5)]
        with no_more_files():
            for one in knocking:
                one.connect(("127.0.0.1", port))
                one.sendall(ASK)
            await asyncio.sleep(0.3)
        loop = asyncio.get_running_loop()
        for one in knocking:
            one.setblocking(False)
            assert b"hello" in await asyncio.wait_for(loop.sock_recv(one, 4096), PATIENCE)
            one.close()
    (line,) = log
    assert line["accept_failed"] >= 1


@pytest.mark.parametrize(
    ("files", "limit"), [(128, 64), (1024, 512), (65_536, 1000), (1, 1), (-1, 1000)]
)
def test_the_limit_follows_the_files_that_may_be_open(
    files: int, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of them, for the database and the platforms need the rest."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
    assert connections.connection_limit() == limit
