"""Runs the pairing rounds by the clock. Each step is recorded when done; a restart repeats none.

`advance_rounds` does whatever is due and may run at any time, in any number of processes; once a
minute is meant. Its messages go into the outbox under keys of the round, in small transactions: if
it is killed in between, the next run goes on where it stopped.
"""

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from bot.community.rounds import messages, pools, sending
from bot.deliveries import mark_decided
from bot.domain.cadence import next_round_day, round_schedule
from bot.i18n import Translator
from db import audit, round_members, round_pools, rounds
from db.base import transaction
from db.rounds import Round

BATCH_SIZE = 50
"""Groups or people in one transaction, so that others can write in between."""
Clock = Callable[[], datetime]
SEND_GRACE = timedelta(days=2)
"""How late a round may still be sent, if nothing ran at its time; after that it is skipped."""
TIME_TO_MEET = timedelta(days=1)
"""Groups that began less than this ago are not asked yet whether they met."""


async def advance_rounds(engine: AsyncEngine, clock: Clock) -> None:
    """Do every step that is due now, of every round that is not finished."""
    now = clock()
    await pause_nonresponders(engine, now)
    await draft_next_round(engine, now)
    async with transaction(engine) as session:
        days = [one.day for one in await rounds.list_unfinished(session)]
    for day in days:
        for step in (
            announce_draft,
            release_round,
            notify_groups,
            pair_latecomers,
            send_check_ins,
            close_round,
        ):
            await step(engine, day, now)


async def pause_nonresponders(engine: AsyncEngine, now: datetime) -> None:
    """Pause the members who were asked whether to go on, and did not answer."""
    async with transaction(engine, writes=True) as session:
        for taking in await round_pools.list_silent(session):
            if messages.pause_silent(taking, now):
                audit.record_act(session, now, None, "rounds paused", f"member:{taking.member_id}")


async def draft_next_round(engine: AsyncEngine, now: datetime) -> None:
    """Draft the next round, some days before it is sent.

    The groups are computed outside of a transaction, so that nobody waits for the database.
    """
    day = next_round_day(now)
    if now < round_schedule(day).draft:
        return
    async with transaction(engine) as session:
        known = await rounds.find_round(session, day)
        is_over = known is not None and (known.drafted_at or known.skipped_at)
        people = [] if is_over else await pools.load_seekers(session, day, now)
    if not people:
        return
    made = await pools.draw_plan(people, day.toordinal())
    async with transaction(engine, writes=True) as session:
        round_ = await rounds.get_or_create_round(session, day)
        if round_.drafted_at is None and round_.skipped_at is None:
            await pools.save_draft(session, round_, made, now)
            await messages.notify_of_draft(session, now, round_)


async def _run_step(
    engine: AsyncEngine,
    day: date,
    is_due: Callable[[Round], bool],
    act: Callable[[AsyncSession, Round], Awaitable[bool]],
) -> None:
    """Run `act` in small transactions that hold the round, until it returns False.

    It also stops when `is_due` is False for the round.
    """
    more = True
    while more:
        async with transaction(engine, writes=True) as session:
            round_ = await rounds.find_round(session, day, hold=True)
            more = round_ is not None and is_due(round_) and await act(session, round_)


async def announce_draft(engine: AsyncEngine, day: date, now: datetime) -> None:
    """Notify everybody who was drafted, the day before, unless staff have it sent earlier."""
    when, last = round_schedule(day), 0

    def is_due(round_: Round) -> bool:
        told = round_.noticed_at or round_.sent_at or round_.send_from or round_.skipped_at
        return not told and when.notice <= now < when.send

    async def act(session: AsyncSession, round_: Round) -> bool:
        nonlocal last
        people = await rounds.list_drafted_members(session, round_.id, last, BATCH_SIZE)
        for person in people:
            await messages.notify_before_round(session, now, round_, person)
            last = person.id
        if not people:
            round_.noticed_at = now
        return bool(people)

    await _run_step(engine, day, is_due, act)


