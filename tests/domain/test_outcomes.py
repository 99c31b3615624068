"""The table of outcomes, line by line: what an end means for what is owed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.outcomes import (
    LOOKING_FOR,
    MOST_ATTEMPTS,
    OUTAGE_PAUSE,
    PAUSES,
    SETTLE,
    Absent,
    Arrived,
    Attempt,
    End,
    Outcome,
    Refused,
    Unseen,
    Unsure,
    Untold,
    outage_pause,
    outcome,
    pause,
)

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
FIRST = Attempt(now=NOW, began=NOW)
LAST = replace(FIRST, number=MOST_ATTEMPTS)
DOUBTED = replace(FIRST, doubted_since=NOW - timedelta(minutes=1), number=2)
STALE = replace(FIRST, expires=NOW)
SOON = replace(FIRST, expires=NOW + timedelta(seconds=1))
OUTAGE = replace(LAST, outage=True)
WAIT = timedelta(seconds=40)
DROPS = timedelta(seconds=120)
RESENDS = replace(FIRST, resends=True)


def due(after: timedelta, reason: str, **more: bool) -> Outcome:
    return Outcome("due", reason, NOW + after, **more)


@pytest.mark.parametrize(
    ("end", "attempt", "means"),
    [
        (Arrived(), FIRST, Outcome("sent")),
        (Arrived(), replace(LAST, expires=NOW), Outcome("sent")),
        # surely not there
        (Refused("busy"), FIRST, due(PAUSES[0], "busy")),
        (Refused("busy"), replace(FIRST, number=7), due(PAUSES[6], "busy")),
        (Refused("busy"), LAST, Outcome("dead", "busy")),
        (Refused("busy"), OUTAGE, due(OUTAGE_PAUSE, "busy", counted=False)),
        (Refused("busy"), SOON, Outcome("expired", "busy")),
        (Refused("busy"), DOUBTED, due(PAUSES[1], "busy", doubt=True)),
        (Refused("archived", final=True), FIRST, Outcome("dead", "archived")),
        (Refused("slow", wait=WAIT), FIRST, due(WAIT, "slow", counted=False)),
        (Refused("slow", wait=WAIT), LAST, due(WAIT, "slow", counted=False)),
        (Refused("slow", wait=WAIT), SOON, Outcome("expired", "slow")),
        (Refused("slow", wait=WAIT), replace(DOUBTED, expires=NOW),
         due(WAIT, "slow", doubt=True, counted=False)),
        (Refused("revoked", final=True, everywhere=True), LAST,
         due(PAUSES[6], "revoked", counted=False)),
        # it may be there
        (Unsure("timeout"), FIRST, due(SETTLE, "timeout", doubt=True)),
        (Unsure("timeout"), LAST, due(SETTLE, "timeout", doubt=True)),
        (Unsure("timeout"), STALE, due(SETTLE, "timeout", doubt=True)),
        (Unsure("timeout"), OUTAGE, due(SETTLE, "timeout", doubt=True, counted=False)),
        (Unsure("timeout"), replace(FIRST, drops_doubles=DROPS),
         due(timedelta(seconds=2), "timeout", doubt=True)),
        (Unsure("timeout"), replace(DOUBTED, drops_doubles=DROPS),
         due(timedelta(seconds=4), "timeout", doubt=True)),
        (Unsure("timeout"), replace(DOUBTED, doubted_since=NOW - DROPS, drops_doubles=DROPS),
         due(SETTLE, "timeout", doubt=True)),
        (Unsure("timeout"), replace(FIRST, repeatable=True), due(PAUSES[0], "timeout")),
        (Unsure("timeout"), replace(LAST, repeatable=True), Outcome("dead", "timeout")),
        # looked for
        (Absent(), FIRST, due(timedelta(0), "did not arrive")),
        (Absent(), replace(FIRST, number=2), due(PAUSES[1], "did not arrive")),
        (Absent(), LAST, Outcome("dead", "did not arrive")),
        (Absent(), STALE, Outcome("expired", "did not arrive in time")),
        (Unseen("down"), FIRST, due(OUTAGE_PAUSE, "down", doubt=True)),
        (Unseen("down", WAIT), FIRST, due(WAIT, "down", doubt=True)),
        (Unseen("down"), replace(FIRST, began=NOW - LOOKING_FOR - WAIT),
         Outcome("ambiguous", "may have arrived")),
        (Untold(), FIRST, Outcome("ambiguous", "may have arrived")),
        (Untold(), RESENDS, due(timedelta(0), "may have arrived", resent=True)),
        (Untold(), replace(RESENDS, resent=True), Outcome("ambiguous", "may have arrived")),
        (Untold(), replace(RESENDS, expires=NOW), Outcome("ambiguous", "may have arrived")),
    ],
)  # fmt: skip
def test_each_end_means_one_thing(end: End, attempt: Attempt, means: Outcome) -> None:
    """With the chance in the middle, so that pauses are what the table says."""
    assert outcome(end, attempt) == means


def test_eight_attempts_take_about_six_hours() -> None:
    """A short outage of one place costs nothing; a long one somebody decides about."""
    total = sum(PAUSES, timedelta(0))
    assert len(PAUSES) == MOST_ATTEMPTS - 1
    assert timedelta(hours=6) <= total <= timedelta(hours=7)


@given(st.integers(-3, 99), st.floats(0, 1))
def test_pauses_are_spread_but_never_short(number: int, chance: float) -> None:
    """So that fifty places do not come back in the same second."""
    usual = PAUSES[min(max(number, 1), 7) - 1]
    assert 0.79 * usual <= pause(number, chance) <= 1.21 * usual
    assert 0.79 * OUTAGE_PAUSE <= outage_pause(chance) <= 1.21 * OUTAGE_PAUSE


ENDS = st.one_of(
    st.builds(Arrived),
    st.builds(Refused, st.just("x"), st.booleans(), st.booleans(),
              st.timedeltas(timedelta(0), timedelta(hours=1))),
    st.builds(Unsure, st.just("x")),
    st.builds(Absent),
    st.builds(Unseen, st.just("x"), st.timedeltas(timedelta(0), timedelta(hours=1))),
    st.builds(Untold),
)  # fmt: skip
TIMES = st.none() | st.timedeltas(timedelta(hours=-30), timedelta(hours=30)).map(lambda d: NOW + d)
ATTEMPTS = st.builds(
    Attempt, now=st.just(NOW), began=st.just(NOW), number=st.integers(1, 9),
    doubted_since=st.none() | st.timedeltas(timedelta(0), timedelta(hours=30)).map(NOW.__sub__),
    expires=TIMES, repeatable=st.booleans(), drops_doubles=st.sampled_from((timedelta(0), DROPS)),
    resends=st.booleans(), resent=st.booleans(), outage=st.booleans(), chance=st.floats(0, 1),
)  # fmt: skip


@given(ENDS, ATTEMPTS)
def test_whatever_happens_nothing_is_forgotten(end: End, attempt: Attempt) -> None:
    """A doubt stays until it is looked for; a wait is never cut short; a resend happens once."""
    became = outcome(end, attempt)
    assert (became.state == "due") == (became.retry_at is not None)
    if became.retry_at is not None:
        assert became.retry_at >= NOW
    if isinstance(end, Refused) and became.state == "due":
        assert became.retry_at is not None
        assert became.retry_at - NOW >= end.wait
        assert became.doubt == (attempt.doubted_since is not None)
    if isinstance(end, Unsure | Unseen) and became.state == "due":
        assert became.doubt or attempt.repeatable or became.resent
    if became.resent:
        assert attempt.resends
        assert not attempt.resent
