"""The facts for pairing a round: who takes part, their topics, past partners and avoided pairs."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased, selectinload

from db.base import insert_if_absent
from db.directory import Expertise
from db.members import Account, Member
from db.outbox import Address
from db.reach import can_be_reached
from db.round_members import RoundAvoidance, RoundMember
from db.rounds import MET, Round, RoundGroup, RoundPlace
from db.workspaces import Workspace


async def list_participants(
    session: AsyncSession, day: date, now: datetime, only: Collection[int] | None = None
) -> Sequence[RoundMember]:
    """Return those who can be paired on that day, with the member loaded.

    They are listed and verified, agreed to rounds, and are neither paused nor snoozed nor skipping.
    The hub can write to them, and they are not muted: nobody waits for a word that cannot come.
    Whether their rhythm includes that day is the caller's to check.
    """
    query = (
        select(RoundMember)
        .join(RoundMember.member)
        .where(
            RoundMember.active,
            RoundMember.paused_at.is_(None),
            or_(RoundMember.snoozed_until.is_(None), RoundMember.snoozed_until <= day),
            or_(RoundMember.skips.is_(None), RoundMember.skips != day),
            Member.status == "verified",
            Member.listed,
            or_(Member.muted_until.is_(None), Member.muted_until <= now),
            can_be_reached(Member.id),
        )
        .order_by(RoundMember.member_id)
        .options(selectinload(RoundMember.member))
    )
    if only is not None:
        query = query.where(RoundMember.member_id.in_(only))
    return (await session.scalars(query)).all()


async def add_avoidance(session: AsyncSession, member_id: int, whom_id: int) -> None:
    """Record that two members are never to be paired; repeating it changes nothing."""
    await insert_if_absent(session, RoundAvoidance, member_id=member_id, avoided_id=whom_id)


async def remove_avoidance(session: AsyncSession, member_id: int, whom_id: int) -> bool:
    """Allow two members to be paired again; return False if nothing prevented it."""
    gone = delete(RoundAvoidance).where(
        RoundAvoidance.member_id == member_id, RoundAvoidance.avoided_id == whom_id
    )
    return (await session.execute(gone.returning(RoundAvoidance.avoided_id))).scalar() is not None


async def list_avoided_by(session: AsyncSession, member_id: int) -> Sequence[Member]:
    """Return the members with whom this member does not want to be paired, but forgotten ones."""
    query = (
        select(Member)
        .join(RoundAvoidance, RoundAvoidance.avoided_id == Member.id)
        .where(RoundAvoidance.member_id == member_id, Member.name != "")
        .order_by(Member.folded, Member.id)
    )
    return (await session.scalars(query)).all()


async def load_avoided_pairs(session: AsyncSession) -> set[frozenset[int]]:
    """Load all pairs in which one member avoids the other."""
    rows = await session.execute(select(RoundAvoidance.member_id, RoundAvoidance.avoided_id))
    return {frozenset(row) for row in rows.all()}


class Knowledge(NamedTuple):
    """What a member shows the community: known topics with their levels, and topics to learn."""

    knows: dict[int, int]
    learns: set[int]


async def load_knowledge(session: AsyncSession) -> dict[int, Knowledge]:
    """Load the topics of all who take part in rounds, as far as the community may see them."""
    query = (
        select(Expertise.member_id, Expertise.topic_id, Expertise.kind, Expertise.level)
        .join(RoundMember, RoundMember.member_id == Expertise.member_id)
        .where(RoundMember.active, Expertise.seen == "community")
        .order_by(Expertise.id)
    )
    found: dict[int, Knowledge] = {}
    for member_id, topic_id, kind, level in (await session.execute(query)).all():
        mine = found.setdefault(member_id, Knowledge({}, set()))
        if kind == "knows":
            mine.knows[topic_id] = level
        else:
            mine.learns.add(topic_id)
    return found


class PastPairing(NamedTuple):
    """Two former partners, from one side: the last day on which they met, and the other's city."""

    member_id: int
    other_id: int
    met_on: date | None
    city_id: int | None


async def list_past_pairings(session: AsyncSession, since: date) -> Sequence[PastPairing]:
    """Return the partners of every member in rounds since then, if the pair was notified.

    Two met if one of them said so; otherwise `met_on` is None.
    """
    mine, theirs, other = aliased(RoundPlace), aliased(RoundPlace), aliased(Member)
    met = func.max(Round.day).filter(or_(mine.answer == MET, theirs.answer == MET))
    query = (
        select(mine.member_id, theirs.member_id, met, other.city_id)
        .join(theirs, (theirs.group_id == mine.group_id) & (theirs.member_id != mine.member_id))
        .join(other, other.id == theirs.member_id)
        .join(RoundGroup, RoundGroup.id == mine.group_id)
        .join(Round, Round.id == mine.round_id)
        .where(Round.day >= since, RoundGroup.begun_at.is_not(None))
        .group_by(mine.member_id, theirs.member_id, other.city_id)
    )
    return [PastPairing(*row) for row in (await session.execute(query)).all()]


async def list_joined_since(session: AsyncSession, moment: datetime) -> set[int]:
    """Return the ids of members who began to take part since then."""
    query = select(RoundMember.member_id).where(RoundMember.joined_at >= moment)
    return set(await session.scalars(query))


async def find_common_room(session: AsyncSession, keys: Collection[int]) -> Address | None:
    """Find a workspace in which the hub can write to all of these members in one conversation."""
    query = (
        select(Workspace.platform, Workspace.external_id, Account.member_id, Account.external_id)
        .join(Account.workspace)
        .where(
            Workspace.gathers,
            Workspace.removed_at.is_(None),
            Account.member_id.in_(keys),
            Account.reachable,
        )
        .order_by(Workspace.id, Account.preferred, Account.id)
    )
    rooms: dict[tuple[str, str], dict[int | None, str]] = {}
    for platform, workspace, member_id, user in (await session.execute(query)).all():
        rooms.setdefault((platform, workspace), {})[member_id] = user
    for room, users in rooms.items():
        if len(users) == len(keys):
            return Address(*room, user=",".join(sorted(users.values())))
    return None


async def list_silent(session: AsyncSession) -> Sequence[RoundMember]:
    """Return and lock those who were asked whether to go on and have not answered."""
    query = select(RoundMember).where(
        RoundMember.asked_at.is_not(None), RoundMember.paused_at.is_(None)
    )
    return (await session.scalars(query.with_for_update())).all()
