"""Cards and forms, the hub's replies: frozen data that knows no platform.

All strings are plain text. Emphasis belongs to the kind of part, never to characters inside a text,
so what people typed can be shown anywhere without becoming markup.
"""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal, assert_never

SLASH = "/wwc"
MAX_COMMAND_LENGTH = 100
"""Maximum characters of a button's command: Discord's custom_id, which carries it, takes 100."""

MAX_ADDRESS_LENGTH = 500

Tone = Literal["info", "good", "warning", "bad"]


@dataclass(frozen=True, slots=True)
class Button:
    """A button that runs `command`, the words one could have typed after `/wwc`.

    Raises ValueError if the command is empty or longer than MAX_COMMAND_LENGTH.
    """

    label: str
    command: str
    style: Literal["normal", "primary", "danger"] = "normal"
    kind: Literal["button"] = "button"

    def __post_init__(self) -> None:
        if not 0 < len(self.command) <= MAX_COMMAND_LENGTH:
            raise ValueError(f"a button's command has 1 to {MAX_COMMAND_LENGTH} characters")


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a menu or form field; `value` is what is submitted when it is chosen."""

    label: str
    value: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading of a section of a card."""

    text: str
    kind: Literal["heading"] = "heading"


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; a `quiet` one is small print."""

    text: str
    quiet: bool = False
    kind: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class Written:
    """The message of a member: its addresses are links, and what stands between ticks is code.

    Nothing else in it is markup.
    """

    text: str
    kind: Literal["written"] = "written"


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence that must not be missed: a success, a warning or an error."""

    text: str
    tone: Tone = "info"
    kind: Literal["note"] = "note"


