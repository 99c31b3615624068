"""Time zones as people name them."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.zones import find_near_zones, find_zone, list_zones, list_zones_at, parse_offset
from db.text import fold_text

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "zone"),
    [
        ("America/New_York", "America/New_York"), ("america/new york", "America/New_York"),
        ("EST", "America/New_York"), ("edt", "America/New_York"), ("ET", "America/New_York"),
        ("Eastern time", "America/New_York"), ("CST", "America/Chicago"),
        ("Central Time", "America/Chicago"), ("MST", "America/Denver"),
        ("PST", "America/Los_Angeles"), ("pacific", "America/Los_Angeles"),
        ("BRT", "America/Sao_Paulo"), ("horário de Brasília", "America/Sao_Paulo"),
        ("hora de Bogotá", "America/Bogota"), ("heure de Montréal", "America/Montreal"),
        ("UTC", "UTC"), ("gmt", "UTC"), ("Z", "UTC"), ("UTC+0", "UTC"), ("Lima", "America/Lima"),
        ("Tokyo", "Asia/Tokyo"), ("COT", "America/Bogota"), ("Klingon", None), ("", None),
    ],
)  # fmt: skip
def test_a_zone_is_found_by_its_city_or_abbreviation(said: str, zone: str | None) -> None:
    """As people in the Americas mean it: EST is New York and not Australia."""
    assert find_zone(said, fold_text) == zone


def test_an_abbreviation_in_use_at_home_means_home() -> None:
    """CST is Chicago, and Mexico City for somebody there, where the clock is never changed."""
    assert find_zone("CST", fold_text, "America/Mexico_City") == "America/Mexico_City"
    assert find_zone("CDT", fold_text, "America/Mexico_City") == "America/Chicago"


@pytest.mark.parametrize(
    ("said", "minutes"),
    [("UTC-5", -300), ("GMT+5:30", 330), ("-03:00", -180), ("utc − 3", -180), ("UTC", None),
     ("5", None), ("UTC-five", None)],
)  # fmt: skip
def test_an_offset_is_read(said: str, minutes: int | None) -> None:
    """With any dash."""
    assert parse_offset(said) == (None if minutes is None else timedelta(minutes=minutes))


def test_an_offset_leads_to_the_zones_that_keep_it_now() -> None:
    """In winter New York and Bogotá, in summer only Bogotá."""
    zones = ["America/New_York", "America/Bogota", "America/Chicago", "America/Bogota"]
    five = timedelta(hours=-5)

    assert list_zones_at(five, zones, NOW) == ["America/New_York", "America/Bogota"]
    summer = ["America/Bogota", "America/Chicago"]
    assert list_zones_at(five, zones, NOW - timedelta(days=120)) == summer


def test_a_misspelt_city_gets_the_nearest() -> None:
    """Few, each city once."""
    assert find_near_zones("Bogotta", fold_text)[0] == "America/Bogota"
    assert len(find_near_zones("san", fold_text)) <= 3
    assert find_near_zones("qqqqqqqq", fold_text) == []


def test_old_abbreviations_are_no_zones() -> None:
    """They know no daylight saving time."""
    assert "EST" not in list_zones()
    assert "America/Bogota" in list_zones()
