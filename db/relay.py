"""The relay: conversations of two people in different workspaces, each in their own thread."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import BigInteger, ColumnElement, ForeignKey, and_, delete, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from db import outbox
from db.base import Base
from db.members import Account, Member
from db.outbox import Delivery
from db.workspaces import Workspace

OPEN, ENDED = "open", "ended"
PASSED, WITHHELD = "passed", "withheld"
DRAFT_LIFETIME = timedelta(days=1)
MAX_LISTED = 20


class Relay(Base):
    """One conversation of two. Each side has a root: the delivery that opened its thread.

    An erased member leaves an empty side, so that the other's thread can still say that it is over.
    Each side may pause it; messages pass while neither does.
    """

    __tablename__ = "relay"
    id: Mapped[int] = mapped_column(primary_key=True)
    one_id: Mapped[int | None] = mapped_column(
        ForeignKey("member.id", ondelete="SET NULL"), index=True
    )
    other_id: Mapped[int | None] = mapped_column(
        ForeignKey("member.id", ondelete="SET NULL"), index=True
    )
    one_root_id: Mapped[int | None] = mapped_column(
        ForeignKey("delivery.id", ondelete="SET NULL"), index=True
    )
    other_root_id: Mapped[int | None] = mapped_column(
        ForeignKey("delivery.id", ondelete="SET NULL"), index=True
    )
    status: Mapped[str] = mapped_column(default=OPEN)
    opened_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    one_paused_at: Mapped[datetime | None]
    other_paused_at: Mapped[datetime | None]

    def side(self, member_id: int) -> str:
        """Return «one» or «other», as the columns name the sides."""
        return "one" if self.one_id == member_id else "other"

    def partner_of(self, member_id: int) -> int | None:
        """Return the other member; None if that person was erased."""
        return self.other_id if self.side(member_id) == "one" else self.one_id

    def root_of(self, member_id: int) -> int | None:
        """Return the delivery that opened this member's thread."""
        return self.one_root_id if self.side(member_id) == "one" else self.other_root_id

    def is_paused_by(self, member_id: int | None) -> bool:
        """Return whether this member paused the conversation."""
        return member_id is not None and self.pause_start(member_id) is not None

    def pause_start(self, member_id: int) -> datetime | None:
        """Return when this member paused the conversation; None if it is not paused."""
        return self.one_paused_at if self.side(member_id) == "one" else self.other_paused_at

    def update_pause(self, member_id: int, at: datetime | None) -> None:
        """Pause the conversation for this member, or resume it if there is no time."""
        setattr(self, f"{self.side(member_id)}_paused_at", at)


class RelayLine(Base):
    """One message a member wrote in a relay, and the delivery that brought it to the other side.

    `source` is the platform, channel and id of the original. `edition` rises with each edit, so
    that an older edit that arrives later changes nothing. `status` withheld: it was never sent, and
    no edit of it will be. The words themselves are stored only in the delivery.
    """

    __tablename__ = "relay_line"
    id: Mapped[int] = mapped_column(primary_key=True)
    relay_id: Mapped[int] = mapped_column(ForeignKey("relay.id", ondelete="CASCADE"), index=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    source: Mapped[str] = mapped_column(unique=True)
    delivery_id: Mapped[int | None] = mapped_column(
        ForeignKey("delivery.id", ondelete="SET NULL"), index=True
    )
    status: Mapped[str] = mapped_column(default=PASSED)
    edition: Mapped[int] = mapped_column(BigInteger, default=0)
    gone: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime]


class RelayDraft(Base):
    """A message that may belong to several relays, kept for a day until its writer chooses one."""

    __tablename__ = "relay_draft"
    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    source: Mapped[str] = mapped_column(unique=True)
    body: Mapped[str]
    at: Mapped[datetime] = mapped_column(index=True)


# without its opening message, a thread cannot be matched to its conversation
outbox.NEEDED.append(
    exists().where(or_(Relay.one_root_id == Delivery.id, Relay.other_root_id == Delivery.id))
)


class ThreadRoot(NamedTuple):
    """The delivery that opened a side's thread, and whether its reader is still reachable there."""

    delivery: Delivery
    is_reachable: bool


def is_written_by(member_id: int) -> ColumnElement[bool]:
    """Return the condition for deliveries of what a member wrote, and for changes of them."""
    written = select(RelayLine.delivery_id).where(
        RelayLine.author_id == member_id, RelayLine.delivery_id.is_not(None)
    )
    return or_(Delivery.id.in_(written), Delivery.of_id.in_(written))


