"""Direct messages with the bot: part of a conversation, or else a command."""

import asyncio
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import discord
import structlog

from bot.adapters.base import Turns
from bot.adapters.discord import hearing
from bot.adapters.discord.commands import plain_mentions
from bot.adapters.discord.forms import draft_of
from bot.adapters.discord.interactions import InteractionHandler
from bot.adapters.discord.names import read_command
from bot.adapters.discord.people import PLATFORM
from bot.adapters.discord.render import Press, message
from bot.adapters.discord.views import NOBODY, Drawn
from bot.cards import Card, Form, Note, Reply
from bot.i18n import Translator, language_of, translator
from bot.request import Heard, Request, Taken

if TYPE_CHECKING:
    from bot.hub import Hub

log = structlog.get_logger()

PAUSES = (0.2, 1.0)
"""Seconds between the attempts to save what was heard."""


class Listener:
    """Hears each place's messages, edits and deletions in the order in which they happened."""

    def __init__(
        self, hub: "Hub", interactions: InteractionHandler, pauses: Sequence[float] = PAUSES
    ) -> None:
        self.pauses = pauses
        self._hub = hub
        self._interactions = interactions
        self._people = interactions.people
        self._turns = Turns()

    async def written(self, said: discord.Message) -> None:
        """New words: passed on, or answered as a command."""
        async with self._turns.of(str(said.channel.id)):
            await self._written(said)

    async def _written(self, said: discord.Message) -> None:
        t = translator(language_of(self._people.author(said.author).locale))
        try:
            if await self._take(hearing.written(said, self._people.author(said.author)), said):
                return
        except Exception as error:  # nothing was saved, so nothing was passed on
            log.error("not heard", id=said.id, kind=type(error).__name__)
            sorry = t("I cannot save anything just now. Nothing was changed; please try again in "
                      "a minute.")  # fmt: skip
            await _say(said, Card(t("Sorry"), (Note(sorry, "bad"),), tone="bad"), t)
            return
        await self._answer(said)

    async def _answer(self, written: discord.Message) -> None:
        """Words written to the bot are a command, answered where they were written."""
        request = Request(
            sender=self._people.author(written.author),
            words=_words(written.content),
            channel=str(written.channel.id),
            direct=True,
        )
        said = await self._interactions.ask(request, f"{PLATFORM}:m{written.id}")
        if said.again:
            return
        reply, after = said.reply, list[Press]()
        if isinstance(reply, Form):
            draft = draft_of(request.sender.user, request, reply, said.t)
            reply, press = self._interactions.forms.offer(draft, said.t)
            after = [press]
        body = message(reply, said.t, after=after)
        await written.channel.send(
            view=Drawn(body), nonce=f"m{written.id}", allowed_mentions=NOBODY
        )

    async def edited(self, said: discord.Message) -> None:
        """Other words for something written before."""
        heard = hearing.edited(said, self._people.author(said.author))
        if heard:
            await self._taken(heard, said)

    async def deleted(self, gone: discord.RawMessageDeleteEvent) -> None:
        """Something was taken back."""
        await self._taken(hearing.deleted(PLATFORM, gone))

    async def marked(self, mark: discord.RawReactionActionEvent) -> None:
        """An emoji was put to a message, or taken away."""
        await self._taken(hearing.marked(mark, self._people.account(mark.user_id)))

    async def _taken(self, heard: Heard, said: discord.Message | None = None) -> None:
        async with self._turns.of(heard.channel):
            await self._take(heard, said)

    async def _take(self, heard: Heard, said: discord.Message | None = None) -> bool:
        taken = await self._insist(heard)
        if taken is None:
            return False
        if taken.say and said:
            language = await self._hub.language(heard.sender)
            await _say(said, taken.say, translator(language))
        return True

    async def _insist(self, heard: Heard) -> Taken | None:
        """Discord tells nothing twice: what the database does not take at once is tried again."""
        for pause in self.pauses:
            try:
                return await self._hub.heard(heard)
            except Exception as error:
                log.warning("heard again", act=heard.act, kind=type(error).__name__)
            await asyncio.sleep(pause)
        return await self._hub.heard(heard)


def _words(text: str) -> str:
    """What follows `/wwc`, which may be left out, in the hub's own words."""
    return plain_mentions(re.sub(r"^\s*/?wwc\b", "", read_command(text))).strip()


async def _say(to: discord.Message, reply: Reply, t: Translator) -> None:
    """Answer what somebody wrote, under it."""
    if isinstance(reply, Form):
        return
    await to.channel.send(
        view=Drawn(message(reply, t)),
        nonce=f"h{to.id}{'e' if to.edited_at else ''}",
        reference=to.to_reference(fail_if_not_exists=False),
        mention_author=False,
        allowed_mentions=NOBODY,
    )
