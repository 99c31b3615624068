"""The pairs of a round: who waited first, as few repeats as can be, then the most weight.

What counts is compared in this order: how many of those who were left out last time meet anybody;
how many people meet somebody new; how many people meet anybody; the weight of all. Up to `WHOLE`
people that is solved over all pairs. Beyond, over the few best partners of each, where a partner
whom everybody wants costs a price; and pools over `AT_ONCE` are dealt into equal parts, so that
neither time nor memory grows faster than the pool.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations
from random import Random
from typing import TYPE_CHECKING, Literal

from bot.domain.affinity import Barrier, Seeker, barrier, is_again, weight, weights

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

WHOLE = 150
AT_ONCE, PART = 2_000, 1_000
BEST = 6
"""Partners looked at for each person of a large pool."""
BLOCK = 250
"""Rows of a table that are looked at together."""
MOST_DEBT = 3
FEW = 12
"""Up to so many people every possible trio is tried."""
_BARRED = -1e9
_AGAIN = 1e6

Rule = Literal["alone", "city", "language", "never", "taken"]
Edge = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Group:
    """Two or three who are to meet. `again`: some two of them were partners before."""

    keys: tuple[int, ...]
    points: int
    again: bool = False


@dataclass(frozen=True, slots=True)
class Left:
    """Somebody without a partner: the rule that leaves the fewest, and how many would fit."""

    key: int
    rule: Rule
    fits: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A round as it could be sent."""

    groups: tuple[Group, ...]
    left: tuple[Left, ...]

    @property
    def points(self) -> int:
        """The weight of all groups."""
        return sum(group.points for group in self.groups)


def plan(people: Sequence[Seeker], seed: int = 0) -> Plan:
    """Pairs, and one trio where somebody would be left over. The same seed gives the same plan."""
    pool = sorted(people, key=lambda person: person.key)
    Random(seed).shuffle(pool)  # noqa: S311 - decides between equals, nothing is a secret
    scale = Scale.of(pool)
    groups: list[tuple[Seeker, ...]] = []
    for part in _parts(pool):
        groups += _paired(part, scale)
    groups += _paired(_alone(pool, groups), scale)
    groups = _with_trio(pool, groups, scale)
    return Plan(
        tuple(sorted(map(group_of, groups), key=lambda g: (-g.points, g.keys))),
        tuple(why_left(_alone(pool, groups), pool)),
    )


def heaviest(people: Sequence[Seeker]) -> int:
    """The weight of the best plan over all pairs, whatever that costs: what a plan is held to."""
    pool = sorted(people, key=lambda person: person.key)
    scale = Scale.of(pool)
    groups = _with_trio(pool, _solved(pool, list(_every(pool, scale))), scale)
    return sum(group_of(group).points for group in groups)


def group_of(people: Sequence[Seeker]) -> Group:
    """Two or three people as a group. A trio's points: what each has on average, as in pairs."""
    pairs = list(combinations(people, 2))
    points = sum(weight(*pair) for pair in pairs)
    return Group(
        tuple(sorted(person.key for person in people)),
        points if len(pairs) == 1 else points // 2,
        any(is_again(*pair) for pair in pairs),
    )


def fit(people: Sequence[Seeker]) -> bool:
    """Does no rule keep any two of them apart?"""
    return all(barrier(*pair) is None for pair in combinations(people, 2))


def why_left(people: Sequence[Seeker], pool: Sequence[Seeker]) -> list[Left]:
    """For each of these: the rule that keeps most of this pool away, and how many would fit."""
    kinds: dict[tuple[int | None, frozenset[str]], list[Seeker]] = {}
    for other in pool:
        kinds.setdefault((other.city, other.languages), []).append(other)
    return [_why(person, pool, list(kinds.values())) for person in people]


def _why(person: Seeker, pool: Sequence[Seeker], alike: Sequence[Sequence[Seeker]]) -> Left:
    kept: Counter[Barrier | None] = Counter()
    for some in alike:  # of one city and the same languages: one answer for all of them
        like_all = replace(some[0], key=-1, never=frozenset())
        kept[barrier(replace(person, never=frozenset()), like_all)] += len(some)
    kept[barrier(person, person)] -= 1
    if len(pool) < 2:
        return Left(person.key, "alone", 0)
    refused = sum(
        barrier(person, other) == "never"
        for other in pool
        if other.key in person.never or person.key in other.never
    )
    if kept[None] > refused:
        return Left(person.key, "taken", kept[None] - refused)
    counts: dict[Rule, int] = {"language": kept["language"], "never": refused, "city": kept["city"]}
    return Left(person.key, max(counts, key=lambda rule: counts[rule]), 0)


