"""Deliver the hub's messages on the page: post, edit and remove them while it is open."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bot.adapters.base import DeliveryError, Destination, PostedMessage
from bot.adapters.playground.live import LiveStreams
from bot.adapters.playground.reading import form_invitation_card
from bot.adapters.playground.world import (
    BOT,
    Conversations,
    Message,
    Renderer,
    Workspace,
    conversation_key,
    quote_line,
)
from bot.cards import Card, Form, Reply
from bot.i18n import Translator, translator

FOR_EVER = 1e9
"""Seconds; messages and their markers are kept until the program ends, then lost together."""


class PlaygroundDeliveryAdapter:
    """Delivers messages to the panes of the page."""

    def __init__(
        self, renderers: Mapping[str, Renderer], workspaces: Mapping[str, Workspace]
    ) -> None:
        self._renderers = renderers
        self._workspaces = workspaces
        self._conversations = Conversations()
        self._live = LiveStreams()

    def serves(self, platform: str, workspace: str) -> bool:
        """Return whether this workspace is on the page, under the platform it is rendered like."""
        found = self._workspaces.get(workspace)
        return found is not None and found.platform == platform

    def post_interval(self) -> float:
        """Return 0: the page has no rate limit."""
        return 0.0

    def deduplication_seconds(self) -> float:
        """Return a time longer than any run, since markers are kept until the program ends."""
        return FOR_EVER

    async def post(
        self, place: Destination, reply: Reply, language: str, marker: str
    ) -> PostedMessage:
        """Show a card in a channel or a conversation with the hub; a repeated marker only once.

        Raises `DeliveryError` where the workspace does not exist.
        """
        workspace = self._find_workspace(place)
        known = self._find_by_marker(workspace, marker)
        if known:
            return PostedMessage(str(known.number), known.channel)
        channel = place.channel or conversation_key(*filter(None, place.user.split(",")), BOT)
        under = self._find_message(workspace, place.thread)
        shown = self._post_card(
            workspace,
            channel,
            _as_card(reply),
            translator(language),
            marker=marker,
            under=quote_line(under) if under else "",
        )
        return PostedMessage(str(shown.number), channel)

    async def edit(
        self, place: Destination, posted: PostedMessage, reply: Reply, language: str
    ) -> None:
        """Replace the card of a posted message. Raises `DeliveryError` where it does not exist."""
        workspace = self._find_workspace(place)
        message = self._find_message(workspace, posted.id)
        if message is None:
            raise DeliveryError("no such message", final=True)
        card = _as_card(reply)
        payload = self._render_payload(workspace, card, translator(language))
        self._change(message, text=card.title, card=card, payload=payload)

    async def remove(self, place: Destination, posted: PostedMessage) -> None:
        """Remove a posted message; one that is removed already is no error."""
        message = self._find_message(self._find_workspace(place), posted.id)
        if message:
            self._change(message, is_removed=True)

    async def find(self, place: Destination, marker: str, since: datetime) -> PostedMessage | None:
        """Return the posted message with this marker, None if there is none."""
        known = self._find_by_marker(self._find_workspace(place), marker)
        return PostedMessage(str(known.number), known.channel) if known else None

    # --- conversations ------------------------------------------------------------------------

    def _find_workspace(self, place: Destination) -> Workspace:
        found = self._workspaces.get(place.workspace)
        if found is None:
            raise DeliveryError("no such workspace", final=True)
        return found

    def _find_message(self, workspace: Workspace, number: str) -> Message | None:
        return self._find_newest(workspace, lambda message: str(message.number) == number)

    def _find_by_marker(self, workspace: Workspace, marker: str) -> Message | None:
        return self._find_newest(
            workspace, lambda message: bool(marker) and message.marker == marker
        )

    def _find_newest(
        self, workspace: Workspace, wanted: Callable[[Message], bool]
    ) -> Message | None:
        return self._conversations.find(workspace.key, wanted)

    def _change(self, message: Message, **facts: Any) -> Message:
        changed = self._conversations.change(message, **facts)
        self._live.publish(changed)
        return changed

    def _publish(
        self, workspace: Workspace, channel: str, author: str, text: str, **more: Any
    ) -> Message:
        message = self._conversations.add(workspace.key, channel, author, text, **more)
        self._live.publish(message)
        return message

    def _post_card(
        self, workspace: Workspace, channel: str, card: Card, t: Translator, **more: Any
    ) -> Message:
        """Post a card of the hub, with the payload that this workspace's platform would get."""
        payload = self._render_payload(workspace, card, t)
        return self._publish(
            workspace, channel, BOT, card.title, card=card, payload=payload, **more
        )

    def _render_payload(self, workspace: Workspace, card: Card, t: Translator) -> Mapping[str, Any]:
        return self._renderers[workspace.platform].message(card, t)


def _as_card(reply: Reply) -> Card:
    return form_invitation_card(reply) if isinstance(reply, Form) else reply
