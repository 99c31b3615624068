"""What no route answers, over real sockets: faults and requests that break off."""

import re
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from bot.web.connections import HttpServer
from tests.conftest import CANARY, Entry

Client = aiohttp.ClientSession


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async def fail(request: web.Request) -> web.Response:
        raise ValueError(f"{CANARY} {request.path} {request.headers}")

    async def fail_midway(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = 10
        await response.prepare(request)
        await response.write(b"half")
        raise ValueError(CANARY)

    async def echo(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    app = web.Application()
    app.router.add_get("/fail", fail)
    app.router.add_get("/midway", fail_midway)
    app.router.add_post("/echo", echo)
    server = HttpServer(app, shutdown_timeout=0.1)
    port = await server.open("127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as opened:
            yield opened
    finally:
        await server.close()


async def test_a_fault_is_answered_with_the_code_in_the_log(
    client: Client, log: list[Entry]
) -> None:
    """And with nothing of what the error says."""
    async with client.get("/fail", headers={"X-Token": CANARY}) as answer:
        said = await answer.text()
        assert answer.status == 500
    code = re.search(r"Code: ([0-9A-F]{6})", said)
    assert code
    assert [line["reference"] for line in log] == [code[1]]
    assert CANARY not in said


async def test_what_failed_midway_is_cut_off(client: Client, log: list[Entry]) -> None:
    """So that nobody takes a half for the whole."""
    async with client.get("/midway") as answer:
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()
    assert len(log) == 1


async def test_a_body_that_cannot_be_decoded_is_no_fault(client: Client, log: list[Entry]) -> None:
    """It says that it is packed, and is not; nothing is logged."""
    async with client.post("/echo", data=b"plain", headers={"Content-Encoding": "gzip"}) as answer:
        assert answer.status == 400
    async with client.get("/nowhere") as answer:
        assert answer.status == 404
    assert log == []
