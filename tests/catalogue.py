"""Every sentence a person may read, and what the translations lack of it.

`python -m tests.catalogue` says what is missing or stale; with `--write` it adds and removes it.
"""

import ast
import csv
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from babel.messages.catalog import Message
from jinja2 import Environment, nodes

from bot.commands import load_commands
from bot.deliveries import KINDS
from bot.domain.gazetteer import REGIONS
from bot.i18n import LANGUAGE_NAMES, LANGUAGES, catalogue
from db.personal_data import PERSONAL_TABLES

ROOT = Path(__file__).parent.parent
BOT = ROOT / "bot"
LOCALES = BOT / "locales"
TRANSLATED = tuple(language for language in LANGUAGES if language != "en")
PLURALS = {"es": "(n != 1)", "pt": "(n > 1)", "fr": "(n > 1)"}

_MAKERS = {"translator", "guess"}
"""Functions that give a translator, so that their result may be called at once."""


@dataclass(frozen=True)
class Sentence:
    """One key: `other` is its second form if it goes with a number; `files`: where it stands."""

    key: str
    other: str = ""
    files: set[str] = field(default_factory=set, compare=False)


class UnknownError(Exception):
    """A call that translates something this program does not know where to find."""


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# --- calls in the source ----------------------------------------------------------------------


def _is_translator(node: ast.expr) -> bool:
    match node:
        case ast.Name(id="t") | ast.Attribute(attr="t"):
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in _MAKERS
        case ast.Await(value=value):
            return _is_translator(value)
    return False


def _literals(node: ast.expr) -> tuple[str, ...] | None:
    """The texts an argument may be, if they stand there."""
    match node:
        case ast.Constant(value=str(text)):
            return (text,)
        case ast.IfExp(body=body, orelse=orelse):
            both = _literals(body), _literals(orelse)
            return (*both[0], *both[1]) if both[0] and both[1] else None
    return None


def _calls(tree: ast.AST) -> Iterator[tuple[list[ast.expr], bool]]:
    """The arguments of each call that translates, and whether it goes with a number."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        many = isinstance(node.func, ast.Attribute) and node.func.attr == "many"
        asked = node.func.value if isinstance(node.func, ast.Attribute) and many else node.func
        if _is_translator(asked) and node.args:
            yield node.args, many


def _in_python(path: Path) -> Iterator[Sentence]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    name = _name(path)
    for arguments, many in _calls(tree):
        first, second = _literals(arguments[0]), _literals(arguments[1]) if many else ("",)
        if first and second:
            yield from (Sentence(key, second[0]) for key in first)
        elif many:
            raise UnknownError(f"{name}:{arguments[0].lineno}: both forms must stand there")
        else:
            yield from _computed(name, arguments[0], tree)


def _in_template(path: Path) -> Iterator[Sentence]:
    name = _name(path)
    tree = Environment(autoescape=True).parse(path.read_text(encoding="utf-8"))
    for call in tree.find_all(nodes.Call):
        match call.node, call.args:
            case nodes.Name(name="t"), [nodes.Const(value=str(key)), *_]:
                yield Sentence(key)
            case (
                nodes.Getattr(node=nodes.Name(name="t"), attr="many"),
                [nodes.Const(value=str(key)), nodes.Const(value=str(other)), *_],
            ):
                yield Sentence(key, other)
            case ((nodes.Name(name="t") | nodes.Getattr(node=nodes.Name(name="t"))), _):
                raise UnknownError(f"{name}:{call.lineno}: a sentence must stand there")


# --- sentences that are not literals where they are translated --------------------------------


def _assigned_to(*names: str) -> Callable[[ast.AST], Iterable[str]]:
    """The texts, or the values of the dictionaries, that these names stand for."""

    def found(tree: ast.AST) -> Iterator[str]:
        for node in ast.walk(tree):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in names:
                    values = value.values if isinstance(value, ast.Dict) else [value]
                    yield from (text for v in values for text in _literals(v) or ())

    return found


def _levels(tree: ast.AST) -> Iterator[str]:
    with (ROOT / "db/data/levels.csv").open(encoding="utf-8", newline="") as file:
        yield from (row["level"] for row in csv.DictReader(file))


def _regions(tree: ast.AST) -> Iterator[str]:
    """Countries have names of their own in every language; regions are translated here."""
    yield from (names[0] for names in REGIONS.values())


def _kinds(tree: ast.AST) -> Iterator[str]:
    yield from (kind.title for kind in KINDS.values())


def _tables(tree: ast.AST) -> Iterator[str]:
    yield from (held.title for held in PERSONAL_TABLES.values())


_DECLARED = {
    "KINDS[ask.stop].title",
    "KINDS[name].title",
    "about.summary",
    "argument.hint",
    "argument.label",
    "heading",
    "o.label",
    "one.summary",
    "option.label",
    "verb.summary",
}
"""What comes from declarations and titles of forms, which are collected by themselves."""

_COMPUTED: dict[str, Callable[[ast.AST], Iterable[str]]] = {
    "WHO_IS_THIS": _assigned_to("WHO_IS_THIS"),
    "PERSONAL_TABLES[table].title": _tables,
    "_PLACES.get(kind, _ELSEWHERE)": _assigned_to("_PLACES", "_ELSEWHERE"),
    "_SKILLS.get(int(reason.amount), _SKILLS[2])": _assigned_to("_SKILLS"),
    "_STATE_NAMES[one.state]": _assigned_to("_STATE_NAMES"),
    "_STATE_NAMES[row.state]": _assigned_to("_STATE_NAMES"),
    "RHYTHM_NAMES[rhythm]": _assigned_to("RHYTHM_NAMES"),
    "RHYTHM_NAMES[taking.rhythm]": _assigned_to("RHYTHM_NAMES"),
    "city.level": _levels,
    "h.level": _levels,
    "known.title": _kinds,
    "labels[ask.level]": _levels,
    "names[0]": _regions,
    "sentence": _assigned_to("_ABOUT"),
    "str(reason.amount)": _levels,
    "title": _assigned_to("_STAFF_SECTION", "_OTHER_SECTION", "_SECTIONS"),
}
"""What is translated and is no literal, as it is written, and how its file says what it may be."""


def _computed(name: str, argument: ast.expr, tree: ast.AST) -> Iterator[Sentence]:
    source = ast.unparse(argument)
    if source in _DECLARED:
        return
    found = list(_COMPUTED[source](tree)) if source in _COMPUTED else []
    if not found:
        raise UnknownError(
            f"{name}:{argument.lineno}: t({source}) may say anything; "
            "tests/catalogue.py must know where to find what it says"
        )
    yield from map(Sentence, found)


def _form_titles(path: Path) -> Iterator[Sentence]:
    """`build_form(command, title, …)` translates the title it is given."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id="build_form"), args=[_, title, *_]):
                yield from map(Sentence, _literals(title) or ())


