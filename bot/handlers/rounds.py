"""Pairing rounds for members: take part, choose a rhythm, see the partner and why, say who met."""

import re
from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from bot.cards import Button, Buttons, Card, Fact, Facts, Note, Part, Reply, Text
from bot.commands import MEMBER, Context, Spelled, command
from bot.community.people import finding, portraits, ranking
from bot.community.rounds import messages, partners, upcoming
from bot.deliveries import mark_decided
from bot.domain.cadence import round_schedule
from bot.errors import InvalidArgumentError, Refusal
from bot.parsing import ButtonOnly, Labels, Suggestions, shorten
from db import audit, round_members, round_pools, rounds
from db.round_members import RoundMember

RHYTHM_NAMES = {
    "weekly": "Every week",
    "every-two-weeks": "Every two weeks",
    "monthly": "Once a month",
}
_WEEKS = re.compile(r"(\d{1,2})(?:\s*\w*)?")
DEFAULT_SNOOZE, MAX_SNOOZE = timedelta(weeks=4), timedelta(days=366)


class Rounds(BaseModel):
    """Meet someone from another city in every round"""

    act: Annotated[
        Literal[
            "status", "on", "off", "weekly", "every-two-weeks", "monthly", "snooze", "skip",
            "avoid", "unavoid", "why", "met", "scheduled", "not-yet", "keep",
        ],
        Labels({
            "status": "Show my rounds", "on": "Take part", "off": "Stop", **RHYTHM_NAMES,
            "snooze": "Pause until", "skip": "Skip the next one", "avoid": "Never pair me with",
            "unavoid": "Pair me again with", "why": "Why this person", "met": "We met",
            "scheduled": "We have a date", "not-yet": "Not yet", "keep": "Keep me in",
        }),
        ButtonOnly(("why", "met", "scheduled", "not-yet", "keep")),
    ] = Field(default="status", title="What to do")  # fmt: skip
    value: Annotated[str | None, Suggestions("person")] = Field(
        default=None,
        max_length=80,
        title="Date, week of the month or person",
        description="For example: 2027-01-15, 2, or Luis Rojas",
    )


@command(
    "rounds",
    allow=MEMBER,
    room="daily",
    spelled=Spelled("rondas", "rodadas", "rondes|tours"),
    writes=True,
    example="rounds on",
)
async def rounds_(ctx: Context, ask: Rounds) -> Reply:
    """Show how the member takes part in rounds, or change it."""
    match ask.act:
        case "status":
            return await _status_card(ctx)
        case "on" | "keep":
            return await _start_rounds(ctx)
        case "off":
            return await _stop_rounds(ctx)
        case "weekly" | "every-two-weeks" | "monthly":
            return await _set_rhythm(ctx, ask.act, ask.value)
        case "snooze":
            return await _snooze(ctx, ask.value)
        case "skip":
            return await _skip(ctx, ask.value)
        case "avoid" | "unavoid":
            return await _avoid(ctx, ask.act, ask.value)
        case "why":
            return await partners.explain_partner(ctx)
        case _:
            return await _save_answer(ctx, ask.act, ask.value)


# --- taking part ------------------------------------------------------------------------------


async def _status_card(ctx: Context, note: str = "") -> Card:
    t, taking = ctx.t, await round_members.load_participation(ctx.session, ctx.member.id)
    parts: list[Part] = [Note(note, "good")] if note else []
    if taking is None or not taking.active:
        parts.append(
            Text(
                t(
                    "Every Tuesday, people from different cities are paired up: one knows what "
                    "the other is looking for. You're not signed up yet."
                )
            )
        )
        parts.append(Buttons((Button(t("Take part"), "rounds on", "primary"),)))
        return Card(t("Introduction rounds"), tuple(parts))
    parts += await partners.partner_parts(ctx)
    parts.append(Facts(tuple(await _participation_facts(ctx, taking))))
    parts.append(Buttons(tuple(await _status_buttons(ctx, taking))))
    shown = [ctx.member]
    return Card(t("Your rounds"), tuple(parts), portraits.footer(t, shown))


