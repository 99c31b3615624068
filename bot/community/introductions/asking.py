"""Asking somebody to be introduced: who may ask whom, and the card that asks."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.cards import Button, Buttons, Card, Entry, Note, Part, Text
from bot.commands import Context
from bot.community import parting
from bot.community.conduct import check_may_write
from bot.community.parting import Parting
from bot.community.people import portraits, ranking
from bot.community.talks import opening
from bot.community.talks.opening import Pair
from bot.deliveries import owe, tell_ended
from bot.errors import Refusal
from bot.i18n import Translator, translator
from db import audit, blocks, introductions
from db.introductions import AGAIN, AGREED, ASKED, LASTS, UNANSWERED, YES, Introduction, card_key
from db.members import Member

KIND = "introduction"
A_DAY = timedelta(days=1)
MOST_A_DAY = 5
"""How many asks of a day may be without a yes."""


def to_answer(every: Sequence[Introduction], member_id: int, now: datetime) -> list[Introduction]:
    """Those that wait for the answer of one person."""
    return [i for i in every if i.asks(member_id) and i.is_open(now) and not i.said(member_id)]


async def render_unanswered(ctx: Context) -> Entry | None:
    """Name the people who wait for the member's answer; None when nobody does."""
    every = await introductions.of_member(ctx.session, ctx.member.id, ctx.now)
    open_ = to_answer(every, ctx.member.id, ctx.now)
    if not open_:
        return None
    t, number = ctx.t, len(open_)
    return Entry(
        title=t.many(
            "One person would like to meet you", "{number} people would like to meet you", number
        ),
        lines=(t.listed([(one.by or one.facing(ctx.member.id)).name for one in open_]),),
        buttons=(Button(t("See and answer"), "intro list", "primary"),),
    )


# --- asking -----------------------------------------------------------------------------------


async def ask(ctx: Context, intro: Introduction) -> Card:
    """Ask for what a draft says; the same words come back for whoever cannot be asked."""
    if intro.status != "draft":
        return already(ctx, intro)
    check_may_write(ctx)
    await introductions.hold(ctx.session, ctx.member, intro.one, intro.other)
    asked = [intro.other] if intro.by is None else [intro.one, intro.other]
    for person in asked:
        await _check(ctx, person)
    before = await _before(ctx, intro)
    if before is not None:
        return before
    for person in asked:
        check_open(ctx, person, intro.topic_id)
    made = await introductions.asked_since(ctx.session, ctx.member, ctx.now - A_DAY)
    if made >= MOST_A_DAY:
        raise Refusal(
            ctx.t("You asked {number} people in a day. Give them time to answer, and ask again "
                  "tomorrow.", number=made),
            buttons=(_mine(ctx.t),),
        )  # fmt: skip
    await _send(ctx, intro, asked)
    return waiting(ctx, intro)


def check_not_oneself(ctx: Context, person: Member) -> None:
    """Refused kindly."""
    if person.id == ctx.member.id:
        raise Refusal(ctx.t("That is you, and you two have met. Name somebody else, or a topic."))


async def _check(ctx: Context, person: Member) -> None:
    """Found in the directory, and not blocked by the asker."""
    check_not_oneself(ctx, person)
    if not person.is_in_directory:
        raise Refusal(ctx.t("That person is not in the directory."))
    if await blocks.has_blocked(ctx.session, ctx.member.id, person.id):
        raise Refusal(
            ctx.t("You blocked {name}. Take that back before you ask to meet.", name=person.name)
        )


