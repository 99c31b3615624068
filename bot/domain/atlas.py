"""Finds what a text names on the map: a country, a region, a state, cities, or what lies near."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt
from typing import Literal

from bot.domain.gazetteer import COUNTRIES, REGION_COUNTRIES, REGIONS, Gazetteer, Place
from bot.domain.states import SHORT_IN, STATES
from bot.domain.vocabulary import Fold, Term, Vocabulary

Kind = Literal["country", "region", "state", "city", "near"]

NEAR_KM = 250
"""Cities up to this distance are near."""
MIN_NEAR = 3
"""If fewer are near, the nearest ones count, up to this number."""
_NEAR = re.compile(
    r"(?:near(?: to)?|close to|around|cerca de|alrededor de|perto de|pres d[eu]?|proche d[eu]?"
    r"|autour d[eu]?) (?P<place>.+)"
)
_OF_STATE = re.compile(
    r"(?:state of|province of|provincia d[eo]|provincia da|estado d[eo]l?|estado da|etat d[eu]"
    r"|l?etat d[eu]|province d[eu]) (?P<before>.+)|(?P<after>.+) (?:state|province|estado)"
)
_OF_CITY = re.compile(r"(?:city of|ciudad de|cidade d[eo]|ville d[eu]) (?P<place>.+)")
_ARTICLE = re.compile(r"(?:the|el|la|los|las|o|a|os|as|le|les) (?P<place>.+)")
_ELISION = re.compile(r"^\s*[ld]['’]", re.IGNORECASE)
_TAIL = re.compile(
    r"(?:(?<=\s)|^)(?P<near>near(?: to)?|close to|cerca de|perto de|près d[eu']|proche d[eu'])\s*:?"
    r"|(?:(?<=\s)|^)(?P<sure>in|en|em|à|au|aux|dans|chez)\s"
    r"|(?:(?<=\s)|^)(?:at|from|no|na|nos|nas|de|del|do|da|dos|das|du|des)\s|(?P<comma>,)",
    re.IGNORECASE,
)
_WORDS_LIKE_CODES = frozenset(
    ("in", "or", "me", "hi", "ok", "la", "de", "oh", "co", "id", "al", "pa", "ma", "es", "se", "to")
)


@dataclass(frozen=True, slots=True)
class Area:
    """A place and its cities of the community; `code` is a country's, region's or state's.

    `name` is the first name in print. A known place may have no city here.
    """

    kind: Kind
    code: str
    name: str
    keys: frozenset[int]


@dataclass(frozen=True, slots=True)
class PlacePhrase:
    """Words and the place behind them: «open data» and «Texas»."""

    words: str
    place: str
    is_certain: bool
    """Whether the word between can only be followed by a place."""


class Atlas:
    """Finds areas by name. `countries` are names of countries by code, in any language."""

    def __init__(
        self, gazetteer: Gazetteer, fold: Fold, countries: Mapping[str, Sequence[str]] = COUNTRIES
    ) -> None:
        self._cities = gazetteer
        self._fold = fold
        self._by_name: dict[str, list[Area]] = {}
        self._by_country_code: dict[str, Area] = {}
        for area, names in self._build_areas(countries):
            for name in dict.fromkeys(map(fold, names)):
                self._by_name.setdefault(name, []).append(area)
        names = sorted(self._by_name)
        self._names = dict(enumerate(names))
        self._vocabulary = Vocabulary((Term(k, n) for k, n in self._names.items()), fold)

    def find(self, text: str) -> list[Area]:
        """Return what a text names, also misspelt; an empty list if it is unknown.

        Of things with one name those with cities are meant; a country before its namesakes, and
        only what lies outside of the others.
        """
        if exact := self.find_exact(text):
            return exact
        hit = self._vocabulary.find(text)
        if hit:
            return _choose(self._by_name[self._names[hit.key]])
        return self._list_cities(self._cities.find_cities(text))

    def find_exact(self, text: str) -> list[Area]:
        """Return what has exactly this name, with or without «state of», «near» and articles."""
        said = self._fold(_ELISION.sub("", text))
        if found := self._find_name(said):
            return found
        if match := _NEAR.fullmatch(said):
            return self._find_near(match["place"])
        if match := _OF_STATE.fullmatch(said):
            areas = self._by_name.get(match["before"] or match["after"], ())
            return _choose([area for area in areas if area.kind == "state"])
        if match := _OF_CITY.fullmatch(said):
            return self._list_cities(self._cities.find_exact(match["place"]))
        if match := _ARTICLE.fullmatch(said):
            return self._find_name(match["place"])
        return []

    def suggest(self, text: str, limit: int = 3) -> list[Area]:
        """Return the areas with cities whose names are most like the text, best first."""
        named = (self._by_name[self._names[h.key]] for h in self._vocabulary.find_near(text, 9))
        areas = [area for some in named for area in some if area.keys]
        cities = self._list_cities(self._cities.find_near(text, limit))
        return list(dict.fromkeys((*cities[:1], *areas[:1], *cities[1:], *areas[1:])))[:limit]

    def complete(self, text: str) -> list[Area]:
        """Return the areas with cities that have the text in a name, larger ones first."""
        wanted = self._fold(text)
        areas = (area for name, some in self._by_name.items() if wanted in name for area in some)
        order = ("country", "region", "state")
        found = dict.fromkeys(area for area in areas if area.keys)
        return sorted(found, key=lambda area: (order.index(area.kind), area.name))

    def split(self, text: str) -> list[PlacePhrase]:
        """Return the ways to read a text as words with a place behind them, longest place first.

        Only exact names are places, but behind «in» and its translations any words may be one.
        """
        found = []
        for match in _TAIL.finditer(text):
            words, place = text[: match.start()].strip(" ,"), text[match.end() :].strip(" ,.?!")
            if not words or not place:
                continue
            if match["near"]:
                place = f"near {place}"
            known = self.find_exact(place) and not _is_word_like_code(place, match["comma"])
            if known or match["sure"] or match["near"]:
                found.append(PlacePhrase(words, place, not known))
        every = text.split()
        for length in (3, 2, 1):
            head, tail = " ".join(every[:-length]), " ".join(every[-length:])
            if head and not _TAIL.fullmatch(f"{head} ") and len(tail) > 3 and self.find_exact(tail):
                found.append(PlacePhrase(head, tail, False))
        return sorted(found, key=lambda phrase: phrase.is_certain)

    def _find_name(self, said: str) -> list[Area]:
        areas = list(self._by_name.get(said, ()))
        cities = self._list_cities(self._cities.find_exact(said))
        if not any(area.keys for area in (*areas, *cities)) and said in self._by_country_code:
            return [self._by_country_code[said]]
        return _choose([*areas, *cities])

    def _find_near(self, said: str) -> list[Area]:
        """Return the cities around a place, itself included; empty if it is unknown."""
        base = self._find_name(said) or self._list_cities(self._cities.find_cities(said))
        centers = [self._cities.places_by_key[key] for area in base for key in area.keys]
        if not centers:
            return base
        away = sorted(
            (min(_distance_km(center, place) for center in centers), place.key)
            for place in self._cities.places_by_key.values()
        )
        near = {key for km, key in away if km <= NEAR_KM}
        near |= {key for _, key in away[: MIN_NEAR if len(near) < MIN_NEAR else 0]}
        near |= {center.key for center in centers}
        return [Area("near", base[0].code, base[0].name, frozenset(near))]

    def _list_cities(self, keys: Iterable[int]) -> list[Area]:
        places = self._cities.places_by_key
        return [Area("city", str(key), places[key].names[0], frozenset((key,))) for key in keys]

    def _build_areas(
        self, countries: Mapping[str, Sequence[str]]
    ) -> Iterator[tuple[Area, Sequence[str]]]:
        """Yield every area with its names; countries by their codes are kept apart."""
        places = self._cities.places_by_key.values()
        for code, names in countries.items():
            keys = frozenset(p.key for p in places if p.country_code == code)
            area = Area("country", code, names[0], keys)
            self._by_country_code[self._fold(code)] = area
            yield area, names
        for code, names in REGIONS.items():
            within = REGION_COUNTRIES[code]
            keys = frozenset(p.key for p in places if p.country_code in within)
            yield Area("region", code, names[0], keys), names
        for country, states in STATES.items():
            for code, text in states.items():
                names = (*text.split("|"), *((code,) if country in SHORT_IN else ()))
                own = {self._fold(name) for name in (*names, code)}
                keys = frozenset(
                    p.key for p in places
                    if p.country_code == country and self._fold(p.state) in own
                )  # fmt: skip
                yield Area("state", f"{country}-{code}", names[0], keys), names


def _choose(areas: Sequence[Area]) -> list[Area]:
    """Return those meant among namesakes: not what lies within another, nor what has no city."""
    here = [area for area in areas if area.keys] or list(areas[:1])
    country = next((area for area in here if area.kind == "country"), None)
    if country:
        return [country]
    chosen: list[Area] = []
    for area in sorted(here, key=lambda area: -len(area.keys)):
        if not any(area.keys <= larger.keys for larger in chosen):
            chosen.append(area)
    return chosen


def _is_word_like_code(text: str, is_behind_comma: object) -> bool:
    """Return whether the text is a short word that happens to be an abbreviation: «or», «me»."""
    return not is_behind_comma and text in _WORDS_LIKE_CODES


def _distance_km(one: Place, other: Place) -> float:
    """Return the distance on the globe; a city without coordinates is far from all others."""
    if one.key == other.key:
        return 0.0
    if None in (one.latitude, one.longitude, other.latitude, other.longitude):
        same = one.state and (one.state, one.country_code) == (other.state, other.country_code)
        return 0.0 if same else float("inf")
    lat1, lon1, lat2, lon2 = (
        radians(value or 0.0)
        for value in (one.latitude, one.longitude, other.latitude, other.longitude)
    )
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 12_742 * asin(sqrt(half))
