"""Forms on their way through several modals: kept in memory, bounded, and never needed.

Every id also says its command, so after a restart a form opens anew instead.
"""

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.cards import Form
from bot.request import Values

MOST = 1000

Key = TypeVar("Key")
Kept = TypeVar("Kept")


class Recent(Generic[Key, Kept]):
    """The latest of many; the oldest make room."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[Key, Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, key: Key, kept: Kept) -> None:
        """Keep this as the newest."""
        self._kept[key] = kept
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def get(self, key: Key) -> Kept | None:
        """What was kept, if it still is."""
        return self._kept.get(key)


@dataclass(frozen=True, slots=True)
class Draft:
    """A form with what its person gave so far; only that person may go on with it."""

    user: str
    form: Form
    words: str
    values: Values
    language: str


class Drafts:
    """Drafts by a short key that nobody can guess."""

    def __init__(self) -> None:
        self._drafts: Recent[str, Draft] = Recent()

    def keep(self, draft: Draft) -> str:
        """Keep it; returns the key."""
        key = secrets.token_urlsafe(6)
        self._drafts.put(key, draft)
        return key

    def of(self, key: str, user: str) -> Draft | None:
        """The draft, if it is there and theirs."""
        draft = self._drafts.get(key)
        return draft if draft and draft.user == user else None
