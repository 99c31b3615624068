"""Times of talks: proposed within the working hours of both, shown on two clocks, and the next."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.cards import Button, Buttons, Entry, Heading, Part, Text
from bot.commands import Context
from bot.domain.calendar import WorkingHours, find_slots
from bot.i18n import Translator
from db import talks
from db.members import Member
from db.talks import Talk

RECENT_PERIOD = timedelta(days=60)
"""Talks agreed longer ago than this are not searched for the next one."""


def propose_times(
    talk: Talk, now: datetime, excluded: Collection[datetime] = ()
) -> tuple[list[int], bool]:
    """Add up to three new times to the talk's offers, none of them in `excluded`.

    Returns the numbers of the offers, counted from 1, and whether all lie in the working hours of
    both.
    """
    hours = [WorkingHours(p.zone, p.hours_from, p.hours_to) for p in (talk.one, talk.other)]
    found = find_slots(now, hours[0], hours[1], excluded=excluded)
    return talk.add_offers([slot.start for slot in found]), all(slot.fits for slot in found)


def render_times(
    t: Translator, talk: Talk, reader: Member | None, numbers: Sequence[int], *, fits: bool
) -> list[Part]:
    """Render offered times, a button for each, on the reader's clock and then the partner's."""
    if not numbers:
        return []
    mine = reader or talk.one
    theirs = talk.partner_of(mine.id)
    note = t("Times: {name} / {other}.", name=mine.first_name, other=theirs.first_name)
    if not fits:
        note = t("Your working hours don't overlap. These are the closest times.") + f" {note}"
    buttons = [
        Button(
            format_two_clocks(t, talk.times[n - 1], mine, theirs)[:75], f"intro slot {talk.id} {n}"
        )
        for n in numbers
    ]
    buttons.append(Button(t("Other times"), f"intro slot {talk.id}"))
    return [Heading(t("Half an hour to talk?")), Text(note, quiet=True), Buttons(tuple(buttons))]


def format_two_clocks(t: Translator, moment: datetime, mine: Member, theirs: Member) -> str:
    """Format a time on two clocks: «Tue, Dec 2, 10:00 AM / 12:00 PM», and the day if it differs."""
    here, there = (moment.astimezone(ZoneInfo(p.zone)) for p in (mine, theirs))
    clocks = [t.time(here), t.time(there)]
    if there.date() != here.date():
        clocks[1] = f"{t.day(there, 'weekday')} {clocks[1]}"
    return f"{t.day(here, 'medium')}, {' / '.join(clocks)}"


async def render_next_talk(ctx: Context) -> Entry | None:
    """Render the member's soonest talk with an agreed time in the future; None without one."""
    t, me = ctx.t, ctx.member
    agreed = await talks.list_agreed(ctx.session, me.id, ctx.now - RECENT_PERIOD)
    moments = [(talk.talk_time, talk) for talk in agreed]
    coming = [(time, talk) for time, talk in moments if time and time > ctx.now]
    soonest = min(coming, key=lambda one: one[0], default=None)
    if soonest is None:
        return None
    moment, talk = soonest
    return Entry(
        title=t("You talk with {name}", name=talk.partner_of(me.id).name),
        lines=(t.day_and_time(moment, me.zone),),
        buttons=(Button(t("Different time"), f"intro slot {talk.id}"),),
    )
