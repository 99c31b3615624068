"""One delivery adapter for each loopback platform and for the page, seen alike."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from bot.adapters.base import DeliveryAdapter, Destination
from bot.adapters.discord.listen import DiscordAdapter
from bot.adapters.slack.listen import SlackAdapter
from bot.cards import plain
from bot.hub import Hub
from tests.adapters.discord.fake import FakeHub as DiscordHub
from tests.adapters.playground.demo import FakeHub as PlaygroundHub
from tests.adapters.playground.demo import served
from tests.adapters.slack.conftest import ToldHub
from tests.platforms.discord import LoopbackDiscord, mentions_of, text_of
from tests.platforms.slack import LoopbackSlack


@dataclass
class AdapterStand:
    """An adapter and its platform. `shown`: what stands in the person's direct messages now."""

    adapter: DeliveryAdapter
    person: Destination
    channel: Destination
    group: Destination
    direct_messages: Callable[[], list[str]]
    channel_messages: Callable[[], list[str]]
    reply_targets: Callable[[], list[str]]
    pings: Callable[[], list[str]]
    close_direct_messages: Callable[[], None]
    post_noise: Callable[[str], Any]
    platform: Any = None


@asynccontextmanager
async def slack_stand() -> AsyncIterator[AdapterStand]:
    async with LoopbackSlack() as slack:
        team = slack.team
        ana, bea = slack.add_user(team, "ana"), slack.add_user(team, "bea")
        adapter = SlackAdapter(
            cast(Hub, ToldHub()), bot_token=slack.bot_token, api_url=slack.api_url
        )
        direct = slack.dm_of(ana)

        def posts(channel: str) -> list[Any]:
            return [p for p in slack.posts if p.channel == channel and not p.deleted]

        yield AdapterStand(
            adapter,
            Destination("slack", team.id, user=ana.id),
            Destination("slack", team.id, channel=slack.general.id),
            Destination("slack", team.id, user=f"{ana.id},{bea.id}"),
            direct_messages=lambda: [
                p.readable for p in posts(direct.id) if p.user == team.bot_user
            ],
            channel_messages=lambda: [p.readable for p in posts(slack.general.id)],
            reply_targets=lambda: [p.thread_ts or "" for p in posts(direct.id)],
            pings=lambda: slack.pings,
            close_direct_messages=lambda: setattr(ana, "deleted", True),
            post_noise=lambda text: slack.post(direct, ana.id, {"text": text}),
            platform=slack,
        )
        await adapter.close()
        assert slack.violations == []


@asynccontextmanager
async def discord_stand() -> AsyncIterator[AdapterStand]:
    async with LoopbackDiscord(strict_answers=True) as discord:
        guild = discord.add_guild("Lisbon")
        ada, eva = discord.add_user("ada", guild=guild), discord.add_user("eva", guild=guild)
        adapter = DiscordAdapter(
            DiscordHub().hub,
            discord.token,
            api_url=discord.api_url,
            gateway_url=discord.gateway_url,
            load_hash=_load_no_hash,
            save_hash=_discard_hash,
        )

        def reply(message: Any) -> str:
            return str((message.body.get("message_reference") or {}).get("message_id", ""))

        def everything() -> list[Any]:
            return [m for c in discord.channels.values() for m in c.messages]

        yield AdapterStand(
            adapter,
            Destination("discord", str(guild.id), user=str(ada.id)),
            Destination("discord", str(guild.id), channel=str(guild.general.id)),
            Destination("discord", str(guild.id), user=f"{ada.id},{eva.id}"),
            direct_messages=lambda: [text_of(m) for m in discord.sent_to(ada)],
            channel_messages=lambda: [text_of(m) for m in discord.sent_to(guild.general)],
            reply_targets=lambda: [reply(m) for m in discord.sent_to(ada)],
            pings=lambda: [
                p for m in everything() for body in (*m.edits, m.body) for p in mentions_of(body)
            ],
            close_direct_messages=lambda: setattr(ada, "dms_open", False),
            post_noise=lambda text: discord.store(discord.dm_channel(ada), ada, {"content": text}),
            platform=discord,
        )
        await adapter.close()
        assert discord.violations == []
        assert discord.bad_answers == []
        assert discord.identifies == [], "a delivery adapter needs no gateway"


@asynccontextmanager
async def playground_stand() -> AsyncIterator[AdapterStand]:
    luis, ines = "luis@bogota.example", "ines@recife.example"
    async with served(PlaygroundHub()) as (_, adapter):

        def seen(channel: str) -> list[Any]:
            return adapter._conversations.list_messages("G-DEMO", channel, luis)

        def direct() -> list[Any]:
            return seen(f"dm:bot|{luis}")

        def said(messages: list[Any]) -> list[str]:
            return [plain(m.card) if m.card else m.text for m in messages]

        yield AdapterStand(
            adapter,
            Destination("discord", "G-DEMO", user=luis),
            Destination("discord", "G-DEMO", channel="general"),
            Destination("discord", "G-DEMO", user=f"{luis},{ines}"),
            direct_messages=lambda: said([m for m in direct() if m.author == "bot"]),
            channel_messages=lambda: said(seen("general")),
            reply_targets=lambda: [m.under for m in direct()],
            pings=list,
            close_direct_messages=lambda: None,
            post_noise=lambda text: adapter._conversations.add(
                "G-DEMO", f"dm:bot|{luis}", luis, text
            ),
        )


async def _load_no_hash() -> str:
    return ""


async def _discard_hash(_: str) -> None:
    pass


STANDS: dict[str, Callable[[], AbstractAsyncContextManager[AdapterStand]]] = {
    "slack": slack_stand,
    "discord": discord_stand,
    "playground": playground_stand,
}
