"""What people do in their Discord client: type commands, press buttons, fill in forms, write."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.platforms.discord_commands import CHAT_INPUT, NESTING
from tests.platforms.discord_commands import MESSAGE as MESSAGE_MENU
from tests.platforms.discord_commands import USER as USER_MENU
from tests.platforms.discord_gateway import DM_REACTIONS, Gateway
from tests.platforms.discord_json import (
    interaction_json,
    message_json,
    numbered,
)
from tests.platforms.discord_limits import (
    BUTTON,
    LINK,
    PREMIUM,
    SELECTS,
    Json,
    walk,
    words_of,
)
from tests.platforms.discord_typing import (
    ClientRefusalError,
    Value,
    checked_options,
    chosen,
    filled,
    named,
    resolved,
)
from tests.platforms.discord_world import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    DM_CHANNEL,
    MODAL_SUBMIT,
    Channel,
    Guild,
    Interaction,
    Message,
    User,
    World,
)


class Answer:
    """What the app answered to one interaction, up to now."""

    def __init__(self, world: World, interaction: Interaction) -> None:
        self._world = world
        self.interaction = interaction

    @property
    def type(self) -> int | None:
        """The callback type; None when the three seconds passed without one."""
        return self.interaction.callback

    @property
    def ephemeral(self) -> bool:
        return self.interaction.ephemeral

    @property
    def message(self) -> Message:
        assert self.interaction.original is not None, f"no message in answer {self.type}"
        return self.interaction.original

    @property
    def modal(self) -> Json:
        assert self.interaction.modal is not None, f"no form in answer {self.type}"
        return self.interaction.modal

    @property
    def choices(self) -> list[Json]:
        return self.interaction.choices

    @property
    def followups(self) -> list[Message]:
        return self.interaction.followups

    @property
    def text(self) -> str:
        """Everything readable in the message or the form."""
        if self.interaction.modal is not None:
            return words_of(self.interaction.modal)
        return words_of(self.message.body)

    async def edited(self) -> Message:
        """The message once the «thinking…» is over or, after a plain answer, once it is edited."""
        await self._world.until(lambda: self.message.edits or None)
        return self.message

    async def followup(self, count: int = 1) -> Message:
        """The nth follow-up message."""
        found = self.followups
        await self._world.until(lambda: len(found) >= count or None)
        return found[count - 1]


class Sent:
    """A message that a person wrote, and what the app posts after it in the same place."""

    def __init__(self, world: World, message: Message) -> None:
        self._world = world
        self.message = message

    async def reply(self) -> Message:
        return (await self._world.until(lambda: self.replies or None))[0]

    @property
    def replies(self) -> list[Message]:
        later = self.message.channel.messages
        return [m for m in later if m.author is self._world.me and m.id > self.message.id]


class People(World):
    """The user's side of the loopback Discord."""

    gateway: Gateway
    patience: float

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self.patience = 3.0

    async def announce(self, message: Message, event: str = "MESSAGE_CREATE") -> None:
        raise NotImplementedError

    async def retract(self, message: Message) -> None:
        """Delete a message."""
        raise NotImplementedError

    # --- what people can do

    async def slash(
        self,
        user: User,
        text: str,
        options: Mapping[str, Any] | None = None,
        *,
        guild: Guild | None = None,
        channel: Channel | None = None,
        dm: bool = False,
    ) -> Answer:
        """Send a slash command: «wwc who-does» with its options, as the client would allow."""
        place = self._place(user, guild, channel, dm)
        command, path = self.find_command(user, text, place)
        given: dict[str, Value] = dict(options or {})
        values = checked_options(path[-1], given)
        data = self._command_data(command, path, values, place)
        data["resolved"] = resolved(given.values(), place.guild)
        return await self._interact(COMMAND, user, place, data)

    async def menu(
        self, user: User, name: str, target: User | Message, *, guild: Guild | None = None
    ) -> Answer:
        """Choose an app's entry in the context menu of a person or a message."""
        if isinstance(target, Message):
            kind, place = MESSAGE_MENU, target.channel
            found: Json = {"messages": {str(target.id): message_json(target)}}
        else:
            kind, place = USER_MENU, self._place(user, guild, None, dm=False)
            found = resolved([target], place.guild)
        command = named(self._offered(place, kind), name, "entry")
        self._may_use(user, command, place)
        data = {"id": command["id"], "name": name, "type": kind, "target_id": str(target.id)}
        return await self._interact(COMMAND, user, place, data | {"resolved": found})

    async def autocomplete(
        self,
        user: User,
        text: str,
        option: str,
        typed: str,
        options: Mapping[str, Any] | None = None,
        *,
        guild: Guild | None = None,
        channel: Channel | None = None,
        dm: bool = False,
    ) -> list[Json]:
        """The suggestions shown while this person types into an option."""
        place = self._place(user, guild, channel, dm)
        command, path = self.find_command(user, text, place)
        declared = named(path[-1].get("options") or [], option, "option")
        if not declared.get("autocomplete"):
            raise ClientRefusalError(f"{option} has no suggestions")
        given: dict[str, Value] = dict(options or {})
        values = checked_options(path[-1], given, complete=False)
        focused = {"name": option, "type": declared["type"], "value": typed, "focused": True}
        data = self._command_data(command, path, [*values, focused], place)
        return (await self._interact(AUTOCOMPLETE, user, place, data)).choices

    async def press(self, user: User, message: Message | Answer, button: str) -> Answer:
        """Press a button, known by its custom_id or else by its label."""
        shown = self._visible(user, message)
        found = self._pressable(shown, button)
        data = {"custom_id": found["custom_id"], "component_type": BUTTON, "id": found["id"]}
        return await self._interact(COMPONENT, user, shown.channel, data, shown)

    async def choose(
        self, user: User, message: Message | Answer, custom_id: str, values: Sequence[Value]
    ) -> Answer:
        """Choose in a select: option values or labels, or people, roles and channels."""
        shown = self._visible(user, message)
        for _, component in walk({"components": numbered(shown.components)}):
            if component["type"] in SELECTS and component["custom_id"] == custom_id:
                break
        else:
            raise ClientRefusalError(f"no select {custom_id!r} in:\n{words_of(shown.body)}")
        data = {
            "custom_id": custom_id,
            "component_type": component["type"],
            "id": component["id"],
            "values": chosen(component, values),
            "resolved": resolved(values, shown.channel.guild),
        }
        return await self._interact(COMPONENT, user, shown.channel, data, shown)

    async def submit(self, user: User, modal: Answer, values: Mapping[str, Any]) -> Answer:
        """Send a form; fields are known by custom_id or label, others keep their default."""
        form, origin = modal.modal, modal.interaction
        left = dict(values)
        parts = [filled(part, left) for part in numbered(form["components"])]
        if left:
            raise ClientRefusalError(f"no field {', '.join(map(repr, left))} in:\n{words_of(form)}")
        data: Json = {"custom_id": form["custom_id"], "components": parts}
        flat = [one for value in values.values() if isinstance(value, list) for one in value]
        data["resolved"] = resolved(flat, origin.channel.guild)
        return await self._interact(MODAL_SUBMIT, user, origin.channel, data, origin.source)

    async def dm(self, user: User, text: str, *, to: Message | None = None, **more: Any) -> Sent:
        """Write to the app in private, perhaps in reply to a message."""
        return await self.say(user, self.dm_channel(user), text, to=to, **more)

    async def say(
        self, user: User, channel: Channel, text: str, *, to: Message | None = None, **more: Any
    ) -> Sent:
        """Write in a channel; `files` are those that come with it."""
        body: Json = {"content": text}
        if to:
            body["message_reference"] = {
                "type": 0, "message_id": str(to.id), "channel_id": str(channel.id)
            }  # fmt: skip
        message = self.store(channel, user, body, **more)
        await self.announce(message)
        return Sent(self, message)

    async def forward(self, user: User, message: Message) -> Sent:
        """Forward a message to the app in private."""
        where = {"type": 1, "message_id": str(message.id), "channel_id": str(message.channel.id)}
        body: Json = {"message_reference": where, "message_snapshots": [message]}
        sent = self.store(self.dm_channel(user), user, body)
        await self.announce(sent)
        return Sent(self, sent)

    async def react(self, user: User, message: Message, emoji: str, *, take: bool = False) -> None:
        """Put an emoji to a message in private, or take it away again."""
        event = {
            "user_id": str(user.id),
            "channel_id": str(message.channel.id),
            "message_id": str(message.id),
            "emoji": {"id": None, "name": emoji},
            "type": 0,
            "burst": False,
        }
        name = "MESSAGE_REACTION_REMOVE" if take else "MESSAGE_REACTION_ADD"
        await self.gateway.emit(name, lambda s: event if s.intents & DM_REACTIONS else None, None)

    async def rewrite(self, message: Message, text: str) -> None:
        """Edit a message written earlier."""
        message.edits.append(message.body)
        message.body = message.body | {"content": text}
        message.edited_at = self.clock()
        await self.announce(message, "MESSAGE_UPDATE")

    # --- how it is sent

    async def _interact(
        self, kind: int, user: User, channel: Channel, data: Json, source: Message | None = None
    ) -> Answer:
        if source is not None or kind == MODAL_SUBMIT:
            await _human_moment()
        token = secrets.token_urlsafe(24)
        now = self.clock()
        interaction = Interaction(self.ids.next(), token, kind, user, channel, data, now, source)
        self.interactions[interaction.id] = interaction
        event = interaction_json(interaction, self.me)
        guild_id = channel.guild.id if channel.guild else None
        await self.gateway.emit("INTERACTION_CREATE", lambda _: event, guild_id)
        await self._patiently(interaction)
        return Answer(self, interaction)

    async def _patiently(self, interaction: Interaction) -> None:
        try:
            async with asyncio.timeout(self.patience):
                await interaction.answered.wait()
        except TimeoutError:
            if not interaction.too_late:
                interaction.too_late = True
                self.missed_answers += 1

    def _place(self, user: User, guild: Guild | None, channel: Channel | None, dm: bool) -> Channel:
        if dm:
            return self.dm_channel(user)
        if channel is not None:
            return channel
        homes = [g for g in self.guilds.values() if user.id in g.members and g.installed]
        if guild is None and not homes:
            raise ClientRefusalError(f"{user.name} shares no server with the app")
        return (guild or homes[0]).general

    def find_command(self, user: User, text: str, place: Channel) -> tuple[Json, list[Json]]:
        """The registered command, and the way from it to the subcommand that is meant."""
        words = text.removeprefix("/").split()
        command = named(self._offered(place, CHAT_INPUT), words[0], "command")
        self._may_use(user, command, place)
        path = [command]
        for word in words[1:]:
            inner = [o for o in path[-1].get("options") or [] if o["type"] in NESTING]
            path.append(named(inner, word, "subcommand"))
        if any(option["type"] in NESTING for option in path[-1].get("options") or []):
            raise ClientRefusalError(f"/{text} needs a subcommand")
        return command, path

    def _offered(self, place: Channel, kind: int) -> list[Json]:
        own = self.commands[place.guild.id] if place.guild else []
        return [one for one in [*own, *self.commands[None]] if one["type"] == kind]

    def _may_use(self, user: User, command: Json, place: Channel) -> None:
        context = 1 if place.type == DM_CHANNEL else 0
        contexts = command.get("contexts")
        everywhere = [0, 1] if command.get("dm_permission") is not False else [0]
        if context not in (everywhere if contexts is None else contexts):
            raise ClientRefusalError(f"/{command['name']} is not offered here")
        needed = command.get("default_member_permissions")
        if needed is None or place.guild is None:
            return
        held = place.guild.permissions_of(user)
        if not held & 8 and (int(needed) == 0 or held & int(needed) != int(needed)):
            raise ClientRefusalError(f"/{command['name']} is not offered to {user.name}")

    def _command_data(
        self, command: Json, path: list[Json], values: list[Json], place: Channel
    ) -> Json:
        options = values
        for step in reversed(path[1:]):
            options = [{"name": step["name"], "type": step["type"], "options": options}]
        data: Json = {"id": command["id"], "name": command["name"], "type": CHAT_INPUT}
        if "guild_id" in command and place.guild is not None:
            data["guild_id"] = command["guild_id"]
        return data | {"options": options}

    def _visible(self, user: User, message: Message | Answer) -> Message:
        shown = message.message if isinstance(message, Answer) else message
        if shown.deleted:
            raise ClientRefusalError("the message is gone")
        if shown.private_to not in (None, user):
            raise ClientRefusalError(f"{user.name} cannot see this message")
        return shown

    def _pressable(self, message: Message, wanted: str) -> Json:
        parts = walk({"components": numbered(message.components)})
        buttons = [part for _, part in parts if part["type"] == BUTTON]
        for key in ("custom_id", "label"):
            for button in buttons:
                if button.get(key) == wanted:
                    if button.get("disabled") or button["style"] in (LINK, PREMIUM):
                        raise ClientRefusalError(f"{wanted!r} sends nothing to the app")
                    return button
        raise ClientRefusalError(f"no button {wanted!r} in:\n{words_of(message.body)}")


async def _human_moment() -> None:
    """The client remembers its buttons after its own request; nobody presses sooner than that."""
    for _ in range(5):
        await asyncio.sleep(0.001)
