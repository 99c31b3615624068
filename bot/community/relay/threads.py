"""One conversation across workspaces and its two threads: what is owed to either side."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot import deliveries
from bot.cards import Card
from bot.community import parting
from bot.community.parting import Parting
from bot.community.relay import cards
from bot.deliveries import owe
from bot.domain.escaping import one_line
from bot.i18n import Translator, translator
from db import blocks, members, outbox, relay
from db.members import Member
from db.outbox import Delivery
from db.relay import Relay

KIND = "conversation"


@dataclass(frozen=True, slots=True)
class Scene:
    """One conversation, seen from the side of who just did something there."""

    session: AsyncSession
    now: datetime
    talk: Relay
    me: Member
    other: Member | None
    t: Translator

    @property
    def name(self) -> str:
        """What the other one is called."""
        return one_line(self.other.name) if self.other else ""


async def scene(session: AsyncSession, now: datetime, talk: Relay, me: Member) -> Scene:
    """A conversation from one side."""
    number = talk.facing(me.id)
    other = await members.member(session, number) if number is not None else None
    return Scene(session, now, talk, me, other, translator(me.language))


async def tell_other(view: Scene, card: Card, key: str) -> int | None:
    """Owe the other side a card in its thread; None where it can be reached nowhere."""
    if view.other is None:
        return None
    return await tell(view.session, view.now, view.talk, view.other, card, key)


async def tell(
    session: AsyncSession, now: datetime, talk: Relay, person: Member, card: Card, key: str
) -> int | None:
    """Owe one side a card: in its thread, else wherever that person is told things."""
    root = await relay.root(session, talk, person.id)
    if root is None or not root.there:
        return await owe(session, now, person, KIND, card, key=key)
    to, under = outbox.address(root.delivery), root.delivery.id
    return await owe(session, now, person, KIND, card, key=key, to=to, under=under)


# --- what became of it ------------------------------------------------------------------------


@deliveries.ended(KIND)
async def ended(session: AsyncSession, now: datetime, delivery: Delivery) -> None:
    """Who wrote something that did not arrive is told, once an hour, without the words."""
    removed = delivery.state == outbox.CANCELLED and delivery.reason == outbox.REMOVED
    if delivery.state not in (outbox.DEAD, outbox.EXPIRED, outbox.AMBIGUOUS) and not removed:
        return
    about = delivery.of_id or delivery.id
    line = await relay.line_of(session, about)
    talk = await session.get(Relay, line.relay_id) if line else None
    talk = talk or await relay.rooted_in(session, about)
    reader = await _person(session, delivery.member_id)
    if talk is None or reader is None:
        return
    writer = await _person(session, line.author_id if line else talk.facing(reader.id))
    if writer is None or writer.status != "verified":
        return
    t = translator(writer.language)
    closed = not await relay.can_be_written(session, delivery)
    card = cards.missed(t, one_line(reader.name), closed=closed, opening=line is None)
    key = f"relay:{talk.id}:missed:{writer.id}:{now:%Y%m%d%H}"
    await tell(session, now, talk, writer, card, key)
    if closed:
        await _knock(session, now, talk, reader, writer, delivery)


async def _knock(
    session: AsyncSession, now: datetime, talk: Relay, reader: Member, writer: Member,
    failed: Delivery,
) -> None:  # fmt: skip
    """Whose direct messages are closed hears of it elsewhere, once a day and without the words."""
    place = await outbox.address_of(session, reader.id)
    if place is None or place.lane == failed.lane:
        return
    card = cards.closed(translator(reader.language), one_line(writer.name))
    key = f"relay:{talk.id}:closed:{reader.id}:{now:%Y%m%d}"
    await owe(session, now, reader, KIND, card, key=key, to=place)


async def _person(session: AsyncSession, number: int | None) -> Member | None:
    return await members.member(session, number) if number is not None else None


# --- opening and ending -----------------------------------------------------------------------


async def furnish(session: AsyncSession, talk: Relay) -> None:
    """Say on both opening cards what else goes over, and what either side may do at any time.

    Called in the transaction that owes them, before anybody could have sent one.
    """
    for member_id in (talk.one_id, talk.other_id):
        if member_id is None:
            continue
        opening = await outbox.delivery(session, talk.root_of(member_id))
        card = deliveries.read(opening.body) if opening and opening.body else None
        if opening is None or not isinstance(card, Card):
            continue
        t = translator(opening.language)
        shown = (*card.parts, cards.how(t), cards.controls(t, talk.id))
        opening.body = deliveries.written(replace(card, parts=shown))


async def end(view: Scene) -> None:
    """Over for both; the other side is told once."""
    if view.talk.status != relay.OPEN:
        return
    view.talk.status, view.talk.ended_at = relay.ENDED, view.now
    if view.other and not await blocks.is_blocked(view.session, view.me.id, view.other.id):
        t = translator(view.other.language)
        card = cards.ended(t, one_line(view.me.name))
        await tell_other(view, card, f"relay:{view.talk.id}:ended")


@parting.ends("left", "forgotten")
async def end_conversations(session: AsyncSession, now: datetime, act: Parting) -> None:
    """All conversations of who leaves are over; a suspension may be lifted, so they only rest."""
    while talks := await relay.of_member(session, act.member.id, only_open=True):
        for talk in talks:
            await end(await scene(session, now, talk, act.member))
