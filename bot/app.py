"""The composition root: settings in, a running hub out. The only place where things are built."""

import asyncio
import contextlib
import errno
import gc
import os
import secrets
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from pydantic import SecretStr
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from bot.adapters.base import Adapter, Courier
from bot.domain.ranking import standing
from bot.hub import Hub
from bot.links import Links
from bot.settings import ConfigurationError, Settings
from db import key_values, members, migrate, seed
from db.base import open_engine, unit

if TYPE_CHECKING:
    from aiohttp import web as http

    from bot.adapters.discord.listen import DiscordAdapter
    from bot.adapters.slack.listen import SlackAdapter
    from bot.jobs.deliver import Deliverer

log = structlog.get_logger()
DRAIN_SECONDS = 4.0
"""Adapters, then HTTP, get this long for what is under way at SIGTERM; hosts kill after ten."""

STOP_SECONDS = 9.5
"""All of it together."""

COMMANDS_MEMO = "discord-commands"


@dataclass
class App:
    """What is running: filled by `build`, closed by `opened`."""

    settings: Settings
    engine: AsyncEngine
    hub: Hub
    adapters: list[Adapter] = field(default_factory=list)
    mute: list["SlackAdapter | DiscordAdapter"] = field(default_factory=list)
    """Adapters of a worker: they say, and do not listen."""

    @cached_property
    def site(self) -> "http.Application":
        """What is served over HTTP; one command from the terminal never needs it."""
        from aiohttp import web as http

        return http.Application()


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[App]:
    """A database of the right revision and the hub on it; an embedded one is brought up."""
    async with database(settings) as engine:
        with explained():
            if is_embedded(settings):
                await migrate.upgrade(engine)
            await migrate.require(engine)
            async with unit(engine, writes=True) as session:
                if await seed.is_empty(session):
                    await seed.reference(session)
                await _grant_by_email(session, settings.admins)
        links = Links(lambda: settings.public_url, lambda: secret_keys(settings))
        yield App(settings, engine, Hub(engine, admins=settings.admins, links=links))


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """The engine, closed at the end."""
    gc.enable()  # switched off while the program was imported
    engine = open_database(settings)
    try:
        yield engine
    finally:
        await engine.dispose()


def open_database(settings: Settings) -> AsyncEngine:
    """The engine, if there can be one."""
    file = sqlite_file(settings)
    if file and not file.resolve().parent.is_dir():
        raise ConfigurationError("DATABASE_URL names a folder that does not exist; make it first.")
    try:
        return open_engine(settings.database_url)
    except ImportError as error:
        raise ConfigurationError(
            "DATABASE_URL needs a driver that is not installed: pip install 'wwc-hub[postgres]'."
        ) from error


@contextmanager
def explained() -> Iterator[None]:
    """What the database refuses is one sentence; its own words quote the address."""
    try:
        yield
    except migrate.SchemaError as error:
        raise ConfigurationError(str(error)) from error
    except (SQLAlchemyError, OSError) as error:
        raise ConfigurationError(
            f"DATABASE_URL: the database cannot be opened or written ({type(error).__name__}). "
            "Is the file a database this user may write, or the server up and the password right?"
        ) from error


def is_embedded(settings: Settings) -> bool:
    """Does this process have its database to itself?"""
    return make_url(settings.database_url).get_backend_name() == "sqlite"


def sqlite_file(settings: Settings) -> Path | None:
    """The file of an embedded database."""
    name = make_url(settings.database_url).database
    in_memory = name in (None, "", ":memory:")
    return Path(str(name)) if is_embedded(settings) and not in_memory else None


def key_file(settings: Settings) -> Path:
    """Where the key is kept when none is set."""
    return (sqlite_file(settings) or Path("wwc.db")).with_suffix(".key")


async def _grant_by_email(session: AsyncSession, admins: frozenset[str]) -> None:
    for email in (a for a in admins if "@" in a):
        await members.grant_admin(session, email)


