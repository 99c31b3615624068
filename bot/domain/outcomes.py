"""Decides what the result of an attempt means for a delivery: the one state table of the outbox.

Two cases are kept apart: what surely did not arrive is simply sent again; what may have arrived
is looked up on the platform first.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, assert_never

MAX_ATTEMPTS = 8
RETRY_PAUSES = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 1800, 5400, 14400))
"""The pause after each attempt but the last: about six hours in all."""

QUICK_PAUSE = timedelta(seconds=2)
"""The pause before a repeated post on a platform that drops duplicates; times the attempts."""

SETTLE_PAUSE = timedelta(seconds=15)
"""The pause until a message that arrived is surely found by a look-up."""

OUTAGE_PAUSE = timedelta(seconds=45)
"""The pause between two tries in an outage: a minute after its end messages go out again."""

LOOKUP_PERIOD = timedelta(hours=24)
"""How long a message that may have arrived is looked up before that is given up."""

State = Literal["sent", "due", "dead", "expired", "ambiguous"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """The facts about a delivery when an attempt or a look-up ended at `now`.

    `number`: which attempt it was, from 1. `started_at`: when it began. `ambiguous_since`: when
    the first earlier attempt began that may have arrived. `expires`: when the message is stale.
    `is_idempotent`: done twice is as good as once. `dedup_window`: how long after the beginning
    the platform takes the same message only once. `can_resend`: if the truth cannot be found out,
    it is sent once more; `was_resent`: that has happened. `outage`: the platform takes nothing
    from anybody. `jitter`: a random number from 0 to 1, which spreads the retries.
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
    """The message arrived: the platform said so, or it was found there."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The message surely did not arrive.

    `final`: another attempt would fail too. `whole_workspace`: the hub may not write anywhere in
    the workspace. `wait`: the pause that the platform asked for.
    """

    reason: str
    final: bool = False
    whole_workspace: bool = False
    wait: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """The message may have arrived: the platform gave no clear answer."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotPosted:
    """The message was looked up, and is surely not there."""


@dataclass(frozen=True, slots=True)
class LookupFailed:
    """The message could not be looked up just now; `wait`: as the platform asked."""

    reason: str
    wait: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Unverifiable:
    """The hub has no means to find out whether the message is there."""


AttemptResult = Delivered | Rejected | Ambiguous | NotPosted | LookupFailed | Unverifiable


@dataclass(frozen=True, slots=True)
class Outcome:
    """The next state of a delivery.

    `is_ambiguous`: it may have arrived, so it is looked up before it is posted again.
    `counts_as_attempt`: the attempt is one of `MAX_ATTEMPTS`. `is_resend`: from now on the message
    says that it may be the second copy.
    """

    state: State
    reason: str = ""
    retry_at: datetime | None = None
    is_ambiguous: bool = False
    counts_as_attempt: bool = True
    is_resend: bool = False


def decide_outcome(end: AttemptResult, attempt: Attempt) -> Outcome:
    """Return the next state of a delivery after the result of an attempt or look-up."""
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
    """Return the pause after attempt `number`: 80 to 120 % of the usual, by `chance` (0 to 1)."""
    usual = RETRY_PAUSES[min(max(number, 1), len(RETRY_PAUSES)) - 1]
    return usual * (0.8 + 0.4 * chance)


def outage_pause(chance: float) -> timedelta:
    """Return the pause before the next try in an outage: 80 to 120 % by `chance` (0 to 1)."""
    return OUTAGE_PAUSE * (0.8 + 0.4 * chance)


def _decide_rejected(end: Rejected, attempt: Attempt) -> Outcome:
    """Decide on a rejected message.

    A wait that the platform asked for, an outage and a lost right to write are not the message's
    fault, so they do not count as attempts. An earlier attempt that may have arrived still may.
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
    """Retry at `again`, unless it is stale by then; what may have arrived is looked up anyway."""
    if attempt.expires is not None and again >= attempt.expires and not doubt:
        return Outcome("expired", reason)
    return Outcome("due", reason, again, doubt, counts_as_attempt)


def _decide_ambiguous(end: Ambiguous, attempt: Attempt) -> Outcome:
    if attempt.is_idempotent:
        return _retry(attempt, end.reason, doubt=False)
    first = attempt.ambiguous_since or attempt.started_at
    quick = attempt.now + QUICK_PAUSE * attempt.number
    # an attempt that began «later» than now was before the clock went back: how long ago, who knows
    safe = first <= quick < first + attempt.dedup_window
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
