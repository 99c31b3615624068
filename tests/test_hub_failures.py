"""What goes wrong becomes a card: friendly, with a code that is in the log, nothing half-done."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import Card, plain
from bot.hub import Hub
from bot.request import Request
from db.audit import Audit
from db.base import open_engine, transaction
from db.members import Member
from tests.cast import sender
from tests.conftest import CANARY, Clock, CommandTyper, Entry
from tests.reading import commands_of

SAVING = 'profile title:"A new title" bio:"A new story about trees"'


def code_in(reply: Card) -> str:
    """The reference code a person would read out to staff."""
    return plain(reply).strip().rsplit(" ", 1)[-1]


def assert_says_code(reply: object, log: list[Entry]) -> None:
    assert isinstance(reply, Card)
    faults = [e for e in log if e["event"] == "fault"]
    assert [f["reference"] for f in faults] == [code_in(reply)]
    assert reply.tone == "bad"
    said = plain(reply)
    assert "Traceback" not in said
    assert "Error" not in said


async def title_of(engine: AsyncEngine, member: int = 1) -> str:
    async with transaction(engine) as session:
        person = await session.get(Member, member)
        assert person is not None
        return person.title


@contextmanager
def breaking(hub: Hub, name: str, error: Exception, after: bool = False) -> Iterator[None]:
    """A handler that fails, at once or when it has done everything."""
    before, declared = hub.commands, hub.commands[name]

    async def broken(ctx: Any, ask: Any) -> Card:
        if after:
            await declared.handle(ctx, ask)
        raise error

    hub.commands = {**before, name: replace(declared, handle=broken)}
    try:
        yield
    finally:
        hub.commands = before


@pytest.mark.parametrize(
    "error", [RuntimeError(CANARY), KeyError(CANARY), RecursionError(CANARY), ValueError("\x00")]
)
async def test_a_fault_shows_a_code_that_is_in_the_log(
    typing: CommandTyper, log: list[Entry], error: Exception
) -> None:
    """Kind and place of the error are logged; its text may hold what people wrote."""
    with breaking(typing.hub, "home", error):
        reply = await typing(f"home {CANARY}")

    assert_says_code(reply, log)
    assert log[-1]["error"] == type(error).__name__
    assert log[-1]["where"].startswith("breaking.<locals>.broken:")


@pytest.mark.both
async def test_a_handler_that_fails_at_its_end_has_done_nothing(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Title, story, search words and audit row: all or nothing."""
    with breaking(typing.hub, "profile", RuntimeError("late"), after=True):
        reply = await typing(SAVING)

    assert plain(reply).startswith("Sorry")
    assert await title_of(engine) == "Open Data Manager"
    assert "No one found" in plain(await typing("who-does trees story", as_="zoe"))
    async with transaction(engine) as session:
        assert (await session.scalars(select(Audit))).all() == []


