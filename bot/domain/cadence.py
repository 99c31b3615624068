"""The calendar of rounds: one each Tuesday, and which members take part in which of them."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, NamedTuple

Rhythm = Literal["weekly", "every-two-weeks", "monthly"]
RHYTHMS: tuple[Rhythm, ...] = ("weekly", "every-two-weeks", "monthly")
ROUND_WEEKDAY = 1
"""Tuesday, as `date.weekday` counts."""
SEND_TIME = time(14, tzinfo=UTC)
"""14:00 UTC: people are at work then from Vancouver to Recife."""
LAST_TUESDAY = 5
"""The value of `nth` that means the last Tuesday of a month."""
A_WEEK = timedelta(days=7)


class RoundSchedule(NamedTuple):
    """The moments (UTC) of the steps of one round, in this order."""

    draft: datetime
    notice: datetime
    send: datetime
    check: datetime
    close: datetime


def round_schedule(day: date) -> RoundSchedule:
    """Return the moments of the round of a Tuesday.

    Pairs are drafted on the Friday before, participants get a notice on Monday, introductions are
    sent on Tuesday, check-ins on Friday, and the round closes on the Monday after.
    """
    send = datetime.combine(day, SEND_TIME)
    return RoundSchedule(
        draft=send - timedelta(days=4),
        notice=send - timedelta(days=1),
        send=send,
        check=send + timedelta(days=3),
        close=send + timedelta(days=5, hours=23),
    )


def next_round_day(now: datetime) -> date:
    """Return the day of the next round that has not been sent yet."""
    today = now.astimezone(UTC).date()
    day = today + timedelta(days=(ROUND_WEEKDAY - today.weekday()) % 7)
    return day if now < round_schedule(day).send else day + A_WEEK


def is_turn(rhythm: str, nth: int, day: date) -> bool:
    """Return whether a member with this rhythm takes part on that Tuesday.

    «every-two-weeks» means the same weeks for everybody, so that the rounds of those weeks are
    large; «monthly» means the `nth` Tuesday of the month, where 5 is the last one.
    """
    if rhythm == "weekly":
        return True
    if rhythm == "every-two-weeks":
        return day.toordinal() // 7 % 2 == 0
    if nth == LAST_TUESDAY:
        return (day + A_WEEK).month != day.month
    return (day.day - 1) // 7 + 1 == nth