def join_late(late: Sequence[Seeker], pairs: Sequence[Sequence[Seeker]], seed: int = 0) -> Plan:
    """Those who came late among themselves; whoever is then alone joins a pair as the third.

    The groups of the plan are the new ones, and the pairs that became trios.
    """
    among = plan(late, seed)
    by_key = {person.key: person for person in late}
    scale = Scale.of([*late, *(p for pair in pairs for p in pair)])
    open_pairs = [tuple(pair) for pair in pairs if len(pair) == 2]
    trios: list[tuple[Seeker, ...]] = []
    left: list[Left] = []
    for one in among.left:
        person = by_key[one.key]
        choices = [pair for pair in open_pairs if fit((*pair, person))]
        if not choices:
            left.append(one)
            continue
        pair = max(choices, key=lambda pair: scale.worth((*pair, person)))
        open_pairs.remove(pair)
        trios.append((*pair, person))
    return Plan((*among.groups, *map(group_of, trios)), tuple(left))


# --- what is compared -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scale:
    """The four things that count as one number: no sum of a lesser one reaches a greater one."""

    owed: int
    new: int
    met: int

    @classmethod
    def of(cls, pool: Sequence[Seeker]) -> "Scale":
        """A scale for these people: from the most that any of them could have to give."""
        most = 1 + max((36 * (len(p.knows) + len(p.learns)) for p in pool), default=0) * 2 + 60
        met = most * (len(pool) + 3)
        new = met * (len(pool) + 3)
        return cls(new * (len(pool) + 3), new, met)

    def worth(self, people: Sequence[Seeker]) -> int:
        """Of one group."""
        group = group_of(people)
        return self.coded(people, group.points, group.again)

    def coded(self, people: Sequence[Seeker], points: int, again: bool) -> int:
        """The same where points are known."""
        owed = sum(min(person.debt, MOST_DEBT) for person in people)
        new = 0 if again else self.new * len(people)
        return new + self.owed * owed + self.met * len(people) + points


# --- pairs ------------------------------------------------------------------------------------