async def _before(ctx: Context, intro: Introduction) -> Card | None:
    """What was asked between the two lately, where that answers the question."""
    t, me = ctx.t, ctx.member.id
    past = await introductions.lately(ctx.session, intro.one_id, intro.other_id, ctx.now)
    mine = [i for i in past if i.asker is not None and i.asker.id == me]
    for one in mine:
        if one.status in UNANSWERED and one.closed_at is None:
            return already(ctx, one)
    if intro.by_id is None:
        for one in past:
            if one.asks(me) and one.is_open(ctx.now):
                return await asked_card(t, await pair_of(ctx, one), one, ctx.member, ctx.now)
    who = intro.other.name
    for one in past if intro.by_id is None else mine:
        if one.status == AGREED:
            raise Refusal(
                t("You and {name} were introduced on {day}. Look for it in your messages.",
                  name=who, day=t.day(one.closed_at or one.asked_at))
                if intro.by_id is None
                else t("You introduced these two on {day}.", day=t.day(one.asked_at)),
                buttons=(_mine(t),),
            )  # fmt: skip
    if mine:
        again = t.day(mine[0].asked_at + AGAIN)
        raise Refusal(
            t("You asked for this not long ago. Please give it until {day}.", day=again),
            buttons=(_mine(t),),
        )
    return None


def check_open(ctx: Context, person: Member, topic: int | None = None) -> None:
    """What a profile says openly anyway, with the next best for the topic."""
    t = ctx.t
    if not person.open_to_questions:
        text = t("{name} is not taking questions now.", name=person.name)
    elif person.is_full(ranking.month(ctx.now)):
        text = t("{name} has had as many questions as they can take this month.",
                 name=person.name)  # fmt: skip
    else:
        return
    slug = ctx.known.topics[topic].slug if topic in ctx.known.topics else ""
    onward = Button(t("Ask the next best"), f"intro {slug}", "primary") if slug else None
    profile = Button(t("Profile"), f"who-is {person.id}")
    raise Refusal(text, buttons=(onward, profile) if onward else (profile,))


async def _send(ctx: Context, intro: Introduction, asked: list[Member]) -> None:
    intro.status, intro.asked_at, intro.tells_at = ASKED, ctx.now, ctx.now + LASTS
    if intro.by is None:
        intro.one_said = YES
    await ctx.session.flush()
    unwanted = await _is_unwanted(ctx, intro)
    for person in asked:
        # counted in any case: a number that stood still would tell who is unwanted
        this_month = ranking.month(ctx.now)
        taken = person.asks_taken if person.asks_month == this_month else 0
        person.asks_taken, person.asks_month = taken + 1, this_month
        if not unwanted:
            card = await asked_card(
                translator(person.language), await pair_of(ctx, intro), intro, person, ctx.now
            )
            await owe(ctx.session, ctx.now, person, KIND, card, key=card_key(intro, person.id),
                      expires=intro.tells_at)  # fmt: skip
    if unwanted:
        ended = await introductions.silence(ctx.session, intro, ctx.now)
        await tell_ended(ctx.session, ctx.now, ended)
    action = "introduction asked" if intro.by is None else "introduction arranged"
    audit.note(ctx.session, ctx.now, ctx.member.id, action, f"introduction:{intro.id}")


@parting.ends("blocked")
async def silence_asks(session: AsyncSession, now: datetime, act: Parting) -> None:
    """Requests that wait between the two come to nothing, and neither side is told why."""
    if act.other is not None:
        ended = await introductions.silence_between(session, act.member.id, act.other.id, now)
        await tell_ended(session, now, ended)


async def _is_unwanted(ctx: Context, intro: Introduction) -> bool:
    """Does somebody in it want nothing of somebody else in it?"""
    one, other, by = intro.one_id, intro.other_id, intro.by_id
    for who, whom in ((other, one), (one, other)):
        if await blocks.has_blocked(ctx.session, who, whom):
            return True
        if (by or who == other) and await introductions.said_never(ctx.session, who, whom):
            return True
    if by is None:
        return False
    return any([await blocks.has_blocked(ctx.session, who, by) for who in (one, other)])


# --- what the asker sees ----------------------------------------------------------------------


