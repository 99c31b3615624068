"""Who does what, who somebody is, why they come first, and vouching for them."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import Card, Form, Text, plain
from bot.hub import Hub
from bot.request import Request
from db.audit import Audit
from db.base import unit
from db.directory import Endorsement, Expertise
from tests.cast import sender
from tests.conftest import Counted, Typing
from tests.reading import button, commands_of, entries_of, field, problems_of, titles_of

Joining = Callable[..., Awaitable[int]]
Counting = Callable[[], AbstractContextManager[Counted]]
ALL_FIVE = ["Ben Ortiz", "Luis Ángel Rojas", "Inês Albuquerque", "Carl Quiet", "Zoe King"]


# --- who-does ---------------------------------------------------------------------------------


@pytest.mark.both
async def test_colleagues_come_first_then_open_people_then_the_others(typing: Typing) -> None:
    """Own city, skill, those not taking questions, those who are full; never oneself."""
    assert titles_of(await typing("who-does open data")) == ALL_FIVE


@pytest.mark.parametrize(
    "said",
    [
        "datos abiertos", "dados abertos", "données ouvertes", "donnees ouvertes",
        "DONNÉES OUVERTES", "donne\u0301es ouvertes", "opne data", "open-data", "open_data",
        "Open  Data", "opendata", "open government data",
    ],
)  # fmt: skip
async def test_a_topic_has_many_names(typing: Typing, said: str) -> None:
    """Synonyms, typos, accents, hyphens and four languages mean the same people."""
    reply = await typing(f"who-does {said}")

    assert titles_of(reply) == ALL_FIVE
    assert plain(reply).startswith("Who does open data\n")


async def test_a_corrected_word_is_said_so(typing: Typing) -> None:
    """A guess is never silent; a plain synonym needs no remark."""
    assert "«opne data»" in plain(await typing("who-does opne data"))
    assert "«datos abiertos»" not in plain(await typing("who-does datos abiertos"))


@pytest.mark.both
@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("in:brazil", ["Inês Albuquerque"]),
        ("in:brasil", ["Inês Albuquerque"]),
        ('in:"América Latina"', ["Luis Ángel Rojas", "Inês Albuquerque"]),
        ("in:latam speaks:es", ["Luis Ángel Rojas"]),
        ("in:bogota", ["Luis Ángel Rojas"]),
        ("in:boston", ["Ben Ortiz"]),
        ("in:MA", ["Ben Ortiz"]),
        ("level:gold", ["Ben Ortiz"]),
        ("level:GOLD", ["Ben Ortiz"]),
        ("level:silver", ["Carl Quiet"]),
        ("speaks:pt", ["Inês Albuquerque"]),
        ("speaks:português", ["Inês Albuquerque"]),
        ("pop:>5m", ["Luis Ángel Rojas"]),
        ("pop:1m-2m", ["Inês Albuquerque"]),
        ("pop:<600k", ["Carl Quiet"]),
        ("pop:500k-700k level:gold in:us", ["Ben Ortiz"]),
    ],
)
async def test_filters_narrow_the_list(typing: Typing, filters: str, expected: list[str]) -> None:
    """Place, level, language and size, alone and together."""
    reply = await typing(f"who-does open data {filters}")

    assert titles_of(reply) == expected
    assert isinstance(reply, Card)
    assert any(isinstance(part, Text) and part.quiet for part in reply.parts)


async def test_nobody_fits_all_of_that_and_the_way_out_is_a_button(typing: Typing) -> None:
    """Honest emptiness offers the question without its filters."""
    reply = await typing("who-does open data in:brazil level:gold")

    assert "Nobody fits all of that." in plain(reply)
    assert titles_of(await typing(button(reply, "Everybody, anywhere").command)) == ALL_FIVE


async def test_a_topic_that_nobody_shows_leads_to_its_neighbours(typing: Typing) -> None:
    """No dead end."""
    reply = await typing("who-does open data licensing")

    assert "Nobody in the directory shows that they work on this yet." in plain(reply)
    assert "who-does open-data" in commands_of(reply)
    assert "who-does gis" not in commands_of(reply)


@pytest.mark.parametrize(
    ("words", "name", "quoted"),
    [
        ("who-does gis in:qqxxqq", "place", "qqxxqq"),
        ("who-does gis pop:plenty", "population", "plenty"),
        ("who-does gis pop:500k-100k", "population", "500k-100k"),
    ],
)
async def test_a_filter_that_cannot_be_read_is_quoted_beside_its_field(
    typing: Typing, words: str, name: str, quoted: str
) -> None:
    """The rest of the question stays in the form."""
    reply = await typing(words)

    assert f"«{quoted}»" in problems_of(reply)[name]
    assert field(reply, "topic").value == ("gis",)


async def test_a_misspelt_place_gets_the_nearest_ones_as_buttons(typing: Typing) -> None:
    """The press asks the whole question again."""
    assert titles_of(await typing("who-does open data in:bostn")) == ["Ben Ortiz"]
    reply = await typing('who-does open data in:"bosnia"')
    pressed = button(reply, "Boston, MA").command

    assert pressed == 'who-does open data in:"Boston, MA"'
    assert titles_of(await typing(pressed)) == ["Ben Ortiz"]


@pytest.mark.both
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("trees", ["Ben Ortiz"]),
        ("tree", ["Ben Ortiz"]),
        ("bicycle lane", ["Ben Ortiz"]),
        ("bibliotheque", ["Rémi Gagnon"]),
        ("bibliothèques", ["Rémi Gagnon"]),
        ("veedor", ["Luis Ángel Rojas"]),
        ("catalogos prefeitura", ["Inês Albuquerque"]),
        ("luis angel", ["Luis Ángel Rojas"]),
        ("recife", ["Inês Albuquerque"]),
    ],
)
async def test_words_that_are_no_topic_search_profiles(
    typing: Typing, said: str, expected: list[str]
) -> None:
    """With stems in four languages, and without accents."""
    reply = await typing(f"who-does {said}")

    assert titles_of(reply) == expected
    assert f"People who mention «{said}»" in plain(reply)


async def test_filters_hold_for_free_text_too(typing: Typing) -> None:
    """A search for words is narrowed like a topic."""
    assert titles_of(await typing("who-does data in:brazil")) == ["Inês Albuquerque"]


async def test_nothing_found_is_said_and_the_nearest_topics_are_offered(typing: Typing) -> None:
    """«Did you mean»."""
    reply = await typing("who-does govrnc dta")

    assert "I found no topic and nobody for «govrnc dta»." in plain(reply)
    assert "who-does data governance" in commands_of(reply)


async def test_pages_hold_five_and_the_last_has_no_more(typing: Typing, joining: Joining) -> None:
    """Nobody twice, nobody left out."""
    for n in range(7):
        await joining(key=f"gis{n}", name=f"Gis Person {n}", knows={"gis": 2},
                      city="denver-co-us")  # fmt: skip
    seen: list[str] = []
    words = "who-does gis in:us"
    for expected in (5, 3):
        reply = await typing(words, as_="luis")
        seen += titles_of(reply)
        assert len(titles_of(reply)) == expected
        onward = [c for c in commands_of(reply) if "page:" in c]
        assert len(onward) == (1 if expected == 5 else 0)
        words = onward[0] if onward else ""
    assert sorted(seen) == sorted(["Ben Ortiz", *(f"Gis Person {n}" for n in range(7))])


async def test_a_page_beyond_the_last_is_no_crash(typing: Typing) -> None:
    """Old buttons may be pressed when the list has become shorter."""
    assert isinstance(await typing("who-does open data page:12"), Card)
    for page in ("0", "13", "-1", "x", "99999999999999999999"):
        assert isinstance(await typing(f"who-does open data page:{page}"), Card | Form)


async def test_the_longest_question_still_pages_to_the_same_question(
    typing: Typing, joining: Joining
) -> None:
    """A button that cannot carry the whole question must not ask another one."""
    for n in range(7):
        await joining(key=f"p{n}", name=f"Person {n}", knows={"gis": 2}, city="boston-ma-us")
    name = "geographic information systems"
    reply = await typing(f'who-does {name} in:"United States" level:gold speaks:en pop:500k-700k')

    for command in commands_of(reply):
        if "page:" in command or command.startswith("who-does"):
            again = await typing(command)
            assert command.endswith("page:2")
            assert set(titles_of(again)).isdisjoint(titles_of(reply))


@pytest.mark.both
async def test_the_load_is_spread(typing: Typing, joining: Joining) -> None:
    """Who was asked often comes after an equal who was not; who is full comes last."""
    for key, taken, most in (("busy", 3, None), ("free", 0, None), ("full", 1, 1)):
        await joining(key=key, knows={"gis": 2}, asks_taken=taken, asks=most, city="denver-co-us")

    assert titles_of(await typing("who-does gis in:denver")) == ["Free", "Busy", "Full"]


async def test_a_new_month_empties_everybodys_count(
    typing: Typing, clock: Any, joining: Joining
) -> None:
    """Asks are counted by month."""
    await joining(key="full", knows={"gis": 2}, asks_taken=1, asks=1, city="denver-co-us")
    assert "as many questions" in plain(await typing("who-does gis in:denver"))

    clock.go_on(days=7)
    assert "as many questions" not in plain(await typing("who-does gis in:denver"))


@pytest.mark.both
async def test_an_answer_costs_few_queries(typing: Typing, query_count: Counting) -> None:
    """Once the vocabulary is in memory: who asks, and the people to be ranked and shown."""
    await typing("help")

    for words, most in (
        ("who-does open data", 2),
        ("who-does open data in:brazil level:gold speaks:pt", 2),
        ("who-does trees", 4),
        ("who-does qqqqqq", 4),
        ("why 3 open data", 4),
        ("who-is luis", 5),
        ("city boston", 4),
        ("topics", 2),
        ("topics open data", 2),
        ("home", 6),
        ("help", 1),
    ):
        with query_count() as counted:
            await typing(words)
        assert counted.number <= most, (words, counted.statements)


async def test_the_number_of_people_does_not_change_the_number_of_queries(
    typing: Typing, joining: Joining, query_count: Counting
) -> None:
    """No query per person shown."""
    await typing("help")
    with query_count() as before:
        await typing("who-does gis")
    for n in range(5):
        await joining(key=f"g{n}", knows={"gis": 2, "metadata": 1}, city="denver-co-us")
    with query_count() as after:
        await typing("who-does gis")
    assert after.number == before.number


# --- who-is -----------------------------------------------------------------------------------


@pytest.mark.both
@pytest.mark.parametrize(
    "said", ["Luis Ángel Rojas", "luis angel", "LUIS", "rojas luis", "<@luis>", "3", "@Luis"]
)
async def test_a_person_is_found_by_any_part_of_the_name_a_mention_or_the_number(
    typing: Typing, said: str
) -> None:
    """Without accents, in any order."""
    assert plain(await typing(f"who-is {said}")).startswith("Luis Ángel Rojas\n")


async def test_several_people_of_a_name_are_listed_own_city_first(
    typing: Typing, joining: Joining
) -> None:
    """Their places tell them apart."""
    await joining(key="luis2", name="Luis Alba", city="boston-ma-us")
    reply = await typing("who-is luis")

    assert titles_of(reply) == ["Luis Alba", "Luis Ángel Rojas"]
    assert "Boston, MA" in plain(reply)


@pytest.mark.both
@pytest.mark.parametrize(
    "said",
    ["Uma Unlisted", "Sam Suspended", "Nobody Atall", "8", "9", "999", "%", "_", "@", "\u0301",
     "99999999999", "2147483648", "٣"],
)  # fmt: skip
async def test_hidden_and_absent_people_get_the_same_answer(typing: Typing, said: str) -> None:
    """Unlisted, suspended, never there: nobody of that name."""
    reply = await typing(f"who-is {said}")

    assert "Nobody in the directory is called" in problems_of(reply)["person"]
    for hidden in ("Uma Unlisted", "Sam Suspended"):
        assert plain(reply).count(hidden) <= (2 if hidden == said else 0)


async def test_a_mention_of_a_hidden_an_absent_and_a_pending_account_is_answered_alike(
    typing: Typing,
) -> None:
    """A mention proves only that the account exists on the platform."""
    said = {plain(await typing(f"who-is <@{who}>")) for who in ("uma", "sam", "pat", "U404")}

    assert len(said) == 1
    assert "not in the directory" in said.pop()


async def test_one_sees_oneself_though_unlisted(typing: Typing) -> None:
    """With the button to edit."""
    reply = await typing("who-is uma", as_="uma")

    assert plain(reply).startswith("Uma Unlisted\n")
    assert "profile edit" in commands_of(reply)


async def test_a_profile_shows_what_can_be_done_next(typing: Typing) -> None:
    """Endorse what they know, see their city."""
    reply = await typing("who-is luis")
    said = plain(reply)

    assert "Jefe de datos" in said
    assert "Speaks: Español, English" in said
    assert "Local time: 10:00" in said
    assert commands_of(reply) == [
        "intro 3", "endorse 3 open-data", "endorse 3 civic-tech", "city bogota-co",
        "report 3",
    ]  # fmt: skip


async def test_working_hours_are_for_colleagues_unless_one_says_otherwise(
    typing: Typing,
) -> None:
    """The default of that field is one's own city."""
    assert "Working hours" in plain(await typing("who-is ben"))
    assert "Working hours" not in plain(await typing("who-is ben", as_="luis"))


