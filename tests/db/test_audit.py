"""The audit log is a chain: whoever changes, removes or moves a row breaks it there."""

import asyncio
import hashlib
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import audit
from db.audit import Audit
from db.base import open_engine, transaction
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
    """As somebody would who holds the database itself: the guards are taken away meanwhile."""
    async with engine.connect() as connection:
        await connection.execution_options(writes=True)
        if engine.dialect.name == "sqlite":
            guards = (
                "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'audit'"
            )
            found = (await connection.execute(text(guards))).all()
            before = [f"DROP TRIGGER {guard.name}" for guard in found]
            after = [guard.sql for guard in found]
        else:
            before = ["ALTER TABLE audit DISABLE TRIGGER audit_no_change"]
            after = ["ALTER TABLE audit ENABLE TRIGGER audit_no_change"]
        for one in before:
            await connection.execute(text(one))
        await act(connection)
        for one in after:
            await connection.execute(text(one))
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
    assert (found.rows, found.broken_at, found.keyless) == (ROWS, 0, 0)
    assert re.fullmatch(rf"{ROWS}:k:[0-9a-f]{{64}}", str(found.head))


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


# --- the key ----------------------------------------------------------------------------------


@asynccontextmanager
async def opened(address: str, *keys: str) -> AsyncIterator[AsyncEngine]:
    """The same database with these keys, newest first."""
    engine = open_engine(address, seal_keys=lambda: keys)
    try:
        yield engine
    finally:
        await engine.dispose()


async def reseal(engine: AsyncEngine, seal: Callable[[str, Any], str], start: int = 1) -> None:
    """Rewrite a row and all seals behind it, and the head that the database remembers."""

    async def act(connection: AsyncConnection) -> None:
        change = text("UPDATE audit SET subject = 'member:666' WHERE id = :row")
        await connection.execute(change, {"row": start})
        rows = (await connection.execute(select(Audit.__table__).order_by(Audit.id))).all()
        before = next((row.seal for row in rows if row.id == start - 1), "")
        for row in rows[start - 1 :]:
            before = seal(before, row)
            change = text("UPDATE audit SET seal = :seal WHERE id = :row")
            await connection.execute(change, {"seal": before, "row": row.id})
        kept = text("UPDATE memo SET value = :head WHERE key = 'audit-head'")
        await connection.execute(kept, {"head": f"{len(rows)}:{before}"})

    await tamper(engine, act)


def plain_seal(before: str, row: Any) -> str:
    """The hash without a key that rows carried before, written anew here."""
    moment = row.at.astimezone(UTC).isoformat(timespec="microseconds")
    told = (before, row.id, moment, row.member_id, row.action, row.subject, row.outcome)
    return hashlib.sha256("\x1f".join(map(str, told)).encode()).hexdigest()


@pytest.mark.both
async def test_who_owns_the_database_but_not_the_key_cannot_seal_it_anew(database: str) -> None:
    """Neither with a key of their own, nor with none, nor as rows were sealed before."""
    async with opened(database, "ours") as engine:
        await fill(engine, 20)
        for seal in (partial(audit.compute_seal, "theirs"), partial(audit.compute_seal, "")):
            await reseal(engine, seal, 7)
            assert (await verdict(engine)).broken_at == 7
        await reseal(engine, plain_seal, 7)
        assert (await verdict(engine)).broken_at == 7
        await reseal(engine, partial(audit.compute_seal, "ours"), 7)
        assert (await verdict(engine)).broken_at == 0  # with the key it can be done


@pytest.mark.both
async def test_a_newer_key_leaves_the_older_rows_as_they_are(database: str) -> None:
    """As long as the key they were sealed with stays in the list."""
    for keys in (("one",), ("two", "one"), ("three", "two", "one")):
        async with opened(database, *keys) as engine:
            await fill(engine, 5)
    async with opened(database, "three", "two", "one") as engine:
        assert (await verdict(engine))[:2] == (15, 0)
    async with opened(database, "three", "two") as engine:
        assert (await verdict(engine)).broken_at == 1
    async with opened(database, "two", "one") as engine:
        assert (await verdict(engine)).broken_at == 11


@pytest.mark.both
async def test_rows_from_before_seals_had_a_key_are_sealed_as_they_stand(database: str) -> None:
    """They verify as what they were; the next start covers them, and no keyless row follows."""
    async with opened(database, "ours") as engine:
        await fill(engine, 8)
        await reseal(engine, plain_seal)
        assert (await verdict(engine))[1:4:2] == (0, 8)
        for _ in range(2):  # the second start has nothing to seal
            async with transaction(engine, writes=True) as session:
                await audit.seal_older_rows(session, NOW)
        await fill(engine, 2)
        assert (await verdict(engine))[:2] == (11, 0)
        assert (await verdict(engine)).keyless == 8

        async def change_older(connection: AsyncConnection) -> None:
            rows = (await connection.execute(select(Audit.__table__).order_by(Audit.id))).all()
            before, changed = (
                "",
                text("UPDATE audit SET member_id = 3, seal = :seal WHERE id = :id"),
            )
            for row in rows[:8]:
                before = plain_seal(before, SimpleNamespace(**{**row._mapping, "member_id": 3}))
                await connection.execute(changed, {"seal": before, "id": row.id})

        await tamper(engine, change_older)
        assert (await verdict(engine)).broken_at == 9  # the row that sealed them


# --- the head ---------------------------------------------------------------------------------


@pytest.mark.both
async def test_rows_cut_off_at_the_end_are_found_by_a_head_kept_elsewhere(database: str) -> None:
    """The database's own memory of its head goes along with the rows."""
    async with opened(database, "ours") as engine:
        await fill(engine, 30)
        async with transaction(engine) as session:
            head = await audit.load_head(session)
            row = await session.scalar(select(Audit.seal).where(Audit.id == 20))
        await fill(engine, 5)
        async with transaction(engine) as session:
            assert (await audit.verify(session, audit.parse_head(f" {head}\n"))).broken_at == 0

        async def cut(connection: AsyncConnection) -> None:
            await connection.execute(text("DELETE FROM audit WHERE id > 20"))
            kept = text("UPDATE memo SET value = :head WHERE key = 'audit-head'")
            await connection.execute(kept, {"head": f"20:{row}"})

        await tamper(engine, cut)
        assert (await verdict(engine))[:2] == (20, 0)
        async with transaction(engine) as session:
            assert (await audit.verify(session, head)).broken_at == 21
        await fill(engine, 20)  # later acts do not hide it
        async with transaction(engine) as session:
            assert (await audit.verify(session, head)).broken_at == 30


@pytest.mark.parametrize("said", ["", "17", "17:", ":k:ab", "x:k:ab", "1²:k:ab", "9" * 20 + ":ab"])
def test_what_is_no_head_is_none(said: str) -> None:
    """Rather than a head that fits everything."""
    assert audit.parse_head(said) is None
