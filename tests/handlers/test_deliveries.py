"""Staff see what did not arrive and why, decide about it, and can stop everything at once."""

from datetime import timedelta

import pytest
from prometheus_client import generate_latest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import deliveries
from bot.adapters.base import DeliveryError
from bot.cards import Card, Table, plain
from bot.i18n import translator
from bot.metrics import REGISTRY
from bot.web import health
from db import outbox
from db.audit import Audit
from db.base import transaction
from db.outbox import Delivery
from tests.conftest import CANARY, Clock, CommandTyper
from tests.jobs.conftest import Owing, worker
from tests.jobs.platform import Platform, timeout_error
from tests.reading import commands_of

pytestmark = pytest.mark.both


@pytest.fixture
async def failed(engine: AsyncEngine, clock: Clock, owing: Owing) -> Platform:
    """One that was refused, one that nobody can tell about, one too late, and one that waits."""
    there = Platform(clock, reads=False)
    there.before = lambda place: (
        DeliveryError("is_archived", final=True) if place.channel == "C1" else None
    )
    there.after = lambda place: timeout_error() if place.channel == "C2" else None
    await owing(f"refused {CANARY}", channel="C1")
    await owing("unclear", channel="C2")
    await owing("late", channel="C3", expires=clock())
    await owing("planned", channel="C4", at=clock() + timedelta(days=1))
    sending = worker(engine, there, clock)
    await sending.run_until_idle()
    clock.advance(seconds=16)
    await sending.run_until_idle()
    there.before = there.after = lambda place: None
    return there


async def test_the_list_says_what_it_was_and_why_but_not_what_it_says(
    typing: CommandTyper, failed: Platform
) -> None:
    """Newest first, each with its two ways out."""
    said = plain(await typing("admin dead", as_="noor"))
    assert "• 2 · News in channels [may have arrived]" in said
    assert "• 1 · News in channels [not delivered]" in said
    assert "slack · is_archived · one attempt" in said
    assert "admin dead retry 1" in said
    assert "admin dead drop 2" in said
    assert CANARY not in said


async def test_what_is_sent_again_arrives_and_what_is_dropped_is_gone(
    typing: CommandTyper, failed: Platform, engine: AsyncEngine, clock: Clock
) -> None:
    """Each decision is in the audit log; what may have arrived says so when it comes again."""
    assert "on its way again" in plain(await typing("admin dead retry 2", as_="noor"))
    said = plain(await typing("admin dead drop 1", as_="noor"))
    assert "Number 1 won't be sent." in said
    assert "Nothing needs a decision" in said
    await worker(engine, failed, clock).run_until_idle()
    assert [p.text for p in failed.posts if p.place.channel == "C2"][1].endswith(
        "(sent again: the first one may have arrived)\n"
    )
    async with transaction(engine) as session:
        states = dict((await session.execute(select(Delivery.id, Delivery.state))).all())
        acts = set(await session.scalars(select(Audit.action)))
    assert (states[1], states[2]) == ("cancelled", "sent")
    assert {"delivery retry", "delivery drop"} <= acts


@pytest.mark.parametrize("number", ["99", "4", "x", "", "9" * 18])
async def test_a_number_that_is_not_on_the_list_changes_nothing(
    number: str, typing: CommandTyper, failed: Platform, engine: AsyncEngine
) -> None:
    """Neither one that never was, nor one that is on its way by itself."""
    before = plain(await typing("admin dead", as_="noor"))
    await typing(f"admin dead retry {number}", as_="noor")
    assert plain(await typing("admin dead", as_="noor")) == before


async def test_the_database_the_command_and_the_metric_say_the_same(
    typing: CommandTyper, failed: Platform, engine: AsyncEngine
) -> None:
    """Everything that ended unsent is seen by whoever looks anywhere."""
    async with transaction(engine) as session:
        counts = await outbox.count_by_state(session)
        queue = await outbox.find_oldest_due(session, failed.clock())
    unsent = sorted((c.kind, c.reason, c.number) for c in counts
                    if c.state not in ("due", "sent"))  # fmt: skip
    assert [reason for _, reason, _ in unsent] == [
        "is_archived", "may have arrived", "not sent in time"
    ]  # fmt: skip
    assert queue is None
    reply = await typing("admin health", as_="noor")
    assert isinstance(reply, Card)
    (table,) = [part for part in reply.parts if isinstance(part, Table)]
    t = translator("en")
    shown = sorted((kind, reason, int(number)) for _, kind, reason, number in table.rows)
    assert shown == [(deliveries.kind_title(t, kind), reason, n) for kind, reason, n in unsent]
    await health._count_deliveries(engine, all_of_them=True)
    lines = generate_latest(REGISTRY).decode().splitlines()
    metric = {line for line in lines if line.startswith("hub_deliveries{")}
    assert metric == {
        f'hub_deliveries{{kind="{c.kind}",reason="{c.reason}",state="{c.state}"}} {c.number}.0'
        for c in counts
    }


async def test_the_emergency_stop_stops_everything_until_it_is_lifted(
    typing: CommandTyper,
    engine: AsyncEngine,
    clock: Clock,
    owing: Owing,
    platform: Platform,
) -> None:
    """What is owed waits; health says since when."""
    assert "Nothing is going out" in plain(await typing("admin panic stop", as_="noor"))
    await owing("waits")
    clock.advance(minutes=2)
    sending = worker(engine, platform, clock)
    await sending.run_until_idle()
    assert platform.calls == []
    assert "Sending was stopped 2 minutes ago" in plain(await typing("admin health", as_="noor"))
    await typing("admin panic resume", as_="noor")
    await sending.run_until_idle()
    assert platform.texts() == ["waits"]
    assert "stopped" not in plain(await typing("admin health", as_="noor"))


async def test_who_wants_to_go_on_is_never_offered_to_stop(
    typing: CommandTyper, owing: Owing
) -> None:
    """In whatever words; both cards say how much waits, and what makes sense next."""
    await owing("waits", channel="C1")
    stopped = await typing("admin panic stop", as_="noor")
    assert "One message waits now." in plain(stopped)
    assert commands_of(stopped) == ["admin health", "admin panic resume"]
    for word in ("go", "GO", "go on", "on", "start", "continue", "seguir", "reprendre", "resume"):
        reply = await typing(f"admin panic {word}", as_="noor")
        assert "Sending has resumed." in plain(reply), word
        assert "admin panic stop" not in commands_of(reply)
    for word in ("og", "off", "gone", "halt", "x"):
        reply = await typing(f"admin panic {word}", as_="noor")
        assert "Did you mean «Stop" not in plain(reply), word


@pytest.mark.parametrize("words", ["admin dead", "admin health", "admin panic stop"])
async def test_all_of_it_is_for_staff(
    words: str, typing: CommandTyper, engine: AsyncEngine
) -> None:
    """A member learns nothing and stops nothing."""
    assert plain(await typing(words, as_="maya")).startswith("Staff only")
    assert plain(await typing(words, as_="nobody")).startswith("Members only")
