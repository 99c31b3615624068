"""Quiet hours: when an unasked-for message may reach somebody."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


def _parse_time(text: str) -> time:
    hours, minutes = text.split(":")
    return time(int(hours) % 24, int(minutes))


def is_quiet(clock: time, start: time, end: time) -> bool:
    """Does the clock stand in the quiet hours? They may cross midnight; equal ends: never."""
    if start <= end:
        return start <= clock < end
    return clock >= start or clock < end


def next_allowed_time(moment: datetime, zone: str, quiet_from: str, quiet_to: str) -> datetime:
    """The moment itself, or the first one after the reader's quiet hours («19:00» to «08:00»).

    In the hour that a zone leaps over, the first valid instant after; in a repeated one, the first.
    """
    start, end = _parse_time(quiet_from), _parse_time(quiet_to)
    local = moment.astimezone(ZoneInfo(zone))
    if start == end or not is_quiet(local.time(), start, end):
        return moment
    day = local.date() if local.time() < end else local.date() + timedelta(days=1)
    wake = datetime.combine(day, end, ZoneInfo(zone))
    return wake.astimezone(UTC)
