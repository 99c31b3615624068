"""Invented members by the hundred thousand: the same number always gives the same people."""

import hashlib
import sqlite3
import sys
import tempfile
from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import accumulate, islice
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain.ranking import base_points
from db import members, migrate, seed
from db.base import open_engine, transaction
from db.cities import City
from db.directory import Expertise
from db.members import Member
from db.search import Document
from db.text import analyse, fold_text
from db.topics import Topic

CITIES = 100
COMMON, COMMON_SHARE = "open-data", 0.05
RARE, RARE_PEOPLE = "algorithmic-accountability", 20
MOST_DOCUMENTS = 100_000
"""Words to search are written for communities up to this size only."""

CHUNK = 20_000
NOW = datetime(2026, 11, 1, tzinfo=UTC)
FIRST = [
    "Ana", "Maya", "Luis", "João", "Chloé", "Omar", "Grace", "Diego", "Marta", "Renée",
    "Kofi", "Mei", "Pedro", "Lucía", "Noah", "Aisha", "Tomás", "Irene", "Paulo", "Yara",
    "Sofía", "Liam", "Zoë", "Hugo", "Carmen", "Ivan", "Nadia", "Felipe", "Rosa", "Elliot",
]  # fmt: skip
LAST = [
    "Chen", "García", "Silva", "Okafor", "Tremblay", "Nguyen", "Rojas", "Costa", "Johnson",
    "Pérez", "Kim", "Moreau", "Díaz", "Souza", "Brown", "Ramírez", "Lopes", "Ortiz",
    "Patel", "Fontaine", "Castro", "Müller", "Herrera", "Duarte", "Evans", "Núñez",
    "Bianchi", "Vargas", "Almeida", "Reyes",
]  # fmt: skip
TITLES = ("Data analyst", "Chief data officer", "Performance manager", "GIS lead", "Budget officer")
BIOS = (
    "Runs the city's data platform and talks to departments about it.",
    "Built the permit backlog forecast; now with the transport team.",
    "Llevo los indicadores de gestión y la relación con la ciudadanía.",
    "Cuida do orçamento participativo e dos contratos abertos.",
    "Counts trees, street lights and everything in between.",
)
Row = tuple[Any, ...]
Note = Callable[[str], None]


def silent(text: str) -> None:
    """For those who watch no progress."""


