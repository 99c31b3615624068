"""What opens the door of a city: its code, a colleague's word, the addresses of its own people."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ForeignKey, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, joinedload, mapped_column
from sqlalchemy.orm import relationship as related

from db.base import Base, insert_if_absent
from db.members import Account, Member

INVITATION_LIFETIME = timedelta(days=7)
MOST_INVITATIONS = 20
"""Invitations of one member within that time."""


class CityCode(Base):
    """The code that colleagues of a city join with: as many as want, until it is replaced."""

    __tablename__ = "city_code"
    city_id: Mapped[int] = mapped_column(
        ForeignKey("city.id", ondelete="CASCADE"), primary_key=True
    )
    hash: Mapped[str] = mapped_column(unique=True)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    made_at: Mapped[datetime]
    uses: Mapped[int] = mapped_column(default=0)


class CityDomain(Base):
    """A domain whose addresses only people of this city have."""

    __tablename__ = "city_domain"
    domain: Mapped[str] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id", ondelete="CASCADE"), index=True)


class Invitation(Base):
    """A member's word for one colleague: an account that is known, or whoever has the code.

    `status`: open, used, declined. It holds only while the inviting member is verified and of
    that city.
    """

    __tablename__ = "invitation"
    id: Mapped[int] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id", ondelete="CASCADE"))
    by_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    account_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    hash: Mapped[str | None] = mapped_column(unique=True)
    status: Mapped[str] = mapped_column(default="open")
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    by: Mapped[Member] = related(lazy="raise")


# --- codes ------------------------------------------------------------------------------------


class CodeGrant(NamedTuple):
    """What a code opens: which city, and how that was proved."""

    city_id: int
    way: str


async def find_code(session: AsyncSession, city_id: int) -> CityCode | None:
    """The city's code as far as it is known: when it was made, and how many came with it."""
    return await session.get(CityCode, city_id)


async def set_code(
    session: AsyncSession, city_id: int, hash_: str, by: Member, now: datetime
) -> None:
    """The city has this code from now on, and no other."""
    facts = {"hash": hash_, "by_id": by.id, "made_at": now, "uses": 0}
    await insert_if_absent(session, CityCode, city_id=city_id, **facts)
    await session.execute(update(CityCode).where(CityCode.city_id == city_id).values(**facts))


async def redeem_code(
    session: AsyncSession, hash_: str, now: datetime, cities: Sequence[int]
) -> CodeGrant | None:
    """What a code opens, used at once; None for one that is wrong, old, used up or elsewhere's.

    `cities`: the ones that the person named, any if none. The questions asked are the same
    whatever the answer will be.
    """
    city = await session.scalar(select(CityCode).where(CityCode.hash == hash_).with_for_update())
    held = select(Invitation.id).where(Invitation.hash == hash_).with_for_update()
    invited = await load_invitation(session, await session.scalar(held) or 0)
    if city and (not cities or city.city_id in cities):
        city.uses += 1
        return CodeGrant(city.city_id, "code")
    if invited and is_valid(invited, now) and (not cities or invited.city_id in cities):
        invited.status = "used"
        return CodeGrant(invited.city_id, "invitation")
    return None


# --- invitations ------------------------------------------------------------------------------


async def load_invitation(
    session: AsyncSession, number: int, *, lock: bool = False
) -> Invitation | None:
    """One invitation with the member whose word it is."""
    if lock:
        held = select(Invitation.id).where(Invitation.id == number).with_for_update()
        await session.scalar(held)
    query = select(Invitation).where(Invitation.id == number)
    query = query.options(joinedload(Invitation.by).joinedload(Member.roles))
    found = await session.scalars(query.execution_options(populate_existing=True))
    return found.unique().one_or_none()


def is_valid(invited: Invitation, now: datetime) -> bool:
    """Does the member's word still hold?"""
    by = invited.by
    holds = by.status == "verified" and by.city_id == invited.city_id
    return holds and invited.status == "open" and invited.expires_at > now


async def create_invitation(
    session: AsyncSession,
    by: Member,
    now: datetime,
    *,
    account: Account | None = None,
    hash_: str | None = None,
) -> Invitation | None:
    """A member's word for a colleague; None when the member gave too many this week."""
    await session.scalar(select(Member.id).where(Member.id == by.id).with_for_update())
    given = select(func.count()).where(
        Invitation.by_id == by.id, Invitation.made_at > now - INVITATION_LIFETIME
    )
    if (await session.scalar(given) or 0) >= MOST_INVITATIONS or by.city_id is None:
        return None
    made = Invitation(
        city_id=by.city_id, by_id=by.id, account_id=account and account.id, hash=hash_,
        made_at=now, expires_at=now + INVITATION_LIFETIME,
    )  # fmt: skip
    session.add(made)
    await session.flush()
    return made


async def can_be_invited(session: AsyncSession, account: Account, now: datetime) -> bool:
    """Not when an invitation lies there already, nor when the person said no to one."""
    query = select(Invitation.id).where(
        Invitation.account_id == account.id,
        or_(
            Invitation.status == "declined",
            and_(Invitation.status == "open", Invitation.expires_at > now),
        ),
    )
    return await session.scalar(query.limit(1)) is None


# --- domains ----------------------------------------------------------------------------------


async def list_domains(session: AsyncSession, city_id: int | None = None) -> Sequence[CityDomain]:
    """The domains that are allowed, of one city or of all."""
    query = select(CityDomain).order_by(CityDomain.domain)
    if city_id is not None:
        query = query.where(CityDomain.city_id == city_id)
    return (await session.scalars(query)).all()


async def find_city_of_domain(session: AsyncSession, domain: str) -> int | None:
    """The city whose people have addresses of exactly this domain."""
    return await session.scalar(select(CityDomain.city_id).where(CityDomain.domain == domain))


async def allow_domain(session: AsyncSession, city_id: int, domain: str) -> bool:
    """Addresses of the domain prove this city; False if they prove another one already."""
    await insert_if_absent(session, CityDomain, domain=domain, city_id=city_id)
    return await find_city_of_domain(session, domain) == city_id


async def forbid_domain(session: AsyncSession, city_id: int, domain: str) -> None:
    """Addresses of the domain prove nothing any more."""
    gone = CityDomain.domain == domain, CityDomain.city_id == city_id
    await session.execute(delete(CityDomain).where(*gone))
