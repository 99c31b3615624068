"""The program as it starts, serves and stops: in this process, and as a process of its own."""

import asyncio
import os
import signal
import socket
import sqlite3
import stat
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
import tzlocal
from aiohttp import web as http
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import app, settings
from bot.adapters.base import Adapter
from bot.jobs import maintenance
from bot.jobs.timetable import TIMETABLE
from bot.settings import ConfigurationError, Settings
from bot.web import health
from db import inbound, migrate
from db.base import open_engine, unit
from db.members import Member, MemberRole
from tests import databases
from tests.conftest import Typing
from tests.platforms.discord import LoopbackDiscord
from tests.platforms.slack import LoopbackSlack
from tests.stories.program import ROOT, program

KEY = {"WWC_SECRET_KEY": "Jc1xkQvY0b1aG9uVnWm3R5tZ"}
TOKEN = "Bq3xzTn8fL2hW6pD"
Reading = Callable[..., Settings]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Reading:
    """The settings as they are with these variables alone, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in settings.KNOWN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PORT", "0")

    def reading(**variables: str) -> Settings:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return settings.read()

    return reading


@asynccontextmanager
async def serving(given: Settings, *parts: str) -> AsyncIterator[str]:
    """The address of the hub, running in this process until the block ends."""
    running = asyncio.create_task(app.run(given, frozenset(parts)))
    async with asyncio.timeout(20):
        while not given.port:
            await asyncio.sleep(0.01)
            if running.done():
                running.result()
    try:
        yield f"http://127.0.0.1:{given.port}"
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(running, 10)


async def get(url: str, **headers: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as client, client.get(url, headers=headers) as answer:
        return answer.status, await answer.text()


async def say(url: str, text: str) -> str:
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{url}/playground/say", json={"text": text}) as answer,
    ):
        assert answer.status == 200, await answer.text()
        return str((await answer.json())["plain"])


async def spoken(
    folder: Path, variables: Mapping[str, str], *command: str, until: str = ""
) -> tuple[int, list[str]]:
    """The exit code and lines of `wwc …`; `until`: SIGTERM once it has said this."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *command, cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "PORT": "0",
             "PYTHONPATH": str(ROOT), **variables},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    lines = []
    async for line in process.stdout:
        lines.append(line.decode().rstrip())
        if until and until in lines[-1]:
            process.send_signal(signal.SIGTERM)
            until = ""
    return await asyncio.wait_for(process.wait(), 12), lines


def refused(code: int, lines: list[str]) -> str:
    """The one sentence of a configuration error."""
    told = [line for line in lines if line.startswith("Configuration: ")]
    assert code == 78
    assert told == lines[-1:]
    assert not any("Traceback" in line for line in lines)
    return told[0]


# --- one process ------------------------------------------------------------------------------


async def test_a_fresh_machine_serves_the_page_and_answers_health(read: Reading) -> None:
    """Nothing set: the page, the jobs, a migrated database; what belongs to no platform is ok."""
    async with serving(read(), "web", "worker", "playground") as url:
        assert await get(f"{url}/healthz") == (200, '{"status": "ok"}')
        assert await get(f"{url}/readyz") == (
            200,
            '{"database": "ok", "playground": "ok", "queue": "0 s"}',
        )
        assert "open data" in await say(url, "/wwc who-does open data")
        status, metrics = await get(f"{url}/metrics")
    assert status == 200
    assert 'hub_requests_total{command="who-does"' in metrics


async def test_both_platforms_connect_through_the_settings_alone(read: Reading) -> None:
    """And the hash of the commands sent to Discord is kept for the next start."""
    async with LoopbackSlack() as slack, LoopbackDiscord() as discord:
        discord.add_guild("Bogotá Datos")
        given = read(
            SLACK_SIGNING_SECRET=slack.signing_secret,
            SLACK_BOT_TOKEN=str(slack.bot_token),
            SLACK_API_URL=slack.api_url,
            DISCORD_TOKEN=discord.token,
            DISCORD_API_URL=discord.api_url,
            DISCORD_GATEWAY_URL=discord.gateway_url,
        )
        for _ in range(2):
            async with serving(given, "web", "slack", "discord"):
                await discord.connected()
                await discord.until(lambda: discord.commands[None])
            given.port = 0
        assert discord.syncs[None] == 1


