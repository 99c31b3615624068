"""The Slack adapter: receives by signed HTTP or Socket Mode, answers by the Web API."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.adapters.base import ANSWER_TIMEOUT
from bot.adapters.slack import payloads
from bot.adapters.slack.client import SILENT_LOGGER, Clients, reason
from bot.adapters.slack.events import EventListener
from bot.adapters.slack.files import Files
from bot.adapters.slack.guard import Guard, RequestRejectedError
from bot.adapters.slack.install import InstallPages
from bot.adapters.slack.interactions import InteractionHandler
from bot.adapters.slack.people import PLATFORM, People
from bot.adapters.slack.post import SlackDeliveryAdapter
from bot.adapters.slack.tokens import Tokens, TokenStore
from bot.hub import Hub

log = structlog.get_logger()

EVENTS = "/slack/events"
PING_SECONDS, FRESH_SECONDS = 5.0, 1.0
"""Interval of pings, and the age below which an open connection is not replaced."""


class SlackAdapter(SlackDeliveryAdapter):
    """Receives from all workspaces of one Slack app; `SlackDeliveryAdapter` delivers to them.

    With `app_token` it opens a socket; with `signing_secret` it accepts signed requests; with
    client id, client secret and store it lets workspaces install the app and keeps their tokens.
    `answer_timeout` and `patience` are seconds: until «One moment…», and for reading a request.
    """

    platform = PLATFORM

    def __init__(
        self,
        hub: Hub,
        *,
        signing_secret: str = "",
        bot_token: str = "",
        app_token: str = "",
        client_id: str = "",
        client_secret: str = "",
        api_url: str = "https://slack.com/api/",
        authorize_url: str = "https://slack.com/oauth/v2/authorize",
        public_url: str = "",
        store: TokenStore | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        answer_timeout: float = ANSWER_TIMEOUT,
        patience: float = 10.0,
    ) -> None:
        seconds = _clock_seconds(clock)
        many = bool(client_id and client_secret and store)
        self._hub = hub
        self._app_token = app_token
        clients = Clients(api_url)
        super().__init__(clients, Tokens(clients, bot_token, store if many else None), clock)
        self._people = People(
            hub, self._clients, self._tokens, seconds, lookup_timeout=answer_timeout / 4
        )
        self.open_file = Files(clients, self._tokens, api_url).open_file
        self._interactions = InteractionHandler(
            hub, self._clients, self._tokens, self._people, answer_timeout=answer_timeout
        )
        self._events = EventListener(
            hub, self._tokens, self._people, self._interactions, within=answer_timeout
        )
        self._guard = Guard(signing_secret, seconds, patience=patience) if signing_secret else None
        self._socket: _SocketClient | None = None
        self._bolt: AsyncApp | None = None
        self._install: InstallPages | None = None
        if many and store:
            self._install = InstallPages(
                hub, self._clients, store, clock, client_id=client_id,
                client_secret=client_secret, authorize_url=authorize_url, public_url=public_url,
            )  # fmt: skip # one argument a line would make this function too long

    def add_routes(self, app: web.Application) -> None:
        """Add the routes for events and installation; without a signing secret none for events."""
        if self._guard:
            app.router.add_post(EVENTS, self._on_http_request)
        if self._install:
            self._install.add_routes(app)
        app.on_cleanup.append(self._on_cleanup)

    def is_ready(self) -> bool:
        """Return whether events can arrive: by the socket with an app token, else by HTTP."""
        return self._guard is not None if not self._app_token else _is_open(self._socket)

    async def listen(self) -> None:
        """Keep a socket open if there is an app token, else only wait, as HTTP has its routes."""
        try:
            if self._app_token:
                self._socket = _SocketClient(self._app_token, self._clients)
                self._socket.socket_mode_request_listeners.append(self._on_socket_request)
                await self._socket.connect()
                log.info("socket open")
            await asyncio.Event().wait()
        finally:
            await self.close()

    async def close(self) -> None:
        """Finish the running answers and close all connections."""
        await self._interactions.close()
        if self._socket:
            await self._socket.close()  # type: ignore[no-untyped-call] # untyped in the library
        await self._people.close()
        await self._clients.close()

    # --- what comes in ------------------------------------------------------------------------

    async def _on_http_request(self, request: web.Request) -> web.Response:
        """Answer one signed request; malformed content is rejected and raises nothing."""
        assert self._guard is not None  # noqa: S101 - the route exists only with a guard
        try:
            body = await self._guard.admit(request)
            bolt = self._bolt_request(body)
        except RequestRejectedError as rejected:
            log.info("rejected", status=rejected.status)
            return web.Response(status=rejected.status)
        if bolt is None:
            return web.Response(status=400)
        return await to_aiohttp_response(await self._dispatch(bolt))

    async def _on_socket_request(
        self, client: AsyncBaseSocketModeClient, request: SocketModeRequest
    ) -> None:
        """Answer one request of the socket, which needs no signature: the app token opened it."""
        bolt = self._bolt_request(dict(request.payload))
        answer = await self._dispatch(bolt) if bolt else BoltResponse(status=200, body="")
        try:
            await send_async_response(client, request, answer, time.time())
        except Exception as error:  # the connection was lost; Slack sends the envelope again
            log.warning("not acknowledged", error=type(error).__name__)

    def _bolt_request(self, body: dict[str, Any]) -> AsyncBoltRequest | None:
        """Return Bolt's request, or None for content of a shape that Slack never sends."""
        try:
            # the content is passed already parsed: Bolt's own parser loses a command whose text
            # contains «payload», and fails on much that is rejected here
            return AsyncBoltRequest(body=body, mode="socket_mode")
        except (AttributeError, TypeError, ValueError, KeyError, IndexError):
            return None

    async def _dispatch(self, request: AsyncBoltRequest) -> BoltResponse:
        body = request.body
        if body.get("type") == "event_callback" and not payloads.event_type(body):
            log.info("ignored", kind="event")
            return BoltResponse(status=200, body="")
        try:
            answer = await self._get_bolt_app().async_dispatch(request)
        except Exception as error:  # Bolt fails on shapes that Slack does not send
            log.info(
                "ignored", kind=payloads.get_text(body.get("type")), error=type(error).__name__
            )
            return BoltResponse(status=200, body="")
        if answer.status in (404, 500):
            # no handler is registered for it, or it lacks what its type promises
            log.info("ignored", kind=payloads.get_text(body.get("type")), status=answer.status)
            return BoltResponse(status=200, body="")
        return answer

    def _get_bolt_app(self) -> AsyncApp:
        if self._bolt is None:
            self._bolt = AsyncApp(
                name="hub",
                logger=SILENT_LOGGER,
                client=self._clients.client_for(None),
                authorize=_authorize,
                # answer in the response itself: the default runner polls every 10 ms
                process_before_response=True,
                request_verification_enabled=False,  # done before, on the raw bytes
                ignoring_self_events_enabled=False,  # recognised by author, without a call
                attaching_function_token_enabled=False,
            )
            self._interactions.register(self._bolt)
            self._events.register(self._bolt)
        return self._bolt

    async def _on_cleanup(self, app: web.Application) -> None:
        await self.close()


