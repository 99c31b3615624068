"""Tells who may be paired with whom in a round, and weighs how well two people match."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

LEARNS_POINTS = 12
"""Points for each level (1 to 3) of a topic that one knows and the other wants to learn."""
SHARED_POINTS, MAX_SHARED_POINTS = 6, 30
"""Points for each topic that both know or both want to learn, and the maximum for all of them."""
MAX_HOURS_POINTS = 16
"""The maximum for shared working time, which gives one point for each half hour."""
NEW_CITY_POINTS = 10
"""Points if neither has met anybody from the other's city."""
HALF_HOURS_PER_DAY = 48

Barrier = Literal["city", "language", "never"]
Cause = Literal["learns", "teaches", "both-know", "both-learn", "hours", "new-city"]


@dataclass(frozen=True, slots=True)
class Seeker:
    """A person who takes part in a round; people, cities and topics are ids.

    `knows`: topics with a level of 1 to 3. `hours` has bit n set if the half hour n of the UTC day
    is working time. `excluded_keys`: people not to be paired with, whichever side asked for that.
    `past_partners`: earlier partners, with the days since they really met, None if they never did.
    `met_cities`: cities of people really met. `debt`: rounds in a row without a partner.
    """

    key: int
    city: int | None = None
    languages: frozenset[str] = frozenset()
    knows: Mapping[int, int] = field(default_factory=dict)
    learns: frozenset[int] = frozenset()
    hours: int = 0
    excluded_keys: frozenset[int] = frozenset()
    past_partners: Mapping[int, int | None] = field(default_factory=dict)
    met_cities: frozenset[int] = frozenset()
    debt: int = 0


class Reason(NamedTuple):
    """One part of a weight: its points; `subject` is a topic id or a number of half hours."""

    cause: Cause
    points: int
    subject: int = 0


def barrier(one: Seeker, other: Seeker) -> Barrier | None:
    """Return the hard rule that keeps two people apart; None if they may be paired."""
    if one.city is not None and one.city == other.city:
        return "city"
    if not one.languages & other.languages:
        return "language"
    if other.key in one.excluded_keys or one.key in other.excluded_keys:
        return "never"
    return None


def have_been_paired(one: Seeker, other: Seeker) -> bool:
    """Return whether the two were partners before, whether or not they met."""
    return other.key in one.past_partners or one.key in other.past_partners


def list_reasons(one: Seeker, other: Seeker) -> list[Reason]:
    """List what makes two people a good pair, seen from `one`, by points, highest first."""
    found = [
        Reason("learns", LEARNS_POINTS * other.knows[t], t) for t in one.learns & other.knows.keys()
    ]
    found += [
        Reason("teaches", LEARNS_POINTS * one.knows[t], t) for t in other.learns & one.knows.keys()
    ]
    found += [Reason("both-know", SHARED_POINTS, t) for t in one.knows.keys() & other.knows.keys()]
    found += [Reason("both-learn", SHARED_POINTS, t) for t in one.learns & other.learns]
    together = (one.hours & other.hours).bit_count()
    found.append(Reason("hours", min(together, MAX_HOURS_POINTS), together))
    if not (other.city in one.met_cities or one.city in other.met_cities):
        found.append(Reason("new-city", NEW_CITY_POINTS))
    return sorted((r for r in found if r.points), key=lambda r: (-r.points, r.cause, r.subject))


