"""How Slack reaches the bot: signed HTTP, or envelopes over Socket Mode, with retries."""

import asyncio
import hashlib
import hmac
import json
import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from tests.platforms.slack_blocks import Json

ENVELOPES = {"command": "slash_commands", "event": "events_api", "interaction": "interactive"}


def sign(body: str | bytes, timestamp: float | str, secret: str) -> dict[str, str]:
    """The two headers by which Slack proves who is calling."""
    raw = body.encode() if isinstance(body, str) else body
    said = timestamp if isinstance(timestamp, str) else str(int(timestamp))
    digest = hmac.new(secret.encode(), f"v0:{said}:".encode() + raw, hashlib.sha256)
    return {
        "X-Slack-Request-Timestamp": said,
        "X-Slack-Signature": f"v0={digest.hexdigest()}",
    }


@dataclass
class Reply:
    """What came back from the bot; status 0 when nothing came in time."""

    status: int
    body: Any = None
    elapsed: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    failure: str | None = None  # Slack's word for the reason of a retry

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


@dataclass
class Sockets:
    """The open Socket Mode connections; each envelope goes to one of them."""

    open: list[web.WebSocketResponse] = field(default_factory=list)
    waiting: dict[str, asyncio.Future[Any]] = field(default_factory=dict)
    tickets: set[str] = field(default_factory=set)
    chance: random.Random = field(default_factory=lambda: random.Random(7))

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One connection of the bot, from hello to its end."""
        ticket = request.query.get("ticket", "")
        if ticket not in self.tickets:
            return web.Response(status=401)
        self.tickets.discard(ticket)
        connection = web.WebSocketResponse()
        await connection.prepare(request)
        self.open.append(connection)
        await connection.send_json(self._hello())
        try:
            async for message in connection:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._acknowledged(json.loads(message.data))
        finally:
            self.open.remove(connection)
        return connection

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.open),
            "connection_info": {"app_id": "A0001LB"},
            "debug_info": {"host": "loopback", "approximate_connection_time": 18060},
        }

    def _acknowledged(self, message: Json) -> None:
        future = self.waiting.pop(str(message.get("envelope_id")), None)
        if future and not future.done():
            future.set_result(message.get("payload"))

    async def send(self, kind: str, payload: Json, retry: int, deadline: float) -> Any:
        """One envelope, until it is acknowledged."""
        name = str(uuid.uuid4())
        envelope: Json = {
            "envelope_id": name,
            "type": ENVELOPES[kind],
            "payload": payload,
            "accepts_response_payload": kind != "event",
        }
        if kind == "event":
            envelope |= {"retry_attempt": retry, "retry_reason": "timeout" if retry else ""}
        future = self.waiting[name] = asyncio.get_running_loop().create_future()
        await self.chance.choice(self.open).send_json(envelope)
        try:
            return await asyncio.wait_for(future, deadline)
        finally:
            self.waiting.pop(name, None)

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Tells every connection to come back, and leaves."""
        for connection in list(self.open):
            await connection.send_json({"type": "disconnect", "reason": reason, "debug_info": {}})
            await connection.close()

    async def close(self) -> None:
        for connection in list(self.open):
            await connection.close()


@dataclass
class Delivery:
    """Sends to whichever door of the bot is open, and counts the answers that came too late."""

    secret: str
    clock: Callable[[], float] = time.time
    bot_url: str = ""
    path: str = "/slack/events"
    deadline: float = 3.0
    pauses: tuple[float, ...] = (0.0, 0.01, 0.02)  # at once, 1 and 5 minutes, compressed
    missed: int = 0
    sockets: Sockets = field(default_factory=Sockets)
    session: aiohttp.ClientSession | None = None

    async def send(self, kind: str, payload: Json, retry: int = 0, reason: str = "") -> Reply:
        """One delivery, one attempt."""
        started = asyncio.get_running_loop().time()
        try:
            reply = await self._send(kind, payload, retry, reason)
        except TimeoutError:
            self.missed += 1
            reply = Reply(0, failure="http_timeout")
        except (aiohttp.ClientError, ConnectionError):
            reply = Reply(0, failure="connection_failed")
        reply.elapsed = asyncio.get_running_loop().time() - started
        return reply

    async def send_event(self, payload: Json) -> list[Reply]:
        """An event with Slack's retries: three more attempts after a failure."""
        replies = [await self.send("event", payload)]
        for retry, pause in enumerate(self.pauses, start=1):
            last = replies[-1]
            if last.ok or last.headers.get("X-Slack-No-Retry") == "1":
                break
            await asyncio.sleep(pause)
            replies.append(await self.send("event", payload, retry, last.failure or "http_error"))
        return replies

    async def _send(self, kind: str, payload: Json, retry: int, reason: str) -> Reply:
        if self.sockets.open:
            return Reply(200, await self.sockets.send(kind, payload, retry, self.deadline))
        if not self.bot_url or self.session is None:
            raise RuntimeError("no bot: set bot_url or connect one by Socket Mode")
        body, content_type = _encoded(kind, payload)
        headers = {"Content-Type": content_type, **sign(body, self.clock(), self.secret)}
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": reason}
        timeout = aiohttp.ClientTimeout(total=self.deadline)
        url = self.bot_url.rstrip("/") + self.path
        async with self.session.post(url, data=body, headers=headers, timeout=timeout) as answer:
            text = await answer.text()
            return Reply(answer.status, _decoded(answer, text), headers=dict(answer.headers))


def _encoded(kind: str, payload: Json) -> tuple[bytes, str]:
    if kind == "event":
        return json.dumps(payload).encode(), "application/json"
    fields = payload if kind == "command" else {"payload": json.dumps(payload)}
    return urlencode(fields).encode(), "application/x-www-form-urlencoded"


def _decoded(answer: aiohttp.ClientResponse, text: str) -> Any:
    if answer.content_type != "application/json" or not text:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
