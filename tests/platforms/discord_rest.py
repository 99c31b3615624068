"""The REST half of the loopback Discord: how a request passes or is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.platforms import discord_openapi as openapi
from tests.platforms.discord_faults import Fault, RateLimits, json_response, strike
from tests.platforms.discord_limits import Json
from tests.platforms.discord_world import Request, World

MAJOR = ("channel_id", "guild_id", "webhook_id", "interaction_id")


class RefusedError(Exception):
    """An answer with one of Discord's error codes."""

    def __init__(self, status: int, code: int, message: str, errors: Json | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {"message": message, "code": code}
        if errors:
            self.body["errors"] = errors


class InvalidBodyError(RefusedError):
    """A body that breaks the platform's rules."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(400, 50035, "Invalid Form Body", nested(problems))
        self.problems = problems


def nested(problems: list[str]) -> Json:
    """«a.0.b: text» as Discord nests its complaints."""
    tree: Json = {}
    for problem in problems:
        path, _, text = problem.partition(": ")
        spot = tree
        for step in filter(None, path.split(".")):
            spot = spot.setdefault(step, {})
        complaint = {"code": "BASE_TYPE_BAD_VALUE", "message": text}
        spot.setdefault("_errors", []).append(complaint)
    return tree


@dataclass(eq=False)
class Call:
    """One request with what its route found in it."""

    route: Route
    params: dict[str, str]
    query: dict[str, str]
    body: Any
    files: dict[str, bytes] = field(default_factory=dict)

    def id(self, name: str) -> int:
        return int(self.params[name])


Answer = tuple[int, Any]
Handler = Callable[[Call], Awaitable[Answer]]
Rules = Callable[[Any], list[str]]


@dataclass(eq=False)
class Route:
    """A path as the OpenAPI file writes it, who answers it, and what its body must keep to."""

    method: str
    template: str
    handler: Handler
    rules: Rules | None = None

    def __post_init__(self) -> None:
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.template)
        self.pattern = re.compile(pattern)

    @property
    def public(self) -> bool:
        """Interaction tokens stand for themselves: no bot token, no global rate limit."""
        return self.template.startswith(("/interactions/", "/webhooks/{webhook_id}/{"))

    def bucket(self, params: dict[str, str]) -> str:
        majors = "/".join(params[name] for name in MAJOR if name in params)
        token = params.get("webhook_token") or params.get("interaction_token") or ""
        return f"{self.method} {self.template} @{majors}{token}"


class Rest:
    """Auth, faults, rate limits and validation around the handlers of the routes."""

    def __init__(self, world: World, limits: RateLimits, routes: list[Route]) -> None:
        self.world = world
        self.limits = limits
        self.routes = routes
        self.faults: list[Fault] = []
        self.check_requests = True
        self.check_answers = False

    async def handle(self, request: web.Request) -> web.StreamResponse:
        path = "/" + request.match_info["path"]
        body, files = await _body(request)
        record = Request(request.method, path, body, self.world.clock())
        self.world.requests.append(record)
        response = await self._faulty(request, path, body, files)
        record.status = response.status
        self.world.invalid_requests += response.status in (401, 403, 429)
        self.world.changed()
        return response

    async def _faulty(
        self, request: web.Request, path: str, body: Any, files: dict[str, bytes]
    ) -> web.StreamResponse:
        route, params = self._route(request.method, path)
        if route is None:
            self.world.violations.append(f"{request.method} {path}: no such address")
            return json_response(404, {"message": "404: Not Found", "code": 0})
        if not route.public and request.headers.get("Authorization") != f"Bot {self.world.token}":
            return json_response(401, {"message": "401: Unauthorized", "code": 0})
        bucket = route.bucket(params)
        refusal = self.limits.check(bucket, counts_globally=not route.public)
        if refusal is not None:
            return refusal
        call = Call(route, params, dict(request.query), body, files)
        for fault in [f for f in self.faults if f.strikes(request.method, path)]:
            return await self._strike(fault, request, call, bucket)
        return await self._process(call, bucket)

    def _route(self, method: str, path: str) -> tuple[Route | None, dict[str, str]]:
        for route in self.routes:
            match = route.pattern.fullmatch(path) if route.method == method else None
            if match:
                return route, match.groupdict()
        return None, {}

    async def _strike(
        self, fault: Fault, request: web.Request, call: Call, bucket: str
    ) -> web.StreamResponse:
        if fault.kind == "429":
            args = dict(fault.args)
            return self.limits.refuse(bucket, args.pop("retry_after", 0.05), **args)
        return await strike(fault, request, lambda: self._process(call, bucket))

    async def _process(self, call: Call, bucket: str) -> web.Response:
        try:
            if self.check_requests:
                self._check(call)
            status, body = await call.route.handler(call)
        except RefusedError as refused:
            if isinstance(refused, InvalidBodyError):
                self._note(call, refused.problems)
            status, body = refused.status, refused.body
        except Exception as error:
            # A gap in the loopback: visible in the test, not only as a puzzling 500.
            self.world.violations.append(f"{call.route.method} {call.route.template}: {error!r}")
            raise
        if self.check_answers:
            self._check_answer(call, status, body)
        return json_response(status, body, self.limits.headers(bucket) | {"Via": "1.1 google"})

    def _check(self, call: Call) -> None:
        if call.body is None:
            return
        method, template = call.route.method, call.route.template
        problems = call.route.rules(call.body) if call.route.rules else []
        problems += openapi.problems_of_request(method, template, call.body)
        for key in openapi.unknown_keys(method, template, call.body):
            self.world.unknown_keys.append(f"{method} {template}: {key}")
        if problems:
            raise InvalidBodyError(problems)

    def _note(self, call: Call, problems: list[str]) -> None:
        place = f"{call.route.method} {call.route.template}"
        self.world.violations += [f"{place}: {problem}" for problem in problems]

    def _check_answer(self, call: Call, status: int, body: Any) -> None:
        method, template = call.route.method, call.route.template
        for problem in openapi.problems_of_answer(method, template, status, body):
            self.world.bad_answers.append(f"{method} {template} {status}: {problem}")


async def _body(request: web.Request) -> tuple[Any, dict[str, bytes]]:
    """JSON, or a form whose `payload_json` speaks about the files beside it."""
    if not request.can_read_body:
        return None, {}
    if not request.content_type.startswith("multipart/"):
        text = await request.text()
        return (json.loads(text) if text else None), {}
    body: Any = {}
    files: dict[str, bytes] = {}
    async for part in await request.multipart():
        data = bytes(await part.read())  # type: ignore[union-attr]
        name = getattr(part, "name", None)
        if name == "payload_json":
            body = json.loads(data)
        else:
            files[getattr(part, "filename", None) or str(name)] = data
    return body, files
