"""Finds what two people could give each other, which explains «why these two»."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

Cause = Literal["helps", "helped", "both-know", "both-learn"]
_ORDER: tuple[Cause, ...] = ("helps", "helped", "both-know", "both-learn")


@dataclass(frozen=True, slots=True)
class MemberInterests:
    """The interests that one person shows the other, by topic ids.

    `knows`: topics with a level of 1 to 3. `learns`: topics the person would like to learn.
    """

    knows: Mapping[int, int]
    learns: Collection[int] = ()


@dataclass(frozen=True, slots=True)
class SharedInterest:
    """One topic that connects two people, and how.

    `helps`: the first person knows what the second would like to learn; `helped`: the reverse.
    """

    cause: Cause
    topic: int


def find_shared_interests(
    one: MemberInterests, other: MemberInterests, main_topic: int | None = None
) -> tuple[SharedInterest, ...]:
    """Return all shared interests of two people, the most useful first.

    The order: `main_topic`, about which they meet, before others; help either way before what
    they have in common; then by how well both know the topic.
    """
    found = set(_iter_shared_interests(one, other))

    def place(bond: SharedInterest) -> tuple[bool, int, int, int]:
        skill = one.knows.get(bond.topic, 0) + other.knows.get(bond.topic, 0)
        return bond.topic != main_topic, _ORDER.index(bond.cause), -skill, bond.topic

    return tuple(sorted(found, key=place))


def _iter_shared_interests(
    one: MemberInterests, other: MemberInterests
) -> Iterator[SharedInterest]:
    for topic in one.knows:
        if topic in other.learns and topic not in other.knows:
            yield SharedInterest("helps", topic)
        if topic in other.knows:
            yield SharedInterest("both-know", topic)
    for topic in other.knows:
        if topic in one.learns and topic not in one.knows:
            yield SharedInterest("helped", topic)
    for topic in one.learns:
        if topic in other.learns and topic not in one.knows and topic not in other.knows:
            yield SharedInterest("both-learn", topic)


def pick_varied(found: tuple[SharedInterest, ...], limit: int) -> tuple[SharedInterest, ...]:
    """Return up to `limit` interests: the first of each cause, then the rest, for variety."""
    first: dict[Cause, SharedInterest] = {}
    for bond in found:
        first.setdefault(bond.cause, bond)
    leading = tuple(first.values())
    return (*leading, *(b for b in found if b not in leading))[:limit]