def secret_keys(settings: Settings) -> Sequence[str]:
    """The keys for what must not be read at rest, newest first; made beside SQLite when unset."""
    if settings.wwc_secret_key:
        return [k for k in settings.wwc_secret_key.get_secret_value().split(",") if k]
    file = key_file(settings)
    if not file.exists():
        with contextlib.suppress(FileExistsError):
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as opened_file:
                opened_file.write(secrets.token_urlsafe(32))
    kept = file.read_text().strip()
    if not kept:
        raise ConfigurationError("WWC_SECRET_KEY is unset, and the key kept beside the file empty.")
    return [kept]


async def seed_demo(engine: AsyncEngine) -> None:
    """The demo's people, once."""
    async with unit(engine, writes=True) as session:
        await seed.demo(session, datetime.now(UTC), standing)


# --- adapters ---------------------------------------------------------------------------------


def add_slack(app: App, *, listens: bool = True) -> None:
    """Slack over HTTP, or over Socket Mode where an app token is set."""
    from bot.adapters.slack.listen import SlackAdapter
    from db.installations import Installations

    s = app.settings
    adapter = SlackAdapter(
        app.hub,
        signing_secret=plain(s.slack_signing_secret),
        bot_token=plain(s.slack_bot_token),
        app_token=plain(s.slack_app_token),
        client_id=s.slack_client_id or "",
        client_secret=plain(s.slack_client_secret),
        api_url=s.slack_api_url,
        authorize_url=s.slack_authorize_url,
        public_url=s.public_url,
        store=Installations(app.engine, secret_keys(s)),
    )
    if not listens:
        app.mute.append(adapter)
        return
    adapter.add_routes(app.site)
    app.adapters.append(adapter)


def add_discord(app: App, *, listens: bool = True) -> "DiscordAdapter":
    """Discord over its gateway."""
    from bot.adapters.discord.listen import DiscordAdapter

    async def known_hash() -> str:
        async with unit(app.engine) as session:
            return await key_values.load_value(session, COMMANDS_MEMO)

    async def remember_hash(value: str) -> None:
        async with unit(app.engine, writes=True) as session:
            await key_values.save_value(session, COMMANDS_MEMO, value)

    s = app.settings
    adapter = DiscordAdapter(
        app.hub,
        token=plain(s.discord_token),
        api_url=s.discord_api_url,
        gateway_url=s.discord_gateway_url,
        known_hash=known_hash,
        remember_hash=remember_hash,
    )
    if listens:
        app.adapters.append(adapter)
    else:
        app.mute.append(adapter)
    return adapter


def add_playground(app: App) -> None:
    """The page, drawn with the very payloads the platforms would get."""
    from bot.adapters.discord import render as discord
    from bot.adapters.playground.listen import PlaygroundAdapter
    from bot.adapters.playground.world import Persona, Workspace
    from bot.adapters.slack import render as slack

    async def people() -> list[Persona]:
        async with unit(app.engine) as session:
            found = await members.synthetic(session)
        newcomers = [
            Persona(f"new@{key.lower()}.example", name, "new here", key, language, zone=zone)
            for key, name, language, zone in seed.DEMO_NEWCOMERS
        ]
        return [
            *(
                Persona(
                    key=m.email or "",
                    name=m.name,
                    city=m.city.place if m.city else "",
                    workspace=seed.demo_home(m),
                    language=m.language,
                    staff=any(r.role == "staff" for r in m.roles),
                    zone=m.zone,
                )
                for m in found
            ),
            *newcomers,
        ]

    adapter = PlaygroundAdapter(
        app.hub,
        renderers={"slack": slack, "discord": discord},
        people=people,
        workspaces=tuple(Workspace(key, platform, name) for platform, key, name in
                         seed.DEMO_WORKSPACES),
        public=app.settings.wwc_playground == "public",
        host=app.settings.wwc_host,
    )  # fmt: skip
    adapter.add_routes(app.site)
    app.adapters.append(adapter)


def plain(secret: SecretStr | None) -> str:
    """What a platform is given; empty when unset."""
    return secret.get_secret_value() if secret else ""


# --- running ----------------------------------------------------------------------------------


