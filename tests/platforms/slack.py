"""A Slack on 127.0.0.1: real sockets, Slack's rules, and people who use the bot through it.

The bot is pointed here by SLACK_API_URL and SLACK_AUTHORIZE_URL alone; nothing is patched.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import aiohttp
from aiohttp import web

from tests.platforms.slack_api import WebApi
from tests.platforms.slack_blocks import Json
from tests.platforms.slack_choices import CannotDoError
from tests.platforms.slack_delivery import Delivery, Reply, sign
from tests.platforms.slack_install import AuthorizePage, Installed, install
from tests.platforms.slack_limits import problems_of_message, problems_of_view
from tests.platforms.slack_mentions import mentions_of
from tests.platforms.slack_people import Act, People
from tests.platforms.slack_views import TRIGGER_AGE
from tests.platforms.slack_wire import (
    KINDS,
    Fault,
    Rates,
    arguments,
    broken,
    flag,
    token_of,
    too_many,
)
from tests.platforms.slack_world import (
    Channel,
    Grant,
    Post,
    Refused,
    Team,
    Ticket,
    User,
    View,
    World,
)

__all__ = [
    "TRIGGER_AGE",
    "Act",
    "Call",
    "CannotDoError",
    "Channel",
    "Installed",
    "LoopbackSlack",
    "Post",
    "Reply",
    "Team",
    "User",
    "View",
    "mentions_of",
    "problems_of_message",
    "problems_of_view",
    "sign",
]

RESPONSES, RESPONSE_AGE = 5, 30 * 60
LARGEST_BODY = 4 * 1024 * 1024


@dataclass
class Call:
    """One request of the bot, in the order they came."""

    method: str
    args: Json
    token: str | None
    at: float
    error: str | None = None


class LoopbackSlack(World, People):
    """`async with LoopbackSlack() as slack:`; a first workspace with #general is there."""

    def __init__(
        self,
        *,
        signing_secret: str = "loopback-signing-secret",
        bot_url: str = "",
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(now)
        self.world = self
        self.signing_secret = signing_secret
        self.client_id, self.client_secret = "1111.2222", "loopback-client-secret"
        self.web = WebApi(self, self.client_id, self.client_secret)
        self.page = AuthorizePage(self.web, self, self.client_id)
        self.delivery = Delivery(signing_secret, now, bot_url)
        self.limits = Rates()
        self.faults: list[Fault] = []
        self.calls: list[Call] = []
        self.api_url = self.authorize_url = ""
        self.team = self.add_team()
        self.general = self.add_channel(self.team, "general")
        self.app_token = f"xapp-1-{secrets.token_hex(8)}"
        self.grants[self.app_token] = Grant(self.app_token, self.team, frozenset(), is_app=True)

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_route("*", "/api/{method}", self._call)
        app.router.add_post("/respond/{ticket}", self._respond)
        app.router.add_get("/files-pri/{file}/download", self.web.files.download)
        app.router.add_get("/oauth/v2/authorize", self.page.show)
        app.router.add_get("/socket", self.delivery.sockets.serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port: int = self._runner.addresses[0][1]
        self.api_url = f"http://127.0.0.1:{self.port}/api/"
        self.authorize_url = f"http://127.0.0.1:{self.port}/oauth/v2/authorize"
        # a kept connection to a bot that restarts would fail its next delivery by itself
        self.delivery.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.delivery.session:
            await self.delivery.session.close()
        await self.delivery.sockets.close()
        await self._runner.cleanup()

    # switches and counters

    @property
    def bot_token(self) -> str:
        """The token of the first workspace."""
        return self.team.bot_token or ""

    @property
    def bot_url(self) -> str:
        return self.delivery.bot_url

    @bot_url.setter
    def bot_url(self, url: str) -> None:
        self.delivery.bot_url = url
        self.page.redirect_url = f"{url.rstrip('/')}/slack/oauth_redirect"

    @property
    def rates(self) -> bool:
        """Whether Slack's own rate limits hold; scripted 429s always do."""
        return self.limits.on

    @rates.setter
    def rates(self, on: bool) -> None:
        self.limits.on = on

    @property
    def commercial(self) -> bool:
        """A distributed app without a Marketplace listing: history once a minute, 15 objects."""
        return self.limits.commercial

    @commercial.setter
    def commercial(self, on: bool) -> None:
        self.limits.commercial = self.web.commercial = on

    @property
    def lag(self) -> float:
        """Seconds until a message shows up in the history."""
        return self.web.lag

    @lag.setter
    def lag(self, seconds: float) -> None:
        self.web.lag = seconds

    @property
    def early(self) -> int:
        """Requests that came before their Retry-After was over."""
        return self.limits.early

    @property
    def missed_acks(self) -> int:
        """Deliveries that the bot did not acknowledge in time."""
        return self.delivery.missed

    @property
    def pings(self) -> list[str]:
        """Every live mention in what the bot has posted, edits included."""
        sent = [
            payload
            for post in self.posts
            if post.user == post.team.bot_user
            for payload in (*post.edits, post.payload)
        ]
        return [mention for payload in sent for mention in mentions_of(payload)]

    @property
    def connections(self) -> int:
        """Open Socket Mode connections."""
        return len(self.delivery.sockets.open)

    async def disconnect_sockets(self, reason: str = "refresh_requested") -> None:
        await self.delivery.sockets.disconnect(reason)

    def fault(
        self,
        method: str = "*",
        nth: int = 1,
        kind: str = "500",
        *,
        where: Json | None = None,
        **args: Any,
    ) -> Fault:
        """Scripts the nth request from now on: of a method, "response_url" or "*".

        `where` picks requests by their arguments. Of `args`: retry_after (429; None leaves the
        header out), seconds (delay, timeout), error (error), processed (do it, then fail).
        """
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is none of {sorted(KINDS)}")
        fault = Fault(method, nth, kind, args, where or {})
        self.faults.append(fault)
        return fault

    def called(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    async def install(
        self, team: Team, install_url: str, *, user: User | None = None, **choices: Any
    ) -> Installed:
        """Adds the bot to a workspace through its install page.

        Choices: `org`, `denied`, `state` (forged), `cookies` (False loses them on the way).
        """
        installer = user or next(iter(self.people(team)), None) or self.add_user(team, "installer")
        return await install(team, installer, install_url, self.authorize_url, **choices)

    # the server

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        try:
            args = await arguments(request)
        except ValueError:
            return web.json_response({"ok": False, "error": "invalid_json"})
        token = token_of(request, args)
        call = Call(method, args, token, self.now())
        self.calls.append(call)
        return await self._limited(request, call)

    async def _limited(self, request: web.Request, call: Call) -> web.StreamResponse:
        """Rates come first, then the script, then the method."""
        grant = self.grants.get(call.token or "")
        key = call.method, grant.team.id if grant else "", str(call.args.get("channel") or "")
        wait = self.limits.wait(*key, self.now())
        if wait:
            call.error = "ratelimited"
            return too_many(wait)

        async def answer() -> web.StreamResponse:
            said = self._answer(request, call)
            told = {"X-OAuth-Scopes": ",".join(sorted(grant.scopes))} if grant else {}
            return web.json_response(said, headers=told)

        fault = self._fault(call.method, call.args)
        if fault is None:
            return await answer()
        call.error = None if fault.kind == "delay" else fault.kind
        after = fault.args.get("retry_after", 1.0)
        if fault.kind == "429" and _seconds(after):
            self.limits.block(*key, self.now() + _seconds(after))
        return await broken(fault, request, answer)

    def _fault(self, method: str, args: Json) -> Fault | None:
        met = [fault for fault in self.faults if fault.meets(method, args)]
        return met[0] if met else None

    def _answer(self, request: web.Request, call: Call) -> Json:
        try:
            if call.method == "oauth.v2.access":
                return self.web.exchange(request, call.args)
            if call.method == "apps.connections.open":
                return self._connection(call.token)
            return self.web.call(call.method, call.token, call.args)
        except Refused as refused:
            call.error = str(refused)
            return refused.answer

    def _connection(self, token: str | None) -> Json:
        grant = self.grants.get(token or "")
        if grant is None:
            raise Refused("invalid_auth" if token else "not_authed")
        if not grant.is_app:
            raise Refused("not_allowed_token_type")
        ticket = secrets.token_hex(8)
        self.delivery.sockets.tickets.add(ticket)
        return {"ok": True, "url": f"ws://127.0.0.1:{self.port}/socket?ticket={ticket}"}

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        """A response URL: five uses within thirty minutes."""
        args = await arguments(request)
        self.calls.append(Call("response_url", args, None, self.now()))

        async def answer() -> web.StreamResponse:
            error = self._responded(request.match_info["ticket"], args)
            status = 404 if error in ("used_url", "expired_url", "no_such_url") else 400
            if error:
                self.calls[-1].error = error
                return web.json_response({"ok": False, "error": error}, status=status)
            return web.Response(text="ok")

        fault = self._fault("response_url", args)
        return await broken(fault, request, answer) if fault else await answer()

    def _responded(self, name: str, args: Json) -> str | None:
        ticket = self.responses.get(name)
        if ticket is None:
            return "no_such_url"
        if self.now() - ticket.at > RESPONSE_AGE:
            return "expired_url"
        if ticket.uses >= RESPONSES:
            return "used_url"
        ticket.uses += 1
        return self._put(ticket, args)

    def _put(self, ticket: Ticket, args: Json) -> str | None:
        if flag(args.get("delete_original")):
            if ticket.post:
                ticket.post.deleted = True
            return None
        if not (flag(args.get("replace_original")) and ticket.post):
            return None if self.show("response_url", args, ticket) else "invalid_blocks"
        problems = problems_of_message(args)
        self.violations += [f"response_url: {problem}" for problem in problems]
        if problems and not all(problem.startswith("advice") for problem in problems):
            return "invalid_blocks"
        ticket.post.edits.append(ticket.post.payload)
        ticket.post.show(args)
        return None


def _seconds(after: Any) -> float:
    """A Retry-After that is a number; a date or none blocks nothing."""
    try:
        return float(after)
    except (TypeError, ValueError):
        return 0.0
