"""A hub for tests of the adapter alone: a few verbs, replies as scripted."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, Field

from bot.cards import Card, Form, Option, Reply
from bot.commands import ANYONE, MEMBER, STAFF, Allow, Command
from bot.errors import DuplicateEventError
from bot.forms import build_form
from bot.hub import Hub
from bot.i18n import translator
from bot.parsing import Suggestions, arguments_of, parse_words
from bot.request import HandledMessage, IncomingMessage, Request, Sender


class WhoDoes(BaseModel):
    """Find who works on something"""

    topic: Annotated[str, Suggestions("topic")] = Field(
        min_length=2, max_length=80, description="For example: open data"
    )
    place: str | None = Field(default=None, alias="in")
    level: Literal["silver", "gold"] | None = None
    most: int | None = None
    open: bool | None = None


class WhoIs(BaseModel):
    """Show a person"""

    person: str


class Profile(BaseModel):
    """Change your profile"""

    a: str = ""
    b: str = ""
    c: str = ""
    d: str = ""
    e: str = ""
    f: str = ""
    areas: tuple[Literal["open-data", "evaluation"], ...] = ()


class Plan(BaseModel):
    """Plan a session"""

    a: str
    b: str = ""
    c: str = ""
    d: str = ""
    e: str = ""
    f: str = ""


class Members(BaseModel):
    """Approve members"""


def verb(
    name: str, model: type[BaseModel], allow: Allow = MEMBER, *, writes: bool = False
) -> Command:
    async def handle(ctx: Any, ask: Any) -> Reply:
        raise NotImplementedError

    return Command(name, model, handle, allow, writes, model.__doc__ or "", "", arguments_of(model))


def verbs(*commands: Command) -> dict[str, Command]:
    return {command.name: command for command in commands}


COMMANDS = verbs(
    verb("who-does", WhoDoes),
    verb("who-is", WhoIs),
    verb("profile", Profile, writes=True),
    verb("plan", Plan, writes=True),
    verb("home", Members, ANYONE),
    verb("admin", Members, STAFF),
    verb("admin members", Members, STAFF),
)

Script = Callable[[Request], Reply]


class FakeHub:
    """Answers what the test says, after the seconds the test says."""

    def __init__(self) -> None:
        self.commands = COMMANDS
        self.asked: list[Request] = []
        self.forms: list[Request] = []
        self.removals: list[tuple[str, str]] = []
        self.keys: list[str] = []
        self.overheard: list[IncomingMessage] = []
        self.takes: HandledMessage | None = None
        self.delay = 0.0
        self.failing = False
        self.completions: tuple[Option, ...] = ()
        self.speaks = "en"
        self.script: Script = lambda request: Card(request.words or "home")

    @property
    def hub(self) -> Hub:
        return cast(Hub, self)

    async def __call__(self, request: Request) -> Reply:
        if request.event and not await self.record_event(request.event):
            raise DuplicateEventError
        self.asked.append(request)
        await asyncio.sleep(self.delay)
        return self.script(request)

    async def form(self, request: Request) -> Form:
        self.forms.append(request)
        await asyncio.sleep(self.delay)
        command = self.commands[request.words.split()[0]]
        rest = parse_words(request.words.partition(" ")[2], command.arguments)
        return form_for(command.name, rest)

    async def suggest(
        self, request: Request, verb: str, field: str, typed: str
    ) -> tuple[Option, ...]:
        self.asked.append(request)
        await asyncio.sleep(self.delay)
        if self.failing:
            raise RuntimeError
        return (Option(f"«{typed}» in {verb}.{field}", typed), *self.completions)

    async def language(self, sender: Sender) -> str:
        if self.failing:
            raise RuntimeError
        return self.speaks

    async def handle_message(self, heard: IncomingMessage) -> HandledMessage | None:
        self.overheard.append(heard)
        if self.failing:
            raise RuntimeError
        return self.takes

    async def record_event(self, key: str) -> bool:
        if key in self.keys:
            return False
        self.keys.append(key)
        return True

    async def on_workspace_removed(self, platform: str, workspace: str) -> None:
        self.removals.append((platform, workspace))


def form_for(name: str, values: dict[str, tuple[str, ...]] | None = None, **problems: str) -> Form:
    command = COMMANDS[name]
    t = translator("en")
    return build_form(name, command.summary, command.arguments, t, values or {}, problems)
