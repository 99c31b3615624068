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

SILENT_LOGGER = logging.getLogger("bot.adapters.slack.library")
SILENT_LOGGER.setLevel(
    logging.CRITICAL
)  # at DEBUG the libraries print what people wrote, and codes

PATIENCE = 30.0
MOST_ATTEMPTS = 3
FAILURES = (SlackApiError, aiohttp.ClientError, TimeoutError, ValueError)
"""What a call to Slack may end with besides an answer."""
CONNECT_ERRORS = (
    aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL,
)  # fmt: skip
"""Those of them in which Slack has surely heard nothing."""
CONNECT_TIMEOUT, TOTAL_TIMEOUT, DOWNLOAD_TIMEOUT = 5.0, 9.0, 120.0


class Clients:
    """Clients that share one pool of connections, repeat nothing and use no proxy."""

    def __init__(self, api_url: str, *, patience: float = PATIENCE) -> None:
        self._api_url = api_url
        self._patience = patience
        self._session: aiohttp.ClientSession | None = None

    def client_for(self, token: str | None) -> AsyncWebClient:
        """A client that speaks with this token."""
        client = AsyncWebClient(
            token=token,
            base_url=self._api_url,
            session=self._open_session(),
            logger=SILENT_LOGGER,
            # the default handler sends a message again that had already arrived
            retry_handlers=[],
        )
        client.proxy = None
        return client

    async def call(self, token: str, method: str, **params: Any) -> dict[str, Any]:
        """One call; told to wait, it waits and asks again, a few times."""
        turns = MOST_ATTEMPTS
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
        """One request, never repeated: status, headers, and the JSON of the answer if it is any.

        Raises those of `FAILURES` that the connection may cause; nothing is waited for.
        """
        tells = method.startswith("chat.")
        async with self._open_session().post(
            f"{self._api_url.rstrip('/')}/{method}",
            headers={"Authorization": f"Bearer {token}"},
            json=params if tells else None,
            data=None if tells else params,  # Slack reads no JSON where it is only asked something
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
        async with self._open_session().get(
            url,
            headers={"Authorization": f"Bearer {token}"},
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=DOWNLOAD_TIMEOUT, sock_connect=CONNECT_TIMEOUT),
        ) as answer:
            yield answer

    async def respond(self, url: str, payload: dict[str, Any]) -> bool:
        """An answer to an address Slack gave for it; sent once, told if it was taken."""
        turns = MOST_ATTEMPTS
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
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            timeout = aiohttp.ClientTimeout(total=TOTAL_TIMEOUT, sock_connect=CONNECT_TIMEOUT)
            self._session = aiohttp.ClientSession(timeout=timeout)
        return self._session

    def _retry_after(self, status: int, headers: Any) -> float | None:
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
