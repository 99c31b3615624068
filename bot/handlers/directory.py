"""The directory: find people by topic."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from bot.cards import (
    Button,
    Buttons,
    Card,
    Choice,
    Divider,
    Entry,
    Note,
    Option,
    Part,
    Text,
)
from bot.commands import MEMBER, Context, Spelled, command
from bot.community.people import places, portraits, ranking
from bot.community.people import topics as topics_of
from bot.domain import phrases
from bot.domain.ranges import parse_range
from bot.domain.ranking import JointRank, join_ranks, rank
from bot.domain.topics import TopicReading
from bot.errors import InvalidArgumentError
from bot.i18n import LANGUAGE_NAMES
from bot.parsing import HiddenField, Language, Suggestions, shorten
from db import directory, search
from db.directory import CandidateRow, PeopleFilter
from db.members import Member
from db.talks import Ongoing

PAGE_SIZE = 5
"""People on one page of results."""


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
    """List the people who know a topic, or several at once, best rank first.

    The topic may be given by a part of its name. Other words search the text of profiles.
    """
    if not ask.place:
        topic, place = places.split_place(ctx, ask.topic)
        ask = ask.model_copy(update={"topic": topic, "place": place})
    try:
        where = _parse_filters(ctx, ask)
    except InvalidArgumentError as misfit:
        misfit.parsed_values = {"topic": (ask.topic,), "place": (ask.place or "",)}
        raise
    readings = ctx.reference.topic_reader.read(ask.topic)
    if not readings or any(reading.precision == "guess" for reading in readings):
        if found := await _find_mentions(ctx, ask, where):
            return await _mentions_card(ctx, ask, found, readings)
        if not readings:
            return _not_found_card(ctx, ask)
    unclear = next((reading for reading in readings if len(reading.keys) > 1), None)
    if unclear:
        return await _topic_choice_card(ctx, ask, readings, unclear)
    keys = tuple(dict.fromkeys(reading.keys[0] for reading in readings))
    people, ranked = await _rank_people(ctx, keys, where)
    if not ranked:
        return _no_match_card(ctx, ask, readings, keys)
    return await _people_card(ctx, ask, readings, people, ranked)


async def _rank_people(
    ctx: Context, topics: Sequence[int], where: PeopleFilter
) -> tuple[dict[int, CandidateRow], list[JointRank]]:
    """Return the people who know some of the topics by number, and their ranks; not the asker."""
    found = await directory.list_candidates(ctx.session, topics, ctx.member.city_id, where)
    ranked = {
        topic: rank(
            ranking.build_candidates(
                ctx, (one for one in found if one.topic_id == topic and one.id != ctx.member.id)
            ),
            ctx.now,
        )
        for topic in topics
    }
    return {one.id: one for one in found}, join_ranks(ranked)


async def _people_card(
    ctx: Context,
    ask: WhoDoes,
    readings: Sequence[TopicReading],
    people: Mapping[int, CandidateRow],
    ranked: Sequence[JointRank],
) -> Card:
    """Render one page of people; of several topics, each person's own are named."""
    start = (ask.page - 1) * PAGE_SIZE
    page = ranked[start : start + PAGE_SIZE]
    several = len(readings) > 1
    ongoing = await portraits.load_ongoing(ctx, [people[one.key] for one in page])
    return Card(
        title=_who_does_title(ctx, readings),
        parts=(
            *_interpretation_note(ctx, ask, readings),
            *(_shared_topics_note(ctx, readings, ranked) if several else ()),
            *(_person_entry(ctx, people[one.key], one, ongoing, several=several) for one in page),
            *_next_page_parts(ctx, ask, len(ranked) > start + PAGE_SIZE),
        ),
        footer=portraits.footer(ctx.t, (people[one.key] for one in page)),
    )


def _who_does_title(ctx: Context, readings: Sequence[TopicReading]) -> str:
    return ctx.t("Who does {topic}", topic=ctx.t.listed(_topic_names(ctx, readings)))


def _topic_names(ctx: Context, readings: Sequence[TopicReading]) -> list[str]:
    name = ctx.reference.vocabulary.name
    return [name(reading.keys[0], ctx.language) for reading in readings]


def _shared_topics_note(
    ctx: Context, readings: Sequence[TopicReading], ranked: Sequence[JointRank]
) -> list[Part]:
    """Say how many know all of the topics: they come first."""
    t = ctx.t
    number = sum(len(one.ranks) == len(readings) for one in ranked)
    if not number:
        return [Note(t("Nobody lists all of these topics yet. These people know some of them."))]
    return [
        Note(
            t.many(
                "One person knows all of these topics and comes first.",
                "{number} people know all of these topics and come first.",
                number,
            )
        )
    ]


def _person_entry(
    ctx: Context,
    person: CandidateRow,
    one: JointRank,
    ongoing: Mapping[int, Ongoing],
    *,
    several: bool,
) -> Entry:
    best, rank_there = one.ranks[0]
    note = ranking.reasons_line(ctx.t, rank_there)
    if several:
        names = [ctx.reference.vocabulary.name(topic, ctx.language) for topic in one.topics]
        note = f"{ctx.t.listed(names)} · {note}"
    slug = _topic_slug(ctx, best)
    why = Button(ctx.t("Why?"), f"why {one.key} {slug}")
    return portraits.list_entry(
        ctx, person, note, (why,), slug, is_reachable=person.is_reachable, ongoing=ongoing
    )


