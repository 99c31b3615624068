"""What people do in their direct messages with the hub, as parts of conversations: pure."""

import re
from dataclasses import dataclass
from typing import Literal

from bot.adapters.slack import payloads
from bot.adapters.slack.payloads import Body, Visitor, part, text
from bot.domain.inert import linked
from bot.request import File, Heard, Sender

_TOKEN = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
_COMMAND = re.compile(r"\s*/wwc\b")
_WRITTEN = ("", "file_share", "thread_broadcast", "me_message")


@dataclass(frozen=True)
class Overheard:
    """One event of a direct message: who did it, and what; the sender is looked up later."""

    visitor: Visitor
    act: Literal["written", "edited", "deleted"]
    message: Body
    channel: str
    event: str

    def heard(self, sender: Sender) -> Heard:
        """The same as the hub wants it."""
        said, ts = text(self.message.get("text")), text(self.message.get("ts"))
        thread = text(self.message.get("thread_ts"))
        gesture = text(self.message.get("client_msg_id"))
        same = (f"{sender.platform}:{sender.workspace}:{gesture}",) if gesture else ()
        return Heard(
            sender, self.act, ts, self.channel, words(said),
            under=thread if thread != ts else "", threaded=True,
            command=bool(_COMMAND.match(said)), edition=_edition(self.message),
            files=_files(self.message),
            keys=(self.event, *(same if self.act == "written" else ())),
        )  # fmt: skip


def read(platform: str, body: Body) -> Overheard | None:
    """None for whatever is no direct message of a person, or no change that a person made."""
    event = part(body, "event")
    kind = text(event.get("subtype"))
    act: Literal["written", "edited", "deleted"]
    if kind in _WRITTEN:
        act, message = "written", event
    elif kind == "message_changed":
        act, message = "edited", part(event, "message")
    elif kind == "message_deleted":
        act, message = "deleted", part(event, "previous_message")
    else:
        return None
    if event.get("channel_type") != "im" or not _by_person(message):
        return None
    if act == "edited" and not _edition(message):
        return None  # Slack itself added a preview
    visitor = payloads.author({**body, "event": message})
    name, channel = text(body.get("event_id")), text(event.get("channel"))
    if not (visitor.known and name and channel and text(message.get("ts"))):
        return None
    return Overheard(visitor, act, message, channel, f"{platform}:{name}")


def words(said: str) -> str:
    """The text as people read it; a link that has words of its own shows where it leads."""
    plain = _TOKEN.sub(_shown, said)
    return plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _shown(found: re.Match[str]) -> str:
    sign, reference, label = found[1], found[2], found[3] or ""
    if sign == "!":
        return label or f"@{reference.partition('^')[0]}"
    if sign:
        return f"{sign}{label or '…'}"
    return linked(label, reference) if label else reference


def _by_person(message: Body) -> bool:
    return not (message.get("bot_id") or message.get("bot_profile"))


def _edition(message: Body) -> int:
    """When it was edited last, in microseconds; 0 if never."""
    try:
        return int(float(text(part(message, "edited").get("ts"))) * 1_000_000)
    except (ValueError, OverflowError):
        return 0


def _files(message: Body) -> tuple[File, ...]:
    """What Slack tells of them; what is in them it gives to the workspace's own token alone."""
    given = message.get("files")
    found = [file for file in given if isinstance(file, dict)] if isinstance(given, list) else []
    return tuple(
        File(
            text(file.get("name")) or text(file.get("title")),
            size if isinstance(size := file.get("size"), int) else 0,
            text(file.get("mimetype")),
            id=text(file.get("id")),
        )
        for file in found
    )
