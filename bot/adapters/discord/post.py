"""The hub's own messages on Discord: posted, changed, taken away, and found again by their mark."""

import base64
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.adapters.base import CannotTell, NotSent, Place, Posted
from bot.adapters.discord.drafts import Recent
from bot.adapters.discord.forms import card_of, opener
from bot.adapters.discord.limits import COMPONENTS_V2, LONGEST_NONCE, Json
from bot.adapters.discord.people import PLATFORM
from bot.adapters.discord.render import message
from bot.adapters.discord.rest import GONE, Rest
from bot.cards import Form, Reply
from bot.i18n import translator

DROPPED_FOR = 120.0
"""Discord knows a nonce again for «a few minutes»; two are certainly among them."""
EARLIER = timedelta(seconds=5)
PAGE, PAGES = 100, 5
MOST_OPEN = 5000
_EPOCH = 1_420_070_400_000


class DiscordCourier:
    """Delivers to all servers of one bot over REST; needs no gateway."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._opened: Recent[str, str] = Recent(MOST_OPEN)
        self._self = ""

    def serves(self, platform: str, workspace: str) -> bool:
        """Every real server: Discord's ids are numbers."""
        return platform == PLATFORM and workspace.isdecimal()

    def pace(self) -> float:
        """None: each answer tells how many more messages a channel takes."""
        return 0.0

    def doubles_dropped_for(self) -> float:
        """Two minutes."""
        return DROPPED_FOR

    async def post(self, place: Place, reply: Reply, language: str, marker: str) -> Posted:
        """Send one message; the same mark is posted once."""
        body = _drawn(reply, language, marker)
        channel = await self._channel(place)
        if place.thread:
            # a reply, which stands by itself where what it replies to is gone
            body["message_reference"] = {"message_id": place.thread, "fail_if_not_exists": False}
        body |= {"nonce": nonce_of(marker or secrets.token_hex(8)), "enforce_nonce": True}
        sent = await self._say("POST", channel, "", json=body)
        name = sent.get("id") if isinstance(sent, dict) else None
        if not isinstance(name, str) or not name:
            raise NotSent("no_answer", certain=False)
        return Posted(name, channel)

    async def edit(self, place: Place, posted: Posted, reply: Reply, language: str) -> None:
        """Put the new card where the old one stood."""
        body = _drawn(reply, language)
        channel = posted.channel or await self._channel(place)
        await self._say("PATCH", channel, f"/{posted.id}", json=body)

    async def remove(self, place: Place, posted: Posted) -> None:
        """Delete it; somebody may have done so before."""
        channel = posted.channel or await self._channel(place)
        try:
            await self._say("DELETE", channel, f"/{posted.id}")
        except NotSent as refused:
            if not refused.reason.startswith(f"{GONE} "):
                raise

    async def find(self, place: Place, marker: str, since: datetime) -> Posted | None:
        """Look through what was said in the place since then, for a message of our own.

        Who may not read a channel's history gets an empty one from Discord, not a refusal.
        """
        channel = await self._channel(place)
        ours, marks = await self._ourselves(), marks_of(marker)
        after, seen = str(_snowflake(since - EARLIER)), 0
        for _ in range(PAGES):
            page = await self._page(channel, after=after)
            for one in page:
                if _author(one) == ours and _marks_on(one) == marks:
                    return Posted(str(one["id"]), channel)
            seen += len(page)
            if len(page) < PAGE:
                break
            after = str(max(int(one["id"]) for one in page))
        else:
            raise CannotTell("too much was said there")
        # direct messages can always be read; they are named beside their channel in a thread
        if not (seen or place.user or await self._page(channel)):
            raise CannotTell("history may not be read")
        return None

    async def _page(self, channel: str, **after: str) -> Sequence[Mapping[str, Any]]:
        asked = {"limit": str(PAGE if after else 1), **after}
        try:
            found = await self._say("GET", channel, "", params=asked)
        except NotSent as refused:
            if refused.final:
                raise CannotTell(refused.reason) from refused
            raise
        return [m for m in found if isinstance(m, dict)] if isinstance(found, list) else []

    async def _ourselves(self) -> str:
        if not self._self:
            me = await self._rest.call("GET", "/users/@me", "GET me")
            self._self = str(me.get("id")) if isinstance(me, dict) else ""
        return self._self

    async def _channel(self, place: Place) -> str:
        """The channel, or somebody's direct messages. Failures are certain: nothing is said yet."""
        if place.channel:
            return place.channel
        if "," in place.user:
            raise NotSent("no conversations of several", final=True)
        known = self._opened.get(place.user)
        if known:
            return known
        try:
            opened = await self._rest.call(
                "POST", "/users/@me/channels", "POST dm", json={"recipient_id": place.user}
            )
        except NotSent as refused:
            refused.certain = True
            raise
        channel = opened.get("id") if isinstance(opened, dict) else None
        if not isinstance(channel, str) or not channel:
            raise NotSent("no_answer")
        self._opened.put(place.user, channel)
        return channel

    async def _say(self, method: str, channel: str, tail: str, **how: Any) -> Any:
        """About the messages of one channel, which is what Discord counts by."""
        path = f"/channels/{channel}/messages{tail}"
        return await self._rest.call(method, path, f"{method} {channel}", **how)


def _drawn(reply: Reply, language: str, marker: str = "") -> Json:
    """The body of a message. What cannot be drawn now never can; nobody is ever mentioned."""
    t = translator(language)
    try:
        after = [opener(reply, "", t)] if isinstance(reply, Form) else []
        card = card_of(reply, t) if isinstance(reply, Form) else reply
        body = message(card, t, after=after)
    except Exception as error:
        raise NotSent(f"cannot be drawn: {type(error).__name__}", final=True) from error
    nobody = {"parse": [], "replied_user": False}
    shown = {"components": _marked(body["components"], marker), "allowed_mentions": nobody}
    return {"flags": COMPONENTS_V2} | shown


# --- the mark ---------------------------------------------------------------------------------


def nonce_of(key: str) -> str:
    """A nonce for a key of any length: the same for the same key."""
    if len(key) <= LONGEST_NONCE:
        return key
    return base64.b32encode(hashlib.sha256(key.encode()).digest()).decode()[:LONGEST_NONCE]


def marks_of(marker: str) -> tuple[int, int]:
    """The numbers that two components carry: the marker itself has no place that nobody sees.

    Large ones, so that they are no numbers that Discord gives by itself.
    """
    digest = hashlib.sha256(marker.encode()).digest()
    one, other = (int.from_bytes(digest[at : at + 4]) >> 3 | 1 << 29 for at in (0, 4))
    return one, other ^ (one == other)


def _marked(components: list[Json], marker: str) -> list[Json]:
    if not marker:
        return components
    one, other = marks_of(marker)
    [box] = components
    first, *rest = box["components"]
    return [{**box, "id": one, "components": [{**first, "id": other}, *rest]}]


def _marks_on(found: Mapping[str, Any]) -> tuple[Any, Any]:
    box = _first(found)
    return box.get("id"), _first(box).get("id")


def _first(holder: Mapping[str, Any]) -> Mapping[str, Any]:
    inside = holder.get("components")
    first = inside[0] if isinstance(inside, list) and inside else None
    return first if isinstance(first, dict) else {}


def _author(found: Mapping[str, Any]) -> str:
    author = found.get("author")
    return str(author.get("id")) if isinstance(author, dict) else ""


def _snowflake(at: datetime) -> int:
    """The smallest id a message of that moment may have."""
    return max(int(at.timestamp() * 1000) - _EPOCH, 0) << 22
