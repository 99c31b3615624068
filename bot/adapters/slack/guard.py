"""Check that a request comes from Slack before any of its content is parsed."""

import asyncio
import hashlib
import hmac
import json
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

MAX_BYTES = 1024 * 1024
MAX_SECONDS = 300
"""Largest difference between the time stamp of a request and the clock."""
MAX_NESTING = 64
MAX_FIELDS = 100
MAX_SIGNATURES = 10_000
"""Most signatures remembered to recognise repeated requests; the oldest is dropped first."""

_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')


class RequestRejectedError(Exception):
    """The request is rejected; `status` is the HTTP status of the answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Guard:
    """Parses requests that Slack signed a short time ago, and rejects all others.

    `patience`: seconds within which the whole body has to arrive.
    """

    def __init__(self, secret: str, clock: Callable[[], float], *, patience: float = 10.0) -> None:
        if not secret:
            raise ValueError("without a signing secret nothing can be trusted")
        self._secret = secret.encode()
        self._clock = clock
        self._patience = patience
        self._recent_signatures: OrderedDict[str, float] = OrderedDict()

    async def admit(self, request: web.Request) -> dict[str, Any]:
        """Return the content of a request: the JSON of an event, or the fields of a form.

        Raises `RequestRejectedError` if it is too large, too slow, malformed, unsigned or a replay.
        """
        body = await self._receive_body(request)
        signature = self._verify(request.headers, body)
        if request.content_type == "application/json":
            return content_of_json(body)
        # Slack may repeat an event, which is recognised by its id; any other request comes once
        self._refuse_replay(signature)
        return content_of_form(body)

    async def _receive_body(self, request: web.Request) -> bytes:
        if (request.content_length or 0) > MAX_BYTES:
            raise RequestRejectedError(413)
        body = bytearray()
        try:
            async with asyncio.timeout(self._patience):
                async for chunk in request.content.iter_chunked(65_536):
                    body += chunk
                    if len(body) > MAX_BYTES:
                        raise RequestRejectedError(413)
        except TimeoutError:
            raise RequestRejectedError(408) from None
        except (OSError, ValueError, web.HTTPException, web.RequestPayloadError):
            raise RequestRejectedError(400) from None
        return bytes(body)

    def _verify(self, headers: Mapping[str, str], body: bytes) -> str:
        said = headers.get("X-Slack-Request-Timestamp", "")
        given = headers.get("X-Slack-Signature", "")
        if not _TIMESTAMP.fullmatch(said) or not given.isascii():
            raise RequestRejectedError(401)
        if abs(self._clock() - int(said)) > MAX_SECONDS:
            raise RequestRejectedError(401)
        digest = hmac.new(self._secret, b"v0:" + said.encode() + b":" + body, hashlib.sha256)
        if not hmac.compare_digest(f"v0={digest.hexdigest()}", given):
            raise RequestRejectedError(401)
        return given

    def _refuse_replay(self, signature: str) -> None:
        now = self._clock()
        oldest = next(iter(self._recent_signatures.values()), now)
        while self._recent_signatures and (
            now - oldest > 2 * MAX_SECONDS or len(self._recent_signatures) >= MAX_SIGNATURES
        ):
            self._recent_signatures.popitem(last=False)
            oldest = next(iter(self._recent_signatures.values()), now)
        if signature in self._recent_signatures:
            raise RequestRejectedError(401)
        self._recent_signatures[signature] = now


def content_of_json(body: bytes) -> dict[str, Any]:
    """Parse a JSON body that must hold an object without duplicate keys.

    Raises `RequestRejectedError` for anything else and for deep nesting.
    """
    if _depth(body) > MAX_NESTING:
        raise RequestRejectedError(400)
    try:
        found = json.loads(
            body.decode(), object_pairs_hook=_unique_fields, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError):
        raise RequestRejectedError(400) from None
    if not isinstance(found, dict):
        raise RequestRejectedError(400)
    return found


def content_of_form(body: bytes) -> dict[str, Any]:
    """Parse a form body; if it has a field `payload`, return the JSON object in that field.

    Interactions come in `payload`, slash commands as plain fields. Raises `RequestRejectedError`.
    """
    try:
        pairs = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
        fields = _unique_fields(pairs)
        if not fields:
            raise ValueError("nothing said")
    except ValueError:
        raise RequestRejectedError(400) from None
    payload = fields.get("payload")
    return fields if payload is None else content_of_json(payload.encode())


def _depth(body: bytes) -> int:
    """Return how deep brackets nest outside of strings, without parsing the JSON."""
    depth = deepest = 0
    for byte in _STRING.sub(b"", body):
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def _unique_fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
