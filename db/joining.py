"""Joining and leaving: requests to be let in, their decisions, and what ends with a member."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import (
    ForeignKey,
    Index,
    and_,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, joinedload, mapped_column
from sqlalchemy.orm import relationship as related

from db import members, outbox
from db.base import Base, insert_if_absent
from db.blocks import Block
from db.cities import City
from db.members import (
    CITY_LEAD,
    MAY_HOLD_ROLES,
    WITH_MEMBER,
    Account,
    Member,
    MemberRole,
)
from db.outbox import Delivery
from db.workspaces import Workspace

WEEK = timedelta(days=7)
MAX_REQUESTS, MAX_OPEN_REQUESTS = 3, 20
"""Limits: requests of one account in a week, and open requests of a whole workspace."""
TRY_WINDOW = timedelta(minutes=15)
"""For how long a wrong code counts."""
KEPT_FOR: Mapping[str, timedelta] = {"code": TRY_WINDOW, "request": WEEK}
"""How long tries of each kind are kept when an account is forgotten: as long as they count."""


class JoinRequest(Base):
    """An account's request to be let in. `status` is open, approved, declined or withdrawn.

    `city_id` is empty if the person's words (`said`) named no city that may be named to them.
    """

    __tablename__ = "join_request"
    __table_args__ = (Index("ix_join_request_open", "status", "city_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    city_id: Mapped[int | None] = mapped_column(ForeignKey("city.id", ondelete="CASCADE"))
    said: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default="open")
    made_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    account: Mapped[Account] = related(lazy="raise")
    by: Mapped[Member | None] = related(lazy="raise")


class CodeTry(Base):
    """A code that opened nothing, kept for as long as it counts towards the limit."""

    __tablename__ = "code_try"
    __table_args__ = (Index("ix_code_try_there", "workspace_id", "at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    at: Mapped[datetime]


class KeptTry(Base):
    """A wrong code, or a request to join, of a forgotten account, until it counts no more.

    `fingerprint` names the account to nobody (see `db/kept.py`); `kind` is code or request.
    """

    __tablename__ = "kept_try"
    __table_args__ = (Index("ix_kept_try_there", "workspace_id", "kind", "at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    kind: Mapped[str]
    at: Mapped[datetime]


# --- one at a time ----------------------------------------------------------------------------
# A transaction that changes the member of an account locks the account first and everything
# else after it, so that no two transactions wait for each other.


async def lock_account(session: AsyncSession, account_id: int) -> Account | None:
    """Lock an account until the end of the transaction and load it with its member, read anew."""
    locked = select(Account.id).where(Account.id == account_id).with_for_update()
    if await session.scalar(locked) is None:
        return None
    query = select(Account).where(Account.id == account_id)
    query = query.options(WITH_MEMBER).execution_options(populate_existing=True)
    return (await session.scalars(query)).one()


async def count_failed_codes(
    session: AsyncSession, account: Account, fingerprints: Sequence[str], since: datetime
) -> tuple[int, int]:
    """Return how many wrong codes the account, and its whole workspace, have tried since then.

    Those before an account was forgotten count too; `fingerprints` are the account's. The workspace
    stays locked, so that parallel tries cannot exceed the limit.
    """
    there = select(Workspace.id).where(Workspace.id == account.workspace_id)
    await session.scalar(there.with_for_update(key_share=True))
    mine = func.sum(case((CodeTry.account_id == account.id, 1), else_=0))
    query = select(mine, func.count()).where(
        CodeTry.workspace_id == account.workspace_id, CodeTry.at > since
    )
    found = (await session.execute(query)).one()
    kept = await _count_kept(session, account, "code", fingerprints, since)
    return int(found[0] or 0) + kept[0], int(found[1]) + kept[1]


async def _count_kept(
    session: AsyncSession,
    account: Account,
    kind: str,
    fingerprints: Sequence[str],
    since: datetime,
) -> tuple[int, int]:
    """Return how many kept tries of a kind are the account's, and how many its workspace's."""
    mine = func.sum(case((KeptTry.fingerprint.in_(fingerprints), 1), else_=0))
    query = select(mine, func.count()).where(
        KeptTry.workspace_id == account.workspace_id, KeptTry.kind == kind, KeptTry.at > since
    )
    found = (await session.execute(query)).one()
    return int(found[0] or 0), int(found[1])


async def keep_tries(
    session: AsyncSession, now: datetime, account: Account, fingerprint: str
) -> None:
    """Keep what counts towards the limits of an account that is about to be erased."""
    wrong = select(CodeTry.at).where(CodeTry.account_id == account.id)
    asked = select(JoinRequest.made_at).where(JoinRequest.account_id == account.id)
    for kind, query in (("code", wrong), ("request", asked)):
        for at in (await session.scalars(query)).all():
            if at > now - KEPT_FOR[kind]:
                session.add(
                    KeptTry(
                        fingerprint=fingerprint,
                        workspace_id=account.workspace_id,
                        kind=kind,
                        at=at,
                    )
                )
    await session.flush()


async def delete_old_tries(session: AsyncSession, now: datetime) -> None:
    """Delete the tries of forgotten accounts that count no more."""
    for kind, period in KEPT_FOR.items():
        old = KeptTry.kind == kind, KeptTry.at <= now - period
        await session.execute(delete(KeptTry).where(*old))


async def record_failed_code(
    session: AsyncSession, account: Account, now: datetime, old: datetime
) -> None:
    """Record one wrong code, and delete the workspace's tries up to `old`, which count no more."""
    await session.execute(
        delete(CodeTry).where(CodeTry.workspace_id == account.workspace_id, CodeTry.at <= old)
    )
    session.add(CodeTry(account_id=account.id, workspace_id=account.workspace_id, at=now))


