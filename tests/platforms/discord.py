"""A Discord on 127.0.0.1: REST, gateway and people, for the real client to talk to.

async with LoopbackDiscord() as discord:
    guild = discord.add_guild("Lisbon", locale="pt-BR")
    ada = discord.add_user("ada", guild=guild)
    …                                   # start the app with discord.api_url, .gateway_url, .token
    answer = await discord.slash(ada, "wwc who-does", {"topic": "open data"})
    assert "open data" in text_of(answer)
    assert discord.violations == []
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.platforms import discord_openapi as openapi
from tests.platforms.discord_command_routes import CommandRoutes
from tests.platforms.discord_commands import rules_of_commands
from tests.platforms.discord_faults import Fault, RateLimits
from tests.platforms.discord_gateway import Gateway, Session
from tests.platforms.discord_interactions import InteractionRoutes
from tests.platforms.discord_limits import Json, mentions_of, rules_of_message, rules_of_modal
from tests.platforms.discord_limits import words_of as _words_of
from tests.platforms.discord_people import Answer, People, Sent
from tests.platforms.discord_rest import Rest
from tests.platforms.discord_routes import Routes
from tests.platforms.discord_typing import ClientRefusalError
from tests.platforms.discord_world import Channel, Guild, Interaction, Message, Role, User

__all__ = [
    "Answer",
    "Channel",
    "ClientRefusalError",
    "Fault",
    "Guild",
    "Interaction",
    "LoopbackDiscord",
    "Message",
    "Role",
    "Sent",
    "Session",
    "User",
    "mentions_of",
    "problems_of_commands",
    "problems_of_message",
    "problems_of_modal",
    "text_of",
]


def problems_of_message(payload: Json) -> list[str]:
    """Why Discord would refuse this message body; empty when it would not."""
    return rules_of_message(payload) + openapi.problems_of_schema("MessageCreateRequest", payload)


def problems_of_modal(payload: Json) -> list[str]:
    """Why Discord would refuse this form (the `data` of a modal callback)."""
    schema = "ModalInteractionCallbackRequestData"
    return rules_of_modal(payload) + openapi.problems_of_schema(schema, payload)


def problems_of_commands(commands: list[Json]) -> list[str]:
    """Why Discord would refuse this bulk overwrite of commands."""
    put = ("PUT", "/applications/{application_id}/commands")
    return rules_of_commands(commands) + openapi.problems_of_request(*put, commands)


def text_of(message: Message | Answer | Json) -> str:
    """What a person reads: texts, then labels, in the order of the message."""
    if isinstance(message, Answer):
        return message.text
    return _words_of(message.body if isinstance(message, Message) else message)


class LoopbackDiscord(People):
    """The whole platform; `async with` opens and closes its one port."""

    def __init__(
        self,
        *,
        shards: int = 1,
        strict_answers: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(clock)
        self.gateway = Gateway(self)
        self.gateway.shards = shards
        self.limits = RateLimits(clock)
        self._routes = Routes(self, self.gateway)
        interactions = InteractionRoutes(self, self._routes)
        commands = CommandRoutes(self, self._routes)
        table = [*self._routes.table(), *interactions.table(), *commands.table()]
        self.rest = Rest(self, self.limits, table)
        self.rest.check_answers = strict_answers
        self.port = 0
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_get("/gw/{resume:.*}", self.gateway.handle)
        app.router.add_route("*", "/api/v10/{path:.*}", self.rest.handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.gateway.url = self.gateway_url
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.gateway.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v10"

    @property
    def gateway_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/gw/"

    # --- shorthands for what tests ask most

    @property
    def identifies(self) -> list[Json]:
        return self.gateway.identifies

    @property
    def resumes(self) -> list[Json]:
        return self.gateway.resumes

    @property
    def early_requests(self) -> int:
        """Requests that came before the time named by an earlier 429."""
        return self.limits.early

    async def connected(self, sessions: int | None = None) -> None:
        """Wait until this many shards have a live connection."""
        wanted = sessions or self.gateway.shards
        await self.until(lambda: self._alive() >= wanted or None)

    def _alive(self) -> int:
        return sum(session.socket is not None for session in self.gateway.sessions.values())

    # --- mischief

    def fault(
        self,
        *,
        kind: str,
        method: str = "*",
        path: str = ".*",
        nth: int = 1,
        times: int = 1,
        **args: Any,
    ) -> Fault:
        """Let something go wrong; `path` is a pattern matched from the start, without /api/v10."""
        fault = Fault(kind, method, path, nth, times, args)
        self.rest.faults.append(fault)
        return fault

    async def reconnect(
        self, kind: str = "drop", *, shard: int | None = None, code: int = 4000, wait: bool = True
    ) -> None:
        """Cut the gateway («op7», «op9», «op9_new», «close», «drop»), then await the comeback."""
        before = self.gateway.welcomes
        cut = await self.gateway.cut(kind, shard, code)
        if wait:
            await self.until(lambda: self.gateway.welcomes >= before + cut or None)

    # --- what happens on the platform's side

    async def announce(self, message: Message, event: str = "MESSAGE_CREATE") -> None:
        await self._routes.announce(message, event)

    async def retract(self, message: Message) -> None:
        await self._routes.retract(message)

    async def install(self, guild: Guild) -> None:
        """The app enters a server while it runs."""
        guild.installed = True
        await self.gateway.introduce(guild)

    async def uninstall(self, guild: Guild, *, outage: bool = False) -> None:
        """The app is thrown out, or the server is away for a while."""
        guild.installed = outage
        gone = {"id": str(guild.id)} | ({"unavailable": True} if outage else {})
        await self.gateway.emit("GUILD_DELETE", lambda _: gone, guild.id)
