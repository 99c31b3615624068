"""Fills a database with the community's reference data, and with the people of the demo."""

import csv
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db import directory
from db.base import Base
from db.cities import Certification, City, CityName
from db.demo import DemoCity, DemoPerson, invent_people
from db.directory import Expertise, Standing
from db.endorsements import Endorsement
from db.members import Account, Member, MemberRole, may_hold_roles
from db.round_members import RoundMember
from db.standard import Criterion, Level, PracticeArea
from db.text import fold_text
from db.topics import Topic, TopicCriterion, TopicTerm
from db.workspaces import DEMO_WORKSPACES, Workspace

_DATA = Path(__file__).parent / "data"
Row = TypeVar("Row", bound=Base)
Progress = Callable[[str], None]
"""Called with the name of each step as it begins."""

DEMO_OWN = {"T-DEMO": "boston-ma-us"}
"""Demo workspaces that are a city's own, with the city: their people join without a code."""
DEMO_NEWCOMERS = (
    ("T-DEMO", "Nina Novak", "en", "America/New_York"),
    ("G-DEMO", "Nico Nuñez", "es", "America/Bogota"),
)
"""People of the demo who are not members yet: workspace, name, language, time zone."""
DEMO_STAFF = ("Dana Whitfield", "dana.whitfield@programme.example")


