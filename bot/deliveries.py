"""The kinds of messages, and how a message is put into the outbox, edited or withdrawn."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

import structlog
from pydantic import TypeAdapter
from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from bot.cards import Button, Buttons, Card, Choice, Entry, Note, Part, Reply
from bot.domain.quiet_hours import next_allowed_time
from bot.i18n import Translator, translator
from db import outbox, switches, withdrawing
from db.members import Account, Member
from db.outbox import Address, Delivery

log = structlog.get_logger()

MAX_REDRAWN, REDRAW_PERIOD = 20, timedelta(days=14)
"""How many cards of one matter are redrawn when it is decided, and how old they may be."""

_TAKEN_BACK = "taken back"
_UNSENT_STATES = (outbox.DUE, outbox.HELD)
_SENT_STATES = (outbox.CLAIMED, outbox.INFLIGHT, outbox.SENT, outbox.AMBIGUOUS)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of message; `title` is English and names it in the settings.

    `is_requested`: the reader asked for it, so it comes at any hour and beyond the ceiling, and has
    no switch. `on_ambiguous`: what to do when nobody can tell whether a message arrived.
    `in_channels`: it is posted in channels, not to one member.
    """

    title: str
    is_requested: bool = False
    on_ambiguous: Literal["hold", "resend"] = "hold"
    in_channels: bool = False

    @property
    def switchable(self) -> bool:
        """Return whether a member may switch this kind off."""
        return not (self.is_requested or self.in_channels)


KINDS: Mapping[str, Kind] = {
    "answer": Kind("Replies to what you did", is_requested=True, on_ambiguous="resend"),
    "conversation": Kind("Conversations you agreed to", is_requested=True, on_ambiguous="resend"),
    "invitation": Kind("Invitations by colleagues", is_requested=True, on_ambiguous="resend"),
    "duty": Kind("Staff and city lead tasks", is_requested=True, on_ambiguous="resend"),
    "introduction": Kind("Introduction requests", on_ambiguous="resend"),
    "round": Kind("Pairing rounds", on_ambiguous="resend"),
    "welcome": Kind("Tips for your first week", on_ambiguous="resend"),
    "profile": Kind("Reminders about your profile", on_ambiguous="resend"),
    "news": Kind("News in channels", in_channels=True),
}


def kind_title(t: Translator, kind: str) -> str:
    """Return the translated title of a kind; a kind that is not known is returned as it is."""
    known = KINDS.get(kind)
    return t(known.title) if known else kind


EndedHook = Callable[[AsyncSession, datetime, Delivery], Awaitable[None]]
"""Called in the transaction that records how a delivery ended, in whatever state."""

ENDED_HOOKS: dict[str, EndedHook] = {}


def on_ended(kind: str) -> Callable[[EndedHook], EndedHook]:
    """Declare a hook that runs when a delivery of this kind has ended, in whatever state."""

    def declare(act: EndedHook) -> EndedHook:
        ENDED_HOOKS[kind] = act
        return act

    return declare


async def run_ended_hooks(session: AsyncSession, now: datetime, rows: Iterable[Delivery]) -> None:
    """Run the hook declared for the kind of each ended delivery.

    A hook that fails is logged and rolled back to its savepoint; the others and the caller's work
    stay.
    """
    for row in rows:
        act = ENDED_HOOKS.get(row.kind)
        if act is None:
            continue
        try:
            async with session.begin_nested():
                await act(session, now, row)
        except Exception as error:
            log.error("hook failed", kind=row.kind, delivery=row.id, error=type(error).__name__)


_REPLY_ADAPTER: TypeAdapter[Reply] = TypeAdapter(Reply)


def dump_card(card: Card) -> str:
    """Return a card as the JSON that the outbox keeps."""
    return _REPLY_ADAPTER.dump_json(card).decode()


def load_card(body: str) -> Reply:
    """Return the card, or form, of a JSON text that `dump_card` made."""
    return _REPLY_ADAPTER.validate_json(body)


async def enqueue(
    session: AsyncSession,
    now: datetime,
    person: Member,
    kind: str,
    card: Card,
    *,
    key: str,
    destination: Address | None = None,
    parent_id: int | None = None,
    at: datetime | None = None,
    expires: datetime | None = None,
) -> int | None:
    """Put one message to a member into the outbox; return the number of the delivery.

    `card` is written in the member's language. Returns None when a delivery with this key exists,
    or when the hub can reach the member nowhere. `destination` is where the member is usually
    reached unless given; `parent_id` is the delivery that opened the thread it belongs to; `at` is
    when it is due. A message that was not requested waits for the end of quiet hours and carries a
    button that stops its kind. It is stored as cancelled, with the reason, where the member
    switched the kind off or the weekly ceiling is reached.
    """
    place = destination or await outbox.find_address(session, person.id)
    if place is None:
        return None
    facts: dict[str, Any] = {"at": at or now}
    asked = KINDS[kind].is_requested
    if not asked:
        card = _add_stop_button(card, kind, person.language)
        facts = await _schedule_or_cancel(session, now, person, kind, at or now)
    return await outbox.add_delivery(
        session,
        place,
        key=key,
        kind=kind,
        member_id=person.id,
        language=person.language,
        body=dump_card(card),
        created_at=now,
        expires=expires,
        under_id=parent_id,
        weighs=not asked,
        **facts,
    )


