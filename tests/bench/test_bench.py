"""The bench itself works: on tiny numbers, and without a word about how fast anything is."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from db.base import open_engine
from tests.bench import measure, people, report
from tests.bench.__main__ import run
from tests.bench.load import Times
from tests.bench.measure import QUICK, Found

SIZE = 600


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The databases of the bench in a folder of their own."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.no_cover
async def test_every_figure_lands_in_the_table(temporary: Path) -> None:
    """A run in small prints each id with numbers, and the document says what was missed."""
    scale = replace(QUICK, sizes=(SIZE,), runs=3, bursts=1, burst=20, starts=1, commands=20,
                    pools=(160, 200), exact=160, deliveries=200,
                    characters=500)  # fmt: skip
    found = await run(scale, note=people.silent)
    said = "\n".join(report.lines(found))
    assert all(f"| {name} |" in said for name in ("P1", "P2", "P3", "P5", "P7", "P8", "P9", "P10"))
    assert "nan" not in said
    assert "| P7 | posted twice, or lost | 0 |" in said
    assert set(found.sizes) == {name for name, *_ in (*measure.QUESTIONS, measure.FREE_TEXT)}
    document = report.document(found, date(2026, 11, 1), 60)
    assert "1 November 2026" in document
    assert sum(found.shares.values()) == pytest.approx(1, abs=0.01)
    assert "% the database layer" in document
    assert ("missed |" in document) == ("instead of" in document)


async def test_a_database_is_made_once(temporary: Path) -> None:
    """The same number of people is the same file, with as many people in it."""
    notes = list[str]()
    first = await people.sqlite_with(SIZE, notes.append)
    made = len(notes)
    assert await people.sqlite_with(SIZE, notes.append) == first
    assert made > 0
    assert len(notes) == made
    engine = open_engine(f"sqlite+aiosqlite:///{first}")
    async with engine.connect() as connection:
        found = await connection.exec_driver_sql("SELECT count(*) FROM member")
        assert found.scalar() == SIZE
    await engine.dispose()


async def test_what_is_over_its_target_is_called_missed(temporary: Path) -> None:
    """No figure is polished: five queries are too many, and the document says so."""
    found = Found(QUICK, queries={"who-does open data": 5})
    found.flat, found.say, found.ready = [1.0, 2.0], [0.1], [0.1]
    bare = {report.HUB: 2.0, report.BARE: 1.0, report.EARLY: 1.0}
    found.one = {name: Times([seconds]) for name, seconds in bare.items()}
    found.many = {name: [1.0] for name in bare}
    document = report.document(found, date(2026, 11, 1), 60)
    assert "P9, queries of `who-does open data`: 5 instead of ≤ 4." in document
    assert "P1, one connection, 10,000 members, p50: 2.00 instead of ≤ 0.35." in document
