"""Deliver messages to Slack: post, edit, remove and find them again by their marker."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.adapters.base import DeliveryError, Destination, PostedMessage, SearchInconclusiveError
from bot.adapters.slack import blocks as kit
from bot.adapters.slack import payloads, render
from bot.adapters.slack.blocks import Json
from bot.adapters.slack.client import CONNECT_ERRORS, FAILURES, Clients, reason
from bot.adapters.slack.people import PLATFORM, ExpiringCache
from bot.adapters.slack.refusals import UNREADABLE_ERRORS, parse_error
from bot.adapters.slack.tokens import Tokens
from bot.cards import Form, Reply
from bot.failpoints import reach
from bot.i18n import translator

POST_INTERVAL = 1.0
"""Seconds between two posts to a channel: Slack accepts one message a second there."""

CLOCK_SKEW = timedelta(seconds=5)
"""Largest expected difference between Slack's clock and ours."""
PAGE_SIZE, MAX_PAGES = 200, 5
"""How many messages, in how many pages, are searched at most for one message."""
CACHE_SECONDS = 3600.0
"""How long ids of conversations and of the hub's bots are cached."""

_MARK = "wwc."
"""Prefix of the marker in the id of a message's first block."""


@dataclass(frozen=True)
class _Conversation:
    """A channel, by its id, and the token of its workspace."""

    token: str
    channel: str


