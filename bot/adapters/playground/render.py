"""Render the platforms' real payloads as HTML; what people wrote is always escaped."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any
from zlib import crc32

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.adapters.playground.forms import Field, Modal, block_modal, component_modal
from bot.adapters.playground.markdown import markdown_spans
from bot.adapters.playground.mrkdwn import rich_spans, text_spans
from bot.adapters.playground.spans import NAMED_EMOJI_PLATFORMS, Reader, message_spans, pictures
from bot.adapters.playground.world import (
    BOT,
    Message,
    Persona,
    Workspace,
    conversation_key,
    quote_line,
)
from bot.cards import SLASH, Button, Card, Form, Part, plain
from bot.i18n import LANGUAGE_NAMES, Translator, translator

SUGGESTIONS = (
    "who-does open data",
    "city bogota",
    "who-does datos abiertos in:mexico",
    "profile",
    "help",
)
FormWriter = Callable[[Form], Mapping[str, Any]]
MODALS: Mapping[str, Callable[[Mapping[str, Any], Form], Modal]] = {
    "slack": block_modal,
    "discord": component_modal,
}


@dataclass(frozen=True)
class View:
    """One person's view of one workspace: language, names of people and of commands."""

    workspace: Workspace
    person: Persona
    language: str
    names: Mapping[str, str]
    name_commands: Callable[[str], str] = str
    """Replaces the commands in a text by their names on the workspace's platform."""

    @property
    def t(self) -> Translator:
        """Return the translator for the viewer's language."""
        return translator(self.language)

    @property
    def reader(self) -> Reader:
        """Return the reader for whom dates and mentions in a payload are rendered."""
        return Reader(self.language, self.person.zone, dict(self.names))


@dataclass(frozen=True)
class Channel:
    """One entry of a channel list."""

    key: str
    name: str
    kind: str
    person: str = ""


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals.update(
        SLASH=SLASH,
        BOT=BOT,
        NAMES=LANGUAGE_NAMES,
        hue=hue,
        initials=initials,
        accent=accent,
        pictures=pictures,
    )
    return environment


def message_html(message: Message, view: View) -> str:
    """Return the HTML of one message, with the payload it was rendered from."""
    return _templates().get_template("message.html").render(**_message_context(message, view))


def _message_context(message: Message, view: View) -> dict[str, Any]:
    return {
        **_template_context(view, message.card),
        "message": message,
        "plain": view.name_commands(plain(message.card)) if message.card else "",
        "json": format_json(message.payload),
        "time": _time(message.at, view),
        "texts": partial(
            message_spans, named_emoji=view.workspace.platform in NAMED_EMOJI_PLATFORMS
        ),
        "quote": quote_line(message),
        "direct": message.channel == conversation_key(view.person.key, BOT),
        "mine": message.author == view.person.key and message.card is None,
    }


def form_html(form: Form, write: FormWriter, view: View, said: str, number: int) -> str:
    """Return the HTML of a modal with its fields, filled in, each problem beside its field.

    `said`: the words that are sent with the form. `number`: makes ids unique on the page.
    """
    read = MODALS[view.workspace.platform]
    payloads = steps(form, write, read)
    modals = [read(payload, form) for payload in payloads]
    return (
        _templates()
        .get_template("form.html")
        .render(
            **_template_context(view, None),
            modal=modals[0],
            modals=modals,
            problems=[field for modal in modals for field in modal.problems],
            form=form,
            said=said,
            uid=f"form{number}",
            json="\n\n".join(map(format_json, payloads)),
            plain=view.name_commands(plain(form)),
        )
    )


def steps(
    form: Form, write: FormWriter, read: Callable[[Mapping[str, Any], Form], Modal]
) -> list[Mapping[str, Any]]:
    """Return the payload of each step; several where one modal cannot hold all fields."""
    payloads = [write(form)]
    left = form
    while True:
        drawn = {i.name for i in read(payloads[-1], form).items if isinstance(i, Field)}
        rest = tuple(given for given in left.inputs if given.name not in drawn)
        if not rest or len(rest) == len(left.inputs):
            return payloads
        left = replace(form, inputs=rest)
        payloads.append(write(left))


def pane_html(
    view: View, channels: Sequence[Channel], channel: Channel, messages: Sequence[Message]
) -> str:
    """Return the HTML of a whole pane: channels, messages, composer."""
    drawn = [message_html(message, view) for message in messages]
    return (
        _templates()
        .get_template("pane.html")
        .render(
            **_template_context(view, None),
            channels=channels,
            channel=channel,
            messages=drawn,
            last=max((message.version for message in messages), default=0),
            suggestions=SUGGESTIONS,
        )
    )


def page_html(language: str, theme: str, panes: Sequence[tuple[Workspace, str]]) -> str:
    """Return the HTML of the page around the panes."""
    template = _templates().get_template("page.html")
    return template.render(t=translator(language), language=language, theme=theme, panes=panes)


def _template_context(view: View, card: Card | None) -> dict[str, Any]:
    """Return the values and functions that templates need to render payloads."""
    return {
        "view": view,
        "t": view.t,
        "markdown": partial(markdown_spans, reader=view.reader),
        "text_spans": partial(text_spans, reader=view.reader),
        "rich_spans": partial(rich_spans, reader=view.reader),
        "says": partial(command_of_press, card),
        "command": lambda said: view.name_commands(f"{SLASH} {said}"),
    }


def _time(at: datetime, view: View) -> str:
    return view.reader.moment(int(at.timestamp()), "time")


# --- presses ----------------------------------------------------------------------------------


def command_of_press(card: Card | None, identifier: object, label: str = "") -> str:
    """Return the command that a press runs: the payload's id, without an adapter's mark.

    Where the id holds no command of the card, a button of the card with this label gives it.
    """
    raw = str(identifier or "")
    said, _, mark = raw.partition("\n")
    known = [(b.label, b.command) for part in card.parts for b in _buttons_of(part)] if card else []
    commands = [command for _, command in known]
    if said in commands or (said and not mark):
        return said
    labelled = (command for name, command in known if name == label)
    return said or next(labelled, "")


def _buttons_of(part: Part) -> Sequence[Button]:
    match part.kind:
        case "buttons" | "entry":
            return part.buttons
        case "choice":
            return [Button(o.label, o.value) for o in part.options]
        case _:
            return ()


# --- formatting -------------------------------------------------------------------------------


def format_json(payload: Mapping[str, Any] | None) -> str:
    """Return a payload as indented JSON, "" where there is none."""
    return json.dumps(payload, indent=2, ensure_ascii=False) if payload is not None else ""


def hue(key: str) -> int:
    """Return one of eight colours (0 to 7), always the same for the same key."""
    return crc32(key.encode()) % 8


def initials(name: str) -> str:
    """Return at most two letters that stand for a name."""
    words = [word for word in name.split() if word[:1].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "?"


def accent(colour: object) -> str:
    """Return a number as a CSS colour, "none" for anything else."""
    return f"#{colour & 0xFFFFFF:06x}" if isinstance(colour, int) else "none"
