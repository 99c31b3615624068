"""Working hours: half hours at which two people could talk, and the next morning of a reader."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MEETING_LENGTH = timedelta(minutes=30)
MIN_NOTICE = timedelta(hours=24)
"""The earliest proposed time is at least this far away."""
HORIZON = timedelta(days=14)
"""Times are searched in a span of this length, which begins after `MIN_NOTICE`."""
SATURDAY = 5
MORNING, EVENING = time(9), time(17)
"""When a working day begins and ends for messages that staff send to many."""
_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """A person's working hours on workdays: an IANA zone and two local times («09:00», «17:00»)."""

    zone: str
    start: str
    end: str

    def minutes_outside(self, moment: datetime) -> int | None:
        """Return by how many minutes a meeting that begins at `moment` misses the working hours.

        This is the distance to the working hours, so that dawn ranks before the dead of night;
        0 if the meeting lies inside them. None on a weekend, and for a local time that the
        clock shows twice because it is put back.
        """
        local = moment.astimezone(ZoneInfo(self.zone))
        if local.weekday() >= SATURDAY or _is_repeated_time(local):
            return None
        begins = local.hour * 60 + local.minute
        ends = begins + int(MEETING_LENGTH.total_seconds()) // 60
        return max(_parse_minutes(self.start) - begins, ends - _parse_minutes(self.end), 0)


@dataclass(frozen=True, slots=True)
class Slot:
    """A half hour that begins at `start` (UTC). `fits`: it lies in the working hours of both."""

    start: datetime
    fits: bool


def find_slots(
    now: datetime,
    one: WorkingHours,
    other: WorkingHours,
    count: int = 3,
    excluded: Collection[datetime] = (),
) -> tuple[Slot, ...]:
    """Return up to `count` times to meet, one per workday, in both's hours if possible.

    The first is at least `MIN_NOTICE` ahead. `excluded`: times that were proposed before and are
    not proposed again.

    If the working hours of the two never overlap, the slots have `fits=False`: they are the times
    at which the larger of the two distances from working hours is smallest. Empty only if no day
    is a workday for both.
    """
    days = _group_by_day(now, one, other, frozenset(excluded))
    fitting = {day: [s for s, far in some if far == (0, 0)] for day, some in days.items()}
    meeting = [(day, some) for day, some in fitting.items() if some]
    if meeting:
        return tuple(_spread(meeting[:count], fits=True))
    least = sorted((min(far for _, far in some), day) for day, some in days.items())[:count]
    best = {day: [s for s, far in days[day] if far == smallest] for smallest, day in least}
    return tuple(_spread(sorted(best.items()), fits=False))


def next_morning(moment: datetime, zone: str) -> datetime:
    """Return `moment` during a working day there, else the next 9:00 of a working day (UTC)."""
    there = ZoneInfo(zone)
    local = moment.astimezone(there)
    if local.weekday() < SATURDAY and MORNING <= local.time() < EVENING:
        return moment
    day = local.date() if local.time() < MORNING else local.date() + timedelta(days=1)
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    return datetime.combine(day, MORNING, there).astimezone(UTC)


def _group_by_day(
    now: datetime, one: WorkingHours, other: WorkingHours, beyond: frozenset[datetime]
) -> dict[date, list[tuple[datetime, tuple[int, int]]]]:
    """Group the half hours that are on a workday for both by the local day of `one`.

    Each comes with its distance from working hours in minutes: (larger of the two, sum of both).
    """
    days: dict[date, list[tuple[datetime, tuple[int, int]]]] = {}
    for moment in _iter_half_hours(now + MIN_NOTICE, now + MIN_NOTICE + HORIZON):
        far, farther = one.minutes_outside(moment), other.minutes_outside(moment)
        if far is None or farther is None or moment in beyond:
            continue
        day = moment.astimezone(ZoneInfo(one.zone)).date()
        days.setdefault(day, []).append((moment, (max(far, farther), far + farther)))
    return days


def _spread(days: Sequence[tuple[date, list[datetime]]], *, fits: bool) -> Iterator[Slot]:
    """Yield one time of each day, each at a different part of the day: early, midday, late."""
    for index, (_, some) in enumerate(days):
        part = (2 * index + 1) / (2 * len(days))
        yield Slot(some[min(int(len(some) * part), len(some) - 1)], fits)


def _iter_half_hours(start: datetime, end: datetime) -> Iterator[datetime]:
    step = int(MEETING_LENGTH.total_seconds())
    second = -(-int(start.timestamp()) // step) * step
    while second < end.timestamp():
        yield datetime.fromtimestamp(second, UTC)
        second += step


def _is_repeated_time(local: datetime) -> bool:
    """Return whether the clock shows this local time twice because it is put back."""
    return local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset()


def _parse_minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return min(int(hours) * 60 + int(minutes), _DAY)