async def test_a_refused_request_has_done_nothing_either(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """The second field does not fit: the first is not saved."""
    await typing('profile knows:"gis" title:"New" hours:noonish')

    assert await title_of(engine) == "Open Data Manager"


@pytest.mark.parametrize("language", ["en", "es", "pt", "fr"])
async def test_the_apology_has_the_askers_language_and_no_words_of_the_program(
    typing: CommandTyper, language: str
) -> None:
    """Whatever the language, a code is in it."""
    with breaking(typing.hub, "help", RuntimeError("x")):
        reply = await typing("help", as_="newcomer", locale=language)

    assert isinstance(reply, Card)
    assert len(code_in(reply)) == 6


# --- the database in trouble ------------------------------------------------------------------


@pytest.fixture
def file(database: str) -> Path:
    """The SQLite file of this test."""
    return Path(make_url(database).database or "")


@pytest.fixture
async def hasty(database: str) -> AsyncEngine:
    """An engine that waits for a lock a moment only."""
    engine = open_engine(database)
    async with engine.connect() as connection:
        await connection.execute(text("PRAGMA busy_timeout=50"))
    return engine


def asked(words: str) -> Request:
    return Request(sender("maya"), words)


async def test_a_locked_database_is_said_kindly_and_reading_goes_on(
    hasty: AsyncEngine, file: Path, clock: Clock, log: list[Entry]
) -> None:
    """Another program holds the lock for longer than we wait."""
    hub = Hub(hasty, clock=clock)
    other = sqlite3.connect(file)
    other.execute("BEGIN IMMEDIATE")
    try:
        reply = await hub(asked(SAVING))
        answer = await hub(asked("who-does open data"))
    finally:
        other.rollback()
        other.close()

    assert "I can't save anything right now" in plain(reply)
    assert_says_code(reply, log)
    assert "Ben Ortiz" in plain(answer)
    assert "Saved" in plain(await hub(asked(SAVING)))
    await hasty.dispose()


async def test_a_lock_that_goes_away_is_waited_for(
    hub: Hub, engine: AsyncEngine, file: Path
) -> None:
    """A backup or an import is no fault."""
    other = sqlite3.connect(file)
    other.execute("BEGIN IMMEDIATE")
    saving = asyncio.create_task(hub(asked(SAVING)))
    await asyncio.sleep(0.2)
    assert not saving.done()
    other.rollback()
    other.close()

    assert "Saved" in plain(await saving)


async def test_a_full_disk_is_said_kindly_and_nothing_is_half_done(
    database: str, clock: Clock, log: list[Entry]
) -> None:
    """SQLite may not grow by another page."""
    engine = open_engine(database)
    async with engine.connect() as connection:
        pages = (await connection.execute(text("PRAGMA page_count"))).scalar()
        await connection.execute(text(f"PRAGMA max_page_count={pages}"))
    hub = Hub(engine, clock=clock)
    story = " ".join(f"word{n}" for n in range(80))
    reply = None
    for _ in range(60):
        reply = await hub(asked(f'profile title:"Other" bio:"{story}"'))
        if "can't save" in plain(reply):
            break
        story = story[::-1]

    assert reply is not None
    assert "I can't save anything right now" in plain(reply)
    assert_says_code(reply, log)
    assert "Ben Ortiz" in plain(await hub(asked("who-does open data")))
    async with engine.connect() as connection:
        assert (await connection.execute(text("PRAGMA integrity_check"))).scalar() == "ok"
    await engine.dispose()


async def test_a_database_one_may_only_read_is_said_kindly(
    database: str, clock: Clock, log: list[Entry]
) -> None:
    """The volume was mounted read-only."""
    engine = open_engine(database)
    async with engine.connect() as connection:
        await connection.execute(text("PRAGMA query_only=ON"))
    hub = Hub(engine, clock=clock)

    reply = await hub(asked(SAVING))
    assert "I can't save anything right now" in plain(reply)
    assert_says_code(reply, log)
    assert "Ben Ortiz" in plain(await hub(asked("who-does open data")))
    await engine.dispose()


async def test_a_database_that_is_gone_is_a_card_and_never_an_exception(
    tmp_path: Path, clock: Clock, log: list[Entry]
) -> None:
    """Nothing at all can be read: language and suggestions too have an answer."""
    engine = open_engine(f"sqlite:///{tmp_path / 'nothing.db'}")
    hub = Hub(engine, clock=clock)

    reply = await hub(asked("help"))
    assert_says_code(reply, log)
    assert await hub.suggest(asked(""), "who-does", "topic", "open") == ()
    assert await hub.language(sender("maya", "pt-BR")) == "pt"
    await engine.dispose()


@pytest.mark.parametrize("nth", range(1, 9))
async def test_a_database_that_fails_at_any_statement_leaves_before_or_after(
    typing: CommandTyper, engine: AsyncEngine, nth: int
) -> None:
    """Every statement of a save fails once; the profile is as it was, never between."""
    from sqlalchemy import event

    await typing("help")
    sent = 0

    def fail(_: Any, __: Any, statement: str, *rest: Any) -> None:
        nonlocal sent
        sent += not statement.startswith(("BEGIN", "PRAGMA"))
        if sent == nth:
            raise sqlite3.OperationalError("disk I/O error")

    event.listen(engine.sync_engine, "before_cursor_execute", fail)
    reply = await typing(SAVING)
    event.remove(engine.sync_engine, "before_cursor_execute", fail)

    assert plain(reply).startswith("Sorry")
    assert await title_of(engine) == "Open Data Manager"


async def test_after_a_fault_the_card_still_offers_no_dead_buttons(typing: CommandTyper) -> None:
    """There is nothing to press but the asker's own keyboard."""
    with breaking(typing.hub, "home", RuntimeError("x")):
        assert commands_of(await typing("home")) == []