def _has_member(member_id: int) -> ColumnElement[bool]:
    return or_(Relay.one_id == member_id, Relay.other_id == member_id)


async def create_relay(
    session: AsyncSession,
    now: datetime,
    one: Member,
    other: Member,
    roots: tuple[int | None, int | None],
) -> Relay:
    """Open a conversation; `roots` are the deliveries of the two opening cards, in this order."""
    relay = Relay(
        one_id=one.id,
        other_id=other.id,
        one_root_id=roots[0],
        other_root_id=roots[1],
        opened_at=now,
    )
    session.add(relay)
    await session.flush()
    return relay


async def has_relays(session: AsyncSession, platform: str, user: str) -> bool:
    """Return whether the member of this account has ever been in a conversation."""
    query = (
        select(Account.id)
        .join(Account.workspace)
        .where(
            Workspace.platform == platform,
            Account.external_id == user,
            exists().where(
                or_(Relay.one_id == Account.member_id, Relay.other_id == Account.member_id)
            ),
        )
        .limit(1)
    )
    return await session.scalar(query) is not None


async def load_relay(session: AsyncSession, relay_id: int, member_id: int) -> Relay | None:
    """Load and lock a conversation of this member; None for others, as if they did not exist."""
    query = select(Relay).where(Relay.id == relay_id, _has_member(member_id))
    return await session.scalar(query.with_for_update())


async def list_relays(
    session: AsyncSession, member_id: int, *, only_open: bool = False
) -> list[Relay]:
    """Return a member's conversations, newest first: all of them, or only the open ones."""
    query = select(Relay).where(_has_member(member_id)).order_by(Relay.id.desc()).limit(MAX_LISTED)
    if only_open:
        query = query.where(Relay.status == OPEN)
    return list(await session.scalars(query))


async def list_opening_relays(session: AsyncSession, member_id: int, platform: str) -> list[Relay]:
    """Return the open conversations whose opening card is on its way to this member.

    The platform's id of that card is not known yet, though the member may see it already.
    """
    mine = or_(
        and_(Relay.one_id == member_id, Relay.one_root_id == Delivery.id),
        and_(Relay.other_id == member_id, Relay.other_root_id == Delivery.id),
    )
    query = (
        select(Relay)
        .join(Delivery, mine)
        .where(
            Relay.status == OPEN,
            Delivery.platform == platform,
            Delivery.state.in_((outbox.DUE, outbox.CLAIMED, outbox.INFLIGHT)),
        )
    )
    return list(await session.scalars(query))


async def find_relay_of_message(
    session: AsyncSession, member_id: int, platform: str, message: str, source: str
) -> Relay | None:
    """Find and lock the conversation of a message: one the hub sent to this member, or their own.

    `message` is the platform's id of it, `source` the `RelayLine.source` it would have.
    """
    found = await session.execute(
        select(Delivery.id, Delivery.under_id).where(*_is_copy(member_id, platform, message))
    )
    numbers = {number for row in found for number in row if number is not None}
    ours = select(RelayLine.relay_id).where(_is_copy_or_source(member_id, source, numbers))
    query = select(Relay).where(
        or_(
            and_(Relay.one_id == member_id, Relay.one_root_id.in_(numbers)),
            and_(Relay.other_id == member_id, Relay.other_root_id.in_(numbers)),
            and_(_has_member(member_id), Relay.id.in_(ours)),
        )
    )
    return await session.scalar(query.with_for_update())


async def find_line(
    session: AsyncSession, member_id: int, platform: str, message: str, source: str
) -> RelayLine | None:
    """Find the line that this member sees as this message: a copy they got, or their original."""
    copies = list(
        await session.scalars(select(Delivery.id).where(*_is_copy(member_id, platform, message)))
    )
    query = (
        select(RelayLine)
        .join(Relay)
        .where(_is_copy_or_source(member_id, source, copies), _has_member(member_id))
    )
    return await session.scalar(query)


