"""Words without a verb: what they are for, what is said about it, and what is never run."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import pytest

from bot.cards import Card, Form, Reply, plain
from bot.commands import Command, Context
from bot.domain import phrases
from tests.conftest import CommandTyper, StatementCounter
from tests.reading import commands_of

READ_AS = {
    "maya": "I read this as /wwc who-does datos abiertos.",
    "luis": "Lo leí como /wwc who-does datos abiertos.",
    "ines": "Li isto como /wwc who-does datos abiertos.",
    "remi": "J’ai lu ceci comme /wwc who-does datos abiertos.",
}


@pytest.mark.parametrize("who", READ_AS)
async def test_the_answer_says_quietly_how_it_was_read(typing: CommandTyper, who: str) -> None:
    """In the reader's language, whatever language the question has."""
    reply = await typing("¿Quién sabe de datos abiertos?", as_=who)
    wanted = plain(await typing("who-does datos abiertos", as_=who)).splitlines()

    lines = plain(reply).splitlines()
    assert lines[1] == READ_AS[who]
    assert [lines[0], *lines[2:]] == wanted


async def test_a_form_says_how_it_was_read_too(typing: CommandTyper) -> None:
    """Above its fields; what was typed stands in them."""
    reply = await typing("who is Nobody Atall?")

    assert isinstance(reply, Form)
    assert reply.intro.startswith("I read this as /wwc who-is Nobody Atall.")
    assert reply.inputs[0].text == "Nobody Atall"


async def test_a_verb_is_no_guess(typing: CommandTyper) -> None:
    """In any language it is what it says, so nothing is said about it."""
    for words in ("quien-hace datos abiertos", "qui–fait “open data”", "/wwc who-does gis"):
        assert "I read this as" not in plain(await typing(words)), words


def note_instead(command: Command, ran: list[str]) -> Command:
    async def handle(ctx: Context, ask: Any) -> Reply:
        ran.append(command.name)
        return Card("ran")

    return replace(command, handle=handle)


async def test_nothing_that_writes_is_run_by_interpretation(typing: CommandTyper) -> None:
    """Neither a question in front nor spaces for dashes run what changes something."""
    ran: list[str] = []
    writing = {n: c for n, c in typing.hub.commands.items() if c.writes}
    typing.hub.commands = {n: note_instead(c, ran) for n, c in typing.hub.commands.items()}
    for name in writing:
        for words in (
            f"please {name} now", f"who can {name} maya", f"tell me about {name}",
            f"I want to {name}", f"quiero {name}", f"my {name} please",
        ):  # fmt: skip
            await typing(words, as_="noor")
    await typing("my data forget sure:yes")
    await typing("mis datos forget sure:yes")

    assert sorted(set(ran) & set(writing)) == []


async def test_spaces_for_dashes_lead_to_the_verb(typing: CommandTyper) -> None:
    """By a button, since it writes."""
    for words in ("my data show", "mis datos show", "meus dados show"):
        assert commands_of(await typing(words))[0] == "my-data show", words


async def test_who_is_no_member_learns_nothing_from_what_is_guessed(typing: CommandTyper) -> None:
    """A topic, a member, somebody who is hidden and nonsense get the same answer."""
    tried = ("open data", "Maya Chen", "Uma Unlisted", "qqqq qqqq", "maya", "who is Maya Chen")
    said = {
        plain(await typing(words, as_="nobody", locale="en")).replace(words, "…").splitlines()[0]
        for words in tried
    }

    assert said == {"Members only"}


async def test_a_city_that_is_public_is_found_by_everybody(typing: CommandTyper) -> None:
    """Only its public facts; one that is not certified is not named."""
    assert plain(await typing("Boston", as_="nobody")).startswith("Boston, MA")
    assert "Ciudad de México" not in plain(await typing("CDMX", as_="nobody", locale="en"))


async def test_who_is_hidden_is_not_guessed(typing: CommandTyper) -> None:
    """The name of an unlisted member is like a name that nobody has."""
    said = {
        plain(await typing(name)).splitlines()[1].replace(name.split()[0], "…")
        for name in ("Uma Unlisted", "Oma Unlosted")
    }

    assert said == {"I don't know the command «…». Did you mean one of these?"}


async def test_the_staffs_menu_is_for_staff(typing: CommandTyper) -> None:
    """`admin` alone opens it; a member is refused as ever, in any spelling."""
    menu = plain(await typing("admin", as_="noor"))
    for name, command in typing.hub.commands.items():
        if command.is_staff_only and name != "admin":
            assert f"/wwc {name}" in menu, name
    for words in ("admin", "administración", "wwc admin", "admin nonsense"):
        assert plain(await typing(words)).startswith("Staff only"), words


async def test_misspelt_staff_verbs_are_suggested_to_staff(typing: CommandTyper) -> None:
    """With the menu as the way out."""
    assert commands_of(await typing("admin reprots", as_="noor"))[-1] == "admin"
    assert "admin reports" in commands_of(await typing("admin reprots", as_="noor"))


async def test_guessing_costs_few_queries(
    typing: CommandTyper, query_count: Callable[[], AbstractContextManager[StatementCounter]]
) -> None:
    """An exact topic costs none more than its verb; nonsense is looked for once in each place."""
    await typing("home")
    with query_count() as verb:
        await typing("who-does open data")
    with query_count() as guessed:
        await typing("open data")
    with query_count() as nonsense:
        await typing("qqqq zzzz")

    assert guessed.number == verb.number
    assert nonsense.number <= verb.number + 1


def test_phrases_are_written_as_they_are_compared() -> None:
    """Folded, or they would never be found."""
    every = (phrases.WHO_DOES, phrases.WHO_IS, phrases.CITY, phrases.TOPICS, phrases.HELP,
             phrases.ABOUT)  # fmt: skip
    ways = {way for kind in every for groups in kind.ways for g in groups for way in g.split("|")}
    for way in ways - {"-"}:
        typed = way.replace("' ", "'") + ("x" if way.endswith("'") else "")
        keys = [token.key for token in phrases.list_tokens(typed)]
        assert " ".join(keys).removesuffix(" x") == way


@pytest.mark.parametrize("words", ["hola", "Hi there!", "Bom dia", "bonjour", "👋", "?!", "wwc"])
async def test_a_greeting_gets_the_help(typing: CommandTyper, words: str) -> None:
    """Who says hello wants to know what there is."""
    assert plain(await typing(words)).startswith("What the hub can do for you")
