"""Handle the events Slack sends: messages, mentions, reactions, Home visits and removals."""

import re
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp

from bot.adapters.base import ANSWER_TIMEOUT, ChannelLocks, wait_briefly
from bot.adapters.slack import answers, hearing, payloads, render
from bot.adapters.slack.blocks import Json
from bot.adapters.slack.interactions import InteractionHandler, LocalizedReply, RetryLaterError
from bot.adapters.slack.payloads import Body, Visitor, get_object, get_text
from bot.adapters.slack.people import PLATFORM, People
from bot.adapters.slack.tokens import Tokens
from bot.cards import Card
from bot.errors import DuplicateEventError
from bot.hub import Hub
from bot.request import HandledMessage, IncomingMessage

log = structlog.get_logger()

RECEIPT = "white_check_mark"
"""The emoji that the hub puts to a message it passed on, as Slack names it."""


class EventListener:
    """Handles each event once, even if Slack repeats it.

    The hub first gets it as part of a conversation between members. If it belongs to none, it is
    a command, a visit of the Home tab or a removal.
    """

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
        """Register the handler of all events; the manifest says which ones Slack sends."""
        app.event(re.compile(".*"))(self.on_event)

    async def on_event(self, body: dict[str, Any]) -> None:
        """Handle one event; do nothing if it is unknown or was handled before.

        Raises `RetryLaterError` if it could not be handled, so that Slack sends it again.
        """
        handle, name = self._events.get(payloads.event_type(body)), get_text(body.get("event_id"))
        if handle is None or not name:
            log.info("ignored", kind=payloads.event_type(body))
            return
        try:
            if await self._handle_conversation(body):
                return
            # the event's key is saved with its effect: a repeated event has none, and one that
            # could not be saved must be sent again
            _, rest = await wait_briefly(handle(payloads.event_author(body), body), self._within)
            self._interactions.run_in_background(rest)
        except DuplicateEventError:
            log.info("ignored", kind=payloads.event_type(body), again=True)
        except Exception as error:
            raise RetryLaterError from error

    async def _handle_conversation(self, body: Body) -> bool:
        """Pass the event on if it belongs to a conversation, and post the hub's reply.

        Returns whether it belonged to one. Events of one channel are handled one at a time.
        """
        found = hearing.parse_event(body)
        if found is None or not await self._is_installed_for(found.visitor):
            return False
        async with self._locks.lock_for(found.channel):
            names = await self._people.load_names(found.visitor, found.mentioned_users)
            sender = await self._people.load_sender(found.visitor)
            heard = found.to_incoming_message(sender, names)
            taken = await self._hub.handle_message(heard)
        if taken and (taken.reply or taken.receipt):
            self._interactions.run_in_background(self._tell_author(found.visitor, heard, taken))
        return taken is not None

    async def _tell_author(
        self, visitor: Visitor, heard: IncomingMessage, taken: HandledMessage
    ) -> None:
        """Mark what was passed on, and post the hub's reply or, without a mark, a receipt."""
        reply = taken.reply
        if taken.receipt:
            marked = await self._interactions.call_slack(
                visitor,
                "reactions.add",
                channel=heard.channel,
                timestamp=heard.message,
                name=RECEIPT,
            )
            reply = reply or (None if marked else taken.receipt)
        if isinstance(reply, Card):
            t = await self._people.load_translator(heard.sender)
            place = {"channel": heard.channel, **_thread_argument(heard.parent)}
            await self._interactions.call_slack(
                visitor, "chat.postMessage", **place, **render.message(reply, t)
            )

    async def _on_home_opened(self, visitor: Visitor, body: Body) -> None:
        if get_object(body, "event").get("tab") == "home" and await self._is_installed_for(visitor):
            await self._interactions.publish_home(visitor)

    async def _on_mention(self, visitor: Visitor, body: Body) -> None:
        """Answer a mention in a channel; a private answer is visible to the asker alone."""
        event = get_object(body, "event")
        channel, thread = get_text(event.get("channel")), get_text(event.get("thread_ts"))
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
        """Answer a direct message that belongs to no conversation, in its thread if it has one."""
        event = get_object(body, "event")
        direct = event.get("channel_type") == "im"
        if direct and _is_new_by_person(event) and await self._is_installed_for(visitor):
            reply, t = await self._ask_by_event(visitor, body, direct=True)
            message = answers.message_body(reply, payloads.parse_command_text(event.get("text")), t)
            place = {
                "channel": get_text(event.get("channel")),
                **_thread_argument(get_text(event.get("thread_ts"))),
            }
            await self._interactions.call_slack(visitor, "chat.postMessage", **place, **message)

    async def _on_reaction(self, visitor: Visitor, body: Body) -> None:
        """Do nothing: a reaction outside of conversations has no meaning."""

    async def _ask_by_event(
        self, visitor: Visitor, body: Body, *, direct: bool = False
    ) -> LocalizedReply:
        event = get_object(body, "event")
        words = payloads.parse_command_text(event.get("text"), payloads.bot_user_id(body))
        name, channel = get_text(body.get("event_id")), get_text(event.get("channel"))
        once: dict[str, Any] = {"event": f"{PLATFORM}:{name}", "is_retry": True}
        return await self._interactions.ask(visitor, words, channel=channel, direct=direct, **once)

    async def _on_removed(self, visitor: Visitor, body: Body) -> None:
        """Forget the token of a workspace that removed the hub, unless it was added again since."""
        event, granted = get_object(body, "event"), payloads.authorization(body)
        if event.get("type") == "tokens_revoked" and not get_object(event, "tokens").get("bot"):
            return
        at = body.get("event_time")
        team = "" if granted.get("is_enterprise_install") is True else visitor.team
        seconds = at if isinstance(at, int) else 2**62
        if await self._tokens.forget(visitor.enterprise, team, seconds):
            await self._hub.on_workspace_removed(PLATFORM, visitor.team)

    async def _is_installed_for(self, visitor: Visitor) -> bool:
        """Return whether the event names its author and the hub has a token for the workspace."""
        token = (
            await self._tokens.token_for(visitor.enterprise, visitor.team)
            if visitor.is_identified
            else None
        )
        if token is None:
            log.info("ignored", kind="event", team=visitor.team)
        return token is not None


def _is_new_by_person(event: Body) -> bool:
    """Return whether a person wrote it anew: no bot, no edit, no notice of Slack's."""
    return not (event.get("bot_id") or event.get("subtype") or event.get("edited"))


def _thread_argument(thread: str) -> Json:
    return {"thread_ts": thread} if thread else {}
