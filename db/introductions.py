"""Introductions: who asked to meet whom, what was answered, and who wants nothing of whom."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import (
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
    "draft", "asked", "agreed", "declined", "expired", "withdrawn",
)  # fmt: skip
UNANSWERED = (ASKED, DECLINED)
"""Open to whoever asked, since a no is not told at once."""
YES, LATER, NEVER = "yes", "later", "never"

ASK_LIFETIME = timedelta(days=7)
"""How long an ask waits for an answer."""
NO_SOONER = timedelta(days=3)
"""When it is told that an ask came to nothing, if that is clear by then; else at the end."""
AGAIN = timedelta(days=30)
"""How long one does not ask the same person again."""


class Introduction(Base):
    """Two people who may come to talk, and what each said to it.

    `one` asked to meet `other`, or `by` wants to introduce both to each other; `by_id` becomes
    empty when the introducer is forgotten. `because` is what was typed as the reason. `status`
    is draft (shown to whoever asks, not asked yet), asked, agreed, declined, expired or
    withdrawn; each side said nothing yet, yes, later or never. `silent`: those who are asked
    never see it. `tells_at`: when it comes to nothing, its asker hears of it then, and at no
    other time, whatever the reason; `closed_at`: nothing is open any more. `passed` counts the
    people of a topic whom the asker passed over; None where a person was named.
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
        """Who waits for the outcome: the introducer, else the one who asked for oneself."""
        return self.by or (self.one if self.one_said == YES else None)

    def side(self, member_id: int) -> str:
        """Which of the two somebody is; empty for everybody else."""
        sides = {self.one_id: "one", self.other_id: "other"}
        return sides.get(member_id, "")

    def can_answer(self, member_id: int) -> bool:
        """Is it this member's to answer? Whoever asked for oneself has answered by asking."""
        if self.silent or self.status == DRAFT:
            return False
        return self.side(member_id) == "other" or (
            self.by_id is not None and self.side(member_id) == "one"
        )

    def is_open(self, now: datetime) -> bool:
        """May it still be answered or withdrawn?"""
        waits = self.status in UNANSWERED and self.closed_at is None
        return waits and now < self.tells_at

    def answer_of(self, member_id: int) -> str:
        """What one of the two answered so far."""
        return self.one_said if self.side(member_id) == "one" else self.other_said

    def record_answer(self, member_id: int, answer: str) -> None:
        """One of the two answers, or answers something else than before."""
        setattr(self, f"{self.side(member_id)}_said", answer)

    def partner_of(self, member_id: int) -> Member:
        """The one of the two that somebody is not."""
        return self.other if member_id == self.one_id else self.one

    def mark_as_failed(self, now: datetime) -> None:
        """From now on it can only end in «not available now»; see `tells_at`."""
        self.tells_at = min(self.tells_at, _decline_notice_time(self.asked_at, now))


def _decline_notice_time(asked_at: datetime, now: datetime) -> datetime:
    """When an asker hears of a no that is clear now: the same for whatever made it one."""
    soon = asked_at + NO_SOONER
    return soon if now <= soon else asked_at + ASK_LIFETIME


# --- silence -----------------------------------------------------------------------------------


async def silence_between(
    session: AsyncSession, one_id: int, other_id: int, now: datetime
) -> list[Delivery]:
    """What waits for an answer between two comes to nothing, in a way that tells nobody why.

    Returns the deliveries that ended by it.
    """
    query = _with_people(
        select(Introduction).where(
            is_pair(Introduction, one_id, other_id), Introduction.status.in_(UNANSWERED),
            Introduction.closed_at.is_(None),
        )
    ).with_for_update(of=Introduction)  # fmt: skip
    ended: list[Delivery] = []
    for one in (await session.scalars(query)).all():
        ended += await silence_introduction(session, one, now)
    return ended


async def silence_introduction(
    session: AsyncSession, one: Introduction, now: datetime
) -> list[Delivery]:
    """Who is asked sees nothing of it any more; to whoever asked it looks as before.

    Returns the deliveries that ended by it.
    """
    one.silent = True
    one.mark_as_failed(now)
    return await cancel_cards(session, one, now, "silenced")


async def cancel_cards(
    session: AsyncSession, one: Introduction, now: datetime, reason: str
) -> list[Delivery]:
    """Cancel the cards that ask and are not on their way yet; returns those deliveries."""
    cards = Delivery.key.in_([card_key(one, side) for side in (one.one_id, one.other_id)])
    return await cancel_waiting(session, now, reason, cards)


def card_key(one: Introduction, member_id: int) -> str:
    """The delivery that asks one of the two."""
    return f"intro:{one.id}:asks:{member_id}"