def _parts(pool: Sequence[Seeker]) -> Iterator[list[Seeker]]:
    """Equal parts, each with its share of every language and city."""
    if len(pool) <= AT_ONCE:
        yield list(pool)
        return
    count = -(-len(pool) // PART)
    like = sorted(pool, key=lambda p: (sorted(p.languages), p.city or 0))
    yield from (like[start::count] for start in range(count))


def _alone(pool: Sequence[Seeker], groups: Sequence[Sequence[Seeker]]) -> list[Seeker]:
    taken = {person.key for group in groups for person in group}
    return [person for person in pool if person.key not in taken]


def _paired(pool: list[Seeker], scale: Scale) -> list[tuple[Seeker, ...]]:
    """The best pairs of one part."""
    if len(pool) < 2:
        return []
    if len(pool) <= WHOLE:
        return _solved(pool, list(_every(pool, scale)))
    table = weights(pool)
    pairs = _solved(pool, list(_pruned(pool, table, scale, BEST)))
    if _settled(pool, pairs, table):
        return pairs
    # too few partners were looked at for somebody: once more, with many more of them
    return _solved(pool, list(_pruned(pool, table, scale, 4 * BEST, _alone(pool, pairs))))


def _settled(
    pool: Sequence[Seeker], pairs: Sequence[Sequence[Seeker]], table: "NDArray[float32]"
) -> bool:
    """Nobody is alone but the odd one and those whom the rules leave nobody; nobody meets again."""
    if any(is_again(*pair) for pair in pairs):
        return False
    alone = {person.key for person in _alone(pool, pairs)}
    hopeful = sum(table[row].any() for row, person in enumerate(pool) if person.key in alone)
    return bool(hopeful <= 1)


def _solved(pool: Sequence[Seeker], edges: Sequence[Edge]) -> list[tuple[Seeker, ...]]:
    """The heaviest matching of these edges."""
    import rustworkx

    graph: rustworkx.PyGraph[int, int] = rustworkx.PyGraph(multigraph=False)
    graph.add_nodes_from(range(len(pool)))
    graph.add_edges_from(edges)
    found = rustworkx.max_weight_matching(graph, max_cardinality=False, weight_fn=int)
    # the solver names the two of a pair in any order, and the pairs too
    return [(pool[row], pool[column]) for row, column in sorted(map(_ordered, found))]


def _ordered(pair: tuple[int, int]) -> tuple[int, int]:
    return min(pair), max(pair)


def _every(pool: Sequence[Seeker], scale: Scale) -> Iterator[Edge]:
    table = weights(pool).astype(int).tolist()
    for row, one in enumerate(pool):
        for column in range(row):
            if points := table[row][column]:
                other = pool[column]
                yield column, row, scale.coded((one, other), points, is_again(one, other))


def _pruned(
    pool: Sequence[Seeker],
    table: "NDArray[float32]",
    scale: Scale,
    best: int,
    alone: Sequence[Seeker] = (),
) -> Iterator[Edge]:
    """The edges to each one's best partners by weight less price, and all edges of some."""
    import numpy as np

    bare = np.where(table > 0, table, np.float32(_BARRED))
    places = {person.key: row for row, person in enumerate(pool)}
    again = {
        (row, places[key])
        for row, person in enumerate(pool)
        for key in person.paired
        if key in places
    }
    for row, column in again:
        bare[row, column] -= np.float32(_AGAIN)
        bare[column, row] = bare[row, column]
    bare -= _prices(bare)[None, :]
    count = min(best, len(pool) - 1)
    kept = len(pool) - count  # block by block: a whole table of places would double the memory
    blocks = [np.argpartition(bare[rows], kept, axis=1)[:, kept:] for rows in _blocks(len(pool))]
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
        yield *pair, scale.coded((pool[pair[0]], pool[pair[1]]), int(amount), repeats)


def _blocks(size: int) -> Iterator[slice]:
    yield from (slice(start, start + BLOCK) for start in range(0, size, BLOCK))


def _prices(bare: "NDArray[float32]") -> "NDArray[float32]":
    """What each person is worth to the others: so that not all edges lead to the same few."""
    import numpy as np

    prices = np.maximum(bare.max(axis=1), 0) / 2
    for _ in range(3):
        best = [(bare[rows] - prices[None, :]).max(axis=1) for rows in _blocks(len(bare))]
        prices = np.maximum(prices + np.concatenate(best), 0) / 2
    halved: NDArray[float32] = prices.astype(np.float32)
    return halved


# --- one trio ---------------------------------------------------------------------------------


def _with_trio(
    pool: Sequence[Seeker], groups: list[tuple[Seeker, ...]], scale: Scale
) -> list[tuple[Seeker, ...]]:
    """The groups with one trio among them if that is better."""
    alone = [
        p for p in _alone(pool, groups) if any(barrier(p, one) is None for g in groups for one in g)
    ]
    again = [group for group in groups if group_of(group).again]
    if not alone and not again:
        return groups
    if len(pool) <= FEW:
        return max(
            (groups, *_every_trio(pool, scale)),
            key=lambda some: sum(scale.worth(group) for group in some),
        )
    best, change = 0, groups
    for taken, made in chain(_attached(groups, alone), _parted(groups, again)):
        gain = sum(map(scale.worth, made)) - sum(map(scale.worth, taken))
        if gain > best:
            best, change = gain, [*(g for g in groups if g not in taken), *made]
    return change


Groups = list[tuple[Seeker, ...]]


def _every_trio(pool: Sequence[Seeker], scale: Scale) -> Iterator[Groups]:
    """For each trio that may be: it, and the best pairs of the others."""
    for trio in combinations(pool, 3):
        if fit(trio):
            rest = [person for person in pool if person not in trio]
            yield [trio, *_paired(rest, scale)]


def _attached(groups: Groups, alone: Sequence[Seeker]) -> Iterator[tuple[Groups, Groups]]:
    """Groups taken apart and made instead: the lonely one joins a pair, or takes one's place.

    In the second case whoever is set free joins another pair.
    """
    for person in alone:
        for pair in groups:
            if fit((*pair, person)):
                yield [pair], [(*pair, person)]
        for pair in _closest(groups, person):
            for kept, freed in (pair, pair[::-1]):
                if barrier(kept, person) is None:
                    for other in groups:
                        if other != pair and fit((*other, freed)):
                            yield [pair, other], [(kept, person), (*other, freed)]


def _parted(groups: Groups, again: Groups) -> Iterator[tuple[Groups, Groups]]:
    """Instead of meeting again, one of two joins another pair, and the other one waits."""
    for pair in again[:BEST]:
        for person in pair:
            for other in groups:
                if other != pair and fit((*other, person)):
                    yield [pair, other], [(*other, person)]


def _closest(groups: Groups, person: Seeker) -> Groups:
    """Some pairs in which the lonely one would fit best beside one of the two."""

    def appeal(pair: tuple[Seeker, ...]) -> int:
        return max(
            0 if barrier(person, one) or is_again(person, one) else weight(person, one)
            for one in pair
        )

    return sorted(groups, key=appeal, reverse=True)[:BEST]
