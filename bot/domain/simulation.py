"""Simulates rounds week after week with the present members: pairs, repeats, waiting."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import combinations
from random import Random
from typing import NamedTuple

from bot.domain.affinity import Seeker, have_been_paired
from bot.domain.cadence import A_WEEK, is_turn
from bot.domain.matching import RoundPlan, optimal_weight, plan_round

MEETING_RATE = 0.75
"""The share of groups that really meet in a simulation, 0 to 1."""
MAX_EXACT_PEOPLE = 800
"""Up to this many people the optimum is computed too; it takes long for more."""


class Participant(NamedTuple):
    """A person who takes part, with rhythm and `nth` as in `cadence.is_turn`."""

    seeker: Seeker
    rhythm: str
    nth: int


@dataclass(frozen=True, slots=True)
class Week:
    """The result of one simulated round.

    `pairs` counts pairs of people who are in one group, so a trio has three; `repeats` those of
    them who were partners before. `unpaired` holds keys of people. `points` is the weight of the
    plan, `optimum` the weight of the best plan under the same rules, 0 if it was not computed.
    """

    day: date
    people: int
    groups: int
    trios: int
    pairs: int
    repeats: int
    unpaired: tuple[int, ...]
    points: int
    optimum: int


@dataclass
class SimulationOutcome:
    """The totals of a simulation, filled week by week.

    `turns`, `partners` and `times_unpaired` are by a person's key. `longest_wait`: the largest
    number of turns in a row that one person had no partner.
    """

    people: int
    weeks: list[Week] = field(default_factory=list)
    turns: dict[int, int] = field(default_factory=dict)
    partners: dict[int, set[int]] = field(default_factory=dict)
    times_unpaired: dict[int, int] = field(default_factory=dict)
    longest_wait: int = 0

    @property
    def repeat_rate(self) -> float:
        """The share of pairs who were partners before, 0 to 1."""
        pairs = sum(week.pairs for week in self.weeks)
        return sum(week.repeats for week in self.weeks) / pairs if pairs else 0.0

    @property
    def coverage(self) -> float:
        """The share of all turns in which the person had a partner, 0 to 1."""
        people = sum(week.people for week in self.weeks)
        return 1 - sum(len(week.unpaired) for week in self.weeks) / people if people else 1.0

    @property
    def optimum_ratio(self) -> float | None:
        """The mean of weight / optimum over the weeks with a known optimum; None without one."""
        known = [week.points / week.optimum for week in self.weeks if week.optimum]
        return sum(known) / len(known) if known else None

    def wait_distribution(self) -> Mapping[int, int]:
        """Return how many people were unpaired how often: {times unpaired: number of people}."""
        spread: dict[int, int] = {}
        for key in self.turns:
            times = self.times_unpaired.get(key, 0)
            spread[times] = spread.get(times, 0) + 1
        return dict(sorted(spread.items()))


def simulate_weeks(
    turns: Sequence[Participant], first: date, count: int, seed: int, outcome: SimulationOutcome
) -> Iterator[Week]:
    """Simulate `count` rounds from `first`, a Tuesday; add each to `outcome` and yield it."""
    people = {turn.seeker.key: turn.seeker for turn in turns}
    rng = Random(seed)  # noqa: S311 - the same seed, the same weeks
    waited: dict[int, int] = {}
    for number in range(count):
        day = first + number * A_WEEK
        pool = [people[t.seeker.key] for t in turns if is_turn(t.rhythm, t.nth, day)]
        made = plan_round(pool, seed + number)
        week = _build_week(day, pool, made, people)
        _record_week(people, made, day, rng)
        for person in pool:
            outcome.turns[person.key] = outcome.turns.get(person.key, 0) + 1
        for key in week.unpaired:
            outcome.times_unpaired[key] = outcome.times_unpaired.get(key, 0) + 1
            waited[key] = waited.get(key, 0) + 1
            outcome.longest_wait = max(outcome.longest_wait, waited[key])
        for group in made.groups:
            for key in group.keys:
                waited[key] = 0
                outcome.partners.setdefault(key, set()).update(set(group.keys) - {key})
        outcome.weeks.append(week)
        yield week


def _build_week(
    day: date, pool: Sequence[Seeker], made: RoundPlan, people: Mapping[int, Seeker]
) -> Week:
    """Count groups, repeats and unpaired people of one simulated round, and its points."""
    pairs = [pair for group in made.groups for pair in combinations(group.keys, 2)]
    optimum = optimal_weight(pool) if len(pool) <= MAX_EXACT_PEOPLE else 0
    return Week(
        day=day,
        people=len(pool),
        groups=len(made.groups),
        trios=sum(len(group.keys) == 3 for group in made.groups),
        pairs=len(pairs),
        repeats=sum(have_been_paired(people[one], people[other]) for one, other in pairs),
        unpaired=tuple(one.key for one in made.unpaired),
        points=made.points,
        optimum=optimum,
    )


def _record_week(people: dict[int, Seeker], made: RoundPlan, day: date, rng: Random) -> None:
    """Update `people` after a round: record new partners, let a week pass since earlier meetings.

    The debt of the paired becomes 0, that of the unpaired grows by 1.
    """
    for key, person in people.items():
        older = {k: days if days is None else days + 7 for k, days in person.past_partners.items()}
        people[key] = replace(person, past_partners=older)
    for group in made.groups:
        met = rng.random() < MEETING_RATE
        for key in group.keys:
            person, others = people[key], [people[k] for k in group.keys if k != key]
            days = {
                other.key: 7 if met else person.past_partners.get(other.key) for other in others
            }
            cities = {other.city for other in others if met and other.city is not None}
            people[key] = replace(
                person,
                past_partners={**person.past_partners, **days},
                met_cities=person.met_cities | cities,
                debt=0,
            )
    for one in made.unpaired:
        people[one.key] = replace(people[one.key], debt=people[one.key].debt + 1)