class _SocketClient(SocketModeClient):
    """A Socket Mode connection that logs when it cannot be opened, and uses no proxy."""

    def __init__(self, app_token: str, clients: Clients) -> None:
        super().__init__(
            app_token,
            logger=SILENT_LOGGER,
            web_client=clients.client_for(None),
            ping_interval=PING_SECONDS,
        )
        self.proxy = None
        self._connected_at = 0.0
        self._reconnect_lock = asyncio.Lock()

    async def connect(self) -> None:
        await super().connect()  # type: ignore[no-untyped-call] # untyped in the library
        self._connected_at = time.monotonic()

    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        """Connect again, but only once per lost connection.

        The library calls this both for Slack's disconnect message and for the closed connection.
        """
        async with self._reconnect_lock:
            fresh = (
                time.monotonic() - self._connected_at < FRESH_SECONDS and await self.is_connected()
            )
            if not (force and fresh):
                await super().connect_to_new_endpoint(force)

    async def issue_new_wss_url(self) -> str:
        try:
            return await super().issue_new_wss_url()
        except Exception as error:
            log.warning("no socket", reason=reason(error))
            raise


def _is_open(socket: _SocketClient | None) -> bool:
    session = socket.current_session if socket else None
    return session is not None and not session.closed


async def _authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
    """Authorize without a token: most answers need none, and calls to Slack look theirs up."""
    return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id)


def _clock_seconds(clock: Callable[[], datetime]) -> Callable[[], float]:
    return lambda: clock().timestamp()
