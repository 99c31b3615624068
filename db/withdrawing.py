"""Withdrawing messages: which may still arrive, and which may no longer be sent."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.outbox import AMBIGUOUS, HELD, PENDING, Delivery, is_in

_removal = aliased(Delivery)

MAY_NEED_REMOVAL: ColumnElement[bool] = and_(
    Delivery.began_at.is_not(None),
    exists().where(
        _removal.of_id == Delivery.id, _removal.act == "remove", is_in(*PENDING, of=_removal)
    ),
)
"""Whether a message may have arrived and a removal of it is waiting."""


async def list_unsettled(session: AsyncSession, *which: ColumnElement[bool]) -> Sequence[Delivery]:
    """Return the posts and edits of this condition that may still arrive, or may have; by id."""
    there = is_in(*PENDING, AMBIGUOUS, HELD), Delivery.act != "remove"
    query = select(Delivery).where(*there, *which).order_by(Delivery.id)
    return (await session.scalars(query)).all()


async def list_unwanted(session: AsyncSession, rows: Sequence[Delivery]) -> set[int]:
    """Return the ids of those deliveries whose message, or the one they edit, was taken back.

    A removal of it is waiting then.
    """
    of = {row.id: {row.id, row.of_id} for row in rows if row.act != "remove"}
    query = select(Delivery.of_id).where(
        Delivery.of_id.in_({number for numbers in of.values() for number in numbers if number}),
        Delivery.act == "remove",
        is_in(*PENDING),
    )
    removed = set((await session.scalars(query)).all())
    return {number for number, numbers in of.items() if numbers & removed}
