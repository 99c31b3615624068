"""Deliver the hub's messages on Discord: post, edit, delete, and find them by their marker."""

import base64
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.adapters.base import DeliveryError, Destination, PostedMessage, SearchInconclusiveError
from bot.adapters.discord.drafts import RecentCache
from bot.adapters.discord.forms import form_invitation_card, open_form_button
from bot.adapters.discord.limits import COMPONENTS_V2, MAX_NONCE, Json
from bot.adapters.discord.people import PLATFORM
from bot.adapters.discord.render import message
from bot.adapters.discord.rest import UNKNOWN_MESSAGE, RestClient
from bot.cards import Form, Reply
from bot.i18n import translator

NONCE_SECONDS = 120.0
"""Seconds in which a repeated nonce posts nothing: Discord says «a few minutes», two are safe."""
CLOCK_SKEW = timedelta(seconds=5)
PAGE_SIZE, MAX_PAGES = 100, 5
MAX_DM_CHANNELS = 5000
_EPOCH = 1_420_070_400_000


class DiscordDeliveryAdapter:
    """Delivers messages to all servers of one bot over REST; needs no gateway."""

    def __init__(self, rest: RestClient) -> None:
        self._rest = rest
        self._dm_channels: RecentCache[str, str] = RecentCache(MAX_DM_CHANNELS)
        self._own_id = ""

    def serves(self, platform: str, workspace: str) -> bool:
        """Return whether this is a real Discord server: its ids are numbers."""
        return platform == PLATFORM and workspace.isdecimal()

    def post_interval(self) -> float:
        """Return 0: each answer tells how many more messages a channel takes."""
        return 0.0

    def deduplication_seconds(self) -> float:
        """Return the seconds in which Discord drops a message with the same nonce."""
        return NONCE_SECONDS

    async def post(
        self, place: Destination, reply: Reply, language: str, marker: str
    ) -> PostedMessage:
        """Send one message and return its id and channel; a repeated marker is posted once.

        Raises `DeliveryError`.
        """
        body = _render_body(reply, language, marker)
        channel = await self._resolve_channel(place)
        if place.thread:
            # a reply; it is posted by itself where the message it replies to is gone
            body["message_reference"] = {"message_id": place.thread, "fail_if_not_exists": False}
        body |= {"nonce": make_nonce(marker or secrets.token_hex(8)), "enforce_nonce": True}
        sent = await self._call_messages("POST", channel, "", json=body)
        name = sent.get("id") if isinstance(sent, dict) else None
        if not isinstance(name, str) or not name:
            raise DeliveryError("no_answer", certain=False)
        return PostedMessage(name, channel)

    async def edit(
        self, place: Destination, posted: PostedMessage, reply: Reply, language: str
    ) -> None:
        """Replace the card of a posted message. Raises `DeliveryError`."""
        body = _render_body(reply, language)
        channel = posted.channel or await self._resolve_channel(place)
        await self._call_messages("PATCH", channel, f"/{posted.id}", json=body)

    async def remove(self, place: Destination, posted: PostedMessage) -> None:
        """Delete a posted message; one that is deleted already is no error."""
        channel = posted.channel or await self._resolve_channel(place)
        try:
            await self._call_messages("DELETE", channel, f"/{posted.id}")
        except DeliveryError as refused:
            if not refused.reason.startswith(f"{UNKNOWN_MESSAGE} "):
                raise

    async def find(self, place: Destination, marker: str, since: datetime) -> PostedMessage | None:
        """Search the messages posted since then for our own one with this marker.

        Return None if it is surely not there. Raises `SearchInconclusiveError` where that cannot
        be told: a bot that may not read the history gets an empty one, not a refusal.
        """
        channel = await self._resolve_channel(place)
        ours, marks = await self._load_own_id(), marker_ids(marker)
        after, seen = str(_snowflake(since - CLOCK_SKEW)), 0
        for _ in range(MAX_PAGES):
            page = await self._load_page(channel, after=after)
            for one in page:
                if _author_id(one) == ours and _find_marker_ids(one) == marks:
                    return PostedMessage(str(one["id"]), channel)
            seen += len(page)
            if len(page) < PAGE_SIZE:
                break
            after = str(max(int(one["id"]) for one in page))
        else:
            raise SearchInconclusiveError("too much was said there")
        # direct messages can always be read; `user` is set for them in a thread too
        if not (seen or place.user or await self._load_page(channel)):
            raise SearchInconclusiveError("history may not be read")
        return None

    async def _load_page(self, channel: str, **after: str) -> Sequence[Mapping[str, Any]]:
        asked = {"limit": str(PAGE_SIZE if after else 1), **after}
        try:
            found = await self._call_messages("GET", channel, "", params=asked)
        except DeliveryError as refused:
            if refused.final:
                raise SearchInconclusiveError(refused.reason) from refused
            raise
        return [m for m in found if isinstance(m, dict)] if isinstance(found, list) else []

    async def _load_own_id(self) -> str:
        if not self._own_id:
            me = await self._rest.call("GET", "/users/@me", "GET me")
            self._own_id = str(me.get("id")) if isinstance(me, dict) else ""
        return self._own_id

    async def _resolve_channel(self, place: Destination) -> str:
        """Return the channel's id; open the person's direct messages if none is given.

        Each `DeliveryError` from here is certain: nothing has been posted yet.
        """
        if place.channel:
            return place.channel
        if "," in place.user:
            raise DeliveryError("no conversations of several", final=True)
        known = self._dm_channels.get(place.user)
        if known:
            return known
        try:
            opened = await self._rest.call(
                "POST", "/users/@me/channels", "POST dm", json={"recipient_id": place.user}
            )
        except DeliveryError as refused:
            refused.certain = True
            raise
        channel = opened.get("id") if isinstance(opened, dict) else None
        if not isinstance(channel, str) or not channel:
            raise DeliveryError("no_answer")
        self._dm_channels.add(place.user, channel)
        return channel

    async def _call_messages(self, method: str, channel: str, tail: str, **how: Any) -> Any:
        """Call an endpoint of a channel's messages; Discord limits the rate of each channel."""
        path = f"/channels/{channel}/messages{tail}"
        return await self._rest.call(method, path, f"{method} {channel}", **how)


