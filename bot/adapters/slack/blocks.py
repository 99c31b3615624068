"""The pieces of Block Kit the hub draws with; what people typed never becomes markup in them."""

import json
import re
from collections.abc import Sequence
from typing import Any

from bot.adapters.slack.text import is_visible, shorten, utf16_length

Json = dict[str, Any]

ACTIONS, FIELDS, OPTIONS = 25, 10, 100
LABEL, COMMAND, HEADER, PARAGRAPH = 75, 2000, 150, 2500
EMPTY = "–"
"""Slack takes no empty text; this stands where there is nothing to say."""

_FORMATS = re.compile(r"[*_~`\\<>&]|:[\w+'-]+:")
"""What Slack would read as formatting in its own markup."""


_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def size(*blocks: Json) -> int:
    """What blocks cost of the characters a message may have."""
    return utf16_length(_compact(blocks)) - 1  # one bracket less: a comma behind each


def plain_text(text: str, most: int) -> Json:
    """A text that is shown letter by letter."""
    return {"type": "plain_text", "text": fit_text(text, most), "emoji": False}


def fit_text(text: str, most: int) -> str:
    """The text cut to size; never nothing."""
    shown = shorten(text, most)
    return shown if shown.strip() else EMPTY


def header(text: str) -> Json:
    """A large line."""
    return {"type": "header", "text": plain_text(" ".join(text.split()), HEADER)}


def context(text: str, most: int = 2000) -> Json:
    """Small print."""
    return {"type": "context", "elements": [plain_text(text, most)]}


def divider() -> Json:
    """A line."""
    return {"type": "divider"}


def text_run(text: str, **style: bool) -> Json:
    """A run of letters inside a rich text."""
    return {"type": "text", "text": text, **({"style": style} if style else {})}


def emoji(name: str) -> Json:
    """One emoji, by the name Slack gives it."""
    return {"type": "emoji", "name": name}


def link(text: str, address: str) -> Json:
    """A run of letters that opens an address."""
    return {"type": "link", "url": address, "text": fit_text(text, LABEL)}


def line(*runs: Json) -> Json:
    """A paragraph of a rich text."""
    return {"type": "rich_text_section", "elements": list(runs)}


def code_block(text: str) -> Json:
    """Letters of one width, as typed."""
    return {"type": "rich_text_preformatted", "elements": [text_run(text)]}


def bullets(lines: Sequence[Json]) -> Json:
    """A list with a dot before each line."""
    return {"type": "rich_text_list", "style": "bullet", "elements": list(lines)}


def rich_text(*parts: Json) -> Json:
    """A block of rich text, in which nothing typed is markup or disturbs anybody."""
    return {"type": "rich_text", "elements": list(parts)}


def paragraph(text: str) -> Json:
    """A block of plain words."""
    return rich_text(line(text_run(text)))


def field(label: str, value: str) -> Json:
    """One labelled value; the label is bold unless the words hold what Slack would format."""
    name, shown = fit_text(label, LABEL), fit_text(value, 600)
    if _FORMATS.search(name + "\n" + shown):
        return plain_text(f"{name}\n{shown}", 2000)
    return {"type": "mrkdwn", "text": f"*{name}*\n{shown}", "verbatim": True}


def fields(given: Sequence[Json]) -> Json:
    """Up to ten labelled values in two columns."""
    return {"type": "section", "fields": list(given)}


def button(name: str, label: str, value: str, style: str = "normal") -> Json:
    """A button; Slack knows two styles besides the plain one."""
    drawn = {"type": "button", "action_id": name, "text": plain_text(label, LABEL), "value": value}
    return drawn if style == "normal" else drawn | {"style": style}


def option(label: str, value: str, hint: str = "") -> Json:
    """One line of a menu."""
    described = {"description": plain_text(hint, LABEL)} if is_visible(hint) else {}
    return {"text": plain_text(label, LABEL), "value": value, **described}


def actions(elements: Sequence[Json]) -> Json:
    """A row of buttons or menus."""
    return {"type": "actions", "elements": list(elements)}


def alert(text: str, level: str) -> Json:
    """A coloured sentence; modals only."""
    return {"type": "alert", "text": plain_text(text, 200), "level": level}
