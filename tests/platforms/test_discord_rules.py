"""The rules of the loopback Discord, as pure functions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.platforms.discord import (
    mentions_of,
    problems_of_commands,
    problems_of_message,
    problems_of_modal,
)
from tests.platforms.discord_limits import COMPONENTS_V2, Json


def card(*parts: Json) -> Json:
    return {"flags": COMPONENTS_V2, "components": list(parts)}


def text(words: str) -> Json:
    return {"type": 10, "content": words}


def row(*parts: Json) -> Json:
    return {"type": 1, "components": list(parts)}


def button(custom_id: str = "a", label: str = "Go", **more: Any) -> Json:
    return {"type": 2, "style": 1, "custom_id": custom_id, "label": label} | more


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        ({"content": "x" * 2001}, "content"),
        ({}, "empty message"),
        ({"content": "x", "nonce": "n" * 26}, "nonce"),
        (card(text("x")) | {"content": "y"}, "not allowed together"),
        (card(*[text("x")] * 41), "at most 40"),
        (card(text("x" * 2001), text("x" * 2000)), "at most 4000"),
        ({"content": "x", "components": [text("y")]}, "IS_COMPONENTS_V2"),
        (card(row(button(), button())), "used twice"),
        (card(row(*[button(str(n)) for n in range(6)])), "at most 5 buttons"),
        (card(row(button(label="x" * 81))), "label"),
        (card(row(button(custom_id="x" * 101))), "custom_id"),
        (card(row(button(style=5))), "url: required"),
        (card({"type": 9, "components": [text("x")]}), "accessory"),
        (card({"type": 17, "components": [{"type": 17, "components": []}]}), "not allowed here"),
        (card({"type": 12, "items": [{"media": {"url": "attachment://a"}}]}), None),
        ({"content": "x", "embeds": [{"description": "y" * 4097}]}, "description"),
        ({"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}}, "exclude"),
        ({"content": "hello"}, None),
        (card(text("x" * 4000)), None),
    ],
)
def test_message_rules(payload: Json, complaint: str | None) -> None:
    """Each limit is found by a body that breaks it, and the largest allowed body passes."""
    found = "\n".join(problems_of_message(payload))
    assert (complaint in found) if complaint else found == ""


def select(options: int, **more: Any) -> Json:
    listed = [{"label": str(n), "value": str(n)} for n in range(options)]
    return {"type": 3, "custom_id": "s", "options": listed} | more


def form(*parts: Json, title: str = "Form") -> Json:
    return {"custom_id": "f", "title": title, "components": list(parts)}


def label(component: Json, words: str = "Field") -> Json:
    return {"type": 18, "label": words, "component": component}


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        (form(title="x" * 46), "title"),
        (form(), "1 to 5"),
        (form(*[text("x")] * 6), "1 to 5"),
        (form(label(select(26))), "1 to 25 options"),
        (form(label(select(2), "x" * 46)), "label"),
        (form(label(select(2, disabled=True))), "not allowed in a modal"),
        (form(label(button())), "is required"),
        (form(row(select(2))), "one text input"),
        (form(label({"type": 4, "custom_id": "t", "style": 1, "value": "x" * 4001})), "value"),
        (form(label({"type": 4, "custom_id": "t", "style": 1}), label(select(25))), None),
    ],
)
def test_form_rules(payload: Json, complaint: str | None) -> None:
    """Forms have limits of their own."""
    found = "\n".join(problems_of_modal(payload))
    assert (complaint in found) if complaint else found == ""


def command(*options: Json, **more: Any) -> Json:
    return {"name": "wwc", "description": "Hub", "options": list(options)} | more


def option(name: str = "topic", kind: int = 3, **more: Any) -> Json:
    return {"type": kind, "name": name, "description": "What"} | more


LONG = [{"name": f"{n:099}", "value": f"{n:099}"} for n in range(11)]


@pytest.mark.parametrize(
    ("listed", "complaint"),
    [
        ([command(name="Who Does")], "pattern"),
        ([command(description="")], "description"),
        ([command(), command()], "used twice"),
        ([command(option(), option("b", required=True))], "before optional"),
        ([command(option(), option())], "names must be unique"),
        ([command(option(choices=[{"name": "a", "value": "a"}], autocomplete=True))], "excludes"),
        ([command(option(), option("sub", 1))], "cannot be mixed"),
        ([command(option("g", 2, options=[option("h", 2)]))], "group"),
        ([command(option(min_length=5, max_length=2))], "min_length"),
        ([command(name_localizations={"es-LA": "wwc"})], "unknown locale"),
        ([command(*[option(f"o{n}", description="x" * 101) for n in range(2)])], "description"),
        ([command(name=f"c{n}") for n in range(101)], "at most 100"),
        (
            [command(*[option(f"s{n}", 1, options=[option(choices=LONG)]) for n in range(4)])],
            "8000",
        ),
        ([command(option("búsqueda"), name_localizations={"es-419": "wwc"})], None),
    ],
)
def test_command_rules(listed: list[Json], complaint: str | None) -> None:
    """Names, order, depth and size of commands."""
    found = "\n".join(problems_of_commands(listed))
    assert (complaint in found) if complaint else found == ""


@pytest.mark.parametrize(
    ("allowed", "pings"),
    [
        (None, ["@everyone", "<@1>", "<@!2>", "<@&3>", "@here"]),
        ({"parse": []}, []),
        ({"parse": ["users"]}, ["<@1>", "<@!2>"]),
        ({"parse": ["everyone"], "roles": ["3"]}, ["@everyone", "<@&3>", "@here"]),
        ({"users": [2]}, ["<@!2>"]),
    ],
)
def test_pings(allowed: Json | None, pings: list[str]) -> None:
    """Text displays ping as content does, within what allowed_mentions lets through."""
    payload: Json = {"content": "@everyone <@1> <@!2>", "components": [text("<@&3> @here")]}
    if allowed is not None:
        payload["allowed_mentions"] = allowed
    assert mentions_of(payload) == pings
