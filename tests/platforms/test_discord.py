"""The loopback Discord, driven by the real discord.py over real sockets."""

from __future__ import annotations

import asyncio
import io
import warnings
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

with warnings.catch_warnings():
    # On import the library asks for audioop, which Python 3.13 no longer has.
    warnings.simplefilter("ignore", DeprecationWarning)
    import discord as dpy
    from discord import ui
    from discord.http import Route

from tests.platforms.discord import (
    ClientRefusalError,
    Guild,
    LoopbackDiscord,
    User,
    text_of,
)
from tests.platforms.discord_limits import Json
from tests.platforms.discord_sample import Bot, running

GONE = (aiohttp.ClientError, ConnectionError)


@pytest.fixture
async def discord() -> AsyncIterator[LoopbackDiscord]:
    async with LoopbackDiscord(strict_answers=True) as loopback:
        yield loopback
        assert loopback.bad_answers == []


@pytest.fixture
def lisbon(discord: LoopbackDiscord) -> Guild:
    return discord.add_guild("Lisbon", locale="pt-BR")


@pytest.fixture
def ada(discord: LoopbackDiscord, lisbon: Guild) -> User:
    return discord.add_user("ada", guild=lisbon, locale="fr")


@pytest.fixture
async def bot(
    discord: LoopbackDiscord, lisbon: Guild, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Bot]:
    async with running(discord, monkeypatch) as app:
        yield app


# --- commands, cards and forms ------------------------------------------------------------------


async def test_a_command_is_answered_with_a_card(
    discord: LoopbackDiscord, bot: Bot, ada: User
) -> None:
    """A card made of layout components passes the official schema and reads from top to bottom."""
    answer = await discord.slash(ada, "wwc who-does", {"topic": "open data"})

    assert answer.type == 4
    assert not answer.ephemeral
    assert answer.message.is_v2
    assert text_of(answer) == "# Who does open data\nAda, Lisbon\nIntroduce me\nMore\nPorto"
    assert discord.missed_answers == 0
    assert discord.violations == discord.unknown_keys == []


async def test_the_registered_commands_are_kept_and_counted(
    discord: LoopbackDiscord, bot: Bot
) -> None:
    """Synchronising twice keeps the ids and shows up in the counter."""
    before = discord.commands[None][0]["id"]
    await bot.tree.sync()

    assert discord.syncs[None] == 2
    assert discord.commands[None][0]["id"] == before
    assert [one.name for one in await bot.tree.fetch_commands()] == ["wwc", "Save"]


async def test_options_arrive_as_people_and_choices(
    discord: LoopbackDiscord, bot: Bot, ada: User, lisbon: Guild
) -> None:
    """A choice may be named by what is shown, and a person travels with their membership."""
    grace = discord.add_user("grace", guild=lisbon)
    options = {"topic": "x", "level": "Expert", "member": grace}

    answer = await discord.slash(ada, "wwc who-does", options)

    assert answer.ephemeral
    assert answer.message.private_to is ada
    assert answer.interaction.data["options"][0]["options"][1]["value"] == "expert"


@pytest.mark.parametrize(
    ("text", "options", "complaint"),
    [
        ("wwc who-does", {}, "required: topic"),
        ("wwc who-does", {"topic": "x", "city": "Porto"}, "no option 'city'"),
        ("wwc who-does", {"topic": 7}, "not of type 3"),
        ("wwc who-does", {"topic": "x", "level": "guru"}, "not among the choices"),
        ("wwc who", {}, "no subcommand 'who'"),
        ("wwc", {}, "needs a subcommand"),
        ("hub", {}, "no command 'hub'"),
    ],
)
async def test_the_client_refuses_what_cannot_be_typed(
    discord: LoopbackDiscord, bot: Bot, ada: User, text: str, options: Json, complaint: str
) -> None:
    """Nothing reaches the app that Discord's own client would not send."""
    with pytest.raises(ClientRefusalError, match=complaint):
        await discord.slash(ada, text, options)
    assert not discord.interactions


