"""Pairing rounds: who takes part, who was paired with whom, and who really met."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, Select, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column, selectinload
from sqlalchemy.orm import relationship as related

from db.base import Base, insert_if_absent
from db.members import Member

MET, SCHEDULED, NOT_YET = "met", "scheduled", "not-yet"
ANSWERS = (MET, SCHEDULED, NOT_YET)


class RoundMember(Base):
    """A member who agreed to be paired.

    `rhythm` is weekly, every-two-weeks or monthly, and `nth` the Tuesday of the month for the
    latter. Nothing happens where `active` is off, until `snoozed_until`, on the day `skips`, or
    from `paused_at`. `missed` counts rounds in a row without a partner, `silent` check-ins in a
    row without an answer; `asked_at`: was asked whether to go on, and has not answered.
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
    """Somebody whom a member does not want to be paired with; the other is never told."""

    __tablename__ = "round_avoid"
    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )
    avoided_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class Round(Base):
    """One round, by its day. Each step of its life is a moment, empty until it is done."""

    __tablename__ = "round"
    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(unique=True)
    seed: Mapped[int] = mapped_column(default=0)
    drafted_at: Mapped[datetime | None]
    noticed_at: Mapped[datetime | None]
    locked_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class RoundGroup(Base):
    """Two or three who are to meet. `again`: some two of them were partners before.

    `late`: made after the round was sent. `begun_at`: they were told.
    """

    __tablename__ = "round_group"
    __table_args__ = (Index("ix_round_group_round", "round_id", "begun_at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id", ondelete="CASCADE"))
    points: Mapped[int] = mapped_column(default=0)
    again: Mapped[bool] = mapped_column(default=False)
    late: Mapped[bool] = mapped_column(default=False)
    begun_at: Mapped[datetime | None]
    places: Mapped[list["RoundPlace"]] = related(lazy="raise", order_by="RoundPlace.member_id")


class RoundPlace(Base):
    """One member's place in one round: at most one. `answer`: met, scheduled or not-yet."""

    __tablename__ = "round_place"
    round_id: Mapped[int] = mapped_column(
        ForeignKey("round.id", ondelete="CASCADE"), primary_key=True
    )
    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    group_id: Mapped[int] = mapped_column(
        ForeignKey("round_group.id", ondelete="CASCADE"), index=True
    )
    answer: Mapped[str] = mapped_column(default="")
    answered_at: Mapped[datetime | None]
    member: Mapped[Member] = related(lazy="raise")


class UnmatchedMember(Base):
    """Somebody without a partner in a round, and the rule that left the fewest."""

    __tablename__ = "round_left"
    round_id: Mapped[int] = mapped_column(
        ForeignKey("round.id", ondelete="CASCADE"), primary_key=True
    )
    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    rule: Mapped[str]
    fits: Mapped[int] = mapped_column(default=0)
    told_at: Mapped[datetime | None]
    member: Mapped[Member] = related(lazy="raise")


# --- who takes part ---------------------------------------------------------------------------


async def load_participation(session: AsyncSession, member_id: int) -> RoundMember | None:
    """How somebody takes part, if they ever did; held until the end of the transaction."""
    return await session.get(RoundMember, member_id, with_for_update=True)


async def get_or_create_participation(
    session: AsyncSession, member_id: int, now: datetime
) -> RoundMember:
    """The row of somebody who takes part, made where there is none."""
    await insert_if_absent(session, RoundMember, member_id=member_id, joined_at=now)
    found = await load_participation(session, member_id)
    if found is None:
        raise LookupError("the row vanished while it was made")
    return found


# --- rounds -----------------------------------------------------------------------------------


async def find_round(session: AsyncSession, day: date, *, hold: bool = False) -> Round | None:
    """The round of a day, held until the end of the transaction if asked."""
    query = select(Round).where(Round.day == day).execution_options(populate_existing=True)
    return await session.scalar(query.with_for_update() if hold else query)


async def get_or_create_round(session: AsyncSession, day: date) -> Round:
    """The round of a day, made where there is none, and held."""
    await insert_if_absent(session, Round, day=day, seed=day.toordinal())
    found = await find_round(session, day, hold=True)
    if found is None:
        raise LookupError("the round vanished while it was made")
    return found


async def lock_round(session: AsyncSession, round_id: int) -> Round | None:
    """One round, held until the end of the transaction."""
    return await session.get(Round, round_id, with_for_update=True, populate_existing=True)


