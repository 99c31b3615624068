"""Parting: what ends when a member leaves, is forgotten, is suspended or blocks another member."""

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from bot import deliveries
from bot.domain.ranking import base_points
from db import audit, directory, joining, key_values, personal_data
from db.members import Member

Way = Literal["left", "forgotten", "suspended", "blocked"]
WAYS: tuple[Way, ...] = ("left", "forgotten", "suspended", "blocked")


@dataclass(frozen=True, slots=True)
class Parting:
    """One member parts from the community; one who blocks parts from `other` alone."""

    way: Way
    member: Member
    other: Member | None = None


Ending = Callable[[AsyncSession, datetime, Parting], Awaitable[None]]
"""Ends something of one capability, in the transaction of the act; if it fails, so does the act."""

ENDINGS: dict[Way, list[Ending]] = {way: [] for way in WAYS}


def ends(*ways: Way) -> Callable[[Ending], Ending]:
    """Declare, beside a capability, what of it ends when a member parts in one of these ways."""

    def declare(ending: Ending) -> Ending:
        for way in ways:
            ENDINGS[way].append(ending)
        return ending

    return declare


def list_endings(way: Way) -> Sequence[Ending]:
    """List what was declared for a way, by module and name, whatever was imported first."""
    _load_community()
    return sorted(ENDINGS[way], key=lambda ending: (ending.__module__, ending.__qualname__))


@cache
def _load_community() -> None:
    """Import every room of the community: an ending exists only once its module is imported."""
    community = importlib.import_module("bot.community")
    for module in pkgutil.walk_packages(community.__path__, "bot.community."):
        importlib.import_module(module.name)


async def run_endings(session: AsyncSession, now: datetime, parting: Parting) -> None:
    """Run everything declared for the way in which somebody parts.

    Whoever parts from the community is owed nothing any more; this comes last, so that it covers
    what the endings enqueued, and the kinds of the cancelled messages are notified.
    """
    for ending in list_endings(parting.way):
        await ending(session, now, parting)
    if parting.other is None:
        reason = _REASONS.get(parting.way, parting.way)
        ended = await joining.cancel_member_deliveries(session, now, parting.member.id, reason)
        await deliveries.run_ended_hooks(session, now, ended)


_REASONS = {"forgotten": "member forgotten"}


async def end_membership(session: AsyncSession, now: datetime, person: Member) -> tuple[str, ...]:
    """A member leaves: found nowhere, paired with nobody, without any role; may come back.

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
    """A member is erased, with everything that names them, at once and for good."""
    audit.record_act(session, now, person.id, "member forgotten", f"member:{person.id}")
    await session.flush()
    await run_endings(session, now, Parting("forgotten", person))
    await personal_data.erase_member(session, now, person)
    await key_values.save_value(session, personal_data.SCRUB_KEY, "1")
