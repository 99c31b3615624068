"""What exists in the loopback Slack: workspaces, people, channels, posts, views, permissions."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.platforms.slack_blocks import Json, elements_of
from tests.platforms.slack_mentions import mentions_of

SCOPES = frozenset(
    {
        "app_mentions:read",
        "channels:history",
        "channels:read",
        "chat:write",
        "chat:write.public",
        "commands",
        "files:read",
        "groups:history",
        "groups:read",
        "im:history",
        "im:read",
        "im:write",
        "mpim:write",
        "reactions:read",
        "reactions:write",
        "team:read",
        "users:read",
        "users:read.email",
    }
)


class Refused(Exception):  # noqa: N818 - an answer of Slack, not a fault of the code
    """A method says no: the error code and what Slack adds to it."""

    def __init__(self, error: str, **extra: Any) -> None:
        super().__init__(error)
        self.answer: Json = {"ok": False, "error": error, **extra}


@dataclass(eq=False)
class Team:
    id: str
    name: str
    domain: str
    bot_user: str
    bot_id: str
    enterprise: str | None = None
    bot_token: str | None = None


@dataclass(eq=False)
class User:
    id: str
    team: Team
    name: str
    real_name: str
    email: str
    tz: str = "America/New_York"
    locale: str = "en-US"
    is_bot: bool = False
    is_restricted: bool = False
    is_stranger: bool = False
    is_admin: bool = False
    deleted: bool = False
    # a Slack Connect stranger acts in one workspace and lives in another
    home_team: str | None = None


@dataclass(eq=False)
class Channel:
    id: str
    team: Team
    name: str
    kind: str = "channel"  # channel, private, im, mpim
    members: set[str] = field(default_factory=set)
    is_archived: bool = False
    is_ext_shared: bool = False


@dataclass(eq=False)
class Post:
    team: Team
    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Json]
    at: float
    thread_ts: str | None = None
    metadata: Json | None = None
    attachments: list[Json] = field(default_factory=list)
    ephemeral_to: str | None = None
    edits: list[Json] = field(default_factory=list)
    deleted: bool = False
    reactions: set[tuple[str, str]] = field(default_factory=set)  # who, and which emoji
    via: str | None = None  # the command or press that made it, none for the Web API
    payload: Json = field(default_factory=dict)
    filled: dict[tuple[str, str], Json] = field(default_factory=dict)

    @property
    def readable(self) -> str:
        """Everything readable in it, the blocks before the text, for assertions."""
        return "\n".join([*texts_of(self.blocks), self.text])

    @property
    def mentions(self) -> list[str]:
        """Who is pinged by this post."""
        return mentions_of(self.payload)

    def show(self, payload: Json) -> None:
        """Puts a new content in the place of the old one."""
        self.payload = payload
        self.text, self.blocks = payload.get("text") or "", named(payload.get("blocks") or [])
        self.attachments = payload.get("attachments") or []


@dataclass(eq=False)
class View:
    id: str
    team: Team
    user: str
    sent: Json
    trigger: str | None
    root: str
    previous: str | None = None
    hash: str = ""
    closed: bool = False
    filled: dict[tuple[str, str], Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.show(self.sent)

    def show(self, sent: Json) -> None:
        """A new content; what the person typed stays where the names stay."""
        self.sent = {**sent, "blocks": named(sent.get("blocks") or [])}
        self.hash = f"{secrets.token_hex(5)}.{secrets.token_hex(4)}"

    @property
    def blocks(self) -> list[Json]:
        return list(self.sent["blocks"])

    @property
    def title(self) -> str:
        return str((self.sent.get("title") or {}).get("text", ""))

    @property
    def text(self) -> str:
        """Everything readable in it, for assertions."""
        return "\n".join(texts_of(self.blocks))


@dataclass
class Grant:
    """What a token may do; a revoked one keeps the error it is answered with."""

    token: str
    team: Team
    scopes: frozenset[str]
    enterprise: str | None = None
    is_app: bool = False
    revoked: str | None = None


@dataclass
class Ticket:
    """A trigger or a response URL: made by a person's act, good for a while."""

    id: str
    user: User
    at: float
    channel: str = ""
    post: Post | None = None
    view: View | None = None
    uses: int = 0


def named(blocks: list[Json]) -> list[Json]:
    """Slack names the blocks and elements that the sender left nameless."""
    fresh = (secrets.token_hex(3) for _ in count())
    return [_named(block, fresh) for block in blocks]


def _named(block: Json, fresh: Iterator[str]) -> Json:
    copy = {"block_id": next(fresh), **block}
    for name in ("element", "accessory"):
        if isinstance(copy.get(name), dict):
            copy[name] = _acting(copy[name], fresh)
    if isinstance(copy.get("elements"), list):
        copy["elements"] = [_acting(e, fresh) for e in copy["elements"]]
    return copy


def _acting(element: Any, fresh: Iterator[str]) -> Any:
    if not elements_of({"element": element}):
        return element
    return {"action_id": next(fresh), **element}


def texts_of(node: Any) -> Iterator[str]:
    """Every text a person can read in blocks, in order."""
    if isinstance(node, list):
        for part in node:
            yield from texts_of(part)
    elif isinstance(node, dict):
        for name, part in node.items():
            if name in ("text", "alt_text", "title", "label") and isinstance(part, str):
                yield part
            else:
                yield from texts_of(part)


