"""The REST addresses of application commands, global and per server."""

from __future__ import annotations

from tests.platforms.discord_commands import CHAT_INPUT, rules_of_commands
from tests.platforms.discord_limits import Json
from tests.platforms.discord_rest import Answer, Call, InvalidBodyError, RefusedError, Route
from tests.platforms.discord_routes import Routes
from tests.platforms.discord_world import World

CREATES_PER_DAY = 200


class CommandRoutes:
    """Handlers that keep what the app has registered."""

    def __init__(self, world: World, routes: Routes) -> None:
        self.world = world
        self.routes = routes

    def table(self) -> list[Route]:
        app = "/applications/{application_id}"
        table: list[Route] = []
        for scope in (f"{app}/commands", f"{app}/guilds/{{guild_id}}/commands"):
            one = f"{scope}/{{command_id}}"
            table += [
                Route("GET", scope, self.list_commands),
                Route("PUT", scope, self.put_commands, rules_of_commands),
                Route("POST", scope, self.add_command, lambda body: rules_of_commands([body])),
                Route("GET", one, self.command),
                Route("PATCH", one, self.change_command),
                Route("DELETE", one, self.drop_command),
            ]
        return table

    def _scope(self, call: Call) -> int | None:
        return self.routes.guild_of(call).id if "guild_id" in call.params else None

    def _registered(self, scope: int | None, body: Json) -> Json:
        kind = body.get("type") or CHAT_INPUT
        same = [
            one
            for one in self.world.commands[scope]
            if (one["name"], one["type"]) == (body["name"], kind)
        ]
        if not same:
            self.world.creates[scope].append(self.world.clock())
        return {
            "description": "",
            "default_member_permissions": None,
            "contexts": None,
            "nsfw": False,
            **{k: v for k, v in body.items() if v is not None},
            "type": kind,
            "id": same[0]["id"] if same else str(self.world.ids.next()),
            "application_id": str(self.world.application_id),
            "version": str(self.world.ids.next()),
            **({"guild_id": str(scope)} if scope else {}),
        }

    def _not_too_many_creates(self, scope: int | None) -> None:
        since = self.world.clock() - 86_400
        if sum(at > since for at in self.world.creates[scope]) >= CREATES_PER_DAY:
            raise RefusedError(
                400, 30034, "Max number of daily application command creates has been reached (200)"
            )

    async def list_commands(self, call: Call) -> Answer:
        return 200, self.world.commands[self._scope(call)]

    async def put_commands(self, call: Call) -> Answer:
        scope = self._scope(call)
        self._not_too_many_creates(scope)
        self.world.syncs[scope] += 1
        self.world.commands[scope] = [self._registered(scope, body) for body in call.body]
        return 200, self.world.commands[scope]

    async def add_command(self, call: Call) -> Answer:
        scope = self._scope(call)
        self._not_too_many_creates(scope)
        command = self._registered(scope, call.body)
        before = self.world.commands[scope]
        others = [one for one in before if one["id"] != command["id"]]
        self.world.commands[scope] = [*others, command]
        return (201 if len(others) == len(before) else 200), command

    def _command(self, call: Call) -> Json:
        for command in self.world.commands[self._scope(call)]:
            if command["id"] == call.params["command_id"]:
                return command
        raise RefusedError(404, 10063, "Unknown application command")

    async def command(self, call: Call) -> Answer:
        return 200, self._command(call)

    async def change_command(self, call: Call) -> Answer:
        command = self._command(call)
        changed = command | call.body
        problems = rules_of_commands([changed])
        if problems:
            raise InvalidBodyError(problems)
        command |= call.body | {"version": str(self.world.ids.next())}
        return 200, command

    async def drop_command(self, call: Call) -> Answer:
        self.world.commands[self._scope(call)].remove(self._command(call))
        return 204, None
