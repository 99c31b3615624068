"""Introductions: who asked to meet whom, and what each answered."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    union,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column, selectinload
from sqlalchemy.orm import relationship as related

from db.base import Base, is_pair
from db.blocks import Block
from db.members import Member
from db.outbox import Delivery, cancel_waiting

DRAFT, ASKED, AGREED, DECLINED, EXPIRED, WITHDRAWN = (
    "draft",
    "asked",
    "agreed",
    "declined",
    "expired",
    "withdrawn",
)
UNANSWERED = (ASKED, DECLINED)
"""The states that look open to the asker, since a decline is not reported at once."""
YES, LATER, NEVER = "yes", "later", "never"

ASK_LIFETIME = timedelta(days=7)
"""How long an ask waits for an answer."""
EARLIEST_NOTICE = timedelta(days=3)
"""How long after asking a failure is reported, if it is known by then; otherwise at the end."""
ASK_AGAIN_AFTER = timedelta(days=30)
"""How long an ask counts: before it ends, one does not ask the same person again."""


class Introduction(Base):
    """An introduction of two people, with the answer of each.

    `one` asked to meet `other`, or `by` wants to introduce both to each other; `by_id` becomes
    empty when the introducer's data is erased. `because` is the reason that was typed. `status` is
    draft (shown to the asker, not asked yet), asked, agreed, declined, expired or withdrawn. The
    answer of each side is empty, yes, later or never. `silent`: those who are asked never see it.
    `tells_at` is when the asker is notified of a failure, at no other time and whatever the reason;
    `closed_at` is when nothing was open any more. `passed` counts the people of a topic whom the
    asker passed over; None where a person was named.
    """

    __tablename__ = "introduction"
    __table_args__ = (
        Index("ix_introduction_pair", "one_id", "other_id", "status"),
        Index("ix_introduction_tells", "status", "tells_at"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    one_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"))
    other_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    by_id: Mapped[int | None] = mapped_column(
        ForeignKey("member.id", ondelete="SET NULL"), index=True
    )
    topic_id: Mapped[int | None] = mapped_column(ForeignKey("topic.id", ondelete="SET NULL"))
    because: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default="draft")
    one_said: Mapped[str] = mapped_column(default="")
    other_said: Mapped[str] = mapped_column(default="")
    silent: Mapped[bool] = mapped_column(default=False)
    passed: Mapped[int | None]
    asked_at: Mapped[datetime]
    tells_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    one: Mapped[Member] = related(lazy="raise", foreign_keys=one_id)
    other: Mapped[Member] = related(lazy="raise", foreign_keys=other_id)
    by: Mapped[Member | None] = related(lazy="raise", foreign_keys=by_id)

    @property
    def asker(self) -> Member | None:
        """The member who waits for the outcome: the introducer, else the one who asked to meet."""
        return self.by or (self.one if self.one_said == YES else None)

    def side(self, member_id: int) -> str:
        """Return «one» or «other» for these two people; empty for everybody else."""
        sides = {self.one_id: "one", self.other_id: "other"}
        return sides.get(member_id, "")

    def can_answer(self, member_id: int) -> bool:
        """Return whether this member is asked. People who ask to meet have answered by asking."""
        if self.silent or self.status == DRAFT:
            return False
        return self.side(member_id) == "other" or (
            self.by_id is not None and self.side(member_id) == "one"
        )

    def is_open(self, now: datetime) -> bool:
        """Return whether it may still be answered or withdrawn."""
        waits = self.status in UNANSWERED and self.closed_at is None
        return waits and now < self.tells_at

    def answer_of(self, member_id: int) -> str:
        """Return what one of the two has answered so far; empty if nothing."""
        return self.one_said if self.side(member_id) == "one" else self.other_said

    def record_answer(self, member_id: int, answer: str) -> None:
        """Set the answer of one of the two, in place of an earlier one."""
        setattr(self, f"{self.side(member_id)}_said", answer)

    def partner_of(self, member_id: int) -> Member:
        """Return the other one of the two."""
        return self.other if member_id == self.one_id else self.one

    def mark_as_failed(self, now: datetime) -> None:
        """Set when the asker is notified: from now on it can only end in «not available now»."""
        self.tells_at = min(self.tells_at, _decline_notice_time(self.asked_at, now))


def _decline_notice_time(asked_at: datetime, now: datetime) -> datetime:
    """Return when an asker is notified of a decline that is known now.

    It is the same for every reason, so that the time gives none away.
    """
    soon = asked_at + EARLIEST_NOTICE
    return soon if now <= soon else asked_at + ASK_LIFETIME


# --- silence -----------------------------------------------------------------------------------


async def silence_between(
    session: AsyncSession, one_id: int, other_id: int, now: datetime
) -> list[Delivery]:
    """Silence all introductions of two people that wait for an answer; nobody learns why.

    Return the deliveries that ended by it.
    """
    query = _with_people(
        select(Introduction).where(
            is_pair(Introduction, one_id, other_id),
            Introduction.status.in_(UNANSWERED),
            Introduction.closed_at.is_(None),
        )
    ).with_for_update(of=Introduction)
    ended: list[Delivery] = []
    for one in (await session.scalars(query)).all():
        ended += await silence_introduction(session, one, now)
    return ended


async def list_open_asks(session: AsyncSession, asker_id: int) -> Sequence[Introduction]:
    """Return and lock the introductions that a member asked for and nobody has answered."""
    mine = or_(
        Introduction.by_id == asker_id,
        and_(
            Introduction.by_id.is_(None),
            Introduction.one_id == asker_id,
            Introduction.one_said == YES,
        ),
    )
    query = _with_people(
        select(Introduction).where(
            mine, Introduction.status.in_(UNANSWERED), Introduction.closed_at.is_(None)
        )
    )
    held = query.order_by(Introduction.id).with_for_update(of=Introduction)
    return (await session.scalars(held)).all()


async def silence_introduction(
    session: AsyncSession, one: Introduction, now: datetime
) -> list[Delivery]:
    """Hide an introduction from those who are asked, while it looks unchanged to the asker.

    Return the deliveries that ended by it.
    """
    one.silent = True
    one.mark_as_failed(now)
    return await cancel_cards(session, one, now, "silenced")


async def cancel_cards(
    session: AsyncSession, one: Introduction, now: datetime, reason: str
) -> list[Delivery]:
    """Cancel the cards that ask and are not on their way yet; return those deliveries."""
    return await cancel_waiting(session, now, reason, is_card_of(one))


def is_card_of(one: Introduction) -> ColumnElement[bool]:
    """Return the condition for the deliveries that ask the two."""
    return Delivery.key.in_([card_key(one, side) for side in (one.one_id, one.other_id)])


def card_key(one: Introduction, member_id: int) -> str:
    """Return the key of the delivery that asks one of the two."""
    return f"intro:{one.id}:asks:{member_id}"


async def has_said_never(session: AsyncSession, member_id: int, whom_id: int) -> bool:
    """Return whether `member_id` answered «never» to meeting `whom_id`."""
    as_one = and_(
        Introduction.one_id == member_id,
        Introduction.other_id == whom_id,
        Introduction.one_said == NEVER,
    )
    as_other = and_(
        Introduction.one_id == whom_id,
        Introduction.other_id == member_id,
        Introduction.other_said == NEVER,
    )
    return bool(await session.scalar(select(exists().where(or_(as_one, as_other)))))


async def load_excluded_pairs(
    session: AsyncSession, member_id: int | None = None
) -> set[frozenset[int]]:
    """Load the pairs that are never proposed to each other, or those of one member.

    In each, one has blocked the other or answered «never».
    """
    never = or_(Introduction.one_said == NEVER, Introduction.other_said == NEVER)
    blocks = select(Block.member_id, Block.blocked_id)
    nevers = select(Introduction.one_id, Introduction.other_id).where(never)
    if member_id is not None:
        blocks = blocks.where(or_(Block.member_id == member_id, Block.blocked_id == member_id))
        nevers = nevers.where(
            or_(Introduction.one_id == member_id, Introduction.other_id == member_id)
        )
    rows = await session.execute(union(blocks, nevers))
    return {frozenset((one, other)) for one, other in rows.all()}


# --- introductions ----------------------------------------------------------------------------


def _with_people(query: Select[Introduction]) -> Select[Introduction]:
    """Make a query load the people too, also of rows that the session has read before."""
    people = (Introduction.one, Introduction.other, Introduction.by)
    return query.options(*map(selectinload, people)).execution_options(populate_existing=True)


async def lock_introduction(session: AsyncSession, number: int) -> Introduction | None:
    """Load one introduction with its people, locked until the end of the transaction."""
    query = _with_people(select(Introduction).where(Introduction.id == number))
    return await session.scalar(query.with_for_update(of=Introduction))


async def lock_and_refresh_members(session: AsyncSession, *people: Member) -> None:
    """Lock members, in id order, and reload what decides whether they may be asked."""
    for person in sorted(people, key=lambda p: p.id):
        await session.refresh(person, list(_COUNTED_ASKS), with_for_update=True)


_COUNTED_ASKS = (
    "status",
    "listed",
    "open_to_questions",
    "monthly_asks",
    "asks_taken",
    "asks_month",
)


async def count_asks_since(session: AsyncSession, asker: Member, since: datetime) -> int:
    """Count a member's asks since then that did not lead to a yes, including withdrawn ones."""
    query = select(func.count()).where(
        or_(
            Introduction.by_id == asker.id,
            and_(
                Introduction.by_id.is_(None),
                Introduction.one_id == asker.id,
                Introduction.one_said == YES,
            ),
        ),
        Introduction.status.not_in((DRAFT, AGREED)),
        Introduction.asked_at > since,
    )
    return await session.scalar(query) or 0


