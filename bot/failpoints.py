"""Named places in the code where a test may kill the process, to see what is lost.

In the running program no hook is set, and each place costs one comparison.
"""

from collections.abc import Callable

_hook: Callable[[str], None] | None = None


def reach(name: str) -> None:
    """Call the hook, if one is set, with the name of this place."""
    if _hook is not None:
        _hook(name)


def arm(hook: Callable[[str], None] | None) -> None:
    """Set the hook that `reach` calls; None removes it."""
    global _hook
    _hook = hook
