"""Reads a command: its model becomes arguments, words become values, values fit the model."""

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
from bot.i18n import LANGUAGES, translator

MAX_ECHO_LENGTH = 200
"""What people typed is quoted back up to here."""

YES_NO = (Option("Yes", "yes"), Option("No", "no"))


@dataclass(frozen=True, slots=True)
class Suggestions:
    """Marks a field that the completion of this name helps with."""

    completion: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Marks a field that deserves a paragraph of room."""


@dataclass(frozen=True, slots=True)
class SingleWord:
    """Marks a text field that takes one word only, so that more free words may follow."""


@dataclass(frozen=True, slots=True)
class LeadWords:
    """Marks a field that takes all that stands behind one of these words, the way people talk."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HiddenField:
    """Marks a field that forms leave out: it can only be typed or pressed."""


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """What the values of a closed field are called, in English."""

    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Argument:
    """One field of a command, as every face needs to know it. Labels and hints are English."""

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


# --- from the model ---------------------------------------------------------------------------


def arguments_of(model: type[BaseModel]) -> tuple[Argument, ...]:
    """The arguments a model declares, in order."""
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
    )


def _iter_marks(annotation: Any) -> Iterator[Any]:
    """The marks inside an annotation: of the part of a union, of the items of a tuple."""
    yield from getattr(annotation, "__metadata__", ())
    for inner in get_args(annotation):
        yield from _iter_marks(inner)


def _length_limit(marks: Sequence[Any], name: str) -> int:
    return next((int(getattr(m, name)) for m in marks if getattr(m, name, None) is not None), 0)


def _inspect_annotation(
    annotation: Any,
) -> tuple[Literal["text", "integer", "yes-no", "choice"], bool, tuple[str, ...]]:
    """What an annotation takes, whether several, and the values it is limited to."""
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

_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»＂", '"'))
_WORD = re.compile(r'([\w-]+):"([^"]*)"|([\w-]+):(\S*)|"([^"]*)"|(\S+)')


def clean_text(text: str) -> str:
    """Composed letters, single spaces; no control, direction or zero-width characters."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    composed = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    spaced = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c
                     for c in composed)  # fmt: skip
    return " ".join(spaced.split())


def clean_lines(text: str) -> str:
    """The same line by line, for paragraphs."""
    return "\n".join(clean_text(line) for line in text.splitlines()).strip()


def shorten(text: str) -> str:
    """What was read, cut so that it can be quoted back."""
    return text if len(text) <= MAX_ECHO_LENGTH else text[: MAX_ECHO_LENGTH - 1] + "…"


def parse_words(words: str, arguments: Sequence[Argument]) -> dict[str, tuple[str, ...]]:
    """`free words key:value key:"two words"` as values by field name.

    Only keys the command knows count as keys, so `C++: the basics` stays free text. Free words
    fill the first field; a field that takes one of a few values takes one word. What stands
    behind the word that leads to a field is its value, whatever it looks like.
    """
    words, led = _split_lead_words(words.translate(_QUOTES), arguments)
    spelled = {a.spelling: a for a in arguments} | {a.name: a for a in arguments}
    named: dict[str, tuple[str, ...]] = {}
    free: list[str] = []
    waiting = ""
    for key, value, raw in _tokens(words):
        if waiting and not key:
            named[waiting] = (value,)
            waiting = ""
        elif key in spelled:
            name = spelled[key].name
            waiting = "" if value else name
            named[name] = (*named.get(name, ()), value) if spelled[key].many else (value,)
        else:
            free.append(raw)
    named |= _assign_positional(free, [a for a in arguments if a.name not in named])
    return {name: split_values(spelled[name], given) for name, given in (named | led).items()}


def _split_lead_words(
    words: str, arguments: Sequence[Argument]
) -> tuple[str, dict[str, tuple[str, ...]]]:
    """The words up to one that leads to a field, and what stands behind it; not inside quotes."""
    for argument in (a for a in arguments if a.lead_words):
        ways = "|".join(re.escape(way).replace(r"\ ", r"\s+") for way in argument.lead_words)
        ends = r"(?::(?!\S*\")|(?<=['’])|(?!\S))"
        for match in re.finditer(rf"(?<!\S)(?:{ways}){ends}\s*", words, re.IGNORECASE):
            before, behind = words[: match.start()], words[match.end() :]
            if before.count('"') % 2 == 0 and (before.strip() or behind):
                return before, {argument.name: (behind,)} if behind else {}
    return words, {}


def _tokens(words: str) -> Iterator[tuple[str, str, str]]:
    """(key, value, as typed) of each token; free words have no key."""
    for match in _WORD.finditer(clean_text(words)):
        key = (match[1] or match[3] or "").casefold()
        value = next((g for g in (match[2], match[4], match[5], match[6]) if g is not None), "")
        yield key, value, match[0] if key else value


def _assign_positional(
    free: list[str], arguments: Sequence[Argument]
) -> dict[str, tuple[str, ...]]:
    given: dict[str, tuple[str, ...]] = {}
    for argument in arguments:
        if not free:
            break
        if argument.kind == "text" and not argument.single_word:
            given[argument.name] = (" ".join(free),)
            break
        given[argument.name] = (free.pop(0),)
    return given


def split_values(argument: Argument, given: tuple[str, ...]) -> tuple[str, ...]:
    """Split what was given for a field of several values at its commas; else leave it as it is."""
    if not argument.many:
        return given
    return tuple(part.strip() for text in given for part in text.split(",") if part.strip())


# --- values -----------------------------------------------------------------------------------


def fold_text(text: str) -> str:
    """Lower case without accents, for comparing what people type."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def coerce_values(
    values: Mapping[str, tuple[str, ...]], arguments: Sequence[Argument]
) -> dict[str, Any]:
    """Values as the model takes them; an emptied field is None (or no values at all)."""
    known = {a.name: a for a in arguments}
    return {n: _coerce_value(known[n], v) for n, v in values.items() if n in known}


def _coerce_value(argument: Argument, given: tuple[str, ...]) -> Any:
    if argument.options:
        given = tuple(read_choice(argument, text) for text in given)
    tidy = clean_lines if argument.long else clean_text
    kept = tuple(filter(None, map(tidy, given)))
    if argument.many:
        return split_values(argument, kept)
    if argument.kind == "text" and argument.required:
        return " ".join(kept)
    return ("\n" if argument.long else " ").join(kept) if kept else None


def read_choice(argument: Argument, text: str) -> str:
    """The value meant by a label in any of the four languages; else the text as it is."""
    wanted = fold_text(text.strip())
    for option in argument.options:
        names = (option.value, *(translator(lang)(option.label) for lang in LANGUAGES))
        if wanted in map(fold_text, names):
            return option.value
    return text


def find_nearest(text: str, choices: Sequence[str], limit: int = 3) -> list[str]:
    """The choices that look most like the text, best first."""
    found = process.extract(
        fold_text(text),
        choices,
        scorer=fuzz.WRatio,
        processor=fold_text,
        limit=limit,
        score_cutoff=60,
    )
    return [name for name, _, _ in found]
