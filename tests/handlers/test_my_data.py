"""My data: seen, taken along and erased, in every table that holds a person."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import Card, Link, plain
from bot.domain.ranking import base_points
from bot.handlers import my_data
from bot.hub import Hub
from bot.jobs import maintenance
from bot.links import Links
from bot.web.my_data import add_routes
from db import audit, directory, endorsements, members, outbox, personal_data
from db.base import Base, checkpoint, transaction
from db.directory import Expertise
from db.members import Account, Member
from db.outbox import Address, Delivery
from tests.cast import NOW
from tests.conftest import Clock, CommandTyper
from tests.owed import load_member
from tests.reading import commands_of

MAYA, BEN = 1, 2
CANARY = "Zyxwvut"
"""A name that occurs nowhere else in the database."""


def test_every_table_says_whether_it_holds_people() -> None:
    """A new table that stands in neither list fails here; one that refers to members holds them."""
    assert personal_data.list_undeclared_tables() == []
    for name, table in Base.metadata.tables.items():
        refers = {key.column.table.name for key in table.foreign_keys} & {"member", "account"}
        if refers:
            assert name in personal_data.PERSONAL_TABLES, name
        for column in table.c:
            if {key.column.table.name for key in column.foreign_keys} == {"member"}:
                held = personal_data.PERSONAL_TABLES[name]
                assert column.name in (*held.owner_columns, *held.subject_columns), (
                    f"{name}.{column.name}"
                )
            if {key.column.table.name for key in column.foreign_keys} == {"account"}:
                assert column.name in personal_data.PERSONAL_TABLES[name].account_columns, (
                    f"{name}.{column.name}"
                )


def test_what_is_kept_says_why() -> None:
    """Keeping is the exception."""
    assert all(
        h.reason for h in personal_data.PERSONAL_TABLES.values() if h.on_erasure != "deleted"
    )


async def test_a_table_is_called_what_its_entry_says(
    typing: CommandTyper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else has to be changed for a new one, and each has a title of its own."""
    named = replace(personal_data.PERSONAL_TABLES["account"], title="A made-up title")
    monkeypatch.setattr(
        my_data, "PERSONAL_TABLES", {**personal_data.PERSONAL_TABLES, "account": named}
    )

    assert "A made-up title" in plain(await typing("my-data show"))
    other = personal_data.PERSONAL_TABLES["document"].title
    mine = [
        h for h in personal_data.PERSONAL_TABLES.values() if h.owner_columns or h.account_columns
    ]
    assert all(held.title and held.title != other for held in mine)


@pytest.fixture
async def page(
    engine: AsyncEngine, hub: Hub, clock: Clock
) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    site = web.Application()
    add_routes(site, engine, hub.links, clock)
    async with TestClient(TestServer(site)) as client:
        yield client


def path_of(reply: object) -> str:
    assert isinstance(reply, Card)
    (link,) = [part for part in reply.parts if isinstance(part, Link)]
    return path_like(link.address)


@pytest.mark.both
async def test_a_copy_holds_what_the_tables_hold(
    typing: CommandTyper, page: TestClient[web.Request, web.Application]
) -> None:
    """One's own rows, nobody else's, with a hash for each table."""
    shown = plain(await typing("my-data"))
    assert "Your topics | 3" in shown
    await typing("endorse 3 open-data")
    answer = await page.get(path_of(await typing("my-data export")))
    assert answer.status == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    told = json.loads(await answer.text())
    assert told["tables"]["member"][0]["name"] == "Maya Chen"
    assert [row["by_id"] for row in told["tables"]["endorsement"]] == [MAYA]
    assert told["sha256"].keys() == told["tables"].keys()
    assert "Ben Ortiz" not in await answer.text()


async def test_an_address_is_for_one_person_and_a_quarter_of_an_hour(
    page: TestClient[web.Request, web.Application], hub: Hub, clock: Clock, engine: AsyncEngine
) -> None:
    """Changed, foreign and old ones are all the same: not there."""
    maya = (await load_member(engine, "maya")).tag
    good = hub.links.my_data_url(maya, clock.now)
    foreign = Links(keys=lambda: ["another key that is long"]).my_data_url(maya, clock.now)
    assert (await page.get(path_like(good))).status == 200
    for bad in ("/my-data/x.json", path_like(foreign), path_like(good)[:-9] + "AAAA.json"):
        assert (await page.get(bad)).status == 404
    assert (
        hub.links.parse_my_data_token(token_of(good), clock.now, personal_data.DOWNLOAD_LIFETIME)
        == maya
    )
    clock.advance(minutes=16)
    assert (
        hub.links.parse_my_data_token(token_of(good), clock.now, personal_data.DOWNLOAD_LIFETIME)
        is None
    )
    assert (await page.get(path_like(good))).status == 404


