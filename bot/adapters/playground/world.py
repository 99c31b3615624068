"""The people, workspaces and conversations of the playground, kept in memory."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from heapq import merge
from itertools import count
from typing import Any, Protocol

from bot.cards import Card, Form, Option, Reply, plain
from bot.i18n import Translator
from bot.parsing import Argument
from bot.request import HandledMessage, IncomingMessage, Request, Sender

GENERAL = "general"
BOT = "bot"
MAX_MESSAGES = 200
"""Messages kept per conversation, and per person for those that only that person sees."""
MAX_TEXT, MAX_QUOTE = 4_000, 80


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace of a platform, shown as one pane of the page."""

    key: str
    platform: str
    name: str


@dataclass(frozen=True, slots=True)
class Persona:
    """An invented person whom a visitor may act as. `workspace`: where this person is at home."""

    key: str
    name: str
    city: str = ""
    workspace: str = ""
    language: str = "en"
    staff: bool = False
    zone: str = ""


class Renderer(Protocol):
    """Renders replies as a platform does; `t` translates the few words the platform adds itself."""

    def message(self, card: Card, t: Translator, /) -> Mapping[str, Any]:
        """Return the body of a message."""

    def form(self, form: Form, t: Translator, /) -> Mapping[str, Any]:
        """Return the body of a modal, or of its first step where one cannot hold all fields."""

    def name_commands(self, text: str, /) -> str:
        """Return the text with each command replaced by its name on the platform."""

    def read_command(self, text: str, /) -> str:
        """Return typed text with the platform's name of a command replaced by the hub's."""


class Verb(Protocol):
    """The part of a command that completion needs."""

    @property
    def name(self) -> str: ...
    @property
    def summary(self) -> str: ...
    @property
    def arguments(self) -> tuple[Argument, ...]: ...
    @property
    def is_staff_only(self) -> bool: ...


class PlaygroundHub(Protocol):
    """The part of the hub that the playground uses."""

    @property
    def commands(self) -> Mapping[str, Verb]: ...
    async def __call__(self, request: Request) -> Reply: ...
    async def suggest(
        self, request: Request, verb: str, field: str, typed: str
    ) -> tuple[Option, ...]: ...
    async def handle_message(self, message: IncomingMessage) -> HandledMessage | None: ...
    async def language(self, sender: Sender) -> str: ...


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation: what somebody wrote, or what the hub answered.

    `visible_to`: the only person who sees it, "" if everybody does. `command_text`: the command
    it answers. `command_author`: who gave that. `under`: the first words of the message it
    replies to. `marker`: what a delivery is found by. `version`: `number`, or the number of the
    latest change. `is_removed`: it was deleted. `receipt`: the line that
    says to its author that it was passed on.
    """

    number: int
    workspace: str
    channel: str
    author: str
    at: datetime
    text: str
    visible_to: str = ""
    command_text: str = ""
    command_author: str = ""
    card: Card | None = None
    payload: Mapping[str, Any] | None = None
    under: str = ""
    marker: str = ""
    version: int = 0
    is_edited: bool = False
    is_removed: bool = False
    receipt: str = ""

    @property
    def is_changed(self) -> bool:
        """Return whether anything of the message changed after it was posted."""
        return self.version > self.number

    def is_visible_to(self, person: str) -> bool:
        """Return whether this person sees the message."""
        return self.visible_to in ("", person) and may_enter(self.channel, person)


def conversation_key(*members: str) -> str:
    """Return the key of the conversation of people, or of people and the bot."""
    return "dm:" + "|".join(sorted(members))


def members_of(channel: str) -> list[str]:
    """Return the keys of a conversation's members; none for a channel, which is open to all."""
    return channel[3:].split("|") if channel.startswith("dm:") else []


def may_enter(channel: str, person: str) -> bool:
    """Return whether the person may read it; direct messages are for their members only."""
    return not channel.startswith("dm:") or person in members_of(channel)


def is_gathering(channel: str) -> bool:
    """Return whether it is a conversation of more than two."""
    return len(members_of(channel)) > 2


