"""Render the parts of a card as blocks, and leave out what exceeds the limits of a surface."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, groupby
from typing import assert_never

from bot.adapters.slack import blocks as kit
from bot.adapters.slack.blocks import Json
from bot.adapters.slack.charts import bars_lines, fixed_width_table, native_table
from bot.adapters.slack.text import chunks, is_visible, shorten
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
    Written,
)
from bot.domain.characters import utf16_length
from bot.domain.code import close_block, split_code
from bot.i18n import Translator

TABLE_ROWS, TABLE_COLUMNS, TABLE_SIZE = 100, 20, 8000
"""Largest table rendered as Slack's own; the size is that of its JSON in UTF-16 units."""
MONOSPACED = 4000
"""Longest block of monospaced text, in UTF-16 units."""
MESSAGE_TEXT, MESSAGE_SIZE = 3500, 9000
"""Longest message of a member, and its largest JSON, in UTF-16 units."""
LIST_LINES = 20
VALUE = 150
"""Longest value of an option, in UTF-16 units."""

_EMOJI = {
    "info": "information_source",
    "good": "white_check_mark",
    "warning": "warning",
    "bad": "no_entry",
}
_MARKS = {"info": "", "good": "✅ ", "warning": "⚠️ ", "bad": "⛔ "}
_LEVELS = {"info": "info", "good": "success", "warning": "warning", "bad": "error"}


@dataclass(frozen=True)
class Surface:
    """A place that shows blocks, with its limits.

    `blocks`: most blocks. `size`: most UTF-16 units of their JSON. `tables`: most tables of
    Slack's own. `alerts`: whether it shows alerts.
    """

    blocks: int
    size: int
    tables: int = 0
    alerts: bool = False

    def subtract(self, blocks: Sequence[Json]) -> "Surface":
        """Return the limits that remain after these blocks; they may be negative."""
        return replace(self, blocks=self.blocks - len(blocks), size=self.size - kit.size(*blocks))

    @property
    def is_overfull(self) -> bool:
        """Return whether more blocks were subtracted than fit."""
        return self.blocks < 0 or self.size < 0


MESSAGE = Surface(blocks=50, size=12_900, tables=1)
HOME = Surface(blocks=100, size=50_000)
MODAL = Surface(blocks=100, size=50_000, alerts=True)


@dataclass(frozen=True)
class Piece:
    """Blocks that are shown or left out together; those with `keep` are left out last."""

    blocks: tuple[Json, ...]
    keep: bool = False


# --- the whole --------------------------------------------------------------------------------


def render_blocks(card: Card, surface: Surface, t: Translator) -> list[Json]:
    """Render a card as blocks within the limits of the surface."""
    drawing = _CardRenderer(surface)
    pieces = [*drawing.render_title(card), *drawing.render_parts(card.parts)]
    footer = [kit.context(card.footer)] if is_visible(card.footer) else []
    return fit_pieces(pieces, footer, surface, t, is_truncated=drawing.is_truncated)


def fit_pieces(
    pieces: Sequence[Piece],
    footer: list[Json],
    surface: Surface,
    t: Translator,
    *,
    is_truncated: bool,
) -> list[Json]:
    """Return the blocks of the pieces that fit, and then the footer.

    A line before the footer says if a piece was left out, or was itself shortened
    (`is_truncated`).
    """
    says = kit.context(t("There's more than fits here; a narrower search shows the rest."))
    kept = _select_pieces(pieces, surface.subtract([says, *footer]))
    shown = [block for piece in kept for block in piece.blocks]
    return [
        *_drop_loose_dividers(shown),
        *([says] if is_truncated or len(kept) < len(pieces) else []),
        *footer,
    ]


