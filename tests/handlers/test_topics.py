"""Topics: what the community knows, counted."""

import pytest

from bot.cards import Bars, Card, Table, plain
from bot.hub import Hub
from bot.request import Request
from tests.cast import sender
from tests.conftest import CommandTyper
from tests.reading import commands_of


def part(reply: object, kind: type[Bars] | type[Table]) -> Bars | Table:
    assert isinstance(reply, Card)
    return next(p for p in reply.parts if isinstance(p, kind))


async def test_all_practice_areas_with_the_people_who_show_what_they_know(
    typing: CommandTyper,
) -> None:
    """Each person once per area, however many topics."""
    reply = await typing("topics")
    bars = part(reply, Bars)

    assert isinstance(bars, Bars)
    assert [bar.value for bar in bars.bars] == [3, 0, 0, 0, 6, 0, 0, 1] or sum(
        bar.value for bar in bars.bars
    ) == 10
    assert len(commands_of(reply)) == 8


async def test_one_area_counts_its_topics(typing: CommandTyper) -> None:
    """Most known first, each leading to its people."""
    reply = await typing("topics open data")
    table = part(reply, Table)

    assert isinstance(table, Table)
    assert table.rows[0] == ("open data", "6")
    assert "who-does open-data" in commands_of(reply)


@pytest.mark.parametrize("said", ["OD", "datos abiertos", "Gouvernance des données", "dg", "gis"])
async def test_an_area_has_many_names(typing: CommandTyper, said: str) -> None:
    """Prefixes, older names, other languages, and the topics within it."""
    assert isinstance(part(await typing(f"topics {said}"), Table), Table)


async def test_what_is_no_area_gets_the_nearest(typing: CommandTyper) -> None:
    """Or the first ones when nothing is near."""
    reply = await typing("topics qqxxqq")

    assert "«qqxxqq» isn't a practice area." in plain(reply)
    assert len(commands_of(reply)) == 3
    for command in commands_of(reply):
        assert isinstance(part(await typing(command), Table), Table)


async def test_areas_are_suggested_in_the_readers_language(hub: Hub) -> None:
    """Without accents."""
    offered = await hub.suggest(Request(sender("remi")), "topics", "area", "evaluations")

    assert "Évaluations rigoureuses" in [o.label for o in offered]


async def test_a_word_lists_the_topics_that_have_it(typing: CommandTyper) -> None:
    """With their numbers of people; in any language, and misspelt."""
    reply = await typing("topics homeless")
    assert plain(reply).startswith("Topics with «homeless»\n")
    assert commands_of(reply)[0] == "who-does homelessness-data"
    for words in ("presupuesto", "budgte", "orçamento"):
        assert "who-does participatory-budgeting" in commands_of(await typing(f"topics {words}"))
