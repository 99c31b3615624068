"""What exists on the loopback Discord: people, servers, channels, messages, interactions."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.platforms import PATIENCE
from tests.platforms.discord_limits import COMPONENTS_V2, EPHEMERAL, Json

T = TypeVar("T")

DISCORD_EPOCH_MS = 1_420_070_400_000
# Divisible by 1 to 10, so that the first server belongs to shard 0 of any small number.
FIRST_GUILD = 2520 * 100_000_000
TEXT_CHANNEL, DM_CHANNEL = 0, 1
ALL_PERMISSIONS = (1 << 53) - 1
# View, send, history, commands, embed, attach, react, threads: what a plain member has.
MEMBER_PERMISSIONS = 0x40 | 0x400 | 0x800 | 0x4000 | 0x8000 | 0x10000 | 1 << 31 | 1 << 38


@dataclass(eq=False)
class User:
    id: int
    name: str
    locale: str = "en-US"
    bot: bool = False
    dms_open: bool = True


@dataclass(eq=False)
class Role:
    id: int
    name: str
    permissions: int = MEMBER_PERMISSIONS


@dataclass(eq=False)
class Member:
    user: User
    roles: list[Role]
    nick: str | None = None


@dataclass(eq=False)
class Guild:
    id: int
    name: str
    owner: User
    locale: str = "en-US"
    members: dict[int, Member] = field(default_factory=dict)
    roles: list[Role] = field(default_factory=list)
    channels: list[Channel] = field(default_factory=list)
    installed: bool = True

    @property
    def general(self) -> Channel:
        return self.channels[0]

    def permissions_of(self, user: User) -> int:
        if user is self.owner:
            return ALL_PERMISSIONS
        total = 0
        for role in [self.roles[0], *self.members[user.id].roles]:
            total |= role.permissions
        return ALL_PERMISSIONS if total & 8 else total


@dataclass(eq=False)
class Channel:
    id: int
    type: int
    name: str
    guild: Guild | None = None
    recipient: User | None = None
    writable: bool = True
    history_readable: bool = True
    viewable: bool = True
    messages: list[Message] = field(default_factory=list)


@dataclass(eq=False)
class Message:
    """A message as stored; `body` is what the author sent, `edits` what it said before."""

    id: int
    channel: Channel
    author: User
    body: Json
    sent_at: float
    nonce: str | None = None
    private_to: User | None = None
    edits: list[Json] = field(default_factory=list)
    edited_at: float | None = None
    deleted: bool = False
    files: dict[str, bytes] = field(default_factory=dict)
    cause: Interaction | None = None
    reactions: list[str] = field(default_factory=list)  # what the app put there

    @property
    def content(self) -> str:
        return self.body.get("content") or ""

    @property
    def flags(self) -> int:
        return self.body.get("flags") or 0

    @property
    def components(self) -> list[Json]:
        return self.body.get("components") or []

    @property
    def ephemeral(self) -> bool:
        return bool(self.flags & EPHEMERAL)

    @property
    def is_v2(self) -> bool:
        return bool(self.flags & COMPONENTS_V2)


COMMAND, COMPONENT, AUTOCOMPLETE, MODAL_SUBMIT = 2, 3, 4, 5


@dataclass(eq=False)
class Interaction:
    """One use of the app by a person, and everything that the app answered to it."""

    id: int
    token: str
    type: int
    user: User
    channel: Channel
    data: Json
    created: float
    source: Message | None = None
    callback: int | None = None
    ephemeral: bool = False
    original: Message | None = None
    modal: Json | None = None
    choices: list[Json] = field(default_factory=list)
    followups: list[Message] = field(default_factory=list)
    loading: bool = False
    too_late: bool = False
    answered: asyncio.Event = field(default_factory=asyncio.Event)


class Ids:
    """Snowflakes: strictly growing, and true to the clock so that `after` can be reckoned."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = 0
        self._guilds = 0

    def next(self) -> int:
        now = int(self._clock() * 1000) - DISCORD_EPOCH_MS
        self._last = max(self._last + 1, now << 22)
        return self._last

    def next_guild(self) -> int:
        """Neighbours in time fall to neighbouring shards: (id >> 22) % n counts 0, 1, 2…"""
        self._guilds += 1
        return FIRST_GUILD + self._guilds - 1 << 22


