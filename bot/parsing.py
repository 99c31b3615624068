"""Parses commands: a model becomes arguments, words become values, values fit the model."""

import re
import types
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from rapidfuzz import fuzz, process

from bot.cards import Option
from bot.domain.grammar import Word, split_words
from bot.domain.spellings import OPTION_NAMES
from bot.domain.typography import (
    COLONS,
    DASHES,
    DOUBLE_QUOTES,
    INVISIBLE,
    fold_word,
)
from bot.i18n import LANGUAGE_NAMES, LANGUAGES, language_names, translator
from db.text import fold_text as fold_text  # what adapters compare with, too

MAX_ECHO_LENGTH = 200
"""Maximum characters of what people typed that are quoted back."""

YES_NO = (Option("Yes", "yes"), Option("No", "no"))


@dataclass(frozen=True, slots=True)
class Suggestions:
    """Marks a field with the name of the completion that helps to fill it in."""

    completion: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Marks a text field that forms show as several lines."""


@dataclass(frozen=True, slots=True)
class SingleWord:
    """Marks a text field that takes one word only, so that more free words may follow."""


@dataclass(frozen=True, slots=True)
class LeadWords:
    """Marks a field that takes all the text behind one of these words, the way people talk."""

    words: tuple[str, ...]


BECAUSE = LeadWords(("because", "porque", "parce que", "parce qu'", "parce qu’"))
"""Marks the field for a reason."""


@dataclass(frozen=True, slots=True)
class HiddenField:
    """Marks a field that forms leave out: only typed words or a button can give it."""


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Marks a field of fixed values with their English labels, by value."""

    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Synonyms:
    """Marks a field of fixed values with further names by which each may be typed."""

    names: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ButtonOnly:
    """Marks values that stand on buttons of a card: forms and sentences do not offer them."""

    values: tuple[str, ...]


Language = Annotated[
    Literal["en", "es", "pt", "fr"], Labels(LANGUAGE_NAMES), Synonyms(language_names())
]
"""One of the four languages, by its code or by its name in any of them."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a command, as every adapter needs to know it.

    Label and hint are English. `shortest` and `longest` are characters of a text.
    """

    name: str
    spelling: str
    label: str
    hint: str = ""
    kind: Literal["text", "integer", "yes-no", "choice"] = "text"
    many: bool = False
    long: bool = False
    required: bool = False
    shortest: int = 0
    longest: int = 3000
    options: tuple[Option, ...] = ()
    suggests: str = ""
    single_word: bool = False
    hidden: bool = False
    lead_words: tuple[str, ...] = ()
    synonyms: tuple[tuple[str, tuple[str, ...]], ...] = ()
    button_only: tuple[str, ...] = ()

    @property
    def offered(self) -> tuple[Option, ...]:
        """The values to choose from: all but those that stand only on buttons."""
        return tuple(option for option in self.options if option.value not in self.button_only)

    @property
    def spellings(self) -> Iterator[str]:
        """The names by which the argument may be given, folded, in four languages."""
        for text in (self.spelling, self.name, *OPTION_NAMES.get(self.spelling, ())):
            yield from map(fold_word, text.split("|"))


# --- from the model ---------------------------------------------------------------------------


def arguments_of(model: type[BaseModel]) -> tuple[Argument, ...]:
    """Return the arguments that a model declares, in order."""
    return tuple(_build_argument(name, field) for name, field in model.model_fields.items())


def _build_argument(name: str, field: FieldInfo) -> Argument:
    kind, many, values = _inspect_annotation(field.annotation)
    marks: list[Any] = [*field.metadata, *_iter_marks(field.annotation)]
    names = next((m.labels for m in marks if isinstance(m, Labels)), {})
    options = tuple(Option(names.get(v, v.replace("-", " ").capitalize()), v) for v in values)
    return Argument(
        name=name,
        spelling=field.alias or name.replace("_", "-"),
        label=field.title or name.replace("_", " ").capitalize(),
        hint=field.description or "",
        kind=kind,
        many=many,
        long=any(isinstance(m, Paragraph) for m in marks),
        required=field.is_required(),
        shortest=_length_limit(marks, "min_length"),
        longest=3000 if many else _length_limit(marks, "max_length") or 3000,
        options=YES_NO if kind == "yes-no" else options,
        suggests=next((m.completion for m in marks if isinstance(m, Suggestions)), ""),
        single_word=any(isinstance(m, SingleWord) for m in marks),
        hidden=any(isinstance(m, HiddenField) for m in marks),
        lead_words=next((m.words for m in marks if isinstance(m, LeadWords)), ()),
        button_only=next((m.values for m in marks if isinstance(m, ButtonOnly)), ()),
        synonyms=next((tuple(m.names.items()) for m in marks if isinstance(m, Synonyms)), ()),
    )


