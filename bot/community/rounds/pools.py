"""Drafts, edits and releases rounds: from the people who take part to the final groups."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import combinations

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.affinity import Seeker, barrier, work_half_hours
from bot.domain.cadence import is_turn
from bot.domain.matching import (
    Group,
    RoundPlan,
    UnpairedPerson,
    add_latecomers,
    build_group,
    can_meet,
    plan_round,
)
from db import introductions, round_members, round_pools, rounds, talks
from db.round_members import RoundMember
from db.round_pools import Knowledge
from db.rounds import Round, RoundGroup

TALKING_PERIOD = timedelta(days=30)
"""Two who wrote to each other within this period already talk, and are not paired."""

PAIRING_MEMORY = timedelta(days=3 * 365)
"""Partners from before this period count as new again."""


async def load_seekers(
    session: AsyncSession,
    day: date,
    now: datetime,
    member_ids: Collection[int] | None = None,
    *,
    any_turn: bool = False,
) -> list[Seeker]:
    """Load everybody who can be paired on that day, as input of the matching.

    They are verified, listed, active in rounds, have room for another conversation this month, and
    it is their turn unless `any_turn`. `member_ids`: only these members.
    """
    then = f"{max(day, now.date()):%Y-%m}"  # a draft may be made in the month before
    willing = [
        one
        for one in await round_pools.list_participants(session, day, now, member_ids)
        if (any_turn or is_turn(one.rhythm, one.nth, day)) and not one.member.is_full(then)
    ]
    if not willing:
        return []
    known = await round_pools.load_knowledge(session)
    never: dict[int, set[int]] = {}
    for one, other in [
        *map(tuple, await introductions.load_excluded_pairs(session)),
        *map(tuple, await round_pools.load_avoided_pairs(session)),
        *map(tuple, await talks.list_talking_pairs(session, now - TALKING_PERIOD)),
    ]:
        never.setdefault(one, set()).add(other)
        never.setdefault(other, set()).add(one)
    paired: dict[int, dict[int, int | None]] = {}
    cities: dict[int, set[int]] = {}
    for past in await round_pools.list_past_pairings(session, day - PAIRING_MEMORY):
        days = None if past.met_on is None else (day - past.met_on).days
        paired.setdefault(past.member_id, {})[past.other_id] = days
        if past.met_on and past.city_id:
            cities.setdefault(past.member_id, set()).add(past.city_id)
    nothing = Knowledge({}, set())
    return [
        _build_seeker(one, day, known.get(one.member_id, nothing), never, paired, cities)
        for one in willing
    ]


def _build_seeker(
    one: RoundMember,
    day: date,
    known: Knowledge,
    never: dict[int, set[int]],
    paired: dict[int, dict[int, int | None]],
    cities: dict[int, set[int]],
) -> Seeker:
    person = one.member
    return Seeker(
        key=person.id,
        city=person.city_id,
        languages=frozenset(person.languages),
        knows=known.knows,
        learns=frozenset(known.learns),
        hours=work_half_hours(person.zone, person.hours_from, person.hours_to, day),
        excluded_keys=frozenset(never.get(person.id, ())),
        past_partners=paired.get(person.id, {}),
        met_cities=frozenset(cities.get(person.id, ())),
        debt=one.missed,
    )


# --- the draft --------------------------------------------------------------------------------


async def draw_plan(people: Sequence[Seeker], seed: int) -> RoundPlan:
    """Plan a round in a thread, since it may take seconds of computing."""
    return await asyncio.to_thread(plan_round, people, seed)


async def save_draft(session: AsyncSession, round_: Round, made: RoundPlan, now: datetime) -> None:
    """Save a plan as the draft of a round, in place of an earlier one."""
    if round_.drafted_at is not None:
        await rounds.clear_draft(session, round_)
    await rounds.save_groups(session, round_, group_rows(made.groups), unpaired_rows(made.unpaired))
    round_.drafted_at = now


async def get_or_create_draft(session: AsyncSession, day: date, now: datetime) -> Round | None:
    """Return the round of a day, drafted now if it was not; None if nobody takes part."""
    found = await rounds.find_round(session, day)
    if found and found.drafted_at:
        return found
    people = await load_seekers(session, day, now)
    if not people:
        return None
    round_ = await rounds.get_or_create_round(session, day)
    if round_.drafted_at is None:
        await save_draft(session, round_, await draw_plan(people, round_.seed), now)
    return round_


async def redraw(session: AsyncSession, round_: Round, now: datetime) -> None:
    """Draft a round anew with those who take part now; swaps made by hand are lost."""
    round_.seed += 1
    people = await load_seekers(session, round_.day, now)
    await save_draft(session, round_, await draw_plan(people, round_.seed), now)


async def swap(
    session: AsyncSession, round_: Round, one_id: int, other_id: int, now: datetime
) -> str | None:
    """Exchange the places of two people in a draft; return None, or why it is not possible.

    The reason is a rule («city», «language», «never»), «gone» if somebody in these groups cannot
    take part any more, or «same» if there is nothing to exchange.
    """
    groups = await rounds.list_groups(session, round_.id)
    places = {place.member_id: (group, place) for group in groups for place in group.places}
    left = {one.member_id: one for one in await rounds.list_unmatched(session, round_.id)}
    touched = {places[key][0].id: places[key][0] for key in (one_id, other_id) if key in places}
    if len(touched) < (one_id in places) + (other_id in places) or not touched:
        return "same"
    keys = {place.member_id for group in touched.values() for place in group.places}
    people = {
        p.key: p for p in await load_seekers(session, round_.day, now, keys | {one_id, other_id})
    }
    if not people.keys() >= keys | {one_id, other_id}:
        return "gone"
    exchanged = {one_id: other_id, other_id: one_id}
    made: list[Group] = []
    for group in touched.values():
        members = [people[exchanged.get(p.member_id, p.member_id)] for p in group.places]
        if not can_meet(members):
            return _forbidding_rule(members)
        made.append(build_group(members))
    await rounds.drop_groups(session, touched.values())
    rows = []
    for key, other in exchanged.items():
        if key in left:  # gets a place, so the other one loses theirs
            await rounds.delete_unmatched(session, round_.id, [key])
            rows.append((other, "taken", 1))
    await rounds.save_groups(session, round_, group_rows(made), rows)
    return None


def _forbidding_rule(people: Sequence[Seeker]) -> str:
    return next(rule for rule in (barrier(*pair) for pair in combinations(people, 2)) if rule)


# --- the release ------------------------------------------------------------------------------


async def release(session: AsyncSession, round_id: int, now: datetime) -> Round | None:
    """Make a drafted round final and return it; None if it is not drafted or was sent already.

    People who can no longer be paired are taken out. Their partners, the unmatched and, unless the
    round is locked, those who joined meanwhile are paired among themselves, or join a pair.
    """
    round_ = await rounds.lock_round(session, round_id)
    if round_ is None or round_.sent_at or not round_.drafted_at:
        return None
    groups = await rounds.list_groups(session, round_.id)
    left = await rounds.list_unmatched(session, round_.id)
    drafted = {place.member_id for group in groups for place in group.places}
    drafted |= {one.member_id for one in left}
    there = await load_seekers(session, round_.day, now, drafted if round_.locked_at else None)
    people = {person.key: person for person in there}
    whole, broken = _split_groups(groups, people)
    settled = {place.member_id for group in whole for place in group.places}
    loose = [person for person in there if person.key not in settled]
    if broken or loose:
        await _repair_groups(session, round_, whole, broken, loose, people)
    await round_members.count_missed(session, round_.id)
    round_.sent_at = now
    return round_


def _split_groups(
    groups: Iterable[RoundGroup], people: dict[int, Seeker]
) -> tuple[list[RoundGroup], list[RoundGroup]]:
    """Return the groups that can stay as they are, and those that cannot."""
    whole, broken = list[RoundGroup](), list[RoundGroup]()
    for group in groups:
        members = [people[p.member_id] for p in group.places if p.member_id in people]
        can = len(members) == len(group.places) > 1 and can_meet(members)
        (whole if can else broken).append(group)
    return whole, broken


async def _repair_groups(
    session: AsyncSession,
    round_: Round,
    whole: Sequence[RoundGroup],
    broken: Sequence[RoundGroup],
    loose: Sequence[Seeker],
    people: dict[int, Seeker],
) -> None:
    pairs = [[people[place.member_id] for place in group.places] for group in whole]
    made = await asyncio.to_thread(add_latecomers, loose, pairs, round_.seed)
    taken = {key for group in made.groups for key in group.keys}
    grown = [group for group in whole if {p.member_id for p in group.places} & taken]
    await rounds.drop_groups(session, [*broken, *grown])
    await rounds.delete_unmatched(session, round_.id, None)
    await rounds.save_groups(session, round_, group_rows(made.groups), unpaired_rows(made.unpaired))


async def pair_latecomers(
    session: AsyncSession, round_: Round, now: datetime, *, is_closing: bool
) -> int:
    """Pair those who joined since the draft, and the unmatched; return how many got a partner.

    They are paired among themselves; if `is_closing`, one who is left joins a pair. Nothing happens
    unless somebody joined.
    """
    groups = await rounds.list_groups(session, round_.id)
    placed = {place.member_id for group in groups for place in group.places}
    joined = await round_pools.list_joined_since(session, round_.drafted_at or now)
    if not joined - placed:
        return 0
    left = {one.member_id for one in await rounds.list_unmatched(session, round_.id)}
    hoping = (joined | left) - placed
    there = await load_seekers(
        session, round_.day, now, None if is_closing else hoping, any_turn=True
    )
    waiting = [person for person in there if person.key in hoping]
    people = {person.key: person for person in there}
    open_pairs = [
        [people[place.member_id] for place in group.places]
        for group in groups
        if is_closing
        and len(group.places) == 2
        and all(p.member_id in people for p in group.places)
    ]
    made = await asyncio.to_thread(add_latecomers, waiting, open_pairs, round_.seed)
    if not is_closing:
        made = RoundPlan(tuple(group for group in made.groups if len(group.keys) == 2), ())
    taken = {key for group in made.groups for key in group.keys}
    await round_members.clear_missed(session, taken)
    await rounds.delete_unmatched(session, round_.id, taken)
    await _save_late_groups(session, round_, made.groups, placed)
    return len(taken - placed)


async def _save_late_groups(
    session: AsyncSession, round_: Round, groups: Iterable[Group], placed: set[int]
) -> None:
    """Save new pairs as groups; add a third to the existing group, which is introduced again."""
    for group in groups:
        third = [key for key in group.keys if key not in placed]
        if len(third) == len(group.keys):
            await rounds.save_groups(
                session, round_, [(group.keys, group.points, group.is_repeat)], [], late=True
            )
            continue
        host = next(key for key in group.keys if key in placed)
        await rounds.add_third(session, round_.id, host, third[0], group.points)


def group_rows(groups: Iterable[Group]) -> list[tuple[Sequence[int], int, bool]]:
    """Convert groups to rows of `rounds.save_groups`: member ids, points, is a repeat."""
    return [(group.keys, group.points, group.is_repeat) for group in groups]


def unpaired_rows(left: Iterable[UnpairedPerson]) -> list[tuple[int, str, int]]:
    """Convert unpaired people to rows of `rounds.save_groups`: member id, rule, fits."""
    return [(one.key, one.rule, one.fits) for one in left]