async def _topic_choice_card(
    ctx: Context, ask: WhoDoes, readings: Sequence[TopicReading], unclear: TopicReading
) -> Card:
    """Ask which topic is meant: the words stand in the names of several.

    Each choice asks the whole question again: the filters and the other topics stay.
    """
    t = ctx.t
    values = {}
    for key in unclear.keys:
        topics = (_topic_slug(ctx, key) if one is unclear else one.text for one in readings)
        values[key] = _repeat_command(ask, topic=", ".join(topics))
    options = await topics_of.list_options(ctx, unclear.keys, values)
    first, more = options[: topics_of.MAX_CHOICES], options[topics_of.MAX_CHOICES :][:25]
    parts: list[Part] = [
        Text(topics_of.describe_choice(ctx, unclear.text, [unclear])),
        Buttons(tuple(Button(one.label, one.value) for one in first)),
    ]
    if more:
        parts.append(Choice(t("More topics"), more))
    return Card(title=t("Which topic do you mean?"), parts=tuple(parts))


def _parse_filters(ctx: Context, ask: WhoDoes) -> PeopleFilter:
    """Return the filters as cities and a language.

    Raises InvalidArgumentError for an unknown place or an unreadable range of inhabitants.
    """
    known = ctx.reference.gazetteer
    cities: frozenset[int] | None = None
    if ask.place:
        cities = frozenset().union(*(a.keys for a in places.find_areas(ctx, ask.place)))
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


def _interpretation_note(
    ctx: Context, ask: WhoDoes, readings: Sequence[TopicReading]
) -> list[Part]:
    """Return one quiet line on how words were understood, but for exact names and no filters."""
    said = [
        ctx.t("I read «{text}» as {topic}.", text=shorten(reading.text), topic=name)
        for reading, name in zip(readings, _topic_names(ctx, readings), strict=True)
        if reading.precision != "exact"
    ]
    if narrowed := _format_filters(ctx, ask):
        said.append(narrowed)
    return [Text(" ".join(said), quiet=True)] if said else []


def _format_filters(ctx: Context, ask: WhoDoes) -> str:
    t = ctx.t
    where = places.find_areas(ctx, ask.place) if ask.place else ()
    labels = {"silver": "Silver", "gold": "Gold", "platinum": "Platinum"}
    parts = (
        t("Place: {place}", place=places.describe_areas(ctx, where)) if where else "",
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


def _repeat_command(ask: WhoDoes, page: int = 1, *, topic: str = "", filters: bool = True) -> str:
    """Return the same search as a command line of at most 100 characters, for a button."""
    words = f"who-does {topic or ask.topic}"
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


def _no_match_card(
    ctx: Context, ask: WhoDoes, readings: Sequence[TopicReading], keys: Sequence[int]
) -> Card:
    """Say that nobody was found; offer a search without filters, and topics of the same area."""
    t, known = ctx.t, ctx.reference
    areas = {known.topics[key].area_id for key in keys}
    near = [k for k, topic in known.topics.items() if topic.area_id in areas and k not in keys]
    said = _interpretation_note(ctx, ask, readings)
    nobody = t("No one in the directory lists this as their work yet.")
    parts: list[Part] = [Note(nobody, "warning"), *said]
    if _format_filters(ctx, ask):
        parts = [
            Note(t("No one matches all of that."), "warning"),
            *said,
            Buttons((Button(t("Everyone, everywhere"), _repeat_command(ask, filters=False)),)),
        ]
    parts.append(_topic_choice(ctx, near[:25]))
    return Card(title=_who_does_title(ctx, readings), parts=tuple(parts))


def _topic_choice(ctx: Context, topics: Sequence[int]) -> Part:
    name = ctx.reference.vocabulary.name
    options = [Option(name(k, ctx.language), f"who-does {_topic_slug(ctx, k)}") for k in topics]
    if not options:
        return Buttons((Button(ctx.t("All topics"), "topics"),))
    return Choice(ctx.t("Related topics"), tuple(options))


async def _find_mentions(ctx: Context, ask: WhoDoes, where: PeopleFilter) -> list[Member]:
    """Return the people whose visible profile contains all words, best first; not the asker."""
    ids = await search.find_refs(
        ctx.session, "member", ask.topic, ctx.member.city_id, directory.COMMUNITY_LIMIT
    )
    found = await directory.load_in_order(ctx.session, ids, where) if ids else ()
    return [person for person in found if person.id != ctx.member.id]


async def _mentions_card(
    ctx: Context, ask: WhoDoes, found: Sequence[Member], near: Sequence[TopicReading]
) -> Card:
    """List people who mention the words; `near` are topics with similar words, as buttons."""
    t = ctx.t
    start = (ask.page - 1) * PAGE_SIZE
    shown = found[start : start + PAGE_SIZE]
    ongoing = await portraits.load_ongoing(ctx, shown)
    if near:
        said = t("I searched profiles for these words. Some topics come close:")
        keys = [key for reading in near for key in reading.keys][:3]
        topics: list[Part] = [_topic_buttons(ctx, ask, keys)]
    else:
        said, topics = t("This isn't one of our topics, so I searched profiles."), []
    return Card(
        title=t("People who mention «{text}»", text=shorten(ask.topic)),
        parts=(
            Text(said, quiet=True),
            *topics,
            *(portraits.list_entry(ctx, p, _bio_line(ctx, p), ongoing=ongoing) for p in shown),
            *_next_page_parts(ctx, ask, len(found) > start + PAGE_SIZE),
        ),
        footer=portraits.footer(t, shown),
    )


def _topic_buttons(ctx: Context, ask: WhoDoes, keys: Iterable[int]) -> Buttons:
    """Return a button for each topic that asks the question about it, with the same filters."""
    name = ctx.reference.vocabulary.name
    return Buttons(
        tuple(
            Button(name(key, ctx.language), _repeat_command(ask, topic=_topic_slug(ctx, key)))
            for key in keys
        )
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
