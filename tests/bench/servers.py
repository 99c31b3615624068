"""The processes that are measured: the program as it is deployed, and the bare apps beside it."""

import asyncio
import os
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.platforms.slack import LoopbackSlack

PATIENCE = 60.0


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Running:
    """A server that answers."""

    port: int
    pid: int
    seconds: float  # until it was ready

    @property
    def mebibytes(self) -> float:
        """Resident memory now."""
        return resident(self.pid)


def resident(pid: int) -> float:
    """Mebibytes a process holds, as the kernel counts them."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    line = next(line for line in lines if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def environment(database: str, **more: str) -> dict[str, str]:
    """Nothing of the caller's own settings reaches what is measured."""
    kept = ("PATH", "HOME", "LANG", "PYTHONPATH", "VIRTUAL_ENV", "TMPDIR")
    clean = {name: os.environ[name] for name in kept if name in os.environ}
    key = {} if database.startswith("sqlite") else {"WWC_SECRET_KEY": "bench-" + "k" * 26}
    return {**clean, "DATABASE_URL": database, "WWC_LOG": "json:warning", **key, **more}


@asynccontextmanager
async def hub(
    slack: LoopbackSlack, database: str, program: tuple[str, ...] = ("bot", "web")
) -> AsyncIterator[Running]:
    """`wwc web` with Slack, its calls going to the loopback Slack."""
    port = free_port()
    given = environment(
        database,
        PORT=str(port),
        SLACK_SIGNING_SECRET=slack.signing_secret,
        SLACK_BOT_TOKEN=slack.bot_token,
        SLACK_API_URL=slack.api_url,
        WWC_PLAYGROUND="off",
    )
    async with _process(port, "/readyz", given, "-m", *program) as running:
        yield running


@asynccontextmanager
async def bare(slack: LoopbackSlack, *, early: bool = False) -> AsyncIterator[Running]:
    """A Bolt app that answers «hello»."""
    port = free_port()
    said = (str(port), slack.api_url, slack.bot_token, slack.signing_secret)
    given = environment("sqlite://")
    arguments = ("-m", "tests.bench.bare", *said, "before" if early else "default")
    async with _process(port, "/", given, *arguments) as running:
        yield running


@asynccontextmanager
async def everything(database: str) -> AsyncIterator[Running]:
    """`wwc run` as one tries it out: the page and the jobs, no platform."""
    port = free_port()
    given = environment(database, PORT=str(port))
    async with _process(port, "/readyz", given, "-m", "bot", "run") as running:
        yield running


@asynccontextmanager
async def _process(
    port: int, path: str, given: Mapping[str, str], *arguments: str
) -> AsyncIterator[Running]:
    started = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, env=given, stdout=said, stderr=said
        )
        try:
            await _until_it_answers(port, path, process)
            yield Running(port, process.pid, time.perf_counter() - started)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _until_it_answers(port: int, path: str, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as client:
        while process.returncode is None:
            try:
                async with client.get(f"http://127.0.0.1:{port}{path}") as answer:
                    if answer.status in (200, 404):
                        return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.02)
    raise RuntimeError(f"it ended with {process.returncode} before it answered")


def own_resident() -> float:
    """Mebibytes this very process holds."""
    return resident(os.getpid())