class Crowd:
    """Members and what they know, row by row, in the order of their ids."""

    def __init__(self, size: int, cities: Sequence[City], topics: Sequence[Topic]) -> None:
        self.size = size
        self.cities = cities[:CITIES]
        self.topics = topics
        self._weights = list(accumulate(1 / (n + 3) for n in range(len(self.cities))))
        self._rng = Random(20261101)
        common = next(t.id for t in topics if t.slug == COMMON)
        rare = next(t.id for t in topics if t.slug == RARE)
        self._common, self._rare = common, rare
        self._others = [t.id for t in topics if t.id not in (common, rare)]
        self._expertise = 0
        self._standings = {
            (skill, given, level, gladly): base_points(skill, given, level, gladly)
            for skill in (1, 2, 3)
            for given in range(12)
            for level in {c.level for c in self.cities} | {None}
            for gladly in (False, True)
        }

    def members(self) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        """Each member with the ties to topics."""
        rare_step = max(self.size // RARE_PEOPLE, 1)
        for number in range(1, self.size + 1):
            person = self._member(number)
            yield person, self._ties(person, rare=number % rare_step == rare_step // 2)

    def _member(self, number: int) -> dict[str, Any]:
        draw = self._rng.random
        city = self._city() if draw() > 0.01 else None
        name = f"{self._pick(FIRST)} {self._pick(LAST)} {self._pick(LAST)}"
        if number == 1:  # the asker: a listed member of the largest city
            city = self.cities[0]
        language = city.language if city else "en"
        spoken = " ".join({language: 1, self._pick(("en", "en", "es", "pt", "fr")): 1})
        return {
            "id": number, "name": name, "folded": _folded(name),
            "email": f"member-{number}@bench.example", "city": city,
            "city_id": city.id if city else None,
            "status": "verified" if number == 1 or draw() < 0.98 else "pending",
            "synthetic": False, "listed": number == 1 or draw() < 0.9,
            "title": self._pick(TITLES), "bio": self._pick(BIOS), "language": language,
            "spoken": f" {spoken} ", "zone": city.zone if city else "UTC",
            "hours_from": "09:00", "hours_to": "17:00",
            "open_to_questions": draw() < 0.8,
            "monthly_asks": 4 if draw() < 0.3 else None,
            "asks_taken": int(draw() * 5), "asks_month": "2026-11",
            "seen_title": "community", "seen_topics": self._seen(draw()),
            "seen_languages": "community", "seen_hours": "city", "seen_bio": "community",
            "quiet_from": "19:00", "quiet_to": "08:00", "weekly_ceiling": 7, "muted_until": None,
            "way": "", "proved_at": None, "welcomed_at": None,
            "created_at": NOW, "confirmed_at": NOW - timedelta(days=int(draw() * 400)),
        }  # fmt: skip

    def _ties(self, person: dict[str, Any], *, rare: bool) -> list[dict[str, Any]]:
        rng, topics = self._rng, dict[int, str]()
        if person["id"] != 1 and rng.random() < COMMON_SHARE:
            topics[self._common] = "knows"
        if rare:
            topics[self._rare] = "knows"
        for _ in range(3 + int(rng.random() * 3)):
            # some topics are much more common than others
            which = self._others[int(len(self._others) * rng.random() ** 1.6)]
            topics.setdefault(which, "knows" if rng.random() < 0.85 else "learns")
        return [self._tie(person, topic, kind, rare=rare) for topic, kind in topics.items()]

    def _tie(self, person: dict[str, Any], topic: int, kind: str, *, rare: bool) -> dict[str, Any]:
        self._expertise += 1
        city = person["city"]
        hidden = not (person["listed"] and person["status"] == "verified")
        skill = 1 + int(self._rng.random() * 3) if kind == "knows" else 1
        given = int(self._rng.random() ** 4 * 12)
        gladly = person["open_to_questions"]
        return {
            "id": self._expertise, "member_id": person["id"], "topic_id": topic, "kind": kind,
            "level": skill, "city_id": person["city_id"],
            "seen": "nobody" if hidden else person["seen_topics"],
            "spoken": person["spoken"],
            "endorsements": given,
            "standing": self._standings[skill, given, city.level if city else None, gladly],
        }  # fmt: skip

    def _city(self) -> City:
        place = bisect(self._weights, self._rng.random() * self._weights[-1])
        return self.cities[min(place, len(self.cities) - 1)]

    def _pick(self, some: Sequence[str]) -> str:
        return some[int(self._rng.random() * len(some))]

    def _seen(self, chance: float) -> str:
        return "community" if chance < 0.8 else "city" if chance < 0.95 else "nobody"


_fold = cache(fold_text)
_analyse = cache(analyse)


def _folded(name: str) -> str:
    return " ".join(map(_fold, name.split()))


def _documents(
    person: dict[str, Any], ties: Iterable[dict[str, Any]], terms: dict[int, str]
) -> Iterator[dict[str, Any]]:
    """What `directory.documents` would write, put together from analysed pieces."""
    if not (person["listed"] and person["status"] == "verified"):
        return
    city = person["city"].name if person["city"] else ""
    plain = _tokens(f"{person['name']} {city} {person['title']} {person['bio']}")
    words = " ".join(terms[t["topic_id"]] for t in ties if t["kind"] == "knows")
    shown = {"community": ("community",), "city": ("community", "city"), "nobody": ()}
    for circle in ("community", "city"):
        seen = circle == "community" and person["seen_topics"] == "community"
        seen = seen or (circle == "city" and bool(shown[person["seen_topics"]]))
        yield {
            "kind": "member", "ref": person["id"], "seen": circle, "city_id": person["city_id"],
            "tokens": f"{plain} {words}" if seen else plain,
        }  # fmt: skip


def _tokens(text: str) -> str:
    return " ".join(_analyse(word, "en") for word in text.split())


# --- the file ---------------------------------------------------------------------------------


def _fingerprint() -> str:
    """Of whatever makes the file: this code, the tables, the reference data."""
    data = Path(seed.__file__).parent
    made_by = [Path(__file__), *sorted((data / "migrations" / "versions").glob("*.py"))]
    made_by += sorted((data / "data").glob("*.csv"))
    joined = b"".join(file.read_bytes() for file in made_by)
    return hashlib.sha256(joined + sys.version.encode()).hexdigest()[:12]


async def sqlite_with(size: int, note: Note = silent) -> Path:
    """A migrated file with so many members, made once and kept among the temporary files."""
    folder = Path(tempfile.gettempdir()) / "wwc-bench"
    folder.mkdir(exist_ok=True)
    file = folder / f"{size}-{_fingerprint()}.db"
    if file.exists():
        return file
    for older in folder.glob(f"{size}-*"):
        older.unlink()
    draft = file.with_suffix(".draft")
    engine = open_engine(f"sqlite+aiosqlite:///{draft}")
    try:
        crowd = await _prepared(engine, size)
    finally:
        await engine.dispose()
    _fill_sqlite(draft, crowd, note)
    draft.rename(file)
    return file


async def _prepared(engine: AsyncEngine, size: int) -> Crowd:
    await migrate.upgrade(engine)
    async with transaction(engine, writes=True) as session:
        await seed.seed_reference(session)
        cities = (await session.scalars(select(City).order_by(City.id))).all()
        topics = (await session.scalars(select(Topic).order_by(Topic.id))).all()
    # the largest first; the asker's own has a level and colleagues in the hundreds
    ordered = sorted(cities, key=lambda c: (c.language == "en", -(c.population or 0), c.id))
    return Crowd(size, ordered, topics)


def _batches(crowd: Crowd, note: Note) -> Iterator[tuple[list[Any], list[Any], list[Any]]]:
    terms = {t.id: _tokens(" ".join(term.term for term in t.terms)) for t in crowd.topics}
    everybody, done = crowd.members(), 0
    while some := list(islice(everybody, CHUNK)):
        ties = [tie for _, own in some for tie in own]
        words = [
            document
            for person, own in (some if crowd.size <= MOST_DOCUMENTS else ())
            for document in _documents(person, own, terms)
        ]
        done += len(some)
        note(f"{done:,} of {crowd.size:,} members")
        yield [person for person, _ in some], ties, words


def _columns(kind: type[Any], *but: str) -> list[str]:
    return [c.name for c in kind.__table__.columns if c.name not in but]


def _fill_sqlite(file: Path, crowd: Crowd, note: Note) -> None:
    """Rows first, indexes after: twenty times as fast as one by one."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-1000000")
    indexes = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL "
        "AND tbl_name IN ('member', 'expertise', 'document')"
    ).fetchall()
    for name, _ in indexes:
        connection.execute(f'DROP INDEX "{name}"')
    connection.execute("BEGIN")
    for people, ties, words in _batches(crowd, note):
        for kind, rows, but in ((Member, people, ""), (Expertise, ties, ""),
                                (Document, words, "id")):  # fmt: skip
            names = _columns(kind, but)
            marks = ", ".join("?" * len(names))
            connection.executemany(
                f"INSERT INTO {kind.__tablename__} ({', '.join(names)}) VALUES ({marks})",
                ([_stored(row[name]) for name in names] for row in rows),
            )
    connection.execute("COMMIT")
    for name, made in indexes:
        note(f"index {name}")
        connection.execute(made)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


def _stored(value: Any) -> Any:
    return f"{value:%Y-%m-%d %H:%M:%S.%f}" if isinstance(value, datetime) else value


# --- PostgreSQL -------------------------------------------------------------------------------


async def fill_postgresql(url: str, size: int, note: Note = silent) -> None:
    """The same people in an empty PostgreSQL database."""
    import psycopg

    engine = open_engine(url)
    try:
        crowd = await _prepared(engine, size)
    finally:
        await engine.dispose()
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for people, ties, words in _batches(crowd, note):
            for kind, rows, but in ((Member, people, ""), (Expertise, ties, ""),
                                    (Document, words, "id")):  # fmt: skip
                names = _columns(kind, but)
                table = f"{kind.__tablename__} ({', '.join(names)})"
                with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row([row[name] for name in names])
        connection.commit()
        connection.autocommit = True
        cursor.execute("VACUUM ANALYZE")


async def introduce(engine: AsyncEngine, team: str, user: str) -> None:
    """The first member speaks from this account."""
    async with transaction(engine, writes=True) as session:
        account = await members.get_or_create_account(session, "slack", team, user, NOW)
        account.member_id = 1
