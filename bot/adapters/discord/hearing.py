"""Parse events in direct messages with the bot into `IncomingMessage`s: pure."""

import re
from dataclasses import replace

import discord

from bot.request import File, IncomingMessage, Sender

_MENTION = re.compile(r"<(@[!&]?|#)(\d{15,20})>")
_EMOJI = re.compile(r"<a?:(\w{1,64}):\d+>")
_COMMAND = re.compile(r"\s*/?wwc\b")


def parse_message(message: discord.Message, sender: Sender) -> IncomingMessage:
    """Return a new message; `parent` is the message that it replies to."""
    return IncomingMessage(
        sender,
        "written",
        str(message.id),
        str(message.channel.id),
        readable_text(message),
        parent=_reply_target_id(message),
        is_command=bool(_COMMAND.match(message.content)),
        files=files(message),
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


def readable_text(message: discord.Message) -> str:
    """Return the text as people read it: names for mentions and for the server's own emoji."""
    names = {str(user.id): user.display_name for user in message.mentions}

    def named(found: re.Match[str]) -> str:
        return f"{found[1][0]}{names.get(found[2], '…')}"

    said = _EMOJI.sub(r":\1:", _MENTION.sub(named, message.content))
    return "\n".join(filter(None, (said, *(f":{s.name}:" for s in message.stickers))))


def files(message: discord.Message) -> tuple[File, ...]:
    """Return the attachments; anybody who has such an address can open it for a day."""
    return tuple(
        File(one.filename, one.size, (one.content_type or "").partition(";")[0], one.url)
        for one in message.attachments
    )


def _reply_target_id(message: discord.Message) -> str:
    reference = message.reference
    is_reply = reference is not None and reference.type == discord.MessageReferenceType.reply
    return str(reference.message_id or "") if reference is not None and is_reply else ""
