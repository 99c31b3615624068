"""Plans a round: people who waited come first, then few repeats, then the highest weight.

Plans are compared in this order: how many of those who were left out last time meet anybody; how
many people meet somebody new; how many people meet anybody; the total weight. Up to `EXACT_LIMIT`
people this is solved over all pairs. Larger pools are solved over the few best partners of each
person, where a partner whom many want costs a price; and pools over `SPLIT_LIMIT` are split into
equal parts, so that neither time nor memory grows faster than the pool.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations
from random import Random
from typing import TYPE_CHECKING, Literal

from bot.domain.affinity import Barrier, Seeker, barrier, have_been_paired, weight, weight_table

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

EXACT_LIMIT = 150
SPLIT_LIMIT, PART_SIZE = 2_000, 1_000
BEST_PARTNERS = 6
"""How many partners are considered for each person of a large pool."""
BLOCK_ROWS = 250
"""Rows of a weight table that are computed together, to bound the memory."""
MAX_DEBT = 3
EVERY_TRIO_LIMIT = 12
"""Up to this many people every possible trio is tried."""
_BARRED_WEIGHT = -1e9
_REPEAT_PENALTY = 1e6

Rule = Literal["alone", "city", "language", "never", "taken"]
Edge = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Group:
    """Two or three people who shall meet. `is_repeat`: two of them were partners before."""

    keys: tuple[int, ...]
    points: int
    is_repeat: bool = False


@dataclass(frozen=True, slots=True)
class UnpairedPerson:
    """A person without a partner; `rule` and `fits` as `explain_unpaired` finds them."""

    key: int
    rule: Rule
    fits: int


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """The groups of a round, and the people without a partner."""

    groups: tuple[Group, ...]
    unpaired: tuple[UnpairedPerson, ...]

    @property
    def points(self) -> int:
        """The total weight of all groups."""
        return sum(group.points for group in self.groups)


def plan_round(people: Sequence[Seeker], seed: int = 0) -> RoundPlan:
    """Plan pairs, and one trio if somebody would be left. The same seed gives the same plan."""
    pool = sorted(people, key=lambda person: person.key)
    Random(seed).shuffle(pool)  # noqa: S311 - decides between equals, nothing is a secret
    scale = Scale.for_pool(pool)
    groups: list[tuple[Seeker, ...]] = []
    for part in _split_pool(pool):
        groups += _pair_part(part, scale)
    groups += _pair_part(_list_unpaired(pool, groups), scale)
    groups = _add_trio(pool, groups, scale)
    return RoundPlan(
        tuple(sorted(map(build_group, groups), key=lambda g: (-g.points, g.keys))),
        tuple(explain_unpaired(_list_unpaired(pool, groups), pool)),
    )


def optimal_weight(people: Sequence[Seeker]) -> int:
    """Return the weight of the best plan over all pairs, at any cost in time: a yardstick."""
    pool = sorted(people, key=lambda person: person.key)
    scale = Scale.for_pool(pool)
    groups = _add_trio(pool, _solve_matching(pool, list(_iter_all_edges(pool, scale))), scale)
    return sum(build_group(group).points for group in groups)


def build_group(people: Sequence[Seeker]) -> Group:
    """Build a group of two or three. A trio has half its pairs' points: per person as in a pair."""
    pairs = list(combinations(people, 2))
    points = sum(weight(*pair) for pair in pairs)
    return Group(
        tuple(sorted(person.key for person in people)),
        points if len(pairs) == 1 else points // 2,
        any(have_been_paired(*pair) for pair in pairs),
    )


def can_meet(people: Sequence[Seeker]) -> bool:
    """Return whether no rule keeps any two of these people apart."""
    return all(barrier(*pair) is None for pair in combinations(people, 2))


def explain_unpaired(people: Sequence[Seeker], pool: Sequence[Seeker]) -> list[UnpairedPerson]:
    """For each of `people`, find the rule that bars most of the pool, and how many would fit."""
    kinds: dict[tuple[int | None, frozenset[str]], list[Seeker]] = {}
    for other in pool:
        kinds.setdefault((other.city, other.languages), []).append(other)
    return [_explain_one(person, pool, list(kinds.values())) for person in people]


