"""Workers that die or sleep, platforms that are down or full, people who cannot be reached."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import deliveries
from bot.adapters.base import DeliveryError, Destination
from bot.hub import Hub
from bot.jobs import deliver
from bot.jobs.deliver import LEASE, DeliveryWorker
from bot.request import Request
from db import key_values, outbox, recovery, retention, sending
from db.base import transaction
from db.members import Account, Member
from db.outbox import Delivery
from db.workspaces import Workspace
from tests.campaign import SEED, RecordFigures, scaled
from tests.cast import sender
from tests.conftest import Clock, CommandTyper, StatementCounter
from tests.jobs.conftest import Owing, Rows, leap, worker
from tests.jobs.platform import Platform, timeout_error
from tests.platforms import PATIENCE

pytestmark = pytest.mark.both


# --- workers ----------------------------------------------------------------------------------


@pytest.mark.no_cover
async def test_four_workers_send_a_thousand_messages_once_each(
    engine: AsyncEngine, platform: Platform, owing: Owing, clock: Clock, rows: Rows
) -> None:
    """None doubled, none lost, and each of a hundred places in its order."""
    for number in range(100):
        await owing(f"lane {number}:", times=10, channel=f"C{number}", kind="answer")
    workers = [worker(engine, platform, clock) for _ in range(4)]
    while any(row.state != "sent" for row in await rows()):
        await asyncio.gather(*(one.run_until_idle() for one in workers))
    assert len(platform.posts) == 1000
    assert platform.list_duplicates() == set()
    said = defaultdict(list)
    for post in platform.posts:
        said[post.place.channel].append(int(post.text.rpartition(" ")[2]))
    assert all(numbers == list(range(10)) for numbers in said.values())


async def test_who_slept_past_its_lease_may_not_write(
    engine: AsyncEngine, platform: Platform, owing: Owing, clock: Clock, rows: Rows
) -> None:
    """Another has it by then, and what that one wrote stands."""
    await owing("mine or yours")
    async with transaction(engine, writes=True) as session:
        taken = await sending.claim_deliveries(session, clock(), LEASE, 9, lambda row: True)
        await session.flush()
    async with transaction(engine, writes=True) as session:
        held = [claim.row for claim in taken.claims]
        assert await sending.mark_in_flight(session, clock(), LEASE, held) == {held[0].id}
    clock.advance(seconds=LEASE.total_seconds() + 1)
    await worker(engine, platform, clock).run_until_idle()
    (before,) = await rows()
    assert (before.state, before.deaths) == ("sent", 1)
    async with transaction(engine, writes=True) as session:
        late = sending.Settlement(held[0].id, held[0].fence, "dead", "stale")
        assert list(await sending.record_results(session, clock(), [late])) == []
        assert await sending.mark_in_flight(session, clock(), LEASE, held) == set()
        await sending.release_claims(session, held, clock())
    (after,) = await rows()
    assert (after.state, after.reason, after.fence) == ("sent", "", before.fence)


async def test_what_kills_three_processes_is_left_alone(
    engine: AsyncEngine, platform: Platform, owing: Owing, clock: Clock, rows: Rows
) -> None:
    """The fourth starts all the same; staff decide, and are told."""
    await owing("poison")
    for _ in range(3):
        async with transaction(engine, writes=True) as session:
            taken = await sending.claim_deliveries(session, clock(), LEASE, 9, lambda row: True)
        async with transaction(engine, writes=True) as session:
            await sending.mark_in_flight(session, clock(), LEASE, [c.row for c in taken.claims])
        clock.advance(seconds=LEASE.total_seconds() + 1)
        async with transaction(engine, writes=True) as session:
            await recovery.recover_lost_claims(session, clock(), timedelta(0), LEASE)
    await owing("harmless", channel="C2")
    await worker(engine, platform, clock).run_until_idle()
    assert [(r.state, r.reason) for r in await rows()][:2] == [("dead", "crash loop"), ("sent", "")]


async def test_at_the_end_what_is_under_way_ends_and_nothing_stays_claimed(
    engine: AsyncEngine, platform: Platform, owing: Owing, clock: Clock, rows: Rows
) -> None:
    """The rest waits for whoever comes next."""
    await owing("many", times=1, channel="C1")
    await owing("next", times=3, channel="C1")
    platform.takes = 0.2
    running = asyncio.create_task(worker(engine, platform, clock).run())
    await platform.call_event.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [r.state for r in await rows()] == ["sent", "due", "due", "due"]


async def test_what_does_not_end_in_time_is_looked_for_later(
    engine: AsyncEngine, platform: Platform, owing: Owing, clock: Clock, rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Hosts kill after ten seconds; a platform may take longer."""
    monkeypatch.setattr(deliver, "DRAIN_TIMEOUT", 0.1)
    await owing("slow")
    platform.takes = 30
    running = asyncio.create_task(worker(engine, platform, clock).run())
    await platform.call_event.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    (row,) = await rows()
    assert (row.state, row.reason, row.lease_until) == ("due", "stopped", None)
    assert row.began_at is not None


