"""Brings a database up or down, and says whether it stands where the code does."""

import importlib
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, MetaData, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

import db
from db.base import Base

if TYPE_CHECKING:
    from alembic.config import Config

# Alembic takes longer to load than a command takes to answer: it is loaded where it has work.

_MIGRATIONS = Path(__file__).parent / "migrations"
OLDER = "The database is older than this program: run `wwc db upgrade`."


class SchemaError(Exception):
    """The database is not at the revision this code needs; the text says what to do."""


def metadata() -> MetaData:
    """Every table there is, whichever module it lives in."""
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
    """The revisions this code knows, oldest first: the numbers its files begin with."""
    files = (_MIGRATIONS / "versions").glob("[0-9]*_*.py")
    return sorted(file.name.partition("_")[0] for file in files)


def head() -> str:
    """The newest revision this code knows."""
    return revisions()[-1]


def _revision(connection: Connection) -> str:
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return connection.scalar(text("SELECT version_num FROM alembic_version")) or ""


async def _run(engine: AsyncEngine, work: Callable[[Connection], None]) -> None:
    async with engine.connect() as connection:
        await connection.execution_options(writes=True)
        if engine.dialect.name == "postgresql":
            # One migrator at a time, and never a queue of waiting queries behind it.
            await connection.execute(text("SET lock_timeout = '8s'"))
            await connection.execute(text("SELECT pg_advisory_xact_lock(7292023)"))
        await connection.run_sync(work)
        await connection.commit()


async def upgrade(engine: AsyncEngine, to: str = "head") -> None:
    """Bring the database up; refuses one that is newer than this code."""

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
    """Refuse a database that is not at the head."""
    now = await revision(engine)
    _refuse_newer(now)
    if now != head():
        raise SchemaError(OLDER)


async def downgrade(engine: AsyncEngine, to: str) -> None:
    """Bring the database down to a revision, or to `base`."""

    def work(connection: Connection) -> None:
        from alembic import command

        _refuse_newer(_revision(connection))
        command.downgrade(_config(connection), to)

    await _run(engine, work)


async def revision(engine: AsyncEngine) -> str:
    """The revision the database is at; empty for a fresh one."""
    async with engine.connect() as connection:
        return await connection.run_sync(_revision)


async def list_differences(engine: AsyncEngine) -> list[str]:
    """What differs between the database and the models; nothing when all is well."""
    now = await revision(engine)
    if now and now not in revisions():
        return [f"The database is at {now}, newer than this program: update the program."]
    if now != head():
        return [OLDER]
    async with engine.connect() as connection:
        return await connection.run_sync(_differences)


def is_made_by_migration(name: str | None, kind: str, parents: Any) -> bool:
    """Models know nothing of what search needs in each database: the migration makes it."""
    return not (name is not None and ("_fts" in name or name == "ix_document_tokens"))


def _differences(connection: Connection) -> list[str]:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    context = MigrationContext.configure(connection, opts={"include_name": is_made_by_migration})
    return [str(change) for change in compare_metadata(context, metadata())]
