"""What people write to the hub on the page, change and take back: it may be for somebody else."""

from bot.adapters.playground.guard import Unfit
from bot.adapters.playground.post import PlaygroundCourier
from bot.adapters.playground.reading import Here, sender_of
from bot.adapters.playground.world import BOT, LONGEST_SHOWN, Asked, Message
from bot.cards import Card
from bot.i18n import translator
from bot.request import HandledMessage, IncomingMessage

THREADED = frozenset({"slack"})
"""Where a conversation is a thread; elsewhere it is told by the message that is answered."""


class PlaygroundTalks(PlaygroundCourier):
    """Messages that people write to the hub; every one is their own to change."""

    _hub: Asked

    async def _passed_on(self, here: Here, message: Message, under: str) -> HandledMessage | None:
        """Was it part of a conversation with somebody elsewhere?"""
        return await self._hub.heard(_heard(here, message, under=under))

    async def _rewritten(self, here: Here, number: int, text: str) -> Message:
        """An own message says something else; so does the copy of it on the other side."""
        changed = self._change(self._own(here, number), text=text[:LONGEST_SHOWN])
        if here.key == BOT:
            await self._told(here, _heard(here, changed, act="edited"))
        return changed

    async def _taken_back(self, here: Here, number: int) -> None:
        """An own message goes, and the copy of it on the other side."""
        gone = self._change(self._own(here, number), gone=True)
        if here.key == BOT:
            await self._told(here, _heard(here, gone, act="deleted"))

    async def _told(self, here: Here, heard: IncomingMessage) -> None:
        taken = await self._hub.heard(heard)
        if taken and isinstance(taken.reply, Card):
            t = translator(await self._hub.language(heard.sender))
            self._shown(here.workspace, here.channel, taken.reply, t)

    def _own(self, here: Here, number: int) -> Message:
        """Nobody changes what another one wrote, nor what the hub answered."""
        found = self._message(here.workspace, str(number))
        if found is None or (found.author, found.channel) != (here.person.key, here.channel):
            raise Unfit("There is no message of yours with this number here.", 404)
        return found


def _heard(
    here: Here, message: Message, *, act: str = "written", under: str = ""
) -> IncomingMessage:
    name = f"page:{message.workspace}:{message.version}"
    return IncomingMessage(
        sender_of(here.person, here.workspace),
        act,  # type: ignore[arg-type] # one of the three above
        str(message.number),
        message.channel,
        message.text,
        parent=under,
        has_threads=here.workspace.platform in THREADED,
        edition=message.version if act == "edited" else 0,
        keys=(name,),
    )
