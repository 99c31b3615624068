"""The Discord adapter: listens on the gateway, delivers over REST, and registers commands."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, cast

import aiohttp
import discord
import structlog

from bot.adapters.base import ANSWER_TIMEOUT
from bot.adapters.discord.commands import build_commands, fingerprint, normalize_mentions
from bot.adapters.discord.drafts import RecentCache
from bot.adapters.discord.events import DirectMessageListener
from bot.adapters.discord.gateway import Client, EventHandlers
from bot.adapters.discord.interactions import InteractionHandler
from bot.adapters.discord.people import PLATFORM, People
from bot.adapters.discord.post import DiscordDeliveryAdapter
from bot.adapters.discord.render import message
from bot.adapters.discord.rest import RestClient
from bot.adapters.discord.views import NO_MENTIONS, RawLayoutView
from bot.cards import Card, Note
from bot.i18n import Translator, language_of, translator

if TYPE_CHECKING:
    from bot.hub import Hub

log = structlog.get_logger()

DRAIN_TIMEOUT = 8.0
"""Seconds that answers in progress may take to finish when the program ends."""

FIRST_PAUSE, MAX_PAUSE = 1.0, 60.0
"""Seconds between attempts to connect while Discord cannot be reached; they double each time."""

UNREACHABLE_ERRORS = (
    OSError,
    aiohttp.ClientError,
    discord.GatewayNotFound,
    discord.DiscordServerError,
)


class DiscordAdapter(DiscordDeliveryAdapter):
    """Serves all servers of one bot.

    Delivery and `sync` also work in a process that does not listen.
    """

    platform = PLATFORM

    def __init__(
        self,
        hub: "Hub",
        token: str,
        *,
        api_url: str = "",
        gateway_url: str = "",
        load_hash: Callable[[], Awaitable[str]],
        save_hash: Callable[[str], Awaitable[None]],
        answer_timeout: float = ANSWER_TIMEOUT,
        drain_timeout: float = DRAIN_TIMEOUT,
        first_pause: float = FIRST_PAUSE,
    ) -> None:
        super().__init__(RestClient(token, api_url))
        self._hub = hub
        self._token = token
        self._addresses = (api_url, gateway_url)
        self._load_hash = load_hash
        self._save_hash = save_hash
        self._drain_timeout = drain_timeout
        self._first_pause = first_pause
        self._interactions = InteractionHandler(hub, People(), answer_timeout=answer_timeout)
        self._listener = DirectMessageListener(hub, self._interactions)
        self._handled_ids: RecentCache[int, bool] = RecentCache()
        self._running_tasks: set[asyncio.Task[None]] = set()
        self._is_closing = False
        self._login_lock = asyncio.Lock()
        self._client: Client | None = None

    # --- listening ---

    def is_ready(self) -> bool:
        """Return whether every shard is connected."""
        client = self._client
        if client is None or client.is_closed() or not client.is_ready():
            return False
        return not any(shard.is_closed() for shard in client.shards.values())

    async def listen(self) -> None:
        """Serve until cancelled, then finish the answers in progress and close the connections.

        While Discord cannot be reached, it connects again after growing pauses.
        """
        pause, now = self._first_pause, asyncio.get_running_loop().time
        try:
            while not self._is_closing:
                began = now()
                try:
                    await self._serve()
                except UNREACHABLE_ERRORS as error:
                    log.warning("discord unreachable", kind=type(error).__name__)
                await self._close_client()
                if now() - began > MAX_PAUSE:
                    pause = self._first_pause
                await asyncio.sleep(pause)
                pause = min(pause * 2, MAX_PAUSE)
        finally:
            await self.close()

    async def _serve(self) -> None:
        client = await self._login_client()
        try:
            await self.sync()
        except discord.HTTPException as error:
            log.error("commands not synced", status=error.status, code=error.code)
        await client.connect()

    async def _login_client(self) -> Client:
        """Return the client; the first call logs it in."""
        async with self._login_lock:
            if self._client is None:
                ears = EventHandlers(
                    self._on_interaction,
                    self._on_message,
                    self._on_edited,
                    self._on_deleted,
                    self._on_reaction,
                    self._on_removed,
                )
                client = Client(ears, *self._addresses)
                try:
                    await client.login(self._token)
                except BaseException:
                    await client.http.close()
                    raise
                self._client = client
            return self._client

    async def close(self) -> None:
        """Wait for the answers in progress up to `drain_timeout`, then close every connection."""
        self._is_closing = True
        if self._running_tasks:
            await asyncio.wait(self._running_tasks, timeout=self._drain_timeout)
        for task in list(self._running_tasks):
            task.cancel()
        await self._close_client()
        await self._rest.close()

    async def _close_client(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    # --- gateway events ---

    async def _on_interaction(self, interaction: discord.Interaction) -> None:
        if self._handled_ids.get(interaction.id):
            return  # a resumed session replays events that were handled already
        self._handled_ids.add(interaction.id, True)
        with self._track_task():
            try:
                if self._is_closing:
                    await self._send_restart_notice(interaction)
                else:
                    await self._interactions.handle_interaction(interaction)
            except discord.HTTPException as error:
                log.warning("not answered", id=interaction.id, status=error.status, code=error.code)
            except Exception:
                log.exception("interaction failed", id=interaction.id)
                await self._report_failure(interaction)

    async def _on_message(self, written: discord.Message) -> None:
        if written.author.bot or self._is_closing or self._handled_ids.get(written.id):
            return
        own = self._client.application_id if self._client else None
        # a reply to the bot mentions it too, but only a text that names it asks for something
        if written.guild and f"<@{own}>" not in normalize_mentions(written.content):
            return
        self._handled_ids.add(written.id, True)
        if written.guild is None:
            await self._run_logged(written.id, self._listener.on_message(written))
        else:
            await self._run_logged(written.id, self._listener.on_mention(written, f"<@{own}>"))

    async def _on_edited(self, written: discord.Message) -> None:
        if written.guild is None and not (written.author.bot or self._is_closing):
            await self._run_logged(written.id, self._listener.on_edited(written))

    async def _on_deleted(self, gone: discord.RawMessageDeleteEvent) -> None:
        if gone.guild_id is None and not self._is_closing:
            await self._run_logged(gone.message_id, self._listener.on_deleted(gone))

    async def _on_reaction(self, mark: discord.RawReactionActionEvent) -> None:
        own = self._client is not None and mark.user_id == self._client.application_id
        if mark.guild_id is None and not (own or self._is_closing):
            await self._run_logged(mark.message_id, self._listener.on_reaction(mark))

    async def _run_logged(self, about: int, work: Coroutine[None, None, None]) -> None:
        with self._track_task():
            try:
                await work
            except Exception as error:
                log.warning("not answered", id=about, kind=type(error).__name__)

    async def _on_removed(self, guild: int) -> None:
        with self._track_task():
            await self._hub.on_workspace_removed(PLATFORM, str(guild))

    @contextlib.contextmanager
    def _track_task(self) -> Iterator[None]:
        """Register the current task, so that `close` waits for it."""
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._running_tasks.add(task)
        try:
            yield
        finally:
            self._running_tasks.discard(task)

    async def _send_restart_notice(self, interaction: discord.Interaction) -> None:
        t = translator(language_of(str(interaction.locale)))
        await _send_notice(interaction, t("I am restarting. Please try again in a minute."), t)

    async def _report_failure(self, interaction: discord.Interaction) -> None:
        t = translator(language_of(str(interaction.locale)))
        reference = f"{interaction.id:x}"
        text = t("Something went wrong here. Reference: {reference}", reference=reference)
        with contextlib.suppress(discord.HTTPException):
            await _send_notice(interaction, text, t)

    # --- commands ---

    async def sync(self, *, force: bool = False) -> bool:
        """Register the commands if they changed since the last time, or if `force` is set.

        Return whether they were registered. Raises `discord.HTTPException` if Discord refuses.
        """
        body = build_commands(self._hub.commands)
        now = fingerprint(body)
        if not force and now == await self._load_hash():
            return False
        client = await self._login_client()
        await client.http.bulk_upsert_global_commands(_application_id(client), cast(Any, body))
        await self._save_hash(now)
        log.info("commands synced", count=len(body))
        return True

    async def application_id(self) -> int:
        """Return the id of the bot's application, for the invitation address."""
        return _application_id(await self._login_client())


def _application_id(client: Client) -> int:
    return cast(int, client.application_id)  # set once the client is logged in


async def _send_notice(interaction: discord.Interaction, text: str, t: Translator) -> None:
    """Answer with one sentence, whether or not the interaction has a response already."""
    if interaction.type is discord.InteractionType.autocomplete:
        return
    body = message(Card(t("Not now"), (Note(text, "warning"),), tone="warning"), t)
    if interaction.response.is_done():
        await interaction.edit_original_response(
            view=RawLayoutView(body), allowed_mentions=NO_MENTIONS
        )
    else:
        await interaction.response.send_message(
            view=RawLayoutView(body), ephemeral=True, allowed_mentions=NO_MENTIONS
        )
