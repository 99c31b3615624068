"""One conversation across workspaces and its two threads: what is owed to either side."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot import deliveries
from bot.cards import Card
from bot.community import parting
from bot.community.parting import Parting
from bot.community.relay import cards
from bot.deliveries import enqueue
from bot.domain.escaping import one_line
from bot.i18n import Translator, translator
from db import blocks, members, outbox, relay
from db.members import Member
from db.outbox import Delivery
from db.relay import Relay

KIND = "conversation"


@dataclass(frozen=True, slots=True)
class ConversationView:
    """One conversation, seen from the side of who just did something there."""

    session: AsyncSession
    now: datetime
    talk: Relay
    me: Member
    other: Member | None
    t: Translator

    @property
    def other_name(self) -> str:
        """What the other one is called."""
        return one_line(self.other.name) if self.other else ""


async def load_view(
    session: AsyncSession, now: datetime, talk: Relay, me: Member
) -> ConversationView:
    """A conversation from one side."""
    number = talk.partner_of(me.id)
    other = await members.load_member(session, number) if number is not None else None
    return ConversationView(session, now, talk, me, other, translator(me.language))


async def notify_other(view: ConversationView, card: Card, key: str) -> int | None:
    """Owe the other side a card in its thread; None where it can be reached nowhere."""
    if view.other is None:
        return None
    return await notify(view.session, view.now, view.talk, view.other, card, key)


async def notify(
    session: AsyncSession, now: datetime, talk: Relay, person: Member, card: Card, key: str
) -> int | None:
    """Owe one side a card: in its thread, else wherever that person is told things."""
    root = await relay.load_root(session, talk, person.id)
    if root is None or not root.is_reachable:
        return await enqueue(session, now, person, KIND, card, key=key)
    to, under = outbox.delivery_address(root.lock_delivery), root.lock_delivery.id
    return await enqueue(session, now, person, KIND, card, key=key, destination=to, parent_id=under)


# --- what became of it ------------------------------------------------------------------------


@deliveries.on_ended(KIND)
async def on_delivery_ended(session: AsyncSession, now: datetime, delivery: Delivery) -> None:
    """Who wrote something that did not arrive is told, once an hour, without the words."""
    removed = delivery.state == outbox.CANCELLED and delivery.reason == outbox.REMOVED
    if delivery.state not in (outbox.DEAD, outbox.EXPIRED, outbox.AMBIGUOUS) and not removed:
        return
    about = delivery.of_id or delivery.id
    line = await relay.find_line_by_delivery(session, about)
    talk = await session.get(Relay, line.relay_id) if line else None
    talk = talk or await relay.find_relay_by_root(session, about)
    reader = await _load_member(session, delivery.member_id)
    if talk is None or reader is None:
        return
    writer = await _load_member(session, line.author_id if line else talk.partner_of(reader.id))
    if writer is None or writer.status != "verified":
        return
    t = translator(writer.language)
    closed = not await relay.can_write_to(session, delivery)
    card = cards.delivery_failure_card(
        t, one_line(reader.name), is_closed=closed, is_opening=line is None
    )
    key = f"relay:{talk.id}:missed:{writer.id}:{now:%Y%m%d%H}"
    await notify(session, now, talk, writer, card, key)
    if closed:
        await _notify_closed_messages(session, now, talk, reader, writer, delivery)


async def _notify_closed_messages(
    session: AsyncSession, now: datetime, talk: Relay, reader: Member, writer: Member,
    failed: Delivery,
) -> None:  # fmt: skip
    """Whose direct messages are closed hears of it elsewhere, once a day and without the words."""
    place = await outbox.find_address(session, reader.id)
    if place is None or place.lane == failed.lane:
        return
    card = cards.messages_closed_card(translator(reader.language), one_line(writer.name))
    key = f"relay:{talk.id}:closed:{reader.id}:{now:%Y%m%d}"
    await enqueue(session, now, reader, KIND, card, key=key, destination=place)


async def _load_member(session: AsyncSession, number: int | None) -> Member | None:
    return await members.load_member(session, number) if number is not None else None


# --- opening and ending -----------------------------------------------------------------------


async def add_opening_controls(session: AsyncSession, talk: Relay) -> None:
    """Say on both opening cards what else goes over, and what either side may do at any time.

    Called in the transaction that owes them, before anybody could have sent one.
    """
    for member_id in (talk.one_id, talk.other_id):
        if member_id is None:
            continue
        opening = await outbox.delivery(session, talk.root_of(member_id))
        card = deliveries.load_card(opening.body) if opening and opening.body else None
        if opening is None or not isinstance(card, Card):
            continue
        t = translator(opening.language)
        shown = (*card.parts, cards.edits_hint(t), cards.control_buttons(t, talk.id))
        opening.body = deliveries.dump_card(replace(card, parts=shown))


async def end_conversation(view: ConversationView) -> None:
    """Over for both; the other side is told once."""
    if view.talk.status != relay.OPEN:
        return
    view.talk.status, view.talk.ended_at = relay.ENDED, view.now
    if view.other and not await blocks.is_blocked(view.session, view.me.id, view.other.id):
        t = translator(view.other.language)
        card = cards.other_ended_card(t, one_line(view.me.name))
        await notify_other(view, card, f"relay:{view.talk.id}:ended")


@parting.ends("left", "forgotten")
async def end_conversations(session: AsyncSession, now: datetime, act: Parting) -> None:
    """All conversations of who leaves are over; a suspension may be lifted, so they only rest."""
    while talks := await relay.list_relays(session, act.member.id, only_open=True):
        for talk in talks:
            await end_conversation(await load_view(session, now, talk, act.member))