@dataclass(eq=False)
class Request:
    """One REST request as it arrived."""

    method: str
    path: str
    body: Any
    at: float
    status: int = 0


class World:
    """The state that sockets and people share; everything is open to tests."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.ids = Ids(clock)
        self.token = "loopback-token"
        self.me = User(self.ids.next(), "wwc", bot=True)
        self.users: dict[int, User] = {self.me.id: self.me}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.messages: dict[int, Message] = {}
        self.interactions: dict[int, Interaction] = {}
        self.commands: dict[int | None, list[Json]] = {None: []}
        self.syncs: Counter[int | None] = Counter()
        self.creates: dict[int | None, list[float]] = defaultdict(list)
        self.requests: list[Request] = []
        self.violations: list[str] = []
        self.unknown_keys: list[str] = []
        self.bad_answers: list[str] = []
        self.missed_answers = 0
        self.double_answers = 0
        self.deduplicated = 0
        self.invalid_requests = 0
        self.nonce_window = 180.0
        self.history_lag = 0.0
        self._changed = asyncio.Event()

    @property
    def application_id(self) -> int:
        return self.me.id

    # --- furnishing

    def add_user(
        self,
        name: str,
        *,
        guild: Guild | None = None,
        locale: str = "en-US",
        roles: Sequence[Role] = (),
        bot: bool = False,
    ) -> User:
        user = User(self.ids.next(), name, locale, bot)
        self.users[user.id] = user
        if guild is not None:
            self.join(user, guild, roles)
        return user

    def add_guild(self, name: str, *, owner: User | None = None, locale: str = "en-US") -> Guild:
        """A server with the app installed and one text channel, `guild.general`."""
        owner = owner or self.add_user(f"{name} owner")
        guild = Guild(self.ids.next_guild(), name, owner, locale)
        guild.roles.append(Role(guild.id, "@everyone"))
        self.guilds[guild.id] = guild
        self.commands.setdefault(guild.id, [])
        self.join(owner, guild)
        self.join(self.me, guild)
        self.add_channel(guild, "general")
        return guild

    def join(self, user: User, guild: Guild, roles: Sequence[Role] = ()) -> Member:
        member = Member(user, list(roles))
        guild.members[user.id] = member
        return member

    def add_role(self, guild: Guild, name: str, permissions: int = MEMBER_PERMISSIONS) -> Role:
        role = Role(self.ids.next(), name, permissions)
        guild.roles.append(role)
        return role

    def add_channel(self, guild: Guild, name: str) -> Channel:
        channel = Channel(self.ids.next(), TEXT_CHANNEL, name, guild)
        guild.channels.append(channel)
        self.channels[channel.id] = channel
        return channel

    def dm_channel(self, user: User) -> Channel:
        """The conversation between this person and the app, opened when first needed."""
        for channel in self.channels.values():
            if channel.recipient is user:
                return channel
        channel = Channel(self.ids.next(), DM_CHANNEL, user.name, recipient=user)
        self.channels[channel.id] = channel
        return channel

    def store(self, channel: Channel, author: User, body: Json, **more: Any) -> Message:
        message = Message(self.ids.next(), channel, author, body, self.clock(), **more)
        self.messages[message.id] = message
        if message.private_to is None:
            channel.messages.append(message)
        self.changed()
        return message

    # --- waiting

    def changed(self) -> None:
        """Wake everybody who waits for something to happen."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, probe: Callable[[], T | None]) -> T:
        """The first value of the probe that is neither None nor False; TimeoutError otherwise."""
        async with asyncio.timeout(PATIENCE):
            while not (found := probe()):
                # The app's own state may be asked about as well, so look now and then.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.02):
                        await self._changed.wait()
            return found

    # --- asking

    def sent_to(self, place: User | Channel) -> list[Message]:
        """What the app has posted in a channel or to a person and not deleted since."""
        channel = self.dm_channel(place) if isinstance(place, User) else place
        return [m for m in channel.messages if m.author is self.me and not m.deleted]

    def requests_to(self, method: str, path: str) -> list[Request]:
        """The requests whose path matches this pattern from its beginning."""
        return [r for r in self.requests if r.method == method and re.match(path, r.path)]
