"""Asks members whether they want to be introduced: who may ask whom, and the request card."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.cards import Button, Buttons, Card, Entry, Note, Part, Text
from bot.commands import Context
from bot.community import parting
from bot.community.conduct import check_may_write
from bot.community.parting import Parting
from bot.community.people import portraits, ranking, waking
from bot.community.talks import opening
from bot.community.talks.opening import Pair
from bot.deliveries import enqueue, run_ended_hooks, withdraw_unsettled
from bot.errors import Refusal
from bot.i18n import Translator, translator
from db import audit, blocks, introductions, reach, talks
from db.introductions import (
    AGREED,
    ASK_AGAIN_AFTER,
    ASK_LIFETIME,
    ASKED,
    UNANSWERED,
    YES,
    Introduction,
    card_key,
)
from db.members import Member

KIND = "introduction"
A_DAY = timedelta(days=1)
MAX_ASKS_PER_DAY = 5
"""How many requests without a yes a member may make in 24 hours."""


def list_unanswered(
    every: Sequence[Introduction], member_id: int, now: datetime
) -> list[Introduction]:
    """Return the open introductions that one member has still to answer."""
    return [
        i
        for i in every
        if i.can_answer(member_id) and i.is_open(now) and not i.answer_of(member_id)
    ]


async def render_unanswered(ctx: Context) -> Entry | None:
    """Render the people who wait for the member's answer; None if nobody does."""
    every = await introductions.list_introductions(ctx.session, ctx.member.id, ctx.now)
    open_ = list_unanswered(every, ctx.member.id, ctx.now)
    if not open_:
        return None
    t, number = ctx.t, len(open_)
    return Entry(
        title=t.many(
            "One person would like to meet you", "{number} people would like to meet you", number
        ),
        lines=(t.listed([(one.by or one.partner_of(ctx.member.id)).name for one in open_]),),
        buttons=(Button(t("See and answer"), "intro list", "primary"),),
    )


# --- asking -----------------------------------------------------------------------------------


async def ask(ctx: Context, intro: Introduction) -> Card:
    """Send the request of a draft introduction and return the card for the asker.

    An earlier request between the same people is shown instead of a second one. Raises `Refusal`
    if the asker may not ask, somebody takes no questions, or the day's limit is reached. The
    answer does not show whether the asker is blocked.
    """
    if intro.status != "draft":
        return already_asked_card(ctx, intro)
    check_may_write(ctx)
    await introductions.lock_and_refresh_members(ctx.session, ctx.member, intro.one, intro.other)
    asked = [intro.other] if intro.by is None else [intro.one, intro.other]
    for person in asked:
        await _check_person(ctx, person)
    await check_not_talking(ctx, intro.one, intro.other)
    before = await _find_earlier_answer(ctx, intro)
    if before is not None:
        return before
    for person in asked:
        await check_accepts_questions(ctx, person, intro.topic_id)
    made = await introductions.count_asks_since(ctx.session, ctx.member, ctx.now - A_DAY)
    if made >= MAX_ASKS_PER_DAY:
        raise Refusal(
            ctx.t(
                "You've asked {number} people today. Give them time to answer and ask again "
                "tomorrow.",
                number=made,
            ),
            buttons=(_my_introductions_button(ctx.t),),
        )
    await _send_request(ctx, intro, asked)
    return pending_card(ctx, intro)


def check_not_oneself(ctx: Context, person: Member) -> None:
    """Raise a `Refusal` if the person is the member who asks."""
    if person.id == ctx.member.id:
        raise Refusal(ctx.t("That's you, and you two have met. Name someone else, or a topic."))


async def check_not_talking(ctx: Context, one: Member, other: Member) -> None:
    """Raise a `Refusal` if two people have an open conversation, with the way to it for them."""
    t = ctx.t
    found = (await talks.load_ongoing(ctx.session, one.id, ctx.now, (other.id,))).get(other.id)
    if found is None:
        return
    if ctx.member.id not in (one.id, other.id):
        raise Refusal(
            t("{name} and {other} already talk.", name=one.name, other=other.name),
            buttons=(_my_introductions_button(t),),
        )
    way = portraits.conversation_button(t("Go to the conversation"), found)
    raise Refusal(t("You and {name} already talk.", name=other.name), buttons=(way,))


async def _check_person(ctx: Context, person: Member) -> None:
    """Raise a `Refusal` if the person is the asker, is not listed, or is blocked by the asker."""
    check_not_oneself(ctx, person)
    if not person.is_in_directory:
        raise Refusal(ctx.t("That person isn't in the directory."))
    if await blocks.has_blocked(ctx.session, ctx.member.id, person.id):
        raise Refusal(
            ctx.t("You blocked {name}. Unblock them before you ask to meet.", name=person.name)
        )


