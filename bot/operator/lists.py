"""`wwc import` and `wwc export`: the preview, what they print, and when they refuse."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncSession

from bot.adapters import PLATFORMS
from bot.community import importing
from bot.community.importing import ImportPlan, UnreadableError
from bot.settings import Settings
from bot.storage import database, translate_database_errors
from db import member_lists, migrate, seed
from db.base import transaction

DONE, REFUSED, WRONG_USE = 0, 1, 2
PREVIEW_ROWS = 20
"""Maximum rows of a preview; of faults, ten times as many are printed."""


async def import_members(settings: Settings, file: Path, console: Console, *, dry_run: bool) -> int:
    """Import a list of members, all of it or nothing; return the exit code."""
    try:
        rows = importing.load_records(file)
    except OSError as error:
        print(f"{file} cannot be read: {error.strerror or error}.", file=sys.stderr)
        return WRONG_USE
    except UnreadableError as error:
        print(f"{error} Nothing was imported.", file=sys.stderr)
        return REFUSED
    async with database(settings) as engine:
        with translate_database_errors():
            await migrate.require_head(engine)
            async with transaction(engine, writes=not dry_run) as session:
                if not dry_run and await seed.is_empty(session):
                    await seed.seed_reference(session)
                return await _run_import(session, rows, console, dry_run=dry_run)


async def _run_import(
    session: AsyncSession, rows: list[importing.Record], console: Console, *, dry_run: bool
) -> int:
    now = datetime.now(UTC)
    made = await importing.plan_import(session, rows, now, PLATFORMS)
    _print_preview(made, console)
    if made.faults:
        print("Nothing was imported: correct these rows, or take them out.", file=sys.stderr)
        return REFUSED
    changing = len(made.rows) - made.count("unchanged")
    if dry_run or not changing:
        print("Nothing was written." if dry_run else "There was nothing to write.")
        return DONE
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Writing", total=changing)
        await importing.write_plan(session, made, now, lambda done: bar.update(task, advance=done))
    print("Imported.")
    return DONE


def _print_preview(made: ImportPlan, console: Console) -> None:
    for note in made.notes:
        print(f"Warning: {note}", file=sys.stderr)
    if console.is_terminal and made.count("unchanged") < len(made.rows):
        console.print(_preview_table(made))
    for fault in made.faults[: PREVIEW_ROWS * 10]:
        print(fault, file=sys.stderr)
    if len(made.faults) > PREVIEW_ROWS * 10:
        print(f"… and {len(made.faults) - PREVIEW_ROWS * 10} more", file=sys.stderr)
    counts = ", ".join(f"{made.count(v)} {v}" for v in ("new", "changed", "unchanged"))
    print(f"{counts}, {made.refusal_count} invalid")


def _preview_table(made: ImportPlan) -> Table:
    table = Table("Row", "", "Name", "E-mail", "What changes")
    changing = [row for row in made.rows if row.verdict != "unchanged"]
    for row in changing[:PREVIEW_ROWS]:
        person = row.person
        cells = (person.name, person.email, ", ".join(row.changes))
        table.add_row(str(person.row), row.verdict, *map(_escape_markup, cells))
    if len(changing) > PREVIEW_ROWS:
        table.caption = f"and {len(changing) - PREVIEW_ROWS} more"
    return table


def _escape_markup(text: str) -> str:
    """Escape Rich's markup, so that what people wrote is never read as such."""
    return text.replace("[", r"\[")


async def export_members(settings: Settings, file: Path) -> int:
    """Export the verified members as an import would read them; return the exit code."""
    async with database(settings) as engine:
        with translate_database_errors():
            await migrate.require_head(engine)
            async with transaction(engine) as session:
                rows = await importing.build_table(session, datetime.now(UTC), PLATFORMS)
                invented = await member_lists.count_synthetic(session)
    try:
        importing.save_csv(file, rows)
    except OSError as error:
        print(f"{file} cannot be written: {error.strerror or error}.", file=sys.stderr)
        return WRONG_USE
    left = f" The {invented} invented people of the demo are left out." if invented else ""
    print(f"{len(rows) - 1} members saved to {file}.{left}")
    return DONE
