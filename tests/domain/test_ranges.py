"""Sizes as people write them: whatever the separators and units, the same numbers are read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.ranges import parse_range

NUMBERS = st.integers(0, 40_000_000)
BETWEEN = ["-", " - ", "–", "..", " to ", " a ", " à "]
THOUSANDS = ["", ",", ".", " ", "\u00a0", "\u202f"]


def written(number: int, mark: str) -> str:
    """With its thousands apart."""
    return f"{number:,}".replace(",", mark)


@given(NUMBERS, NUMBERS, st.sampled_from(BETWEEN), st.sampled_from(THOUSANDS))
def test_two_numbers_are_read_however_they_are_written(
    one: int, other: int, between: str, mark: str
) -> None:
    """Four languages set thousands apart in their own ways."""
    least, most = sorted((one, other))
    said = f"{written(least, mark)}{between}{written(most, mark)}"

    assert parse_range(said) == (least, most)


@given(NUMBERS, NUMBERS)
def test_a_range_upside_down_is_none(one: int, other: int) -> None:
    """Nobody means it, so it is asked about."""
    least, most = min(one, other), max(one, other) + 1

    assert parse_range(f"{most}-{least}") is None


@given(NUMBERS, st.sampled_from(THOUSANDS))
def test_one_end_may_be_open(number: int, mark: str) -> None:
    """At least, at most."""
    said = written(number, mark)

    for text in (f">{said}", f">= {said}", f"≥{said}", f"{said}+", f"{said} +"):
        assert parse_range(text) == (number, None)
    for text in (f"<{said}", f"<= {said}", f"≤ {said}"):
        assert parse_range(text) == (None, number)


@given(st.integers(1, 999), st.sampled_from([("k", 3), ("mil", 3), ("m", 6), ("mio", 6)]))
def test_units_are_only_short_for_zeros(number: int, unit: tuple[str, int]) -> None:
    """Upper case too, and with a space before them."""
    name, zeros = unit

    for said in (f"{number}{name}", f"{number} {name.upper()}"):
        assert parse_range(f">{said}") == (number * 10**zeros, None)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("100-500k", (100_000, 500_000)),
        ("1000-500k", (1000, 500_000)),
        ("1k-5m", (1000, 5_000_000)),
        ("1.5m-2m", (1_500_000, 2_000_000)),
        ("0,5m+", (500_000, None)),
        ("5-5", (5, 5)),
    ],
)
def test_a_unit_at_the_end_counts_for_small_numbers_before_it(
    said: str, read: tuple[int, int | None]
) -> None:
    """«100-500k» is not a hundred people."""
    assert parse_range(said) == read


@pytest.mark.parametrize(
    "said",
    ["9" * 400 + "+", f"1-{'9' * 400}m", ">" + "9" * 16, "1,5,5+", "k+", "1q+", "1--2", "1-", "+"],
    ids=lambda said: said[:12],
)
def test_what_is_no_size_is_none(said: str) -> None:
    """No number is too long to be refused."""
    assert parse_range(said) is None
