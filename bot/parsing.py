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
from bot.i18n import LANGUAGES, translator
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

_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»＂", '"'))
_WORD = re.compile(r'([\w-]+):"([^"]*)"|([\w-]+):(\S*)|"([^"]*)"|(\S+)')


def clean_text(text: str) -> str:
    """Return the text with composed letters and single spaces.

    Control, direction and zero-width characters are removed.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    composed = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
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

    Only keys the command knows count as keys, so `C++: the basics` stays free text. Free words fill
    the first field; a field that takes one of a few values takes one word. All that stands behind a
    lead word is the value of its field, whatever it looks like.
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
    """Return the words before a lead word outside quotes, and its field with the text behind it."""
    for argument in (a for a in arguments if a.lead_words):
        ways = "|".join(re.escape(way).replace(r"\ ", r"\s+") for way in argument.lead_words)
        ends = r"(?::(?!\S*\")|(?<=['’])|(?!\S))"
        for match in re.finditer(rf"(?<!\S)(?:{ways}){ends}\s*", words, re.IGNORECASE):
            before, behind = words[: match.start()], words[match.end() :]
            if before.count('"') % 2 == 0 and (before.strip() or behind):
                return before, {argument.name: (behind,)} if behind else {}
    return words, {}


def _tokens(words: str) -> Iterator[tuple[str, str, str]]:
    """Yield (key, value, as typed) of each token; free words have no key."""
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
    if argument.many:
        return split_values(argument, kept)
    if argument.kind == "text" and argument.required:
        return " ".join(kept)
    return ("\n" if argument.long else " ").join(kept) if kept else None


def read_choice(argument: Argument, text: str) -> str:
    """Return the value that a label in any of the four languages means; else the text as it is."""
    wanted = fold_text(text.strip())
    for option in argument.options:
        names = (option.value, *(translator(lang)(option.label) for lang in LANGUAGES))
        if wanted in map(fold_text, names):
            return option.value
    return text


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
