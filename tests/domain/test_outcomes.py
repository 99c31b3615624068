"""The table of outcomes, line by line: what an end means for what is owed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.outcomes import (
    LOOKUP_PERIOD,
    MAX_ATTEMPTS,
    OUTAGE_PAUSE,
    RETRY_PAUSES,
    SETTLE_PAUSE,
    Ambiguous,
    Attempt,
    AttemptResult,
    Delivered,
    LookupFailed,
    NotPosted,
    Outcome,
    Rejected,
    Unverifiable,
    decide_outcome,
    outage_pause,
    retry_pause,
)

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
FIRST = Attempt(now=NOW, started_at=NOW)
LAST = replace(FIRST, number=MAX_ATTEMPTS)
DOUBTED = replace(FIRST, ambiguous_since=NOW - timedelta(minutes=1), number=2)
STALE = replace(FIRST, expires=NOW)
SOON = replace(FIRST, expires=NOW + timedelta(seconds=1))
OUTAGE = replace(LAST, outage=True)
WAIT = timedelta(seconds=40)
DROPS = timedelta(seconds=120)
RESENDS = replace(FIRST, can_resend=True)


def due(after: timedelta, reason: str, **more: bool) -> Outcome:
    return Outcome("due", reason, NOW + after, **more)


@pytest.mark.parametrize(
    ("end", "attempt", "means"),
    [
        (Delivered(), FIRST, Outcome("sent")),
        (Delivered(), replace(LAST, expires=NOW), Outcome("sent")),
        # surely not there
        (Rejected("busy"), FIRST, due(RETRY_PAUSES[0], "busy")),
        (Rejected("busy"), replace(FIRST, number=7), due(RETRY_PAUSES[6], "busy")),
        (Rejected("busy"), LAST, Outcome("dead", "busy")),
        (Rejected("busy"), OUTAGE, due(OUTAGE_PAUSE, "busy", counts_as_attempt=False)),
        (Rejected("busy"), SOON, Outcome("expired", "busy")),
        (Rejected("busy"), DOUBTED, due(RETRY_PAUSES[1], "busy", is_ambiguous=True)),
        (Rejected("archived", final=True), FIRST, Outcome("dead", "archived")),
        (Rejected("slow", wait=WAIT), FIRST, due(WAIT, "slow", counts_as_attempt=False)),
        (Rejected("slow", wait=WAIT), LAST, due(WAIT, "slow", counts_as_attempt=False)),
        (Rejected("slow", wait=WAIT), SOON, Outcome("expired", "slow")),
        (
            Rejected("slow", wait=WAIT),
            replace(DOUBTED, expires=NOW),
            due(WAIT, "slow", is_ambiguous=True, counts_as_attempt=False),
        ),
        (
            Rejected("revoked", final=True, whole_workspace=True),
            LAST,
            due(RETRY_PAUSES[6], "revoked", counts_as_attempt=False),
        ),
        # it may be there
        (Ambiguous("timeout"), FIRST, due(SETTLE_PAUSE, "timeout", is_ambiguous=True)),
        (Ambiguous("timeout"), LAST, due(SETTLE_PAUSE, "timeout", is_ambiguous=True)),
        (Ambiguous("timeout"), STALE, due(SETTLE_PAUSE, "timeout", is_ambiguous=True)),
        (
            Ambiguous("timeout"),
            OUTAGE,
            due(SETTLE_PAUSE, "timeout", is_ambiguous=True, counts_as_attempt=False),
        ),
        (
            Ambiguous("timeout"),
            replace(FIRST, dedup_window=DROPS),
            due(timedelta(seconds=2), "timeout", is_ambiguous=True),
        ),
        (
            Ambiguous("timeout"),
            replace(DOUBTED, dedup_window=DROPS),
            due(timedelta(seconds=4), "timeout", is_ambiguous=True),
        ),
        (
            Ambiguous("timeout"),
            replace(DOUBTED, ambiguous_since=NOW - DROPS, dedup_window=DROPS),
            due(SETTLE_PAUSE, "timeout", is_ambiguous=True),
        ),
        (Ambiguous("timeout"), replace(FIRST, is_idempotent=True), due(RETRY_PAUSES[0], "timeout")),
        (Ambiguous("timeout"), replace(LAST, is_idempotent=True), Outcome("dead", "timeout")),
        # looked for
        (NotPosted(), FIRST, due(timedelta(0), "did not arrive")),
        (NotPosted(), replace(FIRST, number=2), due(RETRY_PAUSES[1], "did not arrive")),
        (NotPosted(), LAST, Outcome("dead", "did not arrive")),
        (NotPosted(), STALE, Outcome("expired", "did not arrive in time")),
        (LookupFailed("down"), FIRST, due(OUTAGE_PAUSE, "down", is_ambiguous=True)),
        (LookupFailed("down", WAIT), FIRST, due(WAIT, "down", is_ambiguous=True)),
        (
            LookupFailed("down"),
            replace(FIRST, started_at=NOW - LOOKUP_PERIOD - WAIT),
            Outcome("ambiguous", "may have arrived"),
        ),
        (Unverifiable(), FIRST, Outcome("ambiguous", "may have arrived")),
        (Unverifiable(), RESENDS, due(timedelta(0), "may have arrived", is_resend=True)),
        (
            Unverifiable(),
            replace(RESENDS, was_resent=True),
            Outcome("ambiguous", "may have arrived"),
        ),
        (Unverifiable(), replace(RESENDS, expires=NOW), Outcome("ambiguous", "may have arrived")),
    ],
)
def test_each_end_means_one_thing(end: AttemptResult, attempt: Attempt, means: Outcome) -> None:
    """With the chance in the middle, so that pauses are what the table says."""
    assert decide_outcome(end, attempt) == means


def test_eight_attempts_take_about_six_hours() -> None:
    """A short outage of one place costs nothing; a long one somebody decides about."""
    total = sum(RETRY_PAUSES, timedelta(0))
    assert len(RETRY_PAUSES) == MAX_ATTEMPTS - 1
    assert timedelta(hours=6) <= total <= timedelta(hours=7)


@given(st.integers(-3, 99), st.floats(0, 1))
def test_pauses_are_spread_but_never_short(number: int, chance: float) -> None:
    """So that fifty places do not come back in the same second."""
    usual = RETRY_PAUSES[min(max(number, 1), 7) - 1]
    assert 0.79 * usual <= retry_pause(number, chance) <= 1.21 * usual
    assert 0.79 * OUTAGE_PAUSE <= outage_pause(chance) <= 1.21 * OUTAGE_PAUSE


ENDS = st.one_of(
    st.builds(Delivered),
    st.builds(Rejected, st.just("x"), st.booleans(), st.booleans(),
              st.timedeltas(timedelta(0), timedelta(hours=1))),
    st.builds(Ambiguous, st.just("x")),
    st.builds(NotPosted),
    st.builds(LookupFailed, st.just("x"), st.timedeltas(timedelta(0), timedelta(hours=1))),
    st.builds(Unverifiable),
)  # fmt: skip
TIMES = st.none() | st.timedeltas(timedelta(hours=-30), timedelta(hours=30)).map(lambda d: NOW + d)
ATTEMPTS = st.builds(
    Attempt,
    now=st.just(NOW),
    started_at=st.just(NOW),
    number=st.integers(1, 9),
    ambiguous_since=st.none() | st.timedeltas(timedelta(0), timedelta(hours=30)).map(NOW.__sub__),
    expires=TIMES,
    is_idempotent=st.booleans(),
    dedup_window=st.sampled_from((timedelta(0), DROPS)),
    can_resend=st.booleans(),
    was_resent=st.booleans(),
    outage=st.booleans(),
    jitter=st.floats(0, 1),
)


@given(ENDS, ATTEMPTS)
def test_whatever_happens_nothing_is_forgotten(end: AttemptResult, attempt: Attempt) -> None:
    """A doubt stays until it is looked for; a wait is never cut short; a resend happens once."""
    became = decide_outcome(end, attempt)
    assert (became.state == "due") == (became.retry_at is not None)
    if became.retry_at is not None:
        assert became.retry_at >= NOW
    if isinstance(end, Rejected) and became.state == "due":
        assert became.retry_at is not None
        assert became.retry_at - NOW >= end.wait
        assert became.is_ambiguous == (attempt.ambiguous_since is not None)
    if isinstance(end, Ambiguous | LookupFailed) and became.state == "due":
        assert became.is_ambiguous or attempt.is_idempotent or became.is_resend
    if became.is_resend:
        assert attempt.can_resend
        assert not attempt.was_resent