async def test_suggestions_appear_while_typing(
    discord: LoopbackDiscord, bot: Bot, ada: User
) -> None:
    """Autocomplete sends what is typed so far and gets names with values."""
    choices = await discord.autocomplete(ada, "wwc who-does", "topic", "open")
    assert [choice["value"] for choice in choices] == ["open data", "open source"]


async def test_a_form_is_filled_in(discord: LoopbackDiscord, bot: Bot, ada: User) -> None:
    """Fields are found by label or id; the answer to the form is an ordinary message."""
    form = await discord.slash(ada, "wwc ask")
    assert form.type == 9
    assert text_of(form).startswith("Ask the network\nMembers of all cities will see it.\nQuestion")

    answer = await discord.submit(ada, form, {"Question": "Who knows CKAN?", "level": ["Expert"]})

    assert text_of(answer) == "Who knows CKAN? (Expert)"
    assert discord.violations == []


async def test_a_form_is_not_sent_half_filled(
    discord: LoopbackDiscord, bot: Bot, ada: User
) -> None:
    """The client holds back empty, short and unknown fields."""
    form = await discord.slash(ada, "wwc ask")
    for values in ({}, {"question": "Who?"}, {"question": "Who knows?", "city": "Porto"}):
        with pytest.raises(ClientRefusalError):
            await discord.submit(ada, form, values)


async def test_a_context_menu_carries_the_message(
    discord: LoopbackDiscord, bot: Bot, ada: User, lisbon: Guild
) -> None:
    """An entry of the context menu gets the whole message, whatever the intents."""
    said = await discord.say(ada, lisbon.general, "https://example.org")
    answer = await discord.menu(ada, "Save", said.message)
    assert text_of(answer) == "saved: https://example.org"


async def test_a_button_changes_its_own_card(discord: LoopbackDiscord, bot: Bot, ada: User) -> None:
    """Update answers edit the message that carried the button; deferred ones leave it alone."""
    card = await discord.slash(ada, "wwc who-does", {"topic": "open data"})

    pressed = await discord.press(ada, card, "More")
    assert pressed.type == 7
    assert pressed.message is card.message
    assert text_of(card).startswith("# Who does more")

    chosen = await discord.choose(ada, card, "pick", ["Porto"])
    assert chosen.type == 6
    with pytest.raises(ClientRefusalError, match="no button"):
        await discord.press(ada, card, "Less")


async def test_a_private_card_belongs_to_one_person(
    discord: LoopbackDiscord, bot: Bot, ada: User, lisbon: Guild
) -> None:
    """Nobody else can press a button of an ephemeral message."""
    card = await discord.slash(ada, "wwc who-does", {"topic": "x", "level": "expert"})
    with pytest.raises(ClientRefusalError, match="cannot see"):
        await discord.press(discord.add_user("eve", guild=lisbon), card, "More")


async def test_a_deferred_answer_is_completed(
    discord: LoopbackDiscord, bot: Bot, ada: User
) -> None:
    """«Thinking…» turns into the message, and what follows stays private."""
    answer = await discord.slash(ada, "wwc slow")
    assert answer.type == 5

    assert (await answer.edited()).content == "done"
    assert (await answer.followup()).content == "and more"
    assert answer.followups[0].private_to is ada


async def test_a_command_works_in_private(discord: LoopbackDiscord, bot: Bot, ada: User) -> None:
    """In a direct message there is a user instead of a member, and no server."""
    answer = await discord.slash(ada, "wwc who-does", {"topic": "x"}, dm=True)
    assert answer.message.channel.recipient is ada


