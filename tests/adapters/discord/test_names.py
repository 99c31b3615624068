"""Each verb has one name on Discord, under a root that says what it holds."""

from dataclasses import replace

import pytest

from bot.adapters.discord.commands import build_commands, parse_command
from bot.adapters.discord.names import (
    CommandNames,
    DoesNotFitError,
    name_commands,
    name_reply,
    read_command,
)
from bot.adapters.discord.render import message
from bot.cards import Button, Buttons, Card, Entry, Fact, Facts, Form, Input, Link, Option, Text
from bot.commands import Room, load_commands
from bot.i18n import translator
from tests.adapters.discord.fake import Members, verb, verbs

NAMES = {
    "wwc": (
        "city", "endorse", "help", "home", "intro start", "intro answer", "intro ask",
        "intro list", "intro slot", "intro why", "intro withdraw", "profile", "relay", "rounds",
        "settings", "topics", "who-does", "who-is", "why",
    ),
    "wwc-me": (
        "admit", "appeal", "block", "invite", "join", "leave", "link", "my-data", "report",
        "unblock", "unlink", "verify", "welcome",
    ),
    "wwc-admin": (
        "dead", "domains", "health", "members", "menu", "panic", "reports", "rounds", "workspaces",
    ),
}  # fmt: skip
"""Every command of Discord. A verb's root never changes by itself: whoever changes a line here
changes what people have learnt to type."""


def test_each_verb_stands_under_the_root_that_says_what_it_holds() -> None:
    """The whole map, in the order in which it is registered."""
    paths = CommandNames(load_commands()).paths

    assert sorted(paths.values()) == sorted(
        (root, *name.split()) for root, names in NAMES.items() for name in names
    )
    verbs_of = {" ".join(path): name for name, path in paths.items()}
    assert verbs_of["wwc-admin members"] == "admin members"
    assert verbs_of["wwc-admin rounds"] == "admin rounds"
    assert (verbs_of["wwc rounds"], verbs_of["wwc intro start"]) == ("rounds", "intro")
    registered = build_commands(load_commands())
    assert [root["name"] for root in registered] == [*NAMES, "Who is this?"]
    assert all(root["description"] for root in registered[:-1])


def test_staffs_commands_are_hidden_until_a_server_opens_them() -> None:
    """Who has Manage Server sees them; the others are for everybody."""
    needed = {
        root["name"]: root.get("default_member_permissions")
        for root in build_commands(load_commands())
    }

    assert needed == {"wwc": None, "wwc-me": None, "wwc-admin": "32", "Who is this?": None}


def test_what_is_registered_does_not_depend_on_the_order_of_declarations() -> None:
    """Moving a handler from file to file registers nothing anew."""
    commands = load_commands()

    assert build_commands(dict(reversed(list(commands.items())))) == build_commands(commands)


def test_a_native_command_says_the_hubs_verb() -> None:
    """By its path; what was registered before is understood as well."""
    names = CommandNames(load_commands())
    show = [{"name": "act", "type": 3, "value": "show"}]
    inside = [{"name": "my-data", "type": 1, "options": show}]
    cases = {
        ("wwc-me", "my-data"): "my-data",
        ("wwc", "my-data"): "my-data",
        ("wwc-admin", "members"): "admin members",
        ("wwc-more", "admin", "members"): "admin members",
        ("wwc", "intro", "start"): "intro",
        ("wwc", "intro", "open"): "intro",
        ("wwc", "intro", "list"): "intro list",
        ("wwc-admin", "gone"): "gone",
    }
    for (root, *path), said in cases.items():
        options: list[dict[str, object]] = []
        for depth, name in enumerate(reversed(path)):
            options = [{"name": name, "type": 2 if depth else 1, "options": options}]
        assert parse_command({"type": 1, "name": root, "options": options}, names) == (said, {})
    words, values = parse_command({"type": 1, "name": "wwc-me", "options": inside}, names)
    assert (words, list(values.values())) == ("my-data", [("show",)])


def test_help_understands_a_command_by_its_name_here() -> None:
    """Whoever copies a command into a field means the command."""
    about = [{"name": "about", "type": 3, "value": "/wwc-admin members"}]
    data = {"type": 1, "name": "wwc", "options": [{"name": "help", "type": 1, "options": about}]}

    names = CommandNames(load_commands())
    assert parse_command(data, names)[1] == {"about": ("/wwc admin members",)}


