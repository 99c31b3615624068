"""A small Discord with the adapter in it, for tests over sockets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from bot.adapters.base import Destination
from bot.adapters.discord.listen import DiscordAdapter
from bot.cards import Card, Form, Reply
from bot.request import Request
from tests.adapters.discord.fake import FakeHub
from tests.platforms.discord import LoopbackDiscord, Message

QUICK = 0.15
SLOW = 0.4


class Stage:
    """A Discord with one server and one person, and the adapter that serves it."""

    def __init__(self, discord: LoopbackDiscord) -> None:
        self.discord = discord
        self.hub = FakeHub()
        self.guild = discord.add_guild("Lisbon")
        self.ada = discord.add_user("ada", guild=self.guild, locale="pt-BR")
        self.saved_hash = ""
        self.adapter = self.create_adapter()

    def create_adapter(self, **more: Any) -> DiscordAdapter:
        async def known() -> str:
            return self.saved_hash

        async def remember(value: str) -> None:
            self.saved_hash = value

        options: dict[str, Any] = {
            "api_url": self.discord.api_url,
            "gateway_url": self.discord.gateway_url,
            "answer_timeout": QUICK,
            "drain_timeout": 1.0,
            "first_pause": 0.01,
        }
        return DiscordAdapter(
            self.hub.hub,
            self.discord.token,
            load_hash=known,
            save_hash=remember,
            **(options | more),
        )

    @property
    def direct(self) -> Destination:
        """The person's direct messages."""
        return Destination("discord", str(self.guild.id), user=str(self.ada.id))

    @property
    def general(self) -> Destination:
        """The server's channel."""
        return Destination("discord", str(self.guild.id), channel=str(self.guild.general.id))

    async def post_message(
        self, place: Destination, reply: Reply, marker: str = "", **how: str
    ) -> Message:
        """What a delivery leaves there."""
        sent = await self.adapter.post(place, reply, how.get("language", "en"), marker)
        return self.discord.messages[int(sent.id)]

    @property
    def request(self) -> Request:
        return self.hub.asked[-1]

    def set_replies(self, *cards: Card | Form) -> None:
        """The hub's next replies; the last one stays."""
        left = list(cards)
        self.hub.script = lambda _: left.pop(0) if len(left) > 1 else left[0]


@contextlib.asynccontextmanager
async def run_adapter(adapter: DiscordAdapter, discord: LoopbackDiscord) -> AsyncIterator[None]:
    task = asyncio.create_task(adapter.listen())
    try:
        await discord.connected()
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
