"""A small platform in memory, as deliveries meet one: it keeps posts, drops doubles, and fails."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.adapters.base import DeliveryError, Destination, PostedMessage, SearchInconclusiveError
from bot.cards import Card, Reply, plain

Fault = Callable[[Destination], Exception | None]


@dataclass
class Post:
    """One message as people see it."""

    place: Destination
    text: str
    language: str
    marker: str
    at: datetime
    removed: bool = False


@dataclass
class Platform:
    """Speaks as `name` in every workspace whose name does not begin with «other».

    `drops`: seconds in which it posts one marker once. `lag`: seconds until a post can be found.
    `before` may raise instead of posting, `after` when it is posted already. `reads`: can places
    be read at all?
    """

    clock: Callable[[], datetime]
    name: str = "slack"
    drops: float = 0.0
    claims_to_drop: float | None = None
    gap: float = 0.0
    lag: float = 0.0
    takes: float = 0.0
    reads: bool = True
    before: Fault = lambda place: None
    after: Fault = lambda place: None
    blind: Fault = lambda place: None
    posts: list[Post] = field(default_factory=list)
    calls: list[tuple[datetime, Destination]] = field(default_factory=list)
    call_event: asyncio.Event = field(default_factory=asyncio.Event)
    looks: int = 0

    def serves(self, platform: str, workspace: str) -> bool:
        return platform == self.name and not workspace.startswith("other")

    async def post(
        self, place: Destination, reply: Reply, language: str, marker: str
    ) -> PostedMessage:
        self.calls.append((self.clock(), place))
        self.call_event.set()
        await asyncio.sleep(self.takes)
        if error := self.before(place):
            raise error
        number = self._find_post(marker)
        if number is None:
            assert isinstance(reply, Card)
            self.posts.append(Post(place, plain(reply), language, marker, self.clock()))
            number = len(self.posts)
        if error := self.after(place):
            raise error
        return PostedMessage(str(number), place.channel or f"D{place.user}")

    def _find_post(self, marker: str) -> int | None:
        since = self.clock() - timedelta(seconds=self.drops)
        for number, one in enumerate(self.posts, 1):
            if self.drops and one.marker == marker and one.at >= since:
                return number
        return None

    async def edit(
        self, place: Destination, posted: PostedMessage, reply: Reply, language: str
    ) -> None:
        self.calls.append((self.clock(), place))
        if error := self.before(place):
            raise error
        assert isinstance(reply, Card)
        self.posts[int(posted.id) - 1].text = plain(reply)
        if error := self.after(place):
            raise error

    async def remove(self, place: Destination, posted: PostedMessage) -> None:
        self.posts[int(posted.id) - 1].removed = True

    async def find(self, place: Destination, marker: str, since: datetime) -> PostedMessage | None:
        self.looks += 1
        if error := self.blind(place):
            raise error
        if not self.reads:
            raise SearchInconclusiveError
        seen = self.clock() - timedelta(seconds=self.lag)
        for number, one in enumerate(self.posts, 1):
            if one.marker == marker and since <= one.at <= seen:
                return PostedMessage(str(number), place.channel)
        return None

    def deduplication_seconds(self) -> float:
        return self.drops if self.claims_to_drop is None else self.claims_to_drop

    def post_interval(self) -> float:
        return self.gap

    def texts(self) -> list[str]:
        """What stands there, in the order in which it came."""
        return [one.text.splitlines()[0] for one in self.posts if not one.removed]

    def list_duplicates(self) -> set[str]:
        """Markers of what stands there twice."""
        markers = [one.marker for one in self.posts]
        return {m for m in markers if markers.count(m) > 1}


def fail_times(times: int, error: Exception) -> Fault:
    """So many times, then never again."""
    left = [times]

    def fault(place: Destination) -> Exception | None:
        left[0] -= 1
        return error if left[0] >= 0 else None

    return fault


def timeout_error() -> DeliveryError:
    """Nobody saw how it ended."""
    return DeliveryError("timeout", certain=False)
