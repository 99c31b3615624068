"""Parse the fields of a modal from the very payload that a platform would get."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from bot.cards import Form, Input

Json = Mapping[str, Any]
PREFIX_LENGTH = 60
"""Characters of a problem that are compared, since platforms cut long sentences."""

Kind = Literal["line", "paragraph", "select", "search", "several", "checks", "radios"]


@dataclass(frozen=True, slots=True)
class FieldOption:
    """One option that can be chosen in a field."""

    label: str
    value: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One labelled field as it is rendered. `remote`: its options come from the hub's completion.

    `problem_place`: where the payload itself shows the problem; empty where it does not, so that
    the page shows it below the field, as the platform does.
    """

    name: str
    label: str
    kind: Kind
    hint: str = ""
    value: tuple[FieldOption, ...] = ()
    options: tuple[FieldOption, ...] = ()
    required: bool = False
    longest: int = 3000
    placeholder: str = ""
    problem: str = ""
    problem_place: Literal["", "hint", "alert"] = ""
    remote: bool = False

    @property
    def text(self) -> str:
        """Return the content of a text field."""
        return ", ".join(chosen.value for chosen in self.value)

    @property
    def values(self) -> frozenset[str]:
        """Return the values that are chosen."""
        return frozenset(chosen.value for chosen in self.value)


@dataclass(frozen=True, slots=True)
class Modal:
    """A form as a platform shows it: fields, and between them parts rendered like a message."""

    title: str
    submit: str
    close: str
    items: tuple[Field | Json, ...]

    @property
    def problems(self) -> list[Field]:
        """Return the fields that have a problem."""
        return [item for item in self.items if isinstance(item, Field) and item.problem]


def block_modal(payload: Json, form: Form) -> Modal:
    """Parse a view of Block Kit."""
    items: list[Field | Json] = []
    for block in payload.get("blocks", ()):
        if block.get("type") == "input":
            items.append(_block_field(block, form))
        else:
            items.append(block)
    texts = (_text_of(payload.get(name)) for name in ("title", "submit", "close"))
    title, submit, close = texts
    return Modal(title or form.title, submit or form.submit, close, _attach_problems(items))


def component_modal(payload: Json, form: Form) -> Modal:
    """Parse a Discord modal of labels and texts."""
    items: list[Field | Json] = []
    for component in payload.get("components", ()):
        if component.get("type") == 18:
            items.append(_component_field(component, form))
        else:
            items.append(component)
    return Modal(str(payload.get("title", form.title)), "", "", _attach_problems(items))


def _block_field(block: Json, form: Form) -> Field:
    element = block["element"]
    kind = str(element["type"])
    given = _input_of((block.get("block_id"), element.get("action_id")), form)
    chosen = element.get("initial_options") or [element.get("initial_option")]
    value = tuple(_field_option(o) for o in chosen if o)
    if kind == "plain_text_input":
        value = (FieldOption("", str(element.get("initial_value", ""))),)
    return Field(
        name=given.name,
        label=_text_of(block.get("label")),
        kind=_block_kind(kind, element),
        hint=_text_of(block.get("hint")),
        value=value,
        options=tuple(_field_option(o) for o in element.get("options", ())),
        required=not block.get("optional", False),
        longest=int(element.get("max_length", 3000)),
        placeholder=_text_of(element.get("placeholder")),
        problem=given.problem,
        remote="external" in kind,
    )


def _block_kind(kind: str, element: Json) -> Kind:
    if kind == "plain_text_input":
        return "paragraph" if element.get("multiline") else "line"
    if kind.startswith("multi_"):
        return "several"
    if kind == "external_select":
        return "search"
    return {"checkboxes": "checks", "radio_buttons": "radios"}.get(kind, "select")  # type: ignore[return-value] # literals of Kind


def _component_field(label: Json, form: Form) -> Field:
    part = label["component"]
    given = _input_of((part.get("custom_id"),), form)
    options = tuple(
        FieldOption(str(o["label"]), str(o["value"]), str(o.get("description") or ""))
        for o in part.get("options", ())
    )
    value = tuple(
        option
        for option, o in zip(options, part.get("options", ()), strict=True)
        if o.get("default")
    )
    if part["type"] == 4:
        value = (FieldOption("", str(part.get("value") or "")),)
    return Field(
        name=given.name,
        label=str(label.get("label", "")),
        kind=_component_kind(part),
        hint=str(label.get("description") or ""),
        value=value,
        options=options,
        required=bool(part.get("required", True)),
        longest=int(part.get("max_length") or 4000),
        placeholder=str(part.get("placeholder") or ""),
        problem=given.problem,
    )


def _component_kind(part: Json) -> Kind:
    match part["type"]:
        case 4:
            return "paragraph" if part.get("style") == 2 else "line"
        case 21:
            return "radios"
        case 22:
            return "checks"
        case _:
            return "several" if int(part.get("max_values") or 1) > 1 else "select"


def _field_option(option: Json) -> FieldOption:
    return FieldOption(
        _text_of(option.get("text")), str(option["value"]), _text_of(option.get("description"))
    )


def _text_of(text: Any) -> str:
    return str(text.get("text", "")) if isinstance(text, Mapping) else ""


def _input_of(identifiers: Sequence[Any], form: Form) -> Input:
    """Return the input that a payload's id stands for; an adapter may have added a mark to it."""
    known = {given.name: given for given in form.inputs}
    for identifier in identifiers:
        for piece in _pieces(str(identifier or "")):
            if piece in known:
                return known[piece]
    name = str(next((i for i in identifiers if i), ""))
    return Input(name=name, label=name)


def _pieces(identifier: str) -> Iterator[str]:
    yield identifier
    for mark in "\n:/.|#":
        yield from identifier.split(mark)


def _attach_problems(items: Sequence[Field | Json]) -> tuple[Field | Json, ...]:
    """Mark the problems that the payload itself shows, so that none is shown twice."""
    told: list[Field | Json] = []
    for item in items:
        if isinstance(item, Field) and item.problem:
            if told and _is_alert(told[-1]):
                told.pop()
                item = replace(item, problem_place="alert")
            elif item.problem[:PREFIX_LENGTH] in item.hint:
                item = replace(item, problem_place="hint")
        told.append(item)
    return tuple(told)


def _is_alert(item: Field | Json) -> bool:
    return not isinstance(item, Field) and item.get("type") == "alert"
