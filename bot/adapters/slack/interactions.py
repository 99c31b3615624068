"""What people do in Slack becomes a request, and the hub's reply becomes what Slack shows."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.response import BoltResponse

from bot.adapters.base import ANSWER_WITHIN, Turns, soon
from bot.adapters.slack import answers, forms, hearing, payloads, render
from bot.adapters.slack.blocks import Json
from bot.adapters.slack.client import FAILURES, Clients, reason
from bot.adapters.slack.forms import Origin
from bot.adapters.slack.payloads import Body, Visitor, part, text
from bot.adapters.slack.people import PLATFORM, People
from bot.adapters.slack.tokens import Tokens
from bot.cards import Card, Form, Reply
from bot.errors import Repeated
from bot.hub import Hub
from bot.i18n import Translator
from bot.request import Request

log = structlog.get_logger()

Answered = tuple[Reply, Translator]
TRIGGER_WITHIN = 1.2
"""Seconds until a window is opened anyway: Slack takes it for three seconds after the press."""

_PAGE = re.compile(r"\bpage:\d+$")


class TellAgain(Exception):  # noqa: N818 - an answer to Slack, which then sends the event again
    """An event could not be taken now."""


class Talk:
    """Listeners for everything Slack tells the hub."""

    def __init__(
        self,
        hub: Hub,
        clients: Clients,
        tokens: Tokens,
        people: People,
        *,
        within: float = ANSWER_WITHIN,
    ) -> None:
        self._hub = hub
        self._clients = clients
        self._tokens = tokens
        self._people = people
        self._within = within
        self._turns = Turns()
        self._running: set[asyncio.Future[Any]] = set()
        self._events: dict[str, Callable[[Visitor, Body], Coroutine[Any, Any, None]]] = {
            "app_home_opened": self._home_opened,
            "app_mention": self._mentioned,
            "message": self._written,
            "reaction_added": self._marked,
            "reaction_removed": self._marked,
            "app_uninstalled": self._removed,
            "tokens_revoked": self._removed,
        }

    def register(self, app: AsyncApp) -> None:
        """Everything the manifest subscribes to."""
        app.command(re.compile("^/"))(self.command)
        app.block_action(re.compile("^say:"))(self.press)
        app.view(re.compile("^form$"))(self.submit)
        app.options(re.compile(".*"))(self.suggest)
        app.event(re.compile(".*"))(self.event)
        app.error(self.fault)

    async def close(self) -> None:
        """What is still being answered gets a moment, then ends."""
        if self._running:
            await asyncio.wait(self._running, timeout=self._within)
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    # --- slash commands -----------------------------------------------------------------------

    async def command(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """`/wwc …`: the answer is in the response itself."""
        visitor = payloads.commander(body)
        if not visitor.known:
            await _ignored(ack, "command")
            return
        answer, rest = await soon(self._commanded(visitor, body), self._within)
        if answer is None:
            self._later(self._late(text(body.get("response_url")), rest))
            answer = {"text": self._people.guess(visitor)("One moment…")}
        await (ack(answer) if answer else ack())

    async def _commanded(self, visitor: Visitor, body: Body) -> Json:
        words, channel = payloads.spoken(body.get("text")), text(body.get("channel_id"))
        direct = body.get("channel_name") == "directmessage"
        reply, t = await self._ask(visitor, words, channel=channel, direct=direct)
        if isinstance(reply, Form):
            origin = Origin(reply.command, channel, text(body.get("response_url")))
            return await self._form(visitor, body, reply, words, origin, t)
        return render.message(reply, t) | answers.seen_by(reply)

    async def _late(self, url: str, rest: Awaitable[Json]) -> None:
        """The answer takes the place of «one moment»; a window needs only that it goes."""
        answer = await rest
        public = answer.get("response_type") == "in_channel"
        if not answer or public:
            await self._clients.respond(url, {"delete_original": True})
        if answer:
            await self._clients.respond(url, answer | {"replace_original": not public})

    async def _form(
        self, visitor: Visitor, body: Body, form: Form, words: str, origin: Origin, t: Translator
    ) -> Json:
        """Open the form; where that comes too late, offer a button that does."""
        if await self._open(visitor, body, render.form(form, t, origin)):
            return {}
        return answers.invitation(form, words, t) | {"response_type": "ephemeral"}

    # --- buttons and menus --------------------------------------------------------------------

    async def press(self, ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        """A button or a menu says its command."""
        visitor, words = payloads.actor(body), payloads.pressed(action)
        if not (visitor.known and words):
            await _ignored(ack, "action")
            return
        place = {"modal": self._in_modal, "home": self._in_home}.get(
            text(part(body, "view").get("type")), self._in_message
        )
        _, rest = await soon(place(visitor, body, words), self._within)
        self._later(rest)
        await ack()

    async def _in_message(self, visitor: Visitor, body: Body, words: str) -> None:
        """The answer comes below; a page takes the place of the page before."""
        channel, url = text(part(body, "channel").get("id")), text(body.get("response_url"))
        reply, t = await self._ask(visitor, words, channel=channel)
        if isinstance(reply, Form):
            origin = Origin(reply.command, channel, url)
            answer = await self._form(visitor, body, reply, words, origin, t)
        else:
            answer = render.message(reply, t) | answers.seen_by(reply)
        if answer:
            own = part(body, "container").get("is_ephemeral") is True
            turned = own and bool(_PAGE.search(words)) and isinstance(reply, Card)
            await self._clients.respond(url, answer | {"replace_original": turned})

    async def _in_modal(self, visitor: Visitor, body: Body, words: str) -> None:
        """The answer takes the window's place; a form lies on top of it."""
        view = part(body, "view")
        origin = Origin.of(view) or Origin()
        reply, t = await self._ask(visitor, words, channel=origin.channel)
        shown = answers.window(reply, replace(origin, command=""), t)
        if isinstance(reply, Form):
            trigger = text(body.get("trigger_id"))
            if await self._send(visitor, "views.push", trigger_id=trigger, view=shown) is not None:
                return
        await self._send(visitor, "views.update", view_id=text(view.get("id")), view=shown)

    async def _in_home(self, visitor: Visitor, body: Body, words: str) -> None:
        """The answer opens in a window, and the tab behind it is drawn anew."""
        answer, rest = await soon(self._ask(visitor, words), min(self._within, TRIGGER_WITHIN))
        if answer:
            reply, t = answer
            await self._open(visitor, body, answers.window(reply, Origin(), t))
        else:
            view = await self._open(visitor, body, answers.waiting(self._people.guess(visitor)))
            reply, t = await rest
            shown = answers.window(reply, Origin(), t)
            if view:
                await self._send(visitor, "views.update", view_id=view, view=shown)
        await self._publish(visitor)

    # --- forms --------------------------------------------------------------------------------

    async def submit(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """A filled-in form: its problems beside its fields, or the answer in its window."""
        visitor, view = payloads.actor(body), part(body, "view")
        origin = Origin.of(view)
        if not visitor.known or origin is None or not origin.command:
            t = self._people.guess(visitor)
            await ack(answers.update(render.modal(answers.outdated(t), t)))
            return
        work = self._ask(
            visitor, origin.command,
            channel=origin.channel, values=forms.values(view), submitted=True,
        )  # fmt: skip
        answer, rest = await soon(work, self._within)
        if answer is None:
            self._later(self._late_window(visitor, text(view.get("id")), origin, rest))
            await ack(answers.update(answers.waiting(self._people.guess(visitor))))
            return
        await ack(self._submitted(visitor, view, origin, *answer))

    def _submitted(
        self, visitor: Visitor, view: Body, origin: Origin, reply: Reply, t: Translator
    ) -> Json:
        shown = answers.window(reply, origin, t)
        if isinstance(reply, Form):
            problems = forms.errors(reply, view, shown)
            same = bool(problems) and reply.command == origin.command
            return (
                {"response_action": "errors", "errors": problems} if same else answers.update(shown)
            )
        if not origin.channel:
            self._later(self._publish(visitor))
        if not reply.private and origin.response_url:
            answer = render.message(reply, t) | answers.seen_by(reply) | {"replace_original": False}
            self._later(self._clients.respond(origin.response_url, answer))
            return {"response_action": "clear"}
        return answers.update(shown)

    async def _late_window(
        self, visitor: Visitor, view: str, origin: Origin, rest: Awaitable[Answered]
    ) -> None:
        reply, t = await rest
        await self._send(
            visitor, "views.update", view_id=view, view=answers.window(reply, origin, t)
        )

    async def suggest(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """Completions while somebody types in a field."""
        offered, rest = await soon(self._suggested(body), self._within)
        if offered is None:
            self._later(rest)
        await ack({"options": offered or []})

    async def _suggested(self, body: Body) -> list[Json]:
        visitor, origin = payloads.actor(body), Origin.of(part(body, "view"))
        if not visitor.known or origin is None:
            return []
        request = Request(await self._people.sender(visitor), origin.command)
        field, typed = text(body.get("block_id")), text(body.get("value"))
        offered = await self._hub.suggest(request, origin.command, field, typed)
        return forms.choices(offered)

    # --- events -------------------------------------------------------------------------------

    async def event(self, body: dict[str, Any]) -> None:
        """One event, once: Slack sends some of them again."""
        handle, name = self._events.get(payloads.kind(body)), text(body.get("event_id"))
        if handle is None or not name:
            log.info("ignored", kind=payloads.kind(body))
            return
        try:
            if await self._conversing(body):
                return
            # told twice, the hub answers once; what could not be saved must be told again
            _, rest = await soon(handle(payloads.author(body), body), self._within)
            self._later(rest)
        except Repeated:
            log.info("ignored", kind=payloads.kind(body), again=True)
        except Exception as error:
            raise TellAgain from error

    async def _conversing(self, body: Body) -> bool:
        """Was it part of a conversation with somebody elsewhere? What is to be said, is."""
        found = hearing.read(body)
        if found is None or not await self._lives_in(found.visitor):
            return False
        async with self._turns.of(found.channel):
            heard = found.heard(await self._people.sender(found.visitor))
            taken = await self._hub.heard(heard)
        if taken and isinstance(taken.say, Card):
            t = await self._people.translator(heard.sender)
            said = {"channel": heard.channel, **_in(heard.under), **render.message(taken.say, t)}
            self._later(self._send(found.visitor, "chat.postMessage", **said))
        return taken is not None

    async def _home_opened(self, visitor: Visitor, body: Body) -> None:
        if part(body, "event").get("tab") == "home" and await self._lives_in(visitor):
            await self._publish(visitor)

    async def _mentioned(self, visitor: Visitor, body: Body) -> None:
        """Named in a channel: a private answer is seen by the asker alone."""
        event = part(body, "event")
        channel, thread = text(event.get("channel")), text(event.get("thread_ts"))
        if _by_person(event) and await self._lives_in(visitor):
            reply, t = await self._heard(visitor, body)
            public = isinstance(reply, Card) and not reply.private
            method = "chat.postMessage" if public else "chat.postEphemeral"
            alone = {} if public else {"user": visitor.user}
            message = answers.posted(
                reply, payloads.spoken(event.get("text"), payloads.own(body)), t
            )
            await self._send(visitor, method, channel=channel, **alone, **_in(thread), **message)

    async def _written(self, visitor: Visitor, body: Body) -> None:
        """A direct message to the hub."""
        event = part(body, "event")
        direct = event.get("channel_type") == "im"
        if direct and _by_person(event) and await self._lives_in(visitor):
            reply, t = await self._heard(visitor, body, direct=True)
            message = answers.posted(reply, payloads.spoken(event.get("text")), t)
            place = {"channel": text(event.get("channel")), **_in(text(event.get("thread_ts")))}
            await self._send(visitor, "chat.postMessage", **place, **message)

    async def _marked(self, visitor: Visitor, body: Body) -> None:
        """A reaction outside of any conversation means nothing."""

    async def _heard(self, visitor: Visitor, body: Body, *, direct: bool = False) -> Answered:
        event = part(body, "event")
        words = payloads.spoken(event.get("text"), payloads.own(body))
        name, channel = text(body.get("event_id")), text(event.get("channel"))
        once: dict[str, Any] = {"event": f"{PLATFORM}:{name}", "retold": True}
        return await self._ask(visitor, words, channel=channel, direct=direct, **once)

    async def _removed(self, visitor: Visitor, body: Body) -> None:
        """Taken out of a workspace: its token goes, unless the hub is back already."""
        event, granted = part(body, "event"), payloads.authorization(body)
        if event.get("type") == "tokens_revoked" and not part(event, "tokens").get("bot"):
            return
        at = body.get("event_time")
        team = "" if granted.get("is_enterprise_install") is True else visitor.team
        seconds = at if isinstance(at, int) else 2**62
        if await self._tokens.forget(visitor.enterprise, team, seconds):
            await self._hub.removed(PLATFORM, visitor.team)

    # --- what all of them need ----------------------------------------------------------------

    async def fault(self, error: Exception, body: dict[str, Any]) -> BoltResponse:
        """Nothing was saved: an event comes again, a form stays open, a person is told."""
        log.error("fault", error=type(error.__cause__ or error).__name__)
        if isinstance(error, TellAgain) or body.get("type") == "view_submission":
            return BoltResponse(status=503, body="")
        t = self._people.guess(payloads.commander(body))
        sorry = t("Something went wrong on our side; nothing was changed.")
        return BoltResponse(status=200, body=sorry if "command" in body else "")

    async def _ask(self, visitor: Visitor, words: str, **how: Any) -> Answered:
        sender = await self._people.sender(visitor)
        reply = await self._hub(Request(sender, words, **how))
        return reply, await self._people.translator(sender)

    async def _lives_in(self, visitor: Visitor) -> bool:
        """Is the hub installed where this happened, and is it said who did it?"""
        token = await self._tokens.of(visitor.enterprise, visitor.team) if visitor.known else None
        if token is None:
            log.info("ignored", kind="event", team=visitor.team)
        return token is not None

    async def _publish(self, visitor: Visitor) -> None:
        """Draw the Home tab."""
        reply, t = await self._ask(visitor, "home")
        card = render.invited(reply, "home", t) if isinstance(reply, Form) else reply
        await self._send(
            visitor, "views.publish", user_id=visitor.user, view=render.home(card, t)
        )  # fmt: skip

    async def _open(self, visitor: Visitor, body: Body, view: Json) -> str:
        """Open a window; its id, or nothing if Slack did not."""
        trigger = text(body.get("trigger_id"))
        answer = await self._send(visitor, "views.open", trigger_id=trigger, view=view)
        return text(part(answer, "view").get("id"))

    async def _send(self, visitor: Visitor, method: str, **said: Any) -> Json | None:
        """One call to Slack in the visitor's workspace; None if it did not work."""
        token = await self._tokens.of(visitor.enterprise, visitor.team)
        if token is None:
            log.warning("not sent", method=method, reason="not installed")
            return None
        try:
            return await self._clients.call(token, method, **said)
        except FAILURES as error:
            log.warning("not sent", method=method, reason=reason(error))
            return None

    def _later(self, work: Awaitable[Any]) -> None:
        """Goes on behind the answer."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Future[Any]) -> None:
        self._running.discard(task)
        failed = not task.cancelled() and task.exception()
        if failed and not isinstance(failed, Repeated):
            log.error("fault", error=type(failed).__name__)


async def _ignored(ack: AsyncAck, kind: str) -> None:
    log.info("ignored", kind=kind)
    await ack()


def _by_person(event: Body) -> bool:
    """Written by somebody just now: no bot, no edit, nothing joined or deleted."""
    return not (event.get("bot_id") or event.get("subtype") or event.get("edited"))


def _in(thread: str) -> Json:
    return {"thread_ts": thread} if thread else {}
