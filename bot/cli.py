"""The command line of the hub: `wwc …`, the same as `python -m bot`."""

import asyncio
import json
import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import typer
from rich.console import Console

from bot import settings as configuration
from bot.logs import configure_logging
from bot.settings import EX_CONFIG, ConfigurationError, Settings

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="One community over many Slack workspaces and Discord servers.",
)


def _group_callback() -> None:
    """Do nothing: without a callback, Typer makes a group of one command that command itself."""


def _add_group(name: str, about: str) -> typer.Typer:
    """Add a group of commands to the program and return it."""
    made = typer.Typer(no_args_is_help=True)
    made.callback(help=about)(_group_callback)
    cli.add_typer(made, name=name)
    return made


db = _add_group("db", "Migrations.")
console = Console()


def main() -> None:
    """Run the program; a configuration error is printed as one line and exits with code 78."""
    os.umask(0o077)  # the database, its copies, the key and lists are for their owner alone
    try:
        cli()
    except ConfigurationError as error:
        print(f"Configuration: {error}", file=sys.stderr)
        sys.exit(EX_CONFIG)


def _load_settings() -> Settings:
    read = configuration.load_settings()
    try:
        configure_logging(read.wwc_log)
    except ValueError as error:
        raise ConfigurationError(f"WWC_LOG {error}.") from error
    return read


def _run_and_exit(work: Coroutine[Any, Any, int | None]) -> NoReturn:
    sys.exit(asyncio.run(work) or 0)


# --- serving ---


@cli.command()
def run() -> None:
    """Run everything in one process: the page, the jobs, and each platform whose tokens are set."""
    from bot.serving import run as serve

    read = _load_settings()
    parts = {"web", "worker"}
    parts |= {p for p in ("playground", "slack", "discord") if getattr(read, p)}
    _print_platforms(read)
    asyncio.run(serve(read, frozenset(parts)))


def _print_platforms(read: Settings) -> None:
    if read.playground:
        print(f"Playground  {read.public_url}/  (Ctrl+C stops)", flush=True)
    for name, on, how in (
        ("Slack", read.slack, "set SLACK_SIGNING_SECRET and SLACK_BOT_TOKEN to connect it"),
        ("Discord", read.discord, "set DISCORD_TOKEN to connect it"),
    ):
        print(f"{name:<11} {'connecting' if on else 'off: ' + how}", flush=True)


@cli.command()
def web() -> None:
    """Serve HTTP only: Slack's events, the page where it is on, health and metrics."""
    from bot.serving import run as serve

    read = _load_settings()
    parts = {"web"} | {p for p in ("playground", "slack") if getattr(read, p)}
    asyncio.run(serve(read, frozenset(parts)))


discord_cli = typer.Typer(help="Discord's gateway as a process of its own, and its commands.")
cli.add_typer(discord_cli, name="discord")


@discord_cli.callback(invoke_without_command=True)
def discord(context: typer.Context) -> None:
    """Run Discord's gateway only; with a subcommand, do one thing at Discord instead."""
    if context.invoked_subcommand is None:
        _run_discord()


def _run_discord() -> None:
    from bot.serving import run as serve

    asyncio.run(serve(_load_discord_settings(), frozenset({"discord"})))


def _load_discord_settings() -> Settings:
    read = _load_settings()
    if not read.discord:
        raise ConfigurationError("DISCORD_TOKEN is missing.")
    return read


@cli.command()
def worker() -> None:
    """Run the timetable and send what is due to every platform whose tokens are set."""
    from bot.serving import run as serve

    asyncio.run(serve(_load_settings(), frozenset({"worker"})))


# --- trying things out ---


@cli.command()
def say(
    words: Annotated[
        str, typer.Argument(help="What follows /wwc, for example: who-does open data")
    ],
    as_: Annotated[str, typer.Option("--as", help="E-mail of the member who says it")] = "",
    on: Annotated[Literal["slack", "discord", "plain"], typer.Option(help="Drawn for")] = "plain",
    as_json: Annotated[bool, typer.Option("--json", help="The very payload")] = False,
) -> None:
    """Run one command exactly as a platform would."""
    from bot.operator import say

    _run_and_exit(say.say(_load_settings(), console, words, email=as_, on=on, as_json=as_json))


simulate_cli = _add_group("simulate", "What would happen; nothing is sent.")


