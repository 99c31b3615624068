"""What a member wrote reaches nobody once the staff suspended or muted them, however far it was."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.adapters.base import Destination, PostedMessage
from bot.cards import Reply
from bot.community.rounds import messages
from bot.community.talks import opening
from bot.hub import Hub
from bot.jobs.deliver import DeliveryWorker
from bot.request import Request
from db import outbox, rounds
from db.base import transaction
from db.outbox import Delivery
from tests.cast import NOW, sender
from tests.conftest import Clock
from tests.jobs.conftest import KEY, leap
from tests.jobs.platform import Platform, timeout_error
from tests.reading import commands_of
from tests.talking import ConversationDriver, press

MAYA, REMI = 1, 5
ACTS = (
    "admin members suspend 1",
    "admin reports suspend 1",
    "admin reports mute 1 because of rude words",
)
Act = Callable[[], Awaitable[None]]


@dataclass
class HookedPlatform(Platform):
    """Waits for `on_wire` once, when a request is on its way and nothing is posted yet."""

    on_wire: list[Act] = field(default_factory=list)

    async def post(
        self, place: Destination, reply: Reply, language: str, marker: str
    ) -> PostedMessage:
        for act in self.on_wire:
            await act()
        return await super().post(place, reply, language, marker)

    async def edit(self, *args: Any) -> None:
        for act in self.on_wire:
            await act()
        await super().edit(*args)


@dataclass
class Scene:
    """Maya wrote to Luis, asked Ben, invited Pat, was paired with Rémi; nothing of it arrived."""

    talk: ConversationDriver
    worker: DeliveryWorker
    platforms: tuple[HookedPlatform, HookedPlatform]
    known: list[str] = field(default_factory=list)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    has_acted: bool = False

    async def act(self, words: str) -> None:
        """The staff decide, once; everybody waits until it is committed."""
        async with self.lock:
            if self.has_acted:
                return
            self.has_acted = True
            await self._act(words)

    async def _act(self, words: str) -> None:
        said = await press(self.talk, "noor", words)
        assert any(word in said for word in ("suspended", "decided")), said

    def list_arrived(self) -> list[str]:
        """What stands on the screens of others and did not stand there before the act."""
        posts = [post for platform in self.platforms for post in platform.posts]
        return [post.text for post in posts
                if not post.removed and post.place.user not in ("maya", "noor", "ada")
                and post.text not in self.known]  # fmt: skip

    async def settle(self, engine: AsyncEngine, clock: Clock) -> None:
        for _ in range(100):
            await self.worker.run_until_idle()
            if not await leap(engine, clock):
                return
        raise AssertionError("it never comes to an end")


@pytest.fixture
async def scene(hub: Hub, engine: AsyncEngine, clock: Clock) -> Scene:
    talk = ConversationDriver(hub, engine, clock)
    slack, discord = HookedPlatform(clock), HookedPlatform(clock, name="discord")
    worker = DeliveryWorker(engine, [slack, discord], [KEY], clock=clock, chance=lambda: 0.5)
    await talk.create_accounts("maya", "luis", "remi")
    async with transaction(engine, writes=True) as session:
        first, second = [await talk.load_member(session, key) for key in ("maya", "luis")]
        begun = await opening.begin_talk(session, clock(), first, second, key="intro:900")
        assert begun is not None
    await worker.run_until_idle()
    number = 1
    await talk.write("maya", "the first", number, message="w-first")
    await talk.write("luis", "hello back", number, message="w-luis")
    await worker.run_until_idle()
    made = Scene(talk, worker, (slack, discord))
    made.known = made.list_arrived()
    await _fill(made, engine, number)
    return made


async def _fill(scene: Scene, engine: AsyncEngine, number: int) -> None:
    talk = scene.talk
    edited = talk.build_message("maya", "edited", "the first, edited", message="w-first", edition=5)
    await talk.hub.handle_message(edited)
    for text in ("second", "third"):
        await talk.write("maya", f"a {text} line", number)
    marked = talk.build_message("maya", "marked", message="w-first", emoji="👍")
    await talk.hub.handle_message(marked)
    asked = await talk.hub(Request(sender("maya"), 'intro ben because:"a reason"'))
    await talk.hub(Request(sender("maya"), commands_of(asked)[0]))
    await talk.hub(Request(sender("maya"), "invite <@pat>"))
    await talk.hub(Request(sender("ben"), "report maya because:rude"))
    async with transaction(engine, writes=True) as session:
        maya, remi = [await talk.load_member(session, key) for key in ("maya", "remi")]
        await opening.begin_talk(session, NOW, maya, remi, key="intro:901")
        round_ = await rounds.get_or_create_round(session, NOW.date())
        await rounds.save_groups(session, round_, [((MAYA, REMI), 1, False)], [])
        (group,) = await rounds.list_groups(session, round_.id)
        await messages.send_check_ins(session, NOW, round_, group)
        due = select(Delivery.key).where(Delivery.state == outbox.DUE)
        kinds = {key.split(":")[0] for key in await session.scalars(due)}
        assert kinds >= {"relay", "intro", "invitation", "round"}, kinds


@pytest.mark.both
@pytest.mark.parametrize("words", ACTS)
async def test_what_is_due_reaches_nobody(
    scene: Scene, engine: AsyncEngine, clock: Clock, words: str
) -> None:
    """Lines, edits, reactions, requests, invitations, openings, and «did you meet»."""
    await scene.act(words)
    await scene.settle(engine, clock)
    assert scene.list_arrived() == []


@pytest.mark.parametrize("words", ACTS)
async def test_without_the_act_all_of_it_arrives(
    scene: Scene, engine: AsyncEngine, clock: Clock, words: str
) -> None:
    """Else the tests here would prove nothing; what arrived before the act stays."""
    await scene.settle(engine, clock)
    arrived = scene.list_arrived()
    assert len(arrived) >= 7, arrived
    await scene.act(words)
    await scene.settle(engine, clock)
    assert scene.list_arrived() == arrived


@pytest.mark.parametrize("words", ACTS)
async def test_what_a_worker_has_claimed_is_not_posted_after_the_act(
    scene: Scene, engine: AsyncEngine, clock: Clock, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """The act is committed between the claim and the record that the worker sends now."""
    original = DeliveryWorker._mark_in_flight

    async def act_first(self: DeliveryWorker, *args: Any) -> Any:
        await scene.act(words)
        return await original(self, *args)

    before = [len(platform.posts) for platform in scene.platforms]
    monkeypatch.setattr(DeliveryWorker, "_mark_in_flight", act_first)
    await scene.settle(engine, clock)
    assert scene.list_arrived() == []
    new = [post for platform, number in zip(scene.platforms, before, strict=True)
           for post in platform.posts[number:]]  # fmt: skip
    assert {post.place.user for post in new} <= {"maya", "noor", "ada"}, "nothing was even posted"


@pytest.mark.both
@pytest.mark.parametrize("words", ACTS)
async def test_what_is_on_the_wire_is_removed(
    scene: Scene, engine: AsyncEngine, clock: Clock, words: str
) -> None:
    """It arrives after the act, and is taken away; so is the message of an edit."""
    for platform in scene.platforms:
        platform.on_wire.append(lambda: scene.act(words))
    await scene.settle(engine, clock)
    assert scene.list_arrived() == []
    assert any(post.removed for platform in scene.platforms for post in platform.posts)


@pytest.mark.parametrize("words", ACTS)
async def test_what_may_have_arrived_is_looked_for_and_removed(
    scene: Scene, engine: AsyncEngine, clock: Clock, words: str
) -> None:
    """The platform gave no answer; nothing is posted again, and what is found is removed."""
    for platform in scene.platforms:
        platform.after = lambda place: timeout_error()
    await scene.worker.run_until_idle()
    assert scene.list_arrived() != []
    await scene.act(words)
    for platform in scene.platforms:
        platform.after = lambda place: None
    await scene.settle(engine, clock)
    assert scene.list_arrived() == []


async def test_a_muted_member_reaches_nobody_in_any_other_way(scene: Scene) -> None:
    """No invitation, no proposal of a time: cards of the hub carry their name, too."""
    await scene.act("admin reports mute 1 because of rude words")
    await scene.talk.hub(Request(sender("rob"), "help"))
    assert "muted you until" in await press(scene.talk, "maya", "invite <@rob>")
    assert "muted you until" in await press(scene.talk, "maya", "intro slot 1 1")
