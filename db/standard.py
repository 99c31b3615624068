"""The certification standard: practice areas, their criteria, and the levels."""

from collections.abc import Sequence

from sqlalchemy import ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base


class PracticeArea(Base):
    """One of the eight areas of the 2022 Standard."""

    __tablename__ = "practice_area"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    position: Mapped[int]
    prefix: Mapped[str]
    name_en: Mapped[str]
    name_es: Mapped[str]
    name_pt: Mapped[str]
    name_fr: Mapped[str]
    summary_en: Mapped[str]
    summary_es: Mapped[str]
    summary_pt: Mapped[str]
    summary_fr: Mapped[str]
    older_names: Mapped[str]

    def name(self, language: str) -> str:
        """Return the name in a language: en, es, pt or fr."""
        return str(getattr(self, f"name_{language}"))


class Criterion(Base):
    """One of the 43 criteria; `older` names its counterpart in the previous standard."""

    __tablename__ = "criterion"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    area_id: Mapped[int] = mapped_column(ForeignKey("practice_area.id"), index=True)
    number: Mapped[int]
    title_en: Mapped[str]
    title_es: Mapped[str]
    title_pt: Mapped[str]
    title_fr: Mapped[str]
    older: Mapped[str]


class Level(Base):
    """A certification level, with the share and the number of criteria that it requires."""

    __tablename__ = "level"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    position: Mapped[int]
    percent_min: Mapped[int]
    percent_max: Mapped[int]
    count_min: Mapped[int]
    count_max: Mapped[int]


async def list_areas(session: AsyncSession) -> Sequence[PracticeArea]:
    """Return all practice areas in the Standard's order."""
    return (await session.scalars(select(PracticeArea).order_by(PracticeArea.position))).all()
