"""The directory: find people by topic, and see the profile of one person."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from bot.cards import (
    Button,
    Buttons,
    Card,
    Choice,
    Divider,
    Note,
    Option,
    Part,
    Text,
)
from bot.commands import MEMBER, Context, Spelled, command, completion
from bot.community.people import finding, places, portraits, ranking
from bot.domain import phrases
from bot.domain.ranges import parse_range
from bot.domain.ranking import rank
from bot.domain.vocabulary import Hit
from bot.errors import InvalidArgumentError
from bot.i18n import LANGUAGE_NAMES
from bot.parsing import HiddenField, Labels, Suggestions, fold_text, shorten
from db import directory, search
from db.directory import CandidateRow, PeopleFilter
from db.members import Member

PAGE_SIZE = 5
"""People on one page of results."""

Language = Annotated[Literal["en", "es", "pt", "fr"], Labels(LANGUAGE_NAMES)]


class WhoDoes(BaseModel):
    """Find who works on something"""

    topic: Annotated[str, Suggestions("topic")] = Field(
        min_length=2, max_length=80, title="Topic", description="For example: open data"
    )
    place: Annotated[str | None, Suggestions("place")] = Field(
        default=None,
        alias="in",
        max_length=80,
        title="Where",
        description="A country, region or city, for example: mexico",
    )
    level: Literal["silver", "gold", "platinum"] | None = Field(
        default=None, title="Certification level"
    )
    speaks: Language | None = Field(default=None, title="Language they speak")
    population: str | None = Field(
        default=None,
        alias="pop",
        max_length=40,
        title="Size of their city",
        description="For example: 100k-500k",
    )
    page: Annotated[int, HiddenField()] = Field(default=1, ge=1, le=12, title="Page")


@command(
    "who-does",
    allow=MEMBER,
    room="daily",
    spelled=Spelled("quien-hace|quienes-hacen", "quem-faz", "qui-fait"),
    phrases=phrases.WHO_DOES,
    example="who-does open data in:mexico",
)
async def who_does(ctx: Context, ask: WhoDoes) -> Card:
    """List the people who know a topic, best rank first.

    The topic may be given by any of its names. Other words search the text of profiles.
    """
    where = _parse_filters(ctx, ask)
    hit = ctx.reference.vocabulary.find(ask.topic)
    if hit is None:
        return await _search_profiles(ctx, ask, where)
    found = await _load_candidates(ctx, hit.key, where)
    ranked = rank(ranking.build_candidates(ctx, found.values()), ctx.now)
    if not ranked:
        return _no_match_card(ctx, ask, hit)
    name = ctx.reference.vocabulary.name(hit.key, ctx.language)
    start = (ask.page - 1) * PAGE_SIZE
    page = ranked[start : start + PAGE_SIZE]
    entries = [
        portraits.list_entry(
            ctx,
            found[one.key],
            ranking.reasons_line(ctx.t, one),
            (Button(ctx.t("Why?"), f"why {one.key} {_topic_slug(ctx, hit.key)}"),),
            _topic_slug(ctx, hit.key),
        )
        for one in page
    ]
    more = len(ranked) > start + PAGE_SIZE
    return Card(
        title=ctx.t("Who does {topic}", topic=name),
        parts=(
            *_interpretation_note(ctx, ask, hit, name),
            *entries,
            *_next_page_parts(ctx, ask, more),
        ),
        footer=portraits.footer(ctx.t, (found[one.key] for one in page)),
    )


async def _load_candidates(
    ctx: Context, topic: int, where: PeopleFilter
) -> dict[int, CandidateRow]:
    """Return the people to rank by member number: colleagues and the community, not the asker."""
    found = await directory.list_candidates(ctx.session, topic, ctx.member.city_id, where)
    return {one.id: one for one in found if one.id != ctx.member.id}


def _parse_filters(ctx: Context, ask: WhoDoes) -> PeopleFilter:
    """Return the filters as cities and a language.

    Raises InvalidArgumentError for an unknown place or an unreadable range of inhabitants.
    """
    known = ctx.reference.gazetteer
    cities: frozenset[int] | None = None
    if ask.place:
        cities = known.find_in_place(ask.place)
        if not cities:
            near = [ctx.reference.cities[key] for key in known.find_near(ask.place)]
            raise InvalidArgumentError(
                ctx.t("I don't know a place called «{place}».", place=shorten(ask.place)),
                name="place",
                choices=tuple(Option(places.city_place(ctx.t, c), c.place) for c in near),
            )
    least, most = _parse_population(ctx, ask.population)
    if ask.level or least is not None or most is not None:
        fitting = known.filter_cities(ask.level or "", least, most)
        cities = fitting if cities is None else cities & fitting
    return PeopleFilter(cities, ask.speaks or "")


def _parse_population(ctx: Context, text: str | None) -> tuple[int | None, int | None]:
    if not text:
        return None, None
    found = parse_range(text)
    if found is None:
        raise InvalidArgumentError(
            ctx.t(
                "I can't read «{text}» as a size. Try 100k-500k, >1m, or <50k.",
                text=shorten(text),
            ),
            name="population",
        )
    return found


def _interpretation_note(ctx: Context, ask: WhoDoes, hit: Hit, name: str) -> list[Part]:
    """Return one quiet line on how the words were understood, if that is not obvious.

    It is obvious for the exact name of a topic without filters.
    """
    said = []
    if hit.precision == "close":
        said.append(ctx.t("I read «{text}» as {topic}.", text=shorten(ask.topic), topic=name))
    if narrowed := _format_filters(ctx, ask):
        said.append(narrowed)
    return [Text(" ".join(said), quiet=True)] if said else []


def _format_filters(ctx: Context, ask: WhoDoes) -> str:
    t = ctx.t
    labels = {"silver": "Silver", "gold": "Gold", "platinum": "Platinum"}
    parts = (
        ask.place and t("Place: {place}", place=ask.place),
        ask.level and t("Level: {level}", level=t(labels[ask.level])),
        ask.speaks and t("Language: {language}", language=LANGUAGE_NAMES[ask.speaks]),
        ask.population and t("City size: {size}", size=ask.population),
    )
    return " · ".join(filter(None, parts))


def _next_page_parts(ctx: Context, ask: WhoDoes, has_more: bool) -> list[Part]:
    buttons = []
    if has_more:
        buttons.append(Button(ctx.t("More people"), _repeat_command(ask, page=ask.page + 1)))
    buttons.append(Button(ctx.t("All topics"), "topics"))
    return [Divider(), Buttons(tuple(buttons))]


def _repeat_command(ask: WhoDoes, page: int = 1, *, filters: bool = True) -> str:
    """Return the same search as a command line of at most 100 characters, for a button."""
    words = f"who-does {ask.topic}"
    if filters:
        for key, value in (
            ("in", ask.place),
            ("level", ask.level),
            ("speaks", ask.speaks),
            ("pop", ask.population),
        ):
            if value:
                words += f' {key}:"{value}"' if " " in value else f" {key}:{value}"
    if page > 1:
        words += f" page:{page}"
    return words[:100] if len(words) > 100 else words


def _topic_slug(ctx: Context, topic: int) -> str:
    return ctx.reference.topics[topic].slug


def _no_match_card(ctx: Context, ask: WhoDoes, hit: Hit) -> Card:
    """Say that nobody was found; offer a search without filters, and topics of the same area."""
    t, known = ctx.t, ctx.reference
    area = known.topics[hit.key].area_id
    near = [k for k, topic in known.topics.items() if topic.area_id == area and k != hit.key]
    parts: list[Part] = [
        Note(t("No one in the directory lists this as their work yet."), "warning")
    ]
    if _format_filters(ctx, ask):
        name = known.vocabulary.name(hit.key, ctx.language)
        parts = [
            Note(t("No one matches all of that."), "warning"),
            *_interpretation_note(ctx, ask, hit, name),
        ]
        parts.append(
            Buttons((Button(t("Everyone, everywhere"), _repeat_command(ask, filters=False)),))
        )
    parts.append(_topic_choice(ctx, near[:25]))
    return Card(
        title=t("Who does {topic}", topic=known.vocabulary.name(hit.key, ctx.language)),
        parts=tuple(parts),
    )


def _topic_choice(ctx: Context, topics: Sequence[int]) -> Part:
    name = ctx.reference.vocabulary.name
    options = [Option(name(k, ctx.language), f"who-does {_topic_slug(ctx, k)}") for k in topics]
    if not options:
        return Buttons((Button(ctx.t("All topics"), "topics"),))
    return Choice(ctx.t("Related topics"), tuple(options))


async def _search_profiles(ctx: Context, ask: WhoDoes, where: PeopleFilter) -> Card:
    """List the people whose profile contains the words; if there are none, the nearest topics."""
    ids = await search.find_refs(
        ctx.session, "member", ask.topic, ctx.member.city_id, directory.COMMUNITY_LIMIT
    )
    found = [
        p for p in await directory.load_in_order(ctx.session, ids, where) if p.id != ctx.member.id
    ]
    if not found:
        return _not_found_card(ctx, ask)
    start = (ask.page - 1) * PAGE_SIZE
    shown = found[start : start + PAGE_SIZE]
    return Card(
        title=ctx.t("People who mention «{text}»", text=shorten(ask.topic)),
        parts=(
            Text(ctx.t("This isn't one of our topics, so I searched profiles."), quiet=True),
            *(portraits.list_entry(ctx, p, _bio_line(ctx, p)) for p in shown),
            *_next_page_parts(ctx, ask, len(found) > start + PAGE_SIZE),
        ),
        footer=portraits.footer(ctx.t, shown),
    )


def _bio_line(ctx: Context, person: Member) -> str:
    bio = person.bio if person.is_field_visible("bio", ctx.viewer) else ""
    return bio if len(bio) <= 140 else bio[:139] + "…"


def _not_found_card(ctx: Context, ask: WhoDoes) -> Card:
    t, vocabulary = ctx.t, ctx.reference.vocabulary
    near = [vocabulary.name(hit.key, ctx.language) for hit in vocabulary.find_near(ask.topic)]
    text = t("I found no topic and nobody for «{text}».", text=shorten(ask.topic))
    if near:
        text += " " + t("Did you mean one of these?")
    buttons = [Button(name, f"who-does {name}"[:100]) for name in near]
    return Card(
        title=t("No one found"),
        parts=(
            Note(text, "warning"),
            Buttons((*buttons, Button(t("All topics"), "topics"))),
        ),
        tone="warning",
    )


# --- who-is -----------------------------------------------------------------------------------


class WhoIs(BaseModel):
    """See a colleague's profile"""

    person: Annotated[str, Suggestions("person")] = Field(
        min_length=1, max_length=80, title="Person", description="A name or @mention"
    )


