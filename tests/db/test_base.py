"""The ground everything stands on: durable, never locked, and clear about time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, event, func, select, text, update
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from db.base import (
    Moment,
    ReaderError,
    begin_writing,
    database_url,
    insert_if_absent,
    open_engine,
    transaction,
)
from db.inbound import InboundEvent
from db.members import Member

NOON = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def begun(engine: AsyncEngine) -> list[str]:
    """Every way in which a transaction was begun."""
    seen: list[str] = []

    def note(_: object, __: object, statement: str, *rest: object) -> None:
        if statement.startswith("BEGIN"):
            seen.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    return seen


# --- SQLite is set up to be durable -----------------------------------------------------------


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 10_000),
     ("secure_delete", 1)],
)  # fmt: skip
async def test_every_connection_is_durable(engine: AsyncEngine, pragma: str, value: object) -> None:
    """Not only the first one: a power cut loses nothing that was answered for."""
    async with engine.connect() as one, engine.connect() as other:
        for connection in (one, other):
            assert await connection.scalar(text(f"PRAGMA {pragma}")) == value


@pytest.mark.both
async def test_a_row_never_points_at_nothing(engine: AsyncEngine) -> None:
    """Foreign keys are checked."""
    with pytest.raises(IntegrityError):
        async with transaction(engine, writes=True) as session:
            await session.execute(text("UPDATE member SET city_id = 999999"))


# --- transactions -----------------------------------------------------------------------------


async def test_writers_take_their_lock_first_and_readers_none(
    engine: AsyncEngine, begun: list[str]
) -> None:
    """A reader that turned writer would fail as soon as another wrote meanwhile."""
    async with transaction(engine, writes=True) as session:
        await session.scalar(text("SELECT 1"))
    assert begun == ["BEGIN IMMEDIATE"]
    async with transaction(engine) as session:
        await session.scalar(text("SELECT 1"))
        pooled = await (await session.connection()).get_raw_connection()
        driver = pooled.driver_connection
        assert driver
        assert driver.in_transaction
    assert begun == ["BEGIN IMMEDIATE"]


@pytest.mark.both
async def test_two_hundred_writers_at_once_all_get_through(engine: AsyncEngine) -> None:
    """Each reads, thinks and writes; none is told that the database is locked, none is lost."""

    async def count_up() -> None:
        async with transaction(engine, writes=True) as session:
            maya = await session.scalar(
                select(Member).where(Member.name == "Maya Chen").with_for_update(of=Member)
            )
            assert maya is not None
            await asyncio.sleep(0)
            maya.asks_taken += 1

    await asyncio.gather(*(count_up() for _ in range(200)))
    async with transaction(engine) as session:
        asked = select(Member.asks_taken).where(Member.name == "Maya Chen")
        assert await session.scalar(asked) == 200


@pytest.mark.parametrize("how", ["insert", "update", "delete", "flush"])
async def test_a_transaction_that_began_as_a_reader_cannot_write(
    engine: AsyncEngine, how: str
) -> None:
    """It would fail, but only while others write; so it fails always, and nobody overlooks it."""

    async def write(session: AsyncSession) -> None:
        match how:
            case "insert":
                await insert_if_absent(session, InboundEvent, key="e", at=NOON)
            case "update":
                await session.execute(update(Member).values(name="Nobody"))
            case "delete":
                await session.execute(delete(InboundEvent))
            case _:
                session.add(InboundEvent(key="e", at=NOON))
                await session.flush()

    with pytest.raises(ReaderError):
        async with transaction(engine) as session:
            await write(session)
    async with transaction(engine, writes=True) as session:
        await session.rollback()
        with pytest.raises(ReaderError):
            await write(session)
        await session.rollback()
        await begin_writing(session)
        await write(session)


@pytest.mark.both
@pytest.mark.parametrize("fault", [ValueError, asyncio.CancelledError, KeyboardInterrupt])
async def test_whatever_goes_wrong_takes_everything_back(
    engine: AsyncEngine, fault: type[BaseException]
) -> None:
    """An error, a cancelled task, a stopped program."""

    async def failing() -> None:
        async with transaction(engine, writes=True) as session:
            session.add(InboundEvent(key="x", at=NOON))
            await session.flush()
            raise fault

    with pytest.raises(fault):
        await failing()
    async with transaction(engine) as session:
        assert await session.get(InboundEvent, "x") is None


@pytest.mark.both
async def test_a_row_is_kept_once_however_many_try(engine: AsyncEngine) -> None:
    """The first one stays, the others do no harm."""

    async def put(n: int) -> None:
        async with transaction(engine, writes=True) as session:
            at = NOON + timedelta(days=n)
            await insert_if_absent(session, InboundEvent, key="same", at=at)

    await put(0)
    await asyncio.gather(*(put(n) for n in range(1, 9)))
    async with transaction(engine) as session:
        rows = (
            await session.scalars(select(InboundEvent.at).where(InboundEvent.key == "same"))
        ).all()
    assert rows == [NOON]


@pytest.mark.both
async def test_what_is_read_outlives_its_transaction(engine: AsyncEngine) -> None:
    """Cards are drawn after the database has been let go."""
    async with transaction(engine) as session:
        maya = await session.scalar(select(Member).where(Member.name == "Maya Chen"))
    assert maya is not None
    assert maya.title == "Open Data Manager"


# --- time -------------------------------------------------------------------------------------


@pytest.mark.both
@pytest.mark.parametrize(
    "zone", [UTC, ZoneInfo("America/Bogota"), timezone(timedelta(hours=5, minutes=45))], ids=str
)
async def test_a_moment_comes_back_in_utc(engine: AsyncEngine, zone: timezone) -> None:
    """The same instant, to the microsecond, wherever it was written."""
    async with transaction(engine, writes=True) as session:
        session.add(InboundEvent(key="x", at=NOON.astimezone(zone)))
    async with transaction(engine) as session:
        at = await session.scalar(select(InboundEvent.at).where(InboundEvent.key == "x"))
    assert at == NOON
    assert at is not None
    assert at.tzinfo is UTC or at.utcoffset() == timedelta(0)
    assert str(at) == str(NOON)


@pytest.mark.both
async def test_moments_are_compared_as_instants(engine: AsyncEngine) -> None:
    """Not as the letters of two zones: seven in Bogotá is noon in Greenwich."""
    bogota = NOON.astimezone(ZoneInfo("America/Bogota"))
    async with transaction(engine, writes=True) as session:
        session.add(InboundEvent(key="x", at=bogota))
        await session.flush()
        for least, found in ((NOON, 1), (NOON + timedelta(microseconds=1), 0)):
            later = select(func.count()).select_from(InboundEvent).where(InboundEvent.at >= least)
            assert await session.scalar(later) == found


@pytest.mark.both
async def test_a_time_without_its_zone_is_refused(engine: AsyncEngine) -> None:
    """It means nothing in four time zones; neither as a value nor in a question."""
    naive = NOON.replace(tzinfo=None)
    async with transaction(engine, writes=True) as session:
        session.add(InboundEvent(key="x", at=naive))
        with pytest.raises(StatementError, match="a moment needs its zone"):
            await session.flush()
        await session.rollback()
    async with transaction(engine) as session:
        with pytest.raises(StatementError, match="a moment needs its zone"):
            await session.scalar(select(InboundEvent.key).where(InboundEvent.at > naive))


@given(
    st.none()
    | st.datetimes(
        min_value=datetime(1990, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zones
        max_value=datetime(2100, 1, 1),  # noqa: DTZ001 - the same
        timezones=st.timezones(),
    )
)
def test_any_moment_is_the_same_instant_in_both_databases(moment: datetime | None) -> None:
    """Also as SQLite gives it back, bare; and «unknown» stays unknown."""
    kept = Moment().process_bind_param(moment, DIALECT)
    bare = kept and kept.replace(tzinfo=None)

    for stored in (kept, bare):
        read = Moment().process_result_value(stored, DIALECT)
        assert read == (moment and moment.astimezone(UTC))
        assert read is None or read.utcoffset() == timedelta(0)


DIALECT = database_url("sqlite://").get_dialect()()


# --- addresses --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_", "driver"),
    [
        ("sqlite:///hub.db", "sqlite+aiosqlite"),
        ("sqlite+aiosqlite:///hub.db", "sqlite+aiosqlite"),
        ("postgres://u:p@host/hub", "postgresql+psycopg"),
        ("postgresql://u:p@host/hub", "postgresql+psycopg"),
        ("postgresql+asyncpg://u:p@host/hub", "postgresql+asyncpg"),
    ],
)
def test_addresses_are_taken_as_hosts_write_them(given_: str, driver: str) -> None:
    """Whatever the driver, the rest stays; one that was chosen is kept."""
    url = database_url(given_)

    assert url.drivername == driver
    assert url.database in ("hub.db", "hub")
    assert url.password == ("p" if "@" in given_ else None)


@pytest.fixture
async def many(database: str) -> AsyncIterator[Callable[[int], AsyncEngine]]:
    """Engines of chosen sizes on the same database."""
    made: list[AsyncEngine] = []

    def open_one(size: int) -> AsyncEngine:
        made.append(open_engine(database, concurrency=size))
        return made[-1]

    yield open_one
    for one in made:
        await one.dispose()


@pytest.mark.both
async def test_two_programs_share_one_database(many: Callable[[int], AsyncEngine]) -> None:
    """What one wrote the other reads at once; their writers wait for each other."""
    web, worker = many(2), many(1)

    async def write(engine: AsyncEngine, key: str) -> None:
        async with transaction(engine, writes=True) as session:
            session.add(InboundEvent(key=key, at=NOON))

    await asyncio.gather(
        *(write(one, f"{n}-{name}") for n in range(20) for name, one in (("a", web), ("b", worker)))
    )
    async with transaction(web) as session:
        assert await session.scalar(select(func.count()).select_from(InboundEvent)) == 40
