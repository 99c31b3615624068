"""Create the clients of Slack's Web API and set their timeouts and retries, only here."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from yarl import URL

log = structlog.get_logger()

SILENT_LOGGER = logging.getLogger("bot.adapters.slack.library")
# at DEBUG the libraries print what people wrote, and secret codes
SILENT_LOGGER.setLevel(logging.CRITICAL)

PATIENCE = 30.0
"""Longest wait in seconds that a 429 may ask for; a call that has to wait longer fails."""
MAX_ATTEMPTS = 3
FAILURES = (SlackApiError, aiohttp.ClientError, TimeoutError, ValueError)
"""The exceptions that a call to Slack may raise."""
CONNECT_ERRORS = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
)
"""Those of `FAILURES` after which Slack certainly received nothing."""
CONNECT_TIMEOUT, TOTAL_TIMEOUT, DOWNLOAD_TIMEOUT = 5.0, 9.0, 120.0
"""Seconds to connect, for a whole call, and for a whole download."""


class Clients:
    """Makes clients that share one pool of connections, never retry by themselves, use no proxy."""

    def __init__(self, api_url: str, *, patience: float = PATIENCE) -> None:
        self._api_url = api_url
        self._patience = patience
        self._session: aiohttp.ClientSession | None = None

    def client_for(self, token: str | None) -> AsyncWebClient:
        """Return a client that calls with this token; with None, it calls without one."""
        client = AsyncWebClient(
            token=token,
            base_url=self._api_url,
            session=self._open_session(),
            logger=SILENT_LOGGER,
            # the default handler would post a message again that had already arrived
            retry_handlers=[],
        )
        client.proxy = None
        return client

    async def call(self, token: str, method: str, **params: Any) -> dict[str, Any]:
        """Call a method and return the answer; after a 429, wait and try again.

        Makes at most `MAX_ATTEMPTS` attempts. Raises one of `FAILURES`.
        """
        turns = MAX_ATTEMPTS
        while True:
            turns -= 1
            try:
                answer = await self.client_for(token).api_call(method, json=params)
            except SlackApiError as error:
                wait = self._retry_after(error.response.status_code, error.response.headers)
                if wait is None or not turns:
                    raise
            else:
                return answer.data if isinstance(answer.data, dict) else {}
            await asyncio.sleep(wait)

    async def post_once(
        self, token: str, method: str, params: Mapping[str, Any]
    ) -> tuple[int, Mapping[str, str], Any]:
        """Send one request and never repeat it, whatever the answer is.

        Returns the status, the headers, and the JSON of the answer or None if it is not JSON.
        Raises those of `FAILURES` that the connection may cause.
        """
        tells = method.startswith("chat.")
        async with self._open_session().post(
            f"{self._api_url.rstrip('/')}/{method}",
            headers={"Authorization": f"Bearer {token}"},
            json=params if tells else None,
            data=None if tells else params,  # methods that only read accept no JSON
            allow_redirects=False,  # no other address may get the token
        ) as answer:
            body = await answer.read()
        try:
            return answer.status, answer.headers, json.loads(body)
        except ValueError:
            return answer.status, answer.headers, None

    @asynccontextmanager
    async def download(self, url: URL, token: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """Open an address of Slack with this token; redirects are not followed, to protect it."""
        async with self._open_session().get(
            url,
            headers={"Authorization": f"Bearer {token}"},
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=DOWNLOAD_TIMEOUT, sock_connect=CONNECT_TIMEOUT),
        ) as answer:
            yield answer

    async def respond(self, url: str, payload: dict[str, Any]) -> bool:
        """Post an answer to a response URL of Slack; return whether Slack accepted it.

        Only after a 429 is it posted again.
        """
        turns = MAX_ATTEMPTS
        while True:
            turns -= 1
            try:
                async with self._open_session().post(url, json=payload) as answer:
                    status, wait = answer.status, self._retry_after(answer.status, answer.headers)
            except FAILURES as error:
                log.warning("no answer given", error=type(error).__name__)
                return False
            if status < 400:
                return True
            if wait is None or not turns:
                log.warning("answer refused", status=status)
                return False
            await asyncio.sleep(wait)

    async def close(self) -> None:
        """Close the pool of connections."""
        if self._session is not None:
            await self._session.close()

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            timeout = aiohttp.ClientTimeout(total=TOTAL_TIMEOUT, sock_connect=CONNECT_TIMEOUT)
            self._session = aiohttp.ClientSession(timeout=timeout)
        return self._session

    def _retry_after(self, status: int, headers: Any) -> float | None:
        """Return the seconds a 429 asks to wait; None for another status or too long a wait."""
        if status != 429:
            return None
        try:
            wait = float({k.lower(): v for k, v in headers.items()}.get("retry-after", 1))
        except ValueError:
            wait = 1.0
        return wait if 0 <= wait <= self._patience else None


def reason(error: BaseException) -> str:
    """Return Slack's error code or the exception's class name, never the exception's text."""
    if isinstance(error, SlackApiError) and isinstance(error.response.data, dict):
        return str(error.response.data.get("error", "unknown"))
    return type(error).__name__
