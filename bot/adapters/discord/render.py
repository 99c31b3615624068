"""Render cards as Discord messages: pure functions that keep every limit and never fail.

The `custom_id` of a button is the command it runs. Ids must be unique within a message, so
additional data stands after a line break, which no command contains: see `parse_custom_id`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, assert_never

from bot.adapters.discord.charts import bars_lines, table_lines
from bot.adapters.discord.layout import (
    UNLIMITED,
    Block,
    ComponentIds,
    RemainingSpace,
    TextRenderer,
    drop_loose_separators,
    fit_block,
)
from bot.adapters.discord.limits import (
    BUTTON,
    BUTTONS_PER_ROW,
    COMPONENTS_V2,
    CONTAINER,
    EPHEMERAL,
    MAX_ID,
    MAX_LABEL,
    MAX_OPTION,
    MAX_OPTIONS,
    ROW,
    SELECT,
    SEPARATOR,
    TEXT,
    Json,
)
from bot.adapters.discord.modal import count_parts, modal
from bot.adapters.discord.names import name_commands as name_commands
from bot.adapters.discord.names import name_reply
from bot.adapters.discord.names import read_command as read_command
from bot.adapters.discord.text import escape_markup, escape_message, fit_lines, one_line, shorten
from bot.cards import (
    Bars,
    Button,
    Buttons,
    Card,
    Choice,
    Divider,
    Entry,
    Fact,
    Facts,
    Form,
    Heading,
    Link,
    Note,
    Option,
    Part,
    Table,
    Text,
    Tone,
    Written,
)
from bot.domain.characters import utf16_length
from bot.domain.code import close_block
from bot.i18n import Translator

SHORT_FACT = 26
MAX_TEXT = 6000  # characters; the rest could never be shown, so it is cut before escaping

COLOURS: dict[Tone, int] = {  # colour-blind readers can tell these apart
    "info": 0x0072B2,
    "good": 0x009E73,
    "warning": 0xE69F00,
    "bad": 0xD55E00,
}
SIGNS: dict[Tone, str] = {"info": "💡", "good": "✅", "warning": "⚠️", "bad": "❌"}
STYLES: dict[Literal["normal", "primary", "danger"], int] = {
    "normal": 2,
    "primary": 1,
    "danger": 4,
}
LINK_STYLE = 5
"""Style of a button that opens a web page; Discord sends no interaction when it is pressed."""


@dataclass(frozen=True, slots=True)
class AdapterButton:
    """A button that the adapter adds; `mark` follows the line break in its `custom_id`."""

    label: str
    command: str
    mark: str
    style: Literal["normal", "primary", "danger"] = "primary"


def custom_id(command: str, mark: str) -> str:
    """Return the `custom_id` for a command and a mark.

    The command is left out where both together exceed Discord's limit.
    """
    whole = f"{one_line(command)}\n{mark}"
    return whole if len(whole) <= MAX_ID else f"\n{mark}"


def parse_custom_id(identifier: str) -> tuple[str, str]:
    """Split a `custom_id`, or the value of a chosen option, into its command and its mark."""
    command, _, mark = identifier.partition("\n")
    return command, mark


def message(
    card: Card,
    t: Translator,
    *,
    ephemeral: bool = False,
    extra_buttons: Sequence[AdapterButton] = (),
) -> Json:
    """Return the body of a message that shows the card, and `extra_buttons` below it.

    A card that does not fit is rendered compactly: the buttons of its entries become a menu.
    """
    card = name_reply(card)
    inside, whole = _pack_blocks(card, t, extra_buttons, compact=False)
    if not whole:
        inside, _ = _pack_blocks(card, t, extra_buttons, compact=True)
    box = {"type": CONTAINER, "accent_color": COLOURS[card.tone], "components": inside}
    return {
        "flags": COMPONENTS_V2 | (EPHEMERAL if ephemeral else 0),
        "components": [box],
        "allowed_mentions": {"parse": []},
    }


def form(given: Form, t: Translator) -> Json:
    """Return the body of the form's modal, or of its first one where it takes several."""
    return modal(given, custom_id(given.command, f"form:1:{count_parts(given)}:"), t)


# --- fitting into a message -------------------------------------------------------------------


