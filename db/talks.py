"""Talks: two people who agreed to meet, where the hub connects them, and when they talk."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Select,
    case,
    exists,
    null,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, aliased, mapped_column, selectinload
from sqlalchemy.orm import relationship as related

from db.base import is_pair
from db.members import Account, Member
from db.outbox import Address, Delivery, cancel_waiting, delivery_address
from db.relay import Relay, RelayLine
from db.tags import Tagged
from db.withdrawing import MAY_NEED_REMOVAL
from db.workspaces import Workspace

OPENING, OPEN, FAILED = "opening", "open", "failed"
GROUP_CHAT_PERIOD = timedelta(days=90)
"""How long two whom the hub brought together in a group chat count as talking there."""
_FORM = "%Y-%m-%dT%H:%MZ"


class Talk(Tagged):
    """Two people whom the hub has connected.

    `key` says by what, so that nothing opens twice; `topic_id` and `because` are what they meet
    about. `together`: in one conversation, whose opening message is both roots; otherwise each root
    opens the thread of its side. `status` is opening until both are known to have received it, then
    open, or failed. `offers` are the times proposed so far, in UTC, and are only added to, as a
    button names one by its position. `picked` is the one that `picked_by_id` asks for, `agreed` the
    one both said yes to; `moves` counts both, `sequence` the agreements.
    """

    __tablename__ = "talk"
    tag_letter, made_in = "t", "opened_at"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    one_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    topic_id: Mapped[int | None] = mapped_column(ForeignKey("topic.id", ondelete="SET NULL"))
    because: Mapped[str] = mapped_column(default="")
    together: Mapped[bool] = mapped_column(default=False)
    status: Mapped[str] = mapped_column(default=OPENING, index=True)
    opened_at: Mapped[datetime]
    one_root_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id", ondelete="SET NULL"))
    other_root_id: Mapped[int | None] = mapped_column(
        ForeignKey("delivery.id", ondelete="SET NULL")
    )
    offers: Mapped[str] = mapped_column(default="")
    picked: Mapped[int | None]
    picked_by_id: Mapped[int | None] = mapped_column(ForeignKey("member.id", ondelete="SET NULL"))
    agreed: Mapped[int | None]
    agreed_at: Mapped[datetime | None]
    moves: Mapped[int] = mapped_column(default=0)
    sequence: Mapped[int] = mapped_column(default=0)
    one: Mapped[Member] = related(lazy="raise", foreign_keys=one_id)
    other: Mapped[Member] = related(lazy="raise", foreign_keys=other_id)

    @property
    def times(self) -> tuple[datetime, ...]:
        """The times proposed so far; the number of the first one is 1."""
        said = self.offers.split()
        return tuple(datetime.strptime(s, _FORM).replace(tzinfo=UTC) for s in said)

    @property
    def is_of_round(self) -> bool:
        """Whether a pairing round opened it."""
        return self.key.startswith("round:")

    @property
    def talk_time(self) -> datetime | None:
        """The time both agreed to; None if there is none yet."""
        return self.times[self.agreed - 1] if self.agreed else None

    def add_offers(self, times: Sequence[datetime]) -> list[int]:
        """Add these times to the proposed ones; return their numbers."""
        known = list(self.times)
        known += [time for time in times if time not in known]
        self.offers = " ".join(f"{time.astimezone(UTC):{_FORM}}" for time in known)
        return [known.index(time) + 1 for time in times]

    def root_of(self, member_id: int) -> int | None:
        """Return the id of the delivery that opened this member's thread."""
        return self.one_root_id if member_id == self.one_id else self.other_root_id

    def partner_of(self, member_id: int) -> Member:
        """Return the other one of the two."""
        return self.other if member_id == self.one_id else self.one


async def load_talk(session: AsyncSession, number: int, *, hold: bool = True) -> Talk | None:
    """Load one talk with its people; with `hold`, locked until the end of the transaction."""
    query = _with_people(select(Talk).where(Talk.id == number))
    return await session.scalar(query.with_for_update(of=Talk) if hold else query)


async def find_by_key(session: AsyncSession, key: str) -> Talk | None:
    """Find the talk that was opened under this key, with its people."""
    return await session.scalar(_with_people(select(Talk).where(Talk.key == key)))


async def list_agreed(session: AsyncSession, member_id: int, since: datetime) -> Sequence[Talk]:
    """Return a member's talks whose time was agreed since then, with their people."""
    mine = or_(Talk.one_id == member_id, Talk.other_id == member_id)
    return (
        await session.scalars(_with_people(select(Talk).where(mine, Talk.agreed_at > since)))
    ).all()


class Ongoing(NamedTuple):
    """A conversation that is open: a relay, or else the talk of a group chat, by its number."""

    relay_id: int | None
    talk_id: int | None


async def load_ongoing(
    session: AsyncSession, member_id: int, now: datetime, others: Collection[int] | None = None
) -> dict[int, Ongoing]:
    """Return a member's open conversations by the other member; of `others` only, if given.

    A group chat has no end that the hub sees: it counts for `GROUP_CHAT_PERIOD`.
    """
    if others is not None and not others:
        return {}
    relays = select(
        case((Relay.one_id == member_id, Relay.other_id), else_=Relay.one_id).label("other"),
        Relay.id.label("relay"),
        null().label("talk"),
    ).where(or_(Relay.one_id == member_id, Relay.other_id == member_id), Relay.status == "open")
    chats = select(
        case((Talk.one_id == member_id, Talk.other_id), else_=Talk.one_id),
        null(),
        Talk.id,
    ).where(
        or_(Talk.one_id == member_id, Talk.other_id == member_id),
        Talk.together,
        Talk.status != FAILED,
        Talk.opened_at > now - GROUP_CHAT_PERIOD,
    )
    found = (await session.execute(union_all(relays, chats))).all()
    return {
        other: Ongoing(relay_id, talk_id)
        for other, relay_id, talk_id in sorted(found, key=lambda row: row[1] or 0)
        if other is not None and (others is None or other in others)
    }


