"""Coming in by the true doors: a code on Slack, a second account on Discord, one person on both."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.platforms.discord import text_of
from tests.stories.test_two_platforms import Town, town

CODE = re.compile(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2}")


@pytest.fixture
async def story(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path) as everybody:
        yield everybody


async def test_cai_joins_by_code_and_is_the_same_person_on_discord(story: Town) -> None:
    """Refused, let in by the city's code, linked after confirming, one profile on both."""
    slack, discord = story.slack, story.discord
    cai = slack.add_user(slack.team, "Cai Lin", tz="America/New_York", locale="en-US")

    refused = await slack.command(cai, "/wwc", "who-does open data")
    assert "Members only" in refused.seen
    form = await slack.press(cai, refused, "Join")
    assert form.view is not None

    made = await slack.command(story.ana, "/wwc", "invite code city:Boston")
    (code,) = set(CODE.findall(made.seen))
    joined = await slack.submit(cai, form.view, {"code": code})
    assert joined.ok, joined.body
    home = await slack.command(cai, "/wwc", "profile title:Steward listed:yes")
    assert "Steward" in home.seen

    shown = await slack.command(cai, "/wwc", "link")
    (link,) = set(CODE.findall(shown.seen))
    stranger = await discord.slash(story.beto, "wwc profile", {"act": "show"}, guild=story.guild)
    assert "Steward" not in text_of(stranger)
    typed = await discord.slash(story.beto, "wwc-me link", {"code": link}, guild=story.guild)
    assert "Cai Lin" in text_of(typed)
    before = await discord.slash(story.beto, "wwc home", {}, guild=story.guild)
    assert "Cai" not in text_of(before)

    asked = await slack.command(cai, "/wwc", "link")
    assert "Beto Rojas" in asked.seen
    done = await slack.press(cai, asked, "Confirm")
    assert "Linked" in done.seen
    same = await discord.slash(story.beto, "wwc profile", {"act": "show"}, guild=story.guild)
    assert "Steward" in text_of(same)
    assert "Boston, MA" in text_of(same)
    assert not any(code in line or link in line for line in story.hub.lines), "a code in the log"