async def has_said_never(session: AsyncSession, member_id: int, whom_id: int) -> bool:
    """Did this member answer «never» to meeting that one?"""
    as_one = and_(Introduction.one_id == member_id, Introduction.other_id == whom_id,
                  Introduction.one_said == NEVER)  # fmt: skip
    as_other = and_(Introduction.one_id == whom_id, Introduction.other_id == member_id,
                    Introduction.other_said == NEVER)  # fmt: skip
    return bool(await session.scalar(select(exists().where(or_(as_one, as_other)))))


async def load_excluded_pairs(
    session: AsyncSession, member_id: int | None = None
) -> set[frozenset[int]]:
    """The pairs that are never proposed to each other, or those of one member.

    One of them blocked the other, or answered «never».
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
    """With the people in it, also where some of it was read before."""
    people = (Introduction.one, Introduction.other, Introduction.by)
    return query.options(*map(selectinload, people)).execution_options(populate_existing=True)


async def lock_introduction(session: AsyncSession, number: int) -> Introduction | None:
    """One introduction with its people, held until the end of the transaction."""
    query = _with_people(select(Introduction).where(Introduction.id == number))
    return await session.scalar(query.with_for_update(of=Introduction))


async def lock_members(session: AsyncSession, *people: Member) -> None:
    """Nobody else counts or pairs these people meanwhile; what is known of them is read anew."""
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
    """How many asks of somebody since then are without a yes, withdrawn ones among them."""
    query = select(func.count()).where(
        or_(
            Introduction.by_id == asker.id,
            and_(Introduction.by_id.is_(None), Introduction.one_id == asker.id,
                 Introduction.one_said == YES),
        ),
        Introduction.status.not_in((DRAFT, AGREED)),
        Introduction.asked_at > since,
    )  # fmt: skip
    return await session.scalar(query) or 0


async def list_recent(
    session: AsyncSession, one_id: int, other_id: int, now: datetime
) -> Sequence[Introduction]:
    """What was asked between two people, either way, as long as it counts; newest first."""
    query = select(Introduction).where(
        is_pair(Introduction, one_id, other_id),
        Introduction.status != DRAFT,
        Introduction.asked_at > now - AGAIN,
    )
    return (await session.scalars(_with_people(query).order_by(Introduction.id.desc()))).all()


async def list_recently_asked(session: AsyncSession, asker_id: int, now: datetime) -> set[int]:
    """Whom somebody asked, or was introduced to, so short ago that asking again would press."""
    query = select(Introduction.one_id, Introduction.other_id).where(
        or_(Introduction.one_id == asker_id, Introduction.other_id == asker_id),
        or_(Introduction.one_id == asker_id, Introduction.status == AGREED),
        Introduction.status != DRAFT,
        Introduction.asked_at > now - AGAIN,
    )
    rows = (await session.execute(query)).all()
    return {number for row in rows for number in row} - {asker_id}


async def find_draft(
    session: AsyncSession, one_id: int, other_id: int, topic_id: int | None, because: str
) -> Introduction | None:
    """The same thing, shown to the same person before."""
    query = select(Introduction).where(
        Introduction.status == DRAFT,
        Introduction.one_id == one_id,
        Introduction.other_id == other_id,
        Introduction.topic_id.is_not_distinct_from(topic_id),
        Introduction.because == because,
    )
    return await session.scalar(_with_people(query).limit(1))


async def list_of_member(
    session: AsyncSession, member_id: int, now: datetime
) -> Sequence[Introduction]:
    """Everything somebody asked, is asked or arranges, newest first."""
    mine = (Introduction.one_id, Introduction.other_id, Introduction.by_id)
    query = select(Introduction).where(
        or_(*(column == member_id for column in mine)),
        Introduction.status != DRAFT,
        Introduction.asked_at > now - AGAIN,
    )
    return (
        await session.scalars(_with_people(query).order_by(Introduction.id.desc()).limit(40))
    ).all()


async def list_due(
    session: AsyncSession, now: datetime, limit: int = 200
) -> Sequence[Introduction]:
    """What came to nothing, or expired, and is to be told now; held."""
    query = select(Introduction).where(
        Introduction.status.in_(UNANSWERED),
        Introduction.tells_at <= now,
        Introduction.closed_at.is_(None),
    )
    query = _with_people(query).order_by(Introduction.id).limit(limit)
    held = query.with_for_update(of=Introduction, skip_locked=True)
    return (await session.scalars(held)).all()


async def drop_drafts(session: AsyncSession, before: datetime) -> None:
    """What was shown long ago and never asked."""
    old = (Introduction.status == DRAFT) & (Introduction.asked_at < before)
    await session.execute(delete(Introduction).where(old))
