"""A tiny hub and a few invented people, enough to play every part of the page."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.adapters.discord import render as discord_render
from bot.adapters.playground.listen import PlaygroundAdapter
from bot.adapters.playground.world import Persona, Renderer
from bot.adapters.slack import render as slack_render
from bot.cards import (
    Bar,
    Bars,
    Button,
    Buttons,
    Card,
    Choice,
    Divider,
    Entry,
    Fact,
    Facts,
    Form,
    Heading,
    Input,
    Note,
    Option,
    Reply,
    Table,
    Text,
)
from bot.parsing import Argument, fold_text
from bot.request import HandledMessage, IncomingMessage, Request, Sender

EAST = "America/New_York"
PEOPLE = (
    Persona("maya@boston.example", "Maya Chen", "Boston", "T-DEMO", "en", False, EAST),
    Persona(
        "luis@bogota.example",
        "Luis Ángel Rojas",
        "Bogotá",
        "G-DEMO",
        "en",
        zone="America/Bogota",
    ),
    Persona("ines@recife.example", "Inês Albuquerque", "Recife", "G-DEMO", "pt"),
    Persona("noor@programme.example", "Noor Haddad", "Baltimore", "T-DEMO", "en", True, EAST),
    Persona("remi@montreal.example", "Rémi Gagnon", "Montréal", "T-DEMO", "fr"),
)

LEVELS = (Option("Silver", "silver"), Option("Gold", "gold"), Option("Platinum", "platinum"))
TOPICS = ("open data", "open contracting", "data governance", "performance management")
HOSTILE = (
    "<script>alert(1)</script> <b>bold</b> *stars* _under_ ~s~ `code` **two** __u__ # no heading "
    "@everyone <!channel> <@U1> [bank](https://evil.example) {{ 7*7 }} {0.__class__} \u202eabc "
    "“quotes” & ampersands 🌳 " + "long" * 60
)


@dataclass(frozen=True)
class FakeCommand:
    """A verb as the page needs to know it."""

    name: str
    summary: str
    arguments: tuple[Argument, ...] = ()
    is_staff_only: bool = False


COMMANDS = {
    command.name: command
    for command in (
        FakeCommand("help", "What the hub can do"),
        FakeCommand(
            "who-does",
            "Find who works on something",
            (
                Argument(
                    "topic",
                    "topic",
                    "Topic",
                    "For example: open data",
                    required=True,
                    suggests="topics",
                ),
                Argument("place", "in", "Place", "A city or a country"),
                Argument("level", "level", "Level", kind="choice", options=LEVELS),
            ),
        ),
        FakeCommand("city", "What the community knows about a city"),
        FakeCommand(
            "profile",
            "Show and edit your profile",
            (
                Argument("title", "title", "Title"),
                Argument("topics", "topics", "What I know", many=True, suggests="topics"),
            ),
        ),
        FakeCommand("admin members", "Approve and suspend members", (), is_staff_only=True),
    )
}


class FakeHub:
    """Answers with cards that have every part; remembers what it was asked."""

    def __init__(self) -> None:
        self.commands: Mapping[str, FakeCommand] = COMMANDS
        self.asked: list[Request] = []
        self.overheard: list[IncomingMessage] = []
        self.takes: HandledMessage | None = None

    async def __call__(self, request: Request) -> Reply:
        self.asked.append(request)
        verb, _, rest = request.words.partition(" ")
        match verb:
            case "profile":
                return saved(request) if _whole(request) else profile(request)
            case "slow":
                await asyncio.sleep(0.6)
                return Card("Slow", (Text("There you are."),))
            case "announce":
                return Card("For everybody", (Text(rest or "Hello"),), private=False)
            case "hostile":
                return hostile()
            case "city":
                return city()
            case _:
                return people(request.words)

    async def suggest(
        self, request: Request, verb: str, field: str, typed: str
    ) -> tuple[Option, ...]:
        found = [
            Option(name.capitalize(), name, "a topic")
            for name in TOPICS
            if fold_text(typed) in name
        ]
        return tuple(
            found if typed in TOPICS or not typed else [Option(f"«{typed}»", typed), *found]
        )

    async def handle_message(self, heard: IncomingMessage) -> HandledMessage | None:
        self.overheard.append(heard)
        return self.takes

    async def language(self, sender: Sender) -> str:
        return sender.locale or "en"


def _whole(request: Request) -> bool:
    return request.from_form and bool(request.values.get("title"))


def people(words: str) -> Card:
    """A card with every kind of part."""
    return Card(
        title="Who does open data",
        parts=(
            Note("Two people in your own city know this too.", "good"),
            Entry(
                "Ana Torres · Ciudad de México",
                ("Open Data Program Manager", "Knows open data, data governance · speaks es, en"),
                note="Why: declared skill, three endorsements, her city is strong in Open Data",
                badge="Gold",
                buttons=(
                    Button("Introduce me", "intro 42", "primary"),
                    Button("Profile", "who-is 42"),
                ),
            ),
            Entry(
                "Bruno Oliveira · Recife",
                ("Chief Data Officer",),
                note="Why: answered two questions on this",
                buttons=(Button("Introduce me", "intro 43", "primary"),),
            ),
            Divider(),
            Heading("How your city compares"),
            Facts(
                (
                    Fact("City", "Boston"),
                    Fact("Level", "Gold"),
                    Fact("Population", "675,647"),
                    Fact("Certified since", "2018"),
                )
            ),
            Table(
                ("Practice area", "Score", "Peers"),
                (
                    ("Open Data", "82", "64"),
                    ("Data Governance", "61", "70"),
                    ("Evaluations", "40", "55"),
                ),
            ),
            Bars(
                "Open Data, percent of criteria met",
                (
                    Bar("Boston", 82, "82 %"),
                    Bar("Ciudad de México", 74, "74 %"),
                    Bar("Recife", 51, "51 %"),
                ),
            ),
            Text("Free text that is no topic searches the profiles.\nA second line."),
            Choice(
                "Narrow it down",
                (
                    Option("Only Mexico", "who-does open data in:mexico"),
                    Option("Only Gold", "who-does open data level:gold"),
                ),
            ),
            Buttons(
                (
                    Button("Ask the group", "ask open data"),
                    Button("Stop this", "settings", "danger"),
                )
            ),
            Text("Asked as: " + words, quiet=True),
        ),
        footer="Synthetic people, real cities",
    )


def city() -> Card:
    """A short card."""
    return Card(
        "Bogotá",
        (
            Facts((Fact("Country", "Colombia"), Fact("Level", "Silver"))),
            Buttons((Button("Its people", "who-does data in:bogota"),)),
        ),
    )


def hostile() -> Card:
    """What people typed to break things."""
    parts = (
        Note(HOSTILE, "warning"),
        Entry(HOSTILE, (HOSTILE,), buttons=(Button("<i>Press</i>", "city <b>"),)),
        Facts((Fact("<u>label</u>", HOSTILE),)),
        Table(("<th>", "b"), ((HOSTILE, "1"),)),
    )
    return Card("<img src=x onerror=alert(1)>", parts, tone="warning")


def profile(request: Request) -> Form:
    """A form with every kind of field."""
    given = request.values
    return Form(
        "Your profile",
        "profile",
        (
            Input(
                "title",
                "Title",
                given.get("title", ("",)),
                required=True,
                hint="As on your card",
                problem="Please fill this in." if request.from_form else "",
            ),
            Input("topics", "What I know", ("open data",), many=True, suggests="topics"),
            Input("bio", "Bio", ("I map bus stops.",), long=True, hint="Two sentences are enough"),
            Input(
                "languages",
                "Languages",
                ("en",),
                (Option("English", "en"), Option("Español", "es"), Option("Português", "pt")),
                many=True,
            ),
            Input(
                "open",
                "Open to questions",
                ("yes",),
                (Option("Yes", "yes"), Option("No", "no")),
                required=True,
            ),
            Input(
                "zone", "Time zone", (), (Option("Boston", "boston"), Option("Bogotá", "bogota"))
            ),
        ),
        intro="What you write here is what colleagues find.",
        submit="Save",
    )


def saved(request: Request) -> Card:
    """What a good form is answered with."""
    title = " ".join(request.values["title"])
    return Card("Saved", (Note(f"Your title is now {title}.", "good"),), tone="good")


RENDERERS: Mapping[str, Renderer] = {"slack": slack_render, "discord": discord_render}


async def everybody() -> Sequence[Persona]:
    return PEOPLE


@asynccontextmanager
async def served(hub: FakeHub, **options: Any) -> AsyncIterator[tuple[str, PlaygroundAdapter]]:
    """The page on a free port of this machine; its address and the adapter."""
    given: dict[str, Any] = {"renderers": RENDERERS, "people": everybody} | options
    adapter = PlaygroundAdapter(hub, **given)
    app = web.Application()
    adapter.add_routes(app)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", adapter
    finally:
        await runner.cleanup()
