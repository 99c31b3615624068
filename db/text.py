"""How text is compared: one analysis for both databases and for all that people type."""

import re
import unicodedata
from functools import cache

import Stemmer

_STEMMERS = ("english", "spanish", "portuguese", "french")
_WORD = re.compile(r"[^\W_]+")  # both databases break words at an underscore
MAX_QUERY = 32
"""How many words of a query are looked at; further ones are ignored."""


def fold_text(text: str) -> str:
    """Return the text in lower case without accents: «São Paulo» becomes «sao paulo»."""
    lower = text.casefold()
    if lower.isascii():
        return lower
    decomposed = unicodedata.normalize("NFKD", lower)
    return "".join(c for c in decomposed if not unicodedata.combining(c))


@cache
def _stemmers() -> dict[str, Stemmer.Stemmer]:
    codes = ("en", "es", "pt", "fr")
    return {c: Stemmer.Stemmer(name) for c, name in zip(codes, _STEMMERS, strict=True)}


def split_words(text: str) -> list[str]:
    """Return the folded words of a text."""
    return _WORD.findall(fold_text(text))


def analyse(text: str, language: str) -> str:
    """Return the tokens to store for a text: each folded word, then its stem if different."""
    stemmer = _stemmers().get(language) or _stemmers()["en"]
    kept: list[str] = []
    for word in split_words(text):
        stem = fold_text(stemmer.stemWord(word))
        kept += [word] if stem == word else [word, stem]
    return " ".join(kept)


def query_tokens(text: str) -> list[set[str]]:
    """Return for each word of a query the tokens that may match it in any of the four languages."""
    return [
        {word, *(fold_text(s.stemWord(word)) for s in _stemmers().values())}
        for word in split_words(text)[:MAX_QUERY]
    ]
