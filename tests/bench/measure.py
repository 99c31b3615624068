"""What is measured, figure by figure."""

import asyncio
import os
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from sqlalchemy import event

from bot.hub import Hub
from bot.request import Request, Sender
from db.base import open_engine
from tests.bench import deliveries, pairing, parsers, people, servers
from tests.bench.deliveries import Rates
from tests.bench.load import Asker, Subject, Times, at_once, in_turn
from tests.bench.pairing import Pairings
from tests.bench.parsers import Growth
from tests.bench.people import Note
from tests.bench.servers import Running
from tests.platforms.slack import LoopbackSlack

OPEN_DATA = "who-does open data"
QUESTIONS = (
    ("common topic", OPEN_DATA, '"why '),
    ("rare topic", "who-does algorithmic accountability", '"why '),
    ("in:mexico", f"{OPEN_DATA} in:mexico", '"why '),
    ("level:gold", f"{OPEN_DATA} level:gold", '"why '),
    ("speaks:fr", f"{OPEN_DATA} speaks:fr", '"why '),
    ("pop:>1m", f"{OPEN_DATA} pop:>1m", '"why '),
    ("the asker's own city", f'{OPEN_DATA} in:"sao paulo"', '"why '),
    ("who-is first name", "who-is Maya", "who-is "),
    ("who-is family name", "who-is Okafor", "who-is "),
    ("city card", "city sao paulo", "Paulo"),
    ("topics", "topics", "topics "),
)
FREE_TEXT = ("free text", "who-does permit backlog", "who-is ")
SMALLER = ("free text", "topics")
"""Asked of up to 100,000 members: beyond, words are not written, and counts are not in time."""


@dataclass(frozen=True)
class Scale:
    """How much is measured."""

    sizes: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    runs: int = 300
    bursts: int = 5
    burst: int = 400
    starts: int = 5
    commands: int = 30_000
    pools: tuple[int, ...] = pairing.SIZES
    exact: int = pairing.EXACT
    deliveries: int = 10_000
    delivering: int = 3
    characters: int = parsers.SIZE


QUICK = Scale(
    sizes=(10_000,), runs=40, bursts=2, burst=100, starts=2, commands=3_000,
    pools=(1_000, 2_000), exact=1_000, deliveries=2_000, delivering=1,
)  # fmt: skip


@dataclass
class Found:
    """Everything measured in one run."""

    scale: Scale
    one: dict[str, Times] = field(default_factory=dict)
    many: dict[str, list[float]] = field(default_factory=dict)
    sizes: dict[str, dict[int, Times]] = field(default_factory=dict)
    say: list[float] = field(default_factory=list)
    say_mebibytes: float = 0.0
    ready: list[float] = field(default_factory=list)
    ready_mebibytes: float = 0.0
    flat: list[float] = field(default_factory=list)
    queries: dict[str, int] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=dict)
    pairings: Pairings = field(default_factory=Pairings)
    rates: Rates = field(default_factory=Rates)
    parsers: list[Growth] = field(default_factory=list)


Databases = dict[int, str]


async def everything(scale: Scale, databases: Databases, note: Note) -> Found:
    """All figures, one after the other, so that none disturbs another."""
    found = Found(scale)
    smallest = databases[scale.sizes[0]]
    await over_http(found, databases, note)
    note("P8: starting")  # a child's peak memory counts what its parent held when it was made
    await starting(found)
    note("P5: pairing rounds, and the exact solver")
    found.pairings = await pairing.measured(scale.pools, scale.exact)
    note(f"P7: {scale.deliveries:,} deliveries by one worker and by two")
    found.rates = await deliveries.everything(scale.deliveries, scale.delivering)
    note("P10: growing inputs for every parser")
    found.parsers = list(parsers.measure(scale.characters))
    note("P9: counting queries")
    found.queries = await queries(smallest)
    note(f"P8: memory over {scale.commands:,} commands")
    found.flat = await flat(smallest, scale.commands, note)
    return found


# --- over HTTP --------------------------------------------------------------------------------