async def run(settings: Settings, parts: frozenset[str]) -> None:
    """Serve until SIGTERM or SIGINT; `parts` are of web, slack, discord, playground, worker."""
    from bot.web import calendars, files, health

    async with opened(settings) as app:
        if "playground" in parts:
            await seed_demo(app.engine)
            add_playground(app)
        if "slack" in parts:
            add_slack(app)
        if "discord" in parts:
            add_discord(app)
        if "worker" in parts:
            _add_mute(app, parts)
        health.add_routes(app.site, app.engine, app.adapters, plain(settings.wwc_metrics_token))
        health.add_downloads(app.site, app.engine, app.hub.links)
        calendars.add_routes(app.site, app.engine, app.hub.links)
        files.add_routes(app.site, app.engine, app.hub.links, app.adapters)
        await _serve(app, parts)


def _add_mute(app: App, parts: frozenset[str]) -> None:
    """A worker also says what the platforms of other processes are owed."""
    if app.settings.slack and "slack" not in parts:
        add_slack(app, listens=False)
    if app.settings.discord and "discord" not in parts:
        add_discord(app, listens=False)


def _deliverer(app: App, parts: frozenset[str]) -> "Deliverer | None":
    """Who sends what is owed: a worker everything, else only what lives in this process."""
    from bot.jobs.deliver import Deliverer

    able = [a for a in (*app.adapters, *app.mute) if isinstance(a, Courier)]
    if "worker" not in parts:
        able = [a for a in able if a.platform == "playground"]
    if not able and "worker" not in parts:
        return None
    deliverer = Deliverer(app.engine, able, secret_keys(app.settings))
    app.hub.owed = deliverer.wake
    return deliverer


async def _serve(app: App, parts: frozenset[str]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with contextlib.AsyncExitStack() as stack:
        if "web" in parts:
            await stack.enter_async_context(_listening(app))
        if "worker" in parts:
            await stack.enter_async_context(_ticking(app))
        deliverer = _deliverer(app, parts)
        sending = [asyncio.create_task(deliverer.run())] if deliverer else []
        tasks = [asyncio.create_task(a.listen(), name=a.platform) for a in app.adapters]
        await _until(stop, [*tasks, *sending])
        log.info("stopping")
        stopping = loop.time()
        # first what is under way to the platforms: it needs the adapters' connections
        for some, seconds in ((sending, STOP_SECONDS - 1), (tasks, DRAIN_SECONDS)):
            for task in some:
                task.cancel()
            left = stopping + STOP_SECONDS - loop.time()
            await asyncio.wait(some, timeout=min(seconds, left)) if some else None
        for adapter in app.mute:
            await adapter.close()


async def _until(stop: asyncio.Event, tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait for the signal; an adapter that dies of a fault takes the process with it."""
    waiting = asyncio.create_task(stop.wait())
    running: set[asyncio.Task[object]] = {waiting, *tasks}
    while not waiting.done():
        done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {waiting}:
            task.result()


@asynccontextmanager
async def _listening(app: App) -> AsyncIterator[None]:
    from aiohttp import web as http

    runner = http.AppRunner(app.site, access_log=None, shutdown_timeout=DRAIN_SECONDS)
    await runner.setup()
    site = http.TCPSite(runner, app.settings.wwc_host, app.settings.port)
    try:
        await site.start()
    except OSError as error:
        await runner.cleanup()
        raise ConfigurationError(_cannot_listen(app.settings.port, error)) from error
    app.settings.port = runner.addresses[0][1]
    log.info("ready", port=app.settings.port, adapters=[a.platform for a in app.adapters])
    try:
        yield
    finally:
        await runner.cleanup()


def _cannot_listen(port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"PORT {port} is taken by another program; set PORT to a free one."
    return "WWC_HOST is no address of this machine, or it does not let this user have PORT."


@asynccontextmanager
async def _ticking(app: App) -> AsyncIterator[None]:
    from bot.jobs.timetable import timetable

    scheduler = timetable(app.engine)
    scheduler.start()
    log.info("ticking")
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)
