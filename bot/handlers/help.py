"""Where everybody starts: the help, and the member's home page with what is next."""

from functools import partial

from pydantic import BaseModel, Field

from bot.cards import (
    SLASH,
    Button,
    Buttons,
    Card,
    Entry,
    Fact,
    Facts,
    Heading,
    Note,
    Option,
    Part,
    Text,
)
from bot.commands import ANYONE, MEMBER, Command, Context, Spelled, command
from bot.community.agenda import list_next_things
from bot.community.people import places, portraits
from bot.domain import phrases
from bot.errors import InvalidArgumentError
from bot.i18n import Translator
from bot.parsing import Argument, shorten
from bot.verbs import find_command, find_near_verbs
from db import directory
from db.members import Member


class Help(BaseModel):
    """What the hub can do for you"""

    about: str | None = Field(
        default=None, max_length=80, title="Command", description="For example: who-does"
    )


@command(
    "help",
    allow=ANYONE,
    room="daily",
    spelled=Spelled("ayuda", "ajuda", "aide"),
    phrases=phrases.HELP,
    example="help who-does",
)
async def help_(ctx: Context, ask: Help) -> Card:
    """List every command that the asker may run, or explain one of them in detail."""
    allowed = {n: c for n, c in ctx.commands.items() if c.allow.permits(ctx.viewer)}
    if ask.about is None:
        return _overview_card(ctx, list(allowed.values()))
    found = find_command(allowed, ask.about)
    if found:
        return _command_card(ctx, found[0])
    raise InvalidArgumentError(
        ctx.t("I don't know the command «{verb}».", verb=shorten(ask.about)),
        name="about",
        choices=tuple(Option(n, n) for n in find_near_verbs(allowed, ask.about)[1]),
    )


def _overview_card(ctx: Context, allowed: list[Command]) -> Card:
    t = ctx.t
    member = MEMBER.permits(ctx.viewer)
    intro = t(
        "City data people from the What Works Cities Certification Community, in the chat you "
        "already use. Only you see the answers."
    )
    parts: list[Part] = [Text(intro)]
    if not member:
        parts.append(
            Note(
                t(
                    "You're not a verified member yet. You can see public facts now, and the "
                    "people once you join."
                )
            )
        )
        parts.append(Buttons((Button(t("Join"), "join", "primary"),)))
    for title, listed in _group_by_section(allowed):
        parts += [Heading(t(title)), Facts(tuple(map(partial(_command_fact, t), listed)))]
    if member:
        parts.append(
            Buttons(
                (
                    Button(t("Who does open data?"), "who-does open data", "primary"),
                    Button(t("All topics"), "topics"),
                    Button(t("My profile"), "profile show"),
                )
            )
        )
    return Card(title=t("What the hub can do for you"), parts=tuple(parts))


_STAFF_SECTION = "For staff"
_OTHER_SECTION = "More"
_SECTIONS = {
    "directory": "Find people",
    "endorsing": "Find people",
    "topics": "Find people",
    "cities": "Find people",
    "introductions": "Meet them",
    "rounds": "Meet them",
    "relay": "Meet them",
    "joining": "You and your city",
    "help": "You and your city",
    "profile": "You and your city",
    "settings": "You and your city",
    "admitting": "You and your city",
    "inviting": "You and your city",
    "linking": "You and your city",
    "my_data": "Your data, and help when something is wrong",
    "moderation": "Your data, and help when something is wrong",
    "blocking": "Your data, and help when something is wrong",
    "leaving": "Your data, and help when something is wrong",
}
"""Section of the overview by handler module; the overview follows this order."""
_ORDER = {noun: place for place, noun in enumerate(_SECTIONS)}


def _group_by_section(allowed: list[Command]) -> list[tuple[str, list[Command]]]:
    """Group commands by the section of the overview, without empty sections.

    Commands that continue another one («intro ask») are left out: the help of «intro» lists them.
    """
    names = {c.name for c in allowed}
    found: dict[str, list[Command]] = {title: [] for title in _SECTIONS.values()}
    for one in sorted(allowed, key=lambda c: _ORDER.get(_handler_name(c), len(_ORDER))):
        if one.name.partition(" ")[0] in names - {one.name}:
            continue
        title = (
            _STAFF_SECTION
            if one.is_staff_only
            else _SECTIONS.get(_handler_name(one), _OTHER_SECTION)
        )
        found.setdefault(title, []).append(one)
    return [(title, listed) for title, listed in found.items() if listed]


