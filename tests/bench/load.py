"""Signed slash commands over loopback sockets, timed one by one or many at once."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from statistics import median, quantiles
from typing import Self
from urllib.parse import urlencode

from tests.platforms.slack import Channel, LoopbackSlack, User, sign
from tests.platforms.slack_payloads import command_body
from tests.platforms.slack_world import Ticket

_NUMBERS = count(1)


class Wrong(Exception):  # noqa: N818 - a finding about the program measured
    """An answer that is no answer; its time means nothing."""


@dataclass
class Times:
    """Seconds, as they came."""

    seconds: list[float] = field(default_factory=list)

    @property
    def p50(self) -> float:
        return median(self.seconds)

    @property
    def p95(self) -> float:
        return quantiles(self.seconds, n=20)[-1] if len(self.seconds) > 1 else self.seconds[0]

    @property
    def least(self) -> float:
        return min(self.seconds)


@dataclass
class Asker:
    """Somebody in the loopback Slack who types."""

    slack: LoopbackSlack
    user: User
    channel: Channel

    def request(self, words: str) -> bytes:
        """A whole HTTP request with a fresh trigger, as Slack would send it."""
        number = next(_NUMBERS)
        trigger = Ticket(f"{number}.bench", self.user, time.time(), self.channel.id)
        url = f"http://127.0.0.1:{self.slack.port}/respond/none"
        body = command_body(self.user, "/wwc", words, self.channel, trigger, url)
        raw = urlencode(body).encode()
        headers = {
            "Host": "127.0.0.1",
            "Content-Type": "application/x-www-form-urlencoded",
            "Content-Length": str(len(raw)),
            **sign(raw, time.time(), self.slack.signing_secret),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST /slack/events HTTP/1.1\r\n{lines}\r\n".encode() + raw


class Line:
    """One kept connection to a server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: bytes) -> tuple[float, bytes]:
        """The seconds from the first byte sent to the last one read, and the answer."""
        started = time.perf_counter()
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        body = await self._reader.readexactly(_length(head))
        took = time.perf_counter() - started
        if not head.startswith(b"HTTP/1.1 200"):
            raise Wrong(head.split(b"\r\n")[0].decode())
        return took, body

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1])
    raise Wrong("an answer of unknown length")


@dataclass
class Subject:
    """What is measured: a server, what is said to it, and what its answer must hold."""

    name: str
    port: int
    words: str
    expects: str
    times: Times = field(default_factory=Times)
    line: Line | None = None

    async def once(self, asker: Asker) -> float:
        """One request on the kept connection."""
        if self.line is None:
            self.line = await Line.open(self.port)
        took, body = await self.line.ask(asker.request(self.words))
        if self.expects.encode() not in body:
            raise Wrong(f"{self.name}: {body[:300].decode(errors='replace')}")
        return took


async def in_turn(subjects: Sequence[Subject], asker: Asker, runs: int, warm: int = 20) -> None:
    """One request to each, again and again: what disturbs one of them disturbs all."""
    for subject in subjects:
        for _ in range(warm):
            await subject.once(asker)
    for _ in range(runs):
        for subject in subjects:
            subject.times.seconds.append(await subject.once(asker))
    for subject in subjects:
        if subject.line:
            await subject.line.close()
            subject.line = None


async def at_once(subject: Subject, asker: Asker, lines: int, requests: int) -> float:
    """Requests a second over so many connections, each asking again when it is answered."""
    opened = [await Line.open(subject.port) for _ in range(lines)]
    left = iter(range(requests))

    async def work(line: Line) -> None:
        for _ in left:
            _, body = await line.ask(asker.request(subject.words))
            if subject.expects.encode() not in body:
                raise Wrong(subject.name)

    started = time.perf_counter()
    await asyncio.gather(*map(work, opened))
    took = time.perf_counter() - started
    for line in opened:
        await line.close()
    return requests / took
