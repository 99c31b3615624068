"""Adds every route that an HTTP process answers, besides those of its adapters."""

from collections.abc import Sequence

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.adapters.base import Adapter
from bot.links import Links
from bot.web import calendars, files, health, my_data


def add_routes(
    app: web.Application,
    engine: AsyncEngine,
    links: Links,
    adapters: Sequence[Adapter],
    metrics_token: str,
    readiness: health.Readiness,
) -> None:
    """Add the routes of each module in this folder.

    `/healthz`, `/readyz`, `/metrics`: for hosts and monitoring.
    `/my-data/{token}.json`: all that is kept of a member.
    `/calendar/meeting/{token}.ics`: the agreed time of a talk.
    `/relay/file/{token}`: a file of a conversation, passed through from its platform.
    """
    health.add_routes(app, engine, adapters, metrics_token, readiness)
    my_data.add_routes(app, engine, links)
    calendars.add_routes(app, engine, links)
    files.add_routes(app, engine, links, adapters)