def _declared() -> Iterator[tuple[str, Sentence]]:
    """What the declarations say: summaries, labels, hints, options; each with its file."""
    for command in load_commands().values():
        name = f"{command.handle.__module__.replace('.', '/')}.py"
        said = [command.summary, command.title]
        for argument in command.arguments:
            said += (argument.label, argument.hint)
            said += (o.label for o in argument.options if o.label not in LANGUAGE_NAMES.values())
        yield from ((name, Sentence(key)) for key in said if key)


# --- all of them ------------------------------------------------------------------------------


@cache
def collect() -> dict[str, Sentence]:
    """Every sentence by its key, sorted: moving code changes nothing in a catalogue."""
    found = list(_declared())
    for path in sorted(BOT.rglob("*.py")):
        found += ((_name(path), s) for s in (*_in_python(path), *_form_titles(path)))
    for path in sorted(BOT.rglob("*.html")):
        found += ((_name(path), s) for s in _in_template(path))
    once: dict[str, Sentence] = {}
    for name, sentence in sorted(found, key=lambda pair: (pair[1].key.casefold(), pair[1].key)):
        kept = once.setdefault(sentence.key, sentence)
        if kept.other != sentence.other:
            raise UnknownError(f"«{sentence.key}» is said with a number and without")
        kept.files.add(name)
    return once


def translations(language: str) -> dict[str, Message]:
    """What a language has, by key."""
    return {m.id if isinstance(m.id, str) else m.id[0]: m for m in catalogue(language) if m.id}


def said(message: Message | None) -> tuple[str, ...]:
    """All forms of a translation."""
    if message is None:
        return ()
    given = message.string or ""
    return (given,) if isinstance(given, str) else tuple(given)


def forms(language: str) -> list[tuple[Sentence, tuple[str, ...]]]:
    """Each sentence with all forms of its translation."""
    known = translations(language)
    return [(sentence, said(known.get(key))) for key, sentence in collect().items()]


def pairs(language: str) -> list[tuple[str, str]]:
    """Each form of a sentence with its translation."""
    return [
        (english, given)
        for sentence, texts in forms(language)
        for english, given in zip((sentence.key, sentence.other), texts, strict=False)
    ]


def faults(sentences: dict[str, Sentence], language: str) -> tuple[list[str], list[str]]:
    """The keys a language has no translation for, and those nobody says any more."""
    known = translations(language)
    missing = [
        key
        for key, sentence in sentences.items()
        if len(said(known.get(key))) != (2 if sentence.other else 1)
        or not all(said(known.get(key)))
    ]
    return missing, [key for key in known if key not in sentences]


# --- writing ----------------------------------------------------------------------------------


def written(sentences: dict[str, Sentence], language: str) -> str:
    """The file of a language: what it says already is kept, what is new is empty."""
    known = translations(language)
    head = "\n".join([
        'msgid ""',
        'msgstr ""',
        '"Content-Type: text/plain; charset=UTF-8\\n"',
        f'"Language: {language}\\n"',
        f'"Plural-Forms: nplurals=2; plural={PLURALS[language]};\\n"',
    ])  # fmt: skip
    entries = (_entry(s, said(known.get(s.key))) for s in sentences.values())
    return "\n\n".join((head, *entries)) + "\n"


def _entry(sentence: Sentence, given: tuple[str, ...]) -> str:
    lines = ["#, python-brace-format"] if "{" in sentence.key + sentence.other else []
    lines.append(f"msgid {_quoted(sentence.key)}")
    if not sentence.other:
        return "\n".join([*lines, f"msgstr {_quoted(*given[:1])}"])
    one, other = given if len(given) == 2 else ("", "")
    lines.append(f"msgid_plural {_quoted(sentence.other)}")
    return "\n".join([*lines, f"msgstr[0] {_quoted(one)}", f"msgstr[1] {_quoted(other)}"])


def _quoted(text: str = "") -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def main(write: bool) -> int:
    """Say what is missing or stale; write it if that is wanted."""
    sentences, wrong = collect(), 0
    for language in TRANSLATED:
        missing, stale = faults(sentences, language)
        wrong += len(missing) + len(stale)
        for name, keys in (("missing", missing), ("stale", stale)):
            for key in keys:
                print(f"{language} {name}: {key}")
        if write:
            text = written(sentences, language)
            (LOCALES / f"{language}.po").write_text(text, encoding="utf-8")
    print(f"{len(sentences)} sentences, {wrong} faults")
    return 1 if wrong and not write else 0


if __name__ == "__main__":
    sys.exit(main("--write" in sys.argv[1:]))
