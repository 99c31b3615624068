"""Where somebody works, in the reader's language; and the city meant by what was typed."""

from bot.cards import Option
from bot.commands import Context
from bot.errors import InvalidArgumentError
from bot.i18n import Translator
from bot.parsing import shorten
from db.cities import City


def find_city(ctx: Context, text: str, field: str = "city") -> City:
    """The one city meant; namesakes and near misses are offered. Only for those inside."""
    known = ctx.reference
    found = known.gazetteer.find_cities(text)
    if len(found) == 1:
        return known.cities[found[0]]
    near = found or known.gazetteer.find_near(text)
    raise InvalidArgumentError(
        ctx.t("There are several cities called «{name}». Which one?", name=shorten(text))
        if found
        else ctx.t("I know no city called «{name}».", name=shorten(text)),
        name=field,
        choices=tuple(
            Option(city_place(ctx.t, c), c.slug) for c in map(known.cities.__getitem__, near[:5])
        ),
    )


def workplace(t: Translator, city: City | None) -> str:
    """Where somebody works: the city with its level, or the programme."""
    if city is None:
        return t("Programme staff")
    level = city_level(t, city)
    where = city_place(t, city)
    return f"{where} · {level}" if level else where


def city_place(t: Translator, city: City) -> str:
    """«Boston, MA» or «Mérida, México», the country in the reader's language."""
    return city.place_in(country_name(t, city))


def country_name(t: Translator, city: City) -> str:
    """The country of a city in the reader's language."""
    return str(t.locale.territories.get(city.country_code, city.country))


def city_level(t: Translator, city: City) -> str:
    """«Gold 2024», as last seen in print; empty when unknown."""
    return f"{t(city.level)} {city.level_year or ''}".strip() if city.level else ""
