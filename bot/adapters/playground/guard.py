"""Keep the playground on this machine: check hosts, origins and sizes; set a page policy."""

import json
from collections.abc import Awaitable, Callable, Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

MAX_BODY = 1_000_000
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class BadCallError(Exception):
    """A call that is answered with one sentence and an HTTP status."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


def guard_handler(handler: Handler, *, public: bool, host: str) -> Handler:
    """Return the handler behind the checks; a `BadCallError` becomes its sentence in JSON."""

    async def guard(request: web.Request) -> web.StreamResponse:
        try:
            check_request(request, public=public, host=host)
            response = await handler(request)
        except BadCallError as unfit:
            response = web.json_response({"error": str(unfit)}, status=unfit.status)
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    return guard


def check_request(request: web.Request, *, public: bool, host: str) -> None:
    """Raise `BadCallError` for foreign host names (DNS rebinding) and foreign pages."""
    named = host_of(f"//{request.headers.get('Host', '')}")
    if not public and not is_loopback(named) and named != host_of(f"//{host}"):
        raise BadCallError(
            "This playground answers on this machine only; open it as localhost.", 421
        )
    origin = request.headers.get("Origin")
    if origin is not None and netloc_of(origin) != request.headers.get("Host", "").lower():
        raise BadCallError("Requests from other sites are refused.", 403)
    if request.headers.get("Sec-Fetch-Site") == "cross-site" and request.method != "GET":
        raise BadCallError("Requests from other sites are refused.", 403)


def host_of(address: str) -> str:
    """Return the host name in an address, "" if it cannot be parsed."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def netloc_of(origin: str) -> str:
    """Return host and port of a web origin, "" if it cannot be parsed."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return ""
    return parts.netloc.lower() if parts.scheme in ("http", "https") else ""


def is_loopback(name: str) -> bool:
    """Return whether the name or address is that of the machine itself."""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


async def body_of(request: web.Request) -> dict[str, Any]:
    """Return the JSON object of a call, reading at most `LARGEST_BODY` bytes.

    Raises `BadCallError` for larger bodies and for anything but a JSON object.
    """
    if (request.content_length or 0) > MAX_BODY:
        raise BadCallError("That is more than 1 MB; please send less.", 413)
    raw = b""
    async for chunk in request.content.iter_chunked(65_536):
        raw += chunk
        if len(raw) > MAX_BODY:
            raise BadCallError("That is more than 1 MB; please send less.", 413)
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadCallError('The body must be JSON, for example {"text": "/wwc help"}.') from None
    if not isinstance(body, dict):
        raise BadCallError('The body must be a JSON object, for example {"text": "/wwc help"}.')
    return body
