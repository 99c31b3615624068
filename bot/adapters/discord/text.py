"""Escape and shorten people's text for Discord: their markup and mentions have no effect."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator

ZERO_WIDTH_SPACE = "\u200b"
"""Breaks a mention in two without being visible."""

MAX_LINE = 2000
"""Characters; nothing on one line is ever shown longer than this."""

MAX_MARKS = 4
"""Combining marks kept on one character; more than these are vandalism."""

_JOINER = "\u200d"
_DIRECTION = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
_ADDRESS = re.compile(
    r"\bhttps?://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?"
    r"(?:[/?#][A-Za-z0-9\-._/?#&=+%,;:]*)?(?=[\s.,;:!?)\]»”\"']|$)(?!\S*@)"
)
_SCHEME = re.compile(r"(?i)(https?|discord|steam)://")
_MARKUP = re.compile(r"([\\*_~|`\[\]])")
_LINE_START = re.compile(r"(?m)^([ \t]*)(?:([#>+-])|(\d+)(?=[.)]))")
_MASS_MENTION = re.compile(r"(?i)@(?=everyone|here|&)")


def tidy(text: str) -> str:
    """Return the text without control characters, direction marks and piles of accents.

    Line breaks stay; repeated spaces and blank lines are collapsed.
    """
    lines = (
        " ".join(filter(None, _strip_invisible(line).split(" "))) for line in text.splitlines()
    )
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def one_line(text: str) -> str:
    """Return the tidied text on a single line."""
    return " ".join(tidy(text[:MAX_LINE]).split())


def _strip_invisible(line: str) -> str:
    kept: list[str] = []
    marks = 0
    for letter in _DIRECTION.sub("", line):
        kind = unicodedata.category(letter)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if marks > MAX_MARKS or kind == "Cs":
            continue
        kept.append(" " if kind in ("Cc", "Zs", "Zl", "Zp") else letter)
    return "".join(kept)


def escape_markup(text: str) -> str:
    """Return Discord markdown that shows exactly what somebody wrote and does nothing else.

    Plain web addresses stay links, since they show where they lead; every other address,
    mention, time, heading, quote, list or emphasis is shown as plain characters.
    """
    clean = tidy(text)
    pieces: list[str] = []
    end = 0
    for found in _ADDRESS.finditer(clean):
        pieces += [_escape_stretch(clean[end : found.start()], starts=end == 0), found[0]]
        end = found.end()
    pieces.append(_escape_stretch(clean[end:], starts=end == 0))
    return "".join(pieces)


def _escape_stretch(text: str, *, starts: bool) -> str:
    """Escape text between addresses; only the first piece begins at the start of a line."""
    guarded = text if starts else "\x00" + text
    guarded = _MARKUP.sub(r"\\\1", guarded)
    guarded = _LINE_START.sub(_escape_line_start, guarded)
    guarded = _SCHEME.sub(lambda m: f"{m[1]}\\://", guarded)
    return _break_mentions(guarded).removeprefix("\x00")


def _escape_line_start(found: re.Match[str]) -> str:
    return f"{found[1]}{found[3]}\\" if found[3] else f"{found[1]}\\{found[2]}"


def _break_mentions(text: str) -> str:
    broken = re.sub(r"<(?!\s)", "<" + ZERO_WIDTH_SPACE, text)
    return _MASS_MENTION.sub("@" + ZERO_WIDTH_SPACE, broken)


def escape_code(text: str) -> str:
    """Return one line for a code span or block, with no backtick that could close it."""
    return _break_mentions(one_line(text).replace("`", "ˋ"))


# --- sizes ------------------------------------------------------------------------------------


def size(text: str) -> int:
    """Return the length in UTF-16 units, the strictest way to count."""
    return len(text) + sum(letter > "\uffff" for letter in text)


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
        if end == len(text) or not _continues_grapheme(text[start:end], text[end]):
            yield text[start:end]
            start = end


def _continues_grapheme(held: str, letter: str) -> bool:
    if held[-1] == _JOINER or letter == _JOINER:
        return True
    if "\U0001f1e6" <= letter <= "\U0001f1ff":
        return len(held) == 1 and "\U0001f1e6" <= held <= "\U0001f1ff"
    skin, tag = "\U0001f3fb" <= letter <= "\U0001f3ff", "\U000e0020" <= letter <= "\U000e007f"
    return skin or tag or unicodedata.category(letter).startswith("M")


def shorten(text: str, most: int, draw: Callable[[str], str] = str) -> str:
    """Return as much of the text as fits into `most` units after `draw` has rendered it.

    Text that was cut ends in «…»; where not even that fits, "" is returned.
    """
    # Text much longer than the limit surely does not fit, so rendering all of it would be wasted.
    if len(text) <= 3 * max(most, 0):
        whole = draw(text)
        if size(whole) <= most:
            return whole
    letters = list(graphemes(text[: most + 1]))
    low, high = 0, len(letters)
    while low < high:
        middle = (low + high + 1) // 2
        fits = size(draw("".join(letters[:middle]).rstrip() + "…")) <= most
        low, high = (middle, high) if fits else (low, middle - 1)
    return draw("".join(letters[:low]).rstrip() + "…") if low else ""


def fit_lines(lines: Iterable[str], most: int) -> str:
    """Join as many whole lines as fit into `most` UTF-16 units."""
    kept: list[str] = []
    for line in lines:
        if size("\n".join([*kept, line])) > most:
            break
        kept.append(line)
    return "\n".join(kept)
