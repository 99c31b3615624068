"""One attempt: a delivery is given to its courier, and what came of it is put into words."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from bot.adapters.base import (
    DeliveryAdapter,
    DeliveryError,
    Destination,
    PostedMessage,
    SearchInconclusiveError,
)
from bot.cards import Card, Note, Reply
from bot.deliveries import load_card
from bot.domain.outcomes import (
    Ambiguous,
    AttemptResult,
    Delivered,
    LookupFailed,
    NotPosted,
    Rejected,
    Unverifiable,
)
from bot.failpoints import reach
from bot.i18n import translator
from db.outbox import Delivery
from db.sending import Claim

log = structlog.get_logger()

SEND_WITHIN = 10.0
"""Seconds until an answer is no longer waited for."""

LONGEST_MARKER = 25
"""Characters of a marker: what the tightest platform takes."""


NOWHERE = PostedMessage("")


@dataclass(frozen=True, slots=True)
class Result:
    """How one attempt, or look, ended. `gate`: for what the platform asked to wait so long."""

    row: Delivery
    end: AttemptResult
    began: datetime
    posted: PostedMessage = NOWHERE
    gate: str = ""
    wait: timedelta = timedelta(0)
    closed: bool = False
    looked: bool = False


def marker(key: str, delivery: str) -> str:
    """The signed word that a message carries: nobody without the key can make one."""
    signed = hmac.new(key.encode(), delivery.encode(), hashlib.sha256).digest()
    return base64.b32encode(signed).decode()[:LONGEST_MARKER]


def place_of(claim: Claim) -> Destination:
    """Where it goes; what stands under another message goes where that one landed."""
    row, root = claim
    channel, thread = row.channel, ""
    if root is not None and row.under_id == root.id:
        channel, thread = root.landed_in or channel, root.platform_id
    return Destination(row.platform, row.workspace, row.user, channel, thread)


def gate_key(row: Delivery, scope: str) -> str:
    """What a wait of this scope shuts."""
    if scope == "platform":
        return row.platform
    return f"{row.platform}:{row.workspace}" if scope == "workspace" else row.lane


async def attempt(
    courier: DeliveryAdapter, keys: Sequence[str], claim: Claim, began: datetime
) -> Result:
    """Post, edit or remove; never raises."""
    row = claim.row
    try:
        async with asyncio.timeout(SEND_WITHIN):
            posted = await _act(courier, keys, claim)
    except DeliveryError as refused:
        return _not_sent(row, refused, began)
    except asyncio.CancelledError:  # the program ends, and did not see the end of this
        return Result(row, Ambiguous("stopped"), began)
    except Exception as error:
        # also a fault of ours while the message was drawn: looking for it tells
        log.warning("attempt failed", delivery=row.id, kind=row.kind, error=type(error).__name__)
        return Result(row, Ambiguous(type(error).__name__), began)
    finally:
        reach("deliver.after_call")
    if not posted.id:
        return Result(row, Ambiguous("no id"), began)
    return Result(row, Delivered(), began, posted)


async def _act(courier: DeliveryAdapter, keys: Sequence[str], claim: Claim) -> PostedMessage:
    row, root = claim
    place = place_of(claim)
    reach("deliver.before_call")
    if row.act == "post" or root is None:
        reply = said_again(row) if row.resent else load_card(row.body)
        return await courier.post(place, reply, row.language, marker(keys[0], row.key))
    there = PostedMessage(root.platform_id, root.landed_in)
    if row.act == "remove":
        await courier.remove(place, there)
    else:
        await courier.edit(place, there, load_card(row.body), row.language)
    return there


def said_again(row: Delivery) -> Reply:
    """The message with a word that it may be the second one."""
    reply = load_card(row.body)
    if not isinstance(reply, Card):
        return reply
    note = translator(row.language)("(sent again: the first one may have arrived)")
    return replace(reply, parts=(*reply.parts, Note(note)))


def _not_sent(row: Delivery, refused: DeliveryError, began: datetime) -> Result:
    wait = timedelta(seconds=max(refused.wait, 0))
    gate = gate_key(row, refused.scope) if wait else ""
    if not refused.certain:
        return Result(row, Ambiguous(refused.reason), began, gate=gate, wait=wait)
    everywhere = refused.final and refused.scope == "workspace"
    end = Rejected(refused.reason, refused.final or refused.dm_closed, everywhere, wait)
    return Result(row, end, began, gate=gate, wait=wait, closed=refused.dm_closed)


async def look(
    courier: DeliveryAdapter, keys: Sequence[str], claim: Claim, began: datetime
) -> Result:
    """Is it there, from an attempt that nobody saw the end of? Never raises."""
    row, place = claim.row, place_of(claim)
    since = row.began_at or began
    try:
        async with asyncio.timeout(SEND_WITHIN):
            for key in keys:
                found = await courier.find(place, marker(key, row.key), since)
                if found is not None:
                    return Result(row, Delivered(), began, found, looked=True)
    except SearchInconclusiveError:
        return Result(row, Unverifiable(), began, looked=True)
    except DeliveryError as refused:
        if refused.final:
            return Result(row, Unverifiable(), began, looked=True)
        wait = timedelta(seconds=max(refused.wait, 0))
        gate = gate_key(row, refused.scope) if wait else ""
        return Result(
            row, LookupFailed(refused.reason, wait), began, gate=gate, wait=wait, looked=True
        )
    except asyncio.CancelledError:
        return Result(row, LookupFailed("stopped"), began, looked=True)
    except Exception as error:
        log.warning("look failed", delivery=row.id, kind=row.kind, error=type(error).__name__)
        return Result(row, LookupFailed(type(error).__name__), began, looked=True)
    finally:
        reach("deliver.after_look")
    return Result(row, NotPosted(), began, looked=True)
