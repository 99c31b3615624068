"""Makes text written by members safe to show elsewhere: nothing in it is hidden or misleading.

Each adapter escapes the markup of its own platform. This module removes what deceives on every
platform: invisible letters, direction marks, piles of accents, links that lead elsewhere than
their words say, and addresses of other kinds than web pages.
"""

import re
import unicodedata

MAX_LENGTH = 3000
"""UTF-16 units of one message that are passed on, as the stricter platform counts."""

MAX_MARKS = 4
"""Combining marks kept on one letter; more of them only disfigure the lines around it."""

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
    """Return the text without what deceives (see above); links show the host they lead to."""
    shown = _MARKDOWN_LINK.sub(lambda m: format_link(m[1], m[2]), _strip_invisible(text))
    shown = _PIPE_LINK.sub(lambda m: format_link(m[2], m[1]), shown)
    return _SCRIPT.sub(r"\1: ", _ADDRESS.sub(_rewrite_address, shown))


def format_link(label: str, address: str) -> str:
    """Format a labelled link as «label (address)», or as the address alone.

    A label is left out if it names a host itself, which may not be the one it leads to.
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
    """Return a name on one line, at most `limit` long, without invisible characters and «·»."""
    return truncate(" ".join(_strip_invisible(text).replace("·", " ").split()), limit)[0]


def truncate(text: str, limit: int = MAX_LENGTH) -> tuple[str, bool]:
    """Cut a text to at most `limit` UTF-16 units, never inside a visible character.

    Returns the text, which ends in «…» if it was cut, and whether it was cut.
    """
    size = fits = 0
    for at, letter in enumerate(text, start=1):
        size += 2 if letter > "\uffff" else 1
        if size > limit:
            return _cut_at_character(text, fits).rstrip() + "…", True
        fits = at if size < limit else fits
    return text, False


def _cut_at_character(text: str, end: int) -> str:
    """Return the text up to `end`, or somewhat less if that would split a visible character."""
    whole = end
    while whole and _continues_character(text, whole):
        whole -= 1
    return text[: whole or end]


def _strip_invisible(text: str) -> str:
    """Remove control characters, direction marks, piled accents and joiners outside of an emoji.

    Lines remain, with at most one empty line between two of them.
    """
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
    """Return whether this chooses how the character before it is drawn, as text or as emoji."""
    return "\ufe00" <= letter <= "\ufe0f"


def _is_symbol(letter: str) -> bool:
    return _is_variation_selector(letter) or unicodedata.category(letter) in ("So", "Sk")


def _rewrite_address(found: re.Match[str]) -> str:
    """Rewrite a matched address so that it shows the host it leads to.

    Addresses of other schemes than http and https are broken up, so that nothing links them.
    """
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
    """Return a host as DNS looks it up (punycode), so that look-alike letters become visible."""
    if host.isascii():
        return host
    parts = unicodedata.normalize("NFKC", host).translate(_DOTS).casefold().split(".")
    return ".".join(
        part if part.isascii() else "xn--" + part.encode("punycode").decode() for part in parts
    )


def _continues_character(text: str, at: int) -> bool:
    """Return whether the code point at `at` belongs to the visible character before it."""
    before, after = text[at - 1], text[at]
    if before == _JOINER or after == _JOINER or unicodedata.category(after).startswith("M"):
        return True
    if "\U0001f1e6" <= after <= "\U0001f1ff":
        flags = re.search("[\U0001f1e6-\U0001f1ff]*$", text[:at])
        return bool(flags) and len(flags[0]) % 2 == 1 if flags else False
    return "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f"
