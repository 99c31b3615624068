"""When two people in two zones could talk: half hours inside the working hours of both."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MEETING_LENGTH = timedelta(minutes=30)
MIN_NOTICE = timedelta(hours=24)
"""Nobody is asked to be somewhere sooner than this."""
HORIZON = timedelta(days=14)
SATURDAY = 5
_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """Somebody's working hours, «09:00» to «17:00», on the workdays of a zone."""

    zone: str
    start: str
    end: str

    def minutes_outside(self, moment: datetime) -> int | None:
        """How many minutes of a meeting that begins then lie away from the working hours.

        Counted as the distance to them, so that dawn is better than the dead of night. None on
        a day off, and where the clock shows the same time twice.
        """
        local = moment.astimezone(ZoneInfo(self.zone))
        if local.weekday() >= SATURDAY or _is_repeated_time(local):
            return None
        begins = local.hour * 60 + local.minute
        ends = begins + int(MEETING_LENGTH.total_seconds()) // 60
        return max(_parse_minutes(self.start) - begins, ends - _parse_minutes(self.end), 0)


@dataclass(frozen=True, slots=True)
class Slot:
    """A half hour that begins at `start` (UTC). `fits`: inside the working hours of both."""

    start: datetime
    fits: bool


def find_slots(
    now: datetime,
    one: WorkingHours,
    other: WorkingHours,
    count: int = 3,
    excluded: Collection[datetime] = (),
) -> tuple[Slot, ...]:
    """Times to propose: on different workdays of both, a day ahead at least, earliest day first.

    `beyond`: times that were proposed before, and none of which is proposed again.

    Where the working hours never meet, the times at which whoever is further from their own
    hours is least far from them. Empty only where no day is a workday for both.
    """
    days = _group_by_day(now, one, other, frozenset(excluded))
    fitting = {day: [s for s, far in some if far == (0, 0)] for day, some in days.items()}
    meeting = [(day, some) for day, some in fitting.items() if some]
    if meeting:
        return tuple(_spread(meeting[:count], fits=True))
    least = sorted((min(far for _, far in some), day) for day, some in days.items())[:count]
    best = {day: [s for s, far in days[day] if far == smallest] for smallest, day in least}
    return tuple(_spread(sorted(best.items()), fits=False))


def _group_by_day(
    now: datetime, one: WorkingHours, other: WorkingHours, beyond: frozenset[datetime]
) -> dict[date, list[tuple[datetime, tuple[int, int]]]]:
    """Every half hour that is a workday for both, by the first one's day, with how far it is."""
    days: dict[date, list[tuple[datetime, tuple[int, int]]]] = {}
    for moment in _iter_half_hours(now + MIN_NOTICE, now + MIN_NOTICE + HORIZON):
        far, farther = one.minutes_outside(moment), other.minutes_outside(moment)
        if far is None or farther is None or moment in beyond:
            continue
        day = moment.astimezone(ZoneInfo(one.zone)).date()
        days.setdefault(day, []).append((moment, (max(far, farther), far + farther)))
    return days


def _spread(days: Sequence[tuple[date, list[datetime]]], *, fits: bool) -> Iterator[Slot]:
    """One time of each day, at another part of the day each: early, in the middle, late."""
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
    """Does the clock show this time twice, as it is put back?"""
    return local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset()


def _parse_minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return min(int(hours) * 60 + int(minutes), _DAY)
