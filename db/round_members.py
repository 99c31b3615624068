"""Members in pairing rounds: how each takes part, whom they avoid, who missed or did not answer."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import Exists, ForeignKey, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, aliased, mapped_column, selectinload
from sqlalchemy.orm import relationship as related

from db.base import Base, insert_if_absent
from db.members import Member
from db.outbox import SENT, Delivery, is_in
from db.reach import can_be_reached
from db.rounds import RoundGroup, RoundPlace, UnmatchedMember


class RoundMember(Base):
    """A member who agreed to be paired.

    `rhythm` is weekly, every-two-weeks or monthly, and `nth` the Tuesday of the month for the
    latter. The member is not paired while `active` is off, until `snoozed_until`, on the day
    `skips`, or from `paused_at` on. `missed` counts rounds in a row without a partner, `silent`
    check-ins in a row without an answer; `asked_at` is when the member was asked whether to go on,
    empty once there is an answer.
    """

    __tablename__ = "round_member"
    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )
    active: Mapped[bool] = mapped_column(default=True)
    rhythm: Mapped[str] = mapped_column(default="weekly")
    nth: Mapped[int] = mapped_column(default=1)
    joined_at: Mapped[datetime]
    snoozed_until: Mapped[date | None]
    skips: Mapped[date | None]
    missed: Mapped[int] = mapped_column(default=0)
    silent: Mapped[int] = mapped_column(default=0)
    asked_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    member: Mapped[Member] = related(lazy="raise")


class RoundAvoidance(Base):
    """A member with whom another one does not want to be paired, and who never learns of it."""

    __tablename__ = "round_avoid"
    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )
    avoided_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True, index=True
    )


# --- how a member takes part ------------------------------------------------------------------


async def load_participation(session: AsyncSession, member_id: int) -> RoundMember | None:
    """Load how a member takes part, if ever; the row is locked until the end of the transaction."""
    return await session.get(RoundMember, member_id, with_for_update=True)


async def get_or_create_participation(
    session: AsyncSession, member_id: int, now: datetime
) -> RoundMember:
    """Return the row of a member who takes part, created if there is none, and locked."""
    await insert_if_absent(session, RoundMember, member_id=member_id, joined_at=now)
    found = await load_participation(session, member_id)
    if found is None:
        raise LookupError("the row vanished while it was made")
    return found


# --- who missed a round or did not answer -----------------------------------------------------


async def count_missed(session: AsyncSession, round_id: int) -> None:
    """Reset `missed` of members with a place; raise it for unmatched ones, who come first next."""
    placed = select(RoundPlace.member_id).where(RoundPlace.round_id == round_id)
    left = select(UnmatchedMember.member_id).where(UnmatchedMember.round_id == round_id)
    for who, value in ((placed, 0), (left, RoundMember.missed + 1)):
        await session.execute(
            update(RoundMember)
            .where(RoundMember.member_id.in_(who))
            .values(missed=value)
            .execution_options(synchronize_session=False)
        )


async def clear_missed(session: AsyncSession, keys: Collection[int]) -> None:
    """Reset `missed` of these members, as they have a partner after all."""
    query = update(RoundMember).where(RoundMember.member_id.in_(keys)).values(missed=0)
    await session.execute(query)


def _has_partner() -> Exists:
    """Return the condition that somebody else in the group of a place can still be met."""
    theirs, partner = aliased(RoundPlace), aliased(Member)
    return exists().where(
        theirs.group_id == RoundPlace.group_id,
        theirs.member_id != RoundPlace.member_id,
        partner.id == theirs.member_id,
        partner.status == "verified",
        can_be_reached(partner.id),
    )


async def count_lost_partners(session: AsyncSession, round_id: int) -> None:
    """Raise `missed` of members whose partners all left or cannot be written to any more."""
    alone = select(RoundPlace.member_id).where(RoundPlace.round_id == round_id, ~_has_partner())
    await session.execute(
        update(RoundMember)
        .where(RoundMember.member_id.in_(alone))
        .values(missed=RoundMember.missed + 1)
        .execution_options(synchronize_session=False)
    )


async def list_unanswered(
    session: AsyncSession, round_id: int, before: datetime
) -> Sequence[RoundMember]:
    """Return the rows of members notified by `before` who did not answer the check-in.

    Only of those who have a partner to meet: one who left or cannot be written to is none.
    """
    query = (
        select(RoundMember)
        .join(RoundPlace, RoundPlace.member_id == RoundMember.member_id)
        .join(RoundGroup, RoundGroup.id == RoundPlace.group_id)
        .where(
            RoundPlace.round_id == round_id,
            RoundPlace.answer == "",
            RoundGroup.begun_at <= before,
            _has_partner(),
        )
        .order_by(RoundMember.member_id)
        .options(selectinload(RoundMember.member))
    )
    return (await session.scalars(query)).all()


async def list_told(session: AsyncSession, key: str) -> Sequence[Member]:
    """Return the members who were sent a delivery whose key begins with this one, by id."""
    sent = select(Delivery.member_id).where(is_in(SENT), Delivery.key.startswith(key))
    query = select(Member).where(Member.id.in_(sent)).order_by(Member.id)
    return (await session.scalars(query)).all()
