"""What lets people join a city: its code, a colleague's invitation, its e-mail domains."""

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
MAX_INVITATIONS = 20
"""How many invitations one member may give within `INVITATION_LIFETIME`."""


class CityCode(Base):
    """The code with which any number of a city's colleagues join, until it is replaced."""

    __tablename__ = "city_code"
    city_id: Mapped[int] = mapped_column(
        ForeignKey("city.id", ondelete="CASCADE"), primary_key=True
    )
    hash: Mapped[str] = mapped_column(unique=True)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    made_at: Mapped[datetime]
    uses: Mapped[int] = mapped_column(default=0)


class CityDomain(Base):
    """An e-mail domain that only people of this city use."""

    __tablename__ = "city_domain"
    domain: Mapped[str] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id", ondelete="CASCADE"), index=True)


class Invitation(Base):
    """A member's invitation of one colleague: for a known account, or for anybody with the code.

    `status` is open, used or declined. It is valid only while the inviting member is verified and
    belongs to that city.
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
    """What a code proves: which city, and in which way (a city's code or an invitation)."""

    city_id: int
    way: str


async def find_code(session: AsyncSession, city_id: int) -> CityCode | None:
    """Return the row of the city's code: its hash, when it was made, and how many used it."""
    return await session.get(CityCode, city_id)


async def set_code(
    session: AsyncSession, city_id: int, hash_: str, by: Member, now: datetime
) -> None:
    """Set the code of a city, in place of any older one."""
    facts = {"hash": hash_, "by_id": by.id, "made_at": now, "uses": 0}
    await insert_if_absent(session, CityCode, city_id=city_id, **facts)
    await session.execute(update(CityCode).where(CityCode.city_id == city_id).values(**facts))


async def redeem_code(
    session: AsyncSession, hash_: str, now: datetime, cities: Sequence[int]
) -> CodeGrant | None:
    """Use a code and return what it proves; None if it is wrong, old, used up or of another city.

    `cities` are those that the person named; with none, any city fits. The same queries run
    whatever the outcome.
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
    """Load one invitation with the member who gave it."""
    if lock:
        held = select(Invitation.id).where(Invitation.id == number).with_for_update()
        await session.scalar(held)
    query = select(Invitation).where(Invitation.id == number)
    query = query.options(joinedload(Invitation.by).joinedload(Member.roles))
    found = await session.scalars(query.execution_options(populate_existing=True))
    return found.unique().one_or_none()


def is_valid(invited: Invitation, now: datetime) -> bool:
    """Return whether the invitation is open, and its member still verified and of its city."""
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
    """Create a member's invitation; return None if the member gave too many this week."""
    await session.scalar(select(Member.id).where(Member.id == by.id).with_for_update())
    given = select(func.count()).where(
        Invitation.by_id == by.id, Invitation.made_at > now - INVITATION_LIFETIME
    )
    if (await session.scalar(given) or 0) >= MAX_INVITATIONS or by.city_id is None:
        return None
    made = Invitation(
        city_id=by.city_id,
        by_id=by.id,
        account_id=account and account.id,
        hash=hash_,
        made_at=now,
        expires_at=now + INVITATION_LIFETIME,
    )
    session.add(made)
    await session.flush()
    return made


def card_key(invited_id: int) -> str:
    """Return the key of the delivery that brings an invitation."""
    return f"invitation:{invited_id}"


async def list_given_by(session: AsyncSession, member_id: int) -> Sequence[int]:
    """Return the open invitations that a member gave."""
    mine = Invitation.by_id == member_id, Invitation.status == "open"
    return (await session.scalars(select(Invitation.id).where(*mine))).all()


async def can_be_invited(session: AsyncSession, account: Account, now: datetime) -> bool:
    """Return whether the account has no open invitation and has declined none."""
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
    """Return the allowed domains, of one city or of all."""
    query = select(CityDomain).order_by(CityDomain.domain)
    if city_id is not None:
        query = query.where(CityDomain.city_id == city_id)
    return (await session.scalars(query)).all()


async def find_city_of_domain(session: AsyncSession, domain: str) -> int | None:
    """Return the city whose people have addresses of exactly this domain."""
    return await session.scalar(select(CityDomain.city_id).where(CityDomain.domain == domain))


async def allow_domain(session: AsyncSession, city_id: int, domain: str) -> bool:
    """Let addresses of a domain prove this city; return False if they prove another one already."""
    await insert_if_absent(session, CityDomain, domain=domain, city_id=city_id)
    return await find_city_of_domain(session, domain) == city_id


async def forbid_domain(session: AsyncSession, city_id: int, domain: str) -> None:
    """Let addresses of a domain prove this city no longer."""
    gone = CityDomain.domain == domain, CityDomain.city_id == city_id
    await session.execute(delete(CityDomain).where(*gone))