# --- why --------------------------------------------------------------------------------------


def number(line: str) -> int:
    """The number that a line begins with, as English writes it."""
    return int(line.split()[0].replace("−", "-").replace(",", ""))


@pytest.mark.both
async def test_the_reasons_are_those_that_made_the_order(typing: Typing) -> None:
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


async def test_why_takes_a_name_a_mention_and_quotes(typing: Typing) -> None:
    """One word for the person, free words for the topic."""
    wanted = plain(await typing("why 3 open data"))

    for words in ("why luis open data", "why <@luis> datos abiertos",
                  'why "Luis Ángel" open data', 'why topic:"open data" person:3',
                  "why Luis Ángel Rojas open data", "why luis rojas opne data"):  # fmt: skip
        assert plain(await typing(words)) == wanted
    assert wanted.startswith("Why Luis Ángel Rojas for open data")


async def test_a_whole_name_needs_no_quotes(typing: Typing, joining: Joining) -> None:
    """A short last name is no typo of the topic; a form says which words are whose."""
    await joining(key="vo", name="Ben Vo", city="denver-co-us", knows={"open-data": 1})

    assert "You endorse Ben Vo for open data." in plain(await typing("endorse Ben Vo open data"))
    given = {"person": ("ben",), "topic": ("vo open data",)}
    form = await typing("endorse", values=given, submitted=True)
    assert "«ben»" in problems_of(form)["person"]


