"""Reads which topics a text means: one by its name, several by a part of it, or two at once."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from rapidfuzz import fuzz, process

from bot.domain.vocabulary import Fold, Term, Vocabulary

Analyse = Callable[[str, str], str]
SplitWords = Callable[[str], list[str]]
QueryTokens = Callable[[str], list[set[str]]]

MAX_PHRASES = 4
"""Topics in one text; more phrases than that are one phrase."""
MIN_PREFIX_LENGTH = 4
"""Letters from which the beginning of a word may stand for the word."""
MIN_TYPO_LENGTH, MIN_TYPO_SCORE = 5, 80
"""Letters, and similarity (0 to 100), from which a misspelt word of a name is guessed."""
_SIGNS = re.compile(r"[,;&+]|\s/\s")
_AND = re.compile(r"\s(?:and|y|e|et|or|o|ou)\s|(?<=\w)/(?=\w)", re.IGNORECASE)
_SMALL_WORDS = frozenset((
    "a", "an", "the", "of", "in", "on", "for", "to", "with", "about", "and", "or",
    "y", "e", "o", "u", "de", "del", "la", "el", "los", "las", "en", "para", "por", "sobre", "con",
    "do", "da", "dos", "das", "os", "as", "em", "com", "ou", "et", "des", "du", "le", "les", "pour",
    "sur", "avec", "l", "d", "au", "aux",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class TopicReading:
    """What one phrase means: one topic, or several among which the reader chooses.

    `precision`: the whole name, nearly the whole name, words of the name, or similar words.
    """

    text: str
    keys: tuple[int, ...]
    precision: Literal["exact", "close", "part", "guess"]


class _TermWords(NamedTuple):
    """A term as it is searched by part: its topic, and how many of its words carry meaning."""

    key: int
    length: int


class TopicReader:
    """Reads topics by one rule, wherever people write them.

    `analyse` returns the tokens to store for a text in a language, `split_words` the words of a
    query, and `query_tokens` the tokens that match each of them.
    """

    def __init__(
        self,
        terms: Iterable[Term],
        fold: Fold,
        analyse: Analyse,
        split_words: SplitWords,
        query_tokens: QueryTokens,
    ) -> None:
        kept = list(terms)
        self._names = Vocabulary(kept, fold)
        self._split_words = split_words
        self._query_tokens = query_tokens
        self._terms = [_TermWords(t.key, len(self._content_words(t.text))) for t in kept]
        self._terms_by_token: dict[str, set[int]] = {}
        for index, term in enumerate(kept):
            for token in analyse(term.text, term.language).split():
                self._terms_by_token.setdefault(token, set()).add(index)
        self._tokens = sorted(self._terms_by_token.keys() - _SMALL_WORDS)

    def read(self, text: str) -> list[TopicReading]:
        """Return the reading of each phrase of a text; an empty list if one means no topic.

        Words between signs such as «,», «&» and «+» are phrases of their own. So are those between
        «and» or its translations, unless all are words of one topic's name.
        """
        if exact := self._read_name(text):
            return [exact]
        for separator in (_SIGNS, _AND):
            phrases = [phrase.strip() for phrase in separator.split(text) if phrase.strip()]
            if not 1 < len(phrases) <= MAX_PHRASES:
                continue
            whole = self._read_part(text) if separator is _AND else None
            if whole and not all(map(self._read_name, phrases)):
                return [whole]
            if readings := self._read_phrases(phrases):
                return readings
        found = self._read_part(text) or self._read_misspelt(text) or self._guess(text)
        return [found] if found else []

    def _read_phrases(self, phrases: Sequence[str]) -> list[TopicReading]:
        """Return the readings of all phrases, each topic once; empty if a phrase means none."""
        every = [self.read(phrase) for phrase in phrases]
        if not all(every):
            return []
        readings = {reading.keys: reading for some in every for reading in some}
        return list(readings.values())[:MAX_PHRASES]

    def _read_name(self, text: str) -> TopicReading | None:
        """Return the one topic of exactly this name, in any inflection."""
        hit = self._names.find(text)
        if hit and hit.precision == "exact":
            return TopicReading(text, (hit.key,), "exact")
        asked = self._content_words(text)
        keys = {t.key for t in self._find_terms(asked) if t.length == len(asked)}
        return TopicReading(text, (*keys,), "exact") if len(keys) == 1 else None

    def _read_misspelt(self, text: str) -> TopicReading | None:
        """Return the one topic with nearly this name."""
        hit = self._names.find(text)
        return TopicReading(text, (hit.key,), "close") if hit else None

    def _read_part(self, text: str) -> TopicReading | None:
        """Return the topics with all these words, or their inflections, in one of their names."""
        keys = dict.fromkeys(term.key for term in self._find_terms(self._content_words(text)))
        return TopicReading(text, (*keys,), "part") if keys else None

    def _guess(self, text: str) -> TopicReading | None:
        """Return the topics with words in a name that begin so, or are spelled nearly so."""
        for spell in (self._find_beginning, self._find_similar):
            asked = [tokens | spell(tokens) for tokens in self._content_words(text)]
            if keys := dict.fromkeys(term.key for term in self._find_terms(asked)):
                return TopicReading(text, (*keys,), "guess")
        return None

    def _find_terms(self, asked: Sequence[Collection[str]]) -> list[_TermWords]:
        """Return the terms that hold each of these words in one of its forms."""
        holding = [
            set[int]().union(*(self._terms_by_token.get(form, ()) for form in forms))
            for forms in asked
        ]
        return [self._terms[i] for i in sorted(set.intersection(*holding))] if holding else []

    def _content_words(self, text: str) -> list[set[str]]:
        """Return the forms of each word that carries meaning."""
        words = zip(self._split_words(text), self._query_tokens(text), strict=False)
        return [forms for word, forms in words if word not in _SMALL_WORDS]

    def _find_beginning(self, forms: Collection[str]) -> set[str]:
        starts = tuple(form for form in forms if len(form) >= MIN_PREFIX_LENGTH)
        return {word for word in self._tokens if starts and word.startswith(starts)}

    def _find_similar(self, forms: Collection[str]) -> set[str]:
        longest = max(forms, key=len)
        if len(longest) < MIN_TYPO_LENGTH:
            return set()
        found = process.extract(
            longest, self._tokens, scorer=fuzz.ratio, score_cutoff=MIN_TYPO_SCORE, limit=5
        )
        return {word for word, _, _ in found}
