"""Topics: what the community knows, counted; and where everybody starts."""

import pytest

from bot.cards import Bars, Card, Table, plain
from bot.commands import COMMANDS
from bot.hub import Hub
from bot.request import Request
from tests.cast import sender
from tests.conftest import Typing
from tests.reading import commands_of


def part(reply: object, kind: type[Bars] | type[Table]) -> Bars | Table:
    assert isinstance(reply, Card)
    return next(p for p in reply.parts if isinstance(p, kind))


async def test_all_practice_areas_with_the_people_who_show_what_they_know(typing: Typing) -> None:
    """Each person once per area, however many topics."""
    reply = await typing("topics")
    bars = part(reply, Bars)

    assert isinstance(bars, Bars)
    assert [bar.value for bar in bars.bars] == [3, 0, 0, 0, 6, 0, 0, 1] or sum(
        bar.value for bar in bars.bars
    ) == 10
    assert len(commands_of(reply)) == 8


async def test_one_area_counts_its_topics(typing: Typing) -> None:
    """Most known first, each leading to its people."""
    reply = await typing("topics open data")
    table = part(reply, Table)

    assert isinstance(table, Table)
    assert table.rows[0] == ("open data", "6")
    assert "who-does open-data" in commands_of(reply)


@pytest.mark.parametrize("said", ["OD", "datos abiertos", "Gouvernance des données", "dg", "gis"])
async def test_an_area_has_many_names(typing: Typing, said: str) -> None:
    """Prefixes, older names, other languages, and the topics within it."""
    assert isinstance(part(await typing(f"topics {said}"), Table), Table)


async def test_what_is_no_area_gets_the_nearest(typing: Typing) -> None:
    """Or the first ones when nothing is near."""
    reply = await typing("topics qqxxqq")

    assert "«qqxxqq» is not a practice area." in plain(reply)
    assert len(commands_of(reply)) == 3
    for command in commands_of(reply):
        assert isinstance(part(await typing(command), Table), Table)


async def test_areas_are_suggested_in_the_readers_language(hub: Hub) -> None:
    """Without accents."""
    offered = await hub.suggest(Request(sender("remi")), "topics", "area", "evaluations")

    assert "Évaluations rigoureuses" in [o.label for o in offered]


# --- help and home ----------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["maya", "noor", "newcomer"])
async def test_help_lists_what_the_asker_may_run(typing: Typing, who: str) -> None:
    """Staff see their commands, others do not."""
    said = plain(await typing("help", as_=who))
    allowed = {n for n, c in COMMANDS.items() if c.allow.permits(None) or who != "newcomer"}
    for name, declared in COMMANDS.items():
        if name.partition(" ")[0] in allowed - {name}:
            continue  # it goes on with another verb, whose own help tells of it
        shown = f"/wwc {declared.example or name}" in said
        roles = declared.allow.roles
        may = not declared.allow.members_only or (who != "newcomer" and not roles) or who == "noor"
        assert shown is may, name


@pytest.mark.parametrize("name", sorted(COMMANDS) or ["help"])
async def test_each_command_is_explained(typing: Typing, name: str) -> None:
    """Its fields, its choices, and an example to press."""
    said = plain(await typing(f"help {name}", as_="noor"))

    assert said.startswith(f"/wwc {name}")
    assert COMMANDS[name].example in said


async def test_what_is_not_for_the_asker_is_not_known(typing: Typing) -> None:
    """The same words as for what does not exist."""
    hidden = plain(await typing("help admin members"))

    assert "I do not know the command «admin members»." in hidden


async def test_home_leads_on_step_by_step(typing: Typing) -> None:
    """First into the directory, then to one's topics."""
    assert "You are not in the directory yet." in plain(await typing("home", as_="uma"))
    await typing("profile knows: listed:yes", as_="uma", values={"knows": (), "listed": ("yes",)})
    assert "Add what you know" in plain(await typing("home", as_="uma"))
    assert "Boston, MA" in plain(await typing("home"))
