"""The hub's own messages in Slack: posted, changed, taken away, and found again by their mark."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.adapters.base import CannotTell, NotSent, Place, Posted
from bot.adapters.slack import blocks as kit
from bot.adapters.slack import payloads, render
from bot.adapters.slack.blocks import Json
from bot.adapters.slack.client import BEFORE_SENDING, FAILURES, Clients, reason
from bot.adapters.slack.people import PLATFORM, Kept
from bot.adapters.slack.refusals import UNREADABLE, refusal
from bot.adapters.slack.tokens import Tokens
from bot.cards import Form, Reply
from bot.failpoints import reach
from bot.i18n import translator

PACE = 1.0
"""Slack takes one message a second into a channel."""

EARLIER = timedelta(seconds=5)
"""Slack's clock and ours need not agree to the second."""
PAGE, PAGES = 200, 5
"""So much of what was said in a place is looked through for one message."""
KEPT_OPEN = 3600.0

_MARK = "wwc."


@dataclass(frozen=True)
class _Here:
    """A conversation with the token that speaks there."""

    token: str
    channel: str


class SlackCourier:
    """Delivers to every workspace the hub is in; needs nobody who listens."""

    def __init__(self, clients: Clients, tokens: Tokens, clock: Callable[[], datetime]) -> None:
        self._clients = clients
        self._tokens = tokens
        self._clock = clock
        seconds = lambda: clock().timestamp()  # noqa: E731 - one clock, read in two ways
        self._opened: Kept[str] = Kept(seconds)
        self._selves: Kept[str] = Kept(seconds)

    def serves(self, platform: str, workspace: str) -> bool:
        """Every real workspace: Slack's ids are letters and digits."""
        return platform == PLATFORM and workspace.isalnum()

    def pace(self) -> float:
        """A second."""
        return PACE

    def doubles_dropped_for(self) -> float:
        """Slack never notices that it was told the same before."""
        return 0.0

    async def post(self, place: Place, reply: Reply, language: str, marker: str) -> Posted:
        """Send one message; the time stamp proves that it is there."""
        message = _drawn(reply, language, marker)
        here = await self._reach(place)
        said = await self._call(
            here.token, "chat.postMessage", channel=here.channel, **_under(place.thread),
            unfurl_links=False, unfurl_media=False, **message,
        )  # fmt: skip
        ts = payloads.text(said.get("ts"))
        if not ts:
            raise NotSent("no_answer", certain=False)
        return Posted(ts, payloads.text(said.get("channel")) or here.channel)

    async def edit(self, place: Place, posted: Posted, reply: Reply, language: str) -> None:
        """Put the new card where the old one stood."""
        message = _drawn(reply, language)
        here = await self._reach(place, posted.channel)
        await self._call(
            here.token, "chat.update", channel=here.channel, ts=posted.id, **message
        )  # fmt: skip

    async def remove(self, place: Place, posted: Posted) -> None:
        """Delete it; somebody may have done so before."""
        here = await self._reach(place, posted.channel)
        try:
            await self._call(here.token, "chat.delete", channel=here.channel, ts=posted.id)
        except NotSent as refused:
            if refused.reason != "message_not_found":
                raise

    async def find(self, place: Place, marker: str, since: datetime) -> Posted | None:
        """Look through what the hub itself has said in the place since then.

        Slack's history lags some seconds behind; whoever asks has waited for that.
        """
        here = await self._reach(place)
        try:
            async for message in self._said(here, place.thread, since - EARLIER):
                if _mark_of(message) == _MARK + marker and await self._is_ours(here, message):
                    return Posted(payloads.text(message.get("ts")), here.channel)
        except NotSent as refused:
            if refused.reason in UNREADABLE:
                raise CannotTell(refused.reason) from refused
            raise
        return None

    async def _said(self, here: _Here, thread: str, since: datetime) -> Any:
        """Every message of the place or of the thread, page by page."""
        asked = {"channel": here.channel, "oldest": f"{since.timestamp():.6f}", "limit": str(PAGE)}
        method = "conversations.history"
        if thread:
            method, asked = "conversations.replies", asked | {"ts": thread}
        for _ in range(PAGES):
            said = await self._call(here.token, method, **asked)
            for message in _messages(said):
                yield message
            cursor = payloads.text(payloads.part(said, "response_metadata").get("next_cursor"))
            if said.get("has_more") is not True:
                return
            asked = asked | {"cursor": cursor}
        raise CannotTell("too much was said there")

    async def _is_ours(self, here: _Here, message: Mapping[str, Any]) -> bool:
        """Written by the hub, and not by somebody who copied its mark."""
        key = (here.token, "")
        ours = self._selves.get(key)
        if ours is None:
            ours = payloads.text((await self._call(here.token, "auth.test")).get("bot_id"))
            self._selves.put(key, ours, KEPT_OPEN)
        return bool(ours) and message.get("bot_id") == ours

    # --- reaching Slack -----------------------------------------------------------------------

    async def _reach(self, place: Place, channel: str = "") -> _Here:
        """The token and the conversation. Nothing was said yet: whatever fails here is certain."""
        try:
            token = await self._tokens.of("", place.workspace)
            if token is None:
                raise NotSent("not_installed", final=True, scope="workspace")
            channel = channel or place.channel or await self._open(token, place.user)
        except NotSent as refused:
            refused.certain = True
            raise
        except Exception as error:  # the database with the tokens may be away
            raise NotSent(type(error).__name__) from error
        return _Here(token, channel)

    async def _open(self, token: str, users: str) -> str:
        """The conversation with one person or with several."""
        key = (token, users)
        channel = self._opened.get(key)
        if channel is None:
            said = await self._call(token, "conversations.open", users=users)
            channel = payloads.text(payloads.part(said, "channel").get("id"))
            if not channel:
                raise NotSent("no_answer")
            self._opened.put(key, channel, KEPT_OPEN)
        return channel

    async def _call(self, token: str, method: str, **said: Any) -> Json:
        """One request, once; whatever comes of it besides an answer is a `NotSent`."""
        reach("courier.before_request")
        try:
            status, headers, answer = await self._clients.once(token, method, said)
        except BEFORE_SENDING as error:
            raise NotSent(type(error).__name__) from error
        except FAILURES as error:
            raise NotSent(reason(error), certain=False) from error
        reach("courier.after_answer")
        refused = refusal(status, headers, answer, method, self._clock())
        if refused:
            raise refused
        return dict(answer)


def _drawn(reply: Reply, language: str, marker: str = "") -> Json:
    """The body of a message, its mark on the first block. What cannot be drawn never can."""
    t = translator(language)
    try:
        card = render.invited(reply, reply.command, t) if isinstance(reply, Form) else reply
        message = render.message(card, t)
    except Exception as error:
        raise NotSent(f"cannot be drawn: {type(error).__name__}", final=True) from error
    first, *rest = message["blocks"] or [kit.paragraph(kit.EMPTY)]
    marked = {**first, "block_id": _MARK + marker} if marker else first
    return message | {"blocks": [marked, *rest]}


def _mark_of(message: Mapping[str, Any]) -> str:
    blocks = message.get("blocks")
    first = blocks[0] if isinstance(blocks, list) and blocks else None
    return payloads.text(payloads.part({"": first}, "").get("block_id"))


def _messages(said: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    found = said.get("messages")
    yield from (m for m in found if isinstance(m, Mapping)) if isinstance(found, list) else ()


def _under(thread: str) -> Json:
    return {"thread_ts": thread} if thread else {}
