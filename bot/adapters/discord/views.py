"""Pass rendered JSON to discord.py unchanged, in the objects that its methods take."""

from typing import Any

import discord

from bot.adapters.discord.limits import Json

NO_MENTIONS = discord.AllowedMentions.none()


class RawLayoutView(discord.ui.LayoutView):
    """A message that is rendered already. Presses come as raw interactions.

    Raises `ValueError` for a body that could mention somebody.
    """

    def __init__(self, body: Json) -> None:
        super().__init__(timeout=None)
        if body.get("allowed_mentions") != {"parse": []}:
            raise ValueError("a message must not be able to mention anybody")
        self._components: list[dict[str, Any]] = body["components"]
        self.stop()  # a finished view is not stored by the library

    def to_components(self) -> list[dict[str, Any]]:
        """Return the components for the library to send."""
        return self._components

    def has_components_v2(self) -> bool:
        """Return True, which makes the library set the flag of components v2."""
        return True


class RawModal(discord.ui.Modal):
    """A modal that is rendered already."""

    def __init__(self, body: Json) -> None:
        super().__init__(title=body["title"], custom_id=body["custom_id"])
        self._body = body
        self.stop()

    def to_dict(self) -> dict[str, Any]:
        """Return the body for the library to send."""
        return self._body


def first_text_of(message: discord.Message) -> str:
    """Return the first text of our message ("" if none), by which a renewed card is recognised."""
    for box in message.components:
        for child in getattr(box, "children", ()):
            if isinstance(child, discord.TextDisplay):
                return child.content
    return ""
