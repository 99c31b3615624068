"""Who comes first and why: the order follows from reasons that can be shown."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.ranking import FRESH_FOR_DAYS, Candidate, base_points, rank, rank_candidate

NOW = datetime(2026, 11, 24, tzinfo=UTC)
LEVELS = [None, "", "Silver", "Gold", "Platinum", "Bronze"]
candidates = st.builds(
    Candidate,
    key=st.integers(1, 30),
    own_city=st.booleans(),
    skill=st.integers(0, 4),
    endorsements=st.integers(0, 40),
    city_level=st.sampled_from(LEVELS),
    is_open=st.booleans(),
    is_full=st.booleans(),
    asks_taken=st.integers(0, 12),
    confirmed_at=st.integers(0, 900).map(lambda days: NOW - timedelta(days=days)),
)
PLAIN = Candidate(1, False, 2, 0, None, True, False, 0, NOW)


def causes(one: Candidate) -> dict[str, tuple[int, int | str]]:
    """Each reason with its points and its amount."""
    return {r.cause: (r.points, r.amount) for r in rank_candidate(one, NOW).reasons}


def test_every_reason_has_its_points_and_what_a_sentence_needs() -> None:
    """All of them at once."""
    one = PLAIN._replace(own_city=True, skill=3, endorsements=4, city_level="Gold", asks_taken=2,
        confirmed_at=NOW - timedelta(days=30),
    )  # fmt: skip

    assert causes(one) == {
        "own-city": (1000, 0),
        "open": (100, 0),
        "skill": (30, 3),
        "endorsed": (16, 4),
        "asked": (-6, 2),
        "fresh": (5, 30),
        "level": (4, "Gold"),
    }
    assert rank_candidate(one, NOW).points == 1149


def test_what_speaks_against_somebody_is_said_too() -> None:
    """Closed, full, and long not confirmed; who is full is not also counted as asked."""
    one = PLAIN._replace(
        is_open=False, is_full=True, asks_taken=3, confirmed_at=NOW - timedelta(days=400)
    )

    assert causes(one) == {
        "skill": (20, 2), "closed": (0, 0), "full": (-200, 0), "stale": (-10, 400),
    }  # fmt: skip


@pytest.mark.parametrize(("days", "cause"), [(0, "fresh"), (180, "fresh"), (181, "stale")])
def test_a_profile_is_fresh_for_half_a_year(days: int, cause: str) -> None:
    """To the day."""
    assert FRESH_FOR_DAYS == 180
    assert cause in causes(PLAIN._replace(confirmed_at=NOW - timedelta(days=days)))


def test_endorsements_count_up_to_ten() -> None:
    """Beyond that a popularity contest would begin; the sentence still says how many."""
    assert causes(PLAIN._replace(endorsements=10))["endorsed"] == (40, 10)
    assert causes(PLAIN._replace(endorsements=99))["endorsed"] == (40, 99)


@pytest.mark.parametrize("level", [None, "", "Bronze", "gold"])
def test_a_level_we_do_not_know_gives_nothing(level: str | None) -> None:
    """Not even a reason."""
    assert "level" not in causes(PLAIN._replace(city_level=level))


def test_an_unknown_skill_counts_as_the_middle_one() -> None:
    """Old data never makes somebody vanish."""
    assert base_points(0, 0, None, False) == base_points(2, 0, None, False) == 20


@given(candidates)
def test_the_reasons_add_up_and_the_weightiest_come_first(one: Candidate) -> None:
    """What is shown is the whole reckoning: nothing is hidden, nothing said twice."""
    told = rank_candidate(one, NOW)
    weights = [abs(reason.points) for reason in told.reasons]

    assert told.points == sum(reason.points for reason in told.reasons)
    assert weights == sorted(weights, reverse=True)
    assert len({reason.cause for reason in told.reasons}) == len(told.reasons)


@given(st.lists(candidates, max_size=12), st.randoms())
def test_the_order_is_by_points_and_depends_on_nothing_else(
    some: list[Candidate], chance: object
) -> None:
    """However the database delivers them."""
    numbered = [one._replace(key=key) for key, one in enumerate(some)]
    mixed = list(numbered)
    chance.shuffle(mixed)  # type: ignore[attr-defined] # a Random, which Hypothesis hides
    ranked = rank(mixed, NOW)

    assert list(ranked) == list(rank(numbered, NOW))
    assert sorted(r.key for r in ranked) == list(range(len(some)))
    pairs = [(-r.points, r.key) for r in ranked]
    assert pairs == sorted(pairs)


BETTER: dict[str, Callable[[Candidate], Candidate]] = {
    "own city": lambda one: one._replace(own_city=True),
    "more skill": lambda one: one._replace(skill=3),
    "one more endorsement": lambda one: one._replace(endorsements=one.endorsements + 1),
    "a higher level": lambda one: one._replace(city_level="Platinum"),
    "open": lambda one: one._replace(is_open=True),
    "room for questions": lambda one: one._replace(is_full=False, asks_taken=0),
    "confirmed today": lambda one: one._replace(confirmed_at=NOW),
}


@pytest.mark.parametrize("how", BETTER)
@given(one=candidates)
def test_what_is_better_never_costs_points(how: str, one: Candidate) -> None:
    """Each of them alone."""
    assert rank_candidate(BETTER[how](one), NOW).points >= rank_candidate(one, NOW).points


@given(candidates, candidates)
def test_colleagues_come_before_everybody_else(one: Candidate, other: Candidate) -> None:
    """Whatever speaks for the others."""
    colleague = one._replace(own_city=True)
    stranger = other._replace(own_city=False)

    assert rank_candidate(colleague, NOW).points > rank_candidate(stranger, NOW).points


@given(candidates, candidates)
def test_who_is_full_comes_after_those_who_are_not(one: Candidate, other: Candidate) -> None:
    """Among people of other cities."""
    full = one._replace(own_city=False, is_full=True)
    free = other._replace(own_city=False, is_full=False, is_open=True, is_reachable=True)

    assert rank_candidate(full, NOW).points < rank_candidate(free, NOW).points
