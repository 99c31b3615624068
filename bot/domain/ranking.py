"""Ranks people for a topic, with the reasons, which members are shown and tests read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal, NamedTuple

FRESH_FOR_DAYS = 180
"""Days since the last confirmation after which a profile loses a few points."""

Cause = Literal[
    "own-city", "skill", "endorsed", "level", "open", "closed", "unreachable", "full", "asked",
    "fresh", "stale",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reason:
    """One part of a rank: its points, and `amount`, the number or level that its sentence names."""

    cause: Cause
    points: int
    amount: int | str = 0


class Candidate(NamedTuple):
    """The facts about one person and one topic from which the rank is computed.

    `skill`: 1 to 3. `is_full`: took as many asks this month as the person allows. `asks_taken`:
    asks this month. `confirmed_at`: when the person last confirmed the profile. `is_reachable`: the
    hub can write to the person.
    """

    key: int
    own_city: bool
    skill: int
    endorsements: int
    city_level: str | None
    is_open: bool
    is_full: bool
    asks_taken: int
    confirmed_at: datetime
    is_reachable: bool = True

    @property
    def is_free(self) -> bool:
        """Return whether the person may be asked now."""
        return self.is_open and self.is_reachable and not self.is_full


class RankedPerson(NamedTuple):
    """A person's points and the reasons that add up to them, the largest first."""

    key: int
    points: int
    reasons: tuple[Reason, ...]


_SKILL = {1: 10, 2: 20, 3: 30}
_LEVEL = {"Silver": 2, "Gold": 4, "Platinum": 6}


def base_points(skill: int, endorsements: int, city_level: str | None, open: bool) -> int:
    """Return the points that do not depend on who asks or when; they are stored in an index."""
    return sum(r.points for r in _base_reasons(skill, endorsements, city_level, open))


@lru_cache(maxsize=4096)
def _base_reasons(
    skill: int, endorsements: int, city_level: str | None, open: bool
) -> tuple[Reason, ...]:
    reasons = [Reason("skill", _SKILL.get(skill, 20), skill)]
    if endorsements > 0:
        reasons.append(Reason("endorsed", 4 * min(endorsements, 10), endorsements))
    if city_level in _LEVEL:
        reasons.append(Reason("level", _LEVEL[city_level], city_level))
    reasons.append(Reason("open", 100) if open else Reason("closed", 0))
    return tuple(reasons)


def _situational_reasons(
    own_city: bool, full: bool, asks_taken: int, days: int, reachable: bool
) -> Iterator[Reason]:
    """Yield the reasons that depend on who asks or when; `days`: since profile confirmed."""
    if own_city:
        yield Reason("own-city", 1000)
    if not reachable:
        yield Reason("unreachable", -400)
    if full:
        yield Reason("full", -200)
    elif asks_taken:
        yield Reason("asked", -3 * asks_taken, asks_taken)
    yield Reason("fresh", 5, days) if days <= FRESH_FOR_DAYS else Reason("stale", -10, days)


def rank_candidate(one: Candidate, now: datetime) -> RankedPerson:
    """Compute the points and reasons of one candidate at `now`."""
    lasting = one.skill, one.endorsements, one.city_level, one.is_open
    days = (now - one.confirmed_at).days
    passing = one.own_city, one.is_full, one.asks_taken, days, one.is_reachable
    return RankedPerson(one.key, *_sum_points(lasting, passing))


@lru_cache(maxsize=8192)
def _sum_points(
    lasting: tuple[int, int, str | None, bool], passing: tuple[bool, bool, int, int, bool]
) -> tuple[int, tuple[Reason, ...]]:
    """Return the points and their reasons; cached, since many people share the same facts."""
    reasons = sorted(
        (*_base_reasons(*lasting), *_situational_reasons(*passing)), key=lambda r: -abs(r.points)
    )
    return sum(reason.points for reason in reasons), tuple(reasons)


def rank(candidates: Iterable[Candidate], now: datetime) -> Sequence[RankedPerson]:
    """Rank candidates by points, best first, ties by key.

    The points put colleagues first, then those open to questions and not full.
    """
    return sorted((rank_candidate(c, now) for c in candidates), key=lambda r: (-r.points, r.key))


class JointRank(NamedTuple):
    """A person's ranks for those of several topics that they know, the best topic first."""

    key: int
    ranks: tuple[tuple[int, RankedPerson], ...]

    @property
    def topics(self) -> tuple[int, ...]:
        """The topics, the one with the most points first."""
        return tuple(topic for topic, _ in self.ranks)


def join_ranks(by_topic: Mapping[int, Sequence[RankedPerson]]) -> list[JointRank]:
    """Rank people for several topics: who knows more of them first, then by points, then by key."""
    ranks: dict[int, list[tuple[int, RankedPerson]]] = {}
    for topic, ranked in by_topic.items():
        for one in ranked:
            ranks.setdefault(one.key, []).append((topic, one))
    joint = [
        JointRank(key, tuple(sorted(of_person, key=lambda rank: -rank[1].points)))
        for key, of_person in ranks.items()
    ]
    return sorted(
        joint,
        key=lambda one: (-len(one.ranks), -sum(rank.points for _, rank in one.ranks), one.key),
    )
