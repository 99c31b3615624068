"""What a text names on the map, and the place behind a topic."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import db
from bot.domain.atlas import Atlas
from bot.domain.gazetteer import COUNTRIES, REGIONS, Gazetteer, Place
from bot.domain.states import STATES
from bot.i18n import territory_names
from db.text import fold_text

with (Path(db.__file__).parent / "data" / "cities.csv").open(encoding="utf-8") as file:
    ROWS = list(csv.DictReader(file))
PLACES = [
    Place(
        key, (row["name"], *filter(None, row["aliases"].split(";"))), row["state"],
        row["country_code"], row["level"] or None, None,
        float(row["latitude"]) if row["latitude"] else None,
        float(row["longitude"]) if row["longitude"] else None,
    )
    for key, row in enumerate(ROWS)
]  # fmt: skip
NAMES = {code: (*COUNTRIES.get(code, ()), *names) for code, names in territory_names().items()}
ATLAS = Atlas(Gazetteer(PLACES, fold_text), fold_text, NAMES)


def cities(text: str) -> set[str]:
    """The slugs of the cities of what a text names."""
    return {ROWS[key]["slug"] for area in ATLAS.find(text) for key in area.keys}


def of_state(country: str, *states: str) -> set[str]:
    return {r["slug"] for r in ROWS if r["country_code"] == country and r["state"] in states}


@pytest.mark.parametrize(
    ("said", "country", "states"),
    [
        ("Texas", "US", ("TX",)), ("tx", "US", ("TX",)), ("Tejas", "US", ("TX",)),
        ("state of Texas", "US", ("TX",)), ("Texas state", "US", ("TX",)),
        ("Texs", "US", ("TX",)), ("Florida", "US", ("FL",)), ("la Floride", "US", ("FL",)),
        ("Carolina del Norte", "US", ("NC",)), ("Nova York", "US", ("NY",)),
        ("new york", "US", ("NY",)), ("CA", "US", ("CA",)), ("CO", "US", ("CO",)),
        ("Georgia", "US", ("GA",)), ("Québec", "CA", ("QC",)), ("QC", "CA", ("QC",)),
        ("le québec", "CA", ("QC",)), ("Alberta", "CA", ("AB",)), ("l’Alberta", "CA", ("AB",)),
        ("São Paulo", "BR", ("SP", "São Paulo")), ("SP", "BR", ("SP", "São Paulo")),
        ("estado de São Paulo", "BR", ("SP", "São Paulo")),
        ("São Paulo state", "BR", ("SP", "São Paulo")),
        ("MG", "BR", ("Minas Gerais",)), ("pernambuco", "BR", ("Pernambuco",)),
        ("Nuevo León", "MX", ("Nuevo León",)), ("NL", "MX", ("Nuevo León",)),
        ("Mendoza", "AR", ("Mendoza",)), ("Antioquia", "CO", ("Antioquia",)),
        ("Región Metropolitana", "CL", ("Región Metropolitana",)),
    ],
)  # fmt: skip
def test_states_have_names_and_abbreviations(
    said: str, country: str, states: tuple[str, ...]
) -> None:
    """In four languages, with «state of» and articles, and misspelt."""
    assert cities(said) == of_state(country, *states) != set()


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("US", "US|USA|U.S.|U.S.A.|us|EE. UU.|EE.UU.|EEUU|EUA|Estados Unidos|los Estados Unidos"
               "|États-Unis|the United States|United States of America"),
        ("MX", "México|Mexico|Mexique|MX"), ("BR", "Brasil|Brazil|Brésil|o Brasil|BR"),
        ("CA", "Canada|Canadá|le Canada"), ("AR", "Argentina|Argentine"), ("CO", "Colombie"),
        ("GT", "Guatemala"), ("CL", "Chile|Chili"), ("UY", "Uruguai"),
    ],
)  # fmt: skip
def test_countries_have_names_in_four_languages(code: str, names: str) -> None:
    """A country comes before a city of its name, a state before a country's code."""
    expected = {row["slug"] for row in ROWS if row["country_code"] == code}
    for name in names.split("|"):
        assert cities(name) == expected, name


