"""What the end of an attempt means for what is owed: the one table of the outbox.

Two things are never mixed up: what surely did not arrive may simply be sent again; what may have
arrived is looked for first.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, assert_never

MAX_ATTEMPTS = 8
RETRY_PAUSES = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 1800, 5400, 14400))
"""After each attempt but the last: about six hours in all."""

QUICK_PAUSE = timedelta(seconds=2)
"""Until the same is posted again where the platform drops doubles by itself."""

SETTLE_PAUSE = timedelta(seconds=15)
"""Until a message that arrived is surely seen by whoever looks."""

OUTAGE_PAUSE = timedelta(seconds=45)
"""Between two looks whether a platform is back: a minute after it is, messages go out again."""

LOOKUP_PERIOD = timedelta(hours=24)
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
    started_at: datetime
    number: int = 1
    ambiguous_since: datetime | None = None
    expires: datetime | None = None
    is_idempotent: bool = False
    dedup_window: timedelta = timedelta(0)
    can_resend: bool = False
    was_resent: bool = False
    outage: bool = False
    jitter: float = 0.5


@dataclass(frozen=True, slots=True)
class Delivered:
    """The platform said so, or it was found there."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """It surely did not arrive. `everywhere`: the hub may not speak in the whole workspace."""

    reason: str
    final: bool = False
    whole_workspace: bool = False
    wait: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """It may have arrived."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotPosted:
    """Looked for, and surely not there."""


@dataclass(frozen=True, slots=True)
class LookupFailed:
    """It could not be looked for just now."""

    reason: str
    wait: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Unverifiable:
    """Nobody will ever see from here whether it is there."""


AttemptResult = Delivered | Rejected | Ambiguous | NotPosted | LookupFailed | Unverifiable


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of the delivery.

    `doubt`: it may be there, so that it is looked for before it is posted. `counted`: the attempt
    is one of the eight. `resent`: from now on it says that it may be the second one.
    """

    state: State
    reason: str = ""
    retry_at: datetime | None = None
    is_ambiguous: bool = False
    counts_as_attempt: bool = True
    is_resend: bool = False


def decide_outcome(end: AttemptResult, attempt: Attempt) -> Outcome:
    """The table."""
    match end:
        case Delivered():
            return Outcome("sent")
        case Rejected():
            return _decide_rejected(end, attempt)
        case Ambiguous():
            return _decide_ambiguous(end, attempt)
        case NotPosted():
            return _decide_not_posted(attempt)
        case LookupFailed():
            return _decide_lookup_failed(end, attempt)
        case Unverifiable():
            return _decide_unverifiable(attempt)
        case _:
            assert_never(end)


def retry_pause(number: int, chance: float) -> timedelta:
    """How long to wait after so many attempts, from 80 to 120 per cent of the usual."""
    usual = RETRY_PAUSES[min(max(number, 1), len(RETRY_PAUSES)) - 1]
    return usual * (0.8 + 0.4 * chance)


def outage_pause(chance: float) -> timedelta:
    """How long a platform that takes nothing is left alone."""
    return OUTAGE_PAUSE * (0.8 + 0.4 * chance)


def _decide_rejected(end: Rejected, attempt: Attempt) -> Outcome:
    """Waiting that was asked for, an outage and a lost right to speak are not the message's fault.

    An earlier attempt that may have arrived still may have.
    """
    doubt = attempt.ambiguous_since is not None
    if end.wait:
        return _retry_at(
            attempt, attempt.now + end.wait, end.reason, doubt, counts_as_attempt=False
        )
    if end.final and not end.whole_workspace:
        return Outcome("dead", end.reason)
    if end.whole_workspace:
        again = attempt.now + retry_pause(attempt.number, attempt.jitter)
        return _retry_at(attempt, again, end.reason, doubt, counts_as_attempt=False)
    return _retry(attempt, end.reason, doubt)


def _retry(attempt: Attempt, reason: str, doubt: bool) -> Outcome:
    if attempt.outage:
        again = attempt.now + outage_pause(attempt.jitter)
        return _retry_at(attempt, again, reason, doubt, counts_as_attempt=False)
    if attempt.number >= MAX_ATTEMPTS:
        return Outcome("dead", reason)
    again = attempt.now + retry_pause(attempt.number, attempt.jitter)
    return _retry_at(attempt, again, reason, doubt)


def _retry_at(
    attempt: Attempt, again: datetime, reason: str, doubt: bool, *, counts_as_attempt: bool = True
) -> Outcome:
    """Once more, unless it would be stale by then; what may have arrived is looked for anyway."""
    if attempt.expires is not None and again >= attempt.expires and not doubt:
        return Outcome("expired", reason)
    return Outcome("due", reason, again, doubt, counts_as_attempt)


def _decide_ambiguous(end: Ambiguous, attempt: Attempt) -> Outcome:
    if attempt.is_idempotent:
        return _retry(attempt, end.reason, doubt=False)
    first = attempt.ambiguous_since or attempt.started_at
    quick = attempt.now + QUICK_PAUSE * attempt.number
    safe = quick - first < attempt.dedup_window
    again = quick if safe else attempt.now + SETTLE_PAUSE
    return Outcome(
        "due", end.reason, again, is_ambiguous=True, counts_as_attempt=not attempt.outage
    )


def _decide_not_posted(attempt: Attempt) -> Outcome:
    if attempt.expires is not None and attempt.now >= attempt.expires:
        return Outcome("expired", "did not arrive in time")
    if attempt.number >= MAX_ATTEMPTS:
        return Outcome("dead", "did not arrive")
    first = attempt.number < 2
    again = attempt.now if first else attempt.now + retry_pause(attempt.number, attempt.jitter)
    return Outcome("due", "did not arrive", again)


def _decide_lookup_failed(end: LookupFailed, attempt: Attempt) -> Outcome:
    since = attempt.ambiguous_since or attempt.started_at
    if attempt.now - since > LOOKUP_PERIOD:
        return _decide_unverifiable(attempt)
    again = attempt.now + (end.wait or outage_pause(attempt.jitter))
    return Outcome("due", end.reason, again, is_ambiguous=True)


def _decide_unverifiable(attempt: Attempt) -> Outcome:
    stale = attempt.expires is not None and attempt.now >= attempt.expires
    if attempt.can_resend and not attempt.was_resent and not stale:
        return Outcome("due", "may have arrived", attempt.now, is_resend=True)
    return Outcome("ambiguous", "may have arrived")
