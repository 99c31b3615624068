"""Rendered JSON handed to discord.py as it is, through the objects that its methods take."""

from typing import Any

import discord

from bot.adapters.discord.limits import Json

NO_MENTIONS = discord.AllowedMentions.none()


class RawLayoutView(discord.ui.LayoutView):
    """A message that is drawn already. Presses come as raw interactions, so nothing is kept."""

    def __init__(self, body: Json) -> None:
        super().__init__(timeout=None)
        if body.get("allowed_mentions") != {"parse": []}:
            raise ValueError("a message must not be able to mention anybody")
        self._components: list[dict[str, Any]] = body["components"]
        self.stop()  # a finished view is not stored by the library

    def to_components(self) -> list[dict[str, Any]]:
        """What the library sends."""
        return self._components

    def has_components_v2(self) -> bool:
        """Sets the flag."""
        return True


class RawModal(discord.ui.Modal):
    """A modal that is drawn already."""

    def __init__(self, body: Json) -> None:
        super().__init__(title=body["title"], custom_id=body["custom_id"])
        self._body = body
        self.stop()

    def to_dict(self) -> dict[str, Any]:
        """What the library sends."""
        return self._body


def first_text_of(message: discord.Message) -> str:
    """The first text of a message of ours: tells whether a new card is the same one, renewed."""
    for box in message.components:
        for child in getattr(box, "children", ()):
            if isinstance(child, discord.TextDisplay):
                return child.content
    return ""
