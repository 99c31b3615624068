"""`wwc doctor` finds each fault and says what exactly to do; healthy is healthy."""

import asyncio
import json
import os
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from aiohttp import web

from bot.adapters.base import Finding
from bot.adapters.discord import doctor as discord_doctor
from bot.adapters.discord.commands import build_commands
from bot.adapters.discord.commands import fingerprint as fingerprint_of
from bot.adapters.slack import doctor as slack_doctor
from bot.adapters.slack.manifest import SCOPES
from bot.app import COMMAND_HASH_KEY, open_app
from bot.commands import load_commands
from bot.operator import doctor
from bot.operator.platforms import run_discord_act
from bot.settings import ConfigurationError, Settings
from db import key_values, migrate
from db.base import open_engine, transaction
from db.installations import Installations
from tests.databases import Postgres
from tests.platforms.discord import LoopbackDiscord
from tests.platforms.slack import LoopbackSlack

KEY = "a-key-that-is-long-enough"
NOWHERE = "http://127.0.0.1:9/api/"


def settings(database: str, **facts: Any) -> Settings:
    return Settings(**{"database_url": database, "wwc_secret_key": KEY, **facts})


def faults(found: list[Finding]) -> dict[str, Finding]:
    return {one.name: one for one in found if one.is_fault}


def file_of(database: str) -> Path:
    return Path(database.removeprefix("sqlite:///"))


# --- the machine and the database -------------------------------------------------------------


@pytest.mark.both
async def test_a_sound_installation_has_no_fault(database: str) -> None:
    """On both databases, and each thing looked at is named."""
    found = await doctor.examine(settings(database))

    assert faults(found) == {}
    names = {one.name for one in found}
    assert {"Settings", "Folder", "Clock", "Database", "Tables", "Reference data"} <= names
    assert {"Time zones", "Secret key"} <= names


async def test_looking_changes_nothing(tmp_path: Path) -> None:
    """A database that is not there is not made, nor is a key."""
    found = await doctor.examine(Settings(database_url=f"sqlite:///{tmp_path / 'none.db'}"))

    assert "wwc db upgrade" in faults(found)["Database"].fix
    assert os.listdir(tmp_path) == []


async def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """Neither the file nor its place."""
    found = await doctor.examine(settings(f"sqlite:///{tmp_path / 'no' / 'hub.db'}"))

    assert set(faults(found)) == {"Folder", "Database"}


