"""What the operator types: answers, exit codes, and one sentence for each mistake."""

import asyncio
import gc
import json
import logging
import re
import runpy
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from bot import cli as program
from bot import serving, settings
from db import migrate
from tests import databases
from tests.platforms.discord import LoopbackDiscord

MAYA = ("--as", "maya@city.example")


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What was printed, read by a machine."""
        return json.loads(self.out)


Wwc = Callable[..., Said]


@pytest.fixture
def wwc(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Wwc:
    """`wwc("say", "help")` in this process, in a folder that holds the database `wwc.db`."""
    monkeypatch.chdir(tmp_path)
    for name in settings.KNOWN_VARIABLES:
        monkeypatch.delenv(name, raising=False)

    def run(*words: str, **variables: str) -> Said:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["wwc", *words])
        with pytest.raises(SystemExit) as ended:
            program.main()
        printed = capsys.readouterr()
        return Said(int(ended.value.code or 0), printed.out, printed.err)

    return run


@pytest.fixture
def cast(tmp_path: Path, sqlite_template: Path) -> Path:
    """The database in the folder, with the cast in it."""
    return Path(shutil.copyfile(sqlite_template, tmp_path / "wwc.db"))


def rows(file: Path) -> dict[str, int]:
    """How many rows each table has."""
    with sqlite3.connect(file) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        counted = {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
            for (name,) in names
            if "_fts" not in name
        }
    connection.close()
    return counted


def test_the_module_is_the_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`python -m bot` where `wwc` is not on the path."""
    monkeypatch.setattr(sys, "argv", ["bot", "manifest", "slack"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("bot", run_name="__main__")
    gc.enable()  # the program collects nothing while it starts
    assert ended.value.code in (0, None)
    assert "slash_commands" in json.loads(capsys.readouterr().out)["features"]


# --- lists ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("cast")
def test_a_list_goes_out_and_comes_in_again(wwc: Wwc, tmp_path: Path) -> None:
    """Nothing changes by it; a row that does not fit is exit code 1, a missing file 2."""
    assert wwc("export", "members", "out.csv").code == 0
    assert "There was nothing to write." in wwc("import", "members", "out.csv").out

    before = rows(tmp_path / "wwc.db")
    (tmp_path / "new.csv").write_text("name,email,city\nAna,ana@recife.example,Recife\n")
    assert wwc("import", "members", "new.csv", "--dry-run").code == 0
    assert rows(tmp_path / "wwc.db") == before
    (tmp_path / "bad.csv").write_text("name,email,city\nAna,ana@recife.example,Resife\n")
    refused = wwc("import", "members", "bad.csv")
    assert refused.code == 1
    assert "row 2, city: «Resife» is not a city" in refused.err
    assert rows(tmp_path / "wwc.db") == before

    missing = wwc("import", "members", "none.csv")
    assert (missing.code, missing.err) == (
        2,
        "none.csv cannot be read: No such file or directory.\n",
    )


# --- Discord ----------------------------------------------------------------------------------


async def test_the_commands_are_registered_and_the_address_told(wwc: Wwc) -> None:
    """At the loopback Discord; where nobody answers it is said, and the exit code is 1."""
    async with LoopbackDiscord() as discord:
        found = {
            "DISCORD_TOKEN": discord.token,
            "DISCORD_API_URL": discord.api_url,
            "DISCORD_GATEWAY_URL": discord.gateway_url,
        }
        synced = await asyncio.to_thread(wwc, "discord", "sync", **found)
        assert (synced.code, synced.out) == (0, "The commands are registered.\n")
        assert "wwc" in [c["name"] for c in discord.commands[None]]
        invited = await asyncio.to_thread(wwc, "discord", "invite-url")
        assert invited.code == 0
        assert invited.out.startswith("https://discord.com/oauth2/authorize?client_id=")

    alone = await asyncio.to_thread(wwc, "discord", "sync")
    assert (alone.code, alone.out) == (1, "")
    assert "Discord did not do it" in alone.err


# --- say --------------------------------------------------------------------------------------


def test_say_answers_a_newcomer_on_an_empty_folder(wwc: Wwc) -> None:
    """No settings, no database: a demo member asks, and people of the demo are found."""
    said = wwc("say", "who-does open data")
    assert said.code == 0
    assert "open data" in said.out
    assert "invented" in said.out
    assert "Traceback" not in said.err


@pytest.mark.usefixtures("cast")
def test_say_speaks_as_the_member_of_an_address(wwc: Wwc) -> None:
    """The slash may be typed along."""
    said = wwc("say", "/wwc profile", *MAYA, "--json")
    assert said.code == 0
    assert "Open Data Manager" in said.out
    assert "Traceback" not in said.err


@pytest.mark.usefixtures("cast")
def test_say_refuses_an_address_nobody_has(wwc: Wwc) -> None:
    """Wrong use, with a way out; nothing is printed that a script could take for an answer."""
    said = wwc("say", "help", "--as", "nobody@city.example")
    assert (said.code, said.out) == (2, "")
    assert "Nobody has the e-mail nobody@city.example" in said.err


def test_say_never_invents_people_among_real_ones(wwc: Wwc, cast: Path) -> None:
    """Where somebody is already, one says who asks; the demo stays out."""
    with sqlite3.connect(cast) as connection:
        connection.execute("UPDATE member SET synthetic = 0")
    connection.close()
    before = rows(cast)["member"]
    said = wwc("say", "help")
    assert (said.code, said.out) == (2, "")
    assert "--as" in said.err
    assert rows(cast)["member"] == before


@pytest.mark.usefixtures("cast")
def test_say_gives_the_very_payload(wwc: Wwc) -> None:
    """The card itself, or what Slack and Discord would get."""
    words = ("say", "who-does open data", *MAYA)
    assert {"text", "blocks"} <= set(wwc(*words, "--on", "slack", "--json").json)
    assert "components" in wwc(*words, "--on", "discord", "--json").json
    card = wwc(*words, "--json").json
    assert "Luis Ángel Rojas" in json.dumps(card, ensure_ascii=False)
    form = wwc("say", "profile", *MAYA, "--on", "slack").json
    assert form["type"] == "modal"


@pytest.mark.usefixtures("cast")
def test_say_is_drawn_on_a_terminal(wwc: Wwc, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the eye, where there is one."""
    monkeypatch.setattr(program.console, "_force_terminal", True)
    said = wwc("say", "topics", *MAYA)
    assert said.code == 0
    assert said.out.startswith("╭─")


def test_say_loads_nothing_it_does_not_need(tmp_path: Path, sqlite_template: Path) -> None:
    """It answers within a second because servers, platforms and migrations stay where they are."""
    shutil.copyfile(sqlite_template, tmp_path / "wwc.db")
    heavy = {"alembic", "aiohttp", "discord", "slack_bolt", "slack_sdk", "jinja2", "apscheduler",
             "rustworkx", "numpy", "icalendar"}  # fmt: skip
    checking = (
        "import sys\nfrom bot.cli import cli\n"
        "try:\n    cli(['say', 'help', '--as', 'maya@city.example'])\n"
        f"except SystemExit:\n    print('LOADED', sorted(sys.modules.keys() & {heavy!r}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", checking], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "LOADED []"
    assert "What the hub can do" in done.stdout


# --- data -------------------------------------------------------------------------------------


def test_seed_may_be_repeated(wwc: Wwc, tmp_path: Path) -> None:
    """The reference data first, then the demo's people; again, nothing changes."""
    file = tmp_path / "wwc.db"
    assert wwc("seed").code == 0
    reference = rows(file)
    assert reference["topic"] > 20
    assert reference["member"] == 0
    assert wwc("seed").code == 0
    assert rows(file) == reference
    assert wwc("seed", "--demo").code == 0
    demo = rows(file)
    assert demo["member"] > 100
    assert {name: demo[name] for name in ("topic", "city")} == {
        name: reference[name] for name in ("topic", "city")
    }
    assert wwc("seed", "--demo").code == 0
    assert rows(file) == demo


def test_the_database_goes_up_and_down(wwc: Wwc) -> None:
    """Check tells in one sentence where it stands, and by its exit code."""
    assert wwc("db", "check").code == 1
    assert wwc("db", "upgrade").out == f"The database is at {migrate.head()}.\n"
    assert wwc("db", "check") == Said(0, "The database is as it should be.\n", "")
    assert wwc("db", "downgrade", "base").out == "The database is at base.\n"
    older = wwc("db", "check")
    assert (older.code, older.out) == (
        1,
        "The database is older than this program: run `wwc db upgrade`.\n",
    )


def test_a_revision_nobody_knows_is_wrong_use(wwc: Wwc) -> None:
    """The known ones are listed."""
    for words in (("upgrade", "--revision", "777"), ("downgrade", "777")):
        said = wwc("db", *words)
        assert said.code == 2
        assert (
            f"There is no revision 777; known: base, {', '.join(migrate.revisions())}" in said.err
        )


@pytest.mark.parametrize("words", [("db", "upgrade"), ("seed",), ("say", "help")])
def test_a_newer_database_is_refused(wwc: Wwc, cast: Path, words: tuple[str, ...]) -> None:
    """By everything that would write to it."""
    renew(cast)
    said = wwc(*words)
    assert said.code == 78
    assert said.err.endswith("The database is at 9999, newer than this program: update it.\n")
    assert wwc("db", "check").code == 1


@pytest.mark.parametrize("words", [("db", "upgrade"), ("db", "check"), ("seed",), ("run",)])
def test_a_database_that_cannot_be_opened_is_one_sentence(
    wwc: Wwc, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Exit code 78, whichever command meets it first."""
    said = wwc(*words, DATABASE_URL=f"sqlite:///{tmp_path}", PORT="0")
    assert said.code == 78
    assert said.err.splitlines()[-1].startswith("Configuration: DATABASE_URL: the database cannot")
    assert str(tmp_path) not in said.err


# --- platforms, settings, wrong use -----------------------------------------------------------


def test_the_manifest_is_ready_to_be_pasted(wwc: Wwc) -> None:
    """With the address people reach the hub at; over a socket without one."""
    manifest = wwc("manifest", "slack", WWC_PUBLIC_URL="https://hub.city.example").json
    url = "https://hub.city.example/slack/events"
    assert manifest["features"]["slash_commands"][0]["url"] == url
    socket = wwc(
        "manifest", "slack",
        SLACK_APP_TOKEN="xapp-1-A012-345-abcdef", SLACK_BOT_TOKEN="xoxb-1765-1987-pdFZKV",
    ).json  # fmt: skip
    assert socket["settings"]["socket_mode_enabled"] is True
    assert "url" not in socket["features"]["slash_commands"][0]


@pytest.mark.parametrize(
    "words",
    [
        ("sya", "help"),
        ("say",),
        ("say", "help", "--on", "teams"),
        ("say", "help", "--loud"),
        ("db", "sideways"),
        ("db", "downgrade"),
        ("manifest", "teams"),
        ("backup",),
        (),
    ],
)
def test_wrong_use_is_code_two(wwc: Wwc, words: tuple[str, ...]) -> None:
    """With the usage, and without a traceback."""
    said = wwc(*words)
    assert said.code == 2
    assert "Usage: " in said.out + said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("wanted", ["loud", "json:loud", ":info", "console:info:x"])
def test_a_log_nobody_knows_is_refused(wwc: Wwc, wanted: str) -> None:
    """Rather than a silent one."""
    said = wwc("manifest", "slack", WWC_LOG=wanted)
    assert said.code == 78
    assert said.err.startswith("Configuration: WWC_LOG is console or json")


def test_logs_are_for_machines_or_for_the_eye(wwc: Wwc, capsys: pytest.CaptureFixture[str]) -> None:
    """One line an event, from the level that was asked for."""
    wwc("manifest", "slack", WWC_LOG="json:warning")
    structlog.get_logger().info("unheard")
    structlog.get_logger().warning("heard", adapters=["slack"])
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["level"], line["adapters"]) == ("heard", "warning", ["slack"])
    wwc("manifest", "slack", WWC_LOG="console")
    structlog.get_logger().info("heard again", port=80)
    assert "heard again" in (spoken := capsys.readouterr().err)
    assert "port=80" in spoken
    assert logging.getLogger().getEffectiveLevel() >= logging.WARNING


def test_discord_alone_needs_its_token(wwc: Wwc) -> None:
    """There is nothing else that process could do."""
    said = wwc("discord")
    assert (said.code, said.err) == (78, "Configuration: DISCORD_TOKEN is missing.\n")


@pytest.mark.parametrize(
    ("command", "variables", "parts"),
    [
        ("run", {}, {"web", "worker", "playground"}),
        ("run", {"DISCORD_TOKEN": "loopback-token"}, {"web", "worker", "discord"}),
        ("web", {"DISCORD_TOKEN": "loopback-token"}, {"web"}),
        ("web", {}, {"web", "playground"}),
        ("discord", {"DISCORD_TOKEN": "loopback-token"}, {"discord"}),
        ("worker", {}, {"worker"}),
    ],
)
def test_each_process_serves_its_parts(
    wwc: Wwc,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    variables: dict[str, str],
    parts: set[str],
) -> None:
    """What is set decides; the Procfile gives each part a process of its own."""
    served: list[frozenset[str]] = []

    async def serve(_: object, wanted: frozenset[str]) -> None:
        served.append(wanted)

    monkeypatch.setattr(serving, "run", serve)
    said = wwc(command, **variables)
    assert said.code == 0
    assert served == [parts]
    if command == "run":
        slack, discord = said.out.splitlines()[-2:]
        assert slack.startswith("Slack       off: set SLACK_SIGNING_SECRET")
        assert discord.endswith("connecting") == ("discord" in parts)


# --- copies -----------------------------------------------------------------------------------


def tear(file: Path) -> None:
    """As a failing disk would: pages in the middle are lost."""
    with file.open("r+b") as opened:
        opened.seek(file.stat().st_size // 2)
        opened.write(b"\xff" * 20_000)


def lose(file: Path) -> None:
    """As a faulty program would: pages that nobody knows of any more."""
    _write(file, "PRAGMA writable_schema=ON", "DELETE FROM sqlite_master WHERE name LIKE 'ix%'")


def orphan(file: Path) -> None:
    """As somebody with an editor would: roles of a member who is not there."""
    _write(file, "INSERT INTO member_role (member_id, role) VALUES (999999, 'staff')")


def renew(file: Path) -> None:
    """As a newer program would."""
    _write(file, "UPDATE alembic_version SET version_num = '9999'")


def _write(file: Path, *statements: str) -> None:
    with sqlite3.connect(file) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def scribble(file: Path) -> None:
    """Another file under this name."""
    file.write_text("minutes of the last meeting " * 100)


def test_a_copy_brings_everything_back(wwc: Wwc, cast: Path, tmp_path: Path) -> None:
    """Saved, lost, restored: the same rows, readable by this user alone."""
    copy = tmp_path / "copy.db"
    before = rows(cast)
    assert wwc("backup", str(copy)).code == 0
    assert copy.stat().st_mode & 0o777 == 0o600
    cast.unlink()
    said = wwc("restore", str(copy))
    assert (said.code, said.err) == (0, "")
    assert rows(cast) == before
    assert "Maya Chen" in wwc("say", "who-is Maya", *MAYA).out
    assert not list(tmp_path.glob("*.partial*"))


def test_what_may_have_gone_out_since_the_copy_is_not_sent_again(
    wwc: Wwc, cast: Path, tmp_path: Path
) -> None:
    """It waits for the staff; what is due later goes out in time, what is over stays as it was."""
    columns = "platform, workspace, user, channel, key, kind, body, lane, at, retry_at, created_at"
    for key, state, at in (
        ("due", "due", "2026-01-01"), ("flying", "inflight", "2026-01-01"),
        ("gone", "sent", "2026-01-01"), ("later", "due", "2999-01-01"),
    ):  # fmt: skip
        moment = f"'{at} 00:00:00.000000'"
        _write(
            cast,
            f"INSERT INTO delivery ({columns}, state) VALUES ('slack', 'T1', 'maya', '', '{key}',"
            f" 'news', '', 'x', {moment}, {moment}, {moment}, '{state}')",
        )
    assert wwc("backup", "copy.db").code == 0
    said = wwc("restore", "copy.db", "--force")
    assert (said.code, said.err) == (0, "")
    assert "2 messages that may have gone out since are held back" in said.out
    with sqlite3.connect(cast) as connection:
        query = "SELECT key, state FROM delivery ORDER BY id"
        states = dict(connection.execute(query).fetchall())
    connection.close()
    assert states == {"due": "held", "flying": "held", "gone": "sent", "later": "due"}
    assert wwc("db", "check").code == 0


def test_a_copy_names_the_key_that_belongs_to_it(wwc: Wwc, cast: Path) -> None:
    """Without it the tokens of the workspaces are lost; a key that is set is kept elsewhere."""
    cast.with_suffix(".key").write_text("k" * 43)
    assert "Keep wwc.key with it" in wwc("backup", "one.db").out
    assert "Keep" not in wwc("backup", "two.db", WWC_SECRET_KEY="k" * 43).out


def test_the_head_of_the_audit_log_shows_what_was_cut_off(
    wwc: Wwc, cast: Path, tmp_path: Path
) -> None:
    """Printed by `audit verify` and with each copy; what is restored from a copy fits it again."""
    key, newer = {"WWC_SECRET_KEY": "a" * 43}, {"WWC_SECRET_KEY": f"{'b' * 43},{'a' * 43}"}
    assert wwc("audit", "verify").code == 2  # no key is made up for rows that had another one
    assert not cast.with_suffix(".key").exists()
    assert wwc("audit", "verify", **key).out.startswith(
        "0 rows, each as it was written. Head: none"
    )
    for number in (1, 2, 3):
        assert wwc("say", f"settings weekly:{number}", *MAYA, **key).code == 0
        assert wwc("say", "admin members", *MAYA, **key).code == 0
    early = head_in(wwc("audit", "verify", **key).out)
    assert early.startswith("3:k:")
    assert wwc("say", "admin health", *MAYA, **newer).code == 0
    saved = wwc("backup", "copy.db", **newer)
    head = head_in(saved.out)
    assert head.startswith("4:k:")
    verify = ("audit", "verify", "--head")
    assert [wwc(*verify, noted, **newer).code for noted in (early, head)] == [0, 0]
    assert wwc(*verify, "4:k:no", **newer).err.startswith("The log was tampered with: row 4 does")
    assert wwc(*verify, "17", **newer).code == 2

    with sqlite3.connect(cast) as connection:
        connection.execute("DROP TRIGGER audit_no_delete")
        connection.execute("DELETE FROM audit WHERE id = 4")
        connection.execute("UPDATE memo SET value = ? WHERE key = 'audit-head'", (early,))
    connection.close()
    assert wwc("audit", "verify", **newer).code == 0
    cut = wwc(*verify, head, **newer)
    assert (cut.code, cut.err.split(":")[0]) == (1, "The log ends before row 4 of the head")
    restored = wwc("restore", "copy.db", "--force", **newer)
    assert head_in(restored.out) == head
    assert wwc(*verify, head, **newer).code == 0
    assert "is missing from WWC_SECRET_KEY" in wwc("audit", "verify", WWC_SECRET_KEY="c" * 43).err


def head_in(printed: str) -> str:
    """The head of the audit log, as it was printed."""
    found = re.search(r"(?:Head|Head of its audit log): (\S+)", printed)
    assert found is not None
    return found[1]


async def test_a_copy_is_made_while_the_hub_writes(
    database: str, tmp_path: Path, joining: Callable[..., Any]
) -> None:
    """Each copy is one moment's state: sound, and with everything saved before it."""
    from bot.operator import backup

    given = settings.Settings(database_url=database)
    writing = asyncio.gather(*(joining(key=f"extra{n}", city="recife-pe-br") for n in range(12)))
    for number in range(4):
        before = rows(tmp_path / "hub.db")["member"]
        copy = tmp_path / f"copy{number}.db"
        assert await backup.save_backup(given, copy, force=False) == 0
        assert rows(copy)["member"] >= before
    await writing
    assert await backup.save_backup(given, copy, force=True) == 0
    assert rows(copy) == rows(tmp_path / "hub.db")
    assert await backup.restore_backup(given, copy, force=True) == 1, "the hub has it open"


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_what_is_there_is_not_replaced_by_accident(
    wwc: Wwc, cast: Path, tmp_path: Path, command: str
) -> None:
    """Only with --force."""
    other = Path(shutil.copyfile(cast, tmp_path / "other.db"))
    _write(other, "INSERT INTO memo VALUES ('mark', 'other')")
    said = wwc(command, "other.db")
    assert said.code == 2
    assert said.err.endswith("exists already; add --force to replace it.\n")
    assert (rows(cast)["memo"], rows(other)["memo"]) == (0, 1)
    assert wwc(command, "other.db", "--force").code == 0
    assert rows(cast) == rows(other)
    assert rows(cast)["memo"] == (command == "restore")


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (tear, "damaged"),
        (lose, "is damaged: an older copy is needed"),
        (orphan, "is damaged: an older copy is needed"),
        (scribble, "is not a database of the hub"),
        (renew, "newer than this program"),
    ],
)
def test_what_is_damaged_is_not_restored(
    wwc: Wwc, cast: Path, tmp_path: Path, damage: Callable[[Path], None], why: str
) -> None:
    """Whatever happened to the copy, the database stays as it was."""
    before = rows(cast)
    damage(Path(shutil.copyfile(cast, tmp_path / "copy.db")))
    said = wwc("restore", "copy.db", "--force")
    assert said.code == 1
    assert why in said.err
    assert rows(cast) == before


@pytest.mark.parametrize("damage", [tear, scribble])
def test_a_damaged_database_is_not_saved_but_can_be_replaced(
    wwc: Wwc, cast: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    """A copy of it would look like a backup; a sound copy takes its place."""
    sound = Path(shutil.copyfile(cast, tmp_path / "sound.db"))
    damage(cast)
    said = wwc("backup", "copy.db")
    assert said.code == 1
    assert said.err.startswith("wwc.db ")
    assert not (tmp_path / "copy.db").exists()
    assert wwc("restore", "sound.db", "--force").code == 0
    assert rows(cast) == rows(sound)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("backup", "no/such/folder/copy.db"), "a folder that exists"),
        (("backup", "."), "a folder that exists"),
        (("backup", "wwc.db", "--force"), "is the database itself"),
        (("restore", "missing.db"), "There is no file missing.db"),
    ],
)
@pytest.mark.usefixtures("cast")
def test_copies_of_nothing_and_to_nowhere(wwc: Wwc, words: tuple[str, ...], why: str) -> None:
    """Wrong use, in one sentence."""
    said = wwc(*words)
    assert said.code == 2
    assert why in said.err


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_postgresql_has_tools_of_its_own(wwc: Wwc, command: str) -> None:
    """Which are named."""
    url = databases.USUAL
    said = wwc(command, "copy.db", DATABASE_URL=url, WWC_SECRET_KEY="k" * 43)
    assert said.code == 2
    assert "pg_dump and pg_restore" in said.err


# --- simulate ---------------------------------------------------------------------------------


def test_rounds_are_played_through_and_nothing_is_sent(wwc: Wwc, tmp_path: Path) -> None:
    """On an empty folder the demo's people take part; the figures come, the outbox stays empty."""
    said = wwc("simulate", "rounds", "--weeks", "2", "--seed", "1")
    assert said.code == 0
    for figure in ("repeat rate", "coverage", "left out in a row", "against the optimum"):
        assert figure in said.out
    there = rows(tmp_path / "wwc.db")
    assert there["round_member"] > 150
    assert there["round"] == there["delivery"] == there["talk"] == 0


@pytest.mark.usefixtures("cast")
def test_there_is_nothing_to_play_where_nobody_takes_part(wwc: Wwc) -> None:
    """Said in one line, with the way to change it."""
    said = wwc("simulate", "rounds")
    assert said.code == 1
    assert "rounds on" in said.out
    assert wwc("simulate", "rounds", "--weeks", "0").code == 2
