"""Requests and answers held against Discord's own OpenAPI file, when it lies beside the project."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from tests.platforms.discord_limits import Json

SPEC = Path(__file__).parents[2].parent / "shared/specs/discord/openapi.json"
NUMBER_AS_TEXT = r"^-?[0-9]+$"
# Documented, yet absent from the file.
KNOWN_ALL_THE_SAME = frozenset({"nsfw", "dm_permission", "file_types", "is_spoiler"})


def available() -> bool:
    return SPEC.is_file()


@cache
def _document() -> Json:
    loaded: Json = json.loads(SPEC.read_text())
    _by_type(loaded, loaded["components"]["schemas"])
    return loaded


@cache
def _relaxed() -> Json:
    """Numbers may be text and ids may be numbers; discord.py relies on both."""
    loaded = copy.deepcopy(_document())
    schemas: Json = loaded["components"]["schemas"]
    _relax(schemas)
    _relax(loaded["paths"])
    schemas["SnowflakeType"]["type"] = ["string", "integer"]
    return loaded


def _relax(node: Any) -> None:
    for value in node.values() if isinstance(node, dict) else node:
        if isinstance(value, dict | list):
            _relax(value)
    if not isinstance(node, dict):
        return
    if "oneOf" in node:
        node["anyOf"] = node.pop("oneOf")
    kinds = node.get("type")
    listed = [kinds] if isinstance(kinds, str) else kinds
    if isinstance(listed, list) and "integer" in listed and "string" not in listed:
        node["type"] = [*listed, "string"]
        node["pattern"] = NUMBER_AS_TEXT


def _by_type(node: Any, schemas: Json) -> None:
    """Unions whose members differ in `type` become a table: faster, and errors name the culprit."""
    for value in list(node.values() if isinstance(node, dict) else node):
        if isinstance(value, dict | list):
            _by_type(value, schemas)
    if not isinstance(node, dict):
        return
    for key in ("oneOf", "anyOf"):
        table = _table(node.get(key), schemas)
        if table:
            del node[key]
            node["byType"] = table


def _table(union: Any, schemas: Json) -> Json | None:
    if not isinstance(union, list) or len(union) < 2:
        return None
    table: Json = {}
    for member in union:
        target = schemas.get(str(member.get("$ref", "")).rpartition("/")[2], {})
        kinds = target.get("properties", {}).get("type", {}).get("enum")
        if not kinds or "type" not in target.get("required", ()):
            return None
        if any(str(kind) in table for kind in kinds):
            return None
        table |= {str(kind): member for kind in kinds}
    return table


def _choose(validator: Any, table: Json, instance: Any, schema: Any) -> Iterator[ValidationError]:
    member = table.get(str(instance.get("type"))) if isinstance(instance, dict) else None
    if member is None:
        yield ValidationError(f"type must be one of {', '.join(table)}")
    else:
        yield from validator.descend(instance, member)


class Book:
    """One reading of the file; validators are made when first needed and kept."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self._made: dict[str, Any] = {}
        self._class: Any = extend(  # type: ignore[no-untyped-call]  # jsonschema ships no hints
            Draft202012Validator, {"$ref": self._follow, "byType": _choose}
        )

    def errors(self, name: str, schema: Json, body: Any) -> list[str]:
        if name not in self._made:
            self._made[name] = self._class(schema)
        return [_sentence(error) for error in self._made[name].iter_errors(body)]

    def target(self, ref: str) -> Json:
        found = self.document
        for step in ref.removeprefix("#/").split("/"):
            found = found[step]
        return found

    def operation(self, method: str, path: str) -> Json | None:
        found: Json | None = self.document["paths"].get(path, {}).get(method.lower())
        return found

    def _follow(
        self, validator: Any, ref: str, instance: Any, schema: Any
    ) -> Iterator[ValidationError]:
        yield from validator.descend(instance, self.target(ref))


def _sentence(error: ValidationError) -> str:
    deepest = max(error.context or [error], key=lambda one: len(one.absolute_path))
    path = ".".join(str(step) for step in deepest.absolute_path)
    return f"{path}: {deepest.message[:300]} (OpenAPI)"


@cache
def _requests() -> Book:
    return Book(_relaxed())


@cache
def _answers() -> Book:
    return Book(_document())


# --- questions ----------------------------------------------------------------------------------


def problems_of_schema(name: str, body: Any) -> list[str]:
    """A body against one named schema, with the relaxations."""
    ref = {"$ref": f"#/components/schemas/{name}"}
    return _requests().errors(name, ref, body) if available() else []


def problems_of_request(method: str, path: str, body: Any) -> list[str]:
    """A request body against the schema of its operation, with the relaxations."""
    schema = _body_schema(method, path) if available() else None
    return _requests().errors(f"{method} {path}", schema, body) if schema else []


def problems_of_answer(method: str, path: str, status: int, body: Any) -> list[str]:
    """Our own answer against the unrelaxed schema of its operation."""
    operation = _answers().operation(method, path) if available() else None
    answer = (operation or {}).get("responses", {}).get(str(status), {})
    schema = answer.get("content", {}).get("application/json", {}).get("schema")
    return _answers().errors(f"{method} {path} {status}", schema, body) if schema else []


def unknown_keys(method: str, path: str, body: Any) -> list[str]:
    """Keys that the file does not know: Discord ignores them, so they are usually slips."""
    schema = _body_schema(method, path) if available() else None
    return list(_strangers(schema, body, "")) if schema else []


def _body_schema(method: str, path: str) -> Json | None:
    content = (_requests().operation(method, path) or {}).get("requestBody", {}).get("content", {})
    schema: Json | None = content.get("application/json", {}).get("schema")
    return schema


def _strangers(schema: Json, value: Any, where: str) -> Iterator[str]:
    if isinstance(value, list):
        for index, one in enumerate(value):
            yield from _strangers(schema.get("items", {}), one, f"{where}{index}.")
    if not isinstance(value, dict):
        return
    known = _properties(schema, value)
    if known is None:
        return
    for key, inner in value.items():
        if key not in known and key not in KNOWN_ALL_THE_SAME:
            yield f"{where}{key}"
        for one in known.get(key, []):
            yield from _strangers(_resolved(one, inner), inner, f"{where}{key}.")


def _resolved(schema: Json, value: Any) -> Json:
    """The schema that speaks about this value, behind references and «null or that»."""
    if "$ref" in schema:
        return _resolved(_requests().target(schema["$ref"]), value)
    if "byType" in schema and isinstance(value, dict):
        return _resolved(schema["byType"].get(str(value.get("type")), {}), value)
    members = [one for one in schema.get("anyOf", []) if one.get("type") != "null"]
    return _resolved(members[0], value) if len(members) == 1 else schema


def _properties(schema: Json, value: Json) -> dict[str, list[Json]] | None:
    """Known keys with their schemas; None where any key is welcome."""
    schema = _resolved(schema, value)
    members = [_resolved(one, value) for one in schema.get("anyOf", [])] or [schema]
    if any("properties" not in one for one in members):
        return None
    keys = {key for one in members for key in one["properties"]}
    return {key: [o["properties"][key] for o in members if key in o["properties"]] for key in keys}