async def test_one_of_several_namesakes_is_one_press_away(typing: Typing, joining: Joining) -> None:
    """The button says the number and the topic alone, also where the name had two words."""
    for city in ("denver-co-us", "boston-ma-us"):
        await joining(key=f"vo-{city}", name="Ben Vo", city=city, knows={"open-data": 1})

    several = await typing("endorse Ben Vo opne data withdraw:no")
    assert "Several people fit «Ben Vo»." in plain(several)
    pressed = commands_of(several)
    assert len(pressed) == 2
    assert {plain(await typing(words)).splitlines()[1] for words in pressed} == {
        "You endorse Ben Vo for open data."
    }


async def test_a_form_names_the_nearest_where_it_has_no_buttons(
    typing: Typing, joining: Joining
) -> None:
    """Whom one may have meant stands in the sentence beside the field."""
    await joining(key="vo", name="Ben Vo", city="denver-co-us", knows={"open-data": 1})

    given = {"person": ("ben",), "topic": ("open data",)}
    said = problems_of(await typing("endorse", values=given, submitted=True))["person"]
    assert said.startswith("Several people fit «ben». Did you mean «Ben Ortiz, Boston, MA")
    assert "Ben Vo, Denver, CO" in said

    given = {"person": ("luis",), "topic": ("opn dt",)}
    said = problems_of(await typing("endorse", values=given, submitted=True))["topic"]
    assert "Did you mean «open data" in said


