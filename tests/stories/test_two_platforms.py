"""One community over two platforms: the true process between a loopback Slack and Discord."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest

from tests.platforms.discord import Guild, LoopbackDiscord, text_of
from tests.platforms.discord import User as DiscordUser
from tests.platforms.slack import LoopbackSlack
from tests.platforms.slack import User as SlackUser
from tests.stories.program import Program, program
from tests.test_bad_inputs import BAD


class Town(NamedTuple):
    """Everybody of the story: Ana of Boston on Slack, who is admin; Beto of Bogotá on Discord."""

    hub: Program
    slack: LoopbackSlack
    discord: LoopbackDiscord
    ana: SlackUser
    beto: DiscordUser
    guild: Guild


@asynccontextmanager
async def town(folder: Path, *, beto_too: bool = False) -> AsyncIterator[Town]:
    async with LoopbackSlack() as slack, LoopbackDiscord() as discord:
        ana = slack.add_user(slack.team, "Ana Diaz", tz="America/New_York", locale="en-US")
        guild = discord.add_guild("Bogotá Datos", locale="es-419")
        beto = discord.add_user("Beto Rojas", guild=guild, locale="es-419")
        settings = {
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_API_URL": slack.api_url,
            "DISCORD_TOKEN": discord.token,
            "DISCORD_API_URL": discord.api_url,
            "DISCORD_GATEWAY_URL": discord.gateway_url,
            "WWC_ADMINS": f"slack:{slack.team.id}:{ana.id}"
            + f",discord:{guild.id}:{beto.id}" * beto_too,
            "WWC_PLAYGROUND": "on",
        }
        async with program(folder, settings) as hub:
            slack.bot_url = hub.url
            await discord.connected()
            await discord.until(lambda: discord.commands[None])
            yield Town(hub, slack, discord, ana, beto, guild)
        assert slack.violations == []
        assert discord.violations == []
        assert slack.pings == []
        assert (slack.missed_acks, discord.missed_answers) == (0, 0)


@pytest.fixture
async def story(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path) as everybody:
        yield everybody


def people_in(text: str) -> list[str]:
    """The ids of the people an answer leads to, in order."""
    return re.findall(r"who-is (\d+)", text)


async def test_ana_lets_beto_in_and_both_meet_the_same_people(story: Town) -> None:
    """A stranger is refused, asks again once staff let him in, and sees what Ana sees."""
    slack, discord, ana, beto = story.slack, story.discord, story.ana, story.beto

    # Beto is nobody yet: he gets the way in, and no name.
    refused = await discord.slash(
        beto, "wwc who-does", {"topic": "datos abiertos"}, guild=story.guild
    )
    assert refused.ephemeral
    assert people_in(str(refused.message.components)) == []

    # Ana sees him waiting, presses Approve, names the city in the form that opens.
    waiting = await slack.command(ana, "/wwc", "admin members")
    assert "Beto Rojas" in waiting.seen
    form = await slack.press(ana, waiting, "Approve")
    assert form.view is not None
    number = re.search(r"admin members approve (\d+)", str(waiting.posts[-1].blocks))
    assert number
    submitted = await slack.submit(ana, form.view, {"city": "Bogotá, Colombia"})
    assert submitted.ok, submitted.body

    # The same question on both platforms, in two languages, finds the same people.
    on_slack = await slack.command(ana, "/wwc", "who-does open data in:mexico")
    on_discord = await discord.slash(
        beto, "wwc who-does", {"topic": "datos abiertos", "in": "mexico"}, guild=story.guild
    )
    assert people_in(str(on_slack.posts[-1].blocks))
    assert people_in(str(on_slack.posts[-1].blocks)) == people_in(
        str(on_discord.message.components)
    )
    assert on_discord.ephemeral


async def test_a_press_a_form_and_a_completion_work_on_both(story: Town) -> None:
    """Buttons say commands, forms keep what was typed, completion helps while typing."""
    slack, discord, ana = story.slack, story.discord, story.ana

    found = await slack.command(ana, "/wwc", "who-does open data")
    profile = await slack.press(ana, found, "Profile")
    assert "Open to questions" in profile.seen
    typo = await slack.command(ana, "/wwc", "who-does open data level:goldd")
    assert typo.view is not None
    assert "Did you mean «Gold»?" in str(typo.view.blocks)
    misspelt = await slack.command(ana, "/wwc", "hwo-does open data")
    assert "who-does" in misspelt.seen

    home = await discord.slash(story.beto, "wwc help", {}, guild=story.guild)
    assert "/wwc city" in text_of(home)
    choices = await discord.autocomplete(story.beto, "wwc city", "name", "bogo", guild=story.guild)
    assert [c["value"] for c in choices] == ["«bogo»", "Bogotá, Colombia"][-len(choices) :] or any(
        "Bogotá" in c["name"] for c in choices
    )


async def test_bad_words_get_one_answer_through_every_door(tmp_path: Path) -> None:
    """Signed HTTP, the gateway, the page: one card or form each, seen by the asker, no fault."""
    async with town(tmp_path, beto_too=True) as (hub, slack, discord, ana, beto, guild):
        for words in BAD:
            whole = words.encode("utf-8", "replace").decode()  # a form carries no half characters
            act = await slack.command(ana, "/wwc", whole)
            assert act.ok, (words[:80], act.status)
            assert len(act.posts) + (act.view is not None) == 1, words[:80]
        for text in (w.removeprefix("who-does ").strip() for w in BAD if "who-does " in w):
            if 2 <= len(text) <= 80:  # the client itself refuses the others
                answer = await discord.slash(beto, "wwc who-does", {"topic": text}, guild=guild)
                assert answer.ephemeral, text
        assert all(m.status == 200 for m in [await _posted(hub, words) for words in BAD])
        assert [line for line in hub.lines if "fault" in line or "Traceback" in line] == []


async def _posted(hub: Program, words: str) -> aiohttp.ClientResponse:
    """What the page answers to these words."""
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{hub.url}/playground/say", json={"text": words}) as answer,
    ):
        said = await answer.json()
        assert said["plain"].strip(), words[:80]
        assert ("card" in said) != ("form" in said), words[:80]
        return answer


async def test_a_restart_keeps_what_was_sent_alive(tmp_path: Path) -> None:
    """A card sent before a restart still answers to its buttons, and commands are not re-sent."""
    async with LoopbackDiscord() as discord:
        guild = discord.add_guild("Bogotá Datos")
        beto = discord.add_user("Beto Rojas", guild=guild, locale="es-419")
        settings = {
            "DISCORD_TOKEN": discord.token,
            "DISCORD_API_URL": discord.api_url,
            "DISCORD_GATEWAY_URL": discord.gateway_url,
            "WWC_ADMINS": f"discord:{guild.id}:{beto.id}",
        }
        async with program(tmp_path, settings):
            await discord.connected()
            await discord.until(lambda: discord.commands[None])
            first = await discord.slash(beto, "wwc help", {}, guild=guild)
        synced = discord.syncs[None]
        async with program(tmp_path, settings):
            await discord.connected()
            again = await discord.press(beto, first, "topics")
            assert again.type is not None
            await asyncio.sleep(0.3)
            assert discord.syncs[None] == synced
        assert discord.violations == []


async def test_the_page_answers_health_and_stops_cleanly(story: Town) -> None:
    """Readiness names each platform; SIGTERM ends the process in time with code 0."""
    async with aiohttp.ClientSession() as http:
        ready = await _ready(http, story.hub)
        async with http.get(f"{story.hub.url}/metrics") as answer:
            assert "hub_requests" in await answer.text()
    assert ready.pop("queue").endswith(" s")
    parts = (
        "database",
        "slack",
        "discord",
        "playground",
        "deliveries",
        "disk",
        "timetable",
        "worker",
    )
    assert ready == dict.fromkeys(parts, "ok")
    assert await story.hub.stop() == 0


async def _ready(http: aiohttp.ClientSession, hub: Program) -> dict[str, str]:
    """What readiness says once everything is connected, or after ten seconds."""
    said: dict[str, str] = {}
    for _ in range(100):
        async with http.get(f"{hub.url}/readyz") as answer:
            said = await answer.json()
            if answer.status == 200:
                break
        await asyncio.sleep(0.1)
    return said