async def list_talking_pairs(session: AsyncSession, since: datetime) -> set[frozenset[int]]:
    """Return the pairs with an open conversation in which something was written since then."""
    written = select(RelayLine.relay_id).where(RelayLine.at > since)
    query = select(Relay.one_id, Relay.other_id).where(
        Relay.status == "open", Relay.id.in_(written)
    )
    found = (await session.execute(query)).all()
    return {frozenset((one, other)) for one, other in found if one and other}


async def list_opening(
    session: AsyncSession, limit: int = 200, *, member_id: int | None = None
) -> Sequence[Talk]:
    """Return and lock the talks of which it is not known yet whether both received the opening.

    `member_id`: only those of this member.
    """
    query = _with_people(select(Talk).where(Talk.status == OPENING)).order_by(Talk.id).limit(limit)
    if member_id is not None:
        query = query.where(or_(Talk.one_id == member_id, Talk.other_id == member_id))
    return (await session.scalars(query.with_for_update(of=Talk, skip_locked=True))).all()


def _with_people(query: Select[Talk]) -> Select[Talk]:
    people = (selectinload(Talk.one), selectinload(Talk.other))
    return query.options(*people).execution_options(populate_existing=True)


async def load_roots(session: AsyncSession, talk: Talk) -> dict[int, Delivery | None]:
    """Load, by member id, the delivery that opened the talk for each; None if it is gone."""
    numbers = {talk.one_id: talk.one_root_id, talk.other_id: talk.other_root_id}
    query = select(Delivery).where(Delivery.id.in_([n for n in numbers.values() if n]))
    there = {d.id: d for d in await session.scalars(_reload(query))}
    return {person: there.get(number or 0) for person, number in numbers.items()}


def _reload(query: Select[Delivery]) -> Select[Delivery]:
    return query.execution_options(populate_existing=True)


async def cancel_pair_messages(
    session: AsyncSession, one_id: int, other_id: int, now: datetime
) -> list[Delivery]:
    """Cancel what is not sent yet of the talks of these two, and of the words they wrote there.

    Removals are still sent. Return the deliveries that ended.
    """
    written = (
        select(RelayLine.delivery_id)
        .join(Relay)
        .where(is_pair(Relay, one_id, other_id), RelayLine.delivery_id.is_not(None))
    )
    copies = or_(Delivery.id.in_(written), Delivery.of_id.in_(written))
    ended = await cancel_waiting(session, now, "blocked", copies, Delivery.act != "remove")
    talks = select(Talk.key).where(is_pair(Talk, one_id, other_id))
    for key in (await session.scalars(talks)).all():
        of_talk = Delivery.key.startswith(f"{key}:", autoescape=True)
        ended += await cancel_waiting(session, now, "blocked", of_talk)
    return ended


def is_of_talks(member_id: int) -> ColumnElement[bool]:
    """Return the condition for the deliveries of a member's talks: openings, times, notices."""
    mine = or_(Talk.one_id == member_id, Talk.other_id == member_id)
    return exists().where(mine, Delivery.key.startswith(Talk.key + ":"))


async def find_common_workspace(
    session: AsyncSession, one_id: int, other_id: int
) -> Address | None:
    """Find a workspace in which both can be written to at once, preferred accounts first."""
    mine, theirs = aliased(Account), aliased(Account)
    query = (
        select(Workspace.platform, Workspace.external_id, mine.external_id, theirs.external_id)
        .join(mine, mine.workspace_id == Workspace.id)
        .join(theirs, theirs.workspace_id == Workspace.id)
        .where(
            Workspace.gathers,
            Workspace.removed_at.is_(None),
            mine.member_id == one_id,
            theirs.member_id == other_id,
            mine.reachable,
            theirs.reachable,
        )
        .order_by(mine.preferred.desc(), theirs.preferred.desc(), mine.id.desc(), theirs.id.desc())
        .limit(1)
    )
    row = (await session.execute(query)).first()
    return Address(row[0], row[1], user=",".join(sorted(row[2:]))) if row else None


async def find_address(session: AsyncSession, root_id: int | None) -> Address | None:
    """Return where a talk's opening was sent; None if the delivery is gone."""
    row = await session.get(Delivery, root_id) if root_id else None
    return delivery_address(row) if row else None


async def cancel_roots(session: AsyncSession, talk: Talk, now: datetime) -> list[Delivery]:
    """Cancel the opening messages that are not on their way yet; return those deliveries.

    One that may have arrived and is to be removed is left to be looked for.
    """
    roots = Delivery.id.in_((talk.one_root_id, talk.other_root_id))
    reason = "the other side cannot be reached"
    return await cancel_waiting(session, now, reason, roots, ~MAY_NEED_REMOVAL)


async def fail_talk(session: AsyncSession, talk: Talk, now: datetime) -> list[Delivery]:
    """Mark the talk as failed, cancel its waiting opening messages and end its relay.

    Return the deliveries that ended.
    """
    talk.status = FAILED
    ended = await cancel_roots(session, talk, now)
    openings = (talk.one_root_id, talk.other_root_id)
    await session.execute(
        update(Relay)
        .where(or_(Relay.one_root_id.in_(openings), Relay.other_root_id.in_(openings)))
        .where(Relay.status != "ended")
        .values(status="ended", ended_at=now)
    )
    return ended
