"""Moderation: members report, and staff decide; handlers/appealing.py has the appeal."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from bot.cards import Button, Buttons, Card, Entry, Form, Input, Note, Part, Reply, Text
from bot.commands import MEMBER, STAFF, Context, Spelled, command
from bot.community import conduct, staff
from bot.community.people import finding, places
from bot.deliveries import enqueue, mark_decided
from bot.errors import InvalidArgumentError, Refusal
from bot.i18n import Translator, translator
from bot.parsing import (
    BECAUSE,
    HiddenField,
    Labels,
    Paragraph,
    SingleWord,
    Suggestions,
    shorten,
)
from db import audit, moderation
from db.members import Member
from db.moderation import Report

MAX_REASON_LENGTH = 500


class ReportAsk(BaseModel):
    """Tell the staff about someone's behavior"""

    person: Annotated[str, Suggestions("person"), SingleWord()] = Field(
        min_length=1, max_length=80, title="Person", description="A name or @mention"
    )
    because: Annotated[str, Paragraph(), BECAUSE] = Field(
        min_length=3,
        max_length=1000,
        title="What happened",
        description="Only the program staff will read this",
    )
    where: Annotated[str | None, HiddenField()] = Field(
        default=None,
        max_length=40,
        pattern=r"^[a-z-]+:\d{1,9}$",
        title="Where it happened",
    )


@command(
    "report",
    allow=MEMBER,
    room="me",
    spelled=Spelled("denunciar|reportar", "denunciar", "signaler"),
    writes=True,
    example="report @maya",
)
async def report(ctx: Context, ask: ReportAsk) -> Card:
    """Put a report into the moderation queue; the person reported does not learn who did it."""
    t, about = ctx.t, await finding.find_person(ctx, ask.person)
    if about.id == ctx.member.id:
        raise Refusal(t("You can't report yourself. If something went wrong, contact the staff."))
    subject = ask.where or f"profile:{about.id}"
    await conduct.report_member(ctx.session, ctx.now, ctx.member, about, subject, ask.because)
    return Card(
        title=t("Thank you for telling us"),
        parts=(
            Note(
                t(
                    "The program staff will look into it. {name} won't learn who reported it.",
                    name=about.name,
                ),
                "good",
            ),
            Text(
                t("If you'd rather not hear from {name} at all, block them.", name=about.name),
                quiet=True,
            ),
            Buttons((Button(t("Block"), f"block {about.id}", "danger"),)),
        ),
    )


# --- the queue --------------------------------------------------------------------------------


class AdminReports(BaseModel):
    """Decide on member reports"""

    act: Annotated[
        Literal["list", "dismiss", "mute", "suspend", "lift", "uphold"],
        Labels(
            {
                "list": "Waiting",
                "dismiss": "Nothing to do",
                "mute": "Mute for two weeks",
                "suspend": "Suspend",
                "lift": "Accept the appeal",
                "uphold": "Keep the decision",
            }
        ),
    ] = Field(default="list", title="What to do")
    number: Annotated[str | None, SingleWord(), Suggestions("member")] = Field(
        default=None,
        max_length=120,
        title="Which one",
        description="The number in the queue, or the name of whom it is about",
    )
    because: Annotated[str | None, Paragraph(), BECAUSE] = Field(
        default=None,
        max_length=MAX_REASON_LENGTH,
        title="Why",
        description="The member reads this, and so does whoever decides an appeal",
    )


@command(
    "admin reports",
    allow=STAFF,
    room="admin",
    spelled=Spelled("admin denuncias", "admin denuncias", "admin signalements"),
    writes=True,
    example="admin reports list",
)
async def admin_reports(ctx: Context, ask: AdminReports) -> Reply:
    """List the moderation queue, or decide about a report or an appeal in it.

    A mute needs a reason, which the member reads; a suspension takes effect at once, with a reason
    or without.
    """
    if ask.act == "list":
        return await _queue_card(ctx)
    one = await _load_report(ctx, ask.number)
    if ask.act in ("lift", "uphold"):
        return await _decide_appeal(ctx, one, is_granted=ask.act == "lift")
    if one.status != moderation.OPEN:
        return await _queue_card(
            ctx, ctx.t("Number {number} has already been decided.", number=one.id)
        )
    if one.about.has_role("admin") and ask.act != "dismiss":
        raise Refusal(ctx.t("Only the people who run the hub can change its admins."))
    if ask.act == "mute" and not ask.because:
        return _reason_form(ctx, one)
    return await _decide(ctx, one, ask.act, ask.because or "")


