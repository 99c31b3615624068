"""Serves the program: adds its parts, runs them until a signal comes, and stops them in time."""

import asyncio
import contextlib
import errno
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import structlog

from bot.adapters.base import DeliveryAdapter
from bot.app import App, add_discord, add_playground, add_slack, open_app, reveal_secret, seed_demo
from bot.jobs.deliver import DeliveryWorker
from bot.settings import ConfigurationError, Settings
from bot.storage import secret_keys, sqlite_file
from bot.web import site
from bot.web.connections import HttpServer
from bot.web.health import Readiness

log = structlog.get_logger()
DRAIN_SECONDS = 4.0
"""Seconds for work under way at SIGTERM, in adapters, then in HTTP; hosts kill after ten."""

STOP_SECONDS = 9.5
"""Seconds for all of the stop together."""


async def run(settings: Settings, parts: frozenset[str]) -> None:
    """Serve until SIGTERM or SIGINT; `parts` are of web, slack, discord, playground, worker."""
    async with open_app(settings) as app:
        if "playground" in parts:
            await seed_demo(app)
            add_playground(app)
        if "slack" in parts:
            add_slack(app)
        if "discord" in parts:
            add_discord(app)
        if "worker" in parts:
            _add_send_only_adapters(app, parts)
        token = reveal_secret(settings.wwc_metrics_token)
        readiness = _build_readiness(settings)
        site.add_routes(app.http_app, app.engine, app.hub.links, app.adapters, token, readiness)
        await _serve(app, parts, readiness.checks)


def _build_readiness(settings: Settings) -> Readiness:
    platforms = [p for p in ("slack", "discord", "playground") if getattr(settings, p)]
    file = sqlite_file(settings)
    return Readiness(platforms=platforms, folder=file.resolve().parent if file else None)


def _add_send_only_adapters(app: App, parts: frozenset[str]) -> None:
    """Add adapters for the platforms of other processes, since a worker sends to them too."""
    if app.settings.slack and "slack" not in parts:
        add_slack(app, listens=False)
    if app.settings.discord and "discord" not in parts:
        add_discord(app, listens=False)


def _build_delivery_worker(app: App, parts: frozenset[str]) -> DeliveryWorker | None:
    """Return the worker that sends deliveries, or None if this process sends none.

    With the part «worker» it sends to every platform; else only to the playground, which lives in
    this process.
    """
    able = [a for a in (*app.adapters, *app.send_only_adapters) if isinstance(a, DeliveryAdapter)]
    if "worker" not in parts:
        able = [a for a in able if a.platform == "playground"]
    if not able and "worker" not in parts:
        return None
    deliverer = DeliveryWorker(app.engine, able, secret_keys(app.settings))
    app.hub.on_enqueued = deliverer.wake
    return deliverer


async def _serve(app: App, parts: frozenset[str], checks: dict[str, Callable[[], bool]]) -> None:
    """Run the parts until a signal comes; `checks` gets, by name, whether a part works."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with contextlib.AsyncExitStack() as stack:
        if "web" in parts:
            await stack.enter_async_context(_run_http_server(app))
        if "worker" in parts:
            await stack.enter_async_context(_run_scheduler(app, checks))
        deliverer = _build_delivery_worker(app, parts)
        sending = []
        if deliverer:
            sending = [asyncio.create_task(deliverer.run())]
            checks["worker"] = deliverer.is_alive
        tasks = [asyncio.create_task(a.listen(), name=a.platform) for a in app.adapters]
        await _wait_for_stop(stop, [*tasks, *sending])
        log.info("stopping")
        stopping = loop.time()
        # sends under way end first: they need the adapters' connections
        for some, seconds in ((sending, STOP_SECONDS - 1), (tasks, DRAIN_SECONDS)):
            for task in some:
                task.cancel()
            left = stopping + STOP_SECONDS - loop.time()
            await asyncio.wait(some, timeout=min(seconds, left)) if some else None
        for adapter in app.send_only_adapters:
            await adapter.close()


async def _wait_for_stop(stop: asyncio.Event, tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait for the stop event; an adapter that fails raises here, which ends the process."""
    waiting = asyncio.create_task(stop.wait())
    running: set[asyncio.Task[object]] = {waiting, *tasks}
    while not waiting.done():
        done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {waiting}:
            task.result()


@asynccontextmanager
async def _run_http_server(app: App) -> AsyncIterator[None]:
    server = HttpServer(app.http_app, shutdown_timeout=DRAIN_SECONDS)
    try:
        try:
            app.settings.port = await server.open(app.settings.wwc_host, app.settings.port)
        except OSError as error:
            raise ConfigurationError(_listen_error_text(app.settings.port, error)) from error
        log.info("ready", port=app.settings.port, adapters=[a.platform for a in app.adapters])
        yield
    finally:
        await server.close()


def _listen_error_text(port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"PORT {port} is taken by another program; set PORT to a free one."
    return "WWC_HOST is no address of this machine, or it does not let this user have PORT."


@asynccontextmanager
async def _run_scheduler(app: App, checks: dict[str, Callable[[], bool]]) -> AsyncIterator[None]:
    from bot.jobs.timetable import Scheduler

    scheduler = Scheduler(app.engine)
    running = asyncio.create_task(scheduler.run())
    checks["timetable"] = scheduler.is_alive
    log.info("ticking")
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])
