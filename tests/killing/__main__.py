"""Kills the deliverer a few thousand times: `python -m tests.killing` writes RELIABILITY.md."""

import argparse
import asyncio
import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests import databases
from tests.killing.scene import PLATFORMS
from tests.killing.trials import ROOT, Tally, run, scratch, staged

REPORT = ROOT / "docs" / "RELIABILITY.md"
TABLE = re.compile(r"<!-- kills -->.*?<!-- /kills -->", re.DOTALL)
HEAD = """# Nothing lost, nothing doubled

Figures of the hub against the loopback platforms of its tests; the true ones were not reachable.

## Killed anywhere

A deliverer over real sockets is ended with SIGKILL at every named place between the database and
the platform, once each; then twice in a row at random places while the platform fails as well
(5xx, resets before and after it took the message, half and empty answers, 429). After each death
it starts anew and comes to rest. In every run nine things are owed: direct messages in order, a
reply in a thread, a change, a withdrawal, news in a channel, and in Slack a conversation of three.

*Lost*: owed, neither there nor on the list of staff. *Doubled*: there twice without saying so.
*Silent*: nobody knows whether it arrived, and no admin was told. *Open*: nobody can know, because
the place may not be read, so it is on the list of staff. *Said again*: the same, of a kind that
is sent once more with a note that it may be the second.

<!-- kills --><!-- /kills -->

`python -m tests.killing` makes this table; `make test` makes a thousand of these kills each time.
"""


async def measured(platform: str, url: str, seed: int, kills: int) -> Tally:
    """One platform on one database."""
    with scratch() as folder:
        async with staged(platform, url, Path(folder)) as stage:
            return await run(stage, seed, kills)


async def on_sqlite(seed: int, kills: int) -> list[Tally]:
    """Both platforms at once."""
    with scratch() as folder:
        urls = {name: f"sqlite:///{folder}/{name}.db" for name in PLATFORMS}
        for url in urls.values():
            await asyncio.to_thread(databases.build_database, url)
        return await asyncio.gather(*(measured(p, url, seed, kills) for p, url in urls.items()))


async def on_postgres(seed: int, kills: int) -> list[Tally]:
    """The same on a server."""
    with scratch() as folder, databases.postgres_server(Path(folder)) as address:
        server = databases.Postgres(address, f"wwc_killing_{os.getpid()}")
        names = {platform: server.create() for platform in PLATFORMS}
        try:
            for name in names.values():
                await asyncio.to_thread(databases.build_database, server.url(name))
            return await asyncio.gather(
                *(measured(p, server.url(name), seed, kills) for p, name in names.items())
            )
        finally:
            for name in names.values():
                server.drop(name)


def table(tallies: Sequence[Tally]) -> str:
    """The figures, as Markdown."""
    head = (
        "platform", "database", "points", "kills", "of these in pairs", "lost", "doubled",
        "silent", "open", "said again",
    )  # fmt: skip
    rows = [
        (t.platform.title(), t.database, t.points, t.kills, 2 * t.double, len(t.lost),
         len(t.doubled), len(t.silent), t.open, t.again)
        for t in tallies
    ]  # fmt: skip
    together = ("together", "", "", *(sum(int(r[i]) for r in rows) for i in range(3, 10)))
    lines = [head, ("---",) * 2 + ("---:",) * 8, *rows, together]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def written(tallies: Sequence[Tally], seed: int) -> str:
    """The report with the new table in it."""
    text = REPORT.read_text(encoding="utf-8") if REPORT.exists() else HEAD
    day = f"{datetime.now(UTC):%Y-%m-%d}, seed {seed}"
    new = f"<!-- kills -->\n{table(tallies)}\n\n{day}.\n<!-- /kills -->"
    return TABLE.sub(lambda _: new, text)


def main() -> None:
    """Measure, print, write; ends with 1 if anything was lost, doubled or silent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=500, help="on each of four stages")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()

    async def everything() -> list[Tally]:
        return [
            *await on_sqlite(asked.seed, asked.kills),
            *await on_postgres(asked.seed, asked.kills),
        ]

    tallies = asyncio.run(everything())
    print(table(tallies))
    faults = [fault for tally in tallies for fault in tally.faults]
    print("\n".join(faults) or f"{sum(t.kills for t in tallies)} kills, nothing lost or doubled")
    REPORT.write_text(written(tallies, asked.seed), encoding="utf-8")
    raise SystemExit(bool(faults))


if __name__ == "__main__":
    main()
