"""Discord's REST API for deliveries: each call sends one request, once.

discord.py retries and sleeps by itself; a delivery must know the outcome of each request.
"""

import json
import time
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, Literal

import aiohttp

from bot.adapters.base import DeliveryError
from bot.adapters.discord.gateway import API
from bot.failpoints import reach

Scope = Literal["place", "platform"]

CONNECT_TIMEOUT, TOTAL_TIMEOUT = 5.0, 9.0
AGENT = "DiscordBot (https://whatworkscities.bloomberg.org, 1)"
SHORTEST_WAIT, LONG_WAIT = 0.1, 300.0
MAX_BUCKETS = 5000
CONNECT_ERRORS = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
)
"""Errors that end a request before anything was sent to Discord."""

FINAL_CODES = {
    10003: "unknown channel",
    10004: "unknown guild",
    10008: "unknown message",
    10013: "unknown user",
    50001: "missing access",
    50005: "not our message",
    50007: "direct messages closed",
    50013: "missing permissions",
    50033: "invalid recipient",
    50035: "invalid message",
    50083: "thread archived",
    50278: "no server in common",
}
"""Error codes of refusals that a retry cannot change, with the reason that is logged."""
UNREACHABLE_USER_CODES = frozenset({10013, 50007, 50033, 50278})
"""Of these, the codes that mean a person can get no direct message from the bot."""
UNKNOWN_MESSAGE = 10008
OPENING_TOO_FAST = 40003
"""Error code: direct messages are opened too fast; Discord does not say how long to wait."""


class RestClient:
    """Sends requests with the bot's token, but none that a known rate limit would refuse."""

    def __init__(
        self, token: str, api_url: str = "", *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._token = token
        self._api_url = (api_url or API).rstrip("/")
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._free_at: dict[str, float] = {}
        self._all_free_at = 0.0

    async def call(self, method: str, path: str, bucket: str, **request_options: Any) -> Any:
        """Send one request and return the JSON of the answer. Raises `DeliveryError`.

        `bucket`: requests that Discord's rate limit counts together. `request_options`: json or
        params, as aiohttp takes them.
        """
        self._check_rate_limit(bucket)
        reach("adapter.before_request")
        try:
            async with self._open_session().request(
                method, f"{self._api_url}{path}", allow_redirects=False, **request_options
            ) as answer:
                body = await answer.read()
        except CONNECT_ERRORS as error:
            raise DeliveryError(type(error).__name__) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise DeliveryError(type(error).__name__, certain=False) from error
        reach("adapter.after_answer")
        said = _parse_json(body)
        self._record_rate_limit(bucket, answer.headers)
        refused = error_from_answer(answer.status, answer.headers, said)
        if refused:
            self._record_refusal(bucket, refused)
            raise refused
        return said

    async def close(self) -> None:
        """Close the HTTP session, if one is open."""
        if self._session is not None:
            await self._session.close()

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                headers={"Authorization": f"Bot {self._token}", "User-Agent": AGENT},
                timeout=aiohttp.ClientTimeout(total=TOTAL_TIMEOUT, sock_connect=CONNECT_TIMEOUT),
            )
        return self._session

    # --- rate limits --------------------------------------------------------------------------

    def _check_rate_limit(self, bucket: str) -> None:
        """Raise `DeliveryError` while a known rate limit holds.

        Too many refused requests shut the bot out of Discord, so none is made on purpose.
        """
        now = self._clock()
        if self._all_free_at > now:
            raise DeliveryError("ratelimited", wait=self._all_free_at - now, scope="platform")
        left = self._free_at.get(bucket, 0.0) - now
        if left > 0:
            raise DeliveryError("ratelimited", wait=left)

    def _record_rate_limit(self, bucket: str, headers: Mapping[str, str]) -> None:
        """Block the bucket if the answer's headers say that no request is left."""
        if headers.get("X-RateLimit-Remaining") == "0":
            self._block_bucket(
                bucket, _parse_seconds(headers.get("X-RateLimit-Reset-After")) or 0.0
            )

    def _record_refusal(self, bucket: str, refused: DeliveryError) -> None:
        if refused.wait and refused.scope == "platform":
            self._all_free_at = self._clock() + refused.wait
        elif refused.wait:
            self._block_bucket(bucket, refused.wait)

    def _block_bucket(self, bucket: str, wait: float) -> None:
        now = self._clock()
        if len(self._free_at) > MAX_BUCKETS:
            self._free_at = {name: at for name, at in self._free_at.items() if at > now}
        self._free_at[bucket] = now + wait


def _parse_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def error_from_answer(status: int, headers: Mapping[str, str], said: Any) -> DeliveryError | None:
    """Return the error that an answer means; None where Discord took the request.

    `said`: the JSON of the answer, None if it has none.
    """
    if status == 429:
        return _rate_limit_error(headers, said)
    if status >= 500 or status == 408:
        return DeliveryError(f"http_{status}", certain=False)
    if status == 204:
        return None
    if status < 300:
        return None if said is not None else DeliveryError("no_answer", certain=False)
    if status == 401:
        # the operator can fix this; pending deliveries must not be lost meanwhile
        return DeliveryError("token refused", wait=LONG_WAIT, scope="platform")
    code = said.get("code") if isinstance(said, dict) else None
    if not isinstance(code, int):
        return DeliveryError(
            f"http_{status}", wait=LONG_WAIT if status == 403 else 0.0, scope="platform"
        )
    if code == OPENING_TOO_FAST:
        return DeliveryError(f"{code} opening too fast", wait=LONG_WAIT)
    return DeliveryError(
        f"{code} {FINAL_CODES.get(code, 'refused')}",
        final=True,
        dm_closed=code in UNREACHABLE_USER_CODES,
    )


def _rate_limit_error(headers: Mapping[str, str], said: Any) -> DeliveryError:
    """Return the error for status 429, with the seconds to wait and what has to wait.

    An answer without a `Via` header or JSON comes from the edge of Discord's network, not from
    its API: it shuts out the whole bot.
    """
    header = _parse_seconds(headers.get("Retry-After"))
    if not headers.get("Via") or not isinstance(said, dict):
        return DeliveryError("shut out", wait=header or LONG_WAIT, scope="platform")
    told = _parse_seconds(said.get("retry_after"))
    wait = max(header or 1.0 if told is None else told, SHORTEST_WAIT)
    whole = said.get("global") is True or headers.get("X-RateLimit-Scope") == "global"
    scope: Scope = "platform" if whole else "place"
    return DeliveryError("ratelimited", wait=wait, scope=scope)


def _parse_seconds(said: Any) -> float | None:
    try:
        seconds = float(said)
    except (TypeError, ValueError):
        return None
    return seconds if isfinite(seconds) and seconds >= 0 else None
