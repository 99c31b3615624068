"""Reach: to which members the hub can write at all."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, Exists, exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from db.members import Account, Member
from db.workspaces import Workspace


def can_be_reached(member_id: ColumnElement[int] | InstrumentedAttribute[int]) -> Exists:
    """Return the condition that the hub can write to a member.

    They have an account with open direct messages, in a workspace that the hub is in.
    """
    return exists().where(
        Account.member_id == member_id,
        Account.reachable,
        Account.workspace_id == Workspace.id,
        Workspace.removed_at.is_(None),
    )


async def list_reachable(session: AsyncSession, member_ids: Collection[int]) -> set[int]:
    """Return those of these members who are verified, and to whom the hub can write."""
    query = select(Member.id).where(
        Member.id.in_(member_ids), Member.status == "verified", can_be_reached(Member.id)
    )
    return set(await session.scalars(query))
