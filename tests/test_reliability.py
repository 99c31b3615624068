"""The report on the long searches says what was tried, and what failed."""

import pytest

from tests import campaign
from tests.reliability import REPORT, SEARCHES, Collector, Figures, fill

TALLY: Figures = {
    "campaign": "killing", "platform": "slack", "database": "SQLite", "points": 3, "kills": 7,
    "double": 2, "lost": ["one"], "doubled": [], "silent": [], "open": 1, "again": 0,
}  # fmt: skip


@pytest.fixture
def collector() -> Collector:
    """As after three tests."""
    collected = Collector()
    collected.tests = 3
    collected.figures = [
        TALLY,
        {"campaign": "events", "database": "postgresql", "told": 1000, "events": 400},
        {"campaign": "events", "database": "sqlite", "told": 900, "events": 300},
        {"campaign": "events", "database": "sqlite", "told": 100, "events": 50},
    ]
    return collected


def test_figures_of_one_search_are_added(collector: Collector) -> None:
    """A row for each database; the words around the tables stay."""
    before = REPORT.read_text(encoding="utf-8")
    report = fill(before, collector, "whole", 5)
    assert f"| {SEARCHES['events']} | SQLite | 1,000 told, 350 events |" in report
    assert f"| {SEARCHES['events']} | PostgreSQL | 1,000 told, 400 events |" in report
    assert "| Slack | SQLite | 3 | 7 | 4 | 1 | 0 | 0 | 1 | 0 |" in report
    assert "seed 5: 3 tests, 0 failed." in report
    assert report.splitlines()[:3] == before.splitlines()[:3]
    assert fill(report, collector, "whole", 5) == report


def test_what_failed_is_named_and_a_tenth_is_called_one(collector: Collector) -> None:
    """Nobody takes a bad or a short run for a whole one."""
    collector.failed = ["tests/test_x.py::test_y"]
    report = fill(REPORT.read_text(encoding="utf-8"), collector, "tenth", 5)
    assert "* **failed:** `tests/test_x.py::test_y`" in report
    assert "a tenth of each search" in report


def test_a_tenth_is_never_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of three there is one; the whole is the number itself."""
    monkeypatch.setattr(campaign, "SIZE", "tenth")
    assert [campaign.scaled(count) for count in (3, 25, 4000)] == [1, 2, 400]
    assert campaign.examples(120).max_examples == 12
    monkeypatch.setattr(campaign, "SIZE", "whole")
    assert [campaign.scaled(count) for count in (3, 25, 4000)] == [3, 25, 4000]
