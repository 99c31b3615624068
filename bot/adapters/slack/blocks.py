"""Build the elements of Block Kit; text that people typed never becomes markup in them."""

import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from bot.adapters.slack.text import is_visible, shorten
from bot.domain.addresses import split_addresses
from bot.domain.characters import utf16_length

Json = dict[str, Any]

ACTIONS, FIELDS, OPTIONS = 25, 10, 100
"""Most elements of a row, fields of a section, and options of a menu, as Slack limits them."""
LABEL, COMMAND, HEADER, PARAGRAPH = 75, 2000, 150, 2500
"""Longest labels, commands of buttons, headers and paragraphs, in UTF-16 units."""
EMPTY = "–"
"""The text shown in place of an empty one, which Slack rejects."""

LINKS = 20
"""Most links in one text: each takes some of the room of a message."""
_ASCII_SIGNS = "%:/?#[]@!$&'()*+,;=~|{}^"

_FORMATS = re.compile(r"[*_~`\\<>&]|:[\w+'-]+:")
"""Characters and emoji names that Slack would read as formatting in its own markup."""


_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def size(*blocks: Json) -> int:
    """Return how many of the characters of a message the blocks take, as JSON."""
    return utf16_length(_compact(blocks)) - 1  # a comma after each, but no brackets


def plain_text(text: str, most: int) -> Json:
    """Return a text object of at most `most` units that Slack shows without formatting."""
    return {"type": "plain_text", "text": fit_text(text, most), "emoji": False}


def fit_text(text: str, most: int) -> str:
    """Return the text shortened to `most` units, or «–» if nothing of it is visible."""
    shown = shorten(text, most)
    return shown if shown.strip() else EMPTY


def header(text: str) -> Json:
    """Return a header block with the text on one line."""
    return {"type": "header", "text": plain_text(" ".join(text.split()), HEADER)}


def context(text: str, most: int = 2000) -> Json:
    """Return a block of small print."""
    return {"type": "context", "elements": [plain_text(text, most)]}


def divider() -> Json:
    """Return a horizontal line between two blocks."""
    return {"type": "divider"}


def text_run(text: str, **style: bool) -> Json:
    """Return a text element of a rich text; `style`: bold, italic or code."""
    return {"type": "text", "text": text, **({"style": style} if style else {})}


def linked_runs(text: str, **style: bool) -> list[Json]:
    """Return a text as elements of a rich text: up to `LINKS` addresses become links."""
    runs: list[Json] = []
    links = 0
    for piece, is_address in split_addresses(text):
        links += is_address
        if is_address and links <= LINKS:
            runs.append(_address_link(piece) | ({"style": style} if style else {}))
        elif runs and runs[-1]["type"] == "text":
            runs[-1]["text"] += piece
        else:
            runs.append(text_run(piece, **style))
    return runs or [text_run(text, **style)]


def _address_link(address: str) -> Json:
    """Return an address as a link; Slack takes it in plain letters, people read it as written."""
    if address.isascii():
        return {"type": "link", "url": address}
    return {"type": "link", "url": quote(address, safe=_ASCII_SIGNS), "text": address}


def emoji(name: str) -> Json:
    """Return the emoji with this name in Slack as an element of a rich text."""
    return {"type": "emoji", "name": name}


def link(text: str, address: str) -> Json:
    """Return a link as an element of a rich text."""
    return {"type": "link", "url": address, "text": fit_text(text, LABEL)}


def line(*runs: Json) -> Json:
    """Return a section of a rich text made of these elements."""
    return {"type": "rich_text_section", "elements": list(runs)}


def code_block(text: str) -> Json:
    """Return a section of a rich text in a monospaced font, with its spaces kept."""
    return {"type": "rich_text_preformatted", "elements": [text_run(text)]}


def bullets(lines: Sequence[Json]) -> Json:
    """Return a bulleted list, one item for each section."""
    return {"type": "rich_text_list", "style": "bullet", "elements": list(lines)}


def rich_text(*parts: Json) -> Json:
    """Return a block of rich text, in which typed text is neither markup nor a mention."""
    return {"type": "rich_text", "elements": list(parts)}


def paragraph(text: str) -> Json:
    """Return a block of unformatted text, its addresses as links."""
    return rich_text(line(*linked_runs(text)))


def field(label: str, value: str) -> Json:
    """Return a labelled value for `fields`.

    The label is bold, unless a text holds something that Slack would read as formatting.
    """
    name, shown = fit_text(label, LABEL), fit_text(value, 600)
    if _FORMATS.search(name + "\n" + shown):
        return plain_text(f"{name}\n{shown}", 2000)
    return {"type": "mrkdwn", "text": f"*{name}*\n{shown}", "verbatim": True}


def fields(given: Sequence[Json]) -> Json:
    """Return a section of up to ten labelled values in two columns."""
    return {"type": "section", "fields": list(given)}


def button(name: str, label: str, value: str, style: str = "normal") -> Json:
    """Return a button; besides «normal», Slack has the styles «primary» and «danger»."""
    drawn = {"type": "button", "action_id": name, "text": plain_text(label, LABEL), "value": value}
    return drawn if style == "normal" else drawn | {"style": style}


def option(label: str, value: str, hint: str = "") -> Json:
    """Return one option of a menu, with the hint as its description."""
    described = {"description": plain_text(hint, LABEL)} if is_visible(hint) else {}
    return {"text": plain_text(label, LABEL), "value": value, **described}


def actions(elements: Sequence[Json]) -> Json:
    """Return a row of buttons or menus."""
    return {"type": "actions", "elements": list(elements)}


def alert(text: str, level: str) -> Json:
    """Return a coloured note, which Slack shows in modals only."""
    return {"type": "alert", "text": plain_text(text, 200), "level": level}
