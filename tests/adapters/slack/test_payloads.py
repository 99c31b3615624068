"""Whatever Slack sends, it is told whose it is: a person in a workspace, never an organisation."""

from typing import Any

from bot.adapters.slack.payloads import (
    Body,
    Visitor,
    command_author,
    event_author,
    interaction_author,
)

ANA = {"id": "U1", "name": "ana", "team_id": "T1"}
ORG = {"enterprise": {"id": "E1", "name": "State"}, "is_enterprise_install": True}
TEAM = {"id": "T1", "domain": "city", "enterprise_id": "E1", "enterprise_name": "State"}
PLACE: dict[str, Any] = {"user": ANA, "team": TEAM, **ORG}


def view(installed: str | None, kind: str = "modal") -> dict[str, Any]:
    return {"view": {"id": "V1", "type": kind, "team_id": "T1", "app_installed_team_id": installed}}


WIDE = {"enterprise_id": "E1", "team_id": None, "user_id": "UB", "is_bot": True,
        "is_enterprise_install": True}  # fmt: skip
"""How Slack names an installation in a whole organisation."""

INTERACTIONS: tuple[tuple[Body, str, str], ...] = (
    # an installation in the whole organisation: what was pressed belongs to the workspace
    ({"type": "block_actions", **PLACE, "container": {"type": "message"}}, "T1", "E1"),
    ({"type": "block_actions", **PLACE, **view("E1", "home")}, "T1", "E1"),
    ({"type": "block_actions", **PLACE, **view("E1")}, "T1", "E1"),
    ({"type": "view_submission", **PLACE, **view("E1")}, "T1", "E1"),
    ({"type": "view_closed", **PLACE, **view("E1"), "is_cleared": False}, "T1", "E1"),
    ({"type": "block_suggestion", **PLACE, **view("E1")}, "T1", "E1"),
    ({"type": "shortcut", **PLACE}, "T1", "E1"),
    ({"type": "message_action", **PLACE, "message": {"team": "T9"}}, "T1", "E1"),
    # where the workspace is not named at all, it is the person's own
    ({"type": "view_submission", **PLACE, "team": None, **view("E1")}, "T1", "E1"),
    ({"type": "shortcut", **PLACE, "team": None}, "T1", "E1"),
    ({"type": "view_submission", "user": ANA, "team": TEAM, **view("E1")}, "T1", "E1"),
    ({"type": "block_actions", **PLACE, "team": {"id": "E1"}, **view("E1")}, "T1", "E1"),
    # an installation in one workspace, also one that shares a channel with another company
    ({"type": "view_submission", "user": ANA, "team": {"id": "T1"}, **view("T1")}, "T1", ""),
    ({"type": "view_submission", **PLACE, **view("T2")}, "T2", "E1"),
    ({"type": "view_submission", "user": ANA, "team": {"id": "T1"}, "enterprise": None,
      **view(None)}, "T1", ""),
    # somebody else's organisation: nothing tells which of its workspaces it is
    ({"type": "view_submission", **PLACE, **view("E2")}, "", "E1"),
    ({"type": "view_submission", **PLACE, "team": None, **view("E2")}, "", "E1"),
)  # fmt: skip
EVENTS: tuple[tuple[Body, str, str], ...] = (
    ({"team_id": "T1", "enterprise_id": "E1", "authorizations": [WIDE]}, "T1", "E1"),
    ({"team_id": "T1", "authorizations": [{**WIDE, "team_id": "E1"}]}, "T1", "E1"),
    ({"team_id": "E1", "context_team_id": "T1", "authorizations": [WIDE]}, "T1", "E1"),
    # the author's workspace is another one than that through which Slack sent it
    ({"team_id": "T9", "enterprise_id": "E9", "context_team_id": "T1",
      "context_enterprise_id": "E1", "authorizations": [WIDE]}, "T1", "E1"),
    ({"team_id": "T9", "context_team_id": "T1", "context_enterprise_id": "E1"}, "T1", "E1"),
    ({"team_id": "T9", "enterprise_id": "E9",
      "authorizations": [{"team_id": "T1", "enterprise_id": None}]}, "T1", ""),
    ({"team_id": "T1"}, "T1", ""),
    ({"team_id": "E1", "authorizations": [WIDE]}, "", "E1"),
)  # fmt: skip
KINDS = ("app_home_opened", "app_mention", "message", "reaction_added", "app_uninstalled")


def test_what_is_pressed_belongs_to_a_workspace() -> None:
    """Every kind of payload, with an installation in one workspace and in an organisation."""
    for body, team, enterprise in INTERACTIONS:
        author = interaction_author(body)
        assert (author.team, author.enterprise) == (team, enterprise), body
        assert (author.user, author.home, author.name) == ("U1", "T1", "ana")
        assert author.is_identified is bool(team)


def test_what_happens_belongs_to_a_workspace() -> None:
    """Every kind of event, by its authorization, its context, and at last its place."""
    for body, team, enterprise in EVENTS:
        for kind in KINDS:
            author = event_author({**body, "event": {"type": kind, "user": "U1", **view("E1")}})
            assert author == Visitor(team, "U1", enterprise), (kind, body)


def test_what_is_typed_belongs_to_a_workspace() -> None:
    """A slash command says both, as text."""
    typed = {"command": "/wwc", "team_id": "T1", "enterprise_id": "E1", "user_id": "U1",
             "is_enterprise_install": "true"}  # fmt: skip
    assert command_author(typed) == Visitor("T1", "U1", "E1")
    assert not command_author({**typed, "team_id": "E1"}).is_identified


def test_what_is_missing_or_of_another_type_names_nobody() -> None:
    """Whatever stands in the places of ids."""
    for odd in (None, 7, [], {}, ["T1"], {"id": None}):
        body = {"user": odd, "team": odd, "enterprise": odd, "view": odd, "event": odd,
                "authorizations": odd, "team_id": odd, "context_team_id": odd}  # fmt: skip
        for read in (interaction_author, event_author, command_author):
            assert not read(body).is_identified
