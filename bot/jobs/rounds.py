"""The rounds by the clock. Each step is written down when it is done, so a restart repeats none.

`advance` does whatever is due and may run as often as one likes, in any number of processes; once
a minute is meant. What it owes goes into the outbox under keys of the round, in small
transactions: killed in between, the next run goes on where it stopped.
"""

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from bot.community.rounds import messages, pools
from bot.domain.cadence import coming, moments
from db import audit, round_pools, rounds
from db.base import unit
from db.rounds import Round

AT_ONCE = 50
"""Groups or people in one transaction: others want to write too."""
Clock = Callable[[], datetime]
TOO_LATE = timedelta(days=2)
"""A round that was not sent by then, because nothing ran, is left out."""
TIME_TO_MEET = timedelta(days=1)
"""Whoever was brought together shorter ago is not asked yet whether they met."""


async def advance(engine: AsyncEngine, clock: Clock) -> None:
    """Everything that is due now."""
    now = clock()
    await pause_the_silent(engine, now)
    await draft(engine, now)
    async with unit(engine) as session:
        days = [one.day for one in await rounds.unfinished(session)]
    for day in days:
        for step in (notify, send, tell, pair_late, check, close):
            await step(engine, day, now)


async def pause_the_silent(engine: AsyncEngine, now: datetime) -> None:
    """Those who were asked whether to go on, and did not say."""
    async with unit(engine, writes=True) as session:
        for taking in await round_pools.silent(session):
            if messages.pause_silent(taking, now):
                audit.note(session, now, None, "rounds paused", f"member:{taking.member_id}")


async def draft(engine: AsyncEngine, now: datetime) -> None:
    """The next round, some days before; thought out while nobody waits for the database."""
    day = coming(now)
    if now < moments(day).draft:
        return
    async with unit(engine) as session:
        known = await rounds.on(session, day)
        people = [] if known and known.drafted_at else await pools.seekers(session, day, now)
    if not people:
        return
    made = await pools.drawn(people, day.toordinal())
    async with unit(engine, writes=True) as session:
        round_ = await rounds.begin(session, day)
        if round_.drafted_at is None:
            await pools.keep(session, round_, made, now)
            await messages.notify_of_draft(session, now, round_)


async def _step(
    engine: AsyncEngine,
    day: date,
    is_due: Callable[[Round], bool],
    act: Callable[[AsyncSession, Round], Awaitable[bool]],
) -> None:
    """Act in small transactions on a round that is held meanwhile, until there is no more."""
    more = True
    while more:
        async with unit(engine, writes=True) as session:
            round_ = await rounds.on(session, day, hold=True)
            more = round_ is not None and is_due(round_) and await act(session, round_)


async def notify(engine: AsyncEngine, day: date, now: datetime) -> None:
    """The day before, everybody who was drafted hears of it."""
    when, last = moments(day), 0

    def is_due(round_: Round) -> bool:
        return not (round_.noticed_at or round_.sent_at) and when.notice <= now < when.send

    async def act(session: AsyncSession, round_: Round) -> bool:
        nonlocal last
        people = await rounds.drafted(session, round_.id, last, AT_ONCE)
        for person in people:
            await messages.notify(session, now, round_, person)
            last = person.id
        if not people:
            round_.noticed_at = now
        return bool(people)

    await _step(engine, day, is_due, act)


async def send(engine: AsyncEngine, day: date, now: datetime) -> None:
    """The round is final, unless an admin sent it already; long past its day it is given up."""
    when = moments(day)

    async def act(session: AsyncSession, round_: Round) -> bool:
        if now >= when.send + TOO_LATE:
            await rounds.clear(session, round_)
            round_.closed_at = now
        else:
            await pools.release(session, round_.id, now)
        return False

    await _step(engine, day, lambda r: r.sent_at is None and now >= when.send, act)


async def tell(engine: AsyncEngine, day: date, now: datetime) -> None:
    """Groups are brought together, and those without one hear why."""

    async def act(session: AsyncSession, round_: Round) -> bool:
        groups = await rounds.groups_of(session, round_.id, only_new=AT_ONCE)
        for group in groups:
            await messages.begin(session, now, round_, group)
        left = await rounds.left_of(session, round_.id, only_new=AT_ONCE)
        for one in left:
            await messages.tell_left(session, now, round_, one)
        return bool(groups or left)

    await _step(engine, day, lambda r: r.sent_at is not None, act)


async def pair_late(engine: AsyncEngine, day: date, now: datetime) -> None:
    """Until the middle of a round whoever joins is paired with others who joined."""

    async def act(session: AsyncSession, round_: Round) -> bool:
        await pools.late(session, round_, now, closing=False)
        return False

    def is_due(round_: Round) -> bool:
        return round_.sent_at is not None and round_.checked_at is None

    if now < moments(day).check:
        await _step(engine, day, is_due, act)
        await tell(engine, day, now)


async def check(engine: AsyncEngine, day: date, now: datetime) -> None:
    """In the middle everybody is asked: did you meet? Then the last who came late join a pair."""
    when, last = moments(day), 0

    def is_due(round_: Round) -> bool:
        unasked = round_.sent_at is not None and round_.checked_at is None
        return unasked and when.check <= now < when.close

    async def act(session: AsyncSession, round_: Round) -> bool:
        nonlocal last
        groups = await rounds.begun(session, round_.id, now - TIME_TO_MEET, last, AT_ONCE)
        for group in groups:
            last = group.id
            for place in group.places:
                if not place.answer:
                    await messages.check_in(session, now, round_, group, place.member)
        if not groups:
            await pools.late(session, round_, now, closing=True)
            round_.checked_at = now
        return bool(groups)

    await _step(engine, day, is_due, act)
    await tell(engine, day, now)


async def close(engine: AsyncEngine, day: date, now: datetime) -> None:
    """The end: who was asked and silent is counted, once."""
    when = moments(day)

    async def act(session: AsyncSession, round_: Round) -> bool:
        if round_.checked_at is not None:
            asked = round_.checked_at - TIME_TO_MEET
            for taking in await rounds.unanswered(session, round_.id, asked):
                await messages.close(session, now, taking)
        round_.closed_at = now
        return False

    await _step(engine, day, lambda r: r.sent_at is not None and now >= when.close, act)
