"""Responses with HTML, a list of items, or a file of the page."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from aiohttp import web

from bot.adapters.playground.guard import Handler
from bot.adapters.playground.suggest import Item

_STATIC = Path(__file__).parent / "static"


def html_response(html: str) -> web.Response:
    """Respond with a page or a part of one."""
    return web.Response(text=html, content_type="text/html")


def items_response(items: Sequence[Item]) -> web.Response:
    """Respond with the items of a list to choose from, as JSON."""
    return web.json_response({"items": [asdict(item) for item in items]})


def serve_file(name: str, kind: str) -> Handler:
    """Return a handler that responds with a file of the page."""

    async def serve(_: web.Request) -> web.Response:
        body = await asyncio.to_thread((_STATIC / name).read_bytes)
        return web.Response(body=body, content_type=kind, charset="utf-8")

    return serve
