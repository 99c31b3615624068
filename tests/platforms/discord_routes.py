"""The REST addresses of the app itself, of people and places, and of messages."""

from __future__ import annotations

from typing import Any

from tests.platforms.discord_gateway import (
    DM_MESSAGES,
    GUILD_MESSAGES,
    MESSAGE_CONTENT,
    Gateway,
    Session,
)
from tests.platforms.discord_json import (
    channel_json,
    guild_json,
    member_json,
    message_event,
    message_json,
    user_json,
)
from tests.platforms.discord_limits import EPHEMERAL, LOADING, Json, rules_of_message
from tests.platforms.discord_rest import Answer, Call, InvalidBodyError, RefusedError, Route
from tests.platforms.discord_world import Channel, Guild, Message, User, World

KEPT_ON_EDIT = ("content", "embeds", "components", "allowed_mentions", "attachments")
BLANK: Json = {"content": "", "embeds": [], "attachments": [], "components": []}


class Routes:
    """The handlers; each returns a status and the body of the answer."""

    def __init__(self, world: World, gateway: Gateway) -> None:
        self.world = world
        self.gateway = gateway

    def table(self) -> list[Route]:
        messages = "/channels/{channel_id}/messages"
        role = "/guilds/{guild_id}/members/{user_id}/roles/{role_id}"
        return [
            Route("GET", "/users/@me", self.whoami),
            Route("GET", "/oauth2/applications/@me", self.application),
            Route("GET", "/applications/@me", self.application),
            Route("GET", "/gateway", self.gateway_address),
            Route("GET", "/gateway/bot", self.gateway_bot),
            Route("POST", "/users/@me/channels", self.open_dm),
            Route("GET", "/users/{user_id}", self.user),
            Route("GET", "/guilds/{guild_id}", self.guild),
            Route("GET", "/guilds/{guild_id}/channels", self.guild_channels),
            Route("GET", "/guilds/{guild_id}/members/{user_id}", self.member),
            Route("PUT", role, self.add_role),
            Route("DELETE", role, self.drop_role),
            Route("DELETE", "/users/@me/guilds/{guild_id}", self.leave),
            Route("GET", "/channels/{channel_id}", self.channel),
            Route("POST", "/channels/{channel_id}/typing", self.typing),
            Route("GET", messages, self.history),
            Route("POST", messages, self.post, rules_of_message),
            Route("GET", f"{messages}/{{message_id}}", self.message),
            Route("PATCH", f"{messages}/{{message_id}}", self.edit),
            Route("DELETE", f"{messages}/{{message_id}}", self.delete),
            Route("PUT", f"{messages}/{{message_id}}/reactions/{{emoji}}/@me", self.add_reaction),
        ]

    # --- the app itself

    async def whoami(self, call: Call) -> Answer:
        me = user_json(self.world.me)
        return 200, me | {"mfa_enabled": True, "locale": "en-US", "verified": True, "email": None}

    async def application(self, call: Call) -> Answer:
        me = user_json(self.world.me)
        nothing = (
            "icon interactions_endpoint_url role_connections_verification_url team "
            "approximate_user_authorization_count"
        )
        return 200, dict.fromkeys(nothing.split()) | {
            "id": me["id"],
            "name": "wwc",
            "description": "",
            "type": None,
            "verify_key": "00" * 32,
            "flags": 0,
            "flags_new": "0",
            "redirect_uris": [],
            "owner": me,
            "approximate_guild_count": len(self.world.guilds),
            "approximate_user_install_count": 0,
            "approximate_user_authorization_count": 0,
            "explicit_content_filter": 0,
            "eligible_oauth2_scopes": [],
            "bot": me,
            "bot_public": True,
            "bot_require_code_grant": False,
            "summary": "",
        }

    async def gateway_address(self, call: Call) -> Answer:
        return 200, {"url": self.gateway.url}

    async def gateway_bot(self, call: Call) -> Answer:
        used = len(self.gateway.identifies)
        limit = {"total": 1000, "remaining": 1000 - used, "reset_after": 86_400_000}
        start = limit | {"max_concurrency": 1}
        shards = self.gateway.shards
        return 200, {"url": self.gateway.url, "shards": shards, "session_start_limit": start}

    # --- people and places

    def guild_of(self, call: Call) -> Guild:
        guild = self.world.guilds.get(call.id("guild_id"))
        if guild is None or not guild.installed:
            raise RefusedError(404, 10004, "Unknown Guild")
        return guild

    def _user(self, call: Call) -> User:
        user = self.world.users.get(call.id("user_id"))
        if user is None:
            raise RefusedError(404, 10013, "Unknown User")
        return user

    def _channel(self, call: Call) -> Channel:
        channel = self.world.channels.get(call.id("channel_id"))
        if channel is None:
            raise RefusedError(404, 10003, "Unknown Channel")
        if channel.guild is not None and not channel.guild.installed:
            raise RefusedError(403, 50001, "Missing Access")
        if not channel.viewable:
            raise RefusedError(403, 50001, "Missing Access")
        return channel

    async def user(self, call: Call) -> Answer:
        return 200, user_json(self._user(call))

    async def guild(self, call: Call) -> Answer:
        return 200, guild_json(self.guild_of(call))

    async def guild_channels(self, call: Call) -> Answer:
        return 200, [channel_json(channel) for channel in self.guild_of(call).channels]

    async def channel(self, call: Call) -> Answer:
        return 200, channel_json(self._channel(call))

    async def typing(self, call: Call) -> Answer:
        self._channel(call)
        return 204, None

    async def member(self, call: Call) -> Answer:
        member = self.guild_of(call).members.get(call.id("user_id"))
        if member is None:
            raise RefusedError(404, 10007, "Unknown Member")
        return 200, member_json(member)

    async def add_role(self, call: Call) -> Answer:
        guild, role_id = self.guild_of(call), call.id("role_id")
        role = next((role for role in guild.roles if role.id == role_id), None)
        if role is None:
            raise RefusedError(404, 10011, "Unknown Role")
        member = guild.members[call.id("user_id")]
        if role not in member.roles:
            member.roles.append(role)
        return 204, None

    async def drop_role(self, call: Call) -> Answer:
        member = self.guild_of(call).members[call.id("user_id")]
        member.roles = [role for role in member.roles if role.id != call.id("role_id")]
        return 204, None

    async def leave(self, call: Call) -> Answer:
        self.guild_of(call).installed = False
        return 204, None

    async def open_dm(self, call: Call) -> Answer:
        user = self.world.users.get(int(call.body["recipient_id"]))
        if user is None:
            raise RefusedError(400, 50033, "Invalid Recipient(s)")
        return 200, channel_json(self.world.dm_channel(user))

    # --- messages

    def _message(self, call: Call) -> Message:
        message = self.world.messages.get(call.id("message_id"))
        wrong = message is None or message.deleted or message.channel is not self._channel(call)
        if message is None or wrong or message.private_to is not None:
            raise RefusedError(404, 10008, "Unknown Message")
        return message

    def _readable(self, message: Message) -> Json:
        """Without the message content intent the words of others are blank outside of DMs."""
        body = message_json(message)
        granted = any(s.intents & MESSAGE_CONTENT for s in self.gateway.sessions.values())
        return body if granted or not self.hidden(message) else body | BLANK

    def hidden(self, message: Message) -> bool:
        mentioned = f"<@{self.world.me.id}>" in message.content
        mine = message.author is self.world.me
        return message.channel.guild is not None and not mine and not mentioned

    async def message(self, call: Call) -> Answer:
        return 200, self._readable(self._message(call))

    async def history(self, call: Call) -> Answer:
        channel, query = self._channel(call), call.query
        if not channel.history_readable:
            return 200, []
        newest = self.world.clock() - self.world.history_lag
        found = [m for m in channel.messages if not m.deleted and m.sent_at <= newest]
        most = int(query.get("limit", 50))
        if "after" in query:
            found = [m for m in found if m.id > int(query["after"])][:most]
        if "before" in query:
            found = [m for m in found if m.id < int(query["before"])]
        return 200, [self._readable(m) for m in found[-most:][::-1]]

    async def post(self, call: Call) -> Answer:
        channel = self._channel(call)
        self._may_post(channel)
        self._may_reply(channel, call.body.get("message_reference"))
        earlier = self._same_nonce(channel, call.body)
        if earlier is not None:
            self.world.deduplicated += 1
            return 200, message_json(earlier)
        nonce = call.body.get("nonce")
        text = None if nonce is None else str(nonce)
        message = self.store(call, channel, call.body, nonce=text)
        await self.announce(message)
        return 200, message_json(message)

    def _may_post(self, channel: Channel) -> None:
        person = channel.recipient
        if person is not None and not person.dms_open:
            raise RefusedError(403, 50007, "Cannot send messages to this user")
        guilds = [guild for guild in self.world.guilds.values() if guild.installed]
        if person is not None and not any(person.id in guild.members for guild in guilds):
            raise RefusedError(403, 50278, "Cannot send messages to this user: no mutual guilds")
        if not channel.writable:
            raise RefusedError(403, 50013, "Missing Permissions")

    def _may_reply(self, channel: Channel, reference: Json | None) -> None:
        """A reply to nothing is refused, unless the sender said that it may stand alone."""
        if reference is None:
            return
        found = self.world.messages.get(int(reference["message_id"]))
        there = found is not None and found.channel is channel and not found.deleted
        if not there and reference.get("fail_if_not_exists") is not False:
            raise InvalidBodyError(["message_reference: Unknown message"])

    def _same_nonce(self, channel: Channel, body: Json) -> Message | None:
        if not body.get("enforce_nonce") or body.get("nonce") is None:
            return None
        since = self.world.clock() - self.world.nonce_window
        for message in reversed(channel.messages):
            if message.sent_at < since:
                return None
            if message.author is self.world.me and message.nonce == str(body["nonce"]):
                return message
        return None

    def store(self, call: Call, channel: Channel, body: Json, **more: Any) -> Message:
        return self.world.store(channel, self.world.me, dict(body), files=call.files, **more)

    async def announce(self, message: Message, event: str = "MESSAGE_CREATE") -> None:
        """Tell the gateway, each session as much as its intents allow."""
        guild = message.channel.guild
        wanted = GUILD_MESSAGES if guild else DM_MESSAGES
        body = message_event(message, message_json(message))

        def build(session: Session) -> Json | None:
            blank = self.hidden(message) and not session.intents & MESSAGE_CONTENT
            return (body | BLANK if blank else body) if session.intents & wanted else None

        await self.gateway.emit(event, build, guild.id if guild else None)

    async def retract(self, message: Message) -> None:
        """Delete a message and tell those who listen to its place."""
        message.deleted = True
        guild = message.channel.guild
        wanted = GUILD_MESSAGES if guild else DM_MESSAGES
        gone = {"id": str(message.id), "channel_id": str(message.channel.id)}
        gone |= {"guild_id": str(guild.id)} if guild else {}
        where = guild.id if guild else None
        await self.gateway.emit(
            "MESSAGE_DELETE", lambda s: gone if s.intents & wanted else None, where
        )

    async def edit(self, call: Call) -> Answer:
        message = self._message(call)
        if message.author is not self.world.me:
            raise RefusedError(403, 50005, "Cannot edit a message authored by another user")
        self.change(message, call, call.body)
        await self.announce(message, "MESSAGE_UPDATE")
        return 200, message_json(message)

    def change(self, message: Message, call: Call, patch: Json) -> None:
        flags = message.flags & ~LOADING | (patch.get("flags") or 0) & ~EPHEMERAL
        merged = message.body | {k: patch[k] for k in KEPT_ON_EDIT if k in patch}
        merged["flags"] = flags
        problems = rules_of_message(merged)
        if problems:
            raise InvalidBodyError(problems)
        message.edits.append(message.body)
        message.body = merged
        message.edited_at = self.world.clock()
        if "attachments" in patch:
            kept = {file["filename"] for file in patch["attachments"] if "filename" in file}
            message.files = {k: v for k, v in message.files.items() if k in kept}
        message.files |= call.files

    async def add_reaction(self, call: Call) -> Answer:
        message = self._message(call)
        message.reactions.append(call.params["emoji"])
        self.world.changed()
        return 204, None

    async def delete(self, call: Call) -> Answer:
        message = self._message(call)
        if message.author is not self.world.me:
            raise RefusedError(403, 50003, "Cannot execute action on this message")
        await self.retract(message)
        return 204, None