def _iter_marks(annotation: Any) -> Iterator[Any]:
    """Yield the marks inside an annotation: of parts of a union and of items of a tuple."""
    yield from getattr(annotation, "__metadata__", ())
    for inner in get_args(annotation):
        yield from _iter_marks(inner)


def _length_limit(marks: Sequence[Any], name: str) -> int:
    return next((int(getattr(m, name)) for m in marks if getattr(m, name, None) is not None), 0)


def _inspect_annotation(
    annotation: Any,
) -> tuple[Literal["text", "integer", "yes-no", "choice"], bool, tuple[str, ...]]:
    """Return an annotation's kind, whether it takes several values, and its fixed values."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return _inspect_annotation(next(a for a in inner if a is not type(None)))
    if origin is Annotated:
        return _inspect_annotation(inner[0])
    if origin is tuple:
        kind, _, values = _inspect_annotation(inner[0])
        return kind, True, values
    if origin is Literal:
        return "choice", False, tuple(inner)
    if annotation is bool:
        return "yes-no", False, ()
    return ("integer" if annotation is int else "text"), False, ()


# --- words ------------------------------------------------------------------------------------


def clean_text(text: str) -> str:
    """Return the text with composed letters and single spaces.

    Control, direction and zero-width characters are removed.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    composed = INVISIBLE.sub("", unicodedata.normalize("NFC", text).replace("\u00ad", ""))
    spaced = "".join(
        " " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in composed
    )
    return " ".join(spaced.split())


def clean_lines(text: str) -> str:
    """Return the text with each line cleaned like `clean_text`, for paragraphs."""
    return "\n".join(clean_text(line) for line in text.splitlines()).strip()


def skip_words(words: str, count: int) -> str:
    """Return the text behind the first `count` words, with its line breaks."""
    return (words.split(None, count) + [""] * (count + 1))[count]


def shorten(text: str) -> str:
    """Cut a text so that it can be quoted back."""
    return text if len(text) <= MAX_ECHO_LENGTH else text[: MAX_ECHO_LENGTH - 1] + "…"


def parse_words(words: str, arguments: Sequence[Argument]) -> dict[str, tuple[str, ...]]:
    """Parse `free words key:value key:"two words"`; return values by field name.

    Only keys the command knows count as keys, so `C++: the basics` stays free text; they may be
    spelled in four languages, with spaces around the colon. Free words fill the first field; a
    field that takes one of a few values takes one word, a paragraph all words up to the next key.
    All that stands behind a lead word is the value of its field, whatever it looks like. The time
    it takes grows with the length alone.
    """
    words, led = _split_lead_words(words, arguments)
    known = {way: a for a in reversed(arguments) for way in a.spellings}
    named: dict[str, tuple[str, ...]] = {}
    free: list[Word] = []
    paragraph = ""  # the name of the field that free words go on with
    for word in split_words(clean_text(words), known):
        if word.key:
            argument = known[word.key]
            before = named.get(argument.name, ()) if argument.many else ()
            value = word.value if word.is_quoted else _strip_marks(argument, word.value)
            named[argument.name] = (*before, value)
            paragraph = argument.name if argument.long and not word.is_quoted else ""
        elif paragraph:
            named[paragraph] = (f"{named[paragraph][0]} {word.raw}".strip(),)
        else:
            free.append(word)
    named |= _assign_positional(free, [a for a in arguments if a.name not in named])
    by_name = {a.name: a for a in arguments}
    return {name: split_values(by_name[name], given) for name, given in (named | led).items()}


