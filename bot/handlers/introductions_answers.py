"""Introductions that were asked for: answer, withdraw, list and explain them."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from bot.cards import Button, Buttons, Card, Entry, Heading, Note, Part, Text
from bot.commands import MEMBER, Context, Spelled, command
from bot.community.introductions import asking
from bot.community.introductions.asking import load_intro_pair, main_reason
from bot.community.people import portraits
from bot.community.talks.opening import begin_talk, can_talk
from bot.deliveries import enqueue, mark_decided, run_ended_hooks
from bot.errors import Refusal
from bot.i18n import Translator, translator
from bot.parsing import Labels
from db import audit, introductions
from db.introductions import (
    AGREED,
    ASK_LIFETIME,
    ASKED,
    DECLINED,
    LATER,
    NEVER,
    UNANSWERED,
    WITHDRAWN,
    YES,
    Introduction,
    card_key,
)


class IntroAnswer(BaseModel):
    """Answer someone who would like to meet you"""

    number: int = Field(ge=1, le=2**31 - 1, title="Number")
    said: Annotated[
        Literal["accept", "later", "never"],
        Labels({"accept": "Accept", "later": "Not now", "never": "Never"}),
    ] = Field(title="Answer")


@command(
    "intro answer",
    allow=MEMBER,
    room="daily",
    spelled=Spelled("presentar responder", "apresentar responder", "presenter repondre"),
    writes=True,
)
async def intro_answer(ctx: Context, ask: IntroAnswer) -> Card:
    """Record the answer to an introduction.

    Only the people who were asked may answer. Everybody else gets the same Refusal as for a number
    that does not exist.
    """
    found = await introductions.lock_introduction(ctx.session, ask.number)
    if found is None or not found.can_answer(ctx.member.id):
        raise Refusal(ctx.t("You don't have a request like that."), buttons=(_list_button(ctx),))
    if found.status == AGREED:
        return _agreement_card(ctx, found)
    if ask.said == "accept":
        return await _accept(ctx, found)
    if ask.said == "later" and not found.is_open(ctx.now):
        raise _not_open_refusal(ctx)
    found.record_answer(ctx.member.id, NEVER if ask.said == "never" else LATER)
    if found.is_open(ctx.now):
        found.status = DECLINED
        found.mark_as_failed(ctx.now)
    audit.record_act(
        ctx.session, ctx.now, ctx.member.id, f"introduction {ask.said}", f"introduction:{found.id}"
    )
    await _mark_answered(ctx, found)
    return _decline_card(ctx, found)


async def _mark_answered(ctx: Context, found: Introduction) -> None:
    """Redraw the card that asked the member: it says what they answered."""
    answer = found.answer_of(ctx.member.id)

    def describe(t: Translator) -> str:
        said = {YES: t("Accept"), LATER: t("Not now"), NEVER: t("Never")}[answer]
        return t("You answered: {answer}", answer=said)

    await mark_decided(ctx.session, ctx.now, card_key(found, ctx.member.id), describe)


async def _accept(ctx: Context, found: Introduction) -> Card:
    asker_left = found.by is not None and found.by.status != "verified"
    allowed = await can_talk(ctx.session, found.one, found.other) and not asker_left
    if not found.is_open(ctx.now) or not allowed:
        raise _not_open_refusal(ctx)
    found.record_answer(ctx.member.id, YES)
    audit.record_act(
        ctx.session, ctx.now, ctx.member.id, "introduction accepted", f"introduction:{found.id}"
    )
    await _mark_answered(ctx, found)
    both = {found.one_said, found.other_said}
    if both == {YES}:
        found.status, found.closed_at = AGREED, ctx.now
        ended = await introductions.cancel_cards(ctx.session, found, ctx.now, "answered")
        await run_ended_hooks(ctx.session, ctx.now, ended)
        await begin_talk(
            ctx.session,
            ctx.now,
            found.one,
            found.other,
            topic_id=found.topic_id,
            because=found.because,
            key=f"intro:{found.id}",
        )
        await _notify_introducer(ctx, found)
        return _agreement_card(ctx, found)
    if not both & {LATER, NEVER}:
        found.status, found.tells_at = ASKED, found.asked_at + ASK_LIFETIME
    name = found.partner_of(ctx.member.id).name
    said = ctx.t("Thank you. As soon as {name} says yes too, I'll introduce you.", name=name)
    return Card(title=ctx.t("You said yes"), parts=(Note(said, "good"),), tone="good")


def _agreement_card(ctx: Context, found: Introduction) -> Card:
    name = found.partner_of(ctx.member.id).name
    said = ctx.t(
        "You and {name} have been introduced. Look for the conversation in your messages.",
        name=name,
    )
    return Card(
        title=ctx.t("You said yes"),
        parts=(Note(said, "good"), Buttons((_list_button(ctx),))),
        tone="good",
    )


async def _notify_introducer(ctx: Context, found: Introduction) -> None:
    if found.by is None:
        return
    t = translator(found.by.language)
    said = t(
        "{name} and {other} both said yes. I introduced them.",
        name=found.one.name,
        other=found.other.name,
    )
    card = Card(title=t("They meet"), parts=(Note(said, "good"),), tone="good")
    await enqueue(ctx.session, ctx.now, found.by, "answer", card, key=f"intro:{found.id}:met")


def _decline_card(ctx: Context, found: Introduction) -> Card:
    t, name = ctx.t, (found.by or found.one).name
    parts: list[Part] = [
        Note(
            t(
                "{name} won't see your answer: in a few days they'll only hear that it's not "
                "possible right now.",
                name=name,
            )
        )
    ]
    if found.answer_of(ctx.member.id) == NEVER:
        other = found.partner_of(ctx.member.id).name
        parts.append(Text(t("I won't suggest {name} to you again.", name=other)))
    elif found.is_open(ctx.now):
        parts.append(Buttons((Button(t("Accept anyway"), f"intro answer {found.id} accept"),)))
    return Card(title=t("Got it"), parts=tuple(parts))


def _not_open_refusal(ctx: Context) -> Refusal:
    return Refusal(ctx.t("This request is no longer open."), buttons=(_list_button(ctx),))


def _list_button(ctx: Context) -> Button:
    return Button(ctx.t("My introductions"), "intro list")


# --- withdrawing ------------------------------------------------------------------------------


class IntroWithdraw(BaseModel):
    """Withdraw an introduction you asked for"""

    number: int = Field(ge=1, le=2**31 - 1, title="Number")


@command(
    "intro withdraw",
    allow=MEMBER,
    room="daily",
    spelled=Spelled("presentar retirar", "apresentar retirar", "presenter retirer"),
    writes=True,
)
async def intro_withdraw(ctx: Context, ask: IntroWithdraw) -> Card:
    """Withdraw an introduction; only the member who asked for it may.

    The people who were asked find it closed.
    """
    t = ctx.t
    found = await introductions.lock_introduction(ctx.session, ask.number)
    if found is None or found.status == introductions.DRAFT or not _is_asker(ctx, found):
        raise Refusal(t("You didn't ask for that introduction."), buttons=(_list_button(ctx),))
    if found.status == WITHDRAWN:
        return _withdrawn_card(ctx)
    if not found.is_open(ctx.now):
        return asking.already_asked_card(ctx, found)
    found.status, found.closed_at = WITHDRAWN, ctx.now
    ended = await introductions.cancel_cards(ctx.session, found, ctx.now, "withdrawn")
    await run_ended_hooks(ctx.session, ctx.now, ended)
    by = ctx.member.name
    await mark_decided(
        ctx.session,
        ctx.now,
        f"intro:{found.id}:asks",
        lambda t: t("{name} took this back.", name=by),
    )
    audit.record_act(
        ctx.session, ctx.now, ctx.member.id, "introduction withdrawn", f"introduction:{found.id}"
    )
    return _withdrawn_card(ctx)


def _withdrawn_card(ctx: Context) -> Card:
    note = Note(ctx.t("Withdrawn. No one is waiting for an answer anymore."), "good")
    return Card(title=ctx.t("Withdrawn"), parts=(note, Buttons((_list_button(ctx),))))


def _is_asker(ctx: Context, found: Introduction) -> bool:
    return found.asker is not None and found.asker.id == ctx.member.id


# --- what is open -----------------------------------------------------------------------------


class IntroList(BaseModel):
    """See your introductions and who would like to meet you"""


@command(
    "intro list",
    allow=MEMBER,
    room="daily",
    spelled=Spelled("presentar lista", "apresentar lista", "presenter liste"),
    example="intro list",
)
async def intro_list(ctx: Context, ask: IntroList) -> Card:
    """List the requests that wait for the member's answer, then those that the member made."""
    t = ctx.t
    every = await introductions.list_introductions(ctx.session, ctx.member.id, ctx.now)
    to_answer = asking.list_unanswered(every, ctx.member.id, ctx.now)
    mine = [i for i in every if _is_asker(ctx, i)]
    parts: list[Part] = []
    if to_answer:
        parts.append(Heading(t("They would like to meet you")))
        parts += [await _request_entry(ctx, one) for one in to_answer[:5]]
    if mine:
        parts.append(Heading(t("You asked")))
        parts += [_outgoing_entry(ctx, one) for one in mine[:10]]
    if not parts:
        parts.append(Text(t("Nothing is open. Name a person or a topic, and I'll ask for you.")))
    parts.append(Buttons((Button(t("Introduce me"), "intro", "primary"),)))
    return Card(title=t("My introductions"), parts=tuple(parts))


