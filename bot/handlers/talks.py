"""When two people talk: one proposes a time, the other agrees, both get a calendar file."""

from collections.abc import Callable

from pydantic import BaseModel, Field

from bot.cards import Button, Buttons, Card, Link, Note, Part
from bot.commands import MEMBER, Context, command
from bot.community.talks.opening import KIND, common_language, may_talk, propose, times, when
from bot.deliveries import owe
from bot.errors import Refusal
from bot.i18n import Translator, translator
from db import audit, talks
from db.members import Member
from db.talks import Talk

MOST_TIMES = 60
"""Times that one talk can have on offer; nobody presses that long."""


Drawn = Callable[[Context, Talk, Member, Translator], Card]


class IntroSlot(BaseModel):
    """Choose when you two talk"""

    number: int = Field(ge=1, le=2**31 - 1, title="Number")
    slot: int | None = Field(default=None, ge=1, le=MOST_TIMES, title="Time")


@command("intro slot", allow=MEMBER, room="daily", writes=True)
async def intro_slot(ctx: Context, ask: IntroSlot) -> Card:
    """Without a time: others to choose from. With one: proposed, or agreed if the other did."""
    talk = await talks.found(ctx.session, ask.number)
    if talk is None or ctx.member.id not in (talk.one_id, talk.other_id):
        raise Refusal(ctx.t("There is no such conversation of yours."))
    if not await may_talk(ctx.session, talk.one, talk.other):
        raise Refusal(ctx.t("This conversation has ended."))
    if ask.slot is None:
        return _offered(ctx, talk)
    if ask.slot > len(talk.times):
        raise Refusal(ctx.t("There is no such time."), buttons=(_others(ctx.t, talk),))
    if talk.times[ask.slot - 1] <= ctx.now:
        text = ctx.t("That time has passed. Choose another one.")
        raise Refusal(text, buttons=(_others(ctx.t, talk),))
    if talk.agreed == ask.slot and talk.picked is None:
        return _agreed(ctx, talk, ctx.member, ctx.t)
    if talk.picked == ask.slot and talk.picked_by_id != ctx.member.id:
        return await _agree(ctx, talk, ask.slot)
    return await _pick(ctx, talk, ask.slot)


def _offered(ctx: Context, talk: Talk) -> Card:
    """Three more times, while there is room; else those that are still to come."""
    if len(talk.times) + 3 <= MOST_TIMES:
        numbers, fits = _more(ctx, talk)
    else:
        to_come = [n for n, time in enumerate(talk.times, 1) if time > ctx.now]
        numbers, fits = to_come[-3:], True
    parts = times(ctx.t, talk, ctx.member, numbers, fits=fits)
    return Card(title=_title(ctx, talk), parts=tuple(parts))


def _more(ctx: Context, talk: Talk) -> tuple[list[int], bool]:
    """Others than those on offer already."""
    return propose(talk, ctx.now, beyond=[time for time in talk.times if time > ctx.now])


async def _pick(ctx: Context, talk: Talk, slot: int) -> Card:
    """Propose a time; saying the same again changes nothing."""
    t, other = ctx.t, talk.facing(ctx.member.id)
    if (talk.picked, talk.picked_by_id) != (slot, ctx.member.id):
        talk.picked, talk.picked_by_id = slot, ctx.member.id
        talk.moves += 1
        await _tell(ctx, talk, other, _proposal)
        audit.note(ctx.session, ctx.now, ctx.member.id, "time proposed", f"talk:{talk.id}")
    said = t(
        "I proposed {time} to {name}, and tell you what they say.",
        time=when(t, talk.times[slot - 1], ctx.member, other),
        name=other.name,
    )
    return Card(
        title=_title(ctx, talk),
        parts=(Note(said, "good"), Buttons((_others(t, talk),))),
        tone="good",
    )


async def _agree(ctx: Context, talk: Talk, slot: int) -> Card:
    other = talk.facing(ctx.member.id)
    talk.picked, talk.picked_by_id = None, None
    talk.agreed, talk.agreed_at = slot, ctx.now
    talk.moves += 1
    talk.sequence += 1
    await _tell(ctx, talk, other, _agreed)
    audit.note(ctx.session, ctx.now, ctx.member.id, "time agreed", f"talk:{talk.id}")
    return _agreed(ctx, talk, ctx.member, ctx.t)


# --- what the two read ------------------------------------------------------------------------


async def _tell(ctx: Context, talk: Talk, reader: Member, drawn: Drawn) -> None:
    """In the conversation of both where there is one, else under the reader's own opening."""
    to = await talks.address_of(ctx.session, talk.one_root_id) if talk.together else None
    under = None if to else talk.root_of(reader.id)
    language = common_language(talk.one, talk.other) if to else reader.language
    card = drawn(ctx, talk, reader, translator(language))
    key = f"{talk.key}:move:{talk.moves}"
    await owe(ctx.session, ctx.now, reader, KIND, card, key=key, to=to, under=under)


def _proposal(ctx: Context, talk: Talk, reader: Member, t: Translator) -> Card:
    slot, proposer = talk.picked or 1, talk.facing(reader.id)
    time = when(t, talk.times[slot - 1], reader, proposer)
    said = t("{name} proposes {time}.", name=proposer.name, time=time)
    buttons = (
        Button(t("Accept time"), f"intro slot {talk.id} {slot}", "primary"),
        _others(t, talk),
    )
    title = t("Half an hour to talk?")
    return Card(title=title, parts=(Note(said), Buttons(buttons)), private=False)


def _agreed(ctx: Context, talk: Talk, reader: Member, t: Translator) -> Card:
    other = talk.facing(reader.id)
    time = when(t, talk.times[(talk.agreed or 1) - 1], reader, other)
    parts: tuple[Part, ...] = (
        Note(t("You two talk on {time}.", time=time), "good"),
        Link(t("Add it to your calendar"), ctx.links.meeting(talk.id, reader.id)),
        Buttons((Button(t("Another time"), f"intro slot {talk.id}"),)),
    )
    return Card(
        title=t("Agreed with {name}", name=other.name),
        parts=parts,
        tone="good",
        private=reader.id == ctx.member.id,
    )


def _others(t: Translator, talk: Talk) -> Button:
    return Button(t("Other times"), f"intro slot {talk.id}")


def _title(ctx: Context, talk: Talk) -> str:
    return ctx.t("Talk with {name}", name=talk.facing(ctx.member.id).name)
