"""Build the manifest of the Slack app: its scopes, its events and its slash command."""

from collections.abc import Mapping
from typing import Any

from bot.adapters.slack.text import shorten
from bot.cards import SLASH
from bot.commands import Command

SCOPES: Mapping[str, str] = {
    "app_mentions:read": "hear when somebody names the bot in a channel",
    "chat:write": "answer in direct messages and where the bot was named",
    "commands": f"offer {SLASH}",
    "files:read": "pass on a file that somebody sends in such a conversation, when it is opened",
    "im:history": "read what people write to the bot directly",
    "im:write": "begin a direct message somebody asked for or did not switch off",
    "mpim:write": "bring people together who agreed to meet, in one conversation with the bot",
    "reactions:read": "pass on the reactions to what two people write to each other",
    "reactions:write": "mark what was passed on to the person somebody talks with",
    "users:read": "know the name, language and time zone of who asks, and who is a guest",
    "users:read.email": "let people in by their address, where staff vouch for the workspace",
}
"""The scopes the bot asks for, and what each is used for."""

EVENTS: Mapping[str, str] = {
    "app_home_opened": "draw the Home tab",
    "app_mention": "answer where the bot was named",
    "app_uninstalled": "forget the token",
    "message.im": "answer direct messages",
    "reaction_added": "pass a reaction on to who talks with somebody",
    "reaction_removed": "take it back there",
    "tokens_revoked": "forget the token",
}
"""The events the bot subscribes to, and what each is used for."""

NAME = "WWC Hub"
DESCRIPTION = "One community of city data people: ask who does what, in four languages."
LONG_DESCRIPTION = (
    "The What Works Cities Certification Community in the chat your city already uses. Type "
    f"{SLASH} to find out who works on a topic in other cities, what their cities are strong in "
    "and how to reach them. English, Español, Português, Français. Answers are visible to you "
    "alone; a profile shows what its owner chose to show, to verified members of the community."
)
COMMAND_HINTS = {
    "en": "Find people and cities",
    "es": "Encuentra personas y ciudades",
    "pt": "Encontre pessoas e cidades",
    "fr": "Trouver des personnes et des villes",
}
"""Joined into one description: Slack shows the same one to everybody, whatever the language."""

MAX_DESCRIPTION, MAX_HINT = 2000, 1000


def build_manifest(
    commands: Mapping[str, Command], public_url: str = "", *, socket: bool = False
) -> dict[str, Any]:
    """Return the manifest to paste into Slack; with Socket Mode it holds no addresses."""
    url = f"{public_url.rstrip('/')}/slack/events"
    command = {
        "command": SLASH,
        "description": shorten(" · ".join(COMMAND_HINTS.values()), MAX_DESCRIPTION),
        "usage_hint": usage_hint(commands),
        "should_escape": True,  # mentions arrive as ids: several people may have the same name
    }
    request = {} if socket else {"request_url": url}
    redirect = {} if socket else {"redirect_urls": [url.replace("events", "oauth_redirect")]}
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": NAME,
            "description": DESCRIPTION,
            "long_description": LONG_DESCRIPTION,
            "background_color": "#123a5c",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": NAME, "always_online": True},
            "slash_commands": [command if socket else command | {"url": url}],
        },
        "oauth_config": {**redirect, "scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {**request, "bot_events": list(EVENTS)},
            "interactivity": {
                "is_enabled": True,
                **request,
                **({} if socket else {"message_menu_options_url": url}),
            },
            "org_deploy_enabled": True,
            "socket_mode_enabled": socket,
            "token_rotation_enabled": False,
        },
    }


def usage_hint(commands: Mapping[str, Command]) -> str:
    """Return the examples shown behind the slash command, as many as fit, `help` first.

    Left out are commands for staff and those of several words.
    """
    open_to_all = [c for c in commands.values() if not (c.is_staff_only or " " in c.name)]
    examples = [c.example or c.name for c in sorted(open_to_all, key=lambda c: c.name != "help")]
    hint = ""
    for example in examples:
        longer = f"{hint} | {example}" if hint else example
        if len(longer) > MAX_HINT:
            break
        hint = longer
    return f"[{hint}]" if len(hint) < MAX_HINT - 1 else hint