def _handler_name(one: Command) -> str:
    return one.handle.__module__.rpartition(".")[2]


def _command_fact(t: Translator, one: Command) -> Fact:
    return Fact(f"{SLASH} {one.example or one.name}", t(one.summary))


def _command_card(ctx: Context, about: Command) -> Card:
    t = ctx.t
    shown = [a for a in about.arguments if not a.hidden]
    grammar = " ".join(_argument_spelling(a, is_first=i == 0) for i, a in enumerate(shown))
    facts = [
        Fact(_argument_spelling(a, is_first=i == 0), _argument_meaning(ctx, a))
        for i, a in enumerate(shown)
    ]
    parts: list[Part] = [Text(t(about.summary)), Text(f"{SLASH} {about.name} {grammar}".strip())]
    if facts:
        parts.append(Facts(tuple(facts)))
    on = [
        c
        for n, c in ctx.commands.items()
        if n.startswith(f"{about.name} ") and c.allow.permits(ctx.viewer)
    ]
    if on:
        parts.append(Facts(tuple(map(partial(_command_fact, t), on))))
    if about.example:
        parts.append(Buttons((Button(f"{SLASH} {about.example}"[:75], about.example),)))
    return Card(title=f"{SLASH} {about.name}", parts=tuple(parts))


def _argument_spelling(argument: Argument, *, is_first: bool) -> str:
    if is_first or argument.single_word:
        return argument.spelling.upper()
    return f"{argument.spelling}:…"


def _argument_meaning(ctx: Context, argument: Argument) -> str:
    t = ctx.t
    label = t(argument.label)
    if argument.options:
        options = ", ".join(t(o.label) for o in argument.options)
        return t("{label}: {options}", label=label, options=options)
    return f"{label}. {t(argument.hint)}" if argument.hint else label


# --- home -------------------------------------------------------------------------------------


class Home(BaseModel):
    """Your own page: what's next for you"""


@command(
    "home",
    allow=ANYONE,
    room="daily",
    spelled=Spelled("inicio", "inicio", "accueil"),
    example="home",
)
async def home(ctx: Context, ask: Home) -> Card:
    """Show what is next for the member; people who are not verified members get the help."""
    if not MEMBER.permits(ctx.viewer):
        return _overview_card(
            ctx, [c for c in ctx.commands.values() if c.allow.permits(ctx.viewer)]
        )
    person, t = ctx.member, ctx.t
    parts: list[Part] = [
        *portraits.confirm_profile_parts(ctx, person),
        *await _profile_tasks(ctx, person),
        *await list_next_things(ctx),
        Entry(
            title=t("Find someone who has done it"),
            lines=(t("Ask by topic, in your own words and language."),),
            buttons=(
                Button(t("Who does…"), "who-does", "primary"),
                Button(t("All topics"), "topics"),
            ),
        ),
    ]
    if person.city:
        parts.append(
            Entry(
                title=places.city_place(t, person.city),
                lines=(t("Your colleagues and what your city is known for."),),
                buttons=(Button(t("My city"), f"city {person.city.slug}"),),
            )
        )
    parts.append(
        Buttons(
            (
                Button(t("My profile"), "profile show"),
                Button(t("Settings"), "settings"),
                Button(t("Help"), "help"),
            )
        )
    )
    return Card(
        title=t("Hello, {name}", name=person.first_name),
        parts=tuple(parts),
        footer=portraits.footer(t, [person]),
    )


async def _profile_tasks(ctx: Context, person: Member) -> list[Part]:
    """Return the next step that would help others to find this person, or nothing."""
    t = ctx.t
    if not person.listed:
        text = t(
            "You're not in the directory yet. Turn it on in your profile so others can find you."
        )
        return [Note(text), Buttons((Button(t("Edit my profile"), "profile edit", "primary"),))]
    ties = await directory.list_expertise(ctx.session, person.id)
    if not any(e.kind == "knows" for e in ties):
        text = t("Add what you know to your profile, so that others know what to ask you.")
        return [Note(text), Buttons((Button(t("Edit my profile"), "profile edit", "primary"),))]
    return []