def test_a_city_and_a_state_apart_from_each_other_are_both_meant() -> None:
    """Washington is either; «D.C.» and «state» tell which."""
    assert cities("washington") == {"washington-dc-us", *of_state("US", "WA")}
    assert cities("Washington state") == of_state("US", "WA")
    assert cities("Washington, D.C.") == {"washington-dc-us"}
    assert cities("ciudad de Mendoza") == {"mendoza-ar"}
    assert cities("New York City") == {"new-york-city-ny-us"}


def test_a_known_place_without_a_city_is_not_unknown() -> None:
    """Jalisco and Germany exist."""
    for name, kind in (("Jalisco", "state"), ("Allemagne", "country"), ("Ontario", "state")):
        (area,) = ATLAS.find(name)
        assert (area.kind, area.keys) == (kind, frozenset())
    assert ATLAS.find("Klingonia") == []
    assert ATLAS.suggest("Bostan")[0].name == "Boston"
    assert len(ATLAS.suggest("a")) <= 3


@pytest.mark.parametrize("said", ["near Boston", "cerca de Boston", "perto de Boston",
                                  "près de Boston", "close to boston"])  # fmt: skip
def test_near_means_the_cities_around(said: str) -> None:
    """Itself, those within an afternoon's drive, and at least a few."""
    found = cities(said)
    assert {"boston-ma-us", "providence-ri-us", "hartford-ct-us"} <= found
    assert "baltimore-md-us" not in found
    assert len(cities("near Anchorage")) == 3
    assert cities("near Klingonia") == set()


@pytest.mark.parametrize(
    ("text", "words", "place"),
    [
        ("open data in texas", "open data", "texas"), ("datos abiertos en jalisco",
         "datos abiertos", "jalisco"), ("dados abertos em são paulo", "dados abertos", "são paulo"),
        ("données ouvertes au québec", "données ouvertes", "québec"),
        ("open data, texas", "open data", "texas"), ("open data, TX", "open data", "TX"),
        ("open data near boston", "open data", "near boston"),
        ("open data near:boston", "open data", "near boston"),
        ("datos abiertos cerca de Bogotá", "datos abiertos", "near Bogotá"),
        ("presupuesto de medellín", "presupuesto", "medellín"),
        ("open data Texas", "open data", "Texas"), ("gis no brasil", "gis", "brasil"),
        ("open data in new york city", "open data", "new york city"),
    ],
)  # fmt: skip
def test_a_place_behind_the_topic_is_split_off(text: str, words: str, place: str) -> None:
    """With «in» and its translations, «near», a comma, or nothing between."""
    phrase = ATLAS.split(text)[0]
    assert (phrase.words, phrase.place, phrase.is_certain) == (words, place, False)


@pytest.mark.parametrize("text", ["training in data", "state of the city", "in texas", "data or me",
                                  "open data, gis"])  # fmt: skip
def test_other_words_are_no_place(text: str) -> None:
    """Unless «in» stands before them, and then they are not sure to be one."""
    assert all(phrase.is_certain for phrase in ATLAS.split(text))


def test_every_state_is_found_by_each_of_its_names() -> None:
    """And every region, in every language."""
    for country, states in STATES.items():
        for code, names in states.items():
            for name in names.split("|"):
                assert ATLAS.find(name), (country, code, name)
    for region in REGIONS.values():
        assert len({frozenset(cities(name)) for name in region}) == 1


@given(st.text(max_size=40))
def test_no_text_is_too_odd(text: str) -> None:
    """Whatever is typed: areas, and phrases that are parts of it."""
    ATLAS.find(text)
    ATLAS.suggest(text)
    ATLAS.complete(text)
    ATLAS.split(text)