# --- requests ---------------------------------------------------------------------------------


async def create_request(
    session: AsyncSession,
    account: Account,
    fingerprints: Sequence[str],
    city_id: int | None,
    said: str,
    now: datetime,
) -> tuple[JoinRequest | None, bool, list[Delivery]]:
    """Create the account's one open request, in place of one for something else.

    Return the request (None if there were too many), whether it is new, and the deliveries that
    ended because an older request was withdrawn for it. Those before the account was forgotten
    count too; `fingerprints` are the account's, which must be locked.
    """
    before = select(JoinRequest).where(JoinRequest.account_id == account.id)
    mine = (await session.scalars(before)).all()
    for old in mine:
        if old.status == "open" and old.city_id == city_id and old.said == said:
            return old, False, []
    there = (
        select(func.count())
        .join(JoinRequest.account)
        .where(Account.workspace_id == account.workspace_id, JoinRequest.status == "open")
    )
    recent = sum(r.made_at > now - WEEK for r in mine)
    recent += (await _count_kept(session, account, "request", fingerprints, now - WEEK))[0]
    if recent >= MAX_REQUESTS or (await session.scalar(there) or 0) >= MAX_OPEN_REQUESTS:
        return None, False, []
    ended = await close_requests(session, account, now, "withdrawn", None)
    made = JoinRequest(account_id=account.id, city_id=city_id, said=said, made_at=now)
    session.add(made)
    await session.flush()
    return made, True, ended


async def close_requests(
    session: AsyncSession, account: Account, now: datetime, status: str, by_id: int | None
) -> list[Delivery]:
    """Close the open requests of an account, which must be locked, with this status.

    Return the deliveries that ended by it: the cards of the people who were asked to decide.
    """
    asked = JoinRequest.account_id == account.id, JoinRequest.status == "open"
    answer = {"status": status, "decided_at": now, "by_id": by_id}
    closed = update(JoinRequest).where(*asked).values(**answer).returning(JoinRequest.id)
    ended: list[Delivery] = []
    for number in (await session.scalars(closed)).all():
        asking = Delivery.key.startswith(f"join:{number}:asked:")
        ended += await outbox.cancel_waiting(session, now, "decided", asking)
    return ended


async def load_request(session: AsyncSession, number: int) -> JoinRequest | None:
    """Load one request, read anew, with the account that asks and the member who decided."""
    query = select(JoinRequest).where(JoinRequest.id == number)
    query = query.options(
        joinedload(JoinRequest.account).options(WITH_MEMBER),
        joinedload(JoinRequest.by).selectinload(Member.roles),
    )
    return await session.scalar(query.execution_options(populate_existing=True))


async def list_open_requests(
    session: AsyncSession, city_id: int | None = None, limit: int = 20
) -> Sequence[JoinRequest]:
    """Return the requests that wait for a decision, of one city or of all, oldest first."""
    query = select(JoinRequest).where(JoinRequest.status == "open")
    if city_id is not None:
        query = query.where(JoinRequest.city_id == city_id)
    query = query.options(joinedload(JoinRequest.account)).order_by(JoinRequest.id)
    return (await session.scalars(query.limit(limit))).all()