@dataclass(frozen=True, slots=True)
class Fact:
    """A short value with its label, one of `Facts`."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Short labelled values, shown in columns where there is room."""

    facts: tuple[Fact, ...]
    kind: Literal["facts"] = "facts"


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of a list (a person, a city, a topic) with the buttons that act on it."""

    title: str
    lines: tuple[str, ...] = ()
    note: str = ""
    badge: str = ""
    buttons: tuple[Button, ...] = ()
    kind: Literal["entry"] = "entry"


@dataclass(frozen=True, slots=True)
class Table:
    """A table with column names; every row has as many cells as there are columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    kind: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart; `shown` is the value as text for the reader."""

    label: str
    value: float
    shown: str


@dataclass(frozen=True, slots=True)
class Bars:
    """A chart of horizontal bars with their numbers beside them."""

    caption: str
    bars: tuple[Bar, ...]
    kind: Literal["bars"] = "bars"


@dataclass(frozen=True, slots=True)
class Buttons:
    """A row of buttons that belong to the whole card."""

    buttons: tuple[Button, ...]
    kind: Literal["buttons"] = "buttons"


@dataclass(frozen=True, slots=True)
class Choice:
    """A menu; choosing an option runs its value as a command."""

    label: str
    options: tuple[Option, ...]
    kind: Literal["choice"] = "choice"


@dataclass(frozen=True, slots=True)
class Link:
    """A button that opens one of the hub's own web addresses, never one that people wrote.

    Raises ValueError unless the address is a whole http or https address of at most
    MAX_ADDRESS_LENGTH characters.
    """

    label: str
    address: str
    kind: Literal["link"] = "link"

    def __post_init__(self) -> None:
        if not _ADDRESS.fullmatch(self.address) or len(self.address) > MAX_ADDRESS_LENGTH:
            raise ValueError("a link leads to a whole http or https address")


_ADDRESS = re.compile(r"https?://[!#-;=?-~]+")


@dataclass(frozen=True, slots=True)
class Divider:
    """A line that separates two sections."""

    kind: Literal["divider"] = "divider"


Part = (
    Heading
    | Text
    | Written
    | Note
    | Facts
    | Entry
    | Table
    | Bars
    | Buttons
    | Choice
    | Link
    | Divider
)


@dataclass(frozen=True, slots=True)
class Card:
    """One reply. `private`: only the asker sees it. `footer`: small print at the end."""

    title: str
    parts: tuple[Part, ...] = ()
    footer: str = ""
    tone: Tone = "info"
    private: bool = True
    kind: Literal["card"] = "card"


@dataclass(frozen=True, slots=True)
class Input:
    """One field of a form with the values that it holds at first.

    `many` takes several of the options. Without options it is a line of text (`long`: a paragraph)
    of at most `longest` characters. `problem` says why the value was not accepted. `suggests` names
    the completion that helps with the field; the text need not be one of its suggestions.
    """

    name: str
    label: str
    value: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    many: bool = False
    long: bool = False
    required: bool = False
    hint: str = ""
    problem: str = ""
    longest: int = 3000
    suggests: str = ""

    @property
    def text(self) -> str:
        """Return the values as one line, joined by commas."""
        return ", ".join(self.value)


@dataclass(frozen=True, slots=True)
class Form:
    """A form for a command: opened when words are missing or wrong, or to edit something.

    Submitting it runs `command` with the inputs as its values.
    """

    title: str
    command: str
    inputs: tuple[Input, ...]
    intro: str = ""
    submit: str = "OK"
    kind: Literal["form"] = "form"


Reply = Card | Form


def plain(reply: Reply) -> str:
    """Return the reply as plain text, for notifications, screen readers, the terminal and tests."""
    lines = _form_lines(reply) if isinstance(reply, Form) else _card_lines(reply)
    return "\n".join(lines).strip() + "\n"


def data(reply: Reply) -> dict[str, Any]:
    """Return the reply as JSON-ready data; each part carries its `kind`."""
    return asdict(reply)


def _card_lines(card: Card) -> Iterator[str]:
    yield card.title
    for part in card.parts:
        yield from _part_lines(part)
    if card.footer:
        yield ""
        yield card.footer


def _part_lines(part: Part) -> Iterator[str]:
    match part:
        case Heading():
            yield ""
            yield part.text
        case Text() | Written() | Note():
            yield part.text
        case Facts():
            yield from (f"{fact.label}: {fact.value}" for fact in part.facts)
        case Entry():
            yield from _entry_lines(part)
        case Table():
            yield " | ".join(part.columns)
            yield from (" | ".join(row) for row in part.rows)
        case Bars():
            yield part.caption
            yield from (f"{bar.label}: {bar.shown}" for bar in part.bars)
        case Buttons():
            yield from map(_button_line, part.buttons)
        case Choice():
            yield f"{part.label}:"
            yield from (f"  {o.label}: {SLASH} {o.value}" for o in part.options)
        case Link():
            yield f"→ {part.label}: {part.address}"
        case Divider():
            yield ""
        case _:
            assert_never(part)


def _entry_lines(entry: Entry) -> Iterator[str]:
    yield ""
    yield f"• {entry.title}" + (f" [{entry.badge}]" if entry.badge else "")
    yield from (f"  {line}" for line in entry.lines)
    if entry.note:
        yield f"  {entry.note}"
    yield from (f"  {_button_line(button)}" for button in entry.buttons)


def _button_line(button: Button) -> str:
    return f"→ {button.label}: {SLASH} {button.command}"


def _form_lines(form: Form) -> Iterator[str]:
    yield form.title
    if form.intro:
        yield form.intro
    for given in form.inputs:
        yield ""
        yield f"{given.label}{' *' if given.required else ''}: {_input_value_text(given)}".rstrip()
        if given.problem:
            yield f"  ✗ {given.problem}"
        if given.hint:
            yield f"  {given.hint}"
        if given.options:
            yield "  " + " · ".join(option.label for option in given.options)
    yield ""
    keys = " ".join(f"{given.name.replace('_', '-')}:…" for given in form.inputs[:3])
    yield f"→ {form.submit}: {SLASH} {form.command} {keys}".rstrip()


def _input_value_text(given: Input) -> str:
    labels = {option.value: option.label for option in given.options}
    return ", ".join(labels.get(value, value) for value in given.value)
