"""What Discord's client lets a person type, choose and fill in, and in which shape it is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.platforms.discord_commands import BOOLEAN, INTEGER, NUMBER, STRING
from tests.platforms.discord_json import channel_json, resolved_member, role_json, user_json
from tests.platforms.discord_limits import (
    CHECKBOX,
    CHECKBOXES,
    LABEL,
    RADIO,
    SELECTS,
    STRING_SELECT,
    TEXT,
    TEXT_INPUT,
    Json,
)
from tests.platforms.discord_world import Channel, Guild, Role, User

TYPES: dict[int, tuple[type, ...]] = {
    STRING: (str,),
    INTEGER: (int,),
    BOOLEAN: (bool,),
    NUMBER: (int, float),
    6: (User,),
    7: (Channel,),
    8: (Role,),
    9: (User, Role),
}
Value = str | int | float | bool | User | Channel | Role


class ClientRefusalError(AssertionError):
    """Discord's own client would not let a person do this."""


def named(things: list[Json], name: str, kind: str) -> Json:
    for thing in things:
        if thing["name"] == name:
            return thing
    offered = ", ".join(thing["name"] for thing in things) or "none"
    raise ClientRefusalError(f"no {kind} {name!r}; there are: {offered}")


def checked_options(command: Json, given: dict[str, Value], complete: bool = True) -> list[Json]:
    """The options as sent; refuses what cannot be typed into the client."""
    declared = command.get("options") or []
    for name in given:
        named(declared, name, "option")
    missing = [o["name"] for o in declared if o.get("required") and o["name"] not in given]
    if missing and complete:
        raise ClientRefusalError(f"required: {', '.join(missing)}")
    return [
        {"name": o["name"], "type": o["type"], "value": option_value(o, given[o["name"]])}
        for o in declared
        if o["name"] in given
    ]


def option_value(option: Json, value: Value) -> Any:
    kind, name = option["type"], option["name"]
    wrong_bool = isinstance(value, bool) and kind != BOOLEAN
    if not isinstance(value, TYPES[kind]) or wrong_bool:
        raise ClientRefusalError(f"{name}: {value!r} is not of type {kind}")
    for choice in option.get("choices") or []:
        if value in (choice["value"], choice["name"]):
            return choice["value"]
    if option.get("choices"):
        raise ClientRefusalError(f"{name}: {value!r} is not among the choices")
    if isinstance(value, str):
        in_range(name, len(value), option.get("min_length") or 1, option.get("max_length") or 6000)
    elif isinstance(value, int | float):
        in_range(name, value, option.get("min_value"), option.get("max_value"))
    else:
        return str(value.id)
    return value


def in_range(name: str, size: float, least: float | None, most: float | None) -> None:
    if (least is not None and size < least) or (most is not None and size > most):
        raise ClientRefusalError(f"{name}: {size} is not between {least} and {most}")


def resolved(values: Any, guild: Guild | None) -> Json:
    """The things behind the ids, as Discord adds them."""
    found: Json = {}
    for value in values:
        if isinstance(value, User):
            found.setdefault("users", {})[str(value.id)] = user_json(value)
            if guild is not None and value.id in guild.members:
                member = resolved_member(guild, value)
                found.setdefault("members", {})[str(value.id)] = member
        if isinstance(value, Role) and guild is not None:
            found.setdefault("roles", {})[str(value.id)] = role_json(guild, value)
        if isinstance(value, Channel):
            channel = channel_json(value) | {"permissions": "0"}
            found.setdefault("channels", {})[str(value.id)] = channel
    return found


def chosen(select: Json, values: Sequence[Value]) -> list[str]:
    """The values of a select as sent."""
    if select.get("disabled"):
        raise ClientRefusalError(f"{select['custom_id']} is disabled")
    least, most = select.get("min_values"), select.get("max_values")
    in_range(select["custom_id"], len(values), 1 if least is None else least, most or 1)
    if select["type"] != STRING_SELECT:
        return [str(v.id) if isinstance(v, User | Role | Channel) else str(v) for v in values]
    return [_option(select, value) for value in values]


def _option(select: Json, wanted: Value) -> str:
    for option in select["options"]:
        if wanted in (option["value"], option["label"]):
            return str(option["value"])
    offered = ", ".join(option["label"] for option in select["options"])
    raise ClientRefusalError(f"no option {wanted!r}; there are: {offered}")


def filled(part: Json, values: dict[str, Any]) -> Json:
    """One part of a form as submitted; takes what it uses out of `values`."""
    base = {"type": part["type"], "id": part["id"]}
    if part["type"] == TEXT:
        return base
    if part["type"] == LABEL:
        return base | {"component": _field(part["component"], part["label"], values)}
    fields = [_field(field, field.get("label", ""), values) for field in part["components"]]
    return base | {"components": fields}


def _field(field: Json, label: str, values: dict[str, Any]) -> Json:
    name = field["custom_id"]
    value = values.pop(name, values.pop(label, None))
    base = {"type": field["type"], "id": field["id"], "custom_id": name}
    if field["type"] == TEXT_INPUT:
        return base | {"value": _typed(field, value)}
    if field["type"] in SELECTS or field["type"] == CHECKBOXES:
        return base | {"values": _picked(field, value)}
    if field["type"] == RADIO:
        return base | {"value": _option(field, value) if value is not None else None}
    if field["type"] == CHECKBOX:
        return base | {"value": bool(field.get("default") if value is None else value)}
    return base | {"values": []}


def _typed(field: Json, value: str | None) -> str:
    text = (field.get("value") or "") if value is None else value
    required = field.get("required", True)
    if required and not text.strip():
        raise ClientRefusalError(f"{field['custom_id']} is required")
    if text:
        least, most = field.get("min_length") or 0, field.get("max_length") or 4000
        in_range(field["custom_id"], len(text), least, most)
    return text


def _picked(field: Json, values: Sequence[Value] | str | None) -> list[str]:
    if values is None:
        kept = [o["value"] for o in field.get("options") or [] if o.get("default")]
        values = kept or [one["id"] for one in field.get("default_values") or []]
    picked = [values] if isinstance(values, str) else list(values)
    if not picked and not field.get("required", True):
        return []
    return chosen(field, picked)
