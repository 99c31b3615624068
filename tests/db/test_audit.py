"""The audit log is a chain: whoever changes, removes or moves a row breaks it there."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import audit
from db.base import transaction
from tests.cast import NOW

ROWS = 1000


async def fill(engine: AsyncEngine, rows: int = ROWS) -> None:
    async with transaction(engine, writes=True) as session:
        for number in range(rows):
            audit.record_act(session, NOW, 1 + number % 9, "endorsed", f"expertise:{number}")


async def verdict(engine: AsyncEngine) -> audit.Verdict:
    async with transaction(engine) as session:
        return await audit.verify(session)


async def tamper(engine: AsyncEngine, act: Callable[[AsyncConnection], Awaitable[None]]) -> None:
    """As somebody would who holds the database itself: the guards go first."""
    async with engine.connect() as connection:
        await connection.execution_options(writes=True)
        if engine.dialect.name == "sqlite":
            await connection.execute(text("DROP TRIGGER audit_no_update"))
            await connection.execute(text("DROP TRIGGER audit_no_delete"))
        else:
            await connection.execute(text("ALTER TABLE audit DISABLE TRIGGER audit_no_change"))
        await act(connection)
        await connection.commit()


async def fail(engine: AsyncEngine) -> None:
    async with transaction(engine, writes=True) as session:
        audit.record_act(session, NOW, 1, "endorsed", "expertise:1")
        await session.flush()
        raise ZeroDivisionError


@pytest.mark.both
async def test_an_untouched_log_is_whole(engine: AsyncEngine) -> None:
    """An empty one too."""
    assert (await verdict(engine))[:2] == (0, 0)
    await fill(engine)
    found = await verdict(engine)
    assert (found.rows, found.broken_at, len(found.head)) == (ROWS, 0, 64)


@pytest.mark.both
@pytest.mark.parametrize("act", ["UPDATE audit SET outcome = 'refused'", "DELETE FROM audit"])
async def test_the_database_itself_refuses_changes(engine: AsyncEngine, act: str) -> None:
    """Rows are added, never changed and never removed."""
    await fill(engine, 3)
    with pytest.raises(DBAPIError, match="only added to"):
        async with transaction(engine, writes=True) as session:
            await session.execute(text(act))
    assert (await verdict(engine))[:2] == (3, 0)


@pytest.mark.both
@pytest.mark.parametrize("how", ["change", "remove", "move", "cut", "add"])
async def test_tampering_is_found_with_its_row(engine: AsyncEngine, how: str) -> None:
    """Any row, changed in any column, removed, swapped with another, cut off at the end, added."""
    await fill(engine, 60)
    row = random.Random(how).randrange(2, 59)

    async def act(connection: AsyncConnection) -> None:
        said = {
            "change": [f"UPDATE audit SET subject = 'member:1' WHERE id = {row}"],
            "remove": [f"DELETE FROM audit WHERE id = {row}"],
            "move": [
                f"UPDATE audit SET id = 900 WHERE id = {row}",
                f"UPDATE audit SET id = {row} WHERE id = {row + 1}",
                f"UPDATE audit SET id = {row + 1} WHERE id = 900",
            ],
            "cut": ["DELETE FROM audit WHERE id = 60"],
            "add": [
                "INSERT INTO audit (id, at, action, subject, outcome, seal) "
                "SELECT 61, at, action, subject, outcome, seal FROM audit WHERE id = 60"
            ],
        }[how]
        for one in said:
            await connection.execute(text(one))

    await tamper(engine, act)
    assert (await verdict(engine)).broken_at == {"cut": 60, "add": 61}.get(how, row)


@pytest.mark.parametrize("column", ["at", "member_id", "action", "subject", "outcome", "seal"])
async def test_no_column_of_any_row_can_be_changed(engine: AsyncEngine, column: str) -> None:
    """Every one of a thousand rows, each column in turn."""
    await fill(engine)
    values = {"at": "'2001-01-01 00:00:00.000000'", "member_id": "77"}
    row = random.Random(column).randrange(1, ROWS)

    async def act(connection: AsyncConnection) -> None:
        changed = values.get(column, f"{column} || 'x'")
        await connection.execute(text(f"UPDATE audit SET {column} = {changed} WHERE id = {row}"))

    await tamper(engine, act)
    assert (await verdict(engine)).broken_at == row


@pytest.mark.both
async def test_many_at_once_still_make_one_chain(engine: AsyncEngine) -> None:
    """Who writes a row waits for whoever is writing one."""
    await asyncio.gather(*(fill(engine, 5) for _ in range(8)))
    assert (await verdict(engine))[:2] == (40, 0)


async def test_a_transaction_that_fails_leaves_no_gap(engine: AsyncEngine) -> None:
    """The numbers go on where they were."""
    await fill(engine, 2)
    with pytest.raises(ZeroDivisionError):
        await fail(engine)
    await fill(engine, 1)
    assert (await verdict(engine))[:2] == (3, 0)
