"""Build the address that adds the bot to a server, asking only for permissions it uses."""

from urllib.parse import urlencode

import discord

SCOPES = {
    "bot": "be a member of the server, to post in its channels and write to its people",
    "applications.commands": "offer /wwc with its options, and «Who is this?» on people",
}
PERMISSIONS = {
    "view_channel": "see the channels it is asked to post in",
    "send_messages": "post announcements and digests there",
    "send_messages_in_threads": "the same where the chosen place is a thread",
    "read_message_history": "see whether its own post is there when Discord's answer was lost",
}
AUTHORIZE = "https://discord.com/oauth2/authorize"


def invite_url(application_id: int | str) -> str:
    """Return the address at which a manager of a server adds the bot to it."""
    permissions = discord.Permissions(**dict.fromkeys(PERMISSIONS, True))
    asked = {
        "client_id": str(application_id),
        "scope": " ".join(SCOPES),
        "permissions": str(permissions.value),
    }
    return f"{AUTHORIZE}?{urlencode(asked)}"
