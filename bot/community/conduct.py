"""Conduct: reports to the staff, and their decisions to suspend, restore or mute a member."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.cards import Button, Buttons, Card, Fact, Facts, Part, Text
from bot.commands import Context
from bot.community import staff
from bot.community.parting import Parting, run_endings
from bot.community.people.places import workplace
from bot.domain.ranking import base_points
from bot.errors import Refusal
from bot.i18n import Translator
from db import audit, directory, moderation
from db.kept import KEPT
from db.members import Member
from db.moderation import Report

MUTE_PERIOD = timedelta(days=14)

RenderParts = Callable[[Translator, Report], tuple[Part, ...]]
"""Renders more facts about a report for the staff, never the text of a message."""

_ELSEWHERE = "somewhere else"
_PLACES = {
    "profile": "on a profile",
    "relay": "in a conversation",
    "intro": "in an introduction request",
}


def describe_place(t: Translator, subject: str) -> str:
    """Return where something happened that was reported, from the subject of the report."""
    kind = subject.partition(":")[0]
    return t(_PLACES.get(kind, _ELSEWHERE))


# --- reports ----------------------------------------------------------------------------------


async def report_member(
    session: AsyncSession,
    now: datetime,
    by: Member,
    about: Member,
    subject: str,
    because: str = "",
    *,
    render_details: RenderParts | None = None,
) -> Report:
    """Put a report into the moderation queue, notify the staff and return the report.

    `subject` says where it happened («relay:4»). A second report on the same subject by the same
    member adds its text while the first one is open, and notifies nobody again.
    """
    report, is_new = await moderation.file_report(session, now, by, about, subject, because)
    report.by, report.about = by, about
    audit.record_act(session, now, by.id, "reported", f"report:{report.id}")
    if is_new:
        key, parties = f"report:{report.id}:new", (by.id, about.id)
        await notify_queue(session, now, report, key, parties, render_details)
    return report


async def notify_queue(
    session: AsyncSession,
    now: datetime,
    report: Report,
    key: str,
    but_not: Collection[int],
    render_details: RenderParts | None = None,
) -> None:
    """Notify the staff that a report or an appeal waits: who, about whom, where and since when.

    What the two wrote is shown only in the queue. `report.by` and `report.about` must be loaded.
    """

    def render(t: Translator, reader: Member) -> Card:
        return _waiting_card(t, report, reader, render_details)

    await staff.notify_staff(session, now, render, key=key, but_not=but_not)


def _waiting_card(
    t: Translator, report: Report, reader: Member, render_details: RenderParts | None
) -> Card:
    about = f"{report.about.name}, {workplace(t, report.about.city)}"
    by = report.by.name if report.by else t("someone who left")
    if report.appealed_at:
        title = t("{name} appeals a decision", name=report.about.name)
        since = report.appealed_at
        said = t("Muted") if report.status == moderation.MUTED else t("Suspended")
        facts = [Fact(t("Who"), about), Fact(t("Decision"), said)]
        if report.decided_at:
            decided = t.day_and_time(report.decided_at, reader.zone)
            facts.append(Fact(t("Decided"), decided))
    else:
        title = t("{name} was reported", name=report.about.name)
        since = report.at
        facts = [Fact(t("Who"), about), Fact(t("Reported by"), by)]
    facts += [
        Fact(t("Where"), describe_place(t, report.subject)),
        Fact(t("Since"), t.day_and_time(since, reader.zone)),
    ]
    return Card(
        title=title,
        parts=(
            Text(t("Number {number} needs a decision.", number=report.id)),
            Facts(tuple(facts)),
            *(render_details(t, report) if render_details else ()),
            Buttons((Button(t("Open the queue"), "admin reports", "primary"),)),
        ),
    )


# --- decisions --------------------------------------------------------------------------------


async def suspend_member(session: AsyncSession, now: datetime, by: Member, person: Member) -> bool:
    """Suspend a member; return False if suspended already.

    The member is on no list any more and gets no messages; what else ends: see `parting.ends`.
    """
    if person.status == "suspended":
        return False
    person.status = "suspended"
    await run_endings(session, now, Parting("suspended", person))
    await directory.refresh_member(session, person, base_points)
    audit.record_act(session, now, by.id, "member suspended", f"member:{person.id}")
    return True


async def restore_member(session: AsyncSession, now: datetime, by: Member, person: Member) -> bool:
    """Lift a member's suspension and mute; return False if there was neither.

    It does not bring back a member who left: they have to join again. So has one who was forgotten
    while suspended, as nothing proves them any more.
    """
    if person.status != "suspended" and not person.is_muted(now):
        return False
    if person.status == "suspended":
        person.status = "left" if person.way == KEPT else "verified"
    person.muted_until = None
    await moderation.lift_decisions(session, person.id)
    await directory.refresh_member(session, person, base_points)
    audit.record_act(session, now, by.id, "member restored", f"member:{person.id}")
    return True


async def mute_member(session: AsyncSession, now: datetime, by: Member, person: Member) -> None:
    """Mute a member for `MUTE_PERIOD`: they can use the hub, but not write to others.

    What they wrote and did not arrive yet is withdrawn; see `parting.ends`.
    """
    person.muted_until = now + MUTE_PERIOD
    await run_endings(session, now, Parting("muted", person))
    audit.record_act(session, now, by.id, "member muted", f"member:{person.id}")


# --- muted members ----------------------------------------------------------------------------


def check_may_write(ctx: Context) -> None:
    """Raise a `Refusal` with a button to appeal if the staff muted the member."""
    until = ctx.member.muted_until
    if until is not None and ctx.member.is_muted(ctx.now):
        raise Refusal(
            staff.describe_mute(ctx.t, until), buttons=(Button(ctx.t("Appeal"), "appeal"),)
        )
