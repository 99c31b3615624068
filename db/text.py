"""How text is compared: one analysis for both databases and for all that people type."""

import re
import unicodedata
from functools import cache

import Stemmer

_STEMMERS = ("english", "spanish", "portuguese", "french")
_WORD = re.compile(r"[^\W_]+")  # both databases break words at an underscore
_APOSTROPHES = "'`´‘’‛ʹʻʼʽʾʿˈˊˋ′‵＇"
_NO_APOSTROPHES = dict.fromkeys(map(ord, _APOSTROPHES), "")
_SPACED_APOSTROPHES = dict.fromkeys(map(ord, _APOSTROPHES), " ")
_INITIAL = re.compile(r"(?<![^\W_])([^\W\d_])\.(?![^\W_]{2})")
_LETTER_WITH_MARK = re.compile(r"LATIN SMALL LETTER ([A-Z]{1,2}) WITH ")
_LETTERS = {
    "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ŋ": "ng", "ĸ": "k", "ı": "i", "ȷ": "j", "ə": "a",
    "ɛ": "e", "ɔ": "o", "ɩ": "i", "ʊ": "u", "ɣ": "g", "·": "",
}  # fmt: skip
_SEPARATORS = frozenset('_−⁃.,;:!?¿¡…"“”„‟«»()[]')
MAX_QUERY = 32
"""How many words of a query are looked at; further ones are ignored."""


class _FoldTable(dict[int, str]):
    """Maps each character, in lower case and decomposed, to what it is compared as."""

    def __missing__(self, code: int) -> str:
        """Compute one character's value at its first use."""
        letter = chr(code)
        category = unicodedata.category(letter)
        if unicodedata.combining(letter) or category == "Cf":
            folded = ""
        elif category == "Pd" or letter in _SEPARATORS:
            folded = " "
        elif match := _LETTER_WITH_MARK.match(unicodedata.name(letter, "")):
            folded = match[1].lower()
        else:
            folded = _LETTERS.get(letter, letter)
        self[code] = folded
        return folded


_TABLE = _FoldTable()


def fold_text(text: str) -> str:
    """Return the text as everything is compared: lower case, plain letters, single spaces.

    Letters lose accents, strokes and hooks; apostrophes and invisible characters go; hyphens,
    underscores and punctuation are spaces, but initials stay one word: «O’Neill-Łuczak, D.C.»
    becomes «oneill luczak dc».
    """
    text = text.translate(_NO_APOSTROPHES)
    if text.isascii():
        lower = text.lower()
    else:
        lower = unicodedata.normalize("NFKD", text).casefold()
        lower = unicodedata.normalize("NFKD", lower).translate(_NO_APOSTROPHES)
    if "." in lower:
        lower = _INITIAL.sub(r"\1", lower)
    return " ".join(lower.translate(_TABLE).split())


@cache
def _stemmers() -> dict[str, Stemmer.Stemmer]:
    codes = ("en", "es", "pt", "fr")
    return {c: Stemmer.Stemmer(name) for c, name in zip(codes, _STEMMERS, strict=True)}


def split_words(text: str) -> list[str]:
    """Return the folded words of a text; an apostrophe ends a word, as in «l’équité»."""
    return _WORD.findall(fold_text(text.translate(_SPACED_APOSTROPHES)))


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
