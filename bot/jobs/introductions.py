"""Scheduled work on introductions: closes those without a result, settles talks that open."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.cards import Button, Buttons, Card, Note
from bot.community.talks.opening import can_talk, notify_unreachable, open_talk
from bot.deliveries import enqueue, mark_decided, run_ended_hooks
from bot.i18n import Translator, translator
from db import introductions, outbox, talks
from db.introductions import ASKED, EXPIRED, YES, Introduction, card_key
from db.members import Member
from db.outbox import Delivery
from db.talks import Talk

DRAFT_LIFETIME = timedelta(days=1)
MAX_OPENING = timedelta(hours=24)
LOST_STATES = (outbox.EXPIRED, outbox.DEAD, outbox.CANCELLED)


async def advance_introductions(session: AsyncSession, now: datetime) -> None:
    """Drop old drafts, close introductions that are due and settle talks that are opening.

    May run at any time, in several processes at once, and twice without harm.
    """
    await introductions.delete_old_drafts(session, now - DRAFT_LIFETIME)
    for one in await introductions.list_due(session, now):
        await _close_introduction(session, now, one)
    for talk in await talks.list_opening(session):
        await _settle_talk(session, now, talk)


# --- introductions without a result -----------------------------------------------------------


async def _close_introduction(session: AsyncSession, now: datetime, one: Introduction) -> None:
    """Close an introduction, cancel its cards, and notify those who asked or said yes.

    They all get the same sentence, whatever the reason.
    """
    one.closed_at = now
    if one.status == ASKED:
        one.status = EXPIRED
    ended = await introductions.cancel_cards(session, one, now, "over")
    await run_ended_hooks(session, now, ended)
    for person in (one.one, one.other):
        if not one.answer_of(person.id):
            await mark_decided(session, now, card_key(one, person.id), _over_text)
    waiting = {one.by_id: one.by} if one.by else {}
    waiting |= {p.id: p for p in (one.one, one.other) if one.answer_of(p.id) == YES}
    for person in waiting.values():
        if person and person.status == "verified":
            card = _unavailable_card(translator(person.language), one, person)
            key = f"intro:{one.id}:over:{person.id}"
            await enqueue(session, now, person, "answer", card, key=key)


def _over_text(t: Translator) -> str:
    return t("This request is over; it needs no answer anymore.")


def _unavailable_card(t: Translator, one: Introduction, person: Member) -> Card:
    if person.id in (one.one_id, one.other_id):
        name = one.partner_of(person.id).name
        said = t(
            "{name} isn't available for an introduction right now. It happens often and means "
            "little; someone else may have time.",
            name=name,
        )
    else:
        said = t(
            "I can't introduce {name} and {other} right now.",
            name=one.one.name,
            other=one.other.name,
        )
    buttons = (Button(t("Ask someone else"), "intro"), Button(t("My introductions"), "intro list"))
    return Card(title=t("Not available right now"), parts=(Note(said), Buttons(buttons)))


# --- talks that did not open for both ---------------------------------------------------------


async def _settle_talk(session: AsyncSession, now: datetime, talk: Talk) -> None:
    """Mark a talk as open once both first messages arrived; else see whether it failed.

    Once one side is lost or a day has passed, it fails for both. A group chat that is lost is tried
    again as separate threads.
    """
    if not await can_talk(session, talk.one, talk.other):
        await run_ended_hooks(session, now, await talks.fail_talk(session, talk, now))
        return
    roots = await talks.load_roots(session, talk)
    if all(root is not None and root.state == outbox.SENT for root in roots.values()):
        talk.status = talks.OPEN
        return
    lost = {person for person, root in roots.items() if _is_lost(root, now)}
    if not lost:
        return
    if talk.together:
        await run_ended_hooks(session, now, await talks.cancel_roots(session, talk, now))
        await open_talk(session, now, talk, separate_threads=True)
        return
    await run_ended_hooks(session, now, await talks.fail_talk(session, talk, now))
    for person in (talk.one, talk.other):
        if person.id not in lost:
            await notify_unreachable(session, now, talk, person)


def _is_lost(root: Delivery | None, now: datetime) -> bool:
    if root is None or root.state in LOST_STATES:
        return True
    return root.state != outbox.SENT and now - root.created_at > MAX_OPENING
