"""What the hub's verbs are called on Discord, where each stands under a root, and back: pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any, TypeVar

from bot.cards import SLASH, Button, Card, Form, Input, Link, Option
from bot.commands import Command, Room, load_commands

Path = tuple[str, ...]
"""A root, then one or two words: ("wwc", "intro", "list")."""

ROOTS: Mapping[Room, str] = {
    "daily": "wwc",
    "me": "wwc-me",
    "events": "wwc-events",
    "groups": "wwc-groups",
    "library": "wwc-library",
    "standing": "wwc-standing",
    "admin": "wwc-admin",
}
"""The slash commands in the order in which they are registered."""

DEFAULT_SUBCOMMANDS = ("start", "show", "main")
"""How a verb is called that is also the first word of others: `/wwc intro start`."""

_ROOM_OF = {root: room for room, root in ROOTS.items()}
_ROOT = re.compile(rf"\s*/?({'|'.join(sorted(ROOTS.values(), key=len, reverse=True))})(?!\S)\s*")
_UNCHANGED = {
    (Button, "command"), (Option, "value"), (Input, "value"), (Input, "name"), (Link, "address"),
    (Form, "command"),
}  # fmt: skip
"""Fields that hold what is said to the hub, or what somebody typed."""

Given = TypeVar("Given", Card, Form)


class DoesNotFitError(ValueError):
    """The declarations ask for more than Discord's commands can hold."""


class CommandNames:
    """The path of each verb, and the verb of each path.

    Raises `DoesNotFitError` where two verbs have the same path.
    """

    def __init__(self, commands: Mapping[str, Command]) -> None:
        words = {name: _words(name, command.room) for name, command in commands.items()}
        self.paths = {
            name: (
                ROOTS[commands[name].room],
                *_full_name(said, commands[name].room, words, commands),
            )
            for name, said in words.items()
        }
        for path, count in Counter(self.paths.values()).items():
            if count > 1:
                raise DoesNotFitError(f"/{' '.join(path)} is the name of {count} verbs")
        self.verbs = {path: name for name, path in self.paths.items()}
        renamed = {n: p for n, p in self.paths.items() if p != (ROOTS["daily"], *n.split())}
        # Every verb takes part, so that a longer one is never taken for a shorter one.
        self._named = _any_of(self.paths, rf"(?<![\w<]){SLASH} ")
        self._read = _any_of(map(_join_words, renamed.values()), r"\A\s*/?wwc")
        self._verb_of = {_join_words(path): name for name, path in renamed.items()}

    def name_commands(self, text: str) -> str:
        """The text with each `/wwc VERB` in it as it is called on Discord."""
        if SLASH not in text:
            return text
        return self._named.sub(lambda found: f"/{' '.join(self.paths[found[1]])}", text)

    def read_command(self, text: str) -> str:
        """The text with the Discord name it begins with as `/wwc VERB`; any other as it is.

        A name that is typed in part keeps what follows its root.
        """
        whole = self._read.match(text)
        if whole:
            return f"{SLASH} {self._verb_of[whole[1]]}{text[whole.end() :]}"
        root = _ROOT.match(text)
        if root is None or root[1] == ROOTS["daily"]:
            return text
        room = _ROOM_OF[root[1]]
        said = any(name.startswith(f"{room} ") for name in self.paths)
        return f"{SLASH} {f'{room} ' if said else ''}{text[root.end() :]}"


@cache
def all_names() -> CommandNames:
    """The names of all verbs that the hub declares."""
    return CommandNames(load_commands())


def read_command(text: str) -> str:
    """What somebody typed, with any Discord name it begins with as the hub has it."""
    return all_names().read_command(text)


def name_commands(text: str) -> str:
    """The text with each command of the hub as it is called on Discord."""
    return all_names().name_commands(text)


def name_reply(reply: Given) -> Given:
    """The card or form with each command in its texts as it is called on Discord."""
    renamed: Given = _rename(reply, all_names())
    return renamed


def _rename(thing: Any, names: CommandNames) -> Any:
    """A copy with other texts; the thing itself where nothing in it changes."""
    if isinstance(thing, str):
        return names.name_commands(thing)
    if isinstance(thing, tuple):
        return tuple(_rename(one, names) for one in thing)
    if not is_dataclass(thing) or isinstance(thing, type):
        return thing
    held = {
        one.name: getattr(thing, one.name)
        for one in fields(thing)
        if (type(thing), one.name) not in _UNCHANGED
    }
    renamed = {name: _rename(value, names) for name, value in held.items()}
    changed = {name: value for name, value in renamed.items() if value != held[name]}
    return replace(thing, **changed) if changed else thing


def _words(name: str, room: Room) -> Path:
    """The words below the root, where the word that the root has already is not said again."""
    first, _, rest = name.partition(" ")
    return (rest,) if first == room and rest else (first, rest) if rest else (first,)


def _full_name(
    said: Path, room: Room, words: Mapping[str, Path], commands: Mapping[str, Command]
) -> Path:
    """The same; a verb that is also the first word of others gets a second one."""
    same = [w for name, w in words.items() if commands[name].room == room and w[0] == said[0]]
    taken = {other[1] for other in same if len(other) > 1}
    if len(said) > 1 or not taken:
        return said
    return (*said, next(word for word in DEFAULT_SUBCOMMANDS if word not in taken))


def _join_words(path: Path) -> str:
    """The path as it is typed after `/wwc`: "-me my-data" or " intro start"."""
    root, *rest = path
    return f"{root.removeprefix('wwc')} {' '.join(rest)}"


def _any_of(texts: Iterable[str], before: str) -> re.Pattern[str]:
    """Any of the texts, the longest first, as whole words after what stands before them."""
    ordered = sorted(texts, key=len, reverse=True)
    return re.compile(rf"{before}({'|'.join(map(re.escape, ordered)) or '(?!)'})(?![\w-])")
