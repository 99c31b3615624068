"""Withdrawing messages: which may still arrive, and whether an attempt may begin."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.outbox import AMBIGUOUS, HELD, INFLIGHT, PENDING, Delivery, is_in

_removal = aliased(Delivery)


async def list_unsettled(session: AsyncSession, *which: ColumnElement[bool]) -> Sequence[Delivery]:
    """Return the posts and edits of this condition that may still arrive, or may have; by id."""
    there = is_in(*PENDING, AMBIGUOUS, HELD), Delivery.act != "remove"
    query = select(Delivery).where(*there, *which).order_by(Delivery.id)
    return (await session.scalars(query)).all()


async def is_wanted(session: AsyncSession, row: Delivery) -> bool:
    """Return whether an attempt that is about to begin may still be made.

    It may not if another process has claimed the delivery since, or if the message, or the one that
    it edits, was taken back: then a removal of it is waiting.
    """
    held = Delivery.id == row.id, Delivery.fence == row.fence, is_in(INFLIGHT)
    query = select(Delivery.id).where(*held)
    if row.act != "remove":
        removal = exists().where(
            _removal.of_id.in_([number for number in (row.id, row.of_id) if number]),
            _removal.act == "remove",
            is_in(*PENDING, of=_removal),
        )
        query = query.where(~removal)
    return await session.scalar(query) is not None
