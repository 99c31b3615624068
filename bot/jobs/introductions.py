"""Introductions by the clock: what came to nothing is told, and nothing stays half open."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.cards import Button, Buttons, Card, Note
from bot.community.talks.opening import may_talk, open_talk, tell_unreached
from bot.deliveries import owe, tell_ended
from bot.i18n import Translator, translator
from db import introductions, outbox, talks
from db.introductions import ASKED, EXPIRED, YES, Introduction
from db.members import Member
from db.outbox import Delivery
from db.talks import Talk

DRAFTS_LAST = timedelta(days=1)
HALF_OPEN_AT_MOST = timedelta(hours=24)
LOST = (outbox.EXPIRED, outbox.DEAD, outbox.CANCELLED)


async def tend_introductions(session: AsyncSession, now: datetime) -> None:
    """One turn; may run at any time, in several processes at once, and twice without harm."""
    await introductions.drop_drafts(session, now - DRAFTS_LAST)
    for one in await introductions.due(session, now):
        await _close(session, now, one)
    for talk in await talks.opening(session):
        await _settle(session, now, talk)


# --- what came to nothing ---------------------------------------------------------------------


async def _close(session: AsyncSession, now: datetime, one: Introduction) -> None:
    """Over; whoever waits for it hears one and the same sentence, whatever the reason."""
    one.closed_at = now
    if one.status == ASKED:
        one.status = EXPIRED
    ended = await introductions.take_back(session, one, now, "over")
    await tell_ended(session, now, ended)
    waiting = {one.by_id: one.by} if one.by else {}
    waiting |= {p.id: p for p in (one.one, one.other) if one.said(p.id) == YES}
    for person in waiting.values():
        if person and person.status == "verified":
            card = _not_now(translator(person.language), one, person)
            key = f"intro:{one.id}:over:{person.id}"
            await owe(session, now, person, "answer", card, key=key)


def _not_now(t: Translator, one: Introduction, person: Member) -> Card:
    if person.id in (one.one_id, one.other_id):
        name = one.facing(person.id).name
        said = t("{name} is not available for an introduction now. It happens often and means "
                 "little; somebody else may have time.", name=name)  # fmt: skip
    else:
        said = t("The introduction of {name} and {other} is not possible now.",
                 name=one.one.name, other=one.other.name)  # fmt: skip
    buttons = (Button(t("Ask somebody else"), "intro"), Button(t("My introductions"), "intro list"))
    return Card(title=t("Not available now"), parts=(Note(said), Buttons(buttons)))


# --- talks that did not open for both ---------------------------------------------------------


async def _settle(session: AsyncSession, now: datetime, talk: Talk) -> None:
    """Open for both; or, once one side is lost or a day has passed, for neither."""
    if not await may_talk(session, talk.one, talk.other):
        await tell_ended(session, now, await talks.give_up(session, talk, now))
        return
    roots = await talks.roots(session, talk)
    if all(root is not None and root.state == outbox.SENT for root in roots.values()):
        talk.status = talks.OPEN
        return
    lost = {person for person, root in roots.items() if _is_lost(root, now)}
    if not lost:
        return
    if talk.together:
        await tell_ended(session, now, await talks.drop_roots(session, talk, now))
        await open_talk(session, now, talk, apart=True)
        return
    await tell_ended(session, now, await talks.give_up(session, talk, now))
    for person in (talk.one, talk.other):
        if person.id not in lost:
            await tell_unreached(session, now, talk, person)


def _is_lost(root: Delivery | None, now: datetime) -> bool:
    if root is None or root.state in LOST:
        return True
    return root.state != outbox.SENT and now - root.created_at > HALF_OPEN_AT_MOST