async def test_an_adapter_that_dies_takes_the_process_with_it(
    read: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host restarts a dead process; it cannot see a deaf one."""

    class Deaf:
        platform = "deaf"

        def ready(self) -> bool:
            return False

        async def listen(self) -> None:
            raise RuntimeError("the line is cut")

    def add(running: app.App) -> None:
        running.adapters.append(cast("Adapter", Deaf()))

    monkeypatch.setattr(app, "add_playground", add)
    with pytest.raises(RuntimeError, match="the line is cut"):
        await asyncio.wait_for(app.run(read(), frozenset({"playground"})), 20)


async def test_a_port_is_named_with_its_number(read: Reading) -> None:
    """The next free one is one digit away."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"^PORT {port} is taken"):
            await app.run(read(WWC_PLAYGROUND="off", PORT=str(port)), frozenset({"web"}))


async def test_a_host_that_is_not_this_machine_is_named(read: Reading) -> None:
    """Addresses kept for documentation belong to nobody."""
    given = read(WWC_HOST="192.0.2.7", WWC_PLAYGROUND="off")
    with pytest.raises(ConfigurationError, match="WWC_HOST is no address of this machine"):
        await app.run(given, frozenset({"web"}))


# --- metrics and readiness --------------------------------------------------------------------


@asynccontextmanager
async def answering(engine: AsyncEngine, *adapters: Any, socket: str = "") -> AsyncIterator[str]:
    """Only what every HTTP process answers, with the bearer token set."""
    site = http.Application()
    heard: list[Adapter] = list(adapters)
    health.add_routes(site, engine, heard, TOKEN)
    runner = http.AppRunner(site)
    await runner.setup()
    try:
        if socket:
            await http.UnixSite(runner, socket).start()
            yield socket
        else:
            await http.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"X-Forwarded-For": "203.0.113.9"}, 403),
        ({"Forwarded": "for=203.0.113.9"}, 403),
        ({"X-Forwarded-For": "203.0.113.9", "Authorization": f"Bearer {TOKEN}"}, 200),
        ({"X-Forwarded-For": "203.0.113.9", "Authorization": "Bearer é"}, 403),
        ({"X-Forwarded-For": "203.0.113.9", "Authorization": "Bearer "}, 403),
        ({"X-Forwarded-For": "203.0.113.9", "Authorization": f"Bearer {TOKEN}x"}, 403),
    ],
)
async def test_metrics_are_for_this_machine_or_the_token(
    engine: AsyncEngine, headers: dict[str, str], status: int
) -> None:
    """A proxy on this machine speaks for the world outside."""
    async with answering(engine) as url:
        given, text = await get(f"{url}/metrics", **headers)
    assert given == status
    assert ("hub_request_seconds" in text) == (status == 200)


async def test_metrics_ask_who_comes_from_nowhere(engine: AsyncEngine, tmp_path: Path) -> None:
    """Over a socket file stands a proxy too."""
    async with answering(engine, socket=str(tmp_path / "hub.sock")) as path:
        connector = aiohttp.UnixConnector(path)
        async with (
            aiohttp.ClientSession(connector=connector) as client,
            client.get("http://hub/metrics") as answer,
        ):
            assert answer.status == 403


async def test_readiness_fails_with_its_database(tmp_path: Path) -> None:
    """Not migrated, or not there: the process lives, but can do nothing."""
    for file in ("empty.db", "no/such/folder/hub.db"):
        engine = open_engine(f"sqlite:///{tmp_path / file}")
        async with answering(engine) as url:
            assert await get(f"{url}/readyz") == (503, '{"database": "fail"}')
            assert (await get(f"{url}/healthz"))[0] == 200
        await engine.dispose()


async def test_readiness_fails_with_a_platform(engine: AsyncEngine) -> None:
    """Each is named, so that who looks knows which."""

    class Deaf:
        platform = "deaf"

        def ready(self) -> bool:
            return False

    async with answering(engine, Deaf()) as url:
        assert await get(f"{url}/readyz") == (
            503,
            '{"database": "ok", "deaf": "fail", "queue": "0 s"}',
        )


