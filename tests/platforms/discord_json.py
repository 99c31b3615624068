"""The loopback Discord's things in the JSON that Discord sends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

from tests.platforms.discord_limits import CONTAINER, SEPARATOR, Json, children, walk
from tests.platforms.discord_world import (
    ALL_PERMISSIONS,
    DM_CHANNEL,
    Channel,
    Guild,
    Interaction,
    Member,
    Message,
    Role,
    User,
)


def stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def user_json(user: User) -> Json:
    return {
        "id": str(user.id),
        "username": user.name,
        "discriminator": "0",
        "global_name": user.name,
        "avatar": None,
        "bot": user.bot,
        "public_flags": 0,
        "flags": 0,
        "primary_guild": None,
    }


def role_json(guild: Guild, role: Role) -> Json:
    return {
        "id": str(role.id),
        "name": role.name,
        "permissions": str(role.permissions),
        "position": guild.roles.index(role),
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": False,
        "mentionable": False,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    }


def member_json(member: Member) -> Json:
    return {
        "user": user_json(member.user),
        "nick": member.nick,
        "avatar": None,
        "banner": None,
        "roles": [str(role.id) for role in member.roles],
        "joined_at": "2026-01-01T00:00:00+00:00",
        "premium_since": None,
        "communication_disabled_until": None,
        "pending": False,
        "deaf": False,
        "mute": False,
        "flags": 0,
    }


def channel_json(channel: Channel) -> Json:
    base = {
        "id": str(channel.id),
        "type": channel.type,
        "flags": 0,
        "last_message_id": str(channel.messages[-1].id) if channel.messages else None,
    }
    if channel.recipient is not None:
        return base | {"recipients": [user_json(channel.recipient)]}
    assert channel.guild is not None
    place = {"name": channel.name, "position": channel.guild.channels.index(channel)}
    rest = {"permission_overwrites": [], "nsfw": False, "rate_limit_per_user": 0}
    return base | place | rest | {"guild_id": str(channel.guild.id), "parent_id": None}


def guild_json(guild: Guild) -> Json:
    nothing = (
        "icon description home_header splash discovery_splash banner application_id afk_channel_id "
        "system_channel_id widget_channel_id max_presences vanity_url_code rules_channel_id "
        "safety_alerts_channel_id public_updates_channel_id incidents_data"
    )
    zero = (
        "verification_level default_message_notifications mfa_level explicit_content_filter "
        "premium_tier premium_subscription_count nsfw_level system_channel_flags"
    )
    return {
        **dict.fromkeys(nothing.split()),
        **dict.fromkeys(zero.split(), 0),
        "id": str(guild.id),
        "name": guild.name,
        "owner_id": str(guild.owner.id),
        "preferred_locale": guild.locale,
        "roles": [role_json(guild, role) for role in guild.roles],
        "features": [],
        "emojis": [],
        "stickers": [],
        "region": "",
        "afk_timeout": 300,
        "widget_enabled": False,
        "premium_progress_bar_enabled": False,
        "nsfw": False,
        "max_members": 500_000,
        "max_video_channel_users": 25,
        "max_stage_video_channel_users": 50,
    }


def guild_create_json(guild: Guild, me: User) -> Json:
    """GUILD_CREATE: without the members intent only the app itself is listed."""
    mine = guild.members.get(me.id)
    return guild_json(guild) | {
        "joined_at": "2026-01-01T00:00:00+00:00",
        "large": False,
        "unavailable": False,
        "member_count": len(guild.members),
        "members": [member_json(mine)] if mine else [],
        "channels": [channel_json(channel) for channel in guild.channels],
        "threads": [],
        "presences": [],
        "voice_states": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


# Discord answers these keys even when they were not sent.
DEFAULTS: dict[int, Json] = {
    SEPARATOR: {"divider": True, "spacing": 1},
    CONTAINER: {"accent_color": None, "spoiler": False},
}


def numbered(components: list[Json]) -> list[Json]:
    """Discord gives each component a number; clients find their way back by it."""
    given = {child.get("id") for _, child in walk({"components": components})}
    taken = (number for number in count(1) if number not in given)
    return [_numbered(component, taken) for component in components]


def _numbered(component: Json, taken: Iterator[int]) -> Json:
    copy = dict(component)
    copy["id"] = component.get("id") or next(taken)
    for path, child in children(component):
        key = path.partition(".")[0]
        done = _numbered(child, taken)
        if key != "components":
            copy[key] = done
        elif path == "components.0":
            copy[key] = [done]
        else:
            copy[key].append(done)
    return _answered_media(_completed(copy))


def _completed(component: Json) -> Json:
    return DEFAULTS.get(component.get("type", 0), {}) | component


def _answered_media(component: Json) -> Json:
    """Uploaded files come back with an address of their own."""
    for key in ("media", "file"):
        if key in component:
            component[key] = _media(component[key])
    if "items" in component:
        component["items"] = [_gallery_item(item) for item in component["items"]]
    return component


def _gallery_item(item: Json) -> Json:
    return {"description": None, "spoiler": False} | item | {"media": _media(item["media"])}


def _media(media: Json) -> Json:
    url = media["url"].replace("attachment://", "https://cdn.invalid/")
    return {
        "id": "1",
        "url": url,
        "proxy_url": url,
        "width": None,
        "height": None,
        "content_type": None,
    }


def _reference(message: Message, reply: Json) -> Json:
    """Discord says where the message stands that is answered, whatever was left out."""
    ids = {key: str(value) for key, value in reply.items() if key.endswith("_id")}
    return {"type": reply.get("type", 0), "channel_id": str(message.channel.id), **ids}


def message_json(message: Message) -> Json:
    body = message.body
    reply = body.get("message_reference")
    return {
        "id": str(message.id),
        "channel_id": str(message.channel.id),
        "type": 19 if reply and not reply.get("type") else 0,
        **({"message_reference": _reference(message, reply)} if reply else {}),
        "author": user_json(message.author),
        "content": message.content,
        "timestamp": stamp(message.sent_at),
        "edited_timestamp": stamp(message.edited_at) if message.edited_at else None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        **_snapshots(body),
        "attachments": [_attachment(message, name) for name in message.files],
        "embeds": [embed | {"type": "rich"} for embed in body.get("embeds") or []],
        "components": numbered(message.components),
        "pinned": False,
        "flags": message.flags,
        **({"nonce": message.nonce} if message.nonce else {}),
        **({"application_id": str(message.author.id)} if message.author.bot else {}),
        **({"webhook_id": str(message.author.id)} if message.cause else {}),
    }


def _snapshots(body: Json) -> Json:
    """What a forwarded message carries: the other one, without its author."""
    forwarded = body.get("message_snapshots") or ()
    kept = ("type", "content", "embeds", "attachments", "timestamp", "edited_timestamp", "flags")
    shots = [{"message": {name: message_json(one)[name] for name in kept}} for one in forwarded]
    return {"message_snapshots": shots} if shots else {}


def message_event(message: Message, body: Json) -> Json:
    """What the gateway adds to a message posted in a server."""
    guild = message.channel.guild
    if guild is None:
        return body
    event = body | {"guild_id": str(guild.id)}
    member = guild.members.get(message.author.id)
    if member is None:
        return event
    return event | {"member": {k: v for k, v in member_json(member).items() if k != "user"}}


def interaction_json(interaction: Interaction, app: User) -> Json:
    """INTERACTION_CREATE as the gateway sends it."""
    channel, guild = interaction.channel, interaction.channel.guild
    return {
        "id": str(interaction.id),
        "application_id": str(app.id),
        "type": interaction.type,
        "token": interaction.token,
        "version": 1,
        "data": interaction.data,
        "channel_id": str(channel.id),
        "channel": channel_json(channel) | {"permissions": str(ALL_PERMISSIONS)},
        "app_permissions": str(ALL_PERMISSIONS),
        "locale": interaction.user.locale,
        "entitlements": [],
        "attachment_size_limit": 10_485_760,
        "context": 1 if channel.type == DM_CHANNEL else 0,
        **({"message": message_json(interaction.source)} if interaction.source else {}),
        **(_from_guild(interaction, guild) if guild else _from_dm(interaction)),
    }


def _from_guild(interaction: Interaction, guild: Guild) -> Json:
    return {
        "guild_id": str(guild.id),
        "guild": {"id": str(guild.id), "locale": guild.locale, "features": []},
        "guild_locale": guild.locale,
        "member": resolved_member(guild, interaction.user) | {"user": user_json(interaction.user)},
        "authorizing_integration_owners": {"0": str(guild.id)},
    }


def _from_dm(interaction: Interaction) -> Json:
    owners = {"0": "0"}
    return {"user": user_json(interaction.user), "authorizing_integration_owners": owners}


def resolved_member(guild: Guild, user: User) -> Json:
    """A member beside a `users` entry: with permissions, without the user itself."""
    member = {k: v for k, v in member_json(guild.members[user.id]).items() if k != "user"}
    return member | {"permissions": str(guild.permissions_of(user))}


def _attachment(message: Message, name: str) -> Json:
    url = f"https://cdn.invalid/{message.channel.id}/{message.id}/{name}"
    size = len(message.files[name])
    index = list(message.files).index(name)
    return {
        "id": str(message.id + index),
        "filename": name,
        "size": size,
        "url": url,
        "proxy_url": url,
    }
