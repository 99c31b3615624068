"""The Discord adapter: listens at the gateway, delivers over REST, and declares its commands."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, cast

import aiohttp
import discord
import structlog

from bot.adapters.base import ANSWER_WITHIN
from bot.adapters.discord.commands import declared, fingerprint
from bot.adapters.discord.drafts import Recent
from bot.adapters.discord.events import Listener
from bot.adapters.discord.gateway import Client, Ears
from bot.adapters.discord.interactions import InteractionHandler
from bot.adapters.discord.people import PLATFORM, People
from bot.adapters.discord.post import DiscordCourier
from bot.adapters.discord.render import message
from bot.adapters.discord.rest import Rest
from bot.adapters.discord.views import NOBODY, Drawn
from bot.cards import Card, Note
from bot.i18n import Translator, language_of, translator

if TYPE_CHECKING:
    from bot.hub import Hub

log = structlog.get_logger()

DRAIN_WITHIN = 8.0
"""Seconds that answers under way have to be finished when the program ends."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds between attempts to connect while Discord cannot be reached."""

UNREACHABLE = (OSError, aiohttp.ClientError, discord.GatewayNotFound, discord.DiscordServerError)


class DiscordAdapter(DiscordCourier):
    """All servers of one bot. Delivering and `sync` also work where nobody listens."""

    platform = PLATFORM

    def __init__(
        self,
        hub: "Hub",
        token: str,
        *,
        api_url: str = "",
        gateway_url: str = "",
        known_hash: Callable[[], Awaitable[str]],
        remember_hash: Callable[[str], Awaitable[None]],
        answer_within: float = ANSWER_WITHIN,
        drain_within: float = DRAIN_WITHIN,
        first_pause: float = FIRST_PAUSE,
    ) -> None:
        super().__init__(Rest(token, api_url))
        self._hub = hub
        self._token = token
        self._addresses = (api_url, gateway_url)
        self._known_hash = known_hash
        self._remember_hash = remember_hash
        self._drain_within = drain_within
        self._first_pause = first_pause
        self._interactions = InteractionHandler(hub, People(), within=answer_within)
        self._listener = Listener(hub, self._interactions)
        self._seen: Recent[int, bool] = Recent()
        self._busy: set[asyncio.Task[None]] = set()
        self._ending = False
        self._entering = asyncio.Lock()
        self._client: Client | None = None

    # --- listening ---

    def ready(self) -> bool:
        """Is every shard connected?"""
        client = self._client
        if client is None or client.is_closed() or not client.is_ready():
            return False
        return not any(shard.is_closed() for shard in client.shards.values())

    async def listen(self) -> None:
        """Serve until cancelled; then finish the answers under way and hang up."""
        pause, now = self._first_pause, asyncio.get_running_loop().time
        try:
            while not self._ending:
                began = now()
                try:
                    await self._serve()
                except UNREACHABLE as error:
                    log.warning("discord unreachable", kind=type(error).__name__)
                await self._hang_up()
                if now() - began > LONGEST_PAUSE:
                    pause = self._first_pause
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        finally:
            await self.close()

    async def _serve(self) -> None:
        client = await self._entered()
        try:
            await self.sync()
        except discord.HTTPException as error:
            log.error("commands not synced", status=error.status, code=error.code)
        await client.connect()

    async def _entered(self) -> Client:
        """The client, logged in; the first who needs it does that."""
        async with self._entering:
            if self._client is None:
                ears = Ears(
                    self._interaction, self._message, self._edited, self._deleted, self._marked,
                    self._removed,
                )  # fmt: skip
                client = Client(ears, *self._addresses)
                try:
                    await client.login(self._token)
                except BaseException:
                    await client.http.close()
                    raise
                self._client = client
            return self._client

    async def close(self) -> None:
        """Let the answers under way be finished, then close every connection."""
        self._ending = True
        if self._busy:
            await asyncio.wait(self._busy, timeout=self._drain_within)
        for task in list(self._busy):
            task.cancel()
        await self._hang_up()
        await self._rest.close()

    async def _hang_up(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    # --- what happens ---

    async def _interaction(self, interaction: discord.Interaction) -> None:
        if self._seen.get(interaction.id):
            return  # a resumed session replays what was heard already
        self._seen.put(interaction.id, True)
        with self._under_way():
            try:
                if self._ending:
                    await self._refuse(interaction)
                else:
                    await self._interactions.hear(interaction)
            except discord.HTTPException as error:
                log.warning("not answered", id=interaction.id, status=error.status, code=error.code)
            except Exception:
                log.exception("interaction failed", id=interaction.id)
                await self._apologise(interaction)

    async def _message(self, written: discord.Message) -> None:
        if written.guild is not None or written.author.bot or self._ending:
            return
        if self._seen.get(written.id):
            return
        self._seen.put(written.id, True)
        await self._heed(written.id, self._listener.written(written))

    async def _edited(self, written: discord.Message) -> None:
        if written.guild is None and not (written.author.bot or self._ending):
            await self._heed(written.id, self._listener.edited(written))

    async def _deleted(self, gone: discord.RawMessageDeleteEvent) -> None:
        if gone.guild_id is None and not self._ending:
            await self._heed(gone.message_id, self._listener.deleted(gone))

    async def _marked(self, mark: discord.RawReactionActionEvent) -> None:
        own = self._client is not None and mark.user_id == self._client.application_id
        if mark.guild_id is None and not (own or self._ending):
            await self._heed(mark.message_id, self._listener.marked(mark))

    async def _heed(self, about: int, work: Coroutine[None, None, None]) -> None:
        with self._under_way():
            try:
                await work
            except Exception as error:
                log.warning("not answered", id=about, kind=type(error).__name__)

    async def _removed(self, guild: int) -> None:
        with self._under_way():
            await self._hub.removed(PLATFORM, str(guild))

    @contextlib.contextmanager
    def _under_way(self) -> Iterator[None]:
        """What `close` waits for."""
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._busy.add(task)
        try:
            yield
        finally:
            self._busy.discard(task)

    async def _refuse(self, interaction: discord.Interaction) -> None:
        t = translator(language_of(str(interaction.locale)))
        await _tell(interaction, t("I am restarting. Please try again in a minute."), t)

    async def _apologise(self, interaction: discord.Interaction) -> None:
        t = translator(language_of(str(interaction.locale)))
        reference = f"{interaction.id:x}"
        text = t("Something went wrong here. Reference: {reference}", reference=reference)
        with contextlib.suppress(discord.HTTPException):
            await _tell(interaction, text, t)

    # --- commands ---

    async def sync(self, *, force: bool = False) -> bool:
        """Register the commands if they changed since last time; were they registered?"""
        body = declared(self._hub.commands)
        now = fingerprint(body)
        if not force and now == await self._known_hash():
            return False
        client = await self._entered()
        await client.http.bulk_upsert_global_commands(_id(client), cast(Any, body))
        await self._remember_hash(now)
        log.info("commands synced", count=len(body))
        return True

    async def application_id(self) -> int:
        """The bot's own application, for the invitation address."""
        return _id(await self._entered())


def _id(client: Client) -> int:
    return cast(int, client.application_id)  # a client that is logged in knows it


async def _tell(interaction: discord.Interaction, text: str, t: Translator) -> None:
    """One sentence as the answer, whether or not there is one already."""
    if interaction.type is discord.InteractionType.autocomplete:
        return
    body = message(Card(t("Not now"), (Note(text, "warning"),), tone="warning"), t)
    if interaction.response.is_done():
        await interaction.edit_original_response(view=Drawn(body), allowed_mentions=NOBODY)
    else:
        await interaction.response.send_message(
            view=Drawn(body), ephemeral=True, allowed_mentions=NOBODY
        )
