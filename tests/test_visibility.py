"""What a person may not see leaves no trace: an oracle of its own decides what may be seen.

Hundreds of random people with random settings look at each other through every command. Each
hidden field holds a word of its own, which must occur in no answer; and where somebody hidden is
added or taken away, every answer stays the same to the byte.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import data, plain
from bot.hub import Hub
from bot.request import Request
from db.base import transaction
from db.members import FIELDS_WITH_VISIBILITY
from tests.campaign import SEED, SIZE, RecordFigures, scaled
from tests.cast import Person, add_member, sender
from tests.conftest import Clock, CommandTyper

pytestmark = pytest.mark.both

CITIES = ("boston-ma-us", "bogota-co", "albuquerque-nm-us")
TOPICS = ("gis", "metadata", "climate-data", "data-academy")
PEOPLE, CROWDS = 9, range(scaled(3))
"""A whole search has three crowds, each person of which looks at the others; a tenth has one."""


@dataclass
class Somebody:
    """A person with a secret word in every field that has words."""

    person: Person
    number: int = 0
    words: dict[str, str] = field(default_factory=dict)

    @property
    def found(self) -> bool:
        """In the directory at all?"""
        return self.person.listed and self.person.status == "verified"

    def shows(self, name: str, viewer: "Somebody") -> bool:
        """The rule of the product, written down a second time."""
        if viewer is self:
            return True
        seen = self.person.seen[name]
        same_city = self.person.city == viewer.person.city
        return self.found and (seen == "community" or (seen == "city" and same_city))


def crowd(seed: int) -> list[Somebody]:
    """Random people; some hide everything, some nothing."""
    rng = random.Random(seed)
    return [_somebody(rng, n) for n in range(PEOPLE)]


def _somebody(rng: random.Random, n: int) -> Somebody:
    words = {name: f"{name}secret{n}" for name in ("title", "bio", "name")}
    seen = {name: rng.choice(("community", "city", "nobody")) for name in FIELDS_WITH_VISIBILITY}
    person = Person(
        key=f"p{n}",
        name=f"{words['name']} Tester",
        city=rng.choice(CITIES),
        title=f"{words['title']} officer",
        bio=f"I do {words['bio']} all day.",
        knows={topic: rng.randint(1, 3) for topic in TOPICS if rng.random() < 0.6},
        learns=("data-talent",),
        listed=rng.random() < 0.75,
        status="verified" if n < 2 or rng.random() < 0.8 else "suspended",
        open=rng.random() < 0.7,
        asks=rng.choice((None, 1)),
        asks_taken=rng.choice((0, 1)),
        seen=seen,
    )
    return Somebody(person, words=words)


def viewers(people: list[Somebody], crowd_number: int) -> list[Somebody]:
    """Everybody; in a tenth of the search three, of whom one is certainly a member."""
    if SIZE == "whole":
        return people
    rng = random.Random(SEED + crowd_number)
    return [people[rng.randrange(2)], *rng.sample(people[2:], 2)]


async def settle_all(engine: AsyncEngine, people: list[Somebody]) -> None:
    """Only these people: the cast would only be in the way."""
    async with transaction(engine, writes=True) as session:
        for table in ("endorsement", "expertise", "document", "account", "member_role", "member"):
            await session.execute(text(f"DELETE FROM {table}"))
        for one in people:
            one.number = (await add_member(session, one.person)).id


def questions(people: list[Somebody]) -> Iterator[str]:
    """Everything one can ask about people."""
    yield from ("home", "topics", "help", "who-is tester", "who-does officer", "who-does tester")
    yield from (f"who-does {topic}" for topic in TOPICS)
    yield from (f"intro {topic}" for topic in TOPICS)
    yield from (f"who-does {TOPICS[0]} in:{city}" for city in CITIES)
    yield from (f"city {city}" for city in CITIES)
    yield from ("topics open data", "topics data management", "who-does data talent")
    for one in people:
        yield from (f"who-is {one.number}", f"who-is <@{one.person.key}>")
        yield f"who-is {one.words['name']}"
        yield from (f"intro {one.number}", f"intro <@{one.person.key}>")
        yield f"intro {one.words['name']}"
        yield from (f"who-does {one.words['bio']}", f"who-does {one.words['title']}")
        yield from (f"why {one.number} {TOPICS[0]}", f"endorse {one.number} {TOPICS[1]}")


def forbidden(viewer: Somebody, people: list[Somebody]) -> Iterator[tuple[str, str]]:
    """(word, why it must not be seen) of this viewer."""
    for one in people:
        if one is not viewer and not one.found:
            yield one.words["name"], "not in the directory"
        for name in ("title", "bio"):
            if not one.shows(name, viewer):
                yield one.words[name], f"hides {name}"


async def answer(hub: Hub, viewer: Somebody, words: str) -> str:
    """Everything there is in the reply, but for the echo of what was asked."""
    reply = await hub(Request(sender(viewer.person.key), words))
    said = f"{plain(reply)}\n{data(reply)}"
    assert "Something went wrong" not in said, words
    return said.replace(words.split(" ", 1)[-1], "…")


@pytest.mark.campaign
@pytest.mark.timeout(400)
@pytest.mark.parametrize("crowd_number", CROWDS)
async def test_no_answer_holds_a_word_that_its_reader_may_not_see(
    engine: AsyncEngine, clock: Clock, kind: str, crowd_number: int, record_figures: RecordFigures
) -> None:
    """Every viewer × every question; more than a thousand pairs over all seeds and databases."""
    people = crowd(SEED + crowd_number)
    await settle_all(engine, people)
    hub = Hub(engine, clock=clock)
    seen = asked = 0
    for viewer in viewers(people, crowd_number):
        secrets = list(forbidden(viewer, people))
        for words in questions(people):
            said = await answer(hub, viewer, words)
            for secret, why in secrets:
                assert secret not in said, (viewer.person.key, words, why)
            asked += 1
            seen += any(one.words["bio"] in said for one in people)
    record_figures("visibility", kind, answers=asked)
    assert seen, "the test looks at nothing if no word is ever shown"


@pytest.mark.campaign
@pytest.mark.timeout(400)
@pytest.mark.parametrize("crowd_number", CROWDS)
async def test_a_topic_lists_those_who_show_it_and_nobody_else(
    engine: AsyncEngine, clock: Clock, kind: str, crowd_number: int, record_figures: RecordFigures
) -> None:
    """Who is listed, whose profile names it, who can be asked «why», and how many are counted."""
    people = crowd(SEED + crowd_number)
    await settle_all(engine, people)
    hub = Hub(engine, clock=clock)
    asked = 0
    for viewer in viewers(people, crowd_number):
        if viewer.person.status != "verified":
            continue
        asked += len(TOPICS) * (2 + len(people)) + 1
        for topic in TOPICS:
            listed = await answer(hub, viewer, f"who-does {topic} page:1")
            listed += await answer(hub, viewer, f"who-does {topic} page:2")
            for one in people:
                shown = topic in one.person.knows and one.shows("topics", viewer)
                assert (f"why {one.number} {topic}" in listed) is (shown and one is not viewer), (
                    viewer.person.key,
                    topic,
                    one.person,
                )
                why = await answer(hub, viewer, f"why {one.number} {topic}")
                assert ("points" in why) is shown
        counted = await answer(hub, viewer, "topics data management")
        known = sum(o.found and o.person.seen["topics"] == "community"
                    and "gis" in o.person.knows for o in people)  # fmt: skip
        rows = [line for line in counted.splitlines() if " | " in line]
        gis = [line for line in rows if line.endswith(f" | {known}") and "GIS" in line.upper()]
        assert gis, (known, rows)
    record_figures("visibility", kind, answers=asked)


@pytest.mark.campaign
@pytest.mark.timeout(400)
@pytest.mark.parametrize("crowd_number", CROWDS)
async def test_fields_are_shown_to_those_who_may_see_them(
    engine: AsyncEngine, clock: Clock, kind: str, crowd_number: int, record_figures: RecordFigures
) -> None:
    """Hiding everything would be easy: what may be seen is there."""
    people = crowd(SEED + crowd_number)
    await settle_all(engine, people)
    hub = Hub(engine, clock=clock)
    asked = 0
    for viewer in viewers(people, crowd_number):
        if viewer.person.status != "verified":
            continue
        asked += len(people)
        for one in people:
            said = await answer(hub, viewer, f"who-is {one.number}")
            for name in ("title", "bio"):
                assert (one.words[name] in said) is one.shows(name, viewer)
            assert ("Working hours" in said) is one.shows("hours", viewer)
            assert ("Speaks" in said) is one.shows("languages", viewer)
    record_figures("visibility", kind, answers=asked)


@pytest.mark.campaign
@pytest.mark.timeout(400)
@pytest.mark.parametrize("hidden", ["unlisted", "suspended"])
async def test_somebody_hidden_changes_no_byte_of_any_answer(
    engine: AsyncEngine, clock: Clock, kind: str, hidden: str, record_figures: RecordFigures
) -> None:
    """The same questions with and without a hidden person who knows and says everything."""
    people = crowd(SEED + 7)
    await settle_all(engine, people)
    viewers = [p for p in people if p.person.status == "verified"][: scaled(4)]
    asked = [*questions(people), "who-is ghost", "who-is <@ghost>", "who-is 9999",
             "who-does ghostly", "who-does officer ghostly", "why ghost gis",
             "intro <@ghost>", "intro ghost", "intro 9999"]  # fmt: skip
    asked = [words for words in asked if not words.startswith("endorse")]

    async def answers() -> list[str]:
        hub = Hub(engine, clock=clock)
        offered = [
            str(await hub.suggest(Request(sender(v.person.key)), verb, name, typed))
            for v in viewers
            for verb, name, typed in (
                ("who-is", "person", "gho"), ("who-is", "person", "test"),
                ("who-does", "topic", "g"), ("city", "name", "bost"),
            )
        ]  # fmt: skip
        return [*offered, *[await answer(hub, v, words) for v in viewers for words in asked]]

    before = await answers()
    async with transaction(engine, writes=True) as session:
        ghost = Person(
            key="ghost", name="Ghost Tester", city=CITIES[0], title="Ghostly officer",
            bio="Tester of ghostly officers.", knows=dict.fromkeys(TOPICS, 3),
            listed=hidden == "suspended", status="suspended" if hidden == "suspended" else
            "verified",
        )  # fmt: skip
        await add_member(session, ghost)

    assert await answers() == before
    record_figures("visibility", kind, answers=2 * len(before))


# --- cities that are not certified ------------------------------------------------------------


async def test_an_uncertified_city_is_never_named_outside_nor_missed(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """The same answers, near-misses and suggestions whether the city is there or not."""
    asked = ("city albuquerque", "city albuquerqe", "city ABQ", "city albu", "city kansas city",
             "city mexico city", "city cdmx", "city sao paulo", "city monteral", "city montréal",
             "city albuquerque-nm-us", "city fargo", "city las vegas")  # fmt: skip

    async def answers() -> list[str]:
        said = [str(data(await typing(words, as_="newcomer"))) for words in asked]
        for typed in ("", "al", "albu", "mon", "mexi", "kansas"):
            asking = Request(sender("newcomer"))
            said.append(str(await typing.hub.suggest(asking, "city", "name", typed)))
        return said

    before = await answers()
    for name in ("Albuquerque, NM", "Montréal, QC", "Kansas City, KS", "Ciudad de México, Mexico"):
        assert not any(name in one for one in before)
    async with transaction(engine, writes=True) as session:
        for table in ("endorsement", "expertise", "document", "account", "member_role", "member"):
            await session.execute(text(f"DELETE FROM {table}"))
        await session.execute(text("DELETE FROM city WHERE NOT certified"))
    typing.hub._reference_cache = None

    assert await answers() == before
