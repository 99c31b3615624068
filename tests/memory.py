"""The topics and cities that every test's hub reads first are made into objects only once."""

import copy
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from bot.reference import Reference

TABLES = ("topic", "topic_term", "city", "city_name", "certification", "practice_area")
"""All the tables that `load_reference` reads."""
MOST = 4
"""So many contents are kept; nearly every test has that of the template."""


class Memory:
    """Stands for `load_reference`: where every row is as it was before, so is the result.

    A session that writes, and a test that counts statements, get the true one.
    """

    def __init__(self, read: Callable[[AsyncSession, datetime], Awaitable[Reference]]) -> None:
        self._read = read
        self._known: dict[Any, Reference] = {}
        self._paused = False

    async def __call__(self, session: AsyncSession, now: datetime) -> Reference:
        """Read the rows, but make objects of them only if they are new."""
        connection = await session.connection()
        options = await connection.run_sync(Connection.get_execution_options)
        if self._paused or options.get("writes"):
            return await self._read(session, now)
        rows = await _rows(connection)
        if rows not in self._known:
            if len(self._known) >= MOST:
                del self._known[next(iter(self._known))]
            self._known[rows] = await self._read_all(session, connection, now)
        recalled = copy.copy(self._known[rows])
        object.__setattr__(recalled, "read_at", now)
        return recalled

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Read truly meanwhile."""
        self._paused = True
        try:
            yield
        finally:
            self._paused = False

    async def _read_all(
        self, session: AsyncSession, connection: AsyncConnection, now: datetime
    ) -> Reference:
        """Read truly, index the names, and make sure that no other table is read."""
        tables = set[str]()

        def note(_: Any, __: Any, statement: str, *rest: Any) -> None:
            tables.update(re.findall(r"(?:FROM|JOIN) (\w+)", statement))

        event.listen(connection.sync_connection, "before_cursor_execute", note)
        try:
            known = await self._read(session, now)
        finally:
            event.remove(connection.sync_connection, "before_cursor_execute", note)
        assert tables <= set(TABLES), f"bot.reference reads more than tests/memory.py: {tables}"
        _ = known.vocabulary, known.gazetteer, known.public_gazetteer
        return known


async def _rows(connection: AsyncConnection) -> Any:
    """Each row of each table, read below SQLAlchemy, where it costs little."""
    raw: Any = (await connection.get_raw_connection()).driver_connection
    found = []
    for table in TABLES:
        cursor = raw.cursor()
        await cursor.execute(f"SELECT * FROM {table}")
        found.append(tuple(await cursor.fetchall()))
        await cursor.close()
    return tuple(found)
