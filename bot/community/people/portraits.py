"""Renders a person on a card: as far as the reader may see, and alike on every card."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from bot.cards import Button, Buttons, Card, Entry, Fact, Facts, Note, Part, Text
from bot.commands import Context
from bot.community.people.places import workplace
from bot.community.people.ranking import format_month
from bot.domain.ranking import FRESH_FOR_DAYS
from bot.i18n import LANGUAGE_NAMES, Translator
from db import directory, endorsements, talks
from db.cities import City
from db.directory import Expertise
from db.members import Member, Person, is_field_visible
from db.talks import Ongoing

NOBODY: Mapping[int, Ongoing] = MappingProxyType({})


def language_names(person: Person) -> str:
    """Return the languages a person speaks, each by its own name, separated by commas."""
    return ", ".join(LANGUAGE_NAMES.get(code, code) for code in person.spoken.split())


def badge(t: Translator, person: Person) -> str:
    """Return the badge of a person who was invented for the demo; empty for others."""
    return t("invented") if person.synthetic else ""


def footer(t: Translator, people: Iterable[Person]) -> str:
    """Return the footer of a card that shows invented people; empty if none of them is."""
    if any(p.synthetic for p in people):
        return t("Demo: the people are invented, the cities are real.")
    return ""


def person_entry(t: Translator, person: Member, viewer: Member | None, note: str = "") -> Entry:
    """Render one person as far as the viewer may see them, without buttons."""
    return _render_entry(t, person, person.city, viewer, note)


def _render_entry(
    t: Translator, person: Person, city: City | None, viewer: Member | None, note: str
) -> Entry:
    title = person.title if is_field_visible(person, "title", viewer) else ""
    spoken = language_names(person) if is_field_visible(person, "languages", viewer) else ""
    where = " · ".join(filter(None, (workplace(t, city), spoken)))
    lines = tuple(filter(None, (title, where)))
    return Entry(title=person.name, badge=badge(t, person), lines=lines, note=note)


def list_entry(
    ctx: Context,
    person: Person,
    note: str = "",
    extra_buttons: Sequence[Button] = (),
    topic_slug: str = "",
    *,
    is_reachable: bool = True,
    ongoing: Mapping[int, Ongoing] = NOBODY,
) -> Entry:
    """Render one person in a list, with buttons; `topic_slug` is the topic they were found by.

    `ongoing`: the reader's open conversations, as `talks.load_ongoing` returns them. Nobody is
    offered an introduction to a person whom the hub cannot write to.
    """
    buttons = [Button(ctx.t("Profile"), f"who-is {person.id}"), *extra_buttons]
    if ctx.viewer and ctx.viewer.id != person.id and (is_reachable or person.id in ongoing):
        buttons.insert(0, meet_button(ctx.t, person, ongoing, topic_slug))
    city = ctx.reference.cities.get(person.city_id or 0)
    return replace(_render_entry(ctx.t, person, city, ctx.viewer, note), buttons=tuple(buttons))


def meet_button(
    t: Translator, person: Person, ongoing: Mapping[int, Ongoing], topic_slug: str = ""
) -> Button:
    """Return the button to the reader's open conversation with a person, else to meet them."""
    if found := ongoing.get(person.id):
        return conversation_button(t("You already talk"), found)
    words = f"intro {person.id} about:{topic_slug}" if topic_slug else f"intro {person.id}"
    return Button(t("Introduce me"), words, "primary")


async def load_ongoing(ctx: Context, people: Iterable[Person]) -> dict[int, Ongoing]:
    """Return the reader's open conversations with these people, by member number."""
    ids = {person.id for person in people}
    return await talks.load_ongoing(ctx.session, ctx.member.id, ctx.now, ids)


def conversation_button(label: str, found: Ongoing) -> Button:
    """Return the button that leads to an open conversation."""
    if found.relay_id:
        return Button(label, f"relay show {found.relay_id}")
    return Button(label, f"intro slot {found.talk_id}")


def local_time(t: Translator, person: Member, now: datetime) -> str:
    """Format the present time in a person's zone."""
    return t.time(now.astimezone(ZoneInfo(person.zone)))


def confirm_profile_parts(ctx: Context, person: Member) -> list[Part]:
    """Ask whether the profile is still right; empty if it was confirmed within half a year."""
    if (ctx.now - person.confirmed_at).days <= FRESH_FOR_DAYS:
        return []
    since = ctx.t.ago(person.confirmed_at, ctx.now)
    return [
        Note(ctx.t("You last confirmed your profile {when}. Is it still right?", when=since)),
        Buttons(
            (
                Button(ctx.t("Still up to date"), "profile confirm", "primary"),
                Button(ctx.t("Edit my profile"), "profile edit"),
            )
        ),
    ]


