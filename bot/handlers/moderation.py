"""Moderation: members report, staff decide, and the member concerned may appeal."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from bot.cards import Button, Buttons, Card, Entry, Note, Part, Text
from bot.commands import ANYONE, MEMBER, STAFF, Context, Spelled, command
from bot.community import conduct
from bot.community.people import finding, places
from bot.deliveries import enqueue
from bot.errors import InvalidArgumentError, Refusal
from bot.i18n import Translator, translator
from bot.parsing import Labels, Paragraph, SingleWord, Suggestions, shorten
from db import audit, moderation
from db.members import Member
from db.moderation import Report


class ReportAsk(BaseModel):
    """Tell the staff about someone's behavior"""

    person: Annotated[str, Suggestions("person"), SingleWord()] = Field(
        min_length=1, max_length=80, title="Person", description="A name or @mention"
    )
    because: Annotated[str, Paragraph()] = Field(
        min_length=3,
        max_length=1000,
        title="What happened",
        description="Only the program staff will read this",
    )
    where: str | None = Field(
        default=None,
        max_length=40,
        pattern=r"^[a-z-]+:\d{1,9}$",
        title="Where it happened",
        description="Filled in by the button you pressed",
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
    number: Annotated[int | None, SingleWord()] = Field(
        default=None, ge=1, title="Number", description="The number in the queue, for example: 17"
    )


@command(
    "admin reports",
    allow=STAFF,
    room="admin",
    spelled=Spelled("admin denuncias", "admin denuncias", "admin signalements"),
    writes=True,
    example="admin reports list",
)
async def admin_reports(ctx: Context, ask: AdminReports) -> Card:
    """List the moderation queue, or decide about a report or an appeal in it."""
    if ask.act == "list":
        return await _queue_card(ctx)
    one = await _load_report(ctx, ask.number)
    if ask.act in ("lift", "uphold"):
        return await _decide_appeal(ctx, one, is_granted=ask.act == "lift")
    return await _decide(ctx, one, ask.act)


async def _load_report(ctx: Context, number: int | None) -> Report:
    if number is None:
        raise InvalidArgumentError(ctx.t("Please fill this in."), name="number")
    one = await moderation.lock_report(ctx.session, number)
    if one is None:
        raise InvalidArgumentError(
            ctx.t("Number «{number}» isn't on the list.", number=number), name="number"
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
    return Card(
        title=t("Moderation queue"), parts=(*parts, *(_report_entry(ctx, one) for one in found))
    )


def _report_entry(ctx: Context, one: Report) -> Entry:
    t = ctx.t
    by = one.by.name if one.by else t("someone who left")
    said = one.appeal if one.status != moderation.OPEN else one.because
    if not said:
        said = t("Reported without details; please ask {name} what happened.", name=by)
    when = t.ago(one.at, ctx.now)
    appealed = one.status != moderation.OPEN
    acts = (
        ("lift", t("Accept the appeal"), "primary"),
        ("uphold", t("Keep the decision"), "normal"),
    )
    if not appealed:
        acts = (
            ("dismiss", t("Nothing to do"), "normal"),
            ("mute", t("Mute for two weeks"), "danger"),
            ("suspend", t("Suspend"), "danger"),
        )  # type: ignore[assignment] # one more button than for an appeal
    return Entry(
        title=f"{one.id} · {one.about.name}, {places.workplace(t, one.about.city)}",
        badge=t("Appeal") if appealed else "",
        lines=(
            said,
            t("from {name}, {when}", name=one.about.name if appealed else by, when=when),
            _place_text(t, one.subject),
        ),
        buttons=tuple(
            Button(label, f"admin reports {act} {one.id}", style)  # type: ignore[arg-type] # literals
            for act, label, style in acts
        ),
    )


def _place_text(t: Translator, subject: str) -> str:
    kind = subject.partition(":")[0]
    return t(_PLACES.get(kind, _ELSEWHERE))


_ELSEWHERE = "somewhere else"
_PLACES = {
    "profile": "on a profile",
    "relay": "in a conversation",
    "intro": "in an introduction request",
}


async def _decide(ctx: Context, one: Report, act: str) -> Card:
    t, about = ctx.t, one.about
    if one.status != moderation.OPEN:
        return await _queue_card(ctx, t("Number {number} has already been decided.", number=one.id))
    if about.has_role("admin") and act != "dismiss":
        raise Refusal(t("Only the people who run the hub can change its admins."))
    one.status = {"dismiss": "dismissed", "mute": "muted", "suspend": "suspended"}[act]
    one.decided_by_id, one.decided_at = ctx.member.id, ctx.now
    decision = "report dismissed" if act == "dismiss" else "report upheld"
    audit.record_act(ctx.session, ctx.now, ctx.member.id, decision, f"report:{one.id}")
    if act == "mute":
        conduct.mute_member(ctx.session, ctx.now, ctx.member, about)
    elif act == "suspend":
        await conduct.suspend_member(ctx.session, ctx.now, ctx.member, about)
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


def _decision_card(about: Member, one: Report) -> Card:
    """Tell a member what the staff decided about them, until when it holds, and how to object."""
    t = translator(about.language)
    if one.status == moderation.MUTED and about.muted_until:
        said = conduct.describe_mute(t, about.muted_until)
    else:
        said = t("The program staff has suspended your membership.")
    return Card(
        title=t("A decision about your membership"),
        parts=(
            Note(said, "warning"),
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
    action = "appeal granted" if is_granted else "appeal refused"
    audit.record_act(ctx.session, ctx.now, ctx.member.id, action, f"report:{one.id}")
    theirs = translator(about.language)
    said = (
        theirs("Your appeal was granted: the decision is lifted.")
        if is_granted
        else theirs("Your appeal was looked at by somebody else; the decision stays.")
    )
    card = Card(title=theirs("Your appeal"), parts=(Note(said, "good" if is_granted else "info"),))
    await enqueue(ctx.session, ctx.now, about, "answer", card, key=f"report:{one.id}:{action}")
    return await _queue_card(ctx, t("Number {number} has been decided.", number=one.id))


# --- the appeal -------------------------------------------------------------------------------


class Appeal(BaseModel):
    """Appeal a staff decision about you"""

    because: Annotated[str, Paragraph()] = Field(
        min_length=3,
        max_length=1000,
        title="Why you're appealing",
        description="Someone who didn't make the decision will read it",
    )


@command(
    "appeal",
    allow=ANYONE,
    room="me",
    spelled=Spelled("apelar", "recorrer|apelar", "contester"),
    writes=True,
    example="appeal",
)
async def appeal(ctx: Context, ask: Appeal) -> Card:
    """File an appeal, once, against the decision that muted or suspended the asker.

    Open to suspended people too. Raises the same Refusal for everybody else.
    """
    t, person = ctx.t, ctx.viewer
    decided = await moderation.find_decision_about(ctx.session, person.id) if person else None
    if person is None or decided is None:
        raise Refusal(t("There's no decision about you to appeal."))
    is_new = not decided.appeal
    if is_new:
        decided.appeal, decided.appealed_at = ask.because, ctx.now
        audit.record_act(ctx.session, ctx.now, person.id, "appealed", f"report:{decided.id}")
        await conduct.notify_queue(
            ctx.session, ctx.now, decided, f"report:{decided.id}:appeal", (person.id,)
        )
    said = t("The staff has your message. You'll hear back here.")
    if not is_new:
        said = t("The staff already has your appeal ({text}).", text=shorten(decided.appeal))
    return Card(title=t("Your appeal"), parts=(Note(said, "good" if is_new else "info"),))
