"""Build Discord's commands from the hub's verbs, and parse what people enter: pure."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.adapters.discord.limits import Json
from bot.adapters.discord.modal import split_values
from bot.adapters.discord.names import ROOTS, CommandNames, DoesNotFitError, Path, read_command
from bot.adapters.discord.text import one_line, shorten
from bot.cards import Option
from bot.commands import Command, Room
from bot.i18n import Translator, translator
from bot.parsing import Argument, fold_text
from bot.request import Values
from bot.verbs import find_command

Commands = Mapping[str, Command]

SLASH, PERSON = 1, 2
SUBCOMMAND, GROUP, STRING, INTEGER = 1, 2, 3, 4
SERVERS, OUR_MESSAGES = 0, 1
"""Contexts in which a command may be used: a server, or direct messages with the bot."""

_ABOUT = {
    "daily": "People and know-how from certified cities",
    "me": "Your membership, accounts, data, and safety",
    "events": "Sessions: what's planned, and your place in it",
    "groups": "Groups of people working on the same thing",
    "library": "What cities have shared: documents, examples, answers",
    "standing": "How cities compare and what they learn from each other",
    "admin": "For staff",
}
"""The description of each root command, by room."""

MANAGE_SERVER = "32"
HIDDEN: Mapping[Room, str] = {"admin": MANAGE_SERVER}
"""Roots that only members with this permission see, until the server opens them to others.

The values are permission bits, written as Discord wants them: decimal strings.
"""

LOCALES = {"es-ES": "es", "es-419": "es", "pt-BR": "pt", "fr": "fr"}
WHO_IS = "who-is"
WHO_IS_THIS = "Who is this?"
MAX_CHILDREN = 25
MAX_LETTERS = 8000
MAX_NAME = 32
MAX_TEXT = 100
MAX_VALUE = 6000

_NAME = re.compile(r"[-_'\w]{1,32}")
_MENTION = re.compile(r"<@!(\d+)>")


def build_commands(commands: Commands) -> list[Json]:
    """Return everything to register: the roots that have verbs, and the menu entry on people.

    Raises `DoesNotFitError` where a root, a group or a verb is too large for Discord.
    """
    paths = CommandNames(commands).paths
    held: dict[Room, dict[Path, Command]] = {room: {} for room in ROOTS}
    for name in sorted(paths):
        held[commands[name].room][paths[name]] = commands[name]
    roots = [_build_root(room, verbs) for room, verbs in held.items() if verbs]
    return roots + ([_person_menu()] if WHO_IS in commands else [])


def fingerprint(body: list[Json]) -> str:
    """Return a hash that changes exactly when the registered commands would change."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _build_root(room: Room, verbs: Mapping[Path, Command]) -> Json:
    name = ROOTS[room]
    firsts = sorted({path[1] for path in verbs})
    if len(firsts) > MAX_CHILDREN:
        raise DoesNotFitError(f"/{name} has {len(firsts)} verbs, {MAX_CHILDREN} fit")
    root = {
        "type": SLASH,
        "name": name,
        **_describe(_ABOUT[room]),
        "options": [_build_child(first, name, verbs) for first in firsts],
        "contexts": [SERVERS, OUR_MESSAGES],
        "integration_types": [0],
        **({"default_member_permissions": HIDDEN[room]} if room in HIDDEN else {}),
    }
    if _count_letters(root) > MAX_LETTERS:
        raise DoesNotFitError(f"/{name} has {_count_letters(root)} letters, {MAX_LETTERS} fit")
    return root


def _count_letters(thing: Json) -> int:
    """Count characters as Discord does: of several languages, the longest text counts."""
    own = sum(
        max(map(len, (thing.get(key, ""), *thing.get(f"{key}_localizations", {}).values())))
        for key in ("name", "description")
    )
    inside = [*thing.get("options", ()), *thing.get("choices", ())]
    return own + len(str(thing.get("value", ""))) + sum(map(_count_letters, inside))


def _person_menu() -> Json:
    names = {
        where: shorten(translator(lang)(WHO_IS_THIS), MAX_NAME) for where, lang in LOCALES.items()
    }
    return {
        "type": PERSON,
        "name": WHO_IS_THIS,
        "name_localizations": {k: v for k, v in names.items() if v != WHO_IS_THIS},
        "contexts": [SERVERS],
        "integration_types": [0],
    }


# --- one verb ---------------------------------------------------------------------------------


def _build_child(first: str, root: str, verbs: Mapping[Path, Command]) -> Json:
    """Return a subcommand, or a group of them when several verbs begin with the same word."""
    group = {path: command for path, command in verbs.items() if path[1] == first}
    if set(group) == {(root, first)}:
        return _subcommand(first, group[root, first])
    if len(group) > MAX_CHILDREN:
        raise DoesNotFitError(f"/{root} {first} has {len(group)} subcommands, {MAX_CHILDREN} fit")
    return {
        "type": GROUP,
        "name": _check_name(first),
        **_describe(next(iter(group.values())).summary),
        "options": [_subcommand(path[2], command) for path, command in group.items()],
    }


