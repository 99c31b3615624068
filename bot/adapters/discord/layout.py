"""Fit the blocks of a message into Discord's limits: pure."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from bot.adapters.discord.limits import (
    MAX_BYTES,
    MAX_COMPONENTS,
    MAX_ID,
    MAX_LETTERS,
    SECTION,
    SEPARATOR,
    TEXT,
    Json,
)
from bot.adapters.discord.text import one_line
from bot.domain.characters import utf16_length

TextRenderer = Callable[[int], str]
"""Returns Markdown of at most so many characters; "" where so few would make no sense."""

UNLIMITED = 100_000


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of a message. Vital blocks get their space before the others."""

    render_text: TextRenderer | None = None
    accessory: Json | None = None
    rows: tuple[Json, ...] = ()
    vital: bool = False

    def render(self, letters: int) -> list[Json]:
        """Return the components, with text of at most `letters` characters.

        Where the text has no room, the rows are left out too.
        """
        if self.render_text is None:
            return list(self.rows)
        said = self.render_text(letters).strip()
        if not said:
            return list(self.rows) if letters == UNLIMITED else []
        text = {"type": TEXT, "content": said}
        if self.accessory:
            return [{"type": SECTION, "components": [text], "accessory": self.accessory}]
        return [text, *self.rows]


@dataclass(slots=True)
class RemainingSpace:
    """What is left of a message's limits: components, UTF-16 units of text, bytes of JSON.

    The container and the line «Not everything fits» are reserved from the start.
    """

    components: int = MAX_COMPONENTS - 2
    letters: int = MAX_LETTERS - 200
    weight: int = MAX_BYTES - 1000

    def reserve(self, components: Sequence[Json]) -> bool:
        """Take the space for these components; return False and take none if too little is left."""
        tree = len(list(_walk_components(components)))
        letters, weight = _count_letters(components), _count_bytes(components)
        if tree > self.components or letters > self.letters or weight > self.weight:
            return False
        self.components -= tree
        self.letters -= letters
        self.weight -= weight
        return True

    def percent_available(self, components: Sequence[Json]) -> int:
        """Return how many percent of these components fit; 0 when there are too many of them."""
        if len(list(_walk_components(components))) > self.components:
            return 0
        letters, weight = max(1, _count_letters(components)), _count_bytes(components)
        return min(100 * self.letters // letters, 100 * self.weight // weight)


def _walk_components(components: Iterable[Json]) -> Iterator[Json]:
    for component in components:
        yield component
        yield from _walk_components(component.get("components", ()))
        if "accessory" in component:
            yield component["accessory"]


def _count_letters(components: Sequence[Json]) -> int:
    return sum(
        utf16_length(component.get("content", "")) for component in _walk_components(components)
    )


def _count_bytes(components: Sequence[Json]) -> int:
    return len(json.dumps(components, separators=(",", ":")))


def fit_block(block: Block, drawn: list[Json], room: RemainingSpace) -> list[Json]:
    """Return the block's components, shortened until they fit, and take their space from `room`."""
    while not room.reserve(drawn):
        if block.render_text is None:
            drawn = [row for row in map(_shrink_row, drawn) if row]
        else:
            letters = _count_letters(drawn) * 19 * min(100, room.percent_available(drawn)) // 2000
            drawn = block.render(letters) if letters > 0 else []
    return drawn


def _shrink_row(row: Json) -> Json | None:
    """Return a menu without its hints, or else with half of its options; None for other rows."""
    menu = row.get("components", [{}])[0]
    options = menu.get("options", ())
    if any("description" in option for option in options):
        shorter = [{"label": o["label"], "value": o["value"]} for o in options]
    else:
        shorter = options[: len(options) // 2]
    return {**row, "components": [{**menu, "options": shorter}]} if shorter else None


def drop_loose_separators(components: list[Json]) -> list[Json]:
    """Return the components without separators at either end or next to one another."""
    kept: list[Json] = []
    for component in components:
        if component["type"] != SEPARATOR or (kept and kept[-1]["type"] != SEPARATOR):
            kept.append(component)
    return kept[:-1] if kept and kept[-1]["type"] == SEPARATOR else kept


# --- ids --------------------------------------------------------------------------------------


@dataclass(slots=True)
class ComponentIds:
    """Creates ids that are unique in one message; `has_failed` once a command could not get one."""

    used_ids: set[str] = field(default_factory=set)
    has_failed: bool = False

    def unique_id(self, command: str) -> str:
        """Return the command itself, or with a number after a line break where it is repeated.

        Return "" where there is no command, or where the id would be too long.
        """
        said = found = one_line(command)
        number = 1
        while found in self.used_ids:
            number += 1
            found = f"{said}\n{number}"
        if not said or len(found) > MAX_ID:
            self.has_failed = True
            return ""
        self.used_ids.add(found)
        return found

    def menu_id(self) -> str:
        """Return a unique id for a select menu; the command is in the chosen value."""
        name = f"\nmenu{len(self.used_ids)}"
        self.used_ids.add(name)
        return name