def _strip_marks(argument: Argument, value: str, stop: str = "") -> str:
    """Return a value without the marks that end a sentence; paragraphs keep theirs.

    Free text behind a key keeps its full stop too: it may belong to an abbreviation.
    """
    if argument.long:
        return value
    is_name = argument.kind != "text" or argument.options or argument.suggests
    return value.strip("`").rstrip("?!\u2026,;" + ("." if is_name else stop)).lstrip("\u00bf\u00a1")


def _split_lead_words(
    words: str, arguments: Sequence[Argument]
) -> tuple[str, dict[str, tuple[str, ...]]]:
    """Return the words before a lead word outside quotes, and its field with the text behind it."""
    for argument in (a for a in arguments if a.lead_words):
        ways = "|".join(re.escape(way).replace(r"\ ", r"\s+") for way in argument.lead_words)
        ends = r"(?::(?!\S*\")|(?<=['’])|(?!\S))"
        plain = words.translate(DOUBLE_QUOTES | COLONS)
        seen = quotes = 0
        for match in re.finditer(rf"(?<!\S)(?:{ways}){ends}\s*(?::\s+)?", plain, re.IGNORECASE):
            quotes += plain.count('"', seen, match.start())
            seen = match.start()
            before, behind = words[: match.start()], words[match.end() :]
            if quotes % 2 == 0 and (before.strip() or behind):
                return before, {argument.name: (behind,)} if behind else {}
    return words, {}


def _assign_positional(
    free: list[Word], arguments: Sequence[Argument]
) -> dict[str, tuple[str, ...]]:
    """Return the free words as values of the first fields: one each, or the rest for a text."""
    given: dict[str, tuple[str, ...]] = {}
    for argument in arguments:
        if not free:
            break
        takes_all = argument.kind == "text" and not argument.single_word
        taken, free = (free, []) if takes_all else (free[:1], free[1:])
        whole = argument.long and len(taken) > 1
        text = " ".join(word.raw if whole else word.value for word in taken)
        given[argument.name] = (text if taken[-1].is_quoted else _strip_marks(argument, text, "."),)
    return given


def split_values(argument: Argument, given: tuple[str, ...]) -> tuple[str, ...]:
    """Split values at their commas if the field takes several; else return them as they are."""
    if not argument.many:
        return given
    return tuple(part.strip() for text in given for part in text.split(",") if part.strip())


# --- values -----------------------------------------------------------------------------------


def coerce_values(
    values: Mapping[str, tuple[str, ...]], arguments: Sequence[Argument]
) -> dict[str, Any]:
    """Return the values as the model takes them; an emptied field is None, or an empty tuple."""
    known = {a.name: a for a in arguments}
    return {n: _coerce_value(known[n], v) for n, v in values.items() if n in known}


def _coerce_value(argument: Argument, given: tuple[str, ...]) -> Any:
    if argument.options:
        given = tuple(read_choice(argument, text) for text in given)
    tidy = clean_lines if argument.long else clean_text
    kept = tuple(filter(None, map(tidy, given)))
    if argument.kind == "integer":
        kept = tuple(text.lstrip("#") for text in kept)
    if argument.many:
        return split_values(argument, kept)
    if argument.kind == "text" and argument.required:
        return " ".join(kept)
    return ("\n" if argument.long else " ").join(kept) if kept else None


def read_choice(argument: Argument, text: str) -> str:
    """Return the value that a label in any of the four languages, or a synonym, means.

    Other text is returned as it is.
    """
    wanted, synonyms = _fold_choice(text), dict(argument.synonyms)
    for option in argument.options:
        labels = (translator(language)(option.label) for language in LANGUAGES)
        if wanted in map(_fold_choice, (option.value, *labels, *synonyms.get(option.value, ()))):
            return option.value
    return text


def _fold_choice(text: str) -> str:
    """Return a choice folded, with spaces for dashes: «every–two weeks» is `every-two-weeks`."""
    return " ".join(fold_text(text.translate(DASHES)).replace("-", " ").split())


def find_nearest(text: str, choices: Sequence[str], limit: int = 3) -> list[str]:
    """Return the choices that look most like the text, best first."""
    found = process.extract(
        fold_text(text),
        choices,
        scorer=fuzz.WRatio,
        processor=fold_text,
        limit=limit,
        score_cutoff=60,
    )
    return [name for name, _, _ in found]
