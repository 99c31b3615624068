"""Why somebody comes first for a topic, and vouching for what they know."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import Card, plain
from bot.hub import Hub
from bot.request import Request
from db.audit import Audit
from db.base import transaction
from db.directory import Expertise
from db.endorsements import Endorsement
from tests.cast import sender
from tests.conftest import CommandTyper
from tests.reading import button, commands_of, entries_of, problems_of, titles_of

Joining = Callable[..., Awaitable[int]]


# --- why --------------------------------------------------------------------------------------


def number(line: str) -> int:
    """The number that a line begins with, as English writes it."""
    return int(line.split()[0].replace("−", "-").replace(",", ""))


@pytest.mark.both
async def test_the_reasons_are_those_that_made_the_order(typing: CommandTyper) -> None:
    """The points fall from place to place, and each page of reasons adds up to its total."""
    listed = await typing("who-does open data")
    totals = []
    for entry in entries_of(listed):
        why = await typing(next(b.command for b in entry.buttons if b.label == "Why?"))
        reckoning = entries_of(why)[0]
        points = number(reckoning.title)
        parts = [number(line) for line in reckoning.lines]
        assert sum(parts) == points
        for reason in entry.note.split(" · "):
            assert reason in plain(why)
        totals.append(points)
    assert totals == sorted(totals, reverse=True)
    assert len(totals) == 5


async def test_why_takes_a_name_a_mention_and_quotes(typing: CommandTyper) -> None:
    """One word for the person, free words for the topic."""
    wanted = plain(await typing("why 3 open data"))

    for words in ("why luis open data", "why <@luis> datos abiertos",
                  'why "Luis Ángel" open data', 'why topic:"open data" person:3',
                  "why Luis Ángel Rojas open data", "why luis rojas opne data"):  # fmt: skip
        assert plain(await typing(words)) == wanted
    assert wanted.startswith("Why Luis Ángel Rojas for open data")


async def test_a_whole_name_needs_no_quotes(typing: CommandTyper, joining: Joining) -> None:
    """A short last name is no typo of the topic; a form says which words are whose."""
    await joining(key="vo", name="Ben Vo", city="denver-co-us", knows={"open-data": 1})

    assert "You endorse Ben Vo for open data." in plain(await typing("endorse Ben Vo open data"))
    given = {"person": ("ben",), "topic": ("vo open data",)}
    form = await typing("endorse", values=given, submitted=True)
    assert "«ben»" in problems_of(form)["person"]


async def test_one_of_several_namesakes_is_one_press_away(
    typing: CommandTyper, joining: Joining
) -> None:
    """The button says the number and the topic alone, also where the name had two words."""
    for city in ("denver-co-us", "boston-ma-us"):
        await joining(key=f"vo-{city}", name="Ben Vo", city=city, knows={"open-data": 1})

    several = await typing("endorse Ben Vo opne data withdraw:no")
    assert "Several people match «Ben Vo»." in plain(several)
    pressed = commands_of(several)
    assert len(pressed) == 2
    assert {plain(await typing(words)).splitlines()[1] for words in pressed} == {
        "You endorse Ben Vo for open data."
    }


async def test_a_form_names_the_nearest_where_it_has_no_buttons(
    typing: CommandTyper, joining: Joining
) -> None:
    """Whom one may have meant stands in the sentence beside the field."""
    await joining(key="vo", name="Ben Vo", city="denver-co-us", knows={"open-data": 1})

    given = {"person": ("ben",), "topic": ("open data",)}
    said = problems_of(await typing("endorse", values=given, submitted=True))["person"]
    assert said.startswith("Several people match «ben». Did you mean «Ben Ortiz, Boston, MA")
    assert "Ben Vo, Denver, CO" in said

    given = {"person": ("luis",), "topic": ("opn dt",)}
    said = problems_of(await typing("endorse", values=given, submitted=True))["topic"]
    assert "Did you mean «open data" in said


async def test_there_is_no_why_for_what_somebody_does_not_show(
    typing: CommandTyper, joining: Joining
) -> None:
    """Hidden and absent knowledge are refused in the same words."""
    await joining(key="shy", name="Shy One", knows={"gis": 3}, seen={"topics": "nobody"})

    hidden = plain(await typing("why shy gis")).replace("GIS", "")
    absent = plain(await typing("why shy metadata"))
    assert "doesn't list" in hidden
    assert "doesn't list" in absent
    assert len(hidden.splitlines()) == len(absent.splitlines())


async def test_an_unknown_topic_gets_the_nearest_as_buttons(typing: CommandTyper) -> None:
    """The person stays in the words of the button."""
    reply = await typing("why luis opn dt")

    assert "why luis topic:open-data" in commands_of(reply)
    assert plain(await typing("why luis topic:open-data")).startswith("Why Luis")


async def test_a_name_of_two_words_survives_a_suggestion(typing: CommandTyper) -> None:
    """Native options give whole names; the button must say the same person."""
    given = {"person": ("Luis Ángel Rojas",), "topic": ("opn dt",)}
    for verb in ("why", "endorse"):
        reply = await typing(verb, values=given)
        pressed = next(c for c in commands_of(reply) if "open-data" in c)
        assert "Luis Ángel Rojas" in plain(await typing(pressed)), pressed
        assert isinstance(await typing(pressed), Card)


async def test_of_several_people_one_is_chosen_by_number(
    typing: CommandTyper, joining: Joining
) -> None:
    """The choice carries the number and the topic."""
    number = await joining(key="luis2", name="Luis Alba", city="denver-co-us",
                           knows={"open-data": 1})  # fmt: skip
    reply = await typing("why luis open data")

    pressed = button(reply, "Luis Alba, Denver, CO").command
    assert pressed.startswith(f"why {number} ")
    assert plain(await typing(pressed)).startswith("Why Luis Alba for open data")


# --- endorsing --------------------------------------------------------------------------------


async def endorsements(engine: AsyncEngine) -> tuple[int, int]:
    """(counted beside Luis's open data, rows there are)."""
    async with transaction(engine) as session:
        tie = await session.scalar(
            select(Expertise).where(Expertise.member_id == 3).order_by(Expertise.id)
        )
        assert tie is not None
        rows = await session.scalars(select(Endorsement).where(Endorsement.expertise_id == tie.id))
        return tie.endorsements, len(rows.all())


@pytest.mark.both
async def test_one_endorses_once_and_takes_it_back_at_will(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Said twice it counts once; taken back twice it is gone once; each act is audited once."""
    for _ in range(2):
        reply = await typing("endorse luis open data")
        assert "You endorse Luis Ángel Rojas for open data." in plain(reply)
        assert await endorsements(engine) == (1, 1)
    assert "one endorsement" in plain(reply)
    assert "endorse 3 open-data withdraw:yes" in commands_of(reply)
    for _ in range(2):
        reply = await typing("endorse 3 open-data withdraw:yes")
        assert "no longer endorse" in plain(reply)
        assert await endorsements(engine) == (0, 0)
    async with transaction(engine) as session:
        actions = (await session.scalars(select(Audit.action).order_by(Audit.id))).all()
    assert list(actions) == ["endorsed", "endorsement withdrawn"]


async def test_an_endorsement_lifts_a_person_over_an_equal(
    typing: CommandTyper, joining: Joining
) -> None:
    """And the reason is shown."""
    for key in ("one", "two"):
        await joining(key=key, knows={"gis": 2}, city="denver-co-us")
    assert titles_of(await typing("who-does gis in:denver")) == ["One", "Two"]

    await typing("endorse two gis")
    reply = await typing("who-does gis in:denver")
    assert titles_of(reply) == ["Two", "One"]
    assert "endorsed by one colleague" in plain(reply)


async def test_one_cannot_endorse_oneself_nor_what_is_hidden(
    typing: CommandTyper, joining: Joining, engine: AsyncEngine
) -> None:
    """Kindly refused, nothing written."""
    await joining(key="shy", knows={"gis": 3}, seen={"topics": "nobody"})
    for words in ("endorse maya open data", "endorse shy gis", "endorse uma open data",
                  "endorse sam open data", "endorse luis gis"):  # fmt: skip
        await typing(words)

    assert "can't endorse yourself" in plain(await typing("endorse maya open data"))
    async with transaction(engine) as session:
        assert (await session.scalars(select(Endorsement))).all() == []


@pytest.mark.both
async def test_endorsements_at_the_same_time_are_all_counted(
    typing: CommandTyper, engine: AsyncEngine, hub: Hub
) -> None:
    """Five colleagues in the same second, one of them twice."""
    asking = ("maya", "ben", "ines", "remi", "zoe", "zoe")
    replies = await asyncio.gather(
        *(hub(Request(sender(who), "endorse luis open data")) for who in asking)
    )

    assert all("Sorry" not in plain(r) for r in replies)
    assert await endorsements(engine) == (5, 5)


async def test_who_hides_their_topics_afterwards_leaves_no_trace(typing: CommandTyper) -> None:
    """Not even to those who endorsed one of them."""
    await typing("endorse luis open data")
    await typing("profile seen-topics:nobody", as_="luis")

    said = plain(await typing("who-is luis"))
    assert "open data" not in said
    assert "open-data" not in said


async def test_a_part_of_a_topic_means_the_one_that_the_person_knows(typing: CommandTyper) -> None:
    """Of several with the word; if that leaves several, they are buttons."""
    assert "You endorse Rémi Gagnon for data governance." in plain(
        await typing("endorse Rémi Gagnon governance")
    )
    reply = await typing("endorse ines data")
    assert commands_of(reply) == [
        "endorse ines topic:open-data", "endorse ines topic:data-inventory"
    ]  # fmt: skip
