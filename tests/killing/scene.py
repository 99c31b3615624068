"""What is owed when the killing begins, on which platform, and what the platform shows after it."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.adapters.slack.manifest import SCOPES
from bot.cards import Card, Text
from bot.deliveries import dump_card
from bot.i18n import LANGUAGES, translator
from db import outbox
from db.base import transaction
from db.members import Account
from db.outbox import Address
from tests.platforms.discord import LoopbackDiscord, text_of
from tests.platforms.slack import LoopbackSlack

ACCOUNTS = ("maya", "luis", "ben", "ada")
LAG = 10.0
"""Seconds until the platform's history shows a message; the hub waits for fifteen."""
LATER = timedelta(seconds=3)
"""After so long one message is edited, and another one is taken back."""
WITHDRAWN, REMOVAL = "gone", "gone:remove"
"""The keys of the message that is taken back, wherever it is by then, and of its removal."""

_KEY = re.compile(r"Delivery (\w+): (\w+)")
_AGAIN = {translator(one)("(sent again: the first one may have arrived)") for one in LANGUAGES}
_ALARM = {translator(one)("A message didn't arrive") for one in LANGUAGES}


@dataclass(frozen=True)
class Seen:
    """What stands on the platform: of each key its texts, and how many alarms."""

    first: Counter[str]
    again: Counter[str]
    says: dict[str, str]
    alarms: int

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Seen":
        """Read from everything that stands there."""
        seen = cls(Counter(), Counter(), {}, 0)
        alarms = 0
        for text in texts:
            found = _KEY.search(text)
            if found and any(words in text for words in _AGAIN):
                seen.again[found[1]] += 1
            elif found:
                seen.first[found[1]] += 1
                seen.says[found[1]] = found[2]
            alarms += any(words in text for words in _ALARM)
        return cls(seen.first, seen.again, seen.says, alarms)


@dataclass(frozen=True)
class Platform:
    """A loopback platform with the people in it: `users` by the name in the tests' cast."""

    name: str
    token: str
    api_url: str
    workspace: str
    users: dict[str, str]
    channel: str
    several: str
    texts: Callable[[], list[str]]
    clear: Callable[[], None]
    fault: Callable[[str, int], Any]
    violations: list[str]

    def seen(self) -> Seen:
        """What a person would read now."""
        return Seen.of(self.texts())


@asynccontextmanager
async def slack(now: Callable[[], float]) -> AsyncIterator[Platform]:
    """Slack as the hub is installed there: nothing but direct messages may be read."""
    async with LoopbackSlack(now=now) as world:
        team = world.add_team("Killing", scopes=frozenset(SCOPES))
        users = {name: world.add_user(team, name).id for name in ACCOUNTS}
        channel = world.add_channel(team, "news")
        world.lag = LAG

        def clear() -> None:
            world.posts.clear()
            world.faults.clear()
            world.calls.clear()

        yield Platform(
            "slack", team.bot_token or "", world.api_url, team.id, users, channel.id,
            several=f"{users['maya']},{users['ben']}",
            texts=lambda: [post.readable for post in world.posts if not post.deleted],
            clear=clear,
            fault=lambda kind, nth: world.fault("chat.postMessage", nth, kind),
            violations=world.violations,
        )  # fmt: skip


@asynccontextmanager
async def discord(now: Callable[[], float]) -> AsyncIterator[Platform]:
    """Discord, where a nonce is known for three minutes."""
    async with LoopbackDiscord(clock=now) as world:
        guild = world.add_guild("Killing")
        people = {name: world.add_user(name, guild=guild) for name in ACCOUNTS}

        def clear() -> None:
            for channel in world.channels.values():
                channel.messages.clear()
            world.messages.clear()
            world.requests.clear()
            world.rest.faults.clear()
            world.store(guild.general, people["maya"], {"content": "somebody said something"})

        yield Platform(
            "discord", world.token, world.api_url, str(guild.id),
            {name: str(user.id) for name, user in people.items()}, str(guild.general.id),
            several="",
            texts=lambda: [
                text_of(message)
                for channel in world.channels.values()
                for message in channel.messages
                if not message.deleted and message.author is world.me
            ],
            clear=clear,
            fault=lambda kind, nth: world.fault(
                kind=kind, method="POST", path=r"/channels/\d+/messages", nth=nth
            ),
            violations=world.violations,
        )  # fmt: skip


PLATFORMS = {"slack": slack, "discord": discord}
FAULTS = ("500", "reset_before", "reset_after", "half", "empty", "bad_json", "429")


def card(key: str, says: str = "first") -> str:
    """A body that tells on the platform which delivery it is."""
    return dump_card(Card(f"Delivery {key}: {says}", (Text("Soon: the open data hour."),)))


async def furnish(engine: AsyncEngine, platform: Platform, now: datetime) -> None:
    """Move the cast to the platform, and owe them one of everything."""
    async with transaction(engine, writes=True) as session:
        accounts = list(
            await session.scalars(select(Account).where(Account.external_id.in_(ACCOUNTS)))
        )
        members = {account.external_id: account.member_id for account in accounts}
        for account in accounts:
            account.external_id = platform.users[account.external_id]
            account.workspace.platform = platform.name
            account.workspace.external_id = platform.workspace
        await session.flush()

        async def owe(key: str, kind: str, to: Address, person: str = "", **more: Any) -> int:
            body = card(more.pop("about", key), more.pop("says", "first"))
            number = await outbox.add_delivery(
                session, to, key=key, kind=kind, body=body, created_at=now, at=more.pop("at", now),
                member_id=members.get(person), **more,
            )  # fmt: skip
            assert number
            return number

        def direct(person: str) -> Address:
            return Address(platform.name, platform.workspace, user=platform.users[person])

        one = await owe("one", "answer", direct("maya"), "maya")
        await owe("two", "answer", direct("maya"), "maya")
        root = await owe("root", "conversation", direct("luis"), "luis")
        await owe("reply", "conversation", direct("luis"), "luis", under_id=root)
        await owe(WITHDRAWN, "answer", direct("ben"), "ben")
        await owe("edit", "answer", direct("maya"), "maya", act="edit", of_id=one, about="one",
                  says="changed", at=now + LATER)  # fmt: skip
        await owe("news", "news", Address(platform.name, platform.workspace, "", platform.channel))
        if platform.several:
            several = Address(platform.name, platform.workspace, user=platform.several)
            await owe("several", "conversation", several)


POSTS = ("one", "two", "root", "reply", WITHDRAWN, "news", "several")
