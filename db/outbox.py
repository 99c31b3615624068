"""The outbox: what the hub owes somebody is a row here before it is a message anywhere."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ForeignKey, Index, delete, exists, func, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, is_sqlite
from db.members import Account, Member, Workspace

DUE, CLAIMED, INFLIGHT = "due", "claimed", "inflight"
SENT, EXPIRED, DEAD, CANCELLED, AMBIGUOUS, HELD = (
    "sent", "expired", "dead", "cancelled", "ambiguous", "held",
)  # fmt: skip
PENDING = (DUE, CLAIMED, INFLIGHT)
STATES = (*PENDING, SENT, EXPIRED, DEAD, CANCELLED, AMBIGUOUS, HELD)
CEILING_OVER = timedelta(days=7)


class Delivery(Base):
    """One message owed to one place, or a change of one sent before.

    `key` says what it is, so that nothing is owed twice; `lane` is the conversation it goes to,
    whose deliveries stay in order. `act` is post, edit or remove; the latter two are about the
    delivery `of_id`. `under_id`: the delivery that opened the thread it belongs to. `body` is a
    card as JSON, in the reader's language. `at` is when it is due, `retry_at` the earliest next
    attempt, `expires` when it would be stale. `fence` rises with each claim: whoever holds an
    older number may not write any more. `deaths` counts processes that ended with it in flight.
    `weighs`: counts against its reader's weekly ceiling.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        Index("ix_delivery_due", "state", "retry_at"),
        Index("ix_delivery_lane", "lane", "state", "at", "id"),
        Index("ix_delivery_member", "member_id", "weighs", "created_at"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    platform: Mapped[str]
    workspace: Mapped[str]
    user: Mapped[str] = mapped_column(default="")
    channel: Mapped[str] = mapped_column(default="")
    lane: Mapped[str]
    act: Mapped[str] = mapped_column(default="post")
    of_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id", ondelete="SET NULL"))
    under_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id", ondelete="SET NULL"))
    language: Mapped[str] = mapped_column(default="en")
    body: Mapped[str] = mapped_column(default="")
    weighs: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(default=DUE)
    created_at: Mapped[datetime]
    at: Mapped[datetime]
    retry_at: Mapped[datetime]
    expires: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    deaths: Mapped[int] = mapped_column(default=0)
    fence: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    began_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    platform_id: Mapped[str] = mapped_column(default="")
    landed_in: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")


class Address(NamedTuple):
    """Where something is sent: a person's direct messages, several people's, or a channel.

    `user` may name several, separated by commas: one conversation of all of them.
    """

    platform: str
    workspace: str
    user: str = ""
    channel: str = ""

    @property
    def lane(self) -> str:
        """The conversation; what goes to one is sent in order."""
        return f"{self.platform}:{self.workspace}:{self.channel or self.user}"


class KindOff(Base):
    """A kind of message that a member does not want."""

    __tablename__ = "kind_off"
    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(primary_key=True)


class Slot(Base):
    """One turn of the timetable, done by whichever process wrote this row first."""

    __tablename__ = "slot"
    job: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)


async def put(session: AsyncSession, to: Address, **facts: Any) -> int | None:
    """Owe one delivery; its number, or None when this key is owed already."""
    insert = sqlite_insert if is_sqlite(session) else postgresql_insert
    facts.setdefault("retry_at", facts["at"])
    row = insert(Delivery).values(**to._asdict(), lane=to.lane, **facts)
    kept = row.on_conflict_do_nothing(index_elements=["key"]).returning(Delivery.id)
    return (await session.execute(kept)).scalar()


async def address_of(session: AsyncSession, member_id: int) -> Address | None:
    """Where a member is told things: the newest account whose direct messages are open.

    None for people with no account in a workspace that the hub is still in.
    """
    query = (
        select(Workspace.platform, Workspace.external_id, Account.external_id)
        .join(Account.workspace)
        .where(
            Account.member_id == member_id,
            Account.reachable,
            Workspace.removed_at.is_(None),
        )
        .order_by(Account.preferred.desc(), Account.id.desc())
        .limit(1)
    )
    found = (await session.execute(query)).first()
    return Address(*found) if found else None


async def wants(session: AsyncSession, person: Member, kind: str) -> bool:
    """Did the member leave this kind switched on?"""
    off = exists().where(KindOff.member_id == person.id, KindOff.kind == kind)
    return not await session.scalar(select(off))


async def switched_off(session: AsyncSession, member_id: int) -> set[str]:
    """The kinds a member does not want."""
    return set(await session.scalars(select(KindOff.kind).where(KindOff.member_id == member_id)))


async def switch_on(session: AsyncSession, member_id: int, kind: str) -> None:
    """The member wants this kind again."""
    await session.execute(
        delete(KindOff).where(KindOff.member_id == member_id, KindOff.kind == kind)
    )


async def weight(session: AsyncSession, member_id: int, now: datetime) -> int:
    """How many unasked-for messages a member was owed in the last seven days."""
    query = select(func.count()).where(
        Delivery.member_id == member_id,
        Delivery.weighs,
        Delivery.created_at > now - CEILING_OVER,
        Delivery.state != CANCELLED,
    )
    return await session.scalar(query) or 0


async def take_slot(session: AsyncSession, job: str, at: datetime) -> bool:
    """Claim one turn of the timetable; False if another process has it."""
    insert = sqlite_insert if is_sqlite(session) else postgresql_insert
    row = insert(Slot).values(job=job, at=at).on_conflict_do_nothing().returning(Slot.job)
    return (await session.execute(row)).scalar() is not None


async def cancel(session: AsyncSession, keys: Sequence[str], now: datetime, reason: str) -> None:
    """What is not on its way yet is not owed any more."""
    found = await session.scalars(
        select(Delivery).where(Delivery.key.in_(keys), Delivery.state == DUE).with_for_update()
    )
    for one in found:
        one.state, one.ended_at, one.reason = CANCELLED, now, reason
