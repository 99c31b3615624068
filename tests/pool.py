"""PostgreSQL databases that are lent to one test after another, and set back in between."""

from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from tests.databases import Postgres

_SHAPE = """SELECT
  (SELECT array_agg((oid, relname) ORDER BY oid) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace)::text,
  (SELECT array_agg((oid, proname) ORDER BY oid) FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace)::text,
  (SELECT array_agg((attrelid, attname, atttypid, attnotnull, atthasdef) ORDER BY attrelid, attnum)
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace)::text,
  (SELECT array_agg((oid, conname) ORDER BY oid) FROM pg_constraint)::text,
  (SELECT array_agg((oid, tgname) ORDER BY oid) FROM pg_trigger WHERE NOT tgisinternal)::text,
  (SELECT array_agg(nspname ORDER BY oid) FROM pg_namespace WHERE nspname !~ '^pg_')::text"""
"""Tables, functions, columns, constraints and triggers; another answer after a test alters any."""
_TABLES = """SELECT relname, array_agg(attname::text ORDER BY attnum)
  FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
  WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
    AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
  GROUP BY relname ORDER BY relname"""
_STRANGERS = """SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid()"""


@dataclass
class Lent:
    """One database: a connection of the pool's own to it, and what stood there at first.

    `rows`: each table's content as COPY writes it; `stamps`: (rows, last transaction) of each.
    """

    name: str
    connection: psycopg.Connection[Any]
    shape: Any
    columns: dict[str, list[str]]
    rows: dict[str, bytes]
    sequences: list[tuple[str, int, bool]]
    stamps: dict[str, tuple[int, int]] = field(default_factory=dict)


class Pool:
    """Lends databases that are as the template is."""

    def __init__(self, server: Postgres, template: str) -> None:
        self._server, self._template = server, template
        self._free: list[Lent] = []
        self._lent: dict[str, Lent] = {}

    def lend(self) -> str:
        """Return the name of a database that nobody else has."""
        lent = self._free.pop() if self._free else self._open()
        self._lent[lent.name] = lent
        return lent.name

    def take_back(self, name: str) -> None:
        """Set a database back; one whose tables were altered, or that is gone, is dropped."""
        lent = self._lent.pop(name)
        try:
            lent.connection.execute(_STRANGERS)
            whole = lent.connection.execute(_SHAPE).fetchone() == lent.shape
        except psycopg.OperationalError:
            whole = False
        if whole:
            _restore(lent)
            self._free.append(lent)
        else:
            lent.connection.close()
            self._server.drop(name)

    def close(self) -> None:
        """Drop them all."""
        for lent in (*self._free, *self._lent.values()):
            lent.connection.close()
            self._server.drop(lent.name)

    def _open(self) -> Lent:
        """Copy the template, and learn by heart what stands in it."""
        name = self._server.create(self._template)
        connection = psycopg.connect(self._server.url(name), autocommit=True)
        setting = sql.SQL("ALTER DATABASE {} SET synchronous_commit = off")
        connection.execute(setting.format(sql.Identifier(name)))  # no test ends the server
        connection.execute("SET synchronous_commit = off")
        columns: dict[str, list[str]] = dict(connection.execute(_TABLES).fetchall())
        lent = Lent(
            name=name,
            connection=connection,
            shape=connection.execute(_SHAPE).fetchone(),
            columns=columns,
            rows={table: _copy_out(connection, table, columns[table]) for table in columns},
            sequences=_sequences(connection),
        )
        lent.stamps = _stamps(lent)
        return lent


def _restore(lent: Lent) -> None:
    """Write the tables anew that a test has written to, without triggers and foreign keys."""
    connection, now = lent.connection, _stamps(lent)
    touched = [table for table in lent.columns if now[table] != lent.stamps[table]]
    with connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        for table in touched:
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
            if lent.rows[table]:
                _copy_in(connection, table, lent.columns[table], lent.rows[table])
        for name, value, is_called in lent.sequences:
            connection.execute("SELECT setval(%s::regclass, %s, %s)", (name, value, is_called))
    lent.stamps = _stamps(lent)


def _stamps(lent: Lent) -> dict[str, tuple[int, int]]:
    """Count each table's rows and find the last transaction that wrote one."""
    one = sql.SQL("SELECT {}, count(*), coalesce(max(xmin::text::bigint), 0) FROM {}")
    every = [one.format(sql.Literal(table), sql.Identifier(table)) for table in lent.columns]
    rows = lent.connection.execute(sql.SQL(" UNION ALL ").join(every)).fetchall()
    return {table: (count, last) for table, count, last in rows}


def _sequences(connection: psycopg.Connection[Any]) -> list[tuple[str, int, bool]]:
    """Read every sequence: its name, last value, and whether that was given out."""
    named = connection.execute(
        "SELECT relname FROM pg_class"
        " WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace ORDER BY relname"
    ).fetchall()
    found = []
    for (name,) in named:
        query = sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(name))
        if row := connection.execute(query).fetchone():
            found.append((str(sql.Identifier(name).as_string()), row[0], row[1]))
    return found


def _copy(table: str, columns: list[str], where: str) -> sql.Composed:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL("COPY {} ({}) " + where).format(sql.Identifier(table), names)


def _copy_out(connection: psycopg.Connection[Any], table: str, columns: list[str]) -> bytes:
    with connection.cursor().copy(_copy(table, columns, "TO STDOUT")) as copy:
        return b"".join(bytes(part) for part in copy)


def _copy_in(
    connection: psycopg.Connection[Any], table: str, columns: list[str], rows: bytes
) -> None:
    with connection.cursor().copy(_copy(table, columns, "FROM STDIN")) as copy:
        copy.write(rows)