async def list_unfinished(session: AsyncSession) -> Sequence[Round]:
    """Rounds that something is still to happen to, oldest first."""
    return (await session.scalars(_newest_sent().where(Round.closed_at.is_(None)))).all()


async def find_last_sent(session: AsyncSession) -> Round | None:
    """The newest round that people were told of."""
    query = (
        _newest_sent().where(Round.sent_at.is_not(None)).order_by(None).order_by(Round.day.desc())
    )
    return await session.scalar(query.limit(1))


def _newest_sent() -> Select[Round]:
    return select(Round).order_by(Round.day)


async def save_groups(
    session: AsyncSession,
    round_: Round,
    groups: Iterable[tuple[Sequence[int], int, bool]],
    left: Iterable[tuple[int, str, int]],
    *,
    late: bool = False,
) -> None:
    """Groups (members, points, again) and those left (member, rule, fits) join a round."""
    for keys, points, again in groups:
        places = [RoundPlace(round_id=round_.id, member_id=key) for key in keys]
        session.add(
            RoundGroup(
                round_id=round_.id, points=points, again=again, late=late, places=places
            )
        )  # fmt: skip
    session.add_all(
        UnmatchedMember(round_id=round_.id, member_id=key, rule=rule, fits=fits)
        for key, rule, fits in left
    )
    await session.flush()


async def clear_draft(session: AsyncSession, round_: Round) -> None:
    """A draft is thrown away."""
    for kind in (RoundPlace, RoundGroup, UnmatchedMember):
        await session.execute(delete(kind).where(kind.round_id == round_.id))


async def drop_groups(session: AsyncSession, groups: Iterable[RoundGroup]) -> None:
    """Groups that cannot be: their places are free."""
    ids = [group.id for group in groups]
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        await session.execute(delete(RoundPlace).where(RoundPlace.group_id.in_(some)))
        await session.execute(delete(RoundGroup).where(RoundGroup.id.in_(some)))


async def list_groups(
    session: AsyncSession, round_id: int, *, only_new: int | None = None
) -> Sequence[RoundGroup]:
    """The groups of a round with their people, the weightiest first.

    `only_new`: so many of those that were not told yet, held; what another process holds is
    passed over.
    """
    query = _whole_groups(round_id).order_by(RoundGroup.points.desc(), RoundGroup.id)
    if only_new is not None:
        query = query.where(RoundGroup.begun_at.is_(None)).limit(only_new)
        query = query.with_for_update(skip_locked=True, of=RoundGroup)
    return (await session.scalars(query)).all()


def _whole_groups(round_id: int) -> Select[RoundGroup]:
    return (
        select(RoundGroup)
        .where(RoundGroup.round_id == round_id)
        .options(selectinload(RoundGroup.places).selectinload(RoundPlace.member))
        .execution_options(populate_existing=True)
    )


async def list_drafted_members(
    session: AsyncSession, round_id: int, after: int, limit: int
) -> Sequence[Member]:
    """So many of a draft, with a partner in it or not, by number from the one after `after`."""
    placed = select(RoundPlace.member_id).where(RoundPlace.round_id == round_id)
    left = select(UnmatchedMember.member_id).where(UnmatchedMember.round_id == round_id)
    query = select(Member).where(Member.id.in_(placed.union(left)), Member.id > after)
    return (await session.scalars(query.order_by(Member.id).limit(limit))).all()


async def find_names(session: AsyncSession, round_id: int, keys: Collection[int]) -> dict[int, str]:
    """The names of those of these who are in a round, with a partner or not."""
    placed = select(RoundPlace.member_id).where(RoundPlace.round_id == round_id)
    left = select(UnmatchedMember.member_id).where(UnmatchedMember.round_id == round_id)
    query = select(Member.id, Member.name).where(
        Member.id.in_(placed.union(left)), Member.id.in_(keys)
    )
    return {row[0]: row[1] for row in (await session.execute(query)).all()}


async def list_begun_groups(
    session: AsyncSession, round_id: int, before: datetime, after: int, limit: int
) -> Sequence[RoundGroup]:
    """So many groups that were told before a moment, by number from the one after `after`."""
    query = _whole_groups(round_id).where(RoundGroup.begun_at <= before, RoundGroup.id > after)
    return (await session.scalars(query.order_by(RoundGroup.id).limit(limit))).all()


