"""Killed anywhere between the database and the platform, the hub neither loses nor doubles."""

import ast
import re
from pathlib import Path

import pytest

import bot
from bot import failpoints
from tests.campaign import SEED, RecordFigures, scaled
from tests.databases import scratch
from tests.killing.trials import run, staged

KILLS = 250
"""On each of two platforms and two databases: a thousand in all; a tenth has a hundred."""
ROOT = Path(bot.__file__).parent


def named_points() -> set[str]:
    """Every place in the source where a process may be made to die."""
    found = set[str]()
    for file in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "reach":
                assert isinstance(node.args[0], ast.Constant)
                found.add(str(node.args[0].value))
    return found


@pytest.mark.both
@pytest.mark.campaign
@pytest.mark.timeout(900)
@pytest.mark.parametrize("platform", ["slack", "discord"])
async def test_nothing_is_lost_doubled_or_silent_wherever_it_is_killed(
    platform: str, database: str, record_figures: RecordFigures
) -> None:
    """Every place once, then two in a row while the platform fails too; the figures are printed."""
    with scratch() as folder:
        async with staged(platform, database, Path(folder)) as stage:
            tally = await run(stage, SEED, scaled(KILLS), share=scaled(10) / 10)

    ours = {name for name in named_points() if name.startswith(("deliver.", "adapter."))}
    print(f"{platform}, {tally.database}: {tally.kills} kills at {tally.points} points")
    record_figures("killing", **vars(tally))
    assert tally.faults == []
    assert tally.kills >= scaled(KILLS)
    assert tally.double > scaled(20)
    assert ours - {"deliver.after_look"} == set(tally.names)


def test_places_to_die_cost_nothing_and_have_names() -> None:
    """In the running program there is no hook; each name says where it is."""
    assert failpoints._hook is None
    assert len(named_points()) >= 12
    assert all(re.fullmatch(r"\w+\.\w+", name) for name in named_points())
