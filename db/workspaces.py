"""Workspaces: the Slack teams and Discord servers with people of the hub, and the demo's own."""

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint, exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base

DEMO_WORKSPACES = (
    ("slack", "T-DEMO", "City Data Hub"),
    ("discord", "G-DEMO", "Datos Abiertos LATAM"),
)
"""The workspaces of the playground: platform, id and name; no platform gives such ids."""
DEMO_WORKSPACE_IDS = tuple(key for _, key, _ in DEMO_WORKSPACES)


class Workspace(Base):
    """A Slack team or a Discord server.

    `city_id`: staff marked it as that city's own. `vouched`: staff know that its people cannot
    choose their e-mail addresses themselves. `gathers`: the hub can open a conversation of several
    people and itself there.
    """

    __tablename__ = "workspace"
    __table_args__ = (UniqueConstraint("platform", "external_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    platform: Mapped[str]
    external_id: Mapped[str]
    name: Mapped[str] = mapped_column(default="")
    city_id: Mapped[int | None] = mapped_column(ForeignKey("city.id"), index=True)
    first_seen: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    gathers: Mapped[bool] = mapped_column(default=False)
    vouched: Mapped[bool] = mapped_column(default=False)

    @property
    def is_demo(self) -> bool:
        """Whether it is a workspace of the playground, whose people are invented."""
        return self.external_id in DEMO_WORKSPACE_IDS


HAS_REAL_WORKSPACE = exists().where(
    Workspace.platform.in_([platform for platform, _, _ in DEMO_WORKSPACES]),
    Workspace.external_id.not_in(DEMO_WORKSPACE_IDS),
)
"""Whether the hub was ever in a workspace of real people, as a condition for queries."""


async def has_real_workspace(session: AsyncSession) -> bool:
    """Return whether the hub was ever in a workspace of real people."""
    return bool(await session.scalar(select(HAS_REAL_WORKSPACE)))


async def find_workspace(
    session: AsyncSession, platform: str, external_id: str
) -> Workspace | None:
    """Find a workspace by the platform's id for it."""
    return await session.scalar(
        select(Workspace).where(
            Workspace.platform == platform, Workspace.external_id == external_id
        )
    )
