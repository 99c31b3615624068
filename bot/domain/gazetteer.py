"""Finds cities by any of their names: «CDMX», «sao paulo», «Springfield», «St. Paul»."""

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
    latitude: float | None = None
    longitude: float | None = None


COUNTRIES: Mapping[str, tuple[str, ...]] = {
    "AR": ("Argentina", "Argentine"),
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
    "US": (
        "United States",
        "USA",
        "Estados Unidos",
        "EE. UU.",
        "EEUU",
        "EUA",
        "États-Unis",
        "Estados Unidos de América",
        "Estados Unidos da América",
        "United States of America",
        "États-Unis d’Amérique",
    ),
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
    "south": (
        "South America",
        "Sudamérica",
        "Suramérica",
        "América del Sur",
        "América do Sul",
        "Amérique du Sud",
    ),
    "central": (
        "Central America",
        "Centroamérica",
        "América Central",
        "Amérique centrale",
    ),
}
_SOUTH = frozenset(("AR", "BO", "BR", "CL", "CO", "EC", "PE", "PY", "UY", "VE"))
_CENTRAL = frozenset(("BZ", "CR", "GT", "HN", "NI", "PA", "SV"))
REGION_COUNTRIES: Mapping[str, frozenset[str]] = {
    "latam": _SOUTH | _CENTRAL | {"MX", "DO", "CU", "PR"},
    "north": frozenset(("US", "CA")),
    "south": _SOUTH,
    "central": _CENTRAL,
}


class Gazetteer:
    """Finds cities by any of their names."""

    def __init__(self, spots: Iterable[Place], fold: Fold) -> None:
        self.places_by_key = {spot.key: spot for spot in spots}
        self._fold = fold
        self._names: dict[str, list[int]] = {}
        for spot in self.places_by_key.values():
            for name in dict.fromkeys(map(self._fold, _iter_names(spot))):
                self._names.setdefault(name, []).append(spot.key)
        terms = (Term(key, name) for name, keys in self._names.items() for key in keys)
        self._vocabulary = Vocabulary(terms, fold)

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
