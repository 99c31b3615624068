"""Database migrations: upgrade, downgrade, and whether a database is at the code's revision."""

import importlib
import pkgutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, MetaData, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

import db
from db.base import Base, is_numbered

if TYPE_CHECKING:
    from alembic.config import Config

# Importing Alembic takes longer than answering a command: it is imported where it is used.

_MIGRATIONS = Path(__file__).parent / "migrations"
OLDER = "The database is older than this program: run `wwc db upgrade`."


class SchemaError(Exception):
    """The database is not at the revision this code needs; the message says what to do."""


def metadata() -> MetaData:
    """Return the metadata of all tables, after importing every module that declares some."""
    for module in pkgutil.iter_modules(db.__path__):
        if module.name not in ("migrate", "migrations"):
            importlib.import_module(f"db.{module.name}")
    return Base.metadata


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def revisions() -> list[str]:
    """Return the revisions this code knows, oldest first: the numbers its files begin with."""
    files = (_MIGRATIONS / "versions").glob("[0-9]*_*.py")
    return sorted(file.name.partition("_")[0] for file in files)


def head() -> str:
    """Return the newest revision this code knows."""
    return revisions()[-1]


def _revision(connection: Connection) -> str:
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return connection.scalar(text("SELECT version_num FROM alembic_version")) or ""


async def _run(engine: AsyncEngine, work: Callable[[Connection], None]) -> None:
    async with engine.connect() as connection, _without_foreign_keys(connection):
        await connection.execution_options(writes=True)
        if engine.dialect.name == "postgresql":
            # One migration at a time, which gives up before other queries queue up behind it.
            await connection.execute(text("SET lock_timeout = '8s'"))
            await connection.execute(text("SELECT pg_advisory_xact_lock(7292023)"))
        await connection.run_sync(work)
        await _check_foreign_keys(connection)
        await connection.commit()


@asynccontextmanager
async def _without_foreign_keys(connection: AsyncConnection) -> AsyncIterator[None]:
    """Let SQLite drop a table that was copied, without deleting what refers to its rows.

    PostgreSQL alters tables in place and needs nothing.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    raw: Any = (await connection.get_raw_connection()).driver_connection
    await raw.execute("PRAGMA foreign_keys=OFF")  # it has no effect inside a transaction
    try:
        yield
    finally:
        await connection.rollback()
        await raw.execute("PRAGMA foreign_keys=ON")


async def _check_foreign_keys(connection: AsyncConnection) -> None:
    """Raise SchemaError if a row refers to one that is not there, so that nothing is committed."""
    if connection.dialect.name == "sqlite":
        lost = (await connection.execute(text("PRAGMA foreign_key_check"))).first()
        if lost:
            raise SchemaError(f"Row {lost[1]} of «{lost[0]}» refers to a missing «{lost[2]}».")


async def upgrade(engine: AsyncEngine, to: str = "head") -> None:
    """Upgrade the database; raise SchemaError if it is newer than this code."""

    def work(connection: Connection) -> None:
        from alembic import command

        _refuse_newer(_revision(connection))
        command.upgrade(_config(connection), to)

    if to != "head" or await revision(engine) != head():
        await _run(engine, work)


def _refuse_newer(now: str) -> None:
    if now and now not in revisions():
        raise SchemaError(f"The database is at {now}, newer than this program: update it.")


async def require_head(engine: AsyncEngine) -> None:
    """Raise SchemaError unless the database is at the newest revision."""
    now = await revision(engine)
    _refuse_newer(now)
    if now != head():
        raise SchemaError(OLDER)


async def downgrade(engine: AsyncEngine, to: str) -> None:
    """Downgrade the database to a revision, or to `base`.

    Raise SchemaError if it is newer than this code.
    """

    def work(connection: Connection) -> None:
        from alembic import command

        _refuse_newer(_revision(connection))
        command.downgrade(_config(connection), to)

    await _run(engine, work)


async def revision(engine: AsyncEngine) -> str:
    """Return the revision of the database; empty for a fresh one."""
    async with engine.connect() as connection:
        return await connection.run_sync(_revision)


async def list_differences(engine: AsyncEngine) -> list[str]:
    """List the differences between the database and the models; empty if there are none."""
    now = await revision(engine)
    if now and now not in revisions():
        return [f"The database is at {now}, newer than this program: update the program."]
    if now != head():
        return [OLDER]
    async with engine.connect() as connection:
        return await connection.run_sync(_differences)


def is_compared(name: str | None, kind: str, parents: Any) -> bool:
    """Return whether Alembic is to compare this object: not the search indexes.

    They differ by database, so migrations create them and the models do not declare them.
    """
    return not (name is not None and ("_fts" in name or name == "ix_document_tokens"))


def _differences(connection: Connection) -> list[str]:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    context = MigrationContext.configure(connection, opts={"include_name": is_compared})
    return [
        *(str(change) for change in compare_metadata(context, metadata())),
        *_reusing_tables(connection),
    ]


def _reusing_tables(connection: Connection) -> list[str]:
    """List the tables in which SQLite gives the number of a deleted row to the next one."""
    if connection.dialect.name != "sqlite":
        return []  # its sequences never go back
    made = connection.execute(text("SELECT name, sql FROM sqlite_schema WHERE type = 'table'"))
    counting = {name for name, sql in made if "AUTOINCREMENT" in sql}
    numbered = {table.name for table in metadata().sorted_tables if is_numbered(table)}
    return [f"«{name}» lacks AUTOINCREMENT" for name in sorted(numbered - counting)]
