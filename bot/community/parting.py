"""Ends what must end when a member leaves, is forgotten, is suspended or blocks another one."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from sqlalchemy.ext.asyncio import AsyncSession

from bot import deliveries
from bot.commands import declaration_order, import_modules
from bot.domain.ranking import base_points
from db import audit, directory, joining, key_values, personal_data
from db.members import Member

Way = Literal["left", "forgotten", "suspended", "blocked"]
WAYS: tuple[Way, ...] = get_args(Way)


@dataclass(frozen=True, slots=True)
class Parting:
    """The event of a member's parting from the community, or by a block from `other` alone."""

    way: Way
    member: Member
    other: Member | None = None


Ending = Callable[[AsyncSession, datetime, Parting], Awaitable[None]]
"""Ends something of one capability, in the caller's transaction; if it fails, all is undone."""

ENDINGS: dict[Way, list[Ending]] = {way: [] for way in WAYS}


def ends(*ways: Way) -> Callable[[Ending], Ending]:
    """Register the decorated function to run when a member parts in one of these ways."""

    def declare(ending: Ending) -> Ending:
        for way in ways:
            ENDINGS[way].append(ending)
        return ending

    return declare


def list_endings(way: Way) -> Sequence[Ending]:
    """List the endings of a way in the order of their declaration, whatever was imported first."""
    import_modules("bot.community")
    return sorted(ENDINGS[way], key=declaration_order)


async def run_endings(session: AsyncSession, now: datetime, parting: Parting) -> None:
    """Run all endings of a parting.

    If the member parts from the community, all their pending deliveries are cancelled. This comes
    last, so that it covers what the endings enqueued; the hooks of those deliveries run too.
    """
    for ending in list_endings(parting.way):
        await ending(session, now, parting)
    if parting.other is None:
        reason = _REASONS.get(parting.way, parting.way)
        ended = await joining.cancel_member_deliveries(session, now, parting.member.id, reason)
        await deliveries.run_ended_hooks(session, now, ended)


_REASONS = {"forgotten": "member forgotten"}


async def end_membership(session: AsyncSession, now: datetime, person: Member) -> tuple[str, ...]:
    """Make a member leave: listed nowhere, never paired, without roles. They may join again.

    The member's `roles` must be loaded. Returns the roles that were held.
    """
    roles = tuple(sorted(role.role for role in person.roles))
    person.status, person.listed = "left", False
    person.roles.clear()
    await session.flush()
    await run_endings(session, now, Parting("left", person))
    await directory.refresh_member(session, person, base_points)
    audit.record_act(session, now, person.id, "member left", f"member:{person.id}")
    return roles


async def forget_member(session: AsyncSession, now: datetime, person: Member) -> None:
    """Erase a member, and everything that names them, at once and for good."""
    audit.record_act(session, now, person.id, "member forgotten", f"member:{person.id}")
    await session.flush()
    await run_endings(session, now, Parting("forgotten", person))
    await personal_data.erase_member(session, now, person)
    await key_values.save_value(session, personal_data.SCRUB_KEY, "1")
