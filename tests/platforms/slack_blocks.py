"""The limits of single Block Kit blocks and elements, as tables and a walk over them."""

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
Problems = Iterator[str]

# type -> field -> (most characters, what it must be: "plain", "any" text object, or "str")
TEXTS: dict[str, dict[str, tuple[int, str]]] = {
    "section": {"text": (3000, "any")},
    "header": {"text": (150, "plain")},
    "image": {"title": (2000, "plain"), "alt_text": (2000, "str"), "image_url": (3000, "str")},
    "input": {"label": (2000, "plain"), "hint": (2000, "plain")},
    "markdown": {"text": (12_000, "str")},
    "video": {"title": (200, "plain"), "author_name": (50, "str")},
    "alert": {"text": (200, "any")},
    "card": {"title": (150, "any"), "subtitle": (150, "any"), "body": (200, "any")},
    "container": {"title": (150, "any"), "subtitle": (150, "any")},
    "button": {
        "text": (75, "plain"),
        "value": (2000, "str"),
        "url": (3000, "str"),
        "accessibility_label": (75, "str"),
    },
    "workflow_button": {"text": (75, "plain"), "accessibility_label": (75, "str")},
    "data_visualization": {"title": (50, "str")},
    "raw_text": {"text": (20_000, "str")},
}
COUNTS: dict[str, dict[str, tuple[int, int]]] = {
    "section": {"fields": (1, 10)},
    "context": {"elements": (1, 10)},
    "context_actions": {"elements": (1, 5)},
    "actions": {"elements": (1, 25)},
    "overflow": {"options": (1, 5)},
    "checkboxes": {"options": (1, 10)},
    "radio_buttons": {"options": (1, 10)},
    "static_select": {"options": (1, 100), "option_groups": (1, 100)},
    "multi_static_select": {"options": (1, 100), "option_groups": (1, 100)},
    "carousel": {"elements": (1, 10)},
    "container": {"child_blocks": (1, 10)},
    "card": {"actions": (1, 3)},
    "plan": {"tasks": (0, 50)},
    "table": {"rows": (1, 100), "column_settings": (0, 20)},
    "data_table": {"rows": (2, 201)},
    "rich_text": {"elements": (1, 1000)},
}
# each inner tuple: at least one of these fields
REQUIRED: dict[str, tuple[tuple[str, ...], ...]] = {
    "section": (("text", "fields"),),
    "header": (("text",),),
    "image": (("alt_text",), ("image_url", "slack_file")),
    "input": (("label",), ("element",)),
    "markdown": (("text",),),
    "context": (("elements",),),
    "actions": (("elements",),),
    "rich_text": (("elements",),),
    "table": (("rows",),),
    "button": (("text",),),
    "overflow": (("options",),),
    "checkboxes": (("options",),),
    "radio_buttons": (("options",),),
    "static_select": (("options", "option_groups"),),
    "multi_static_select": (("options", "option_groups"),),
    "number_input": (("is_decimal_allowed",),),
    "alert": (("text",),),
    "link": (("url",),),
    "user": (("user_id",),),
    "usergroup": (("usergroup_id",),),
    "channel": (("channel_id",),),
    "emoji": (("name",),),
}
SELECTS = {
    f"{many}{kind}_select"
    for many in ("", "multi_")
    for kind in ("static", "external", "users", "conversations", "channels")
}
CHOICES = SELECTS | {"checkboxes", "radio_buttons", "datepicker", "timepicker"}
TYPED = {"plain_text_input", "email_text_input", "url_text_input", "number_input"}
INPUTS = CHOICES | TYPED | {"datetimepicker", "rich_text_input", "file_input"}
PRESSED = {"button", "overflow", "workflow_button"}
PLACES = {
    "input": INPUTS,
    "accessory": CHOICES | PRESSED | {"image"},
    "actions": CHOICES | PRESSED | {"datetimepicker", "rich_text_input"},
    "context": {"image", "plain_text", "mrkdwn"},
}
BLOCKS = set(TEXTS) - {"button", "workflow_button", "raw_text"} | {
    "divider",
    "context",
    "context_actions",
    "actions",
    "rich_text",
    "table",
    "data_table",
    "carousel",
    "file",
    "plan",
    "task_card",
    "contact_card",
}
RICH_PARTS = {"rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"}
RICH_INLINE = {
    "text",
    "link",
    "user",
    "usergroup",
    "broadcast",
    "channel",
    "emoji",
    "date",
    "color",
    "team",
}


def problems_of_block(block: Any, at: str) -> Problems:
    """What is wrong in one block and everything inside it."""
    if not isinstance(block, dict) or block.get("type") not in BLOCKS | {"input"}:
        yield f"invalid_blocks: {at}: no block Slack knows"
        return
    if len(block.get("block_id") or "") > 255:
        yield f"invalid_blocks: {at}.block_id: more than 255 characters"
    yield from _typed(block, at)
    yield from _placed(block, at)
    yield from _same_actions(block, at)


