"""SQLite in one step a statement keeps every promise of a transaction."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from db import sqlite
from db.base import open_engine, transaction
from tests.platforms import PATIENCE


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """A file with one empty table."""
    made = open_engine(f"sqlite:///{tmp_path / 'lite.db'}", concurrency=4)
    async with transaction(made, writes=True) as session:
        await session.execute(text("CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT)"))
    yield made
    await made.dispose()


async def _names(engine: AsyncEngine) -> list[str]:
    async with transaction(engine) as session:
        return list((await session.scalars(text("SELECT name FROM thing ORDER BY id"))).all())


async def test_what_is_written_is_there_when_the_unit_ends(engine: AsyncEngine) -> None:
    """Another connection sees it at once, whatever had been read before."""
    assert await _names(engine) == []
    async with transaction(engine, writes=True) as session:
        await session.execute(text("INSERT INTO thing (name) VALUES ('a'), ('b')"))
    assert await _names(engine) == ["a", "b"]


async def test_a_fault_takes_everything_back(engine: AsyncEngine) -> None:
    """Nothing of a unit that failed stays, and the connection works on."""

    async def begin_and_fail() -> None:
        async with transaction(engine, writes=True) as session:
            await session.execute(text("INSERT INTO thing (name) VALUES ('a')"))
            raise LookupError

    with pytest.raises(LookupError):
        await begin_and_fail()
    assert await _names(engine) == []


async def test_a_reader_that_writes_after_all_is_kept(engine: AsyncEngine) -> None:
    """A unit not announced as writing is waited for too, once it has changed a row."""
    async with transaction(engine) as session:
        await session.execute(text("SELECT 1"))
        await session.execute(text("INSERT INTO thing (name) VALUES ('late')"))
    assert await _names(engine) == ["late"]


async def test_a_reader_sees_one_moment(engine: AsyncEngine) -> None:
    """What others commit meanwhile shows in the next unit, not in this one."""
    count = text("SELECT count(*) FROM thing")
    async with transaction(engine) as reader:
        assert await reader.scalar(count) == 0
        async with transaction(engine, writes=True) as writer:
            await writer.execute(text("INSERT INTO thing (name) VALUES ('new')"))
        assert await reader.scalar(count) == 0
    assert await _names(engine) == ["new"]


async def test_a_finished_reader_holds_no_snapshot(engine: AsyncEngine) -> None:
    """The same connection, used again, reads anew."""
    for number in range(1, 6):
        async with transaction(engine, writes=True) as session:
            await session.execute(text("INSERT INTO thing (name) VALUES ('x')"))
        assert len(await _names(engine)) == number


async def test_a_unit_that_asked_nothing_ends_well(engine: AsyncEngine) -> None:
    """Neither a BEGIN nor an end is owed to the database."""
    async with transaction(engine):
        pass
    async with transaction(engine, writes=True):
        pass
    assert await _names(engine) == []


async def test_a_connection_that_is_closed_and_stopped_at_once_comes_to_an_end(
    tmp_path: Path,
) -> None:
    """As when the program stops while a statement runs: it would never leave."""
    connection = await sqlite.connect(str(tmp_path / "lite.db"))
    closing = asyncio.create_task(connection.close())
    await asyncio.sleep(0)
    connection.stop()
    await asyncio.wait_for(closing, PATIENCE)
    await connection.close()
