"""Draw tables and bars: as Slack's own table, or with characters of one width."""

import math
import re
import unicodedata

from bot.adapters.slack import blocks as kit
from bot.adapters.slack.blocks import Json
from bot.adapters.slack.text import shorten
from bot.cards import Bar, Bars, Table

BAR_WIDTH = 12

_NUMBER = re.compile(r"[+\-−]?[\d.,'\u00a0\u202f ]*\d ?%?|[–—-]?")


def native_table(table: Table) -> Json:
    """Return Slack's own table; columns of numbers are aligned to the right."""
    numbers = [
        all(_NUMBER.fullmatch(row[index].strip()) for row in table.rows if index < len(row))
        for index in range(len(table.columns))
    ]
    head = [
        kit.rich_text(kit.line(kit.text_run(kit.fit_text(c, 150), bold=True)))
        for c in table.columns
    ]
    rows = [[_cell(text) for text in row[: len(head)]] for row in table.rows]
    settings = [{"align": "right"} if right else {"is_wrapped": True} for right in numbers]
    rows = [row or [_cell("")] for row in rows]
    return {"type": "table", "column_settings": settings, "rows": [head, *rows]}


def _cell(text: str) -> Json:
    return {"type": "raw_text", "text": kit.fit_text(text, 500)}


def fixed_width_table(table: Table) -> list[str]:
    """Return the column names, a rule, and one line for each row, in aligned columns."""
    rows = [[shorten(" ".join(c.split()), 40) for c in row] for row in (table.columns, *table.rows)]
    widths = [max(map(_width, column)) for column in zip(*rows, strict=False)]
    lines = ["  ".join(map(_pad_text, row, widths)).rstrip() for row in rows]
    return [lines[0], "  ".join("─" * width for width in widths), *lines[1:]]


def _short_value(bar: Bar) -> str:
    return shorten(" ".join(bar.shown.split()), 30)


def bars_lines(bars: Bars) -> list[str]:
    """Return one line for each bar: its label, its length and its number."""
    labels = [shorten(" ".join(bar.label.split()), 30) for bar in bars.bars]
    widest = max(map(_width, labels), default=0)
    values = [bar.value if math.isfinite(bar.value) else 0.0 for bar in bars.bars]
    most = max([*values, 0.0]) or 1.0
    return [
        f"{_pad_text(label, widest)}  {_bar(value / most)}  {_short_value(bar)}"
        for label, value, bar in zip(labels, values, bars.bars, strict=True)
    ]


def _bar(share: float) -> str:
    """Return a bar for a share of 0 to 1; anything above 0 shows at least one full cell."""
    long = max(round(share * BAR_WIDTH), 1) if share > 0 else 0
    return "█" * long + "░" * (BAR_WIDTH - long)


def _pad_text(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    """Return the columns a text takes: accents take none, Asian letters and emoji two."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
