"""What waits is cancelled in one way: due or claimed, and a claim on it is void."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from bot import deliveries
from bot.cards import Card
from bot.community.blocking import block_member
from bot.community.talks.opening import begin_talk
from bot.jobs.deliver import LEASE
from bot.jobs.introductions import advance_introductions
from db import introductions, joining, linking, members, outbox, personal_data, sending, talks
from db.base import transaction
from db.introductions import Introduction
from db.members import Account, Member
from db.outbox import CANCELLED, DUE, INFLIGHT, Address, Delivery
from tests.cast import PLATFORM
from tests.owed import load_member

pytestmark = pytest.mark.both

Act = Callable[[AsyncSession, datetime], Awaitable[object]]
Scene = Callable[[AsyncSession, datetime, Member, Member], Awaitable[Act]]
"""Owes something of Maya and Luis, and gives what ends it."""


async def _owe(session: AsyncSession, now: datetime, person: Member, key: str) -> int:
    number = await deliveries.enqueue(session, now, person, "answer", Card("Hello"), key=key)
    assert number is not None
    return number


async def _introduction(
    session: AsyncSession, now: datetime, one: Member, other: Member
) -> Introduction:
    asked = Introduction(
        one_id=one.id, other_id=other.id, status="asked", one_said="yes", asked_at=now,
        tells_at=now + introductions.ASK_LIFETIME,
    )  # fmt: skip
    session.add(asked)
    await session.flush()
    await _owe(session, now, other, introductions.card_key(asked, other.id))
    return asked


async def introduction_taken_back(
    session: AsyncSession, now: datetime, one: Member, other: Member
) -> Act:
    """Whoever asked takes it back."""
    asked = await _introduction(session, now, one, other)
    return lambda s, at: introductions.cancel_cards(s, asked, at, "withdrawn")


async def introduction_to_somebody_who_blocks(
    session: AsyncSession, now: datetime, one: Member, other: Member
) -> Act:
    """The one who is asked blocks the asker."""
    await _introduction(session, now, one, other)
    return lambda s, at: block_member(s, at, other, one)


async def talk_of_two_who_are_blocked(
    session: AsyncSession, now: datetime, one: Member, other: Member
) -> Act:
    """One blocks the other before the openings have left."""
    await begin_talk(session, now, one, other, key="t:1")
    return lambda s, at: block_member(s, at, one, other)


async def talk_that_never_began(
    session: AsyncSession, now: datetime, one: Member, other: Member
) -> Act:
    """One of the two is suspended while it opens."""
    await begin_talk(session, now, one, other, key="t:1")

    async def suspend(later: AsyncSession, at: datetime) -> None:
        (await later.get_one(Member, other.id)).status = "suspended"
        await later.flush()
        await advance_introductions(later, at)

    return suspend


async def openings_of_a_talk(
    session: AsyncSession, now: datetime, one: Member, other: Member
) -> Act:
    """They are dropped, because the other side cannot be reached."""
    talk = await begin_talk(session, now, one, other, key="t:1")
    assert talk is not None
    return lambda s, at: talks.cancel_roots(s, talk, at)


async def member_who_is_silenced(
    session: AsyncSession, now: datetime, one: Member, other: Member
) -> Act:
    """A member leaves or is suspended."""
    await _owe(session, now, one, "x")
    return lambda s, at: joining.cancel_member_deliveries(s, at, one.id, "left")


async def request_that_was_decided(
    session: AsyncSession, now: datetime, one: Member, other: Member
) -> Act:
    """Somebody else of the staff answered first."""
    query = select(Account).where(Account.member_id == one.id)
    account = (await session.scalars(query)).first()
    assert account is not None
    request, new, ended = await joining.create_request(
        session, account, (), None, "Villa Nueva", now
    )
    assert request is not None
    assert (new, ended) == (True, [])
    await _owe(session, now, other, f"join:{request.id}:asked:{other.id}")
    return lambda s, at: joining.close_requests(s, account, at, "declined", other.id)


async def member_who_is_forgotten(
    session: AsyncSession, now: datetime, one: Member, other: Member
) -> Act:
    """A member asks to be forgotten."""
    await _owe(session, now, one, "x")
    return lambda s, at: personal_data.erase_member(s, at, one)


async def copy_that_is_withdrawn(
    session: AsyncSession, now: datetime, one: Member, other: Member
) -> Act:
    """Its writer deletes what the copy was made of: nothing is left to remove."""
    number = await _owe(session, now, one, "x")
    return lambda s, at: deliveries.withdraw_delivery(s, at, number)


async def workspace_that_was_left(
    session: AsyncSession, now: datetime, one: Member, other: Member
) -> Act:
    """The hub was taken out of it."""
    await _owe(session, now, one, "x")
    return lambda s, at: outbox.cancel_in_workspace(s, PLATFORM, "T1", at, outbox.REMOVED)


SCENES: list[Scene] = [
    introduction_taken_back, introduction_to_somebody_who_blocks, talk_of_two_who_are_blocked,
    talk_that_never_began, openings_of_a_talk, member_who_is_silenced, request_that_was_decided,
    member_who_is_forgotten, copy_that_is_withdrawn, workspace_that_was_left,
]  # fmt: skip


async def claim(engine: AsyncEngine, now: datetime) -> list[Delivery]:
    """A worker takes everything that is due."""
    async with transaction(engine, writes=True) as session:
        taken = await sending.claim_deliveries(session, now, LEASE, 99, lambda row: True)
    assert taken.claims
    return [one.row for one in taken.claims]


async def begin(engine: AsyncEngine, now: datetime, rows: list[Delivery]) -> set[int]:
    """The worker says what it sends now; the numbers of what it may."""
    async with transaction(engine, writes=True) as session:
        return await sending.mark_in_flight(session, now, LEASE, rows)


async def kept(engine: AsyncEngine) -> list[Delivery]:
    """Everything that was ever owed."""
    async with transaction(engine) as session:
        return list(await session.scalars(select(Delivery).order_by(Delivery.id)))


@pytest.mark.parametrize("scene", SCENES)
async def test_what_a_worker_claimed_is_cancelled_and_not_sent(
    engine: AsyncEngine, now: datetime, scene: Scene
) -> None:
    """Its fence is older than the row's from then on, and it does not begin."""
    one, other = await load_member(engine, "maya"), await load_member(engine, "luis")
    async with transaction(engine, writes=True) as session:
        end = await scene(session, now, one, other)
    held = await claim(engine, now)

    async with transaction(engine, writes=True) as session:
        await end(session, now)

    assert await begin(engine, now, held) == set()
    rows = [row for row in await kept(engine) if row.id in {mine.id for mine in held}]
    assert {row.state for row in rows} == {CANCELLED}
    assert all(row.ended_at == now and row.lease_until is None for row in rows)
    assert not [row for row in await kept(engine) if row.of_id]


