"""Every address of the hub stands in one place, where who looks for one finds it."""

import re

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.links import Links
from bot.web import site
from bot.web.health import Readiness


def test_the_addresses_that_are_told_are_those_that_answer(engine: AsyncEngine) -> None:
    """In the order in which they are told."""
    app = web.Application()
    site.add_routes(app, engine, Links(), [], "", Readiness())
    answered = [resource.canonical for resource in app.router.resources()]
    assert answered == re.findall(r"`(/[^`]*)`", site.add_routes.__doc__ or "")
