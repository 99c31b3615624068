"""The gateway connection: discord.py's client with few intents and configurable addresses."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

API = "https://discord.com/api/v10"
GATEWAY = "wss://gateway.discord.gg"


def intents() -> discord.Intents:
    """Return the intents: servers, messages, and reactions to direct ones; nothing privileged.

    Without the privileged one, a message in a server has a text only if it mentions the bot.
    """
    wanted = discord.Intents.none()
    wanted.guilds = True
    wanted.guild_messages = True
    wanted.dm_messages = True
    wanted.dm_reactions = True
    return wanted


@dataclass(frozen=True, slots=True)
class EventHandlers:
    """The functions to call for each kind of gateway event."""

    on_interaction: Callable[[discord.Interaction], Awaitable[None]]
    on_message: Callable[[discord.Message], Awaitable[None]]
    on_edited: Callable[[discord.Message], Awaitable[None]]
    on_deleted: Callable[[discord.RawMessageDeleteEvent], Awaitable[None]]
    on_reaction: Callable[[discord.RawReactionActionEvent], Awaitable[None]]
    on_removed: Callable[[int], Awaitable[None]]


class Client(discord.AutoShardedClient):
    """Runs all shards of the bot in one process; caches no member, message or presence."""

    def __init__(self, ears: EventHandlers, api_url: str = "", gateway_url: str = "") -> None:
        super().__init__(
            intents=intents(),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
        )
        self._event_handlers = ears
        gateway = yarl.URL(gateway_url or GATEWAY)
        self._gateway = None if gateway.host == yarl.URL(GATEWAY).host else gateway
        # The library has no other place for its addresses than these two class attributes.
        Route.BASE = (api_url or API).rstrip("/")
        DiscordWebSocket.DEFAULT_GATEWAY = gateway

    async def launch_shard(
        self, gateway: yarl.URL, shard_id: int, *, initial: bool = False
    ) -> None:
        """Connect to the operator's gateway, if one is set, whatever Discord recommends."""
        await super().launch_shard(self._gateway or gateway, shard_id, initial=initial)

    async def on_shard_connect(self, shard_id: int) -> None:
        """Let the session resume at the operator's gateway if Discord's address leads elsewhere."""
        shard = self.get_shard(shard_id)
        if shard is None or self._gateway is None:
            return
        socket = shard._parent.ws
        if socket.gateway.authority != self._gateway.authority:
            socket.gateway = self._gateway

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Handle a command, a press, a submitted form, or somebody typing into an option."""
        await self._event_handlers.on_interaction(interaction)

    async def on_message(self, message: discord.Message) -> None:
        """Handle a new message, direct or in a server."""
        await self._event_handlers.on_message(message)

    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        """Handle the edit of a message in a conversation with the bot."""
        await self._event_handlers.on_edited(event.message)

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """Handle the deletion of a message that was written to the bot or by it."""
        await self._event_handlers.on_deleted(event)

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        """Handle an emoji that was added to a message."""
        await self._event_handlers.on_reaction(event)

    async def on_raw_reaction_remove(self, event: discord.RawReactionActionEvent) -> None:
        """Handle an emoji that was removed from a message."""
        await self._event_handlers.on_reaction(event)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Handle the removal of the bot from a server; the library reports no outage this way."""
        await self._event_handlers.on_removed(guild.id)