@pytest.mark.parametrize("scene", SCENES)
async def test_what_is_in_flight_stays(engine: AsyncEngine, now: datetime, scene: Scene) -> None:
    """It may have arrived: how it ends is for its worker to say."""
    one, other = await load_member(engine, "maya"), await load_member(engine, "luis")
    async with transaction(engine, writes=True) as session:
        end = await scene(session, now, one, other)
    held = await claim(engine, now)
    assert len(await begin(engine, now, held)) == len(held)

    async with transaction(engine, writes=True) as session:
        await end(session, now)

    rows = {row.id: row for row in await kept(engine)}
    assert {rows[mine.id].state for mine in held} == {INFLIGHT}
    assert all(rows[mine.id].fence == mine.fence for mine in held)


async def test_what_may_have_arrived_is_removed_though_it_is_claimed_again(
    engine: AsyncEngine, now: datetime
) -> None:
    """Nobody knows yet whether the copy stands on the other side."""
    maya = await load_member(engine, "maya")
    async with transaction(engine, writes=True) as session:
        number = await _owe(session, now, maya, "x")
    held = await claim(engine, now)
    async with transaction(engine, writes=True) as session:
        (await session.get_one(Delivery, number)).began_at = now

    async with transaction(engine, writes=True) as session:
        await deliveries.withdraw_delivery(session, now, number)

    original, removal = await kept(engine)
    assert (original.id, original.state) == (held[0].id, "claimed")
    assert (removal.act, removal.of_id, removal.kind) == ("remove", number, original.kind)


async def test_who_ended_is_told_once_to_those_who_declared_it(
    engine: AsyncEngine, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Withdrawing tells the hooks of the kind, whatever the delivery's state was."""
    ended: list[str] = []

    async def note(session: AsyncSession, at: datetime, row: Delivery) -> None:
        ended.append(f"{row.key} {row.state} {row.reason}")

    monkeypatch.setitem(deliveries.ENDED_HOOKS, "answer", note)
    maya = await load_member(engine, "maya")
    async with transaction(engine, writes=True) as session:
        number = await _owe(session, now, maya, "x")
        await deliveries.withdraw_delivery(session, now, number)
        await deliveries.withdraw_delivery(session, now, number)

    assert ended == ["x cancelled taken back"]


async def test_a_claim_is_taken_back_when_its_account_is_unlinked(
    engine: AsyncEngine, now: datetime
) -> None:
    """What stands alone goes to another account of the person's, and only there."""
    maya = await load_member(engine, "maya")
    async with transaction(engine, writes=True) as session:
        other = await members.get_or_create_account(session, "other", "G9", "maya2", now)
        other.member_id = maya.id
        await session.flush()
        there = Address("other", "G9", "maya2")
        owe = partial(
            deliveries.enqueue, session, now, maya, "answer", Card("Hello"), destination=there
        )
        root = await owe(key="alone")
        await session.flush()
    held = await claim(engine, now)

    async with transaction(engine, writes=True) as session:
        account = next(
            a for a in await linking.lock_accounts(session, maya.id) if a.external_id == "maya2"
        )
        assert await linking.detach_account(session, account, maya, now) == []

    assert await begin(engine, now, held) == set()
    (row,) = await kept(engine)
    assert (row.id, row.state, row.workspace, row.user) == (root, DUE, "T1", "maya")


# --- a key is one delivery's ------------------------------------------------------------------


async def test_the_same_again_under_a_key_is_quiet_and_something_else_is_a_fault(
    engine: AsyncEngine, now: datetime
) -> None:
    """Whoever enqueues must not believe that something is owed which is not."""
    async with transaction(engine, writes=True) as session:
        maya, luis = await load_member(engine, "maya"), await load_member(engine, "luis")
        await _owe(session, now, maya, "k")
        enqueue = partial(deliveries.enqueue, session, now, key="k")
        assert await enqueue(maya, "answer", Card("Hello")) is None
        others = [
            (maya, "answer", Card("Goodbye")),
            (luis, "answer", Card("Hello")),
            (maya, "duty", Card("Hello")),
        ]
        for other in others:
            with pytest.raises(outbox.KeyConflictError):
                await enqueue(*other)
        maya.language = "fr"
        assert (
            await enqueue(maya, "answer", Card("Bonjour")) is None
        )  # the same, as far as one sees
        await session.execute(update(Delivery).values(body=""))
        maya.language = "en"
        assert await enqueue(maya, "answer", Card("Goodbye")) is None  # its text is deleted by now
        assert len((await session.scalars(select(Delivery.id))).all()) == 1
