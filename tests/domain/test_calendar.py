"""Times that are proposed to two people: inside both working hours, whatever the clocks do."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, seed
from hypothesis import strategies as st

from bot.domain.calendar import MIN_NOTICE, WorkingHours, find_slots, next_morning
from tests.campaign import SEED, examples
from tests.cast import NOW

ZONES = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Phoenix",
    "America/Los_Angeles", "America/St_Johns", "America/Halifax", "America/Toronto",
    "America/Mexico_City", "America/Tijuana", "America/Bogota", "America/Sao_Paulo",
    "America/Santiago", "America/Asuncion",
)  # fmt: skip
START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2034, 12, 31, tzinfo=UTC)


def office(zone: str, start: str = "09:00", end: str = "17:00") -> WorkingHours:
    return WorkingHours(zone, start, end)


def clock(moment: datetime, zone: str) -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%a %H:%M}"


def changes(zone: str) -> list[datetime]:
    """Every night of these years on which the clocks of a zone change."""
    at, found = START, []
    while at < END:
        later = at + timedelta(days=1)
        if (
            at.astimezone(ZoneInfo(zone)).utcoffset()
            != later.astimezone(ZoneInfo(zone)).utcoffset()
        ):
            found.append(at)
        at = later
    return found


def check(now: datetime, one: WorkingHours, other: WorkingHours) -> None:
    """What every proposal keeps, said a second time and straight from the local clocks."""
    found = find_slots(now, one, other)
    assert len(found) == 3
    assert [s.start for s in found] == sorted({s.start for s in found})
    assert len({s.start.astimezone(ZoneInfo(one.zone)).date() for s in found}) == 3
    for slot in found:
        assert slot.start >= now + MIN_NOTICE
        for side in (one, other):
            begins = slot.start.astimezone(ZoneInfo(side.zone))
            ends = (slot.start + timedelta(minutes=30)).astimezone(ZoneInfo(side.zone))
            assert begins.minute in (0, 30)
            assert begins.weekday() < 5
            again = begins.replace(tzinfo=None).replace(tzinfo=ZoneInfo(side.zone))
            assert again.astimezone(UTC) == slot.start, "the wall clock alone names the instant"
            if slot.fits:
                assert side.start <= f"{begins:%H:%M}"
                assert f"{ends:%H:%M}" <= side.end


def test_three_workdays_from_tomorrow_early_in_the_middle_and_late() -> None:
    """A Tuesday at ten in Boston; Bogotá has the same time in winter."""
    found = find_slots(NOW, office("America/New_York"), office("America/Bogota"))

    said = [clock(s.start, "America/New_York") for s in found]
    assert said == ["Wed 11:00", "Thu 13:00", "Fri 15:30"]
    assert all(s.fits for s in found)


def test_what_is_left_of_tomorrow_counts_and_weekends_do_not() -> None:
    """On a Friday at three the first proposals are on Monday."""
    friday = datetime(2026, 11, 27, 20, 0, tzinfo=UTC)

    found = find_slots(friday, office("America/New_York"), office("America/Denver"))

    assert [clock(s.start, "America/Denver")[:3] for s in found] == ["Mon", "Tue", "Wed"]


def test_hours_that_never_meet_are_told_as_such_and_the_least_bad_is_proposed() -> None:
    """Nine hours apart, and mornings only: one of them gives up half an hour, not more."""
    early, late = office("America/Los_Angeles", "08:00", "12:00"), office("Europe/Paris")

    found = find_slots(NOW, early, late)

    assert len(found) == 3
    assert not any(s.fits for s in found)
    said = [(clock(s.start, early.zone)[4:], clock(s.start, late.zone)[4:]) for s in found]
    assert set(said) <= {("08:00", "17:00"), ("07:30", "16:30")}


def test_working_to_midnight_is_understood() -> None:
    """«24:00» is an end like any other."""
    night = office("America/Bogota", "20:00", "24:00")

    found = find_slots(NOW, night, night)

    assert all(s.fits for s in found)
    assert all(clock(s.start, night.zone)[4:] >= "20:00" for s in found)


def test_people_without_a_common_workday_get_no_proposal() -> None:
    """Nobody has such hours; the function still answers."""
    assert (
        find_slots(
            NOW, WorkingHours("UTC", "09:00", "17:00"), WorkingHours("UTC", "09:00", "17:00"), 0
        )
        == ()
    )


@pytest.mark.parametrize("zone", ZONES)
def test_around_every_change_of_the_clocks_both_hours_are_kept(zone: str) -> None:
    """Fourteen zones of both hemispheres, every change from 2024 to 2034, against each other."""
    days = changes(zone)
    for index, day in enumerate(days):
        other = ZONES[(ZONES.index(zone) + 1 + index) % len(ZONES)]
        for before in (1, 2, 4):
            check(day - timedelta(days=before, hours=index % 24), office(zone), office(other))


@pytest.mark.campaign
@seed(SEED)
@examples(300)
@given(
    now=st.datetimes(START.replace(tzinfo=None), END.replace(tzinfo=None)),
    one=st.sampled_from(ZONES),
    other=st.sampled_from(ZONES),
    start=st.integers(0, 21),
    length=st.integers(1, 12),
)
def test_whatever_the_hours_every_proposal_keeps_the_rules(
    now: datetime, one: str, other: str, start: int, length: int
) -> None:
    """Night workers too: no hour that the clock shows twice, none that it leaps over."""
    end = min(start + length, 24)
    mine = office(one, f"{start:02}:00", f"{end:02}:00")
    if end == 24:
        mine = office(one, f"{start:02}:00", "23:59")
    check(now.replace(tzinfo=UTC), mine, office(other))


def test_the_next_morning_is_now_at_work_and_else_nine_on_a_working_day() -> None:
    """On the reader's own clock, over weekends and over the change of the clocks."""
    table = (
        ("2026-11-24T15:00", "America/New_York", "2026-11-24T15:00"),  # Tuesday, ten o'clock
        ("2026-11-24T15:00", "America/Los_Angeles", "2026-11-24T17:00"),
        ("2026-11-24T22:00", "America/New_York", "2026-11-25T14:00"),
        ("2026-11-27T23:00", "America/Sao_Paulo", "2026-11-30T12:00"),  # Friday night
        ("2026-11-29T12:00", "Asia/Tokyo", "2026-11-30T00:00"),
        ("2027-03-12T23:00", "America/New_York", "2027-03-15T13:00"),  # summer time began
    )
    for moment, zone, expected in table:
        found = next_morning(datetime.fromisoformat(moment).replace(tzinfo=UTC), zone)
        assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC), (moment, zone)
