"""What is kept of a forgotten member: fingerprints of the accounts, and what others decided.

A fingerprint names nobody: only who knows the account and the secret key can make it again. It
leads to a member without name or facts (`Member.way` is `KEPT`), whose row holds the suspension,
the mute and the blocks for as long as they last, and nothing else.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, ForeignKey, and_, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column, selectinload

from db import moderation
from db.base import Base, insert_if_absent
from db.blocks import Block
from db.introductions import ASK_AGAIN_AFTER, DECLINED, NEVER, Introduction
from db.members import Account, Member
from db.round_members import RoundAvoidance
from db.text import fold_text

KEPT = "kept"
"""The `Member.way` of a row that proves nothing: it holds what is kept of a forgotten member."""


class KeptAccount(Base):
    """The fingerprint of a forgotten or unlinked account, and the member whose sanctions hold."""

    __tablename__ = "kept_account"
    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)


_PAIRS = (
    (Block, Block.member_id, Block.blocked_id),
    (RoundAvoidance, RoundAvoidance.member_id, RoundAvoidance.avoided_id),
)
"""Tables that say that the first member wants no contact with the second one."""
_NEVER = or_(Introduction.one_said == NEVER, Introduction.other_said == NEVER)


_Number = ColumnElement[int] | InstrumentedAttribute[int] | int


def _is_of_introduction(member_id: _Number) -> ColumnElement[bool]:
    return or_(Introduction.one_id == member_id, Introduction.other_id == member_id)


def _has_boundaries(member_id: _Number) -> ColumnElement[bool]:
    """Return the condition that a member wants no contact with somebody, or the reverse."""
    pairs = (exists().where(or_(a == member_id, b == member_id)) for _, a, b in _PAIRS)
    return or_(*pairs, exists().where(_is_of_introduction(member_id), _NEVER))


async def has_sanctions(session: AsyncSession, now: datetime, person: Member) -> bool:
    """Return whether something about a member outlives their data.

    A suspension, a mute, a block or a «never» by the member or about the member.
    """
    if person.status == "suspended" or person.is_muted(now):
        return True
    return bool(await session.scalar(select(_has_boundaries(person.id))))


# --- keeping ----------------------------------------------------------------------------------


async def keep_sanctions(
    session: AsyncSession, now: datetime, person: Member, fingerprints: Sequence[str]
) -> None:
    """Keep what was decided about a member who is about to be erased, under these fingerprints.

    Does nothing if there is nothing to keep.
    """
    if not await has_sanctions(session, now, person):
        return
    kept = await _create_bare_member(session, now)
    await copy_sanctions(session, now, person, kept)
    await _hand_on(session, person.id, kept.id)
    if kept.status == "suspended" or kept.is_muted(now):
        await moderation.keep_decision(session, person.id, kept.id)
    for fingerprint in fingerprints:
        await keep_account(session, kept, fingerprint)


async def _create_bare_member(session: AsyncSession, now: datetime) -> Member:
    made = Member(
        name="", folded="", status="left", way=KEPT, created_at=now, confirmed_at=now, roles=[]
    )
    session.add(made)
    await session.flush()
    return made


async def keep_account(session: AsyncSession, person: Member, fingerprint: str) -> None:
    """Let the sanctions of a member hold for the account of this fingerprint too."""
    await insert_if_absent(session, KeptAccount, fingerprint=fingerprint, member_id=person.id)
    mine = KeptAccount.fingerprint == fingerprint
    await session.execute(update(KeptAccount).where(mine).values(member_id=person.id))


async def copy_sanctions(
    session: AsyncSession, now: datetime, source: Member, target: Member
) -> None:
    """Copy the suspension, the mute and the boundaries of a member to another one."""
    if source.status == "suspended":
        target.status = "suspended"
    if source.is_muted(now):
        both = (source.muted_until, target.muted_until)
        target.muted_until = max(until for until in both if until is not None)
    instead = {source.id: target.id}
    for table, mine, theirs in _PAIRS:
        pairs = select(table).where(or_(mine == source.id, theirs == source.id))
        for row in (await session.scalars(pairs)).all():
            facts = {column.key: getattr(row, column.key) for column in table.__table__.columns}
            one, other = facts[mine.key], facts[theirs.key]
            facts[mine.key] = one = instead.get(one, one)
            facts[theirs.key] = other = instead.get(other, other)
            if one != other:
                await insert_if_absent(session, table, **facts)
    refused = select(Introduction).where(_is_of_introduction(source.id), _NEVER)
    for asked in (await session.scalars(refused)).all():
        one = instead.get(asked.one_id, asked.one_id)
        other = instead.get(asked.other_id, asked.other_id)
        if one != other:
            session.add(_bare_refusal(asked, one, other))
    await session.flush()


def _bare_refusal(asked: Introduction, one_id: int, other_id: int) -> Introduction:
    """Return an introduction that holds only the «never» of another one, and is on no list."""
    long_ago = asked.asked_at - ASK_AGAIN_AFTER
    return Introduction(
        one_id=one_id,
        other_id=other_id,
        status=DECLINED,
        one_said=asked.one_said if asked.one_said == NEVER else "",
        other_said=asked.other_said if asked.other_said == NEVER else "",
        silent=True,
        asked_at=long_ago,
        tells_at=long_ago,
        closed_at=long_ago,
    )


async def _hand_on(session: AsyncSession, old_id: int, new_id: int) -> None:
    """Let all fingerprints of a member lead to another one."""
    there = update(KeptAccount).where(KeptAccount.member_id == old_id)
    await session.execute(there.values(member_id=new_id))


# --- coming back ------------------------------------------------------------------------------


async def _find_members(session: AsyncSession, fingerprints: Sequence[str]) -> Sequence[Member]:
    query = (
        select(Member)
        .join(KeptAccount, KeptAccount.member_id == Member.id)
        .where(KeptAccount.fingerprint.in_(fingerprints))
        .order_by(Member.id)
        .options(selectinload(Member.roles))
    )
    return (await session.scalars(query)).unique().all()


async def find_suspended(session: AsyncSession, fingerprints: Sequence[str]) -> Member | None:
    """Find the suspended member whose suspension holds for an account of these fingerprints."""
    found = await _find_members(session, fingerprints)
    return next((person for person in found if person.status == "suspended"), None)


async def attach_suspended(
    session: AsyncSession, now: datetime, account: Account, fingerprints: Sequence[str]
) -> Member | None:
    """Make a locked account that came back a suspended member again; None if it is not suspended.

    Staff see the member under the account's name, and can restore it.
    """
    kept = await find_suspended(session, fingerprints)
    if kept is None:
        return None
    person = kept
    if kept.way != KEPT or await _has_accounts(session, kept.id):  # another account came first
        person = await _create_bare_member(session, now)
        await copy_sanctions(session, now, kept, person)
    person.name = account.name or account.external_id
    person.folded, person.zone = fold_text(person.name), account.zone or "UTC"
    account.member = person
    await _drop_fingerprints(session, fingerprints)
    return person


async def return_sanctions(
    session: AsyncSession, now: datetime, person: Member, fingerprints: Sequence[str]
) -> None:
    """Give a member back what was kept of an account that is now theirs."""
    found = await _find_members(session, fingerprints)
    await _drop_fingerprints(session, fingerprints)
    for kept in found:
        if kept.id == person.id:
            continue
        await copy_sanctions(session, now, kept, person)
        if kept.way == KEPT and not await _has_accounts(session, kept.id):
            await _hand_on(session, kept.id, person.id)
            await moderation.keep_decision(session, kept.id, person.id)
            await session.execute(delete(Member).where(Member.id == kept.id))


async def _has_accounts(session: AsyncSession, member_id: int) -> bool:
    return bool(await session.scalar(select(exists().where(Account.member_id == member_id))))


async def _drop_fingerprints(session: AsyncSession, fingerprints: Sequence[str]) -> None:
    await session.execute(delete(KeptAccount).where(KeptAccount.fingerprint.in_(fingerprints)))
    await session.flush()


# --- what is over -----------------------------------------------------------------------------


async def delete_old(session: AsyncSession, now: datetime) -> None:
    """Delete fingerprints whose sanctions are over, and the rows that held nothing else."""
    free = select(Member.id).where(
        Member.status != "suspended",
        or_(Member.muted_until.is_(None), Member.muted_until <= now),
        ~_has_boundaries(Member.id),
    )
    await session.execute(delete(KeptAccount).where(KeptAccount.member_id.in_(free)))
    unused = and_(
        Member.way == KEPT,
        ~exists().where(Account.member_id == Member.id),
        ~exists().where(KeptAccount.member_id == Member.id),
    )
    await session.execute(delete(Member).where(unused))
