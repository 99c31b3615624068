"""Pairing rounds: who was paired with whom, who had no partner, and who met."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, Select, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column, selectinload
from sqlalchemy.orm import relationship as related

from db.base import Base, insert_if_absent
from db.members import Member
from db.reach import can_be_reached

MET, SCHEDULED, NOT_YET = "met", "scheduled", "not-yet"
ANSWERS = (MET, SCHEDULED, NOT_YET)


class Round(Base):
    """One round, by its day. Each `…_at` is when a step was done, empty until then.

    `send_from`: when staff want it sent, before its time; None until they say so. `at_once`: they
    want it to reach everybody then, at whatever hour it is there. `skipped_at`: since when staff
    want it left out; nothing of it is drafted or sent.
    """

    __tablename__ = "round"
    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(unique=True)
    seed: Mapped[int] = mapped_column(default=0)
    drafted_at: Mapped[datetime | None]
    noticed_at: Mapped[datetime | None]
    locked_at: Mapped[datetime | None]
    send_from: Mapped[datetime | None]
    at_once: Mapped[bool] = mapped_column(default=False)
    skipped_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class RoundGroup(Base):
    """Two or three members who are to meet. `again`: some two of them were partners before.

    `late`: made after the round was sent. `begins_at`: they are notified no earlier, at any time if
    it is empty. `begun_at`: when they were notified.
    """

    __tablename__ = "round_group"
    __table_args__ = (Index("ix_round_group_round", "round_id", "begun_at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id", ondelete="CASCADE"))
    points: Mapped[int] = mapped_column(default=0)
    again: Mapped[bool] = mapped_column(default=False)
    late: Mapped[bool] = mapped_column(default=False)
    begins_at: Mapped[datetime | None]
    begun_at: Mapped[datetime | None]
    places: Mapped[list["RoundPlace"]] = related(lazy="raise", order_by="RoundPlace.member_id")


class RoundPlace(Base):
    """A member's place in a round; each has at most one. `answer` is met, scheduled or not-yet."""

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
    """A member without a partner in a round.

    `rule` is the pairing rule that left the fewest candidates; `fits` counts the members who would
    have fitted.
    """

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


# --- rounds -----------------------------------------------------------------------------------


async def find_round(session: AsyncSession, day: date, *, hold: bool = False) -> Round | None:
    """Find the round of a day; with `hold`, locked until the end of the transaction."""
    query = select(Round).where(Round.day == day).execution_options(populate_existing=True)
    return await session.scalar(query.with_for_update() if hold else query)


async def get_or_create_round(session: AsyncSession, day: date) -> Round:
    """Return the round of a day, created if there is none, and locked."""
    await insert_if_absent(session, Round, day=day, seed=day.toordinal())
    found = await find_round(session, day, hold=True)
    if found is None:
        raise LookupError("the round vanished while it was made")
    return found


async def lock_round(session: AsyncSession, round_id: int) -> Round | None:
    """Load one round and lock it until the end of the transaction."""
    return await session.get(Round, round_id, with_for_update=True, populate_existing=True)


async def list_unfinished(session: AsyncSession) -> Sequence[Round]:
    """Return the rounds that are not closed, oldest first."""
    return (await session.scalars(_rounds_by_day().where(Round.closed_at.is_(None)))).all()


async def list_skipped_days(session: AsyncSession, since: date) -> set[date]:
    """Return the days from then on whose rounds staff skip."""
    query = select(Round.day).where(Round.day >= since, Round.skipped_at.is_not(None))
    return set(await session.scalars(query))


async def find_unsent_draft(session: AsyncSession) -> Round | None:
    """Find the round that is drafted and was not sent yet, the soonest first."""
    drafted = Round.drafted_at.is_not(None), Round.sent_at.is_(None), Round.closed_at.is_(None)
    return await session.scalar(_rounds_by_day().where(*drafted).limit(1))


async def find_last_sent(session: AsyncSession) -> Round | None:
    """Find the newest round whose members were notified."""
    query = (
        _rounds_by_day().where(Round.sent_at.is_not(None)).order_by(None).order_by(Round.day.desc())
    )
    return await session.scalar(query.limit(1))


def _rounds_by_day() -> Select[Round]:
    return select(Round).order_by(Round.day)


async def save_groups(
    session: AsyncSession,
    round_: Round,
    groups: Iterable[tuple[Sequence[int], int, bool]],
    left: Iterable[tuple[int, str, int]],
    *,
    late: bool = False,
) -> None:
    """Add groups (members, points, again) and unmatched members (member, rule, fits) to a round."""
    for keys, points, again in groups:
        places = [RoundPlace(round_id=round_.id, member_id=key) for key in keys]
        session.add(
            RoundGroup(round_id=round_.id, points=points, again=again, late=late, places=places)
        )
    session.add_all(
        UnmatchedMember(round_id=round_.id, member_id=key, rule=rule, fits=fits)
        for key, rule, fits in left
    )
    await session.flush()


async def clear_draft(session: AsyncSession, round_: Round) -> None:
    """Delete all groups, places and unmatched members of a round."""
    for kind in (RoundPlace, RoundGroup, UnmatchedMember):
        await session.execute(delete(kind).where(kind.round_id == round_.id))


async def drop_groups(session: AsyncSession, groups: Iterable[RoundGroup]) -> None:
    """Delete groups that cannot meet, and their places."""
    ids = [group.id for group in groups]
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        await session.execute(delete(RoundPlace).where(RoundPlace.group_id.in_(some)))
        await session.execute(delete(RoundGroup).where(RoundGroup.id.in_(some)))


