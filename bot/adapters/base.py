"""The protocols every adapter implements, the types they share, and the answer deadline."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable
from weakref import WeakValueDictionary

from bot.cards import Reply

Answer = TypeVar("Answer")

ANSWER_TIMEOUT = 2.0
"""Seconds until an adapter answers «One moment…»; Slack and Discord give up after three."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a message goes: a channel, or a person's direct messages when `channel` is empty.

    `workspace`, `user` and `channel` are the platform's own ids. `user` may hold several ids,
    separated by commas: one group conversation of these people with the bot, where the platform
    has such conversations. `thread` is the id of the message that the new one replies to.
    """

    platform: str
    workspace: str
    user: str = ""
    channel: str = ""
    thread: str = ""


@dataclass(frozen=True, slots=True)
class PostedMessage:
    """A delivered message: its id on the platform, and the id of the channel that holds it."""

    id: str
    channel: str = ""


@dataclass
class DeliveryError(Exception):
    """A platform did not accept a message.

    `reason`: the platform's error code or the name of an exception, never any text of a message.
    `certain`: the message did not arrive. If False, it may have arrived, and only `find` can tell.
    `final`: trying again is useless. With the scope «workspace», the hub may no longer post in the
    whole workspace (its token was revoked, for example), so the message itself is not at fault.
    `dm_closed`: final, because this person accepts no direct messages from the hub there.
    `wait`: the seconds the platform asks to wait, 0 if it does not. `scope` says what has to wait:
    posts to this one place, everything in the workspace, or everything on the platform.
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
    """A file opened on a platform: `size` is in bytes, `chunks` yields the content."""

    name: str
    size: int
    chunks: AsyncIterator[bytes]


class SearchInconclusiveError(Exception):
    """A search could not find out whether a message was posted."""


class Adapter(Protocol):
    """The connection to one platform, through which members reach the hub."""

    platform: str

    def is_ready(self) -> bool:
        """Return whether events of the platform can arrive now."""

    async def listen(self) -> None:
        """Receive and answer events of the platform until cancelled."""


@runtime_checkable
class DeliveryAdapter(Protocol):
    """What the delivery worker needs of an adapter.

    `post`, `edit`, `remove` and `find` raise `DeliveryError`, and nothing else on purpose, except
    for what `find` says. `marker` is a signed word of up to 25 characters that the message carries
    invisibly, so that it can be found again. Where a platform drops duplicates by itself, a second
    post with the same marker is dropped.
    """

    def serves(self, platform: str, workspace: str) -> bool:
        """Return whether this adapter delivers to the workspace."""

    async def post(
        self, place: Destination, reply: Reply, language: str, marker: str
    ) -> PostedMessage:
        """Post one message; `language` is that of the words the adapter itself adds."""

    async def edit(
        self, place: Destination, posted: PostedMessage, reply: Reply, language: str
    ) -> None:
        """Replace the content of a message that the hub posted."""

    async def remove(self, place: Destination, posted: PostedMessage) -> None:
        """Delete a message that the hub posted; do nothing if it is already deleted."""

    async def find(self, place: Destination, marker: str, since: datetime) -> PostedMessage | None:
        """Find the message with this marker posted after `since`; None only if surely absent.

        Returns None if it is certain that there is none. Raises `SearchInconclusiveError` where
        the place cannot be read, or cannot be read yet.
        """

    def deduplication_seconds(self) -> float:
        """Return the seconds within which the platform drops a second post of the same marker."""

    def post_interval(self) -> float:
        """Return the seconds to leave between two posts to one place.

        0 where the platform itself says when its limit is reached.
        """


class ChannelLocks:
    """One lock per channel, so that the events of a channel are handled in order of arrival."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def lock_for(self, place: str) -> asyncio.Lock:
        """Return the lock of a channel, to be held while one of its events is handled.

        Waiting tasks acquire it in the order in which they asked. Unused locks are dropped.
        """
        lock = self._locks.get(place) or asyncio.Lock()
        self._locks[place] = lock
        return lock


async def wait_briefly(
    work: Coroutine[Any, Any, Answer], seconds: float = ANSWER_TIMEOUT
) -> tuple[Answer | None, Awaitable[Answer]]:
    """Wait for work at most `seconds`; return its result or None, and its task.

    Work that takes longer is not cancelled: the caller awaits the task or keeps it. Raises what
    the work raised in time.
    """
    task = asyncio.ensure_future(work)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    return (task.result() if done else None), task


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of the doctor: `name` says what was checked, `status` what was found.

    A fault has a `fix` that says exactly what to do. Neither text holds a secret.
    """

    name: str
    status: str
    fix: str = ""

    @property
    def is_fault(self) -> bool:
        """Return whether the operator has something to fix."""
        return bool(self.fix)
