"""The fields of forms as Slack's inputs, and what a filled-in form says."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any

from bot.adapters.slack import blocks as kit
from bot.adapters.slack.blocks import Json
from bot.adapters.slack.parts import VALUE, Piece
from bot.adapters.slack.text import cut, seen, units
from bot.cards import Form, Input, Option

FEW = 4
"""So many options are shown at once; more of them hide in a menu."""

LONGEST, MOST_BOXES, NAME = 3000, 10, 255
_ANSWER = "answer"


@dataclass(frozen=True)
class Origin:
    """Where a window was opened from, kept by Slack in the window itself."""

    command: str = ""
    channel: str = ""
    response_url: str = ""

    def metadata(self) -> str:
        """What goes into the window."""
        return json.dumps({k: v for k, v in asdict(self).items() if v}, separators=(",", ":"))

    @classmethod
    def of(cls, view: Mapping[str, Any]) -> "Origin | None":
        """Read back; None if it is not what was put in."""
        try:
            said = json.loads(view.get("private_metadata") or "{}")
            known = cls(**said)
        except (TypeError, ValueError):
            return None
        return known if all(isinstance(v, str) for v in asdict(known).values()) else None


def values(view: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """What stands in each field of a modal that came back; nothing where it was emptied."""
    state = view.get("state") or {}
    return {
        name: _given(element)
        for name, elements in (state.get("values") or {}).items()
        for element in list(elements.values())[:1]
    }


def errors(asked: Form, shown: Mapping[str, Any], drawn: Json) -> dict[str, str]:
    """The problems by field, if the window on the screen has the same fields and no old problem.

    Then Slack itself writes them under the fields; else the window is drawn anew.
    """
    problems = {i.name: cut(i.problem, 300) for i in asked.inputs if seen(i.problem)}
    before, after = _skeleton(shown), [b for b in _skeleton(drawn) if b[0] != "alert"]
    names = {name for _, name, _ in after}
    return problems if before == after and problems.keys() <= names else {}


def _skeleton(view: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The inputs of a view and its alerts: what Slack's own error display depends on."""
    return [
        (b["type"], b.get("block_id") or "", str((b.get("element") or {}).get("type")))
        for b in view.get("blocks") or []
        if b.get("type") in ("input", "alert")
    ]


def _given(element: Mapping[str, Any]) -> tuple[str, ...]:
    chosen = element.get("selected_options") or element.get("selected_option")
    if isinstance(chosen, list):
        return tuple(str(option["value"]) for option in chosen)
    if chosen:
        return (str(chosen["value"]),)
    text = element.get("value")
    return (text,) if isinstance(text, str) and text.strip() else ()


def field_pieces(asked: Form) -> tuple[list[Piece], bool]:
    """The fields of a form, each under its problem; and whether a menu had too many options."""
    unnamed = (f"field:{number}" for number in count())
    fields = {given.name or next(unnamed): given for given in asked.inputs}
    pieces = [Piece((*_problem(i), _input(name, i)), keep=True) for name, i in fields.items()]
    return pieces, any(len(choices(i.options)) < len(i.options) for i in asked.inputs)


def _problem(given: Input) -> Iterator[Json]:
    if seen(given.problem):
        # nothing typed yet is no mistake
        yield kit.alert(given.problem, "error" if given.value else "info")


def _input(name: str, given: Input) -> Json:
    hint = {"hint": kit.words(given.hint, 2000)} if seen(given.hint) else {}
    return {
        "type": "input",
        "block_id": cut(name, NAME),
        "label": kit.words(given.label if seen(given.label) else name, 300),
        "optional": not given.required,
        "element": {"action_id": _ANSWER, **_element(given)},
        **hint,
    }


def _element(given: Input) -> Json:
    options = choices(given.options)
    if options:
        return _closed(given, options)
    if given.suggests and all(0 < units(value) <= VALUE for value in given.value):
        return _suggested(given)
    return _typed(given)


def choices(options: Sequence[Option]) -> list[Json]:
    """Options as Slack takes them: short enough, each value once, a hundred at most."""
    known = {o.value: o for o in options if 0 < units(o.value) <= VALUE}
    return [kit.option(o.label or v, v, o.hint) for v, o in known.items()][: kit.OPTIONS]


def _closed(given: Input, options: list[Json]) -> Json:
    """A few options lie open; one that may be left out stays in a menu, which can be emptied."""
    chosen = [option for option in options if option["value"] in given.value]
    if given.many:
        kind = "checkboxes" if len(options) <= MOST_BOXES else "multi_static_select"
        return {"type": kind, "options": options, **_initial(chosen, many=True)}
    open_ = given.required and len(options) <= FEW
    kind = "radio_buttons" if open_ else "static_select"
    return {"type": kind, "options": options, **_initial(chosen[:1], many=False)}


def _suggested(given: Input) -> Json:
    chosen = [kit.option(value, value) for value in given.value]
    kind = "multi_external_select" if given.many else "external_select"
    first = chosen if given.many else chosen[:1]
    return {"type": kind, "min_query_length": 0, **_initial(first, many=given.many)}


def _initial(chosen: list[Json], *, many: bool) -> Json:
    if not chosen:
        return {}
    return {"initial_options": chosen} if many else {"initial_option": chosen[0]}


def _typed(given: Input) -> Json:
    text = cut(given.text if given.long else " ".join(given.text.split()), LONGEST)
    # a text that is too long is shown whole with its problem, so the field has room for it
    most = min(max(given.longest, units(text), 1), LONGEST)
    element = {"type": "plain_text_input", "multiline": given.long, "max_length": most}
    return element | ({"initial_value": text} if text.strip() else {})
