"""Declares commands: each has a model, a handler and a rule about who may run it."""

import importlib
import inspect
import pkgutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any, Literal, TypeVar, get_type_hints

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from bot.cards import Form, Option, Reply
from bot.domain.phrases import Phrases
from bot.domain.typography import fold_word
from bot.forms import build_form
from bot.i18n import Translator
from bot.links import Links
from bot.parsing import Argument, arguments_of
from bot.reference import Reference
from bot.request import HandledMessage, IncomingMessage, Request, Values
from db.members import STAFF_ROLES, Account, Member

NO_PROBLEMS: Mapping[str, str] = MappingProxyType({})
Ask = TypeVar("Ask", bound=BaseModel)

Room = Literal["daily", "me", "events", "groups", "library", "standing", "admin"]
"""The group a command stands in where a platform sorts its commands.

In order: daily use, one's own account and safety, sessions, groups, shared knowledge, comparisons,
and what staff do.
"""


@dataclass(frozen=True, slots=True)
class Allow:
    """Who may run a command: everybody, verified members, or members with one of the roles."""

    name: str
    members_only: bool = True
    roles: frozenset[str] = frozenset()

    def permits(self, member: Member | None) -> bool:
        """Return whether this member may run the command.

        The default is no: None, or a member who is not verified, passes only where everybody may.
        """
        if not self.members_only:
            return True
        if member is None or member.status != "verified":
            return False
        return not self.roles or member.has_role(*self.roles)


ANYONE = Allow("anyone", members_only=False)
MEMBER = Allow("members")
STAFF = Allow("staff", roles=frozenset(STAFF_ROLES))


@dataclass(frozen=True)
class Context:
    """What a handler gets besides its model: the request, its sender, the session and the clock."""

    session: AsyncSession
    request: Request
    account: Account | None
    viewer: Member | None
    now: datetime
    t: Translator
    reference: Reference
    commands: Mapping[str, "Command"]
    links: Links

    @property
    def member(self) -> Member:
        """Return the verified member who asks; only for commands whose `allow` requires one.

        Raises PermissionError if there is none.
        """
        if self.viewer is None:
            raise PermissionError("this command must not be open to anyone")
        return self.viewer

    @property
    def language(self) -> str:
        """Return the code of the reader's language, one of `i18n.LANGUAGES`."""
        return self.t.language


Handler = Callable[[Context, Any], Awaitable[Reply]]


@dataclass(frozen=True)
class Spelled:
    """The spellings of a verb in Spanish, Portuguese and French; «|» stands between two of them."""

    es: str = ""
    pt: str = ""
    fr: str = ""

    def list_words(self, name: str) -> tuple[frozenset[str], ...]:
        """Return for each word of the verb how it may be spelled, the English name included."""
        ways = [way.split(" ") for text in (self.es, self.pt, self.fr) for way in text.split("|")]
        return tuple(
            frozenset(
                spelling
                for way in (name.split(" "), *filter(any, ways))
                for spelling in (fold_word(way[place]), fold_word(way[place]).replace("-", ""))
            )
            for place in range(len(name.split(" ")))
        )


NO_PHRASES = Phrases(())


@dataclass(frozen=True)
class Command:
    """One declared command: its model gives the arguments, the model's docstring the summary.

    `phrases`: how people ask for it in their own words; only commands that read have some.
    """

    name: str
    model: type[BaseModel]
    handle: Handler
    allow: Allow
    writes: bool
    summary: str
    example: str
    arguments: tuple[Argument, ...] = field(default=())
    current_values: "CurrentValues | None" = None
    title: str = ""
    room: Room = "daily"
    spelled: Spelled = Spelled()
    phrases: Phrases = NO_PHRASES

    @cached_property
    def words(self) -> tuple[frozenset[str], ...]:
        """The verb's words, each with all its spellings, folded."""
        return self.spelled.list_words(self.name)

    @property
    def is_staff_only(self) -> bool:
        """Return whether only staff may run it."""
        return bool(self.allow.roles)

    def form(
        self, t: Translator, values: Values, problems: Mapping[str, str] = NO_PROBLEMS
    ) -> Form:
        """Return the command's form, filled with `values`, with `problems` beside their fields.

        A form that edits what exists has the button «Save», the others «Go».
        """
        form = build_form(
            self.name, self.title or self.summary, self.arguments, t, values, problems
        )
        return replace(form, submit=t("Save")) if self.current_values else form


CommandMatch = tuple[Command, str] | None
"""The command that words begin with, and the rest of the words; None if there is none."""

CurrentValues = Callable[[Context], Awaitable[Mapping[str, tuple[str, ...]]]]
"""Returns what an edit form shows before anybody typed a word: values by field name."""

