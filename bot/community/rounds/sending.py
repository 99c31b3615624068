"""Sends a round when staff want it, before its time: asks first, waits, and can be undone."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.cards import Button, Buttons, Card, Facts, Note, Part, Text
from bot.commands import Context
from bot.community.rounds import messages
from bot.domain.cadence import round_schedule
from bot.domain.calendar import next_morning
from bot.errors import Refusal
from db import rounds
from db.members import Member
from db.rounds import Round

UNDO_WINDOW = timedelta(minutes=5)
"""How long a round that is to go out now waits, so that it can be undone."""


async def render_confirmation(ctx: Context, round_: Round) -> Card:
    """Ask staff before a round is sent: how many people read it, and when."""
    t, zone = ctx.t, ctx.member.zone
    groups = await rounds.list_groups(ctx.session, round_.id)
    left = await rounds.list_unmatched(ctx.session, round_.id)
    people = await _list_people(ctx.session, round_)
    mornings = sorted(next_morning(ctx.now, person.zone) for person in people)
    parts: list[Part] = [
        Text(
            t.many("One person will hear of it.", "{number} people will hear of it.", len(mornings))
        ),
        Facts(messages.size_facts(t, groups, left)),
    ]
    buttons = [Button(t("Send now"), "admin rounds send now", "danger")]
    if mornings:
        parts.append(
            Text(
                t(
                    "In the morning means 9:00 where each of them is, on a working day: the first "
                    "read it on {first}, the last on {last}.",
                    first=t.day_and_time(mornings[0], zone),
                    last=t.day_and_time(mornings[-1], zone),
                )
            )
        )
        buttons.insert(0, Button(t("Send in the morning"), "admin rounds send morning", "primary"))
    parts.append(
        Text(
            t.many(
                "«Send now» waits one minute, in which you can undo it.",
                "«Send now» waits {number} minutes, in which you can undo it.",
                UNDO_WINDOW // timedelta(minutes=1),
            ),
            quiet=True,
        )
    )
    parts.append(Buttons((*buttons, Button(t("Preview"), "admin rounds preview"))))
    return Card(t("Send this round?"), tuple(parts))


def already_sent_refusal(ctx: Context, round_: Round) -> Refusal:
    """Return the refusal for a round that was sent, which happens once."""
    return Refusal(
        ctx.t(
            "The {when} round has already gone out; each round goes out once.",
            when=ctx.t.day_and_time(round_schedule(round_.day).send, ctx.member.zone),
        ),
        title=ctx.t("Rounds"),
        buttons=(Button(ctx.t("How rounds are going"), "admin rounds status"),),
    )


async def plan_sending(ctx: Context, round_: Round, *, at_once: bool) -> None:
    """Set when a round is sent: in some minutes, or from the first morning of its people on."""
    round_.at_once = at_once
    if at_once:
        round_.send_from = ctx.now + UNDO_WINDOW
        return
    people = await _list_people(ctx.session, round_)
    mornings = [next_morning(ctx.now, person.zone) for person in people]
    round_.send_from = max(min(mornings, default=ctx.now), ctx.now + UNDO_WINDOW)


def undo_sending(round_: Round) -> bool:
    """Let a round that was not sent yet wait for its usual time; return whether that changes it."""
    waits = round_.send_from is not None and round_.sent_at is None
    if waits:
        round_.send_from, round_.at_once = None, False
    return waits


def render_plan(ctx: Context, round_: Round) -> list[Part]:
    """Render when a round goes out that staff sent, with the button to undo; else nothing."""
    if round_.send_from is None or round_.sent_at is not None:
        return []
    t, when = ctx.t, ctx.t.day_and_time(round_.send_from, ctx.member.zone)
    said = t("It goes out on {when}; you can undo it until then.", when=when)
    if not round_.at_once:
        said = t(
            "It goes out at 9:00 a.m. local time, first on {when}; you can undo it until then.",
            when=when,
        )
    return [Note(said), Buttons((Button(t("Undo"), "admin rounds undo"),))]


async def set_mornings(session: AsyncSession, round_: Round, now: datetime) -> None:
    """Let each group of a round that staff sent begin once it is morning for all its people."""
    if round_.send_from is None or round_.at_once:
        return
    for group in await rounds.list_groups(session, round_.id):
        zones = [place.member.zone for place in group.places]
        group.begins_at = max(arrival_time(round_, now, zone) for zone in zones)


def arrival_time(round_: Round, now: datetime, zone: str) -> datetime:
    """Return when a round that is being sent reaches somebody in this zone."""
    if round_.send_from is None or round_.at_once:
        return now
    return next_morning(now, zone)


async def _list_people(session: AsyncSession, round_: Round) -> Sequence[Member]:
    return await rounds.list_drafted_members(session, round_.id, 0, 100_000)
