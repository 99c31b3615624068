"""The relay: two people in different workspaces who agreed to talk, each in their own thread."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base
from db.members import Member


class Relay(Base):
    """One conversation of two. Each side has a root: the delivery that opened its thread."""

    __tablename__ = "relay"
    id: Mapped[int] = mapped_column(primary_key=True)
    one_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    one_root_id: Mapped[int | None] = mapped_column(
        ForeignKey("delivery.id", ondelete="SET NULL"), index=True
    )
    other_root_id: Mapped[int | None] = mapped_column(
        ForeignKey("delivery.id", ondelete="SET NULL"), index=True
    )
    status: Mapped[str] = mapped_column(default="open")
    opened_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


async def begin(
    session: AsyncSession,
    now: datetime,
    one: Member,
    other: Member,
    roots: tuple[int | None, int | None],
) -> Relay:
    """Open a conversation; `roots` are the deliveries of the two opening cards, in this order."""
    relay = Relay(
        one_id=one.id, other_id=other.id, one_root_id=roots[0], other_root_id=roots[1],
        opened_at=now,
    )  # fmt: skip
    session.add(relay)
    await session.flush()
    return relay
