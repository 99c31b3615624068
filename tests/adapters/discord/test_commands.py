"""Every verb is a native command of Discord, with its options, in four languages."""

from dataclasses import replace
from typing import Any

import pytest

from bot.adapters.discord import commands as native
from bot.adapters.discord.commands import (
    build_commands,
    find_focused_field,
    fingerprint,
    list_matching_options,
    normalize_mentions,
    parse_command,
)
from bot.adapters.discord.names import CommandNames, DoesNotFitError
from bot.cards import Option
from bot.commands import STAFF, load_commands
from bot.i18n import translator
from bot.parsing import Argument
from bot.verbs import find_command
from tests.adapters.discord.fake import COMMANDS, Members, verb, verbs
from tests.platforms.discord import problems_of_commands

NAMES = CommandNames(COMMANDS)


def by_name(children: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {child["name"]: child for child in children}


def with_arguments(*arguments: Argument) -> dict[str, Any]:
    """The options of the one verb that takes these."""
    one = replace(verb("x", Members), arguments=arguments)
    [root] = build_commands(verbs(one))
    return by_name(root["options"][0]["options"])


def test_verbs_are_subcommands_and_two_words_are_a_group() -> None:
    """By their names; a verb that is also a first word is the group's «start»."""
    body = build_commands(COMMANDS)

    assert problems_of_commands(body) == []
    root, person = body
    assert (root["name"], root["contexts"], root["integration_types"]) == ("wwc", [0, 1], [0])
    children = by_name(root["options"])
    assert list(children) == ["admin", "home", "plan", "profile", "who-does", "who-is"]
    assert by_name(children["admin"]["options"]).keys() == {"start", "members"}
    assert (person["type"], person["name"]) == (2, "Who is this?")
    assert children["who-does"]["description"] == "Find who works on something"


def test_options_are_typed() -> None:
    """Choices, numbers, yes or no, completion; what is required comes first."""
    [root, _] = build_commands(COMMANDS)
    options = by_name(by_name(root["options"])["who-does"]["options"])

    del options["topic"]["description_localizations"]
    assert options["topic"] == {
        "type": 3,
        "name": "topic",
        "description": "For example: open data",
        "required": True,
        "autocomplete": True,
        "min_length": 2,
        "max_length": 80,
    }
    assert options["in"]["required"] is False
    assert [c["value"] for c in options["level"]["choices"]] == ["silver", "gold"]
    assert options["most"]["type"] == 4
    assert [c["value"] for c in options["open"]["choices"]] == ["yes", "no"]


def test_several_or_too_many_options_are_completed_instead() -> None:
    """Discord's choices take one of 25; a paragraph is left to the form."""
    many = tuple(Option(f"Area {n}", f"area-{n}") for n in range(30))
    options = with_arguments(
        Argument("areas", "areas", "Areas", many=True, options=many[:3], kind="choice"),
        Argument("area", "area", "Area", options=many, kind="choice"),
        Argument("bio", "bio", "Bio", required=True, long=True, longest=9000),
        Argument("who", "who", "Who", required=True),
    )

    assert list(options) == ["who", "areas", "area", "bio"]
    assert options["areas"]["autocomplete"] is options["area"]["autocomplete"] is True
    assert "choices" not in options["areas"]
    assert (options["bio"]["required"], options["bio"]["max_length"]) == (False, 6000)


def test_descriptions_and_choices_are_translated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a translation exists it is declared for the platform's name of that language."""
    monkeypatch.setattr(native, "translator", lambda lang: lambda said: f"{said} ({lang})")

    body = build_commands(verbs(verb("who-is", Members)))

    assert problems_of_commands(body) == []
    assert body[0]["options"][0]["description_localizations"] == {
        "es-ES": "Approve members (es)",
        "es-419": "Approve members (es)",
        "pt-BR": "Approve members (pt)",
        "fr": "Approve members (fr)",
    }
    assert body[1]["name_localizations"]["fr"] == "Who is this? (fr)"


def test_verbs_never_move_to_another_root_by_themselves() -> None:
    """26 verbs, or 8000 letters, are too many for one slash command: its name is said."""
    few = verbs(*(verb(f"v{n}", Members) for n in range(26)))
    wordy = tuple(Argument(f"a{n}", f"a{n}", "x" * 100) for n in range(20))
    long = verbs(*(replace(verb(f"v{n}", Members), arguments=wordy) for n in range(6)))
    mine = {name: replace(one, room="me") for name, one in few.items()}

    for commands, reason in (
        (few, "^/wwc has 26 verbs, 25 fit$"),
        (mine, "^/wwc-me has 26 verbs, 25 fit$"),
        (long, r"^/wwc has 1\d{4} letters, 8000 fit$"),
    ):
        with pytest.raises(DoesNotFitError, match=reason):
            build_commands(commands)
    both = build_commands({**few, **mine} | {"v0": few["v0"]})
    assert problems_of_commands(both) == []
    assert [len(root["options"]) for root in both] == [1, 25]


def test_declarations_that_cannot_fit_are_refused_with_a_reason() -> None:
    """A sentence that names what is too large or badly named."""
    many = tuple(Argument(f"a{n}", f"a{n}", "x") for n in range(26))
    wordy = tuple(
        Argument(f"a{n}", f"a{n}", "x" * 100, options=tuple(
            Option(f"{k} " + "y" * 90, f"{k} " + "z" * 90) for k in range(9))) for n in range(9)
    )  # fmt: skip
    cases = {
        "more than 25 fields": verbs(replace(verb("x", Members), arguments=many)),
        "letters, 8000 fit": verbs(replace(verb("x", Members), arguments=wordy)),
        "has 26 subcommands": verbs(*(verb(f"x v{n}", Members) for n in range(26))),
        "has 76 verbs": verbs(*(verb(f"v{n}", Members) for n in range(76))),
        "cannot be the name": verbs(verb("Über!", Members)),
    }
    for reason, commands in cases.items():
        with pytest.raises(DoesNotFitError, match=reason):
            build_commands(commands)


def test_the_fingerprint_changes_with_the_declarations_only() -> None:
    """The same verbs, the same print; one more verb, another."""
    again = fingerprint(build_commands(dict(COMMANDS)))
    more = fingerprint(build_commands(COMMANDS | verbs(verb("y", Members, STAFF))))

    assert fingerprint(build_commands(COMMANDS)) == again != more


def test_the_hubs_own_verbs_fit() -> None:
    """All that is declared today can be registered."""
    commands = load_commands()
    if commands:
        assert problems_of_commands(build_commands(commands)) == []


def slash(*path: str, **options: object) -> dict[str, Any]:
    """A slash command as Discord sends it."""
    inside: list[dict[str, Any]] = [
        {"name": name.strip("_"), "type": 3, "value": value} for name, value in options.items()
    ]
    for depth, name in enumerate(reversed(path)):
        inside = [{"name": name, "type": 2 if depth else 1, "options": inside}]
    return {"type": 1, "name": "wwc", "options": inside}


def test_what_people_give_becomes_words_and_values() -> None:
    """By field, as text; mentions in one way of writing."""
    data = slash("who-does", topic="ask <@!12>", in_="x", most=3, open=True, gone="y")

    assert parse_command(data, NAMES) == (
        "who-does",
        {"topic": ("ask <@12>",), "place": ("x",), "most": ("3",), "open": ("yes",)},
    )
    assert parse_command(slash("who-does", open=False), NAMES)[1] == {"open": ("no",)}
    assert parse_command(slash("profile", areas="a, b"), NAMES)[1] == {"areas": ("a", "b")}
    assert parse_command(slash("admin", "members"), NAMES) == ("admin members", {})
    assert parse_command(slash("admin", "start"), NAMES) == ("admin", {})
    assert parse_command(slash("gone"), NAMES) == ("gone", {})
    assert parse_command({"type": 2, "target_id": "7"}, NAMES) == ("who-is <@7>", {})
    assert find_command(COMMANDS, "") is None
    assert normalize_mentions("<@!1><@2>") == "<@1><@2>"


def test_the_field_somebody_types_into_is_found() -> None:
    """With its verb and what is there so far; nothing for what is not declared."""
    data = slash("who-does", topic="op")
    option = data["options"][0]["options"][0]

    assert find_focused_field(data, NAMES) is None
    option["focused"] = True
    found = find_focused_field(data, NAMES)
    assert found is not None
    assert (found[0].name, found[1].name, found[2]) == ("who-does", "topic", "op")
    option["name"] = "gone"
    assert find_focused_field(data, NAMES) is None
    assert find_focused_field(slash("gone", topic="x"), NAMES) is None


def test_options_are_completed_by_what_they_contain() -> None:
    """Of several the last one is completed, the others stay."""
    options = (Option("Open data", "open-data"), Option("Évaluation", "evaluation"))
    one = Argument("area", "area", "Area", options=options)
    t = translator("en")

    assert list(list_matching_options(one, "eval", t)) == [options[1]]
    assert list(list_matching_options(replace(one, many=True), "open-data, EVA", t)) == [
        Option("open-data, Évaluation", "open-data, evaluation")
    ]
