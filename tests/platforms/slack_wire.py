"""How requests meet the loopback Slack: bodies, rate buckets, scripted faults, broken sockets."""

import asyncio
import json
import math
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.platforms.slack_blocks import Json

TIERS = {1: 1, 2: 20, 3: 50, 4: 100}
TIER_OF = {
    "auth.revoke": 3,
    "users.info": 4,
    "users.conversations": 3,
    "team.info": 3,
    "reactions.add": 3,
    "bots.info": 3,
    "conversations.open": 3,
    "conversations.info": 3,
    "conversations.history": 3,
    "chat.postEphemeral": 4,
    "chat.update": 3,
    "chat.delete": 3,
    "views.open": 4,
    "views.push": 4,
    "views.update": 4,
    "views.publish": 4,
    "apps.connections.open": 3,
}
SPECIAL_PER_MINUTE = 600
POSTS_PER_WORKSPACE = 300
KINDS = {
    "429", "500", "502", "503", "504", "delay", "timeout", "reset_before", "reset_after",
    "empty", "half", "html", "bad_json", "error",
}  # fmt: skip

Answer = Callable[[], Awaitable[web.StreamResponse]]


@dataclass
class Fault:
    """One scripted failure: the nth request of a method, counted from when it was set."""

    method: str
    nth: int
    kind: str
    args: Json
    where: Json
    seen: int = 0
    fired: bool = False

    def meets(self, method: str, args: Json) -> bool:
        if self.fired or self.method not in (method, "*"):
            return False
        if any(args.get(name) != value for name, value in self.where.items()):
            return False
        self.seen += 1
        self.fired = self.seen == self.nth
        return self.fired


@dataclass
class Bucket:
    """Tokens that come back with time; the burst is what a quiet client has saved."""

    burst: float
    per_second: float
    tokens: float = -1.0
    at: float = 0.0

    def wait(self, now: float) -> float:
        """Takes a token, or tells how long until there is one."""
        full = self.tokens < 0
        grown = self.burst if full else self.tokens + (now - self.at) * self.per_second
        self.tokens, self.at = min(self.burst, grown), now
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.per_second


@dataclass
class Rates:
    """The buckets of Slack's tiers; switched off, only scripted 429s hold anybody back."""

    on: bool = False
    commercial: bool = False  # history of apps without a Marketplace listing: one a minute
    post_burst: float = 3
    early: int = 0
    buckets: dict[tuple[str, ...], Bucket] = field(default_factory=dict)
    blocked: dict[tuple[str, ...], float] = field(default_factory=dict)

    def wait(self, method: str, team: str, channel: str, now: float) -> float:
        """Seconds this request has to stay away, 0 when it may pass."""
        key = (method, team, channel if method == "chat.postMessage" else "")
        left = self.blocked.get(key, 0.0) - now
        if left > 0:
            self.early += 1
            return left
        waits = [bucket.wait(now) for bucket in self._buckets(key)] if self.on else []
        wait = max(waits, default=0.0)
        if wait:
            self.block(method, team, channel, now + math.ceil(wait))
        return wait

    def block(self, method: str, team: str, channel: str, until: float) -> None:
        self.blocked[method, team, channel if method == "chat.postMessage" else ""] = until

    def _buckets(self, key: tuple[str, ...]) -> list[Bucket]:
        method, team, channel = key
        if method == "chat.postMessage":
            whole = self._bucket((method, team), POSTS_PER_WORKSPACE, POSTS_PER_WORKSPACE / 60)
            return [self._bucket((method, team, channel), self.post_burst, 1.0), whole]
        return [self._bucket((method, team), *self._tier(method))]

    def _tier(self, method: str) -> tuple[float, float]:
        slow = method == "conversations.history" and self.commercial
        a_minute = TIERS[TIER_OF[method]] if method in TIER_OF else SPECIAL_PER_MINUTE
        return (1, 1 / 60) if slow else (a_minute, a_minute / 60)

    def _bucket(self, key: tuple[str, ...], burst: float, per_second: float) -> Bucket:
        return self.buckets.setdefault(key, Bucket(burst, per_second))


async def arguments(request: web.Request) -> Json:
    """The arguments of a call, whether sent as JSON, as a form or in the address."""
    found: Json = dict(request.query)
    if request.content_type == "application/json":
        body = json.loads(await request.text() or "{}")
        found |= body if isinstance(body, dict) else {}
    else:
        found |= {name: _decoded(name, str(v)) for name, v in (await request.post()).items()}
    return {name: value for name, value in found.items() if value is not None}


def _decoded(name: str, value: str) -> Any:
    """In a form the structured arguments are JSON texts."""
    if name not in ("blocks", "attachments", "view", "metadata"):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def token_of(request: web.Request, args: Json) -> str | None:
    header = request.headers.get("Authorization", "")
    if header.startswith("Bearer "):
        return header.removeprefix("Bearer ").strip()
    token = args.get("token")
    return str(token) if token else None


def flag(value: Any) -> bool:
    """A yes or no as a form or JSON says it."""
    return value in (True, 1, "1", "true", "True")


def too_many(wait: float | str | None) -> web.Response:
    """The 429; a number is rounded up to whole seconds as Slack does."""
    said = str(math.ceil(wait)) if isinstance(wait, float) else wait
    headers = {} if said is None else {"Retry-After": str(said)}
    return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)


async def broken(fault: Fault, request: web.Request, answer: Answer) -> web.StreamResponse:
    """The answer that a scripted fault leaves of the true one."""
    if fault.kind == "delay":
        await asyncio.sleep(fault.args.get("seconds", 0.1))
        return await answer()
    done: web.StreamResponse | None = None
    if fault.kind in ("reset_after", "half") or fault.args.get("processed"):
        done = await answer()
    if fault.kind == "half":
        return await _half(request, done)
    if fault.kind == "timeout":
        await asyncio.sleep(fault.args.get("seconds", 60))
    if fault.kind.startswith("reset"):
        reset(request)
    return _spoilt(fault)


async def _half(request: web.Request, done: web.StreamResponse | None) -> web.StreamResponse:
    """The line goes dead in the middle of the answer."""
    body = bytes(done.body) if isinstance(done, web.Response) and done.body else b"{}"  # type: ignore[arg-type]
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    answer = web.StreamResponse(headers=headers)
    await answer.prepare(request)
    await answer.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return answer


def _spoilt(fault: Fault) -> web.Response:
    match fault.kind:
        case "429":
            return too_many(fault.args.get("retry_after", 1.0))
        case "500" | "502" | "503" | "504":
            return web.Response(status=int(fault.kind), text="upstream error")
        case "html":
            return web.Response(text="<html>Log in to the network</html>", content_type="text/html")
        case "bad_json":
            return web.Response(text='{"ok": tr', content_type="application/json")
        case "error":
            error = {"ok": False, "error": "internal_error", **fault.args}
            return web.json_response(error)
        case _:
            return web.Response(text="", content_type="application/json")


def reset(request: web.Request) -> None:
    """Ends the connection with RST, so the client sees a reset and no polite close."""
    transport = request.transport
    if transport is None:
        return
    raw = transport.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
