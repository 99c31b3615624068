"""Platforms tell some events twice, at once and out of order: each has one effect."""

import asyncio
import random
from collections import Counter
from dataclasses import replace

import pytest
from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import Card
from bot.commands import MEMBER, Command, Context
from bot.errors import DuplicateEventError, Refusal
from bot.hub import Hub
from bot.request import Request
from db import outbox
from db.audit import Audit
from db.base import transaction
from db.inbound import InboundEvent
from db.outbox import Address, Delivery
from tests.campaign import SEED, RecordFigures, scaled
from tests.cast import sender
from tests.conftest import Clock


class Count(BaseModel):
    """Count this"""


async def count(ctx: Context, ask: Count) -> Card:
    """Two writes that belong together; every third event is refused after the first of them."""
    number = int(ctx.request.event)
    ctx.session.add(Audit(at=ctx.now, action="counted", subject=ctx.request.event))
    await ctx.session.flush()
    if number % 3 == 0:
        raise Refusal("not this one")
    done = await ctx.session.scalar(select(func.count()).select_from(Delivery))
    place = Address("slack", "T1", channel="C1")
    await outbox.add_delivery(
        ctx.session, place, key=f"{number}:{done}", kind="news", at=ctx.now, created_at=ctx.now
    )
    return Card("Counted")


@pytest.fixture
def counting(hub: Hub) -> Hub:
    """A hub with one more command, which counts."""
    more = Command("count", Count, count, MEMBER, writes=True, summary="Count this", example="")
    hub.commands = {**hub.commands, "count": more}
    return hub


@pytest.mark.both
@pytest.mark.campaign
@pytest.mark.timeout(600)
async def test_however_often_an_event_is_told_it_has_one_effect(
    counting: Hub, engine: AsyncEngine, kind: str, record_figures: RecordFigures
) -> None:
    """Told one to four times, shuffled, eight at once: 10,000 in all on SQLite, if it is whole."""
    chance, told = random.Random(SEED), list[int]()
    for number in range(scaled(4000 if kind == "sqlite" else 400)):
        told += [number] * chance.randint(1, 4)
    chance.shuffle(told)
    answers: Counter[str] = Counter()
    waiting = iter(told)

    async def tell() -> None:
        for number in waiting:
            try:
                reply = await counting(Request(sender("maya"), "count", event=str(number)))
                answers[reply.title] += 1
            except DuplicateEventError:
                answers["again"] += 1

    await asyncio.gather(*(tell() for _ in range(8)))
    unique = set(told)
    record_figures("events", kind, told=len(told), events=len(unique))
    kept = {n for n in unique if n % 3}
    async with transaction(engine) as session:
        keys = list(await session.scalars(select(Delivery.key)))
        acts = list(await session.scalars(select(Audit.subject).where(Audit.action == "counted")))
        seen = await session.scalar(select(func.count()).select_from(InboundEvent))
    assert sorted(int(key.split(":")[0]) for key in keys) == sorted(kept)
    assert sorted(map(int, acts)) == sorted(kept)
    assert seen == len(unique)
    assert answers["Counted"] == len(kept)
    assert answers.total() == len(told)


async def test_what_could_not_be_saved_is_not_remembered_as_done(
    counting: Hub, engine: AsyncEngine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The platform that tells again is told to; the one that does not shows a sentence."""

    async def fails(*_: object, **__: object) -> None:
        raise OperationalError("", {}, Exception("database is locked"))

    told = Request(sender("maya"), "count", event="7", is_retry=True)
    with monkeypatch.context() as broken:
        broken.setattr(outbox, "add_delivery", fails)
        with pytest.raises(OperationalError):
            await counting(told)
        sorry = await counting(replace(told, is_retry=False))
        assert sorry.title == "Sorry"
    assert (await counting(told)).title == "Counted"
    with pytest.raises(DuplicateEventError):
        await counting(told)


async def test_somebodys_first_words_count_once_too(counting: Hub, engine: AsyncEngine) -> None:
    """The account is made first, and the event is not taken for told by that."""
    told = Request(sender("newcomer"), "help", event="first")
    assert (await counting(told)).title
    with pytest.raises(DuplicateEventError):
        await counting(told)


async def test_who_delivers_is_woken_when_something_is_owed_and_saved(counting: Hub) -> None:
    """Not by a request that owed nothing, nor by one that was refused."""
    woken = list[str]()
    counting.on_enqueued = lambda: woken.append("up")
    await counting(Request(sender("maya"), "help"))
    await counting(Request(sender("maya"), "count", event="3"))
    assert woken == []
    await counting(Request(sender("maya"), "count", event="4"))
    assert woken == ["up"]
