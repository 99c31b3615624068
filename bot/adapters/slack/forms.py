"""Render the fields of forms as Slack's inputs, and parse what a submitted form holds."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any

from bot.adapters.slack import blocks as kit
from bot.adapters.slack.blocks import Json
from bot.adapters.slack.parts import VALUE, Piece
from bot.adapters.slack.text import is_visible, shorten
from bot.cards import Form, Input, Option
from bot.domain.characters import utf16_length

MAX_RADIO_BUTTONS = 4
"""Most options shown as radio buttons; more of them become a menu."""

MAX_TEXT, MAX_BOXES, MAX_NAME = 3000, 10, 255
"""Slack's limits: UTF-16 units of a text, checkboxes, and units of a block's id."""
_ANSWER = "answer"


@dataclass(frozen=True)
class Origin:
    """Where a modal was opened from; Slack keeps it in the modal's private metadata."""

    command: str = ""
    channel: str = ""
    response_url: str = ""

    def metadata(self) -> str:
        """Return the fields as JSON for the modal's private metadata."""
        return json.dumps({k: v for k, v in asdict(self).items() if v}, separators=(",", ":"))

    @classmethod
    def from_view(cls, view: Mapping[str, Any]) -> "Origin | None":
        """Return the origin stored in a view; None if its metadata is not what `metadata` wrote."""
        try:
            said = json.loads(view.get("private_metadata") or "{}")
            known = cls(**said)
        except (TypeError, ValueError):
            return None
        return known if all(isinstance(v, str) for v in asdict(known).values()) else None


def parse_values(view: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the values of a submitted modal by field; an empty field has no values."""
    state = view.get("state") or {}
    return {
        name: _element_values(element)
        for name, elements in (state.get("values") or {}).items()
        for element in list(elements.values())[:1]
    }


def field_errors(asked: Form, shown: Mapping[str, Any], drawn: Json) -> dict[str, str]:
    """Return the problems by field if Slack can show them in the modal `shown`, else {}.

    Slack writes them under the fields, which needs a modal with the same fields and no alerts of
    earlier problems. Otherwise the caller replaces the modal with `drawn`.
    """
    problems = {i.name: shorten(i.problem, 300) for i in asked.inputs if is_visible(i.problem)}
    before, after = _skeleton(shown), [b for b in _skeleton(drawn) if b[0] != "alert"]
    names = {name for _, name, _ in after}
    return problems if before == after and problems.keys() <= names else {}


def _skeleton(view: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return type, id and element type of each input and alert: what `field_errors` compares."""
    return [
        (b["type"], b.get("block_id") or "", str((b.get("element") or {}).get("type")))
        for b in view.get("blocks") or []
        if b.get("type") in ("input", "alert")
    ]


def _element_values(element: Mapping[str, Any]) -> tuple[str, ...]:
    chosen = element.get("selected_options") or element.get("selected_option")
    if isinstance(chosen, list):
        return tuple(str(option["value"]) for option in chosen)
    if chosen:
        return (str(chosen["value"]),)
    text = element.get("value")
    return (text,) if isinstance(text, str) and text.strip() else ()


def field_pieces(asked: Form) -> tuple[list[Piece], bool]:
    """Return the form's fields, each below its problem, and whether a menu lost options."""
    unnamed = (f"field:{number}" for number in count())
    fields = {given.name or next(unnamed): given for given in asked.inputs}
    pieces = [Piece((*_problem(i), _input(name, i)), keep=True) for name, i in fields.items()]
    return pieces, any(len(choices(i.options)) < len(i.options) for i in asked.inputs)


def _problem(given: Input) -> Iterator[Json]:
    if is_visible(given.problem):
        # a field that was not filled in yet is not a mistake
        yield kit.alert(given.problem, "error" if given.value else "info")


def _input(name: str, given: Input) -> Json:
    hint = {"hint": kit.plain_text(given.hint, 2000)} if is_visible(given.hint) else {}
    return {
        "type": "input",
        "block_id": shorten(name, MAX_NAME),
        "label": kit.plain_text(given.label if is_visible(given.label) else name, 300),
        "optional": not given.required,
        "element": {"action_id": _ANSWER, **_element(given)},
        **hint,
    }


def _element(given: Input) -> Json:
    options = choices(given.options)
    if options:
        return _choice_element(given, options)
    if given.suggests and all(0 < utf16_length(value) <= VALUE for value in given.value):
        return _suggestion_element(given)
    return _text_element(given)


def choices(options: Sequence[Option]) -> list[Json]:
    """Return the options Slack accepts: values short enough and unique, at most a hundred."""
    known = {o.value: o for o in options if 0 < utf16_length(o.value) <= VALUE}
    return [kit.option(o.label or v, v, o.hint) for v, o in known.items()][: kit.OPTIONS]


def _choice_element(given: Input, options: list[Json]) -> Json:
    """Return radio buttons for few options; a menu for an optional field, as it can be cleared."""
    chosen = [option for option in options if option["value"] in given.value]
    if given.many:
        kind = "checkboxes" if len(options) <= MAX_BOXES else "multi_static_select"
        return {"type": kind, "options": options, **_initial_options(chosen, many=True)}
    open_ = given.required and len(options) <= MAX_RADIO_BUTTONS
    kind = "radio_buttons" if open_ else "static_select"
    return {"type": kind, "options": options, **_initial_options(chosen[:1], many=False)}


def _suggestion_element(given: Input) -> Json:
    chosen = [kit.option(value, value) for value in given.value]
    kind = "multi_external_select" if given.many else "external_select"
    first = chosen if given.many else chosen[:1]
    return {"type": kind, "min_query_length": 0, **_initial_options(first, many=given.many)}


def _initial_options(chosen: list[Json], *, many: bool) -> Json:
    if not chosen:
        return {}
    return {"initial_options": chosen} if many else {"initial_option": chosen[0]}


def _text_element(given: Input) -> Json:
    text = shorten(given.text if given.long else " ".join(given.text.split()), MAX_TEXT)
    # a value over the field's limit is shown in full beside its problem, so the limit is raised
    most = min(max(given.longest, utf16_length(text), 1), MAX_TEXT)
    element = {"type": "plain_text_input", "multiline": given.long, "max_length": most}
    return element | ({"initial_value": text} if text.strip() else {})