async def list_recent(
    session: AsyncSession, one_id: int, other_id: int, now: datetime
) -> Sequence[Introduction]:
    """Return what was asked between two people, either way, while it counts; newest first."""
    query = select(Introduction).where(
        is_pair(Introduction, one_id, other_id),
        Introduction.status != DRAFT,
        Introduction.asked_at > now - ASK_AGAIN_AFTER,
    )
    return (await session.scalars(_with_people(query).order_by(Introduction.id.desc()))).all()


async def list_recently_asked(session: AsyncSession, asker_id: int, now: datetime) -> set[int]:
    """Return whom a member asked, or was introduced to, too recently to be asked again."""
    query = select(Introduction.one_id, Introduction.other_id).where(
        or_(Introduction.one_id == asker_id, Introduction.other_id == asker_id),
        or_(Introduction.one_id == asker_id, Introduction.status == AGREED),
        Introduction.status != DRAFT,
        Introduction.asked_at > now - ASK_AGAIN_AFTER,
    )
    rows = (await session.execute(query)).all()
    return {number for row in rows for number in row} - {asker_id}


async def find_draft(
    session: AsyncSession, one_id: int, other_id: int, topic_id: int | None, because: str
) -> Introduction | None:
    """Find the draft of the same introduction, shown to the same person before."""
    query = select(Introduction).where(
        Introduction.status == DRAFT,
        Introduction.one_id == one_id,
        Introduction.other_id == other_id,
        Introduction.topic_id.is_not_distinct_from(topic_id),
        Introduction.because == because,
    )
    return await session.scalar(_with_people(query).limit(1))