@command(
    "who-is",
    allow=MEMBER,
    room="daily",
    spelled=Spelled("quien-es", "quem-e", "qui-est"),
    phrases=phrases.WHO_IS,
    example="who-is Maya Chen",
)
async def who_is(ctx: Context, ask: WhoIs) -> Card:
    """Show the profile of one person, or list the people of that name."""
    found = await finding.find_people(ctx, ask.person)
    if len(found) > 1:
        return Card(
            title=ctx.t("People called «{name}»", name=shorten(ask.person)),
            parts=tuple(portraits.list_entry(ctx, p) for p in found[:8]),
            footer=portraits.footer(ctx.t, found[:8]),
        )
    return await portraits.profile_card(ctx, found[0])


# --- completions ------------------------------------------------------------------------------


@completion("topic")
async def complete_topic(ctx: Context, typed: str) -> list[Option]:
    """Complete topics by any of their names; labels are in the reader's language."""
    vocabulary = ctx.reference.vocabulary
    keys = vocabulary.complete(typed, ctx.language)
    names = [vocabulary.name(key, ctx.language) for key in keys]
    return [Option(name, name) for name in names]


@completion("place")
async def complete_place(ctx: Context, typed: str) -> list[Option]:
    """Complete countries, regions and cities, in this order."""
    t, wanted = ctx.t, fold_text(typed)
    regions = [
        Option(t.locale.territories.get(code, t(names[0])), names[0])
        for code, names in ctx.reference.gazetteer.list_places()
        if any(wanted in fold_text(name) for name in names)
    ]
    cities = (ctx.reference.cities[key] for key in ctx.reference.gazetteer.complete(typed))
    return [*regions, *(Option(places.city_place(t, c), c.place) for c in cities)]


@completion("person")
async def complete_person(ctx: Context, typed: str) -> list[Option]:
    """Complete people by name, own city first; the value is the id, which tells namesakes apart."""
    if len(typed) < 2:
        return []
    found = await directory.find_by_name(ctx.session, typed, ctx.member, limit=20)
    return [Option(f"{p.name}, {places.workplace(ctx.t, p.city)}"[:75], str(p.id)) for p in found]
