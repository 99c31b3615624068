"""Finds web addresses in a text, whole, and writes them so that they show where they lead."""

import re
import unicodedata
from collections.abc import Iterator

_ADDRESS = re.compile(r"(?i)(?<![^\W_])([a-z][a-z0-9+.-]{1,20})(://)([^\s<>\"«»]*)")
_SCRIPT = re.compile(
    r"(?i)(?<![^\W_])(javascript|vbscript|data(?=\s*:\w+/)|file(?=\s*:/)|blob(?=\s*:http))"
    r"\s*:(?=\S)"
)
_PLAIN = re.compile(
    r"(?i)(?<![^\W_])https?://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?"
    r"(?:[/?#][^\s<>\"«»\\`]*|(?=[\s.,;:!?)\]}»”’\"'*_~|<>]|$)(?!\S*@))"
)
"""An address that says itself which host is asked: nothing before it, and only plain letters."""

_DOTS = str.maketrans("。．｡", "...")
_TRAILING_CHARACTERS = ".,;:!?)]}'’”）】」』。，、！？"
_OPENING_BRACKETS = {")": "(", "]": "[", "}": "{", "）": "（"}
_EMPHASIS = "*_~|"


def split_addresses(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the pieces of a text in order, and of each whether it is an address to link.

    Only addresses that show where they lead are: of a web page, on a host in plain letters, with no
    second address masked in them.
    """
    end = 0
    for found in _PLAIN.finditer(text):
        address = found[0][: _address_end(text, found.start(), found[0])]
        if found.start() > end:
            yield text[end : found.start()], False
        yield address, "](" not in address
        end = found.start() + len(address)
    if text[end:]:
        yield text[end:], False


def show_addresses(text: str) -> str:
    """Return the text with each address showing the host it leads to.

    Addresses of other schemes than http and https are broken up, so that nothing links them.
    """
    return _SCRIPT.sub(r"\1: ", _ADDRESS.sub(_rewrite_address, text))


def _rewrite_address(found: re.Match[str]) -> str:
    scheme, rest = found[1].casefold(), found[3].replace("\\", "/")
    end = _address_end(found.string, found.start(), rest)
    rest, behind = rest[:end], found[3][end:]
    place, path = re.fullmatch(r"(?s)([^/?#]*)(.*)", rest.lstrip("/")).groups()  # type: ignore[union-attr] # matches anything
    host = _normalize_host(place.rpartition("@")[2])
    if scheme not in ("http", "https") or not host:
        return f"{found[1]}: //{rest}{behind}"
    return f"{scheme}://{host}{path}{behind}"


def _address_end(text: str, start: int, address: str) -> int:
    """Return where an address ends: before the punctuation of the sentence around it.

    A closing bracket belongs to it if it was opened in it, and a sign of emphasis unless it also
    stands before the address.
    """
    end, before = len(address), list(_emphasis_before(text, start))
    while end:
        last = address[end - 1]
        opening = _OPENING_BRACKETS.get(last)
        if last in before:
            before.remove(last)
        elif last not in _TRAILING_CHARACTERS or (
            opening and address.count(opening, 0, end) >= address.count(last, 0, end)
        ):
            break
        end -= 1
    return end


def _emphasis_before(text: str, start: int) -> str:
    begin = start
    while begin and text[begin - 1] in _EMPHASIS:
        begin -= 1
    return text[begin:start]


def _normalize_host(host: str) -> str:
    """Return a host as DNS looks it up (punycode), so that look-alike letters become visible."""
    if host.isascii():
        return host
    parts = unicodedata.normalize("NFKC", host).translate(_DOTS).casefold().split(".")
    return ".".join(
        part if part.isascii() else "xn--" + part.encode("punycode").decode() for part in parts
    )
