"""One conversation across workspaces and its two threads: what each side is sent."""

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
    """One conversation as seen by `me`, the side that acts; `t` translates for `me`."""

    session: AsyncSession
    now: datetime
    talk: Relay
    me: Member
    other: Member | None
    t: Translator

    @property
    def other_name(self) -> str:
        """The other side's name on one line; empty if they are gone."""
        return one_line(self.other.name) if self.other else ""


async def load_view(
    session: AsyncSession, now: datetime, talk: Relay, me: Member
) -> ConversationView:
    """Load the view that one member has of a conversation; `other` is None if they are gone."""
    number = talk.partner_of(me.id)
    other = await members.load_member(session, number) if number is not None else None
    return ConversationView(session, now, talk, me, other, translator(me.language))


async def notify_other(view: ConversationView, card: Card, key: str) -> int | None:
    """Enqueue a card for the other side; return the delivery's id, None if they are unreachable."""
    if view.other is None:
        return None
    return await notify(view.session, view.now, view.talk, view.other, card, key)


async def notify(
    session: AsyncSession, now: datetime, talk: Relay, person: Member, card: Card, key: str
) -> int | None:
    """Enqueue a card for one side: in its thread, else at that person's usual address.

    Returns the delivery's id, None if the person cannot be reached or the key was used before.
    """
    root = await relay.load_root(session, talk, person.id)
    if root is None or not root.is_reachable:
        return await enqueue(session, now, person, KIND, card, key=key)
    to, under = outbox.delivery_address(root.delivery), root.delivery.id
    return await enqueue(session, now, person, KIND, card, key=key, destination=to, parent_id=under)


# --- failed deliveries ------------------------------------------------------------------------


@deliveries.on_ended(KIND)
async def on_delivery_ended(session: AsyncSession, now: datetime, delivery: Delivery) -> None:
    """Notify the writer of a message that did not arrive, once an hour, without its text.

    If the reader's direct messages are closed, the reader is notified elsewhere.
    """
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
    if not await outbox.has_delivery(session, key):  # one is enough, whatever it said
        await notify(session, now, talk, writer, card, key)
    if closed:
        await _notify_closed_messages(session, now, talk, reader, writer, delivery)


async def _notify_closed_messages(
    session: AsyncSession,
    now: datetime,
    talk: Relay,
    reader: Member,
    writer: Member,
    failed: Delivery,
) -> None:
    """Notify the reader at another address, once a day, that their direct messages are closed."""
    place = await outbox.find_address(session, reader.id)
    key = f"relay:{talk.id}:closed:{reader.id}:{now:%Y%m%d}"
    if place is None or place.lane == failed.lane or await outbox.has_delivery(session, key):
        return
    card = cards.messages_closed_card(translator(reader.language), one_line(writer.name))
    await enqueue(session, now, reader, KIND, card, key=key, destination=place)


async def _load_member(session: AsyncSession, number: int | None) -> Member | None:
    return await members.load_member(session, number) if number is not None else None


# --- opening and ending -----------------------------------------------------------------------


async def add_opening_controls(session: AsyncSession, talk: Relay) -> None:
    """Add to both opening cards the hint on edits, and the buttons to pause, end, block and report.

    Must run in the transaction that enqueues the cards, before one of them can be sent.
    """
    for member_id in (talk.one_id, talk.other_id):
        if member_id is None:
            continue
        opening = await outbox.lock_delivery(session, talk.root_of(member_id))
        card = deliveries.load_card(opening.body) if opening and opening.body else None
        if opening is None or not isinstance(card, Card):
            continue
        t = translator(opening.language)
        shown = (*card.parts, cards.edits_hint(t), cards.control_buttons(t, talk.id))
        opening.body = deliveries.dump_card(replace(card, parts=shown))


async def end_conversation(view: ConversationView) -> None:
    """End an open conversation for both; notify the other side unless one blocked the other."""
    if view.talk.status != relay.OPEN:
        return
    view.talk.status, view.talk.ended_at = relay.ENDED, view.now
    if view.other and not await blocks.is_blocked(view.session, view.me.id, view.other.id):
        t = translator(view.other.language)
        card = cards.other_ended_card(t, one_line(view.me.name))
        await notify_other(view, card, f"relay:{view.talk.id}:ended")


@parting.ends("left", "forgotten")
async def end_conversations(session: AsyncSession, now: datetime, act: Parting) -> None:
    """End all conversations of a member who leaves or is forgotten.

    Not of one who is suspended: a suspension may be lifted, so theirs stay open.
    """
    while talks := await relay.list_relays(session, act.member.id, only_open=True):
        for talk in talks:
            await end_conversation(await load_view(session, now, talk, act.member))


@parting.ends("suspended", "muted")
async def withdraw_lines(session: AsyncSession, now: datetime, act: Parting) -> None:
    """Withdraw what a member wrote, edited or reacted with and the other side has not got yet."""
    await deliveries.withdraw_unsettled(session, now, relay.is_written_by(act.member.id))