class SlackDeliveryAdapter:
    """Delivers to every workspace that has the hub; works without receiving any events."""

    def __init__(self, clients: Clients, tokens: Tokens, clock: Callable[[], datetime]) -> None:
        self._clients = clients
        self._tokens = tokens
        self._clock = clock
        seconds = lambda: clock().timestamp()  # noqa: E731 - one clock, read in two ways
        self._channels: ExpiringCache[str] = ExpiringCache(seconds)
        self._bot_ids: ExpiringCache[str] = ExpiringCache(seconds)

    def serves(self, platform: str, workspace: str) -> bool:
        """Return whether this is a real workspace: Slack's ids are only letters and digits."""
        return platform == PLATFORM and workspace.isalnum()

    def post_interval(self) -> float:
        """Return the seconds between two posts to one channel."""
        return POST_INTERVAL

    def deduplication_seconds(self) -> float:
        """Return 0: Slack does not drop duplicates."""
        return 0.0

    async def post(
        self, place: Destination, reply: Reply, language: str, marker: str
    ) -> PostedMessage:
        """Post one message; its time stamp, which is its id, proves that Slack has it.

        Raises `DeliveryError`, which is not certain if the answer has no time stamp.
        """
        message = _render_body(reply, language, marker)
        here = await self._resolve_conversation(place)
        said = await self._call(
            here.token,
            "chat.postMessage",
            channel=here.channel,
            **_thread_argument(place.thread),
            unfurl_links=False,
            unfurl_media=False,
            **message,
        )
        ts = payloads.get_text(said.get("ts"))
        if not ts:
            raise DeliveryError("no_answer", certain=False)
        return PostedMessage(ts, payloads.get_text(said.get("channel")) or here.channel)

    async def edit(
        self, place: Destination, posted: PostedMessage, reply: Reply, language: str
    ) -> None:
        """Replace the content of a message; raise `DeliveryError` if Slack rejects it."""
        message = _render_body(reply, language)
        here = await self._resolve_conversation(place, posted.channel)
        await self._call(here.token, "chat.update", channel=here.channel, ts=posted.id, **message)

    async def remove(self, place: Destination, posted: PostedMessage) -> None:
        """Delete a message; do nothing if somebody deleted it before."""
        here = await self._resolve_conversation(place, posted.channel)
        try:
            await self._call(here.token, "chat.delete", channel=here.channel, ts=posted.id)
        except DeliveryError as refused:
            if refused.reason != "message_not_found":
                raise

    async def find(self, place: Destination, marker: str, since: datetime) -> PostedMessage | None:
        """Search the place for the hub's own message with this marker; return None without one.

        Slack's history lags some seconds behind; the caller waits that long before it asks.
        Raises `SearchInconclusiveError` if the place cannot be read or holds too many messages.
        """
        here = await self._resolve_conversation(place)
        try:
            async for message in self._list_messages(here, place.thread, since - CLOCK_SKEW):
                if _find_marker(message) == _MARK + marker and await self._is_own_message(
                    here, message
                ):
                    return PostedMessage(payloads.get_text(message.get("ts")), here.channel)
        except DeliveryError as refused:
            if refused.reason in UNREADABLE_ERRORS:
                raise SearchInconclusiveError(refused.reason) from refused
            raise
        return None

    async def _list_messages(self, here: _Conversation, thread: str, since: datetime) -> Any:
        """Yield the messages of the channel or of the thread since then, page by page.

        Raises `SearchInconclusiveError` after `MAX_PAGES` pages if there are more.
        """
        asked = {
            "channel": here.channel,
            "oldest": f"{since.timestamp():.6f}",
            "limit": str(PAGE_SIZE),
        }
        method = "conversations.history"
        if thread:
            method, asked = "conversations.replies", asked | {"ts": thread}
        for _ in range(MAX_PAGES):
            said = await self._call(here.token, method, **asked)
            for message in _messages_in(said):
                yield message
            cursor = payloads.get_text(
                payloads.get_object(said, "response_metadata").get("next_cursor")
            )
            if said.get("has_more") is not True:
                return
            asked = asked | {"cursor": cursor}
        raise SearchInconclusiveError("too much was said there")

    async def _is_own_message(self, here: _Conversation, message: Mapping[str, Any]) -> bool:
        """Return whether the hub posted it, not somebody who copied its marker."""
        key = (here.token, "")
        ours = self._bot_ids.get(key)
        if ours is None:
            ours = payloads.get_text((await self._call(here.token, "auth.test")).get("bot_id"))
            self._bot_ids.add(key, ours, CACHE_SECONDS)
        return bool(ours) and message.get("bot_id") == ours

    # --- reaching Slack -----------------------------------------------------------------------

    async def _resolve_conversation(self, place: Destination, channel: str = "") -> _Conversation:
        """Return the token and the channel of a place; open direct messages where needed.

        Nothing was posted yet, so a `DeliveryError` raised here is always certain.
        """
        try:
            token = await self._tokens.token_for("", place.workspace)
            if token is None:
                raise DeliveryError("not_installed", final=True, scope="workspace")
            channel = channel or place.channel or await self._open_conversation(token, place.user)
        except DeliveryError as refused:
            refused.certain = True
            raise
        except Exception as error:  # the database with the tokens may be unavailable
            raise DeliveryError(type(error).__name__) from error
        return _Conversation(token, channel)

    async def _open_conversation(self, token: str, users: str) -> str:
        """Return the id of the direct messages with one person or several, separated by commas."""
        key = (token, users)
        channel = self._channels.get(key)
        if channel is None:
            said = await self._call(token, "conversations.open", users=users)
            channel = payloads.get_text(payloads.get_object(said, "channel").get("id"))
            if not channel:
                raise DeliveryError("no_answer")
            self._channels.add(key, channel, CACHE_SECONDS)
        return channel

    async def _call(self, token: str, method: str, **params: Any) -> Json:
        """Send one request, once, and return the answer; raise `DeliveryError` for any failure."""
        reach("adapter.before_request")
        try:
            status, headers, answer = await self._clients.post_once(token, method, params)
        except CONNECT_ERRORS as error:
            raise DeliveryError(type(error).__name__) from error
        except FAILURES as error:
            raise DeliveryError(reason(error), certain=False) from error
        reach("adapter.after_answer")
        refused = parse_error(status, headers, answer, method, self._clock())
        if refused:
            raise refused
        return dict(answer)


def _render_body(reply: Reply, language: str, marker: str = "") -> Json:
    """Render the body of a message, with the marker in the id of its first block.

    Raises a final `DeliveryError` if the reply cannot be rendered: it never can be.
    """
    t = translator(language)
    try:
        card = (
            render.form_invitation_card(reply, reply.command, t)
            if isinstance(reply, Form)
            else reply
        )
        message = render.message(card, t)
    except Exception as error:
        raise DeliveryError(f"cannot be drawn: {type(error).__name__}", final=True) from error
    first, *rest = message["blocks"] or [kit.paragraph(kit.EMPTY)]
    marked = {**first, "block_id": _MARK + marker} if marker else first
    return message | {"blocks": [marked, *rest]}


def _find_marker(message: Mapping[str, Any]) -> str:
    blocks = message.get("blocks")
    first = blocks[0] if isinstance(blocks, list) and blocks else None
    return payloads.get_text(payloads.get_object({"": first}, "").get("block_id"))


def _messages_in(said: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    found = said.get("messages")
    yield from (m for m in found if isinstance(m, Mapping)) if isinstance(found, list) else ()


def _thread_argument(thread: str) -> Json:
    return {"thread_ts": thread} if thread else {}