async def test_an_old_and_a_newer_database(database: str) -> None:
    """One is brought up, for the other the program is."""
    with sqlite3.connect(file_of(database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    newer = faults(await doctor.examine(settings(database)))["Database"]
    with sqlite3.connect(file_of(database)) as connection:
        connection.execute("DELETE FROM alembic_version")
    older = faults(await doctor.examine(settings(database)))["Database"]

    assert (newer.fix, older.fix) == ("Update the program.", "Run `wwc db upgrade`.")


async def test_a_damaged_file_is_seen(database: str) -> None:
    """Before anybody reads nonsense from it."""
    file = file_of(database)
    data = bytearray(file.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 40_000] = b"\xff" * 40_000
    file.write_bytes(data)

    found = faults(await doctor.examine(settings(database)))

    assert {"SQLite file", "Database"} & set(found)


async def test_a_server_that_is_down() -> None:
    """Nobody listens there."""
    url = "postgresql://nobody:secret@127.0.0.1:9/none"
    found = faults(await doctor.examine(settings(url)))

    assert "Start the server" in found["Database"].fix
    assert "secret" not in str(found)


async def test_a_city_in_a_zone_nobody_knows(database: str) -> None:
    """The zones come with the program; a broken installation is named."""
    with sqlite3.connect(file_of(database)) as connection:
        connection.execute("UPDATE city SET zone = 'Mars/Base' WHERE slug = 'boston-ma-us'")

    found = faults(await doctor.examine(settings(database)))

    assert found["Time zones"].status == "unknown: Mars/Base"


@pytest.mark.parametrize(
    ("drift", "now", "wrong"),
    [(59.0, 1.8e9, False), (61.0, 1.8e9, True), (-61.0, 1.8e9, True), (0.0, 1.0e9, True)],
)
def test_the_clock_is_compared(drift: float, now: float, wrong: bool) -> None:
    """With the files', and with when this was written."""
    assert doctor.check_clock(drift, now).is_fault is wrong


def test_zones() -> None:
    """Only those that are."""
    known = [doctor.is_zone(z) for z in ("America/Bogota", "Mars/Base", "", "../etc")]

    assert known == [True, False, False, False]


async def test_tables_that_somebody_changed_by_hand(database: str) -> None:
    """The revision is right, the tables are not."""
    with sqlite3.connect(file_of(database)) as connection:
        connection.execute("DROP TABLE memo")
        connection.execute("CREATE TABLE memo (key VARCHAR NOT NULL PRIMARY KEY)")

    found = faults(await doctor.examine(settings(database)))

    assert "changed by hand in 1 places" in found["Tables"].status
    assert "wwc db check" in found["Tables"].fix


async def test_reference_data_that_was_never_loaded(empty_database: str) -> None:
    """The tables are there, with nothing in them."""
    engine = open_engine(empty_database)
    try:
        await migrate.upgrade(engine)
    finally:
        await engine.dispose()

    found = faults(await doctor.examine(settings(empty_database)))

    assert {name: one.fix for name, one in found.items()} == {"Reference data": "Run `wwc seed`."}


async def test_a_file_that_is_not_kept_safely(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the disk refuses what was asked for, power cuts lose data: it is told."""
    monkeypatch.setitem(doctor.PRAGMAS, "synchronous", "3")

    found = faults(await doctor.examine(settings(database)))

    assert found["SQLite"].status == "synchronous not as needed"


async def test_a_server_with_another_time(postgres: Postgres, postgres_template: str) -> None:
    """The clocks of the two machines are compared: a minute is too much."""
    name = postgres.create(postgres_template)
    try:
        read = settings(postgres.url(name))
        with time_machine.travel(datetime.now(UTC) + timedelta(seconds=90)):
            found = faults(await doctor.examine(read))
    finally:
        postgres.drop(name)

    assert found["Database clock"].status in (
        "-90 seconds from this machine's",
        "-89 seconds from this machine's",
        "-91 seconds from this machine's",
    )


# --- the key ----------------------------------------------------------------------------------


async def sealed(database: str, key: str) -> None:
    """A token that was kept with this key."""
    engine = open_engine(database)
    try:
        await Installations(engine, [key]).save("", "T1", "xoxb-1", datetime.now(UTC))
    finally:
        await engine.dispose()


async def test_a_lost_key_is_noticed(database: str) -> None:
    """The right one opens, beside others; another one does not."""
    await sealed(database, KEY)

    right = await doctor.examine(settings(database, wwc_secret_key=f"another-{KEY},{KEY}"))
    wrong = await doctor.examine(settings(database, wwc_secret_key=f"another-{KEY}"))

    assert "opens all 1 stored tokens" in [one.status for one in right]
    assert faults(wrong)["Secret key"].status == "opens 0 of 1 stored tokens"
    assert KEY not in str(wrong)


async def test_a_key_file_that_vanished_is_not_made_anew(database: str) -> None:
    """A fresh one would hide what was lost."""
    await sealed(database, KEY)

    found = faults(await doctor.examine(Settings(database_url=database)))

    assert "hub.key" in found["Secret key"].fix
    assert not file_of(database).with_suffix(".key").exists()


async def test_a_key_file_that_cannot_be_read(database: str) -> None:
    """Empty, or not a file at all."""
    file = file_of(database).with_suffix(".key")
    file.write_text("")
    empty = faults(await doctor.examine(Settings(database_url=database)))
    file.unlink()
    file.mkdir()
    folder = faults(await doctor.examine(Settings(database_url=database)))

    for found in (empty, folder):
        assert found["Secret key"].status == "cannot be read"
        assert "hub.key" in found["Secret key"].fix


async def test_a_stored_token_that_was_damaged(database: str) -> None:
    """It counts as one that no key opens, and does not end the look at the rest."""
    await sealed(database, KEY)
    with sqlite3.connect(file_of(database)) as connection:
        connection.execute("UPDATE installation SET sealed = 'abc'")

    found = faults(await doctor.examine(settings(database)))

    assert found["Secret key"].status == "opens 0 of 1 stored tokens"


# --- Slack ------------------------------------------------------------------------------------


async def test_slack_serves_us() -> None:
    """Token, scopes, Socket Mode."""
    async with LoopbackSlack() as slack:
        found = await slack_doctor.examine(slack.api_url, slack.bot_token, slack.app_token)

    assert [one.name for one in found] == ["Slack token", "Slack scopes", "Slack Socket Mode"]
    assert faults(found) == {}


async def test_slack_grants_too_little() -> None:
    """The missing scope is named with what it is for, and where it is added."""
    async with LoopbackSlack() as slack:
        team = slack.add_team("Small", scopes=frozenset(SCOPES) - {"users:read"})
        found = faults(await slack_doctor.examine(slack.api_url, team.bot_token or "", ""))

    assert found["Slack scopes"].status.startswith("users:read is missing, to ")
    assert found["Slack scopes"].fix.startswith("Add it under OAuth & Permissions at ")
    assert "then reinstall the app" in found["Slack scopes"].fix


async def test_slack_refuses_a_token() -> None:
    """A wrong bot token; a bot token where an app token belongs."""
    async with LoopbackSlack() as slack:
        found = faults(await slack_doctor.examine(slack.api_url, "xoxb-wrong", slack.bot_token))

    assert "refused (invalid_auth)" in found["Slack token"].status
    assert "connections:write" in found["Slack Socket Mode"].fix
    assert "xoxb-wrong" not in str(found)


@pytest.mark.parametrize("mishap", ["500", "timeout", "429", "error", "html"])
async def test_slack_is_not_well(mishap: str) -> None:
    """No answer that could be read, in time, is told as such."""
    async with LoopbackSlack() as slack:
        slack.fault("auth.test", kind=mishap, seconds=5)
        token = slack.bot_token
        found = await slack_doctor.examine(slack.api_url, token, "", patience=0.5)

    assert set(faults(found)) == {"Slack"}


async def test_slack_without_a_token_of_its_own() -> None:
    """Many workspaces: each brings its own; nothing is asked, and nothing is wrong."""
    found = await slack_doctor.examine(NOWHERE, "", "")

    assert "/slack/install" in found[0].status
    assert faults(found) == {}


async def test_slack_behind_somebody_who_drops_headers() -> None:
    """An app token alone is looked at alone; scopes that are not told are not called missing."""
    async with LoopbackSlack() as slack:
        alone = await slack_doctor.examine(slack.api_url, "", slack.app_token)
    headerless = {"ok": True, "team": "Springfield"}
    async with answering(headerless) as url:
        quiet = await slack_doctor.examine(url, "xoxb-1-abc", "")
    async with answering(["no", "object"]) as url:
        odd = await slack_doctor.examine(url, "xoxb-1-abc", "")

    assert [one.name for one in alone] == ["Slack Socket Mode"]
    assert [one.name for one in quiet] == ["Slack token"]
    assert set(faults(odd)) == {"Slack"}


@asynccontextmanager
async def answering(said: object) -> AsyncIterator[str]:
    """Something on this machine that answers every request the same."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(said)

    site = web.Application()
    site.router.add_route("*", "/{anything:.*}", answer)
    runner = web.AppRunner(site)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
    finally:
        await runner.cleanup()


# --- Discord ----------------------------------------------------------------------------------


async def test_discord_serves_us(database: str) -> None:
    """After the commands were registered by hand, everything is in order."""
    async with LoopbackDiscord() as discord:
        discord.add_guild("Lisbon")
        read = settings(
            database,
            discord_token=discord.token,
            discord_api_url=discord.api_url,
            discord_gateway_url=discord.gateway_url,
        )
        before = faults(await doctor.examine(read))
        async with open_app(read) as app:
            synced = await run_discord_act(app, "sync")
            address = await run_discord_act(app, "invite-url")
        after = faults(await doctor.examine(read))

    assert before["Discord commands"].fix == "Run `wwc discord sync`."
    assert synced == (True, "The commands are registered.")
    assert address[1].startswith("https://discord.com/oauth2/authorize?client_id=")
    assert after == {}


async def test_how_staffs_commands_are_opened_to_a_role() -> None:
    """Said to whoever looks; nothing is wrong with it."""
    async with LoopbackDiscord() as discord:
        found = await discord_doctor.examine(discord.api_url, discord.token, load_commands(), "")

    [one] = [f for f in found if f.name == "Discord staff commands"]
    assert not one.is_fault
    assert "/wwc-admin is seen by members with Manage Server" in one.status
    assert "Server Settings → Integrations → " in one.status


async def test_commands_that_were_changed_elsewhere() -> None:
    """We remember them, but Discord has none."""
    async with LoopbackDiscord() as discord:
        discord.add_guild("Lisbon")
        synced = fingerprint_of(build_commands(load_commands()))
        found = await discord_doctor.examine(
            discord.api_url, discord.token, load_commands(), synced
        )

    assert set(faults(found)) == {"Discord commands"}


async def test_discord_refuses_a_token(database: str) -> None:
    """The token is wrong: nothing else is asked, and nothing is registered."""
    async with LoopbackDiscord() as discord:
        found = await discord_doctor.examine(discord.api_url, "wrong-token", load_commands(), "")
        read = settings(database, discord_token="wrong-token", discord_api_url=discord.api_url)
        async with open_app(read) as app:
            done, said = await run_discord_act(app, "sync")

    assert set(faults(found)) == {"Discord token"}
    assert "wrong-token" not in str(found) + said
    assert (done, "LoginFailure" in said) == (False, True)


async def test_a_bot_in_no_server() -> None:
    """Nobody can use it: the way in is told."""
    async with LoopbackDiscord() as discord:
        found = await discord_doctor.examine(discord.api_url, discord.token, load_commands(), "")

    assert "invite-url" in faults(found)["Discord servers"].fix


@pytest.mark.parametrize(
    ("look", "answer"),
    [
        (discord_doctor._interactions_finding, {"interactions_endpoint_url": "https://x.example"}),
        (
            discord_doctor._gateway_finding,
            {"session_start_limit": {"remaining": 0, "reset_after": 7.2e6}},
        ),
    ],
)
def test_what_discord_says_of_the_app(
    look: Callable[[Any], Finding], answer: dict[str, Any]
) -> None:
    """Commands that go elsewhere, and a day's connections used up."""
    assert look(answer).is_fault


async def test_platforms_that_cannot_be_reached(database: str) -> None:
    """Each is named; the rest is still told."""
    read = settings(
        database,
        slack_signing_secret="0123456789abcdef",
        slack_bot_token="xoxb-1-abc",
        slack_api_url=NOWHERE,
        discord_token="some.token.here",
        discord_api_url=NOWHERE,
    )

    assert set(faults(await doctor.examine(read))) == {"Slack", "Discord"}


@pytest.mark.parametrize("path", ["/users/@me", "/applications/@me", "/gateway/bot"])
@pytest.mark.parametrize("mishap", ["500", "429", "html", "empty"])
async def test_discord_is_not_well(mishap: str, path: str) -> None:
    """Whatever it answers instead, and to whichever question, is no fault of the token."""
    async with LoopbackDiscord() as discord:
        discord.fault(kind=mishap, path=path)
        found = await discord_doctor.examine(discord.api_url, discord.token, load_commands(), "")

    assert set(faults(found)) == {"Discord"}


# --- the command ------------------------------------------------------------------------------


async def test_the_report(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    """For people: a line each, the fix below; for programs: JSON; 0 or 1."""
    gone = settings(f"{database}.none")

    assert await doctor.report(lambda: settings(database), as_json=False) == 0
    assert "✗" not in capsys.readouterr().out
    assert await doctor.report(lambda: gone, as_json=False) == 1
    assert "✗ Database: not there yet\n    → Run" in capsys.readouterr().out
    assert await doctor.report(lambda: gone, as_json=True) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["healthy"] is False
    assert [one["name"] for one in told["findings"] if not one["ok"]] == ["Database"]
    assert await doctor.report(lambda: settings(database), as_json=True) == 0


async def test_wrong_settings_are_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever calls the doctor hears of them as of everything else."""

    def wrong() -> Settings:
        raise ConfigurationError("SLACK_BOT_TOKEN still holds the placeholder.")

    assert await doctor.report(wrong, as_json=False) == 78
    assert "→ SLACK_BOT_TOKEN still holds" in capsys.readouterr().out


async def test_commands_are_remembered_under_one_name(database: str) -> None:
    """What the process that serves remembers is what the doctor reads."""
    engine = open_engine(database)
    try:
        async with transaction(engine, writes=True) as session:
            await key_values.save_value(session, COMMAND_HASH_KEY, "abc")
        assert await doctor._load_synced_hash(engine) == "abc"
    finally:
        await engine.dispose()


async def test_a_full_disk(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told before it happens."""
    usage = shutil.disk_usage(".")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1))

    assert "Make room" in faults(await doctor.examine(settings(database)))["Folder"].fix


# --- the program itself -----------------------------------------------------------------------


async def wwc(folder: Path, *words: str, **facts: str) -> tuple[int, str]:
    """The true program as a process: its exit code, and all it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *words,
        cwd=folder, env={"PATH": os.environ["PATH"], "HOME": str(folder), **facts},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, said.decode()


async def test_an_operator_mends_an_installation(database: str, tmp_path: Path) -> None:
    """Each fault goes away by doing what is said, until the program ends with 0."""
    async with LoopbackSlack() as slack, LoopbackDiscord() as discord:
        facts = {
            "DATABASE_URL": database,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_API_URL": slack.api_url,
            "DISCORD_TOKEN": discord.token,
            "DISCORD_API_URL": discord.api_url,
            "DISCORD_GATEWAY_URL": discord.gateway_url,
        }
        ill, said = await wwc(tmp_path, "doctor", "--json", **facts)
        invited, address = await wwc(tmp_path, "discord", "invite-url", **facts)
        discord.add_guild("Lisbon")
        synced, _ = await wwc(tmp_path, "discord", "sync", **facts)
        well, all_said = await wwc(tmp_path, "doctor", **facts)

    broken = {one["name"]: one["fix"] for one in json.loads(said)["findings"] if not one["ok"]}
    assert set(broken) == {"Discord servers", "Discord commands"}
    assert f"client_id={discord.application_id}" in address
    assert (ill, invited, synced, well) == (1, 0, 0, 0)
    assert slack.bot_token not in said + all_said
    assert discord.token not in said + all_said
    assert discord.violations == []


async def test_settings_that_are_wrong_end_with_78(tmp_path: Path) -> None:
    """As every other command ends with them; for programs it is JSON all the same."""
    code, said = await wwc(tmp_path, "doctor", "--json", SLACK_BOT_TOKEN="xoxp-1-abc")

    assert code == 78
    assert "SLACK_BOT_TOKEN" in json.loads(said)["findings"][0]["fix"]
    assert "xoxp-1-abc" not in said