async def over_http(found: Found, databases: Databases, note: Note) -> None:
    """P1, P2 and P3: the program and the bare apps, each in a process of its own."""
    scale = found.scale
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(LoopbackSlack())
        asker = Asker(slack, slack.add_user(slack.team, "bench"), slack.general)
        hubs = {}
        for size, database in databases.items():
            note(f"starting the hub with {size:,} members")
            await _introduce(database, asker)
            hubs[size] = await stack.enter_async_context(servers.hub(slack, database))
        bare = await stack.enter_async_context(servers.bare(slack))
        early = await stack.enter_async_context(servers.bare(slack, early=True))
        note("where the time goes")
        found.shares = await _shares(slack, databases[scale.sizes[0]], asker, scale.runs)
        first = hubs[scale.sizes[0]]
        note("P1: one connection")
        found.one = await _one(first, bare, early, asker, scale.runs)
        note("P2: sixteen connections")
        found.many = await _many(first, bare, early, asker, scale)
        for name, words, expects in (*QUESTIONS, FREE_TEXT):
            note(f"P3: {name}")
            sizes = [s for s in hubs if name not in SMALLER or s <= people.MOST_DOCUMENTS]
            subjects = [Subject(f"{name} {s:,}", hubs[s].port, words, expects) for s in sizes]
            await in_turn(subjects, asker, max(scale.runs // 3, 5), warm=5)
            found.sizes[name] = {s: x.times for s, x in zip(sizes, subjects, strict=True)}


async def _introduce(database: str, asker: Asker) -> None:
    engine = open_engine(database)
    await people.introduce(engine, asker.user.team.id, asker.user.id)
    await engine.dispose()


async def _shares(slack: LoopbackSlack, database: str, asker: Asker, runs: int) -> dict[str, float]:
    """What a hub of its own spends its time on while it answers P1's question."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "shares"
        async with servers.hub(slack, database, ("tests.bench.profiled", str(told))) as hub:
            await in_turn([Subject("profiled", hub.port, OPEN_DATA, '"why ')], asker, runs)
        lines = told.read_text(encoding="utf-8").splitlines()
    return {name: float(share) for share, _, name in (line.partition(" ") for line in lines)}


def _three(hub: Running, bare: Running, early: Running) -> list[Subject]:
    return [
        Subject("the hub", hub.port, OPEN_DATA, '"why '),
        Subject("bare Bolt", bare.port, OPEN_DATA, "hello"),
        Subject("bare Bolt, process_before_response", early.port, OPEN_DATA, "hello"),
    ]


async def _one(
    hub: Running, bare: Running, early: Running, asker: Asker, runs: int
) -> dict[str, Times]:
    subjects = _three(hub, bare, early)
    await in_turn(subjects, asker, runs)
    return {s.name: s.times for s in subjects}


async def _many(
    hub: Running, bare: Running, early: Running, asker: Asker, scale: Scale
) -> dict[str, list[float]]:
    subjects = _three(hub, bare, early)
    rates: dict[str, list[float]] = {s.name: [] for s in subjects}
    for _ in range(scale.bursts):
        for subject in subjects:
            rates[subject.name].append(await at_once(subject, asker, 16, scale.burst))
    return rates


# --- starting, memory -------------------------------------------------------------------------


async def starting(found: Found) -> None:
    """P8: `wwc say help` on a warm database, and `wwc run` until it is ready."""
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite+aiosqlite:///{Path(folder) / 'start.db'}"
        async with servers.everything(database):
            pass  # the first start makes the database
        for _ in range(found.scale.starts):
            seconds, mebibytes = await asyncio.to_thread(_say, database)
            found.say.append(seconds)
            found.say_mebibytes = max(found.say_mebibytes, mebibytes)
        for _ in range(found.scale.starts):
            async with servers.everything(database) as running:
                found.ready.append(running.seconds)
                found.ready_mebibytes = max(found.ready_mebibytes, running.mebibytes)


def _say(database: str) -> tuple[float, float]:
    """Seconds and the most mebibytes of `wwc say help`."""
    started = time.perf_counter()
    silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    command = [sys.executable, "-m", "bot", "say", "help"]
    pid = os.posix_spawn(
        sys.executable, command, servers.environment(database), file_actions=silent
    )
    _, status, used = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise RuntimeError("wwc say help failed")
    return time.perf_counter() - started, _most(used)


def _most(used: resource.struct_rusage) -> float:
    return used.ru_maxrss / 1024


async def flat(database: str, commands: int, note: Note) -> list[float]:
    """The resident memory of a hub after each tenth of so many commands."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.flat", database, str(commands),
        env=servers.environment(database), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout
    series = []
    async for line in process.stdout:
        series.append(float(line))
        note(f"P8: memory, {len(series)} of 10: {series[-1]:.0f} MiB")
    if await process.wait():
        raise RuntimeError("the hub did not get through")
    return series


# --- queries ----------------------------------------------------------------------------------


@asynccontextmanager
async def _asking(database: str) -> AsyncIterator[Callable[[str], "asyncio.Future[int]"]]:
    engine = open_engine(database)
    await people.introduce(engine, "T-COUNT", "U-COUNT")
    hub, asked = Hub(engine), list[str]()
    event.listen(
        engine.sync_engine, "before_cursor_execute", lambda c, cursor, said, *_: asked.append(said)
    )

    async def count(words: str) -> int:
        await hub(Request(Sender("slack", "T-COUNT", "U-COUNT", locale="en-US"), words))
        asked.clear()  # the first one read the vocabulary
        await hub(Request(Sender("slack", "T-COUNT", "U-COUNT", locale="en-US"), words))
        return len([said for said in asked if not said.startswith("BEGIN")])

    yield lambda words: asyncio.ensure_future(count(words))
    await engine.dispose()


async def queries(database: str) -> dict[str, int]:
    """P9: how many questions one request puts to the database."""
    async with _asking(database) as count:
        return {words: await count(words) for words in _counted()}


def _counted() -> Sequence[str]:
    return (OPEN_DATA, f"{OPEN_DATA} in:mexico speaks:es", FREE_TEXT[1], "who-is 77", "help")


def middle(values: Sequence[float]) -> float:
    """The median, or nothing measured."""
    return median(values) if values else float("nan")
