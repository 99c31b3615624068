"""Clean, measure and cut texts for Slack, in UTF-16 units and never inside a grapheme."""

import re
import unicodedata

MAX_MARKS = 4
"""Most combining marks on one letter; more of them would cover the neighbouring lines."""

_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_MARKS = re.compile("[\u0300-\U0010ffff]{5}")
"""Quick test for too many combining marks in a row; all of them are in this range."""

_JOINER = "\u200d"
_SHORTEST_CHUNK = 0.8
"""Chunks end between two words, unless that would leave more than a fifth of them unused."""


def tidy(text: str) -> str:
    """Remove control characters, direction marks and surplus combining marks."""
    if text.isascii() and text.isprintable():
        return text
    safe = _UNSAFE.sub("", text)
    return _limit_accents(safe) if _MARKS.search(safe) else safe


def is_visible(text: str) -> bool:
    """Return whether the text holds anything but white space and control characters."""
    return bool(tidy(text).strip())


def _limit_accents(text: str) -> str:
    kept, marks = [], 0
    for char in text:
        marks = marks + 1 if _is_mark(char) else 0
        if marks <= MAX_MARKS:
            kept.append(char)
    return "".join(kept)


def utf16_length(text: str) -> int:
    """Return the length as Slack counts it: in UTF-16 units, of which an emoji takes two."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def shorten(text: str, most: int) -> str:
    """Return the tidied text, cut to `most` UTF-16 units with «…» at its end if it is longer."""
    whole = tidy(text)
    if utf16_length(whole) <= most:
        return whole
    return whole[: _break_position(whole, most - 1)].rstrip() + "…"


def chunks(text: str, most: int) -> list[str]:
    """Split the text into pieces of at most `most` units, at line ends or spaces if possible."""
    rest, pieces = tidy(text).strip(), []
    while utf16_length(rest) > most:
        end = _break_position(rest, most)
        gap = max(rest.rfind("\n", 0, end), rest.rfind(" ", 0, end))
        end = gap if gap > end * _SHORTEST_CHUNK else end
        pieces.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return [*filter(None, pieces), rest] if rest else pieces


def escape_text(text: str, most: int) -> str:
    """Escape & < > for the text of a message, where they would begin links and mentions.

    The text is shortened so that the escaped one has at most `most` UTF-16 units.
    """
    most_raw = most
    while True:
        said = _escape(shorten(text, most_raw))
        if utf16_length(said) <= most:
            return said
        most_raw -= max(1, (utf16_length(said) - most) // 5)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _break_position(text: str, most: int) -> int:
    """Return how many characters fit in `most` units without cutting a grapheme."""
    end = most
    while utf16_length(text[:end]) > most:
        end -= 1
    whole = end
    while whole and not _is_break(text, whole):
        whole -= 1
    # a single grapheme that is longer than `most` has to be cut
    return whole or max(end, 1)


def _is_break(text: str, at: int) -> bool:
    """Return whether the text may be cut before the character at this index."""
    before, after = text[at - 1], text[at]
    if _is_mark(after) or _joins(after) or before == _JOINER:
        return False
    if not (_is_flag_letter(before) and _is_flag_letter(after)):
        return True
    letters = re.search("[\U0001f1e6-\U0001f1ff]+$", text[:at])
    return letters is not None and len(letters[0]) % 2 == 0


def _is_mark(char: str) -> bool:
    return char > "\u02ff" and unicodedata.category(char)[0] == "M"


def _joins(char: str) -> bool:
    """Return whether it belongs to the character before: a joiner, a skin tone or a tag."""
    return (
        char == _JOINER
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or "\U000e0020" <= char <= "\U000e007f"
    )


def _is_flag_letter(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
