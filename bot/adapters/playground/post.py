"""The hub's own messages on the page: shown, changed and taken away while people look on."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bot.adapters.base import NotSent, Place, Posted
from bot.adapters.playground.live import Live
from bot.adapters.playground.reading import opener
from bot.adapters.playground.world import (
    BOT,
    Conversations,
    Message,
    Renderer,
    Workspace,
    between,
    quoted,
)
from bot.cards import Card, Form, Reply
from bot.i18n import Translator, translator

FOR_EVER = 1e9
"""Seconds; what was said here is remembered as long as the program runs, or else lost with it."""


class PlaygroundCourier:
    """Delivers to the panes of the page."""

    def __init__(
        self, renderers: Mapping[str, Renderer], workspaces: Mapping[str, Workspace]
    ) -> None:
        self._renderers = renderers
        self._workspaces = workspaces
        self._said = Conversations()
        self._live = Live()

    def serves(self, platform: str, workspace: str) -> bool:
        """The workspaces of the page, each under the name of the platform it is drawn like."""
        found = self._workspaces.get(workspace)
        return found is not None and found.platform == platform

    def pace(self) -> float:
        """None."""
        return 0.0

    def doubles_dropped_for(self) -> float:
        """As long as anything is remembered."""
        return FOR_EVER

    async def post(self, place: Place, reply: Reply, language: str, marker: str) -> Posted:
        """Show a card in a channel, or in a conversation with the hub; the same mark once."""
        workspace = self._workspace(place)
        known = self._marked(workspace, marker)
        if known:
            return Posted(str(known.number), known.channel)
        channel = place.channel or between(*filter(None, place.user.split(",")), BOT)
        under = self._message(workspace, place.thread)
        shown = self._shown(
            workspace,
            channel,
            _card(reply),
            translator(language),
            marker=marker,
            under=quoted(under) if under else "",
        )
        return Posted(str(shown.number), channel)

    async def edit(self, place: Place, posted: Posted, reply: Reply, language: str) -> None:
        """Put the new card where the old one stood."""
        workspace = self._workspace(place)
        message = self._message(workspace, posted.id)
        if message is None:
            raise NotSent("no such message", final=True)
        card = _card(reply)
        payload = self._written(workspace, card, translator(language))
        self._change(message, text=card.title, card=card, payload=payload)

    async def remove(self, place: Place, posted: Posted) -> None:
        """Take it away; it may be gone already."""
        message = self._message(self._workspace(place), posted.id)
        if message:
            self._change(message, gone=True)

    async def find(self, place: Place, marker: str, since: datetime) -> Posted | None:
        """Look for the mark."""
        known = self._marked(self._workspace(place), marker)
        return Posted(str(known.number), known.channel) if known else None

    # --- what is shown ------------------------------------------------------------------------

    def _workspace(self, place: Place) -> Workspace:
        found = self._workspaces.get(place.workspace)
        if found is None:
            raise NotSent("no such workspace", final=True)
        return found

    def _message(self, workspace: Workspace, number: str) -> Message | None:
        return self._look(workspace, lambda message: str(message.number) == number)

    def _marked(self, workspace: Workspace, marker: str) -> Message | None:
        return self._look(workspace, lambda message: bool(marker) and message.marker == marker)

    def _look(self, workspace: Workspace, wanted: Callable[[Message], bool]) -> Message | None:
        return self._said.find(workspace.key, wanted)

    def _change(self, message: Message, **facts: Any) -> Message:
        changed = self._said.change(message, **facts)
        self._live.publish(changed)
        return changed

    def _published(
        self, workspace: Workspace, channel: str, author: str, text: str, **more: Any
    ) -> Message:
        message = self._said.add(workspace.key, channel, author, text, **more)
        self._live.publish(message)
        return message

    def _shown(
        self, workspace: Workspace, channel: str, card: Card, t: Translator, **more: Any
    ) -> Message:
        """A card of the hub, written as this workspace's platform would get it."""
        payload = self._written(workspace, card, t)
        return self._published(
            workspace, channel, BOT, card.title, card=card, payload=payload, **more
        )

    def _written(self, workspace: Workspace, card: Card, t: Translator) -> Mapping[str, Any]:
        return self._renderers[workspace.platform].message(card, t)


def _card(reply: Reply) -> Card:
    return opener(reply) if isinstance(reply, Form) else reply
