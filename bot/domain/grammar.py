"""Splits what was typed behind a verb: `free words key:value key:"two words"`. Pure."""

import re
from bisect import bisect_left
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from bot.domain.typography import COLONS, DOUBLE_QUOTES, SINGLE_QUOTES, fold_word

_CLOSING = re.compile(r"(?<=\S)'(?![^\s.,;:?!)\u2026])")
"""A single quote behind a word; the one inside «O'Neill» is an apostrophe."""
_MARKS = ".,;?!\u2026"
_QUOTES = "\"'" + "".join(map(chr, DOUBLE_QUOTES | SINGLE_QUOTES))


@dataclass(frozen=True, slots=True)
class Word:
    """One value with the folded key before it, if there is one; `raw` has its quotes too."""

    value: str
    key: str = ""
    raw: str = ""
    is_quoted: bool = False


def split_words(text: str, keys: Collection[str]) -> Iterator[Word]:
    """Yield the words of a text with single spaces, quoted ones whole, and keys with their value.

    Only words of `keys` (folded) are keys; spaces may stand around their colon. A key without a
    value has an empty one. A quote that is never closed is a part of its word.
    """
    reader = _Reader(text, keys)
    while reader.skip_space():
        key = reader.read_key()
        if key and (not reader.skip_space() or reader.is_at_key()):
            yield Word("", key)
        else:
            yield reader.read_value(key)


class _Reader:
    """Reads from left to right; what it looks ahead is no longer than the word it stands at."""

    def __init__(self, text: str, keys: Collection[str]) -> None:
        self._text, self._keys, self._at, self._has_quotes = text, keys, 0, False
        self._plain = text.translate(DOUBLE_QUOTES | SINGLE_QUOTES | COLONS)
        self._closings = {
            '"': [found.start() for found in re.finditer('"', self._plain)],
            "'": [found.start() for found in _CLOSING.finditer(self._plain)],
        }

    def skip_space(self) -> bool:
        """Go to the next word; return False at the end."""
        if self._plain[self._at : self._at + 1] == " ":
            self._at += 1
        return self._at < len(self._plain)

    def read_key(self) -> str:
        """Go behind the key and colon that stand here, and return the key; empty if none does."""
        key, self._at = self._find_key()
        return key

    def is_at_key(self) -> bool:
        """Return whether another key stands here."""
        return bool(self._find_key()[0])

    def _find_key(self) -> tuple[str, int]:
        """Return the key that stands here and where its colon ends; empty if none does."""
        if self._plain[self._at] in self._closings:
            return "", self._at  # a quote stands here
        end = self._word_end()
        colon = self._plain.find(":", self._at, end)
        if colon < 0 and self._is_spaced_colon(end + 1):
            colon = end + 1
        key = fold_word(self._text[self._at : min(colon, end)]) if colon > self._at else ""
        return (key, colon + 1) if key in self._keys else ("", self._at)

    def _is_spaced_colon(self, at: int) -> bool:
        """Return whether a colon with a space before it stands here, and no face like `:)`."""
        behind = self._plain[at + 1 : at + 2]
        return self._plain[at : at + 1] == ":" and (behind in " \"'" or behind.isalnum())

    def read_value(self, key: str) -> Word:
        """Return the word, quoted words or list of both that stand here, and go behind them."""
        start = self._at
        is_quoted = self._closing_quote(start) >= 0
        end = self._find_value_end(is_list=bool(key))
        self._at = end
        while is_quoted and self._plain[self._at : self._at + 1] in tuple(_MARKS):
            self._at += 1
        typed = self._text[start:end]
        if is_quoted or self._has_quotes:
            parts = (part.strip(_QUOTES).strip() for part in typed.split(","))
            return Word(",".join(parts), key, self._text[start : self._at], is_quoted=True)
        return Word(typed, key, typed)

    def _find_value_end(self, *, is_list: bool) -> int:
        """Return where the value ends that stands here; after a comma it goes on with a quote.

        A list goes on with any word there.
        """
        at, self._has_quotes = self._at, False
        while True:
            closing = self._closing_quote(at)
            if closing >= 0:
                self._has_quotes = True
                end = at = closing + 1
                comma = at if self._plain[at : at + 1] == "," else -1
                if is_list and comma >= 0 and self._plain[at + 1 : at + 2].isalnum():
                    at = comma + 1
                    continue
            else:
                end = self._plain.find(" ", at)
                end = len(self._plain) if end < 0 else end
                comma = self._find_comma(at, end)
            if comma < 0 or self._closing_quote(comma + 1) < 0:
                return end
            at = comma + 1

    def _find_comma(self, at: int, end: int) -> int:
        """Return the first comma with a quote behind it; -1 if there is none before `end`."""
        found = (self._plain.find(f",{quote}", at, end) for quote in self._closings)
        return min((place for place in found if place >= 0), default=-1)

    def _closing_quote(self, at: int) -> int:
        """Return where the quote that opens here is closed; -1 if none opens or it stays open."""
        closings = self._closings.get(self._plain[at : at + 1], [])
        place = bisect_left(closings, at + 1)
        return closings[place] if place < len(closings) else -1

    def _word_end(self) -> int:
        end = self._plain.find(" ", self._at)
        return len(self._plain) if end < 0 else end
