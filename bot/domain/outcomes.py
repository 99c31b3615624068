"""What the end of an attempt means for what is owed: the one table of the outbox.

Two things are never mixed up: what surely did not arrive may simply be sent again; what may have
arrived is looked for first.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, assert_never

MOST_ATTEMPTS = 8
PAUSES = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 1800, 5400, 14400))
"""After each attempt but the last: about six hours in all."""

QUICK = timedelta(seconds=2)
"""Until the same is posted again where the platform drops doubles by itself."""

SETTLE = timedelta(seconds=15)
"""Until a message that arrived is surely seen by whoever looks."""

OUTAGE_PAUSE = timedelta(seconds=45)
"""Between two looks whether a platform is back: a minute after it is, messages go out again."""

LOOKING_FOR = timedelta(hours=24)
"""After this long nobody looks any more for what may have arrived."""

State = Literal["sent", "due", "dead", "expired", "ambiguous"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is known about the delivery when an attempt, or a look, ended at `now`.

    `number`: which attempt it was, from 1. `doubted_since`: when the first attempt began that may
    have arrived, this one left out. `began`: when this one did. `repeatable`: done twice is as
    good as once. `drops_doubles`: for so long after its beginning the platform takes the same
    message once. `resends`: when nobody can tell, it is sent once more; `resent`: it was.
    `outage`: the platform takes nothing from anybody. `chance`: 0 to 1, spreads the retries.
    """

    now: datetime
    began: datetime
    number: int = 1
    doubted_since: datetime | None = None
    expires: datetime | None = None
    repeatable: bool = False
    drops_doubles: timedelta = timedelta(0)
    resends: bool = False
    resent: bool = False
    outage: bool = False
    chance: float = 0.5


@dataclass(frozen=True, slots=True)
class Arrived:
    """The platform said so, or it was found there."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It surely did not arrive. `everywhere`: the hub may not speak in the whole workspace."""

    reason: str
    final: bool = False
    everywhere: bool = False
    wait: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Unsure:
    """It may have arrived."""

    reason: str


@dataclass(frozen=True, slots=True)
class Absent:
    """Looked for, and surely not there."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """It could not be looked for just now."""

    reason: str
    wait: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Untold:
    """Nobody will ever see from here whether it is there."""


End = Arrived | Refused | Unsure | Absent | Unseen | Untold


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of the delivery.

    `doubt`: it may be there, so that it is looked for before it is posted. `counted`: the attempt
    is one of the eight. `resent`: from now on it says that it may be the second one.
    """

    state: State
    reason: str = ""
    retry_at: datetime | None = None
    doubt: bool = False
    counted: bool = True
    resent: bool = False


def outcome(end: End, attempt: Attempt) -> Outcome:
    """The table."""
    match end:
        case Arrived():
            return Outcome("sent")
        case Refused():
            return _refused(end, attempt)
        case Unsure():
            return _unsure(end, attempt)
        case Absent():
            return _absent(attempt)
        case Unseen():
            return _unseen(end, attempt)
        case Untold():
            return _untold(attempt)
        case _:
            assert_never(end)


def pause(number: int, chance: float) -> timedelta:
    """How long to wait after so many attempts, from 80 to 120 per cent of the usual."""
    usual = PAUSES[min(max(number, 1), len(PAUSES)) - 1]
    return usual * (0.8 + 0.4 * chance)


def outage_pause(chance: float) -> timedelta:
    """How long a platform that takes nothing is left alone."""
    return OUTAGE_PAUSE * (0.8 + 0.4 * chance)


def _refused(end: Refused, attempt: Attempt) -> Outcome:
    """Waiting that was asked for, an outage and a lost right to speak are not the message's fault.

    An earlier attempt that may have arrived still may have.
    """
    doubt = attempt.doubted_since is not None
    if end.wait:
        return _later(attempt, attempt.now + end.wait, end.reason, doubt, counted=False)
    if end.final and not end.everywhere:
        return Outcome("dead", end.reason)
    if end.everywhere:
        again = attempt.now + pause(attempt.number, attempt.chance)
        return _later(attempt, again, end.reason, doubt, counted=False)
    return _again(attempt, end.reason, doubt)


def _again(attempt: Attempt, reason: str, doubt: bool) -> Outcome:
    if attempt.outage:
        again = attempt.now + outage_pause(attempt.chance)
        return _later(attempt, again, reason, doubt, counted=False)
    if attempt.number >= MOST_ATTEMPTS:
        return Outcome("dead", reason)
    again = attempt.now + pause(attempt.number, attempt.chance)
    return _later(attempt, again, reason, doubt)


def _later(
    attempt: Attempt, again: datetime, reason: str, doubt: bool, *, counted: bool = True
) -> Outcome:
    """Once more, unless it would be stale by then; what may have arrived is looked for anyway."""
    if attempt.expires is not None and again >= attempt.expires and not doubt:
        return Outcome("expired", reason)
    return Outcome("due", reason, again, doubt, counted)


def _unsure(end: Unsure, attempt: Attempt) -> Outcome:
    if attempt.repeatable:
        return _again(attempt, end.reason, doubt=False)
    first = attempt.doubted_since or attempt.began
    quick = attempt.now + QUICK * attempt.number
    safe = quick - first < attempt.drops_doubles
    again = quick if safe else attempt.now + SETTLE
    return Outcome("due", end.reason, again, doubt=True, counted=not attempt.outage)


def _absent(attempt: Attempt) -> Outcome:
    if attempt.expires is not None and attempt.now >= attempt.expires:
        return Outcome("expired", "did not arrive in time")
    if attempt.number >= MOST_ATTEMPTS:
        return Outcome("dead", "did not arrive")
    first = attempt.number < 2
    again = attempt.now if first else attempt.now + pause(attempt.number, attempt.chance)
    return Outcome("due", "did not arrive", again)


def _unseen(end: Unseen, attempt: Attempt) -> Outcome:
    since = attempt.doubted_since or attempt.began
    if attempt.now - since > LOOKING_FOR:
        return _untold(attempt)
    again = attempt.now + (end.wait or outage_pause(attempt.chance))
    return Outcome("due", end.reason, again, doubt=True)


def _untold(attempt: Attempt) -> Outcome:
    stale = attempt.expires is not None and attempt.now >= attempt.expires
    if attempt.resends and not attempt.resent and not stale:
        return Outcome("due", "may have arrived", attempt.now, resent=True)
    return Outcome("ambiguous", "may have arrived")
