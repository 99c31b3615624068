"""The REST addresses of interactions: the one answer, its edits, and what follows."""

from __future__ import annotations

from collections.abc import Callable

from tests.platforms.discord_commands import problems_of_choices
from tests.platforms.discord_json import message_json
from tests.platforms.discord_limits import (
    EPHEMERAL,
    LOADING,
    Json,
    rules_of_message,
    rules_of_modal,
)
from tests.platforms.discord_rest import Answer, Call, InvalidBodyError, RefusedError, Route
from tests.platforms.discord_routes import Routes
from tests.platforms.discord_world import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    MODAL_SUBMIT,
    Interaction,
    Message,
    World,
)

REPLY, DEFER, DEFER_UPDATE, UPDATE, SUGGEST, MODAL = 4, 5, 6, 7, 8, 9
ANSWER_WITHIN, TOKEN_LASTS = 3.0, 900.0
ALLOWED = {
    COMMAND: {REPLY, DEFER, MODAL},
    COMPONENT: {REPLY, DEFER, DEFER_UPDATE, UPDATE, MODAL},
    AUTOCOMPLETE: {SUGGEST},
    MODAL_SUBMIT: {REPLY, DEFER, DEFER_UPDATE, UPDATE},
}


def rules_of_callback(body: Json) -> list[str]:
    """The written rules for the data of an interaction's answer."""
    data, kind = body.get("data") or {}, body.get("type")
    rules: dict[int, Callable[[Json], list[str]]] = {
        REPLY: rules_of_message,
        MODAL: rules_of_modal,
        SUGGEST: lambda given: problems_of_choices(given.get("choices") or []),
    }
    found = rules[kind](data) if kind in rules else []
    return [f"data.{problem}" for problem in found]


