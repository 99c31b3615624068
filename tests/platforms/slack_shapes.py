"""How Slack writes down its objects: messages, channels, people."""

from tests.platforms.slack_blocks import Json
from tests.platforms.slack_world import Channel, Post, User

APP_ID = "A0001LB"
KIND_NAMES = {"channel": "public_channel", "private": "private_channel", "im": "im", "mpim": "mpim"}


def message_of(post: Post, *, metadata: bool = True) -> Json:
    """A message as Slack's answers and events show it."""
    by_bot = post.user == post.team.bot_user
    shown: Json = {"type": "message", "user": post.user, "text": post.text, "ts": post.ts,
                   "team": post.team.id, "blocks": post.blocks}  # fmt: skip
    shown |= {"bot_id": post.team.bot_id, "app_id": APP_ID} if by_bot else {}
    shown |= {"attachments": post.attachments} if post.attachments else {}
    shown |= {"thread_ts": post.thread_ts} if post.thread_ts else {}
    shown |= {"metadata": post.metadata} if metadata and post.metadata else {}
    shown |= {"edited": {"user": post.user, "ts": post.ts}} if post.edits else {}
    return shown


def channel_json(channel: Channel, is_member: bool) -> Json:
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": channel.kind == "channel",
        "is_group": channel.kind == "private",
        "is_private": channel.kind != "channel",
        "is_im": channel.kind == "im",
        "is_mpim": channel.kind == "mpim",
        "is_archived": channel.is_archived,
        "is_ext_shared": channel.is_ext_shared,
        "is_member": is_member,
        "num_members": len(channel.members),
        "context_team_id": channel.team.id,
    }


def user_json(user: User, *, email: bool) -> Json:
    profile = {"real_name": user.real_name, "display_name": user.name}
    profile |= {"email": user.email} if email else {}
    return {
        "id": user.id,
        "team_id": user.home_team or user.team.id,
        "name": user.name,
        "real_name": user.real_name,
        "deleted": user.deleted,
        "tz": user.tz,
        "tz_label": user.tz,
        "profile": profile,
        "is_admin": user.is_admin,
        "is_owner": False,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": False,
        "is_bot": user.is_bot,
        "is_email_confirmed": True,
        "is_app_user": False,
    } | ({"is_stranger": True} if user.is_stranger else {})
