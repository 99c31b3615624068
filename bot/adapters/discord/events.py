"""Handle direct messages with the bot: part of a conversation, or else a command."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import discord
import structlog

from bot.adapters.base import ChannelLocks
from bot.adapters.discord import hearing
from bot.adapters.discord.commands import normalize_mentions
from bot.adapters.discord.forms import build_draft
from bot.adapters.discord.interactions import InteractionHandler, LocalizedReply
from bot.adapters.discord.names import read_command
from bot.adapters.discord.people import PLATFORM
from bot.adapters.discord.render import AdapterButton, message
from bot.adapters.discord.views import NO_MENTIONS, RawLayoutView
from bot.cards import Card, Form, Note, Reply, Text
from bot.i18n import Translator, language_of, translator
from bot.request import HandledMessage, IncomingMessage, Request, Sender
from bot.verbs import strip_address

if TYPE_CHECKING:
    from bot.hub import Hub

log = structlog.get_logger()

RECEIPT = "✅"
"""The emoji that the hub puts to a message it passed on."""
RETRY_PAUSES = (0.2, 1.0)
"""Seconds between the attempts to save an event."""


class DirectMessageListener:
    """Handles each channel's messages, edits and deletions in the order in which they happened."""

    def __init__(
        self,
        hub: "Hub",
        interactions: InteractionHandler,
        retry_pauses: Sequence[float] = RETRY_PAUSES,
    ) -> None:
        self.retry_pauses = retry_pauses
        self._hub = hub
        self._interactions = interactions
        self._people = interactions.people
        self._locks = ChannelLocks()

    async def on_message(self, said: discord.Message) -> None:
        """Handle a new message: relay it, or answer it as a command."""
        async with self._locks.lock_for(str(said.channel.id)):
            await self._handle_new_message(said)

    async def _handle_new_message(self, said: discord.Message) -> None:
        t = translator(language_of(self._people.author(said.author).locale))
        try:
            if await self._offer_to_listeners(
                hearing.parse_message(said, self._people.author(said.author)), said
            ):
                return
        except Exception as error:  # nothing was saved, so nothing was relayed
            log.error("not heard", id=said.id, kind=type(error).__name__)
            sorry = t(
                "I can't save anything right now. Nothing was changed; please try again in a "
                "minute."
            )
            await _reply(said, Card(t("Sorry"), (Note(sorry, "bad"),), tone="bad"), t)
            return
        await self._answer(said)

    async def _answer(self, written: discord.Message) -> None:
        """Answer a message as a command, in the channel where it was written."""
        request = Request(
            sender=self._people.author(written.author),
            words=_words(written.content),
            channel=str(written.channel.id),
            direct=True,
        )
        said = await self._interactions.ask(request, f"{PLATFORM}:m{written.id}")
        if not said.is_duplicate:
            await self._send_answer(written.channel, written, request, said)

    async def on_mention(self, written: discord.Message, mention: str) -> None:
        """Answer a message in a server that mentions the bot; `mention` is the bot's.

        What is for the asker alone is sent to them directly, since a message in a channel is seen
        by everybody there; if they take no direct messages, they are told to use the command.
        """
        request = Request(
            sender=self._people.author_in_server(written),
            words=_words(normalize_mentions(written.content).replace(mention, " ")),
            channel=str(written.channel.id),
        )
        said = await self._interactions.ask(request, f"{PLATFORM}:m{written.id}")
        if said.is_duplicate:
            return
        if isinstance(said.reply, Card) and not said.reply.private:
            await _reply(written, said.reply, said.t)
            return
        try:
            await self._send_answer(written.author, written, request, said)
            text = said.t("I sent you the answer in a direct message.")
        except discord.Forbidden:
            text = said.t("I can't message you directly. Use /wwc here; only you see the answer.")
        await _reply(written, Card(said.t("For you"), (Text(text),)), said.t)

    async def _send_answer(
        self,
        place: discord.abc.Messageable,
        written: discord.Message,
        request: Request,
        said: LocalizedReply,
    ) -> None:
        """Send the hub's reply to a message; a form is offered by a button."""
        reply, after = said.reply, list[AdapterButton]()
        if isinstance(reply, Form):
            draft = build_draft(request.sender.user, request, reply, said.t)
            reply, press = self._interactions.forms.offer(draft, said.t)
            after = [press]
        body = message(reply, said.t, extra_buttons=after)
        await place.send(
            view=RawLayoutView(body), nonce=f"m{written.id}", allowed_mentions=NO_MENTIONS
        )

    async def on_edited(self, said: discord.Message) -> None:
        """Handle new text for an earlier message."""
        heard = hearing.parse_edit(said, self._people.author(said.author))
        if heard:
            await self._handle_in_order(heard, said)

    async def on_deleted(self, gone: discord.RawMessageDeleteEvent) -> None:
        """Handle the deletion of a message."""
        await self._handle_in_order(hearing.parse_deletion(PLATFORM, gone))

    async def on_reaction(self, mark: discord.RawReactionActionEvent) -> None:
        """Handle an emoji that was added to a message or removed from it."""
        await self._handle_in_order(
            hearing.parse_reaction(mark, self._people.sender_by_id(mark.user_id))
        )

    async def _handle_in_order(
        self, heard: IncomingMessage, said: discord.Message | None = None
    ) -> None:
        async with self._locks.lock_for(heard.channel):
            await self._offer_to_listeners(heard, said)

    async def _offer_to_listeners(
        self, heard: IncomingMessage, said: discord.Message | None = None
    ) -> bool:
        """Offer a message event to the hub and send the reply; return whether it was handled."""
        taken = await self._handle_with_retries(heard)
        if taken is None:
            return False
        if said:
            await self._tell_author(said, heard.sender, taken)
        return True

    async def _tell_author(
        self, said: discord.Message, sender: Sender, taken: HandledMessage
    ) -> None:
        """Mark what was passed on, and send the hub's reply or, without a mark, a receipt."""
        reply = taken.reply
        if taken.receipt and not await _mark(said):
            reply = reply or taken.receipt
        if reply:
            await _reply(said, reply, translator(await self._hub.language(sender)))

    async def _handle_with_retries(self, heard: IncomingMessage) -> HandledMessage | None:
        """Pass the event to the hub, with retries, since Discord sends no event twice.

        Return None where it belongs to no conversation. Raises what the last attempt raised.
        """
        for pause in self.retry_pauses:
            try:
                return await self._hub.handle_message(heard)
            except Exception as error:
                log.warning("heard again", act=heard.act, kind=type(error).__name__)
            await asyncio.sleep(pause)
        return await self._hub.handle_message(heard)


def _words(text: str) -> str:
    """Return what follows `/wwc`, which may be left out, in the hub's own words."""
    return strip_address(normalize_mentions(read_command(text)))


async def _mark(said: discord.Message) -> bool:
    """Put the emoji of a receipt to a message; return whether that was possible."""
    try:
        await said.add_reaction(RECEIPT)
    except discord.HTTPException as error:
        log.warning("not marked", id=said.id, status=error.status)
        return False
    return True


async def _reply(to: discord.Message, reply: Reply, t: Translator) -> None:
    """Answer a message with a card, as a reply to it; a form cannot be sent this way."""
    if isinstance(reply, Form):
        return
    await to.channel.send(
        view=RawLayoutView(message(reply, t)),
        nonce=f"h{to.id}{'e' if to.edited_at else ''}",
        reference=to.to_reference(fail_if_not_exists=False),
        mention_author=False,
        allowed_mentions=NO_MENTIONS,
    )
