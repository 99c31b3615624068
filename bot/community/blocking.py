"""Blocks and unblocks: a member ends all contact with another one, and may take that back."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.community.parting import Parting, run_endings
from db import audit, blocks
from db.members import Member


async def block_member(session: AsyncSession, now: datetime, member: Member, other: Member) -> None:
    """Block another member, who is never notified; a second block has no effect.

    What is pending between the two ends at once: see `parting.ends`.
    """
    if await blocks.block_member(session, member, other, now):
        audit.record_act(session, now, member.id, "member blocked", f"member:{other.id}")
    await run_endings(session, now, Parting("blocked", member, other))


async def unblock_member(
    session: AsyncSession, now: datetime, member: Member, other: Member
) -> bool:
    """Remove a block; return False if there was none. What ended by the block stays ended."""
    taken_back = await blocks.unblock_member(session, member, other)
    if taken_back:
        audit.record_act(session, now, member.id, "member unblocked", f"member:{other.id}")
    return taken_back
