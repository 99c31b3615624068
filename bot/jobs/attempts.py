"""Makes one attempt at a delivery: calls the adapter and reports how it ended."""

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
    LOOKUP_PERIOD,
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

SEND_TIMEOUT = 10.0
"""Seconds after which an attempt no longer waits for the platform."""

MAX_MARKER = 25
"""Characters of a marker: the limit of the strictest platform."""


NO_MESSAGE = PostedMessage("")


@dataclass(frozen=True, slots=True)
class AttemptReport:
    """How one attempt, or one look-up of an earlier attempt, ended.

    `rate_limit` is the key of what the platform asked to leave alone for `wait`; empty if nothing.
    `dm_closed`: the person takes no direct messages from the hub.
    """

    row: Delivery
    end: AttemptResult
    began: datetime
    posted: PostedMessage = NO_MESSAGE
    rate_limit: str = ""
    wait: timedelta = timedelta(0)
    dm_closed: bool = False
    is_lookup: bool = False


def make_marker(key: str, delivery: str) -> str:
    """Return the signed word that a message carries, so that it can be found again.

    Nobody without the key can make one.
    """
    signed = hmac.new(key.encode(), delivery.encode(), hashlib.sha256).digest()
    return base64.b32encode(signed).decode()[:MAX_MARKER]


def destination_of(claim: Claim) -> Destination:
    """Return where a delivery goes.

    One that stands under another message goes to the channel where that message landed.
    """
    row, root = claim
    channel, thread = row.channel, ""
    if root is not None and row.under_id == root.id:
        channel, thread = root.landed_in or channel, root.platform_id
    return Destination(row.platform, row.workspace, row.user, channel, thread)


def rate_limit_key(row: Delivery, scope: str) -> str:
    """Return the key of the rate limit for a scope: the platform, the workspace or the lane."""
    if scope == "platform":
        return row.platform
    return f"{row.platform}:{row.workspace}" if scope == "workspace" else row.lane


async def attempt_delivery(
    adapter: DeliveryAdapter, keys: Sequence[str], claim: Claim, began: datetime
) -> AttemptReport:
    """Post, edit or remove a message and report how that ended; never raises."""
    row = claim.row
    try:
        async with asyncio.timeout(SEND_TIMEOUT):
            posted = await _call_adapter(adapter, keys, claim)
    except DeliveryError as refused:
        return _failure_result(row, refused, began)
    except asyncio.CancelledError:  # the process stops before the end of the call is known
        return AttemptReport(row, Ambiguous("stopped"), began)
    except Exception as error:
        # this may be our own bug while the message was rendered; a look-up tells
        log.warning("attempt failed", delivery=row.id, kind=row.kind, error=type(error).__name__)
        return AttemptReport(row, Ambiguous(type(error).__name__), began)
    finally:
        reach("deliver.after_call")
    if not posted.id:
        return AttemptReport(row, Ambiguous("no id"), began)
    return AttemptReport(row, Delivered(), began, posted)


async def _call_adapter(
    adapter: DeliveryAdapter, keys: Sequence[str], claim: Claim
) -> PostedMessage:
    row, root = claim
    place = destination_of(claim)
    reach("deliver.before_call")
    if row.act == "post" or root is None:
        reply = add_resent_note(row) if row.resent else load_card(row.body)
        return await adapter.post(place, reply, row.language, make_marker(keys[0], row.key))
    there = PostedMessage(root.platform_id, root.landed_in)
    if row.act == "remove":
        await adapter.remove(place, there)
    else:
        await adapter.edit(place, there, load_card(row.body), row.language)
    return there


def add_resent_note(row: Delivery) -> Reply:
    """Return the card of a delivery with a note that it may be the second one."""
    reply = load_card(row.body)
    if not isinstance(reply, Card):
        return reply
    note = translator(row.language)("(sent again: the first one may have arrived)")
    return replace(reply, parts=(*reply.parts, Note(note)))


def _failure_result(row: Delivery, refused: DeliveryError, began: datetime) -> AttemptReport:
    wait = timedelta(seconds=max(refused.wait, 0))
    gate = rate_limit_key(row, refused.scope) if wait else ""
    if not refused.certain:
        return AttemptReport(row, Ambiguous(refused.reason), began, rate_limit=gate, wait=wait)
    everywhere = refused.final and refused.scope == "workspace"
    end = Rejected(refused.reason, refused.final or refused.dm_closed, everywhere, wait)
    return AttemptReport(row, end, began, rate_limit=gate, wait=wait, dm_closed=refused.dm_closed)


async def look_up_delivery(
    adapter: DeliveryAdapter, keys: Sequence[str], claim: Claim, began: datetime
) -> AttemptReport:
    """Look for the message of an attempt whose end is not known, and report; never raises."""
    row, place = claim.row, destination_of(claim)
    since = row.began_at or began
    if since > began:  # before the clock went back: nobody knows how long ago
        since = began - LOOKUP_PERIOD
    try:
        async with asyncio.timeout(SEND_TIMEOUT):
            for key in keys:
                found = await adapter.find(place, make_marker(key, row.key), since)
                if found is not None:
                    return AttemptReport(row, Delivered(), began, found, is_lookup=True)
    except SearchInconclusiveError:
        return AttemptReport(row, Unverifiable(), began, is_lookup=True)
    except DeliveryError as refused:
        if refused.final:
            return AttemptReport(row, Unverifiable(), began, is_lookup=True)
        wait = timedelta(seconds=max(refused.wait, 0))
        gate = rate_limit_key(row, refused.scope) if wait else ""
        return AttemptReport(
            row,
            LookupFailed(refused.reason, wait),
            began,
            rate_limit=gate,
            wait=wait,
            is_lookup=True,
        )
    except asyncio.CancelledError:
        return AttemptReport(row, LookupFailed("stopped"), began, is_lookup=True)
    except Exception as error:
        log.warning("look failed", delivery=row.id, kind=row.kind, error=type(error).__name__)
        return AttemptReport(row, LookupFailed(type(error).__name__), began, is_lookup=True)
    finally:
        reach("deliver.after_look")
    return AttemptReport(row, NotPosted(), began, is_lookup=True)