async def count_open_requests(session: AsyncSession, city_id: int | None = None) -> int:
    """Count the requests that wait for a decision, of one city or of all."""
    query = select(func.count()).where(JoinRequest.status == "open")
    if city_id is not None:
        query = query.where(JoinRequest.city_id == city_id)
    return await session.scalar(query) or 0


async def find_open_requests(
    session: AsyncSession, account_ids: Sequence[int]
) -> dict[int, JoinRequest]:
    """Return the open request of each account that has one, by account id."""
    query = select(JoinRequest).where(
        JoinRequest.account_id.in_(account_ids), JoinRequest.status == "open"
    )
    return {r.account_id: r for r in await session.scalars(query)}


async def admit_account(
    session: AsyncSession, account: Account, city: City, way: str, now: datetime
) -> tuple[Member, bool]:
    """Make the person of a locked account a verified member of the city.

    Return the member and whether it is new: a person who had left is the same member as before.
    Raise PermissionError for a suspended one, who cannot come back on their own.
    """
    person, new = account.member, account.member is None
    if person and person.status not in ("left", "verified"):
        raise PermissionError("nobody comes back by themselves who was sent away")
    if person is None:
        person = await members.admit(session, account, city, now)
    else:  # two accounts of one former member may come back at once
        mine = select(Member.id).where(Member.id == person.id).with_for_update()
        await session.scalar(mine)
        await session.refresh(person)
    person.status, person.city_id = "verified", city.id
    person.way, person.proved_at = way, now
    await session.flush()
    await session.refresh(person, ["city", "roles"])
    return person, new


async def suggest_contacts(
    session: AsyncSession, person: Member, limit: int = 8
) -> Sequence[Member]:
    """Return people open to questions who share a language, other cities and nearby ones first.

    Nobody whom the person has blocked, or who has blocked the person, is among them.
    """
    apart = or_(
        and_(Block.member_id == person.id, Block.blocked_id == Member.id),
        and_(Block.member_id == Member.id, Block.blocked_id == person.id),
    )
    spoken = or_(*(Member.spoken.contains(f" {code} ") for code in person.languages))
    country = person.city.country_code if person.city else ""
    query = (
        select(Member)
        .join(Member.city)
        .where(
            Member.status == "verified",
            Member.listed,
            Member.open_to_questions,
            Member.seen_languages == "community",
            spoken,
            Member.id != person.id,
            ~exists().where(apart),
        )
        .order_by(
            Member.city_id == person.city_id,
            City.country_code != country,
            Member.confirmed_at.desc(),
            Member.id,
        )
        .limit(limit)
    )
    return (await session.scalars(query)).all()


# --- leaving ----------------------------------------------------------------------------------


async def is_last_admin(session: AsyncSession, person: Member) -> bool:
    """Return whether this person is the only admin. All admins stay locked."""
    query = select(MemberRole.member_id).join(Member, Member.id == MemberRole.member_id)
    query = query.where(MemberRole.role == "admin", Member.status == "verified", MAY_HOLD_ROLES)
    admins = (await session.scalars(query.with_for_update(of=Member))).all()
    return set(admins) == {person.id}


async def cancel_member_deliveries(
    session: AsyncSession, now: datetime, member_id: int, reason: str
) -> Sequence[Delivery]:
    """Cancel a member's deliveries that are not on their way yet; return those deliveries."""
    return await outbox.cancel_waiting(session, now, reason, Delivery.member_id == member_id)


async def grant_lead(session: AsyncSession, person: Member) -> None:
    """Give the member the role of city lead, unless they have it.

    Raise PermissionError for one of the demo where real people are.
    """
    if not await members.may_hold_roles(session, person):
        raise PermissionError("an invented person has no say over real ones")
    await insert_if_absent(session, MemberRole, member_id=person.id, role=CITY_LEAD)
    await session.refresh(person, ["roles"])


async def withdraw_lead(session: AsyncSession, person: Member) -> None:
    """Take the role of city lead from the member."""
    gone = MemberRole.member_id == person.id, MemberRole.role == CITY_LEAD
    await session.execute(delete(MemberRole).where(*gone))
    await session.refresh(person, ["roles"])
