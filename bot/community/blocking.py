"""Blocking: a member wants nothing of another one any more, and may take that back."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.community.parting import Parting, run_endings
from db import audit, blocks
from db.members import Member


async def block_member(session: AsyncSession, now: datetime, member: Member, other: Member) -> None:
    """The member wants nothing of the other one any more, who is never told; twice is once.

    What waits between the two ends at once: see `parting.ends`.
    """
    if await blocks.block_member(session, member, other, now):
        audit.record_act(session, now, member.id, "member blocked", f"member:{other.id}")
    await run_endings(session, now, Parting("blocked", member, other))


async def unblock_member(
    session: AsyncSession, now: datetime, member: Member, other: Member
) -> bool:
    """The member takes a block back; False if there was none. What had ended stays so."""
    taken_back = await blocks.unblock_member(session, member, other)
    if taken_back:
        audit.record_act(session, now, member.id, "member unblocked", f"member:{other.id}")
    return taken_back