def _subcommand(name: str, command: Command) -> Json:
    if len(command.arguments) > MAX_CHILDREN:
        raise DoesNotFitError(f"/wwc {command.name} has more than {MAX_CHILDREN} fields")
    options = sorted(map(_option, command.arguments), key=lambda option: not option["required"])
    return {
        "type": SUBCOMMAND,
        "name": _check_name(name),
        **_describe(command.summary),
        "options": options,
    }


def _check_name(name: str) -> str:
    if not _NAME.fullmatch(name) or name != name.lower():
        raise DoesNotFitError(f"«{name}» cannot be the name of a Discord command or option")
    return name


def _describe(sentence: str) -> Json:
    """Return the description in English and in each language it is translated to."""
    said = _shorten(sentence)
    others = {where: _shorten(translator(lang)(sentence)) for where, lang in LOCALES.items()}
    return {
        "description": said,
        "description_localizations": {k: v for k, v in others.items() if v != said},
    }


def _shorten(sentence: str) -> str:
    return shorten(one_line(sentence), MAX_TEXT) or "…"


def _option(argument: Argument) -> Json:
    """Return the option for an argument.

    A paragraph is never required here: without it the form opens, which has room for it.
    """
    return {
        "type": INTEGER if argument.kind == "integer" else STRING,
        "name": _check_name(argument.spelling),
        **_describe(argument.hint or argument.label),
        "required": argument.required and not argument.long,
        **_limits(argument),
    }


def _limits(argument: Argument) -> Json:
    if _has_choices(argument):
        return {"choices": [_choice(option) for option in argument.options]}
    if argument.kind == "integer":
        return {}
    helped = {"autocomplete": True} if argument.suggests or argument.options else {}
    if argument.many or argument.options:
        return helped
    least, most = max(argument.shortest, 0), min(argument.longest, MAX_VALUE)
    return helped | ({"min_length": least} if least else {}) | {"max_length": max(most, 1)}


def _has_choices(argument: Argument) -> bool:
    return 0 < len(argument.options) <= MAX_CHILDREN and not argument.many


def _choice(option: Option) -> Json:
    said = _shorten(option.label)
    others = {where: _shorten(translator(lang)(option.label)) for where, lang in LOCALES.items()}
    return {
        "name": said,
        "name_localizations": {k: v for k, v in others.items() if v != said},
        "value": option.value,
    }


# --- what people enter ------------------------------------------------------------------------


def parse_command(data: Mapping[str, Any], names: CommandNames) -> tuple[str, Values]:
    """Return the words and values of a slash command, or of the menu entry on a person."""
    if data.get("type") == PERSON:
        return f"{WHO_IS} <@{data.get('target_id', '')}>", {}
    path, options = _split_path(data)
    command = _verb_at(path, names)
    if command is None:
        return " ".join(path[1:]), {}
    known = {argument.spelling: argument for argument in command.arguments}
    return command.name, {
        known[option["name"]].name: _parse_option_value(
            known[option["name"]], option.get("value", "")
        )
        for option in options
        if option["name"] in known
    }


def _split_path(data: Mapping[str, Any]) -> tuple[Path, Sequence[Mapping[str, Any]]]:
    path = [str(data.get("name", ""))]
    options = data.get("options") or ()
    while options and options[0]["type"] in (SUBCOMMAND, GROUP):
        path.append(str(options[0]["name"]))
        options = options[0].get("options") or ()
    return tuple(path), options


def _verb_at(path: Path, names: CommandNames) -> Command | None:
    """Return the verb of a path; an outdated path is matched by its words."""
    if path in names.verbs:
        return names.commands[names.verbs[path]]
    found = find_command(names.commands, " ".join(path[1:]))
    return found[0] if found else None


def _parse_option_value(argument: Argument, value: object) -> tuple[str, ...]:
    said = ("yes" if value else "no") if isinstance(value, bool) else read_command(str(value))
    return split_values(argument, (normalize_mentions(said),))


def normalize_mentions(text: str) -> str:
    """Write every mention of a person the same way: `<@!1>` becomes `<@1>`."""
    return _MENTION.sub(r"<@\1>", text)


def find_focused_field(
    data: Mapping[str, Any], names: CommandNames
) -> tuple[Command, Argument, str] | None:
    """Return the verb, the argument that is being typed, and its text so far; None if unknown."""
    path, options = _split_path(data)
    command = _verb_at(path, names)
    option = next((o for o in options if o.get("focused")), None)
    if command is None or option is None:
        return None
    for argument in command.arguments:
        if argument.spelling == option["name"]:
            return command, argument, str(option.get("value", ""))
    return None


def list_matching_options(argument: Argument, typed: str, t: Translator) -> Iterator[Option]:
    """Yield the options that contain the typed text.

    Where an argument takes several values, only the last one typed is completed.
    """
    before, comma, last = typed.rpartition(",") if argument.many else ("", "", typed)
    wanted = fold_text(last.strip())
    kept = f"{before}{comma} " if comma else ""
    for option in argument.options:
        label = t(option.label)
        if wanted in fold_text(label) or wanted in fold_text(option.value):
            yield Option(kept + label, kept + option.value)
