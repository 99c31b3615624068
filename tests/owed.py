"""What a test reads off the outbox: who is owed what."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import Card, Reply, plain
from bot.deliveries import load_card
from bot.jobs.introductions import advance_introductions
from db.base import transaction
from db.members import Account, Member
from db.outbox import DUE, SENT, Delivery


@dataclass(frozen=True)
class PendingDelivery:
    """One delivery: to whom, as what, and what it says."""

    user: str
    kind: str
    key: str
    state: str
    reply: Reply
    language: str

    @property
    def text(self) -> str:
        """As a screen reader reads it."""
        return plain(self.reply)

    @property
    def card(self) -> Card:
        """What is pressed in a test."""
        assert isinstance(self.reply, Card)
        return self.reply


async def list_pending(
    engine: AsyncEngine, user: str = "", *, state: str = DUE
) -> list[PendingDelivery]:
    """What is owed, to everybody or to one account, oldest first; `state` empty: in any."""
    query = select(Delivery).order_by(Delivery.id)
    if user:
        query = query.where(Delivery.user == user)
    if state:
        query = query.where(Delivery.state == state)
    async with transaction(engine) as session:
        rows = (await session.scalars(query)).all()
    return [
        PendingDelivery(r.user, r.kind, r.key, r.state, load_card(r.body), r.language) for r in rows
    ]


async def mark_delivered(engine: AsyncEngine, state: str = SENT, user: str = "") -> None:
    """Everything that is due went out, or ended otherwise."""
    change = update(Delivery).where(Delivery.state == DUE)
    if user:
        change = change.where(Delivery.user == user)
    async with transaction(engine, writes=True) as session:
        await session.execute(change.values(state=state))


async def run_introductions_job(engine: AsyncEngine, now: datetime) -> None:
    """One turn of the clock's work on introductions."""
    async with transaction(engine, writes=True) as session:
        await advance_introductions(session, now)


async def load_member(engine: AsyncEngine, user: str) -> Member:
    """Somebody of the cast as they stand in the database."""
    async with transaction(engine) as session:
        query = select(Account).where(Account.external_id == user).order_by(Account.id)
        account = (await session.scalars(query)).first()
        assert account is not None
        assert account.member is not None
        return account.member


async def update_account(engine: AsyncEngine, user: str, **facts: object) -> None:
    """Change what is known of somebody's accounts."""
    async with transaction(engine, writes=True) as session:
        theirs = Account.external_id == user
        await session.execute(update(Account).where(theirs).values(**facts))


async def update_member(engine: AsyncEngine, user: str, **facts: object) -> None:
    """Change what is known of somebody."""
    one = await load_member(engine, user)
    async with transaction(engine, writes=True) as session:
        await session.execute(update(Member).where(Member.id == one.id).values(**facts))
