"""Rounds from joining to pausing, told in each language: no sentence of theirs stays English."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import plain
from bot.community.rounds.messages import unpaired_reason
from bot.deliveries import load_card
from bot.domain.cadence import round_schedule
from bot.hub import Hub
from bot.jobs import rounds as job
from bot.request import Request
from db.base import transaction
from db.members import Member
from db.outbox import Delivery
from db.rounds import UnmatchedMember
from db.workspaces import Workspace
from tests.cast import sender
from tests.catalogue import TRANSLATED, pairs
from tests.conftest import Clock
from tests.test_catalogue import SENTENCES
from tests.test_i18n import DATA, ENGLISH, heard

FILES = (
    "bot/community/rounds/messages.py",
    "bot/community/rounds/partners.py",
    "bot/handlers/rounds.py",
    "bot/handlers/rounds_staff.py",
)
ELSEWHERE = {
    "You've reached your limit for introductions.", "This month",  # needs a full month
    "no one else is taking part", "the partner left", "You don't have a partner in the latest "
                                                     "round.",
    "one knows and one learns {topic}", "You both want to learn {topic}.",
    "You know {topic}, which {name} wants to learn.",
    "{name} knows {topic}, which you want to learn.", "both: {topic}",
    "Previous page", "Next page", "It has already been sent.", "again", "not available right now",
    "Your working days overlap by less than an hour.",
    "one person was introduced", "one says they met", "one has a date", "one has not met yet",
}  # fmt: skip
"""What only other tests bring about."""
BEFORE = (
    "rounds", "rounds weekly", "rounds on", "rounds monthly", "rounds monthly 2",
    "rounds monthly 3", "rounds monthly 4", "rounds monthly 5", "rounds monthly 9",
    "rounds every-two-weeks",
    "rounds snooze", "rounds snooze never", "rounds on", "rounds skip", "rounds skip 2020-01-01",
    "rounds avoid <@maya>", "rounds avoid <@ines>", "rounds unavoid <@ines>",
    "rounds avoid <@ines>",
    "rounds avoid", "rounds why", "rounds met 99", "rounds weekly", "rounds on", "rounds sing",
    "profile listed:no", "rounds on", "rounds", "profile listed:yes", "help rounds", "rounds",
)  # fmt: skip
STAFF = (
    "admin rounds", "admin rounds preview", "admin rounds redraw", "admin rounds lock",
    "admin rounds swap 1 2", "admin rounds unlock", "admin rounds swap 1 999",
    "admin rounds swap 1 1", "admin rounds swap x 1", "admin rounds swap", "admin rounds sing",
    *(f"admin rounds swap {one} {other}" for one in (1, 2, 3) for other in (2, 3, 4, 5, 6, 7)),
    "help admin rounds",
)  # fmt: skip


async def told(hub: Hub, engine: AsyncEngine, clock: Clock, language: str) -> str:
    """Everything that was said and owed."""
    said: list[str] = []

    async def say(who: str, *all_: str) -> None:
        for words in all_:
            said.append(plain(await hub(Request(sender(who, language), words))))

    async with transaction(engine, writes=True) as session:
        await session.execute(update(Member).values(language=language))
        await session.execute(update(Workspace).values(gathers=True))
    await say("noor", "admin rounds", "admin rounds preview")
    await say("maya", *BEFORE)
    for who in ("ben", "luis", "remi", "ines", "zoe"):
        await say(who, "rounds on")
    for week in range(3):
        steps = round_schedule(date(2026, 12, 1) + timedelta(weeks=week))
        for moment in steps:
            clock.now = moment
            await job.advance_rounds(engine, clock)
            if moment == steps.draft:
                await say("noor", *(STAFF if week == 0 else ()), "admin rounds preview")
            if moment == steps.notice and week == 1:
                acts = ("send", "send 25", "send morning", "undo", "undo", "send now", "preview")
                await say("noor", *(f"admin rounds {act}" for act in acts))
                clock.advance(minutes=5)
                await job.advance_rounds(engine, clock)
                await say("noor", "admin rounds send", "admin rounds")
            await say("ines", "rounds", "rounds why")
            await say("remi", "rounds", "rounds why")
        await say("luis", "rounds scheduled", "rounds not-yet", "rounds met", "rounds")
        await say("noor", "admin rounds")
    clock.advance(days=2)
    await job.advance_rounds(engine, clock)
    await say("maya", "rounds", "rounds keep", "rounds why", "rounds off")
    await say("zoe", "rounds", "rounds off")
    async with transaction(engine) as session:
        said += [plain(load_card(body)) for body in await session.scalars(select(Delivery.body))]
    return "\n".join(said)


async def test_the_story_says_nearly_everything(
    hub: Hub, engine: AsyncEngine, clock: Clock
) -> None:
    """So that the next test listens to it."""
    keys = {
        form
        for sentence in SENTENCES.values()
        for form in (sentence.key, sentence.other)
        if form and set(sentence.files) <= set(FILES)
    }
    said = await told(hub, engine, clock, "en")
    assert "Sorry" not in said
    silent = keys - heard(said, keys) - ELSEWHERE
    assert len(silent) <= 15, sorted(silent)


@pytest.mark.no_cover
@pytest.mark.parametrize("language", TRANSLATED)
async def test_no_sentence_of_it_stays_english(
    language: str, hub: Hub, engine: AsyncEngine, clock: Clock
) -> None:
    """Cards, refusals, notices, check-ins, and what staff see."""
    said = await told(hub, engine, clock, language)
    own = {english for english, given in pairs(language) if given == english}
    keys = {s.key for s in SENTENCES.values() if set(s.files) & set(FILES)} - own
    assert heard(said, keys) == set()
    left = [line for line in said.splitlines() if ENGLISH.search(DATA.sub("", line))]
    assert left == []


@pytest.mark.parametrize("language", ["en", *TRANSLATED])
def test_every_rule_has_words(language: str) -> None:
    """Whoever is left reads a sentence, never a key."""
    from bot.i18n import translator

    rules = ("alone", "city", "language", "never", "taken", "gone")
    said = {
        unpaired_reason(translator(language), UnmatchedMember(rule=rule, fits=2)) for rule in rules
    }
    assert len(said) == len(rules)
    assert all(sentence.endswith(".") for sentence in said)
