"""Ends what must end when a member leaves, is forgotten, suspended or muted, or blocks somebody."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from sqlalchemy.ext.asyncio import AsyncSession

from bot import deliveries
from bot.commands import declaration_order, import_modules
from bot.domain.joining import fingerprint_account
from bot.domain.ranking import base_points
from db import audit, directory, joining, kept, key_values, linking, personal_data
from db.members import Account, Member

Way = Literal["left", "forgotten", "suspended", "muted", "blocked"]
WAYS: tuple[Way, ...] = get_args(Way)


@dataclass(frozen=True, slots=True)
class Parting:
    """The event of a member's parting from the community, or by a block from `other` alone.

    One who is muted stays, and is only kept from writing to others.
    """

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
    if parting.other is None and parting.way != "muted":
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


def list_fingerprints(keys: Sequence[str], account: Account) -> tuple[str, ...]:
    """Return the fingerprints of an account under each secret key, the newest key's first."""
    home = account.workspace
    return fingerprint_account(keys, home.platform, home.external_id, account.external_id)


async def forget_member(
    session: AsyncSession, now: datetime, person: Member, keys: Sequence[str]
) -> None:
    """Erase a member, and everything that names them, at once and for good.

    Fingerprints of the accounts stay, under the newest of the secret keys, where a sanction, a
    block or a limit has to outlast that.
    """
    audit.record_act(session, now, person.id, "member forgotten", f"member:{person.id}")
    await session.flush()
    await run_endings(session, now, Parting("forgotten", person))
    accounts = await linking.lock_accounts(session, person.id)
    for account in accounts:
        await _keep_tries(session, now, account, keys)
    await kept.keep_sanctions(
        session, now, person, [list_fingerprints(keys, account)[0] for account in accounts]
    )
    await personal_data.erase_member(session, now, person)
    await key_values.save_value(session, personal_data.SCRUB_KEY, "1")


async def forget_account(
    session: AsyncSession, now: datetime, account: Account, keys: Sequence[str]
) -> None:
    """Erase an account that is no member's; its fingerprint stays while a limit counts."""
    await _keep_tries(session, now, account, keys)
    await session.delete(account)


async def _keep_tries(
    session: AsyncSession, now: datetime, account: Account, keys: Sequence[str]
) -> None:
    """Withdraw the requests of an account that is erased, and keep what counts as a try."""
    await joining.keep_tries(session, now, account, list_fingerprints(keys, account)[0])
    ended = await joining.close_requests(session, account, now, "withdrawn", None)
    await deliveries.run_ended_hooks(session, now, ended)
