"""Who does what, and who somebody is."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from bot.cards import Card, Form, Text, plain
from bot.hub import Hub
from bot.request import Request
from tests.cast import sender
from tests.conftest import CommandTyper, StatementCounter
from tests.reading import button, commands_of, field, problems_of, titles_of

Joining = Callable[..., Awaitable[int]]
Counting = Callable[[], AbstractContextManager[StatementCounter]]
ALL_FIVE = ["Ben Ortiz", "Luis Ángel Rojas", "Inês Albuquerque", "Carl Quiet", "Zoe King"]


# --- who-does ---------------------------------------------------------------------------------


@pytest.mark.both
async def test_colleagues_come_first_then_open_people_then_the_others(typing: CommandTyper) -> None:
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
async def test_a_topic_has_many_names(typing: CommandTyper, said: str) -> None:
    """Synonyms, typos, accents, hyphens and four languages mean the same people."""
    reply = await typing(f"who-does {said}")

    assert titles_of(reply) == ALL_FIVE
    assert plain(reply).startswith("Who does open data\n")


async def test_a_corrected_word_is_said_so(typing: CommandTyper) -> None:
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
        ("in:Massachusetts", ["Ben Ortiz"]),
        ("in massachusetts", ["Ben Ortiz"]),
        ("near providence", ["Ben Ortiz"]),
        ("en Colombie", ["Luis Ángel Rojas"]),
        ("em Pernambuco", ["Inês Albuquerque"]),
        ("in:maryland", ["Carl Quiet"]),
        ("in colorad", ["Zoe King"]),
        ("Colombia", ["Luis Ángel Rojas"]),
        ("speaks:spanish in:colombia", ["Luis Ángel Rojas"]),
        ("speaks:portugais", ["Inês Albuquerque"]),
        ("in usa speaks:inglés level:gold", ["Ben Ortiz"]),
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
async def test_filters_narrow_the_list(
    typing: CommandTyper, filters: str, expected: list[str]
) -> None:
    """Place, level, language and size, alone and together."""
    reply = await typing(f"who-does open data {filters}")

    assert titles_of(reply) == expected
    assert isinstance(reply, Card)
    assert any(isinstance(part, Text) and part.quiet for part in reply.parts)


async def test_nobody_fits_all_of_that_and_the_way_out_is_a_button(typing: CommandTyper) -> None:
    """Honest emptiness offers the question without its filters."""
    reply = await typing("who-does open data in:brazil level:gold")

    assert "No one matches all of that." in plain(reply)
    assert titles_of(await typing(button(reply, "Everyone, everywhere").command)) == ALL_FIVE


async def test_a_topic_that_nobody_shows_leads_to_its_neighbours(typing: CommandTyper) -> None:
    """No dead end."""
    reply = await typing("who-does open data licensing")

    assert "No one in the directory lists this as their work yet." in plain(reply)
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
    typing: CommandTyper, words: str, name: str, quoted: str
) -> None:
    """The rest of the question stays in the form."""
    reply = await typing(words)

    assert f"«{quoted}»" in problems_of(reply)[name]
    assert field(reply, "topic").value == ("gis",)


async def test_a_place_of_which_nobody_is_here_is_named_and_others_are_buttons(
    typing: CommandTyper,
) -> None:
    """A known state, and a place that does not exist; the topic stays."""
    reply = await typing("who-does open data en jalisco")
    assert "No city in Jalisco is here yet." in plain(reply)
    assert commands_of(reply)[0] == "who-does open data in:Mexico"
    unknown = await typing("who-does open data in bosnya")
    assert "I don't know a place called «bosnya»." in plain(unknown)
    assert 1 <= len(commands_of(unknown)) <= 3
    assert "Place: Texas" in plain(await typing("who-does open data in tx"))


async def test_a_misspelt_place_gets_the_nearest_ones_as_buttons(typing: CommandTyper) -> None:
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
    typing: CommandTyper, said: str, expected: list[str]
) -> None:
    """With stems in four languages, and without accents."""
    reply = await typing(f"who-does {said}")

    assert titles_of(reply) == expected
    assert f"People who mention «{said}»" in plain(reply)


async def test_a_part_of_a_name_leads_to_its_topic(typing: CommandTyper) -> None:
    """And what was read is said; it is never «not one of our topics»."""
    for words in ("tech", "tecnología", "technologies", "tecnologias"):
        reply = await typing(f"who-does {words}")
        assert titles_of(reply) == ["Luis Ángel Rojas"], words
        assert f"I read «{words}» as civic tech." in plain(reply)


@pytest.mark.both
async def test_a_word_of_several_topics_is_a_choice_with_numbers_of_people(
    typing: CommandTyper, joining: Joining
) -> None:
    """Most people first; a press keeps the filters and the other topic."""
    await joining(key="eq", name="Eve Quity", knows={"budget-equity": 2}, city="denver-co-us")
    reply = await typing("who-does budget in:us level:gold")
    assert commands_of(reply)[0] == "who-does budget-equity in:us level:gold"
    assert button(reply, "budget equity (1)")
    assert "not one of our topics" not in plain(reply)
    assert titles_of(await typing("who-does presupuesto in:us")) == []
    assert len(commands_of(await typing("who-does data"))) > 25
    both = await typing("who-does presupuesto y open data in:us")
    pressed = button(both, "budget equity (1)").command
    assert pressed == "who-does budget-equity, open data in:us"
    assert "Eve Quity" in titles_of(await typing(pressed))


@pytest.mark.both
async def test_two_topics_at_once_name_those_who_know_both_first(
    typing: CommandTyper, joining: Joining, query_count: Counting
) -> None:
    """In as few queries as one topic, with the topics of each; nobody is hidden or doubled."""
    for n in range(70):
        await joining(key=f"o{n}", name=f"Only {n}", knows={"open-data": 3}, city="denver-co-us")
    await typing("help")
    await joining(key="w", name="Wilma Both", knows={"open-data": 1, "gis": 1}, open=False)
    for words in ("open data and gis", "datos abiertos y sig", "gis & open data", "gis, open data"):
        with query_count() as counted:
            reply = await typing(f"who-does {words}")
        assert counted.number <= 3
        assert titles_of(reply)[:2] == ["Ben Ortiz", "Wilma Both"], words
        assert "2 people know all of these topics and come first." in plain(reply)
    assert "GIS and open data · works in your city" in plain(reply)
    assert "page:2" in " ".join(commands_of(reply))
    none = await typing("who-does metadata + civic tech", as_="zoe")
    assert "Nobody lists all of these topics yet." in plain(none)
    assert titles_of(none) == ["Maya Chen", "Luis Ángel Rojas"]


async def test_filters_hold_for_free_text_too(typing: CommandTyper) -> None:
    """A search for words is narrowed like a topic."""
    assert titles_of(await typing("who-does prefeitura in:brazil")) == ["Inês Albuquerque"]


async def test_nothing_found_is_said_and_the_nearest_topics_are_offered(
    typing: CommandTyper,
) -> None:
    """«Did you mean»."""
    reply = await typing("who-does govrnc dta")

    assert "I found no topic and nobody for «govrnc dta»." in plain(reply)
    assert "who-does data governance" in commands_of(reply)


async def test_pages_hold_five_and_the_last_has_no_more(
    typing: CommandTyper, joining: Joining
) -> None:
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


async def test_a_page_beyond_the_last_is_no_crash(typing: CommandTyper) -> None:
    """Old buttons may be pressed when the list has become shorter."""
    assert isinstance(await typing("who-does open data page:12"), Card)
    for page in ("0", "13", "-1", "x", "99999999999999999999"):
        assert isinstance(await typing(f"who-does open data page:{page}"), Card | Form)


async def test_the_longest_question_still_pages_to_the_same_question(
    typing: CommandTyper, joining: Joining
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
async def test_the_load_is_spread(typing: CommandTyper, joining: Joining) -> None:
    """Who was asked often comes after an equal who was not; who is full comes last."""
    for key, taken, most in (("busy", 3, None), ("free", 0, None), ("full", 1, 1)):
        await joining(key=key, knows={"gis": 2}, asks_taken=taken, asks=most, city="denver-co-us")

    assert titles_of(await typing("who-does gis in:denver")) == ["Free", "Busy", "Full"]


async def test_a_new_month_empties_everybodys_count(
    typing: CommandTyper, clock: Any, joining: Joining
) -> None:
    """Asks are counted by month."""
    await joining(key="full", knows={"gis": 2}, asks_taken=1, asks=1, city="denver-co-us")
    assert "limit of questions" in plain(await typing("who-does gis in:denver"))

    clock.advance(days=7)
    assert "limit of questions" not in plain(await typing("who-does gis in:denver"))


@pytest.mark.both
async def test_an_answer_costs_few_queries(typing: CommandTyper, query_count: Counting) -> None:
    """Once the vocabulary is in memory: who asks, the people to rank, whom the asker talks to."""
    await typing("help")

    for words, most in (
        ("who-does open data", 3),
        ("who-does open data in:brazil level:gold speaks:pt", 3),
        ("who-does trees", 5),
        ("who-does qqqqqq", 4),
        ("why 3 open data", 5),
        ("who-is luis", 6),
        ("city boston", 5),
        ("topics", 2),
        ("topics open data", 2),
        ("home", 10),
        ("help", 1),
    ):
        with query_count() as counted:
            await typing(words)
        assert counted.number <= most, (words, counted.statements)


async def test_the_number_of_people_does_not_change_the_number_of_queries(
    typing: CommandTyper, joining: Joining, query_count: Counting
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
    typing: CommandTyper, said: str
) -> None:
    """Without accents, in any order."""
    assert plain(await typing(f"who-is {said}")).startswith("Luis Ángel Rojas\n")


async def test_several_people_of_a_name_are_listed_own_city_first(
    typing: CommandTyper, joining: Joining
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
async def test_hidden_and_absent_people_get_the_same_answer(
    typing: CommandTyper, said: str
) -> None:
    """Unlisted, suspended, never there: nobody of that name."""
    reply = await typing(f"who-is {said}")

    assert "No one in the directory is called" in problems_of(reply)["person"]
    for hidden in ("Uma Unlisted", "Sam Suspended"):
        assert plain(reply).count(hidden) <= (2 if hidden == said else 0)


async def test_a_mention_of_a_hidden_an_absent_and_a_pending_account_is_answered_alike(
    typing: CommandTyper,
) -> None:
    """A mention proves only that the account exists on the platform."""
    said = {plain(await typing(f"who-is <@{who}>")) for who in ("uma", "sam", "pat", "U404")}

    assert len(said) == 1
    assert "isn't in the directory" in said.pop()


async def test_one_sees_oneself_though_unlisted(typing: CommandTyper) -> None:
    """With the button to edit."""
    reply = await typing("who-is uma", as_="uma")

    assert plain(reply).startswith("Uma Unlisted\n")
    assert "profile edit" in commands_of(reply)


async def test_a_profile_shows_what_can_be_done_next(typing: CommandTyper) -> None:
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
    typing: CommandTyper,
) -> None:
    """The default of that field is one's own city."""
    assert "Working hours" in plain(await typing("who-is ben"))
    assert "Working hours" not in plain(await typing("who-is ben", as_="luis"))


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
