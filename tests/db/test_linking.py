"""Walks through linking, joining, leaving and roles: a second, simpler book agrees each step."""

import asyncio
import re
import shutil
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, seed
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from bot import reference
from bot.cards import plain
from bot.hub import Hub
from bot.reference import Reference
from bot.request import Request
from db.base import transaction
from db.members import Account, Member, MemberRole
from tests.campaign import SEED, RecordFigures, examples
from tests.cast import sender
from tests.conftest import Clock
from tests.databases import open_shared, scratch

CODE = re.compile(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2}")
ACCOUNTS = ("maya", "ben", "n1", "n2", "n3", "n4", "n5")
SPEAKERS = st.sampled_from(ACCOUNTS)
TEN = timedelta(minutes=10)
STEPS, WALKS = 100, 10


@dataclass
class Book:
    """One code as the second book has it."""

    code: str
    account: str
    member: int
    good_until: datetime
    other: str = ""
    status: str = "open"


@dataclass
class Model:
    """Who owns what, by the rules as they are told to people."""

    owner: dict[str, int] = field(default_factory=dict)
    status: dict[int, str] = field(default_factory=dict)
    leads: set[int] = field(default_factory=set)
    links: list[Book] = field(default_factory=list)
    wrong: dict[str, list[datetime]] = field(default_factory=dict)

    def is_in(self, account: str) -> bool:
        """Does a verified member speak from there?"""
        return self.status.get(self.owner.get(account, 0)) == "verified"

    def is_free(self, account: str) -> bool:
        """Belongs to nobody, or to somebody who left?"""
        return account not in self.owner or self.status[self.owner[account]] == "left"

    def waits(self, member: int, now: datetime) -> Book | None:
        """The question that waits for the member."""
        return next((one for one in self.links if one.member == member and one.status == "asked"
                     and one.good_until > now and self.is_free(one.other)), None)  # fmt: skip


