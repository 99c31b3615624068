"""Two people of two platforms are introduced, the true process between loopback platforms."""

import sqlite3
from pathlib import Path

import aiohttp

from tests.platforms.discord import text_of
from tests.stories.test_two_platforms import Town, town

BECAUSE = "we both publish open data"


def openings(folder: Path) -> dict[str, str]:
    """What opened a conversation, by platform."""
    with sqlite3.connect(folder / "wwc.db") as database:
        rows = database.execute(
            "SELECT platform, body FROM delivery WHERE key LIKE '%:open:%'"
        ).fetchall()
    database.close()
    return dict(rows)


async def join(story: Town) -> None:
    """Ana shows herself in the directory, lets Beto in, and he shows himself."""
    slack, discord, ana, beto = story.slack, story.discord, story.ana, story.beto
    await slack.command(ana, "/wwc", 'profile listed:yes knows:"open data" languages:en,es')
    await discord.slash(beto, "wwc help", {}, guild=story.guild)
    waiting = await slack.command(ana, "/wwc", "admin members")
    form = await slack.press(ana, waiting, "Approve")
    assert form.view is not None
    await slack.submit(ana, form.view, {"city": "Bogotá, Colombia"})
    await discord.slash(
        beto, "wwc profile", {"listed": "yes", "learns": "datos abiertos"}, guild=story.guild
    )


async def test_beto_asks_ana_accepts_and_both_get_an_opening(tmp_path: Path) -> None:
    """From a native command to a button on the other platform, in two languages."""
    async with town(tmp_path) as story:
        await join(story)

        asked = await story.discord.slash(
            story.beto, "wwc intro start", {"who": "Ana Diaz", "because": BECAUSE},
            guild=story.guild,
        )  # fmt: skip
        assert "Le pregunté a Ana Diaz" in text_of(asked)

        waiting = await story.slack.command(story.ana, "/wwc", "intro list")
        assert BECAUSE in waiting.seen
        assert "Ana knows open data, which Beto wants to learn." in waiting.seen
        accepted = await story.slack.press(story.ana, waiting, "Accept")
        assert "You and Beto Rojas have been introduced." in accepted.seen
        again = await story.slack.press(story.ana, waiting, "Accept")
        assert "You and Beto Rojas have been introduced." in again.seen

        found = openings(tmp_path)
        assert sorted(found) == ["discord", "slack"]
        assert "Meet Beto Rojas" in found["slack"]
        assert "Te presento a Ana Diaz" in found["discord"]
        for body in found.values():
            assert BECAUSE in body
            assert body.count("intro slot") == 4


async def test_the_time_they_agree_on_is_a_file_on_the_hub(tmp_path: Path) -> None:
    """Picked on one platform, agreed to on the other, fetched over HTTP without signing in."""
    async with town(tmp_path) as story:
        await join(story)
        await story.discord.slash(
            story.beto, "wwc intro start", {"who": "Ana Diaz", "because": BECAUSE},
            guild=story.guild,
        )  # fmt: skip
        waiting = await story.slack.command(story.ana, "/wwc", "intro list")
        await story.slack.press(story.ana, waiting, "Accept")

        await story.slack.command(story.ana, "/wwc", "intro slot 1 2")
        agreed = await story.discord.slash(
            story.beto, "wwc intro slot", {"number": 1, "slot": 2}, guild=story.guild
        )

        said = str(agreed.message.components)
        address = said.partition("'url': '")[2].partition("'")[0]
        assert address.startswith(story.hub.url)
        async with aiohttp.ClientSession() as http, http.get(address) as answer:
            text = await answer.text()
        assert text.startswith("BEGIN:VCALENDAR")
        assert "Ana Diaz" in text
