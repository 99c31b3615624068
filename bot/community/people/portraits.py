"""How a person is drawn on a card: as far as the asker may see, the same wherever one appears."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.cards import Button, Buttons, Card, Entry, Fact, Facts, Note, Part, Text
from bot.commands import Context
from bot.community.people.places import place
from bot.community.people.ranking import month
from bot.domain.ranking import FRESH_FOR_DAYS
from bot.i18n import NAMES, Translator
from db import directory
from db.cities import City
from db.directory import Expertise
from db.members import Member, Person, shows


def languages(person: Person) -> str:
    """The languages somebody speaks, by their own names."""
    return ", ".join(NAMES.get(code, code) for code in person.spoken.split())


def badge(t: Translator, person: Person) -> str:
    """Marks people who were invented for the demo."""
    return t("invented") if person.synthetic else ""


def footer(t: Translator, people: Iterable[Person]) -> str:
    """The small print of a card that shows invented people."""
    if any(p.synthetic for p in people):
        return t("Demo: the people are invented, the cities are real.")
    return ""


def seen(t: Translator, person: Member, viewer: Member | None, note: str = "") -> Entry:
    """One person as far as a viewer may see them, with nothing to press."""
    return _drawn(t, person, person.city, viewer, note)


def _drawn(
    t: Translator, person: Person, city: City | None, viewer: Member | None, note: str
) -> Entry:
    title = person.title if shows(person, "title", viewer) else ""
    spoken = languages(person) if shows(person, "languages", viewer) else ""
    where = " · ".join(filter(None, (place(t, city), spoken)))
    lines = tuple(filter(None, (title, where)))
    return Entry(title=person.name, badge=badge(t, person), lines=lines, note=note)


def entry(
    ctx: Context, person: Person, note: str = "", more: Sequence[Button] = (), about: str = ""
) -> Entry:
    """One person in a list, and what can be done next; `about` is the topic they were found by."""
    buttons = [Button(ctx.t("Profile"), f"who-is {person.id}"), *more]
    if ctx.viewer and ctx.viewer.id != person.id:
        buttons.insert(0, introduce_me(ctx.t, person, about))
    city = ctx.known.cities.get(person.city_id or 0)
    return replace(_drawn(ctx.t, person, city, ctx.viewer, note), buttons=tuple(buttons))


def introduce_me(t: Translator, person: Person, about: str = "") -> Button:
    """The way from finding somebody to meeting them."""
    words = f"intro {person.id} about:{about}" if about else f"intro {person.id}"
    return Button(t("Introduce me"), words, "primary")


def local_time(t: Translator, person: Member, now: datetime) -> str:
    """What the clock shows where somebody is."""
    return t.time(now.astimezone(ZoneInfo(person.zone)))


def still_right(ctx: Context, person: Member) -> list[Part]:
    """The question whether a profile is still right, once half a year has passed."""
    if (ctx.now - person.confirmed_at).days <= FRESH_FOR_DAYS:
        return []
    since = ctx.t.ago(person.confirmed_at, ctx.now)
    return [
        Note(ctx.t("You last confirmed your profile {when}. Is it still right?", when=since)),
        Buttons(
            (
                Button(ctx.t("Still right"), "profile confirm", "primary"),
                Button(ctx.t("Edit my profile"), "profile edit"),
            )
        ),
    ]


async def profile(ctx: Context, person: Member, note: str = "") -> Card:
    """Everything the asker may see of a person, and what can be done next."""
    t = ctx.t
    ties = await directory.of_member(ctx.session, person.id)
    topics_seen = person.shows("topics", ctx.viewer)
    knows = [e for e in ties if e.kind == "knows"] if topics_seen else []
    parts: list[Part] = [Note(note, "good")] if note else []
    if person.id == ctx.member.id:
        parts += still_right(ctx, person)
    if person.title and person.shows("title", ctx.viewer):
        parts.append(Text(person.title))
    parts.append(Facts(tuple(_facts(ctx, person))))
    if person.bio and person.shows("bio", ctx.viewer):
        parts.append(Text(person.bio))
    parts += _knowledge(ctx, person, ties if topics_seen else [])
    parts.append(Buttons(tuple(await _next_acts(ctx, person, knows))))
    return Card(
        title=person.name,
        parts=tuple(parts),
        footer=footer(t, [person]),
    )


def _facts(ctx: Context, person: Member) -> list[Fact]:
    t, now = ctx.t, ctx.now
    facts = [Fact(t("City"), place(t, person.city))]
    if person.shows("languages", ctx.viewer):
        facts.append(Fact(t("Speaks"), languages(person)))
    if person.shows("hours", ctx.viewer):
        facts.append(Fact(t("Working hours"), f"{person.hours_from}–{person.hours_to}"))
    facts.append(Fact(t("Local time"), local_time(t, person, now)))
    if person.is_full(month(now)):
        open_line = t("No more this month")
    else:
        open_line = t("Yes, gladly") if person.open_to_questions else t("Not now")
    facts.append(Fact(t("Open to questions"), open_line))
    facts.append(Fact(t("Profile confirmed"), t.ago(person.confirmed_at, now)))
    return facts


def _knowledge(ctx: Context, person: Member, ties: Sequence[Expertise]) -> list[Part]:
    t, name = ctx.t, ctx.known.vocabulary.name
    known = [e for e in ties if e.kind == "knows"]
    parts: list[Part] = []
    if known:
        lines = tuple(_knows_line(ctx, e) for e in known[:12])
        parts.append(Entry(title=t("Knows"), lines=lines))
    if wanted := [name(e.topic_id, ctx.language) for e in ties if e.kind == "learns"]:
        parts.append(Entry(title=t("Would like to learn"), lines=(t.listed(wanted),)))
    return parts


def _knows_line(ctx: Context, tie: Expertise) -> str:
    line = ctx.known.vocabulary.name(tie.topic_id, ctx.language)
    if tie.endorsements:
        line += " · " + ctx.t.many("one endorsement", "{number} endorsements", tie.endorsements)
    return line


async def _next_acts(ctx: Context, person: Member, knows: Sequence[Expertise]) -> list[Button]:
    t = ctx.t
    if person.id == ctx.member.id:
        return [
            Button(t("Edit my profile"), "profile edit", "primary"),
            Button(t("Settings"), "settings"),
        ]
    given = await directory.endorsed_by(ctx.session, person.id, ctx.member.id) if knows else set()
    name = ctx.known.vocabulary.name
    acts = [
        Button(
            t("Endorse: {topic}", topic=name(e.topic_id, ctx.language)),
            f"endorse {person.id} {ctx.known.topics[e.topic_id].slug}",
        )
        for e in knows
        if e.topic_id not in given
    ][:3]
    acts.insert(0, introduce_me(t, person))
    acts += [
        Button(
            t("Take back: {topic}", topic=name(key, ctx.language)),
            f"endorse {person.id} {ctx.known.topics[key].slug} withdraw:yes",
        )
        for key in sorted(given)[:2]
    ]
    if person.city:
        acts.append(Button(person.city.name[:70], f"city {person.city.slug}"))
    acts.append(Button(t("Report"), f"report {person.id}"))
    return acts
