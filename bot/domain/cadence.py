"""When rounds are, and whose turn it is: every Tuesday, for most people every other or fewer."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, NamedTuple

Rhythm = Literal["weekly", "every-two-weeks", "monthly"]
RHYTHMS: tuple[Rhythm, ...] = ("weekly", "every-two-weeks", "monthly")
ROUND_WEEKDAY = 1
SEND_TIME = time(14, tzinfo=UTC)
"""An hour at which people are at work from Vancouver to Recife."""
LAST_TUESDAY = 5
"""The «nth» Tuesday of a month that means its last one."""
A_WEEK = timedelta(days=7)


class RoundSchedule(NamedTuple):
    """What happens to one round when."""

    draft: datetime
    notice: datetime
    send: datetime
    check: datetime
    close: datetime


def round_schedule(day: date) -> RoundSchedule:
    """The pairs are drafted on Friday, told on Tuesday, asked on Friday, closed on Monday."""
    send = datetime.combine(day, SEND_TIME)
    return RoundSchedule(
        draft=send - timedelta(days=4),
        notice=send - timedelta(days=1),
        send=send,
        check=send + timedelta(days=3),
        close=send + timedelta(days=5, hours=23),
    )


def next_round_day(now: datetime) -> date:
    """The day of the next round that has not begun."""
    today = now.astimezone(UTC).date()
    day = today + timedelta(days=(ROUND_WEEKDAY - today.weekday()) % 7)
    return day if now < round_schedule(day).send else day + A_WEEK


def is_turn(rhythm: str, nth: int, day: date) -> bool:
    """Does somebody of this rhythm take part on that Tuesday?

    Every two weeks is the same week for everybody, so that the rounds of those weeks are large;
    monthly is the nth Tuesday of the month, 5 for the last one.
    """
    if rhythm == "weekly":
        return True
    if rhythm == "every-two-weeks":
        return day.toordinal() // 7 % 2 == 0
    if nth == LAST_TUESDAY:
        return (day + A_WEEK).month != day.month
    return (day.day - 1) // 7 + 1 == nth
