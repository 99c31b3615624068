"""Pure thinking: ranking, vocabulary, places, ranges of numbers."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.atlas import Atlas
from bot.domain.gazetteer import Gazetteer, Place
from bot.domain.ranges import parse_range
from bot.domain.ranking import FRESH_FOR_DAYS, Candidate, base_points, rank, rank_candidate
from bot.domain.vocabulary import Term, Vocabulary
from db.text import fold_text

NOW = datetime(2026, 11, 24, tzinfo=UTC)
PLAIN = Candidate(1, False, 2, 0, None, True, False, 0, NOW)


# --- ranking ----------------------------------------------------------------------------------

BETTER = [
    PLAIN._replace(own_city=True, skill=1, is_open=False),
    PLAIN._replace(skill=3, endorsements=20, city_level="Platinum"),
    PLAIN._replace(skill=3),
    PLAIN,
    PLAIN._replace(asks_taken=1),
    PLAIN._replace(confirmed_at=NOW - timedelta(days=FRESH_FOR_DAYS + 1)),
    PLAIN._replace(skill=1, confirmed_at=NOW - timedelta(days=400), asks_taken=5),
    PLAIN._replace(is_open=False, skill=3, endorsements=10, city_level="Platinum"),
    PLAIN._replace(is_full=True, skill=3, endorsements=10, city_level="Platinum"),
]


def test_who_comes_first() -> None:
    """Colleagues, then the open by merit and freshness, then the closed, then the full."""
    numbered = [one._replace(key=9 - n) for n, one in enumerate(BETTER)]

    assert [r.key for r in rank(reversed(numbered), NOW)] == [one.key for one in numbered]


@given(st.integers(1, 3), st.integers(0, 50), st.sampled_from([None, "Silver", "Gold"]),
       st.booleans())  # fmt: skip
def test_what_the_index_keeps_is_part_of_the_trace(
    skill: int, endorsements: int, level: str | None, open_: bool
) -> None:
    """The stored standing and the shown reasons never drift apart."""
    one = PLAIN._replace(skill=skill, endorsements=endorsements, city_level=level, is_open=open_)

    assert rank_candidate(one, NOW).points == base_points(skill, endorsements, level, open_) + 5


def test_ties_are_broken_the_same_way_every_time() -> None:
    """By number."""
    assert [r.key for r in rank([PLAIN._replace(key=k) for k in (3, 1, 2)], NOW)] == [1, 2, 3]


# --- vocabulary -------------------------------------------------------------------------------

WORDS = Vocabulary(
    [
        Term(1, "open data", "en", True), Term(1, "datos abiertos", "es", True),
        Term(2, "open contracting", "en", True), Term(3, "GIS", "en", True),
        Term(3, "l'information géographique", "fr", True),
    ],
    fold_text,
)  # fmt: skip


@pytest.mark.parametrize(
    ("said", "key"),
    [("Open Data", 1), ("open-data", 1), ("open_data", 1), ("DATOS  ABIERTOS", 1), ("opne data", 1),
     ("gis", 3), ("l’information geographique", 3), ("gi", None), ("", None), ("zzz", None)],
)  # fmt: skip
def test_a_thing_is_found_by_its_names(said: str, key: int | None) -> None:
    """Short words must be exact: «gi» is nothing."""
    hit = WORDS.find(said)

    assert (hit.key if hit else None) == key


def test_names_are_shown_in_the_readers_language_or_in_english() -> None:
    """A missing translation is no error."""
    assert WORDS.name(1, "es") == "datos abiertos"
    assert WORDS.name(2, "es") == "open contracting"
    assert list(WORDS.keys()) == [1, 2, 3]


def test_what_is_typed_becomes_names_that_begin_with_it_first() -> None:
    """Then those that hold it, then those that look alike."""
    assert WORDS.complete("open", "en") == [2, 1]
    assert WORDS.complete("abiertos", "en") == [1]
    assert WORDS.complete("opn data", "en")[0] == 1
    assert [h.key for h in WORDS.find_near("open dta")][0] == 1  # noqa: RUF015 - reads as it is meant


# --- places -----------------------------------------------------------------------------------

PLACES = Gazetteer(
    [
        Place(1, ("Springfield", "Springfield, IL"), "IL", "US", "Gold", 114_000),
        Place(2, ("Springfield", "Springfield, MA"), "MA", "US", None, None),
        Place(3, ("Ciudad de México", "CDMX"), "CDMX", "MX", "Silver", 9_200_000),
        Place(4, ("Mexico", "Mexico, MO"), "MO", "US", None, 11_000),
    ],
    fold_text,
)


def test_namesakes_are_all_returned_and_a_state_tells_them_apart() -> None:
    """Never one of them silently."""
    assert list(PLACES.find_cities("springfield")) == [1, 2]
    assert list(PLACES.find_cities("Springfield MA")) == [2]
    assert list(PLACES.find_cities("springfield, il")) == [1]
    assert list(PLACES.find_cities("nowhere")) == []


def test_a_country_wins_over_a_city_of_its_name() -> None:
    """`in:mexico` is the country; regions and states are places too."""
    atlas = Atlas(PLACES, fold_text)
    for said, cities in (
        ("méxico", {3}), ("latam", {3}), ("north america", {1, 2, 4}), ("MO", {4}),
        ("qqxxqq", set()),
    ):  # fmt: skip
        assert {key for area in atlas.find(said) for key in area.keys} == cities


def test_an_unknown_population_fits_no_size() -> None:
    """Unknown is not small."""
    assert PLACES.filter_cities(min_population=0) == {1, 3, 4}
    assert PLACES.filter_cities(max_population=200_000) == {1, 4}
    assert PLACES.filter_cities(level="gold", min_population=100_000, max_population=200_000) == {1}
    assert PLACES.filter_cities() == {1, 2, 3, 4}


# --- ranges -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "read"),
    [("100k-500k", (100_000, 500_000)), ("100-500k", (100_000, 500_000)),
     ("100 000 - 500 000", (100_000, 500_000)), ("1.5m–2,5m", (1_500_000, 2_500_000)),
     (">1m", (1_000_000, None)), (">=1M", (1_000_000, None)), ("250000+", (250_000, None)),
     ("<50k", (None, 50_000)), ("≤ 50 mil", (None, 50_000)), ("1.000.000+", (1_000_000, None)),
     ("100k to 200k", (100_000, 200_000)), ("100k à 200k", (100_000, 200_000)),
     ("500k-100k", None), ("plenty", None), ("", None), ("1e9", None), ("-5", None)],
)  # fmt: skip
def test_sizes_as_people_write_them(said: str, read: tuple[int | None, int | None] | None) -> None:
    """With units, separators and words of four languages."""
    assert parse_range(said) == read


@given(st.text(max_size=40))
def test_no_text_makes_a_range_raise(text: str) -> None:
    """And what is read is never upside down."""
    found = parse_range(text)

    least, most = found or (None, None)
    assert least is None or most is None or least <= most