async def _participation_facts(ctx: Context, taking: RoundMember) -> list[Fact]:
    t = ctx.t
    facts = [Fact(t("How often"), _rhythm_name(ctx, taking))]
    if taking.paused_at:
        facts.append(Fact(t("Next one"), t("Paused, because you stopped answering")))
    else:
        send = await upcoming.load_next_round_time(ctx.session, taking, ctx.now)
        facts.append(Fact(t("Next one"), t.day_and_time(send, ctx.member.zone)))
    if taking.snoozed_until and taking.snoozed_until > ctx.now.date():
        facts.append(Fact(t("Paused until"), t.day(taking.snoozed_until, "long")))
    if ctx.member.is_full(ranking.format_month(ctx.now)):
        facts.append(Fact(t("This month"), t("You've reached your limit for introductions.")))
    if not ctx.member.listed:
        facts.append(
            Fact(t("Directory"), t("You're no longer listed, so no one will be introduced to you."))
        )
    avoided = await round_pools.list_avoided_by(ctx.session, ctx.member.id)
    if avoided:
        names = t.listed([person.name for person in avoided])
        facts.append(Fact(t("Never paired with"), names))
    return facts


def _rhythm_name(ctx: Context, taking: RoundMember) -> str:
    t = ctx.t
    name = t(RHYTHM_NAMES[taking.rhythm])
    if taking.rhythm != "monthly":
        return name
    which = {
        1: t("on the first Tuesday"),
        2: t("on the second Tuesday"),
        3: t("on the third Tuesday"),
        4: t("on the fourth Tuesday"),
        5: t("on the last Tuesday"),
    }
    return f"{name}, {which[taking.nth]}"


async def _status_buttons(ctx: Context, taking: RoundMember) -> list[Button]:
    t = ctx.t
    if taking.paused_at or taking.asked_at:
        return [
            Button(t("Keep me in"), "rounds keep", "primary"),
            Button(t("Stop rounds"), "rounds off"),
        ]
    others = [rhythm for rhythm in RHYTHM_NAMES if rhythm != taking.rhythm]
    day = (await upcoming.load_next_round_time(ctx.session, taking, ctx.now)).date()
    return [
        Button(t("Skip the next one"), f"rounds skip {day}"),
        *(Button(t(RHYTHM_NAMES[rhythm]), f"rounds {rhythm}") for rhythm in others),
        Button(t("Pause for four weeks"), "rounds snooze"),
        Button(t("Stop rounds"), "rounds off", "danger"),
    ]


async def _start_rounds(ctx: Context) -> Card:
    t = ctx.t
    if not ctx.member.listed:
        raise Refusal(
            t(
                "People want to know who they're meeting, so rounds are for people in the "
                "directory. Turn that on in your profile first."
            ),
            buttons=(Button(t("Edit my profile"), "profile edit", "primary"),),
        )
    taking = await round_members.get_or_create_participation(ctx.session, ctx.member.id, ctx.now)
    if not taking.active:
        taking.active, taking.joined_at = True, ctx.now
    taking.snoozed_until = taking.skips = None
    messages.mark_active(taking)
    audit.record_act(ctx.session, ctx.now, ctx.member.id, "rounds on", f"member:{ctx.member.id}")
    return await _status_card(ctx, t("You're taking part."))


async def _load_participation(ctx: Context) -> RoundMember:
    found = await round_members.load_participation(ctx.session, ctx.member.id)
    if found is None or not found.active:
        raise Refusal(
            ctx.t("You're not taking part in rounds yet."),
            buttons=(Button(ctx.t("Take part"), "rounds on", "primary"),),
        )
    return found


async def _stop_rounds(ctx: Context) -> Card:
    taking = await round_members.load_participation(ctx.session, ctx.member.id)
    if taking is not None:
        taking.active = False
        audit.record_act(
            ctx.session, ctx.now, ctx.member.id, "rounds off", f"member:{ctx.member.id}"
        )
    return await _status_card(ctx, ctx.t("You're no longer taking part. Nothing else changes."))


async def _set_rhythm(ctx: Context, rhythm: str, nth: str | None) -> Card:
    taking = await _load_participation(ctx)
    if nth and (rhythm != "monthly" or nth not in ("1", "2", "3", "4", "5")):
        raise InvalidArgumentError(
            ctx.t(
                "«{text}» doesn't work here: write 1 to 4 for a week of the month, or 5 for the "
                "last one.",
                text=shorten(nth),
            ),
            name="value",
        )
    taking.rhythm = rhythm
    if rhythm == "monthly":
        taking.nth = int(nth or 1)
    return await _status_card(ctx, ctx.t("Saved."))


