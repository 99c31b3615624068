"""Linking several accounts of one person: a code is shown on one and typed on the other."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, joinedload, mapped_column
from sqlalchemy.orm import relationship as related

from db import outbox
from db.base import Base
from db.members import WITH_MEMBER, Account, Member
from db.outbox import Address, Delivery

CODE_LIFETIME = timedelta(minutes=10)
"""How long a code may be typed, and from then on how long the question may be answered."""


class Link(Base):
    """A member's request to use one more account.

    `account_id` is where the code was shown, `other_id` where it was typed. `status` is open until
    it is typed, asked until the member answers, then done, refused or replaced.
    """

    __tablename__ = "link"
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    other_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    hash: Mapped[str] = mapped_column(unique=True)
    status: Mapped[str] = mapped_column(default="open")
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    account: Mapped[Account] = related(lazy="raise", foreign_keys=[account_id])
    other: Mapped[Account | None] = related(lazy="raise", foreign_keys=[other_id])


_WITH_ACCOUNTS = (
    joinedload(Link.account).options(WITH_MEMBER),
    joinedload(Link.other).options(WITH_MEMBER),
)


async def create_link(
    session: AsyncSession, account: Account, member_id: int, hash_: str, now: datetime
) -> Link:
    """Create a code for the member, shown on this account; older ones are invalid at once."""
    mine = Link.member_id == member_id, Link.status.in_(("open", "asked"))
    await session.execute(update(Link).where(*mine).values(status="replaced"))
    made = Link(
        account_id=account.id,
        member_id=member_id,
        hash=hash_,
        made_at=now,
        expires_at=now + CODE_LIFETIME,
    )
    session.add(made)
    await session.flush()
    return made


async def redeem_code(
    session: AsyncSession, hash_: str, other: Account, now: datetime
) -> Link | None:
    """Use a code typed on another account, which must be locked; then the member is to be asked.

    Return None if the code is wrong, old or used up, if its member is no longer verified, or if
    the account it was shown on is no longer the member's.
    """
    held = select(Link.id).where(Link.hash == hash_).with_for_update()
    link = await load_link(session, await session.scalar(held) or 0)
    if link is None or link.status != "open" or link.expires_at <= now:
        return None
    owner = link.account.member
    if owner is None or owner.id != link.member_id or owner.status != "verified":
        return None
    link.status, link.other_id, link.expires_at = "asked", other.id, now + CODE_LIFETIME
    await session.flush()
    await session.refresh(link, ["other"])
    return link


async def load_link(session: AsyncSession, number: int, *, lock: bool = False) -> Link | None:
    """Load a link, read anew, with both accounts."""
    if lock:
        await session.scalar(select(Link.id).where(Link.id == number).with_for_update())
    query = select(Link).where(Link.id == number)
    query = query.options(*_WITH_ACCOUNTS)
    return await session.scalar(query.execution_options(populate_existing=True))


async def find_pending_link(session: AsyncSession, member_id: int, now: datetime) -> Link | None:
    """Find the link that waits for the member's answer."""
    query = select(Link).where(
        Link.member_id == member_id, Link.status == "asked", Link.expires_at > now
    )
    link = await session.scalar(query.options(*_WITH_ACCOUNTS))
    theirs = link.other.member if link and link.other else None
    return link if theirs is None or theirs.status == "left" else None


async def lock_accounts(session: AsyncSession, member_id: int) -> Sequence[Account]:
    """Lock all accounts of a member in order of id, until the end of the transaction."""
    ids = select(Account.id).where(Account.member_id == member_id).order_by(Account.id)
    await session.scalars(ids.with_for_update())
    query = select(Account).where(Account.member_id == member_id).order_by(Account.id)
    query = query.options(WITH_MEMBER).execution_options(populate_existing=True)
    return (await session.scalars(query)).all()


async def detach_account(
    session: AsyncSession, account: Account, person: Member, now: datetime
) -> list[Delivery]:
    """Detach an account from its member; what waits for it goes to another account of theirs.

    Deliveries that belong to a thread on that account, or change a message there, are cancelled;
    those are returned.
    """
    gone = Address(account.workspace.platform, account.workspace.external_id, account.external_id)
    account.member, account.preferred = None, False
    asked = or_(Link.account_id == account.id, Link.other_id == account.id)
    open_ = Link.status.in_(("open", "asked"))
    await session.execute(update(Link).where(asked, open_).values(status="refused"))
    await session.flush()
    place = await outbox.find_address(session, person.id)
    there = Delivery.member_id == person.id, Delivery.lane == gone.lane
    if place:
        alone = Delivery.act == "post", Delivery.under_id.is_(None)
        await outbox.redirect_waiting(session, place, *there, *alone)
    return await outbox.cancel_waiting(session, now, "unlinked", *there)
