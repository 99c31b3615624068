"""The parts of a card as blocks, and how many of them fit where they are shown."""

import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, groupby
from typing import assert_never

from bot.adapters.slack import blocks as kit
from bot.adapters.slack.blocks import Json
from bot.adapters.slack.text import chunks, cut, seen, units
from bot.cards import (
    Bars,
    Button,
    Buttons,
    Card,
    Choice,
    Divider,
    Entry,
    Facts,
    Heading,
    Link,
    Note,
    Part,
    Table,
    Text,
)
from bot.i18n import Translator

TABLE_ROWS, TABLE_COLUMNS, TABLE_SIZE = 100, 20, 8000
MONOSPACED = 4000
BAR_WIDTH = 12
LIST_LINES = 20
VALUE = 150

_EMOJI = {
    "info": "information_source",
    "good": "white_check_mark",
    "warning": "warning",
    "bad": "no_entry",
}
_MARKS = {"info": "", "good": "✅ ", "warning": "⚠️ ", "bad": "⛔ "}
_LEVELS = {"info": "info", "good": "success", "warning": "warning", "bad": "error"}
_NUMBER = re.compile(r"[+\-−]?[\d.,'\u00a0\u202f ]*\d ?%?|[–—-]?")


@dataclass(frozen=True)
class Surface:
    """Where something is drawn, and how much room there is."""

    blocks: int
    size: int
    tables: int = 0
    alerts: bool = False

    def after(self, blocks: Sequence[Json]) -> "Surface":
        """The room that remains below these."""
        return replace(self, blocks=self.blocks - len(blocks), size=self.size - kit.size(*blocks))

    @property
    def overfull(self) -> bool:
        """Has more been put here than fits?"""
        return self.blocks < 0 or self.size < 0


MESSAGE = Surface(blocks=50, size=12_900, tables=1)
HOME = Surface(blocks=100, size=50_000)
MODAL = Surface(blocks=100, size=50_000, alerts=True)


@dataclass(frozen=True)
class Piece:
    """Blocks that stand or fall together; `keep`: the last to be left out."""

    blocks: tuple[Json, ...]
    keep: bool = False


# --- the whole --------------------------------------------------------------------------------


def drawn(card: Card, surface: Surface, t: Translator) -> list[Json]:
    """All blocks of a card."""
    drawing = _Drawing(surface)
    pieces = [*drawing.opening(card), *drawing.parts(card.parts)]
    footer = [kit.context(card.footer)] if seen(card.footer) else []
    return fitted(pieces, footer, surface, t, more=drawing.more)


def fitted(
    pieces: Sequence[Piece], footer: list[Json], surface: Surface, t: Translator, *, more: bool
) -> list[Json]:
    """The blocks that have room, then a line that says so if some had none, then the footer."""
    says = kit.context(t("There is more than fits here; a narrower question shows the rest."))
    kept = _kept(pieces, surface.after([says, *footer]))
    shown = [block for piece in kept for block in piece.blocks]
    return [*_lined(shown), *([says] if more or len(kept) < len(pieces) else []), *footer]


def _kept(pieces: Sequence[Piece], room: Surface) -> list[Piece]:
    """Buttons, menus and notes first, then the rest in reading order up to the first too much."""
    if not room.after([block for piece in pieces for block in piece.blocks]).overfull:
        return list(pieces)
    chosen: set[int] = set()
    for index, piece in sorted(enumerate(pieces), key=lambda item: not item[1].keep):
        left = room.after(piece.blocks)
        if not left.overfull:
            chosen.add(index)
            room = left
        elif not piece.keep:
            break
    return [piece for index, piece in enumerate(pieces) if index in chosen]


def _lined(shown: list[Json]) -> list[Json]:
    """Without lines that part nothing: at the start, at the end, or two in a row."""
    kept: list[Json] = []
    for block in shown:
        if block != kit.divider() or (kept and kept[-1] != block):
            kept.append(block)
    return kept[:-1] if kept and kept[-1] == kit.divider() else kept


