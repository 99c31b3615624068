"""What Slack refuses in a message or a view, said before Slack would say it.

A problem reads "error_code: where: what"; the code is the one Slack answers with. Only
"advice" is accepted by Slack and still wrong, such as blocks without a text for screen readers.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.exceptions import best_match

from tests.platforms.slack_blocks import Json, Problems, elements_of, problems_of_block

PUBLISHED = Path(__file__).parents[2].parent / "shared" / "specs" / "slack"
MESSAGE_BLOCKS, VIEW_BLOCKS = 50, 100
BLOCKS_PAYLOAD, VIEW_PAYLOAD = 13_200, 250_000
TEXT, MARKDOWN, ATTACHMENTS = 4_000, 12_000, 100
PER_MESSAGE = {"table": 1, "data_visualization": 2, "contact_card": 10}
ONLY_IN_MESSAGES = {"table", "markdown", "file", "context_actions"}
ONLY_IN_MODALS = {"alert"}
VIEW_TEXTS = {"private_metadata": 3000, "callback_id": 255, "external_id": 255}
NOT_IN_HOME = {"title", "submit", "close", "clear_on_close", "notify_on_close"}


def problems_of_message(payload: Json) -> list[str]:
    """Everything wrong with a message as it is sent: text, blocks, attachments, metadata."""
    return list(_message(payload))


def problems_of_view(view: Any) -> list[str]:
    """Everything wrong with a modal or a home tab as it is sent."""
    return list(_view(view)) if isinstance(view, dict) else ["invalid_arguments: view: no object"]


def error_in(problems: list[str]) -> str | None:
    """The error Slack would answer, none when there is only advice."""
    codes = (problem.split(":", 1)[0] for problem in problems)
    return next((code for code in codes if code != "advice"), None)


def _message(payload: Json) -> Problems:
    blocks = payload.get("blocks")
    yield from _texts(payload)
    if blocks:
        yield from _blocks(blocks, MESSAGE_BLOCKS)
        yield from _only_elsewhere(blocks, ONLY_IN_MODALS, "a message")
        yield from _per_message(blocks)
        yield from _too_big(blocks)
        yield from _published(blocks)
    if len(payload.get("attachments") or []) > ATTACHMENTS:
        yield f"too_many_attachments: attachments: more than {ATTACHMENTS}"
    yield from _metadata(payload.get("metadata"))


def _texts(payload: Json) -> Problems:
    text, blocks = payload.get("text"), payload.get("blocks")
    markdown = payload.get("markdown_text")
    if not (text or blocks or payload.get("attachments") or markdown):
        yield "no_text: text: nothing to show"
    if text is not None and not isinstance(text, str):
        yield "invalid_arguments: text: no string"
    elif text and len(text) > TEXT:
        yield f"msg_too_long: text: {len(text)} characters, more than {TEXT}"
    if markdown and (text or blocks):
        yield "markdown_text_conflict: markdown_text: not beside text or blocks"
    if markdown and len(markdown) > MARKDOWN:
        yield f"msg_too_long: markdown_text: more than {MARKDOWN}"
    if blocks and not (isinstance(text, str) and text.strip()):
        yield "advice: text: missing, notifications and screen readers need it"


def _metadata(metadata: Any) -> Problems:
    if metadata is None:
        return
    kind = metadata.get("event_type") if isinstance(metadata, dict) else None
    if not (isinstance(kind, str) and isinstance(metadata.get("event_payload"), dict)):
        yield "invalid_metadata_format: metadata: needs event_type and event_payload"


def _view(view: Json) -> Problems:
    if view.get("type") not in ("modal", "home"):
        yield "invalid_arguments: view.type: neither modal nor home"
    yield from _frame(view)
    blocks = view.get("blocks")
    if not isinstance(blocks, list):
        yield "invalid_arguments: view.blocks: no list"
        return
    yield from _blocks(blocks, VIEW_BLOCKS)
    yield from _only_elsewhere(blocks, ONLY_IN_MESSAGES, "a view")
    if view.get("type") == "home":
        yield from _only_elsewhere(blocks, ONLY_IN_MODALS, "a home tab")
    yield from _input_needs(view, blocks)
    if _size(view) > VIEW_PAYLOAD:
        yield f"view_too_large: view: more than {VIEW_PAYLOAD} characters"
    yield from _against("view.schema.json", "View", {**view, "blocks": []}, "view")
    yield from _published(blocks)


def _frame(view: Json) -> Problems:
    if view.get("type") == "home":
        for name in sorted(NOT_IN_HOME & view.keys()):
            yield f"invalid_arguments: view.{name}: not in a home tab"
    elif "title" not in view:
        yield "invalid_arguments: view.title: missing"
    for name in ("title", "submit", "close"):
        if name in view:
            yield from _short_plain(view[name], f"view.{name}")
    for name, most in VIEW_TEXTS.items():
        if len(view.get(name) or "") > most:
            yield f"invalid_arguments: view.{name}: more than {most} characters"


def _short_plain(text: Any, at: str) -> Problems:
    if not isinstance(text, dict) or text.get("type") != "plain_text":
        yield f"invalid_arguments: {at}: must be plain_text"
    elif not 1 <= len(text.get("text") or "") <= 24:
        yield f"invalid_arguments: {at}: {text.get('text')!r} has not 1 to 24 characters"


def _input_needs(view: Json, blocks: list[Any]) -> Problems:
    inputs = [b for b in blocks if isinstance(b, dict) and b.get("type") == "input"]
    if inputs and view.get("type") == "modal" and "submit" not in view:
        yield "invalid_arguments: view.submit: missing beside input blocks"
    focused = [e for b in blocks if isinstance(b, dict) for e in elements_of(b)]
    if sum(bool(element.get("focus_on_load")) for element in focused) > 1:
        yield "invalid_arguments: view.blocks: focus_on_load more than once"


def _blocks(blocks: Any, most: int) -> Problems:
    if not isinstance(blocks, list):
        yield "invalid_blocks_format: blocks: no list"
        return
    if len(blocks) > most:
        yield f"invalid_blocks: blocks: {len(blocks)}, more than {most}"
    for index, block in enumerate(blocks):
        yield from problems_of_block(block, f"blocks[{index}]")
    yield from _twice(blocks)


def _twice(blocks: list[Any]) -> Problems:
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        name = block.get("block_id") if isinstance(block, dict) else None
        if name and name in seen:
            yield f"invalid_blocks: blocks[{index}].block_id: {name!r} is used twice"
        seen |= {name} if name else set()


def _only_elsewhere(blocks: list[Any], kinds: set[str], here: str) -> Problems:
    for index, block in enumerate(blocks):
        if isinstance(block, dict) and block.get("type") in kinds:
            yield f"invalid_blocks: blocks[{index}]: {block['type']} is not for {here}"


def _per_message(blocks: list[Any]) -> Problems:
    kinds = [block.get("type") for block in blocks if isinstance(block, dict)]
    for kind, most in PER_MESSAGE.items():
        if kinds.count(kind) > most:
            yield f"invalid_blocks: blocks: more than {most} {kind} in one message"
    markdown = [b for b in blocks if isinstance(b, dict) and b.get("type") == "markdown"]
    if sum(len(str(block.get("text"))) for block in markdown) > MARKDOWN:
        yield f"msg_blocks_too_long: blocks: more than {MARKDOWN} characters of markdown"


def _too_big(blocks: list[Any]) -> Problems:
    size = _size(blocks)
    if size > BLOCKS_PAYLOAD:
        yield f"msg_blocks_too_long: blocks: {size} characters, more than {BLOCKS_PAYLOAD}"


def _size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _published(blocks: Any) -> Problems:
    """Slack's published types say more than the tables here, wherever they are at hand."""
    for index, block in enumerate(blocks if isinstance(blocks, list) else []):
        yield from _against("blocks.schema.json", "KnownBlock", block, f"blocks[{index}]")


def _against(name: str, union: str, value: Any, at: str) -> Problems:
    code = "invalid_arguments" if at == "view" else "invalid_blocks"
    validators = _validators(name, union)
    validator = validators.get(str(value.get("type"))) if isinstance(value, dict) else None
    error = best_match(validator.iter_errors(value)) if validator else None
    if error is not None:
        where = "".join(f"[{part!r}]" for part in error.absolute_path)
        yield f"{code}: {at}{where}: {error.message[:300]}"


@cache
def _validators(name: str, union: str) -> dict[str, Draft7Validator]:
    """One validator per type: trying the whole union costs ten times as much."""
    path = PUBLISHED / name
    if not path.exists():
        return {}
    definitions = json.loads(path.read_text())["definitions"]
    names = [member["$ref"].rsplit("/", 1)[1] for member in definitions[union]["anyOf"]]
    return {
        _type_of(definitions[member]): Draft7Validator(
            {"$ref": f"#/definitions/{member}", "definitions": definitions}
        )
        for member in names
    }


def _type_of(definition: Json) -> str:
    """The type a definition is for; some are alternatives of one type."""
    shape = definition.get("anyOf", [definition])[0]
    return str(shape["properties"]["type"]["const"])
