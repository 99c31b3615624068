"""The directory: who does what, and who somebody is."""

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
from bot.commands import MEMBER, Context, command, completion
from bot.community.people import finding, places, portraits, ranking
from bot.domain.ranges import read_range
from bot.domain.ranking import rank
from bot.domain.vocabulary import Hit
from bot.errors import Misfit
from bot.i18n import NAMES
from bot.parsing import Hidden, Labels, Suggest, fold, short
from db import directory, search
from db.directory import Contender, Where
from db.members import Member

PAGE = 5
Language = Annotated[Literal["en", "es", "pt", "fr"], Labels(NAMES)]


class WhoDoes(BaseModel):
    """Find who works on something"""

    topic: Annotated[str, Suggest("topic")] = Field(
        min_length=2, max_length=80, title="Topic", description="For example: open data"
    )
    place: Annotated[str | None, Suggest("place")] = Field(
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
    page: Annotated[int, Hidden()] = Field(default=1, ge=1, le=12, title="Page")


@command("who-does", allow=MEMBER, room="daily", example="who-does open data in:mexico")
async def who_does(ctx: Context, ask: WhoDoes) -> Card:
    """Ranked people for a topic, in any of its names; other words search profiles."""
    where = _where(ctx, ask)
    hit = ctx.known.vocabulary.find(ask.topic)
    if hit is None:
        return await _mentioning(ctx, ask, where)
    found = await _contenders(ctx, hit.key, where)
    ranked = rank(ranking.candidates(ctx, found.values()), ctx.now)
    if not ranked:
        return _nobody_knows(ctx, ask, hit)
    name = ctx.known.vocabulary.name(hit.key, ctx.language)
    start = (ask.page - 1) * PAGE
    page = ranked[start : start + PAGE]
    entries = [
        portraits.entry(
            ctx,
            found[one.key],
            ranking.in_short(ctx.t, one),
            (Button(ctx.t("Why?"), f"why {one.key} {_slug(ctx, hit.key)}"),),
            _slug(ctx, hit.key),
        )
        for one in page
    ]
    more = len(ranked) > start + PAGE
    return Card(
        title=ctx.t("Who does {topic}", topic=name),
        parts=(*_understood(ctx, ask, hit, name), *entries, *_onward(ctx, ask, more)),
        footer=portraits.footer(ctx.t, (found[one.key] for one in page)),
    )


async def _contenders(ctx: Context, topic: int, where: Where) -> dict[int, Contender]:
    """Everybody to be ranked by member: colleagues and the community, without the asker."""
    found = await directory.contenders(ctx.session, topic, ctx.member.city_id, where)
    return {one.id: one for one in found if one.id != ctx.member.id}


def _where(ctx: Context, ask: WhoDoes) -> Where:
    """The filters as cities and a language; raises `Misfit` for a place or range not known."""
    known = ctx.known.gazetteer
    cities: frozenset[int] | None = None
    if ask.place:
        cities = known.place(ask.place)
        if not cities:
            near = [ctx.known.cities[key] for key in known.near(ask.place)]
            raise Misfit(
                ctx.t("I know no place called «{place}».", place=short(ask.place)),
                name="place",
                choices=tuple(Option(places.city_place(ctx.t, c), c.place) for c in near),
            )
    least, most = _range(ctx, ask.population)
    if ask.level or least is not None or most is not None:
        fitting = known.having(ask.level or "", least, most)
        cities = fitting if cities is None else cities & fitting
    return Where(cities, ask.speaks or "")


def _range(ctx: Context, text: str | None) -> tuple[int | None, int | None]:
    if not text:
        return None, None
    found = read_range(text)
    if found is None:
        raise Misfit(
            ctx.t(
                "I cannot read «{text}» as a size; write it like 100k-500k, >1m or <50k.",
                text=short(text),
            ),
            name="population",
        )
    return found


def _understood(ctx: Context, ask: WhoDoes, hit: Hit, name: str) -> list[Part]:
    """One quiet line about how the words were taken, when that is not plain to see."""
    said = []
    if hit.how == "close":
        said.append(ctx.t("I read «{text}» as {topic}.", text=short(ask.topic), topic=name))
    if narrowed := _filters(ctx, ask):
        said.append(narrowed)
    return [Text(" ".join(said), quiet=True)] if said else []


def _filters(ctx: Context, ask: WhoDoes) -> str:
    t = ctx.t
    labels = {"silver": "Silver", "gold": "Gold", "platinum": "Platinum"}
    parts = (
        ask.place and t("Place: {place}", place=ask.place),
        ask.level and t("Level: {level}", level=t(labels[ask.level])),
        ask.speaks and t("Language: {language}", language=NAMES[ask.speaks]),
        ask.population and t("City size: {size}", size=ask.population),
    )
    return " · ".join(filter(None, parts))


def _onward(ctx: Context, ask: WhoDoes, more: bool) -> list[Part]:
    buttons = []
    if more:
        buttons.append(Button(ctx.t("More people"), _again(ask, page=ask.page + 1)))
    buttons.append(Button(ctx.t("All topics"), "topics"))
    return [Divider(), Buttons(tuple(buttons))]


def _again(ask: WhoDoes, page: int = 1, *, filters: bool = True) -> str:
    """The same question as words, cut to what a button can carry."""
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


def _slug(ctx: Context, topic: int) -> str:
    return ctx.known.topics[topic].slug


def _nobody_knows(ctx: Context, ask: WhoDoes, hit: Hit) -> Card:
    """Honest emptiness: without the filters, or the topics beside this one."""
    t, known = ctx.t, ctx.known
    area = known.topics[hit.key].area_id
    near = [k for k, topic in known.topics.items() if topic.area_id == area and k != hit.key]
    parts: list[Part] = [
        Note(t("Nobody in the directory shows that they work on this yet."), "warning")
    ]
    if _filters(ctx, ask):
        name = known.vocabulary.name(hit.key, ctx.language)
        parts = [Note(t("Nobody fits all of that."), "warning"), *_understood(ctx, ask, hit, name)]
        parts.append(Buttons((Button(t("Everybody, anywhere"), _again(ask, filters=False)),)))
    parts.append(_topic_choice(ctx, near[:25]))
    return Card(
        title=t("Who does {topic}", topic=known.vocabulary.name(hit.key, ctx.language)),
        parts=tuple(parts),
    )


def _topic_choice(ctx: Context, topics: Sequence[int]) -> Part:
    name = ctx.known.vocabulary.name
    options = [Option(name(k, ctx.language), f"who-does {_slug(ctx, k)}") for k in topics]
    if not options:
        return Buttons((Button(ctx.t("All topics"), "topics"),))
    return Choice(ctx.t("Topics close to it"), tuple(options))


async def _mentioning(ctx: Context, ask: WhoDoes, where: Where) -> Card:
    """People whose profile holds the words; else the nearest topics."""
    ids = await search.matching(
        ctx.session, "member", ask.topic, ctx.member.city_id, directory.POOL
    )
    found = [p for p in await directory.found(ctx.session, ids, where) if p.id != ctx.member.id]
    if not found:
        return _nothing(ctx, ask)
    start = (ask.page - 1) * PAGE
    shown = found[start : start + PAGE]
    return Card(
        title=ctx.t("People who mention «{text}»", text=short(ask.topic)),
        parts=(
            Text(ctx.t("This is not one of our topics, so I searched profiles."), quiet=True),
            *(portraits.entry(ctx, p, _bio_line(ctx, p)) for p in shown),
            *_onward(ctx, ask, len(found) > start + PAGE),
        ),
        footer=portraits.footer(ctx.t, shown),
    )


def _bio_line(ctx: Context, person: Member) -> str:
    bio = person.bio if person.shows("bio", ctx.viewer) else ""
    return bio if len(bio) <= 140 else bio[:139] + "…"


def _nothing(ctx: Context, ask: WhoDoes) -> Card:
    t, vocabulary = ctx.t, ctx.known.vocabulary
    near = [vocabulary.name(hit.key, ctx.language) for hit in vocabulary.near(ask.topic)]
    text = t("I found no topic and nobody for «{text}».", text=short(ask.topic))
    if near:
        text += " " + t("Did you mean one of these?")
    buttons = [Button(name, f"who-does {name}"[:100]) for name in near]
    return Card(
        title=t("Nobody found"),
        parts=(
            Note(text, "warning"),
            Buttons((*buttons, Button(t("All topics"), "topics"))),
        ),
        tone="warning",
    )


# --- who-is -----------------------------------------------------------------------------------


class WhoIs(BaseModel):
    """See a colleague's profile"""

    person: Annotated[str, Suggest("person")] = Field(
        min_length=1, max_length=80, title="Person", description="A name or @mention"
    )


@command("who-is", allow=MEMBER, room="daily", example="who-is Maya Chen")
async def who_is(ctx: Context, ask: WhoIs) -> Card:
    """The profile of one person, or the people of that name."""
    found = await finding.find(ctx, ask.person)
    if len(found) > 1:
        return Card(
            title=ctx.t("People called «{name}»", name=short(ask.person)),
            parts=tuple(portraits.entry(ctx, p) for p in found[:8]),
            footer=portraits.footer(ctx.t, found[:8]),
        )
    return await portraits.profile(ctx, found[0])


# --- completions ------------------------------------------------------------------------------


@completion("topic")
async def topics_beginning(ctx: Context, typed: str) -> list[Option]:
    """Topics by any of their names, shown in the reader's language."""
    vocabulary = ctx.known.vocabulary
    keys = vocabulary.beginning(typed, ctx.language)
    names = [vocabulary.name(key, ctx.language) for key in keys]
    return [Option(name, name) for name in names]


@completion("place")
async def places_beginning(ctx: Context, typed: str) -> list[Option]:
    """Countries, regions and cities."""
    t, wanted = ctx.t, fold(typed)
    regions = [
        Option(t.locale.territories.get(code, t(names[0])), names[0])
        for code, names in ctx.known.gazetteer.places()
        if any(wanted in fold(name) for name in names)
    ]
    cities = (ctx.known.cities[key] for key in ctx.known.gazetteer.beginning(typed))
    return [*regions, *(Option(places.city_place(t, c), c.place) for c in cities)]


@completion("person")
async def people_beginning(ctx: Context, typed: str) -> list[Option]:
    """People by name, own city first; the value is the id, so that namesakes stay apart."""
    if len(typed) < 2:
        return []
    found = await directory.named(ctx.session, typed, ctx.member, limit=20)
    return [Option(f"{p.name}, {places.place(ctx.t, p.city)}"[:75], str(p.id)) for p in found]