# --- pauses and exceptions --------------------------------------------------------------------


async def _snooze(ctx: Context, until: str | None) -> Card:
    taking = await _load_participation(ctx)
    taking.snoozed_until = _parse_until(ctx, until)
    day = ctx.t.day(taking.snoozed_until, "long")
    return await _status_card(ctx, ctx.t("Your rounds pause until {day}.", day=day))


def _parse_until(ctx: Context, text: str | None) -> date:
    """Return the day until which to pause, from a date or a number of weeks; four weeks if empty.

    Raises InvalidArgumentError for anything but a day within the next year.
    """
    today = ctx.now.date()
    if not text:
        return today + DEFAULT_SNOOZE
    weeks = _WEEKS.fullmatch(text)
    try:
        day = today + timedelta(weeks=int(weeks[1])) if weeks else date.fromisoformat(text)
    except ValueError:
        day = today
    if today < day <= today + MAX_SNOOZE:
        return day
    example = today + DEFAULT_SNOOZE
    raise InvalidArgumentError(
        ctx.t(
            "I can't read «{text}» as a date within the next year. Try {example}, or a number of "
            "weeks.",
            text=shorten(text),
            example=example,
        ),
        name="value",
    )


async def _skip(ctx: Context, text: str | None) -> Card:
    """Skip the next round, or the round of a given day.

    A button names its day, so that the button of an old notice skips no later round. Raises
    Refusal for a day without a round to come.
    """
    taking = await _load_participation(ctx)
    send = await upcoming.load_next_round_time(ctx.session, taking, ctx.now)
    day = send.date()
    if text:
        try:
            day = date.fromisoformat(text)
        except ValueError:
            day = date.min
        if (
            day < await upcoming.find_next_day(ctx.session, ctx.now)
            or day.weekday() != send.weekday()
        ):
            raise Refusal(
                ctx.t("That round has already started, or there isn't one that day."),
                buttons=(Button(ctx.t("My rounds"), "rounds"),),
            )
    taking.skips = day
    if round_ := await rounds.find_round(ctx.session, day):
        notice = f"round:{round_.id}:notice:{ctx.member.id}"
        await mark_decided(ctx.session, ctx.now, notice, lambda t: t("You skip this round."))
    when = ctx.t.day_and_time(round_schedule(day).send, ctx.member.zone)
    return await _status_card(ctx, ctx.t("You're skipping the {when} round.", when=when))


async def _avoid(ctx: Context, act: str, who: str | None) -> Card:
    if not who:
        raise InvalidArgumentError(ctx.t("Please fill this in."), name="value")
    person = await finding.find_person(ctx, who, "value")
    if person.id == ctx.member.id:
        raise Refusal(ctx.t("You're never paired with yourself."))
    if act == "avoid":
        await round_pools.add_avoidance(ctx.session, ctx.member.id, person.id)
        said = ctx.t("You won't be paired with {name}, and they won't know.", name=person.name)
    else:
        await round_pools.remove_avoidance(ctx.session, ctx.member.id, person.id)
        said = ctx.t("You can be paired with {name} again.", name=person.name)
    return await _status_card(ctx, said)


# --- this round -------------------------------------------------------------------------------


async def _save_answer(ctx: Context, answer: str, number: str | None) -> Card:
    """Save whether the member's group met; a later answer replaces an earlier one.

    Raises Refusal for a group that is not the member's.
    """
    group = None
    if number is None:
        group, _ = await partners.load_current_group(ctx)
    elif number.isascii() and number.isdigit() and len(number) < 10:
        group = await rounds.lock_group(ctx.session, int(number))
    mine = next((p for p in group.places if p.member_id == ctx.member.id), None) if group else None
    if group is None or mine is None or group.begun_at is None:
        raise Refusal(
            ctx.t("That's not one of your introductions."),
            buttons=(Button(ctx.t("My rounds"), "rounds"),),
        )
    mine.answer, mine.answered_at = answer, ctx.now
    taking = await round_members.load_participation(ctx.session, ctx.member.id)
    if taking:
        messages.mark_active(taking)
    return await _status_card(ctx, ctx.t("Thank you, noted."))
