"""Escape and shorten people's text for Discord: their markup and mentions have no effect."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator

from bot.domain.addresses import split_addresses
from bot.domain.characters import continues_character, remove_invisible, utf16_length
from bot.domain.code import FENCE, split_code

ZERO_WIDTH_SPACE = "\u200b"
"""Breaks a mention in two without being visible."""

MAX_LINE = 2000
"""Characters; nothing on one line is ever shown longer than this."""

_SCHEME = re.compile(r"(?i)(https?|discord|steam)://")
_MARKUP = re.compile(r"([\\*_~|`\[\]])")
_LINE_START = re.compile(r"(?m)^([ \t]*)(?:([#>+-])|(\d+)(?=[.)]))")
_TAG = re.compile(r"<(?=[@#:]|\w{1,20}:|/[^<>\n]{1,100}:\d|\Z)")
"""Where Discord would begin a mention, an emoji, a time, a command or a link."""
_LIVE_MENTION = re.compile(r"(?i)<(?=[@#])|@(?=everyone|here)")
_MASS_MENTION = re.compile(r"(?i)@(?=everyone|here|&)")


def tidy(text: str) -> str:
    """Return the text without control characters, direction marks and piles of accents.

    Line breaks stay; repeated spaces and blank lines are collapsed.
    """
    lines = (" ".join(line.split()) for line in remove_invisible(text).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def one_line(text: str) -> str:
    """Return the tidied text on a single line."""
    return " ".join(tidy(text[:MAX_LINE]).split())


def escape_markup(text: str) -> str:
    """Return Discord markdown that shows exactly what somebody wrote and does nothing else.

    Plain web addresses stay links, since they show where they lead; every other address,
    mention, time, heading, quote, list or emphasis is shown as plain characters.
    """
    return _escape_prose(tidy(text), starts=True)


def escape_message(text: str) -> str:
    """Return Discord markdown that shows a member's message like `escape_markup`, with its code."""
    pieces: list[str] = []
    for passage in split_code(text):
        if passage.kind == "prose":
            starts = not pieces or pieces[-1].endswith("\n")
            pieces.append(_escape_prose(passage.text, starts=starts))
            continue
        code = _LIVE_MENTION.sub("\\g<0>" + ZERO_WIDTH_SPACE, passage.text)
        if passage.kind == "inline":
            ticks = "``" if "`" in code else "`"
            pieces.append(f"{ticks}{code}{ticks}")
        else:
            above = "\n" if pieces and not pieces[-1].endswith("\n") else ""
            pieces.append(f"{above}{FENCE}{passage.language}\n{code}\n{FENCE}\n")
    return "".join(pieces).rstrip("\n")


def _escape_prose(text: str, *, starts: bool) -> str:
    """Escape text without code; `starts`: it begins at the start of a line."""
    pieces: list[str] = []
    for piece, is_address in split_addresses(text):
        if is_address:
            pieces.append(f"<{_MASS_MENTION.sub('%40', piece)}>")  # means the same in an address
        else:
            pieces.append(_escape_stretch(piece, starts=starts and not pieces))
    return "".join(pieces)


def _escape_stretch(text: str, *, starts: bool) -> str:
    """Escape text between addresses; `starts`: it begins at the start of a line."""
    guarded = text if starts else "\x00" + text
    guarded = _MARKUP.sub(r"\\\1", guarded)
    guarded = _LINE_START.sub(_escape_line_start, guarded)
    guarded = _SCHEME.sub(lambda m: f"{m[1]}\\://", guarded)
    return _break_mentions(guarded).removeprefix("\x00")


def _escape_line_start(found: re.Match[str]) -> str:
    return f"{found[1]}{found[3]}\\" if found[3] else f"{found[1]}\\{found[2]}"


def _break_mentions(text: str) -> str:
    broken = _TAG.sub("<" + ZERO_WIDTH_SPACE, text)
    return _MASS_MENTION.sub("@" + ZERO_WIDTH_SPACE, broken)


def escape_code(text: str) -> str:
    """Return one line for a code span or block, with no backtick that could close it."""
    return _break_mentions(one_line(text).replace("`", "ˋ"))


# --- sizes ------------------------------------------------------------------------------------


def width(text: str) -> int:
    """Return how many columns the text takes in a fixed-width font."""
    return sum(_columns(letter) for letter in text)


def _columns(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def pad_text(text: str, columns: int, *, right: bool = False) -> str:
    """Fill the text up with spaces to a width in columns."""
    space = " " * (columns - width(text))
    return space + text if right else text + space


def graphemes(text: str) -> Iterator[str]:
    """Yield what a reader counts as single characters, so that no text is cut inside one."""
    start = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or not continues_character(text, end):
            yield text[start:end]
            start = end


def shorten(text: str, most: int, draw: Callable[[str], str] = str) -> str:
    """Return as much of the text as fits into `most` units after `draw` has rendered it.

    Text that was cut ends in «…»; where not even that fits, "" is returned.
    """
    # Text much longer than the limit surely does not fit, so rendering all of it would be wasted.
    if len(text) <= 3 * max(most, 0):
        whole = draw(text)
        if utf16_length(whole) <= most:
            return whole
    letters = list(graphemes(text[: most + 1]))
    low, high = 0, len(letters)
    while low < high:
        middle = (low + high + 1) // 2
        fits = utf16_length(draw("".join(letters[:middle]).rstrip() + "…")) <= most
        low, high = (middle, high) if fits else (low, middle - 1)
    return draw("".join(letters[:low]).rstrip() + "…") if low else ""


def fit_lines(lines: Iterable[str], most: int) -> str:
    """Join as many whole lines as fit into `most` UTF-16 units."""
    kept: list[str] = []
    for line in lines:
        if utf16_length("\n".join([*kept, line])) > most:
            break
        kept.append(line)
    return "\n".join(kept)
