"""The description of the app, as Slack would check it."""

import json
import re
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.adapters.slack.manifest import EVENTS, SCOPES, build_manifest, usage_hint
from bot.commands import ANYONE, STAFF, Command, load_commands
from bot.handlers.help import Help
from tests.adapters.slack.conftest import ToldHub
from tests.platforms.slack import LoopbackSlack
from tests.platforms.slack_world import SCOPES as KNOWN_SCOPES


def command(name: str, **more: object) -> Command:
    """A declared verb."""
    facts = {"model": Help, "handle": None, "allow": ANYONE, "writes": False, "summary": "Does it"}
    return Command(name=name, **{**facts, "example": "", **more})  # type: ignore[arg-type]


def test_every_text_fits() -> None:
    """Slack's limits for names, descriptions, hints and lists."""
    made = build_manifest(load_commands(), "https://hub.example")
    shown, slash = made["display_information"], made["features"]["slash_commands"][0]

    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
    assert 175 <= len(shown["long_description"]) <= 4000
    assert re.fullmatch(r"#[0-9a-f]{6}", shown["background_color"])
    assert len(made["features"]["bot_user"]["display_name"]) <= 80
    assert 2 <= len(slash["command"]) <= 32
    assert len(slash["description"]) <= 2000
    assert len(slash["usage_hint"]) <= 1000
    assert len(made["settings"]["event_subscriptions"]["bot_events"]) <= 100


def test_scopes_are_the_ones_used_each_with_its_reason() -> None:
    """Nothing is asked for that is not needed, nothing that Slack does not know."""
    made = build_manifest(load_commands(), "https://hub.example")

    assert made["oauth_config"]["scopes"]["bot"] == list(SCOPES)
    assert set(SCOPES) <= KNOWN_SCOPES
    assert all(SCOPES.values())
    assert all(EVENTS.values())


async def test_whatever_is_subscribed_to_is_listened_to(
    slack: LoopbackSlack, hub: ToldHub, adapter: object
) -> None:
    """And of nobody's doing comes nothing, whichever event it is."""
    for name in EVENTS:
        kind = name.partition(".")[0]
        with capture_logs() as logs:
            act = await slack.event(slack.team, {"type": kind, "channel_type": "im", "text": "x"})
        assert act.status == 200
        assert {"event": "ignored", "kind": kind, "log_level": "info"} not in logs, name
    assert (hub.asked, hub.overheard) == ([], [])


def test_addresses_are_ours() -> None:
    """Events, interactivity, completions and the command reach one door."""
    made = build_manifest(load_commands(), "https://hub.example/")
    door = "https://hub.example/slack/events"

    assert made["features"]["slash_commands"][0]["url"] == door
    assert made["settings"]["event_subscriptions"]["request_url"] == door
    assert made["settings"]["interactivity"]["request_url"] == door
    assert made["settings"]["interactivity"]["message_menu_options_url"] == door
    assert made["oauth_config"]["redirect_urls"] == ["https://hub.example/slack/oauth_redirect"]
    assert made["settings"]["org_deploy_enabled"]


def test_socket_mode_needs_no_address() -> None:
    """Behind a firewall there is none."""
    made = build_manifest(load_commands(), "http://127.0.0.1:8080", socket=True)

    assert made["settings"]["socket_mode_enabled"]
    assert "127.0.0.1" not in str(made)


def test_the_hint_shows_examples_help_first_and_nothing_for_staff() -> None:
    """What one types after the slash comes from the declarations."""
    known = {
        "city": command("city", example="city recife"),
        "admin": command("admin members", allow=STAFF),
        "help": command("help"),
    }

    assert usage_hint(known) == "[help | city recife]"


@pytest.mark.parametrize("length", [300, 499, 998, 999, 1000])
def test_the_hint_is_cut_between_examples(length: int) -> None:
    """Many verbs do not break the manifest."""
    known = {str(n): command(str(n), example="x" * length) for n in range(5)}

    assert len(usage_hint(known)) <= 1000


def test_the_file_in_the_repository_is_what_the_declarations_say() -> None:
    """Whoever pastes `manifest.json` gets today's app, at the address of their own hub."""
    file = Path(__file__).parents[3] / "manifest.json"

    assert json.loads(file.read_text()) == build_manifest(
        load_commands(), "https://hub.example.org"
    )
