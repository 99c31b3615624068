"""The engine for SQLite or PostgreSQL, the base of all tables, and how transactions begin."""

import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Dialect,
    Insert,
    Integer,
    MetaData,
    Table,
    TypeDecorator,
    and_,
    event,
    make_url,
    or_,
)
from sqlalchemy.engine import URL, Connection
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from db import sqlite

_NAMING_CONVENTION = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Moment(TypeDecorator[datetime]):
    """A column type for an instant in UTC. SQLite stores no zone, so UTC is added on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC. Raise ValueError for a naive time: it is ambiguous in four time zones."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment needs its zone")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the stored time as an aware time in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The declarative base of all tables."""

    metadata = MetaData(naming_convention=_NAMING_CONVENTION)
    type_annotation_map = {datetime: Moment}  # noqa: RUF012 - SQLAlchemy's own idiom

    def __init_subclass__(cls, **given: Any) -> None:
        """Let SQLite, as PostgreSQL, never use the number of a deleted row for another one."""
        super().__init_subclass__(**given)
        table = getattr(cls, "__table__", None)  # an abstract class has none
        if isinstance(table, Table) and is_numbered(table):
            table.dialect_options["sqlite"]["autoincrement"] = True


def is_numbered(table: Table) -> bool:
    """Return whether the database numbers the rows of a table: its key is one whole number."""
    keys = list(table.primary_key)
    return len(keys) == 1 and isinstance(keys[0].type, Integer) and not keys[0].foreign_keys


def database_url(text: str) -> URL:
    """Return a SQLAlchemy URL with an async driver; `postgres://` is accepted as hosts write it."""
    url = make_url(text)
    if url.drivername in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    if url.drivername == "sqlite":
        return url.set(drivername="sqlite+aiosqlite")
    return url


SEAL_KEYS = "seal_keys"
"""The execution option of an engine that returns the keys which seal the audit log."""


def open_engine(
    url: str, *, concurrency: int = 16, seal_keys: Callable[[], Sequence[str]] | None = None
) -> AsyncEngine:
    """Create an engine whose SQLite connections are durable and whose writers never deadlock.

    `concurrency` is the size of its connection pool. `seal_keys` returns the keys that seal the
    audit log, newest first; it is called when a row is added or verified.
    """
    where, options = database_url(url), {SEAL_KEYS: seal_keys}
    if where.get_backend_name() != "sqlite":
        return create_async_engine(
            where, pool_size=concurrency, pool_pre_ping=True, execution_options=options
        )
    engine = create_async_engine(where, pool_size=concurrency, execution_options=options)
    event.listen(engine.sync_engine, "do_connect", _connect_sqlite)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    event.listen(engine.sync_engine, "before_cursor_execute", _check_may_write)
    return engine


def _connect_sqlite(dialect: Dialect, record: object, args: object, options: Any) -> None:
    options["async_creator_fn"] = sqlite.connect


def _prepare_sqlite(connection: Any, record: object) -> None:
    connection.isolation_level = None  # `_begin_sqlite` begins each transaction
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=10000",
        "secure_delete=ON",
        "cache_size=-16000",
        "mmap_size=268435456",
    ):
        _execute_with_retries(cursor, f"PRAGMA {pragma}")
    cursor.close()


def _execute_with_retries(cursor: Any, statement: str, turns: int = 100) -> None:
    """Execute a statement, up to `turns` times while SQLite reports that the file is busy.

    Of two connections that create one file at once, SQLite refuses one immediately, whatever its
    `busy_timeout`.
    """
    while True:
        turns -= 1
        try:
            cursor.execute(statement)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or not turns:
                raise
        else:
            return
        time.sleep(0.02)


def _begin_sqlite(connection: Connection) -> None:
    # A reader that starts to write fails at once if another transaction wrote meanwhile. Writers
    # therefore take their lock first, and wait for it.
    if connection.get_execution_options().get("writes", False):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite.Connection)  # noqa: S101 - the engine makes no other kind
    driver.begin()


class ReaderError(Exception):
    """A transaction that began as a reader was about to write."""


def _check_may_write(connection: Connection, *call: Any) -> None:
    """Raise ReaderError at once, always and in every test, and not now and then in a busy hour."""
    made = call[3]  # the statement's execution context
    changes = made is not None and (made.isinsert or made.isupdate or made.isdelete)
    if changes and not connection.get_execution_options().get("writes", False):
        raise ReaderError("a transaction that may write begins with `writes=True`")


@asynccontextmanager
async def transaction(engine: AsyncEngine, *, writes: bool = False) -> AsyncIterator[AsyncSession]:
    """Open a session in one transaction: committed at the end, rolled back on any exception.

    With `writes`, SQLite's write lock is taken at the beginning.
    """
    async with AsyncSession(engine, expire_on_commit=False) as session:
        if writes:
            await begin_writing(session)
        async with _commit_or_rollback(session):
            yield session


async def begin_writing(session: AsyncSession) -> None:
    """Begin the session's transaction as one that writes; only where none has begun yet.

    On SQLite it waits for the write lock here. One that begins as a reader would fail at its first
    write if another transaction wrote meanwhile.
    """
    await session.connection(execution_options={"writes": True})


@asynccontextmanager
async def _commit_or_rollback(session: AsyncSession) -> AsyncIterator[None]:
    try:
        yield
    except BaseException:
        await session.rollback()
        raise
    await session.commit()


async def insert_if_absent(session: AsyncSession, table: type[Base], /, **values: Any) -> None:
    """Insert a row unless one with its key exists; safe if several transactions do so at once."""
    await session.execute(insert_if_absent_statement(session, table, **values))


def insert_if_absent_statement(
    session: AsyncSession, table: type[Base], /, **values: Any
) -> Insert:
    """Return the statement that `insert_if_absent` executes."""
    made: Insert = insert_into(session, table).values(**values).on_conflict_do_nothing()
    return made


def insert_into(session: AsyncSession, table: type[Base], /) -> Any:
    """Return an insert of the session's own dialect, which knows ON CONFLICT.

    Only the dialect in use is imported, so that programs start faster.
    """
    if is_sqlite(session):
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


def is_pair(table: Any, one_id: int, other_id: int) -> ColumnElement[bool]:
    """Return the condition for rows of two people, in either order of `one_id` and `other_id`."""
    there = and_(table.one_id == one_id, table.other_id == other_id)
    back = and_(table.one_id == other_id, table.other_id == one_id)
    return or_(there, back)


async def checkpoint(engine: AsyncEngine) -> None:
    """Write SQLite's journal to the file and empty it: what was deleted is then gone from both."""
    if engine.dialect.name == "sqlite":
        async with engine.connect() as connection:
            raw: Any = (await connection.get_raw_connection()).driver_connection
            await raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # no transaction may be open


def is_sqlite(session: AsyncSession) -> bool:
    """Return whether the session's database is SQLite; otherwise it is PostgreSQL."""
    return session.get_bind().dialect.name == "sqlite"
