"""What the invented people of the demo are called, and the books their words come from."""

import json
import re
import unicodedata
from functools import cache
from pathlib import Path
from random import Random
from typing import TypedDict, cast

DATA = Path(__file__).parent / "data"


class NameGroup(TypedDict):
    """The names of one group of people in one region."""

    weight: int
    women: list[str]
    men: list[str]
    last: list[str]
    speaks: list[str]


class Viewer(TypedDict):
    """Somebody through whose eyes the demo is seen."""

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
    """Everybody’s possible names."""

    groups: dict[str, list[NameGroup]]
    avoid: list[str]
    viewers: list[Viewer]


class BioTexts(TypedDict):
    """What people of one language say of themselves."""

    titles: dict[str, list[str]]
    work: dict[str, list[str]]
    before: list[str]
    hobby: list[str]
    offer: list[str]
    bios: list[str]


@cache
def load_names() -> NameBook:
    """The book of names."""
    return cast(NameBook, json.loads((DATA / "demo_names.json").read_text("utf-8")))


@cache
def load_texts() -> dict[str, BioTexts]:
    """What is said, by language."""
    return cast(dict[str, BioTexts], json.loads((DATA / "demo_texts.json").read_text("utf-8")))


def invent_name(
    rng: Random,
    group: NameGroup,
    woman: bool,
    language: str,
    city: str,
    taken: set[tuple[str, str]],
) -> str:
    """A name nobody famous has and nobody else in that city."""
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
    """An address nobody else has, under a domain that can never exist."""
    local = re.sub(r"[^a-z]+", ".", _to_ascii(name)).strip(".")
    whole, number = f"{local}@{city}.example", 2
    while whole in taken:
        whole, number = f"{local}{number}@{city}.example", number + 1
    taken.add(whole)
    return whole


def _to_ascii(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold().replace("’", ""))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
