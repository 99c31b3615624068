"""Read the payloads Slack sends; any field may be missing or of another type."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.verbs import strip_address

Body = Mapping[str, Any]

_TOKEN = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")


@dataclass(frozen=True)
class Visitor:
    """The person or bot who did something in Slack, by Slack's ids.

    `team`: the workspace in which it happened. `enterprise`: the organisation of that workspace.
    `home`: the workspace the user belongs to, as far as the payload says.
    """

    team: str
    user: str
    enterprise: str = ""
    home: str = ""
    name: str = ""
    is_bot: bool = False

    @property
    def is_identified(self) -> bool:
        """Return whether the payload named both the workspace and the user."""
        return bool(self.team and self.user)


def get_text(value: Any) -> str:
    """Return the value if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def get_object(value: Any, name: str) -> Body:
    """Return the JSON object under a name, or an empty one."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def event_type(body: Body) -> str:
    """Return the type of the event in the payload, such as «message»."""
    return get_text(get_object(body, "event").get("type"))


def command_author(body: Body) -> Visitor:
    """Return who typed the slash command."""
    return Visitor(
        team=_first_workspace(body.get("team_id")),
        user=get_text(body.get("user_id")),
        enterprise=get_text(body.get("enterprise_id")),
        name=get_text(body.get("user_name")),
    )


def interaction_author(body: Body) -> Visitor:
    """Return who pressed a button, chose an option, used a shortcut, or sent or closed a form.

    A view says where the hub is installed: in the workspace itself, in another one that shares the
    channel, or in a whole organisation, which is no workspace. Where it is the organisation of
    somebody else, nothing tells the workspace, and the author is not identified.
    """
    user, team = get_object(body, "user"), get_object(body, "team")
    home, own = get_text(user.get("team_id")), get_text(team.get("id"))
    company = get_text(get_object(body, "enterprise").get("id"))
    company = company or get_text(team.get("enterprise_id"))
    installed = get_text(get_object(body, "view").get("app_installed_team_id"))
    is_foreign = _is_organisation(installed) and company not in ("", installed)
    return Visitor(
        team="" if is_foreign else _first_workspace(installed, own, home),
        user=get_text(user.get("id")),
        enterprise=company or (installed if _is_organisation(installed) else ""),
        home=home,
        name=get_text(user.get("name")),
    )


def event_author(body: Body) -> Visitor:
    """Return who caused the event, in the workspace it was sent for.

    An installation in a whole organisation names no workspace; then it is the one through which
    Slack sent the event, and last the one in which it happened.
    """
    event, granted = get_object(body, "event"), authorization(body)
    return Visitor(
        team=_first_workspace(
            granted.get("team_id"), body.get("context_team_id"), body.get("team_id")
        ),
        user=get_text(event.get("user")),
        enterprise=get_text(granted.get("enterprise_id"))
        if "enterprise_id" in granted
        else get_text(body.get("context_enterprise_id")) or get_text(body.get("enterprise_id")),
        home=get_text(event.get("user_team")) or get_text(event.get("team")),
        is_bot=bool(event.get("bot_id") or event.get("bot_profile")),
    )


def _is_organisation(place: str) -> bool:
    """Return whether it is the id of an organisation; those of workspaces begin with T."""
    return place.startswith("E")


def _first_workspace(*places: Any) -> str:
    """Return the first id of a workspace, or an empty text."""
    ids = (get_text(place) for place in places)
    return next((place for place in ids if place and not _is_organisation(place)), "")


def authorization(body: Body) -> Body:
    """Return the installation for which Slack sent the event, or an empty object."""
    found = body.get("authorizations")
    first = found[0] if isinstance(found, list) and found else None
    return first if isinstance(first, Mapping) else {}


def bot_user_id(body: Body) -> str:
    """Return the user id of the hub's bot in the event's workspace, or an empty text."""
    granted = authorization(body)
    return get_text(granted.get("user_id")) if granted.get("is_bot") is not False else ""


def action_command(action: Any) -> str:
    """Return the command of the pressed button or of the chosen option."""
    chosen = get_object(action, "selected_option")
    value = chosen.get("value") if chosen else get_object({"": action}, "").get("value")
    return get_text(value)


def parse_command_text(said: Any, bot: str = "") -> str:
    """Return the words of a command as they were typed.

    Slack's markup is undone, mentions become `<@id>`, and `/wwc` and mentions of the hub (`bot`:
    its user id) are removed.
    """
    words = _TOKEN.sub(_replace_token, get_text(said))
    if bot:
        words = words.replace(f"<@{bot}>", " ")
    plain = words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return strip_address(plain)


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
            # a label that is not part of the address would hide where the link leads
            return label if label and reference.endswith(label) else reference
