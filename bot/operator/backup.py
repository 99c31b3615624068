"""`wwc backup` and `wwc restore`: their checks, and what they print."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import inspect
from sqlalchemy.orm import Session

from bot.settings import Settings
from bot.storage import key_file, sqlite_file
from db import backup, outbox
from db.base import open_engine, transaction

DONE, FAULTS, WRONG_USE = 0, 1, 2

_HELD_TEXTS = (
    "One message that may have gone out since is held back. Decide about it: /wwc admin dead list",
    "{number} messages that may have gone out since are held back. Decide about them: "
    "/wwc admin dead list",
)


async def save_backup(settings: Settings, file: Path, *, force: bool) -> int:
    """Copy the database into the file, while the hub runs; return the exit code."""
    own = sqlite_file(settings)
    refusal = _refusal(own, source=own, target=file, force=force)
    if own is None or refusal:
        return _print_problem(refusal, WRONG_USE)
    if code := await _copy(own, file):
        return code
    print(f"Saved to {file}, complete and checked.")
    await _print_audit_head(file)
    key = key_file(settings)
    if not settings.wwc_secret_key and key.exists():
        print(
            f"Keep {key} with it: without it the tokens inside cannot be read, "
            "nor its audit log verified."
        )
    return DONE


async def restore_backup(settings: Settings, file: Path, *, force: bool) -> int:
    """Replace the database with the file; return the exit code.

    The hub must be stopped.
    """
    own = sqlite_file(settings)
    refusal = _refusal(own, source=file, target=own, force=force)
    if own is None or refusal:
        return _print_problem(refusal, WRONG_USE)
    if problem := await backup.find_fault(file):
        return _print_problem(problem, FAULTS)
    if own.exists() and await backup.is_in_use(own):
        return _print_problem(f"{own} is in use: stop the hub first.", FAULTS)
    held = 0

    async def hold(draft: Path) -> None:
        nonlocal held
        held = await _hold_overdue(draft, datetime.now(UTC))

    if code := await _copy(file, own, hold):
        return code
    print(f"Restored from {file}, complete and checked. Start the hub again: wwc run")
    await _print_audit_head(own)
    if held:
        print(_HELD_TEXTS[held > 1].format(number=held))
    return DONE


async def _print_audit_head(file: Path) -> None:
    """Print the head of the audit log in a copy, to be kept elsewhere for `wwc audit verify`."""
    print(f"Head of its audit log: {await backup.read_audit_head(file) or 'none'}")


async def _hold_overdue(file: Path, now: datetime) -> int:
    """Hold overdue deliveries for the staff to decide; return how many.

    They may have been sent after the copy was made.
    """
    engine = open_engine(f"sqlite+aiosqlite:///{file}")
    try:
        async with transaction(engine, writes=True) as session:
            if not await session.run_sync(_has_deliveries):
                return 0
            return await outbox.hold_overdue(session, now, "restored")
    finally:
        await engine.dispose()


def _has_deliveries(session: Session) -> bool:
    """Return whether the copy has a table of deliveries; the oldest ones have none."""
    return inspect(session.connection()).has_table("delivery")


def _refusal(own: Path | None, *, source: Path | None, target: Path | None, force: bool) -> str:
    if own is None or source is None or target is None:
        return "The data is in PostgreSQL, which has tools of its own: pg_dump and pg_restore."
    if not source.is_file():
        return f"There is no file {source}."
    if target.is_dir() or not target.resolve().parent.is_dir():
        return f"{target} is not the name of a file in a folder that exists."
    if target.exists() and target.samefile(source):
        return f"{target} is the database itself."
    if target.exists() and not force:
        return f"{target} exists already; add --force to replace it."
    return ""


async def _copy(source: Path, target: Path, change: backup.Change | None = None) -> int:
    try:
        await backup.copy_database(source, target, change)
    except (backup.BackupError, OSError) as error:
        return _print_problem(str(error), FAULTS)
    return DONE


def _print_problem(problem: str, code: int) -> int:
    print(problem, file=sys.stderr)
    return code
