"""Places where a process may die, by name: a test ends it there and looks what was lost.

In the running program each of them is one look at a name that holds nothing.
"""

from collections.abc import Callable

_hook: Callable[[str], None] | None = None


def reach(name: str) -> None:
    """The program is here."""
    if _hook is not None:
        _hook(name)


def arm(hook: Callable[[str], None] | None) -> None:
    """Let something happen at every place; None disarms them all."""
    global _hook
    _hook = hook