def _pack_blocks(
    card: Card, t: Translator, extra_buttons: Sequence[AdapterButton], *, compact: bool
) -> tuple[list[Json], bool]:
    """Return the components of the container, and whether they show the whole card.

    Vital blocks get their space first; the others follow in order until one does not fit.
    """
    ids = ComponentIds()
    blocks = [*_blocks(card, ids, t, compact=compact), *_extra_button_rows(extra_buttons)]
    room, kept, whole = RemainingSpace(), dict[int, list[Json]](), True
    for index in sorted(range(len(blocks)), key=lambda i: not blocks[i].vital):
        full = blocks[index].render(UNLIMITED)
        kept[index] = fit_block(blocks[index], full, room)
        if kept[index] != full:
            whole = False
            if not blocks[index].vital:
                break  # a list with a gap would mislead, so the blocks after it are left out too
    inside = [component for index in sorted(kept) for component in kept[index]]
    whole = whole and not ids.has_failed
    if not whole:
        inside.append(_text(f"-# {escape_markup(t('Not everything fits in one message.'))}"))
    return drop_loose_separators(inside) or [_text("…")], whole


def _text(content: str) -> Json:
    return {"type": TEXT, "content": content}


# --- the parts of a card ----------------------------------------------------------------------


def _blocks(card: Card, ids: ComponentIds, t: Translator, *, compact: bool) -> Iterator[Block]:
    yield Block(_line("## ", card.title, most=250), vital=True)
    presses: list[Option] = []
    for part in card.parts:
        if compact and isinstance(part, Entry):
            presses += [Option(button.label, button.command, part.title) for button in part.buttons]
            yield Block(_entry(part))
        else:
            yield from _part(part, ids, t)
    yield from _menus(t("Choose…"), presses, ids)
    yield Block(_small_print(card.footer, most=600), vital=True)


def _part(part: Part, ids: ComponentIds, t: Translator) -> Iterator[Block]:
    match part:
        case Heading():
            yield Block(_line("### ", part.text, most=250))
        case Text():
            yield Block(_small_print(part.text) if part.quiet else _paragraph(part.text))
        case Written():
            yield Block(_message_text(part.text))
        case Note():
            yield Block(_paragraph(part.text, f"{SIGNS[part.tone]} "), vital=True)
        case Facts():
            yield Block(_lines(_facts(part.facts)))
        case Entry():
            yield from _entry_with_buttons(part, ids, t)
        case Table():
            yield Block(_code_block(table_lines(part)))
        case Bars():
            yield Block(_lines([_bold(part.caption), *bars_lines(part)]))
        case Buttons():
            yield from _rows(part.buttons, ids, t)
        case Choice():
            yield from _menus(part.label, part.options, ids)
        case Link():
            yield Block(rows=(_link(part),), vital=True)
        case Divider():
            yield Block(rows=({"type": SEPARATOR},))
        case _:
            assert_never(part)


def _line(before: str, text: str, most: int = UNLIMITED) -> TextRenderer:
    def draw(letters: int) -> str:
        said = shorten(one_line(text), min(letters, most) - utf16_length(before), escape_markup)
        return f"{before}{said}" if said else ""

    return draw


def _paragraph(text: str, before: str = "") -> TextRenderer:
    text = text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…"

    def draw(letters: int) -> str:
        said = shorten(text, letters - utf16_length(before), escape_markup)
        return f"{before}{said}" if said else ""

    return draw


def _message_text(text: str) -> TextRenderer:
    text = text[:MAX_TEXT]
    return lambda letters: shorten(text, letters, lambda said: escape_message(close_block(said)))


def _small_print(text: str, most: int = UNLIMITED) -> TextRenderer:
    def small(said: str) -> str:
        return "\n".join(f"-# {line}" for line in escape_markup(said).splitlines() if line)

    text = text[:MAX_TEXT]
    return lambda letters: shorten(text, min(letters, most), small)


def _lines(lines: Iterable[str]) -> TextRenderer:
    kept = [line for line in lines if line]
    return lambda letters: fit_lines(kept, letters)


def _code_block(lines: Sequence[str]) -> TextRenderer:
    def draw(letters: int) -> str:
        said = fit_lines(lines, letters - utf16_length("```\n\n```"))
        return f"```\n{said}\n```" if said.strip() else ""

    return draw