def _explain_one(
    person: Seeker, pool: Sequence[Seeker], alike: Sequence[Sequence[Seeker]]
) -> UnpairedPerson:
    kept: Counter[Barrier | None] = Counter()
    for some in alike:  # same city and languages: one answer for all of them
        like_all = replace(some[0], key=-1, excluded_keys=frozenset())
        kept[barrier(replace(person, excluded_keys=frozenset()), like_all)] += len(some)
    kept[barrier(person, person)] -= 1
    if len(pool) < 2:
        return UnpairedPerson(person.key, "alone", 0)
    refused = sum(
        barrier(person, other) == "never"
        for other in pool
        if other.key in person.excluded_keys or person.key in other.excluded_keys
    )
    if kept[None] > refused:
        return UnpairedPerson(person.key, "taken", kept[None] - refused)
    counts: dict[Rule, int] = {"language": kept["language"], "never": refused, "city": kept["city"]}
    return UnpairedPerson(person.key, max(counts, key=lambda rule: counts[rule]), 0)


def add_latecomers(
    late: Sequence[Seeker], pairs: Sequence[Sequence[Seeker]], seed: int = 0
) -> RoundPlan:
    """Pair latecomers among themselves; one who is left joins one of `pairs` as the third.

    The plan returned holds the new groups and the pairs that became trios, not the other pairs.
    """
    among = plan_round(late, seed)
    by_key = {person.key: person for person in late}
    scale = Scale.for_pool([*late, *(p for pair in pairs for p in pair)])
    open_pairs = [tuple(pair) for pair in pairs if len(pair) == 2]
    trios: list[tuple[Seeker, ...]] = []
    left: list[UnpairedPerson] = []
    for one in among.unpaired:
        person = by_key[one.key]
        choices = [pair for pair in open_pairs if can_meet((*pair, person))]
        if not choices:
            left.append(one)
            continue
        pair = max(choices, key=lambda pair: scale.group_value((*pair, person)))
        open_pairs.remove(pair)
        trios.append((*pair, person))
    return RoundPlan((*among.groups, *map(build_group, trios)), tuple(left))


# --- comparing plans --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scale:
    """Encodes the four criteria in one integer: no sum of a lesser one reaches a greater one."""

    debt_weight: int
    new_pair_weight: int
    pair_weight: int

    @classmethod
    def for_pool(cls, pool: Sequence[Seeker]) -> "Scale":
        """Return a scale for these people, from the most points that any two of them could have."""
        most = 1 + max((36 * (len(p.knows) + len(p.learns)) for p in pool), default=0) * 2 + 60
        met = most * (len(pool) + 3)
        new = met * (len(pool) + 3)
        return cls(new * (len(pool) + 3), new, met)

    def group_value(self, people: Sequence[Seeker]) -> int:
        """Return the value of one group: all four criteria in one number."""
        group = build_group(people)
        return self.encode(people, group.points, group.is_repeat)

    def encode(self, people: Sequence[Seeker], points: int, again: bool) -> int:
        """Return the value of a group whose points are known already."""
        owed = sum(min(person.debt, MAX_DEBT) for person in people)
        new = 0 if again else self.new_pair_weight * len(people)
        return new + self.debt_weight * owed + self.pair_weight * len(people) + points


# --- pairs ------------------------------------------------------------------------------------