@pytest.mark.parametrize(
    ("text", "here"),
    [
        ("/wwc my-data show", "/wwc-me my-data show"),
        ("Type /wwc my-data, or /wwc help.", "Type /wwc-me my-data, or /wwc help."),
        ("«/wwc admin dead list»", "«/wwc-admin dead list»"),
        ("/wwc intro @maya because", "/wwc intro start @maya because"),
        ("/wwc intro list", "/wwc intro list"),
        ("/wwc who-does open data", "/wwc who-does open data"),
        ("/wwc rounds skip · /wwc admin rounds", "/wwc rounds skip · /wwc-admin rounds"),
        ("/wwc join-us", "/wwc join-us"),
        ("</wwc join:123456789012345678>", "</wwc join:123456789012345678>"),
        ("https://x.example/wwc join", "https://x.example/wwc join"),
        ("/wwc", "/wwc"),
        ("my-data", "my-data"),
    ],
)
def test_texts_name_commands_as_they_are_called_here(text: str, here: str) -> None:
    """The longest verb counts; what is no command stays as it is."""
    assert name_commands(text) == here


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("/wwc-me my-data show", "/wwc my-data show"),
        ("wwc-me my-data", "/wwc my-data"),
        ("  /wwc-admin dead list", "/wwc admin dead list"),
        ("/wwc intro start @maya", "/wwc intro @maya"),
        ("/wwc intro open data", "/wwc intro open data"),
        ("/wwc my-data show", "/wwc my-data show"),
        ("/wwc-me my-d", "/wwc my-d"),
        ("/wwc-admin me", "/wwc admin me"),
        ("/wwc-more admin", "/wwc-more admin"),
        ("What is /wwc-me my-data?", "What is /wwc-me my-data?"),
        ("who-does open data", "who-does open data"),
    ],
)
def test_what_is_typed_is_read_by_either_name(typed: str, read: str) -> None:
    """As it is called here, or as it is called everywhere else."""
    assert read_command(typed) == read


def test_every_verb_is_read_as_it_is_named() -> None:
    """There and back, with words behind it or without."""
    for name in load_commands():
        for rest in ("", " open data"):
            assert read_command(name_commands(f"/wwc {name}{rest}")) == f"/wwc {name}{rest}"


def test_cards_and_forms_are_renamed_where_people_read_them() -> None:
    """Every text, none of what a press says or somebody typed."""
    said = "/wwc my-data"
    button = Button(said, said)
    card = Card(said, (
        Text(said), Facts((Fact(said, said),)), Entry(said, (said,), said, said, (button,)),
        Buttons((button,)), Link(said, "https://x.example/wwc"),
    ), footer=said)  # fmt: skip
    form = Form(said, said, (Input(said, said, (said,), (Option(said, said),), hint=said),), said)

    renamed = name_reply(card)
    here = "/wwc-me my-data"
    assert renamed.parts[2] == Entry(here, (here,), here, here, (Button(here, said),))
    assert (renamed.title, renamed.footer, renamed.parts[4]) == (
        here, here, Link(here, "https://x.example/wwc"),
    )  # fmt: skip
    assert str(message(card, translator("en"))).count(said) == 2  # the two presses
    asked = name_reply(form)
    assert (asked.title, asked.intro, asked.command) == (here, here, said)
    assert asked.inputs == (Input(said, here, (said,), (Option(here, said),), hint=here),)
    plain_card = Card("Topics", (Text("Nothing to rename"),))
    assert name_reply(plain_card) is plain_card


def test_two_verbs_never_share_a_name() -> None:
    """Said when the commands are declared, with the name."""
    both = verbs(*(replace(verb(n, Members), room="admin") for n in ("admin members", "members")))

    with pytest.raises(DoesNotFitError, match="/wwc-admin members is the name of 2 verbs"):
        CommandNames(both)


def test_a_word_that_its_root_has_is_not_said_twice() -> None:
    """`admin members` is /wwc-admin members; in another room its first word is a group."""
    declared_in: dict[Room, tuple[str, ...]] = {
        "admin": ("wwc-admin", "members"),
        "daily": ("wwc", "admin", "members"),
    }
    for room, path in declared_in.items():
        one = verbs(replace(verb("admin members", Members), room=room))
        assert CommandNames(one).paths == {"admin members": path}
