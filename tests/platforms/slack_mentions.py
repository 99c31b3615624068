"""Who is disturbed by a message: the live mentions Slack would fire for a payload."""

import re
from collections.abc import Iterator
from typing import Any

LIVE = re.compile(
    r"<(?:!(channel|here|everyone)|@([UW][A-Z0-9]+)|!subteam\^(S[A-Z0-9]+))(?:\|[^>]*)?>"
)
NAMED = re.compile(r"(?<![\w<!])@(channel|here|everyone)\b")
ATTACHED = ("text", "pretext", "title", "fallback")


def mentions_of(payload: dict[str, Any]) -> list[str]:
    """Each ping as "<!here>", "<@U1>" or "<!subteam^S1>", in reading order, doubles kept."""
    return [*_top(payload), *_inside(payload.get("blocks")), *_attached(payload)]


def _top(payload: dict[str, Any]) -> Iterator[str]:
    for name in ("text", "markdown_text"):
        text = payload.get(name) or ""
        yield from _live(text)
        # only these two settings turn a bare @here into a ping
        if payload.get("link_names") in (True, 1, "1", "true") or payload.get("parse") == "full":
            yield from (f"<!{match[1]}>" for match in NAMED.finditer(text))


def _attached(payload: dict[str, Any]) -> Iterator[str]:
    for attachment in payload.get("attachments") or []:
        for name in ATTACHED:
            yield from _live(attachment.get(name) or "")
        for field in attachment.get("fields") or []:
            yield from _live(field.get("value") or "")
        yield from _inside(attachment.get("blocks"))


def _inside(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for part in node:
            yield from _inside(part)
    elif isinstance(node, dict):
        yield from _element(node)
        for part in node.values():
            yield from _inside(part)


def _element(node: dict[str, Any]) -> Iterator[str]:
    """A text of a rich text and a plain_text never ping, whatever they say."""
    match node:
        case {"type": "mrkdwn" | "markdown", "text": str(text)}:
            yield from _live(text)
        case {"type": "user", "user_id": str(user)}:
            yield f"<@{user}>"
        case {"type": "broadcast", "range": str(reach)}:
            yield f"<!{reach}>"
        case {"type": "usergroup", "usergroup_id": str(group)}:
            yield f"<!subteam^{group}>"


def _live(text: str) -> Iterator[str]:
    for match in LIVE.finditer(text):
        reach, user, group = match.groups()
        yield f"<!{reach}>" if reach else f"<@{user}>" if user else f"<!subteam^{group}>"
