"""Makes text written by members safe to show elsewhere: nothing in it is hidden or misleading.

Each adapter escapes the markup of its own platform. This module removes what deceives on every
platform: invisible letters, direction marks, piles of accents, links that lead elsewhere than
their words say, and addresses of other kinds than web pages. Everything else stays as typed.
"""

import re

from bot.domain.addresses import show_addresses
from bot.domain.characters import cut_at_character, remove_invisible
from bot.domain.code import rewrite_passages

MAX_LENGTH = 3000
"""UTF-16 units of one message that are passed on, as the stricter platform counts."""

_MARKDOWN_LINK = re.compile(
    r"(?i)\[([^\[\]\n]{0,300})\]\([ \t]{0,9}<?"
    r"((?:[a-z][a-z0-9+.-]{1,20}://|mailto:|tel:)(?:[^\s()<>]|\([^\s()<>]{0,300}\)){1,2000})"
    r">?(?:[ \t][^()\n]{0,300})?\)"
)
_PIPE_LINK = re.compile(r"<([a-zA-Z][a-zA-Z0-9+.-]{1,20}:[^\s|<>]{1,2000})\|([^<>\n]{0,300})>")
_HOST = re.compile(r"(?i)(?:^|//)([\w-]+(?:\.[\w-]+)+)(?=[:/?#\s]|$)")


def escape_markup(text: str) -> str:
    """Return the text without what deceives (see above); links show the host they lead to.

    In code only what cannot be seen is removed: nothing in it is a link.
    """
    return rewrite_passages(remove_invisible(text), _escape_prose).strip("\n").rstrip()


def _escape_prose(text: str) -> str:
    shown = _MARKDOWN_LINK.sub(lambda m: format_link(m[1], m[2]), text)
    shown = show_addresses(_PIPE_LINK.sub(lambda m: format_link(m[2], m[1]), shown))
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[^\S\n]+(?=\n)", "", shown))


def format_link(label: str, address: str) -> str:
    """Format a labelled link as «label (address)», or as the address alone.

    A label is left out if it is the address, or names a host itself, which may not be the one it
    leads to. Of mailboxes and telephones only the address is shown, without the scheme.
    """
    said, scheme = " ".join(label.split()), address.partition(":")[0].casefold()
    if scheme in ("mailto", "tel"):
        return _format_contact(said, address[len(scheme) + 1 :].partition("?")[0])
    real = show_addresses(address)
    named = _HOST.search(said)
    if not said or named or said in real:
        return real
    return f"{said} ({real})"


def _format_contact(said: str, contact: str) -> str:
    """Format a labelled mailbox or telephone number, which is shown once."""
    kept = str.maketrans("", "", " ()-./")
    if said and said.translate(kept).casefold() == contact.translate(kept).casefold():
        return said
    return contact if not said or "@" in said else f"{said} ({contact})"


def one_line(text: str, limit: int = 80) -> str:
    """Return a name on one line, at most `limit` long, without invisible characters and «·»."""
    return truncate(" ".join(remove_invisible(text).replace("·", " ").split()), limit)[0]


def truncate(text: str, limit: int = MAX_LENGTH) -> tuple[str, bool]:
    """Cut a text to at most `limit` UTF-16 units, never inside a visible character.

    Returns the text, which ends in «…» if it was cut, and whether it was cut.
    """
    size = fits = 0
    for at, letter in enumerate(text, start=1):
        size += 2 if letter > "\uffff" else 1
        if size > limit:
            return cut_at_character(text, fits).rstrip() + "…", True
        fits = at if size < limit else fits
    return text, False