@pytest.mark.parametrize("is_older_copy", [False, True])
async def test_an_address_is_never_that_of_whoever_has_the_number_next(
    page: TestClient[web.Request, web.Application],
    hub: Hub,
    clock: Clock,
    engine: AsyncEngine,
    is_older_copy: bool,
) -> None:
    """The newest member is forgotten and another one comes: here, or in a database from before."""

    async def come(name: str) -> Member:
        clock.advance(seconds=1)
        made = Member(name=name, folded=name.lower(), created_at=clock(), confirmed_at=clock())
        async with transaction(engine, writes=True) as session:
            session.add(made)
        return made

    first = await come("Nour Aziz")
    address = path_like(hub.links.my_data_url(first.tag, clock.now))
    assert "Nour Aziz" in await (await page.get(address)).text()
    async with transaction(engine, writes=True) as session:
        await session.delete(await session.get_one(Member, first.id))
        if is_older_copy:  # which has not given the number out yet
            await session.execute(
                text("UPDATE sqlite_sequence SET seq = :last WHERE name = 'member'"),
                {"last": first.id - 1},
            )
    second = await come("Olga Brandt")
    assert (second.id == first.id) is is_older_copy
    answer = await page.get(address)
    assert answer.status == 404
    assert "Olga" not in await answer.text()


def path_like(address: str) -> str:
    return "/" + address.split("/", 3)[3]


def token_of(address: str) -> str:
    return address.rpartition("/")[2].removesuffix(".json")


async def _fill(engine: AsyncEngine) -> None:
    """Maya has the canary in her name, a delivery, a report, an endorsement of Ben."""
    async with transaction(engine, writes=True) as session:
        maya = await session.get(Member, MAYA)
        assert maya is not None
        maya.name, maya.folded, maya.bio = CANARY, CANARY.casefold(), f"I am {CANARY}"
        await directory.refresh_member(session, maya, base_points)
        for key, state in (("a", "due"), ("b", "sent")):
            await outbox.add_delivery(
                session, Address("p", "w", "maya"), key=key, kind="answer", member_id=MAYA,
                body=CANARY, created_at=NOW, at=NOW, state=state,
            )  # fmt: skip
        tie = await directory.find_expertise(session, BEN, await _open_data(session))
        assert tie is not None
        await endorsements.endorse(session, tie, maya, NOW)


async def _open_data(session: object) -> int:
    found = await session.scalar(  # type: ignore[attr-defined]
        select(Expertise.topic_id).where(Expertise.member_id == BEN).limit(1)
    )
    return int(found)


@pytest.mark.both
async def test_forgetting_asks_first_and_then_leaves_nothing(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Every declared table is empty of the member; what is kept names nobody."""
    await _fill(engine)
    asked = await typing("my-data forget")
    assert "can't be undone" in plain(asked)
    assert "Goodbye" in plain(await typing(commands_of(asked)[0]))
    async with transaction(engine) as session:
        left = await personal_data.load_rows(session, MAYA)
        assert left.keys() <= {"audit", "delivery"}
        assert await session.get(Member, MAYA) is None
        ben = (await session.scalars(select(Expertise).where(Expertise.member_id == BEN))).all()
        assert {tie.endorsements for tie in ben} == {0}
        sent = (await session.scalars(select(Delivery).order_by(Delivery.id))).all()
        assert [(d.state, d.body, d.user) for d in sent] == [
            ("cancelled", "", ""),
            ("sent", "", ""),
        ]
        assert (await audit.verify(session)).broken_at == 0
    assert "Members only" in plain(await typing("topics"))
    assert CANARY not in plain(await typing("who-does open data", as_="ben"))


async def test_no_byte_of_the_forgotten_stays_in_the_file(
    typing: CommandTyper, engine: AsyncEngine, database: str
) -> None:
    """Neither in the tables, nor in the search index, nor in the journal."""
    file = Path(database.removeprefix("sqlite:///"))
    files = [file, file.with_name(file.name + "-wal")]
    await _fill(engine)
    assert any(CANARY.encode() in f.read_bytes() for f in files)
    await typing("my-data forget sure:yes")
    async with transaction(engine, writes=True) as session:
        await maintenance.scrub_search_index(session, NOW)
    await checkpoint(engine)
    raw = b"".join(f.read_bytes() for f in files if f.exists()).lower()
    assert CANARY.lower().encode() not in raw


async def test_the_only_admin_names_another_one_first(typing: CommandTyper) -> None:
    """A hub without anybody to run it helps nobody."""
    assert "only admin" in plain(await typing("my-data forget sure:yes", as_="ada"))


async def test_who_is_no_member_may_look_and_go_too(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """The account is all there is."""
    assert "You're not a member" in plain(await typing("my-data", as_="pat"))
    await typing("my-data forget", as_="pat")
    async with transaction(engine) as session:
        found = select(Account).where(Account.external_id == "pat")
        assert await session.scalar(found) is None


async def test_a_suspended_person_keeps_the_right(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """To see, to take along, to go."""
    assert "Your profile | 1" in plain(await typing("my-data", as_="sam"))
    assert "Goodbye" in plain(await typing("my-data forget sure:yes", as_="sam"))
    async with transaction(engine) as session:
        assert await members.load_member(session, 9) is None
