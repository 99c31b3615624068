"""What every adapter has: it listens, it delivers, and it renders; and the rule of deadlines."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable
from weakref import WeakValueDictionary

from bot.cards import Reply

Answer = TypeVar("Answer")

ANSWER_TIMEOUT = 2.0
"""Seconds until an adapter tells its platform «one moment»; both platforms give up at three."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a message goes: a channel, or a person's direct messages when `channel` is empty.

    `user` may name several people, separated by commas: one conversation of all of them with the
    bot, where the platform has such a thing. `thread`: the message it stands under.
    """

    platform: str
    workspace: str
    user: str = ""
    channel: str = ""
    thread: str = ""


@dataclass(frozen=True, slots=True)
class PostedMessage:
    """A message that is there: the platform's id of it, and the channel it landed in."""

    id: str
    channel: str = ""


@dataclass
class DeliveryError(Exception):
    """A platform did not take a message; `reason` is its own word for it, never any text.

    `certain`: it surely did not arrive; if not, it may have, and only a look at the place tells.
    `final`: asking again is useless; with the scope «workspace»: the hub lost its right to speak
    in the whole workspace (a token that was revoked), which is nobody's message's fault.
    `closed`: final, because this person takes no direct messages from the hub there. `wait`: the
    seconds it asks to wait, and then for what: this one place, everything in the workspace, or
    the whole platform.
    """

    reason: str
    certain: bool = True
    final: bool = False
    wait: float = 0.0
    scope: Literal["place", "workspace", "platform"] = "place"
    dm_closed: bool = False

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file as a platform gives it: its size in bytes, and what is in it piece by piece."""

    name: str
    size: int
    chunks: AsyncIterator[bytes]


class SearchInconclusiveError(Exception):
    """Whether a message is there cannot be seen from here."""


class Adapter(Protocol):
    """One platform: `listen` until cancelled."""

    platform: str

    def is_ready(self) -> bool:
        """Can it hear its platform now?"""

    async def listen(self) -> None:
        """Serve the platform until cancelled."""


@runtime_checkable
class DeliveryAdapter(Protocol):
    """What deliveries need of an adapter. Each may raise `NotSent`, and nothing else on purpose.

    `marker`: a signed word of up to 25 characters that the message carries unseen, so that it can
    be found again; where a platform drops doubles by itself, the same marker is posted once.
    """

    def serves(self, platform: str, workspace: str) -> bool:
        """Does this adapter speak there?"""

    async def post(
        self, place: Destination, reply: Reply, language: str, marker: str
    ) -> PostedMessage:
        """Send one message, its adapter's own words in this language."""

    async def edit(
        self, place: Destination, posted: PostedMessage, reply: Reply, language: str
    ) -> None:
        """Let a message of the hub say something else."""

    async def remove(self, place: Destination, posted: PostedMessage) -> None:
        """Take a message of the hub away; one that is gone already is fine."""

    async def find(self, place: Destination, marker: str, since: datetime) -> PostedMessage | None:
        """The message with this marker, sent after `since`; None if it is surely not there.

        Raises `CannotTell` where the place cannot be read, or not yet.
        """

    def deduplication_seconds(self) -> float:
        """Seconds within which posting the same marker again is safe."""

    def post_interval(self) -> float:
        """Seconds between two posts to one place; 0 where the platform says so when it is full."""


class ChannelLocks:
    """What happens in one place is worked off in the order in which it came."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def lock_for(self, place: str) -> asyncio.Lock:
        """To be held while something of this place is worked on; who asks first, has it first."""
        lock = self._locks.get(place) or asyncio.Lock()
        self._locks[place] = lock
        return lock


async def wait_briefly(
    work: Coroutine[Any, Any, Answer], seconds: float = ANSWER_TIMEOUT
) -> tuple[Answer | None, Awaitable[Answer]]:
    """Wait for work at most `seconds`; return its result or None, and the running task."""
    task = asyncio.ensure_future(work)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    return (task.result() if done else None), task


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. A fault has a `fix`: what exactly to do; no secret is in either text."""

    name: str
    status: str
    fix: str = ""

    @property
    def is_fault(self) -> bool:
        """Is there something to be done?"""
        return bool(self.fix)
