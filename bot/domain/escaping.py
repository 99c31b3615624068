"""What somebody wrote elsewhere, made honest: it says what it said, and hides nothing.

Whoever shows it escapes it for its own platform; here goes what is a trick on every platform:
letters that cannot be seen or turn the line around, piles of accents, links that lead elsewhere
than they say, and addresses that are more than a page.
"""

import re
import unicodedata

MAX_LENGTH = 3000
"""How many characters of one message are passed on, as the stricter platform counts them."""

MAX_MARKS = 4
"""Accents piled on one letter beyond this are vandalism."""

_JOINER = "\u200d"
_HIDDEN_CHARACTERS = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e001f\U000e0080-\U000e0fff]"
)
_MARKDOWN_LINK = re.compile(
    r"\[([^\[\]\n]{0,300})\]\([ \t]{0,9}<?([^\s()<>]{1,2000})>?[^()\n]{0,300}\)"
)
_PIPE_LINK = re.compile(r"<([a-zA-Z][a-zA-Z0-9+.-]{1,20}:[^\s|<>]{1,2000})\|([^<>\n]{0,300})>")
_ADDRESS = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{1,20})(://)([^\s<>\"«»]*)")
_SCRIPT = re.compile(r"(?i)\b(javascript|vbscript|data|file|blob)\s*:(?=\S)")
_HOST = re.compile(r"(?i)(?:^|//)([\w-]+(?:\.[\w-]+)+)(?=[:/?#\s]|$)")
_DOTS = str.maketrans("。．｡", "...")
_TRAILING_CHARACTERS = ".,;:!?)]}'’”"
_OPENING_BRACKETS = {")": "(", "]": "[", "}": "{"}


def escape_markup(text: str) -> str:
    """The text without its tricks; links show the host that they lead to."""
    shown = _MARKDOWN_LINK.sub(lambda m: format_link(m[1], m[2]), _strip_invisible(text))
    shown = _PIPE_LINK.sub(lambda m: format_link(m[2], m[1]), shown)
    return _SCRIPT.sub(r"\1: ", _ADDRESS.sub(_rewrite_address, shown))


def format_link(label: str, address: str) -> str:
    """A link with words of its own: the words and then the address, or the address alone.

    Words that look like the address of another place are not repeated.
    """
    said, real = (
        " ".join(label.split()),
        _SCRIPT.sub(r"\1: ", _ADDRESS.sub(_rewrite_address, address)),
    )
    named = _HOST.search(said)
    if not said or named or said in real:
        return real
    return f"{said} ({real})"


def one_line(text: str, limit: int = 80) -> str:
    """A name on one line, without what would make it look like more than a name."""
    return truncate(" ".join(_strip_invisible(text).replace("·", " ").split()), limit)[0]


def truncate(text: str, limit: int = MAX_LENGTH) -> tuple[str, bool]:
    """At most so many UTF-16 units, never parted inside a character; and was something left out?"""
    size = fits = 0
    for at, letter in enumerate(text, start=1):
        size += 2 if letter > "\uffff" else 1
        if size > limit:
            return _cut_at_character(text, fits).rstrip() + "…", True
        fits = at if size < limit else fits
    return text, False


def _cut_at_character(text: str, end: int) -> str:
    """The beginning up to `end`, or somewhat less where that would part a character."""
    whole = end
    while whole and _continues_character(text, whole):
        whole -= 1
    return text[: whole or end]


def _strip_invisible(text: str) -> str:
    """Letters and line ends; no controls, no direction marks, no joiner but inside an emoji."""
    kept: list[str] = []
    marks = 0
    for letter in _HIDDEN_CHARACTERS.sub("", text.replace("\r\n", "\n")):
        kind = unicodedata.category(letter)
        marks = marks + 1 if kind in ("Mn", "Me") and not _is_variation_selector(letter) else 0
        if marks > MAX_MARKS or kind == "Cs":
            continue
        if letter == _JOINER and not (kept and _is_symbol(kept[-1])):
            continue
        kept.append(letter if letter == "\n" or kind not in ("Cc", "Zl", "Zp") else " ")
    lines = "\n".join(line.rstrip() for line in "".join(kept).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip()


def _is_variation_selector(letter: str) -> bool:
    """Chooses how the picture before it is drawn."""
    return "\ufe00" <= letter <= "\ufe0f"


def _is_symbol(letter: str) -> bool:
    return _is_variation_selector(letter) or unicodedata.category(letter) in ("So", "Sk")


def _rewrite_address(found: re.Match[str]) -> str:
    """A page's address with the host it truly leads to; of another kind, only letters."""
    scheme, rest = found[1].casefold(), found[3].replace("\\", "/")
    end = len(rest)
    while end and rest[end - 1] in _TRAILING_CHARACTERS:
        opening = _OPENING_BRACKETS.get(rest[end - 1])
        if opening and rest[:end].count(opening) >= rest[:end].count(rest[end - 1]):
            break
        end -= 1
    rest, behind = rest[:end], rest[end:]
    place, path = re.fullmatch(r"(?s)([^/?#]*)(.*)", rest.lstrip("/")).groups()  # type: ignore[union-attr] # matches anything
    host = _normalize_host(place.rpartition("@")[2])
    if scheme not in ("http", "https") or not host:
        return f"{found[1]}: //{rest}{behind}"
    return f"{scheme}://{host}{path}{behind}"


def _normalize_host(host: str) -> str:
    """The name as it is looked up: letters that only look alike become visible."""
    if host.isascii():
        return host
    parts = unicodedata.normalize("NFKC", host).translate(_DOTS).casefold().split(".")
    return ".".join(
        part if part.isascii() else "xn--" + part.encode("punycode").decode() for part in parts
    )


def _continues_character(text: str, at: int) -> bool:
    """Is what stands here part of the character before it?"""
    before, after = text[at - 1], text[at]
    if before == _JOINER or after == _JOINER or unicodedata.category(after).startswith("M"):
        return True
    if "\U0001f1e6" <= after <= "\U0001f1ff":
        flags = re.search("[\U0001f1e6-\U0001f1ff]*$", text[:at])
        return bool(flags) and len(flags[0]) % 2 == 1 if flags else False
    return "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f"