async def test_something_owed_by_this_process_is_sent_at_once(
    engine: AsyncEngine, platform: Platform, owing: Owing, clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Nobody waits for the next look at the database."""
    monkeypatch.setattr(deliver, "POLL_SECONDS", 600.0)
    deliverer = worker(engine, platform, clock)
    running = asyncio.create_task(deliverer.run())
    await asyncio.sleep(0.2)
    await owing("now")
    deliverer.wake()
    await asyncio.wait_for(platform.call_event.wait(), PATIENCE)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


# --- platforms --------------------------------------------------------------------------------


@pytest.mark.campaign
@pytest.mark.timeout(400)
@pytest.mark.parametrize("kind", ["sqlite"])
async def test_six_hours_without_the_platform_cost_nothing(
    engine: AsyncEngine,
    platform: Platform,
    owing: Owing,
    clock: Clock,
    rows: Rows,
    record_figures: RecordFigures,
) -> None:
    """5,000 over 50 channels: all arrive or expire, in order, paced, and soon after it is back."""
    random.seed(SEED)
    platform.gap = 1.0
    channels = scaled(50)
    for number in range(channels):
        await owing(f"{number}:", times=90, channel=f"C{number}")
        # those of the first channel expire meanwhile, whatever chance says of the others
        stale = clock() + timedelta(minutes=random.randint(1, 600) if number else 300)
        await owing(f"late {number}:", times=10, channel=f"C{number}", expires=stale)
    began, back = clock(), clock() + timedelta(hours=6)
    down = [DeliveryError("unreachable"), timeout_error()]
    platform.before = lambda place: random.choice(down) if clock() < back else None
    platform.blind = lambda place: DeliveryError("unreachable") if clock() < back else None
    deliverer = worker(engine, platform, clock)
    for _ in range(20_000):
        await deliverer.run_until_idle()
        if not await leap(engine, clock):
            break
    states = Counter(row.state for row in await rows())
    assert set(states) == {"sent", "expired"}
    record_figures("outage", "sqlite", deliveries=sum(states.values()))
    assert sum(states.values()) == 100 * channels
    assert platform.list_duplicates() == set()
    tries = [at for at, _ in platform.calls if began <= at < back]
    assert len(tries) < 3 * 6 * 3600 / 20, "it is left alone while it is down"
    assert min(post.at for post in platform.posts) - back <= timedelta(seconds=60)
    by_lane = defaultdict(list)
    for post in platform.posts:
        by_lane[post.place.channel].append((post.at, post.text))
    for posts in by_lane.values():
        times = [at for at, _ in posts]
        assert all(later - at >= timedelta(seconds=1) for at, later in pairwise(times))
        usual = [int(said.split()[-1]) for _, said in posts if not said.startswith("late")]
        assert usual == list(range(90))


@pytest.mark.campaign
@pytest.mark.timeout(400)
@pytest.mark.parametrize("kind", ["sqlite"])
async def test_a_wait_is_obeyed_to_the_instant_and_holds_nobody_else_up(
    engine: AsyncEngine,
    platform: Platform,
    owing: Owing,
    clock: Clock,
    rows: Rows,
    record_figures: RecordFigures,
) -> None:
    """A thousand waits of every size and scope: no call comes before its end."""
    chance, waits = random.Random(SEED), scaled(1000)
    sizes = (0, 0.25, 1, 1.5, 30, 3600)
    for number in range(50):
        await owing(f"{number}:", times=4, channel=f"C{number}", workspace=f"T{number % 5}")
    until: dict[str, datetime] = {}
    given, early = [0], list[str]()

    def keys(place: Destination) -> dict[str, str]:
        home = f"{place.platform}:{place.workspace}"
        return {"place": f"{home}:{place.channel}", "workspace": home, "platform": place.platform}

    def fault(place: Destination) -> Exception | None:
        early.extend(k for k in keys(place).values() if clock() < until.get(k, clock()))
        if given[0] >= waits:
            return None
        given[0] += 1
        scope = chance.choices(("place", "workspace", "platform"), (8, 1, 1))[0]
        wait = chance.choice(sizes)
        key = keys(place)[scope]
        until[key] = max(until.get(key, clock()), clock() + timedelta(seconds=wait))
        return DeliveryError("ratelimited", wait=wait, scope=scope)  # type: ignore[arg-type] # of three

    platform.before = fault
    deliverer = worker(engine, platform, clock, concurrency=1)
    for _ in range(20_000):
        await deliverer.run_until_idle()
        if not await leap(engine, clock):
            break
    record_figures("waits", "sqlite", waits=given[0])
    assert given[0] == waits
    assert early == []
    assert {row.state for row in await rows()} <= {"sent", "dead"}
    assert platform.list_duplicates() == set()


@pytest.mark.no_cover
async def test_one_poisoned_message_harms_no_other(
    engine: AsyncEngine, platform: Platform, owing: Owing, clock: Clock, rows: Rows
) -> None:
    """It is given up after eight attempts in some six hours, and the admins are told once."""
    for number in range(100):
        await owing(f"{number}:", times=10, channel=f"C{number}", kind="answer")
    await owing("poison", channel="C0", body="{}", at=clock() - timedelta(hours=1))
    deliverer = worker(engine, platform, clock)
    await deliverer.run_until_idle()
    assert len(platform.posts) == 990, "all but what stands behind it in its own channel"
    began = clock()
    for _ in range(200):
        await deliverer.run_until_idle()
        if not await leap(engine, clock):
            break
    found = {row.key: row for row in await rows()}
    assert found["poison"].state == "dead"
    assert found["poison"].attempts == 8
    assert timedelta(hours=5) < clock() - began < timedelta(hours=8)
    alarms = [row for row in found.values() if row.key.startswith("alarm:")]
    assert [row.state for row in alarms] == ["sent"]
    assert len(platform.posts) == 1001


async def test_a_workspace_that_refuses_the_hub_is_left_alone_after_twenty_refusals(
    engine: AsyncEngine, platform: Platform, owing: Owing, clock: Clock, rows: Rows
) -> None:
    """An hour long, then one tries; others go on, and nothing is lost when it is let in again."""
    for number in range(60):
        await owing(f"shut {number}", channel=f"C{number}", workspace="T9", kind="answer")
    await owing("open", channel="C1", workspace="T2")
    shut = DeliveryError("token_revoked", final=True, scope="workspace")
    platform.before = lambda place: shut if place.workspace == "T9" else None
    deliverer = worker(engine, platform, clock)
    for _ in range(200):
        await deliverer.run_until_idle()
        clock.advance(seconds=10)
    assert platform.texts() == ["open"]
    assert sum(place.workspace == "T9" for _, place in platform.calls) == 20
    clock.advance(hours=1)
    await deliverer.run_until_idle()
    assert sum(place.workspace == "T9" for _, place in platform.calls) == 21
    platform.before = lambda place: None
    clock.advance(hours=1)
    for _ in range(9):
        await deliverer.run_until_idle()
        clock.advance(seconds=10)
    assert Counter(row.state for row in await rows()) == {"sent": 61}


# --- people and staff -------------------------------------------------------------------------


async def person(engine: AsyncEngine, name: str) -> int:
    async with transaction(engine) as session:
        found = await session.scalar(select(Member.id).where(Member.folded == name))
        assert found is not None
        return found


async def test_whoever_is_not_reachable_here_is_told_elsewhere(
    engine: AsyncEngine,
    platform: Platform,
    owing: Owing,
    clock: Clock,
    rows: Rows,
    typing: CommandTyper,
) -> None:
    """By another account of the same person; who has none waits for a decision."""
    maya, ben = await person(engine, "maya chen"), await person(engine, "ben ortiz")
    async with transaction(engine, writes=True) as session:
        home = await session.scalar(select(Workspace).where(Workspace.external_id == "T1"))
        session.add(Account(workspace=home, external_id="maya2", member_id=maya,
                            first_seen=clock()))  # fmt: skip
    await owing("to maya", user="maya", member_id=maya)
    await owing("to ben", user="ben", member_id=ben)
    shut = DeliveryError("cannot_dm", final=True, dm_closed=True)
    platform.before = lambda place: shut if place.user in ("maya", "ben") else None
    deliverer = worker(engine, platform, clock)
    await deliverer.run_until_idle()
    first, second, alarm = await rows()
    assert (first.state, first.user, first.landed_in) == ("sent", "maya2", "Dmaya2")
    assert (second.state, second.reason, alarm.user) == ("dead", "cannot_dm", "ada")

    async def reachable() -> set[str]:
        async with transaction(engine) as session:
            shut = select(Account.external_id).where(~Account.reachable)
            return set(await session.scalars(shut))

    assert await reachable() == {"maya", "ben"}
    await typing("help", as_="ben")
    await typing.hub(Request(sender("ben"), "help", direct=True))
    assert await reachable() == {"maya"}


async def test_suspended_members_get_nothing_but_answers(
    engine: AsyncEngine, platform: Platform, owing: Owing, clock: Clock, rows: Rows
) -> None:
    """Whenever it was owed."""
    sam = await person(engine, "sam suspended")
    for kind in ("answer", "conversation", "round"):
        await owing(kind, user=f"sam-{kind}", member_id=sam, kind=kind)
    await worker(engine, platform, clock).run_until_idle()
    assert platform.texts() == ["answer"]
    assert [r.reason for r in await rows()] == ["", "suspended", "suspended"]


async def test_a_workspace_that_took_the_hub_out_is_owed_nothing(
    engine: AsyncEngine, platform: Platform, owing: Owing, clock: Clock, rows: Rows, hub: Hub
) -> None:
    """Neither what waited nor what is owed later by mistake; and no call is made there."""
    await owing("waits", at=clock() + timedelta(hours=1))
    async with transaction(engine, writes=True) as session:
        await owing_claimed(session, clock)
    await hub.on_workspace_removed("slack", "T1")
    await owing("later", channel="C3")
    await worker(engine, platform, clock).run_until_idle()
    assert platform.calls == []
    assert {(r.state, r.reason) for r in await rows()} == {("cancelled", "workspace removed")}


async def owing_claimed(session: object, clock: Clock) -> None:
    from tests.jobs.conftest import put

    await put(session, clock, "claimed", channel="C2")
    await sending.claim_deliveries(session, clock(), LEASE, 9, lambda row: True)  # type: ignore[arg-type]


async def test_panic_stops_what_was_claimed_already(
    engine: AsyncEngine, platform: Platform, owing: Owing, clock: Clock, rows: Rows
) -> None:
    """Between the claim and the beginning of a send the stop counts as well."""
    await owing("no")
    async with transaction(engine, writes=True) as session:
        taken = await sending.claim_deliveries(session, clock(), LEASE, 9, lambda row: True)
        await key_values.save_value(session, outbox.PANIC, "now")
    async with transaction(engine, writes=True) as session:
        held = [claim.row for claim in taken.claims]
        assert await sending.mark_in_flight(session, clock(), LEASE, held) == set()
        await sending.release_claims(session, held, clock())
    await worker(engine, platform, clock).run_until_idle()
    assert platform.calls == []
    assert [r.state for r in await rows()] == ["due"]


async def test_the_end_is_told_in_its_own_transaction(
    engine: AsyncEngine, platform: Platform, owing: Owing, clock: Clock, rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """However it ended; and what fails there harms no delivery."""
    told = list[tuple[str, str]]()

    async def act(session: object, now: datetime, row: Delivery) -> None:
        told.append((row.key, row.state))
        if row.key == "stumbles":
            await session.execute(text("SELECT nonsense"))  # type: ignore[attr-defined]

    monkeypatch.setattr(deliveries, "ENDED_HOOKS", {"news": act})
    await owing("arrives", channel="C1")
    await owing("stumbles", channel="C2")
    await owing("late", channel="C3", expires=clock())
    await owing("refused", channel="C4")
    refusal = DeliveryError("no", final=True)
    platform.before = lambda place: refusal if place.channel == "C4" else None
    await worker(engine, platform, clock).run_until_idle()
    assert sorted(told) == [("arrives", "sent"), ("late", "expired"), ("refused", "dead"),
                            ("stumbles", "sent")]  # fmt: skip
    assert [r.state for r in await rows()][:4] == ["sent", "sent", "expired", "dead"]


async def test_threads_edits_and_removals_follow_their_message(
    engine: AsyncEngine, platform: Platform, owing: Owing, clock: Clock, rows: Rows
) -> None:
    """They wait for it, go where it landed, and end with it if it never arrives."""
    root = await owing("root", user="maya")
    await owing("reply", user="maya", under_id=root)
    await owing("edited", user="maya", act="edit", of_id=root)
    gone = await owing("gone", user="maya")
    lost = await owing("lost", channel="C9")
    await owing("under lost", channel="C9", under_id=lost)
    await owing("edit lost", channel="C9", act="edit", of_id=lost)
    refusal = DeliveryError("no", final=True)
    platform.before = lambda place: refusal if place.channel == "C9" else None
    deliverer = worker(engine, platform, clock)
    await deliverer.run_until_idle()
    await owing("removal", user="maya", act="remove", of_id=gone)
    await deliverer.run_until_idle()
    assert platform.texts()[:2] == ["edited", "reply"]
    assert platform.posts[1].place == Destination("slack", "T1", "maya", "Dmaya", "1")
    assert [post.text for post in platform.posts if post.removed] == ["gone\n"]
    found = {row.key: (row.state, row.reason) for row in await rows()}
    assert found["under lost"] == ("dead", "what it belongs to never arrived")
    assert found["edit lost"] == ("cancelled", "what it belongs to never arrived")


async def test_another_key_still_finds_what_the_old_one_signed(
    engine: AsyncEngine, platform: Platform, owing: Owing, clock: Clock, rows: Rows
) -> None:
    """The newest signs, all of them are searched; a key of somebody else finds nothing."""
    await owing("once")
    platform.after = lambda place: timeout_error()
    await DeliveryWorker(engine, [platform], ["old"], clock=clock).run_until_idle()
    platform.after = lambda place: None
    clock.advance(seconds=20)
    await DeliveryWorker(engine, [platform], ["new", "old"], clock=clock).run_until_idle()
    assert len(platform.posts) == 1
    assert [r.state for r in await rows()] == ["sent"]


async def test_nobody_here_speaks_there(
    engine: AsyncEngine, platform: Platform, owing: Owing, clock: Clock, rows: Rows
) -> None:
    """Another process does: it is left for that one, and tried again after a minute."""
    await owing("elsewhere", workspace="other1")
    await owing("here")
    deliverer = worker(engine, platform, clock)
    await deliverer.run_until_idle()
    first, second = await rows()
    assert (first.state, first.fence, second.state) == ("due", 0, "sent")


# --- the books --------------------------------------------------------------------------------


async def test_what_is_old_is_tidied_away_and_the_books_still_balance(
    engine: AsyncEngine, platform: Platform, owing: Owing, clock: Clock, rows: Rows
) -> None:
    """Texts after two days, the rest after ninety; what needs a decision stays."""
    refusal = DeliveryError("no", final=True)
    platform.before = lambda place: refusal if place.channel == "C2" else None
    await owing("sent", kind="answer")
    await owing("dead", channel="C2", kind="answer", key="alarm:x")
    await owing("planned", channel="C3", at=clock() + timedelta(days=200))
    await worker(engine, platform, clock).run_until_idle()
    for days, left, readable in ((1, 3, 3), (2, 3, 2), (90, 2, 2)):
        clock.advance(days=days)
        async with transaction(engine, writes=True) as session:
            await retention.delete_old(session, clock())
            books = await retention.load_conservation(session)
            assert books.is_balanced or engine.dialect.name != "sqlite"
        assert len(await rows()) == left
        assert sum(bool(row.body) for row in await rows()) == readable


async def test_a_lost_row_is_noticed(engine: AsyncEngine, owing: Owing, clock: Clock) -> None:
    """The check that ends every test does see something."""
    await owing("one")
    await owing("two", channel="C2")
    async with transaction(engine, writes=True) as session:
        await session.execute(text("DELETE FROM delivery WHERE key = 'one'"))
        assert not (await retention.load_conservation(session)).is_balanced
        await session.execute(update(Delivery).values(state="mislaid"))
        assert not (await retention.load_conservation(session)).is_balanced
        await session.rollback()


async def test_many_are_sent_with_as_few_questions_as_one(
    engine: AsyncEngine,
    platform: Platform,
    owing: Owing,
    clock: Clock,
    query_count: Callable[[], AbstractContextManager[StatementCounter]],
) -> None:
    """Four to claim, two to begin, two to end; and three for each look that finds nothing."""
    asked = []
    deliverer = worker(engine, platform, clock)
    deliverer._maintained_at = clock()
    for many in (1, 16):
        for number in range(many):
            await owing(f"{many} {number}", channel=f"C{number}", kind="answer")
        with query_count() as counted:
            await deliverer.run_until_idle()
        asked.append(counted.number)
    assert len(platform.posts) == 17
    assert asked == [14, 14]
