"""Builds the form of a command: its fields hold the values, with what is wrong beside them."""

import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.cards import Form, Input
from bot.i18n import Translator
from bot.parsing import MAX_ECHO_LENGTH, Argument, find_nearest, read_choice, shorten, split_values

MAX_LISTED = 5
"""Values that a sentence names at most; of more it names the nearest three."""
MIN_GUESS_LENGTH = 2
MAX_HIDDEN_LENGTH = 40
"""Most characters of a hidden value that a form keeps; its words have to fit on a button."""


def describe_problems(
    error: ValidationError, arguments: Sequence[Argument], t: Translator
) -> dict[str, str]:
    """Return one sentence for each field that does not fit, by field name."""
    known = {a.name: a for a in arguments}
    said: dict[str, str] = {}
    for detail in error.errors():
        name = str(detail["loc"][0]) if detail["loc"] else arguments[0].name
        said.setdefault(name, _describe_problem(known[name], detail, t))
    return said


def _describe_problem(argument: Argument, detail: ErrorDetails, t: Translator) -> str:
    read = detail.get("input")
    if detail["type"] == "too_long":
        most = detail["ctx"]["max_length"]
        return t("You can list up to {most}; you listed {given}.", given=len(read or ()), most=most)
    text = shorten(str(read)) if isinstance(read, str | int | float) else ""
    if not text or detail["type"] == "missing":
        return t("Please fill this in.") + _hint(argument, t)
    if argument.options:
        return _describe_unknown_choice(text, argument, t)
    if argument.kind == "integer":
        return t("«{text}» doesn't work here: please write a whole number.", text=text)
    if detail["type"] == "string_too_long":
        return t(
            "This can have up to {most} characters; yours has {given}.",
            given=len(str(read)),
            most=argument.longest,
        )
    if detail["type"] == "string_too_short":
        return t(
            "«{text}» is too short: please use at least {least} characters.",
            text=text,
            least=argument.shortest,
        )
    return t("«{text}» doesn't work here.", text=text) + _hint(argument, t)


def _hint(argument: Argument, t: Translator) -> str:
    return f" {t(argument.hint)}" if argument.hint else ""


def _describe_unknown_choice(text: str, argument: Argument, t: Translator) -> str:
    """Quote what was read, and say what is expected: all of a few values, or the nearest ones."""
    labels = [t(option.label) for option in argument.offered]
    # a word of one or two letters resembles everything
    near = find_nearest(text, labels) if len(text) > MIN_GUESS_LENGTH else []
    shown = labels if len(labels) <= MAX_LISTED else list(dict.fromkeys((*near, *labels)))[:3]
    said = t("«{text}» doesn't work here.", text=text)
    if shown:
        said += " " + t("Try one of these: {choices}.", choices=", ".join(shown))
    return said + (" " + t("Did you mean «{choice}»?", choice=near[0]) if near else "")


def build_form(
    command: str,
    heading: str,
    arguments: Sequence[Argument],
    t: Translator,
    values: Mapping[str, tuple[str, ...]],
    problems: Mapping[str, str] = types.MappingProxyType({}),
) -> Form:
    """Return the form of a command, filled with `values`, with `problems` beside their fields.

    A field that forms leave out stays in the words of `Form.command`, so that it is sent too; its
    problem is shown above the others.
    """
    inputs = (
        _build_input(a, t, split_values(a, values.get(a.name, ())), problems.get(a.name, ""))
        for a in arguments
        if not a.hidden
    )
    unseen = (problems.get(a.name, "") for a in arguments if a.hidden)
    return Form(
        title=t(heading),
        command=" ".join((command, *_hidden_words(arguments, values, problems))),
        inputs=tuple(inputs),
        intro=" ".join(filter(None, unseen)),
        submit=t("Go"),
    )


def _hidden_words(
    arguments: Sequence[Argument],
    values: Mapping[str, tuple[str, ...]],
    problems: Mapping[str, str],
) -> Iterator[str]:
    """Yield the short values of hidden fields as words, except what does not fit.

    A hidden choice, such as «edit» or «sure», says what to do with the words that opened the form,
    and is left out.
    """
    for argument in arguments:
        given = values.get(argument.name, ())
        if argument.hidden and not argument.options and argument.name not in problems:
            text = ",".join(given)
            if text and len(text) <= MAX_HIDDEN_LENGTH and '"' not in text:
                yield (
                    f'{argument.spelling}:"{text}"'
                    if " " in text
                    else f"{argument.spelling}:{text}"
                )


def _build_input(argument: Argument, t: Translator, value: tuple[str, ...], problem: str) -> Input:
    chosen = [read_choice(argument, text) if argument.options else text for text in value]
    options = tuple(
        replace(option, label=t(option.label))
        for option in argument.options
        if option in argument.offered or option.value in chosen
    )
    return Input(
        name=argument.name,
        label=t(argument.label),
        value=tuple(text if options else shorten_value(text, argument) for text in chosen),
        options=options,
        many=argument.many,
        long=argument.long,
        required=argument.required,
        hint=t(argument.hint) if argument.hint else "",
        problem=problem,
        longest=argument.longest,
        suggests=argument.suggests,
    )


def shorten_value(value: str, argument: Argument) -> str:
    """Cut a value that is far too long for its field, so that the form still opens."""
    return value[: max(argument.longest, MAX_ECHO_LENGTH)]
