"""What people write to the hub on the page, change and take back: it may be for somebody else."""

from bot.adapters.playground.guard import BadCallError
from bot.adapters.playground.post import PlaygroundDeliveryAdapter
from bot.adapters.playground.reading import CallContext, sender_of
from bot.adapters.playground.world import BOT, LONGEST_TEXT, Message, PlaygroundHub
from bot.cards import Card
from bot.i18n import translator
from bot.request import HandledMessage, IncomingMessage

THREADED_PLATFORMS = frozenset({"slack"})
"""Where a conversation is a thread; elsewhere it is told by the message that is answered."""


class PlaygroundDirectMessages(PlaygroundDeliveryAdapter):
    """Messages that people write to the hub; every one is their own to change."""

    _hub: PlaygroundHub

    async def _relay_message(
        self, here: CallContext, message: Message, under: str
    ) -> HandledMessage | None:
        """Was it part of a conversation with somebody elsewhere?"""
        return await self._hub.handle_message(_build_incoming_message(here, message, under=under))

    async def _edit_own_message(self, here: CallContext, number: int, text: str) -> Message:
        """An own message says something else; so does the copy of it on the other side."""
        changed = self._change(self._find_own_message(here, number), text=text[:LONGEST_TEXT])
        if here.key == BOT:
            await self._notify_hub(here, _build_incoming_message(here, changed, act="edited"))
        return changed

    async def _remove_own_message(self, here: CallContext, number: int) -> None:
        """An own message goes, and the copy of it on the other side."""
        gone = self._change(self._find_own_message(here, number), is_removed=True)
        if here.key == BOT:
            await self._notify_hub(here, _build_incoming_message(here, gone, act="deleted"))

    async def _notify_hub(self, here: CallContext, heard: IncomingMessage) -> None:
        taken = await self._hub.handle_message(heard)
        if taken and isinstance(taken.reply, Card):
            t = translator(await self._hub.language(heard.sender))
            self._post_card(here.workspace, here.channel, taken.reply, t)

    def _find_own_message(self, here: CallContext, number: int) -> Message:
        """Nobody changes what another one wrote, nor what the hub answered."""
        found = self._find_message(here.workspace, str(number))
        if found is None or (found.author, found.channel) != (here.person.key, here.channel):
            raise BadCallError("There is no message of yours with this number here.", 404)
        return found


def _build_incoming_message(
    here: CallContext, message: Message, *, act: str = "written", under: str = ""
) -> IncomingMessage:
    name = f"page:{message.workspace}:{message.version}"
    return IncomingMessage(
        sender_of(here.person, here.workspace),
        act,  # type: ignore[arg-type] # one of the three above
        str(message.number),
        message.channel,
        message.text,
        parent=under,
        has_threads=here.workspace.platform in THREADED_PLATFORMS,
        edition=message.version if act == "edited" else 0,
        keys=(name,),
    )