def elements_of(block: Json) -> list[Json]:
    """The interactive elements of a block, wherever the block keeps them."""
    inside = [block.get("element"), block.get("accessory"), *(block.get("elements") or [])]
    return [part for part in inside if isinstance(part, dict) and _interactive(part)]


def options_of(element: Json) -> list[Json]:
    """All options of a menu, groups opened."""
    groups = [group.get("options") or [] for group in element.get("option_groups") or []]
    return [*(element.get("options") or []), *(option for group in groups for option in group)]


def _interactive(part: Json) -> bool:
    return part.get("type") in INPUTS | PRESSED


def _typed(node: Json, at: str) -> Problems:
    kind = str(node.get("type"))
    for names in REQUIRED.get(kind, ()):
        if not any(name in node for name in names):
            yield f"invalid_blocks: {at}: {kind} without {' or '.join(names)}"
    for name, (most, form) in TEXTS.get(kind, {}).items():
        if name in node:
            yield from _text(node[name], most, form, f"{at}.{name}")
    for name, (least, most) in COUNTS.get(kind, {}).items():
        if name in node and not least <= len(node[name]) <= most:
            yield f"invalid_blocks: {at}.{name}: {len(node[name])}, not {least} to {most}"
    yield from _special(kind, node, at)


def _text(value: Any, most: int, form: str, at: str) -> Problems:
    if form == "str":
        yield from _length(value, most, at, least=0)
    elif not isinstance(value, dict) or value.get("type") not in ("plain_text", "mrkdwn"):
        yield f"invalid_blocks: {at}: no text object"
    elif form == "plain" and value["type"] != "plain_text":
        yield f"invalid_blocks: {at}: must be plain_text"
    else:
        yield from _length(value.get("text"), most, at, least=1)


def _length(value: Any, most: int, at: str, *, least: int) -> Problems:
    if not isinstance(value, str):
        yield f"invalid_blocks: {at}: no string"
    elif not least <= len(value) <= most:
        yield f"invalid_blocks: {at}: {len(value)} characters, not {least} to {most}"


def _special(kind: str, node: Json, at: str) -> Problems:
    if kind == "section":
        for index, field in enumerate(node.get("fields") or []):
            yield from _text(field, 2000, "any", f"{at}.fields[{index}]")
    if kind in INPUTS | PRESSED:
        yield from _element(kind, node, at)
    if kind in ("table", "data_table"):
        yield from _table(node, at)
    if kind == "rich_text":
        yield from _rich(node, at)
    if kind in ("container", "carousel"):
        for index, child in enumerate(node.get("child_blocks") or node.get("elements") or []):
            yield from problems_of_block(child, f"{at}[{index}]")


def _placed(block: Json, at: str) -> Problems:
    """Only some elements may stand in a section, a row of actions, a context or an input."""
    kind = block["type"]
    if kind == "input":
        yield from _allowed(block.get("element"), "input", f"{at}.element")
    if kind == "section" and "accessory" in block:
        yield from _allowed(block["accessory"], "accessory", f"{at}.accessory")
    if kind in ("actions", "context"):
        for index, element in enumerate(block.get("elements") or []):
            yield from _allowed(element, kind, f"{at}.elements[{index}]")


def _allowed(element: Any, place: str, at: str) -> Problems:
    if not isinstance(element, dict) or element.get("type") not in PLACES[place]:
        yield f"invalid_blocks: {at}: not an element for this place"
        return
    if element["type"] in ("plain_text", "mrkdwn"):
        yield from _text(element, 3000, "any", at)
    else:
        yield from _typed(element, at)


def _same_actions(block: Json, at: str) -> Problems:
    names = [e["action_id"] for e in elements_of(block) if e.get("action_id")]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"invalid_blocks: {at}: action_id {name!r} is used twice"


def _element(kind: str, element: Json, at: str) -> Problems:
    if len(element.get("action_id") or "") > 255:
        yield f"invalid_blocks: {at}.action_id: more than 255 characters"
    if "placeholder" in element:
        yield from _text(element["placeholder"], 150, "plain", f"{at}.placeholder")
    if "confirm" in element:
        yield from _confirm(element["confirm"], f"{at}.confirm")
    if kind == "button" and element.get("style", "primary") not in ("primary", "danger"):
        yield f"invalid_blocks: {at}.style: neither primary nor danger"
    yield from _options(element, at)
    yield from _sizes(element, at)


def _confirm(dialog: Json, at: str) -> Problems:
    for name, most, form in (
        ("title", 100, "plain"),
        ("text", 300, "any"),
        ("confirm", 30, "plain"),
        ("deny", 30, "plain"),
    ):
        yield from _text(dialog.get(name), most, form, f"{at}.{name}")


