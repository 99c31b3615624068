"""Invented pools for rounds, and the best there is for a small one, found by trying everything."""

from collections.abc import Sequence
from functools import cache
from itertools import combinations
from random import Random

from bot.domain.affinity import Seeker, barrier, have_been_paired, weight

Groups = tuple[tuple[Seeker, ...], ...]
LANGUAGES = ("en", "es", "pt", "fr")


def crowd(size: int, seed: int = 1, *, topics: int = 60, cities: int = 140) -> list[Seeker]:
    """People as a community has them: some topics and cities have many, most have few."""
    rng = Random(seed)
    return [_person(rng, key, topics, cities) for key in range(1, size + 1)]


def _person(rng: Random, key: int, topics: int, cities: int) -> Seeker:
    def rare(most: int) -> int:
        return min(int(rng.expovariate(3 / most)), most - 1)

    city = rare(cities) + 1
    languages = {("en", "en", "es", "pt")[city % 4]}
    if rng.random() < 0.4:
        languages.add(rng.choice(("en", "en", "es", "fr")))
    knows = {rare(topics): rng.choice((1, 2, 2, 3)) for _ in range(rng.randint(1, 5))}
    learns = frozenset(rare(topics) for _ in range(rng.randint(0, 3))) - knows.keys()
    start = rng.choice((20, 22, 24, 26, 28, 30, 34, 36)) + rng.randint(0, 3)
    hours = sum(1 << (start + half) % 48 for half in range(17))
    return Seeker(key, city, frozenset(languages), knows, learns, hours)


def value(groups: Groups) -> tuple[int, int, int, int]:
    """What is compared: debt paid, people who meet somebody new, people who meet, weight."""
    new = owed = met = points = 0
    for group in groups:
        pairs = list(combinations(group, 2))
        total = sum(weight(a, b) for a, b in pairs)
        points += total if len(group) == 2 else total // 2
        new += 0 if any(have_been_paired(a, b) for a, b in pairs) else len(group)
        owed += sum(min(p.debt, 3) for p in group)
        met += len(group)
    return owed, new, met, points


def best(people: Sequence[Seeker]) -> tuple[int, ...]:
    """The best value of all ways to make pairs and at most one trio that no rule forbids."""
    size = len(people)
    worth = {
        rows: value((tuple(people[row] for row in rows),))
        for count in (2, 3)
        for rows in combinations(range(size), count)
        if all(barrier(people[a], people[b]) is None for a, b in combinations(rows, 2))
    }

    @cache
    def of(rest: frozenset[int], trios: int) -> tuple[int, ...]:
        if not rest:
            return (0, 0, 0, 0)
        first = min(rest)
        tried = [of(rest - {first}, trios)]
        for rows, gives in worth.items():
            if rows[0] == first and rest.issuperset(rows) and (trios or len(rows) == 2):
                more = of(rest.difference(rows), trios - (len(rows) == 3))
                tried.append(tuple(map(sum, zip(gives, more, strict=True))))
        return max(tried)

    return of(frozenset(range(size)), 1)