# --- the database it is given -----------------------------------------------------------------


async def opening(given: Settings) -> str:
    """The sentence with which a start is refused."""
    with pytest.raises(ConfigurationError) as refusal:
        async with app.opened(given):
            pass
    return str(refusal.value)


async def test_a_folder_that_does_not_exist(read: Reading) -> None:
    """Nobody makes folders by mistake."""
    said = await opening(read(DATABASE_URL="sqlite:///no/such/folder/hub.db"))
    assert "folder" in said
    assert "no/such" not in said


async def test_a_database_that_is_none(read: Reading, tmp_path: Path) -> None:
    """A folder, or a file of something else."""
    (tmp_path / "notes.txt").write_text("minutes of the last meeting " * 100)
    for name in ("", "/notes.txt"):
        said = await opening(read(DATABASE_URL=f"sqlite:///{tmp_path}{name}"))
        assert said.startswith("DATABASE_URL: the database cannot be opened or written")
        assert str(tmp_path) not in said


async def test_a_server_that_does_not_answer(read: Reading) -> None:
    """The password stays out of the sentence, whoever else would quote it."""
    url = "postgresql://postgres:hunter22@127.0.0.1:1/hub"
    said = await opening(read(DATABASE_URL=url, **KEY))
    assert said.startswith("DATABASE_URL: ")
    assert "hunter22" not in said


