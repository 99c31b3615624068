"""`wwc db` and `wwc seed`: migrations, and the data that stands in the tables from the start."""

import sys
from datetime import UTC, datetime
from typing import Literal

from rich.console import Console
from rich.progress import Progress

from bot.domain.ranking import base_points
from bot.settings import Settings
from bot.storage import database, translate_database_errors
from db import migrate
from db import seed as seeding
from db.base import transaction


async def migrate_to(
    settings: Settings, direction: Literal["upgrade", "downgrade"], revision: str
) -> int:
    """Migrate the database to a revision; return the exit code, 2 if there is no such revision."""
    known = ("base", *migrate.revisions(), "head")
    if revision not in known:
        print(f"There is no revision {revision}; known: {', '.join(known)}.", file=sys.stderr)
        return 2
    async with database(settings) as engine:
        with translate_database_errors():
            await getattr(migrate, direction)(engine, revision)
            print(f"The database is at {await migrate.revision(engine) or 'base'}.")
    return 0


async def check_schema(settings: Settings) -> int:
    """Print how the database differs from the models; return the exit code, 1 if it does."""
    async with database(settings) as engine:
        with translate_database_errors():
            faults = await migrate.list_differences(engine)
    print("\n".join(faults) or "The database is as it should be.")
    return 1 if faults else 0


async def seed(settings: Settings, console: Console, *, demo: bool) -> None:
    """Migrate the database, and write what is missing of the reference data and of the demo."""
    async with database(settings) as engine:
        with translate_database_errors(), Progress(console=console) as bar:
            await migrate.upgrade(engine)
            task = bar.add_task("", total=6 if demo else 3)

            def step(name: str) -> None:
                bar.update(task, advance=1, description=name)

            async with transaction(engine, writes=True) as session:
                await seeding.seed_reference(session, step)
                if demo:
                    await seeding.seed_demo(session, datetime.now(UTC), base_points, step)
            bar.update(task, completed=6 if demo else 3)
