"""Rounds are paired as well as can be: against trying everything, and by their promises."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given, seed
from hypothesis import strategies as st

from bot.domain import matching
from bot.domain.affinity import (
    Seeker,
    barrier,
    have_been_paired,
    weight,
    weight_table,
)
from bot.domain.matching import RoundPlan, add_latecomers, plan_round
from tests.campaign import SEED, examples
from tests.domain.crowds import best, crowd, value

TOPICS = st.integers(1, 4)


@st.composite
def pools(draw: st.DrawFn, most: int = 9) -> list[Seeker]:
    """Small pools in which every rule bites: few cities, few languages, a past, refusals."""
    size = draw(st.integers(0, most))
    keys = range(1, size + 1)
    some = st.frozensets(st.sampled_from(list(keys)), max_size=3) if size else st.just(frozenset())
    return [
        Seeker(
            key,
            draw(st.sampled_from((None, 1, 2, 3))),
            draw(st.frozensets(st.sampled_from(("en", "es", "pt")), min_size=1, max_size=2)),
            draw(st.dictionaries(TOPICS, st.integers(1, 3), max_size=3)),
            draw(st.frozensets(TOPICS, max_size=2)),
            draw(st.integers(0, (1 << 48) - 1)),
            draw(some) - {key},
            {
                other: draw(st.sampled_from((None, 0, 30, 400)))
                for other in sorted(draw(some) - {key})
            },
            draw(st.frozensets(st.integers(1, 3), max_size=2)),
            draw(st.integers(0, 4)),
        )
        for key in keys
    ]


def people_of(made: RoundPlan, pool: Sequence[Seeker]) -> tuple[tuple[Seeker, ...], ...]:
    known = {person.key: person for person in pool}
    return tuple(tuple(known[key] for key in group.keys) for group in made.groups)


@pytest.mark.campaign
@seed(SEED)
@examples(300)
@given(pools())
def test_a_small_pool_is_paired_as_well_as_trying_everything(pool: list[Seeker]) -> None:
    """The same debts paid, new meetings, people met, and weight; one number less and it fails."""
    made = plan_round(pool)
    assert value(people_of(made, pool)) == best(pool)
    assert made.points == best(pool)[3]


@pytest.mark.campaign
@seed(SEED)
@examples(200)
@given(pools(most=14), st.integers(0, 5))
def test_no_rule_is_ever_broken_and_everybody_is_somewhere_once(
    pool: list[Seeker], seed: int
) -> None:
    """Pairs, at most one trio, and the rest: each person exactly once."""
    made = plan_round(pool, seed)
    for group in people_of(made, pool):
        assert len(group) in (2, 3)
        assert all(barrier(*pair) is None for pair in combinations(group, 2))
    assert sum(len(group.keys) == 3 for group in made.groups) <= 1
    everywhere = [key for group in made.groups for key in group.keys]
    everywhere += [left.key for left in made.unpaired]
    assert sorted(everywhere) == sorted(person.key for person in pool)
    assert plan_round(list(reversed(pool)), seed) == made


@pytest.mark.campaign
@seed(SEED)
@examples(150)
@given(pools(most=8))
def test_nobody_meets_again_where_all_could_meet_somebody_new(pool: list[Seeker]) -> None:
    """If everybody can have a new partner, everybody has one."""
    made = plan_round(pool)
    if best(pool)[1] == len(pool):
        assert not any(group.is_repeat for group in made.groups)
        assert not made.unpaired


@pytest.mark.campaign
@seed(SEED)
@examples(150)
@given(pools(most=12))
def test_the_table_of_weights_says_what_the_reasons_add_up_to(pool: list[Seeker]) -> None:
    """All at once or one by one: the same points, 0 where a rule keeps two apart."""
    table = weight_table(pool)
    for (row, one), (column, other) in combinations(enumerate(pool), 2):
        told = 0 if barrier(one, other) else weight(one, other)
        assert table[row, column] == table[column, row] == told
        assert weight(one, other) == weight(other, one)


# --- large pools ------------------------------------------------------------------------------


def test_a_pruned_pool_is_within_half_a_percent_of_the_best() -> None:
    """The few best partners of each are enough: 0.995 of the heaviest matching there is."""
    pool = crowd(400)
    pruned = plan_round(pool)
    exact = matching._solve_matching(
        pool, list(matching._iter_all_edges(pool, matching.Scale.for_pool(pool)))
    )
    assert 2 * len(exact) == len(pool)
    assert pruned.points >= 0.995 * sum(weight(*pair) for pair in exact)
    assert not pruned.unpaired


def test_a_large_pool_is_dealt_into_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody has a partner whom no rule forbids, and an odd pool has one trio."""
    monkeypatch.setattr(matching, "SPLIT_LIMIT", 400)
    monkeypatch.setattr(matching, "PART_SIZE", 200)
    pool = crowd(1_001)
    made = plan_round(pool)
    assert sorted(len(group.keys) for group in made.groups) == [2] * 499 + [3]
    for group in people_of(made, pool):
        assert all(barrier(*pair) is None for pair in combinations(group, 2))
    assert made == plan_round(pool)
    assert made != plan_round(pool, seed=7)


