"""What Slack tells without being asked: words said to the hub, reactions, visits, its removal."""

import re
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp

from bot.adapters.base import ANSWER_WITHIN, Turns, soon
from bot.adapters.slack import answers, hearing, payloads, render
from bot.adapters.slack.blocks import Json
from bot.adapters.slack.interactions import Answered, InteractionHandler, TellAgain
from bot.adapters.slack.payloads import Body, Visitor, part, text
from bot.adapters.slack.people import PLATFORM, People
from bot.adapters.slack.tokens import Tokens
from bot.cards import Card
from bot.errors import Repeated
from bot.hub import Hub

log = structlog.get_logger()


class EventListener:
    """Takes each event once: part of a conversation, or else a command or a visit."""

    def __init__(
        self,
        hub: Hub,
        tokens: Tokens,
        people: People,
        interactions: InteractionHandler,
        *,
        within: float = ANSWER_WITHIN,
    ) -> None:
        self._hub = hub
        self._tokens = tokens
        self._people = people
        self._interactions = interactions
        self._within = within
        self._turns = Turns()
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
        """Listen to every event that the manifest subscribes to."""
        app.event(re.compile(".*"))(self.event)

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
            self._interactions.run_in_background(rest)
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
            self._interactions.run_in_background(
                self._interactions.send(found.visitor, "chat.postMessage", **said)
            )
        return taken is not None

    async def _home_opened(self, visitor: Visitor, body: Body) -> None:
        if part(body, "event").get("tab") == "home" and await self._lives_in(visitor):
            await self._interactions.publish(visitor)

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
            await self._interactions.send(
                visitor, method, channel=channel, **alone, **_in(thread), **message
            )

    async def _written(self, visitor: Visitor, body: Body) -> None:
        """A direct message to the hub."""
        event = part(body, "event")
        direct = event.get("channel_type") == "im"
        if direct and _by_person(event) and await self._lives_in(visitor):
            reply, t = await self._heard(visitor, body, direct=True)
            message = answers.posted(reply, payloads.spoken(event.get("text")), t)
            place = {"channel": text(event.get("channel")), **_in(text(event.get("thread_ts")))}
            await self._interactions.send(visitor, "chat.postMessage", **place, **message)

    async def _marked(self, visitor: Visitor, body: Body) -> None:
        """A reaction outside of any conversation means nothing."""

    async def _heard(self, visitor: Visitor, body: Body, *, direct: bool = False) -> Answered:
        event = part(body, "event")
        words = payloads.spoken(event.get("text"), payloads.own(body))
        name, channel = text(body.get("event_id")), text(event.get("channel"))
        once: dict[str, Any] = {"event": f"{PLATFORM}:{name}", "retold": True}
        return await self._interactions.ask(visitor, words, channel=channel, direct=direct, **once)

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

    async def _lives_in(self, visitor: Visitor) -> bool:
        """Is the hub installed where this happened, and is it said who did it?"""
        token = await self._tokens.of(visitor.enterprise, visitor.team) if visitor.known else None
        if token is None:
            log.info("ignored", kind="event", team=visitor.team)
        return token is not None


def _by_person(event: Body) -> bool:
    """Written by somebody just now: no bot, no edit, nothing joined or deleted."""
    return not (event.get("bot_id") or event.get("subtype") or event.get("edited"))


def _in(thread: str) -> Json:
    return {"thread_ts": thread} if thread else {}
