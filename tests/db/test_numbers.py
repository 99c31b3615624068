"""A number is given out once: not again after its row is gone, and not by a rebuilt table."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import pytest
from alembic.config import Config
from sqlalchemy import (
    Boolean,
    Connection,
    Date,
    Integer,
    String,
    Table,
    insert,
    inspect,
    text,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import migrate
from db.base import Moment, is_numbered, open_engine, transaction
from tests.db.test_migrations import populate

NUMBERED = [table for table in migrate.metadata().sorted_tables if is_numbered(table)]
_COUNTER = count(1)


async def unchecked(connection: AsyncConnection) -> None:
    """Let a row stand without the rows it refers to."""
    raw: Any = (await connection.get_raw_connection()).driver_connection
    await raw.execute("PRAGMA foreign_keys=OFF")


def values_for(table: Table) -> Mapping[str, Any]:
    """Something for each column that has to have something, and never the same twice."""
    number = next(_COUNTER)
    examples = {
        Integer: number,
        String: f"text {number}",
        Boolean: False,
        Moment: datetime(2026, 1, 1, 0, 0, number % 60, number, tzinfo=UTC),
        Date: date.fromordinal(740_000 + number),
    }
    return {
        column.name: next(v for kind, v in examples.items() if isinstance(column.type, kind))
        for column in table.columns
        if not (column.primary_key or column.nullable or column.default)
    }


async def test_in_every_table_the_next_row_never_gets_the_number_of_the_newest(
    engine: AsyncEngine,
) -> None:
    """In the database that the migrations build: added, deleted, added again."""
    assert len(NUMBERED) > 20
    async with engine.connect() as connection:
        await unchecked(connection)
        await connection.execution_options(writes=True)
        for table in NUMBERED:
            made = insert(table).returning(table.c.id)
            first = await connection.scalar(made, values_for(table))
            if table.name == "audit":  # whose rows nobody can delete
                with pytest.raises(IntegrityError, match="only added to"):
                    await connection.execute(table.delete().where(table.c.id == first))
                continue
            await connection.execute(table.delete().where(table.c.id == first))
            again = await connection.scalar(made, values_for(table))
            assert again is not None
            assert first is not None
            assert again > first, table.name
        await connection.rollback()
        await connection.invalidate()


async def test_a_table_that_would_give_numbers_out_again_is_a_difference(
    engine: AsyncEngine,
) -> None:
    """A migration that forgets it, or loses it when it copies a table, does not pass."""
    assert await migrate.list_differences(engine) == []
    async with engine.begin() as connection:
        found = await connection.scalar(text("SELECT sql FROM sqlite_schema WHERE name = 'report'"))
        queries = "SELECT sql FROM sqlite_schema WHERE tbl_name = 'report' AND type = 'index'"
        indexes = (await connection.scalars(text(queries))).all()
        await connection.execute(text("DROP TABLE report"))
        for sql in (found.replace("AUTOINCREMENT", ""), *indexes):
            await connection.execute(text(sql))
    assert await migrate.list_differences(engine) == ["«report» lacks AUTOINCREMENT"]


# --- the migration ----------------------------------------------------------------------------


def everything(connection: Connection) -> dict[str, Any]:
    """All rows of all tables, and all indexes, triggers and references."""
    looked, found = inspect(connection), dict[str, Any]()
    for name in looked.get_table_names():
        rows = sorted(map(repr, connection.execute(text(f'SELECT * FROM "{name}"')).all()))
        keys = sorted(map(str, looked.get_foreign_keys(name)))
        found[name] = rows, keys, sorted(map(str, looked.get_unique_constraints(name)))
    kept = "SELECT name, sql FROM sqlite_schema WHERE type != 'table' AND sql != '' ORDER BY name"
    found["schema"] = connection.execute(text(kept)).all()
    del found["alembic_version"]
    return found


@pytest.mark.no_cover
async def test_an_older_database_keeps_all_that_is_in_it(empty_database: str) -> None:
    """Rows, indexes, triggers and references are the same on both sides, and search works."""
    engine = open_engine(empty_database)
    try:
        await migrate.upgrade(engine)
        await populate(engine)
        await migrate.downgrade(engine, "0009")
        async with engine.connect() as connection:
            before = await connection.run_sync(everything)
        assert len(before["member"][0]) > 300
        await migrate.upgrade(engine, "0010")
        async with engine.connect() as connection:
            assert await connection.run_sync(everything) == before
            await connection.execute(text("SELECT 1 FROM document_fts('data') LIMIT 1"))
            checked = "INSERT INTO document_fts(document_fts) VALUES ('integrity-check')"
            await connection.execute(text(checked))
            assert (await connection.execute(text("PRAGMA foreign_keys"))).scalar() == 1
        await migrate.upgrade(engine)
        assert await migrate.list_differences(engine) == []
    finally:
        await engine.dispose()


async def test_what_the_audit_log_names_is_not_given_out_either(empty_database: str) -> None:
    """A member who was erased before the upgrade stays the only one of that number in the log."""
    engine = open_engine(empty_database)
    try:
        await migrate.upgrade(engine, "0009")
        acts = [(4711, "member:4712"), (None, "request:88"), (3, "members:9999"), (3, "command")]
        async with engine.begin() as connection:
            for number, (member, subject) in enumerate(acts, 1):
                await connection.execute(
                    text(
                        "INSERT INTO audit (id, at, member_id, action, subject, outcome, seal)"
                        " VALUES (:id, '2026-01-01 00:00:00', :member, 'did', :subject, 'done', '')"
                    ),
                    {"id": number, "member": member, "subject": subject},
                )
        await migrate.upgrade(engine, "0010")
        async with engine.connect() as connection:
            rows = await connection.execute(text("SELECT name, seq FROM sqlite_sequence"))
            counted: dict[str, int] = dict(rows.all())
        assert (counted["member"], counted["join_request"], counted["audit"]) == (4712, 88, 4)
    finally:
        await engine.dispose()


async def test_a_migration_that_loses_a_row_which_others_need_changes_nothing(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Foreign keys are off while tables are copied, so they are checked before the commit."""

    def lose(config: Config, to: str) -> None:
        config.attributes["connection"].execute(text("DELETE FROM city"))

    monkeypatch.setattr("alembic.command.upgrade", lose)
    with pytest.raises(migrate.SchemaError, match="refers to a missing «city»"):
        await migrate.upgrade(engine, "0010")
    async with transaction(engine) as session:
        assert await session.scalar(text("SELECT count(*) FROM city"))
        assert await session.scalar(text("PRAGMA foreign_keys")) == 1
