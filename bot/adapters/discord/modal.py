"""Render forms as Discord modals, five fields at a time, and parse submissions: pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from bot.adapters.discord.limits import (
    FIELDS_PER_MODAL,
    LABEL,
    MAX_FIELD,
    MAX_HINT,
    MAX_INPUT,
    MAX_OPTION,
    MAX_OPTIONS,
    MAX_TITLE,
    SELECT,
    TEXT,
    TEXT_INPUT,
    Json,
)
from bot.adapters.discord.names import name_reply
from bot.adapters.discord.text import escape_markup, one_line, shorten, tidy
from bot.cards import Form, Input, Option
from bot.domain.characters import utf16_length
from bot.i18n import Translator
from bot.parsing import Argument
from bot.request import Values

ONE_LINE, PARAGRAPH = 1, 2


def sort_inputs(form: Form) -> tuple[Input, ...]:
    """Return the fields in the order of the modals: problems first, then required fields."""
    return tuple(sorted(form.inputs, key=lambda given: (not given.problem, not given.required)))


def count_parts(form: Form) -> int:
    """Return how many modals the form's fields need; at least 1."""
    return max(1, -(-len(form.inputs) // FIELDS_PER_MODAL))


def modal(form: Form, custom_id: str, t: Translator, *, part: int = 1) -> Json:
    """Return the body of one modal: the fields of this part (counted from 1), filled in."""
    form = name_reply(form)
    inputs = sort_inputs(form)[(part - 1) * FIELDS_PER_MODAL : part * FIELDS_PER_MODAL]
    drawn = [_label(given, t) for given in inputs]
    if (form.intro.strip() and len(drawn) < FIELDS_PER_MODAL) or not drawn:
        intro = shorten(form.intro, 1000, escape_markup) or "…"
        drawn.insert(0, {"type": TEXT, "content": intro})
    return {"custom_id": custom_id, "title": _title(form, part, t), "components": drawn}


def _title(form: Form, part: int, t: Translator) -> str:
    of = f" ({part}/{count_parts(form)})" if count_parts(form) > 1 else ""
    name = one_line(form.title) or form.command
    return shorten(name, MAX_TITLE - len(of)) + of


def _label(given: Input, t: Translator) -> Json:
    """Return the labelled field; a problem takes the place of its hint."""
    hint = f"❌ {given.problem}" if given.problem else _hint(given, t)
    label: Json = {
        "type": LABEL,
        "label": shorten(one_line(given.label) or given.name, MAX_FIELD),
        "component": _select(given) if is_menu(given) else _text_input(given, t),
    }
    said = shorten(one_line(hint), MAX_HINT)
    return label | ({"description": said} if said else {})


def _hint(given: Input, t: Translator) -> str:
    """Return what to type; lists the options where no menu can hold them."""
    listed = given.options and not is_menu(given)
    how = t("Separate several with commas.") if given.many and not is_menu(given) else ""
    names = ", ".join(option.label for option in given.options) if listed else ""
    said = [part for part in (given.hint, how, names) if part]
    return " ".join([*(f"{part.rstrip('.')}." for part in said[:-1]), *said[-1:]])


def is_menu(given: Input) -> bool:
    """Return whether the options fit into a menu."""
    values = {option.value for option in given.options}
    return (
        0 < len(given.options) <= MAX_OPTIONS
        and len(values) == len(given.options)
        and all(0 < utf16_length(value) <= MAX_OPTION for value in values)
    )


def _select(given: Input) -> Json:
    most = len(given.options) if given.many else 1
    chosen = [value for value in given.value if value in {o.value for o in given.options}][:most]
    return {
        "type": SELECT,
        "custom_id": given.name,
        "required": given.required,
        "min_values": 1 if given.required else 0,
        "max_values": most,
        "options": [_option(option, chosen) for option in given.options],
    }


def _option(option: Option, chosen: Sequence[str]) -> Json:
    drawn: Json = {
        "label": shorten(one_line(option.label) or option.value, MAX_OPTION),
        "value": option.value,
    }
    if option.value in chosen:
        drawn["default"] = True
    hint = shorten(one_line(option.hint), MAX_OPTION)
    return drawn | ({"description": hint} if hint else {})


def _text_input(given: Input, t: Translator) -> Json:
    """Return a text field of one line or a paragraph.

    A value that is too long may stay, so that the person can shorten it.
    """
    value = shorten(tidy(given.text) if given.long else one_line(given.text), MAX_INPUT)
    most = min(max(given.longest, utf16_length(value), 1), MAX_INPUT)
    drawn: Json = {
        "type": TEXT_INPUT,
        "custom_id": given.name,
        "style": PARAGRAPH if given.long else ONE_LINE,
        "required": given.required,
        "max_length": most,
    }
    placeholder = shorten(one_line(_hint(given, t)), MAX_HINT) if given.problem else ""
    filled = {"value": value, "placeholder": placeholder}
    return drawn | {key: text for key, text in filled.items() if text}


# --- submissions ------------------------------------------------------------------------------


def parse_submission(
    components: Iterable[Mapping[str, Any]], arguments: Sequence[Argument]
) -> Values:
    """Return the values of a submitted modal by field; an emptied field has none."""
    known = {argument.name: argument for argument in arguments}
    return {name: split_values(known.get(name), given) for name, given in _fields(components)}


def _fields(components: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for component in components:
        inner = component.get("component")
        yield from _fields([*component.get("components", ()), *([inner] if inner else ())])
        if "custom_id" in component:
            one = component.get("value")
            given = component.get("values") or ((one,) if one else ())
            yield str(component["custom_id"]), tuple(map(str, given))


def split_values(argument: Argument | None, given: tuple[str, ...]) -> tuple[str, ...]:
    """Split the text of a field that takes several values at its commas."""
    if argument is None or not argument.many:
        return given
    return tuple(part.strip() for text in given for part in text.split(",") if part.strip())
