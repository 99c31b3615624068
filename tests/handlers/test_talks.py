"""When two people talk: proposed, agreed, moved, and in the calendar of both."""

import asyncio

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import Card, Link, Reply, plain
from bot.community import blocking
from bot.hub import Hub
from bot.request import Request
from db import talks
from db.base import transaction
from db.outbox import Delivery
from db.talks import Talk
from tests.cast import sender
from tests.community.test_talks import begin, gather
from tests.conftest import Clock, CommandTyper
from tests.owed import list_pending, load_member, mark_delivered, update_member
from tests.reading import button, commands_of

pytestmark = pytest.mark.both


@pytest.fixture
async def talk(engine: AsyncEngine, clock: Clock) -> int:
    """Maya and Luis were brought together, and both got the opening."""
    begun = await begin(engine, clock())
    assert begun is not None
    await mark_delivered(engine)
    return begun.id


async def kept(engine: AsyncEngine, number: int) -> Talk:
    """A talk as it stands."""
    async with transaction(engine) as session:
        found = await talks.load_talk(session, number, hold=False)
        assert found is not None
        return found


def link_of(reply: Reply) -> str:
    """The address of the calendar file on a card."""
    assert isinstance(reply, Card)
    return next(part.address for part in reply.parts if isinstance(part, Link))


async def test_one_proposes_the_other_agrees_and_both_get_the_file(
    typing: CommandTyper, engine: AsyncEngine, talk: int
) -> None:
    """The proposal comes under one's own opening, in one's own language and clock."""
    first = await typing(f"intro slot {talk} 2")
    assert "I suggested Thu, Nov 26, 1:00\u202fPM / 1:00\u202fPM to Luis" in plain(first)
    (asked,) = await list_pending(engine, "luis")
    assert "Maya Chen propone: jue" in asked.text
    assert asked.kind == "conversation"

    reply = await typing(button(asked.card, "Aceptar la hora").command, as_="luis")

    assert "Acordado con Maya Chen" in plain(reply)
    (told,) = await list_pending(engine, "maya")
    assert told.text.startswith("Agreed with Luis Ángel Rojas\n")
    assert link_of(told.card) != link_of(reply)
    async with transaction(engine) as session:
        under = (await session.scalars(select(Delivery.under_id).order_by(Delivery.id))).all()
    begun = await kept(engine, talk)
    assert under[2:] == [begun.other_root_id, begun.one_root_id]


async def test_pressing_twice_changes_nothing(
    typing: CommandTyper, engine: AsyncEngine, talk: int
) -> None:
    """Neither the proposal nor the agreement happens again."""
    for _ in range(2):
        await typing(f"intro slot {talk} 1")
    assert len(await list_pending(engine)) == 1
    replies = [await typing(f"intro slot {talk} 1", as_="luis") for _ in range(2)]
    assert replies[0] == replies[1]
    assert len(await list_pending(engine)) == 2
    found = await kept(engine, talk)
    assert (found.agreed, found.picked, found.moves, found.sequence) == (1, None, 2, 1)


async def test_both_press_at_once(hub: Hub, engine: AsyncEngine, talk: int) -> None:
    """Held by the row: one of them proposes, the other one agrees."""
    await asyncio.gather(*(
        hub(Request(sender(key), f"intro slot {talk} 3")) for key in ("maya", "luis")
    ))  # fmt: skip

    found = await kept(engine, talk)
    assert (found.agreed, found.moves) == (3, 2)


async def test_another_time_may_be_proposed_before_and_after(
    typing: CommandTyper, engine: AsyncEngine, talk: int
) -> None:
    """The newest proposal counts; an agreement stands until there is another one."""
    await typing(f"intro slot {talk} 1")
    await typing(f"intro slot {talk} 2", as_="luis")
    await typing(f"intro slot {talk} 1")
    assert (await kept(engine, talk)).agreed is None
    await typing(f"intro slot {talk} 1", as_="luis")
    await typing(f"intro slot {talk} 3", as_="luis")
    found = await kept(engine, talk)
    assert (found.agreed, found.picked, found.sequence) == (1, 3, 1)
    await typing(f"intro slot {talk} 3")
    found = await kept(engine, talk)
    assert (found.agreed, found.picked, found.sequence) == (3, None, 2)


async def test_other_times_are_new_ones_and_old_buttons_keep_their_meaning(
    typing: CommandTyper, engine: AsyncEngine, talk: int
) -> None:
    """A number means the same time for ever."""
    before = (await kept(engine, talk)).times

    more = await typing(f"intro slot {talk}")

    assert commands_of(more)[:3] == [f"intro slot {talk} {n}" for n in (4, 5, 6)]
    after = (await kept(engine, talk)).times
    assert after[:3] == before
    assert len(set(after)) == 6


async def test_there_is_an_end_to_other_times(
    typing: CommandTyper, engine: AsyncEngine, talk: int
) -> None:
    """A finger that rests on the button fills no table."""
    for _ in range(25):
        reply = await typing(f"intro slot {talk}")

    assert len((await kept(engine, talk)).times) == 60
    assert f"intro slot {talk} 60" in commands_of(reply)


async def test_a_time_that_has_passed_is_not_proposed(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock, talk: int
) -> None:
    """Nor agreed to; others are one press away."""
    await typing(f"intro slot {talk} 1")
    clock.advance(days=2)

    reply = await typing(f"intro slot {talk} 1", as_="luis")

    assert "Esa hora ya pasó" in plain(reply)
    assert f"intro slot {talk}" in commands_of(reply)
    assert (await kept(engine, talk)).agreed is None


@pytest.mark.parametrize("gone", ["suspended", "blocked"])
async def test_nothing_is_proposed_when_it_is_over(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock, talk: int, gone: str
) -> None:
    """A stale button is judged when it is pressed."""
    if gone == "suspended":
        await update_member(engine, "luis", status="suspended")
    else:
        one, other = await load_member(engine, "luis"), await load_member(engine, "maya")
        async with transaction(engine, writes=True) as session:
            await blocking.block_member(session, clock(), one, other)

    assert "This conversation has ended." in plain(await typing(f"intro slot {talk} 1"))
    assert await list_pending(engine) == []


async def test_others_find_nothing_there(typing: CommandTyper, talk: int) -> None:
    """The same words as for a number that is nobody's."""
    for words in ("intro slot {} 1", "intro slot {}"):
        mine = await typing(words.format(talk), as_="ben")
        assert mine == await typing(words.format(99_999), as_="ben")


async def test_in_a_conversation_of_both_the_proposal_stands_there(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """So that nobody looks for it elsewhere."""
    await gather(engine)
    begun = await begin(engine, clock())
    assert begun is not None
    await mark_delivered(engine)

    await typing(f"intro slot {begun.id} 1")

    (asked,) = await list_pending(engine)
    assert asked.user == "luis,maya"
    assert "Maya Chen proposes Wed" in asked.text
