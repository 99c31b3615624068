"""Kill the deliverer everywhere, let it come back, and count what is lost, doubled or silent."""

import asyncio
import json
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

import bot
from db.base import open_engine
from db.outbox import AMBIGUOUS, CANCELLED, PENDING, SENT
from tests.cast import NOW
from tests.killing.child import SharedClock
from tests.killing.scene import (
    FAULTS,
    LATER,
    PLATFORMS,
    POSTS,
    REMOVAL,
    WITHDRAWN,
    Platform,
    Seen,
    furnish,
)

ROOT = Path(bot.__file__).parent.parent
ABSENCES = (0, 0, 1, 29, 31, 60, 119, 121, 181, 3600)
"""Seconds for which nobody is there after a death: around the lease and around the nonces."""

Point = tuple[str, int]


class Books(NamedTuple):
    """How often each place was reached in a life, and each delivery's state at its end."""

    reached: dict[str, int]
    states: dict[str, str]


@dataclass
class Tally:
    """What came of all lives. `kills` are those that were killed; the others came to rest."""

    platform: str
    database: str
    seed: int
    points: int = 0
    trials: int = 0
    kills: int = 0
    double: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    open: int = 0
    again: int = 0
    seconds: float = 0.0
    names: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """Everything that must not be."""
        return [*self.lost, *self.doubled, *self.silent]


class Lives:
    """The program that forks them."""

    def __init__(self, process: asyncio.subprocess.Process, job: dict[str, Any]) -> None:
        self._process, self._job = process, job

    async def one(self, point: Point | None = None) -> Books | None:
        """One life: None if it was killed, else what it left when it came to rest."""
        assert self._process.stdin
        assert self._process.stdout
        name, nth = point or ("", 0)
        self._process.stdin.write(json.dumps({**self._job, "name": name, "nth": nth}).encode())
        self._process.stdin.write(b"\n")
        said = json.loads(await self._process.stdout.readline())
        books = None
        if "reached" in said:
            books = Books(said["reached"], said["states"])
            assert said["holds"], f"{point}: the books are wrong"
            said = json.loads(await self._process.stdout.readline())
        assert said["killed"] or (books and said["status"] == 0), f"{point}: {said}"
        return None if said["killed"] else books


@dataclass
class Stage:
    """A platform, a database that can be set back, and the lives between them."""

    platform: Platform
    database: str
    clock: SharedClock
    lives: Lives
    reset_rows: Callable[[], None]

    def reset(self) -> None:
        """Everything is owed again, and nothing was said yet."""
        self.clock.seconds = NOW.timestamp()
        self.reset_rows()
        self.platform.clear()


@asynccontextmanager
async def staged(platform: str, database: str, folder: Path) -> AsyncIterator[Stage]:
    """On a database with the cast in it, which is this stage's own."""
    file = folder / "clock"
    file.write_bytes(bytes(8))
    clock = SharedClock(file)
    clock.seconds = NOW.timestamp()
    async with PLATFORMS[platform](lambda: clock.seconds) as there:
        engine = open_engine(database)
        await furnish(engine, there, NOW)
        await engine.dispose()
        making = _sqlite(database, folder) if database.startswith("sqlite") else _postgres(database)
        with making as reset:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.killing.child", cwd=ROOT,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            job = {
                "platform": platform, "api_url": there.api_url, "token": there.token,
                "database": database, "clock": str(file),
                "withdrawn": WITHDRAWN, "withdrawn_at": (NOW + LATER).timestamp(),
            }  # fmt: skip
            try:
                yield Stage(there, database, clock, Lives(process, job), reset)
            finally:
                assert process.stdin
                process.stdin.close()
                await process.wait()
        assert there.violations == []


@contextmanager
def _sqlite(database: str, folder: Path) -> Iterator[Callable[[], None]]:
    file, kept = Path(database.split("///", 1)[1]), folder / "kept.db"
    shutil.copyfile(file, kept)

    def reset() -> None:
        for tail in ("-wal", "-shm"):
            Path(f"{file}{tail}").unlink(missing_ok=True)
        shutil.copyfile(kept, file)

    yield reset


