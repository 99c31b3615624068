"""What two people could give each other: the trace behind «why these two»."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

Cause = Literal["helps", "helped", "both-know", "both-learn"]
_ORDER: tuple[Cause, ...] = ("helps", "helped", "both-know", "both-learn")


@dataclass(frozen=True, slots=True)
class Side:
    """What one of the two shows the other: topics with how well they are known, and wishes."""

    knows: Mapping[int, int]
    learns: Collection[int] = ()


@dataclass(frozen=True, slots=True)
class Bond:
    """One thing that ties them. `helps`: the first knows what the second would like to learn."""

    cause: Cause
    topic: int


def bonds(one: Side, other: Side, about: int | None = None) -> tuple[Bond, ...]:
    """Everything that ties two people, the most useful first; what they meet about before all.

    Help both ways comes before what they have in common; then what is known best by both.
    """
    found = set(_found(one, other))

    def place(bond: Bond) -> tuple[bool, int, int, int]:
        skill = one.knows.get(bond.topic, 0) + other.knows.get(bond.topic, 0)
        return bond.topic != about, _ORDER.index(bond.cause), -skill, bond.topic

    return tuple(sorted(found, key=place))


def _found(one: Side, other: Side) -> Iterator[Bond]:
    for topic in one.knows:
        if topic in other.learns and topic not in other.knows:
            yield Bond("helps", topic)
        if topic in other.knows:
            yield Bond("both-know", topic)
    for topic in other.knows:
        if topic in one.learns and topic not in one.knows:
            yield Bond("helped", topic)
    for topic in one.learns:
        if topic in other.learns and topic not in one.knows and topic not in other.knows:
            yield Bond("both-learn", topic)


def chosen(found: tuple[Bond, ...], most: int) -> tuple[Bond, ...]:
    """The first of each kind, then the rest, so that what is said does not repeat itself."""
    first: dict[Cause, Bond] = {}
    for bond in found:
        first.setdefault(bond.cause, bond)
    leading = tuple(first.values())
    return (*leading, *(b for b in found if b not in leading))[:most]
