"""Joining: who asks to be let in, who decides, and what is left when somebody goes."""

from collections.abc import Sequence
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
from db.members import CITY_LEAD, WITH_MEMBER, Account, Member, MemberRole, Workspace
from db.outbox import Delivery

WEEK = timedelta(days=7)
MOST_REQUESTS, MOST_OPEN_REQUESTS = 3, 20
"""Requests of one account a week; open requests of a whole workspace."""


class JoinRequest(Base):
    """An account asks to be let in. `status`: open, approved, declined, withdrawn.

    `city_id` is empty when the person's words (`said`) named no city that may be named to them.
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
    """A code that opened nothing, kept for as long as it counts."""

    __tablename__ = "code_try"
    __table_args__ = (Index("ix_code_try_there", "workspace_id", "at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspace.id", ondelete="CASCADE"))
    at: Mapped[datetime]


# --- one at a time ----------------------------------------------------------------------------
# Whoever changes whose an account is locks the account first and everything else after it, so
# that nobody waits for somebody who waits for them.


async def lock_account(session: AsyncSession, account_id: int) -> Account | None:
    """Lock an account until the end of the transaction, and read it as it is now."""
    locked = select(Account.id).where(Account.id == account_id).with_for_update()
    if await session.scalar(locked) is None:
        return None
    query = select(Account).where(Account.id == account_id)
    query = query.options(WITH_MEMBER).execution_options(populate_existing=True)
    return (await session.scalars(query)).one()


async def count_failed_codes(
    session: AsyncSession, account: Account, since: datetime
) -> tuple[int, int]:
    """Wrong codes since then: of this account, and of its whole workspace.

    The workspace stays locked, so that no number of tries at once gets past the limit.
    """
    there = select(Workspace.id).where(Workspace.id == account.workspace_id)
    await session.scalar(there.with_for_update(key_share=True))
    mine = func.sum(case((CodeTry.account_id == account.id, 1), else_=0))
    query = select(mine, func.count()).where(
        CodeTry.workspace_id == account.workspace_id, CodeTry.at > since
    )
    found = (await session.execute(query)).one()
    return int(found[0] or 0), int(found[1])


async def record_failed_code(
    session: AsyncSession, account: Account, now: datetime, old: datetime
) -> None:
    """One wrong code more; those that do not count any more are forgotten."""
    await session.execute(
        delete(CodeTry).where(CodeTry.workspace_id == account.workspace_id, CodeTry.at <= old)
    )
    session.add(CodeTry(account_id=account.id, workspace_id=account.workspace_id, at=now))


# --- requests ---------------------------------------------------------------------------------


async def create_request(
    session: AsyncSession, account: Account, city_id: int | None, said: str, now: datetime
) -> tuple[JoinRequest | None, bool, list[Delivery]]:
    """The account's one open request, and whether it is new; none when there were too many.

    The account must be held. The third are the deliveries that ended because an older request
    was withdrawn for it.
    """
    before = select(JoinRequest).where(JoinRequest.account_id == account.id)
    mine = (await session.scalars(before)).all()
    for old in mine:
        if old.status == "open" and old.city_id == city_id and old.said == said:
            return old, False, []
    there = select(func.count()).join(JoinRequest.account).where(
        Account.workspace_id == account.workspace_id, JoinRequest.status == "open"
    )  # fmt: skip
    recent = sum(r.made_at > now - WEEK for r in mine)
    if recent >= MOST_REQUESTS or (await session.scalar(there) or 0) >= MOST_OPEN_REQUESTS:
        return None, False, []
    ended = await close_requests(session, account, now, "withdrawn", None)
    made = JoinRequest(account_id=account.id, city_id=city_id, said=said, made_at=now)
    session.add(made)
    await session.flush()
    return made, True, ended


async def close_requests(
    session: AsyncSession, account: Account, now: datetime, status: str, by_id: int | None
) -> list[Delivery]:
    """What the account asked for is answered, or not asked any more. It must be held.

    Returns the deliveries that ended by it: the cards of those who were asked.
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
    """One request as it is now, with who asks and who decided."""
    query = select(JoinRequest).where(JoinRequest.id == number)
    query = query.options(
        joinedload(JoinRequest.account).options(WITH_MEMBER),
        joinedload(JoinRequest.by).selectinload(Member.roles),
    )
    return await session.scalar(query.execution_options(populate_existing=True))


async def list_open_requests(
    session: AsyncSession, city_id: int | None = None, limit: int = 20
) -> Sequence[JoinRequest]:
    """What waits to be decided, of one city or of all, oldest first."""
    query = select(JoinRequest).where(JoinRequest.status == "open")
    if city_id is not None:
        query = query.where(JoinRequest.city_id == city_id)
    query = query.options(joinedload(JoinRequest.account)).order_by(JoinRequest.id)
    return (await session.scalars(query.limit(limit))).all()


async def find_open_requests(
    session: AsyncSession, account_ids: Sequence[int]
) -> dict[int, JoinRequest]:
    """The open request of each account that has one."""
    query = select(JoinRequest).where(
        JoinRequest.account_id.in_(account_ids), JoinRequest.status == "open"
    )
    return {r.account_id: r for r in await session.scalars(query)}


async def admit_account(
    session: AsyncSession, account: Account, city: City, way: str, now: datetime
) -> tuple[Member, bool]:
    """The person of an account that is held is a verified member of the city; and are they new?

    Somebody who had left is the same member as before.
    """
    person, new = account.member, account.member is None
    if person and person.status not in ("left", "verified"):
        raise PermissionError("nobody comes back by themselves who was sent away")
    if person is None:
        person = await members.admit(session, account, city, now)
    else:  # both accounts of somebody who left may come back at once
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
    """People open to questions who share a language, those of other cities and nearby first.

    None with whom a block stands, on either side.
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
            Member.status == "verified", Member.listed, Member.open_to_questions,
            Member.seen_languages == "community", spoken, Member.id != person.id,
            ~exists().where(apart),
        )
        .order_by(
            Member.city_id == person.city_id, City.country_code != country,
            Member.confirmed_at.desc(), Member.id,
        )
        .limit(limit)
    )  # fmt: skip
    return (await session.scalars(query)).all()


# --- leaving ----------------------------------------------------------------------------------


async def is_last_admin(session: AsyncSession, person: Member) -> bool:
    """Would nobody run the hub without this person? The admins stay locked."""
    query = select(MemberRole.member_id).join(Member, Member.id == MemberRole.member_id)
    query = query.where(MemberRole.role == "admin", Member.status == "verified")
    admins = (await session.scalars(query.with_for_update(of=Member))).all()
    return set(admins) == {person.id}


async def cancel_member_deliveries(
    session: AsyncSession, now: datetime, member_id: int, reason: str
) -> Sequence[Delivery]:
    """Cancel what a member is owed and is not on its way yet; returns those deliveries."""
    return await outbox.cancel_waiting(session, now, reason, Delivery.member_id == member_id)


async def grant_lead(session: AsyncSession, person: Member) -> None:
    """The member leads the city; once is enough."""
    await insert_if_absent(session, MemberRole, member_id=person.id, role=CITY_LEAD)
    await session.refresh(person, ["roles"])


async def withdraw_lead(session: AsyncSession, person: Member) -> None:
    """The member leads nothing any more."""
    gone = MemberRole.member_id == person.id, MemberRole.role == CITY_LEAD
    await session.execute(delete(MemberRole).where(*gone))
    await session.refresh(person, ["roles"])