@simulate_cli.command("rounds")
def simulate_rounds(
    weeks: Annotated[int, typer.Option(min=1, max=520, help="How many rounds")] = 26,
    seed_: Annotated[int, typer.Option("--seed", help="Decides between equals, and who meets")] = 0,
) -> None:
    """Pair the people who take part, week after week, and print how it went."""
    from bot.operator.simulate import run_simulation

    _run_and_exit(run_simulation(_load_settings(), weeks, seed_, console))


# --- data ---


@db.command("upgrade")
def db_upgrade(revision: str = "head") -> None:
    """Migrate the database up to a revision, by default the newest."""
    from bot.operator import schema

    _run_and_exit(schema.migrate_to(_load_settings(), "upgrade", revision))


@db.command("downgrade")
def db_downgrade(revision: str) -> None:
    """Migrate the database down to a revision, or to `base`."""
    from bot.operator import schema

    _run_and_exit(schema.migrate_to(_load_settings(), "downgrade", revision))


@db.command("check")
def db_check() -> None:
    """Print how the database differs from what this program needs; exit with 1 if it does."""
    from bot.operator import schema

    _run_and_exit(schema.check_schema(_load_settings()))


@cli.command()
def seed(
    demo: Annotated[bool, typer.Option("--demo", help="Also invented people, marked so")] = False,
) -> None:
    """Write the standard, the cities and the vocabulary; repeating it changes nothing."""
    from bot.operator import schema

    _run_and_exit(schema.seed(_load_settings(), console, demo=demo))


audit_cli = _add_group("audit", "The log of acts.")


@audit_cli.command("verify")
def audit_verify(
    head: Annotated[str, typer.Option(help="As it was printed before and kept elsewhere")] = "",
) -> None:
    """Verify the seals of the audit log; exit with 1 and the first row that does not fit."""
    from bot.operator.audit import verify

    _run_and_exit(verify(_load_settings(), head))


import_cli = _add_group("import", "Lists from files: all of a file or nothing.")
export_cli = _add_group("export", "Lists into files.")


@import_cli.command("members")
def import_members(
    file: Annotated[Path, typer.Argument(help="CSV or Excel (.xlsx)")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only the preview")] = False,
) -> None:
    """Import people with their cities and topics; repeating it changes nothing."""
    from bot.operator import lists

    _run_and_exit(lists.import_members(_load_settings(), file, console, dry_run=dry_run))


@export_cli.command("members")
def export_members(file: Annotated[Path, typer.Argument(help="CSV")]) -> None:
    """Export the verified members to a file that an import can read."""
    from bot.operator import lists

    _run_and_exit(lists.export_members(_load_settings(), file))


@cli.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For programs")] = False,
) -> None:
    """Check everything the hub depends on, and say how to repair what is broken."""
    from bot.operator.doctor import report

    _run_and_exit(report(_load_settings, as_json=as_json))


File = Annotated[Path, typer.Argument(help="The copy")]
Force = Annotated[bool, typer.Option("--force", help="Replace what is there")]


@cli.command()
def backup(file: File, force: Force = False) -> None:
    """Copy the database into a file while the hub runs."""
    from bot.operator import backup

    _run_and_exit(backup.save_backup(_load_settings(), file, force=force))


@cli.command()
def restore(file: File, force: Force = False) -> None:
    """Replace the database with a copy; stop the hub first."""
    from bot.operator import backup

    _run_and_exit(backup.restore_backup(_load_settings(), file, force=force))


# --- platforms ---


manifest_cli = _add_group("manifest", "What a platform wants to know of the app.")


@manifest_cli.command("slack")
def manifest_slack() -> None:
    """Print Slack's app manifest, made from the declared commands."""
    from bot.adapters.slack.manifest import build_manifest
    from bot.commands import load_commands

    read = _load_settings()
    print(
        json.dumps(
            build_manifest(
                load_commands(), read.public_url, socket=read.slack_app_token is not None
            ),
            ensure_ascii=False,
            indent=2,
        )
    )


@discord_cli.command("sync")
def discord_sync() -> None:
    """Register the commands at Discord, whether or not they changed."""
    from bot.operator.platforms import run_discord_command

    _run_and_exit(run_discord_command(_load_discord_settings(), "sync"))


@discord_cli.command("invite-url")
def discord_invite_url() -> None:
    """Print the address that adds the bot to a server."""
    from bot.operator.platforms import run_discord_command

    _run_and_exit(run_discord_command(_load_discord_settings(), "invite-url"))


if __name__ == "__main__":
    main()
