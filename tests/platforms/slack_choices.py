"""What a person can put into a Block Kit element, and how Slack reports it."""

from typing import Any

from tests.platforms.slack_blocks import INPUTS, Json, options_of

ONE = {
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
}
MANY = {
    "multi_users_select": "selected_users",
    "multi_conversations_select": "selected_conversations",
    "multi_channels_select": "selected_channels",
}
OPTION = {"static_select", "external_select", "radio_buttons", "overflow"}
OPTIONS = {"multi_static_select", "multi_external_select", "checkboxes"}
TEXT = {"plain_text_input", "email_text_input", "url_text_input", "number_input"}


class CannotDoError(Exception):
    """What a person asks for cannot be done in Slack: no such button, option or room for it."""


def resting(element: Json) -> Json | None:
    """The state of an element nobody touched, none when it holds no state."""
    kind = element["type"]
    if kind not in INPUTS:
        return None
    key = key_of(kind)
    nothing: list[Any] | None = [] if kind in OPTIONS | set(MANY) else None
    initial = {
        "value": "initial_value",
        "selected_date_time": "initial_date_time",
    }.get(key, key.replace("selected", "initial"))
    return {"type": kind, key: element.get(initial, nothing)}


def key_of(kind: str) -> str:
    """The field in which Slack reports an element's content."""
    if kind in ONE | MANY:
        return (ONE | MANY)[kind]
    if kind in OPTION | OPTIONS:
        return "selected_option" if kind in OPTION else "selected_options"
    return {"rich_text_input": "rich_text_value", "file_input": "files"}.get(kind, "value")


def chosen(element: Json, value: Any) -> Json:
    """The state of an element after a person put a value into it."""
    kind = element["type"]
    return {"type": kind, key_of(kind): _content(kind, element, value)}


def empty(state: Json) -> bool:
    return not any(value for name, value in state.items() if name != "type")


def _content(kind: str, element: Json, value: Any) -> Any:
    if value is None:
        return [] if kind in OPTIONS | set(MANY) else None
    if kind in TEXT:
        return _typed(element, str(value))
    if kind in OPTION:
        return _option(element, value)
    if kind in OPTIONS or kind in MANY:
        items = [value] if isinstance(value, str | dict) else list(value)
        _fits(element, len(items))
        return [_option(element, item) for item in items] if kind in OPTIONS else items
    return value


def _typed(element: Json, text: str) -> str:
    least, most = element.get("min_length", 0), element.get("max_length", 3000)
    if element["type"] == "plain_text_input" and text and not least <= len(text) <= most:
        raise CannotDoError(f"{len(text)} characters do not fit in {least} to {most}")
    if "\n" in text and not element.get("multiline"):
        raise CannotDoError("the field has one line only")
    return text


def _fits(element: Json, items: int) -> None:
    if items > element.get("max_selected_items", 100):
        raise CannotDoError(f"{items} items where {element['max_selected_items']} may be chosen")


def _option(element: Json, value: Any) -> Json:
    """An option by its value or its words; what an outside source offered is taken as given."""
    if "external" in element["type"]:
        if isinstance(value, dict):
            return value
        return {"text": {"type": "plain_text", "text": str(value)}, "value": str(value)}
    for option in options_of(element):
        if value in (option, option["value"], option["text"]["text"]):
            return option
    offered = [option["value"] for option in options_of(element)]
    raise CannotDoError(f"{value!r} is not offered, only {offered}")