async def release_round(engine: AsyncEngine, day: date, now: datetime) -> None:
    """Make the round final at its time, or when staff wanted it sent.

    A round that nothing sent within SEND_GRACE of its time is closed without being sent; one that
    staff skip is closed at its time.
    """
    when = round_schedule(day)

    async def act(session: AsyncSession, round_: Round) -> bool:
        if round_.skipped_at or now >= when.send + SEND_GRACE:
            await rounds.clear_draft(session, round_)
            round_.closed_at = now
        else:
            await pools.release(session, round_.id, now)
            await sending.set_mornings(session, round_, now)
            await mark_decided(session, now, f"round:{round_.id}:draft", _sent_text)
        return False

    def is_due(round_: Round) -> bool:
        start = min(when.send, round_.send_from or when.send)
        return round_.sent_at is None and now >= start

    await _run_step(engine, day, is_due, act)


def _sent_text(t: Translator) -> str:
    return t("This round has been sent.")


async def notify_groups(engine: AsyncEngine, day: date, now: datetime) -> None:
    """Bring new groups together, and tell those who were left without one why."""

    async def act(session: AsyncSession, round_: Round) -> bool:
        groups = await rounds.list_groups(session, round_.id, only_new=BATCH_SIZE, now=now)
        for group in groups:
            await messages.begin_group(session, now, round_, group)
        left = await rounds.list_unmatched(session, round_.id, only_new=BATCH_SIZE)
        for one in left:
            at = sending.arrival_time(round_, now, one.member.zone)
            await messages.notify_left_out(session, now, round_, one, at)
        return bool(groups or left)

    await _run_step(engine, day, lambda r: r.sent_at is not None, act)


async def pair_latecomers(engine: AsyncEngine, day: date, now: datetime) -> None:
    """Pair members who joined after the round was sent, until its middle."""

    async def act(session: AsyncSession, round_: Round) -> bool:
        await pools.pair_latecomers(session, round_, now, is_closing=False)
        return False

    def is_due(round_: Round) -> bool:
        return round_.sent_at is not None and round_.checked_at is None

    if now < round_schedule(day).check:
        await _run_step(engine, day, is_due, act)
        await notify_groups(engine, day, now)


async def send_check_ins(engine: AsyncEngine, day: date, now: datetime) -> None:
    """Ask everybody, in the middle of the round, whether they met.

    When all are asked, the last latecomers join a pair.
    """
    when, last = round_schedule(day), 0

    def is_due(round_: Round) -> bool:
        unasked = round_.sent_at is not None and round_.checked_at is None
        return unasked and when.check <= now < when.close

    async def act(session: AsyncSession, round_: Round) -> bool:
        nonlocal last
        groups = await rounds.list_begun_groups(
            session, round_.id, now - TIME_TO_MEET, last, BATCH_SIZE
        )
        for group in groups:
            last = group.id
            await messages.send_check_ins(session, now, round_, group)
        if not groups:
            await pools.pair_latecomers(session, round_, now, is_closing=True)
            round_.checked_at = now
        return bool(groups)

    await _run_step(engine, day, is_due, act)
    await notify_groups(engine, day, now)


async def close_round(engine: AsyncEngine, day: date, now: datetime) -> None:
    """Close the round, and count once those who were asked whether they met and were silent."""
    when = round_schedule(day)

    async def act(session: AsyncSession, round_: Round) -> bool:
        if round_.checked_at is not None:
            asked = round_.checked_at - TIME_TO_MEET
            for taking in await round_members.list_unanswered(session, round_.id, asked):
                await messages.close_for_silent_member(session, now, taking)
        await round_members.count_lost_partners(session, round_.id)
        round_.closed_at = now
        return False

    await _run_step(engine, day, lambda r: r.sent_at is not None and now >= when.close, act)
