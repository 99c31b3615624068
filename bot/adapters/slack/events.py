"""What Slack tells without being asked: words said to the hub, reactions, visits, its removal."""

import re
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp

from bot.adapters.base import ANSWER_TIMEOUT, ChannelLocks, wait_briefly
from bot.adapters.slack import answers, hearing, payloads, render
from bot.adapters.slack.blocks import Json
from bot.adapters.slack.interactions import InteractionHandler, LocalizedReply, RetryLaterError
from bot.adapters.slack.payloads import Body, Visitor, part, text
from bot.adapters.slack.people import PLATFORM, People
from bot.adapters.slack.tokens import Tokens
from bot.cards import Card
from bot.errors import DuplicateEventError
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
        within: float = ANSWER_TIMEOUT,
    ) -> None:
        self._hub = hub
        self._tokens = tokens
        self._people = people
        self._interactions = interactions
        self._within = within
        self._locks = ChannelLocks()
        self._events: dict[str, Callable[[Visitor, Body], Coroutine[Any, Any, None]]] = {
            "app_home_opened": self._on_home_opened,
            "app_mention": self._on_mention,
            "message": self._on_direct_message,
            "reaction_added": self._on_reaction,
            "reaction_removed": self._on_reaction,
            "app_uninstalled": self._on_removed,
            "tokens_revoked": self._on_removed,
        }

    def register(self, app: AsyncApp) -> None:
        """Listen to every event that the manifest subscribes to."""
        app.event(re.compile(".*"))(self.on_event)

    async def on_event(self, body: dict[str, Any]) -> None:
        """One event, once: Slack sends some of them again."""
        handle, name = self._events.get(payloads.kind(body)), text(body.get("event_id"))
        if handle is None or not name:
            log.info("ignored", kind=payloads.kind(body))
            return
        try:
            if await self._handle_conversation(body):
                return
            # told twice, the hub answers once; what could not be saved must be told again
            _, rest = await wait_briefly(handle(payloads.author(body), body), self._within)
            self._interactions.run_in_background(rest)
        except DuplicateEventError:
            log.info("ignored", kind=payloads.kind(body), again=True)
        except Exception as error:
            raise RetryLaterError from error

    async def _handle_conversation(self, body: Body) -> bool:
        """Was it part of a conversation with somebody elsewhere? What is to be said, is."""
        found = hearing.parse_event(body)
        if found is None or not await self._is_installed_for(found.visitor):
            return False
        async with self._locks.lock_for(found.channel):
            heard = found.to_incoming_message(await self._people.load_sender(found.visitor))
            taken = await self._hub.handle_message(heard)
        if taken and isinstance(taken.reply, Card):
            t = await self._people.load_translator(heard.sender)
            said = {
                "channel": heard.channel,
                **_thread_argument(heard.parent),
                **render.message(taken.reply, t),
            }
            self._interactions.run_in_background(
                self._interactions.call_slack(found.visitor, "chat.postMessage", **said)
            )
        return taken is not None

    async def _on_home_opened(self, visitor: Visitor, body: Body) -> None:
        if part(body, "event").get("tab") == "home" and await self._is_installed_for(visitor):
            await self._interactions.publish_home(visitor)

    async def _on_mention(self, visitor: Visitor, body: Body) -> None:
        """Named in a channel: a private answer is seen by the asker alone."""
        event = part(body, "event")
        channel, thread = text(event.get("channel")), text(event.get("thread_ts"))
        if _is_new_by_person(event) and await self._is_installed_for(visitor):
            reply, t = await self._ask_by_event(visitor, body)
            public = isinstance(reply, Card) and not reply.private
            method = "chat.postMessage" if public else "chat.postEphemeral"
            alone = {} if public else {"user": visitor.user}
            message = answers.message_body(
                reply, payloads.parse_command_text(event.get("text"), payloads.bot_user_id(body)), t
            )
            await self._interactions.call_slack(
                visitor, method, channel=channel, **alone, **_thread_argument(thread), **message
            )

    async def _on_direct_message(self, visitor: Visitor, body: Body) -> None:
        """A direct message to the hub."""
        event = part(body, "event")
        direct = event.get("channel_type") == "im"
        if direct and _is_new_by_person(event) and await self._is_installed_for(visitor):
            reply, t = await self._ask_by_event(visitor, body, direct=True)
            message = answers.message_body(reply, payloads.parse_command_text(event.get("text")), t)
            place = {
                "channel": text(event.get("channel")),
                **_thread_argument(text(event.get("thread_ts"))),
            }
            await self._interactions.call_slack(visitor, "chat.postMessage", **place, **message)

    async def _on_reaction(self, visitor: Visitor, body: Body) -> None:
        """A reaction outside of any conversation means nothing."""

    async def _ask_by_event(
        self, visitor: Visitor, body: Body, *, direct: bool = False
    ) -> LocalizedReply:
        event = part(body, "event")
        words = payloads.parse_command_text(event.get("text"), payloads.bot_user_id(body))
        name, channel = text(body.get("event_id")), text(event.get("channel"))
        once: dict[str, Any] = {"event": f"{PLATFORM}:{name}", "is_retry": True}
        return await self._interactions.ask(visitor, words, channel=channel, direct=direct, **once)

    async def _on_removed(self, visitor: Visitor, body: Body) -> None:
        """Taken out of a workspace: its token goes, unless the hub is back already."""
        event, granted = part(body, "event"), payloads.authorization(body)
        if event.get("type") == "tokens_revoked" and not part(event, "tokens").get("bot"):
            return
        at = body.get("event_time")
        team = "" if granted.get("is_enterprise_install") is True else visitor.team
        seconds = at if isinstance(at, int) else 2**62
        if await self._tokens.forget(visitor.enterprise, team, seconds):
            await self._hub.on_workspace_removed(PLATFORM, visitor.team)

    async def _is_installed_for(self, visitor: Visitor) -> bool:
        """Is the hub installed where this happened, and is it said who did it?"""
        token = (
            await self._tokens.token_for(visitor.enterprise, visitor.team)
            if visitor.is_identified
            else None
        )
        if token is None:
            log.info("ignored", kind="event", team=visitor.team)
        return token is not None


def _is_new_by_person(event: Body) -> bool:
    """Written by somebody just now: no bot, no edit, nothing joined or deleted."""
    return not (event.get("bot_id") or event.get("subtype") or event.get("edited"))


def _thread_argument(thread: str) -> Json:
    return {"thread_ts": thread} if thread else {}
