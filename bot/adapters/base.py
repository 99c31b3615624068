"""What every adapter has: it listens, it says, and it renders; and the rule of deadlines."""

import asyncio
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from bot.cards import Reply

Answer = TypeVar("Answer")

ANSWER_WITHIN = 2.0
"""Seconds until an adapter tells its platform «one moment»; both platforms give up at three."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message goes: a channel, or a person's direct messages when `channel` is empty."""

    platform: str
    workspace: str
    user: str = ""
    channel: str = ""


class Adapter(Protocol):
    """One platform: `listen` until cancelled, `say` a reply somewhere."""

    platform: str

    def ready(self) -> bool:
        """Can it hear its platform now?"""

    async def listen(self) -> None:
        """Serve the platform until cancelled."""

    async def say(self, place: Place, reply: Reply) -> str:
        """Send one message; returns the platform's id of it."""


async def soon(
    work: Coroutine[Any, Any, Answer], within: float = ANSWER_WITHIN
) -> tuple[Answer | None, Awaitable[Answer]]:
    """The answer if it is there `within` seconds, else None; and the work itself, going on."""
    task = asyncio.ensure_future(work)
    done, _ = await asyncio.wait({task}, timeout=within)
    return (task.result() if done else None), task
