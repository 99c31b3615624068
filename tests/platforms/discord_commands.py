"""What Discord refuses in a list of application commands."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator

from tests.platforms.discord_limits import Json, long_or_empty

CHAT_INPUT, USER, MESSAGE = 1, 2, 3
MOST = {CHAT_INPUT: 100, USER: 15, MESSAGE: 15}
SUBCOMMAND, GROUP, STRING, INTEGER, BOOLEAN, NUMBER = 1, 2, 3, 4, 5, 10
NESTING = frozenset({SUBCOMMAND, GROUP})
WITH_CHOICES = frozenset({STRING, INTEGER, NUMBER})
CHARACTERS = 8000
LOCALES = frozenset(
    re.findall(
        r"\S+",
        "id da de en-GB en-US es-ES es-419 fr hr it lt hu nl no pl pt-BR ro fi sv-SE vi tr cs el "
        "bg ru uk hi th zh-CN ja zh-TW ko",
    )
)


def rules_of_commands(commands: list[Json]) -> list[str]:
    """The written rules for one scope's commands, as sent to the bulk overwrite."""
    found: list[str] = []
    for index, command in enumerate(commands):
        found += _command(str(index), command)
    kinds = Counter(command.get("type") or CHAT_INPUT for command in commands)
    for kind, count in kinds.items():
        if count > MOST.get(kind, 1):
            found.append(f": at most {MOST.get(kind, 1)} commands of type {kind}, has {count}")
    names = Counter((c.get("type") or CHAT_INPUT, c.get("name")) for c in commands)
    found += [f": the name {name!r} is used twice" for (_, name), n in names.items() if n > 1]
    return found


def _command(where: str, command: Json) -> list[str]:
    typed = (command.get("type") or CHAT_INPUT) == CHAT_INPUT
    found = _names(where, command, regex=typed)
    if typed:
        found += _descriptions(where, command) + _options(where, command, depth=0)
    elif command.get("description"):
        found.append(f"{where}.description: only for slash commands")
    size = _letters(command)
    if size > CHARACTERS:
        found.append(f"{where}: at most {CHARACTERS} characters per command, has {size}")
    return found


def _names(where: str, thing: Json, *, regex: bool) -> list[str]:
    found: list[str] = []
    for path, name in _every(where, thing, "name"):
        found += long_or_empty(path, name, 32, 1)
        if regex and not _is_command_name(name):
            found.append(f"{path}: {name!r} does not match the pattern of command names")
    return found + _locale_keys(where, thing, "name")


def _descriptions(where: str, thing: Json) -> list[str]:
    found: list[str] = []
    for path, text in _every(where, thing, "description"):
        found += long_or_empty(path, text, 100, 1)
    return found + _locale_keys(where, thing, "description")


def _every(where: str, thing: Json, key: str) -> Iterator[tuple[str, str]]:
    yield f"{where}.{key}", thing.get(key) or ""
    for locale, text in (thing.get(f"{key}_localizations") or {}).items():
        yield f"{where}.{key}_localizations.{locale}", text


def _locale_keys(where: str, thing: Json, key: str) -> list[str]:
    given = thing.get(f"{key}_localizations") or {}
    return [
        f"{where}.{key}_localizations: unknown locale {one}" for one in given if one not in LOCALES
    ]


def _is_command_name(name: str) -> bool:
    r"""The pattern [-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}], lowercase where lowercase exists."""
    return name == name.lower() and all(_is_name_letter(letter) for letter in name)


def _is_name_letter(letter: str) -> bool:
    if letter in "-_'" or unicodedata.category(letter)[0] in "LN":
        return True
    return unicodedata.name(letter, "").startswith(("DEVANAGARI", "THAI"))


def _options(where: str, parent: Json, depth: int) -> list[str]:
    options = parent.get("options") or []
    found = [] if len(options) <= 25 else [f"{where}.options: at most 25, has {len(options)}"]
    if len({option.get("name") for option in options}) < len(options):
        found.append(f"{where}.options: names must be unique")
    if len({option.get("type") in NESTING for option in options}) > 1:
        found.append(f"{where}.options: subcommands and plain options cannot be mixed")
    needed = [bool(option.get("required")) for option in options]
    if needed != sorted(needed, reverse=True):
        found.append(f"{where}.options: required options must come before optional ones")
    for index, option in enumerate(options):
        found += _option(f"{where}.options.{index}", option, depth)
    return found


def _option(where: str, option: Json, depth: int) -> list[str]:
    found = _names(where, option, regex=True) + _descriptions(where, option)
    kind = option.get("type")
    if kind == GROUP:
        return found + _group(where, option, depth)
    if kind == SUBCOMMAND:
        too_deep = [f"{where}.type: a subcommand cannot hold subcommands"] if depth > 1 else []
        return found + too_deep + _options(where, option, depth=2)
    return found + _value_option(where, option)


def _group(where: str, group: Json, depth: int) -> list[str]:
    found = [f"{where}.type: a group belongs at the top of a command"] if depth else []
    if any(option.get("type") != SUBCOMMAND for option in group.get("options") or []):
        found.append(f"{where}.options: a group holds subcommands only")
    return found + _options(where, group, depth=1)


def _value_option(where: str, option: Json) -> list[str]:
    kind, choices = option.get("type"), option.get("choices") or []
    found = [] if len(choices) <= 25 else [f"{where}.choices: at most 25, has {len(choices)}"]
    if choices and option.get("autocomplete"):
        found.append(f"{where}.autocomplete: excludes choices")
    if (choices or option.get("autocomplete")) and kind not in WITH_CHOICES:
        found.append(f"{where}.choices: not for options of type {kind}")
    if len({choice.get("name") for choice in choices}) < len(choices):
        found.append(f"{where}.choices: names must be unique")
    for index, choice in enumerate(choices):
        found += _choice(f"{where}.choices.{index}", choice, kind)
    return found + _ranges(where, option)


def _choice(where: str, choice: Json, kind: int | None) -> list[str]:
    found = [
        complaint
        for path, name in _every(where, choice, "name")
        for complaint in long_or_empty(path, name, 100, 1)
    ]
    if kind == STRING:
        found += long_or_empty(f"{where}.value", choice.get("value"), 100, 1)
    return found + _locale_keys(where, choice, "name")


def _ranges(where: str, option: Json) -> list[str]:
    found: list[str] = []
    for low, high in (("min_value", "max_value"), ("min_length", "max_length")):
        least, most = option.get(low), option.get(high)
        if least is not None and most is not None and least > most:
            found.append(f"{where}.{low}: greater than {high}")
    return found


def problems_of_choices(choices: list[Json]) -> list[str]:
    """The written rules for the suggestions of an autocomplete answer."""
    found = [] if len(choices) <= 25 else [f"choices: at most 25, has {len(choices)}"]
    for index, choice in enumerate(choices):
        kind = STRING if isinstance(choice.get("value"), str) else INTEGER
        found += _choice(f"choices.{index}", choice, kind)
    return found


def _letters(thing: Json) -> int:
    """Names, descriptions and values; of several languages only the longest one counts."""
    own = sum(
        max((len(text) for _, text in _every("", thing, key)), default=0)
        for key in ("name", "description")
    )
    value = thing.get("value")
    own += len(value) if isinstance(value, str) else 0
    inside = [*(thing.get("options") or []), *(thing.get("choices") or [])]
    return own + sum(_letters(one) for one in inside)
