"""Turn interactions in Slack into requests to the hub, and its replies into Slack's views."""

import asyncio
import re
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.response import BoltResponse

from bot.adapters.base import ANSWER_TIMEOUT, wait_briefly
from bot.adapters.slack import answers, forms, payloads, render
from bot.adapters.slack.blocks import Json
from bot.adapters.slack.client import FAILURES, Clients, reason
from bot.adapters.slack.forms import Origin
from bot.adapters.slack.payloads import Body, Visitor, get_object, get_text
from bot.adapters.slack.people import People
from bot.adapters.slack.tokens import Tokens
from bot.cards import Card, Form, Reply
from bot.errors import DuplicateEventError
from bot.hub import Hub
from bot.i18n import Translator
from bot.request import Request

log = structlog.get_logger()

LocalizedReply = tuple[Reply, Translator]
TRIGGER_TIMEOUT = 1.2
"""Seconds until a placeholder opens: Slack opens modals only for three seconds after a press."""

_PAGE = re.compile(r"\bpage:\d+$")


class RetryLaterError(Exception):
    """An event could not be handled now; Slack should send it again."""


class InteractionHandler:
    """Answers slash commands, buttons, menus and forms, with calls to the visitor's workspace."""

    def __init__(
        self,
        hub: Hub,
        clients: Clients,
        tokens: Tokens,
        people: People,
        *,
        answer_timeout: float = ANSWER_TIMEOUT,
    ) -> None:
        self._hub = hub
        self._clients = clients
        self._tokens = tokens
        self._people = people
        self._answer_timeout = answer_timeout
        self._running_tasks: set[asyncio.Future[Any]] = set()

    def register(self, app: AsyncApp) -> None:
        """Register the handlers of commands, actions, submissions, suggestions and errors."""
        app.command(re.compile("^/"))(self.on_command)
        app.block_action(re.compile("^say:"))(self.on_action)
        app.view(re.compile("^form$"))(self.on_submission)
        app.options(re.compile(".*"))(self.on_options)
        app.error(self.on_error)

    async def close(self) -> None:
        """Wait up to the answer timeout for running tasks, then cancel the rest."""
        if self._running_tasks:
            await asyncio.wait(self._running_tasks, timeout=self._answer_timeout)
        for task in tuple(self._running_tasks):
            task.cancel()
        await asyncio.gather(*self._running_tasks, return_exceptions=True)

    # --- slash commands -----------------------------------------------------------------------

    async def on_command(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Answer `/wwc …` in the response itself, or later through the response URL."""
        visitor = payloads.command_author(body)
        if not visitor.is_identified:
            await _ignore(ack, "command")
            return
        answer, rest = await wait_briefly(self._answer_command(visitor, body), self._answer_timeout)
        if answer is None:
            self.run_in_background(self._send_late_answer(get_text(body.get("response_url")), rest))
            answer = {"text": self._people.guess_translator(visitor)("One moment…")}
        await (ack(answer) if answer else ack())

    async def _answer_command(self, visitor: Visitor, body: Body) -> Json:
        words, channel = (
            payloads.parse_command_text(body.get("text")),
            get_text(body.get("channel_id")),
        )
        direct = body.get("channel_name") == "directmessage"
        reply, t = await self.ask(visitor, words, channel=channel, direct=direct)
        if isinstance(reply, Form):
            origin = Origin(reply.command, channel, get_text(body.get("response_url")))
            return await self._offer_form(visitor, body, reply, words, origin, t)
        return render.message(reply, t) | answers.response_type(reply)

    async def _send_late_answer(self, url: str, rest: Awaitable[Json]) -> None:
        """Replace «One moment…» by the answer once it is ready.

        Where a modal is the answer, the placeholder is only deleted. A public answer is a new
        message, because the placeholder is visible to the asker alone.
        """
        answer = await rest
        public = answer.get("response_type") == "in_channel"
        if not answer or public:
            await self._clients.respond(url, {"delete_original": True})
        if answer:
            await self._clients.respond(url, answer | {"replace_original": not public})

    async def _offer_form(
        self, visitor: Visitor, body: Body, form: Form, words: str, origin: Origin, t: Translator
    ) -> Json:
        """Open the form and return {}; if Slack did not open it, return a message with a button.

        Slack opens no modal later than three seconds after a command or a press.
        """
        if await self._open_window(visitor, body, render.form(form, t, origin)):
            return {}
        return answers.form_invitation(form, words, t) | {"response_type": "ephemeral"}

    # --- buttons and menus --------------------------------------------------------------------

    async def on_action(self, ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        """Run the command of a button or a menu, and answer where it stands."""
        visitor, words = payloads.interaction_author(body), payloads.action_command(action)
        if not (visitor.is_identified and words):
            await _ignore(ack, "action")
            return
        place = {"modal": self._answer_in_modal, "home": self._answer_in_home}.get(
            get_text(get_object(body, "view").get("type")), self._answer_in_message
        )
        _, rest = await wait_briefly(place(visitor, body, words), self._answer_timeout)
        self.run_in_background(rest)
        await ack()

    async def _answer_in_message(self, visitor: Visitor, body: Body, words: str) -> None:
        """Post the answer below the message; a new page of a private list replaces the old one."""
        channel, url = (
            get_text(get_object(body, "channel").get("id")),
            get_text(body.get("response_url")),
        )
        reply, t = await self.ask(visitor, words, channel=channel)
        if isinstance(reply, Form):
            origin = Origin(reply.command, channel, url)
            answer = await self._offer_form(visitor, body, reply, words, origin, t)
        else:
            answer = render.message(reply, t) | answers.response_type(reply)
        if answer:
            own = get_object(body, "container").get("is_ephemeral") is True
            turned = own and bool(_PAGE.search(words)) and isinstance(reply, Card)
            await self._clients.respond(url, answer | {"replace_original": turned})

    async def _answer_in_modal(self, visitor: Visitor, body: Body, words: str) -> None:
        """Show the answer in place of the modal, or a form on top of it."""
        view = get_object(body, "view")
        origin = Origin.from_view(view) or Origin()
        reply, t = await self.ask(visitor, words, channel=origin.channel)
        shown = answers.build_modal(reply, replace(origin, command=""), t)
        if isinstance(reply, Form):
            trigger = get_text(body.get("trigger_id"))
            if (
                await self.call_slack(visitor, "views.push", trigger_id=trigger, view=shown)
                is not None
            ):
                return
        await self.call_slack(visitor, "views.update", view_id=get_text(view.get("id")), view=shown)

    async def _answer_in_home(self, visitor: Visitor, body: Body, words: str) -> None:
        """Open the answer in a modal and publish the Home tab again."""
        answer, rest = await wait_briefly(
            self.ask(visitor, words), min(self._answer_timeout, TRIGGER_TIMEOUT)
        )
        if answer:
            reply, t = answer
            await self._open_window(visitor, body, answers.build_modal(reply, Origin(), t))
        else:
            view = await self._open_window(
                visitor, body, answers.placeholder_window(self._people.guess_translator(visitor))
            )
            reply, t = await rest
            shown = answers.build_modal(reply, Origin(), t)
            if view:
                await self.call_slack(visitor, "views.update", view_id=view, view=shown)
        await self.publish_home(visitor)

    # --- forms --------------------------------------------------------------------------------

    async def on_submission(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Handle a submitted form: show the problems at its fields, or the answer in its modal."""
        visitor, view = payloads.interaction_author(body), get_object(body, "view")
        origin = Origin.from_view(view)
        if not visitor.is_identified or origin is None or not origin.command:
            t = self._people.guess_translator(visitor)
            await ack(answers.update_action(render.modal(answers.stale_form_card(t), t)))
            return
        work = self.ask(
            visitor,
            origin.command,
            channel=origin.channel,
            values=forms.parse_values(view),
            from_form=True,
        )
        answer, rest = await wait_briefly(work, self._answer_timeout)
        if answer is None:
            self.run_in_background(
                self._send_late_window(visitor, get_text(view.get("id")), origin, rest)
            )
            await ack(
                answers.update_action(
                    answers.placeholder_window(self._people.guess_translator(visitor))
                )
            )
            return
        await ack(self._submission_response(visitor, view, origin, *answer))

    def _submission_response(
        self, visitor: Visitor, view: Body, origin: Origin, reply: Reply, t: Translator
    ) -> Json:
        shown = answers.build_modal(reply, origin, t)
        if isinstance(reply, Form):
            problems = forms.field_errors(reply, view, shown)
            same = bool(problems) and reply.command == origin.command
            return (
                {"response_action": "errors", "errors": problems}
                if same
                else answers.update_action(shown)
            )
        if not origin.channel:
            self.run_in_background(self.publish_home(visitor))
        if not reply.private and origin.response_url:
            answer = (
                render.message(reply, t)
                | answers.response_type(reply)
                | {"replace_original": False}
            )
            self.run_in_background(self._clients.respond(origin.response_url, answer))
            return {"response_action": "clear"}
        return answers.update_action(shown)

    async def _send_late_window(
        self, visitor: Visitor, view: str, origin: Origin, rest: Awaitable[LocalizedReply]
    ) -> None:
        reply, t = await rest
        await self.call_slack(
            visitor, "views.update", view_id=view, view=answers.build_modal(reply, origin, t)
        )

    async def on_options(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Return suggestions for the text typed so far; none if they take too long."""
        offered, rest = await wait_briefly(self._load_suggestions(body), self._answer_timeout)
        if offered is None:
            self.run_in_background(rest)
        await ack({"options": offered or []})

    async def _load_suggestions(self, body: Body) -> list[Json]:
        visitor, origin = (
            payloads.interaction_author(body),
            Origin.from_view(get_object(body, "view")),
        )
        if not visitor.is_identified or origin is None:
            return []
        request = Request(await self._people.load_sender(visitor), origin.command)
        field, typed = get_text(body.get("block_id")), get_text(body.get("value"))
        offered = await self._hub.suggest(request, origin.command, field, typed)
        return forms.choices(offered)

    # --- what all of them need ----------------------------------------------------------------

    async def on_error(self, error: Exception, body: dict[str, Any]) -> BoltResponse:
        """Answer a failed request, of which nothing was saved.

        With the status 503 Slack sends an event again and keeps a form open. A slash command is
        answered with an apology.
        """
        log.error("fault", error=type(error.__cause__ or error).__name__)
        if isinstance(error, RetryLaterError) or body.get("type") == "view_submission":
            return BoltResponse(status=503, body="")
        t = self._people.guess_translator(payloads.command_author(body))
        sorry = t("Something went wrong on our side; nothing was changed.")
        return BoltResponse(status=200, body=sorry if "command" in body else "")

    async def ask(self, visitor: Visitor, words: str, **how: Any) -> LocalizedReply:
        """Return the hub's reply to the visitor's words, and the visitor's translator."""
        sender = await self._people.load_sender(visitor)
        reply = await self._hub(Request(sender, words, **how))
        return reply, await self._people.load_translator(sender)

    async def publish_home(self, visitor: Visitor) -> None:
        """Render the visitor's Home tab and publish it to Slack."""
        reply, t = await self.ask(visitor, "home")
        card = render.form_invitation_card(reply, "home", t) if isinstance(reply, Form) else reply
        await self.call_slack(
            visitor, "views.publish", user_id=visitor.user, view=render.home(card, t)
        )

    async def _open_window(self, visitor: Visitor, body: Body, view: Json) -> str:
        """Open a modal; return its id, or an empty text if Slack did not open it."""
        trigger = get_text(body.get("trigger_id"))
        answer = await self.call_slack(visitor, "views.open", trigger_id=trigger, view=view)
        return get_text(get_object(answer, "view").get("id"))

    async def call_slack(self, visitor: Visitor, method: str, **said: Any) -> Json | None:
        """Call a method in the visitor's workspace; log a failure and return None."""
        token = await self._tokens.token_for(visitor.enterprise, visitor.team)
        if token is None:
            log.warning("not sent", method=method, reason="not installed")
            return None
        try:
            return await self._clients.call(token, method, **said)
        except FAILURES as error:
            log.warning("not sent", method=method, reason=reason(error))
            return None

    def run_in_background(self, work: Awaitable[Any]) -> None:
        """Run work after the answer was sent; `close` waits for it, and its errors are logged."""
        task = asyncio.ensure_future(work)
        self._running_tasks.add(task)
        task.add_done_callback(self._on_task_done)

    def _on_task_done(self, task: asyncio.Future[Any]) -> None:
        self._running_tasks.discard(task)
        failed = not task.cancelled() and task.exception()
        if failed and not isinstance(failed, DuplicateEventError):
            log.error("fault", error=type(failed).__name__)


async def _ignore(ack: AsyncAck, kind: str) -> None:
    log.info("ignored", kind=kind)
    await ack()