async def _schedule_or_cancel(
    session: AsyncSession, now: datetime, person: Member, kind: str, at: datetime
) -> dict[str, Any]:
    """Return the columns that say when an unrequested message is due, or why it is cancelled."""
    when = next_allowed_time(at, person.zone, person.quiet_from, person.quiet_to)
    why = ""
    if not await switches.is_kind_on(session, person, kind):
        why = "switched off"
    elif await switches.count_recent_unasked(session, person.id, now) >= person.weekly_ceiling:
        why = "weekly ceiling"
    if not why:
        return {"at": when}
    return {"at": when, "state": outbox.CANCELLED, "ended_at": now, "reason": why}


def _add_stop_button(card: Card, kind: str, language: str) -> Card:
    stop = Button(translator(language)("Stop messages of this kind"), f"settings stop:{kind}")
    return replace(card, parts=(*card.parts, Buttons((stop,))))


async def enqueue_for_account(
    session: AsyncSession,
    now: datetime,
    account: Account,
    kind: str,
    card: Card,
    *,
    key: str,
    language: str,
    at: datetime | None = None,
    expires: datetime | None = None,
) -> int | None:
    """Put one message to just this account into the outbox; return the number of the delivery.

    The account need not be a member's. Returns None when a delivery with this key exists or the
    account cannot be reached. Raises ValueError for a kind that was not requested: somebody who is
    no member yet has no switches. The account's `workspace` must be loaded.
    """
    if not KINDS[kind].is_requested:
        raise ValueError(f"«{kind}» needs a member who may switch it off")
    home = account.workspace
    if not account.reachable or home.removed_at is not None:
        return None
    place = Address(home.platform, home.external_id, account.external_id)
    return await outbox.add_delivery(
        session,
        place,
        key=key,
        kind=kind,
        member_id=account.member_id,
        language=language,
        body=dump_card(card),
        created_at=now,
        at=at or now,
        expires=expires,
    )


# --- changes to a delivery --------------------------------------------------------------------


async def edit_delivery(
    session: AsyncSession, now: datetime, number: int | None, card: Card, *, key: str
) -> None:
    """Replace the card of a delivery: before it is sent, or by an edit of the message after.

    `key` is the key of that edit. Does nothing if there is no delivery of this number, or if it
    ended unsent.
    """
    original = await outbox.lock_delivery(session, number)
    if original is None:
        return
    waiting = [
        *([original] if original.state in _UNSENT_STATES else []),
        *await outbox.list_pending_edits(session, original.id),
    ]
    if waiting:
        waiting[0].body = dump_card(card)
    elif original.state in _SENT_STATES:
        await _enqueue_change(session, now, original, "edit", key, dump_card(card))


async def withdraw_unsettled(
    session: AsyncSession, now: datetime, *which: ColumnElement[bool]
) -> int:
    """Withdraw the deliveries of this condition that did not arrive yet; return how many.

    Whatever is on its way, or was tried, is removed once it is known to have arrived; an edit that
    was tried takes the edited message with it.
    """
    rows = await withdrawing.list_unsettled(session, *which)
    for row in rows:
        may_be_there = row.act == "edit" and row.attempts > 0
        await withdraw_delivery(session, now, row.of_id if may_be_there else row.id)
    return len(rows)


async def mark_decided(
    session: AsyncSession, now: datetime, matter: str, describe: Callable[[Translator], str]
) -> None:
    """Redraw the cards that were sent about a matter which is decided now, or was withdrawn.

    `matter` is their key, or what their keys begin with before a colon. Their buttons go, and the
    sentence that `describe` returns in the reader's language comes below. At most
    `MAX_REDRAWN` cards of the last `REDRAW_PERIOD` are redrawn.
    """
    since = now - REDRAW_PERIOD
    for row in await outbox.list_sent_about(session, matter, since, MAX_REDRAWN):
        said = Note(describe(translator(row.language)))
        card = load_card(row.body) if row.body else Card(said.text)
        if isinstance(card, Card):
            parts = (*_without_buttons(card), said) if row.body else ()
            closed = replace(card, parts=parts)
            # what is decided twice, in another way, is another edit
            mark = sha256(said.text.encode()).hexdigest()[:12]
            await edit_delivery(session, now, row.id, closed, key=f"{row.key}:decided:{mark}")


def _without_buttons(card: Card) -> Iterator[Part]:
    for part in card.parts:
        if isinstance(part, Entry):
            yield replace(part, buttons=())
        elif not isinstance(part, Buttons | Choice):
            yield part


async def withdraw_delivery(session: AsyncSession, now: datetime, number: int | None) -> None:
    """Withdraw a delivery: cancel it if it was not sent, else enqueue a removal of the message.

    What was tried before and may have arrived is removed, too, if it is found.
    """
    original = await outbox.lock_delivery(session, number)
    if original is None:
        return
    edits = Delivery.of_id == original.id, Delivery.act == "edit"
    ended = await outbox.cancel_waiting(session, now, _TAKEN_BACK, *edits)
    waits = original.state in (outbox.DUE, outbox.CLAIMED)
    may_be_there = original.began_at is not None if waits else original.state in _SENT_STATES
    if may_be_there:
        await _enqueue_change(session, now, original, "remove", f"{original.key}:remove", "")
    else:
        itself = Delivery.id == original.id
        ended += await outbox.cancel_waiting(
            session, now, _TAKEN_BACK, itself, unsolved=(outbox.HELD,)
        )
    await run_ended_hooks(session, now, ended)


async def _enqueue_change(
    session: AsyncSession, now: datetime, original: Delivery, act: str, key: str, body: str
) -> None:
    await outbox.add_delivery(
        session,
        outbox.delivery_address(original),
        key=key,
        kind=original.kind,
        member_id=original.member_id,
        act=act,
        of_id=original.id,
        under_id=original.under_id,
        language=original.language,
        body=body,
        created_at=now,
        at=now,
    )