async def _find_earlier_answer(ctx: Context, intro: Introduction) -> Card | None:
    """Look for a recent introduction of the same two people that settles the new request.

    Returns the card of one that is still open; raises `Refusal` if it was agreed or if it is too
    early to ask again; returns None if the request may be made.
    """
    t, me = ctx.t, ctx.member.id
    past = await introductions.list_recent(ctx.session, intro.one_id, intro.other_id, ctx.now)
    mine = [i for i in past if i.asker is not None and i.asker.id == me]
    for one in mine:
        if one.status in UNANSWERED and one.closed_at is None:
            return already_asked_card(ctx, one)
    if intro.by_id is None:
        for one in past:
            if one.can_answer(me) and one.is_open(ctx.now):
                return await request_card(
                    t, await load_intro_pair(ctx, one), one, ctx.member, ctx.now
                )
    who = intro.other.name
    for one in past if intro.by_id is None else mine:
        if one.status == AGREED:
            raise Refusal(
                t(
                    "You and {name} were introduced on {day}. Look for it in your messages.",
                    name=who,
                    day=t.day(one.closed_at or one.asked_at),
                )
                if intro.by_id is None
                else t("You introduced these two on {day}.", day=t.day(one.asked_at)),
                buttons=(_my_introductions_button(t),),
            )
    if mine:
        again = t.day(mine[0].asked_at + ASK_AGAIN_AFTER)
        raise Refusal(
            t("You asked for this not long ago. Please wait until {day}.", day=again),
            buttons=(_my_introductions_button(t),),
        )
    return None


async def check_accepts_questions(ctx: Context, person: Member, topic: int | None = None) -> None:
    """Raise a `Refusal` if a person takes no questions now, or no more this month.

    The profile shows both to everybody. It is raised, too, if the hub cannot write to the person.
    With a topic the refusal offers the next best person.
    """
    t = ctx.t
    if person.is_in_directory and not await reach.list_reachable(ctx.session, [person.id]):
        text = t(
            "I can't message {name} right now: they may have closed their direct messages or left "
            "their workspace. Please ask someone else.",
            name=person.name,
        )
    elif not person.open_to_questions:
        text = t("{name} isn't taking questions right now.", name=person.name)
    elif person.is_full(ranking.format_month(ctx.now)):
        text = t("{name} has reached their limit of questions this month.", name=person.name)
    else:
        return
    slug = ctx.reference.topics[topic].slug if topic in ctx.reference.topics else ""
    onward = Button(t("Ask the next person"), f"intro {slug}", "primary") if slug else None
    profile = Button(t("Profile"), f"who-is {person.id}")
    raise Refusal(text, buttons=(onward, profile) if onward else (profile,))


async def _send_request(ctx: Context, intro: Introduction, asked: list[Member]) -> None:
    intro.status, intro.asked_at, intro.tells_at = ASKED, ctx.now, ctx.now + ASK_LIFETIME
    if intro.by is None:
        intro.one_said = YES
    await ctx.session.flush()
    unwanted = await _is_unwanted(ctx, intro)
    for person in asked:
        # counted in any case: a number that does not grow would show who was blocked
        this_month = ranking.format_month(ctx.now)
        taken = person.asks_taken if person.asks_month == this_month else 0
        person.asks_taken, person.asks_month = taken + 1, this_month
        if not unwanted:
            card = await request_card(
                translator(person.language),
                await load_intro_pair(ctx, intro),
                intro,
                person,
                ctx.now,
            )
            await enqueue(
                ctx.session,
                ctx.now,
                person,
                KIND,
                card,
                key=card_key(intro, person.id),
                expires=intro.tells_at,
            )
    if unwanted:
        ended = await introductions.silence_introduction(ctx.session, intro, ctx.now)
        await run_ended_hooks(ctx.session, ctx.now, ended)
    action = "introduction asked" if intro.by is None else "introduction arranged"
    audit.record_act(ctx.session, ctx.now, ctx.member.id, action, f"introduction:{intro.id}")


@parting.ends("blocked")
async def silence_asks(session: AsyncSession, now: datetime, act: Parting) -> None:
    """Close the open requests between a member and the one they blocked; neither is told why."""
    if act.other is not None:
        ended = await introductions.silence_between(session, act.member.id, act.other.id, now)
        await run_ended_hooks(session, now, ended)


@parting.ends("suspended", "muted")
async def withdraw_asks(session: AsyncSession, now: datetime, act: Parting) -> None:
    """Withdraw the requests of a member that did not reach the people who are asked.

    They end in silence, as if nobody had time.
    """
    for one in await introductions.list_open_asks(session, act.member.id):
        if await withdraw_unsettled(session, now, introductions.is_card_of(one)):
            ended = await introductions.silence_introduction(session, one, now)
            await run_ended_hooks(session, now, ended)


