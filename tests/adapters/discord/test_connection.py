"""The adapter's own life: saying, connecting, registering its commands, and its end."""

import asyncio
import contextlib
from types import SimpleNamespace
from typing import cast

import discord as library
import pytest
from discord.http import Route

from bot.adapters.discord import listen
from bot.adapters.discord.drafts import RecentCache
from bot.adapters.discord.gateway import Client, EventHandlers
from bot.adapters.discord.invite import invite_url
from bot.adapters.discord.views import RawLayoutView, first_text_of
from bot.cards import Card
from bot.request import Request
from tests.adapters.discord.stage import SLOW, Stage, run_adapter
from tests.platforms.discord import LoopbackDiscord, text_of


def test_a_message_that_could_mention_is_refused() -> None:
    """The last gate before the wire."""

    async def draw() -> None:
        RawLayoutView({"components": [], "allowed_mentions": None})

    with pytest.raises(ValueError, match="mention"):
        asyncio.run(draw())


# --- the connection ---------------------------------------------------------------------------


async def test_commands_are_registered_when_they_changed(stage: Stage) -> None:
    """Once at the start, not again, and by hand at any time."""
    assert stage.discord.syncs[None] == 1
    assert not await stage.adapter.sync()
    assert await stage.adapter.sync(force=True)
    assert stage.discord.syncs[None] == 2
    assert await stage.adapter.application_id() == stage.discord.application_id


async def test_no_privileged_intent_is_asked_for(stage: Stage) -> None:
    """Servers, direct messages and the reactions to them, nothing else."""
    assert stage.discord.identifies[0]["intents"] == 1 << 0 | 1 << 9 | 1 << 12 | 1 << 13


async def test_a_command_replayed_after_a_cut_is_handled_once(stage: Stage) -> None:
    """Sessions are resumed at Discord's address, and known events are left alone."""
    await stage.discord.slash(stage.ada, "wwc profile")
    session = next(iter(stage.discord.gateway.sessions.values()))
    replayed = session.log[-1]
    await stage.discord.reconnect("drop")
    await stage.discord.gateway._dispatch(session, "INTERACTION_CREATE", replayed["d"])
    await stage.discord.slash(stage.ada, "wwc home")

    assert [r.words for r in stage.hub.asked] == ["profile", "home"]
    assert len(stage.discord.resumes) == 1


async def test_of_two_processes_one_handles_a_command(stage: Stage) -> None:
    """While a new version starts both are connected; what changes something happens once."""
    other = stage.create_adapter()
    task = asyncio.create_task(other.listen())
    await stage.discord.connected(2)
    try:
        await stage.discord.slash(stage.ada, "wwc profile")
        await asyncio.sleep(0.05)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    assert [r.words for r in stage.hub.asked] == ["profile"]


async def test_a_slow_second_process_takes_its_thinking_back(stage: Stage) -> None:
    """If it had to say «thinking…» before it knew."""

    async def slow(key: str) -> bool:
        await asyncio.sleep(SLOW)
        return False

    stage.hub.record_event = slow  # type: ignore[method-assign]

    answer = await stage.discord.slash(stage.ada, "wwc profile")
    await stage.discord.until(lambda: answer.message.deleted)

    assert stage.hub.asked == []


async def test_the_hub_hears_of_a_removal_but_not_of_an_outage(stage: Stage) -> None:
    """Discord tells both in the same event."""
    porto = stage.discord.add_guild("Porto")
    await stage.discord.install(porto)
    await stage.discord.uninstall(stage.guild, outage=True)
    await stage.discord.uninstall(porto)
    for _ in range(100):
        await asyncio.sleep(0.01)
        if stage.hub.removals:
            break

    assert stage.hub.removals == [("discord", str(porto.id))]


async def test_a_fault_is_a_short_apology_with_a_reference(stage: Stage) -> None:
    """Never silence, never a traceback; also after «thinking…»."""

    def fails(request: Request) -> Card:
        raise RuntimeError("inside")

    stage.hub.script = fails
    at_once = await stage.discord.slash(stage.ada, "wwc home")
    stage.hub.delay = SLOW
    later = await stage.discord.slash(stage.ada, "wwc home")

    assert f"{at_once.interaction.id:x}" in text_of(at_once)
    assert "inside" not in text_of(at_once)
    assert f"{later.interaction.id:x}" in text_of(await later.edited())


async def test_without_a_language_the_answer_comes_all_the_same(stage: Stage) -> None:
    """In the language of the person's Discord."""
    stage.hub.failing = True

    assert text_of(await stage.discord.slash(stage.ada, "wwc home")) == "## home"


async def test_an_answer_that_discord_refuses_is_noted(stage: Stage) -> None:
    """The next command is answered."""
    stage.discord.patience = 0.2
    stage.discord.fault(kind="error", method="POST", path="/interactions/", status=404, code=10062)
    await stage.discord.slash(stage.ada, "wwc home")

    assert text_of(await stage.discord.slash(stage.ada, "wwc home")) == "## home"


