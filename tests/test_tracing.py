"""What is measured across greenlets is what happened in each of them."""

import json
import subprocess
import sys
from pathlib import Path

import greenlet  # type: ignore[import-untyped] # no stubs among our dependencies
import pytest
from coverage.collector import Collector

from tests.tracing import follow_greenlets

SWITCHING = """
import greenlet

def inner(back, turns):
    for turn in range(turns):
        if turn % 2:
            back.switch(turn)
        else:
            back.switch(-turn)
    return "done"

def outer(turns):
    me = greenlet.getcurrent()
    others = [greenlet.greenlet(inner) for _ in range(3)]
    for other in others:
        other.switch(me, turns)
    while any(others):
        for other in others:
            if other:
                other.switch()
    try:
        greenlet.greenlet(lambda: 1 / 0).switch()
    except ZeroDivisionError:
        return "failed"

for turns in (1, 2, 5):
    outer(turns)
"""
MEASURE = """
import json, runpy, sys
import coverage
from tests.tracing import follow_greenlets
file, *concurrency = sys.argv[1:]
measured = coverage.Coverage(
    branch=True, include=[file], concurrency=concurrency, data_file=None, config_file=False
)
measured.start()
if "greenlet" not in concurrency:
    follow_greenlets()
runpy.run_path(file)
measured.stop()
print(json.dumps(measured.get_data().arcs(file)))
"""


def measure(file: Path, *concurrency: str) -> set[tuple[int, int]]:
    """Return the steps from line to line that are seen in a program of its own."""
    command = [sys.executable, "-c", MEASURE, str(file), *concurrency]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    return {(step[0], step[1]) for step in json.loads(ran.stdout)}


def test_each_greenlet_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """Those that take turns, end, and fail; coverage.py's way takes some for one function."""
    file = tmp_path / "switching.py"
    file.write_text(SWITCHING, encoding="utf-8")
    steps = measure(file, "thread")
    assert {(7, 5), (9, 5), (16, 15), (20, 18), (22, 23)} <= steps
    assert not {(7, 18), (9, 18), (16, -4), (20, 5)} & steps


def test_without_measuring_nothing_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run without --cov pays nothing."""
    monkeypatch.setattr(Collector, "_collectors", [])
    before = greenlet.gettrace()
    follow_greenlets()
    assert greenlet.gettrace() is before


@pytest.mark.no_cover
def test_a_test_that_is_not_measured_pays_nothing() -> None:
    """Neither alone nor in a worker, where pytest-cov begins to measure twice."""
    assert sys.gettrace() is None
