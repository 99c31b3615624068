"""The one place where clients of Slack's Web API are made, and how they wait."""

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

QUIET = logging.getLogger("bot.adapters.slack.library")
QUIET.setLevel(logging.CRITICAL)  # at DEBUG the libraries print what people wrote, and codes

PATIENCE = 30.0
TURNS = 3
FAILURES = (SlackApiError, aiohttp.ClientError, TimeoutError, ValueError)
"""What a call to Slack may end with besides an answer."""
BEFORE_SENDING = (
    aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL,
)  # fmt: skip
"""Those of them in which Slack has surely heard nothing."""
CONNECTING, ANSWERING, DOWNLOADING = 5.0, 9.0, 120.0


class Clients:
    """Clients that share one pool of connections, repeat nothing and use no proxy."""

    def __init__(self, api_url: str, *, patience: float = PATIENCE) -> None:
        self._api_url = api_url
        self._patience = patience
        self._session: aiohttp.ClientSession | None = None

    def of(self, token: str | None) -> AsyncWebClient:
        """A client that speaks with this token."""
        client = AsyncWebClient(
            token=token,
            base_url=self._api_url,
            session=self._pool(),
            logger=QUIET,
            # the default handler sends a message again that had already arrived
            retry_handlers=[],
        )
        client.proxy = None
        return client

    async def call(self, token: str, method: str, **said: Any) -> dict[str, Any]:
        """One call; told to wait, it waits and asks again, a few times."""
        turns = TURNS
        while True:
            turns -= 1
            try:
                answer = await self.of(token).api_call(method, json=said)
            except SlackApiError as error:
                wait = self._wait(error.response.status_code, error.response.headers)
                if wait is None or not turns:
                    raise
            else:
                return answer.data if isinstance(answer.data, dict) else {}
            await asyncio.sleep(wait)

    async def once(
        self, token: str, method: str, said: Mapping[str, Any]
    ) -> tuple[int, Mapping[str, str], Any]:
        """One request, never repeated: status, headers, and the JSON of the answer if it is any.

        Raises those of `FAILURES` that the connection may cause; nothing is waited for.
        """
        tells = method.startswith("chat.")
        async with self._pool().post(
            f"{self._api_url.rstrip('/')}/{method}",
            headers={"Authorization": f"Bearer {token}"},
            json=said if tells else None,
            data=None if tells else said,  # Slack reads no JSON where it is only asked something
            allow_redirects=False,  # another address must not get the token
        ) as answer:
            body = await answer.read()
        try:
            return answer.status, answer.headers, json.loads(body)
        except ValueError:
            return answer.status, answer.headers, None

    @asynccontextmanager
    async def download(self, url: URL, token: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """What is at an address of Slack's that this token opens; another one does not get it."""
        async with self._pool().get(
            url,
            headers={"Authorization": f"Bearer {token}"},
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=DOWNLOADING, sock_connect=CONNECTING),
        ) as answer:
            yield answer

    async def respond(self, url: str, payload: dict[str, Any]) -> bool:
        """An answer to an address Slack gave for it; sent once, told if it was taken."""
        turns = TURNS
        while True:
            turns -= 1
            try:
                async with self._pool().post(url, json=payload) as answer:
                    status, wait = answer.status, self._wait(answer.status, answer.headers)
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
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            timeout = aiohttp.ClientTimeout(total=ANSWERING, sock_connect=CONNECTING)
            self._session = aiohttp.ClientSession(timeout=timeout)
        return self._session

    def _wait(self, status: int, headers: Any) -> float | None:
        """The seconds a 429 asks for; None if it is none, or asks for more than there is."""
        if status != 429:
            return None
        try:
            wait = float({k.lower(): v for k, v in headers.items()}.get("retry-after", 1))
        except ValueError:
            wait = 1.0
        return wait if 0 <= wait <= self._patience else None


def reason(error: BaseException) -> str:
    """Slack's word for what went wrong, or the kind of the fault; never the text of it."""
    if isinstance(error, SlackApiError) and isinstance(error.response.data, dict):
        return str(error.response.data.get("error", "unknown"))
    return type(error).__name__
