"""Drafts: a message that names no conversation, as it is saved until its writer chooses one."""

import json
from dataclasses import asdict
from typing import Any

from bot.request import File, IncomingMessage, Quote, Sender
from db.relay import RelayDraft


def dump_message(message: IncomingMessage) -> str:
    """Return a message as the JSON in which a draft saves it."""
    return json.dumps(asdict(message), ensure_ascii=False)


def load_message(draft: RelayDraft) -> IncomingMessage:
    """Return the message of a draft; its event was recorded when it came, so it has no keys."""
    fields = _rename_fields(json.loads(draft.body))
    files = tuple(File(**file) for file in fields.pop("files"))
    quotes = tuple(Quote(**quote) for quote in fields.pop("quotes", ()))
    sender = Sender(**_rename_fields(fields.pop("sender")))
    return IncomingMessage(
        **{**fields, "sender": sender, "files": files, "quotes": quotes, "keys": ()}
    )


def _rename_fields(fields: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in fields.items() if name not in _FORMER_FIELDS}
    return {_FORMER_NAMES.get(name, name): value for name, value in kept.items()}


_FORMER_FIELDS = ("command", "is_command")
"""What an older program also saved."""


_FORMER_NAMES = {
    "stranger": "is_outsider",
    "unsure": "is_unverified",
    "gathers": "can_open_group_chat",
    "under": "parent",
    "threaded": "has_threads",
    "mark": "emoji",
}
"""What an older program called these fields: its drafts may still wait when this one starts."""
