"""Cities and places by any of their names: «CDMX», «sao paulo», «Springfield», «mexico»."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.vocabulary import Fold, Term, Vocabulary


@dataclass(frozen=True, slots=True)
class Spot:
    """What is needed to find a city and to filter by it."""

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
    """Finds one city by name, or all cities of a place."""

    def __init__(self, spots: Iterable[Spot], fold: Fold) -> None:
        self.spots = {spot.key: spot for spot in spots}
        self._fold = fold
        self._names: dict[str, list[int]] = {}
        for spot in self.spots.values():
            for name in dict.fromkeys(map(self._plain, _names(spot))):
                self._names.setdefault(name, []).append(spot.key)
        terms = (Term(key, name) for name, keys in self._names.items() for key in keys)
        self._alike = Vocabulary(terms, fold)
        self._places = self._all_places()

    def city(self, text: str) -> Sequence[int]:
        """The cities meant: one when it is clear, several namesakes, none when unknown."""
        wanted = self._plain(text)
        if keys := self._names.get(wanted):
            return keys
        hit = self._alike.find(wanted)
        return [hit.key] if hit else []

    def exactly(self, text: str) -> Sequence[int]:
        """The cities that are called just this, for lists nobody looks over."""
        return self._names.get(self._plain(text)) or ()

    def near(self, text: str, limit: int = 3) -> list[int]:
        """The cities whose names look most like the text."""
        return [hit.key for hit in self._alike.near(self._plain(text), limit)]

    def beginning(self, text: str, limit: int = 25) -> list[int]:
        """What a city name may become as it is typed."""
        return self._alike.beginning(self._plain(text), "", limit)

    def place(self, text: str) -> frozenset[int]:
        """All cities of a country, region, state or of that name; empty when unknown.

        A country wins over a city of the same name: `in:mexico` is the country.
        """
        wanted = self._plain(text)
        return self._places.get(wanted) or frozenset(self.city(text))

    def places(self) -> list[tuple[str, tuple[str, ...]]]:
        """Countries and regions: the code of each, and its names, the English one first."""
        return [*COUNTRIES.items(), *REGIONS.items()]

    def having(
        self, level: str = "", least: int | None = None, most: int | None = None
    ) -> frozenset[int]:
        """The cities of this level and between these populations; unknown ones never fit."""
        return frozenset(
            spot.key
            for spot in self.spots.values()
            if (not level or (spot.level or "").casefold() == level.casefold())
            and _between(spot.population, least, most)
        )

    def _all_places(self) -> dict[str, frozenset[int]]:
        """Names of places; two letters that are a state's are never a country's: AR, CA, CO."""
        places: dict[str, set[int]] = {}
        states = {spot.state for spot in self.spots.values()}
        for spot in self.spots.values():
            region = "north" if spot.country_code in ("US", "CA") else "latam"
            names = (
                *COUNTRIES.get(spot.country_code, ()),
                *REGIONS[region],
                *((spot.state,) if spot.state else ()),
                *((spot.country_code,) if spot.country_code not in states else ()),
            )
            for name in names:
                places.setdefault(self._plain(name), set()).add(spot.key)
        return {name: frozenset(keys) for name, keys in places.items()}

    def _plain(self, text: str) -> str:
        return " ".join(self._fold(text).replace(",", " ").replace(".", " ").split())


def _names(spot: Spot) -> Iterator[str]:
    """All that a city is called, also with its state and with its country in four languages."""
    yield from spot.names
    for where in (spot.state, *COUNTRIES.get(spot.country_code, ())):
        yield f"{spot.names[0]} {where}"


def _between(population: int | None, least: int | None, most: int | None) -> bool:
    if least is None and most is None:
        return True
    if population is None:
        return False
    return (least or 0) <= population and (most is None or population <= most)