@contextmanager
def _postgres(database: str) -> Iterator[Callable[[], None]]:
    """Not the server is killed, so its commits need not wait for the disk."""
    with psycopg.connect(database, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off'.encode())
        connection.execute("CREATE TABLE kept AS TABLE delivery")

        def reset() -> None:
            connection.execute("DELETE FROM gate; DELETE FROM delivery")
            connection.execute("INSERT INTO delivery SELECT * FROM kept ORDER BY id")

        yield reset


# --- the trials -------------------------------------------------------------------------------


async def run(stage: Stage, seed: int, kills: int, share: float = 1.0) -> Tally:
    """Every place once, then chains of two with the platform failing too, until so many kills.

    `share`: of all places as many are taken, at random, for the first part.
    """
    kind = stage.database.split(":", 1)[0].split("+")[0]
    tally = Tally(stage.platform.name, "SQLite" if kind == "sqlite" else "PostgreSQL", seed)
    began, chance = time.monotonic(), random.Random(seed)
    stage.reset()
    await stage.lives.one()  # whose start is slow, and is every other's
    stage.reset()
    undisturbed = await stage.lives.one()
    assert undisturbed
    reached = undisturbed.reached
    assert undisturbed.states[REMOVAL] == SENT  # else the trials take nothing away
    _judge(tally, "no kill", undisturbed.states, stage.platform.seen())
    points = [(name, nth) for name, times in sorted(reached.items()) for nth in range(1, times + 1)]
    once = chance.sample(points, round(len(points) * share))
    tally.points = len(once)
    for point in once:
        await _trial(stage, tally, [point], chance)
    names = [*reached, "deliver.after_look"]  # which only those reach who come after a death
    while tally.kills < kills:
        pair = [chance.choice(points), (chance.choice(names), chance.randint(1, 4))]
        await _trial(stage, tally, pair, chance, fault=chance.choice((None, *FAULTS)))
    tally.seconds = time.monotonic() - began
    tally.names = sorted(reached)
    return tally


async def _trial(
    stage: Stage, tally: Tally, kills: list[Point], chance: random.Random, fault: str | None = None
) -> None:
    stage.reset()
    if fault:
        stage.platform.fault(fault, chance.randint(1, 8))
    died = 0
    left = list(kills)
    while (books := await stage.lives.one(left.pop(0) if left else None)) is None:
        died += 1
        stage.clock.seconds += chance.choice(ABSENCES)
    tally.trials += 1
    tally.kills += died
    tally.double += died > 1
    _judge(tally, f"{kills} {fault or ''}", books.states, stage.platform.seen())


def _judge(tally: Tally, which: str, states: dict[str, str], seen: Seen) -> None:
    """Each delivery is there once, or somebody was told that nobody knows."""
    alarmed = Counter(state for key, state in states.items() if key.startswith("alarm:"))
    for key in (key for key in POSTS if key in states or key != "several"):
        state = states.get(key, "missing")
        shown = seen.first[key]
        if shown > 1:
            tally.doubled.append(f"{which}: {key} stands there {shown} times")
        if state == AMBIGUOUS:
            tally.open += 1
            if not alarmed:
                tally.silent.append(f"{which}: {key} is uncertain and nobody was told")
        elif state in PENDING:
            tally.silent.append(f"{which}: {key} still is {state}")
        elif key != WITHDRAWN and (state != SENT or not (shown or seen.again[key])):
            tally.lost.append(f"{which}: {key} is {state} and shown {shown} times")
        tally.again += seen.again[key]
    _judge_changes(tally, which, states, seen)
    if seen.alarms != alarmed[SENT]:
        tally.doubled.append(f"{which}: {seen.alarms} alarms for {alarmed[SENT]} deliveries")


def _judge_changes(tally: Tally, which: str, states: dict[str, str], seen: Seen) -> None:
    """The edit is done if its message is there; nobody can read what was taken back."""
    wanted = SENT if states.get("one") == SENT else CANCELLED
    if states.get("edit", "missing") != wanted:
        tally.lost.append(f"{which}: edit is {states.get('edit')}")
    if states.get("edit") == SENT and seen.says.get("one") != "changed":
        tally.lost.append(f"{which}: the edit is not seen")
    gone, removal = states.get(WITHDRAWN), states.get(REMOVAL)
    may_be = {SENT: (SENT,), AMBIGUOUS: (CANCELLED,), CANCELLED: (CANCELLED, None)}
    if gone not in PENDING and removal not in may_be.get(gone or "", ()):
        tally.lost.append(f"{which}: {WITHDRAWN} is {gone} and its removal {removal}")
    if gone != AMBIGUOUS and (seen.first[WITHDRAWN] or seen.again[WITHDRAWN]):
        tally.lost.append(f"{which}: what was taken back is still there")
