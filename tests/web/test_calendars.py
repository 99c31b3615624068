"""The calendar file of a talk: read back by another hand, and shown to nobody else."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.community import blocking
from bot.hub import Hub
from bot.links import Links
from bot.web import calendars
from bot.web.calendars import meeting_file
from db.base import transaction
from db.cities import City
from db.members import Member
from db.talks import Talk
from tests.community.test_talks import begin
from tests.conftest import Clock, CommandTyper
from tests.domain.test_calendar import END, START, ZONES
from tests.handlers.test_talks import link_of
from tests.owed import load_member, mark_delivered, update_member

KEYS = ["new key of the tests", "old key of the tests"]


def event_of(text: str | bytes) -> Any:
    """The one event of a file, as another program reads it."""
    (event,) = Calendar.from_ical(text).walk("VEVENT")
    return event


async def fetched(hub: Hub, engine: AsyncEngine, address: str, links: Links) -> tuple[int, str]:
    """What the address answers over a real socket."""
    site = web.Application()
    calendars.add_routes(site, engine, links)
    async with TestClient(TestServer(site)) as client:
        answer = await client.get("/calendar" + address.partition("/calendar")[2])
        if answer.status == 200:
            assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
            assert answer.headers["Cache-Control"] == "private, no-store"
            assert "attachment" in answer.headers["Content-Disposition"]
        return answer.status, await answer.text()


async def agreed(typing: CommandTyper, engine: AsyncEngine, clock: Clock) -> str:
    """The address of a file that Luis was given."""
    talk = await begin(engine, clock())
    assert talk is not None
    await mark_delivered(engine)
    await typing(f"intro slot {talk.id} 1")
    return link_of(await typing(f"intro slot {talk.id} 1", as_="luis"))


async def test_the_file_says_when_in_the_readers_wall_time(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """With the rules of the zone, one UID for both people, and no address of anybody."""
    address = await agreed(typing, engine, clock)

    status, text = await fetched(typing.hub, engine, address, typing.hub.links)

    assert status == 200
    assert "@city.example" not in text
    event = event_of(text)
    assert str(event["SUMMARY"]) == "Charla con Maya Chen"
    assert event["DTSTART"].params["TZID"] == "America/Bogota"
    start = event.decoded("DTSTART")
    assert start == datetime(2026, 11, 25, 16, 0, tzinfo=UTC)
    assert event.decoded("DTEND") - start == timedelta(minutes=30)
    assert event["SEQUENCE"] == 0
    zones = Calendar.from_ical(text).walk("VTIMEZONE")
    assert [str(zone["TZID"]) for zone in zones] == ["America/Bogota"]


async def test_another_time_is_the_same_event_with_a_higher_number(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """So that calendars move it and do not keep both."""
    address = await agreed(typing, engine, clock)
    one = event_of((await fetched(typing.hub, engine, address, typing.hub.links))[1])
    number = address.split("/")[-1].split("~")[0]
    await typing(f"intro slot {number} 2")
    await typing(f"intro slot {number} 2", as_="luis")

    two = event_of((await fetched(typing.hub, engine, address, typing.hub.links))[1])

    assert one["UID"] == two["UID"]
    assert (one["SEQUENCE"], two["SEQUENCE"]) == (0, 1)
    assert one["DTSTART"].dt < two["DTSTART"].dt


@pytest.mark.parametrize(
    "over", ["nothing agreed", "suspended", "blocked", "forgotten", "another", "other people"]
)
async def test_there_is_no_file_when_there_is_no_meeting(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock, over: str
) -> None:
    """The address is as if it had never been."""
    links = typing.hub.links
    if over == "nothing agreed":
        talk = await begin(engine, clock())
        assert talk is not None
        address = links.meeting_url(talk.tag, talk.one.tag)
    else:
        address = await agreed(typing, engine, clock)
    if over == "suspended":
        await update_member(engine, "luis", status="suspended")
    one, other = await load_member(engine, "luis"), await load_member(engine, "maya")
    async with transaction(engine, writes=True) as session:
        if over == "blocked":
            await blocking.block_member(session, clock(), one, other)
        if over == "another":  # has the number, in a database that was restored
            await session.execute(update(Talk).values(opened_at=clock() + timedelta(days=1)))
        if over == "other people":
            await session.execute(update(Member).values(created_at=clock() + timedelta(days=1)))
        if over == "forgotten":
            await session.delete(await session.get_one(Member, other.id))

    status, text = await fetched(typing.hub, engine, address, links)

    assert (status, text) == (404, "There is no such meeting.\n")


async def test_only_the_address_that_was_given_opens(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """Every letter of it counts, and a signature fits one person of one talk."""
    address = await agreed(typing, engine, clock)
    token = address.rpartition("/")[2].removesuffix(".ics")
    talk, who, sign = token.split("-", 2)
    number, stamp = who.split("~")
    others = [f"{n}~{stamp}" for n in range(1, 12) if n != int(number)]
    wrong = [f"{talk}-{other}-{sign}" for other in others] + [f"1{talk}-{who}-{sign}"]
    wrong += [f"{talk.split('~')[0]}-{number}-{sign}"]
    wrong += [token[:i] + ("A" if token[i] != "A" else "B") + token[i + 1 :]
              for i in range(len(token))]  # fmt: skip
    wrong += ["", "x", token + "A", token[:-1], f"0{token}", f"{talk}-{who}-", "..", "%2e%2e"]
    for one in wrong:
        assert typing.hub.links.parse_meeting_token(one) is None, one
    status, _ = await fetched(typing.hub, engine, f"/calendar/meeting/{wrong[0]}.ics",
                              typing.hub.links)  # fmt: skip
    assert status == 404


def test_an_address_outlives_the_key_that_signed_it() -> None:
    """As long as the old key is kept beside the new one."""
    before = Links(lambda: "https://hub.example", lambda: KEYS[1:])
    now, later = Links(keys=lambda: KEYS), Links(keys=lambda: KEYS[:1])
    token = before.meeting_url("7~taaaaaa", "12~maaaaaa").removeprefix(
        "https://hub.example/calendar/meeting/"
    )[:-4]

    assert now.parse_meeting_token(token) == ("7~taaaaaa", "12~maaaaaa")
    assert later.parse_meeting_token(token) is None
    assert len({links.meeting_url("7~taaaaaa", "12~maaaaaa") for links in (now, later)}) == 1


@settings(max_examples=150, deadline=None)
@given(
    moment=st.datetimes(START.replace(tzinfo=None), END.replace(tzinfo=None)),
    zone=st.sampled_from(ZONES),
    language=st.sampled_from(["en", "es", "pt", "fr"]),
    name=st.text(min_size=1, max_size=40),
)
def test_any_time_in_any_zone_is_read_back_as_the_same_instant(
    moment: datetime, zone: str, language: str, name: str
) -> None:
    """Over every change of the clocks, and with whatever stands in a name."""
    start = moment.replace(minute=0, second=0, microsecond=0, tzinfo=UTC)
    local = start.astimezone(ZoneInfo(zone))
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        return  # never proposed: the clock shows this time twice
    city = City(name="Denver", state="CO", country="United States", country_code="US", level="Gold")
    reader, other = (
        Member(id=n, name=name, zone=zone, language=language, city=city, spoken=" en ")
        for n in (1, 2)
    )
    talk = Talk(id=5, key="k", one_id=1, other_id=2, opened_at=start, sequence=3)
    talk.one, talk.other = reader, other

    body = meeting_file(talk, reader, start, start)

    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
    event = event_of(body)
    assert event.decoded("DTSTART").astimezone(UTC) == start
    assert event["DTSTART"].dt.replace(tzinfo=None) == local.replace(tzinfo=None)
    assert event["SEQUENCE"] == 2


async def test_many_ask_for_files_at_once(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """Reading holds nothing."""
    address = await agreed(typing, engine, clock)

    got = await asyncio.gather(*(
        fetched(typing.hub, engine, address, typing.hub.links) for _ in range(5)
    ))  # fmt: skip

    assert {status for status, _ in got} == {200}
