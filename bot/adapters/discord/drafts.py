"""Drafts of forms that take several modals: kept in memory, bounded, and never required.

Every component id also holds its command, so after a restart the form opens anew instead.
"""

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.cards import Form
from bot.request import Values

MAX_ENTRIES = 1000

Key = TypeVar("Key")
Value = TypeVar("Value")


class RecentCache(Generic[Key, Value]):
    """A mapping of limited size that drops its oldest entries."""

    def __init__(self, most: int = MAX_ENTRIES) -> None:
        self._most = most
        self._values: OrderedDict[Key, Value] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def add(self, key: Key, value: Value) -> None:
        """Store the value as the newest entry."""
        self._values[key] = value
        self._values.move_to_end(key)
        while len(self._values) > self._most:
            self._values.popitem(last=False)

    def get(self, key: Key) -> Value | None:
        """Return the stored value; None if it was dropped or never stored."""
        return self._values.get(key)


@dataclass(frozen=True, slots=True)
class FormDraft:
    """A form with what a person filled in so far; only that person may continue it."""

    user: str
    form: Form
    words: str
    values: Values
    language: str


class FormDrafts:
    """Stores drafts under short keys that nobody can guess."""

    def __init__(self) -> None:
        self._drafts: RecentCache[str, FormDraft] = RecentCache()

    def save(self, draft: FormDraft) -> str:
        """Store the draft and return its key."""
        key = secrets.token_urlsafe(6)
        self._drafts.add(key, draft)
        return key

    def find(self, key: str, user: str) -> FormDraft | None:
        """Return the draft with this key if it is the user's own; otherwise None."""
        draft = self._drafts.get(key)
        return draft if draft and draft.user == user else None