def _reason_form(ctx: Context, one: Report) -> Form:
    """Return the form that asks why a member is muted; nothing is decided yet."""
    t = ctx.t
    reason = Input(
        name="because",
        label=t("Why"),
        long=True,
        required=True,
        hint=t("The member reads this, and so does whoever decides an appeal"),
        longest=MAX_REASON_LENGTH,
    )
    return Form(
        title=t("Mute {name} for two weeks?", name=one.about.name),
        command=f"admin reports mute {one.id}",
        inputs=(reason,),
        submit=t("Mute for two weeks"),
    )


async def _load_report(ctx: Context, which: str | None) -> Report:
    """Lock the report of this number, or the open one about a member who is named.

    Raises InvalidArgumentError if there is none or the name fits several, Refusal if it is about
    the asker.
    """
    if which is None:
        raise InvalidArgumentError(ctx.t("Please fill this in."), name="number")
    number = int(which) if finding.is_number(which) else None
    if number is None:
        about = await finding.find_member(ctx, which, "number")
        number = await moderation.find_open_about(ctx.session, about.id)
    one = await moderation.lock_report(ctx.session, number) if number else None
    if one is None:
        raise InvalidArgumentError(
            ctx.t("Number «{number}» isn't on the list.", number=shorten(which))
            if finding.is_number(which)
            else ctx.t("Nothing about {name} waits for a decision.", name=about.name),
            name="number",
            buttons=(Button(ctx.t("Moderation queue"), "admin reports"),),
        )
    if ctx.member.id in (one.about_id, one.by_id):
        raise Refusal(ctx.t("This is about you, so another staff member has to decide."))
    return one


async def _queue_card(ctx: Context, note: str = "") -> Card:
    t = ctx.t
    found = [
        r for r in await moderation.list_open_reports(ctx.session) if r.about_id != ctx.member.id
    ]
    parts: list[Part] = [Note(note, "good")] if note else []
    if not found:
        parts.append(Text(t("Nothing is waiting for a decision.")))
    parts += [_report_entry(ctx, one) for one in found]
    muted = await moderation.list_muted(ctx.session, ctx.now)
    parts += [_muted_entry(ctx, person) for person in muted if person.id != ctx.member.id]
    return Card(title=t("Moderation queue"), parts=tuple(parts))


def _muted_entry(ctx: Context, person: Member) -> Entry:
    """Return a member who is muted now, until when, with the button to end it."""
    t = ctx.t
    until = t.day(person.muted_until or ctx.now, "long")
    lift = Button(t("Unmute"), f"admin members restore {person.id}")
    title = f"{person.name}, {places.workplace(t, person.city)}"
    return Entry(title, (t("Muted until {day}", day=until),), badge=t("Muted"), buttons=(lift,))


def _report_entry(ctx: Context, one: Report) -> Entry:
    """Return a report, or an appeal with the decision and the report that it is about."""
    t = ctx.t
    by = one.by.name if one.by else t("someone who left")
    reported = _reported_line(t, one, by, ctx.now)
    said = one.because or t("Reported without details; please ask {name} what happened.", name=by)
    lines: tuple[str, ...] = (said, reported)
    acts: tuple[Button, ...] = (
        Button(t("Nothing to do"), f"admin reports dismiss {one.id}"),
        Button(t("Mute for two weeks"), f"admin reports mute {one.id}", "danger"),
        Button(t("Suspend"), f"admin reports suspend {one.id}", "danger"),
    )
    if one.status != moderation.OPEN:
        since = t.ago(one.appealed_at or one.at, ctx.now)
        lines = (
            one.appeal,
            t("from {name}, {when}", name=one.about.name, when=since),
            _decision_line(ctx, one),
            f"{reported}: {said}",
        )
        acts = (
            Button(t("Accept the appeal"), f"admin reports lift {one.id}", "primary"),
            Button(t("Keep the decision"), f"admin reports uphold {one.id}"),
        )
    return Entry(
        title=f"{one.id} · {one.about.name}, {places.workplace(t, one.about.city)}",
        badge="" if one.status == moderation.OPEN else t("Appeal"),
        lines=lines,
        buttons=acts,
    )


def _reported_line(t: Translator, one: Report, by: str, now: datetime) -> str:
    return t(
        "Reported by {name} {when}, {place}",
        name=by,
        when=t.ago(one.at, now),
        place=conduct.describe_place(t, one.subject),
    )