def _render_body(reply: Reply, language: str, marker: str = "") -> Json:
    """Return the body of a message, which never mentions anybody.

    Raises a final `DeliveryError`: what cannot be rendered now never can be.
    """
    t = translator(language)
    try:
        after = [open_form_button(reply, "", t)] if isinstance(reply, Form) else []
        card = form_invitation_card(reply, t) if isinstance(reply, Form) else reply
        body = message(card, t, extra_buttons=after)
    except Exception as error:
        raise DeliveryError(f"cannot be drawn: {type(error).__name__}", final=True) from error
    nobody = {"parse": [], "replied_user": False}
    shown = {"components": _attach_marker(body["components"], marker), "allowed_mentions": nobody}
    return {"flags": COMPONENTS_V2} | shown


# --- the marker -------------------------------------------------------------------------------


def make_nonce(key: str) -> str:
    """Return a nonce for a key of any length; the same key gives the same nonce."""
    if len(key) <= MAX_NONCE:
        return key
    return base64.b32encode(hashlib.sha256(key.encode()).digest()).decode()[:MAX_NONCE]


def marker_ids(marker: str) -> tuple[int, int]:
    """Return the ids of two components that stand for a marker.

    A message has no invisible place for the marker itself. The ids are large, so that they
    differ from those that Discord assigns.
    """
    digest = hashlib.sha256(marker.encode()).digest()
    one, other = (int.from_bytes(digest[at : at + 4]) >> 3 | 1 << 29 for at in (0, 4))
    return one, other ^ (one == other)


def _attach_marker(components: list[Json], marker: str) -> list[Json]:
    if not marker:
        return components
    one, other = marker_ids(marker)
    [box] = components
    first, *rest = box["components"]
    return [{**box, "id": one, "components": [{**first, "id": other}, *rest]}]


def _find_marker_ids(found: Mapping[str, Any]) -> tuple[Any, Any]:
    box = _first_component(found)
    return box.get("id"), _first_component(box).get("id")


def _first_component(holder: Mapping[str, Any]) -> Mapping[str, Any]:
    inside = holder.get("components")
    first = inside[0] if isinstance(inside, list) and inside else None
    return first if isinstance(first, dict) else {}


def _author_id(found: Mapping[str, Any]) -> str:
    author = found.get("author")
    return str(author.get("id")) if isinstance(author, dict) else ""


def _snowflake(at: datetime) -> int:
    """Return the smallest id that a message of this moment may have."""
    return max(int(at.timestamp() * 1000) - _EPOCH, 0) << 22