def _bold(text: str, most: int = 250) -> str:
    said = shorten(one_line(text), most, escape_markup)
    return f"**{said}**" if said else ""


def _facts(facts: Sequence[Fact]) -> Iterator[str]:
    """Yield one line for each fact; two short neighbours share a line."""
    held = ""
    for fact in facts:
        label = _bold(f"{one_line(fact.label)}:" if one_line(fact.label) else "")
        line = f"{label} {shorten(one_line(fact.value), 1000, escape_markup)}".strip()
        if utf16_length(fact.label) + utf16_length(fact.value) > SHORT_FACT:
            yield from (held, line)
            held = ""
        elif held:
            yield f"{held} · {line}"
            held = ""
        else:
            held = line
    yield held


def _entry(entry: Entry) -> TextRenderer:
    badge = shorten(one_line(entry.badge), 80, escape_markup)
    title = _bold(entry.title) + (f" · {badge}" if badge else "")
    lines = [shorten(one_line(line), 500, escape_markup) for line in entry.lines]
    return _lines([title, *lines, _small_print(one_line(entry.note), most=300)(UNLIMITED)])


def _entry_with_buttons(entry: Entry, ids: ComponentIds, t: Translator) -> Iterator[Block]:
    """Yield the entry with its only button beside the text, or with several below it."""
    if len(entry.buttons) == 1:
        yield Block(_entry(entry), accessory=_render_button(entry.buttons[0], ids))
        return
    rows = tuple(row for block in _rows(entry.buttons, ids, t) for row in block.rows)
    yield Block(_entry(entry), rows=rows)


def _rows(buttons: Sequence[Button], ids: ComponentIds, t: Translator) -> Iterator[Block]:
    """Yield a row of up to five buttons, or a menu where there are more."""
    if len(buttons) > BUTTONS_PER_ROW:
        yield from _menus(t("Choose…"), [Option(b.label, b.command) for b in buttons], ids)
        return
    drawn = [button for button in (_render_button(b, ids) for b in buttons) if button]
    if drawn:
        yield Block(rows=({"type": ROW, "components": drawn},), vital=True)


def _render_button(button: Button, ids: ComponentIds) -> Json | None:
    """Return a button as a Discord component; None if its command gives no valid id."""
    identifier = ids.unique_id(button.command)
    label = shorten(one_line(button.label) or button.command, MAX_LABEL)
    if not identifier:
        return None
    return {
        "type": BUTTON,
        "style": STYLES[button.style],
        "label": label,
        "custom_id": identifier,
    }


def _link(link: Link) -> Json:
    label = shorten(one_line(link.label) or link.address, MAX_LABEL)
    opens = {"type": BUTTON, "style": LINK_STYLE, "label": label, "url": link.address}
    return {"type": ROW, "components": [opens]}


def _menus(label: str, options: Sequence[Option], ids: ComponentIds) -> Iterator[Block]:
    """Yield one select menu for each 25 options."""
    named = [(ids.unique_id(option.value), option) for option in options]
    drawn = [_option(value, option) for value, option in named if value]
    for start in range(0, len(drawn), MAX_OPTIONS):
        select = {
            "type": SELECT,
            "custom_id": ids.menu_id(),
            "placeholder": shorten(one_line(label), 150),
            "min_values": 1,
            "max_values": 1,
            "options": drawn[start : start + MAX_OPTIONS],
        }
        yield Block(rows=({"type": ROW, "components": [select]},), vital=True)


def _option(value: str, option: Option) -> Json:
    label = shorten(one_line(option.label) or one_line(option.value), MAX_OPTION)
    drawn = {"label": label, "value": value}
    hint = shorten(one_line(option.hint), MAX_OPTION)
    return drawn | ({"description": hint} if hint else {})


def _extra_button_rows(after: Sequence[AdapterButton]) -> Iterator[Block]:
    buttons = [
        {
            "type": BUTTON,
            "style": STYLES[press.style],
            "label": shorten(one_line(press.label), MAX_LABEL),
            "custom_id": custom_id(press.command, press.mark),
        }
        for press in after
    ]
    if buttons:
        yield Block(rows=({"type": ROW, "components": buttons},), vital=True)