def _decision_line(ctx: Context, one: Report) -> str:
    """Return what was decided, by whom, when and why, for whoever decides the appeal."""
    t = ctx.t
    by = one.decided_by.name if one.decided_by else t("someone who left")
    when = t.ago(one.decided_at or one.at, ctx.now)
    if one.status == moderation.MUTED:
        said = t("Muted by {name} {when}", name=by, when=when)
    else:
        said = t("Suspended by {name} {when}", name=by, when=when)
    return f"{said}: «{one.reason}»" if one.reason else said


async def _decide(ctx: Context, one: Report, act: str, reason: str) -> Card:
    t, about = ctx.t, one.about
    one.status = {"dismiss": "dismissed", "mute": "muted", "suspend": "suspended"}[act]
    one.decided_by_id, one.decided_at, one.reason = ctx.member.id, ctx.now, reason
    decision = "report dismissed" if act == "dismiss" else "report upheld"
    audit.record_act(ctx.session, ctx.now, ctx.member.id, decision, f"report:{one.id}")
    if act == "mute":
        await conduct.mute_member(ctx.session, ctx.now, ctx.member, about)
    elif act == "suspend":
        await conduct.suspend_member(ctx.session, ctx.now, ctx.member, about)
    await _mark_decided(ctx, one, "new")
    if act != "dismiss":
        await enqueue(
            ctx.session,
            ctx.now,
            about,
            "answer",
            _decision_card(about, one),
            key=f"report:{one.id}:{one.status}",
        )
    return await _queue_card(ctx, t("Number {number} has been decided.", number=one.id))


def _lifted_text(t: Translator) -> str:
    return t("Your appeal was granted: the decision is lifted.")


async def _mark_decided(ctx: Context, one: Report, what: str) -> None:
    """Redraw the cards of the staff about a report («new») or its appeal («appeal»)."""
    by = ctx.member.name
    await mark_decided(
        ctx.session,
        ctx.now,
        f"report:{one.id}:{what}",
        lambda t: t("{name} has decided this.", name=by),
    )


def _decision_card(about: Member, one: Report) -> Card:
    """Tell a member what the staff decided about them, until when it holds, and how to object."""
    t = translator(about.language)
    if one.status == moderation.MUTED and about.muted_until:
        said = staff.describe_mute(t, about.muted_until)
    else:
        said = t("The program staff has suspended your membership.")
    return Card(
        title=t("A decision about your membership"),
        parts=(
            Note(said, "warning"),
            *((Text(t("Reason: «{text}»", text=one.reason)),) if one.reason else ()),
            Text(t("If you think this is wrong, say so: someone else will take a look.")),
            Buttons((Button(t("Appeal"), "appeal"),)),
        ),
        tone="warning",
    )


async def _decide_appeal(ctx: Context, one: Report, *, is_granted: bool) -> Card:
    t, about = ctx.t, one.about
    if one.appealed_at is None or one.status not in (moderation.MUTED, moderation.SUSPENDED):
        return await _queue_card(ctx, t("Number {number} has already been decided.", number=one.id))
    if one.decided_by_id == ctx.member.id:
        raise Refusal(
            t("You made this decision, so another staff member has to look at the appeal.")
        )
    if is_granted:
        one.status = moderation.LIFTED
        await conduct.restore_member(ctx.session, ctx.now, ctx.member, about)
    one.appealed_at = None
    await _mark_decided(ctx, one, "appeal")
    if is_granted:
        for status in (moderation.MUTED, moderation.SUSPENDED):
            await mark_decided(ctx.session, ctx.now, f"report:{one.id}:{status}", _lifted_text)
    action = "appeal granted" if is_granted else "appeal refused"
    audit.record_act(ctx.session, ctx.now, ctx.member.id, action, f"report:{one.id}")
    card = _appeal_card(translator(about.language), is_granted=is_granted)
    await enqueue(ctx.session, ctx.now, about, "answer", card, key=f"report:{one.id}:{action}")
    return await _queue_card(ctx, t("Number {number} has been decided.", number=one.id))


def _appeal_card(t: Translator, *, is_granted: bool) -> Card:
    """Render for the member what became of their appeal."""
    said = t("Your appeal was looked at by someone else; the decision stays.")
    if is_granted:
        said = _lifted_text(t)
    return Card(title=t("Your appeal"), parts=(Note(said, "good" if is_granted else "info"),))
