"""Parse events of direct messages into what the hub handles as parts of conversations. Pure."""

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal

from bot.adapters.slack import payloads
from bot.adapters.slack.payloads import Body, Visitor, get_object, get_text
from bot.domain.code import rewrite_passages
from bot.domain.emoji_names import draw_emoji, emoji_picture
from bot.domain.escaping import format_link
from bot.request import File, IncomingMessage, Quote, Sender

_TOKEN = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
_USER = re.compile(r"<@(\w+)>")
_DATE = re.compile(r"date\^(-?\d{1,13})\^([^^]*)")
_DATE_PLACES = re.compile(r"\{\w+\}(?:.*\{\w+\})?")
_MESSAGE_SUBTYPES = ("", "file_share", "thread_broadcast", "me_message")

Act = Literal["written", "edited", "deleted", "marked", "unmarked"]


@dataclass(frozen=True)
class DirectMessageEvent:
    """A person wrote, edited or deleted a direct message, or changed a reaction to one.

    `message` holds Slack's message (for a reaction only its `ts`), `event` the id of the event,
    `edition` the time of the change in microseconds, 0 if there is none, and `mark` the emoji.
    """

    visitor: Visitor
    act: Act
    message: Body
    channel: str
    event: str
    edition: int = 0
    mark: str = ""

    @property
    def mentioned_users(self) -> frozenset[str]:
        """Return the ids of the people whom the message mentions without a name."""
        return frozenset(_USER.findall(get_text(self.message.get("text"))))

    def to_incoming_message(
        self, sender: Sender, names: Mapping[str, str] | None = None
    ) -> IncomingMessage:
        """Return the event as the hub's message from this sender.

        `names`: the names of mentioned people, by their ids. A new message has a second key, made
        of Slack's `client_msg_id`: the same message sent twice by the person's app is handled once.
        """
        said, ts = get_text(self.message.get("text")), get_text(self.message.get("ts"))
        thread = get_text(self.message.get("thread_ts"))
        gesture = get_text(self.message.get("client_msg_id"))
        same = (f"{sender.platform}:{sender.workspace}:{gesture}",) if gesture else ()
        return IncomingMessage(
            sender,
            self.act,
            ts,
            self.channel,
            readable_text(said, names or {}, _emoji_names(self.message)),
            parent=thread if thread != ts else "",
            has_threads=True,
            edition=self.edition,
            files=_files(self.message),
            emoji=self.mark,
            quotes=_quotes(self.message),
            keys=(f"{sender.platform}:{self.event}", *(same if self.act == "written" else ())),
        )


def parse_event(body: Body) -> DirectMessageEvent | None:
    """Return the event, or None if it is not about a direct message or not by a person."""
    match payloads.event_type(body):
        case "message":
            found = _parse_message(body)
        case "reaction_added":
            found = _parse_reaction(body, "marked")
        case "reaction_removed":
            found = _parse_reaction(body, "unmarked")
        case _:
            return None
    whole = found and found.visitor.is_identified and found.event and found.channel
    return found if found and whole and get_text(found.message.get("ts")) else None


def _parse_message(body: Body) -> DirectMessageEvent | None:
    """Parse a new, edited or deleted message; return None if it is not a person's."""
    event = get_object(body, "event")
    kind = get_text(event.get("subtype"))
    act: Act
    if kind in _MESSAGE_SUBTYPES:
        act, message = "written", event
    elif kind == "message_changed" and _is_tombstone(event):
        act, message = "deleted", get_object(event, "previous_message")
    elif kind == "message_changed":
        act, message = "edited", get_object(event, "message")
    elif kind == "message_deleted":
        act, message = "deleted", get_object(event, "previous_message")
    else:
        return None
    edition = _microseconds(get_object(message, "edited").get("ts"))
    if event.get("channel_type") != "im" or not _is_by_person(message):
        return None
    if act == "edited" and not edition:
        return None  # only Slack changed it, by adding a preview
    visitor = payloads.event_author({**body, "event": message})
    name, channel = get_text(body.get("event_id")), get_text(event.get("channel"))
    return DirectMessageEvent(visitor, act, message, channel, name, edition)