class Walk(RuleBasedStateMachine):
    """Swapped, replayed, expired and invented codes; buttons of others; people who come and go."""

    template: Path
    known: Reference | None = None
    walks = steps = 0

    def __init__(self) -> None:
        super().__init__()
        Walk.walks += 1
        Walk.steps -= 1  # the books are compared once before the first
        self.folder = scratch()
        file = Path(self.folder.name) / "hub.db"
        shutil.copyfile(self.template, file)
        self.runner = asyncio.Runner()
        self.engine = open_shared(f"sqlite:///{file}")
        self.clock = Clock()
        self.hub = Hub(self.engine, clock=self.clock)
        self.hub._load_reference = self._reference  # type: ignore[method-assign] # cities never change
        self.model = Model(owner={"maya": 1, "ben": 2}, status={1: "verified", 2: "verified"})
        for name in ACCOUNTS:
            self.say(name, "help")
        self.city = CODE.findall(self.say("noor", "invite rotate city:boston"))[0]
        self.numbers = self.runner.run(self._numbers())

    async def _reference(self) -> Reference:
        if Walk.known is None:
            async with transaction(self.engine) as session:
                Walk.known = await reference.load_reference(session, self.clock.now)
        return Walk.known

    def teardown(self) -> None:
        self.runner.run(self.engine.dispose())
        self.runner.close()
        self.folder.cleanup()

    async def _numbers(self) -> dict[str, int]:
        async with transaction(self.engine) as session:
            return {a.external_id: a.id for a in await session.scalars(select(Account))}

    def say(self, who: str, words: str) -> str:
        """What somebody is told."""
        told = plain(self.runner.run(self.hub(Request(sender(who), words))))
        assert "Something went wrong" not in told, words
        return told

    def may_try(self, who: str) -> bool:
        """Fewer than five wrong ones within a quarter of an hour."""
        old = self.clock.now - timedelta(minutes=15)
        return sum(at > old for at in self.model.wrong.get(who, ())) < 5

    # --- what people do ---

    @rule(who=SPEAKERS)
    def show(self, who: str) -> None:
        told = self.say(who, "link")
        if not self.model.is_in(who):
            assert not CODE.search(told)
            return
        member = self.model.owner[who]
        if self.model.waits(member, self.clock.now):
            assert not CODE.search(told)
            return
        for one in self.model.links:
            if one.member == member and one.status in ("open", "asked"):
                one.status = "replaced"
        (code,) = CODE.findall(told)
        self.model.links.append(Book(code, who, member, self.clock.now + TEN))

    @rule(who=SPEAKERS, data=st.data())
    def type_it(self, who: str, data: st.DataObject) -> None:
        codes = [one.code for one in self.model.links] + ["0000-0000-0000", self.city]
        code = codes[data.draw(st.integers(0, len(codes) - 1))]
        self.say(who, f"link {code}")
        if not self.model.is_free(who):
            return
        found = next((one for one in self.model.links if one.code == code), None)
        if not self.may_try(who):
            return
        good = (
            found is not None
            and found.status == "open"
            and found.good_until > self.clock.now
            and self.model.owner.get(found.account) == found.member
            and self.model.status[found.member] == "verified"
        )
        if good and found:
            found.status, found.other, found.good_until = "asked", who, self.clock.now + TEN
        else:
            self.model.wrong.setdefault(who, []).append(self.clock.now)

    @precondition(lambda self: self.model.links)
    @rule(who=SPEAKERS, yes=st.booleans(), data=st.data())
    def answer(self, who: str, yes: bool, data: st.DataObject) -> None:
        at = data.draw(st.integers(1, len(self.model.links)))
        told = self.say(who, f"link {'confirm' if yes else 'refuse'}:{at}")
        one = self.model.links[at - 1]
        may = self.model.is_in(who) and one.member == self.model.owner[who]
        if not (may and one.status == "asked" and one.good_until > self.clock.now):
            assert not told.startswith("Linked")
        elif not yes:
            one.status = "refused"
        elif self.model.is_free(one.other):
            one.status = "done"
            self.model.owner[one.other] = one.member

    @rule(who=SPEAKERS, whose=SPEAKERS)
    def part(self, who: str, whose: str) -> None:
        self.say(who, f"unlink {self.numbers[whose]}")
        mine = self.model.owner.get(who)
        same = [name for name, owner in self.model.owner.items() if owner == mine]
        if self.model.is_in(who) and whose in same and len(same) > 1:
            del self.model.owner[whose]
            for one in self.model.links:
                if whose in (one.account, one.other) and one.status in ("open", "asked"):
                    one.status = "refused"

    @rule(who=SPEAKERS)
    def join(self, who: str) -> None:
        told = self.say(who, f"join code:{self.city}")
        if self.model.is_free(who) and self.may_try(who):
            assert told.startswith("Welcome")
            member = self.model.owner.setdefault(who, max(14, *self.model.status) + 1)
            if member > max(self.model.status):
                member = self.model.owner[who] = self.runner.run(self._owner(who))
                assert member not in self.model.status, "a member of somebody else"
            self.model.status[member] = "verified"
        else:
            assert not told.startswith("Welcome")

    async def _owner(self, who: str) -> int:
        async with transaction(self.engine) as session:
            query = select(Account.member_id).where(Account.external_id == who)
            return await session.scalar(query) or 0

    @rule(who=SPEAKERS)
    def leave(self, who: str) -> None:
        self.say(who, "leave sure:yes")
        if self.model.is_in(who):
            self.model.status[self.model.owner[who]] = "left"
            self.model.leads.discard(self.model.owner[who])

    @rule(data=st.data(), act=st.sampled_from(("suspend", "restore", "lead", "unlead")))
    def staff(self, data: st.DataObject, act: str) -> None:
        member = data.draw(st.sampled_from(sorted(self.model.status)))
        self.say("noor", f"admin members {act} {member}")
        status = self.model.status[member]
        if act == "suspend" or (act == "restore" and status != "left"):
            self.model.status[member] = "suspended" if act == "suspend" else "verified"
        elif act == "lead" and status == "verified":
            self.model.leads.add(member)
        elif act == "unlead":
            self.model.leads.discard(member)

    @rule(minutes=st.sampled_from((1, 4, 9, 16)))
    def wait(self, minutes: int) -> None:
        self.clock.advance(minutes=minutes)

    # --- what always holds ---

    @invariant()
    def both_books_agree(self) -> None:
        """Whose each account is, where each member stands, and who leads."""
        Walk.steps += 1
        owners, status, roles = self.runner.run(self._read())
        assert {name: owners[name] for name in ACCOUNTS if owners[name]} == self.model.owner
        assert {n: status[n] for n in self.model.status} == self.model.status
        assert {n for n, role in roles if role == "lead"} == self.model.leads
        assert [n for n, role in roles if role in ("staff", "admin")] == [10, 11]

    async def _read(self) -> tuple[dict[str, int | None], dict[int, str], list[tuple[int, str]]]:
        async with transaction(self.engine) as session:
            accounts = (await session.scalars(select(Account))).all()
            people = (await session.scalars(select(Member))).all()
            roles = await session.execute(select(MemberRole.member_id, MemberRole.role))
            return (
                {a.external_id: a.member_id for a in accounts},
                {m.id: m.status for m in people},
                sorted((member, role) for member, role in roles.all()),
            )


@pytest.mark.campaign
def test_a_thousand_steps_and_never_a_wrong_link(
    sqlite_template: Path, record_figures: RecordFigures
) -> None:
    """No account belongs to two, none changes hands but by its own and the member's word."""
    Walk.template, Walk.walks, Walk.steps = sqlite_template, 0, 0
    run_state_machine_as_test(
        seed(SEED)(Walk),
        settings=examples(
            WALKS, stateful_step_count=STEPS, database=None, phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
    record_figures("linking", "sqlite", walks=Walk.walks, steps=Walk.steps)
