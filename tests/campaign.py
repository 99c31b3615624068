"""How long the long searches are: `make test` runs a tenth of each, `make reliability` all of it.

TEST_SIZE is `tenth` (where nothing is said) or `whole`; TEST_SEED is the number from which all
chance comes, the date where nothing is said. Both are printed at the end of each run.
"""

from datetime import UTC, datetime
from os import environ
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from hypothesis import settings

SIZE = environ.setdefault("TEST_SIZE", "tenth")
SEED = int(environ.setdefault("TEST_SEED", f"{datetime.now(UTC):%Y%m%d}"))
if SIZE not in ("tenth", "whole"):
    raise pytest.UsageError(f"TEST_SIZE is tenth or whole, not {SIZE}")


class RecordFigures(Protocol):
    """What the fixture `record_figures` gives."""

    def __call__(self, campaign: str, database: str = "", /, **figures: Any) -> None: ...


def scaled(count: int) -> int:
    """Return the count itself, or a tenth of it, but at least 1."""
    return count if SIZE == "whole" else max(1, count // 10)


def examples(count: int, **more: Any) -> "settings":
    """Return Hypothesis' settings for a search of so many examples when it is whole."""
    from hypothesis import settings  # half a second, which most tests need not wait for

    return settings(max_examples=scaled(count), deadline=None, **more)