def _options(element: Json, at: str) -> Problems:
    plain = element["type"] not in ("checkboxes", "radio_buttons")
    for index, group in enumerate(element.get("option_groups") or []):
        yield from _text(group.get("label"), 75, "plain", f"{at}.option_groups[{index}].label")
        if not 1 <= len(group.get("options") or []) <= 100:
            yield f"invalid_blocks: {at}.option_groups[{index}]: not 1 to 100 options"
    options = options_of(element)
    for index, option in enumerate(options):
        yield from _option(option, "plain" if plain else "any", f"{at}.options[{index}]")
    if element.get("options") and element.get("option_groups"):
        yield f"invalid_blocks: {at}: options and option_groups together"
    yield from _initial(element, options, at)


def _option(option: Any, form: str, at: str) -> Problems:
    if not isinstance(option, dict):
        yield f"invalid_blocks: {at}: no option"
        return
    yield from _text(option.get("text"), 75, form, f"{at}.text")
    yield from _length(option.get("value"), 150, f"{at}.value", least=1)
    if "description" in option:
        yield from _text(option["description"], 75, form, f"{at}.description")
    if "url" in option:
        yield from _length(option["url"], 3000, f"{at}.url", least=1)


def _initial(element: Json, options: list[Json], at: str) -> Problems:
    chosen = [element.get("initial_option"), *(element.get("initial_options") or [])]
    for option in filter(None, chosen):
        if options and option not in options:
            yield f"invalid_blocks: {at}: an initial option is not among the options"
    if "initial_options" in element and not element["initial_options"]:
        yield f"invalid_blocks: {at}.initial_options: empty"


def _sizes(element: Json, at: str) -> Problems:
    least, most = element.get("min_length", 0), element.get("max_length", 3000)
    if element["type"] == "plain_text_input" and not 0 <= least <= most <= 3000:
        yield f"invalid_blocks: {at}: min_length and max_length do not fit in 0 to 3000"
    if element.get("max_selected_items", 1) < 1:
        yield f"invalid_blocks: {at}.max_selected_items: less than 1"
    if not 1 <= element.get("max_files", 10) <= 10:
        yield f"invalid_blocks: {at}.max_files: not 1 to 10"
    triggers = (element.get("dispatch_action_config") or {}).get("trigger_actions_on", ["x"])
    if not 1 <= len(triggers) <= 2:
        yield f"invalid_blocks: {at}.dispatch_action_config: not 1 or 2 triggers"


def _table(table: Json, at: str) -> Problems:
    for index, row in enumerate(table.get("rows") or []):
        if not isinstance(row, list) or not 1 <= len(row) <= 20:
            yield f"invalid_blocks: {at}.rows[{index}]: not 1 to 20 cells"
            continue
        for cell in row:
            yield from _cell(cell, f"{at}.rows[{index}]")


def _cell(cell: Any, at: str) -> Problems:
    kind = cell.get("type") if isinstance(cell, dict) else None
    if kind not in ("raw_text", "raw_number", "rich_text"):
        yield f"invalid_blocks: {at}: a cell is neither raw_text, raw_number nor rich_text"
    elif kind == "rich_text":
        yield from _rich(cell, at)
    elif kind == "raw_text" and not cell.get("text"):
        yield f"invalid_blocks: {at}: an empty raw_text"


def _rich(block: Json, at: str) -> Problems:
    for index, part in enumerate(block.get("elements") or []):
        where = f"{at}.elements[{index}]"
        if not isinstance(part, dict) or part.get("type") not in RICH_PARTS:
            yield f"invalid_blocks: {where}: no part of a rich text"
        elif part["type"] == "rich_text_list":
            yield from _list(part, where)
        else:
            yield from _inline(part, where)


def _list(part: Json, at: str) -> Problems:
    if part.get("style") not in ("bullet", "ordered"):
        yield f"invalid_blocks: {at}.style: neither bullet nor ordered"
    if not 0 <= part.get("indent", 0) <= 8:
        yield f"invalid_blocks: {at}.indent: not 0 to 8"
    for line in part.get("elements") or []:
        if not isinstance(line, dict) or line.get("type") != "rich_text_section":
            yield f"invalid_blocks: {at}: a line is no rich_text_section"
        else:
            yield from _inline(line, at)


def _inline(part: Json, at: str) -> Problems:
    known = {"text", "link"} if part["type"] == "rich_text_preformatted" else RICH_INLINE
    for element in part.get("elements") or []:
        if not isinstance(element, dict) or element.get("type") not in known:
            yield f"invalid_blocks: {at}: no inline element for this place"
        elif element["type"] == "text" and not element.get("text"):
            yield f"invalid_blocks: {at}: an empty text"
        elif element["type"] == "broadcast" and element.get("range") not in (
            "here",
            "channel",
            "everyone",
        ):
            yield f"invalid_blocks: {at}: a broadcast without a range"
        else:
            yield from _typed(element, at)
