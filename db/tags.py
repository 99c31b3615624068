"""Tags: how addresses name a row, so that no later one is ever meant.

A number alone may come again: a database that was restored from an older copy gives it to another
row. A tag is `17~mk3f9ab`: the number, a letter for the table, a stamp of when the row was made.
"""

import base64
import hashlib
import re
from datetime import UTC, datetime
from typing import ClassVar

from db.base import Base

_TAG = re.compile(r"([1-9]\d{0,9})~[a-z][a-z2-7]{6}", re.ASCII)


class Tagged(Base):
    """A table whose rows have tags.

    `tag_letter` is the table's own; `made_in` names the column that says when a row was made, which
    never changes.
    """

    __abstract__ = True
    tag_letter: ClassVar[str]
    made_in: ClassVar[str]

    @property
    def tag(self) -> str:
        """Return the row's tag; its number must be known, so it was flushed."""
        number = self.__mapper__.primary_key_from_instance(self)[0]
        return f"{number}~{self.tag_letter}{_compute_stamp(getattr(self, self.made_in))}"


def _compute_stamp(made: datetime) -> str:
    """Return six letters and digits for a moment; they do not tell which it was."""
    shape = made.astimezone(UTC).isoformat(timespec="microseconds")
    return base64.b32encode(hashlib.sha256(shape.encode()).digest())[:6].decode().lower()


def read_number(tag: str) -> int:
    """Return the number in a tag; 0 if it is none."""
    match = _TAG.fullmatch(tag)
    return int(match[1]) if match else 0
