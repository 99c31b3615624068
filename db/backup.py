"""Copies of a SQLite database, made while others write to it, and checked before they are kept."""

import os
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import aiosqlite

from db import migrate


class BackupError(Exception):
    """No copy could be made; the message says why and what to do."""


Change = Callable[[Path], Awaitable[None]]
"""Changes the draft of a copy before it is checked and kept."""


async def copy_database(source: Path, target: Path, change: Change | None = None) -> None:
    """Copy the database `source` to `target`, which is complete and sound or does not exist.

    `change` is applied to the draft before it is checked. Raise BackupError if the copy fails.
    """
    draft = target.with_name(target.name + ".partial")
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        await _copy_pages(source, draft)
        if change:
            await change(draft)
        if problem := await find_fault(draft, called=source):
            raise BackupError(problem)
        _finish_draft(draft, target)
    finally:
        for leftover in (draft, *_sidecar_files(draft)):
            leftover.unlink(missing_ok=True)


async def _copy_pages(source: Path, draft: Path) -> None:
    """Copy with SQLite's online backup: the state of one moment, even while others write."""
    try:
        async with _open_read_only(source) as old, aiosqlite.connect(draft) as new:
            await old.backup(new)
            await new.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
    except sqlite3.DatabaseError as error:
        raise BackupError(f"{source} cannot be copied: {error}.") from error


def _finish_draft(draft: Path, target: Path) -> None:
    with draft.open("rb") as written:
        os.fsync(written.fileno())
    for stale in _sidecar_files(target):
        stale.unlink(missing_ok=True)
    draft.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


async def find_fault(file: Path, *, called: Path | None = None) -> str:
    """Return what is wrong with a database of the hub; an empty text if it is sound.

    `called` is the path that the text names instead of `file`.
    """
    name = called or file
    try:
        async with _open_read_only(file) as connection:
            damage = await _fetch_first(connection, "PRAGMA integrity_check")
            orphan = await _fetch_first(connection, "PRAGMA foreign_key_check")
            revision = await _fetch_first(connection, "SELECT version_num FROM alembic_version")
    except sqlite3.DatabaseError:
        return f"{name} is not a database of the hub, or it is damaged."
    if damage != "ok" or orphan:
        return f"{name} is damaged: an older copy is needed."
    if revision not in migrate.revisions():
        return f"{name} is at {revision}, newer than this program: update it."
    return ""


async def read_audit_head(file: Path) -> str:
    """Return the head of the audit log in a database; empty if its log is."""
    async with _open_read_only(file) as connection:
        head = await _fetch_first(connection, "SELECT value FROM memo WHERE key = 'audit-head'")
    return str(head or "")


async def is_in_use(file: Path) -> bool:
    """Return whether another process has the database open.

    SQLite lets a connection leave write-ahead logging only if it is the last one, so it is tried.
    """
    with suppress(sqlite3.DatabaseError):
        async with aiosqlite.connect(file, timeout=0.5) as connection:
            try:
                await connection.execute("PRAGMA journal_mode=DELETE")
            except sqlite3.OperationalError as error:
                return error.sqlite_errorcode == sqlite3.SQLITE_BUSY
    return False


async def _fetch_first(connection: aiosqlite.Connection, statement: str) -> object:
    async with connection.execute(statement) as rows:
        row = await rows.fetchone()
    return row[0] if row else None


def _open_read_only(file: Path) -> aiosqlite.Connection:
    return aiosqlite.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)


def _sidecar_files(file: Path) -> list[Path]:
    return [file.with_name(file.name + end) for end in ("-wal", "-shm", "-journal")]
