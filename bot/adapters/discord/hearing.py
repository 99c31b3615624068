"""Parse events in direct messages with the bot into `IncomingMessage`s: pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain

import discord

from bot.domain.code import rewrite_passages
from bot.request import File, IncomingMessage, Quote, Sender

_MENTION = re.compile(r"<(@[!&]?|#)(\d{15,20})>")
_EMOJI = re.compile(r"<a?:(\w{1,64}):\d+>")
_COMMAND_MENTION = re.compile(r"<(/[\w -]{1,100}):\d+>")
_UNSHOWN_LINK = re.compile(r"<(https?://[^\s<>]+)>")
"""A link without a preview; the brackets are not shown."""
_ESCAPED = re.compile(r"(https?://\S+)|\\([*_~|#>+\-\[\]().!:@\\])")
"""A sign that is shown as it is; a backslash in an address belongs to it."""


def parse_message(message: discord.Message, sender: Sender) -> IncomingMessage:
    """Return a new message; `parent` is the message that it replies to."""
    return IncomingMessage(
        sender,
        "written",
        str(message.id),
        str(message.channel.id),
        _message_text(message),
        parent=_reply_target_id(message),
        files=files(message),
        quotes=_quotes(message),
        keys=(f"{sender.platform}:m{message.id}",),
    )


def parse_edit(message: discord.Message, sender: Sender) -> IncomingMessage | None:
    """Return an edited message; None where Discord only added link previews."""
    if message.edited_at is None:
        return None
    edition = int(message.edited_at.timestamp() * 1_000_000)
    keys = (f"{sender.platform}:m{message.id}:{edition}",)
    return replace(parse_message(message, sender), act="edited", edition=edition, keys=keys)


def parse_deletion(platform: str, gone: discord.RawMessageDeleteEvent) -> IncomingMessage:
    """Return a deletion, without a sender: Discord names none, and only the writer can delete."""
    nobody = Sender(platform, "", "")
    return IncomingMessage(nobody, "deleted", str(gone.message_id), str(gone.channel_id))


def parse_reaction(mark: discord.RawReactionActionEvent, sender: Sender) -> IncomingMessage:
    """Return an emoji that was added to a message or removed from it."""
    act = mark.event_type == "REACTION_ADD"
    name = mark.emoji.name or ""
    shown = f":{name}:" if mark.emoji.id else name
    return IncomingMessage(
        sender,
        "marked" if act else "unmarked",
        str(mark.message_id),
        str(mark.channel_id),
        emoji=shown,
    )


def readable_text(content: str, names: Mapping[str, str]) -> str:
    """Return a text as people read it: names for mentions and for the server's own emoji.

    `names`: of mentioned people, by id. Times stay as Discord writes them, since each reader has a
    clock. Code stays as it is.
    """

    def named(found: re.Match[str]) -> str:
        return f"{found[1][0]}{names.get(found[2], '…')}"

    def read_prose(text: str) -> str:
        said = _EMOJI.sub(r":\1:", _MENTION.sub(named, text))
        return _ESCAPED.sub(
            lambda found: found[1] or found[2],
            _UNSHOWN_LINK.sub(r"\1", _COMMAND_MENTION.sub(r"\1", said)),
        )

    return rewrite_passages(content, read_prose)


def _message_text(message: discord.Message) -> str:
    names = {str(user.id): user.display_name for user in message.mentions}
    return _with_stickers(readable_text(message.content, names), message.stickers)


def _with_stickers(said: str, stickers: Sequence[discord.StickerItem]) -> str:
    return "\n".join(filter(None, (said, *(f":{sticker.name}:" for sticker in stickers))))


def _quotes(message: discord.Message) -> tuple[Quote, ...]:
    """Return the messages that were forwarded; Discord does not tell who wrote them."""
    return tuple(
        Quote("", _with_stickers(readable_text(one.content, {}), one.stickers))
        for one in message.message_snapshots
    )


def files(message: discord.Message) -> tuple[File, ...]:
    """Return the attachments; anybody who has such an address can open it for a day."""
    return tuple(
        File(one.filename, one.size, (one.content_type or "").partition(";")[0], one.url)
        for one in chain(message.attachments, *(s.attachments for s in message.message_snapshots))
    )


def _reply_target_id(message: discord.Message) -> str:
    reference = message.reference
    is_reply = reference is not None and reference.type == discord.MessageReferenceType.reply
    return str(reference.message_id or "") if reference is not None and is_reply else ""
