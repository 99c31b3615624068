"""The program as it starts, serves and stops: in this process, and as a process of its own."""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import aiohttp
import pytest
import tzlocal
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import app, serving
from bot.adapters.base import Adapter
from bot.jobs import maintenance
from bot.jobs.timetable import TIMETABLE, ScheduledJob
from bot.settings import ConfigurationError, Settings
from db import inbound, members
from db.base import open_engine, transaction
from tests.conftest import CommandTyper, Reading
from tests.platforms import PATIENCE
from tests.platforms.discord import LoopbackDiscord
from tests.platforms.slack import LoopbackSlack
from tests.stories.program import KEY, ROOT, get, program

TOPICS = "The community's topics"


@asynccontextmanager
async def running_hub(given: Settings, *parts: str) -> AsyncIterator[str]:
    """The address of the hub, running in this process until the block ends."""
    running = asyncio.create_task(serving.run(given, frozenset(parts)))
    async with asyncio.timeout(PATIENCE):
        while not given.port:
            await asyncio.sleep(0.01)
            if running.done():
                running.result()
    try:
        yield f"http://127.0.0.1:{given.port}"
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(running, PATIENCE)


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
    return await asyncio.wait_for(process.wait(), PATIENCE), lines


def modes_of(folder: Path) -> dict[str, int]:
    """Who may do what with each file."""
    return {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}


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
    async with running_hub(read(), "web", "worker", "playground") as url:
        assert await get(f"{url}/healthz") == (200, '{"status": "ok"}')
        assert await get(f"{url}/readyz") == (
            200,
            '{"database": "ok", "disk": "ok", "playground": "ok", "timetable": "ok", '
            '"worker": "ok", "deliveries": "ok", "queue": "0 s"}',
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
            async with running_hub(given, "web", "slack", "discord"):
                await discord.connected()
                await discord.until(lambda: discord.commands[None])
            given.port = 0
        assert discord.syncs[None] == 1


async def test_a_public_page_never_meets_real_people(read: Reading, tmp_path: Path) -> None:
    """Their tokens may be those of another process on the same database, started later or before.

    While the page is open nobody can be acted as any more; the next start is refused.
    """
    given = read(WWC_PLAYGROUND="public", DATABASE_URL=f"sqlite:///{tmp_path}/hub.db")
    async with running_hub(given, "web", "playground") as url:
        assert "open data" in await say(url, "/wwc who-does open data")
        engine = open_engine(given.database_url)
        async with transaction(engine, writes=True) as session:
            await members.get_or_create_workspace(session, "discord", "81384", datetime.now(UTC))
        await engine.dispose()
        for path in ("", "playground/pane", "playground/stream"):
            status, told = await get(f"{url}/{path}")
            assert status == 404
            assert "nobody to act as" in told
    given.port = 0
    with pytest.raises(ConfigurationError, match=r"^WWC_PLAYGROUND=public needs a DATABASE_URL"):
        await serving.run(given, frozenset({"web", "playground"}))


async def test_an_adapter_that_dies_takes_the_process_with_it(
    read: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host restarts a dead process; it cannot see a deaf one."""

    class Deaf:
        platform = "deaf"

        def is_ready(self) -> bool:
            return False

        async def listen(self) -> None:
            raise RuntimeError("the line is cut")

    def add(running: app.App) -> None:
        running.adapters.append(cast("Adapter", Deaf()))

    monkeypatch.setattr(serving, "add_playground", add)
    with pytest.raises(RuntimeError, match="the line is cut"):
        await asyncio.wait_for(serving.run(read(), frozenset({"playground"})), PATIENCE)


async def test_a_port_is_named_with_its_number(read: Reading) -> None:
    """The next free one is one digit away."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"^PORT {port} is taken"):
            await serving.run(read(WWC_PLAYGROUND="off", PORT=str(port)), frozenset({"web"}))


async def test_a_host_that_is_not_this_machine_is_named(read: Reading) -> None:
    """Addresses kept for documentation belong to nobody."""
    given = read(WWC_HOST="192.0.2.7", WWC_PLAYGROUND="off")
    with pytest.raises(ConfigurationError, match="WWC_HOST is no address of this machine"):
        await serving.run(given, frozenset({"web"}))


# --- by the clock -----------------------------------------------------------------------------


@pytest.mark.both
async def test_keys_of_events_are_forgotten_when_nobody_repeats_them(engine: AsyncEngine) -> None:
    """Three days; the platforms give up after an hour."""
    now = datetime.now(UTC)
    ages = {"new": timedelta(0), "kept": timedelta(hours=71), "old": timedelta(hours=73)}
    async with transaction(engine, writes=True) as session:
        for key, age in ages.items():
            assert await inbound.remember_event(session, key, now - age)
    for _ in range(2):
        async with transaction(engine, writes=True) as session:
            await maintenance.delete_old_events(session, now)
    async with transaction(engine, writes=True) as session:
        again = {key for key in ages if await inbound.remember_event(session, key, now)}
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
    typing: CommandTyper, engine: AsyncEngine, zone: Callable[[str], None]
) -> None:
    """Neither what people read nor when the jobs run."""
    told = []
    for name in ("UTC", "Asia/Kathmandu", "America/St_Johns"):
        zone(name)
        replies = [await typing(w) for w in ("home", "who-is Luis", "who-does open data")]
        first = TIMETABLE[0]
        assert isinstance(first, ScheduledJob)
        due = first.latest_due_time(datetime(2026, 11, 24, 15, 20, tzinfo=UTC))
        told.append((replies, due))
    assert told[0] == told[1] == told[2]
    assert told[0][1] == datetime(2026, 11, 24, 15, 17, tzinfo=UTC)


# --- processes of their own -------------------------------------------------------------------


async def test_a_second_start_finds_what_the_first_one_kept(tmp_path: Path) -> None:
    """It says what is off, stops in time although a page is open, and forgets nothing."""
    async with program(tmp_path, {}) as hub, aiohttp.ClientSession() as client:
        assert hub.lines[0].startswith("Playground  http://127.0.0.1")
        assert hub.lines[1].startswith("Slack       off: set SLACK_SIGNING_SECRET and")
        assert hub.lines[2].startswith("Discord     off: set DISCORD_TOKEN")
        assert TOPICS in await say(hub.url, "/wwc topics")
        await say(hub.url, "/wwc settings language:fr")
        async with client.get(f"{hub.url}/playground/stream") as stream:
            assert stream.status == 200
            assert await hub.stop() == 0
    printed = "\n".join(hub.lines)
    assert "Traceback" not in printed, printed
    assert modes_of(tmp_path) == {"wwc.db": 0o600, "wwc.key": 0o600}
    for name in modes_of(tmp_path):
        (tmp_path / name).chmod(0o644)  # as an older version left it
    async with program(tmp_path, {"TZ": "Asia/Kathmandu"}) as hub:
        assert TOPICS not in await say(hub.url, "/wwc topics")
        names = ("wwc.db", "wwc.db-wal", "wwc.db-shm", "wwc.key")
        assert modes_of(tmp_path) == dict.fromkeys(names, 0o600)


async def test_idle_sockets_do_not_stop_the_program(tmp_path: Path) -> None:
    """Hundreds whose headers or bodies never end, more than it may open files; it says so once."""
    begun = b"POST /playground/say HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n"
    async with program(tmp_path, {"WWC_LOG": "json"}, max_files=128) as hub:
        held = []
        for first in (b"", b"GET / HTTP/1.1\r\nHost: x\r\n", begun + b"\r\n{") * 100:
            _, writer = await asyncio.open_connection("127.0.0.1", hub.port)
            writer.write(first)
            held.append(writer)
        for page in ("healthz", "readyz", "playground/people"):
            assert (await get(f"{hub.url}/{page}"))[0] == 200
        assert TOPICS in await say(hub.url, "/wwc topics")
        for writer in held:
            writer.close()
        assert await hub.stop() == 0
    logged = [json.loads(line) for line in hub.lines if line.startswith("{")]
    assert len(hub.lines) - len(logged) == 3  # what a person reads at the start
    events = [line["event"] for line in logged]
    assert events.count("connections closed") == 1
    assert len(events) < 10, events


async def test_a_port_that_is_taken_is_one_sentence(tmp_path: Path) -> None:
    """And exit code 78, so that hosts do not restart in vain."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = refused(*await spoken(tmp_path, {"PORT": str(port)}, "run"))
    assert said == (
        f"Configuration: PORT {port} is taken by another program; set PORT to a free one."
    )


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
            '{"database": "ok", "deliveries": "ok", "queue": "0 s"}',
        )
        assert (await spoken(tmp_path, variables, "worker", until="ticking"))[0] == 0
        assert await hub.stop() == 0
