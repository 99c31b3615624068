"""Who comes first, and why: one trace that is shown to people and read by tests."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal

FRESH_FOR_DAYS = 180
"""After this long without «still right?» a profile counts a little less."""

Cause = Literal[
    "own-city", "skill", "endorsed", "level", "open", "closed", "full", "asked", "fresh", "stale"
]


@dataclass(frozen=True, slots=True)
class Reason:
    """One step of a rank: `points` towards the order, `amount` what a sentence needs."""

    cause: Cause
    points: int
    amount: int | str = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the ranking knows of one person for one topic."""

    key: int
    own_city: bool
    skill: int
    endorsements: int
    city_level: str | None
    open: bool
    full: bool
    asks_taken: int
    confirmed_at: datetime


@dataclass(frozen=True, slots=True)
class Ranked:
    """A person's place and the reasons for it."""

    key: int
    reasons: tuple[Reason, ...]

    @property
    def points(self) -> int:
        """All reasons together."""
        return sum(reason.points for reason in self.reasons)


_SKILL = {1: 10, 2: 20, 3: 30}
_LEVEL = {"Silver": 2, "Gold": 4, "Platinum": 6}


def standing(skill: int, endorsements: int, city_level: str | None, open: bool) -> int:
    """The part of the points that does not depend on who asks or when; kept in an index."""
    return sum(r.points for r in _lasting(skill, endorsements, city_level, open))


@lru_cache(maxsize=4096)
def _lasting(
    skill: int, endorsements: int, city_level: str | None, open: bool
) -> tuple[Reason, ...]:
    reasons = [Reason("skill", _SKILL.get(skill, 20), skill)]
    if endorsements > 0:
        reasons.append(Reason("endorsed", 4 * min(endorsements, 10), endorsements))
    if city_level in _LEVEL:
        reasons.append(Reason("level", _LEVEL[city_level], city_level))
    reasons.append(Reason("open", 100) if open else Reason("closed", 0))
    return tuple(reasons)


def _passing(one: Candidate, now: datetime) -> Iterable[Reason]:
    if one.own_city:
        yield Reason("own-city", 1000)
    if one.full:
        yield Reason("full", -200)
    elif one.asks_taken:
        yield Reason("asked", -3 * one.asks_taken, one.asks_taken)
    days = (now - one.confirmed_at).days
    yield Reason("fresh", 5, days) if days <= FRESH_FOR_DAYS else Reason("stale", -10, days)


def trace(one: Candidate, now: datetime) -> Ranked:
    """The whole reckoning for one person."""
    lasting = _lasting(one.skill, one.endorsements, one.city_level, one.open)
    reasons = (*lasting, *_passing(one, now))
    return Ranked(one.key, tuple(sorted(reasons, key=lambda r: -abs(r.points))))


def rank(candidates: Iterable[Candidate], now: datetime) -> Sequence[Ranked]:
    """Best first: colleagues, then those open and not full, then by points; ties by key."""
    return sorted((trace(c, now) for c in candidates), key=lambda r: (-r.points, r.key))
