"""Renders the copy of a message for the other side of a conversation, in the reader's words."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bot.cards import Card
from bot.community.relay import cards
from bot.community.relay.threads import ConversationView
from bot.domain.characters import utf16_length
from bot.domain.code import close_block, rewrite_passages
from bot.domain.escaping import MAX_LENGTH, escape_markup, one_line, truncate
from bot.i18n import Translator, translator
from bot.request import File, IncomingMessage, Quote
from db.members import Member

MAX_QUOTES = 5
"""Shared messages that are passed on with one message."""

MAX_READ = 4 * MAX_LENGTH
"""Characters of a text that are read at most; more of them could hardly be shown."""

_MOMENT = re.compile(r"<t:(-?\d{1,13})(?::([a-zA-Z]))?>")


@dataclass(frozen=True, slots=True)
class MessageCopy:
    """The copy of a message; `card` is None if nothing of the message can be shown."""

    card: Card | None
    is_cut: bool = False


def render_copy(view: ConversationView, heard: IncomingMessage) -> MessageCopy:
    """Render the copy for the other side; all its texts together are cut to `MAX_LENGTH`."""
    if view.other is None:
        return MessageCopy(None)
    text, is_cut = _prepare_text(view.other, heard.text, MAX_LENGTH)
    room = MAX_LENGTH - utf16_length(text)
    quotes: list[Quote] = []
    for quote in heard.quotes[:MAX_QUOTES]:
        said, was_cut = _prepare_text(view.other, quote.text, room) if room > 1 else ("", True)
        is_cut |= was_cut
        room -= utf16_length(said)
        quotes += [Quote(one_line(quote.author), said)] if said else []
    is_cut |= len(heard.quotes) > MAX_QUOTES
    if not (text or quotes or heard.files):
        return MessageCopy(None)
    t = translator(view.other.language)
    card = cards.message_card(t, view.me, heard.sender.label, text, heard.files, quotes)
    return MessageCopy(card, is_cut)


def _prepare_text(reader: Member, text: str, room: int) -> tuple[str, bool]:
    """Return a text as the reader may see it, in at most `room` units, and whether it was cut."""
    shown, is_cut = truncate(escape_markup(express_moments(reader, text[:MAX_READ])), room)
    return close_block(shown), is_cut or len(text) > MAX_READ


def describe_losses(
    view: ConversationView, files: tuple[File, ...], *, is_cut: bool
) -> Card | None:
    """Render what was not passed on whole: a long text, large files; None if all was."""
    said = []
    if is_cut:
        said.append(cards.truncation_text(view.t, view.other_name))
    if any(not file.url and file.size > 0 for file in files):
        said.append(cards.files_not_sent_text(view.t, view.other_name))
    if any(not file.url and file.size <= 0 for file in files):
        said.append(cards.files_without_size_text(view.t, view.other_name))
    return cards.note_card(" ".join(said)) if said else None


def excerpt(reader: Member, heard: IncomingMessage) -> str:
    """Return the words of a message, or of what was shared with it, to show it to its writer."""
    words = heard.text or next((quote.text for quote in heard.quotes), "")
    return escape_markup(express_moments(reader, words))


def express_moments(reader: Member, text: str) -> str:
    """Return the text with each `<t:SECONDS:STYLE>` as a date and time on the reader's clock."""
    t = translator(reader.language)
    return rewrite_passages(
        text, lambda prose: _MOMENT.sub(lambda m: _express_moment(t, reader.zone, m), prose)
    )


def _express_moment(t: Translator, zone: str, found: re.Match[str]) -> str:
    try:
        local = datetime.fromtimestamp(int(found[1]), UTC).astimezone(ZoneInfo(zone))
    except (ValueError, OverflowError, OSError):
        return found[0]
    if found[2] in ("d", "D"):
        return t.day(local, "long")
    if found[2] in ("t", "T"):
        return t("{time} (your time)", time=t.time(local))
    return t("{day}, {time} (your time)", day=t.day(local, "long"), time=t.time(local))
