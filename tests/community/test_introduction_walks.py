"""Random walks through asking, answering, writing and blocking, against a few hard rules.

Whoever blocked somebody, or was blocked, is brought nothing of the other one any more by any path;
a «never» is never asked again; nothing is told, opened or counted twice.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest
from hypothesis import HealthCheck, seed
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from bot.cards import plain
from bot.community import blocking
from bot.hub import Hub
from bot.request import IncomingMessage, Request
from db import blocks
from db.base import transaction
from db.introductions import Introduction
from db.members import Member
from db.outbox import DUE, SENT
from db.talks import Talk
from tests.campaign import SEED, RecordFigures, examples
from tests.cast import sender
from tests.community.test_talks import begin
from tests.conftest import Clock
from tests.databases import open_shared, scratch
from tests.owed import (
    PendingDelivery,
    list_pending,
    load_member,
    mark_delivered,
    run_introductions_job,
    update_member,
)

NAMES = {"maya": "Maya Chen", "ben": "Ben Ortiz", "luis": "Luis Ángel Rojas",
         "ines": "Inês Albuquerque"}  # fmt: skip
WALKS, STEPS, LANES = 25, 50, 4
Given = TypeVar("Given")
people = st.sampled_from(sorted(NAMES))
numbers = st.integers(1, 12)


class Books(NamedTuple):
    """Everything the rules look at."""

    owed: list[PendingDelivery]
    people: list[Member]
    agreed: list[str]
    opened: list[str]
    nevers: set[tuple[str, str]]


class Walk(RuleBasedStateMachine):
    """One community on a database of its own; `template` is the file it begins with."""

    template = Path()
    walks = steps = 0

    def __init__(self) -> None:
        super().__init__()
        Walk.walks += 1
        Walk.steps -= 1  # the rules are looked at once before the first
        self.loop = asyncio.new_event_loop()
        self.folder = scratch()
        file = Path(self.folder.name) / "hub.db"
        shutil.copyfile(self.template, file)
        self.engine = open_shared(f"sqlite:///{file}")
        self.clock = Clock()
        self.hub = Hub(self.engine, clock=self.clock)
        self.blocks: set[tuple[str, str]] = set()
        self.nevers: set[tuple[str, str]] = set()
        self.brought: Counter[tuple[str, str]] = Counter()
        self.asked: Counter[tuple[str, str]] = Counter()
        self.written = 0
        for number, (one, other) in enumerate((("maya", "luis"), ("ben", "ines"))):
            self.run(begin(self.engine, self.clock(), one, other, key=f"met before:{number}"))
        self.run(mark_delivered(self.engine))

    def run(self, work: Coroutine[Any, Any, Given]) -> Given:
        return self.loop.run_until_complete(work)

    def say(self, who: str, words: str) -> str:
        said = plain(self.run(self.hub(Request(sender(who), words))))
        assert "Something went wrong" not in said, words
        assert "Algo salió mal" not in said, words
        return said

    def teardown(self) -> None:
        self.run(self.engine.dispose())
        self.loop.close()
        self.folder.cleanup()

    # --- what people do ---

    @rule(who=people, whom=people, reason=st.booleans())
    def ask(self, who: str, whom: str, reason: bool) -> None:
        self.say(who, f"intro <@{whom}>{' because so' if reason else ''}")

    @rule(who=people, topic=st.sampled_from(["open data", "data governance", "gis"]))
    def ask_about(self, who: str, topic: str) -> None:
        self.say(who, f"intro {topic}")

    @rule(who=people, number=numbers, act=st.sampled_from(["", "next"]))
    def press_ask(self, who: str, number: int, act: str) -> None:
        self.say(who, f"intro ask {number} {act}".strip())

    @rule(one=people, other=people)
    def arrange(self, one: str, other: str) -> None:
        self.say("noor", f"intro <@{one}> <@{other}> because they should")

    @rule(who=people, number=numbers, said=st.sampled_from(["accept", "later", "never"]))
    def answer(self, who: str, number: int, said: str) -> None:
        self.say(who, f"intro answer {number} {said}")

    @rule(pick=st.integers(0, 5), said=st.sampled_from(["accept", "accept", "later", "never"]))
    def answer_what_waits(self, pick: int, said: str) -> None:
        """Somebody who is asked answers, which chance alone seldom hits."""
        waiting = self.run(self._waiting())
        if waiting:
            number, who = waiting[pick % len(waiting)]
            self.say(who, f"intro answer {number} {said}")

    @rule(who=people, number=numbers)
    def withdraw(self, who: str, number: int) -> None:
        self.say(who, f"intro withdraw {number}")

    @rule(who=people, number=st.integers(1, 6), slot=st.integers(1, 4))
    def choose_a_time(self, who: str, number: int, slot: int) -> None:
        self.say(who, f"intro slot {number} {slot}")

    @rule(who=people, act=st.sampled_from(["written", "written", "written", "edited"]))
    def write(self, who: str, act: str) -> None:
        """In a conversation across workspaces, if there is one; an edit is of the latest words."""
        self.written += act == "written"
        name = f"m{self.written}"
        heard = IncomingMessage(
            sender(who), act, name, f"D-{who}", f"words {self.written}",  # type: ignore[arg-type]
            edition=int(self.clock().timestamp()), keys=(f"{who}:{name}:{act}:{self.clock()}",),
        )  # fmt: skip
        self.run(self.hub.handle_message(heard))

    @rule(who=people, number=st.integers(1, 4), act=st.sampled_from(["pause", "resume", "end"]))
    def handle_a_conversation(self, who: str, number: int, act: str) -> None:
        self.say(who, f"relay {act} {number}")

    @rule(who=people)
    def look(self, who: str) -> None:
        """What waits for somebody names nobody of whom they want nothing."""
        said = self.say(who, "intro list")
        waiting = said.split("intro answer")[0] if "intro answer" in said else ""
        for other, name in NAMES.items():
            assert not (self._apart(who, other) and name in waiting), (who, other)

    # --- what happens to them ---

    @rule(who=people, whom=people)
    def block_somebody(self, who: str, whom: str) -> None:
        if who != whom:
            self.block(who, whom)

    @rule(pick=st.integers(0, 5), back=st.booleans())
    def block_what_is_coming(self, pick: int, back: bool) -> None:
        """While something of somebody is on its way to somebody, one of them blocks the other."""
        coming = [
            pair for row in self.run(list_pending(self.engine)) for pair in self._carries(row)
        ]
        if coming:
            who, whom = coming[pick % len(coming)]
            self.block(*((whom, who) if back else (who, whom)))

    @rule(who=people, whom=people)
    def unblock(self, who: str, whom: str) -> None:
        self.run(self._unblock(who, whom))
        self.blocks.discard((who, whom))

    @rule(who=people, status=st.sampled_from(["verified", "verified", "suspended"]))
    def judge(self, who: str, status: str) -> None:
        self.run(update_member(self.engine, who, status=status))

    @rule(who=people, asks=st.sampled_from([None, 1, 3]))
    def limit(self, who: str, asks: int | None) -> None:
        taken = self.run(load_member(self.engine, who)).asks_taken
        self.run(
            update_member(self.engine, who, monthly_asks=None if asks is None else taken + asks)
        )

    @rule(hours=st.sampled_from([1, 30, 80, 200, 800]))
    def time_goes_by(self, hours: int) -> None:
        self.clock.now += timedelta(hours=hours)

    @rule()
    def the_clock_works(self) -> None:
        self.run(run_introductions_job(self.engine, self.clock()))

    @rule(state=st.sampled_from([SENT, SENT, "dead"]), who=st.sampled_from(["", *NAMES]))
    def deliveries_end(self, state: str, who: str) -> None:
        self.run(mark_delivered(self.engine, state, who))

    def block(self, who: str, whom: str) -> None:
        self.run(self._block(who, whom))
        self.blocks.add((who, whom))

    # --- the hard rules ---

    @invariant()
    def the_rules_hold(self) -> None:
        """All of them, from one look at the database."""
        Walk.steps += 1
        books = self.run(self._books())
        asked: Counter[tuple[str, str]] = Counter()
        brought: Counter[tuple[str, str]] = Counter()
        for row in books.owed:
            for pair in self._carries(row):
                brought[pair] += 1
                asked[pair] += row.kind == "introduction"
                assert not (row.state == DUE and self._apart(*pair)), (pair, row.text)
        for pair in brought:
            assert not self._apart(*pair) or brought[pair] <= self.brought[pair], pair
        for pair in self.nevers & books.nevers:
            assert asked[pair] <= self.asked[pair], pair
        self.brought, self.asked, self.nevers = brought, asked, books.nevers

        assert len({row.key for row in books.owed}) == len(books.owed)
        assert set(books.opened) <= set(books.agreed)
        for person in books.people:
            if person.monthly_asks is not None and person.asks_month == f"{self.clock():%Y-%m}":
                assert person.asks_taken <= person.monthly_asks

    # --- looking things up ---

    def _apart(self, one: str, other: str) -> bool:
        return bool({(one, other), (other, one)} & self.blocks)

    def _carries(self, row: PendingDelivery) -> list[tuple[str, str]]:
        """(to whom, from whom): the hub's own «not now» brings nothing of anybody."""
        if row.kind not in ("introduction", "conversation"):
            return []
        return [(user, other) for user in row.user.split(",") for other, name in NAMES.items()
                if user in NAMES and other != user and name in row.text]  # fmt: skip

    async def _waiting(self) -> list[tuple[int, str]]:
        """What is open, with somebody who may answer it."""
        async with transaction(self.engine) as session:
            some = (await session.scalars(select(Introduction).order_by(Introduction.id))).all()
            keys = {p.id: k for p in await session.scalars(select(Member))
                    for k, name in NAMES.items() if p.name == name}  # fmt: skip
        return [(i.id, keys[who]) for i in some for who in (i.one_id, i.other_id)
                if who in keys and i.can_answer(who) and i.is_open(self.clock())]  # fmt: skip

    async def _books(self) -> Books:
        rows = await list_pending(self.engine, state="")
        async with transaction(self.engine) as session:
            everybody = (await session.scalars(select(Member))).all()
            some = (await session.scalars(select(Introduction))).all()
            asked_for = select(Talk.key).where(Talk.key.startswith("intro:"))
            opened = (await session.scalars(asked_for)).all()
        keys = {person.id: key for person in everybody for key, name in NAMES.items()
                if person.name == name}  # fmt: skip
        nevers = {(keys[who], keys[whom]) for i in some
                  for who, whom in ((i.one_id, i.other_id), (i.other_id, i.one_id))
                  if keys.keys() >= {who, whom} and i.answer_of(who) == "never"}  # fmt: skip
        done = [i for i in some if i.status == "agreed"]
        assert all(i.one_said == i.other_said == "yes" for i in done)
        return Books(rows, [*everybody], [f"intro:{i.id}" for i in done], [*opened], nevers)

    async def _block(self, who: str, whom: str) -> None:
        one, other = await load_member(self.engine, who), await load_member(self.engine, whom)
        async with transaction(self.engine, writes=True) as session:
            await blocking.block_member(session, self.clock(), one, other)

    async def _unblock(self, who: str, whom: str) -> None:
        one, other = await load_member(self.engine, who), await load_member(self.engine, whom)
        async with transaction(self.engine, writes=True) as session:
            await blocks.unblock_member(session, one, other)


@pytest.mark.campaign
@pytest.mark.timeout(600)
@pytest.mark.parametrize("lane", range(LANES))
def test_five_thousand_steps_keep_the_rules(
    sqlite_template: Path, lane: int, record_figures: RecordFigures
) -> None:
    """25 walks of 50 steps in each of four lanes, if it is whole."""
    Walk.template, Walk.walks, Walk.steps = sqlite_template, 0, 0
    run_state_machine_as_test(
        seed(SEED + lane)(Walk),
        settings=examples(
            WALKS, stateful_step_count=STEPS, suppress_health_check=list(HealthCheck)
        ),
    )
    record_figures("introductions", "sqlite", walks=Walk.walks, steps=Walk.steps)
