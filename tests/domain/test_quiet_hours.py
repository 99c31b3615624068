"""Quiet hours over midnight, over zones and over changes of the clock."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from bot.domain.quiet_hours import is_quiet, next_allowed_time

BOSTON = "America/New_York"


def at(text: str, zone: str = BOSTON) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("clock", "start", "end", "quiet"),
    [
        ("18:59", "19:00", "08:00", False),
        ("19:00", "19:00", "08:00", True),
        ("07:59", "19:00", "08:00", True),
        ("08:00", "19:00", "08:00", False),
        ("12:00", "12:00", "13:00", True),
        ("13:00", "12:00", "13:00", False),
    ],
)
def test_quiet_hours_may_cross_midnight(clock: str, start: str, end: str, quiet: bool) -> None:
    """The first minute belongs to them, the last one does not."""
    assert is_quiet(*map(time.fromisoformat, (clock, start, end))) is quiet


def test_what_comes_at_night_waits_for_the_morning() -> None:
    """In the evening until tomorrow, before dawn until today."""
    assert next_allowed_time(at("2026-11-24T22:00"), BOSTON, "19:00", "08:00") == at(
        "2026-11-25T08:00"
    )
    assert next_allowed_time(at("2026-11-24T05:00"), BOSTON, "19:00", "08:00") == at(
        "2026-11-24T08:00"
    )


def test_what_comes_by_day_comes_at_once_and_equal_ends_mean_never_quiet() -> None:
    """The moment itself is given back."""
    noon, night = at("2026-11-24T12:00"), at("2026-11-24T23:00")
    assert next_allowed_time(noon, BOSTON, "19:00", "08:00") is noon
    assert next_allowed_time(night, BOSTON, "08:00", "08:00") is night


def test_an_end_that_the_clock_leaps_over_is_the_first_instant_after() -> None:
    """In New York 02:30 did not exist on 8 March 2026."""
    woken = next_allowed_time(at("2026-03-08T01:00"), BOSTON, "23:00", "02:30")
    assert woken == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)