async def list_introductions(
    session: AsyncSession, member_id: int, now: datetime
) -> Sequence[Introduction]:
    """Return all that a member asks, is asked or arranges, the newest first."""
    mine = (Introduction.one_id, Introduction.other_id, Introduction.by_id)
    query = select(Introduction).where(
        or_(*(column == member_id for column in mine)),
        Introduction.status != DRAFT,
        Introduction.asked_at > now - ASK_AGAIN_AFTER,
    )
    return (
        await session.scalars(_with_people(query).order_by(Introduction.id.desc()).limit(40))
    ).all()


async def list_due(
    session: AsyncSession, now: datetime, limit: int = 200
) -> Sequence[Introduction]:
    """Return unanswered introductions whose asker is to be notified of the failure now; locked."""
    query = select(Introduction).where(
        Introduction.status.in_(UNANSWERED),
        Introduction.tells_at <= now,
        Introduction.closed_at.is_(None),
    )
    query = _with_people(query).order_by(Introduction.id).limit(limit)
    held = query.with_for_update(of=Introduction, skip_locked=True)
    return (await session.scalars(held)).all()


async def delete_old_drafts(session: AsyncSession, before: datetime) -> None:
    """Delete drafts from before this time that were never asked."""
    old = (Introduction.status == DRAFT) & (Introduction.asked_at < before)
    await session.execute(delete(Introduction).where(old))
