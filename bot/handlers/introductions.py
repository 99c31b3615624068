"""Introductions: ask to meet somebody, or introduce two others to each other."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from bot.cards import Button, Buttons, Card, Entry, Form, Input, Option, Part, Reply, Text
from bot.commands import COMPLETIONS, MEMBER, Context, Spelled, command, completion
from bot.community.introductions import asking
from bot.community.introductions.asking import load_intro_pair, main_reason
from bot.community.people import finding, portraits, ranking
from bot.community.people.topics import find_topic, unknown_topic_error
from bot.domain.ranking import rank
from bot.errors import InvalidArgumentError, Refusal
from bot.parsing import BECAUSE, HiddenField, Labels, Paragraph, Suggestions, shorten
from db import directory, introductions, talks
from db.introductions import ASK_LIFETIME, DRAFT, Introduction
from db.members import CITY_LEAD, STAFF_ROLES, Member

MAX_REASON_LENGTH = 500
_PERSON_PATTERN = r"(<@\w+>|@\S+|\d+)"
_PAIR_PATTERN = re.compile(
    rf"{_PERSON_PATTERN}(?:\s*[,&+]\s*|\s+(?:(?:and|y|e|et|with|con|com|avec)\s+)?){_PERSON_PATTERN}"
)

Reason = Annotated[str | None, Paragraph(), BECAUSE]


class Intro(BaseModel):
    """Ask for an introduction"""

    who: Annotated[str, Suggestions("meet")] = Field(
        min_length=1,
        max_length=80,
        title="Who, or about what",
        description="A name, a @mention or a topic, for example: open data",
    )
    second: Annotated[str | None, HiddenField(), Suggestions("person")] = Field(
        default=None,
        alias="and",
        max_length=80,
        title="And who else",
        description="Staff and city leads introduce two others",
    )
    about: Annotated[str | None, HiddenField(), Suggestions("topic")] = Field(
        default=None, max_length=80, title="Topic"
    )
    because: Reason = Field(
        default=None,
        max_length=MAX_REASON_LENGTH,
        title="Why",
        description="One sentence the other person will read. You can leave it empty.",
    )


@command(
    "intro",
    allow=MEMBER,
    room="daily",
    spelled=Spelled("presentar|presentacion", "apresentar|apresentacao", "presenter|presentation"),
    writes=True,
    example="intro @maya because we both map trees",
)
async def intro(ctx: Context, ask: Intro) -> Reply:
    """Ask to meet a person, or introduce two others.

    The person is asked at once if a reason is given or a form was filled in. Otherwise, and for a
    topic, the member first sees who would be asked.
    """
    pair = _PAIR_PATTERN.fullmatch(ask.who)
    if ask.second or pair:
        return await _introduce_two(ctx, ask, pair[1] if pair else ask.who)
    topic = await find_topic(ctx, ask.about, "about") if ask.about else None
    meant = await _resolve_target(ctx, ask)
    if isinstance(meant, int):
        return await _best_person_card(ctx, meant, ask.because or "", 0)
    if len(meant) > 1:
        return await _namesakes_card(ctx, meant, ask, topic)
    asking.check_not_oneself(ctx, meant[0])
    await asking.check_not_talking(ctx, ctx.member, meant[0])
    await asking.check_accepts_questions(ctx, meant[0], topic)
    draft = await _get_or_create_draft(ctx, meant[0], topic, ask.because or "")
    if ask.because or ctx.request.from_form:
        return await asking.ask(ctx, draft)
    return await _draft_card(ctx, draft)


# --- who is meant -----------------------------------------------------------------------------


async def _resolve_target(ctx: Context, ask: Intro) -> list[Member] | int:
    """Return the people of this name, or the key of a topic.

    The exact name of a topic comes before people, and people before a similar name of a topic or
    a part of one. Raises InvalidArgumentError if neither is found, or if several topics are.
    """
    by_name = ask.who.startswith(("@", "<@")) or ask.who.isdigit()
    readings = [] if by_name else ctx.reference.topic_reader.read(ask.who)
    if len(readings) == 1 and readings[0].precision == "exact":
        return readings[0].keys[0]
    try:
        return await finding.find_people(ctx, ask.who, "who")
    except InvalidArgumentError:
        if readings:
            return await find_topic(ctx, ask.who, "who")
        if by_name:
            raise
    near = unknown_topic_error(ctx, ask.who, "who").choices
    text = ctx.t("I found no topic and nobody for «{text}».", text=shorten(ask.who))
    if near:
        text += " " + ctx.t("Did you mean «{choice}»?", choice=near[0].label)
    # a button has no room for a reason: if one was given, the form reopens and keeps it
    raise InvalidArgumentError(text, name="who", choices=() if ask.because else near)


async def _namesakes_card(
    ctx: Context, found: Sequence[Member], ask: Intro, topic: int | None
) -> Card:
    """List namesakes, each with a button to a draft that keeps the reason."""
    entries: list[Entry] = []
    ongoing = await portraits.load_ongoing(ctx, found)
    for person in [p for p in found if p.id != ctx.member.id][:5]:
        seen = portraits.person_entry(ctx.t, person, ctx.member)
        if person.id in ongoing:
            way = portraits.conversation_button(ctx.t("You already talk"), ongoing[person.id])
            entries.append(replace(seen, buttons=(way,)))
            continue
        draft = await _get_or_create_draft(ctx, person, topic, ask.because or "")
        button = Button(ctx.t("Ask {name}", name=person.first_name)[:75], f"intro ask {draft.id}")
        entries.append(replace(seen, buttons=(button,)))
    title = ctx.t("Several people match «{name}».", name=shorten(ask.who))
    return Card(title=title, parts=tuple(entries), footer=portraits.footer(ctx.t, found))


async def _best_person_card(ctx: Context, topic: int, because: str, passed: int) -> Card:
    """Show the best person for a topic who may be asked now; nothing is sent yet.

    `passed`: how many better ones the member has skipped. Raises Refusal if nobody is left.
    """
    t, name = ctx.t, ctx.reference.vocabulary.name(topic, ctx.language)
    found = await directory.list_candidates(ctx.session, [topic], ctx.member.city_id)
    candidates = {c.key: c for c in ranking.build_candidates(ctx, found)}
    pairs = await introductions.load_excluded_pairs(ctx.session, ctx.member.id)
    away = {number for pair in pairs for number in pair} | {ctx.member.id}
    away |= await introductions.list_recently_asked(ctx.session, ctx.member.id, ctx.now)
    away |= (await talks.load_ongoing(ctx.session, ctx.member.id, ctx.now)).keys()
    free = [
        r.key
        for r in rank(candidates.values(), ctx.now)
        if candidates[r.key].is_free and r.key not in away
    ]
    chosen = free[passed:]
    person = await ctx.session.get(Member, chosen[0]) if chosen else None
    slug = ctx.reference.topics[topic].slug
    if person is None:
        text = t("No one else is open to questions about {topic} right now.", topic=name)
        raise Refusal(
            text, buttons=(Button(t("Who does {topic}", topic=name)[:75], f"who-does {slug}"),)
        )
    draft = await _get_or_create_draft(ctx, person, topic, because, passed)
    return await _draft_card(ctx, draft, has_more=len(chosen) > 1)


# --- drafts, shown before anybody is asked ----------------------------------------------------


async def _get_or_create_draft(
    ctx: Context, person: Member, topic: int | None, because: str, passed: int | None = None
) -> Introduction:
    """Return the draft of an introduction, stored so that a button can name it by number.

    There is one draft for each person, topic and reason. `passed`: how many better people for the
    topic were skipped before; None if the person was named.
    """
    made = await introductions.find_draft(ctx.session, ctx.member.id, person.id, topic, because)
    if made is None:
        made = Introduction(
            one_id=ctx.member.id,
            other_id=person.id,
            topic_id=topic,
            because=because,
            asked_at=ctx.now,
            tells_at=ctx.now + ASK_LIFETIME,
        )
        made.one, made.other, made.by = ctx.member, person, None
        ctx.session.add(made)
    made.passed = passed
    await ctx.session.flush()
    return made


async def _draft_card(ctx: Context, draft: Introduction, *, has_more: bool = False) -> Card:
    """Show who would be asked, why this person, and what they would read."""
    t, person = ctx.t, draft.other
    pair = await load_intro_pair(ctx, draft)
    parts: list[Part] = [portraits.person_entry(t, person, ctx.member, main_reason(t, pair, draft))]
    if draft.because:
        parts.append(Text(t("«{text}»", text=draft.because)))
    parts.append(
        Text(
            t(
                "{name} will see your name, your city, and your reason, and can answer yes, not "
                "now, or never.",
                name=person.first_name,
            ),
            quiet=True,
        )
    )
    buttons = [Button(t("Ask"), f"intro ask {draft.id}", "primary")]
    if not draft.because:
        buttons.append(Button(t("Say why first"), f"intro ask {draft.id} say"))
    if has_more:
        buttons.append(Button(t("Next best"), f"intro ask {draft.id} next"))
    buttons.append(Button(t("Profile"), f"who-is {person.id}"))
    return Card(
        title=t("Ask {name}?", name=person.first_name),
        parts=(*parts, Buttons(tuple(buttons))),
        footer=portraits.footer(t, [person]),
    )


class IntroAsk(BaseModel):
    """Ask the person shown above"""

    number: int = Field(ge=1, le=2**31 - 1, title="Number")
    act: Annotated[
        Literal["now", "say", "next"],
        HiddenField(),
        Labels({"now": "Ask", "say": "Say why first", "next": "Next best"}),
    ] = Field(default="now", title="What to do")
    because: Reason = Field(
        default=None,
        max_length=MAX_REASON_LENGTH,
        title="Why",
        description="One sentence the other person will read. You can leave it empty.",
    )


@command(
    "intro ask",
    allow=MEMBER,
    room="daily",
    spelled=Spelled("presentar pedir", "apresentar pedir", "presenter demander"),
    writes=True,
)
async def intro_ask(ctx: Context, ask: IntroAsk) -> Reply:
    """Handle the buttons of a draft: ask, open the form for the reason, or show the next best."""
    found = await introductions.lock_introduction(ctx.session, ask.number)
    mine = found is not None and ctx.member.id == (found.by_id or found.one_id)
    if found is None or not mine:
        raise Refusal(
            ctx.t("That's no longer here. Please start over."),
            buttons=(Button(ctx.t("Introduce me"), "intro"),),
        )
    if ask.act == "next" and found.topic_id and found.passed is not None:
        return await _best_person_card(ctx, found.topic_id, found.because, found.passed + 1)
    if found.status == DRAFT and ask.act == "next":
        return await _draft_card(ctx, found)
    if found.status == DRAFT and ask.act == "say" and not ctx.request.from_form:
        return _reason_form(ctx, found)
    if found.status == DRAFT and ask.because:
        found.because = ask.because
    return await asking.ask(ctx, found)


def _reason_form(ctx: Context, draft: Introduction) -> Form:
    t = ctx.t
    field = Input(
        name="because",
        label=t("Why"),
        value=(draft.because,) if draft.because else (),
        long=True,
        hint=t("One sentence the other person will read. You can leave it empty."),
        longest=MAX_REASON_LENGTH,
    )
    title = t("Ask {name}?", name=draft.other.first_name)
    return Form(title=title, command=f"intro ask {draft.id}", inputs=(field,), submit=t("Ask"))


# --- introducing two others -------------------------------------------------------------------


async def _introduce_two(ctx: Context, ask: Intro, first_text: str) -> Card:
    """Ask two others whether they want to be introduced; both must say yes.

    Raises Refusal for anybody but staff and city leads.
    """
    t = ctx.t
    if not ctx.member.has_role(*STAFF_ROLES, CITY_LEAD):
        text = t(
            "Only staff and city leads can introduce two other people. To meet someone yourself, "
            "name one person."
        )
        raise Refusal(text, title=t("Staff only"), is_forbidden=True)
    pair = _PAIR_PATTERN.fullmatch(ask.who)
    one = await finding.find_person(ctx, first_text, "who")
    other = await finding.find_person(ctx, ask.second or (pair[2] if pair else ""), "second")
    if one.id == other.id:
        raise Refusal(t("That's the same person twice. Name two different people."))
    for person in (one, other):
        asking.check_not_oneself(ctx, person)
    made = Introduction(
        one_id=one.id,
        other_id=other.id,
        by_id=ctx.member.id,
        because=ask.because or "",
        asked_at=ctx.now,
        tells_at=ctx.now + ASK_LIFETIME,
        status=DRAFT,
    )
    made.one, made.other, made.by = one, other, ctx.member
    ctx.session.add(made)
    await ctx.session.flush()
    return await asking.ask(ctx, made)


@completion("meet")
async def complete_meet(ctx: Context, typed: str) -> list[Option]:
    """Complete people by name, then topics by any of their names; at most 25 in all."""
    some = await COMPLETIONS["person"](ctx, typed)
    return [*some[:12], *(await COMPLETIONS["topic"](ctx, typed))[: 25 - len(some[:12])]]
