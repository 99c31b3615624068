"""Tokens of the workspaces that installed the bot, each encrypted for its own workspace only."""

import base64
import os
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, transaction

_NONCE = 12
_PURPOSE = b"installation tokens"


class Installation(Base):
    """The encrypted token of a workspace, or of a whole enterprise if `team_id` is empty."""

    __tablename__ = "installation"
    enterprise_id: Mapped[str] = mapped_column(primary_key=True)
    team_id: Mapped[str] = mapped_column(primary_key=True, index=True)
    sealed: Mapped[str]
    installed_at: Mapped[datetime]


class DecryptedInstallation(NamedTuple):
    """An installation with its token in clear text; never write one to a log."""

    enterprise_id: str
    team_id: str
    token: str
    installed_at: datetime

    def __repr__(self) -> str:
        return f"DecryptedInstallation({self.enterprise_id!r}, {self.team_id!r})"


class UnreadableError(ValueError):
    """No key decrypts a token: the key was lost, or the row belongs to another workspace."""


class Installations:
    """The store of tokens. `keys`: newest first; the newest encrypts, and all of them decrypt."""

    def __init__(self, engine: AsyncEngine, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("tokens need a key")
        self._engine = engine
        self._boxes = [AESGCM(_derive_key(key)) for key in keys]

    async def save(
        self, enterprise_id: str, team_id: str, token: str, installed_at: datetime
    ) -> None:
        """Store a token, in the place of all older ones of that workspace."""
        sealed = self._encrypt(enterprise_id, team_id, token)
        row = Installation(
            enterprise_id=enterprise_id, team_id=team_id, sealed=sealed, installed_at=installed_at
        )
        async with transaction(self._engine, writes=True) as session:
            older = Installation.team_id == team_id if team_id else _is_of_enterprise(enterprise_id)
            await session.execute(delete(Installation).where(older))
            session.add(row)

    async def find(self, enterprise_id: str, team_id: str) -> DecryptedInstallation | None:
        """Return the workspace's own token, or else its enterprise's; None if there is neither.

        Raise UnreadableError if no key decrypts it.
        """
        own = (Installation.team_id == team_id) & (Installation.team_id != "")
        shared = (Installation.team_id == "") & (Installation.enterprise_id == enterprise_id)
        query = select(Installation).where(or_(own, shared)).order_by(Installation.team_id.desc())
        async with transaction(self._engine) as session:
            row = (await session.scalars(query)).first()
        return self._decrypt(row) if row else None

    async def delete(self, enterprise_id: str, team_id: str) -> None:
        """Delete the token of a workspace; without a team, all tokens of the enterprise."""
        which = Installation.team_id == team_id if team_id else _is_of_enterprise(enterprise_id)
        async with transaction(self._engine, writes=True) as session:
            await session.execute(delete(Installation).where(which))

    async def count_unreadable(self) -> tuple[int, int]:
        """Return how many tokens there are, and how many no key decrypts; nothing is changed."""
        async with transaction(self._engine) as session:
            rows = (await session.scalars(select(Installation))).all()
        return len(rows), sum(not self._is_readable(row) for row in rows)

    def _is_readable(self, row: Installation) -> bool:
        try:
            self._decrypt(row)
        except ValueError:  # UnreadableError, or a damaged row
            return False
        return True

    async def rotate(self) -> int:
        """Encrypt every token with the newest key; return how many no key could decrypt."""
        lost = 0
        async with transaction(self._engine, writes=True) as session:
            for row in await session.scalars(select(Installation)):
                try:
                    token = self._decrypt(row).token
                except UnreadableError:
                    lost += 1
                else:
                    row.sealed = self._encrypt(row.enterprise_id, row.team_id, token)
        return lost

    def _encrypt(self, enterprise_id: str, team_id: str, token: str) -> str:
        nonce = os.urandom(_NONCE)
        box = self._boxes[0].encrypt(
            nonce, token.encode(), _associated_data(enterprise_id, team_id)
        )
        return base64.b64encode(nonce + box).decode()

    def _decrypt(self, row: Installation) -> DecryptedInstallation:
        raw = base64.b64decode(row.sealed)
        for box in self._boxes:
            try:
                token = box.decrypt(
                    raw[:_NONCE], raw[_NONCE:], _associated_data(row.enterprise_id, row.team_id)
                )
            except InvalidTag:
                continue
            return DecryptedInstallation(
                row.enterprise_id, row.team_id, token.decode(), row.installed_at
            )
        raise UnreadableError("no key opens the token")


def _is_of_enterprise(enterprise_id: str) -> ColumnElement[bool]:
    return Installation.enterprise_id == enterprise_id


def _derive_key(key: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(key.encode())


def _associated_data(enterprise_id: str, team_id: str) -> bytes:
    """Return what is bound to the encrypted token, so that no other workspace's row decrypts it."""
    return f"{len(enterprise_id)}:{enterprise_id}:{team_id}".encode()