class Conversations:
    """The messages of each conversation, newest last, never more than `MAX_MESSAGES` of each."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        # Numbers keep rising when the program restarts while pages are open.
        self._numbers = count(int(clock().timestamp() * 1000))
        self._messages: dict[tuple[str, str, str], deque[Message]] = {}

    def add(self, workspace: str, channel: str, author: str, text: str, **more: Any) -> Message:
        """Store a new message and return it."""
        number = next(self._numbers)
        message = Message(
            number, workspace, channel, author, self._clock(), text, version=number, **more
        )
        place = (workspace, channel, message.visible_to)
        self._messages.setdefault(place, deque(maxlen=MAX_MESSAGES)).append(message)
        return message

    def list_messages(self, workspace: str, channel: str, person: str) -> list[Message]:
        """Return the messages that a person sees in a conversation, newest last."""
        seen = [self._messages.get((workspace, channel, only), ()) for only in ("", person)]
        here = merge(*seen, key=lambda message: message.number)
        return [message for message in here if not message.is_removed][-MAX_MESSAGES:]

    def find(self, workspace: str, wanted: Callable[[Message], bool]) -> Message | None:
        """Return the newest message of a workspace for which `wanted` is true, or None."""
        kept = (m for (w, _, _), some in self._messages.items() if w == workspace for m in some)
        found = [m for m in kept if wanted(m) and not m.is_removed]
        return max(found, key=lambda message: message.number, default=None)

    def change(self, message: Message, **facts: Any) -> Message:
        """Store a changed message and return it.

        It has a new version, so that pages that missed the change get it later.
        """
        is_edited = message.is_edited or facts.keys() != {"receipt"}
        version = next(self._numbers)
        changed = replace(message, version=version, is_edited=is_edited, **facts)
        kept = self._messages[message.workspace, message.channel, message.visible_to]
        kept[kept.index(message)] = changed
        return changed

    def list_since(self, number: int, people: Iterable[str]) -> list[Message]:
        """Return messages posted or changed after this version that any of the people sees."""
        wanted = set(people)
        newer = (m for kept in self._messages.values() for m in kept if m.version > number)
        return sorted(
            (m for m in newer if any(m.is_visible_to(p) for p in wanted)), key=lambda m: m.version
        )

    def channels(self, workspace: str) -> list[str]:
        """Return the public channels of a workspace: #general, and all that have messages."""
        spoken = {c for w, c, _ in self._messages if w == workspace and not c.startswith("dm:")}
        return [GENERAL, *sorted(spoken - {GENERAL})]

    def partners(self, workspace: str, person: str) -> set[str]:
        """Return the people with whom this person has a conversation of two."""
        spoken = [c for c in self._direct_channels(workspace, person) if not is_gathering(c)]
        return {key for channel in spoken for key in members_of(channel)} - {BOT}

    def gatherings(self, workspace: str, person: str) -> list[str]:
        """Return the group conversations that this person is in."""
        return sorted(filter(is_gathering, self._direct_channels(workspace, person)))

    def _direct_channels(self, workspace: str, person: str) -> set[str]:
        spoken = {c for w, c, _ in self._messages if w == workspace and c.startswith("dm:")}
        return {channel for channel in spoken if may_enter(channel, person)}

    def dismiss(self, workspace: str, channel: str, person: str, number: int) -> None:
        """Delete a message that only this person saw."""
        kept = self._messages.get((workspace, channel, person), deque())
        for message in [m for m in kept if m.number == number]:
            kept.remove(message)


def quote_line(message: Message) -> str:
    """Return the first words of a message, for the line above a reply to it."""
    lines = (plain(message.card) if message.card else message.text).strip().splitlines()
    first = lines[0] if lines else ""
    return first if len(first) <= MAX_QUOTE else f"{first[:MAX_QUOTE].rstrip()}…"


def tidy(text: str) -> str:
    """Return text that can be encoded: JSON may carry halves of characters."""
    return text.encode("utf-8", "replace").decode("utf-8")
