"""A round from the people who take part to the groups that are told: drafted, kept, released."""

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
from db import introductions, round_pools, rounds
from db.round_pools import Knowledge
from db.rounds import Round, RoundGroup, RoundMember

PAIRING_MEMORY = timedelta(days=3 * 365)
"""Partners of longer ago are new again."""


async def load_seekers(
    session: AsyncSession,
    day: date,
    now: datetime,
    member_ids: Collection[int] | None = None,
    *,
    any_turn: bool = False,
) -> list[Seeker]:
    """Everybody who can be paired on that day, as the matching needs them.

    Verified, listed, willing, with room for another conversation this month, and in turn unless
    `any_turn`. `only`: of these members.
    """
    then = f"{max(day, now.date()):%Y-%m}"  # a draft may be made in the month before
    willing = [
        one
        for one in await round_pools.list_participants(session, day, member_ids)
        if (any_turn or is_turn(one.rhythm, one.nth, day)) and not one.member.is_full(then)
    ]
    if not willing:
        return []
    known = await round_pools.load_knowledge(session)
    never: dict[int, set[int]] = {}
    for one, other in [
        *map(tuple, await introductions.load_excluded_pairs(session)),
        *map(tuple, await round_pools.load_avoided_pairs(session)),
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
    """The plan of a pool, thought out in a thread."""
    return await asyncio.to_thread(plan_round, people, seed)


async def save_draft(session: AsyncSession, round_: Round, made: RoundPlan, now: datetime) -> None:
    """A plan becomes the draft of a round, in place of another one."""
    if round_.drafted_at is not None:
        await rounds.clear_draft(session, round_)
    await rounds.save_groups(session, round_, group_rows(made.groups), unpaired_rows(made.unpaired))
    round_.drafted_at = now


async def get_or_create_draft(session: AsyncSession, day: date, now: datetime) -> Round | None:
    """The round of a day with a draft, drawn now if there is none; None where nobody takes part."""
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
    """Another draft, of those who take part now; what was swapped by hand is lost."""
    round_.seed += 1
    people = await load_seekers(session, round_.day, now)
    await save_draft(session, round_, await draw_plan(people, round_.seed), now)


async def swap(
    session: AsyncSession, round_: Round, one_id: int, other_id: int, now: datetime
) -> str | None:
    """Two people of a draft take each other's place; the rule that forbids it, if one does.

    «city», «language» or «never», «gone» where somebody of these groups cannot take part, or
    «same» where there is nothing to exchange.
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
        if key in left:  # comes in, so the other one waits
            await rounds.delete_unmatched(session, round_.id, [key])
            rows.append((other, "taken", 1))
    await rounds.save_groups(session, round_, group_rows(made), rows)
    return None


def _forbidding_rule(people: Sequence[Seeker]) -> str:
    return next(rule for rule in (barrier(*pair) for pair in combinations(people, 2)) if rule)


# --- the release ------------------------------------------------------------------------------


async def release(session: AsyncSession, round_id: int, now: datetime) -> Round | None:
    """A drafted round is final, as far as its people still take part; None if it is already.

    Whoever can no longer be paired is taken out; those who were to meet them, those who were left
    and, unless it is locked, those who joined meanwhile are paired among themselves or join.
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
    await rounds.count_missed(session, round_.id)
    round_.sent_at = now
    return round_


def _split_groups(
    groups: Iterable[RoundGroup], people: dict[int, Seeker]
) -> tuple[list[RoundGroup], list[RoundGroup]]:
    """The groups that can be as they are, and the others."""
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
    """Those who joined since a round was sent, and those it left: how many got a partner now.

    They are paired among themselves; when it is `closing`, whoever is over joins a pair.
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
    await rounds.clear_missed(session, taken)
    await rounds.delete_unmatched(session, round_.id, taken)
    await _save_late_groups(session, round_, made.groups, placed)
    return len(taken - placed)


async def _save_late_groups(
    session: AsyncSession, round_: Round, groups: Iterable[Group], placed: set[int]
) -> None:
    """New pairs are new groups; a third is added to the group there is, which begins anew."""
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
    """Groups as the database keeps them."""
    return [(group.keys, group.points, group.is_repeat) for group in groups]


def unpaired_rows(left: Iterable[UnpairedPerson]) -> list[tuple[int, str, int]]:
    """Who was left and why, as the database keeps it."""
    return [(one.key, one.rule, one.fits) for one in left]