def _is_line(part: Part) -> bool:
    """An entry that is nothing but its title."""
    return isinstance(part, Entry) and not (part.lines or part.note or part.buttons)


@dataclass
class _Drawing:
    """One card being drawn: what was used up so far, and whether something had no room."""

    surface: Surface
    more: bool = False
    _tables: int = 0
    _names: Iterator[int] = field(default_factory=count)

    def opening(self, card: Card) -> Iterator[Piece]:
        """The title, marked by its tone unless a note of the card says it anyway."""
        mark = "" if any(isinstance(part, Note) for part in card.parts) else _MARKS[card.tone]
        if seen(card.title):
            yield Piece((kit.header(mark + card.title),), keep=True)

    def parts(self, parts: Sequence[Part]) -> Iterator[Piece]:
        """All parts in order; entries of one line become a list."""
        for lines, group in groupby(parts, _is_line):
            if lines:
                yield from _list([part for part in group if isinstance(part, Entry)])
            else:
                for part in group:
                    yield from self._part(part)

    def _part(self, part: Part) -> Iterator[Piece]:
        match part:
            case Heading():
                yield Piece((kit.header(part.text),))
            case Text():
                yield from map(_quiet if part.quiet else _paragraph, chunks(part.text, 2500))
            case Note():
                yield self._note(part)
            case Facts():
                yield from _facts(part)
            case Entry():
                yield self._entry(part)
            case Table():
                yield self._table(part)
            case Bars():
                yield self._bars(part)
            case Buttons():
                yield from self._rows(part.buttons)
            case Choice():
                yield from self._choice(part)
            case Link():
                opens = kit.link(part.label, part.address)
                yield Piece((kit.rich(kit.line(opens)),), keep=True)
            case Divider():
                yield Piece((kit.divider(),))
            case _:
                assert_never(part)

    def _name(self) -> str:
        return f"say:{next(self._names)}"

    def _note(self, note: Note) -> Piece:
        if self.surface.alerts and units(note.text) <= 200:
            return Piece((kit.alert(note.text, _LEVELS[note.tone]),), keep=True)
        text = kit.said("  " + kit.filled(note.text, 2500))
        return Piece((kit.rich(kit.line(kit.emoji(_EMOJI[note.tone]), text)),), keep=True)

    def _entry(self, entry: Entry) -> Piece:
        runs = _title(entry)
        lines = [cut(line, 500) for line in entry.lines if seen(line)]
        if lines:
            runs.append(kit.said(cut("\n" + "\n".join(lines), 3000)))
        if seen(entry.note):
            runs.append(kit.said("\n" + cut(entry.note, 600), italic=True))
        rows = self._actions(entry.buttons)
        return Piece((kit.rich(kit.line(*runs)), *rows))

    def _rows(self, buttons: Sequence[Button]) -> Iterator[Piece]:
        for row in self._actions(buttons):
            yield Piece((row,), keep=True)

    def _actions(self, buttons: Sequence[Button]) -> list[Json]:
        drawn = [
            kit.button(self._name(), b.label if seen(b.label) else b.command, b.command, b.style)
            for b in buttons
        ]
        return [kit.actions(row) for row in _by(drawn, kit.ACTIONS)]

    def _choice(self, choice: Choice) -> Iterator[Piece]:
        known = {o.value: o for o in choice.options if 0 < units(o.value) <= VALUE}
        options = [kit.option(o.label or v, v, o.hint) for v, o in known.items()][: kit.OPTIONS]
        self.more |= len(options) < len(choice.options)
        if options:
            menu = {
                "type": "static_select",
                "action_id": self._name(),
                "placeholder": kit.words(choice.label, 150),
                "options": options,
            }
            yield Piece((kit.actions([menu]),), keep=True)

    def _table(self, table: Table) -> Piece:
        """Slack's own table once in a message; else columns of letters of one width."""
        block = _native(table)
        wide = len(table.columns) > TABLE_COLUMNS or len(table.rows) >= TABLE_ROWS
        fits = bool(table.columns) and not wide and kit.size(block) <= TABLE_SIZE
        if fits and self._tables < self.surface.tables:
            self._tables += 1
            return Piece((block,))
        return Piece((kit.rich(kit.preformatted(self._held(_columns(table)))),))

    def _bars(self, bars: Bars) -> Piece:
        chart = kit.preformatted(self._held(_chart(bars)))
        caption = kit.line(kit.said(kit.filled(bars.caption, 300), bold=True))
        return Piece((kit.rich(caption, chart),))

    def _held(self, lines: Sequence[str]) -> str:
        """As many lines as one block of a message should hold."""
        kept: list[str] = []
        for line in lines:
            if units("\n".join([*kept, line])) > MONOSPACED:
                self.more = True
                break
            kept.append(line)
        return kit.filled("\n".join(kept), MONOSPACED)