async def _is_unwanted(ctx: Context, intro: Introduction) -> bool:
    """Return whether one of the people blocked another, or one who is asked said «never» before."""
    one, other, by = intro.one_id, intro.other_id, intro.by_id
    for who, whom in ((other, one), (one, other)):
        if await blocks.has_blocked(ctx.session, who, whom):
            return True
        if (by or who == other) and await introductions.has_said_never(ctx.session, who, whom):
            return True
    if by is None:
        return False
    return any([await blocks.has_blocked(ctx.session, who, by) for who in (one, other)])


# --- what the asker sees ----------------------------------------------------------------------


def pending_card(ctx: Context, intro: Introduction) -> Card:
    """Render for the asker that the request is sent, and when an answer is due."""
    t = ctx.t
    until = t.day(intro.asked_at + ASK_LIFETIME)
    if intro.by_id is None:
        said = t(
            "I asked {name}. If the answer is yes, I'll introduce you; either way, you'll hear "
            "from me by {day}.",
            name=intro.other.name,
            day=until,
        )
    else:
        said = t(
            "I asked {name} and {other}. If both say yes, I'll introduce them; either way, you'll "
            "hear from me by {day}.",
            name=intro.one.name,
            other=intro.other.name,
            day=until,
        )
    asked = [intro.other] if intro.by_id is None else [intro.one, intro.other]
    asleep = [waking.render_waking(t, person, ctx.now) for person in asked]
    return Card(
        title=t("Asked"),
        parts=(
            Note(said, "good"),
            *(Text(line) for line in asleep if line),
            Buttons((withdraw_button(t, intro), _my_introductions_button(t))),
        ),
        tone="good",
    )


def already_asked_card(ctx: Context, intro: Introduction) -> Card:
    """Render the state of a request that was made before, instead of making it twice."""
    t, when = ctx.t, ctx.t.day(intro.asked_at)
    buttons = Buttons((_my_introductions_button(t),))
    if intro.status in UNANSWERED and intro.closed_at is None:
        said = t("You asked on {day} and haven't had an answer yet.", day=when)
        buttons = Buttons((withdraw_button(t, intro), _my_introductions_button(t)))
    elif intro.status == AGREED:
        said = t("You both said yes. Look for the conversation in your messages.")
    else:
        said = t("You asked on {day}; that is over.", day=when)
    return Card(title=t("Already asked"), parts=(Note(said), buttons))


def withdraw_button(t: Translator, intro: Introduction) -> Button:
    """Return the button with which the asker takes a request back."""
    return Button(t("Withdraw"), f"intro withdraw {intro.id}")


def _my_introductions_button(t: Translator) -> Button:
    return Button(t("My introductions"), "intro list")


# --- what the asked person sees ---------------------------------------------------------------


async def load_intro_pair(ctx: Context, intro: Introduction) -> Pair:
    """Load the pair of an introduction, with what the two show each other."""
    return await opening.load_pair(ctx.session, intro.one, intro.other, intro.topic_id)


async def request_card(
    t: Translator, pair: Pair, intro: Introduction, reader: Member, now: datetime
) -> Card:
    """Render the request for the person asked: who, from where and why, and the answers."""
    facing = intro.partner_of(reader.id)
    said = " ".join(opening.explain_pair(t, pair, 2)) or main_reason(t, pair, intro)
    parts: list[Part] = [portraits.person_entry(t, facing, reader), Text(said)]
    if intro.because:
        parts.append(Text(t("«{text}»", text=intro.because)))
    parts.append(Buttons(answer_buttons(t, intro)))
    small = t(
        "They only hear about a yes. You can answer until {day}.",
        day=t.day(intro.asked_at + ASK_LIFETIME),
    )
    parts.append(Text(small, quiet=True))
    return Card(
        title=t("{name} would like to meet you", name=facing.name)
        if intro.by is None
        else t("{name} would like you to meet {other}", name=intro.by.name, other=facing.name),
        parts=tuple(parts),
        footer=portraits.footer(t, [facing]),
        private=False,
    )


def answer_buttons(t: Translator, intro: Introduction) -> tuple[Button, ...]:
    """Return the buttons of the three answers, and the one that explains the request."""
    return (
        Button(t("Accept"), f"intro answer {intro.id} accept", "primary"),
        Button(t("Not now"), f"intro answer {intro.id} later"),
        Button(t("Never"), f"intro answer {intro.id} never", "danger"),
        Button(t("Why?"), f"intro why {intro.id}"),
    )


def main_reason(t: Translator, pair: Pair, intro: Introduction) -> str:
    """Return one sentence on why these two, also if the two share nothing that is known."""
    if reasons := opening.explain_pair(t, pair, 1):
        return reasons[0]
    name = (intro.by or intro.one).first_name
    if intro.topic_id:
        return t(
            "{name} asked about {topic}.",
            name=name,
            topic=pair.topic_name(intro.topic_id, t.language),
        )
    if intro.by:
        return t("{name} thinks you two should know each other.", name=name)
    return t("{name} asked for {other} by name.", name=name, other=intro.other.first_name)
