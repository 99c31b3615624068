"""`wwc web` under a profiler: where the time of its answers goes, told when it is ended."""

import asyncio
import cProfile
import pstats
import sys
from pathlib import Path
from typing import Any

from bot import settings
from bot.adapters.slack import listen
from bot.serving import run
from bot.web import health

ROOMS = (
    ("the database layer (SQLAlchemy, its driver)", ("sqlalchemy", "aiosqlite", "/db/")),
    ("HTTP and the event loop", ("aiohttp", "asyncio", "selectors", "/multidict/", "/yarl/")),
    ("Bolt", ("slack_bolt", "slack_sdk")),
    ("signature, drawing, JSON", ("/adapters/", "/json/", "hmac", "/urllib/")),
    ("ranking and the card", ("/bot/", "babel", "pydantic", "dataclasses")),
)
REST, WAITING = "everything else", ("poll", "_queue")
LOADED = (listen, health)
"""Imported before the profiler begins."""


def shares(profile: cProfile.Profile) -> dict[str, float]:
    """Each room's share of the main thread's own work; what is built in counts for its caller."""
    seconds = dict.fromkeys((*(name for name, _ in ROOMS), REST), 0.0)
    stats: dict[Any, Any] = pstats.Stats(profile).stats  # type: ignore[attr-defined] # untyped
    for (file, _, name), (_, _, own, _, callers) in stats.items():
        if file != "~":
            seconds[_room(file)] += own
        elif not any(word in name for word in WAITING):
            for (caller, *_), (_, _, spent, _) in callers.items():
                seconds[_room(caller)] += spent
    total = sum(seconds.values())
    return {name: spent / total for name, spent in seconds.items()}


def _room(file: str) -> str:
    return next((name for name, words in ROOMS if any(w in file for w in words)), REST)


def main(out: Path) -> None:
    """Serve until SIGTERM, then write a line `share name` for each room."""
    profile = cProfile.Profile()
    profile.runcall(asyncio.run, run(settings.load_settings(), frozenset({"web", "slack"})))
    lines = [f"{share:.4f} {name}" for name, share in shares(profile).items()]
    out.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