# --- the parts that need nothing but themselves -----------------------------------------------


def _quiet(text: str) -> Piece:
    return Piece((kit.context(text, kit.PARAGRAPH),))


def _paragraph(text: str) -> Piece:
    return Piece((kit.paragraph(text),))


def _facts(facts: Facts) -> Iterator[Piece]:
    for ten in _by([kit.field(fact.label, fact.value) for fact in facts.facts], kit.FIELDS):
        yield Piece((kit.fields(ten),))


def _title(entry: Entry) -> list[Json]:
    runs = [kit.said(kit.filled(" ".join(entry.title.split()), 300), bold=True)]
    if seen(entry.badge):
        runs += [kit.said("  "), kit.said(cut(entry.badge, 100), code=True)]
    return runs


def _list(entries: Sequence[Entry]) -> Iterator[Piece]:
    for some in _by([kit.line(*_title(entry)) for entry in entries], LIST_LINES):
        yield Piece((kit.rich(kit.bullets(some)),))


def _native(table: Table) -> Json:
    numbers = [
        all(_NUMBER.fullmatch(row[index].strip()) for row in table.rows if index < len(row))
        for index in range(len(table.columns))
    ]
    head = [kit.rich(kit.line(kit.said(kit.filled(c, 150), bold=True))) for c in table.columns]
    rows = [[_cell(text) for text in row[: len(head)]] for row in table.rows]
    settings = [{"align": "right"} if right else {"is_wrapped": True} for right in numbers]
    rows = [row or [_cell("")] for row in rows]
    return {"type": "table", "column_settings": settings, "rows": [head, *rows]}


def _cell(text: str) -> Json:
    return {"type": "raw_text", "text": kit.filled(text, 500)}


def _columns(table: Table) -> list[str]:
    rows = [[cut(" ".join(c.split()), 40) for c in row] for row in (table.columns, *table.rows)]
    widths = [max(map(_width, column)) for column in zip(*rows, strict=False)]
    lines = ["  ".join(map(_padded, row, widths)).rstrip() for row in rows]
    return [lines[0], "  ".join("─" * width for width in widths), *lines[1:]]


def _chart(bars: Bars) -> list[str]:
    labels = [cut(" ".join(bar.label.split()), 30) for bar in bars.bars]
    widest = max(map(_width, labels), default=0)
    values = [bar.value if math.isfinite(bar.value) else 0.0 for bar in bars.bars]
    most = max([*values, 0.0]) or 1.0
    return [
        f"{_padded(label, widest)}  {_bar(value / most)}  {cut(' '.join(bar.shown.split()), 30)}"
        for label, value, bar in zip(labels, values, bars.bars, strict=True)
    ]


def _bar(share: float) -> str:
    """At least one block for whatever is more than nothing."""
    long = max(round(share * BAR_WIDTH), 1) if share > 0 else 0
    return "█" * long + "░" * (BAR_WIDTH - long)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    """Columns on the screen: accents have none of their own, Asian letters and emoji two."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def _by(items: Sequence[Json], most: int) -> Iterator[list[Json]]:
    for start in range(0, len(items), most):
        yield list(items[start : start + most])
