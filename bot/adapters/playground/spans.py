"""Text with its markup, as a small tree that the templates escape and render."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.domain.addresses import split_addresses
from bot.domain.code import split_code
from bot.domain.emoji_names import draw_emoji
from bot.i18n import Length, translator


@dataclass(frozen=True, slots=True)
class Span:
    """A tag around other spans, or a piece of text when the tag is empty; `mark`: a CSS class."""

    tag: str = ""
    text: str = ""
    inside: tuple["Span", ...] = ()
    href: str = ""
    mark: str = ""


Line = Callable[[str], list[Span]]
TimeStyle = Literal["time", "date", "ago"] | Length
BREAK = Span("br")
NAMED_EMOJI_PLATFORMS = frozenset({"slack"})
"""Platforms where the names of emoji, such as `:tada:`, stand in what people type."""


@dataclass(frozen=True)
class Reader:
    """The person for whom text is rendered: language, time zone, and names of accounts."""

    language: str = "en"
    zone: str = ""
    names: dict[str, str] = field(default_factory=dict)

    def name(self, key: str) -> str:
        """Return how a mention of this account is shown."""
        return "@" + self.names.get(key, key)

    def moment(self, stamp: int, style: TimeStyle = "short") -> str:
        """Format a point in time (Unix seconds) for this reader.

        `style` is a length, `time`, `date` or `ago`. A number out of range is returned as it is.
        """
        t = translator(self.language)
        try:
            at = datetime.fromtimestamp(stamp, UTC)
        except (ValueError, OverflowError, OSError):
            return str(stamp)
        try:
            zone: ZoneInfo | None = ZoneInfo(self.zone) if self.zone else None
        except (ValueError, ZoneInfoNotFoundError):
            zone = None
        local = at.astimezone(zone or UTC)
        if style == "time":
            # Few fonts have the narrow space that stands before AM and PM.
            return t.time(local).replace("\u202f", "\u00a0")
        if style == "date":
            return t.day(local, "long")
        if style == "ago":
            return t.relative(at - datetime.now(UTC))
        return t.timestamp(local, style)


_PICTURE = re.compile("(✅|⚠️?|❌|⛔|💡|ℹ️?)")


def pictures(text: str) -> list[tuple[str, str]]:
    """Split text at the signs that the page draws itself, as the platforms draw theirs.

    Return pairs of a piece and the name of its sign, "" for plain text.
    """
    pieces = _PICTURE.split(text)
    return [(piece, _SIGNS[piece[0]] if i % 2 else "") for i, piece in enumerate(pieces) if piece]


_SIGNS = {"✅": "good", "⚠": "warning", "❌": "cross", "⛔": "stop", "💡": "bulb", "ℹ": "info"}


def plain_spans(text: str) -> list[Span]:
    """Return plain text as spans with line breaks."""
    return join_lines([[Span(text=line)] if line else [] for line in text.split("\n")])


def message_spans(text: str, *, named_emoji: bool = False) -> list[Span]:
    """Return what a person typed, with its addresses as links and its code as code.

    `named_emoji`: the names of emoji in it are shown as pictures, as Slack does.
    """
    spans: list[Span] = []
    for passage in split_code(text):
        if passage.kind == "block":
            spans.append(Span("pre", inside=(Span(text=passage.text),)))
        elif passage.kind == "inline":
            spans.append(Span("code", inside=(Span(text=passage.text),)))
        else:
            spans += linked_spans(draw_emoji(passage.text) if named_emoji else passage.text)
    return spans


def linked_spans(text: str) -> list[Span]:
    """Return plain text as spans with line breaks, its addresses as links."""
    spans: list[Span] = []
    for piece, is_address in split_addresses(text):
        spans += [link(piece, [Span(text=piece)])] if is_address else plain_spans(piece)
    return spans


def join_lines(lines: Sequence[Sequence[Span]]) -> list[Span]:
    """Join lines of spans with breaks between them."""
    spans: list[Span] = []
    for index, line in enumerate(lines):
        spans += [BREAK, *line] if index else line
    return spans


def link(href: str, inside: Sequence[Span]) -> Span:
    """Return a link if it leads to the web or a mailbox; otherwise only its text."""
    if href.startswith(("https://", "http://", "mailto:")):
        return Span("a", href=href, inside=tuple(inside))
    return Span("span", inside=tuple(inside))
