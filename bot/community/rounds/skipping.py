"""Rounds that staff skip, in holidays: who is told, and what comes instead."""

from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.cards import Button, Buttons, Card, Note, Text
from bot.commands import Context
from bot.community.rounds import messages, sending, upcoming
from bot.deliveries import enqueue, withdraw_unsettled
from bot.domain.cadence import A_WEEK, is_turn, next_round_day, round_schedule
from bot.errors import InvalidArgumentError
from bot.i18n import Translator, translator
from bot.parsing import shorten
from db import audit, round_members, round_pools, rounds
from db.members import Member
from db.outbox import Delivery
from db.round_members import RoundMember
from db.rounds import Round

MAX_WEEKS = 26
"""How far ahead a round may be skipped."""


def parse_day(ctx: Context, text: str | None) -> date:
    """Return the day of a round that is still to come; the next one if no text is given.

    Raises InvalidArgumentError for any other day, with the nearest days of rounds.
    """
    first = next_round_day(ctx.now)
    if not text:
        return first
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day and day.weekday() == first.weekday() and first <= day <= first + MAX_WEEKS * A_WEEK:
        return day
    example = first + A_WEEK
    raise InvalidArgumentError(
        ctx.t(
            "«{text}» is not the day of a round to come: they are on Tuesdays, for example "
            "{example}.",
            text=shorten(text),
            example=example.isoformat(),
        ),
        name="one",
    )


def skipped_parts(ctx: Context, day: date) -> tuple[Text, Buttons]:
    """Tell staff that a round is skipped, with the button that takes this back."""
    t = ctx.t
    said = t("The round on {day} is skipped. Members get a message about it.", day=t.day(day))
    return Text(said), Buttons((Button(t("Hold it after all"), f"admin rounds resume {day}"),))


async def skip(ctx: Context, text: str | None, *, is_sure: bool) -> Card:
    """Ask whether to skip a round, or skip it; raises Refusal if it was sent already."""
    day = parse_day(ctx, text)
    known = await rounds.find_round(ctx.session, day)
    if known and known.sent_at:
        raise sending.already_sent_refusal(ctx, known)
    if not is_sure and not (known and known.skipped_at):
        return await _question_card(ctx, day)
    round_ = await skip_round(ctx.session, ctx.now, day)
    if round_:
        _record_act(ctx, "round skipped", round_)
    return Card(ctx.t("Rounds"), skipped_parts(ctx, day))


async def resume(ctx: Context, text: str | None) -> str:
    """Hold a skipped round after all; return the sentence about it."""
    day = parse_day(ctx, text)
    round_ = await resume_round(ctx.session, ctx.now, day)
    if round_ is None:
        return ctx.t("There is nothing to undo: that round is not skipped.")
    _record_act(ctx, "round resumed", round_)
    return ctx.t("The round on {day} takes place.", day=ctx.t.day(day))


def _record_act(ctx: Context, action: str, round_: Round) -> None:
    audit.record_act(ctx.session, ctx.now, ctx.member.id, action, f"round:{round_.id}")


async def _question_card(ctx: Context, day: date) -> Card:
    """Ask staff whether to skip a round: how many are told and when, and what comes next."""
    t, people = ctx.t, await _list_people(ctx.session, day, ctx.now)
    notice = max(ctx.now, round_schedule(day).notice)
    said = t.many(
        "One person is told {when} that there is no round, and when their next one is.",
        "{number} people are told {when} that there is no round, and when their next one is.",
        len(people),
        when=t.day_and_time(notice, ctx.member.zone),
    )
    after = t("The round after it is on {day}.", day=t.day(await _next_day(ctx.session, day)))
    yes = Button(t("Skip it"), f"admin rounds skip {day} yes", "danger")
    return Card(
        title=t("Skip the round on {day}?", day=t.day(day)),
        parts=(
            Text(said),
            Text(after),
            Buttons((yes, Button(t("Keep it"), "admin rounds status"))),
        ),
    )


async def skip_round(session: AsyncSession, now: datetime, day: date) -> Round | None:
    """Skip the round of a day and tell the members; None if it was sent or is skipped already.

    Its draft is dropped. Members are told when they would have got its notice.
    """
    round_ = await rounds.get_or_create_round(session, day)
    if round_.sent_at or round_.skipped_at:
        return None
    await rounds.clear_draft(session, round_)
    round_.drafted_at = round_.noticed_at = round_.locked_at = round_.send_from = None
    round_.skipped_at = now
    await session.flush()
    await withdraw_unsettled(session, now, Delivery.key.startswith(f"round:{round_.id}:notice:"))
    for taking in await _list_people(session, day, now):
        await _notify(session, now, round_, taking)
    return round_


async def resume_round(session: AsyncSession, now: datetime, day: date) -> Round | None:
    """Let a skipped round take place after all; None if it was not skipped.

    Those who were told that it is skipped are told this; the others hear nothing of either.
    """
    round_ = await rounds.find_round(session, day, hold=True)
    if round_ is None or round_.skipped_at is None or round_.closed_at:
        return None
    stamp, round_.skipped_at = round_.skipped_at, None
    told = Delivery.key.startswith(_key(round_, stamp))
    readers = await round_members.list_told(session, _key(round_, stamp))
    await withdraw_unsettled(session, now, told)
    for person in readers:
        t = translator(person.language)
        said = t(
            "The pairing round on {day} takes place after all. Until it goes out, you can skip it.",
            day=t.day(day),
        )
        buttons = Buttons((Button(t("Skip this one"), f"rounds skip {day}"),))
        card = Card(t("The round takes place"), (Text(said), buttons))
        key = f"round:{round_.id}:resumed:{now:%Y%m%d%H%M%S}:{person.id}"
        send = round_schedule(day).send
        await enqueue(session, now, person, messages.KIND, card, key=key, expires=send)
    return round_


async def _list_people(session: AsyncSession, day: date, now: datetime) -> list[RoundMember]:
    taking = await round_pools.list_participants(session, day, now)
    return [one for one in taking if is_turn(one.rhythm, one.nth, day)]


async def _next_day(session: AsyncSession, day: date) -> date:
    skipped = await rounds.list_skipped_days(session, day)
    day += A_WEEK
    while day in skipped:
        day += A_WEEK
    return day


def _key(round_: Round, stamp: datetime) -> str:
    return f"round:{round_.id}:skipped:{stamp:%Y%m%d%H%M%S}:"


async def _notify(session: AsyncSession, now: datetime, round_: Round, taking: RoundMember) -> None:
    person, when = taking.member, round_schedule(round_.day)
    card = _skipped_card(
        translator(person.language),
        person,
        round_.day,
        await upcoming.load_next_round_time(session, taking, now),
    )
    await enqueue(
        session,
        now,
        person,
        messages.KIND,
        card,
        key=f"{_key(round_, round_.skipped_at or now)}{person.id}",
        at=max(now, when.notice),
        expires=when.check,
    )


def _skipped_card(t: Translator, person: Member, day: date, after: datetime) -> Card:
    said = t("The program staff is skipping the pairing round on {day}.", day=t.day(day))
    next_ = t("Your next one goes out {when}.", when=t.day_and_time(after, person.zone))
    return Card(
        title=t("No pairing round this time"),
        parts=(Text(said), Note(next_), Buttons((Button(t("My rounds"), "rounds"),))),
    )