async def test_there_is_no_why_for_what_somebody_does_not_show(
    typing: Typing, joining: Joining
) -> None:
    """Hidden and absent knowledge are refused in the same words."""
    await joining(key="shy", name="Shy One", knows={"gis": 3}, seen={"topics": "nobody"})

    hidden = plain(await typing("why shy gis")).replace("GIS", "")
    absent = plain(await typing("why shy metadata"))
    assert "does not show" in hidden
    assert "does not show" in absent
    assert len(hidden.splitlines()) == len(absent.splitlines())


async def test_an_unknown_topic_gets_the_nearest_as_buttons(typing: Typing) -> None:
    """The person stays in the words of the button."""
    reply = await typing("why luis opn dt")

    assert "why luis topic:open-data" in commands_of(reply)
    assert plain(await typing("why luis topic:open-data")).startswith("Why Luis")


async def test_a_name_of_two_words_survives_a_suggestion(typing: Typing) -> None:
    """Native options give whole names; the button must say the same person."""
    given = {"person": ("Luis Ángel Rojas",), "topic": ("opn dt",)}
    for verb in ("why", "endorse"):
        reply = await typing(verb, values=given)
        pressed = next(c for c in commands_of(reply) if "open-data" in c)
        assert "Luis Ángel Rojas" in plain(await typing(pressed)), pressed
        assert isinstance(await typing(pressed), Card)


