"""Twenty bad inputs, in four languages: one clear answer, no fault, no change, no ping."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.adapters.discord import render as discord
from bot.adapters.slack import render as slack
from bot.cards import Card, Form, Reply, data, plain
from bot.i18n import translator
from db.base import transaction
from db.directory import Expertise
from db.endorsements import Endorsement
from db.members import Member
from tests.conftest import CommandTyper, Entry
from tests.platforms.discord_limits import mentions_of as discord_mentions
from tests.platforms.slack_mentions import mentions_of as slack_mentions
from tests.reading import commands_of, field, problems_of

SPEAKERS = {"en": "maya", "es": "luis", "pt": "ines", "fr": "remi"}
BAD = (
    "", "hwo-does open data", "who-does", "who-does \u00a0\u200b ", "who-does " + "x" * 10_000,
    "who-does o'brien", "who-does C++", 'who-does "', "who-does AND", "who-does a\x00b\x07",
    "who-does '; DROP TABLE members;--", "who-does %%", "who-does __", "who-does 🌳",
    "who-does \u202eatad nepo", "who-does <!channel> @everyone <@&1>", "who-is <@U404>",
    "endorse <@maya> open data", "admin members approve 1", "who-does {0.__class__}",
    "who-does %n%s", "who-does ${7*7}", "who-does =cmd()", "city {0}", "topics %s", "why {} {}",
    "profile name:{0.__class__} hours:{0}", "settings zone:%s", "help {0}", "help %(x)s",
    "who-does gis in:{0} level:%s speaks:${x}", "who-does gis pop:1e999", "endorse {0} {1}",
    "who-is " + "\u0301" * 79, "profile knows:" + ",".join(["x"] * 500), "\ud800 \udfff",
    "who-does " + "a:" * 3000, 'who-does "' * 500, "why", "why x", "endorse maya",
    "intro", "intro <@U404> because {0}", "intro " + "x" * 10_000, "intro sam because %s",
    "intro <@uma> because <!channel>", "intro answer 1 accept", "intro answer 2147483648 never",
    "intro slot 1 1", "intro withdraw x", "intro ask 1 next", "intro <@sam> <@uma> because so",
    "intro because", "intro gis because " + "\u0301" * 9000,
)  # fmt: skip


def say(reply: Reply, language: str) -> None:
    """Drawn for both platforms nobody is called."""
    t = translator(language)
    if isinstance(reply, Card):
        assert slack_mentions(slack.message(reply, t)) == []
        assert discord_mentions(discord.message(reply, t)) == []


@pytest.mark.parametrize(("language", "who"), SPEAKERS.items())
async def test_bad_inputs_get_one_clear_answer_and_change_nothing(
    typing: CommandTyper, engine: AsyncEngine, log: list[Entry], language: str, who: str
) -> None:
    """Every one of them, in every language: no fault in the log, no row touched."""

    async def rows() -> list[int | None]:
        async with transaction(engine) as session:
            return [await session.scalar(select(func.count()).select_from(kind))
                    for kind in (Member, Expertise, Endorsement)]  # fmt: skip

    before = await rows()
    for words in BAD:
        if words.startswith("endorse <@maya>") and who != "maya":
            continue
        reply = await typing(words, as_=who)
        assert isinstance(reply, Card | Form)
        assert [e for e in log if e["event"] == "fault"] == [], words[:80]
        assert len(plain(reply)) < 6000, words[:80]
        say(reply, language)
    assert await rows() == before


@pytest.mark.parametrize("hostile", ["{0.__class__}", "%n", "${7*7}", "=cmd()", "<!channel>"])
async def test_hostile_words_are_quoted_back_as_they_are(
    typing: CommandTyper, hostile: str
) -> None:
    """Never filled in, never calculated."""
    for words in (
        f"who-does {hostile}",
        f"city {hostile}",
        f"topics {hostile}",
        f"who-is {hostile}",
    ):
        reply = await typing(words)
        assert hostile in plain(reply), words


async def test_direction_marks_are_gone_from_the_echo(typing: CommandTyper) -> None:
    """Nobody's screen is turned around."""
    assert "\u202e" not in str(data(await typing("who-does \u202eqqxx zzyy")))


async def test_thousands_of_characters_are_cut_with_a_note(typing: CommandTyper) -> None:
    """The form opens with the beginning of it."""
    form = await typing("who-does " + "x" * 9_900)

    assert len(field(form, "topic").value[0]) == 200
    assert "9900" in problems_of(form)["topic"].replace(",", "")


@pytest.mark.parametrize(
    "words", ["x" * 10_001, "who-does " + "x " * 5_000, 'intro x "' + "y" * 10**6]
)
async def test_more_than_ten_thousand_characters_are_not_read(
    typing: CommandTyper, words: str
) -> None:
    """One sentence says how many they are and how many are read."""
    said = plain(await typing(words))

    assert f"That's {len(words):,} characters, and I read up to 10,000 at a time." in said


@pytest.mark.parametrize("words", ["%%", "__", "100%", "%a%", "_a_", "*", "\\"])
async def test_wildcards_are_letters(typing: CommandTyper, words: str) -> None:
    """Nobody is found who does not have them."""
    for verb in ("who-does", "who-is"):
        reply = await typing(f"{verb} {words} ")
        assert "Ben Ortiz" not in plain(reply), (verb, words)


async def test_the_same_press_twice_has_one_effect(typing: CommandTyper) -> None:
    """Double clicks happen."""
    first = plain(await typing("endorse luis open data"))

    assert plain(await typing("endorse luis open data")) == first


async def test_the_unknown_command_keeps_the_rest_of_the_words(typing: CommandTyper) -> None:
    """`hwo-does open data`."""
    assert "who-does open data" in commands_of(await typing("hwo-does open data"))