def weight(one: Seeker, other: Seeker) -> int:
    """Return the points of a pair that no rule keeps apart, at least 1.

    A pair that met before gets at most half, and less the more recent that was, up to 360 days;
    one that was paired and never met keeps its full points.
    """
    parts = list_reasons(one, other)
    shared = sum(r.points for r in parts if r.cause in ("both-know", "both-learn"))
    points = 1 + sum(r.points for r in parts) - max(0, shared - MAX_SHARED_POINTS)
    met = [
        d
        for d in (one.past_partners.get(other.key), other.past_partners.get(one.key))
        if d is not None
    ]
    return max(1, points * min(*met, 360) // 720) if met else points


def work_half_hours(zone: str, start: str, end: str, day: date) -> int:
    """Return the working half hours of that day as bits of the UTC day, as `Seeker.hours` has them.

    `start` and `end` are local times of the zone («09:00», «17:00»).
    """
    place, bits = ZoneInfo(zone), 0
    first, last = _parse_minutes(start), _parse_minutes(end)
    for minute in range(first, last, 30):
        local = datetime.combine(day, time(), place) + timedelta(minutes=minute)
        offset = local.utcoffset() or timedelta()
        bits |= 1 << int((minute * 60 - offset.total_seconds()) // 1800) % HALF_HOURS_PER_DAY
    return bits


def _parse_minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


# --- all pairs at once ------------------------------------------------------------------------


def weight_table(people: Sequence[Seeker]) -> "NDArray[float32]":
    """Return the weights of all pairs, people by people; 0 for pairs that a rule keeps apart."""
    import numpy as np

    knows, known, learns, hours = _build_features(people)
    table = (LEARNS_POINTS * learns) @ knows.T
    table += table.T.copy()
    shared = known @ known.T
    shared += learns @ learns.T
    shared *= SHARED_POINTS
    table += np.minimum(shared, MAX_SHARED_POINTS, out=shared)
    np.matmul(hours, hours.T, out=shared)
    table += np.minimum(shared, MAX_HOURS_POINTS, out=shared)
    table += 1
    cities, met = _city_tables(people)
    seen = met[:, cities]
    seen |= seen.T.copy()
    np.add(table, np.float32(NEW_CITY_POINTS), out=table, where=~seen)
    table[_count_shared_languages(people, shared) == 0] = 0
    apart = cities[:, None] == cities[None, :]
    apart[cities == 0] = False  # those without a city are nobody's colleagues
    table[apart] = 0
    _apply_exceptions(table, people)
    np.fill_diagonal(table, 0)
    return table


def _build_features(people: Sequence[Seeker]) -> "tuple[NDArray[float32], ...]":
    import numpy as np

    topics: dict[int, int] = {}
    for person in people:
        for topic in (*person.knows, *person.learns):
            topics.setdefault(topic, len(topics))
    knows = np.zeros((len(people), max(len(topics), 1)), np.float32)
    learns, hours = np.zeros_like(knows), np.zeros((len(people), HALF_HOURS_PER_DAY), np.float32)
    for row, person in enumerate(people):
        for topic, level in person.knows.items():
            knows[row, topics[topic]] = level
        for topic in person.learns:
            learns[row, topics[topic]] = 1
        hours[row] = [person.hours >> half & 1 for half in range(HALF_HOURS_PER_DAY)]
    return knows, (knows > 0).astype(np.float32), learns, hours


def _count_shared_languages(
    people: Sequence[Seeker], out: "NDArray[float32]"
) -> "NDArray[float32]":
    """Count the languages each two people share, into `out`, to save memory."""
    import numpy as np

    languages = sorted({code for person in people for code in person.languages})
    spoken = np.zeros((len(people), max(len(languages), 1)), np.float32)
    for row, person in enumerate(people):
        for code in person.languages:
            spoken[row, languages.index(code)] = 1
    return np.matmul(spoken, spoken.T, out=out)


def _city_tables(people: Sequence[Seeker]) -> "tuple[NDArray[Any], NDArray[Any]]":
    """Return the city of each person as a number from 1 (0: none), and the table of cities met.

    The table has a row for each person, a column for each number, and True where the person has
    met somebody from that city.
    """
    import numpy as np

    numbers: dict[int | None, int] = {None: 0}
    for person in people:
        numbers.setdefault(person.city, len(numbers))
    met = np.zeros((len(people), len(numbers)), bool)
    for row, person in enumerate(people):
        met[row, [numbers[city] for city in person.met_cities if city in numbers]] = True
    return np.array([numbers[person.city] for person in people], np.int32), met


def _apply_exceptions(table: "NDArray[float32]", people: Sequence[Seeker]) -> None:
    """Correct the table in place for pairs who were partners before, and for excluded pairs."""
    rows = {person.key: row for row, person in enumerate(people)}
    for row, person in enumerate(people):
        for key in person.past_partners:
            other = rows.get(key)
            if other is not None and table[row, other]:
                table[row, other] = table[other, row] = weight(person, people[other])
        for key in person.excluded_keys:
            if key in rows:
                table[row, rows[key]] = table[rows[key], row] = 0