async def test_a_driver_that_is_not_installed(
    read: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package is named: it is an extra."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    said = await opening(read(DATABASE_URL="postgresql://127.0.0.1/hub", **KEY))
    assert "wwc-hub[postgres]" in said


async def test_a_newer_database_is_left_alone(read: Reading, database: str, tmp_path: Path) -> None:
    """An older program would write what the newer one cannot read."""
    with sqlite3.connect(tmp_path / "hub.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert "newer than this program" in await opening(read(DATABASE_URL=database))


async def test_admins_are_granted_by_e_mail(read: Reading, database: str) -> None:
    """At every start; who is not a member yet is passed over."""
    given = read(DATABASE_URL=database, WWC_ADMINS="ben@city.example,nobody@city.example")
    made = (
        select(Member.email, MemberRole.role).join(Member.roles).where(MemberRole.role == "admin")
    )
    for _ in range(2):
        async with app.opened(given) as running, unit(running.engine) as session:
            admins = {tuple(row) for row in await session.execute(made)}
        assert admins == {("ada@city.example", "admin"), ("ben@city.example", "admin")}


def test_the_key_is_made_once_and_for_this_user_alone(read: Reading, tmp_path: Path) -> None:
    """Whoever reads it reads the tokens."""
    given = read(DATABASE_URL=f"sqlite:///{tmp_path}/hub.db")
    first = app.secret_keys(given)
    file = tmp_path / "hub.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert first == [file.read_text()] == app.secret_keys(given)
    assert len(first[0]) > 40
    file.write_text("\n")
    with pytest.raises(ConfigurationError, match="WWC_SECRET_KEY"):
        app.secret_keys(given)


def test_keys_that_are_set_leave_no_file(read: Reading, tmp_path: Path) -> None:
    """Newest first, as given."""
    newer, older = "n" * 20, "o" * 20
    assert app.secret_keys(read(WWC_SECRET_KEY=f"{newer},{older}")) == [newer, older]
    assert list(tmp_path.iterdir()) == []


# --- by the clock -----------------------------------------------------------------------------


@pytest.mark.both
async def test_keys_of_events_are_forgotten_when_nobody_repeats_them(engine: AsyncEngine) -> None:
    """Three days; the platforms give up after an hour."""
    now = datetime.now(UTC)
    ages = {"new": timedelta(0), "kept": timedelta(hours=71), "old": timedelta(hours=73)}
    async with unit(engine, writes=True) as session:
        for key, age in ages.items():
            assert await inbound.first_time(session, key, now - age)
    for _ in range(2):
        async with unit(engine, writes=True) as session:
            await maintenance.forget_seen_events(session, now)
    async with unit(engine, writes=True) as session:
        again = {key for key in ages if await inbound.first_time(session, key, now)}
    assert again == {"old"}


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """`zone("Asia/Kathmandu")`: this machine's own time from now on."""

    def move(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()
        tzlocal.reload_localzone()

    yield move
    monkeypatch.undo()
    time.tzset()
    tzlocal.reload_localzone()


async def test_the_machines_time_zone_changes_nothing(
    typing: Typing, engine: AsyncEngine, zone: Callable[[str], None]
) -> None:
    """Neither what people read nor when the jobs run."""
    told = []
    for name in ("UTC", "Asia/Kathmandu", "America/St_Johns"):
        zone(name)
        replies = [await typing(w) for w in ("home", "who-is Luis", "who-does open data")]
        due = TIMETABLE[0].latest(datetime(2026, 11, 24, 15, 20, tzinfo=UTC))
        told.append((replies, due))
    assert told[0] == told[1] == told[2]
    assert told[0][1] == datetime(2026, 11, 24, 15, 17, tzinfo=UTC)


# --- processes of their own -------------------------------------------------------------------


async def test_a_second_start_finds_what_the_first_one_kept(tmp_path: Path) -> None:
    """It says what is off, stops in time although a page is open, and forgets nothing."""
    before = time.monotonic()
    async with program(tmp_path, {}) as hub, aiohttp.ClientSession() as client:
        assert hub.lines[0].startswith("Playground  http://127.0.0.1")
        assert hub.lines[1].startswith("Slack       off: set SLACK_SIGNING_SECRET and")
        assert hub.lines[2].startswith("Discord     off: set DISCORD_TOKEN")
        assert "Topics" in await say(hub.url, "/wwc topics")
        await say(hub.url, "/wwc settings language:fr")
        async with client.get(f"{hub.url}/playground/stream") as stream:
            assert stream.status == 200
            before = time.monotonic()
            assert await hub.stop() == 0
    assert time.monotonic() - before < 10
    printed = "\n".join(hub.lines)
    assert "Traceback" not in printed, printed
    async with program(tmp_path, {"TZ": "Asia/Kathmandu"}) as hub:
        assert "Topics" not in await say(hub.url, "/wwc topics")


async def test_a_port_that_is_taken_is_one_sentence(tmp_path: Path) -> None:
    """And exit code 78, so that hosts do not restart in vain."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = refused(*await spoken(tmp_path, {"PORT": str(port)}, "run"))
    assert said == (
        f"Configuration: PORT {port} is taken by another program; set PORT to a free one."
    )


@pytest.fixture
def shared(postgres: databases.Postgres) -> Iterator[str]:
    """The address of a database on PostgreSQL with nothing in it."""
    name = postgres.create()
    try:
        yield postgres.url(name)
    finally:
        postgres.drop(name)


async def test_separate_processes_over_one_database(shared: str, tmp_path: Path) -> None:
    """They refuse what nobody migrated, for hosts migrate in the release phase; then they start."""
    variables = {"DATABASE_URL": shared, **KEY, "WWC_PLAYGROUND": "off"}
    for part in ("web", "worker"):
        assert "run `wwc db upgrade`" in refused(*await spoken(tmp_path, variables, part))
    assert (await spoken(tmp_path, variables, "db", "upgrade"))[0] == 0
    assert (await spoken(tmp_path, variables, "db", "check"))[0] == 0
    async with program(tmp_path, variables, "web") as hub:
        assert await get(f"{hub.url}/readyz") == (
            200,
            '{"database": "ok", "queue": "0 s"}',
        )
        assert (await spoken(tmp_path, variables, "worker", until="ticking"))[0] == 0
        assert await hub.stop() == 0


async def test_no_process_upgrades_a_shared_database_by_itself(read: Reading, shared: str) -> None:
    """Older and newer are told apart; `say` would not change it either."""
    given = read(DATABASE_URL=shared, **KEY)
    assert "older than this program" in await opening(given)
    engine = open_engine(shared)
    await migrate.upgrade(engine)
    async with unit(engine, writes=True) as session:
        connection = await session.connection()
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    await engine.dispose()
    assert "newer than this program" in await opening(given)