class World:
    """The state, without any protocol."""

    def __init__(self, base: Callable[[], float]) -> None:
        self.base = base
        self.skipped = 0.0
        self._ids = count(1)
        self._last_ts = 0.0
        self.teams: dict[str, Team] = {}
        self.users: dict[tuple[str, str], User] = {}
        self.channels: dict[tuple[str, str], Channel] = {}
        self.posts: list[Post] = []
        self.homes: dict[User, View] = {}
        self.views: dict[str, View] = {}
        self.grants: dict[str, Grant] = {}
        self.triggers: dict[str, Ticket] = {}
        self.responses: dict[str, Ticket] = {}
        self.violations: list[str] = []

    def now(self) -> float:
        """Slack's clock; expiry, rates and indexing follow it."""
        return self.base() + self.skipped

    def advance(self, seconds: float) -> None:
        """Lets time pass on Slack's side only."""
        self.skipped += seconds

    def id(self, prefix: str) -> str:
        return f"{prefix}{next(self._ids):04d}LB"

    def ts(self) -> str:
        """A message time stamp, never the same twice."""
        self._last_ts = max(self.now(), self._last_ts + 0.000_001)
        return f"{self._last_ts:.6f}"

    def add_team(
        self,
        name: str = "Springfield",
        *,
        id: str | None = None,
        enterprise: str | None = None,
        installed: bool = True,
        scopes: frozenset[str] = SCOPES,
    ) -> Team:
        """A workspace; `installed` gives the bot its token there at once."""
        domain = name.lower().replace(" ", "-")
        team = Team(id or self.id("T"), name, domain, self.id("U"), self.id("B"), enterprise)
        self.teams[team.id] = team
        self.users[team.id, team.bot_user] = User(
            team.bot_user, team, "wwc", "WWC", "", is_bot=True
        )
        if installed:
            self.grant(team, scopes)
        return team

    def add_user(
        self, team: Team, name: str = "ana", *, id: str | None = None, **facts: Any
    ) -> User:
        """A person; facts are the fields of User (real_name, tz, locale, email, is_restricted…)."""
        facts.setdefault("real_name", name.title())
        facts.setdefault("email", f"{name.lower().replace(' ', '.')}@{team.domain}.example")
        user = User(id or self.id("U"), team, name, **facts)
        self.users[team.id, user.id] = user
        for channel in self.channels.values():
            if channel.team is team and channel.name == "general":
                channel.members.add(user.id)
        return user

    def add_channel(
        self,
        team: Team,
        name: str = "general",
        *,
        id: str | None = None,
        members: list[User] | None = None,
        private: bool = False,
        with_bot: bool = True,
    ) -> Channel:
        """A channel with everybody of the workspace in it, unless members are given."""
        people = members if members is not None else self.people(team)
        channel = Channel(id or self.id("C"), team, name, "private" if private else "channel")
        channel.members = {user.id for user in people} | ({team.bot_user} if with_bot else set())
        self.channels[team.id, channel.id] = channel
        return channel

    def people(self, team: Team) -> list[User]:
        return [user for user in self.users.values() if user.team is team and not user.is_bot]

    def dm_of(self, user: User) -> Channel:
        """The direct channel of the bot and a person, opened when needed."""
        return self.direct(user.team, {user.id})

    def direct(self, team: Team, users: set[str]) -> Channel:
        members, kind = users | {team.bot_user}, "im" if len(users) == 1 else "mpim"
        for channel in self.channels.values():
            if channel.team is team and channel.kind == kind and channel.members == members:
                return channel
        channel = Channel(self.id("D" if kind == "im" else "G"), team, "", kind, members)
        self.channels[team.id, channel.id] = channel
        return channel

    def grant(self, team: Team, scopes: frozenset[str], *, org: bool = False) -> Grant:
        """A bot token; installing again gives the same one while it is good."""
        known = self.grants.get(team.bot_token or "")
        token = known.token if known and not known.revoked else f"xoxb-{secrets.token_hex(12)}"
        granted = Grant(token, team, scopes, team.enterprise if org else None)
        self.grants[token] = granted
        team.bot_token = token
        return granted

    def revoke(self, team: Team, error: str = "token_revoked") -> None:
        for grant in self.grants.values():
            if grant.team is team:
                grant.revoked = error

    def post(
        self,
        channel: Channel,
        author: str,
        payload: Json,
        *,
        via: str | None = None,
        ephemeral_to: str | None = None,
    ) -> Post:
        """Puts a message into a channel."""
        post = Post(channel.team, channel.id, self.ts(), author, "", [], self.now())
        post.thread_ts, post.metadata = payload.get("thread_ts"), payload.get("metadata")
        post.via, post.ephemeral_to = via, ephemeral_to
        post.show(payload)
        self.posts.append(post)
        return post

    def find_post(self, team: Team, channel: str, ts: str) -> Post | None:
        for post in self.posts:
            if (post.team, post.channel, post.ts) == (team, channel, ts) and not post.deleted:
                return post
        return None

    def mark(self, user: User, post: Post, name: str, *, take: bool) -> str | None:
        """Puts an emoji to a message or takes it away; why not, if it cannot be done."""
        members = self.channels[post.team.id, post.channel].members
        if user.id not in members or post.deleted or post.ephemeral_to:
            return "message_not_found"
        if ((user.id, name) in post.reactions) is not take:
            return "no_reaction" if take else "already_reacted"
        post.reactions ^= {(user.id, name)}
        return None

    def trigger(self, user: User, view: View | None = None) -> Ticket:
        ticket = Ticket(f"{next(self._ids)}.{secrets.token_hex(8)}", user, self.now(), view=view)
        self.triggers[ticket.id] = ticket
        return ticket

    def response(self, user: User, channel: str, post: Post | None = None) -> Ticket:
        ticket = Ticket(secrets.token_hex(12), user, self.now(), channel, post)
        self.responses[ticket.id] = ticket
        return ticket
