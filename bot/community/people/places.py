"""Names of cities and workplaces in the reader's language, and the city that a text means."""

from collections.abc import Sequence

from bot.cards import Option
from bot.commands import MEMBER, Context
from bot.domain.atlas import Area
from bot.domain.gazetteer import REGIONS, Gazetteer
from bot.errors import InvalidArgumentError
from bot.i18n import Translator
from bot.parsing import shorten
from db.cities import City


def find_city(ctx: Context, text: str, field: str = "city") -> City:
    """Find the one city that a text means; only for members, since it lists cities.

    Raises `InvalidArgumentError` with choices: the namesakes, or the cities with similar names.
    """
    known = ctx.reference
    found = known.gazetteer.find_cities(text)
    if len(found) == 1:
        return known.cities[found[0]]
    near = found or known.gazetteer.find_near(text)
    raise InvalidArgumentError(
        ctx.t("There are several cities called «{name}». Which one?", name=shorten(text))
        if found
        else ctx.t("I don't know a city called «{name}».", name=shorten(text)),
        name=field,
        choices=tuple(
            Option(city_place(ctx.t, c), c.slug) for c in map(known.cities.__getitem__, near[:5])
        ),
    )


def find_areas(ctx: Context, text: str, field: str = "place") -> Sequence[Area]:
    """Return the areas with cities that a text names.

    Raises InvalidArgumentError with similar areas as choices if it is unknown or has no city.
    """
    atlas = ctx.reference.atlas
    found = atlas.find(text)
    if any(area.keys for area in found):
        return found
    if found:
        said = ctx.t("No city in {place} is here yet.", place=describe_areas(ctx, found))
        country = atlas.find(found[0].code.partition("-")[0]) if found[0].kind == "state" else []
    else:
        said = ctx.t("I don't know a place called «{place}».", place=shorten(text))
        country = []
    near = [area for area in (*country, *atlas.suggest(text)) if area.keys][:3]
    raise InvalidArgumentError(
        said,
        name=field,
        choices=tuple(Option(describe_areas(ctx, [area]), _area_value(ctx, area)) for area in near),
    )


def split_place(ctx: Context, text: str) -> tuple[str, str | None]:
    """Split «open data in Texas» into the words of a topic and the place behind them, if any.

    Words of a topic's name stay. Behind «in» an unknown place is one too, after an exact topic.
    """
    read = ctx.reference.topic_reader.read
    whole = read(text)
    if whole and all(one.precision != "guess" for one in whole):
        return text, None
    for phrase in ctx.reference.atlas.split(text):
        before = read(phrase.words)
        if not phrase.is_certain or (before and all(r.precision == "exact" for r in before)):
            return phrase.words, phrase.place
    return text, None


def _area_value(ctx: Context, area: Area) -> str:
    """Return the words that name an area and nothing else."""
    return ctx.reference.cities[int(area.code)].place if area.kind == "city" else area.name


def describe_areas(ctx: Context, areas: Sequence[Area]) -> str:
    """Return the names of areas in the reader's language: «Texas», «Mexique», «near Boston»."""
    return " · ".join(_describe_area(ctx, area) for area in areas)


def _describe_area(ctx: Context, area: Area) -> str:
    match area.kind:
        case "country":
            return str(ctx.t.locale.territories.get(area.code, area.name))
        case "region":
            names = REGIONS[area.code]
            return ctx.t(names[0])
        case "city":
            return city_place(ctx.t, ctx.reference.cities[int(area.code)])
        case "near":
            return ctx.t("near {place}", place=area.name)
        case _:
            return area.name


def workplace(t: Translator, city: City | None) -> str:
    """Return where a person works: the city with its level, or the programme without a city."""
    if city is None:
        return t("Program staff")
    level = city_level(t, city)
    where = city_place(t, city)
    return f"{where} · {level}" if level else where


def city_place(t: Translator, city: City) -> str:
    """Return «Boston, MA» or «Mérida, México», the country in the reader's language."""
    return city.place_in(country_name(t, city))


def country_name(t: Translator, city: City) -> str:
    """Return the name of a city's country in the reader's language."""
    return str(t.locale.territories.get(city.country_code, city.country))


def city_level(t: Translator, city: City) -> str:
    """Return a city's last published level and its year, as «Gold 2024»; empty if unknown."""
    return f"{t(city.level)} {city.level_year or ''}".strip() if city.level else ""


def visible_gazetteer(ctx: Context) -> Gazetteer:
    """Return the gazetteer of all cities for members, and of certified ones for everybody else.

    Outside the community a city that is not certified is never named, not even as a suggestion.
    """
    return ctx.reference.gazetteer if MEMBER.permits(ctx.viewer) else ctx.reference.public_gazetteer
