"""Cities: public facts for everybody, people and strengths for members."""

import pytest

from bot.cards import plain
from bot.hub import Hub
from bot.request import Request
from tests.cast import sender
from tests.conftest import CommandTyper
from tests.reading import button, commands_of, titles_of


@pytest.mark.parametrize(
    ("said", "place"),
    [("CDMX", "Ciudad de México, Mexico"), ("mexico city", "Ciudad de México, Mexico"),
     ("sao paulo", "São Paulo, Brazil"), ("Sampa", "São Paulo, Brazil"), ("BOGOTA", "Bogotá"),
     ("bogotá", "Bogotá"), ("santa fe de bogota", "Bogotá"), ("MTL", "Montréal, QC"),
     ("bostn", "Boston, MA"), ("Boston, MA", "Boston, MA"), ("boston-ma-us", "Boston, MA"),
     ("kansas city mo", "Kansas City, MO")],
)  # fmt: skip
async def test_a_city_has_many_names(typing: CommandTyper, said: str, place: str) -> None:
    """Short ones, older ones, without accents, misspelt, as a place, as a slug."""
    assert plain(await typing(f"city {said}")).startswith(place)


@pytest.mark.parametrize("name", ["Rochester", "Kansas City"])
async def test_namesakes_are_told_apart_by_their_state(typing: CommandTyper, name: str) -> None:
    """Neither is chosen silently; each button leads to one of them."""
    reply = await typing(f"city {name}")

    assert f"several cities called «{name}»" in plain(reply)
    assert len(commands_of(reply)) == 2
    titles = {plain(await typing(c)).splitlines()[0] for c in commands_of(reply)}
    assert len(titles) == 2
    assert all(title.startswith(f"{name}, ") for title in titles)


async def test_an_unknown_city_gets_the_nearest(typing: CommandTyper) -> None:
    """As buttons."""
    reply = await typing("city bosnia")

    assert "I don't know a city called «bosnia»." in plain(reply)
    assert plain(await typing(button(reply, "Boston, MA").command)).startswith("Boston, MA")


async def test_members_see_the_people_of_a_city_and_what_they_know(typing: CommandTyper) -> None:
    """Listed people only."""
    reply = await typing("city boston")

    assert {"Ben Ortiz", "Maya Chen"} <= set(titles_of(reply))
    assert "Uma Unlisted" not in plain(reply)
    assert any(c.startswith("who-does ") for c in commands_of(reply))
    for command in commands_of(reply):
        assert "Sorry" not in plain(await typing(command))


async def test_a_city_without_people_says_so(typing: CommandTyper) -> None:
    """Honest emptiness."""
    assert "No one from here is in the directory yet." in plain(await typing("city fargo"))


async def test_outside_the_community_facts_only(typing: CommandTyper) -> None:
    """Level and population, no person."""
    said = plain(await typing("city boston", as_="newcomer"))

    assert "Gold 2024" in said
    assert "653,833" in said
    assert "Ben Ortiz" not in said


async def test_numbers_have_the_readers_form(typing: CommandTyper) -> None:
    """Separators as one writes them at home."""
    assert "7,674,366" in plain(await typing("city bogota"))
    assert "7.674.366" in plain(await typing("city bogota", as_="ines"))


async def test_of_namesakes_outsiders_see_the_certified_one_only(typing: CommandTyper) -> None:
    """No question which one: for them there is one."""
    assert plain(await typing("city kansas city", as_="newcomer")).startswith("Kansas City, MO")


async def test_cities_are_suggested_as_they_are_typed(hub: Hub) -> None:
    """To members all of them, to others the certified."""
    inside = await hub.suggest(Request(sender("maya")), "city", "name", "montr")
    outside = await hub.suggest(Request(sender("newcomer")), "city", "name", "montr")

    assert "Montréal, QC" in [o.label for o in inside]
    assert "Montréal, QC" not in [o.label for o in outside]
