"""Quiet hours: the time of day when a member gets no message that they did not ask for."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


def _parse_time(text: str) -> time:
    hours, minutes = text.split(":")
    return time(int(hours) % 24, int(minutes))


def is_quiet(clock: time, start: time, end: time) -> bool:
    """Return whether a time is in quiet hours. They may cross midnight; equal ends mean never."""
    if start <= end:
        return start <= clock < end
    return clock >= start or clock < end


def next_allowed_time(moment: datetime, zone: str, quiet_from: str, quiet_to: str) -> datetime:
    """Return `moment`, or the end of the reader's quiet hours if it lies in them.

    `quiet_from` and `quiet_to` are local times of the zone («19:00», «08:00»); they may cross
    midnight. An end that the clock skips becomes the first valid instant after it; of an end that
    the clock shows twice the first one counts.
    """
    start, end = _parse_time(quiet_from), _parse_time(quiet_to)
    local = moment.astimezone(ZoneInfo(zone))
    if start == end or not is_quiet(local.time(), start, end):
        return moment
    day = local.date() if local.time() < end else local.date() + timedelta(days=1)
    wake = datetime.combine(day, end, ZoneInfo(zone))
    return wake.astimezone(UTC)
