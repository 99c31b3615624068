"""Composition root: builds the hub, the adapters and what they need from the settings.

Nothing is built anywhere else.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from bot.adapters.base import Adapter
from bot.domain.ranking import base_points
from bot.hub import Hub
from bot.links import Links
from bot.settings import ConfigurationError, Settings
from bot.storage import database, is_embedded, secret_keys, translate_database_errors
from db import audit, key_values, member_lists, members, migrate, seed, workspaces
from db.base import transaction

if TYPE_CHECKING:
    from aiohttp import web as http

    from bot.adapters.discord.listen import DiscordAdapter
    from bot.adapters.slack.listen import SlackAdapter


COMMAND_HASH_KEY = "discord-commands"


@dataclass
class App:
    """The parts of the running program: `open_app` creates it, `add_*` add the adapters."""

    settings: Settings
    engine: AsyncEngine
    hub: Hub
    adapters: list[Adapter] = field(default_factory=list)
    send_only_adapters: list["SlackAdapter | DiscordAdapter"] = field(default_factory=list)
    """Adapters of a worker process: they send messages and do not listen."""

    @cached_property
    def http_app(self) -> "http.Application":
        """The HTTP application, created on first use: commands of the terminal do not need it."""
        from aiohttp import web as http

        return http.Application()


@asynccontextmanager
async def open_app(settings: Settings) -> AsyncIterator[App]:
    """Open the database and yield an `App` with a hub on it, without adapters.

    An embedded database (SQLite) is migrated to the newest revision; any other must be at it
    already. An empty database gets the reference data. Members whose e-mail is in WWC_ADMINS become
    admins. Raises ConfigurationError if the database cannot be used.
    """
    async with database(settings) as engine:
        with translate_database_errors():
            if is_embedded(settings):
                await migrate.upgrade(engine)
            await migrate.require_head(engine)
            async with transaction(engine, writes=True) as session:
                if await seed.is_empty(session):
                    await seed.seed_reference(session)
                await _grant_admins_by_email(session, settings.admins)
                await audit.seal_older_rows(session, datetime.now(UTC))
        links = Links(lambda: settings.public_url, lambda: secret_keys(settings))
        yield App(settings, engine, Hub(engine, admins=settings.admins, links=links))


async def _grant_admins_by_email(session: AsyncSession, admins: frozenset[str]) -> None:
    for email in (a for a in admins if "@" in a):
        await members.grant_admin(session, email)


async def seed_demo(app: App) -> None:
    """Write the invented people of the demo; does nothing if they are there already.

    Raises ConfigurationError if everybody could act as one of them on real people.
    """
    async with transaction(app.engine, writes=True) as session:
        if app.settings.wwc_playground == "public" and await workspaces.has_real_workspace(session):
            raise ConfigurationError(
                "WWC_PLAYGROUND=public needs a DATABASE_URL of its own: this database knows "
                "workspaces of real people, and everybody could act on them; set "
                "WWC_PLAYGROUND=off to serve those."
            )
        await seed.seed_demo(session, datetime.now(UTC), base_points)


# --- adapters ---------------------------------------------------------------------------------


def add_slack(app: App, *, listens: bool = True) -> None:
    """Add the Slack adapter: over HTTP, or over Socket Mode where an app token is set.

    With `listens=False` it only sends, as a worker process needs it.
    """
    from bot.adapters.slack.listen import SlackAdapter
    from db.installations import Installations

    s = app.settings
    adapter = SlackAdapter(
        app.hub,
        signing_secret=reveal_secret(s.slack_signing_secret),
        bot_token=reveal_secret(s.slack_bot_token),
        app_token=reveal_secret(s.slack_app_token),
        client_id=s.slack_client_id or "",
        client_secret=reveal_secret(s.slack_client_secret),
        api_url=s.slack_api_url,
        authorize_url=s.slack_authorize_url,
        public_url=s.public_url,
        store=Installations(app.engine, secret_keys(s)),
    )
    if not listens:
        app.send_only_adapters.append(adapter)
        return
    adapter.add_routes(app.http_app)
    app.adapters.append(adapter)


def add_discord(app: App, *, listens: bool = True) -> "DiscordAdapter":
    """Add the Discord adapter, which listens on the gateway, and return it.

    With `listens=False` it only sends, as a worker process needs it.
    """
    from bot.adapters.discord.listen import DiscordAdapter

    async def known_hash() -> str:
        async with transaction(app.engine) as session:
            return await key_values.load_value(session, COMMAND_HASH_KEY)

    async def remember_hash(value: str) -> None:
        async with transaction(app.engine, writes=True) as session:
            await key_values.save_value(session, COMMAND_HASH_KEY, value)

    s = app.settings
    adapter = DiscordAdapter(
        app.hub,
        token=reveal_secret(s.discord_token),
        api_url=s.discord_api_url,
        gateway_url=s.discord_gateway_url,
        load_hash=known_hash,
        save_hash=remember_hash,
    )
    if listens:
        app.adapters.append(adapter)
    else:
        app.send_only_adapters.append(adapter)
    return adapter


def add_playground(app: App) -> None:
    """Add the playground page, which shows the very payloads the platforms would get."""
    from bot.adapters.discord import render as discord
    from bot.adapters.playground.listen import PlaygroundAdapter
    from bot.adapters.playground.world import Persona, Workspace
    from bot.adapters.slack import render as slack

    is_public = app.settings.wwc_playground == "public"

    async def people() -> list[Persona]:
        async with transaction(app.engine) as session:
            if is_public and await workspaces.has_real_workspace(session):
                return []  # nobody whom everybody may act as meets real people
            found = await member_lists.list_synthetic(session)
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
                    staff=m.has_role("staff"),
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
        workspaces=tuple(
            Workspace(key, platform, name) for platform, key, name in workspaces.DEMO_WORKSPACES
        ),
        public=is_public,
        host=app.settings.wwc_host,
    )
    adapter.add_routes(app.http_app)
    app.adapters.append(adapter)


def reveal_secret(secret: SecretStr | None) -> str:
    """Return the plain text of a secret; empty when it is unset."""
    return secret.get_secret_value() if secret else ""
