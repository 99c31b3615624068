"""The files of migrations, and databases full of people that go through them."""

import asyncio
import hashlib
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain.ranking import base_points
from db import migrate, seed
from db.base import Base, open_engine, transaction
from db.directory import refresh_member
from db.members import Member
from db.search import Document
from db.text import fold_text
from tests.cast import NOW

VERSIONS = sorted((Path(migrate.__file__).parent / "migrations" / "versions").glob("*.py"))


def loaded(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"migration_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def sums(engine: AsyncEngine) -> dict[str, tuple[int, str]]:
    """For each table how many rows it has, and a checksum over all that is in them."""
    found: dict[str, tuple[int, str]] = {}
    async with transaction(engine) as session:
        for table in Base.metadata.sorted_tables:
            rows = (await session.execute(select(table).order_by(*table.primary_key))).all()
            whole = "\n".join(map(repr, rows)).encode()
            found[table.name] = len(rows), hashlib.sha256(whole).hexdigest()
    return found


async def tables(engine: AsyncEngine) -> set[str]:
    async with engine.connect() as connection:
        return set(await connection.run_sync(lambda bare: inspect(bare).get_table_names()))


async def populate(engine: AsyncEngine) -> None:
    async with transaction(engine, writes=True) as session:
        await seed.seed_reference(session)
        await seed.seed_demo(session, NOW, base_points)


# --- the files --------------------------------------------------------------------------------


def test_files_are_numbered_without_a_gap() -> None:
    """Each says in its name what it does, in one line what for, and which one it follows."""
    before: str | None = None
    for number, file in enumerate(VERSIONS, 1):
        assert re.fullmatch(rf"{number:04}_[a-z0-9_]+\.py", file.name)
        module = loaded(file)
        assert module.revision == f"{number:04}"
        assert module.down_revision == before
        assert module.__doc__
        assert callable(module.upgrade)
        assert callable(module.downgrade)
        before = module.revision
    assert migrate.revisions() == [file.name[:4] for file in VERSIONS]


# --- with the people of the demo --------------------------------------------------------------


@pytest.mark.no_cover
@pytest.mark.both
async def test_the_demo_stays_as_it_is_when_the_program_is_started_again(
    empty_database: str,
) -> None:
    """Up, check, up, check: not one letter of any row differs."""
    engine = open_engine(empty_database)
    try:
        await migrate.upgrade(engine)
        await populate(engine)
        before = await sums(engine)
        assert before["member"][0] > 300
        for _ in range(2):
            await migrate.upgrade(engine)
            await migrate.upgrade(engine, migrate.head())
            assert await migrate.list_differences(engine) == []
            await populate(engine)
        assert await sums(engine) == before
    finally:
        await engine.dispose()


@pytest.mark.no_cover
@pytest.mark.both
async def test_down_leaves_nothing_and_up_again_makes_the_same_demo(empty_database: str) -> None:
    """What is made anew equals what was there before, row by row."""
    engine = open_engine(empty_database)
    try:
        await migrate.upgrade(engine)
        await populate(engine)
        before = await sums(engine)
        await migrate.downgrade(engine, "base")
        assert await tables(engine) <= {"alembic_version"}
        assert await migrate.revision(engine) == ""
        await migrate.upgrade(engine)
        assert {rows for rows, _ in (await sums(engine)).values()} == {0}
        await populate(engine)
        assert await migrate.list_differences(engine) == []
        assert await sums(engine) == before
    finally:
        await engine.dispose()


@pytest.mark.no_cover
@pytest.mark.both
async def test_names_and_words_stored_before_are_folded_anew(empty_database: str) -> None:
    """Down writes them as the older program compares them, up again as this one does."""
    (file,) = (file for file in VERSIONS if file.stem.endswith("_names"))
    names = ("Łukasz O’Neill", "Mary–Jane Sørensen")
    engine = open_engine(empty_database)
    try:
        await migrate.upgrade(engine)
        await populate(engine)
        async with transaction(engine, writes=True) as session:
            people = (await session.scalars(select(Member).order_by(Member.id).limit(2))).all()
            for person, name in zip(people, names, strict=True):
                person.name, person.folded, person.listed = name, fold_text(name), True
                await refresh_member(session, person, base_points)
        after = await stored_words(engine)
        await migrate.downgrade(engine, loaded(file).down_revision)
        folded, words = await stored_words(engine)
        assert folded[:2] == ["łukasz o’neill", "mary–jane sørensen"]
        assert any({"łukasz", "neill"} <= set(tokens) for tokens in words)
        await migrate.upgrade(engine)
        assert await stored_words(engine) == after
    finally:
        await engine.dispose()


async def stored_words(engine: AsyncEngine) -> tuple[list[str], list[list[str]]]:
    """The names as they are compared, and the words of every document, in the order of numbers."""
    async with engine.connect() as connection:
        folded = await connection.execute(select(Member.folded).order_by(Member.id))
        tokens = await connection.execute(select(Document.tokens).order_by(Document.id))
        return [row[0] for row in folded], [sorted(row[0].split()) for row in tokens]


# --- when something is in the way -------------------------------------------------------------


@pytest.mark.both
async def test_a_migration_that_fails_leaves_nothing_behind(empty_database: str) -> None:
    """All or nothing: after the cause is gone, going up simply works."""
    engine = open_engine(empty_database)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("CREATE TABLE endorsement (id INTEGER)"))
        with pytest.raises(DBAPIError, match="endorsement"):
            await migrate.upgrade(engine)
        assert await tables(engine) == {"endorsement"}
        async with engine.begin() as connection:
            await connection.execute(text("DROP TABLE endorsement"))
        await migrate.upgrade(engine)
        assert await migrate.list_differences(engine) == []
    finally:
        await engine.dispose()


@pytest.mark.both
async def test_a_newer_database_is_left_alone(engine: AsyncEngine) -> None:
    """Neither up nor down nor checked as if it were ours; what is in it stays."""
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    before = await sums(engine)

    for going in (migrate.upgrade(engine), migrate.downgrade(engine, "base")):
        with pytest.raises(migrate.SchemaError, match="at 9999, newer than this program"):
            await going
    assert await migrate.list_differences(engine) == [
        "The database is at 9999, newer than this program: update the program."
    ]
    assert await sums(engine) == before


@pytest.mark.both
async def test_a_migrator_waits_for_another_and_then_has_nothing_to_do(
    empty_database: str,
) -> None:
    """One is at work, the other has begun: the first one's tables are not made twice."""
    first, second = open_engine(empty_database), open_engine(empty_database)
    try:
        await asyncio.gather(migrate.upgrade(first, "head"), migrate.upgrade(second, "0001"))
        assert await migrate.list_differences(first) == await migrate.list_differences(second) == []
    finally:
        await first.dispose()
        await second.dispose()
