"""Health, readiness and metrics: what every HTTP process answers."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web as http
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.adapters.base import Adapter
from bot.jobs.deliver import DeliveryWorker
from bot.jobs.timetable import Scheduler
from bot.web import health
from bot.web.health import Readiness
from db import audit, sending
from db.base import open_engine, transaction
from db.job_runs import claim_job_run
from db.key_values import save_value
from db.outbox import PANIC
from tests.cast import NOW
from tests.conftest import Clock
from tests.jobs.conftest import Owing
from tests.stories.program import get

TOKEN = "Bq3xzTn8fL2hW6pD"


@asynccontextmanager
async def answering(
    engine: AsyncEngine, *adapters: Any, socket: str = "", readiness: Readiness | None = None
) -> AsyncIterator[str]:
    """Only what every HTTP process answers, with the bearer token set."""
    site = http.Application()
    heard: list[Adapter] = list(adapters)
    health.add_routes(site, engine, heard, TOKEN, readiness or Readiness())
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


async def test_metrics_keep_the_head_of_the_audit_log(engine: AsyncEngine) -> None:
    """Outside of the database: the number of the newest row, and its seal; no older one."""
    async with answering(engine) as url:
        for number in (1, 2):
            async with transaction(engine, writes=True) as session:
                audit.record_act(session, NOW, 1, "endorsed", "expertise:1")
            async with transaction(engine) as session:
                head = await audit.load_head(session)
            shown = [x for x in (await get(f"{url}/metrics"))[1].splitlines() if "audit_head{" in x]
            assert shown == [f'hub_audit_head{{seal="{head.seal}"}} {number}.0']


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

        def is_ready(self) -> bool:
            return False

    async with answering(engine, Deaf()) as url:
        assert await get(f"{url}/readyz") == (
            503,
            '{"database": "ok", "deaf": "fail", "deliveries": "ok", "queue": "0 s"}',
        )


async def readiness_of(engine: AsyncEngine, **facts: Any) -> tuple[int, dict[str, str]]:
    """What `/readyz` says when it looks at these."""
    async with answering(engine, readiness=Readiness(platforms=["slack"], **facts)) as url:
        status, said = await get(f"{url}/readyz")
    return status, json.loads(said)


@pytest.mark.both
async def test_readiness_fails_when_nobody_sends_what_is_due(
    engine: AsyncEngine, owing: Owing, clock: Clock
) -> None:
    """After five minutes in which nothing hinders; whoever should have sent it."""
    facts = {"clock": clock}
    await owing("due")
    await owing("of a platform that is served no more", platform="discord")
    assert (await readiness_of(engine, **facts))[0] == 200
    clock.advance(minutes=4)
    assert (await readiness_of(engine, **facts))[0] == 200
    clock.advance(minutes=2)
    status, said = await readiness_of(engine, **facts)
    assert (status, said["deliveries"]) == (503, "fail")
    for gate in ("slack", "slack:T1", "slack:T1:C1"):
        async with transaction(engine, writes=True) as session:
            until = clock() + timedelta(minutes=1)
            await sending.set_rate_limits(session, clock(), {gate: (until, "")})
        assert (await readiness_of(engine, **facts))[0] == 200, gate
        clock.advance(minutes=2)
    async with transaction(engine, writes=True) as session:
        await save_value(session, PANIC, "stopped")
    assert (await readiness_of(engine, **facts))[0] == 200


async def test_readiness_fails_when_the_disk_is_full(engine: AsyncEngine, tmp_path: Path) -> None:
    """Of the folder of the database; a little is left for what must be written last."""
    assert (await readiness_of(engine, folder=tmp_path))[0] == 200
    status, said = await readiness_of(engine, folder=tmp_path, min_free_bytes=2**62)
    assert (status, said["disk"]) == (503, "fail")


async def test_readiness_fails_when_nothing_ticks(engine: AsyncEngine, clock: Clock) -> None:
    """In this process, as it says; in another, by what it wrote last."""
    assert (await readiness_of(engine, checks={"worker": lambda: True}))[0] == 200
    status, said = await readiness_of(engine, checks={"worker": lambda: False})
    assert (status, said["worker"]) == (503, "fail")
    async with transaction(engine, writes=True) as session:
        await claim_job_run(session, "anything", clock())
    assert (await readiness_of(engine, clock=clock))[1]["timetable"] == "ok"
    clock.advance(minutes=20)
    assert (await readiness_of(engine, clock=clock))[1]["timetable"] == "fail"


async def test_heartbeats_stop_with_the_work(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the delivery worker and of the timetable."""
    parts = (DeliveryWorker(engine, (), ["key"]), Scheduler(engine, ()))
    assert all(part.is_alive() for part in parts)
    later = time.monotonic() + 301
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert not any(part.is_alive() for part in parts)
    await parts[0].run_until_idle()
    assert parts[0].is_alive()