async def test_of_several_people_one_is_chosen_by_number(typing: Typing, joining: Joining) -> None:
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
    async with unit(engine) as session:
        tie = await session.scalar(
            select(Expertise).where(Expertise.member_id == 3).order_by(Expertise.id)
        )
        assert tie is not None
        rows = await session.scalars(select(Endorsement).where(Endorsement.expertise_id == tie.id))
        return tie.endorsements, len(rows.all())


@pytest.mark.both
async def test_one_endorses_once_and_takes_it_back_at_will(
    typing: Typing, engine: AsyncEngine
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
    async with unit(engine) as session:
        actions = (await session.scalars(select(Audit.action).order_by(Audit.id))).all()
    assert list(actions) == ["endorsed", "endorsement withdrawn"]


async def test_an_endorsement_lifts_a_person_over_an_equal(
    typing: Typing, joining: Joining
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
    typing: Typing, joining: Joining, engine: AsyncEngine
) -> None:
    """Kindly refused, nothing written."""
    await joining(key="shy", knows={"gis": 3}, seen={"topics": "nobody"})
    for words in ("endorse maya open data", "endorse shy gis", "endorse uma open data",
                  "endorse sam open data", "endorse luis gis"):  # fmt: skip
        await typing(words)

    assert "cannot endorse yourself" in plain(await typing("endorse maya open data"))
    async with unit(engine) as session:
        assert (await session.scalars(select(Endorsement))).all() == []


@pytest.mark.both
async def test_endorsements_at_the_same_time_are_all_counted(
    typing: Typing, engine: AsyncEngine, hub: Hub
) -> None:
    """Five colleagues in the same second, one of them twice."""
    asking = ("maya", "ben", "ines", "remi", "zoe", "zoe")
    replies = await asyncio.gather(
        *(hub(Request(sender(who), "endorse luis open data")) for who in asking)
    )

    assert all("Sorry" not in plain(r) for r in replies)
    assert await endorsements(engine) == (5, 5)


async def test_who_hides_their_topics_afterwards_leaves_no_trace(typing: Typing) -> None:
    """Not even to those who endorsed one of them."""
    await typing("endorse luis open data")
    await typing("profile seen-topics:nobody", as_="luis")

    said = plain(await typing("who-is luis"))
    assert "open data" not in said
    assert "open-data" not in said


# --- suggestions ------------------------------------------------------------------------------


async def test_topics_are_suggested_in_the_readers_language(hub: Hub) -> None:
    """Whatever language was typed."""
    for who, label in (("maya", "open data"), ("luis", "datos abiertos"),
                       ("ines", "dados abertos"), ("remi", "données ouvertes")):  # fmt: skip
        offered = await hub.suggest(Request(sender(who)), "who-does", "topic", "open data")
        assert label in [o.label for o in offered], who


async def test_places_and_people_are_suggested(hub: Hub) -> None:
    """People by number, so that namesakes stay apart; the hidden not at all."""
    asked = Request(sender("maya"))
    places = [o.label for o in await hub.suggest(asked, "who-does", "place", "bra")]
    assert "Brazil" in places

    found = await hub.suggest(asked, "who-is", "person", "bogot")
    assert [o.value for o in found] == ["bogot"]
    people = await hub.suggest(asked, "who-is", "person", "luis")
    assert ("Luis Ángel Rojas, Bogotá, Colombia", "3") in [(o.label, o.value) for o in people]
    for hidden in ("Uma", "Sam", "Noor"):
        assert [o.value for o in await hub.suggest(asked, "who-is", "person", hidden)] == [hidden]
    assert [o.value for o in await hub.suggest(asked, "who-is", "person", "l")] == ["l"]
