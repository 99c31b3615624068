"""A member's next round: its day and time, and how home shows it."""

from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.cards import Button, Entry
from bot.commands import Context
from bot.domain.cadence import A_WEEK, is_turn, next_round_day, round_schedule
from db import round_members, rounds
from db.round_members import RoundMember


async def find_next_day(session: AsyncSession, now: datetime) -> date:
    """Return the day of the next round that was not sent yet, also if staff sent one early."""
    day, last = next_round_day(now), await rounds.find_last_sent(session)
    return last.day + A_WEEK if last and last.day >= day else day


async def load_next_round_time(
    session: AsyncSession, taking: RoundMember, now: datetime
) -> datetime:
    """Return when the member's next round is sent, after a snooze and what is skipped.

    The member skips a round, or the staff do.
    """
    day = await find_next_day(session, now)
    skipped = await rounds.list_skipped_days(session, day)
    while (
        day in skipped
        or (taking.snoozed_until and day < taking.snoozed_until)
        or day == taking.skips
        or not is_turn(taking.rhythm, taking.nth, day)
    ):
        day += A_WEEK
    return round_schedule(day).send


async def render_next_round(ctx: Context) -> Entry | None:
    """Render when the member's next round is sent; None if they take no part or are paused."""
    taking = await round_members.load_participation(ctx.session, ctx.member.id)
    if taking is None or not taking.active or taking.paused_at:
        return None
    moment = await load_next_round_time(ctx.session, taking, ctx.now)
    return Entry(
        title=ctx.t("Your next round"),
        lines=(ctx.t.day_and_time(moment, ctx.member.zone),),
        buttons=(Button(ctx.t("My rounds"), "rounds"),),
    )
