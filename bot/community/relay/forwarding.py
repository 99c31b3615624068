"""Passes a message on to the other side of a conversation, or says why it may not be."""

from datetime import timedelta

from bot.cards import Card
from bot.community.people.waking import render_night
from bot.community.relay import cards
from bot.community.relay.copies import describe_losses, render_copy
from bot.community.relay.threads import ConversationView, notify_other
from bot.request import HandledMessage, IncomingMessage
from db import blocks, inbound, relay
from db.relay import RelayLine

A_NIGHT = timedelta(hours=8)
NO_REPLY = HandledMessage()
"""The event belonged to a conversation, and its writer gets no answer."""


async def forward(view: ConversationView, heard: IncomingMessage) -> HandledMessage:
    """Record a message and enqueue its copy for the other side; return the writer's answer.

    If it may not be passed on, it is recorded as withheld and the answer says why.
    """
    line = RelayLine(
        relay_id=view.talk.id,
        author_id=view.me.id,
        source=heard.source,
        edition=heard.edition,
        status=relay.WITHHELD,
        gone=False,
        at=view.now,
    )
    view.session.add(line)
    await view.session.flush()
    if await inbound.has_seen(view.session, deletion_key(heard)):
        line.gone = True  # the deletion arrived before the message
        return NO_REPLY
    hindered = await find_obstacle(view)
    if hindered is not None:
        return hindered
    copy = render_copy(view, heard)
    if copy.card is None:
        said = view.t(
            "I couldn't pass anything on from that message; I can pass on words and links."
        )
        return HandledMessage(cards.note_card(said))
    line.delivery_id = await notify_other(view, copy.card, f"relay:{line.id}")
    if line.delivery_id is None:
        return HandledMessage(cards.unreachable_card(view.t, view.other_name))
    line.status = relay.PASSED
    losses = describe_losses(view, heard.files, is_cut=copy.is_cut)
    receipt = cards.receipt_card(view.t, view.other_name)
    return HandledMessage(losses or await _render_night(view, line), receipt)


async def _render_night(view: ConversationView, line: RelayLine) -> Card | None:
    """Render, for the first message of a night, that the other side may read it in the morning."""
    said = render_night(view.t, view.other, view.now) if view.other else ""
    if not said:
        return None
    since = view.now - A_NIGHT
    if await relay.has_passed_since(view.session, view.talk.id, view.me.id, since, line.id):
        return None
    return cards.note_card(said)


async def find_obstacle(view: ConversationView) -> HandledMessage | None:
    """Return the answer for a writer whose message may not be passed on now; None if it may.

    A writer who is blocked gets `NO_REPLY`, so as not to learn of it.
    """
    session, talk, me, other, t = view.session, view.talk, view.me, view.other, view.t
    if me.status != "verified":
        return NO_REPLY
    if me.muted_until is not None and me.is_muted(view.now):
        return HandledMessage(cards.mute_card(t, me.muted_until))
    if other is None:
        return HandledMessage(cards.unreachable_card(t, ""))
    if talk.status != relay.OPEN:
        return HandledMessage(cards.conversation_over_card(t, view.other_name))
    if await blocks.has_blocked(session, me.id, other.id):
        return HandledMessage(cards.you_blocked_card(t, view.other_name, talk.id))
    if await blocks.is_blocked(session, me.id, other.id):
        return NO_REPLY  # a blocked writer must not learn of it
    if talk.is_paused_by(me.id):
        return HandledMessage(cards.you_paused_card(t, talk.id))
    if talk.is_paused_by(other.id):
        return HandledMessage(cards.other_paused_card(t, view.other_name))
    if other.status != "verified":
        return HandledMessage(cards.unreachable_card(t, view.other_name))
    return None


def deletion_key(heard: IncomingMessage) -> str:
    """Return the key under which the deletion of this message is saved."""
    return f"gone:{heard.source}"
