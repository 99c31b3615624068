"""What Slack sends, read with care: any field may be missing or of another kind."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Body = Mapping[str, Any]

_TOKEN = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
_SLASH = re.compile(r"^\s*/wwc\b\s*")


@dataclass(frozen=True)
class Visitor:
    """Who did something: the workspace it happened in, the user, and where the user is at home."""

    team: str
    user: str
    enterprise: str = ""
    home: str = ""
    name: str = ""
    is_bot: bool = False

    @property
    def is_identified(self) -> bool:
        """Is it said who this is?"""
        return bool(self.team and self.user)


def text(value: Any) -> str:
    """A string, or nothing."""
    return value if isinstance(value, str) else ""


def part(value: Any, name: str) -> Body:
    """The object under a name, or an empty one."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def kind(body: Body) -> str:
    """What an event is about."""
    return text(part(body, "event").get("type"))


def command_author(body: Body) -> Visitor:
    """Who typed a slash command."""
    return Visitor(
        team=text(body.get("team_id")),
        user=text(body.get("user_id")),
        enterprise=text(body.get("enterprise_id")),
        name=text(body.get("user_name")),
    )


def actor(body: Body) -> Visitor:
    """Who pressed, chose or submitted something."""
    user = part(body, "user")
    home = text(user.get("team_id"))
    return Visitor(
        # in a channel shared with others the view knows where the hub is installed
        team=text(part(body, "view").get("app_installed_team_id"))
        or text(part(body, "team").get("id"))
        or home,
        user=text(user.get("id")),
        enterprise=text(part(body, "enterprise").get("id")),
        home=home,
        name=text(user.get("name")),
    )


def author(body: Body) -> Visitor:
    """Whose event this is."""
    event, granted = part(body, "event"), authorization(body)
    return Visitor(
        team=text(granted.get("team_id")) or text(body.get("team_id")),
        user=text(event.get("user")),
        enterprise=text(granted.get("enterprise_id")) or text(body.get("enterprise_id")),
        home=text(event.get("user_team")) or text(event.get("team")),
        is_bot=bool(event.get("bot_id") or event.get("bot_profile")),
    )


def authorization(body: Body) -> Body:
    """The installation an event was sent to."""
    found = body.get("authorizations")
    first = found[0] if isinstance(found, list) and found else None
    return first if isinstance(first, Mapping) else {}


def bot_user_id(body: Body) -> str:
    """The hub's own account there."""
    granted = authorization(body)
    return text(granted.get("user_id")) if granted.get("is_bot") is not False else ""


def action_command(action: Any) -> str:
    """The command of a button, or of a menu's option."""
    chosen = part(action, "selected_option")
    value = chosen.get("value") if chosen else part({"": action}, "").get("value")
    return text(value)


def parse_command_text(said: Any, bot: str = "") -> str:
    """Words as typed: Slack's markup undone, its mentions as `<@id>`, the hub's own name gone."""
    words = _TOKEN.sub(_replace_token, text(said))
    if bot:
        words = re.sub(rf"^(\s*<@{re.escape(bot)}>)+", "", words)
    plain = words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return _SLASH.sub("", plain).strip()


def _replace_token(match: re.Match[str]) -> str:
    sign, reference, label = match[1], match[2], match[3] or ""
    match sign:
        case "@":
            return f"<@{reference}>"
        case "#":
            return f"#{label or reference}"
        case "!":
            return f"@{label.removeprefix('@') or reference}"
        case _:
            # a label that is not the address itself would hide where a link leads
            return label if label and reference.endswith(label) else reference
