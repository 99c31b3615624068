"""SQLite with one visit to the connection's thread for each statement; aiosqlite takes four."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Self

import aiosqlite

Rows = Sequence[tuple[Any, ...]]


class Cursor:
    """The result of one statement, fetched completely in the connection's thread."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._rows: Rows = ()
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._rows = ()

    async def execute(self, statement: str, parameters: Any = ()) -> Self:
        """Run the statement and fetch all rows."""
        await self._connection.run_in_thread(self._run, statement, parameters)
        return self

    async def executemany(self, statement: str, parameters: Any) -> Self:
        """Run the statement for each row of parameters."""
        await self._connection.run_in_thread(self._run_many, statement, parameters)
        return self

    async def fetchall(self) -> Rows:
        """Return the rows that were fetched."""
        return self._rows

    async def close(self) -> None:
        """Do nothing: the driver's cursor was closed after the statement."""

    def _run(self, raw: sqlite3.Connection, statement: str, parameters: Any) -> None:
        self._store_result(raw.execute(statement, parameters))

    def _run_many(self, raw: sqlite3.Connection, statement: str, parameters: Any) -> None:
        self._store_result(raw.executemany(statement, parameters))

    def _store_result(self, cursor: sqlite3.Cursor) -> None:
        if cursor.description:
            self._rows = cursor.fetchall()
        self.description, self.rowcount = cursor.description, cursor.rowcount
        self.lastrowid = cursor.lastrowid
        cursor.close()


class Connection(aiosqlite.Connection):
    """A connection whose cursors cost nothing to open and to close.

    A transaction that only reads needs no visits of its own: its BEGIN goes with its first
    statement, and nothing waits for its end.
    """

    _open = False  # a transaction was begun
    _due = False  # its BEGIN is not executed yet
    _end_of_thread: asyncio.Future[Any] | None = None
    _changes = -1  # the count of changed rows when a reader began

    async def _connect(self) -> aiosqlite.Connection:
        try:
            return await super()._connect()
        except sqlite3.Error:
            self._thread.join()  # it still reports to this loop, which may be closed at once
            raise

    def stop(self) -> asyncio.Future[Any] | None:
        """Stop the thread, once. Later calls get the same future: an ended thread answers none."""
        if self._running:
            self._end_of_thread = super().stop()
        return self._end_of_thread

    def cursor(self) -> Cursor:  # type: ignore[override] # ours needs no step to the thread
        """Return a cursor; nothing happens before it executes."""
        return Cursor(self)

    def begin(self) -> None:
        """Begin a transaction that reads; its BEGIN is executed with its first statement."""
        self._open = self._due = True

    async def run_in_thread(
        self, work: Callable[..., None], statement: str, parameters: Any
    ) -> None:
        """Run `work` with the bare connection in the connection's thread."""
        self._open = self._open or statement.startswith("BEGIN")
        begun = self._begin if self._due else None
        self._due = False
        await self._execute(  # type: ignore[no-untyped-call] # the driver's own way to its thread
            _run_in_order, begun, work, self._conn, statement, parameters
        )

    def _begin(self) -> None:
        self._conn.execute("BEGIN")
        self._changes = self._conn.total_changes

    async def commit(self) -> None:
        """Commit, and wait for it if anything was written."""
        await self._end(self._conn.commit)

    async def rollback(self) -> None:
        """Roll back what there is. The pool calls it after every commit too."""
        await self._end(self._conn.rollback)

    async def _end(self, end: Callable[[], None]) -> None:
        due, begun, changes = self._due, self._open, self._changes
        self._due, self._open, self._changes = False, False, -1
        if due or not begun:
            return
        if self._conn.total_changes == changes:
            self._tx.put_nowait((None, end))
        else:
            await self._execute(end)  # type: ignore[no-untyped-call] # untyped in aiosqlite


def _run_in_order(begin: Callable[[], None] | None, work: Callable[..., None], *given: Any) -> None:
    if begin:
        begin()
    work(*given)


def connect(file: str, **options: Any) -> aiosqlite.Connection:
    """Return an unopened connection, as `aiosqlite.connect` does; SQLAlchemy awaits it."""

    def connector() -> sqlite3.Connection:
        made: sqlite3.Connection = sqlite3.connect(file, **options)
        return made

    connection = Connection(connector, iter_chunk_size=64)
    connection._thread.daemon = True  # as SQLAlchemy does: it must not keep the program alive
    return connection