async def list_unanswered(
    session: AsyncSession, round_id: int, before: datetime
) -> Sequence[RoundMember]:
    """How those take part who were told before a moment, and said nothing to the check-in."""
    query = (
        select(RoundMember)
        .join(RoundPlace, RoundPlace.member_id == RoundMember.member_id)
        .join(RoundGroup, RoundGroup.id == RoundPlace.group_id)
        .where(
            RoundPlace.round_id == round_id,
            RoundPlace.answer == "",
            RoundGroup.begun_at <= before,
        )
        .order_by(RoundMember.member_id)
        .options(selectinload(RoundMember.member))
    )
    return (await session.scalars(query)).all()


async def list_unmatched(
    session: AsyncSession, round_id: int, *, only_new: int | None = None
) -> Sequence[UnmatchedMember]:
    """Those without a partner, with the member; `only_new` as above."""
    query = (
        select(UnmatchedMember)
        .where(UnmatchedMember.round_id == round_id)
        .order_by(UnmatchedMember.member_id)
        .options(selectinload(UnmatchedMember.member))
        .execution_options(populate_existing=True)
    )
    if only_new is not None:
        query = query.where(UnmatchedMember.told_at.is_(None)).limit(only_new)
        query = query.with_for_update(skip_locked=True, of=UnmatchedMember)
    return (await session.scalars(query)).all()


async def delete_unmatched(
    session: AsyncSession, round_id: int, keys: Collection[int] | None
) -> None:
    """Some who were left have a partner now; None for all of them."""
    gone = delete(UnmatchedMember).where(UnmatchedMember.round_id == round_id)
    if keys is not None:
        gone = gone.where(UnmatchedMember.member_id.in_(keys))
    await session.execute(gone)


async def count_missed(session: AsyncSession, round_id: int) -> None:
    """Whoever has a place owes nothing any more; whoever was left comes first next time."""
    placed = select(RoundPlace.member_id).where(RoundPlace.round_id == round_id)
    left = select(UnmatchedMember.member_id).where(UnmatchedMember.round_id == round_id)
    for who, value in ((placed, 0), (left, RoundMember.missed + 1)):
        await session.execute(
            update(RoundMember)
            .where(RoundMember.member_id.in_(who))
            .values(missed=value)
            .execution_options(synchronize_session=False)
        )


async def add_third(
    session: AsyncSession, round_id: int, host_id: int, third_id: int, points: int
) -> None:
    """Somebody joins the pair of another one, which is told anew."""
    found = await find_group_of(session, host_id, round_id)
    if found is None:
        raise LookupError("the pair vanished while it was held")
    session.add(RoundPlace(round_id=round_id, member_id=third_id, group_id=found.id))
    found.points, found.late, found.begun_at = points, True, None
    await session.flush()


async def clear_missed(session: AsyncSession, keys: Collection[int]) -> None:
    """These have a partner after all."""
    query = update(RoundMember).where(RoundMember.member_id.in_(keys)).values(missed=0)
    await session.execute(query)


# --- one member's rounds ----------------------------------------------------------------------


async def lock_group(session: AsyncSession, number: int) -> RoundGroup | None:
    """One group with its people, held."""
    query = (
        select(RoundGroup)
        .where(RoundGroup.id == number)
        .options(selectinload(RoundGroup.places).selectinload(RoundPlace.member))
        .execution_options(populate_existing=True)
    )
    return await session.scalar(query.with_for_update(of=RoundGroup))


async def find_group_of(session: AsyncSession, member_id: int, round_id: int) -> RoundGroup | None:
    """The group somebody is in."""
    query = select(RoundPlace.group_id).where(
        RoundPlace.member_id == member_id, RoundPlace.round_id == round_id
    )
    number = await session.scalar(query)
    return await lock_group(session, number) if number else None


async def find_unmatched(
    session: AsyncSession, member_id: int, round_id: int
) -> UnmatchedMember | None:
    """Was somebody left without a partner?"""
    return await session.get(UnmatchedMember, (round_id, member_id))


async def count_answers(session: AsyncSession, round_id: int) -> Mapping[str, int]:
    """How many places have which answer; empty for none."""
    query = (
        select(RoundPlace.answer, func.count())
        .where(RoundPlace.round_id == round_id)
        .group_by(RoundPlace.answer)
    )
    return {row[0]: row[1] for row in (await session.execute(query)).all()}
