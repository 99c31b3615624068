"""Pairing rounds for staff: preview the draft, change it by hand, send it."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from bot.cards import Button, Buttons, Card, Entry, Fact, Facts, Note, Part, Table, Text
from bot.commands import STAFF, Context, Spelled, command
from bot.community.people import finding
from bot.community.rounds import messages, pools, sending, skipping, upcoming
from bot.domain.affinity import Reason, Seeker, list_reasons
from bot.domain.cadence import next_round_day, round_schedule
from bot.errors import InvalidArgumentError, Refusal
from bot.parsing import Labels, SingleWord, Suggestions, shorten
from db import audit, rounds
from db.rounds import Round, RoundGroup, UnmatchedMember

PAGE_SIZE = 15
MAX_UNPAIRED_ENTRIES = 10


class AdminRounds(BaseModel):
    """Look at the next round, change it, or send it"""

    act: Annotated[
        Literal[
            "status",
            "preview",
            "redraw",
            "swap",
            "lock",
            "unlock",
            "send",
            "undo",
            "skip",
            "resume",
        ],
        Labels(
            {
                "status": "How rounds are going",
                "preview": "Preview",
                "redraw": "Draw new pairs",
                "swap": "Swap two people",
                "lock": "Lock",
                "unlock": "Unlock",
                "send": "Send before its time",
                "undo": "Undo sending",
                "skip": "Skip a round",
                "resume": "Hold a skipped round",
            }
        ),
    ] = Field(default="status", title="What to do")
    one: Annotated[str | None, SingleWord(), Suggestions("member")] = Field(
        default=None,
        max_length=120,
        title="Who, or which page",
        description="A name or number to swap, a page, now or morning to send, or a day to skip",
    )
    other: Annotated[str | None, Suggestions("member")] = Field(
        default=None,
        max_length=120,
        title="With whom",
        description="Who takes that place, by name or number",
    )


@command(
    "admin rounds",
    allow=STAFF,
    room="admin",
    spelled=Spelled("admin rondas", "admin rodadas", "admin rondes"),
    writes=True,
    example="admin rounds preview",
)
async def admin_rounds(ctx: Context, ask: AdminRounds) -> Card:
    """Show how rounds go, or preview, redraw, change, lock or send the next one."""
    match ask.act:
        case "status":
            return await _status_card(ctx)
        case "preview":
            return await _preview_card(ctx, _parse_number(ctx, ask.one or "1", "one"))
        case "redraw":
            return await _redraw(ctx)
        case "swap":
            return await _swap(ctx, ask.one, ask.other)
        case "lock" | "unlock":
            return await _set_lock(ctx, is_locked=ask.act == "lock")
        case "send":
            return await _send(ctx, ask.one)
        case "undo":
            return await _undo(ctx)
        case "skip":
            return await skipping.skip(ctx, ask.one, is_sure=ask.other == "yes")
        case "resume":
            return await _resume(ctx, ask.one)


def _parse_number(ctx: Context, text: str | None, field: str) -> int:
    if text and text.isascii() and text.isdigit() and 0 < int(text) < 10**9:
        return int(text)
    said = (
        ctx.t("«{text}» doesn't work here: please write a whole number.", text=shorten(text))
        if text
        else ctx.t("Please fill this in.")
    )
    raise InvalidArgumentError(said, name=field)


async def _find_number(ctx: Context, text: str | None, field: str) -> int:
    """Return the number of the member meant by a number or a name."""
    if text and not finding.is_number(text):
        return (await finding.find_member(ctx, text, field)).id
    return _parse_number(ctx, text, field)


def _record_act(ctx: Context, action: str, round_: Round) -> None:
    audit.record_act(ctx.session, ctx.now, ctx.member.id, action, f"round:{round_.id}")


# --- status -----------------------------------------------------------------------------------


async def _status_card(ctx: Context, note: str = "") -> Card:
    t, day = ctx.t, await upcoming.find_next_day(ctx.session, ctx.now)
    parts: list[Part] = [Note(note, "good")] if note else []
    parts.append(Text(t("The next round goes out {when}.", when=_format_send_time(ctx, day))))
    coming = await rounds.find_round(ctx.session, day)
    if coming and coming.skipped_at:
        parts += skipping.skipped_parts(ctx, day)
    elif coming and coming.drafted_at:
        parts.append(Text(t("It is locked.") if coming.locked_at else t("It is drafted.")))
        parts.append(Facts(await _load_size_facts(ctx, coming)))
        parts += sending.render_plan(ctx, coming)
    else:
        when = t.day_and_time(round_schedule(day).draft, ctx.member.zone)
        parts.append(Text(t("It will be drafted {when}.", when=when)))
    last = await rounds.find_last_sent(ctx.session)
    if last:
        parts.append(await _outcome_entry(ctx, last))
    parts.append(Buttons((Button(t("Preview"), "admin rounds preview", "primary"),)))
    return Card(t("Rounds"), tuple(parts))


def _format_send_time(ctx: Context, day: date) -> str:
    return ctx.t.day_and_time(round_schedule(day).send, ctx.member.zone)


async def _load_size_facts(ctx: Context, round_: Round) -> tuple[Fact, ...]:
    groups = await rounds.list_groups(ctx.session, round_.id)
    return messages.size_facts(ctx.t, groups, await rounds.list_unmatched(ctx.session, round_.id))


async def _outcome_entry(ctx: Context, last: Round) -> Entry:
    t, said = ctx.t, await rounds.count_answers(ctx.session, last.id)
    total = sum(said.values())
    return Entry(
        t("The latest round, {when}", when=_format_send_time(ctx, last.day)),
        (
            t.many("one person was introduced", "{number} people were introduced", total),
            t.many("one says they met", "{number} say they met", said.get(rounds.MET, 0)),
            t.many("one has a date", "{number} have a date", said.get(rounds.SCHEDULED, 0)),
            t.many("one has not met yet", "{number} have not met yet", said.get(rounds.NOT_YET, 0)),
            t.many("one has not answered", "{number} have not answered", said.get("", 0)),
        ),
    )


# --- the draft --------------------------------------------------------------------------------


async def _load_draft(ctx: Context) -> Round:
    """Return the draft of the next round, locked in the database; draw it if there is none yet.

    Raises Refusal if nobody takes part or the round has been sent or is skipped.
    """
    day = next_round_day(ctx.now)
    if day in await rounds.list_skipped_days(ctx.session, day):
        said, resume = skipping.skipped_parts(ctx, day)
        raise Refusal(said.text, title=ctx.t("Rounds"), buttons=resume.buttons)
    round_ = await pools.get_or_create_draft(ctx.session, day, ctx.now)
    if round_ is None:
        raise Refusal(ctx.t("No one is signed up for the next round yet."), title=ctx.t("Rounds"))
    held = await rounds.lock_round(ctx.session, round_.id)
    if held is None or held.sent_at:
        raise sending.already_sent_refusal(ctx, round_)
    return held


async def _preview_card(ctx: Context, page: int = 1, note: str = "") -> Card:
    t, round_ = ctx.t, await _load_draft(ctx)
    groups = await rounds.list_groups(ctx.session, round_.id)
    left = await rounds.list_unmatched(ctx.session, round_.id)
    pages = max(1, -(-len(groups) // PAGE_SIZE))
    page = min(page, pages)
    shown = groups[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    parts: list[Part] = [Note(note, "good")] if note else []
    parts.append(Text(t("It goes out {when}.", when=_format_send_time(ctx, round_.day))))
    if round_.locked_at:
        parts.append(Note(t("Locked: anyone who joins now waits until it goes out.")))
    parts += sending.render_plan(ctx, round_)
    parts.append(Facts(messages.size_facts(t, groups, left)))
    if shown:
        parts.append(await _pairs_table(ctx, round_, shown))
    parts += [_unpaired_entry(ctx, one) for one in left[:MAX_UNPAIRED_ENTRIES]]
    parts.append(Buttons(tuple(_preview_buttons(ctx, round_, page, pages))))
    return Card(t("The next round"), tuple(parts))


async def _pairs_table(ctx: Context, round_: Round, groups: Sequence[RoundGroup]) -> Table:
    t = ctx.t
    keys = [place.member_id for group in groups for place in group.places]
    there = await pools.load_seekers(ctx.session, round_.day, ctx.now, keys, any_turn=True)
    known = {person.key: person for person in there}
    rows = []
    for group in groups:
        names = [f"{place.member_id} {place.member.name}" for place in group.places]
        people = [known[p.member_id] for p in group.places if p.member_id in known]
        why = (
            _short_reasons(ctx, people)
            if len(people) == len(group.places)
            else t("not available right now")
        )
        again = t("again") if group.again else t("new")
        rows.append((" · ".join(names), t.number(group.points), again, why))
    return Table((t("Who"), t("Points"), t("Before"), t("Why")), tuple(rows))


def _short_reasons(ctx: Context, people: list[Seeker]) -> str:
    """Return the two weightiest reasons for the first two people of a group."""
    return ", ".join(_reason_text(ctx, reason) for reason in list_reasons(people[0], people[1])[:2])


def _reason_text(ctx: Context, reason: Reason) -> str:
    t = ctx.t
    if reason.cause == "hours":
        return t("working hours")
    if reason.cause == "new-city":
        return t("new city")
    topic = ctx.reference.vocabulary.name(reason.subject, ctx.language)
    if reason.cause in ("learns", "teaches"):
        return t("one knows and one learns {topic}", topic=topic)
    return t("both: {topic}", topic=topic)


def _unpaired_entry(ctx: Context, one: UnmatchedMember) -> Entry:
    return Entry(
        f"{one.member_id} {one.member.name}",
        (_unpaired_reason(ctx, one),),
        badge=ctx.t("no partner"),
    )


def _unpaired_reason(ctx: Context, one: UnmatchedMember) -> str:
    t = ctx.t
    match one.rule:
        case "alone":
            return t("no one else is taking part")
        case "city":
            return t("everyone else works in the same city")
        case "language":
            return t("shares a language with no one")
        case "never":
            return t("must not be paired with someone in that group")
        case "taken":
            return t.many(
                "one person would be a match", "{number} people would be a match", one.fits
            )
        case _:
            return t("the partner left")


def _preview_buttons(ctx: Context, round_: Round, page: int, pages: int) -> list[Button]:
    t = ctx.t
    acts = [Button(t("Send before its time"), "admin rounds send")]
    if round_.locked_at:
        acts.append(Button(t("Unlock"), "admin rounds unlock"))
    else:
        acts += [
            Button(t("Lock"), "admin rounds lock"),
            Button(t("Draw new pairs"), "admin rounds redraw"),
        ]
    if page > 1:
        acts.append(Button(t("Previous page"), f"admin rounds preview {page - 1}"))
    if page < pages:
        acts.append(Button(t("Next page"), f"admin rounds preview {page + 1}"))
    return acts


# --- changes by hand --------------------------------------------------------------------------


async def _load_unlocked_draft(ctx: Context) -> Round:
    round_ = await _load_draft(ctx)
    if round_.locked_at:
        raise Refusal(
            ctx.t("The round is locked. Unlock it to change it."),
            title=ctx.t("Rounds"),
            buttons=(Button(ctx.t("Unlock"), "admin rounds unlock"),),
        )
    return round_


async def _redraw(ctx: Context) -> Card:
    round_ = await _load_unlocked_draft(ctx)
    await pools.redraw(ctx.session, round_, ctx.now)
    _record_act(ctx, "round redrawn", round_)
    return await _preview_card(ctx, note=ctx.t("New pairs drawn."))


async def _swap(ctx: Context, one: str | None, other: str | None) -> Card:
    """Exchange the places of two people in the draft.

    Raises InvalidArgumentError for people outside the round, Refusal if a rule forbids either of
    the new groups.
    """
    round_ = await _load_unlocked_draft(ctx)
    first, second = await _find_number(ctx, one, "one"), await _find_number(ctx, other, "other")
    names = await rounds.find_names(ctx.session, round_.id, (first, second))
    for number, field, said in ((first, "one", one), (second, "other", other)):
        if number not in names:
            raise InvalidArgumentError(
                ctx.t("«{name}» is not in this round.", name=shorten(said or "")), name=field
            )
    forbids = await pools.swap(ctx.session, round_, first, second, ctx.now)
    if forbids:
        raise Refusal(
            _swap_refusal_text(ctx, forbids),
            title=ctx.t("Rounds"),
            buttons=(Button(ctx.t("Preview"), "admin rounds preview"),),
        )
    _record_act(ctx, "round swapped", round_)
    return await _preview_card(
        ctx, note=ctx.t("{one} and {other} swapped places.", one=names[first], other=names[second])
    )


def _swap_refusal_text(ctx: Context, rule: str) -> str:
    """Return the sentence that tells staff why a swap is refused, by the rule it breaks."""
    t = ctx.t
    match rule:
        case "city":
            return t("That would pair two people from the same city.")
        case "language":
            return t("That would pair two people with no language in common.")
        case "never":
            return t("That would pair two people who must not be paired.")
        case "same":
            return t("These two are already in the same group, or both are waiting.")
        case _:
            return t("Someone in these groups can't take part anymore. Draw new pairs first.")


async def _set_lock(ctx: Context, *, is_locked: bool) -> Card:
    round_ = await _load_draft(ctx)
    round_.locked_at = ctx.now if is_locked else None
    _record_act(ctx, "round locked" if is_locked else "round unlocked", round_)
    return await _preview_card(ctx, note=ctx.t("Locked.") if is_locked else ctx.t("Unlocked."))


async def _send(ctx: Context, when: str | None) -> Card:
    """Ask whether to send the next round before its time, or plan it for now or the morning.

    Raises Refusal if it was sent already, InvalidArgumentError for any other time.
    """
    round_ = await _load_draft(ctx)
    if when is None:
        return await sending.render_confirmation(ctx, round_)
    when = when.casefold()
    if when not in ("now", "morning"):
        raise InvalidArgumentError(
            ctx.t("«{text}» does not fit here: write now or morning.", text=shorten(when)),
            name="one",
            buttons=(Button(ctx.t("Send before its time"), "admin rounds send"),),
        )
    await sending.plan_sending(ctx, round_, at_once=when == "now")
    _record_act(ctx, f"round sent {when}", round_)
    return await _status_card(ctx)


async def _undo(ctx: Context) -> Card:
    round_ = await _load_draft(ctx)
    if not sending.undo_sending(round_):
        return await _status_card(ctx, ctx.t("There is nothing to undo: it waits for its time."))
    _record_act(ctx, "round held back", round_)
    return await _status_card(ctx, ctx.t("Undone. It waits for its usual time."))


async def _resume(ctx: Context, text: str | None) -> Card:
    """Hold a round after all that was to be skipped."""
    return await _status_card(ctx, await skipping.resume(ctx, text))