def _split_pool(pool: Sequence[Seeker]) -> Iterator[list[Seeker]]:
    """Yield equal parts of a pool, each with its share of every language and city."""
    if len(pool) <= SPLIT_LIMIT:
        yield list(pool)
        return
    count = -(-len(pool) // PART_SIZE)
    like = sorted(pool, key=lambda p: (sorted(p.languages), p.city or 0))
    yield from (like[start::count] for start in range(count))


def _list_unpaired(pool: Sequence[Seeker], groups: Sequence[Sequence[Seeker]]) -> list[Seeker]:
    taken = {person.key for group in groups for person in group}
    return [person for person in pool if person.key not in taken]


def _pair_part(pool: list[Seeker], scale: Scale) -> list[tuple[Seeker, ...]]:
    """Find the best pairs of one part: exactly if it is small, else over a few partners each."""
    if len(pool) < 2:
        return []
    if len(pool) <= EXACT_LIMIT:
        return _solve_matching(pool, list(_iter_all_edges(pool, scale)))
    table = weight_table(pool)
    pairs = _solve_matching(pool, list(_iter_best_edges(pool, table, scale, BEST_PARTNERS)))
    if _is_good_enough(pool, pairs, table):
        return pairs
    # somebody had too few partners to choose from: try again with more of them
    return _solve_matching(
        pool,
        list(_iter_best_edges(pool, table, scale, 4 * BEST_PARTNERS, _list_unpaired(pool, pairs))),
    )


def _is_good_enough(
    pool: Sequence[Seeker], pairs: Sequence[Sequence[Seeker]], table: "NDArray[float32]"
) -> bool:
    """Return whether no pair is a repeat and at most one pairable person is unpaired."""
    if any(have_been_paired(*pair) for pair in pairs):
        return False
    alone = {person.key for person in _list_unpaired(pool, pairs)}
    hopeful = sum(table[row].any() for row, person in enumerate(pool) if person.key in alone)
    return bool(hopeful <= 1)


def _solve_matching(pool: Sequence[Seeker], edges: Sequence[Edge]) -> list[tuple[Seeker, ...]]:
    """Find the matching of these edges with the highest weight."""
    import rustworkx

    graph: rustworkx.PyGraph[int, int] = rustworkx.PyGraph(multigraph=False)
    graph.add_nodes_from(range(len(pool)))
    graph.add_edges_from(edges)
    found = rustworkx.max_weight_matching(graph, max_cardinality=False, weight_fn=int)
    # the solver returns pairs, and the two of a pair, in any order
    return [(pool[row], pool[column]) for row, column in sorted(map(_sort_pair, found))]


def _sort_pair(pair: tuple[int, int]) -> tuple[int, int]:
    return min(pair), max(pair)


def _iter_all_edges(pool: Sequence[Seeker], scale: Scale) -> Iterator[Edge]:
    table = weight_table(pool).astype(int).tolist()
    for row, one in enumerate(pool):
        for column in range(row):
            if points := table[row][column]:
                other = pool[column]
                yield column, row, scale.encode((one, other), points, have_been_paired(one, other))


def _iter_best_edges(
    pool: Sequence[Seeker],
    table: "NDArray[float32]",
    scale: Scale,
    best: int,
    alone: Sequence[Seeker] = (),
) -> Iterator[Edge]:
    """Yield edges to the `best` partners of each by weight less price; all edges of `alone`."""
    import numpy as np

    bare = np.where(table > 0, table, np.float32(_BARRED_WEIGHT))
    places = {person.key: row for row, person in enumerate(pool)}
    again = {
        (row, places[key])
        for row, person in enumerate(pool)
        for key in person.past_partners
        if key in places
    }
    for row, column in again:
        bare[row, column] -= np.float32(_REPEAT_PENALTY)
        bare[column, row] = bare[row, column]
    bare -= _compute_prices(bare)[None, :]
    count = min(best, len(pool) - 1)
    kept = len(pool) - count  # block by block: a whole table of places would double the memory
    blocks = [
        np.argpartition(bare[rows], kept, axis=1)[:, kept:] for rows in _iter_blocks(len(pool))
    ]
    columns = np.concatenate(blocks).ravel()
    whole = np.array([places[person.key] for person in alone], np.int64)
    ones = np.concatenate([np.repeat(np.arange(len(pool)), count), np.repeat(whole, len(pool))])
    others = np.concatenate([columns, np.tile(np.arange(len(pool)), len(whole))])
    fits = table[ones, others] > 0
    ones, others = ones[fits], others[fits]
    numbers = np.unique(np.minimum(ones, others) * len(pool) + np.maximum(ones, others))
    points = table[numbers // len(pool), numbers % len(pool)]
    for number, amount in zip(numbers.tolist(), points.tolist(), strict=True):
        pair = divmod(number, len(pool))
        repeats = pair in again or pair[::-1] in again
        yield *pair, scale.encode((pool[pair[0]], pool[pair[1]]), int(amount), repeats)


def _iter_blocks(size: int) -> Iterator[slice]:
    yield from (slice(start, start + BLOCK_ROWS) for start in range(0, size, BLOCK_ROWS))


def _compute_prices(bare: "NDArray[float32]") -> "NDArray[float32]":
    """Return how much each person is in demand, so that not all edges lead to the same few."""
    import numpy as np

    prices = np.maximum(bare.max(axis=1), 0) / 2
    for _ in range(3):
        best = [(bare[rows] - prices[None, :]).max(axis=1) for rows in _iter_blocks(len(bare))]
        prices = np.maximum(prices + np.concatenate(best), 0) / 2
    halved: NDArray[float32] = prices.astype(np.float32)
    return halved


# --- one trio ---------------------------------------------------------------------------------


def _add_trio(
    pool: Sequence[Seeker], groups: list[tuple[Seeker, ...]], scale: Scale
) -> list[tuple[Seeker, ...]]:
    """Return the groups with one trio among them if that is better, else as they are."""
    alone = [
        p
        for p in _list_unpaired(pool, groups)
        if any(barrier(p, one) is None for g in groups for one in g)
    ]
    again = [group for group in groups if build_group(group).is_repeat]
    if not alone and not again:
        return groups
    if len(pool) <= EVERY_TRIO_LIMIT:
        return max(
            (groups, *_iter_trios(pool, scale)),
            key=lambda some: sum(scale.group_value(group) for group in some),
        )
    best, change = 0, groups
    for taken, made in chain(_iter_attachments(groups, alone), _iter_splits(groups, again)):
        gain = sum(map(scale.group_value, made)) - sum(map(scale.group_value, taken))
        if gain > best:
            best, change = gain, [*(g for g in groups if g not in taken), *made]
    return change


Groups = list[tuple[Seeker, ...]]


def _iter_trios(pool: Sequence[Seeker], scale: Scale) -> Iterator[Groups]:
    """Yield, for each trio that no rule forbids, the trio and the best pairs of the others."""
    for trio in combinations(pool, 3):
        if can_meet(trio):
            rest = [person for person in pool if person not in trio]
            yield [trio, *_pair_part(rest, scale)]


def _iter_attachments(groups: Groups, alone: Sequence[Seeker]) -> Iterator[tuple[Groups, Groups]]:
    """Yield changes (groups removed, groups added) that give a person in `alone` a partner.

    The person joins a pair, or takes the place of one of a pair, who then joins another pair.
    """
    for person in alone:
        for pair in groups:
            if can_meet((*pair, person)):
                yield [pair], [(*pair, person)]
        for pair in _find_closest_groups(groups, person):
            for kept, freed in (pair, pair[::-1]):
                if barrier(kept, person) is None:
                    for other in groups:
                        if other != pair and can_meet((*other, freed)):
                            yield [pair, other], [(kept, person), (*other, freed)]


def _iter_splits(groups: Groups, again: Groups) -> Iterator[tuple[Groups, Groups]]:
    """Yield changes in which one of a repeated pair joins another pair, and the other waits."""
    for pair in again[:BEST_PARTNERS]:
        for person in pair:
            for other in groups:
                if other != pair and can_meet((*other, person)):
                    yield [pair, other], [(*other, person)]


def _find_closest_groups(groups: Groups, person: Seeker) -> Groups:
    """Return the pairs in which the person would have the heaviest new partner, best first."""

    def appeal(pair: tuple[Seeker, ...]) -> int:
        return max(
            0 if barrier(person, one) or have_been_paired(person, one) else weight(person, one)
            for one in pair
        )

    return sorted(groups, key=appeal, reverse=True)[:BEST_PARTNERS]
