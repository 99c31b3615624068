"""Times of talks: one of two people proposes a time, the other agrees, both get a calendar file."""

from collections.abc import Callable

from pydantic import BaseModel, Field

from bot.cards import Button, Buttons, Card, Link, Note, Part
from bot.commands import MEMBER, Context, Spelled, command
from bot.community.conduct import check_may_write
from bot.community.talks.opening import KIND, can_talk, common_language
from bot.community.talks.times import format_two_clocks, propose_times, render_times
from bot.deliveries import enqueue
from bot.errors import Refusal
from bot.i18n import Translator, translator
from db import audit, talks
from db.members import Member
from db.talks import Talk

MAX_TIMES = 60
"""Times that can be offered for one talk: more than anybody asks for by pressing a button."""

CardRenderer = Callable[[Context, Talk, Member, Translator], Card]


class IntroSlot(BaseModel):
    """Pick a time to talk"""

    number: int = Field(ge=1, le=2**31 - 1, title="Number")
    slot: int | None = Field(default=None, ge=1, le=MAX_TIMES, title="Time")


@command(
    "intro slot",
    allow=MEMBER,
    room="daily",
    spelled=Spelled("presentar horario", "apresentar horario", "presenter horaire"),
    writes=True,
)
async def intro_slot(ctx: Context, ask: IntroSlot) -> Card:
    """Offer times for a talk, propose one, or agree to the one that the other person proposed.

    Raises Refusal for other people's talks, talks that have ended and times that have passed.
    """
    talk = await talks.load_talk(ctx.session, ask.number)
    if talk is None or ctx.member.id not in (talk.one_id, talk.other_id):
        raise Refusal(ctx.t("You don't have a conversation like that."))
    if not await can_talk(ctx.session, talk.one, talk.other):
        raise Refusal(ctx.t("This conversation has ended."))
    if ask.slot is None:
        return _offer_card(ctx, talk)
    if ask.slot > len(talk.times):
        raise Refusal(
            ctx.t("That time isn't one of the choices."),
            buttons=(_other_times_button(ctx.t, talk),),
        )
    if talk.times[ask.slot - 1] <= ctx.now:
        text = ctx.t("That time has passed. Pick another one.")
        raise Refusal(text, buttons=(_other_times_button(ctx.t, talk),))
    if talk.agreed == ask.slot and talk.picked is None:
        return _agreement_card(ctx, talk, ctx.member, ctx.t)
    if talk.picked == ask.slot and talk.picked_by_id != ctx.member.id:
        return await _agree_time(ctx, talk, ask.slot)
    return await _pick_time(ctx, talk, ask.slot)


def _offer_card(ctx: Context, talk: Talk) -> Card:
    """Offer three more times; once there are `MAX_TIMES`, the last ones that are still to come."""
    if len(talk.times) + 3 <= MAX_TIMES:
        numbers, fits = _propose_more(ctx, talk)
    else:
        to_come = [n for n, time in enumerate(talk.times, 1) if time > ctx.now]
        numbers, fits = to_come[-3:], True
    parts = render_times(ctx.t, talk, ctx.member, numbers, fits=fits)
    return Card(title=_title(ctx, talk), parts=tuple(parts))


def _propose_more(ctx: Context, talk: Talk) -> tuple[list[int], bool]:
    """Add times to the offer, other than those still to come.

    Returns their numbers, and whether all of them fit the working hours of both.
    """
    return propose_times(talk, ctx.now, excluded=[time for time in talk.times if time > ctx.now])


async def _pick_time(ctx: Context, talk: Talk, slot: int) -> Card:
    """Propose a time and notify the other person; proposing the same again changes nothing."""
    check_may_write(ctx)
    t, other = ctx.t, talk.partner_of(ctx.member.id)
    if (talk.picked, talk.picked_by_id) != (slot, ctx.member.id):
        talk.picked, talk.picked_by_id = slot, ctx.member.id
        talk.moves += 1
        await _notify(ctx, talk, other, _proposal_card)
        audit.record_act(ctx.session, ctx.now, ctx.member.id, "time proposed", f"talk:{talk.id}")
    said = t(
        "I suggested {time} to {name} and will tell you what they say.",
        time=format_two_clocks(t, talk.times[slot - 1], ctx.member, other),
        name=other.name,
    )
    return Card(
        title=_title(ctx, talk),
        parts=(Note(said, "good"), Buttons((_other_times_button(t, talk),))),
        tone="good",
    )


async def _agree_time(ctx: Context, talk: Talk, slot: int) -> Card:
    other = talk.partner_of(ctx.member.id)
    talk.picked, talk.picked_by_id = None, None
    talk.agreed, talk.agreed_at = slot, ctx.now
    talk.moves += 1
    talk.sequence += 1
    await _notify(ctx, talk, other, _agreement_card)
    audit.record_act(ctx.session, ctx.now, ctx.member.id, "time agreed", f"talk:{talk.id}")
    return _agreement_card(ctx, talk, ctx.member, ctx.t)


# --- cards for the two ------------------------------------------------------------------------


async def _notify(ctx: Context, talk: Talk, reader: Member, render: CardRenderer) -> None:
    """Enqueue a card in the conversation of both, else in the reader's own thread."""
    to = await talks.find_address(ctx.session, talk.one_root_id) if talk.together else None
    under = None if to else talk.root_of(reader.id)
    language = common_language(talk.one, talk.other) if to else reader.language
    card = render(ctx, talk, reader, translator(language))
    key = f"{talk.key}:move:{talk.moves}"
    await enqueue(
        ctx.session, ctx.now, reader, KIND, card, key=key, destination=to, parent_id=under
    )


def _proposal_card(ctx: Context, talk: Talk, reader: Member, t: Translator) -> Card:
    slot, proposer = talk.picked or 1, talk.partner_of(reader.id)
    time = format_two_clocks(t, talk.times[slot - 1], reader, proposer)
    said = t("{name} proposes {time}.", name=proposer.name, time=time)
    buttons = (
        Button(t("Accept time"), f"intro slot {talk.id} {slot}", "primary"),
        _other_times_button(t, talk),
    )
    title = t("Half an hour to talk?")
    return Card(title=title, parts=(Note(said), Buttons(buttons)), private=False)


def _agreement_card(ctx: Context, talk: Talk, reader: Member, t: Translator) -> Card:
    other = talk.partner_of(reader.id)
    time = format_two_clocks(t, talk.times[(talk.agreed or 1) - 1], reader, other)
    parts: tuple[Part, ...] = (
        Note(t("You two talk on {time}.", time=time), "good"),
        Link(t("Add it to your calendar"), ctx.links.meeting_url(talk.tag, reader.tag)),
        Buttons((Button(t("Different time"), f"intro slot {talk.id}"),)),
    )
    return Card(
        title=t("Agreed with {name}", name=other.name),
        parts=parts,
        tone="good",
        private=reader.id == ctx.member.id,
    )


def _other_times_button(t: Translator, talk: Talk) -> Button:
    return Button(t("Other times"), f"intro slot {talk.id}")


def _title(ctx: Context, talk: Talk) -> str:
    return ctx.t("Talk with {name}", name=talk.partner_of(ctx.member.id).name)