def waiting(ctx: Context, intro: Introduction) -> Card:
    """Asked; and when there will be an answer."""
    t = ctx.t
    until = t.day(intro.asked_at + LASTS)
    if intro.by_id is None:
        said = t("I asked {name}. As soon as there is a yes, I bring you together; otherwise you "
                 "hear from me by {day}.", name=intro.other.name, day=until)  # fmt: skip
    else:
        said = t("I asked {name} and {other}. When both say yes, I bring them together; otherwise "
                 "you hear from me by {day}.",
                 name=intro.one.name, other=intro.other.name, day=until)  # fmt: skip
    return Card(
        title=t("Asked"),
        parts=(Note(said, "good"), Buttons((withdraw(t, intro), _mine(t)))),
        tone="good",
    )


def already(ctx: Context, intro: Introduction) -> Card:
    """It was asked before; nothing happens twice."""
    t, when = ctx.t, ctx.t.day(intro.asked_at)
    buttons = Buttons((_mine(t),))
    if intro.status in UNANSWERED and intro.closed_at is None:
        said = t("You asked on {day}, and the answer is still open.", day=when)
        buttons = Buttons((withdraw(t, intro), _mine(t)))
    elif intro.status == AGREED:
        said = t("That was agreed to. Look for the conversation in your messages.")
    else:
        said = t("You asked on {day}; that is over.", day=when)
    return Card(title=t("Asked already"), parts=(Note(said), buttons))


def withdraw(t: Translator, intro: Introduction) -> Button:
    """Takes an ask back."""
    return Button(t("Withdraw"), f"intro withdraw {intro.id}")


def _mine(t: Translator) -> Button:
    return Button(t("My introductions"), "intro list")


# --- what the asked person sees ---------------------------------------------------------------


async def pair_of(ctx: Context, intro: Introduction) -> Pair:
    """What ties the two, as far as they show it to each other."""
    return await opening.meet(ctx.session, intro.one, intro.other, intro.topic_id)


async def asked_card(
    t: Translator, pair: Pair, intro: Introduction, reader: Member, now: datetime
) -> Card:
    """Who asks, from where and why, with three answers."""
    facing = intro.facing(reader.id)
    said = " ".join(opening.why(t, pair, 2)) or in_a_sentence(t, pair, intro)
    parts: list[Part] = [portraits.seen(t, facing, reader), Text(said)]
    if intro.because:
        parts.append(Text(t("«{text}»", text=intro.because)))
    parts.append(Buttons(answers(t, intro)))
    small = t("Only a yes is told. You can answer until {day}.",
              day=t.day(intro.asked_at + LASTS))  # fmt: skip
    parts.append(Text(small, quiet=True))
    return Card(
        title=t("{name} would like to meet you", name=facing.name)
        if intro.by is None
        else t("{name} would like you to meet {other}", name=intro.by.name, other=facing.name),
        parts=tuple(parts),
        footer=portraits.footer(t, [facing]),
        private=False,
    )


def answers(t: Translator, intro: Introduction) -> tuple[Button, ...]:
    """The three answers, and why one is asked."""
    return (
        Button(t("Accept"), f"intro answer {intro.id} accept", "primary"),
        Button(t("Not now"), f"intro answer {intro.id} later"),
        Button(t("Never"), f"intro answer {intro.id} never", "danger"),
        Button(t("Why?"), f"intro why {intro.id}"),
    )


def in_a_sentence(t: Translator, pair: Pair, intro: Introduction) -> str:
    """Why these two, in one sentence, whatever little is known."""
    if reasons := opening.why(t, pair, 1):
        return reasons[0]
    name = (intro.by or intro.one).first_name
    if intro.topic_id:
        return t("{name} asked about {topic}.", name=name,
                 topic=pair.topic(intro.topic_id, t.language))  # fmt: skip
    if intro.by:
        return t("{name} thinks that you two should know each other.", name=name)
    return t("{name} asked for {other} by name.", name=name, other=intro.other.first_name)