async def test_buttons_outlive_the_process(
    discord: LoopbackDiscord, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card sent by one process is answered by the next."""
    async with running(discord, monkeypatch):
        card = await discord.slash(ada, "wwc who-does", {"topic": "open data"})
    async with running(discord, monkeypatch):
        answer = await discord.press(ada, card, "introduce:42")

    assert text_of(answer) == "introduced to 42"
    assert answer.ephemeral


async def test_a_missed_deadline_is_counted(discord: LoopbackDiscord, bot: Bot, ada: User) -> None:
    """Without an answer in time the person sees «the application did not respond»."""
    discord.patience = 0.05
    answer = await discord.slash(ada, "wwc silent")
    assert answer.type is None
    assert discord.missed_answers == 1


# --- messages -----------------------------------------------------------------------------------


async def test_people_talk_to_the_app_in_private(
    discord: LoopbackDiscord, bot: Bot, ada: User
) -> None:
    """The words of a direct message are always readable."""
    sent = await discord.dm(ada, "hello")
    assert (await sent.reply()).content == "you said hello"


async def test_people_correct_and_retract_what_they_wrote(
    discord: LoopbackDiscord, bot: Bot, ada: User
) -> None:
    """Edits and deletions reach the app as well."""
    sent = await discord.dm(ada, "bye")
    await discord.until(lambda: bot.heard == ["bye"])
    await discord.rewrite(sent.message, "good bye")
    await discord.retract(sent.message)
    await discord.until(lambda: bot.heard == ["bye", "edited: good bye", "deleted"])


@pytest.mark.parametrize(("granted", "heard"), [(False, ""), (True, "secret")])
async def test_words_in_channels_need_an_intent(
    discord: LoopbackDiscord,
    ada: User,
    lisbon: Guild,
    monkeypatch: pytest.MonkeyPatch,
    granted: bool,
    heard: str,
) -> None:
    """Without the message content intent the app hears that somebody spoke, not what."""
    intents = dpy.Intents(guilds=True, guild_messages=True, message_content=granted)
    async with running(discord, monkeypatch, intents=intents) as bot:
        await discord.say(ada, lisbon.general, "secret")
        await discord.say(ada, lisbon.general, f"<@{discord.application_id}> hi")
        await discord.until(lambda: len(bot.heard) == 2)
        assert bot.heard[0] == heard
        assert bot.heard[1].endswith("hi")


async def test_a_nonce_is_honoured_for_three_minutes(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same nonce gives back the message already sent; later it makes a second one."""
    now = [1_800_000_000.0]
    async with LoopbackDiscord(clock=lambda: now[0]) as discord:
        guild = discord.add_guild("Lisbon")
        async with running(discord, monkeypatch) as bot:
            channel = bot.get_partial_messageable(guild.general.id)
            first = await channel.send("reminder", nonce="r-42")
            now[0] += 179
            again = await channel.send("reminder", nonce="r-42")
            now[0] += 2
            late = await channel.send("reminder", nonce="r-42")

    assert first.id == again.id != late.id
    assert discord.deduplicated == 1
    assert len(discord.sent_to(guild.general)) == 2


async def test_messages_are_edited_read_and_deleted(
    discord: LoopbackDiscord, bot: Bot, lisbon: Guild
) -> None:
    """History is newest first and reckons by ids; edits keep what was said before."""
    channel = bot.get_partial_messageable(lisbon.general.id)
    first, second = await channel.send("one"), await channel.send("two")
    await first.edit(content="uno")

    assert discord.messages[first.id].edits[0]["content"] == "one"
    assert [m.content async for m in channel.history(after=first)] == ["two"]
    assert [m.content async for m in channel.history(limit=5)] == ["two", "uno"]
    await second.delete()
    assert [m.id for m in discord.sent_to(lisbon.general)] == [first.id]


async def test_pictures_travel_with_a_card(
    discord: LoopbackDiscord, bot: Bot, lisbon: Guild
) -> None:
    """A file is stored under its name and the card may refer to it."""
    view = ui.LayoutView()
    view.add_item(ui.MediaGallery(dpy.MediaGalleryItem("attachment://chart.png")))
    file = dpy.File(io.BytesIO(b"PNG"), filename="chart.png", description="a chart")
    sent = await bot.get_partial_messageable(lisbon.general.id).send(view=view, file=file)

    assert discord.messages[sent.id].files == {"chart.png": b"PNG"}
    assert discord.violations == []


async def test_a_bad_body_is_refused_and_noted(
    discord: LoopbackDiscord, bot: Bot, lisbon: Guild
) -> None:
    """The answer names the place in Discord's way, and the test learns of it."""
    with pytest.raises(dpy.HTTPException, match="content") as refusal:
        await bot.get_partial_messageable(lisbon.general.id).send("x" * 2001)
    assert refusal.value.code == 50035
    assert "content: must be between 0 and 2000" in discord.violations[0]


async def test_closed_doors_are_answered_with_their_codes(
    discord: LoopbackDiscord, bot: Bot, ada: User, lisbon: Guild
) -> None:
    """Closed direct messages, missing permissions and lost channels differ by code."""
    ada.dms_open = lisbon.general.writable = False
    direct = await bot.create_dm(dpy.Object(ada.id))
    channel = bot.get_partial_messageable(lisbon.general.id)
    lost = bot.get_partial_messageable(1)
    for place, code in ((direct, 50007), (channel, 50013), (lost, 10003)):
        with pytest.raises(dpy.HTTPException) as refusal:
            await place.send("hello")
        assert refusal.value.code == code


async def test_people_and_places_can_be_looked_up(
    discord: LoopbackDiscord, bot: Bot, ada: User, lisbon: Guild
) -> None:
    """Everything the client asks for comes in the shape of the official schema."""
    role = discord.add_role(lisbon, "verified")
    guild = await bot.fetch_guild(lisbon.id)
    member = await guild.fetch_member(ada.id)
    await member.add_roles(dpy.Object(role.id))
    assert lisbon.members[ada.id].roles == [role]
    await member.remove_roles(dpy.Object(role.id))
    assert lisbon.members[ada.id].roles == []

    assert (await bot.fetch_user(ada.id)).name == "ada"
    assert [channel.name for channel in await guild.fetch_channels()] == ["general"]
    channel: Any = await bot.fetch_channel(lisbon.general.id)
    sent = await channel.send("hello")
    assert (await channel.fetch_message(sent.id)).content == "hello"
    await channel.typing()
    await guild.leave()
    assert not lisbon.installed


async def test_what_is_unknown_has_a_code(
    discord: LoopbackDiscord, bot: Bot, ada: User, lisbon: Guild
) -> None:
    """Lookups of things that are not there fail as they do on the platform."""
    guild = await bot.fetch_guild(lisbon.id)
    theirs = await discord.say(ada, lisbon.general, "mine")
    channel = bot.get_partial_messageable(lisbon.general.id)
    attempts = {
        10004: bot.fetch_guild(1),
        10013: bot.fetch_user(1),
        10007: guild.fetch_member(1),
        10008: channel.fetch_message(1),
        50005: channel.get_partial_message(theirs.message.id).edit(content="yours"),
        50003: channel.get_partial_message(theirs.message.id).delete(),
    }
    for code, attempt in attempts.items():
        with pytest.raises(dpy.HTTPException) as refusal:
            await attempt
        assert refusal.value.code == code


async def test_commands_of_one_server(
    discord: LoopbackDiscord, bot: Bot, ada: User, lisbon: Guild
) -> None:
    """A server's own commands are offered there only, and can be changed one by one."""
    bot.tree.copy_global_to(guild=lisbon)
    commands = await bot.tree.sync(guild=lisbon)
    assert discord.syncs == {None: 1, lisbon.id: 1}
    wwc = await bot.tree.fetch_command(commands[0].id, guild=lisbon)
    assert (await wwc.edit(description="The hub")).description == "The hub"
    assert (await discord.slash(ada, "wwc slow")).interaction.data["guild_id"] == str(lisbon.id)
    await wwc.delete()
    assert [command["name"] for command in discord.commands[lisbon.id]] == ["Save"]


async def test_too_many_new_commands_in_a_day(discord: LoopbackDiscord, bot: Bot) -> None:
    """Only so many commands can be created per day and place."""
    discord.creates[None] = [discord.clock()] * 200
    with pytest.raises(dpy.HTTPException) as refusal:
        await bot.tree.sync()
    assert refusal.value.code == 30034


# --- interaction rules --------------------------------------------------------------------------


async def raw(discord: LoopbackDiscord, path: str, body: Json | None, method: str = "POST") -> Any:
    async with (
        aiohttp.ClientSession() as http,
        http.request(method, discord.api_url + path, json=body) as answer,
    ):
        return answer.status, (await answer.json() if answer.status != 204 else None)


async def test_an_interaction_is_answered_once_in_time_and_in_kind(
    discord: LoopbackDiscord, bot: Bot, ada: User
) -> None:
    """Second answers, late ones, wrong ones and dead tokens have codes of their own."""
    discord.patience = 0.02
    silent = (await discord.slash(ada, "wwc silent")).interaction
    path = f"/interactions/{silent.id}/{silent.token}/callback"
    reply = {"type": 4, "data": {"content": "hello"}}
    assert (await raw(discord, path, reply))[1]["code"] == 10062

    silent.too_late = False
    status, answer = await raw(discord, path, {"type": 7, "data": {"content": "hello"}})
    assert (status, answer["code"]) == (400, 50035)
    assert (await raw(discord, path + "?with_response=1", reply))[0] == 200
    assert (await raw(discord, path, reply))[1]["code"] == 40060
    assert discord.double_answers == 1

    silent.created -= 901
    hook = f"/webhooks/{discord.application_id}/{silent.token}"
    assert (await raw(discord, hook, {"content": "late"}))[1]["code"] == 50027


async def test_answers_can_be_changed_and_withdrawn(
    discord: LoopbackDiscord, bot: Bot, ada: User
) -> None:
    """The token of an interaction opens its answer and its follow-ups, and no others."""
    answer = await discord.slash(ada, "wwc slow")
    more = await answer.followup()
    hook = f"/webhooks/{discord.application_id}/{answer.interaction.token}/messages"

    for place in ("@original", str(more.id)):
        path = f"{hook}/{place}"
        changed = await raw(discord, path, {"content": "changed"}, "PATCH")
        assert changed[1]["content"] == "changed"
        assert (await raw(discord, path, None, "GET"))[0] == 200
        assert (await raw(discord, path, None, "DELETE"))[0] == 204
        assert (await raw(discord, path, None, "GET"))[1]["code"] == 10008
    assert more.deleted
    assert answer.message.deleted


# --- the gateway --------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "resumes"), [("drop", 1), ("op7", 1), ("close", 1), ("op9", 1)])
async def test_a_cut_connection_is_resumed_and_nothing_is_lost(
    discord: LoopbackDiscord, bot: Bot, ada: User, kind: str, resumes: int
) -> None:
    """What happens while nobody listens is replayed."""
    await discord.reconnect(kind, wait=False)
    answer = await discord.slash(ada, "wwc who-does", {"topic": "open data"})

    assert answer.type == 4
    assert len(discord.resumes) == resumes
    assert len(discord.identifies) == 1


async def test_a_silent_line_is_noticed(
    discord: LoopbackDiscord, lisbon: Guild, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Heartbeats are answered; when they are not, the client comes back by itself."""
    discord.gateway.heartbeat_interval = 0.05
    async with running(discord, monkeypatch, heartbeat_timeout=0.5):
        await discord.until(lambda: discord.gateway.heartbeats > 2)
        discord.gateway.acknowledges = False
        await discord.until(lambda: discord.resumes)


async def test_a_lost_session_starts_anew(discord: LoopbackDiscord, bot: Bot, ada: User) -> None:
    """After «invalid session» the app identifies again and serves on."""
    await discord.reconnect("op9_new")
    assert len(discord.identifies) == 2
    assert (await discord.slash(ada, "wwc who-does", {"topic": "x"})).type == 4


async def test_each_server_belongs_to_one_shard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers are spread over the shards, direct messages go to the first."""
    async with LoopbackDiscord(shards=2) as discord:
        homes = [discord.add_guild("Lisbon"), discord.add_guild("Porto")]
        people = [discord.add_user(home.name, guild=home) for home in homes]
        async with running(discord, monkeypatch) as bot:
            await discord.connected(2)
            assert [bot.get_guild(home.id).shard_id for home in homes] == [0, 1]  # type: ignore[union-attr]
            for person in people:
                assert (await discord.slash(person, "wwc who-does", {"topic": "x"})).type == 4
            await discord.reconnect("drop", shard=1)
            assert len(discord.resumes) == 1
            assert (await discord.slash(people[1], "wwc slow", dm=True)).type == 5
    assert [one["shard"] for one in discord.identifies] == [[0, 2], [1, 2]]


async def test_a_wrong_token_is_turned_away(
    discord: LoopbackDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client is told at once, before any connection."""
    token, discord.token = discord.token, "another"
    monkeypatch.setattr(Route, "BASE", discord.api_url)
    async with Bot() as bot:
        with pytest.raises(dpy.LoginFailure):
            await bot.login(token)


async def test_intents_that_were_not_granted_close_the_door(
    discord: LoopbackDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Privileged intents need the platform's approval."""
    discord.gateway.approved_intents = 0
    monkeypatch.setattr(Route, "BASE", discord.api_url)
    async with Bot(intents=dpy.Intents(message_content=True)) as bot:
        with pytest.raises(dpy.PrivilegedIntentsRequired):
            await bot.start(discord.token)


async def test_members_can_be_asked_for(
    discord: LoopbackDiscord, bot: Bot, ada: User, lisbon: Guild
) -> None:
    """Chunks of members and presences pass over the gateway."""
    guild = bot.get_guild(lisbon.id)
    assert guild is not None
    found = await guild.query_members(user_ids=[ada.id])
    assert [member.name for member in found] == ["ada"]
    await bot.change_presence(activity=dpy.Game("helping"))
    await discord.until(lambda: discord.gateway.presences)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ('{"op": 2, "d": {"token": "wrong", "intents": 0}}', 4004),
        ('{"op": 2, "d": {"token": "loopback-token", "intents": 0, "shard": [2, 2]}}', 4010),
        ('{"op": 6, "d": {"token": "wrong"}}', 4004),
        ('{"op": 99}', 4001),
        (" " * 5000, 4002),
    ],
)
async def test_the_gateway_closes_on_nonsense(
    discord: LoopbackDiscord, frame: str, code: int
) -> None:
    """Each mistake has its close code."""
    async with aiohttp.ClientSession() as http, http.ws_connect(discord.gateway_url) as socket:
        await socket.receive_json()
        await socket.send_str(frame)
        await socket.receive()
        assert socket.close_code == code


async def test_servers_come_and_go(discord: LoopbackDiscord, bot: Bot, lisbon: Guild) -> None:
    """The app learns of a new server and of being thrown out."""
    porto = discord.add_guild("Porto")
    await discord.install(porto)
    await discord.uninstall(lisbon)
    await asyncio.wait_for(bot.thrown_out.wait(), 2)
    assert [guild.id for guild in bot.guilds] == [porto.id]


# --- faults and limits --------------------------------------------------------------------------


async def test_rate_limits_are_respected(discord: LoopbackDiscord, bot: Bot, lisbon: Guild) -> None:
    """With limits on, the client waits for its bucket; nothing comes early."""
    discord.limits.enabled, discord.limits.window = True, 0.2
    channel = bot.get_partial_messageable(lisbon.general.id)
    for number in range(8):
        await channel.send(str(number))
    assert len(discord.sent_to(lisbon.general)) == 8
    assert discord.early_requests == 0


async def test_a_429_is_waited_out(discord: LoopbackDiscord, bot: Bot, lisbon: Guild) -> None:
    """The request is repeated after the named time and happens once."""
    fault = discord.fault(kind="429", method="POST", path="/channels/", retry_after=0.1)
    await bot.get_partial_messageable(lisbon.general.id).send("hello")
    assert fault.struck == 1
    assert discord.early_requests == 0
    assert len(discord.requests_to("POST", "/channels/")) == 2


async def test_a_global_limit_stops_everything_but_interactions(
    discord: LoopbackDiscord, bot: Bot, ada: User, lisbon: Guild
) -> None:
    """A global 429 is waited out by all routes, while answers to people go on."""
    discord.fault(kind="429", method="GET", scope="global", retry_after=1.0)
    asked = asyncio.create_task(bot.fetch_guild(lisbon.id))
    await discord.until(lambda: discord.limits.refused["global"])

    assert (await discord.slash(ada, "wwc who-does", {"topic": "x"})).type == 4
    assert not asked.done()
    await bot.get_partial_messageable(lisbon.general.id).send("hello")
    assert (await asked).name == "Lisbon"
    assert discord.early_requests == 0


async def test_requests_before_the_time_are_counted(discord: LoopbackDiscord) -> None:
    """Somebody who does not wait is refused again."""
    discord.fault(kind="429", path="/webhooks/", retry_after=5.0)
    for _ in range(3):
        assert (await raw(discord, "/webhooks/1/x", {"content": "hi"}))[0] == 429
    assert discord.early_requests == 2


async def test_a_ban_by_the_front_gate_is_an_error(
    discord: LoopbackDiscord, bot: Bot, lisbon: Guild
) -> None:
    """A 429 without Via comes from Cloudflare and is not waited out."""
    discord.fault(kind="429", method="POST", via=False, retry_after=0.1)
    with pytest.raises(dpy.HTTPException) as refusal:
        await bot.get_partial_messageable(lisbon.general.id).send("hello")
    assert refusal.value.status == 429


@pytest.mark.parametrize(
    ("kind", "arrived", "error"),
    [
        ("503", 0, dpy.DiscordServerError),
        ("reset_before", 0, GONE),
        ("reset_after", 1, GONE),
        ("half", 1, GONE),
        ("empty", 1, ValueError),
        ("bad_json", 1, ValueError),
        ("html", 0, TypeError),
        ("error", 0, dpy.HTTPException),
    ],
)
async def test_faults_strike_before_or_after_the_deed(
    discord: LoopbackDiscord, bot: Bot, lisbon: Guild, kind: str, arrived: int, error: Any
) -> None:
    """Each fault leaves the platform in the state that the real one would."""
    discord.fault(kind=kind, method="POST", path=f"/channels/{lisbon.general.id}/messages")
    with pytest.raises(error):
        await bot.get_partial_messageable(lisbon.general.id).send("hello")
    assert len(discord.sent_to(lisbon.general)) == arrived


async def test_a_fault_has_its_turn(discord: LoopbackDiscord, bot: Bot, lisbon: Guild) -> None:
    """`nth` counts the matching requests; a delay only takes time."""
    fault = discord.fault(kind="delay", method="POST", path="/channels/", nth=2, seconds=0.01)
    channel = bot.get_partial_messageable(lisbon.general.id)
    for text in ("one", "two", "three"):
        await channel.send(text)
    assert (fault.seen, fault.struck) == (3, 1)
    assert len(discord.sent_to(lisbon.general)) == 3


async def test_a_server_that_says_nothing(discord: LoopbackDiscord) -> None:
    """A timeout ends with the client's patience, not with an answer."""
    discord.fault(kind="timeout", path="/webhooks/")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await raw(discord, "/webhooks/1/x", {"content": "hi"})