@pytest.mark.no_cover
def test_twenty_rounds_of_a_large_pool_repeat_nobody() -> None:
    """Whom one met stays behind whom one did not, also where only the best are looked at."""
    pool = {person.key: person for person in crowd(201)}
    for round_ in range(20):
        made = plan_round(list(pool.values()), round_)
        assert not any(group.is_repeat for group in made.groups)
        for left in made.unpaired:
            pool[left.key] = replace(pool[left.key], debt=pool[left.key].debt + 1)
        for group in made.groups:
            for one, other in combinations(group.keys, 2):
                assert not have_been_paired(pool[one], pool[other])
            for key in group.keys:
                past = {**pool[key].past_partners, **dict.fromkeys(set(group.keys) - {key}, 7)}
                pool[key] = replace(pool[key], past_partners=past, debt=0)


def test_nobody_is_left_out_twice_in_a_row_when_it_can_be_avoided() -> None:
    """Three of one city and one from elsewhere: they take turns."""
    pool = {key: Seeker(key, 2 if key == 4 else 1, frozenset({"en"})) for key in (1, 2, 3, 4)}
    waited = dict.fromkeys(pool, 0)
    for round_ in range(9):
        made = plan_round(list(pool.values()), round_)
        left = {one.key for one in made.unpaired}
        assert len(left) == 2
        for key in pool:
            waited[key] = waited[key] + 1 if key in left else 0
            pool[key] = replace(pool[key], debt=waited[key], past_partners={})
        assert max(waited.values()) <= 2  # one of three gets the only partner


def test_with_two_to_choose_from_nobody_waits_twice() -> None:
    """Two of one city and one from elsewhere whom both fit: each waits every other time."""
    one, two, guest = (
        Seeker(key, city, frozenset({"en"})) for key, city in ((1, 1), (2, 1), (3, 2))
    )
    pool = {1: one, 2: two, 3: guest}
    last: set[int] = set()
    for round_ in range(8):
        made = plan_round(list(pool.values()), round_)
        left = {each.key for each in made.unpaired}
        assert len(left) == 1
        assert not left & last
        last = left
        for key, person in pool.items():
            pool[key] = replace(person, debt=int(key in left))


# --- those who are left, and those who come late ----------------------------------------------


@pytest.mark.parametrize(
    ("others", "rule", "fits"),
    [
        ([], "alone", 0),
        ([Seeker(2, 1, frozenset({"en"}))], "city", 0),
        ([Seeker(2, 2, frozenset({"pt"})), Seeker(3, 1, frozenset({"en"})),
          Seeker(4, 3, frozenset({"pt"}))], "language", 0),
        ([Seeker(2, 2, frozenset({"en"}), excluded_keys=frozenset({1}))], "never", 0),
    ],
)  # fmt: skip
def test_whoever_is_left_hears_the_rule_that_left_the_fewest(
    others: list[Seeker], rule: str, fits: int
) -> None:
    """Nobody else, only colleagues, no common language, or somebody who said never."""
    made = plan_round([Seeker(1, 1, frozenset({"en"})), *others])
    left = next(one for one in made.unpaired if one.key == 1)
    assert (left.rule, left.fits) == (rule, fits)


def test_whoever_was_simply_over_hears_how_many_would_have_fitted() -> None:
    """Two colleagues and one guest: the second one fits too, but the guest is taken."""
    pool = [Seeker(key, city, frozenset({"en"})) for key, city in ((1, 1), (2, 1), (3, 2))]
    (left,) = plan_round(pool).unpaired
    assert (left.rule, left.fits) == ("taken", 1)


def test_late_people_are_paired_among_themselves_and_the_last_one_joins_a_pair() -> None:
    """Three come late: two meet each other, one becomes the third of a pair that fits."""
    late = [Seeker(key, key, frozenset({"en"})) for key in (1, 2, 3)]
    pairs = [
        [Seeker(11, 21, frozenset({"pt"})), Seeker(12, 22, frozenset({"pt"}))],
        [Seeker(13, 23, frozenset({"en"}), {5: 3}), Seeker(14, 24, frozenset({"en"}))],
    ]
    late[2] = replace(late[2], past_partners={1: None, 2: None})
    made = add_latecomers(late, pairs)
    assert [group.keys for group in made.groups] == [(1, 2), (3, 13, 14)] or len(made.groups) == 1
    assert not made.unpaired


def test_whoever_fits_no_pair_stays_for_the_next_round() -> None:
    """A third must fit both; a trio takes no fourth."""
    late = [Seeker(1, 21, frozenset({"en"}))]
    pairs = [
        [Seeker(11, 21, frozenset({"en"})), Seeker(12, 22, frozenset({"en"}))],
        [Seeker(key, key, frozenset({"en"})) for key in (13, 14, 15)],
    ]
    made = add_latecomers(late, pairs)
    assert made.groups == ()
    assert [one.key for one in made.unpaired] == [1]
