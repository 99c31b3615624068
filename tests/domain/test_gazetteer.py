"""Cities and places by any of their names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.gazetteer import COUNTRIES, Gazetteer, Place
from db.text import fold_text

SPOTS = (
    Place(1, ("Springfield", "Springfield, IL"), "IL", "US", "Gold", 114_000),
    Place(2, ("Springfield", "Springfield, MA"), "MA", "US", None, None),
    Place(3, ("Ciudad de México", "CDMX", "Mexico City"), "CDMX", "MX", "Silver", 9_200_000),
    Place(4, ("Little Rock",), "AR", "US", None, 202_000),
    Place(5, ("Córdoba",), "Córdoba", "AR", "Silver", 1_400_000),
    Place(6, ("St. Paul", "Saint Paul"), "MN", "US", "Platinum", 311_000),
    Place(7, ("Bogotá",), "", "CO", "Gold", 7_700_000),
    Place(8, ("Denver",), "CO", "US", None, 715_000),
    Place(9, ("Montréal",), "QC", "CA", "Gold", 1_760_000),
    Place(10, ("Los Ángeles", "LA"), "CA", "US", "Platinum", 3_900_000),
    Place(11, ("Lima",), "", "PE", None, 10_000_000),
)
PLACES = Gazetteer(SPOTS, fold_text)
EVERY = {spot.key for spot in SPOTS}


@pytest.mark.parametrize("spot", SPOTS, ids=lambda spot: f"{spot.names[0]} {spot.state}")
def test_every_name_of_a_city_leads_to_it(spot: Place) -> None:
    """Without accents, shouted, with its state or with its country in four languages."""
    first = spot.names[0]
    named = [*spot.names, *(f"{first} {c}" for c in COUNTRIES[spot.country_code])]
    for name in (*named, f"{first}, {spot.state}"):
        for said in (name, name.upper(), fold_text(name), f" {name.replace('.', '')} "):
            assert spot.key in PLACES.find_cities(said)
            assert spot.key in PLACES.find_exact(said)


def test_a_misspelt_city_is_found_but_not_exactly() -> None:
    """Lists nobody looks over take no guesses."""
    assert list(PLACES.find_cities("Montreall")) == [9]
    assert list(PLACES.find_exact("Montreall")) == []
    assert PLACES.find_near("Montreall") == [9]
    assert PLACES.find_near("zzzzzz") == []


def test_a_city_is_completed_while_it_is_typed() -> None:
    """Names that begin so come first; a slip is forgiven."""
    assert PLACES.complete("spring") == [1, 2]
    assert PLACES.complete("méx")[0] == 3
    assert PLACES.complete("bogtoa") == [7]
    assert len(PLACES.complete("", 4)) == 4


@given(st.text(max_size=25))
def test_no_text_is_too_odd(text: str) -> None:
    """Only cities that exist, whatever is asked."""
    assert {
        *PLACES.find_cities(text),
        *PLACES.find_near(text),
        *PLACES.complete(text),
    } <= EVERY


populations = st.none() | st.integers(0, 10_000_000)


@given(populations, populations, st.sampled_from(["", "gold", "Silver", "none"]))
def test_a_filter_keeps_exactly_those_that_fit(
    least: int | None, most: int | None, level: str
) -> None:
    """Both ends count in; an unknown population never fits a size, and no limit takes it."""
    found = PLACES.filter_cities(level, least, most)
    for spot in SPOTS:
        known = spot.population is not None
        sized = (least is None and most is None) or (
            known
            and (least is None or (spot.population or 0) >= least)
            and (most is None or (spot.population or 0) <= most)
        )
        levelled = not level or (spot.level or "").lower() == level.lower()
        assert (spot.key in found) == (sized and levelled)
