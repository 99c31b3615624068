"""Finds cities and places by any of their names: «CDMX», «sao paulo», «Springfield», «mexico»."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.vocabulary import Fold, Term, Vocabulary


@dataclass(frozen=True, slots=True)
class Place:
    """The facts about a city by which it is found and filtered; `key` is its id."""

    key: int
    names: tuple[str, ...]
    state: str
    country_code: str
    level: str | None
    population: int | None


COUNTRIES: Mapping[str, tuple[str, ...]] = {
    "AR": ("Argentina",),
    "BR": ("Brazil", "Brasil", "Brésil"),
    "CA": ("Canada", "Canadá"),
    "CL": ("Chile", "Chili"),
    "CO": ("Colombia", "Colômbia", "Colombie"),
    "CR": ("Costa Rica",),
    "DO": ("Dominican Republic", "República Dominicana", "République dominicaine"),
    "EC": ("Ecuador", "Equador", "Équateur"),
    "GT": ("Guatemala",),
    "HN": ("Honduras",),
    "MX": ("Mexico", "México", "Mexique"),
    "PA": ("Panama", "Panamá"),
    "PE": ("Peru", "Perú", "Pérou"),
    "PY": ("Paraguay", "Paraguai"),
    "SV": ("El Salvador",),
    "US": ("United States", "USA", "Estados Unidos", "EE. UU.", "EUA", "États-Unis"),
    "UY": ("Uruguay", "Uruguai"),
}
REGIONS: Mapping[str, tuple[str, ...]] = {
    "latam": ("Latin America", "LATAM", "América Latina", "Latinoamérica", "Amérique latine"),
    "north": (
        "North America",
        "Norteamérica",
        "América del Norte",
        "América do Norte",
        "Amérique du Nord",
    ),
}


class Gazetteer:
    """Finds a city by name, or all cities of a country, region or state."""

    def __init__(self, spots: Iterable[Place], fold: Fold) -> None:
        self.places_by_key = {spot.key: spot for spot in spots}
        self._fold = fold
        self._names: dict[str, list[int]] = {}
        for spot in self.places_by_key.values():
            for name in dict.fromkeys(map(self._fold, _iter_names(spot))):
                self._names.setdefault(name, []).append(spot.key)
        terms = (Term(key, name) for name, keys in self._names.items() for key in keys)
        self._vocabulary = Vocabulary(terms, fold)
        self._places = self._build_places()

    def find_cities(self, text: str) -> Sequence[int]:
        """Return the ids of the cities a text means: one, several namesakes, or none if unknown."""
        wanted = self._fold(text)
        if keys := self._names.get(wanted):
            return keys
        hit = self._vocabulary.find(wanted)
        return [hit.key] if hit else []

    def find_exact(self, text: str) -> Sequence[int]:
        """Return the ids of the cities with exactly this name, for lists that nobody reviews."""
        return self._names.get(self._fold(text)) or ()

    def find_near(self, text: str, limit: int = 3) -> list[int]:
        """Return the ids of the cities whose names are most like the text, best first."""
        return [hit.key for hit in self._vocabulary.find_near(self._fold(text), limit)]

    def complete(self, text: str, limit: int = 25) -> list[int]:
        """Return the ids of the cities whose names complete what is being typed."""
        return self._vocabulary.complete(self._fold(text), "", limit)

    def find_in_place(self, text: str) -> frozenset[int]:
        """Return the ids of all cities of a country, region, state or name; empty if unknown.

        A country wins over a city of the same name: `in:mexico` is the country.
        """
        wanted = self._fold(text)
        return self._places.get(wanted) or frozenset(self.find_cities(text))

    def list_places(self) -> list[tuple[str, tuple[str, ...]]]:
        """List countries and regions as (code, names), the English name first."""
        return [*COUNTRIES.items(), *REGIONS.items()]

    def filter_cities(
        self, level: str = "", min_population: int | None = None, max_population: int | None = None
    ) -> frozenset[int]:
        """Return the ids of cities of this level and population; an unknown one never fits."""
        return frozenset(
            spot.key
            for spot in self.places_by_key.values()
            if (not level or (spot.level or "").casefold() == level.casefold())
            and _is_between(spot.population, min_population, max_population)
        )

    def _build_places(self) -> dict[str, frozenset[int]]:
        """Map names of places to cities; AR, CA and CO are states and not the countries' codes."""
        places: dict[str, set[int]] = {}
        states = {spot.state for spot in self.places_by_key.values()}
        for spot in self.places_by_key.values():
            region = "north" if spot.country_code in ("US", "CA") else "latam"
            names = (
                *COUNTRIES.get(spot.country_code, ()),
                *REGIONS[region],
                *((spot.state,) if spot.state else ()),
                *((spot.country_code,) if spot.country_code not in states else ()),
            )
            for name in names:
                places.setdefault(self._fold(name), set()).add(spot.key)
        return {name: frozenset(keys) for name, keys in places.items()}


def _iter_names(spot: Place) -> Iterator[str]:
    """Yield all names of a city, also with its state and with its country in four languages."""
    yield from spot.names
    for where in (spot.state, *COUNTRIES.get(spot.country_code, ())):
        yield f"{spot.names[0]} {where}"


def _is_between(population: int | None, least: int | None, most: int | None) -> bool:
    if least is None and most is None:
        return True
    if population is None:
        return False
    return (least or 0) <= population and (most is None or population <= most)
