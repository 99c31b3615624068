"""What people type in four languages, and what the hub reads in it: one line for each."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from bot.cards import Buttons, Card, Form, Reply, plain
from bot.commands import Command, Context
from bot.hub import Hub
from bot.request import Request
from tests.cast import sender

LINES = Path(__file__).with_name("typed_lines.txt")
"""Lines `input → command field=value; field=value`.

«~» stands before a command that was read from words without a verb, «?» before the first button
of an answer that asks what was meant, «form» before a command that asks for its words. `\\uXXXX`
is that character; «#» begins a heading.
"""


def load_lines() -> list[tuple[str, str]]:
    """Return each input with what must be read in it."""
    text = LINES.read_text(encoding="utf-8")
    lines = (line.split(" → ") for line in text.splitlines() if line and not line.startswith("# "))
    return [(_unescape(typed), _unescape(expected)) for typed, expected in lines]


def _unescape(typed: str) -> str:
    return re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), typed)


def told(ask: BaseModel) -> str:
    """Return what was given of a command's fields."""
    words = {True: "yes", False: "no"}
    return "; ".join(
        f"{name}={','.join(value) if isinstance(value, tuple) else words.get(value, value)}"
        for name, value in ask.model_dump(exclude_unset=True).items()
    )


def record(command: Command, ran: list[str]) -> Command:
    """Return the command with a handler that only notes what it was given."""

    async def handle(ctx: Context, ask: Any) -> Reply:
        ran.append(f"{command.name} {told(ask)}".strip())
        return Card("read")

    return replace(command, handle=handle)


def outcome(reply: Reply, ran: list[str]) -> str:
    """Return what was read, in the words of the file."""
    if ran:
        return ("~ " if "I read this as" in plain(reply) else "") + ran[0]
    if isinstance(reply, Form):
        return f"form {reply.command}"
    buttons = [b.command for part in reply.parts if isinstance(part, Buttons) for b in part.buttons]
    return f"? {buttons[0] if buttons else ''}".strip()


def test_there_are_lines_enough_and_each_stands_once() -> None:
    """Four hundred at least."""
    typed = [line[0] for line in load_lines()]

    assert len(typed) >= 400
    assert len(set(typed)) == len(typed)


@pytest.mark.no_cover
async def test_each_line_is_read_as_it_was_meant(hub: Hub) -> None:
    """By the true hub, with the true topics, cities and people; all that fail are listed."""
    ran: list[str] = []
    hub.commands = {name: record(command, ran) for name, command in hub.commands.items()}
    wrong = []
    for typed, expected in load_lines():
        ran.clear()
        read = outcome(await hub(Request(sender("noor"), typed)), ran)
        if read != expected:
            wrong.append(f"{typed!r} → {read} (expected: {expected})")
    assert wrong == []
