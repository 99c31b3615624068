"""Reads the signs that phones and word processors put in place of the plain ones: pure."""

import re
import unicodedata

DASHES = dict.fromkeys(
    map(ord, "\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"), "-"
)
"""Every dash, minus and hyphen, to be read as the hyphen of the keyboard."""
COLONS = dict.fromkeys(map(ord, "\ua789\ufe55\uff1a\u2236"), ":")
DOUBLE_QUOTES = dict.fromkeys(
    map(ord, "\u201c\u201d\u201e\u201f\u00ab\u00bb\u301d\u301e\uff02"), '"'
)
SINGLE_QUOTES = dict.fromkeys(
    map(ord, "\u2018\u2019\u201a\u201b\u2039\u203a\u0060\u00b4\uff07"), "'"
)
"""Single quotes, apostrophes and ticks: what they mean depends on where they stand."""

INVISIBLE = re.compile("[\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Characters without a width; the soft hyphen counts as a dash."""

_MARKS = ".,;:!?\u00a1\u00bf\u2026\"'*_~()[]{}<>/\\|-\u2022\u00b7#@"
_WRAPPERS = ("```", "``", "`", "**", "__", "~~", "*", "_", "~", '"', "'")


def fold_word(word: str) -> str:
    """Return a word as its spellings are compared.

    In lower case, without accents, invisible characters and marks around it, with plain dashes,
    also where an underscore stands for one.
    """
    plain = word.translate(DASHES | DOUBLE_QUOTES | SINGLE_QUOTES | COLONS)
    letters = unicodedata.normalize("NFKD", INVISIBLE.sub("", plain).casefold())
    bare = "".join(c for c in letters if not unicodedata.combining(c)).strip(_MARKS)
    return bare.replace("_", "-")


def unwrap(text: str) -> str:
    """Return the text without ticks, quotes or emphasis that stand around all of it."""
    bare = text.strip()
    for mark in _WRAPPERS:
        plain = bare.translate(DOUBLE_QUOTES | SINGLE_QUOTES) if mark in "\"'" else bare
        inside = plain[len(mark) : -len(mark)]
        if plain.startswith(mark) and plain.endswith(mark) and inside and mark not in inside:
            bare = bare[len(mark) : -len(mark)].strip()
    return bare
