"""A small app on the real discord.py, with which the loopback Discord is tried."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

import pytest
import yarl

with warnings.catch_warnings():
    # On import the library asks for audioop, which Python 3.13 no longer has.
    warnings.simplefilter("ignore", DeprecationWarning)
    import discord as dpy
    from discord import app_commands, ui
    from discord.gateway import DiscordWebSocket
    from discord.http import Route

from tests.platforms.discord import LoopbackDiscord

TOPICS = ["open data", "open source", "performance"]


class Introduce(ui.DynamicItem[ui.Button[Any]], template=r"introduce:(?P<member>\d+)"):
    """A button whose custom_id says everything, so it outlives the process."""

    def __init__(self, member: int) -> None:
        super().__init__(ui.Button(label="Introduce me", custom_id=f"introduce:{member}"))
        self.member = member

    @classmethod
    async def from_custom_id(
        cls, interaction: dpy.Interaction[Any], item: ui.Item[Any], match: Any, /
    ) -> Self:
        return cls(int(match["member"]))

    async def callback(self, interaction: dpy.Interaction[Any]) -> None:
        text = f"introduced to {self.member}"
        await interaction.response.send_message(text, ephemeral=True)


def found(topic: str) -> ui.LayoutView:
    """A card with everything that a card can have."""
    view = ui.LayoutView(timeout=None)
    row: ui.ActionRow[Any] = ui.ActionRow(ui.Button(label="More", custom_id="more"))
    view.add_item(
        ui.Container(
            ui.TextDisplay(f"# Who does {topic}"),
            ui.Section(ui.TextDisplay("Ada, Lisbon"), accessory=Introduce(42)),
            ui.Separator(),
            row,
        )
    )
    pick: ui.Select[Any] = ui.Select(custom_id="pick", options=[dpy.SelectOption(label="Porto")])
    view.add_item(ui.ActionRow(pick))
    return view


class Ask(ui.Modal, title="Ask the network"):
    """A form with one field of each kind."""

    def __init__(self) -> None:
        super().__init__(custom_id="ask")
        self.question: ui.TextInput[Any] = ui.TextInput(custom_id="question", min_length=5)
        levels = [dpy.SelectOption(label="Beginner", value="1"), dpy.SelectOption(label="Expert")]
        self.level: ui.Select[Any] = ui.Select(custom_id="level", options=levels)
        self.add_item(ui.TextDisplay("Members of all cities will see it."))
        self.add_item(ui.Label(text="Question", component=self.question))
        self.add_item(ui.Label(text="Level", description="Yours", component=self.level))

    async def on_submit(self, interaction: dpy.Interaction[Any]) -> None:
        text = f"{self.question.value} ({', '.join(self.level.values)})"
        await interaction.response.send_message(text)


class Bot(dpy.AutoShardedClient):
    """A small app that uses what the hub uses."""

    def __init__(self, **options: Any) -> None:
        intents = options.pop("intents", dpy.Intents(guilds=True, dm_messages=True))
        super().__init__(intents=intents, guild_ready_timeout=0, **options)
        self.tree = app_commands.CommandTree(self)
        self.heard: list[str] = []
        self.thrown_out = asyncio.Event()
        self.tree.add_command(commands())
        self.tree.add_command(app_commands.ContextMenu(name="Save", callback=save))

    async def setup_hook(self) -> None:
        self.add_dynamic_items(Introduce)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """The library's own waits five seconds."""

    async def on_message(self, message: dpy.Message) -> None:
        if message.author == self.user:
            return
        self.heard.append(message.content)
        if message.content == "bye":
            return
        if message.guild is None:
            await message.channel.send(f"you said {message.content}")

    async def on_raw_message_edit(self, edit: dpy.RawMessageUpdateEvent) -> None:
        self.heard.append(f"edited: {edit.data['content']}")

    async def on_raw_message_delete(self, _: dpy.RawMessageDeleteEvent) -> None:
        self.heard.append("deleted")

    async def on_interaction(self, interaction: dpy.Interaction[Any]) -> None:
        data: Any = interaction.data or {}
        if data.get("custom_id") == "more":
            await interaction.response.edit_message(view=found("more"))
        if data.get("custom_id") == "pick":
            await interaction.response.defer()

    async def on_guild_remove(self, guild: dpy.Guild) -> None:
        self.thrown_out.set()


async def save(interaction: dpy.Interaction[Any], message: dpy.Message) -> None:
    await interaction.response.send_message(f"saved: {message.content}", ephemeral=True)


def commands() -> app_commands.Group:
    """`/wwc` with a subcommand for each way of answering."""
    wwc = app_commands.Group(name="wwc", description="Women who code")

    async def topics(_: dpy.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=t.title(), value=t) for t in TOPICS if typed in t]

    @wwc.command(name="who-does", description="Find who works on something")
    @app_commands.autocomplete(topic=topics)
    @app_commands.choices(level=[app_commands.Choice(name="Expert", value="expert")])
    async def who_does(
        interaction: dpy.Interaction[Any],
        topic: str,
        level: str | None = None,
        member: dpy.User | None = None,
    ) -> None:
        await interaction.response.send_message(view=found(topic), ephemeral=level == "expert")

    @wwc.command(name="ask", description="Ask the network")
    async def ask(interaction: dpy.Interaction[Any]) -> None:
        await interaction.response.send_modal(Ask())

    @wwc.command(name="slow", description="Answers later")
    async def slow(interaction: dpy.Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.edit_original_response(content="done")
        await interaction.followup.send("and more", ephemeral=True)

    @wwc.command(name="silent", description="Never answers")
    async def silent(_: dpy.Interaction[Any]) -> None:
        pass

    return wwc


@asynccontextmanager
async def running(
    discord: LoopbackDiscord, monkeypatch: pytest.MonkeyPatch, **options: Any
) -> AsyncIterator[Bot]:
    """The app as it runs in production, pointed at the loopback."""
    monkeypatch.setattr(Route, "BASE", discord.api_url)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(discord.gateway_url))
    async with Bot(**options) as bot:
        task = asyncio.create_task(bot.start(discord.token))
        ready = asyncio.create_task(bot.wait_until_ready())
        await asyncio.wait([task, ready], return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if not task.done():
            await bot.tree.sync()
        yield bot
        await bot.close()
        await task
