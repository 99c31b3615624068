"""Every byte in every header that means something, at every address: no fault, nothing logged."""

import asyncio
import io
import json
import random
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import app
from bot.hub import Hub
from bot.logs import configure_logging
from bot.web import site
from bot.web.connections import HttpServer
from bot.web.health import Readiness
from tests.campaign import SEED, scaled
from tests.conftest import CANARY, Reading

HEADERS = (
    "Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Connection",
    "Content-Encoding", "Content-Length", "Content-Type", "Cookie", "Expect", "Forwarded", "Host",
    "If-Modified-Since", "If-None-Match", "Last-Event-ID", "Origin", "Range", "Referer",
    "Sec-Fetch-Site", "Transfer-Encoding", "Upgrade", "User-Agent", "X-Forwarded-For",
    "X-Slack-Request-Timestamp", "X-Slack-Retry-Num", "X-Slack-Signature",
)  # fmt: skip
SHAPES = (
    b"%s",
    b"Bearer %s",
    b"wwc_install=%s; a=%s",
    b"v0=%s",
    b"gzip, %s",
    b"application/json; x=%s",
)
IN_ADDRESS = "address"
IN_BODY = "body"


@dataclass
class Desk:
    """The whole site on one port, and what it logs."""

    port: int
    routes: list[tuple[str, str]]
    logged: io.StringIO

    async def ask(self, method: str, path: str, where: str, value: bytes) -> int:
        """The status of one request that has this value in one place; 0 if it only hangs up."""
        address, body = path.encode(), b"{}"
        headers = {b"Host": b"localhost", b"Content-Length": b"2", b"Connection": b"close"}
        if where == IN_ADDRESS:
            address = re.sub(rb"\{\w+\}", lambda _: value, address) + b"?as=x&q=" + value
        elif where == IN_BODY:
            body = b'{"text": "' + value + b'", "words": "' + value + b'"}'
            headers[b"Content-Length"] = str(len(body)).encode()
        else:
            headers[where.encode()] = value
        lines = [f"{method} ".encode() + address + b" HTTP/1.1"]
        lines += [name + b": " + said for name, said in headers.items()]
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(b"\r\n".join(lines) + b"\r\n\r\n" + body)
            line = await asyncio.wait_for(reader.readline(), 20)
        except ConnectionError:
            return 0
        finally:
            writer.close()
        return int(line.split()[1]) if line else 0


@pytest.fixture
async def desk(engine: AsyncEngine, hub: Hub, read: Reading) -> AsyncIterator[Desk]:
    settings = read(
        SLACK_SIGNING_SECRET="8f742231b10e8888abcd99yyyzzz85a5",
        SLACK_CLIENT_ID="1.2",
        SLACK_CLIENT_SECRET="4b1d5e1c0a9f4f7e8d6c3b2a19087f6e",
        WWC_METRICS_TOKEN="Bq3xzTn8fL2hW6pD",
        WWC_SECRET_KEY="Jc1xkQvY0b1aG9uVnWm3R5tZ",
        WWC_PUBLIC_URL="https://hub.boston.gov",
        WWC_PLAYGROUND="off",
    )
    running = app.App(settings, engine, hub)
    app.add_slack(running)
    app.add_playground(running)
    site.add_routes(running.http_app, engine, hub.links, running.adapters, "", Readiness())
    routes = sorted(
        {(r.method, r.resource.canonical) for r in running.http_app.router.routes() if r.resource}
    )
    server = HttpServer(running.http_app, shutdown_timeout=0.1)
    logged = io.StringIO()
    configure_logging("json", logged)
    try:
        yield Desk(await server.open("127.0.0.1", 0), routes, logged)
    finally:
        await server.close()


@pytest.mark.parametrize(
    "value", [b"\xff\xfe", b"a\xc3", "ü".encode(), "\U0001f511".encode(), b"\x80"]
)
async def test_words_beyond_ascii_open_nothing(desk: Desk, value: bytes) -> None:
    """Where a cookie, a token or a signature is compared; what is no text comes no further."""
    for method, path, header, shape in (
        ("GET", "/slack/oauth_redirect", "Cookie", b"wwc_install=%s"),
        ("GET", "/metrics", "Authorization", b"Bearer %s"),
        ("POST", "/slack/events", "X-Slack-Signature", b"v0=%s"),
    ):
        status = await desk.ask(method, path, header, shape.replace(b"%s", value))
        allowed = {400, 401} | ({200} if path == "/metrics" else set())  # this machine may read it
        assert status in allowed, (path, status)
    assert all(json.loads(line)["level"] != "error" for line in desk.logged.getvalue().splitlines())


@pytest.mark.campaign
async def test_no_byte_anywhere_is_a_fault(desk: Desk) -> None:
    """256 values in each of 28 places at each address; whatever the rest of the value is."""
    assert {"/metrics", "/slack/events", "/slack/oauth_redirect", "/playground/say"} <= {
        p for _, p in desk.routes
    }
    everything = [
        (method, path, where, byte)
        for method, path in desk.routes
        for where in (*HEADERS, IN_ADDRESS, IN_BODY)
        for byte in range(256)
    ]
    chance = random.Random(SEED)
    chosen = chance.sample(everything, scaled(len(everything) // 8))
    faults = set()
    asking = asyncio.Semaphore(20)

    async def ask(method: str, path: str, where: str, byte: int) -> None:
        canary = CANARY.encode() + bytes([byte]) + b"z"
        shape = chance.choice(SHAPES)
        async with asking:
            status = await desk.ask(method, path, where, shape.replace(b"%s", canary))
        if status >= 500:
            faults.add((method, path, where, byte, status))

    await asyncio.gather(*(ask(*one) for one in chosen))
    assert not faults, sorted(faults)[:20]
    written = desk.logged.getvalue()
    assert CANARY not in written
    events = [json.loads(line)["event"] for line in written.splitlines()]
    assert set(events) <= {"rejected", "install refused"}, set(events)
