"""People whom the hub cannot write to are not asked, and the asker is told so, with a way out."""

import pytest
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import plain
from db import introductions
from db.base import transaction
from db.introductions import Introduction
from db.members import Account
from db.outbox import Delivery
from tests.conftest import CommandTyper
from tests.jobs.test_rounds import lose
from tests.reading import commands_of

LUIS = 3


async def delete_account(engine: AsyncEngine) -> None:
    """An imported member who never wrote to the hub."""
    async with transaction(engine, writes=True) as session:
        await session.execute(delete(Account).where(Account.external_id == "luis"))


@pytest.mark.parametrize("how", ["closed", "removed", "none"])
async def test_an_introduction_says_so_before_it_asks(
    typing: CommandTyper, engine: AsyncEngine, how: str
) -> None:
    """By name, by topic, by the button of an older card, and for two others."""
    draft = commands_of(await typing("intro luis"))[0]
    await (delete_account(engine) if how == "none" else lose(engine, typing, how))
    for words, who in (("intro luis because hello", "maya"), (draft, "maya"),
                       ("intro luis about:open-data", "zoe"),
                       ("intro 1 and:3", "noor")):  # fmt: skip
        said = await typing(words, as_=who)
        assert "I can't message Luis Ángel Rojas right now" in plain(said), words
        assert "who-is 3" in commands_of(said)
    assert "intro open-data" in commands_of(await typing("intro luis about:open-data"))
    async with transaction(engine) as session:
        asked = await session.scalars(select(Introduction.status))
        assert set(asked) == {introductions.DRAFT}
        assert (await session.scalars(select(Delivery))).all() == []


async def test_a_topic_leads_to_people_who_can_be_reached(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Who-does ranks others first, says why, and offers no introduction that cannot be made."""
    before = await typing("who-does open data in:bogota")
    assert f"intro {LUIS} about:open-data" in commands_of(before)
    await lose(engine, typing, "closed")
    shown = await typing("who-does open data in:bogota")
    assert f"who-is {LUIS}" in commands_of(shown)
    assert f"intro {LUIS} about:open-data" not in commands_of(shown)
    assert "can't be messaged right now" in plain(shown)
    assert "can't be messaged right now" in plain(await typing("why luis open data"))
    offered = await typing("intro open data")
    while later := [words for words in commands_of(offered) if words.endswith(" next")]:
        assert "Luis" not in plain(offered)
        offered = await typing(later[0])
    assert "Luis" not in plain(offered)