def _load_rows(name: str) -> Iterator[dict[str, str]]:
    with (_DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _parse_number(text: str) -> int | None:
    return int(text) if text else None


def _parse_degrees(text: str) -> float | None:
    return float(text) if text else None


async def _upsert(
    session: AsyncSession, kind: type[Row], key: str, rows: Iterator[dict[str, Any]]
) -> dict[Any, Row]:
    """Insert new rows and update those that exist; return all rows of the table by `key`."""
    known = {getattr(row, key): row for row in (await session.scalars(select(kind))).all()}
    for facts in rows:
        row = known.get(facts[key])
        if row is None:
            known[facts[key]] = row = kind()
            session.add(row)
        for name, value in facts.items():
            setattr(row, name, value)
    await session.flush()
    return known


async def is_empty(session: AsyncSession) -> bool:
    """Return whether there is no reference data yet."""
    return not await session.scalar(select(func.count()).select_from(Topic))


async def seed_reference(session: AsyncSession, progress: Progress = lambda step: None) -> None:
    """Insert or update the standard, cities and vocabulary; repeating it changes nothing."""
    progress("standard")
    areas = await _upsert(
        session, PracticeArea, "slug", map(_parse_area, _load_rows("practice_areas"))
    )
    area_ids = {slug: area.id for slug, area in areas.items()}
    criteria = await _upsert(
        session, Criterion, "code", (_parse_criterion(r, area_ids) for r in _load_rows("criteria"))
    )
    await _upsert(session, Level, "name", map(_parse_level, _load_rows("levels")))
    progress("cities")
    await _seed_cities(session)
    progress("topics")
    topics = await _upsert(
        session, Topic, "slug", (_parse_topic(r, area_ids) for r in _load_rows("topics"))
    )
    await _seed_terms(session, topics)
    await _seed_topic_criteria(session, topics, criteria)


def _parse_area(row: Mapping[str, str]) -> dict[str, Any]:
    return {**row, "position": int(row["position"])}


def _parse_criterion(row: Mapping[str, str], area_ids: Mapping[str, int]) -> dict[str, Any]:
    facts = {k: v for k, v in row.items() if k != "area"}
    return {**facts, "area_id": area_ids[row["area"]], "number": int(row["number"])}


def _parse_level(row: Mapping[str, str]) -> dict[str, Any]:
    numbers = {k: int(v) for k, v in row.items() if k != "level"}
    return {**numbers, "name": row["level"]}


def _parse_topic(row: Mapping[str, str], area_ids: Mapping[str, int]) -> dict[str, Any]:
    return {"slug": row["slug"], "area_id": area_ids.get(row["area"])}


def _parse_city(row: Mapping[str, str]) -> dict[str, Any]:
    return {
        **{k: v for k, v in row.items() if k != "aliases"},
        "certified": row["certified"] == "1",
        "level": row["level"] or None,
        "level_year": _parse_number(row["level_year"]),
        "first_certified_year": _parse_number(row["first_certified_year"]),
        "population": _parse_number(row["population"]),
        "latitude": _parse_degrees(row["latitude"]),
        "longitude": _parse_degrees(row["longitude"]),
    }


async def _seed_cities(session: AsyncSession) -> None:
    cities = await _upsert(session, City, "slug", map(_parse_city, _load_rows("cities")))
    await _insert_missing(
        session,
        CityName,
        ("city_id", "name"),
        (
            {"city_id": cities[row["slug"]].id, "name": alias}
            for row in _load_rows("cities")
            for alias in row["aliases"].split(";")
            if alias
        ),
    )
    await _insert_missing(
        session,
        Certification,
        ("city_id", "year", "level", "event"),
        (
            {**row, "city_id": cities[row["city"]].id, "year": _parse_number(row["year"])}
            for row in _load_rows("certifications")
        ),
    )


async def _seed_terms(session: AsyncSession, topics: Mapping[str, Topic]) -> None:
    await _insert_missing(
        session,
        TopicTerm,
        ("topic_id", "language", "term"),
        (
            {
                "topic_id": topics[row["topic"]].id,
                "language": row["language"],
                "term": row["term"],
                "preferred": row["preferred"] == "1",
            }
            for row in _load_rows("topic_terms")
        ),
    )


async def _seed_topic_criteria(
    session: AsyncSession, topics: Mapping[str, Topic], criteria: Mapping[str, Criterion]
) -> None:
    await _insert_missing(
        session,
        TopicCriterion,
        ("topic_id", "criterion_id"),
        (
            {"topic_id": topics[row["slug"]].id, "criterion_id": criteria[code].id}
            for row in _load_rows("topics")
            for code in row["criteria"].split(";")
            if code in criteria
        ),
    )


async def _insert_missing(
    session: AsyncSession, kind: type[Base], keys: tuple[str, ...], rows: Iterator[dict[str, Any]]
) -> None:
    """Insert the rows whose keys do not exist yet."""
    columns = [getattr(kind, key) for key in keys]
    known = {tuple(found) for found in (await session.execute(select(*columns))).all()}
    names = {column.key for column in kind.__mapper__.column_attrs}
    for row in rows:
        key = tuple(row[k] for k in keys)
        if key not in known:
            known.add(key)
            session.add(kind(**{k: v for k, v in row.items() if k in names}))
    await session.flush()


# --- the demo ---------------------------------------------------------------------------------


async def seed_demo(
    session: AsyncSession,
    now: datetime,
    standing: Standing,
    progress: Progress = lambda step: None,
) -> None:
    """Insert about 400 invented people in real cities, with an account in each demo workspace.

    It does nothing if there are people of the demo already.
    """
    if await session.scalar(select(func.count()).select_from(Member).where(Member.synthetic)):
        return
    progress("people")
    cities = {c.slug: c for c in (await session.scalars(select(City).order_by(City.id))).all()}
    topics = {t.slug: t for t in (await session.scalars(select(Topic).order_by(Topic.id))).all()}
    areas = {a.id: a.slug for a in (await session.scalars(select(PracticeArea))).all()}
    made = list(
        invent_people(
            [_demo_city(c) for c in cities.values()],
            [(t.slug, areas.get(t.area_id or 0, "")) for t in topics.values()],
        )
    )
    members = [_build_member(person, cities[person.city], now) for person in made]
    staff = _build_staff(now)
    if await may_hold_roles(session, staff):
        staff.roles = [MemberRole(role="staff")]
    session.add_all([*members, staff])
    await session.flush()
    progress("skills")
    ties = [_build_ties(m, p, topics) for m, p in zip(members, made, strict=True)]
    session.add_all(tie for some in ties for tie in some)
    await session.flush()
    _endorse(session, members, ties, now)
    progress("search")
    for person, some in zip(members, ties, strict=True):
        directory.copy_to_ties(person, some, standing)
        words = " ".join(_index_words(topics, some))
        session.add_all(directory.build_documents(person, words))
    session.add_all(_build_accounts([*members, staff], cities, now))
    session.add_all(_build_round_members(members, now))
    await session.flush()


def _demo_city(city: City) -> DemoCity:
    return DemoCity(
        slug=city.slug,
        name=city.name,
        state=city.state,
        country_code=city.country_code,
        language=city.language,
        zone=city.zone,
        population=city.population,
    )


def _build_member(person: DemoPerson, city: City, now: datetime) -> Member:
    return Member(
        name=person.name,
        folded=fold_text(person.name),
        email=person.email,
        city=city,
        synthetic=True,
        listed=True,
        title=person.title,
        bio=person.bio,
        language=person.language,
        spoken=f" {' '.join(person.languages)} ",
        zone=person.zone,
        hours_from=person.hours[0],
        hours_to=person.hours[1],
        open_to_questions=person.open_to_questions,
        monthly_asks=person.monthly_asks,
        asks_taken=person.asks_taken,
        asks_month=f"{now:%Y-%m}",
        created_at=now,
        confirmed_at=now - timedelta(days=person.confirmed_days_ago),
        **{f"seen_{field}": seen for field, seen in person.visibility.items()},
    )


def _build_staff(now: datetime) -> Member:
    name, email = DEMO_STAFF
    return Member(
        name=name,
        folded=fold_text(name),
        email=email,
        synthetic=True,
        zone="America/New_York",
        created_at=now,
        confirmed_at=now,
        roles=[],
    )


def _build_ties(member: Member, person: DemoPerson, topics: Mapping[str, Topic]) -> list[Expertise]:
    knows = [
        Expertise(member_id=member.id, topic_id=topics[slug].id, kind="knows", level=level)
        for slug, level in person.knows
    ]
    learns = [
        Expertise(member_id=member.id, topic_id=topics[slug].id, kind="learns", level=1)
        for slug in person.learns
    ]
    return knows + learns


def _endorse(
    session: AsyncSession, members: list[Member], ties: list[list[Expertise]], now: datetime
) -> None:
    """Give skilled people a few endorsements from other cities, always the same ones."""
    for index, some in enumerate(ties):
        for tie in some:
            wanted = (index * 7 + tie.topic_id * 3) % (2 * tie.level + 1)
            tie.endorsements = 0
            for step in range(wanted if tie.kind == "knows" else 0):
                by = members[(index + 1 + step * 37) % len(members)]
                if by.city_id != members[index].city_id:
                    session.add(Endorsement(expertise_id=tie.id, by_id=by.id, at=now))
                    tie.endorsements += 1


def _build_round_members(members: list[Member], now: datetime) -> Iterator[RoundMember]:
    """Let nearly half of the people take part in rounds, most of them every week."""
    often = ("weekly", "weekly", "every-two-weeks", "weekly", "monthly")
    for index, person in enumerate(members):
        if index * 7 % 20 < 9:
            rhythm, nth = often[index % len(often)], index % 4 + 1
            yield RoundMember(member_id=person.id, rhythm=rhythm, nth=nth, joined_at=now)


def _index_words(topics: Mapping[str, Topic], ties: list[Expertise]) -> Iterator[str]:
    by_id = {t.id: t for t in topics.values()}
    for tie in ties:
        if tie.kind == "knows":
            yield from (term.term for term in by_id[tie.topic_id].terms)


def demo_home(person: Member) -> str:
    """Return the demo workspace in which a person gets messages; the other one works as well."""
    return DEMO_WORKSPACES[person.language in ("es", "pt")][1]


def _build_accounts(
    members: list[Member], cities: Mapping[str, City], now: datetime
) -> Iterator[Account]:
    """Give everybody an account on both platforms of the demo, with the e-mail as the user id."""
    for platform, key, name in DEMO_WORKSPACES:
        own = cities.get(DEMO_OWN.get(key, ""))
        home = Workspace(
            platform=platform,
            external_id=key,
            name=name,
            first_seen=now,
            city_id=own.id if own else None,
        )
        for person in members:
            yield Account(
                workspace=home,
                external_id=person.email or "",
                member=person,
                name=person.name,
                zone=person.zone,
                first_seen=now,
                preferred=demo_home(person) == key,
            )
