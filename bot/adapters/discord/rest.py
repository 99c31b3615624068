"""Discord over REST for what the hub says by itself: one request, once, and what came of it.

The library repeats and sleeps by itself; a delivery must know after each request where it stands.
"""

import json
import time
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, Literal

import aiohttp

from bot.adapters.base import NotSent
from bot.adapters.discord.gateway import API
from bot.failpoints import reach

Scope = Literal["place", "platform"]

CONNECTING, ANSWERING = 5.0, 9.0
AGENT = "DiscordBot (https://whatworkscities.bloomberg.org, 1)"
SHORTEST_WAIT, LONG_WAIT = 0.1, 300.0
MOST_BUCKETS = 5000
BEFORE_SENDING = (
    aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL,
)  # fmt: skip
"""What a request may end with before Discord has heard anything."""

FINAL = {
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
"""Refusals by their numbers; asking again is useless."""
NOBODY = frozenset({10013, 50007, 50033, 50278})
"""Of these, the ones that a person will never get a direct message with."""
GONE = 10008
TOO_FAST = 40003
"""Direct messages are being opened too fast; how long to wait is not said."""


class Rest:
    """Requests with the bot's token. What is known to be refused now is not asked at all."""

    def __init__(
        self, token: str, api_url: str = "", *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._token = token
        self._api_url = (api_url or API).rstrip("/")
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._free_at: dict[str, float] = {}
        self._all_free_at = 0.0

    async def call(self, method: str, path: str, bucket: str, **how: Any) -> Any:
        """The JSON of the answer. Raises `NotSent`; `bucket` is what Discord counts together.

        `how`: json or params, as aiohttp takes them.
        """
        self._hold(bucket)
        reach("courier.before_request")
        try:
            async with self._pool().request(
                method, f"{self._api_url}{path}", allow_redirects=False, **how
            ) as answer:
                body = await answer.read()
        except BEFORE_SENDING as error:
            raise NotSent(type(error).__name__) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NotSent(type(error).__name__, certain=False) from error
        reach("courier.after_answer")
        said = _read(body)
        self._note(bucket, answer.headers)
        refused = refusal(answer.status, answer.headers, said)
        if refused:
            self._remember(bucket, refused)
            raise refused
        return said

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                headers={"Authorization": f"Bot {self._token}", "User-Agent": AGENT},
                timeout=aiohttp.ClientTimeout(total=ANSWERING, sock_connect=CONNECTING),
            )
        return self._session

    # --- when to ask --------------------------------------------------------------------------

    def _hold(self, bucket: str) -> None:
        """Too many refused requests shut the bot out of Discord: none is made on purpose."""
        now = self._clock()
        if self._all_free_at > now:
            raise NotSent("ratelimited", wait=self._all_free_at - now, scope="platform")
        left = self._free_at.get(bucket, 0.0) - now
        if left > 0:
            raise NotSent("ratelimited", wait=left)

    def _note(self, bucket: str, headers: Mapping[str, str]) -> None:
        """Discord says with each answer how many more it would take."""
        if headers.get("X-RateLimit-Remaining") == "0":
            self._keep(bucket, _number(headers.get("X-RateLimit-Reset-After")) or 0.0)

    def _remember(self, bucket: str, refused: NotSent) -> None:
        if refused.wait and refused.scope == "platform":
            self._all_free_at = self._clock() + refused.wait
        elif refused.wait:
            self._keep(bucket, refused.wait)

    def _keep(self, bucket: str, wait: float) -> None:
        now = self._clock()
        if len(self._free_at) > MOST_BUCKETS:
            self._free_at = {name: at for name, at in self._free_at.items() if at > now}
        self._free_at[bucket] = now + wait


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def refusal(status: int, headers: Mapping[str, str], said: Any) -> NotSent | None:
    """What an answer means for the message; None where it was taken. `said`: its JSON, if any."""
    if status == 429:
        return _later(headers, said)
    if status >= 500 or status == 408:
        return NotSent(f"http_{status}", certain=False)
    if status == 204:
        return None
    if status < 300:
        return None if said is not None else NotSent("no_answer", certain=False)
    if status == 401:
        # the operator can mend this; what is owed must not be lost meanwhile
        return NotSent("token refused", wait=LONG_WAIT, scope="platform")
    code = said.get("code") if isinstance(said, dict) else None
    if not isinstance(code, int):
        return NotSent(f"http_{status}", wait=LONG_WAIT if status == 403 else 0.0, scope="platform")
    if code == TOO_FAST:
        return NotSent(f"{code} opening too fast", wait=LONG_WAIT)
    return NotSent(f"{code} {FINAL.get(code, 'refused')}", final=True, closed=code in NOBODY)


def _later(headers: Mapping[str, str], said: Any) -> NotSent:
    """A limit of the place or of the bot; without Discord's own mark the network's edge said it."""
    header = _number(headers.get("Retry-After"))
    if not headers.get("Via") or not isinstance(said, dict):
        return NotSent("shut out", wait=header or LONG_WAIT, scope="platform")
    told = _number(said.get("retry_after"))
    wait = max(header or 1.0 if told is None else told, SHORTEST_WAIT)
    whole = said.get("global") is True or headers.get("X-RateLimit-Scope") == "global"
    scope: Scope = "platform" if whole else "place"
    return NotSent("ratelimited", wait=wait, scope=scope)


def _number(said: Any) -> float | None:
    try:
        seconds = float(said)
    except (TypeError, ValueError):
        return None
    return seconds if isfinite(seconds) and seconds >= 0 else None
