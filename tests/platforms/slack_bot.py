"""A tiny Bolt app and its cards, with which the loopback Slack's own tests are told."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.platforms.slack import LoopbackSlack

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def button(text: str, value: str = "intro 42", action: str = "say") -> Json:
    return {"type": "button", "text": plain(text), "value": value, "action_id": action}


def option(text: str, value: str) -> Json:
    return {"text": plain(text), "value": value}


def field_of(block_id: str, element: Json, **more: Any) -> Json:
    return {
        "type": "input",
        "block_id": block_id,
        "label": plain(block_id.title()),
        "element": {"action_id": "value", **element},
        **more,
    }


CARD: Json = {
    "text": "Ana knows open data",
    "blocks": [
        {"type": "section", "text": plain("Ana knows open data")},
        {"type": "actions", "elements": [button("Meet Ana")]},
    ],
}
PICKS = [option("Gold", "gold"), option("Silver", "silver")]
FORM: Json = {
    "type": "modal",
    "callback_id": "form",
    "title": plain("Find people"),
    "submit": plain("Find"),
    "blocks": [
        field_of("topic", {"type": "plain_text_input", "min_length": 2, "max_length": 80}),
        field_of("level", {"type": "static_select", "options": PICKS}, optional=True),
        field_of("areas", {"type": "checkboxes", "options": PICKS}, optional=True),
        field_of("city", {"type": "external_select", "min_query_length": 1}, optional=True),
        field_of("day", {"type": "datepicker", "initial_date": "2026-03-01"}),
    ],
}
HOME = {"type": "home", "blocks": CARD["blocks"]}


@dataclass
class Bot:
    """A tiny Bolt app on its own port, and what it has heard."""

    app: AsyncApp
    heard: list[Json] = field(default_factory=list)


def bolt(slack: LoopbackSlack, client: AsyncWebClient) -> Bot:
    """The app that listens to everything the tests do."""
    app = AsyncApp(client=client, signing_secret=slack.signing_secret, process_before_response=True)
    bot = Bot(app)
    _listen(bot)
    return bot


@asynccontextmanager
async def serving(slack: LoopbackSlack, app: web.Application) -> AsyncIterator[None]:
    """The bot's own HTTP server, known to Slack by its address."""
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.bot_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield
    finally:
        await runner.cleanup()


def _listen(bot: Bot) -> None:
    """Each verb of the tests' command shows one thing a bot can do."""

    async def command(ack: Any, respond: Any, client: Any, body: Json) -> None:
        bot.heard.append(body)
        match body["text"]:
            case "card":
                await ack(**CARD)
            case "later":
                await ack("one moment")
                await respond(**CARD, replace_original=True)
            case "form":
                await ack()
                await client.views_open(trigger_id=body["trigger_id"], view=FORM)
            case "broken":
                await ack(text="x", blocks=[{"type": "header", "text": plain("x" * 151)}])
            case _:
                await ack()

    async def heard(ack: Any, body: Json, respond: Any = None) -> None:
        bot.heard.append(body)
        await ack()
        if respond and body.get("response_url"):
            await respond("pressed", replace_original=False)

    async def event(body: Json, client: Any) -> None:
        bot.heard.append(body)
        if body["event"]["type"] == "app_home_opened":
            await client.views_publish(user_id=body["event"]["user"], view=HOME)

    async def submitted(ack: Any, body: Json) -> None:
        bot.heard.append(body)
        topic = body["view"]["state"]["values"]["topic"]["value"]["value"]
        answers: dict[str, Json] = {
            "wrong": {"response_action": "errors", "errors": {"topic": "no such topic"}},
            "more": {"response_action": "push", "view": FORM},
            "again": {"response_action": "update", "view": {**FORM, "title": plain("Again")}},
        }
        await ack(**answers.get(topic, {}))

    async def options(ack: Any, payload: Json) -> None:
        await ack(options=[option(f"{payload['value']} City", "c1")])

    bot.app.command("/wwc")(command)
    bot.app.action("say")(heard)
    bot.app.action("pick")(heard)
    bot.app.view("form")(submitted)
    bot.app.view_closed("form")(heard)
    bot.app.options("value")(options)
    for name in ("message", "app_mention", "app_home_opened", "app_uninstalled", "tokens_revoked",
                 "reaction_added", "reaction_removed"):  # fmt: skip
        bot.app.event(name)(event)


async def refused(call: Awaitable[Any]) -> str:
    """The error code of a call that Slack does not accept."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])
