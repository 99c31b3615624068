"""Two people with a conversation open between them, and what each of them sees."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import deliveries
from bot.cards import Card, Text, plain
from bot.community.relay import threads
from bot.deliveries import enqueue
from bot.hub import Hub
from bot.request import HandledMessage, IncomingMessage, Request, Sender
from db import members, outbox, relay
from db.base import transaction
from db.members import Account, Member
from db.outbox import Delivery
from tests.cast import sender
from tests.conftest import Clock

ACCOUNTS = {"maya": ("slack", "T1", "Slack", True), "luis": ("discord", "G1", "Discord", False),
        "remi": ("discord", "G2", "Discord", False)}  # fmt: skip


@dataclass
class ConversationDriver:
    """What is said, carried over by a postman who never fails unless told to."""

    hub: Hub
    engine: AsyncEngine
    clock: Clock
    screens: dict[str, dict[str, str]] = field(default_factory=dict)
    numbers: Any = field(default_factory=lambda: count(1))
    fails: set[str] = field(default_factory=set)

    async def create_accounts(self, *keys: str) -> None:
        """Everybody has an account where they write from."""
        async with transaction(self.engine, writes=True) as session:
            for key in keys:
                platform, workspace, _, _ = ACCOUNTS[key]
                person = await self.load_member(session, key)
                account = await members.get_or_create_account(
                    session, platform, workspace, key, self.clock()
                )
                account.member = person

    async def load_member(self, session: Any, key: str) -> Member:
        query = select(Member).where(Member.email == f"{key}@city.example")
        found: Member | None = await session.scalar(query)
        assert found is not None
        return found

    async def open_conversation(self, one: str, other: str) -> int:
        """They said yes to an introduction: each has an opening card; the number of the talk."""
        async with transaction(self.engine, writes=True) as session:
            first, second = [await self.load_member(session, key) for key in (one, other)]
            roots = [
                await enqueue(session, self.clock(), person, "conversation",
                          Card("You two", (Text("Say hello"),)), key=f"open:{one}:{other}:{key}")
                for key, person in zip((one, other), (first, second), strict=True)
            ]  # fmt: skip
            talk = await relay.create_relay(
                session, self.clock(), first, second, (roots[0], roots[1])
            )
            await threads.add_opening_controls(session, talk)
        await self.deliver_due()
        return talk.id

    async def deliver_due(self) -> list[Delivery]:
        """Deliver what is due, in order."""
        async with transaction(self.engine, writes=True) as session:
            due = (await session.scalars(
                select(Delivery).where(Delivery.state == outbox.DUE).order_by(Delivery.id)
            )).all()  # fmt: skip
            for one in due:
                await self._deliver(session, one)
        return list(due)

    async def _deliver(self, session: Any, one: Delivery) -> None:
        screen = self.screens.setdefault(one.user, {})
        one.ended_at = self.clock()
        if one.user in self.fails:
            one.state = outbox.DEAD
        else:
            one.state = outbox.SENT
            of = await session.get(Delivery, one.of_id) if one.of_id else None
            one.platform_id = of.platform_id if of else f"m{one.id}"
            one.landed_in = f"D-{one.user}"
            if one.act == "remove":
                screen.pop(one.platform_id, None)
            else:
                screen[one.platform_id] = plain(deliveries.load_card(one.body))
        hook = deliveries.ENDED_HOOKS.get(one.kind)
        if hook:
            await hook(session, self.clock(), one)

    async def load_root_id(self, key: str, talk: int) -> str:
        """The opening card as this person's platform names it."""
        async with transaction(self.engine) as session:
            found = await session.get_one(relay.Relay, talk)
            person = await self.load_member(session, key)
            opening = await session.get_one(Delivery, found.root_of(person.id))
            return opening.platform_id

    def build_message(self, key: str, act: Any, text: str = "", **more: Any) -> IncomingMessage:
        platform, workspace, label, threaded = ACCOUNTS[key]
        sender = Sender(platform, workspace, key, key, label=label)
        message = more.pop("message", None) or f"w{next(self.numbers)}"
        keys = more.pop("keys", (f"{key}:{message}:{act}:{more.get('edition', 0)}",))
        return IncomingMessage(
            sender, act, message, f"D-{key}", text, has_threads=threaded, keys=keys, **more
        )

    async def write(
        self, key: str, text: str, talk: int | None = None, **more: Any
    ) -> HandledMessage | None:
        """Write, in the thread of a talk unless none is given."""
        if talk is not None:
            more["parent"] = await self.load_root_id(key, talk)
        return await self.hub.handle_message(self.build_message(key, "written", text, **more))

    async def list_pending(self, key: str) -> Sequence[Delivery]:
        """What is on its way to somebody."""
        async with transaction(self.engine) as session:
            query = select(Delivery).where(Delivery.user == key, Delivery.state == outbox.DUE)
            return (await session.scalars(query.order_by(Delivery.id))).all()

    def list_screen(self, key: str) -> list[str]:
        """The messages on somebody's screen, the oldest first."""
        return list(self.screens.get(key, {}).values())


def reply_text(taken: HandledMessage | None) -> str:
    """What the writer is told; nothing when the hub took it silently."""
    assert taken is not None
    return plain(taken.reply) if taken.reply else ""


async def press(talk: ConversationDriver, key: str, words: str) -> str:
    """Give a command as somebody of the talk, or of the cast; the answer as plain text."""
    if key not in ACCOUNTS:
        return plain(await talk.hub(Request(sender(key), words)))
    platform, workspace, label, _ = ACCOUNTS[key]
    return plain(await talk.hub(Request(Sender(platform, workspace, key, label=label), words)))


async def close_direct_messages(engine: AsyncEngine, user: str) -> None:
    """Their direct messages are closed."""
    async with transaction(engine, writes=True) as session:
        for account in await session.scalars(select(Account).where(Account.external_id == user)):
            account.reachable = False
