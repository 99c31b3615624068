"""The people of the tests: few, each with one thing that matters, in real cities."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.ranking import base_points
from bot.request import Sender
from db import directory, members, seed
from db.cities import City
from db.directory import Expertise
from db.members import Member, MemberRole
from db.text import fold_text
from db.topics import Topic

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
"""The time it is in every test that does not say otherwise: a Tuesday, ten o'clock in Boston."""
PLATFORM, WORKSPACE = "slack", "T1"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody as a test wants them; the defaults are a member whom everybody sees."""

    key: str
    name: str = ""
    city: str = ""
    title: str = ""
    bio: str = ""
    language: str = "en"
    languages: tuple[str, ...] = ("en",)
    zone: str = "America/New_York"
    knows: Mapping[str, int] = field(default_factory=dict)
    learns: tuple[str, ...] = ()
    listed: bool = True
    status: str = "verified"
    roles: tuple[str, ...] = ()
    open: bool = True
    asks: int | None = None
    asks_taken: int = 0
    confirmed_days_ago: int = 10
    seen: Mapping[str, str] = field(default_factory=dict)
    workspace: str = WORKSPACE


CAST = (
    Person(
        key="maya", name="Maya Chen", city="boston-ma-us", title="Open Data Manager",
        bio="I publish data that neighbors use.", languages=("en", "es"),
        knows={"open-data": 3, "metadata": 2}, learns=("program-evaluation",),
    ),
    Person(
        key="ben", name="Ben Ortiz", city="boston-ma-us", title="Analyst",
        bio="I map trees and bicycle lanes.", knows={"open-data": 1, "gis": 3},
    ),
    Person(
        key="luis", name="Luis Ángel Rojas", city="bogota-co", title="Jefe de datos",
        bio="Trabajo con veedores ciudadanos.", language="es", languages=("es", "en"),
        zone="America/Bogota", knows={"open-data": 3, "civic-tech": 2},
        learns=("data-governance",),
    ),
    Person(
        key="ines", name="Inês Albuquerque", city="recife-pe-br", title="Gestora de dados",
        bio="Cuido do catálogo de dados da prefeitura.", language="pt", languages=("pt",),
        zone="America/Recife", knows={"open-data": 2, "data-inventory": 3},
    ),
    Person(
        key="remi", name="Rémi Gagnon", city="montreal-qc-ca", title="Conseiller en données",
        bio="J’anime des ateliers avec les bibliothèques.", language="fr",
        languages=("fr", "en"), zone="America/Toronto", knows={"data-governance": 3},
    ),
    Person(
        key="zoe", name="Zoe King", city="denver-co-us", title="Data engineer",
        zone="America/Denver", knows={"open-data": 3}, asks=2, asks_taken=2,
    ),
    Person(
        key="carl", name="Carl Quiet", city="baltimore-md-us", title="Data officer",
        knows={"open-data": 3}, open=False, confirmed_days_ago=400,
    ),
    Person(
        key="uma", name="Uma Unlisted", city="boston-ma-us", title="Secret keeper",
        knows={"open-data": 3}, listed=False,
    ),
    Person(
        key="sam", name="Sam Suspended", city="bogota-co", title="Gone",
        knows={"open-data": 3}, status="suspended",
    ),
    Person(key="noor", name="Noor Haddad", listed=False, roles=("staff",)),
    Person(key="ada", name="Ada Root", listed=False, roles=("admin",)),
)  # fmt: skip
PENDING = "pat"
"""Spoke to the hub, and belongs to no member yet."""


def sender(key: str, locale: str = "en-US", **facts: object) -> Sender:
    """The account of somebody in the tests' workspace."""
    known: dict[str, object] = {
        "platform": PLATFORM, "workspace": WORKSPACE, "user": key, "name": key, "locale": locale
    }  # fmt: skip
    return Sender(**{**known, **facts})  # type: ignore[arg-type] # the facts are Sender's own


async def add_member(session: AsyncSession, person: Person, now: datetime = NOW) -> Member:
    """Make somebody a member with an account, found by what they show."""
    city = await session.scalar(select(City).where(City.slug == person.city))
    assert city is not None or not person.city, person.city
    account = await members.get_or_create_account(
        session, PLATFORM, person.workspace, person.key, now
    )
    name = person.name or person.key.title()
    account.name = name
    account.member = member = Member(
        name=name,
        folded=fold_text(name),
        email=f"{person.key}@city.example",
        city=city,
        status=person.status,
        listed=person.listed,
        title=person.title,
        bio=person.bio,
        language=person.language,
        spoken=f" {' '.join(person.languages)} ",
        zone=person.zone,
        open_to_questions=person.open,
        monthly_asks=person.asks,
        asks_taken=person.asks_taken,
        asks_month=f"{now:%Y-%m}",
        created_at=now,
        confirmed_at=now - timedelta(days=person.confirmed_days_ago),
        roles=[MemberRole(role=role) for role in person.roles],
        **{f"seen_{name}": seen for name, seen in person.seen.items()},
    )
    await session.flush()
    await _add_expertise(session, member, person)
    await directory.refresh_member(session, member, base_points)
    return member


async def _add_expertise(session: AsyncSession, member: Member, person: Person) -> None:
    topics = {t.slug: t.id for t in (await session.scalars(select(Topic))).all()}
    for slug, level in person.knows.items():
        session.add(Expertise(member_id=member.id, topic_id=topics[slug], level=level))
    for slug in person.learns:
        session.add(Expertise(member_id=member.id, topic_id=topics[slug], kind="learns", level=1))


async def seed_cast(session: AsyncSession) -> None:
    """The reference data and the whole cast."""
    await seed.seed_reference(session)
    for person in CAST:
        await add_member(session, person)
    await members.get_or_create_account(session, PLATFORM, WORKSPACE, PENDING, NOW)