class InteractionRoutes:
    """Handlers for the webhooks that live as long as an interaction's token."""

    def __init__(self, world: World, routes: Routes) -> None:
        self.world = world
        self.routes = routes

    def table(self) -> list[Route]:
        hook = "/webhooks/{webhook_id}/{webhook_token}"
        callback = "/interactions/{interaction_id}/{interaction_token}/callback"
        original, one = f"{hook}/messages/@original", f"{hook}/messages/{{message_id}}"
        return [
            Route("POST", callback, self.callback, rules_of_callback),
            Route("POST", hook, self.follow_up, rules_of_message),
            Route("GET", original, self.original),
            Route("PATCH", original, self.edit_original),
            Route("DELETE", original, self.delete_original),
            Route("GET", one, self.followup),
            Route("PATCH", one, self.edit_followup),
            Route("DELETE", one, self.delete_followup),
        ]

    async def callback(self, call: Call) -> Answer:
        interaction = self.world.interactions.get(call.id("interaction_id"))
        if interaction is None or interaction.token != call.params["interaction_token"]:
            raise RefusedError(404, 10062, "Unknown interaction")
        if interaction.callback is not None:
            self.world.double_answers += 1
            raise RefusedError(400, 40060, "Interaction has already been acknowledged.")
        self._in_time(interaction)
        kind = call.body["type"]
        if kind not in ALLOWED[interaction.type] or self._nothing_to_update(interaction, kind):
            about = f"interaction type {interaction.type}"
            raise InvalidBodyError([f"type: {kind} is no answer to {about}"])
        self._accept(interaction, call, kind, call.body.get("data") or {})
        if call.query.get("with_response", "") not in ("1", "true"):
            return 204, None
        return 200, self._callback_answer(interaction)

    def _in_time(self, interaction: Interaction) -> None:
        late = self.world.clock() - interaction.created > ANSWER_WITHIN
        if late and not interaction.too_late:
            interaction.too_late = True
            self.world.missed_answers += 1
            interaction.answered.set()
        if interaction.too_late:
            raise RefusedError(404, 10062, "Unknown interaction")

    def _nothing_to_update(self, interaction: Interaction, kind: int) -> bool:
        return kind in (DEFER_UPDATE, UPDATE) and interaction.source is None

    def _accept(self, interaction: Interaction, call: Call, kind: int, data: Json) -> None:
        if kind == UPDATE and interaction.source is not None:
            self.routes.change(interaction.source, call, data)
        interaction.callback = kind
        interaction.ephemeral = bool((data.get("flags") or 0) & EPHEMERAL)
        if kind in (REPLY, DEFER):
            interaction.loading = kind == DEFER
            body = data if kind == REPLY else {"flags": (data.get("flags") or 0) | LOADING}
            interaction.original = self._answer(interaction, call, body)
        if kind in (UPDATE, DEFER_UPDATE):
            interaction.original = interaction.source
        interaction.modal = data if kind == MODAL else None
        interaction.choices = data.get("choices") or []
        interaction.answered.set()
        self.world.changed()

    def _answer(self, interaction: Interaction, call: Call, body: Json) -> Message:
        private = bool((body.get("flags") or 0) & EPHEMERAL)
        to = interaction.user if private else None
        return self.routes.store(call, interaction.channel, body, private_to=to, cause=interaction)

    def _callback_answer(self, interaction: Interaction) -> Json:
        about: Json = {"id": str(interaction.id), "type": interaction.type}
        message = interaction.original
        if interaction.callback in (REPLY, DEFER) and message is not None:
            about |= {
                "response_message_id": str(message.id),
                "response_message_loading": interaction.loading,
                "response_message_ephemeral": interaction.ephemeral,
            }
        if interaction.callback in (REPLY, UPDATE) and message is not None:
            resource = {"type": interaction.callback, "message": message_json(message)}
            return {"interaction": about, "resource": resource}
        return {"interaction": about}

    def _by_token(self, call: Call) -> Interaction:
        for interaction in reversed(self.world.interactions.values()):
            if interaction.token == call.params["webhook_token"]:
                break
        else:
            raise RefusedError(404, 10015, "Unknown Webhook")
        if self.world.clock() - interaction.created > TOKEN_LASTS:
            raise RefusedError(401, 50027, "Invalid Webhook Token")
        if interaction.callback is None:
            raise RefusedError(404, 10015, "Unknown Webhook")
        return interaction

    async def follow_up(self, call: Call) -> Answer:
        interaction = self._by_token(call)
        if interaction.loading and interaction.original is not None:
            # The first follow-up takes the place of «the app is thinking…».
            return self._complete(interaction, interaction.original, call)
        message = self._answer(interaction, call, call.body)
        interaction.followups.append(message)
        return 200, message_json(message)

    def _complete(self, interaction: Interaction, message: Message, call: Call) -> Answer:
        self.routes.change(message, call, call.body)
        interaction.loading = False
        self.world.changed()
        return 200, message_json(message)

    def _original(self, call: Call) -> tuple[Interaction, Message]:
        interaction = self._by_token(call)
        if interaction.original is None or interaction.original.deleted:
            raise RefusedError(404, 10008, "Unknown Message")
        return interaction, interaction.original

    async def original(self, call: Call) -> Answer:
        return 200, message_json(self._original(call)[1])

    async def edit_original(self, call: Call) -> Answer:
        return self._complete(*self._original(call), call)

    async def delete_original(self, call: Call) -> Answer:
        self._original(call)[1].deleted = True
        return 204, None

    def _followup(self, call: Call) -> tuple[Interaction, Message]:
        interaction = self._by_token(call)
        for message in (*interaction.followups, interaction.original):
            if message and message.id == call.id("message_id") and not message.deleted:
                return interaction, message
        raise RefusedError(404, 10008, "Unknown Message")

    async def followup(self, call: Call) -> Answer:
        return 200, message_json(self._followup(call)[1])

    async def edit_followup(self, call: Call) -> Answer:
        interaction, message = self._followup(call)
        if message is interaction.original:
            return self._complete(interaction, message, call)
        self.routes.change(message, call, call.body)
        return 200, message_json(message)

    async def delete_followup(self, call: Call) -> Answer:
        self._followup(call)[1].deleted = True
        return 204, None