COMMANDS: dict[str, Command] = {}
Completion = Callable[[Context, str], Awaitable[Sequence[Option]]]
COMPLETIONS: dict[str, Completion] = {}
Recognizer = Callable[[Context, str], Awaitable[float]]
RECOGNIZERS: dict[str, Recognizer] = {}


def command(
    name: str,
    *,
    allow: Allow,
    room: Room,
    writes: bool = False,
    example: str = "",
    current_values: CurrentValues | None = None,
    title: str = "",
    spelled: Spelled = Spelled(),
    phrases: Phrases = NO_PHRASES,
) -> Callable[[Callable[[Context, Ask], Awaitable[Reply]]], Callable[..., Awaitable[Reply]]]:
    """Declare a command. `allow` must be given; `writes` takes the database's write lock first.

    `room` says where it stands on a platform that sorts its commands; only this argument changes
    it. `current_values` returns the values of an edit form as they stand: a form that opens because
    one word did not fit shows the others too, so that submitting it never empties them. `title`
    names the form; without it the summary does. `spelled` and `phrases` say how else people call
    it. Raises TypeError if the model has no docstring, the name is taken, or a command that writes
    has phrases: nothing that writes is run by interpretation.
    """

    def declare(
        handle: Callable[[Context, Ask], Awaitable[Reply]],
    ) -> Callable[[Context, Ask], Awaitable[Reply]]:
        model = get_type_hints(handle)["ask"]
        summary = inspect.cleandoc(model.__doc__ or "")
        if name in COMMANDS or not summary:
            raise TypeError(f"«{name}» needs a docstring and a name of its own")
        if not isinstance(allow, Allow):
            raise TypeError(f"«{name}» must say who may run it")
        if writes and phrases.ways:
            raise TypeError(f"«{name}» writes, so only its verb may run it")
        COMMANDS[name] = Command(
            name=name,
            model=model,
            handle=handle,
            allow=allow,
            writes=writes,
            summary=summary,
            example=example,
            arguments=arguments_of(model),
            current_values=current_values,
            title=title,
            room=room,
            spelled=spelled,
            phrases=phrases,
        )
        return handle

    return declare


def completion(name: str) -> Callable[[Completion], Completion]:
    """Declare the completion of fields marked `Suggestions(name)`. For verified members only."""

    def declare(suggest: Completion) -> Completion:
        COMPLETIONS[name] = suggest
        return suggest

    return declare


def recognizes(verb: str) -> Callable[[Recognizer], Recognizer]:
    """Declare what says how likely words without a verb are for this command, from 0 to 100.

    It is asked only where the command reads and the sender may run it.
    """

    def declare(recognize: Recognizer) -> Recognizer:
        RECOGNIZERS[verb] = recognize
        return recognize

    return declare


@dataclass(frozen=True)
class MessageContext:
    """What a listener gets besides the message. `session` is in the transaction that writes."""

    session: AsyncSession
    now: datetime
    commands: Mapping[str, Command]
    links: Links


@dataclass(frozen=True)
class Listener:
    """A reader of direct messages, declared with `@hears`."""

    may_concern: Callable[[AsyncSession, IncomingMessage], Awaitable[bool]]
    handle: Callable[[MessageContext, IncomingMessage], Awaitable[HandledMessage | None]]


LISTENERS: list[Listener] = []
HandleMessage = TypeVar("HandleMessage", bound=Callable[..., Awaitable[HandledMessage | None]])


def hears(
    *, may_concern: Callable[[AsyncSession, IncomingMessage], Awaitable[bool]]
) -> Callable[[HandleMessage], HandleMessage]:
    """Declare a listener: it handles a direct message, or returns None to leave it to others.

    `may_concern` is one cheap query in a transaction that only reads; where every listener returns
    False, nothing is written. The others are called in the order of module and line, in one
    transaction that writes, until one handles the message; that one records `IncomingMessage.keys`.
    """

    def declare(handle: HandleMessage) -> HandleMessage:
        LISTENERS.append(Listener(may_concern, handle))
        return handle

    return declare


def load_commands() -> Mapping[str, Command]:
    """Import every module that declares commands or listeners; return the commands in order.

    Commands and `LISTENERS` stand in the order of module and line, whatever was imported first.
    """
    import_modules("bot.handlers")
    import_modules("bot.community")
    LISTENERS.sort(key=lambda listener: declaration_order(listener.handle))
    return dict(sorted(COMMANDS.items(), key=lambda named: declaration_order(named[1].handle)))


@cache
def import_modules(package: str) -> None:
    """Import every module of a package, once: importing one registers what it declares."""
    folder = importlib.import_module(package).__path__
    for module in pkgutil.walk_packages(folder, f"{package}."):
        importlib.import_module(module.name)


def declaration_order(declared: Callable[..., Any]) -> tuple[str, int]:
    """Return the module and the line where a function is declared."""
    return declared.__module__, declared.__code__.co_firstlineno