async def profile_card(ctx: Context, person: Member, note: str = "") -> Card:
    """Render all that the asker may see of a person, with buttons; `note` is shown on top."""
    t = ctx.t
    ties = await directory.list_expertise(ctx.session, person.id)
    topics_seen = person.is_field_visible("topics", ctx.viewer)
    knows = [e for e in ties if e.kind == "knows"] if topics_seen else []
    parts: list[Part] = [Note(note, "good")] if note else []
    if person.id == ctx.member.id:
        parts += confirm_profile_parts(ctx, person)
    if person.title and person.is_field_visible("title", ctx.viewer):
        parts.append(Text(person.title))
    parts.append(Facts(tuple(_profile_facts(ctx, person))))
    if person.bio and person.is_field_visible("bio", ctx.viewer):
        parts.append(Text(person.bio))
    parts += _knowledge_parts(ctx, person, ties if topics_seen else [])
    parts.append(Buttons(tuple(await _next_buttons(ctx, person, knows))))
    return Card(
        title=person.name,
        parts=tuple(parts),
        footer=footer(t, [person]),
    )


def _profile_facts(ctx: Context, person: Member) -> list[Fact]:
    t, now = ctx.t, ctx.now
    facts = [Fact(t("City"), workplace(t, person.city))]
    if person.is_field_visible("languages", ctx.viewer):
        facts.append(Fact(t("Speaks"), language_names(person)))
    if person.is_field_visible("hours", ctx.viewer):
        facts.append(Fact(t("Working hours"), f"{person.hours_from}–{person.hours_to}"))
    facts.append(Fact(t("Local time"), local_time(t, person, now)))
    if person.is_full(format_month(now)):
        open_line = t("Full this month")
    else:
        open_line = t("Yes, gladly") if person.open_to_questions else t("Not now")
    facts.append(Fact(t("Open to questions"), open_line))
    facts.append(Fact(t("Profile confirmed"), t.ago(person.confirmed_at, now)))
    return facts


def _knowledge_parts(ctx: Context, person: Member, ties: Sequence[Expertise]) -> list[Part]:
    t, name = ctx.t, ctx.reference.vocabulary.name
    known = [e for e in ties if e.kind == "knows"]
    parts: list[Part] = []
    if known:
        lines = tuple(_knows_line(ctx, e) for e in known[:12])
        parts.append(Entry(title=t("Knows"), lines=lines))
    if wanted := [name(e.topic_id, ctx.language) for e in ties if e.kind == "learns"]:
        parts.append(Entry(title=t("Wants to learn"), lines=(t.listed(wanted),)))
    return parts


def _knows_line(ctx: Context, tie: Expertise) -> str:
    line = ctx.reference.vocabulary.name(tie.topic_id, ctx.language)
    if tie.endorsements:
        line += " · " + ctx.t.many("one endorsement", "{number} endorsements", tie.endorsements)
    return line


async def _next_buttons(ctx: Context, person: Member, knows: Sequence[Expertise]) -> list[Button]:
    t = ctx.t
    if person.id == ctx.member.id:
        return [
            Button(t("Edit my profile"), "profile edit", "primary"),
            Button(t("Settings"), "settings"),
        ]
    given = (
        await endorsements.list_endorsed_topics(ctx.session, person.id, ctx.member.id)
        if knows
        else set()
    )
    name = ctx.reference.vocabulary.name
    acts = [
        Button(
            t("Endorse: {topic}", topic=name(e.topic_id, ctx.language)),
            f"endorse {person.id} {ctx.reference.topics[e.topic_id].slug}",
        )
        for e in knows
        if e.topic_id not in given
    ][:3]
    ongoing = await load_ongoing(ctx, [person])
    acts.insert(0, meet_button(t, person, ongoing))
    acts += [
        Button(
            t("Remove endorsement: {topic}", topic=name(key, ctx.language)),
            f"endorse {person.id} {ctx.reference.topics[key].slug} withdraw:yes",
        )
        for key in sorted(given)[:2]
    ]
    if person.city:
        acts.append(Button(person.city.name[:70], f"city {person.city.slug}"))
    acts.append(Button(t("Report"), f"report {person.id}"))
    return acts
