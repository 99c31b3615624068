"""Render cards and forms in the terminal with rich, for operators and for trying things out."""

import re
from math import isfinite
from typing import assert_never

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table as Grid
from rich.text import Text as Line

from bot.cards import (
    SLASH,
    Bars,
    Button,
    Buttons,
    Card,
    Choice,
    Divider,
    Entry,
    Facts,
    Form,
    Heading,
    Input,
    Link,
    Note,
    Part,
    Reply,
    Table,
    Text,
    Written,
)

PLATFORM = "terminal"
_COLOURS = {"info": "blue", "good": "green", "warning": "yellow", "bad": "red"}
_SIGNS = {"info": "›", "good": "✓", "warning": "!", "bad": "✗"}
_MAX_BAR_WIDTH = 24
_CONTROL_CHARACTERS = re.compile(
    r"[^\S \n]|[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Characters that would control the terminal, reverse its lines or break its encoding."""


def render(reply: Reply) -> RenderableType:
    """Return the reply as something rich can print; no text is read as rich's markup."""
    return _form(reply) if isinstance(reply, Form) else _card(reply)


def _card(card: Card) -> Panel:
    parts: list[RenderableType] = [_part(part) for part in card.parts]
    return Panel(
        Group(*parts),
        title=_line(card.title, style="bold"),
        title_align="left",
        subtitle=_line(card.footer, style="dim") if card.footer else None,
        subtitle_align="left",
        border_style=_COLOURS[card.tone],
        box=box.ROUNDED,
        padding=(1, 2),
    )


def _part(part: Part) -> RenderableType:
    match part:
        case Heading():
            return _line(f"\n{part.text}", style="bold underline")
        case Text():
            return _line(part.text, style="dim" if part.quiet else "")
        case Written():
            return _line(part.text)
        case Note():
            return _line(f"{_SIGNS[part.tone]} {part.text}", style=_COLOURS[part.tone])
        case Facts():
            return _facts([(fact.label, fact.value) for fact in part.facts])
        case Entry():
            return _entry(part)
        case Table():
            return _table(part)
        case Bars():
            return _bars(part)
        case Buttons():
            return Group(Line(""), *map(_button_line, part.buttons))
        case Choice():
            return Group(
                _line(f"\n{part.label}", style="bold"),
                *(_command_line(o.label, o.value) for o in part.options if o.value),
            )
        case Link():
            return Line.assemble(_line(f"  {part.label}  "), _line(part.address, "cyan"))
        case Divider():
            return Line("")
        case _:
            assert_never(part)


def _facts(pairs: list[tuple[str, str]]) -> Grid:
    grid = Grid.grid(padding=(0, 2))
    grid.add_column(style="bold")
    grid.add_column(overflow="fold")
    for label, value in pairs:
        grid.add_row(_line(label), _line(value))
    return grid


def _entry(entry: Entry) -> Group:
    badge = [_line(f"  {entry.badge}", style="dim italic")] if entry.badge else []
    head = Line.assemble(_line(f"\n{entry.title}", style="bold"), *badge)
    lines = [_line(f"  {line}") for line in entry.lines]
    note = [_line(f"  {entry.note}", style="italic")] if entry.note else []
    return Group(head, *lines, *note, *map(_button_line, entry.buttons))


def _table(part: Table) -> Grid:
    grid = Grid(box=box.SIMPLE_HEAD)
    for name in part.columns:
        grid.add_column(_line(name))
    for row in part.rows:
        grid.add_row(*map(_line, row))
    return grid


def _bars(part: Bars) -> Group:
    highest = max((bar.value for bar in part.bars if isfinite(bar.value)), default=0)
    grid = Grid.grid(padding=(0, 2))
    for bar in part.bars:
        share = bar.value / highest if isfinite(bar.value) and highest > 0 else 0
        length = round(_MAX_BAR_WIDTH * max(share, 0))
        grid.add_row(_line(bar.label), _line("█" * length, style="cyan"), _line(bar.shown))
    return Group(_line(f"\n{part.caption}", style="bold"), grid)


def _button_line(button: Button) -> Line:
    return _command_line(button.label, button.command)


def _command_line(label: str, command: str) -> Line:
    return Line.assemble(_line(f"  [{label}]", "cyan"), _line(f"  {SLASH} {command}", "dim"))


def _form(form: Form) -> Panel:
    rows: list[RenderableType] = [_line(form.intro)] if form.intro else []
    for given in form.inputs:
        rows += _field(given)
    rows.append(_line(f"\n{SLASH} {form.command} …", style="cyan"))
    return Panel(
        Group(*rows),
        title=_line(form.title, style="bold"),
        title_align="left",
        border_style="magenta",
        box=box.ROUNDED,
        padding=(1, 2),
    )


def _field(given: Input) -> list[RenderableType]:
    labels = {option.value: option.label for option in given.options}
    value = ", ".join(labels.get(v, v) for v in given.value)
    mark = " *" if given.required else ""
    head = Line.assemble(_line(given.label, "bold"), mark, _line(f"  {value}"))
    rows: list[RenderableType] = [head]
    if given.problem:
        rows.append(_line(f"  ✗ {given.problem}", style="red"))
    if given.hint:
        rows.append(_line(f"  {given.hint}", style="dim"))
    if labels:
        rows.append(_line("  " + " · ".join(labels.values()), style="dim"))
    return rows


def _line(text: str, style: str = "") -> Line:
    return Line(_CONTROL_CHARACTERS.sub(" ", text), style)
