"""Ana in a Slack and Beto on a Discord meet and talk: the true program between both platforms."""

import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from tests.platforms.discord import Message, text_of
from tests.platforms.discord import mentions_of as pings_on_discord
from tests.platforms.slack import Post
from tests.stories.test_two_platforms import Town, town


class Both(Town):
    """What each of the two has before them."""

    def posts(self) -> list[Post]:
        """Ana's conversation with the hub, without what she wrote."""
        dm = self.slack.world.dm_of(self.ana)
        return [p for p in self.slack.world.posts
                if p.channel == dm.id and p.user != self.ana.id and not p.deleted]  # fmt: skip

    def messages(self) -> list[Message]:
        """Beto's, without what he wrote."""
        dm = self.discord.dm_channel(self.beto)
        return [m for m in dm.messages if m.author is self.discord.me and not m.deleted]

    async def ana_sees(self, words: str) -> Post:
        """The newest post of the hub with these words, once it is there."""

        def found() -> Post | None:
            return next((p for p in reversed(self.posts()) if words in p.readable), None)

        post: Post = await self.slack.until(found)
        return post

    async def beto_sees(self, words: str) -> Message:
        def found() -> Message | None:
            here = reversed(self.messages())
            return next((m for m in here if words in text_of(m)), None)

        return await self.discord.until(found)

    async def beto_may(self, command: str) -> tuple[Message, str]:
        """Beto's newest card with a button that says such a command, and the command."""

        def found() -> tuple[Message, str] | None:
            for message in reversed(self.messages()):
                if said := re.search(rf"\b{command}\b", str(message.components)):
                    return message, said[0]
            return None

        return await self.discord.until(found)


@pytest.fixture
async def story(tmp_path: Path) -> AsyncIterator[Both]:
    async with town(tmp_path) as everybody:
        yield Both(*everybody)


def noon() -> str:
    """A zone in which people are at work now; none with an underscore, which Discord escapes."""
    zones = ("Pacific/Auckland", "Asia/Tokyo", "Asia/Kolkata", "Europe/Paris",
             "America/Recife", "America/Denver", "Pacific/Honolulu")  # fmt: skip
    return min(zones, key=lambda zone: abs(datetime.now(ZoneInfo(zone)).hour - 12))


def under_way(story: Both) -> bool:
    """Has something arrived of which the hub does not know it yet? No person is so quick."""
    with closing(sqlite3.connect(story.hub.folder / "wwc.db")) as database:
        query = "SELECT 1 FROM delivery WHERE state IN ('claimed', 'inflight')"
        return database.execute(query).fetchone() is not None


async def introduce(story: Both) -> tuple[Post, Message]:
    """Beto is let in, Ana asks to meet him, he says yes; both openings."""
    slack, discord, ana, beto = story.slack, story.discord, story.ana, story.beto
    await discord.slash(beto, "wwc help", {}, guild=story.guild)
    waiting = await slack.command(ana, "/wwc", "admin members")
    form = await slack.press(ana, waiting, "Approve")
    assert form.view
    await slack.submit(ana, form.view, {"city": "Bogotá, Colombia"})
    await discord.dm(beto, "profile edit listed:yes")
    await discord.dm(beto, f"settings zone:{noon()}")  # requests wait for the end of quiet hours
    await story.beto_sees(noon())
    asked = await slack.command(ana, "/wwc", "intro Beto because we both map trees")
    assert "Beto" in asked.seen, asked.seen
    card, accept = await story.beto_may(r"intro answer \d+ accept")
    await discord.press(beto, card, accept)
    opening = await story.ana_sees("Three ways to begin")
    there, _ = await story.beto_may(r"relay pause \d+")
    await slack.until(lambda: not under_way(story))
    return opening, there


async def test_two_cities_talk(story: Both) -> None:
    """Ask, accept, talk, edit, delete, react, block: over sockets, in both directions."""
    slack, discord, ana, beto = story.slack, story.discord, story.ana, story.beto
    here, there = await introduce(story)

    # Ana writes in her thread; Beto reads it under an honest line, as a reply to his opening.
    wrote = await slack.dm(ana, "Hola <!channel> [bank](http://evil.example)", thread=here)
    assert wrote.wrote
    copy = await story.beto_sees("Hola")
    assert "Ana Diaz" in text_of(copy)
    assert "Slack" in text_of(copy)
    assert "http://evil.example" in text_of(copy)
    assert pings_on_discord(copy.body) == []
    assert copy.body["message_reference"]["message_id"] == str(there.id)

    # Beto answers, and has nothing to point at: there is one conversation.
    answer = await discord.dm(beto, "¡Hola Ana! @everyone **mapa**")
    mine = await story.ana_sees("¡Hola Ana!")
    assert (mine.thread_ts, mine.mentions) == (here.ts, [])
    assert "@everyone **mapa**" in mine.readable

    # Each edits, each takes back; the copies follow.
    await slack.rewrite(ana, wrote.wrote, "Hola Beto")
    await discord.until(lambda: "Hola Beto" in text_of(copy))
    await discord.rewrite(answer.message, "¡Hola!")
    await slack.until(lambda: "mapa" not in mine.readable)
    await discord.react(beto, copy, "🌳")
    assert await story.ana_sees("🌳 to «Hola Beto»")
    await slack.react(ana, mine, "man-shrugging::skin-tone-4", redeliver=1)
    mark = await story.beto_sees("🤷🏽‍♂️")
    assert "Ana Diaz" in text_of(mark)
    assert "«¡Hola!»" in text_of(mark)
    await slack.react(ana, mine, "man-shrugging::skin-tone-4", take=True)
    await discord.until(lambda: mark.deleted)
    await slack.take_back(ana, wrote.wrote)
    await discord.until(lambda: copy.deleted)

    # A file stays in Ana's workspace; Beto opens it by the address he was given.
    plan = slack.upload(ana, "plan.pdf", b"%PDF-1.7 trees", "application/pdf")
    await slack.dm(ana, "the plan", thread=here, files=[plan.json])
    brought = await story.beto_sees("plan.pdf")
    address = re.search(r"http://127\.0\.0\.1:\d+/relay/file/[-\w=]+", str(brought.components))
    assert address
    async with aiohttp.ClientSession() as client, client.get(address[0]) as opened:
        assert (opened.status, await opened.read()) == (200, plan.data)

    # The same event told again is nothing new.
    before = len(story.messages())
    await slack.dm(ana, "once", thread=here, redeliver=3)
    await story.beto_sees("once")
    assert len(story.messages()) == before + 1

    # Beto blocks; Ana hears nothing of it, and nothing of hers arrives any more.
    there, block = await story.beto_may(r"relay block \d+")
    said = await discord.press(beto, there, block)
    assert "Ana Diaz" in text_of(said)
    seen, shown = len(story.messages()), len(story.posts())
    silent = await slack.dm(ana, "are you there?", thread=here)
    assert silent.status == 200
    await discord.dm(beto, "help")  # answered after whatever came before it
    await discord.until(lambda: len(story.messages()) == seen + 1)
    assert not any("are you there" in text_of(m) for m in story.messages())
    assert len(story.posts()) == shown


async def test_closed_messages_are_told_without_the_words(story: Both) -> None:
    """Beto closed his direct messages after they met: Ana hears that it did not arrive."""
    here, _ = await introduce(story)
    story.beto.dms_open = False
    await story.slack.dm(story.ana, "a secret", thread=here)
    notice = await story.ana_sees("didn't reach Beto Rojas")
    assert notice.thread_ts == here.ts
    assert "a secret" not in notice.readable
