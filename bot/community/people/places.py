"""Names of cities and workplaces in the reader's language, and the city that a text means."""

from bot.cards import Option
from bot.commands import MEMBER, Context
from bot.domain.gazetteer import Gazetteer
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
