"""Forms on their way through several modals: kept in memory, bounded, and never needed.

Every id also says its command, so after a restart a form opens anew instead.
"""

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.cards import Form
from bot.request import Values

MOST_ENTRIES = 1000

Key = TypeVar("Key")
Value = TypeVar("Value")


class RecentCache(Generic[Key, Value]):
    """The latest of many; the oldest make room."""

    def __init__(self, most: int = MOST_ENTRIES) -> None:
        self._most = most
        self._values: OrderedDict[Key, Value] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def add(self, key: Key, value: Value) -> None:
        """Keep this as the newest."""
        self._values[key] = value
        self._values.move_to_end(key)
        while len(self._values) > self._most:
            self._values.popitem(last=False)

    def get(self, key: Key) -> Value | None:
        """What was kept, if it still is."""
        return self._values.get(key)


@dataclass(frozen=True, slots=True)
class FormDraft:
    """A form with what its person gave so far; only that person may go on with it."""

    user: str
    form: Form
    words: str
    values: Values
    language: str


class FormDrafts:
    """Drafts by a short key that nobody can guess."""

    def __init__(self) -> None:
        self._drafts: RecentCache[str, FormDraft] = RecentCache()

    def save(self, draft: FormDraft) -> str:
        """Keep it; returns the key."""
        key = secrets.token_urlsafe(6)
        self._drafts.add(key, draft)
        return key

    def find(self, key: str, user: str) -> FormDraft | None:
        """The draft, if it is there and theirs."""
        draft = self._drafts.get(key)
        return draft if draft and draft.user == user else None
