"""`make bench`: prints what the program costs, and writes it down in docs/BENCHMARKS.md."""

import argparse
import asyncio
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import measure, people, report
from tests.bench.measure import Found, Scale

DOCUMENT = Path(__file__).parents[2] / "docs" / "BENCHMARKS.md"
_STARTED = time.monotonic()


def _note(text: str) -> None:
    seconds = int(time.monotonic() - _STARTED)
    print(f"{seconds // 60}:{seconds % 60:02d}  {text}", file=sys.stderr, flush=True)


async def run(scale: Scale, postgres: str = "", note: people.Note = _note) -> Found:
    """The databases, then the figures."""
    databases = {}
    for size in scale.sizes:
        note(f"{size:,} members")
        databases[size] = f"sqlite+aiosqlite:///{await people.sqlite_with(size, note)}"
    if postgres:
        note(f"{scale.sizes[-1]:,} members in PostgreSQL")
        await people.fill_postgresql(postgres, scale.sizes[-1], note)
        databases = {scale.sizes[-1]: postgres}
        scale = replace(scale, sizes=(scale.sizes[-1],))
    return await measure.everything(scale, databases, note)


def main() -> None:
    """Read the options, run, print, write."""
    options = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    options.add_argument("--quick", action="store_true", help="10,000 members, few runs; no file")
    in_its_place = "an empty PostgreSQL database to measure in place of SQLite; no file"
    options.add_argument("--postgres", default="", metavar="URL", help=in_its_place)
    how_many = "commands over which memory is watched (100000 takes up to a quarter of an hour)"
    options.add_argument("--commands", type=int, default=0, metavar="N", help=how_many)
    given = options.parse_args()
    scale = measure.QUICK if given.quick else Scale()
    if given.commands:
        scale = replace(scale, commands=given.commands)
    found = asyncio.run(run(scale, given.postgres))
    print("\n".join(report.lines(found)))
    print(f"\n{report.spent(found)}")
    if not (given.quick or given.postgres):
        took = time.monotonic() - _STARTED
        DOCUMENT.write_text(report.document(found, datetime.now(UTC).date(), took))
        _note(f"written to {DOCUMENT}")


if __name__ == "__main__":
    main()
