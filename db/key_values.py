"""Small values that a process keeps between its starts, each under a key."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base


class KeyValue(Base):
    """One value stored under its key, such as the hash of the commands that Discord has."""

    __tablename__ = "memo"
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


async def load_value(session: AsyncSession, key: str) -> str:
    """Return the value stored under the key; empty if there is none."""
    return await session.scalar(select(KeyValue.value).where(KeyValue.key == key)) or ""


async def save_value(session: AsyncSession, key: str, value: str) -> None:
    """Store the value under the key, in place of an older one."""
    await session.merge(KeyValue(key=key, value=value))