def _select_pieces(pieces: Sequence[Piece], room: Surface) -> list[Piece]:
    """Return the pieces that fit, in their order.

    Pieces with `keep` (buttons, menus, notes) are selected first, then the others in reading order
    up to the first one that does not fit.
    """
    if not room.subtract([block for piece in pieces for block in piece.blocks]).is_overfull:
        return list(pieces)
    chosen: set[int] = set()
    for index, piece in sorted(enumerate(pieces), key=lambda item: not item[1].keep):
        left = room.subtract(piece.blocks)
        if not left.is_overfull:
            chosen.add(index)
            room = left
        elif not piece.keep:
            break
    return [piece for index, piece in enumerate(pieces) if index in chosen]


def _drop_loose_dividers(shown: list[Json]) -> list[Json]:
    """Return the blocks without dividers at the start, at the end, or after another divider."""
    kept: list[Json] = []
    for block in shown:
        if block != kit.divider() or (kept and kept[-1] != block):
            kept.append(block)
    return kept[:-1] if kept and kept[-1] == kit.divider() else kept


def _is_title_only(part: Part) -> bool:
    """Return whether the part is an entry with only a title, and perhaps a badge."""
    return isinstance(part, Entry) and not (part.lines or part.note or part.buttons)


@dataclass
class _CardRenderer:
    """Renders one card; counts its tables and actions.

    `is_truncated`: whether something was shortened or left out so far.
    """

    surface: Surface
    is_truncated: bool = False
    _tables: int = 0
    _counter: Iterator[int] = field(default_factory=count)

    def render_title(self, card: Card) -> Iterator[Piece]:
        """Render the title, with a mark for the tone unless a note of the card shows it."""
        mark = "" if any(isinstance(part, Note) for part in card.parts) else _MARKS[card.tone]
        if is_visible(card.title):
            yield Piece((kit.header(mark + card.title),), keep=True)

    def render_parts(self, parts: Sequence[Part]) -> Iterator[Piece]:
        """Render all parts in order; consecutive entries with only a title become a list."""
        for lines, group in groupby(parts, _is_title_only):
            if lines:
                yield from _list([part for part in group if isinstance(part, Entry)])
            else:
                for part in group:
                    yield from self._render_part(part)

    def _render_part(self, part: Part) -> Iterator[Piece]:
        match part:
            case Heading():
                yield Piece((kit.header(part.text),))
            case Text():
                yield from map(_small_print if part.quiet else _paragraph, chunks(part.text, 2500))
            case Written():
                yield Piece((_message_text(part.text),))
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
                yield Piece((kit.rich_text(kit.line(opens)),), keep=True)
            case Divider():
                yield Piece((kit.divider(),))
            case _:
                assert_never(part)

    def _next_action_id(self) -> str:
        return f"say:{next(self._counter)}"

    def _note(self, note: Note) -> Piece:
        if self.surface.alerts and utf16_length(note.text) <= 200:
            return Piece((kit.alert(note.text, _LEVELS[note.tone]),), keep=True)
        runs = kit.linked_runs("  " + kit.fit_text(note.text, 2500))
        return Piece((kit.rich_text(kit.line(kit.emoji(_EMOJI[note.tone]), *runs)),), keep=True)

    def _entry(self, entry: Entry) -> Piece:
        runs = _title(entry)
        lines = [shorten(line, 500) for line in entry.lines if is_visible(line)]
        if lines:
            runs += kit.linked_runs(shorten("\n" + "\n".join(lines), 3000))
        if is_visible(entry.note):
            runs += kit.linked_runs("\n" + shorten(entry.note, 600), italic=True)
        rows = self._actions(entry.buttons)
        return Piece((kit.rich_text(kit.line(*runs)), *rows))

    def _rows(self, buttons: Sequence[Button]) -> Iterator[Piece]:
        for row in self._actions(buttons):
            yield Piece((row,), keep=True)

    def _actions(self, buttons: Sequence[Button]) -> list[Json]:
        drawn = [
            kit.button(
                self._next_action_id(),
                b.label if is_visible(b.label) else b.command,
                b.command,
                b.style,
            )
            for b in buttons
        ]
        return [kit.actions(row) for row in _batches(drawn, kit.ACTIONS)]

    def _choice(self, choice: Choice) -> Iterator[Piece]:
        known = {o.value: o for o in choice.options if 0 < utf16_length(o.value) <= VALUE}
        options = [kit.option(o.label or v, v, o.hint) for v, o in known.items()][: kit.OPTIONS]
        self.is_truncated |= len(options) < len(choice.options)
        if options:
            menu = {
                "type": "static_select",
                "action_id": self._next_action_id(),
                "placeholder": kit.plain_text(choice.label, 150),
                "options": options,
            }
            yield Piece((kit.actions([menu]),), keep=True)

    def _table(self, table: Table) -> Piece:
        """Render Slack's own table if it fits, else monospaced columns.

        Slack accepts one table in a message and none elsewhere.
        """
        block = native_table(table)
        wide = len(table.columns) > TABLE_COLUMNS or len(table.rows) >= TABLE_ROWS
        fits = bool(table.columns) and not wide and kit.size(block) <= TABLE_SIZE
        if fits and self._tables < self.surface.tables:
            self._tables += 1
            return Piece((block,))
        return Piece((kit.rich_text(kit.code_block(self._fit_lines(fixed_width_table(table)))),))

    def _bars(self, bars: Bars) -> Piece:
        chart = kit.code_block(self._fit_lines(bars_lines(bars)))
        caption = kit.line(kit.text_run(kit.fit_text(bars.caption, 300), bold=True))
        return Piece((kit.rich_text(caption, chart),))

    def _fit_lines(self, lines: Sequence[str]) -> str:
        """Join the lines that fit in one monospaced block; set `is_truncated` if some do not."""
        kept: list[str] = []
        for line in lines:
            if utf16_length("\n".join([*kept, line])) > MONOSPACED:
                self.is_truncated = True
                break
            kept.append(line)
        return kit.fit_text("\n".join(kept), MONOSPACED)


