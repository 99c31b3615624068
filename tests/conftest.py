"""What every test may ask for: a real database, a hub with a clock of its own, and typing to it."""

import gc
import logging
import shutil
import sys
import threading
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from os import environ, getpid
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import structlog
from playwright.async_api import expect
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from bot import reference, settings
from bot.cards import Reply
from bot.hub import Hub
from bot.logs import LibraryHandler
from bot.request import Request
from bot.settings import Settings
from db import outbox, retention
from db.base import transaction
from tests import databases
from tests.campaign import SEED, SIZE, RecordFigures
from tests.cast import NOW, Person, add_member, sender
from tests.memory import Memory
from tests.platforms import PATIENCE
from tests.pool import Pool
from tests.setup import CHROMIUM, MISSING
from tests.tracing import follow_greenlets, stop_first_measurement

CANARY = "canary7f3a9"
"""A word that people wrote in a test; it must never reach a log."""
Entry = MutableMapping[str, Any]
LOG_HOOKS = (
    (sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook"),
    (warnings, "showwarning"),
)  # fmt: skip
"""What a program sets for the whole process, so that everything is logged in one form."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "both: the test runs on SQLite and on PostgreSQL")
    config.addinivalue_line("markers", "campaign: a long search, run by a tenth in `make test`")
    hypothesis.settings.register_profile("no deadline", deadline=None)  # no test asserts a clock
    hypothesis.settings.load_profile("no deadline")
    follow_greenlets()
    stop_first_measurement(config)
    if "PYTEST_DEBUG_TEMPROOT" not in environ and databases.has_room():
        environ["PYTEST_DEBUG_TEMPROOT"] = str(databases.MEMORY)  # nobody waits for a disk there


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long searches come first: beside short tests two workers end at the same time.

    Their coverage is not measured: they run the same lines thousands of times, which takes nearly
    twice as long and adds none. Other tests of that sort are marked `no_cover`, and so is the turn
    on PostgreSQL of a test that runs on SQLite too.
    """
    items.sort(key=lambda item: item.get_closest_marker("campaign") is None)
    for item in items:
        if item.get_closest_marker("campaign") or _is_second_turn(item):
            item.add_marker("no_cover")


def _is_second_turn(item: pytest.Item) -> bool:
    """Return whether the same test runs on SQLite too, and this is its turn on PostgreSQL."""
    turn = getattr(item, "callspec", None)
    is_postgres = turn is not None and turn.params.get("kind") == "postgresql"
    return is_postgres and item.get_closest_marker("both") is not None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Spare the collector of garbage what was imported and collected, which all stays."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which chance this was, so that it can be had again."""
    terminalreporter.write_line(f"Long searches: TEST_SIZE={SIZE} TEST_SEED={SEED}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """SQLite for every test that needs a database; PostgreSQL too for those marked `both`."""
    marks = metafunc.definition.iter_markers("parametrize")
    is_its_own = any("kind" in mark.args[0] for mark in marks)
    if "kind" in metafunc.fixturenames and not is_its_own:
        both = metafunc.definition.get_closest_marker("both") is not None
        metafunc.parametrize("kind", ["sqlite", "postgresql"] if both else ["sqlite"])


# --- databases --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the cast in it, built once."""
    file = tmp_path_factory.mktemp("template") / "hub.db"
    databases.build_database(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[databases.Postgres]:
    """A server; where there is none the tests are skipped, but never in CI."""
    worker = environ.get("PYTEST_XDIST_WORKER", "gw")
    try:
        serving = databases.postgres_server(tmp_path_factory.mktemp("server"))
        address = serving.__enter__()
    except Exception as error:
        if "CI" in environ:
            raise
        pytest.skip(f"no PostgreSQL here: {type(error).__name__}")
    try:
        yield databases.Postgres(address, f"wwc_test_{getpid()}_{worker}")
    finally:
        serving.__exit__(None, None, None)


@pytest.fixture(scope="session")
def postgres_template(postgres: databases.Postgres) -> Iterator[str]:
    """A database with the cast in it, built once."""
    name = postgres.create()
    try:
        databases.build_database(postgres.url(name))
        yield name
    finally:
        postgres.drop(name)


@pytest.fixture(scope="session")
def postgres_pool(postgres: databases.Postgres, postgres_template: str) -> Iterator[Pool]:
    """Copies of it, each lent to one test after another."""
    pool = Pool(postgres, postgres_template)
    try:
        yield pool
    finally:
        pool.close()


@pytest.fixture
def database(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database of one's own, with the reference data and the cast."""
    if kind == "sqlite":
        file = tmp_path / "hub.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), file)
        yield f"sqlite:///{file}"
        return
    server: databases.Postgres = request.getfixturevalue("postgres")
    pool: Pool = request.getfixturevalue("postgres_pool")
    name = pool.lend()
    try:
        yield server.url(name)
    finally:
        pool.take_back(name)


@pytest.fixture
def empty_database(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database with nothing in it."""
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: databases.Postgres = request.getfixturevalue("postgres")
    name = server.create()
    try:
        yield server.url(name)
    finally:
        server.drop(name)


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    """An engine on a database of one's own; whatever a test did, no delivery was lost in it."""
    opened = databases.open_shared(database)
    try:
        yield opened
        await _check_conservation(opened)
    finally:
        await opened.dispose()


async def _check_conservation(engine: AsyncEngine) -> None:
    """The law of conservation: what was ever owed is in exactly one known state."""
    async with transaction(engine) as session:
        books = await retention.load_conservation(session)
    if engine.dialect.name == "sqlite":
        assert books.is_balanced, books
    else:  # numbers are also lost by what was rolled back
        assert sum(books.states.values()) <= books.total_kept, books
        assert set(books.states) <= set(outbox.STATES), books


@pytest.fixture
async def session(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    """One writing transaction, committed at the end of the test."""
    async with transaction(engine, writes=True) as opened:
        yield opened


@pytest.fixture
def joining(engine: AsyncEngine) -> Callable[..., Awaitable[int]]:
    """`await joining(key=…, city=…, …)`: one more person; returns the member's number."""

    async def join(**facts: Any) -> int:
        async with transaction(engine, writes=True) as session:
            return (await add_member(session, Person(**facts))).id

    return join


@pytest.fixture(scope="session", autouse=True)
def memory() -> Iterator[Memory]:
    """Topics and cities are read from each database, but made into objects once."""
    kept = Memory(reference.load_reference)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference, "load_reference", kept)
        yield kept


# --- the hub ----------------------------------------------------------------------------------


@dataclass
class Clock:
    """Stands still until it is told to go on."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **time: float) -> None:
        """So much later."""
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    """The hub's clock."""
    return Clock()


@pytest.fixture
def now(clock: Clock) -> datetime:
    """The time at which a test begins."""
    return clock.now


@pytest.fixture
def hub(engine: AsyncEngine, clock: Clock) -> Hub:
    """The true hub on the test's database."""
    return Hub(engine, clock=clock)


@dataclass
class CommandTyper:
    """Says things to the hub as one of the cast: `await typing("help", as_="maya")`."""

    hub: Hub
    inputs: list[str] = field(default_factory=list)

    async def __call__(
        self,
        words: str,
        as_: str = "maya",
        *,
        values: Mapping[str, tuple[str, ...]] | None = None,
        submitted: bool = False,
        **facts: Any,
    ) -> Reply:
        """`values`: what a form or native options give; `facts`: more about the sender."""
        self.inputs.append(words)
        asked = Request(sender(as_, **facts), words, values=values or {}, from_form=submitted)
        return await self.hub(asked)


@pytest.fixture
def typing(hub: Hub) -> CommandTyper:
    """Test by typing."""
    return CommandTyper(hub)


# --- what is counted and logged ---------------------------------------------------------------


@dataclass
class StatementCounter:
    """The statements sent while counting."""

    statements: list[str] = field(default_factory=list)

    @property
    def number(self) -> int:
        """How many there were."""
        return len(self.statements)


@pytest.fixture
def query_count(
    engine: AsyncEngine, memory: Memory
) -> Callable[[], AbstractContextManager[StatementCounter]]:
    """`with query_count() as counted: …` and then `counted.number`."""

    @contextmanager
    def counting() -> Iterator[StatementCounter]:
        counted = StatementCounter()

        def note(_: Any, __: Any, statement: str, *rest: Any) -> None:
            if not statement.startswith(("BEGIN", "PRAGMA")):
                counted.statements.append(statement)

        event.listen(engine.sync_engine, "before_cursor_execute", note)
        try:
            with memory.pause():
                yield counted
        finally:
            event.remove(engine.sync_engine, "before_cursor_execute", note)

    return counting


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> Iterator[list[Entry]]:
    """What the hub logged. A test in which people's words reach a log fails."""
    entries: list[Entry] = []

    def keep(_: Any, method: str, entry: Entry) -> Entry:
        entries.append({**entry, "level": method})
        return entry

    before, hooks = structlog.get_config(), [getattr(*hook) for hook in LOG_HOOKS]
    structlog.configure(processors=[keep, *before["processors"]])
    with caplog.at_level(logging.DEBUG, "sqlalchemy.engine.Engine.none"):
        yield entries
    structlog.configure(**before)  # a program that ran in the test has set all of it
    for hook, value in zip(LOG_HOOKS, hooks, strict=True):
        setattr(*hook, value)
    root = logging.getLogger()
    root.handlers = [one for one in root.handlers if not isinstance(one, LibraryHandler)]
    written = [*map(str, entries), *(r.getMessage() for r in caplog.get_records("call"))]
    assert not any(CANARY in line for line in written), "what people wrote is in the log"


@pytest.fixture
def record_figures(record_property: Callable[[str, object], None]) -> RecordFigures:
    """`record_figures(campaign, database, steps=…)`: a part of a row of docs/RELIABILITY.md."""

    def record(campaign: str, database: str = "", /, **figures: Any) -> None:
        record_property("figures", {"campaign": campaign, "database": database, **figures})

    return record


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The browser of the browser tests."""
    if not CHROMIUM.exists():
        pytest.fail(MISSING)
    expect.set_options(timeout=PATIENCE * 1000)
    return str(CHROMIUM)


Reading = Callable[..., Settings]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Reading:
    """The settings as they are with these variables alone, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in settings.KNOWN_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PORT", "0")

    def reading(**variables: str) -> Settings:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return settings.load_settings()

    return reading


@pytest.fixture
def shared(postgres: databases.Postgres) -> Iterator[str]:
    """The address of a database on PostgreSQL with nothing in it."""
    name = postgres.create()
    try:
        yield postgres.url(name)
    finally:
        postgres.drop(name)