def _parse_reaction(body: Body, act: Act) -> DirectMessageEvent | None:
    """Parse a reaction to a direct message; return None for any other reaction.

    Slack also sends the reactions in every channel the hub is in; they are ignored.
    """
    event = get_object(body, "event")
    item, visitor = get_object(event, "item"), payloads.event_author(body)
    name, channel = get_text(body.get("event_id")), get_text(item.get("channel"))
    mark = emoji_picture(get_text(event.get("reaction")))
    if item.get("type") != "message" or not (channel.startswith("D") and mark):
        return None
    if visitor.user == payloads.bot_user_id(body):
        return None
    about = {"ts": item.get("ts")}
    return DirectMessageEvent(
        visitor, act, about, channel, name, _microseconds(event.get("event_ts")), mark
    )


def readable_text(
    said: str, names: Mapping[str, str] | None = None, emoji: AbstractSet[str] | None = None
) -> str:
    """Return the text without Slack's markup; a link with a label also shows its address.

    `names`: of mentioned people, by id. `emoji`: the names that are emoji in the text, None where
    that is not known. In code only the escaped characters and the addresses become plain.
    """

    def read_prose(text: str) -> str:
        pieces, end = list[str](), 0
        for found in _TOKEN.finditer(text):
            pieces += [
                draw_emoji(text[end : found.start()], emoji),
                _read_token(found, names or {}),
            ]
            end = found.end()
        return _unescape("".join([*pieces, draw_emoji(text[end:], emoji)]))

    return rewrite_passages(said, read_prose, _read_code, languages=False)


def _read_code(text: str) -> str:
    return _unescape(_TOKEN.sub(lambda found: found[3] or found[2], text))


def _unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _read_token(found: re.Match[str], names: Mapping[str, str]) -> str:
    sign, reference, label = found[1], found[2], found[3] or ""
    if sign == "!":
        return _read_special(reference, label)
    if sign == "@":
        return f"@{label or names.get(reference) or '…'}"
    if sign == "#":
        return f"#{label or '…'}"
    return format_link(label, reference) if label else format_link("", reference)


def _read_special(reference: str, label: str) -> str:
    """Return a group, a call to everybody, or a date, whose pattern holds one moment."""
    date = _DATE.match(reference)
    if date is None:
        name = reference.partition("^")[0]
        return f"@{label.removeprefix('@') or ('…' if name == 'subteam' else name)}"
    style = {(True, False): "D", (False, True): "t"}.get(
        ("{date" in date[2], "{time" in date[2]), "f"
    )
    moment = f"<t:{date[1]}:{style}>"
    return _DATE_PLACES.sub(moment, date[2]) if _DATE_PLACES.search(date[2]) else label or date[2]


def _emoji_names(message: Body) -> frozenset[str] | None:
    """Return the names of the emoji in a message; None where only its text could tell."""
    parts = list(_walk(message.get("blocks")))
    if not any(part.get("type") == "rich_text" for part in parts):
        return None
    return frozenset(get_text(part.get("name")) for part in parts if part.get("type") == "emoji")


def _walk(node: object) -> Iterator[Body]:
    """Yield every object of the elements of rich text."""
    if isinstance(node, list):
        for part in node:
            yield from _walk(part)
    elif isinstance(node, dict):
        yield node
        yield from _walk(node.get("elements"))


def _quotes(message: Body) -> tuple[Quote, ...]:
    """Return the messages that were shared or forwarded with this one."""
    given = message.get("attachments")
    found = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    return tuple(
        Quote(
            get_text(one.get("author_name")) or get_text(one.get("author_subname")),
            readable_text(get_text(one.get("text")) or get_text(one.get("fallback"))),
        )
        for one in found
        if one.get("is_share") is True or one.get("is_msg_unfurl") is True
    )


def _is_tombstone(event: Body) -> bool:
    """Return whether a deleted message stays as a mark, since it has answers in a thread."""
    return get_object(event, "message").get("subtype") == "tombstone"


def _is_by_person(message: Body) -> bool:
    return not (message.get("bot_id") or message.get("bot_profile"))


def _microseconds(ts: object) -> int:
    """Convert a time stamp of Slack to microseconds; return 0 if it is none."""
    try:
        moment = int(float(get_text(ts)) * 1_000_000)
    except (ValueError, OverflowError):
        return 0
    return moment if 0 < moment < 2**63 else 0


def _files(message: Body) -> tuple[File, ...]:
    """Return what Slack says of a message's files; only the workspace's own token opens them."""
    given = message.get("files")
    found = [file for file in given if isinstance(file, dict)] if isinstance(given, list) else []
    return tuple(
        File(
            get_text(file.get("name")) or get_text(file.get("title")),
            size if type(size := file.get("size")) is int and size > 0 else 0,
            get_text(file.get("mimetype")),
            id=get_text(file.get("id")),
        )
        for file in found
    )