async def test_a_new_kind_of_interaction_is_left_alone(stage: Stage) -> None:
    """It is noted, and nothing else happens."""
    stage.discord.patience = 0.1
    await stage.discord._interact(99, stage.ada, stage.guild.general, {})

    assert stage.hub.asked == []


async def test_the_end_waits_for_answers_under_way_and_refuses_new_ones() -> None:
    """Up to its limit; then every connection is closed."""
    async with LoopbackDiscord() as discord:
        stage = Stage(discord)
        task = asyncio.create_task(stage.adapter.listen())
        await discord.connected()
        assert not stage.create_adapter().is_ready()
        for _ in range(300):
            await asyncio.sleep(0.01)
            if stage.adapter.is_ready():
                break
        assert stage.adapter.is_ready()
        stage.hub.delay = SLOW
        answer = await discord.slash(stage.ada, "wwc home")
        task.cancel()
        await asyncio.sleep(0)
        refused = await discord.slash(stage.ada, "wwc home")
        with pytest.raises(asyncio.CancelledError):
            await task

        assert text_of(await answer.edited()) == "## home"
        assert "restarting" in text_of(refused) or "reiniciando" in text_of(refused).lower()
        assert not stage.adapter.is_ready()


async def test_an_answer_that_takes_too_long_does_not_hold_up_the_end() -> None:
    """After the limit it is given up."""
    async with LoopbackDiscord() as discord:
        stage = Stage(discord)
        adapter = stage.create_adapter(drain_timeout=0.05)
        async with run_adapter(adapter, discord):
            stage.hub.delay = 60
            await discord.slash(stage.ada, "wwc home")


async def test_while_discord_is_away_the_adapter_tries_again() -> None:
    """With growing pauses, until it is back."""
    async with LoopbackDiscord() as discord:
        stage = Stage(discord)
        fault = discord.fault(kind="reset_before", path="/users/@me", times=5)
        async with run_adapter(stage.adapter, discord):
            assert text_of(await discord.slash(stage.ada, "wwc home")) == "## home"
        assert fault.struck == 5


async def test_a_long_connection_that_broke_is_tried_again_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The pause grows only while attempts fail one after the other."""
    monkeypatch.setattr(listen, "MAX_PAUSE", -1.0)
    async with LoopbackDiscord() as discord:
        stage = Stage(discord)
        discord.fault(kind="reset_before", path="/users/@me", times=2)
        async with run_adapter(stage.adapter, discord):
            assert text_of(await discord.slash(stage.ada, "wwc home")) == "## home"


async def test_commands_that_cannot_be_registered_do_not_stop_the_rest() -> None:
    """It is noted; the old commands go on working."""
    async with LoopbackDiscord() as discord:
        stage = Stage(discord)
        discord.fault(kind="error", method="PUT", status=400, code=50035)
        async with run_adapter(stage.adapter, discord):
            assert stage.saved_hash == ""
            await stage.adapter.sync()
            assert stage.saved_hash


async def test_a_wrong_token_ends_the_adapter() -> None:
    """No retry can help."""
    async with LoopbackDiscord() as discord:
        stage = Stage(discord)
        discord.token = "another"

        with pytest.raises(library.LoginFailure):
            await stage.adapter.listen()


async def test_traffic_goes_where_the_operator_says() -> None:
    """Sharded or not, resumed or not; without settings it is Discord's own address."""

    async def nothing(_: object) -> None:
        return None

    ears = EventHandlers(*[nothing] * 6)
    async with LoopbackDiscord(shards=2) as discord:
        stage = Stage(discord)
        discord.gateway.url = "ws://127.0.0.2:1/elsewhere/"
        task = asyncio.create_task(stage.adapter.listen())
        await discord.connected()
        await asyncio.sleep(0.1)
        await discord.reconnect("drop")
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert {tuple(i["shard"]) for i in discord.identifies} == {(0, 2), (1, 2)}
        assert len(discord.resumes) == 2
    own = Client(ears)
    assert Route.BASE == "https://discord.com/api/v10"
    assert own._gateway is None
    await own.on_shard_connect(0)


def test_a_message_without_a_text_has_no_heading() -> None:
    """Such as one of an older version."""
    box = SimpleNamespace(children=[SimpleNamespace()])
    odd = SimpleNamespace(components=[SimpleNamespace(), box])

    assert first_text_of(cast(library.Message, odd)) == ""


def test_the_invitation_asks_for_what_is_used() -> None:
    """Two scopes and four permissions."""
    assert invite_url(7) == (
        "https://discord.com/oauth2/authorize?client_id=7"
        "&scope=bot+applications.commands&permissions=274877975552"
    )


def test_what_is_kept_is_bounded() -> None:
    """The oldest make room."""
    recent: RecentCache[int, int] = RecentCache(most=2)
    for number in (1, 2, 1, 3):
        recent.add(number, number)

    assert (len(recent), recent.get(2), recent.get(1)) == (2, None, 1)
