"""Scripted faults and rate limits of the loopback Discord."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.platforms.discord_limits import Json

Process = Callable[[], Awaitable[web.Response]]
# Whether the request is carried out before the fault shows; each can be told otherwise.
CARRIED_OUT = frozenset({"delay", "reset_after", "empty", "bad_json", "half"})
CLOUDFLARE = "<html><title>Access denied | error 1015</title>You are being rate limited</html>"
PORTAL = "<html><body>Please log in to this network</body></html>"


@dataclass
class Fault:
    """Strikes the nth to the (nth + times - 1)th request that matches."""

    kind: str
    method: str
    path: str
    nth: int
    times: int
    args: dict[str, Any]
    seen: int = 0
    struck: int = 0

    def strikes(self, method: str, path: str) -> bool:
        if self.method not in ("*", method) or not re.match(self.path, path):
            return False
        self.seen += 1
        due = self.nth <= self.seen < self.nth + self.times
        self.struck += due
        return due

    @property
    def carried_out(self) -> bool:
        return bool(self.args.get("carried_out", self.kind in CARRIED_OUT))


def json_response(status: int, body: Any, headers: dict[str, str] | None = None) -> web.Response:
    """Exactly `application/json`: discord.py compares the header as a whole string."""
    plain = "" if body is None else json.dumps(body, separators=(",", ":"))
    if status == 204:
        return web.Response(status=204, headers=headers)
    return web.Response(
        status=status, body=plain.encode(), content_type="application/json", headers=headers
    )


async def strike(fault: Fault, request: web.Request, process: Process) -> web.StreamResponse:
    """Let the fault happen to this request."""
    done = await process() if fault.carried_out else None
    match fault.kind:
        case "delay":
            await asyncio.sleep(fault.args.get("seconds", 0.05))
            return done or await process()
        case "timeout":
            await asyncio.sleep(fault.args.get("seconds", 3600))
        case "reset_before" | "reset_after":
            _reset(request)
        case "half":
            return await _half(request, done)
        case "error":
            code, text = fault.args.get("code", 0), fault.args.get("message", "Scripted fault")
            return json_response(fault.args.get("status", 400), {"message": text, "code": code})
        case "empty":
            return web.Response(status=200, content_type="application/json")
        case "html":
            return web.Response(status=200, text=PORTAL, content_type="text/html")
        case "bad_json":
            return web.Response(status=200, body=b'{"id": ', content_type="application/json")
        case kind:
            return json_response(int(kind), {"message": f"{kind}: Server fault", "code": 0})
    return web.Response(status=500)


def _reset(request: web.Request) -> None:
    """RST instead of FIN, as a machine that vanished."""
    if request.transport is None:
        return
    raw: socket.socket = request.transport.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()


async def _half(request: web.Request, done: web.Response | None) -> web.StreamResponse:
    body = bytes(done.body) if done is not None and isinstance(done.body, bytes) else b'{"id"'
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body) + 100)}
    answer = web.StreamResponse(status=200, headers=headers)
    await answer.prepare(request)
    await answer.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return answer


# --- rate limits --------------------------------------------------------------------------------


@dataclass
class _Bucket:
    used: int = 0
    resets: float = 0.0


@dataclass
class RateLimits:
    """Buckets per route and top-level resource. Off by default: tests want to be quick."""

    clock: Callable[[], float]
    enabled: bool = False
    per_route: int = 5
    window: float = 1.0
    per_second: int = 50
    early: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    _buckets: dict[str, _Bucket] = field(default_factory=dict)
    _blocked: dict[str, tuple[float, str]] = field(default_factory=dict)

    def check(self, key: str, *, counts_globally: bool) -> web.Response | None:
        """A refusal, or None when the request may pass."""
        return self._still_blocked(key, counts_globally) or (
            self._spend(key, counts_globally) if self.enabled else None
        )

    def _still_blocked(self, key: str, counts_globally: bool) -> web.Response | None:
        for name in (key, "global") if counts_globally else (key,):
            until, scope = self._blocked.get(name, (0.0, ""))
            left = until - self.clock()
            if left > 0:
                self.early += 1
                return self._refusal(key, left, scope)
        return None

    def _spend(self, key: str, counts_globally: bool) -> web.Response | None:
        now = self.clock()
        if counts_globally and self._take("global", self.per_second, 1.0, now) < 0:
            return self.refuse(key, self._buckets["global"].resets - now, "global")
        if self._take(key, self.per_route, self.window, now) < 0:
            return self.refuse(key, self._buckets[key].resets - now, "user")
        return None

    def _take(self, key: str, most: int, window: float, now: float) -> int:
        bucket = self._buckets.setdefault(key, _Bucket())
        if now >= bucket.resets:
            bucket.used, bucket.resets = 0, now + window
        bucket.used += 1
        return most - bucket.used

    def refuse(self, key: str, seconds: float, scope: str = "user", **args: Any) -> web.Response:
        """Answer 429 and remember until when nobody should come back."""
        self._blocked["global" if scope == "global" else key] = (self.clock() + seconds, scope)
        return self._refusal(key, seconds, scope, **args)

    def _refusal(
        self, key: str, seconds: float, scope: str, *, via: bool = True, **args: Any
    ) -> web.Response:
        self.refused[scope] += 1
        if not via:
            header = {"Retry-After": str(seconds)}
            return web.Response(
                status=429, text=CLOUDFLARE, content_type="text/html", headers=header
            )
        body: Json = {
            "message": "You are being rate limited.",
            "retry_after": seconds,
            "global": scope == "global",
        }
        headers = self.headers(key) | {
            "Via": "1.1 google",
            "Retry-After": str(args.get("retry_after_header", seconds)),
            "X-RateLimit-Scope": scope,
            **({"X-RateLimit-Global": "true"} if scope == "global" else {}),
        }
        return json_response(429, args.get("body", body), headers)

    def headers(self, key: str) -> dict[str, str]:
        """The headers that go with every answer while the limits are on."""
        if not self.enabled:
            return {}
        bucket = self._buckets.get(key, _Bucket())
        left = max(bucket.resets - self.clock(), 0.0)
        return {
            "X-RateLimit-Limit": str(self.per_route),
            "X-RateLimit-Remaining": str(max(self.per_route - bucket.used, 0)),
            "X-RateLimit-Reset": f"{bucket.resets:.3f}",
            "X-RateLimit-Reset-After": f"{left:.3f}",
            "X-RateLimit-Bucket": key.partition(" @")[0].replace(" ", ""),
        }