# --- parts that need no state of the renderer -------------------------------------------------


def _small_print(text: str) -> Piece:
    return Piece((kit.context(text, kit.PARAGRAPH),))


def _paragraph(text: str) -> Piece:
    return Piece((kit.paragraph(text),))


def _message_text(text: str) -> Json:
    """Render a member's message: code as code, everything else as it was written.

    A message with so much of both that it would not fit is plain text.
    """
    said = close_block(shorten(text, MESSAGE_TEXT))
    sections: list[Json] = []
    runs: list[Json] = []
    for passage in split_code(said):
        if passage.kind == "block":
            sections += [*([kit.line(*runs)] if runs else []), kit.code_block(passage.text)]
            runs = []
        elif passage.kind == "inline":
            runs.append(kit.text_run(passage.text, code=True))
        else:
            runs += kit.linked_runs(passage.text)
    sections += [kit.line(*runs)] if runs or not sections else []
    drawn = kit.rich_text(*sections)
    return drawn if kit.size(drawn) <= MESSAGE_SIZE else kit.paragraph(said)


def _facts(facts: Facts) -> Iterator[Piece]:
    for ten in _batches([kit.field(fact.label, fact.value) for fact in facts.facts], kit.FIELDS):
        yield Piece((kit.fields(ten),))


def _title(entry: Entry) -> list[Json]:
    runs = [kit.text_run(kit.fit_text(" ".join(entry.title.split()), 300), bold=True)]
    if is_visible(entry.badge):
        runs += [kit.text_run("  "), kit.text_run(shorten(entry.badge, 100), code=True)]
    return runs


def _list(entries: Sequence[Entry]) -> Iterator[Piece]:
    for some in _batches([kit.line(*_title(entry)) for entry in entries], LIST_LINES):
        yield Piece((kit.rich_text(kit.bullets(some)),))


def _batches(items: Sequence[Json], most: int) -> Iterator[list[Json]]:
    for start in range(0, len(items), most):
        yield list(items[start : start + most])
