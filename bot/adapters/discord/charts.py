"""Draw tables and bars with characters, for Discord's fixed-width text."""

import math
import re
from collections.abc import Iterator

from bot.adapters.discord.text import escape_code, escape_markup, graphemes, pad_text, width
from bot.cards import Bars, Table

BAR_WIDTH = 10
MAX_LABEL_WIDTH = 22
MAX_TABLE_WIDTH = 56
MIN_COLUMN_WIDTH = 4

_NUMBER = re.compile(r"[-+–−]?[\d.,\s]*\s?%?")


def bars_lines(bars: Bars) -> Iterator[str]:
    """Yield one line for each bar: its name and its length in fixed width, its number in bold."""
    names = [clip_text(escape_code(bar.label), MAX_LABEL_WIDTH) for bar in bars.bars]
    column = max(map(width, names), default=0)
    values = [bar.value if math.isfinite(bar.value) else 0.0 for bar in bars.bars]
    longest = max([*values, 0.0]) or 1.0
    for name, value, bar in zip(names, values, bars.bars, strict=True):
        full = round(BAR_WIDTH * (max(value, 0.0) / longest))
        drawn = "█" * full + "░" * (BAR_WIDTH - full)
        shown = escape_markup(" ".join(bar.shown.split()))
        yield f"`{pad_text(name, column)} {drawn}`" + (f" **{shown}**" if shown else "")


def table_lines(table: Table) -> list[str]:
    """Return the column names, a rule, and one line for each row, in aligned columns."""
    rows = [[escape_code(cell) for cell in row] for row in (table.columns, *table.rows)]
    count = max(map(len, rows))
    rows = [row + [""] * (count - len(row)) for row in rows]
    columns = list(zip(*rows, strict=True))
    widths = _narrow_columns([max(map(width, column)) for column in columns])
    right = [all(map(_NUMBER.fullmatch, column[1:])) and len(column) > 1 for column in columns]
    lines = [
        "  ".join(
            pad_text(clip_text(cell, wide), wide, right=side)
            for cell, wide, side in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in rows
    ]
    return [lines[0], "  ".join("─" * wide for wide in widths), *lines[1:]]


def _narrow_columns(widths: list[int]) -> list[int]:
    """Narrow the widest columns until the table fits a phone held sideways."""
    widths = list(widths)
    while sum(widths) > MAX_TABLE_WIDTH and max(widths) > MIN_COLUMN_WIDTH:
        widths[widths.index(max(widths))] -= 1
    return widths


def clip_text(text: str, columns: int) -> str:
    """Cut the text to so many columns, ending in «…» where it was longer."""
    if width(text) <= columns:
        return text
    letters = list(graphemes(text))[:columns]
    while width("".join(letters)) >= columns:
        letters.pop()
    return "".join(letters) + "…"
