"""Runs every long search whole and writes docs/RELIABILITY.md: `python -m tests.reliability`."""

import argparse
import os
import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

REPORT = Path(__file__).parents[1] / "docs" / "RELIABILITY.md"
TABLES = re.compile(r"<!-- (kills|searches) -->.*?<!-- /\1 -->", re.DOTALL)
Figures = dict[str, Any]
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "": ""}
SEARCHES = {
    "introductions": "walks through asking, answering, writing and blocking",
    "linking": "walks through linking, joining, leaving and roles",
    "events": "events told up to four times, shuffled, eight at once",
    "refusals": "acts refused while four others write, and their rows in the audit log",
    "visibility": "answers searched for what their reader may not see",
    "outage": "deliveries of six hours without the platform",
    "waits": "calls told to wait, for a place, a workspace or a platform",
}
"""What `record_figures` calls each search, and what it is called in the report."""


class Collector:
    """Hears from pytest what each test recorded and which tests failed."""

    def __init__(self) -> None:
        self.figures: list[Figures] = []
        self.failed: list[str] = []
        self.tests = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what stands in one report."""
        if report.failed:
            self.failed.append(report.nodeid)
        if report.when == "call":
            self.tests += 1
            self.figures += [value for name, value in report.user_properties if name == "figures"]  # type: ignore[misc] # record_figures records dicts


def kills_table(figures: Sequence[Figures]) -> str:
    """Render the tallies of tests/killing, one row for each platform and database."""
    head = ("platform", "database", "points", "kills", "of these in pairs", "lost", "doubled",
            "silent", "open", "said again")  # fmt: skip
    rows = [
        (f["platform"].title(), f["database"], f["points"], f["kills"], 2 * f["double"],
         len(f["lost"]), len(f["doubled"]), len(f["silent"]), f["open"], f["again"])
        for f in sorted(figures, key=lambda f: (f["database"], f["platform"]), reverse=True)
    ]  # fmt: skip
    together = ("together", "", "", *(sum(int(row[i]) for row in rows) for i in range(3, 10)))
    return _markdown(head, 2, [*rows, together])


def searches_table(figures: Sequence[Figures]) -> str:
    """Render all other searches: a row for each and each database, the figures of its tests added.

    `figures`: what `record_figures` recorded; a name that is not in SEARCHES raises KeyError.
    """
    added: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for recorded in figures:
        counts = dict(recorded)
        row = added[counts.pop("campaign"), counts.pop("database")]
        for name, number in counts.items():
            row[name] += number
    order = list(SEARCHES)
    rows = [
        (SEARCHES[name], DATABASES[database],
         ", ".join(f"{number:,} {unit}" for unit, number in counts.items()))
        for (name, database), counts in sorted(
            added.items(), key=lambda row: (order.index(row[0][0]), row[0][1] != "sqlite")
        )
    ]  # fmt: skip
    return _markdown(("search", "database", "tried"), 3, rows)


def _markdown(head: Sequence[str], words: int, rows: Sequence[Sequence[object]]) -> str:
    """Render a table whose first columns hold words, and the others numbers."""
    rule = ("---",) * words + ("---:",) * (len(head) - words)
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in (head, rule, *rows))


def fill(report: str, collected: Collector, size: str, seed: int) -> str:
    """Return the report with new tables in it."""
    kills = [f for f in collected.figures if f["campaign"] == "killing"]
    others = [f for f in collected.figures if f["campaign"] != "killing"]
    day = f"{datetime.now(UTC):%Y-%m-%d}, seed {seed}"
    day += "" if size == "whole" else ", a tenth of each search"
    failed = "".join(f"\n* **failed:** `{name}`" for name in collected.failed)
    verdict = f"{day}: {collected.tests} tests, {len(collected.failed)} failed.{failed}"
    new = {
        "kills": f"{kills_table(kills)}\n\n{day}.",
        "searches": f"{searches_table(others)}\n\n{verdict}",
    }

    def table(found: re.Match[str]) -> str:
        return f"<!-- {found[1]} -->\n{new[found[1]]}\n<!-- /{found[1]} -->"

    return TABLES.sub(table, report)


def main() -> None:
    """Search, print, write; ends with 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=("whole", "tenth"), default="whole")
    parser.add_argument("--seed", type=int, default=int(f"{datetime.now(UTC):%Y%m%d}"))
    parser.add_argument("--only", default="", help="words of tests' names, as pytest's -k")
    asked = parser.parse_args()
    os.environ.update(TEST_SIZE=asked.size, TEST_SEED=str(asked.seed))
    collected = Collector()
    options = ["-m", "campaign", "-n", "2", "--dist", "worksteal", "-q", "-k", asked.only]
    status = pytest.main(options, plugins=[collected])
    report = fill(REPORT.read_text(encoding="utf-8"), collected, asked.size, asked.seed)
    print("\n\n".join(found[0] for found in TABLES.finditer(report)))
    if asked.size == "whole" and not asked.only:
        REPORT.write_text(report, encoding="utf-8")
    raise SystemExit(status)


if __name__ == "__main__":
    main()
