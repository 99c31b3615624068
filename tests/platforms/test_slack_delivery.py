"""How the loopback Slack reaches a bot: retries, deadlines, signatures, Socket Mode."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_sdk.web.async_client import AsyncWebClient

from tests.platforms.slack import LoopbackSlack, User, sign
from tests.platforms.slack_bot import Bot, bolt, refused, serving


@pytest.fixture
async def slack() -> AsyncIterator[LoopbackSlack]:
    async with LoopbackSlack() as loopback:
        yield loopback


@pytest.fixture
def ana(slack: LoopbackSlack) -> User:
    return slack.add_user(slack.team, "ana", tz="America/Bogota", locale="es-LA")


@pytest.fixture
def client(slack: LoopbackSlack) -> AsyncWebClient:
    return AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])


@pytest.fixture
async def bot(slack: LoopbackSlack, client: AsyncWebClient) -> AsyncIterator[Bot]:
    tiny = bolt(slack, client)
    async with serving(slack, tiny.app.web_app("/slack/events")):
        yield tiny


def one_function(answer: Callable[[web.Request], Awaitable[web.Response]]) -> web.Application:
    """A bot that is one function."""
    app = web.Application()
    app.router.add_post("/slack/events", answer)
    return app


class TestDeliveries:
    """How the world reaches a bot that is slow, broken or picky."""

    async def test_a_failing_bot_gets_an_event_four_times(self, slack: LoopbackSlack) -> None:
        """With the number and the reason of each retry; X-Slack-No-Retry ends it."""
        seen: list[tuple[str | None, str | None]] = []
        stop: list[str] = []

        async def fail(request: web.Request) -> web.Response:
            names = ("X-Slack-Retry-Num", "X-Slack-Retry-Reason")
            seen.append((request.headers.get(names[0]), request.headers.get(names[1])))
            return web.Response(status=500, headers=dict.fromkeys(stop, "1"))

        async with serving(slack, one_function(fail)):
            await slack.event(slack.team, {"type": "x"})
            retried = [("1", "http_error"), ("2", "http_error"), ("3", "http_error")]
            assert seen == [(None, None), *retried]
            stop.append("X-Slack-No-Retry")
            assert (await slack.event(slack.team, {"type": "x"})).attempts == 1

    async def test_a_late_answer_counts_as_missed(self, slack: LoopbackSlack, ana: User) -> None:
        """Slack hangs up after its deadline and does not repeat a command."""
        slack.delivery.deadline = 0.05

        async def dawdle(_: web.Request) -> web.Response:
            await asyncio.sleep(0.2)
            return web.Response()

        async with serving(slack, one_function(dawdle)):
            act = await slack.command(ana, "/wwc", "help")
        assert (act.status, act.ok, slack.missed_acks) == (0, False, 1)

    async def test_a_signature_is_over_time_and_body(self, slack: LoopbackSlack, bot: Bot) -> None:
        """`sign` makes good headers and, with another secret or time, bad ones."""
        body = '{"type":"url_verification","challenge":"c"}'
        now = slack.base()
        async with aiohttp.ClientSession() as http:
            for secret, at, status in ((slack.signing_secret, now, 200), ("wrong", now, 401),
                                       (slack.signing_secret, now - 600, 401)):  # fmt: skip
                headers = {"Content-Type": "application/json", **sign(body, at, secret)}
                url = f"{slack.bot_url}/slack/events"
                async with http.post(url, data=body, headers=headers) as answer:
                    assert answer.status == status

    async def test_without_a_bot_nothing_can_be_said(self, slack: LoopbackSlack, ana: User) -> None:
        """A forgotten bot_url is told plainly."""
        with pytest.raises(RuntimeError, match="bot_url"):
            await slack.command(ana, "/wwc")


class TestSocketMode:
    """The same acts through envelopes when the bot has connected itself."""

    async def test_commands_presses_and_events_travel_by_socket(
        self, slack: LoopbackSlack, client: AsyncWebClient, ana: User
    ) -> None:
        """Answers ride in the acknowledgement; a refresh brings a new connection."""
        bot = bolt(slack, client)
        handler: Any = AsyncSocketModeHandler(bot.app, slack.app_token, ping_interval=0.2)
        await handler.connect_async()
        try:
            await slack.until(lambda: slack.connections == 1)
            act = await slack.command(ana, "/wwc", "card")
            assert act.card is not None
            await slack.press(ana, act, "Meet Ana")
            await slack.dm(ana, "hello")
            await slack.until(lambda: len(bot.heard) == 3)

            await slack.disconnect_sockets()
            await slack.until(lambda: slack.connections == 1)
            assert (await slack.command(ana, "/wwc", "card")).card is not None
            assert (slack.violations, slack.missed_acks) == ([], 0)
        finally:
            await handler.close_async()

    async def test_only_the_app_token_opens_a_connection(
        self, slack: LoopbackSlack, client: AsyncWebClient
    ) -> None:
        """A bot token is the wrong kind, and an app token cannot post."""
        opened = client.apps_connections_open(app_token=slack.bot_token)
        assert await refused(opened) == "not_allowed_token_type"
        posted = client.chat_postMessage(channel="C0", text="x", token=slack.app_token)
        assert await refused(posted) == "not_allowed_token_type"
