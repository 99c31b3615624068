"""Finds the command that words begin with: by its verb in four languages, or by a question."""

import re
from collections.abc import Mapping, Sequence
from itertools import product

from rapidfuzz import fuzz, process

from bot.commands import Command, CommandMatch
from bot.domain.phrases import ABOUT, Token, list_tokens
from bot.domain.typography import unwrap
from bot.parsing import clean_lines, find_nearest

_BEHIND_VERB = " \t\n\r:\uff1a/,.;!?\u2026"
NEARLY = 80
"""How alike a mistyped verb and its spelling are, of 100: one wrong letter of five."""
_BEFORE_SLASH = " \t\n\r`'\"*_~\u2018\u2019\u201c\u201d\u00ab\u200b"
_ADDRESS = re.compile(r"wwc(-(me|events|groups|library|standing|admin))?")


def find_command(commands: Mapping[str, Command], words: str) -> CommandMatch:
    """Return the command that the words begin with, and the rest of them; None if there is none.

    The verb may be spelled in any of four languages, with any dash, behind slashes, ticks, quotes
    and «wwc». Words that begin with a longer question («help me find …») are no command.
    """
    text = clean_lines(unwrap(words))
    tokens = skip_address(list_tokens(text))
    found = _find_verb(commands, tokens)
    if found is None:
        return None
    command, end = found
    asked = _find_phrase(commands, tokens)
    if asked and asked[1] > end:
        return None
    return command, text[end:].lstrip(_BEHIND_VERB)


def find_question(commands: Mapping[str, Command], words: str) -> CommandMatch:
    """Return the command that a question is for, and what it asks about; None if it is no question.

    A question begins like «who knows about», «¿quién sabe de», «quem trabalha com» or «qui
    s'occupe de». What it asks about may be empty.
    """
    text = clean_lines(unwrap(words))
    found = _find_phrase(commands, skip_address(list_tokens(text)))
    return (found[0], text[found[1] :].lstrip(_BEHIND_VERB)) if found else None


def find_subject(words: str) -> str:
    """Return what a text like «tell me about …» is about; empty if it does not begin that way."""
    text = strip_address(words)
    end = ABOUT.match(list_tokens(text))
    return strip_marks(text[end:]) if end else ""


def strip_address(words: str) -> str:
    """Return the words without «/wwc», and without quotes, ticks or emphasis around all of them."""
    text = clean_lines(unwrap(words))
    tokens = list_tokens(text)
    length = len(tokens) - len(skip_address(tokens))
    return text[tokens[length - 1].end :].lstrip(_BEHIND_VERB) if length else text


def strip_marks(text: str) -> str:
    """Return the text without the marks of a question or a sentence around it."""
    return text.strip(_BEHIND_VERB + "\u00a1\u00bf")


def begins_like_command(commands: Mapping[str, Command], text: str) -> bool:
    """Return whether a text begins with «wwc», or with a verb as it is spelled in any language.

    Case, accents, kinds of dashes, quotes, ticks, punctuation and slashes make no difference.
    """
    tokens = list_tokens(text)
    said = skip_address(tokens)
    return len(said) < len(tokens) or _find_verb(commands, said) is not None


def begins_nearly_like_command(commands: Mapping[str, Command], text: str) -> bool:
    """Return whether a text begins with a verb that is spelled almost right, in any language."""
    said = [token.key for token in skip_address(list_tokens(text))[:2]]
    ways = {way for command in commands.values() for way in product(*command.words)}
    for length in range(1, len(said) + 1):
        alike = [" ".join(way) for way in ways if len(way) == length]
        typed = " ".join(said[:length])
        if process.extractOne(typed, alike, scorer=fuzz.ratio, score_cutoff=NEARLY):
            return True
    return False


def is_addressed(commands: Mapping[str, Command], text: str) -> bool:
    """Return whether a text names the hub or begins with a slash, and a verb stands there.

    Such a text is for the hub wherever it is written. «/wwc» needs no verb behind it.
    """
    tokens = list_tokens(text)
    said = skip_address(tokens)
    is_named, has_verb = len(said) < len(tokens), _find_verb(commands, said) is not None
    is_slashed = text.lstrip(_BEFORE_SLASH).startswith(("/", "\uff0f"))
    return (is_slashed and (is_named or has_verb)) or (is_named and has_verb)


def skip_address(tokens: Sequence[Token]) -> list[Token]:
    """Return the words behind «wwc» or «WWC Hub», which address the hub."""
    said = list(tokens)
    while said and _ADDRESS.fullmatch(said[0].key):
        said = said[2:] if [t.key for t in said[:2]] == ["wwc", "hub"] else said[1:]
    return said


def _find_verb(
    commands: Mapping[str, Command], tokens: Sequence[Token]
) -> tuple[Command, int] | None:
    """Return the command with the longest verb that the words begin with, and where it ends."""
    found = [
        command
        for command in commands.values()
        if len(command.words) <= len(tokens)
        and all(token.key in ways for token, ways in zip(tokens, command.words, strict=False))
    ]
    best = max(found, key=lambda command: len(command.words), default=None)
    return (best, tokens[len(best.words) - 1].end) if best else None


def _find_phrase(
    commands: Mapping[str, Command], tokens: list[Token]
) -> tuple[Command, int] | None:
    """Return the command with the longest phrase that the words begin with, and where it ends."""
    found = [(command.phrases.match(tokens), command) for command in commands.values()]
    end, best = max(found, key=lambda one: one[0], default=(0, None))
    return (best, end) if best and end else None


def find_near_verbs(commands: Mapping[str, Command], words: str) -> tuple[float, Mapping[str, str]]:
    """Return how alike the first words and a verb are, and the nearest verbs with the words behind.

    A verb may be in any of its spellings; it is named in English.
    """
    text = strip_address(words)
    tokens = list_tokens(text)
    ways = {
        way.replace("-", " "): name
        for name, command in commands.items()
        for way in map(" ".join, product(*command.words))
    }
    best, near = 0.0, dict[str, str]()
    for length in range(min(len(tokens), 3), 0, -1):
        typed = " ".join(token.key for token in tokens[:length]).replace("-", " ")
        alike = [way for way in ways if way.count(" ") == typed.count(" ")]
        found = process.extractOne(typed, alike, scorer=fuzz.ratio)
        best = max(best, found[1] if found else 0)
        rest = text[tokens[length - 1].end :].strip()
        near = near | {ways[w]: rest for w in find_nearest(typed, alike) if ways[w] not in near}
    return best, near
