"""The true program as a process of its own, pointed at loopback platforms by its settings alone."""

import asyncio
import os
import re
import resource
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import aiohttp

from tests.platforms import PATIENCE

ROOT = Path(__file__).parents[2]
"""The tree these tests stand in: that one is run, wherever else the program is installed."""
KEY = {"WWC_SECRET_KEY": "Jc1xkQvY0b1aG9uVnWm3R5tZ"}
_READY = re.compile(r"\bready\b.*port=(\d+)|\"port\": (\d+).*\"ready\"")


@dataclass
class Program:
    """A running `wwc …`; `lines` is everything it logged."""

    process: asyncio.subprocess.Process
    folder: Path
    lines: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """Where it serves HTTP."""
        return f"http://127.0.0.1:{self.port}"

    async def stop(self) -> int:
        """SIGTERM, and the exit code."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return await asyncio.wait_for(self.process.wait(), PATIENCE)
        except TimeoutError:
            self.process.send_signal(signal.SIGABRT)  # it prints where each thread stands
            await self.process.wait()
            await asyncio.sleep(1)
            raise AssertionError("it does not stop:\n" + "\n".join(self.lines)) from None


@asynccontextmanager
async def program(
    folder: Path, settings: Mapping[str, str], *command: str, max_files: int = 0
) -> AsyncIterator[Program]:
    """`wwc run` (or another command) in an empty folder with these settings, ready to serve.

    `max_files`: how many files it may open.
    """
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PORT": "0",
        "NO_COLOR": "1",
        "PYTHONFAULTHANDLER": "1",
        "PYTHONPATH": str(ROOT),
        **{k: v for k, v in os.environ.items() if k.startswith("COVERAGE")},
        **settings,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *(command or ("run",)),
        cwd=folder, env=environment, stderr=asyncio.subprocess.STDOUT,
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=partial(resource.setrlimit, resource.RLIMIT_NOFILE, (max_files, max_files))
        if max_files else None,
    )  # fmt: skip
    running = Program(process, folder)
    reading = asyncio.create_task(_read(running))
    try:
        await asyncio.wait_for(_until_ready(running, reading), PATIENCE)
        yield running
    finally:
        await running.stop()
        await reading


async def _read(running: Program) -> None:
    stream = running.process.stdout
    assert stream is not None
    while line := await stream.readline():
        running.lines.append(line.decode().rstrip())
        if found := _READY.search(running.lines[-1]):
            running.port = int(found[1] or found[2])


async def _until_ready(running: Program, reading: "asyncio.Task[None]") -> None:
    while not running.port:
        if reading.done():
            raise AssertionError("the program ended:\n" + "\n".join(running.lines))
        await asyncio.sleep(0.02)


async def get(url: str, **headers: str) -> tuple[int, str]:
    """The status and the text of a page."""
    async with aiohttp.ClientSession() as client, client.get(url, headers=headers) as answer:
        return answer.status, await answer.text()
