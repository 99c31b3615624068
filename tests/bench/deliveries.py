"""P7: deliveries a second of one worker and of two, on PostgreSQL against a loopback platform.

The platform and each worker are processes of their own, as they are deployed; the platform answers
after a tenth of a second over a real socket.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import aiohttp
from aiohttp import web
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.adapters.base import DeliveryError, Destination, PostedMessage
from bot.cards import Card, Reply, plain
from bot.deliveries import dump_card
from bot.jobs.deliver import DeliveryWorker
from db import migrate, outbox
from db.base import open_engine, transaction
from db.outbox import Address, Delivery
from tests import databases

TAKES = 0.1
"""Seconds until the platform answers, as real ones take."""

LANES, WORKSPACES = 2_000, 40


class Wire:
    """A delivery adapter that posts over HTTP; drawing the card is part of the work."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/"
        self.client = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    def serves(self, platform: str, workspace: str) -> bool:
        return platform == "bench"

    async def post(
        self, place: Destination, reply: Reply, language: str, marker: str
    ) -> PostedMessage:
        assert isinstance(reply, Card)
        body = {"to": place.user, "text": plain(reply), "marker": marker}
        try:
            async with self.client.post(self.url, json=body) as answer:
                return PostedMessage((await answer.json())["id"])
        except aiohttp.ClientError as error:
            raise DeliveryError(type(error).__name__, certain=False) from error

    async def edit(
        self, place: Destination, posted: PostedMessage, reply: Reply, language: str
    ) -> None:
        raise DeliveryError("never asked")

    async def remove(self, place: Destination, posted: PostedMessage) -> None:
        raise DeliveryError("never asked")

    async def find(self, place: Destination, marker: str, since: datetime) -> PostedMessage | None:
        return None

    def deduplication_seconds(self) -> float:
        return 0.0

    def post_interval(self) -> float:
        return 0.0


async def platform() -> None:
    """Serve until killed; prints its port."""
    count = [0]

    async def post(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(TAKES)
        count[0] += 1
        return web.json_response({"id": str(count[0])})

    async def posted(request: web.Request) -> web.Response:
        return web.json_response(count[0])

    site = web.Application()
    site.add_routes([web.post("/", post), web.get("/count", posted)])
    runner = web.AppRunner(site, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


async def work(database: str, port: int) -> None:
    """One worker, until killed."""
    engine = open_engine(database)
    print("up", flush=True)
    await DeliveryWorker(engine, [Wire(port)], ["a key of the bench"]).run()


async def owe(engine: AsyncEngine, number: int) -> None:
    """So many deliveries to two thousand people, due now."""
    now = datetime.now(UTC)
    body = dump_card(Card("Good morning", ()))
    async with transaction(engine, writes=True) as session:
        rows = [
            {
                **(to := Address("bench", f"W{n % WORKSPACES}", user=f"U{n % LANES}"))._asdict(),
                "lane": to.lane, "key": f"bench:{n}", "kind": "answer", "body": body,
                "created_at": now, "at": now, "retry_at": now,
            }
            for n in range(number)
        ]  # fmt: skip
        await session.run_sync(lambda s: s.bulk_insert_mappings(Delivery.__mapper__, rows))


@dataclass
class Rate:
    """What so many workers did in a second, and how often anything was posted."""

    workers: int
    a_second: float
    posts: int


@asynccontextmanager
async def _process(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.deliveries", *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.terminate()
        await process.wait()


async def measure(database: str, workers: int, number: int) -> Rate:
    """Return the rate from the first message sent to the last; nothing else is in `database`."""
    engine = open_engine(database)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(engine.dispose)
        serving = await stack.enter_async_context(_process("platform"))
        assert serving.stdout is not None
        port = (await serving.stdout.readline()).decode().strip()
        running = [
            await stack.enter_async_context(_process("work", database, port))
            for _ in range(workers)
        ]
        for one in running:
            assert one.stdout is not None
            await one.stdout.readline()  # it is up
        await owe(engine, number)
        while await _left(engine):  # noqa: ASYNC110 - other processes do it
            await asyncio.sleep(0.2)
        return Rate(workers, number / await _seconds(engine), await _posted(port))


async def _left(engine: AsyncEngine) -> int:
    async with transaction(engine) as session:
        query = select(func.count()).where(Delivery.state != outbox.SENT)
        return await session.scalar(query) or 0


async def _seconds(engine: AsyncEngine) -> float:
    async with transaction(engine) as session:
        query = select(func.min(Delivery.ended_at), func.max(Delivery.ended_at))
        first, last = (await session.execute(query)).one()
    assert first is not None
    assert last is not None
    return (last - first).total_seconds()


async def _posted(port: str) -> int:
    url = f"http://127.0.0.1:{port}/count"
    async with aiohttp.ClientSession() as client, client.get(url) as answer:
        return int(await answer.json())


@dataclass
class Rates:
    """The runs of one worker and of two with `number` deliveries each."""

    number: int = 0
    runs: list[Rate] = field(default_factory=list)

    def a_second(self, workers: int) -> float:
        """The middle of the runs of so many workers."""
        return median(run.a_second for run in self.runs if run.workers == workers)

    @property
    def wrong(self) -> int:
        """How many were posted twice or not at all."""
        return sum(abs(run.posts - self.number) for run in self.runs)


async def everything(number: int, runs: int) -> Rates:
    """One worker and two, in turn, so that what disturbs one disturbs the other."""
    found = Rates(number)
    with tempfile.TemporaryDirectory() as folder, databases.postgres_server(Path(folder)) as server:
        postgres = databases.Postgres(server, f"wwc_bench_{os.getpid()}")
        template = postgres.create()
        try:
            await _migrate(postgres.url(template))
            for workers in (1, 2) * runs:
                found.runs.append(await _measure_once(postgres, template, workers, number))
        finally:
            postgres.drop(template)
    return found


async def _migrate(database: str) -> None:
    engine = open_engine(database)
    await migrate.upgrade(engine)
    await engine.dispose()  # a template is copied only while nobody is connected to it


async def _measure_once(
    postgres: databases.Postgres, template: str, workers: int, number: int
) -> Rate:
    """In a copy of its own: the last run's workers may still hold locks as they end."""
    name = postgres.create(template)
    try:
        return await measure(postgres.url(name), workers, number)
    finally:
        postgres.drop(name)


def main() -> None:
    """One of the processes that are measured: `platform`, or `work DATABASE PORT`."""
    match sys.argv[1:]:
        case ["platform"]:
            asyncio.run(platform())
        case ["work", database, port]:
            asyncio.run(work(database, int(port)))


if __name__ == "__main__":
    main()
