"""Cities: public facts about them, and the names that people use for them."""

from collections.abc import Sequence

from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column, selectinload
from sqlalchemy.orm import relationship as related

from db.base import Base


class City(Base):
    """A city of the community. An empty value is unknown; `level` is the latest one in print."""

    __tablename__ = "city"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    state: Mapped[str]
    country: Mapped[str]
    country_code: Mapped[str]
    certified: Mapped[bool]
    level: Mapped[str | None]
    level_year: Mapped[int | None]
    first_certified_year: Mapped[int | None]
    population: Mapped[int | None]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    zone: Mapped[str]
    language: Mapped[str]
    source: Mapped[str]
    names: Mapped[list["CityName"]] = related(lazy="raise", viewonly=True, order_by="CityName.id")
    history: Mapped[list["Certification"]] = related(
        lazy="raise", viewonly=True, order_by="Certification.year"
    )

    @property
    def place(self) -> str:
        """The name with the state, or the country in English: «Boston, MA», «Bogotá, Colombia»."""
        return self.place_in(self.country)

    def place_in(self, country: str) -> str:
        """Return the same with `country`, the country's name in the reader's language.

        Cities of the United States and Canada show their state instead.
        """
        where = self.state if self.country_code in ("US", "CA") and self.state else country
        return f"{self.name}, {where}"


class CityName(Base):
    """Another name of a city, such as CDMX or NYC."""

    __tablename__ = "city_name"
    id: Mapped[int] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]


class Certification(Base):
    """A certification event in a city's history; a value is empty if nothing in print gives it."""

    __tablename__ = "certification"
    __table_args__ = (UniqueConstraint("city_id", "year", "level", "event"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("city.id", ondelete="CASCADE"), index=True)
    year: Mapped[int | None]
    level: Mapped[str]
    event: Mapped[str]
    source: Mapped[str]


async def list_cities(session: AsyncSession) -> Sequence[City]:
    """Return every city with its names and history: three queries. The gazetteer caches them."""
    query = select(City).options(selectinload(City.names), selectinload(City.history))
    return (await session.scalars(query.order_by(City.name))).all()