async def _request_entry(ctx: Context, one: Introduction) -> Entry:
    facing = one.partner_of(ctx.member.id)
    pair = await load_intro_pair(ctx, one)
    seen = portraits.person_entry(ctx.t, facing, ctx.member, main_reason(ctx.t, pair, one))
    said = (ctx.t("«{text}»", text=one.because),) if one.because else ()
    until = ctx.t("until {day}", day=ctx.t.day(one.asked_at + ASK_LIFETIME))
    lines = (*seen.lines, *said, until)
    return Entry(seen.title, lines, seen.note, seen.badge, asking.answer_buttons(ctx.t, one))


def _outgoing_entry(ctx: Context, one: Introduction) -> Entry:
    """Return an introduction as its asker may see it.

    A no, a block and a missing answer all read the same, so that nobody learns which it was.
    """
    t = ctx.t
    names = one.other.name if one.by_id is None else f"{one.one.name} · {one.other.name}"
    if one.status == AGREED:
        return Entry(names, (t("introduced on {day}", day=t.day(one.closed_at or ctx.now)),))
    if one.status == WITHDRAWN:
        return Entry(names, (t("withdrawn"),))
    if one.status in UNANSWERED and one.closed_at is None:
        until = t("waiting, until {day} at the latest", day=t.day(one.asked_at + ASK_LIFETIME))
        return Entry(names, (until,), buttons=(asking.withdraw_button(t, one),))
    return Entry(names, (t("not available right now"),))


class IntroWhy(BaseModel):
    """See why two people are introduced"""

    number: int = Field(ge=1, le=2**31 - 1, title="Number")


@command(
    "intro why",
    allow=MEMBER,
    room="daily",
    spelled=Spelled("presentar motivo", "apresentar motivo", "presenter motif"),
)
async def intro_why(ctx: Context, ask: IntroWhy) -> Card:
    """Explain in one sentence why two people are introduced, with the reason the cards give.

    Raises the same Refusal for strangers as for a number that does not exist.
    """
    found = await introductions.lock_introduction(ctx.session, ask.number)
    if found is None or not (found.can_answer(ctx.member.id) or _is_asker(ctx, found)):
        raise Refusal(ctx.t("You don't have a request like that."), buttons=(_list_button(ctx),))
    said = main_reason(ctx.t, await load_intro_pair(ctx, found), found)
    buttons = asking.answer_buttons(ctx.t, found)[:3] if found.can_answer(ctx.member.id) else ()
    parts: tuple[Part, ...] = (Text(said), Buttons(buttons or (_list_button(ctx),)))
    return Card(title=ctx.t("Why you two"), parts=parts)
