"""Map the hub's verbs to their paths among Discord's commands, and back: pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any, TypeVar

from bot.cards import SLASH, Button, Card, Form, Input, Link, Option
from bot.commands import Command, Room, load_commands
from bot.domain.typography import DASHES

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
"""The root command of each room, in the order in which they are registered."""

DEFAULT_SUBCOMMANDS = ("start", "show", "main")
"""Second words, tried in order, for a verb that begins others too: `/wwc intro start`."""

MENU = "menu"
"""The word for a verb that has the name of its own root: `/wwc-admin menu`."""

_ROOM_OF = {root: room for room, root in ROOTS.items()}
_ROOT = re.compile(
    rf"\s*/?({'|'.join(sorted(ROOTS.values(), key=len, reverse=True))})(?!\S)\s*", re.IGNORECASE
)
_UNCHANGED = {
    (Button, "command"),
    (Option, "value"),
    (Input, "value"),
    (Input, "name"),
    (Link, "address"),
    (Form, "command"),
}
"""Fields that are not renamed: commands sent to the hub, typed values, addresses."""

CardOrForm = TypeVar("CardOrForm", Card, Form)


class DoesNotFitError(ValueError):
    """Raised when the declared verbs exceed what Discord's commands can hold."""


class CommandNames:
    """The path of each verb in `commands` (`paths`), and the verb of each path (`verbs`).

    Raises `DoesNotFitError` where two verbs have the same path.
    """

    def __init__(self, commands: Mapping[str, Command]) -> None:
        self.commands = commands
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
        # The pattern has every verb, so that a longer one is never taken for a shorter one.
        self._named = _any_of(self.paths, rf"(?<![\w<]){SLASH} ")
        self._read = _any_of(map(_join_words, renamed.values()), r"\A\s*/?wwc", re.IGNORECASE)
        self._verb_of = {_join_words(path): name for name, path in renamed.items()}

    def name_commands(self, text: str) -> str:
        """Return the text with each `/wwc VERB` replaced by its name on Discord."""
        if SLASH not in text:
            return text
        return self._named.sub(lambda found: f"/{' '.join(self.paths[found[1]])}", text)

    def read_command(self, text: str) -> str:
        """Return the text with a leading Discord name replaced by `/wwc VERB`.

        Other text is returned as it is. A partly typed name keeps what follows its root.
        """
        plain = text.translate(DASHES)  # character by character, so that places stay the same
        whole = self._read.match(plain)
        if whole:
            return f"{SLASH} {self._verb_of[whole[1].lower()]}{text[whole.end() :]}"
        root = _ROOT.match(plain)
        if root is None or root[1].lower() == ROOTS["daily"]:
            return text
        room = _ROOM_OF[root[1].lower()]
        said = any(name.startswith(f"{room} ") for name in self.paths)
        return f"{SLASH} {f'{room} ' if said else ''}{text[root.end() :]}"


@cache
def all_names() -> CommandNames:
    """Return the Discord names of all verbs that the hub declares."""
    return CommandNames(load_commands())


def read_command(text: str) -> str:
    """Return the typed text with a leading Discord name replaced by the hub's name for it."""
    return all_names().read_command(text)


def name_commands(text: str) -> str:
    """Return the text with each command of the hub replaced by its name on Discord."""
    return all_names().name_commands(text)


def name_reply(reply: CardOrForm) -> CardOrForm:
    """Return the card or form with each command in its texts as it is named on Discord."""
    renamed: CardOrForm = _rename(reply, all_names())
    return renamed


def _rename(thing: Any, names: CommandNames) -> Any:
    """Return a copy with renamed texts, or the thing itself where nothing changes."""
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
    """Return the words below the root; a first word that the root's name repeats is dropped."""
    first, _, rest = name.partition(" ")
    if first == room:
        return (rest or MENU,)
    return (first, rest) if rest else (first,)


def _full_name(
    said: Path, room: Room, words: Mapping[str, Path], commands: Mapping[str, Command]
) -> Path:
    """Return the words below the root; a verb that begins others too gets a second word."""
    same = [w for name, w in words.items() if commands[name].room == room and w[0] == said[0]]
    taken = {other[1] for other in same if len(other) > 1}
    if len(said) > 1 or not taken:
        return said
    return (*said, next(word for word in DEFAULT_SUBCOMMANDS if word not in taken))


def _join_words(path: Path) -> str:
    """Return the path as it is typed after `/wwc`: "-me my-data" or " intro start"."""
    root, *rest = path
    return f"{root.removeprefix('wwc')} {' '.join(rest)}"


def _any_of(texts: Iterable[str], before: str, flags: int = 0) -> re.Pattern[str]:
    """Compile a pattern for any of the texts, longest first, as whole words after `before`."""
    ordered = sorted(texts, key=len, reverse=True)
    spelled = "|".join(map(re.escape, ordered)) or "(?!)"
    return re.compile(rf"{before}({spelled})(?![\w-])", flags)
