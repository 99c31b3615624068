"""Names and e-mail addresses of the demo's invented people, and the files of their texts."""

import json
import re
from functools import cache
from pathlib import Path
from random import Random
from typing import TypedDict, cast

from db.text import fold_text

DATA = Path(__file__).parent / "data"


class NameGroup(TypedDict):
    """The names of one group of people in one region.

    `weight` is how often the group is drawn; `speaks` are second languages all of it speak.
    """

    weight: int
    women: list[str]
    men: list[str]
    last: list[str]
    speaks: list[str]


class Viewer(TypedDict):
    """A person as whom a visitor can look at the demo.

    `places` are slugs of cities, the preferred one first.
    """

    name: str
    woman: bool
    country_code: str
    places: list[str]
    language: str
    languages: list[str]
    area: str
    title: str
    bio: str


class NameBook(TypedDict):
    """The names by region, those that nobody is given, and the viewers."""

    groups: dict[str, list[NameGroup]]
    avoid: list[str]
    viewers: list[Viewer]


class BioTexts(TypedDict):
    """The phrases of one language from which titles and biographies are made."""

    titles: dict[str, list[str]]
    work: dict[str, list[str]]
    before: list[str]
    hobby: list[str]
    offer: list[str]
    bios: list[str]


@cache
def load_names() -> NameBook:
    """Return the names, read from their file once."""
    return cast(NameBook, json.loads((DATA / "demo_names.json").read_text("utf-8")))


@cache
def load_texts() -> dict[str, BioTexts]:
    """Return the phrases by language, read from their file once."""
    return cast(dict[str, BioTexts], json.loads((DATA / "demo_texts.json").read_text("utf-8")))


def invent_name(
    rng: Random,
    group: NameGroup,
    woman: bool,
    language: str,
    city: str,
    taken: set[tuple[str, str]],
) -> str:
    """Invent a name that no famous person has, and nobody else in that city.

    `taken` holds (name, city) and gains the new one.
    """
    avoid = {*load_names()["avoid"], *(viewer["name"] for viewer in load_names()["viewers"])}
    while True:
        first = rng.choice(group["women" if woman else "men"])
        surnames = rng.sample(group["last"], 2)
        whole = f"{first} {surnames[0]}"
        if whole in avoid or (whole, city) in taken:
            continue
        taken.add((whole, city))
        two = language in {"es", "pt"} and rng.random() < 0.25
        return f"{whole} {surnames[1]}" if two else whole


def invent_email(name: str, city: str, taken: set[str]) -> str:
    """Invent an address that nobody else has, under a domain that can never exist.

    `taken` gains the new address.
    """
    local = re.sub(r"[^a-z]+", ".", fold_text(name)).strip(".")
    whole, number = f"{local}@{city}.example", 2
    while whole in taken:
        whole, number = f"{local}{number}@{city}.example", number + 1
    taken.add(whole)
    return whole
