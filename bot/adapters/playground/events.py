"""Handle what people write to the hub, edit and remove on the page; the hub may relay it."""

from bot.adapters.playground.guard import BadCallError
from bot.adapters.playground.post import PlaygroundDeliveryAdapter
from bot.adapters.playground.reading import CallContext, sender_of
from bot.adapters.playground.spans import NAMED_EMOJI_PLATFORMS
from bot.adapters.playground.world import BOT, MAX_TEXT, Message, PlaygroundHub
from bot.cards import Card
from bot.domain.code import rewrite_passages
from bot.domain.emoji_names import draw_emoji
from bot.i18n import translator
from bot.request import HandledMessage, IncomingMessage

THREADED_PLATFORMS = frozenset({"slack"})
"""Platforms where a conversation is a thread; elsewhere the message replied to identifies it."""


class PlaygroundDirectMessages(PlaygroundDeliveryAdapter):
    """Handles messages that people write to the hub; everybody may change only their own."""

    _hub: PlaygroundHub

    async def _relay_message(
        self, here: CallContext, message: Message, under: str
    ) -> HandledMessage | None:
        """Pass the message to the hub; return None where it belongs to no relayed conversation."""
        return await self._hub.handle_message(_build_incoming_message(here, message, under=under))

    async def _edit_own_message(self, here: CallContext, number: int, text: str) -> Message:
        """Change the text of an own message, and of its copy on the other side."""
        changed = self._change(self._find_own_message(here, number), text=text[:MAX_TEXT])
        if here.key == BOT:
            await self._notify_hub(here, _build_incoming_message(here, changed, act="edited"))
        return changed

    async def _remove_own_message(self, here: CallContext, number: int) -> None:
        """Remove an own message, and its copy on the other side."""
        gone = self._change(self._find_own_message(here, number), is_removed=True)
        if here.key == BOT:
            await self._notify_hub(here, _build_incoming_message(here, gone, act="deleted"))

    async def _notify_hub(self, here: CallContext, heard: IncomingMessage) -> None:
        taken = await self._hub.handle_message(heard)
        if taken and isinstance(taken.reply, Card):
            t = translator(await self._hub.language(heard.sender))
            self._post_card(here.workspace, here.channel, taken.reply, t)

    def _find_own_message(self, here: CallContext, number: int) -> Message:
        """Return the person's own message; raise `BadCallError` for any other."""
        found = self._find_message(here.workspace, str(number))
        if found is None or (found.author, found.channel) != (here.person.key, here.channel):
            raise BadCallError("There is no message of yours with this number here.", 404)
        return found


def _readable_text(here: CallContext, text: str) -> str:
    """Return what was typed as the workspace's platform would hand it over."""
    if here.workspace.platform not in NAMED_EMOJI_PLATFORMS:
        return text
    return rewrite_passages(text, draw_emoji, languages=False)


def _build_incoming_message(
    here: CallContext, message: Message, *, act: str = "written", under: str = ""
) -> IncomingMessage:
    name = f"page:{message.workspace}:{message.version}"
    return IncomingMessage(
        sender_of(here.person, here.workspace),
        act,  # type: ignore[arg-type] # written, edited or deleted
        str(message.number),
        message.channel,
        _readable_text(here, message.text),
        parent=under,
        has_threads=here.workspace.platform in THREADED_PLATFORMS,
        edition=message.version if act == "edited" else 0,
        keys=(name,),
    )