async def list_groups(
    session: AsyncSession,
    round_id: int,
    *,
    only_new: int | None = None,
    now: datetime | None = None,
) -> Sequence[RoundGroup]:
    """Return the groups of a round with their members, the most points first.

    With `only_new`, return and lock at most that many that are not notified yet and may be `now`,
    except those that another process has locked.
    """
    query = _groups_with_members_query(round_id).order_by(RoundGroup.points.desc(), RoundGroup.id)
    if only_new is not None:
        may_begin = RoundGroup.begins_at.is_(None) | (RoundGroup.begins_at <= now)
        query = query.where(RoundGroup.begun_at.is_(None), may_begin).limit(only_new)
        query = query.with_for_update(skip_locked=True, of=RoundGroup)
    return (await session.scalars(query)).all()


def _groups_with_members_query(round_id: int) -> Select[RoundGroup]:
    """Build the query for a round's groups that also loads and refreshes their members."""
    return (
        select(RoundGroup)
        .where(RoundGroup.round_id == round_id)
        .options(selectinload(RoundGroup.places).selectinload(RoundPlace.member))
        .execution_options(populate_existing=True)
    )


async def list_drafted_members(
    session: AsyncSession, round_id: int, after: int, limit: int
) -> Sequence[Member]:
    """Return up to `limit` members of a draft, paired or not, by id from the one after `after`.

    Not those who left since, were suspended, or cannot be written to.
    """
    placed = select(RoundPlace.member_id).where(RoundPlace.round_id == round_id)
    left = select(UnmatchedMember.member_id).where(UnmatchedMember.round_id == round_id)
    query = select(Member).where(
        Member.id.in_(placed.union(left)),
        Member.id > after,
        Member.status == "verified",
        can_be_reached(Member.id),
    )
    return (await session.scalars(query.order_by(Member.id).limit(limit))).all()


async def find_names(session: AsyncSession, round_id: int, keys: Collection[int]) -> dict[int, str]:
    """Return the names of those of these members who are in a round, paired or not, by id."""
    placed = select(RoundPlace.member_id).where(RoundPlace.round_id == round_id)
    left = select(UnmatchedMember.member_id).where(UnmatchedMember.round_id == round_id)
    query = select(Member.id, Member.name).where(
        Member.id.in_(placed.union(left)), Member.id.in_(keys)
    )
    return {row[0]: row[1] for row in (await session.execute(query)).all()}


async def list_begun_groups(
    session: AsyncSession, round_id: int, before: datetime, after: int, limit: int
) -> Sequence[RoundGroup]:
    """Return up to `limit` groups notified by `before`, by id from the one after `after`."""
    query = _groups_with_members_query(round_id).where(
        RoundGroup.begun_at <= before, RoundGroup.id > after
    )
    return (await session.scalars(query.order_by(RoundGroup.id).limit(limit))).all()


async def list_unmatched(
    session: AsyncSession, round_id: int, *, only_new: int | None = None
) -> Sequence[UnmatchedMember]:
    """Return the unmatched members of a round, with the member; `only_new` as in `list_groups`."""
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
    """Remove members from those without a partner, as they have one now; None for all of them."""
    gone = delete(UnmatchedMember).where(UnmatchedMember.round_id == round_id)
    if keys is not None:
        gone = gone.where(UnmatchedMember.member_id.in_(keys))
    await session.execute(gone)


async def add_third(
    session: AsyncSession, round_id: int, host_id: int, third_id: int, points: int
) -> None:
    """Add a member to the pair of `host_id`; the group is to be notified again."""
    found = await find_group_of(session, host_id, round_id)
    if found is None:
        raise LookupError("the pair vanished while it was held")
    session.add(RoundPlace(round_id=round_id, member_id=third_id, group_id=found.id))
    found.points, found.late, found.begun_at = points, True, None
    await session.flush()


# --- one member's rounds ----------------------------------------------------------------------


async def lock_group(session: AsyncSession, number: int) -> RoundGroup | None:
    """Load one group with its members, and lock it."""
    query = (
        select(RoundGroup)
        .where(RoundGroup.id == number)
        .options(selectinload(RoundGroup.places).selectinload(RoundPlace.member))
        .execution_options(populate_existing=True)
    )
    return await session.scalar(query.with_for_update(of=RoundGroup))


async def find_group_of(session: AsyncSession, member_id: int, round_id: int) -> RoundGroup | None:
    """Find and lock the group of a member in a round."""
    query = select(RoundPlace.group_id).where(
        RoundPlace.member_id == member_id, RoundPlace.round_id == round_id
    )
    number = await session.scalar(query)
    return await lock_group(session, number) if number else None


async def list_open_groups_of(session: AsyncSession, member_id: int) -> Sequence[RoundGroup]:
    """Return a member's groups in the rounds that are not closed, with their places."""
    query = (
        select(RoundGroup)
        .join(RoundPlace, RoundPlace.group_id == RoundGroup.id)
        .join(Round, Round.id == RoundGroup.round_id)
        .where(RoundPlace.member_id == member_id, Round.closed_at.is_(None))
        .options(selectinload(RoundGroup.places))
    )
    return (await session.scalars(query)).all()


async def find_unmatched(
    session: AsyncSession, member_id: int, round_id: int
) -> UnmatchedMember | None:
    """Return the row of a member who was left without a partner in a round, if so."""
    return await session.get(UnmatchedMember, (round_id, member_id))


async def count_answers(session: AsyncSession, round_id: int) -> Mapping[str, int]:
    """Count the places with each answer; an empty text stands for no answer."""
    query = (
        select(RoundPlace.answer, func.count())
        .where(RoundPlace.round_id == round_id)
        .group_by(RoundPlace.answer)
    )
    return {row[0]: row[1] for row in (await session.execute(query)).all()}
