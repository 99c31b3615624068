"""Cities: everybody sees public facts, members also see people and strengths."""

from collections.abc import Sequence
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from bot.cards import (
    Bar,
    Bars,
    Button,
    Buttons,
    Card,
    Entry,
    Fact,
    Facts,
    Heading,
    Option,
    Part,
    Text,
)
from bot.commands import ANYONE, MEMBER, Context, Spelled, command, completion
from bot.community.people import places, portraits
from bot.domain import phrases
from bot.errors import InvalidArgumentError
from bot.i18n import LANGUAGE_NAMES, Translator
from bot.parsing import Suggestions, shorten
from db import directory
from db.cities import City
from db.members import Member


class CityAsk(BaseModel):
    """See a city: its level, strengths and people"""

    name: Annotated[str, Suggestions("city")] = Field(
        min_length=2, max_length=80, title="City", description="For example: Bogotá"
    )


@command(
    "city",
    allow=ANYONE,
    room="daily",
    spelled=Spelled("ciudad", "cidade", "ville"),
    phrases=phrases.CITY,
    example="city Bogotá",
)
async def city(ctx: Context, ask: CityAsk) -> Card:
    """Show the city of this name.

    Raises InvalidArgumentError with the namesakes, or with similar names if there is no such city.
    """
    known = places.visible_gazetteer(ctx)
    found = [ctx.reference.cities[key] for key in known.find_cities(ask.name)]
    if len(found) == 1:
        return await _city_card(ctx, found[0])
    if found:
        raise InvalidArgumentError(
            ctx.t("There are several cities called «{name}». Which one?", name=shorten(ask.name)),
            name="name",
            choices=tuple(Option(places.city_place(ctx.t, c), c.slug) for c in found[:5]),
        )
    near = [ctx.reference.cities[key] for key in known.find_near(ask.name)]
    raise InvalidArgumentError(
        ctx.t("I don't know a city called «{name}».", name=shorten(ask.name)),
        name="name",
        choices=tuple(Option(places.city_place(ctx.t, c), c.slug) for c in near),
    )


async def _city_card(ctx: Context, one: City) -> Card:
    t = ctx.t
    parts: list[Part] = [Facts(tuple(_city_facts(ctx, one)))]
    if history := _format_history(t, one):
        parts.append(Text(history, quiet=True))
    footer = ""
    if MEMBER.permits(ctx.viewer):
        more, footer = await _community_parts(ctx, one)
        parts += more
    else:
        parts.append(Text(t("Members also see the people in this city."), quiet=True))
    return Card(title=places.city_place(t, one), parts=tuple(parts), footer=footer)


def _city_facts(ctx: Context, one: City) -> list[Fact]:
    t, unknown = ctx.t, ctx.t("unknown")
    level = places.city_level(t, one) or (unknown if one.certified else t("not certified yet"))
    inhabitants = unknown
    if one.population is not None:
        inhabitants = t.number(one.population)
    since = str(one.first_certified_year or (unknown if one.certified else "–"))
    return [
        Fact(t("Level"), level),
        Fact(t("Certified since"), since),
        Fact(t("Population"), inhabitants),
        Fact(t("Country"), places.country_name(t, one)),
        Fact(t("Language"), LANGUAGE_NAMES.get(one.language, one.language)),
        Fact(t("Local time"), t.time(ctx.now.astimezone(ZoneInfo(one.zone)))),
    ]


def _format_history(t: Translator, one: City) -> str:
    """Return the levels found in print («2018 Silver → 2024 Gold»), or an empty string."""
    steps = [f"{h.year} {t(h.level)}" for h in one.history if h.year and h.level]
    if not steps:
        return ""
    return t("Published levels: {steps}.", steps=" → ".join(steps))


async def _community_parts(ctx: Context, one: City) -> tuple[list[Part], str]:
    """Return what only members see (strengths, people, searches to go on with) and the footer."""
    t = ctx.t
    parts: list[Part] = []
    strong = await directory.list_strengths(ctx.session, one.id)
    if strong:
        bars = tuple(
            Bar(ctx.reference.vocabulary.name(topic, ctx.language), number, t.number(number))
            for topic, number in strong
        )
        parts.append(Bars(t("What its people know, and how many of them"), bars))
    found = await directory.list_in_city(ctx.session, one.id, limit=4)
    if found:
        parts += [Heading(t("People")), *await _people_entries(ctx, found[:3])]
    else:
        parts.append(Text(t("No one from here is in the directory yet."), quiet=True))
    acts = [
        Button(
            t("Who does {topic} here", topic=ctx.reference.vocabulary.name(k, ctx.language))[:75],
            f"who-does {ctx.reference.topics[k].slug} in:{one.slug}"[:100],
        )
        for k, _ in strong[:2]
    ]
    if acts:
        parts.append(Buttons(tuple(acts)))
    return parts, portraits.footer(t, found)


async def _people_entries(ctx: Context, found: Sequence[Member]) -> list[Entry]:
    ongoing = await portraits.load_ongoing(ctx, found)
    return [portraits.list_entry(ctx, person, ongoing=ongoing) for person in found]


@completion("city")
async def complete_city(ctx: Context, typed: str) -> list[Option]:
    """Complete cities by any of their names; labels add the state or country, for namesakes."""
    cities = [ctx.reference.cities[key] for key in places.visible_gazetteer(ctx).complete(typed)]
    return [Option(places.city_place(ctx.t, c), c.place) for c in cities]


@completion("place")
async def complete_place(ctx: Context, typed: str) -> list[Option]:
    """Complete countries, regions, states and cities, in this order."""
    areas = [
        Option(places.describe_areas(ctx, [area]), area.name)
        for area in ctx.reference.atlas.complete(typed)
    ]
    cities = (ctx.reference.cities[key] for key in ctx.reference.gazetteer.complete(typed))
    return [*areas, *(Option(places.city_place(ctx.t, c), c.place) for c in cities)]
