"""The payloads Slack sends, in the shapes of its published samples."""

import re
import uuid
from typing import Any

from tests.platforms.slack_blocks import Json
from tests.platforms.slack_shapes import APP_ID, message_of
from tests.platforms.slack_views import Views, state_of
from tests.platforms.slack_world import Channel, Post, Team, Ticket, User, View

TOKEN = "verification-token"
CHANNEL_NAMES = {"im": "directmessage", "mpim": "mpdm", "private": "privategroup"}


def command_body(
    user: User, command: str, text: str, channel: Channel, trigger: Ticket, response_url: str
) -> Json:
    """A slash command, field by field as the form carries it."""
    team = user.team
    body = {
        "token": TOKEN,
        "team_id": team.id,
        "team_domain": team.domain,
        "channel_id": channel.id,
        "channel_name": CHANNEL_NAMES.get(channel.kind, channel.name),
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger.id,
    }
    org = {"enterprise_id": team.enterprise, "enterprise_name": "Org"} if team.enterprise else {}
    return {**body, **org}


def interaction(kind: str, user: User, trigger: Ticket | None = None) -> Json:
    """What all interactions have in common."""
    team = user.team
    body: Json = {
        "type": kind,
        "team": {"id": team.id, "domain": team.domain},
        "user": {"id": user.id, "username": user.name, "name": user.name,
                 "team_id": user.home_team or team.id},
        "api_app_id": APP_ID,
        "token": TOKEN,
        "enterprise": {"id": team.enterprise, "name": "Org"} if team.enterprise else None,
        "is_enterprise_install": False,
    }  # fmt: skip
    return body | ({"trigger_id": trigger.id} if trigger else {})


def where_body(place: Post | View, channel: Channel | None, views: Views) -> Json:
    """Where an interaction happened: in a view, in a message, or in one only its reader sees."""
    if isinstance(place, View):
        shown = views.json(place)
        return {"container": {"type": "view", "view_id": place.id}, "view": shown}
    container = {
        "type": "message",
        "message_ts": place.ts,
        "channel_id": place.channel,
        "is_ephemeral": place.ephemeral_to is not None,
    }
    body: Json = {
        "container": container,
        "channel": {"id": place.channel, "name": channel.name if channel else ""},
        "state": {"values": state_of(place.blocks, place.filled)},
    }
    # a message for one person is not kept, so Slack cannot quote it
    return body if place.ephemeral_to else body | {"message": message_of(place)}


def action_of(element: Json, block: Json, state: Json | None, ts: str) -> Json:
    """The one entry of `actions`."""
    kept = ("type", "action_id", "text", "value", "style", "url", "placeholder", "confirm")
    action: Json = {name: element[name] for name in kept if name in element}
    return action | {"block_id": block["block_id"], "action_ts": ts} | (state or {})


def event_body(team: Team, event: Json, at: float, event_id: str | None = None) -> Json:
    """The envelope of an event."""
    return {
        "token": TOKEN,
        "team_id": team.id,
        "enterprise_id": team.enterprise,
        "context_team_id": team.id,
        "api_app_id": APP_ID,
        "event": event,
        "type": "event_callback",
        "event_id": event_id or f"Ev{uuid.uuid4().hex[:10].upper()}",
        "event_time": int(at),
        "authorizations": [
            {
                "enterprise_id": team.enterprise,
                "team_id": team.id,
                "user_id": team.bot_user,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-{uuid.uuid4().hex}",
    }


def message_event(kind: str, post: Post, user: User, channel: Channel) -> Json:
    """Something a person wrote: `message` or `app_mention`."""
    event: dict[str, Any] = {
        "type": kind,
        "user": user.id,
        "text": post.text,
        "ts": post.ts,
        "event_ts": post.ts,
        "client_msg_id": str(uuid.uuid4()),
        "team": user.team.id,
        "channel": channel.id,
        "blocks": post.blocks,
    }
    event |= {"thread_ts": post.thread_ts} if post.thread_ts else {}
    event |= {"user_team": user.home_team, "source_team": user.home_team} if user.home_team else {}
    return event | ({"channel_type": channel.kind} if kind == "message" else {})


def reaction_event(user: User, post: Post, name: str, ts: str, *, take: bool) -> Json:
    """An emoji put to a message, or taken away: it is not said of which kind the channel is."""
    return {
        "type": "reaction_removed" if take else "reaction_added",
        "user": user.id,
        "reaction": name,
        "item": {"type": "message", "channel": post.channel, "ts": post.ts},
        "item_user": post.user,
        "event_ts": ts,
    }


def written(post: Post) -> Json:
    """A message inside the event about its edit or its end."""
    shown: Json = {"type": "message", "user": post.user, "team": post.team.id, "ts": post.ts,
                   "text": post.text, "blocks": post.blocks}  # fmt: skip
    if post.user == post.team.bot_user:
        shown |= {"bot_id": f"B{post.user}"}
    return shown | ({"thread_ts": post.thread_ts} if post.thread_ts else {})


def typed_blocks(text: str) -> list[Json]:
    """What a person types arrives as rich text too, in which an emoji is an element."""
    pieces = re.split(r"((?<!\w):[a-z_+-][\w+-]*:(?::skin-tone-[2-6]:)?)", text)
    elements = [
        {"type": "emoji", "name": piece.split(":")[1]}
        if index % 2
        else {"type": "text", "text": piece}
        for index, piece in enumerate(pieces)
        if piece
    ]
    line = {"type": "rich_text_section", "elements": elements}
    return [{"type": "rich_text", "elements": [line]}] if text else []


def sent_text(typed: str) -> str:
    """What Slack sends of typed words: signs escaped, addresses of pages and mailboxes marked."""
    safe = typed.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(
        r"(?P<url>https?://[^\s|]*[^\s|.,;:!?'\")\]*_~`”（）。])"
        r"|(?P<mail>(?<![\w.+/@-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+)",
        lambda m: f"<{m[0]}>" if m["url"] else f"<mailto:{m[0]}|{m[0]}>",
        safe,
    )


def shared(post: Post, author: str) -> Json:
    """A message that somebody shares, as it hangs on the message that shares it."""
    return {
        "is_share": True,
        "is_msg_unfurl": True,
        "channel_id": post.channel,
        "ts": post.ts,
        "author_id": post.user,
        "author_name": author,
        "text": post.text,
        "fallback": f"[{post.ts}] {author}: {post.text}",
        "mrkdwn_in": ["text"],
        "footer": "Slack Conversation",
    }


def tombstone(post: Post) -> Json:
    """What stays of a deleted message that has answers in a thread."""
    return {"type": "message", "subtype": "tombstone", "text": "This message was deleted.",
            "user": "USLACKBOT", "hidden": True, "ts": post.ts, "thread_ts": post.ts}  # fmt: skip
