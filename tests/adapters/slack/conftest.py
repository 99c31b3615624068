"""A Slack on the loopback, the true adapter before it, and a hub that says what it is told to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from aiohttp import web

from bot.adapters.slack.listen import SlackAdapter
from bot.cards import Button, Buttons, Card, Choice, Form, Input, Option, Reply, Text
from bot.errors import DuplicateEventError
from bot.hub import Hub
from bot.request import HandledMessage, IncomingMessage, Request, Sender
from tests.platforms.slack import LoopbackSlack, User
from tests.platforms.slack_bot import serving

ASKED = Form(
    "Edit your profile",
    "profile",
    (
        Input("title", "Title", required=True, hint="What you do"),
        Input("topics", "Topics", many=True, suggests="topic"),
    ),
    intro="Tell others what you know",
)
WRONG = Form("Edit your profile", "profile", (
    Input("title", "Title", ("x",), required=True, problem="Too short"),
    Input("topics", "Topics", many=True, suggests="topic"),
))  # fmt: skip
LIST = Card("Who does open data", (
    Text("Ana Lima"),
    Buttons((
        Button("Introduce me", "intro 42", "primary"),
        Button("More", "who-does open data page:2"),
        Button("Edit", "profile"),
    )),
    Choice("Another topic", (Option("AI", "who-does ai"),)),
))  # fmt: skip


@dataclass
class ToldHub:
    """Answers by the first word; keeps what it was asked. `slow`: seconds until it answers."""

    answers: dict[str, Reply] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    gone: list[tuple[str, str]] = field(default_factory=list)
    slow: float = 0.0
    speaks: str = "en"
    broken: bool = False
    overheard: list[IncomingMessage] = field(default_factory=list)
    takes: HandledMessage | None = None
    faulty: bool = False

    def __post_init__(self) -> None:
        self.answers |= {"profile": ASKED, "who-does": LIST, "home": Card("Home", LIST.parts)}

    async def __call__(self, request: Request) -> Reply:
        if request.event and not await self.record_event(request.event):
            raise DuplicateEventError
        self.asked.append(request)
        await asyncio.sleep(self.slow)
        if self.faulty:
            raise OSError("no database")
        if request.from_form and request.values["title"] == ("x",):
            return WRONG
        if request.from_form and request.values["title"] != ("form",):
            return self.answers.get("saved", Card("Saved", tone="good"))
        return self.answers.get(request.words.split(" ")[0], Card(f"You said {request.words}"))

    async def suggest(
        self, request: Request, verb: str, field: str, typed: str
    ) -> tuple[Option, ...]:
        self.asked.append(request)
        await asyncio.sleep(self.slow)
        return (Option(f"{verb} {field} {typed}", typed), Option("too long", "x" * 200))

    async def handle_message(self, heard: IncomingMessage) -> HandledMessage | None:
        self.overheard.append(heard)
        if self.broken:
            raise OSError("no database")
        return self.takes

    async def language(self, sender: Sender) -> str:
        if self.broken:
            raise OSError("no database")
        return self.speaks

    async def record_event(self, key: str) -> bool:
        if self.broken:
            raise OSError("no database")
        fresh = key not in self.seen
        self.seen.add(key)
        return fresh

    async def on_workspace_removed(self, platform: str, workspace: str) -> None:
        self.gone.append((platform, workspace))


class Clock:
    """A clock that can be set forward."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(datetime.now(UTC).timestamp() + self.skipped, UTC)


Serve = Callable[..., Any]


@pytest.fixture
async def slack() -> AsyncIterator[LoopbackSlack]:
    async with LoopbackSlack() as loopback:
        yield loopback


@pytest.fixture
def ana(slack: LoopbackSlack) -> User:
    return slack.add_user(slack.team, "ana", tz="America/Bogota", locale="es-LA")


@pytest.fixture
def hub() -> ToldHub:
    return ToldHub()


@asynccontextmanager
async def adapter_of(
    slack: LoopbackSlack, hub: ToldHub | Hub, **how: Any
) -> AsyncIterator[SlackAdapter]:
    """The adapter, served over HTTP."""
    settings = {
        "signing_secret": slack.signing_secret,
        "bot_token": slack.bot_token,
        "answer_timeout": 0.4,
    }
    settings |= {"api_url": slack.api_url, "authorize_url": slack.authorize_url}
    adapter = SlackAdapter(cast(Hub, hub), **{**settings, **how})
    site = web.Application()
    adapter.add_routes(site)
    async with serving(slack, site):
        yield adapter


@pytest.fixture
async def adapter(slack: LoopbackSlack, hub: ToldHub) -> AsyncIterator[SlackAdapter]:
    async with adapter_of(slack, hub) as served:
        yield served
    assert slack.violations == []
    assert slack.pings == []
