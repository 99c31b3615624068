"""Migrations go up and down with data in the tables, on both databases."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from db import migrate, seed
from db.base import Base, open_engine, transaction
from db.members import Member
from db.topics import Topic

pytestmark = pytest.mark.both


async def rows(engine: AsyncEngine) -> dict[str, int]:
    async with transaction(engine) as session:
        return {
            table.name: await session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }


async def test_a_fresh_database_goes_up_and_is_as_the_models_say(empty_database: str) -> None:
    """Every time, from nothing; going up again changes nothing."""
    engine = open_engine(empty_database)
    assert await migrate.revision(engine) == ""
    assert await migrate.list_differences(engine) == [
        "The database is older than this program: run `wwc db upgrade`."
    ]
    for _ in range(2):
        await migrate.upgrade(engine)
        assert await migrate.revision(engine) == migrate.head()
        assert await migrate.list_differences(engine) == []
    await engine.dispose()


async def test_down_and_up_again_with_data_in_every_table(engine: AsyncEngine) -> None:
    """What goes down leaves nothing behind; what comes up is whole and can be filled again."""
    assert (await rows(engine))["member"] > 0
    await migrate.downgrade(engine, "base")
    assert await migrate.revision(engine) == ""
    async with engine.connect() as connection:
        names = await connection.run_sync(lambda c: set(inspect_names(c)))
    assert names <= {"alembic_version"}
    await migrate.upgrade(engine)
    assert await migrate.list_differences(engine) == []
    assert set((await rows(engine)).values()) == {0}
    async with transaction(engine, writes=True) as session:
        await seed.seed_reference(session)
    assert (await rows(engine))["topic"] == 81


def inspect_names(connection: object) -> list[str]:
    from sqlalchemy import inspect

    return list(inspect(connection).get_table_names())


def test_there_is_one_head(kind: str) -> None:
    """Two would mean that nobody knows which comes next."""
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(Path(migrate.__file__).parent / "migrations"))
    assert script.get_heads() == [migrate.head()]


async def test_two_programs_that_start_at_once_migrate_once(empty_database: str) -> None:
    """Web and worker are released together."""
    engines = [open_engine(empty_database) for _ in range(3)]
    await asyncio.gather(*(migrate.upgrade(engine) for engine in engines))

    assert await migrate.list_differences(engines[0]) == []
    for engine in engines:
        await engine.dispose()


async def test_a_database_newer_than_the_program_is_refused(engine: AsyncEngine) -> None:
    """With a sentence that says what to do, and untouched."""
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(migrate.SchemaError, match="newer than this program: update it"):
        await migrate.upgrade(engine)
    assert await migrate.revision(engine) == "9999"


async def test_a_difference_to_the_models_is_found(engine: AsyncEngine) -> None:
    """`wwc db check` names it."""
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE stray (id INTEGER PRIMARY KEY)"))

    assert any("stray" in found for found in await migrate.list_differences(engine))


async def test_seeding_again_changes_nothing(engine: AsyncEngine) -> None:
    """The reference data is the same after every start."""
    before = await rows(engine)
    async with transaction(engine, writes=True) as session:
        await seed.seed_reference(session)
        assert not await seed.is_empty(session)
        assert await session.scalar(select(func.count()).select_from(Topic))
        assert await session.scalar(select(func.count()).select_from(Member))

    assert await rows(engine) == before