def _is_copy(member_id: int, platform: str, message: str) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for deliveries to a member that became this message."""
    return (
        Delivery.member_id == member_id,
        Delivery.platform == platform,
        Delivery.platform_id == message,
    )


def _is_copy_or_source(member_id: int, source: str, copies: Collection[int]) -> ColumnElement[bool]:
    own = and_(RelayLine.source == source, RelayLine.author_id == member_id)
    return or_(own, RelayLine.delivery_id.in_(copies))


async def load_root(session: AsyncSession, relay: Relay, member_id: int) -> ThreadRoot | None:
    """Load the root of this member's thread; None if the delivery is gone.

    The member cannot be reached there once the account or the hub has left the workspace.
    """
    number = relay.root_of(member_id)
    found = await session.get(Delivery, number) if number is not None else None
    if found is None:
        return None
    lives = (
        select(Account.id)
        .join(Account.workspace)
        .where(
            Account.member_id == member_id,
            Account.external_id == found.user,
            Workspace.platform == found.platform,
            Workspace.external_id == found.workspace,
            Workspace.removed_at.is_(None),
        )
    )
    return ThreadRoot(found, await session.scalar(lives) is not None)


async def can_write_to(session: AsyncSession, to: Delivery) -> bool:
    """Return whether direct messages are open where this delivery went; if unknown, they are."""
    query = (
        select(Account.reachable)
        .join(Account.workspace)
        .where(
            Account.external_id == to.user,
            Workspace.platform == to.platform,
            Workspace.external_id == to.workspace,
        )
    )
    return await session.scalar(query) is not False


# --- what was written -------------------------------------------------------------------------


async def find_line_by_source(session: AsyncSession, source: str) -> RelayLine | None:
    """Find and lock the line of an original message."""
    return await session.scalar(
        select(RelayLine).where(RelayLine.source == source).with_for_update()
    )


async def find_line_by_delivery(session: AsyncSession, delivery_id: int) -> RelayLine | None:
    """Find the line that a delivery brought to the other side."""
    return await session.scalar(select(RelayLine).where(RelayLine.delivery_id == delivery_id))


async def find_relay_by_root(session: AsyncSession, delivery_id: int) -> Relay | None:
    """Find and lock the conversation whose thread a delivery opened."""
    query = select(Relay).where(
        or_(Relay.one_root_id == delivery_id, Relay.other_root_id == delivery_id)
    )
    return await session.scalar(query.with_for_update())


async def load_latest_body(session: AsyncSession, of: Delivery) -> str:
    """Return the card of a delivery after its latest edit; empty once it is no longer kept."""
    query = select(Delivery.body).where(Delivery.of_id == of.id, Delivery.act == "edit")
    return await session.scalar(query.order_by(Delivery.id.desc()).limit(1)) or of.body


async def has_withheld_since(
    session: AsyncSession, relay_id: int, author_id: int, since: datetime
) -> bool:
    """Return whether a message of this author in this conversation was withheld since then."""
    query = select(RelayLine.id).where(
        RelayLine.relay_id == relay_id,
        RelayLine.author_id == author_id,
        RelayLine.status == WITHHELD,
        RelayLine.at >= since,
    )
    return await session.scalar(query.limit(1)) is not None


async def has_passed_since(
    session: AsyncSession, relay_id: int, author_id: int, since: datetime, but_not: int
) -> bool:
    """Return whether another message of this author was passed on in the conversation since."""
    query = select(RelayLine.id).where(
        RelayLine.relay_id == relay_id,
        RelayLine.author_id == author_id,
        RelayLine.status == PASSED,
        RelayLine.at >= since,
        RelayLine.id != but_not,
    )
    return await session.scalar(query.limit(1)) is not None


# --- drafts -----------------------------------------------------------------------------------


async def find_draft(session: AsyncSession, source: str) -> RelayDraft | None:
    """Find and lock the draft of an original message."""
    return await session.scalar(
        select(RelayDraft).where(RelayDraft.source == source).with_for_update()
    )


async def take_draft(session: AsyncSession, draft_id: int, member_id: int) -> RelayDraft | None:
    """Delete a draft of this member and return it, so that it is used only once."""
    query = select(RelayDraft).where(RelayDraft.id == draft_id, RelayDraft.member_id == member_id)
    found = await session.scalar(query.with_for_update())
    if found:
        await session.delete(found)
    return found


async def delete_old(session: AsyncSession, now: datetime) -> None:
    """Delete drafts that nobody used in time, and conversations whose members were both erased."""
    await session.execute(delete(RelayDraft).where(RelayDraft.at < now - DRAFT_LIFETIME))
    nobody = and_(Relay.one_id.is_(None), Relay.other_id.is_(None))
    await session.execute(delete(Relay).where(nobody))
