"""Weeks played through: who repeats, who waits, and how near each round is to the best."""

from datetime import date

from bot.domain.affinity import Seeker, work_half_hours
from bot.domain.simulation import Participant, SimulationOutcome, simulate_weeks
from bot.operator.simulate import figures
from tests.domain.crowds import crowd

FIRST = date(2026, 12, 1)


def played(turns: list[Participant], count: int, seed: int = 0) -> SimulationOutcome:
    outcome = SimulationOutcome(len(turns))
    assert len(list(simulate_weeks(turns, FIRST, count, seed, outcome))) == count
    return outcome


def test_a_quarter_of_people_who_all_fit_never_repeats() -> None:
    """Forty people of forty cities over thirteen weeks: nobody twice, nobody left."""
    turns = [Participant(Seeker(p.key, p.key, frozenset({"en"}), p.knows, p.learns), "weekly", 1)
             for p in crowd(40)]  # fmt: skip
    outcome = played(turns, 13)
    assert outcome.repeat_rate == 0
    assert outcome.coverage == 1
    assert outcome.longest_wait == 0
    assert outcome.wait_distribution() == {0: 40}
    assert outcome.optimum_ratio == 1
    assert {len(partners) for partners in outcome.partners.values()} == {13}


def test_two_people_meet_again_because_there_is_nobody_else() -> None:
    """No choice, so they repeat."""
    turns = [Participant(Seeker(key, key, frozenset({"en"})), "weekly", 1) for key in (1, 2)]
    outcome = played(turns, 4)
    assert [week.repeats for week in outcome.weeks] == [0, 1, 1, 1]
    assert outcome.repeat_rate == 0.75


def test_two_colleagues_and_a_guest_take_turns() -> None:
    """Each of the two waits every other week, never twice in a row."""
    people = [Seeker(1, 1, frozenset({"en"})), Seeker(2, 1, frozenset({"en"})),
              Seeker(3, 2, frozenset({"en"}))]  # fmt: skip
    outcome = played([Participant(person, "weekly", 1) for person in people], 8)
    assert outcome.longest_wait == 1
    assert outcome.wait_distribution() == {0: 1, 4: 2}


def test_people_take_part_when_it_is_their_turn() -> None:
    """Monthly people are there once a month, and the same seed plays the same weeks."""
    rhythms = ("weekly", "every-two-weeks", "monthly")
    turns = [Participant(person, rhythms[person.key % 3], 2) for person in crowd(30)]
    outcome = played(turns, 8, seed=3)
    assert [week.people for week in outcome.weeks] == [10, 30, 10, 20, 10, 20, 20, 20]
    assert outcome.weeks == played(turns, 8, seed=3).weeks
    assert ("repeat rate", f"{outcome.repeat_rate:.2%}") in figures(outcome)


def test_hours_at_work_are_counted_in_utc_on_that_day() -> None:
    """Nine to five in Boston is 14 to 22 UTC in winter and 13 to 21 in summer."""
    winter = work_half_hours("America/New_York", "09:00", "17:00", date(2026, 12, 1))
    summer = work_half_hours("America/New_York", "09:00", "17:00", date(2026, 7, 7))
    assert winter == sum(1 << half for half in range(28, 44))
    assert summer == winter >> 2
    assert work_half_hours("America/Bogota", "09:00", "17:00", date(2026, 12, 1)) == winter
    assert work_half_hours("Asia/Tokyo", "09:00", "10:00", date(2026, 12, 1)) == 0b11
