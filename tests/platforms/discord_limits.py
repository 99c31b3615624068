"""What Discord refuses in a message or a form, as the platform's documents state it.

Pure functions: each returns a list of «path: complaint» and an empty list means accepted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Json = dict[str, Any]

EPHEMERAL = 1 << 6
LOADING = 1 << 7
COMPONENTS_V2 = 1 << 15

ROW, BUTTON, STRING_SELECT, TEXT_INPUT = 1, 2, 3, 4
SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER, LABEL = 9, 10, 11, 12, 13, 14, 17, 18
UPLOAD, RADIO, CHECKBOXES, CHECKBOX = 19, 21, 22, 23
SELECTS = frozenset({STRING_SELECT, 5, 6, 7, 8})
V2_ONLY = frozenset({SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER})
TOP_LEVEL_V2 = V2_ONLY - {THUMBNAIL} | {ROW}
IN_CONTAINER = TOP_LEVEL_V2 - {CONTAINER}
IN_LABEL = SELECTS | {TEXT_INPUT, UPLOAD, RADIO, CHECKBOXES, CHECKBOX}
LINK, PREMIUM = 5, 6

# Not documented: larger component trees are answered with HTTP 500.
COMPONENT_BYTES = 10_170
EMBED_LIMITS = {"title": 256, "description": 4096}
EMBED_PART_LIMITS = {"footer": ("text", 2048), "author": ("name", 256)}


def long_or_empty(where: str, value: object, most: int, least: int = 0) -> list[str]:
    """A missing value has no length; whether it may be missing is asked elsewhere."""
    if value is None:
        return []
    if not isinstance(value, str):
        return [f"{where}: must be text"]
    if least <= len(value) <= most:
        return []
    return [f"{where}: must be between {least} and {most} characters, has {len(value)}"]


def children(component: Mapping[str, Any]) -> Iterator[tuple[str, Json]]:
    """The parts directly inside a component, each with the path that leads to it."""
    for index, child in enumerate(component.get("components") or []):
        yield f"components.{index}", child
    for key in ("accessory", "component"):
        if component.get(key):
            yield key, component[key]


def walk(component: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, Json]]:
    """Every component below this one in reading order."""
    for path, child in children(component):
        here = f"{where}.{path}" if where else path
        yield here, child
        yield from walk(child, here)


# --- messages -----------------------------------------------------------------------------------


def rules_of_message(payload: Json) -> list[str]:
    """The written rules for a whole message body; of an edit, for what comes out of it."""
    is_v2 = bool((payload.get("flags") or 0) & COMPONENTS_V2)
    return [
        *long_or_empty("content", payload.get("content"), 2000),
        *long_or_empty("nonce", _text(payload.get("nonce")), 25),
        *_emptiness(payload),
        *_embeds(payload.get("embeds") or []),
        *_attachments(payload),
        *_allowed_mentions(payload.get("allowed_mentions")),
        *(_v2_layout(payload) if is_v2 else _legacy_layout(payload)),
        *_tree(payload, "message"),
    ]


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _emptiness(payload: Json) -> list[str]:
    parts = ("content", "embeds", "components", "attachments", "sticker_ids", "poll")
    return [] if any(payload.get(part) for part in parts) else [": cannot send an empty message"]


def _v2_layout(payload: Json) -> list[str]:
    forbidden = [k for k in ("content", "embeds", "poll", "sticker_ids") if payload.get(k)]
    found = [f"{key}: not allowed together with IS_COMPONENTS_V2" for key in forbidden]
    tree = list(walk(payload))
    if len(tree) > 40:
        found.append(f"components: at most 40 in total, has {len(tree)}")
    letters = sum(len(c.get("content") or "") for _, c in tree if c.get("type") == TEXT)
    if letters > 4000:
        found.append(f"components: at most 4000 characters of text in total, has {letters}")
    numbers = [component["id"] for _, component in tree if component.get("id")]
    if len(numbers) != len(set(numbers)):
        found.append("components: an id is used twice")
    size = len(json.dumps(payload.get("components") or [], separators=(",", ":")).encode())
    if size > COMPONENT_BYTES:
        found.append(f"components: {size} bytes, Discord answers 500 above {COMPONENT_BYTES}")
    return found + _kinds("", payload, TOP_LEVEL_V2)


def _legacy_layout(payload: Json) -> list[str]:
    rows = payload.get("components") or []
    found = [] if len(rows) <= 5 else [f"components: at most 5 rows, has {len(rows)}"]
    newer = [p for p, c in walk(payload) if c.get("type") in V2_ONLY]
    found += [f"{path}: needs the IS_COMPONENTS_V2 flag" for path in newer]
    return found + _kinds("", payload, frozenset({ROW}) | (V2_ONLY if newer else frozenset()))


def _kinds(where: str, parent: Mapping[str, Any], allowed: frozenset[int]) -> list[str]:
    return [
        f"{where}{path}.type: {child.get('type')} is not allowed here"
        for path, child in children(parent)
        if child.get("type") not in allowed
    ]


def _embeds(embeds: list[Json]) -> list[str]:
    found = [] if len(embeds) <= 10 else [f"embeds: at most 10, has {len(embeds)}"]
    for index, embed in enumerate(embeds):
        found += _embed(f"embeds.{index}", embed)
    total = sum(len(text) for embed in embeds for text in embed_texts(embed))
    return found if total <= 6000 else [*found, f"embeds: 6000 characters in total, has {total}"]


def _embed(where: str, embed: Json) -> list[str]:
    found: list[str] = []
    for key, most in EMBED_LIMITS.items():
        found += long_or_empty(f"{where}.{key}", embed.get(key), most)
    for key, (part, most) in EMBED_PART_LIMITS.items():
        found += long_or_empty(f"{where}.{key}.{part}", (embed.get(key) or {}).get(part), most)
    fields = embed.get("fields") or []
    if len(fields) > 25:
        found.append(f"{where}.fields: at most 25, has {len(fields)}")
    for index, field in enumerate(fields):
        found += long_or_empty(f"{where}.fields.{index}.name", field.get("name", ""), 256, 1)
        found += long_or_empty(f"{where}.fields.{index}.value", field.get("value", ""), 1024, 1)
    return found


def embed_texts(embed: Json) -> Iterator[str]:
    """Everything readable in an embed, in the order in which it is drawn."""
    yield (embed.get("author") or {}).get("name") or ""
    yield embed.get("title") or ""
    yield embed.get("description") or ""
    for field in embed.get("fields") or []:
        yield field.get("name") or ""
        yield field.get("value") or ""
    yield (embed.get("footer") or {}).get("text") or ""


def _attachments(payload: Json) -> list[str]:
    files = payload.get("attachments") or []
    found = [] if len(files) <= 10 else [f"attachments: at most 10, has {len(files)}"]
    for index, file in enumerate(files):
        found += long_or_empty(f"attachments.{index}.description", file.get("description"), 1024)
    if "attachments" not in payload:
        return found
    names = {file.get("filename") for file in files if "filename" in file}
    kept = any("filename" not in file for file in files)  # an edit may keep files by id alone
    for path, url in _media(payload):
        if url.startswith("attachment://") and url[13:] not in names and not kept:
            found.append(f"{path}: refers to the missing file {url[13:]!r}")
    return found


def _media(payload: Json) -> Iterator[tuple[str, str]]:
    for path, component in walk(payload):
        for key in ("media", "file"):
            if component.get(key):
                yield f"{path}.{key}", component[key].get("url") or ""
        for index, item in enumerate(component.get("items") or []):
            yield f"{path}.items.{index}", (item.get("media") or {}).get("url") or ""


def _allowed_mentions(allowed: Json | None) -> list[str]:
    if not allowed:
        return []
    parse = allowed.get("parse") or []
    found = [
        f"allowed_mentions.parse: {kind!r} is not a kind of mention"
        for kind in parse
        if kind not in ("users", "roles", "everyone")
    ]
    for kind in ("users", "roles"):
        if kind in parse and allowed.get(kind):
            found.append(f"allowed_mentions.{kind}: parse:[{kind!r}] and a list exclude each other")
        if len(allowed.get(kind) or []) > 100:
            found.append(f"allowed_mentions.{kind}: at most 100")
    return found


# --- components ---------------------------------------------------------------------------------


def _tree(payload: Json, place: str) -> list[str]:
    found: list[str] = []
    seen: dict[str, set[Any]] = {"custom_id": set(), "id": set()}
    for path, component in walk(payload):
        found += _component(path, component, place)
        for key, values in seen.items():
            value = component.get(key)
            if value and value in values:
                found.append(f"{path}.{key}: {value!r} is used twice")
            values.add(value)
    return found


def _component(where: str, component: Json, place: str) -> list[str]:
    found = long_or_empty(f"{where}.custom_id", component.get("custom_id"), 100, 1)
    kind = component.get("type")
    if kind == ROW:
        return found + _row(where, component, place)
    if kind in SELECTS:
        return found + _select(where, component, place)
    if kind in (RADIO, CHECKBOXES):
        return found + _options(where, component, 10)
    return found + (OF_KIND[kind](where, component) if kind in OF_KIND else [])


def _row(where: str, row: Json, place: str) -> list[str]:
    kinds = [child.get("type") for child in row.get("components") or []]
    if place == "modal":
        return [] if kinds == [TEXT_INPUT] else [f"{where}.components: one text input only"]
    if kinds and all(kind == BUTTON for kind in kinds):
        return [] if len(kinds) <= 5 else [f"{where}.components: at most 5 buttons"]
    if len(kinds) == 1 and kinds[0] in SELECTS:
        return []
    return [f"{where}.components: 1 to 5 buttons or one select"]


def _button(where: str, button: Json) -> list[str]:
    found = long_or_empty(f"{where}.label", button.get("label"), 80)
    found += long_or_empty(f"{where}.url", button.get("url"), 512, 1)
    if (style := button.get("style")) == PREMIUM:
        return found
    if not button.get("label") and not button.get("emoji"):
        found.append(f"{where}.label: a button needs a label or an emoji")
    wanted, other = ("url", "custom_id") if style == LINK else ("custom_id", "url")
    if not button.get(wanted):
        found.append(f"{where}.{wanted}: required for style {style}")
    if button.get(other):
        found.append(f"{where}.{other}: not allowed for style {style}")
    if style == LINK and not re.match(r"(https?|discord)://", button.get("url") or ""):
        found.append(f"{where}.url: scheme must be http, https or discord")
    return found


def _select(where: str, select: Json, place: str) -> list[str]:
    found = long_or_empty(f"{where}.placeholder", select.get("placeholder"), 150)
    if not select.get("custom_id"):
        found.append(f"{where}.custom_id: required")
    if select.get("type") == STRING_SELECT:
        found += _options(where, select, 25)
    least, most = _bounds(select)
    if not 0 <= least <= 25 or not 1 <= most <= 25 or least > most:
        found.append(f"{where}.max_values: {least} to {most} is no range within 25")
    if len(select.get("default_values") or []) > most:
        found.append(f"{where}.default_values: more than max_values")
    if place == "modal" and select.get("disabled"):
        found.append(f"{where}.disabled: not allowed in a modal")
    return found


def _bounds(select: Json) -> tuple[int, int]:
    least, most = select.get("min_values"), select.get("max_values")
    return (1 if least is None else int(least)), (1 if most is None else int(most))


def _options(where: str, select: Json, most: int) -> list[str]:
    options = select.get("options") or []
    found = [] if 1 <= len(options) <= most else [f"{where}.options: 1 to {most} options"]
    for index, option in enumerate(options):
        for key, least in (("label", 1), ("value", 1), ("description", 0)):
            value = option.get(key, "" if least else None)
            found += long_or_empty(f"{where}.options.{index}.{key}", value, 100, least)
    if len({option.get("value") for option in options}) < len(options):
        found.append(f"{where}.options: values must be unique")
    if sum(bool(option.get("default")) for option in options) > max(_bounds(select)[1], 1):
        found.append(f"{where}.options: more defaults than max_values")
    return found


def _text_input(where: str, field: Json) -> list[str]:
    found = long_or_empty(f"{where}.value", field.get("value"), field.get("max_length") or 4000)
    found += long_or_empty(f"{where}.placeholder", field.get("placeholder"), 100)
    if not field.get("custom_id"):
        found.append(f"{where}.custom_id: required")
    least, most = field.get("min_length") or 0, field.get("max_length") or 4000
    if not 0 <= least <= most <= 4000:
        found.append(f"{where}.max_length: {least} to {most} is no range within 4000")
    if where.endswith(".component") and field.get("label"):
        found.append(f"{where}.label: belongs to the Label around it")
    if ".components." in where and not field.get("label"):
        found.append(f"{where}.label: required in an action row")
    return found


def _section(where: str, section: Json) -> list[str]:
    texts = section.get("components") or []
    found = [] if 1 <= len(texts) <= 3 else [f"{where}.components: 1 to 3 texts"]
    if any(text.get("type") != TEXT for text in texts):
        found.append(f"{where}.components: only texts")
    if (section.get("accessory") or {}).get("type") not in (BUTTON, THUMBNAIL):
        found.append(f"{where}.accessory: a button or a thumbnail is required")
    return found


def _gallery(where: str, gallery: Json) -> list[str]:
    items = gallery.get("items") or []
    found = [] if 1 <= len(items) <= 10 else [f"{where}.items: 1 to 10"]
    for index, item in enumerate(items):
        found += long_or_empty(f"{where}.items.{index}.description", item.get("description"), 1024)
    return found


def _container(where: str, container: Json) -> list[str]:
    empty = [] if container.get("components") else [f"{where}.components: must not be empty"]
    return empty + _kinds(f"{where}.", container, IN_CONTAINER)


def _text_display(where: str, text: Json) -> list[str]:
    return long_or_empty(f"{where}.content", text.get("content", ""), 4000, 1)


def _label(where: str, label: Json) -> list[str]:
    found = long_or_empty(f"{where}.label", label.get("label", ""), 45, 1)
    found += long_or_empty(f"{where}.description", label.get("description"), 100)
    if (label.get("component") or {}).get("type") not in IN_LABEL:
        found.append(f"{where}.component: a text input, select, upload or choice is required")
    return found


OF_KIND: dict[int, Callable[[str, Json], list[str]]] = {
    BUTTON: _button,
    TEXT_INPUT: _text_input,
    SECTION: _section,
    TEXT: _text_display,
    GALLERY: _gallery,
    CONTAINER: _container,
    LABEL: _label,
}


# --- forms --------------------------------------------------------------------------------------


def rules_of_modal(payload: Json) -> list[str]:
    """The written rules for the data of a modal callback."""
    parts = payload.get("components") or []
    found = long_or_empty("title", payload.get("title", ""), 45, 1)
    found += long_or_empty("custom_id", payload.get("custom_id", ""), 100, 1)
    if not 1 <= len(parts) <= 5:
        found.append(f"components: 1 to 5, has {len(parts)}")
    found += _kinds("", payload, frozenset({ROW, LABEL, TEXT}))
    return found + _tree(payload, "modal")


# --- mentions and words -------------------------------------------------------------------------

# Discord ignores mentions inside code; counting them all the same errs on the safe side.
MENTION = re.compile(r"@everyone|@here|<@!?\d+>|<@&\d+>")


def message_texts(payload: Json) -> list[str]:
    """The texts in which Discord looks for mentions: content and text displays."""
    shown = [c.get("content") or "" for _, c in walk(payload) if c.get("type") == TEXT]
    return [payload.get("content") or "", *shown]


def mentions_of(payload: Json) -> list[str]:
    """The pings that Discord would fire; without allowed_mentions everything pings."""
    written = [found for text in message_texts(payload) for found in MENTION.findall(text)]
    replies = ["reply"] if payload.get("message_reference") else []
    allowed = payload.get("allowed_mentions")
    if allowed is None:
        return written + replies
    pinged = [mention for mention in written if _pings(mention, allowed)]
    return pinged + (replies if allowed.get("replied_user") else [])


def _pings(mention: str, allowed: Json) -> bool:
    kind = "roles" if mention.startswith("<@&") else "users"
    kind = "everyone" if mention.startswith("@") else kind
    listed = {str(one) for one in allowed.get(kind) or []} if kind != "everyone" else set()
    return kind in (allowed.get("parse") or []) or mention.strip("<@&!>") in listed


def words_of(payload: Json) -> str:
    """What a person reads, line by line: texts, labels of fields and buttons."""
    lines = [payload.get("title") or "", payload.get("content") or ""]
    for embed in payload.get("embeds") or []:
        lines += embed_texts(embed)
    for _, component in walk(payload):
        lines += [
            component.get(k) or "" for k in ("content", "label", "description", "placeholder")
        ]
        lines += [option.get("label") or "" for option in component.get("options") or []]
    return "\n".join(line for line in lines if line)
