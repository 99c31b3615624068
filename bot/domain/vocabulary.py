"""Finds topics and other things by any of their names, with typos, accents, in four languages."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from rapidfuzz import fuzz, process

Fold = Callable[[str], str]

MIN_CLOSE_SCORE = 85
"""Similarity (0 to 100) from which a misspelt name is accepted."""
MIN_SUGGESTION_SCORE = 62
"""Similarity (0 to 100) from which a name is suggested in «did you mean»."""


@dataclass(frozen=True, slots=True)
class Term:
    """One name of a thing; `language` is empty for names that are the same in every language."""

    key: int
    text: str
    language: str = ""
    preferred: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """The thing that a text means, and whether the name was written exactly or only nearly."""

    key: int
    precision: Literal["exact", "close"]
    term: str


class Vocabulary:
    """Finds things by name, compared as `fold` returns them: the database's own folding."""

    def __init__(self, terms: Iterable[Term], fold: Fold) -> None:
        self._fold = fold
        self._terms = list(terms)
        self._folded_texts = {i: fold(t.text) for i, t in enumerate(self._terms)}
        self._terms_by_text: dict[str, Term] = {}
        for index, folded in self._folded_texts.items():
            self._terms_by_text.setdefault(folded, self._terms[index])
        self._names = {(t.key, t.language): t.text for t in self._terms if t.preferred}

    def name(self, key: int, language: str) -> str:
        """Return the display name of a thing in a language, else in English."""
        return self._names.get((key, language)) or self._names[key, "en"]

    def keys(self) -> Sequence[int]:
        """List the keys of all things, in the order of their first term."""
        return list(dict.fromkeys(t.key for t in self._terms))

    def find(self, text: str) -> Hit | None:
        """Return the one thing that a text means; None if none is close or several are."""
        wanted = self._fold(text)
        if term := self._terms_by_text.get(wanted):
            return Hit(term.key, "exact", term.text)
        close = self._find_alike(wanted, MIN_CLOSE_SCORE, 6)
        if len({hit.key for hit in close}) == 1:
            return close[0]
        return None

    def find_near(self, text: str, limit: int = 3) -> list[Hit]:
        """Return the things whose names are most like the text, best first, each once."""
        hits = self._find_alike(self._fold(text), MIN_SUGGESTION_SCORE, limit * 6)
        once: dict[int, Hit] = {}
        for hit in hits:
            once.setdefault(hit.key, hit)
        return list(once.values())[:limit]

    def complete(self, text: str, language: str, limit: int = 25) -> list[int]:
        """Return keys for autocompletion: names that begin with the text, then others that hold it.

        If no name contains the text, the most similar ones. Names in `language` come first.
        """
        wanted = self._fold(text)
        ranked = sorted(
            (
                (not folded.startswith(wanted), self._terms[i].language != language, folded, i)
                for i, folded in self._folded_texts.items()
                if wanted in folded
            )
        )
        keys = list(dict.fromkeys(self._terms[i].key for *_, i in ranked))
        return (keys or [hit.key for hit in self.find_near(text, limit)])[:limit]

    def _find_alike(self, wanted: str, least: int, limit: int) -> list[Hit]:
        if len(wanted) < 3:
            return []
        found = process.extract(
            wanted, self._folded_texts, scorer=fuzz.ratio, score_cutoff=least, limit=limit
        )
        return [Hit(self._terms[i].key, "close", self._terms[i].text) for _, _, i in found]
