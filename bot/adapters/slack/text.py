"""Clean, measure and cut texts for Slack, in UTF-16 units and never inside a grapheme."""

from bot.domain.characters import cut_at_character, remove_invisible, utf16_length

_SHORTEST_CHUNK = 0.8
"""Chunks end between two words, unless that would leave more than a fifth of them unused."""


def is_visible(text: str) -> bool:
    """Return whether the text holds anything but white space and control characters."""
    return bool(remove_invisible(text).strip())


def shorten(text: str, most: int) -> str:
    """Return the tidied text, cut to `most` UTF-16 units with «…» at its end if it is longer."""
    whole = remove_invisible(text)
    if utf16_length(whole) <= most:
        return whole
    return whole[: _break_position(whole, most - 1)].rstrip() + "…"


def chunks(text: str, most: int) -> list[str]:
    """Split the text into pieces of at most `most` units, at line ends or spaces if possible."""
    rest, pieces = remove_invisible(text).strip(), []
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
    units, end = 0, 0
    for letter in text[:most]:
        units += 2 if letter > "\uffff" else 1
        if units > most:
            break
        end += 1
    # a single grapheme that is longer than `most` has to be cut
    return len(cut_at_character(text, end)) or max(end, 1)
