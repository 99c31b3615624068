"""Leaving and coming back: nothing goes on by itself, and nothing is left without somebody."""

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import plain
from bot.deliveries import load_card
from db import members, relay
from db.base import transaction
from db.members import Member, MemberRole
from db.outbox import Delivery
from db.relay import Relay
from tests.cast import NOW, Person, add_member
from tests.conftest import CommandTyper
from tests.reading import button, commands_of, problems_of, titles_of


async def roles(engine: AsyncEngine, number: int) -> list[str]:
    async with transaction(engine) as session:
        query = select(MemberRole.role).where(MemberRole.member_id == number)
        return sorted((await session.scalars(query)).all())


async def duties(engine: AsyncEngine) -> list[tuple[str, str]]:
    async with transaction(engine) as session:
        query = select(Delivery).where(Delivery.kind == "duty", Delivery.state == "due")
        return [(d.user, plain(load_card(d.body))) for d in await session.scalars(query)]


@pytest.mark.both
async def test_who_leaves_is_found_paired_and_written_to_no_more(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """After saying yes; conversations end, what was owed is not sent, roles are gone."""
    async with transaction(engine, writes=True) as session:
        maya, luis = await members.load_member(session, 1), await members.load_member(session, 3)
        assert maya is not None
        assert luis is not None
        await relay.create_relay(session, NOW, luis, maya, (None, None))
    await typing("admin members lead 1", as_="noor")
    sure = await typing("leave")
    assert "Maya" in plain(await typing("who-does open data", as_="zoe"))
    await typing(button(sure, "Leave").command)

    assert "Maya" not in plain(await typing("who-does open data", as_="zoe"))
    assert "Maya" not in plain(await typing("who-is maya", as_="zoe")).replace("«maya»", "")
    assert plain(await typing("who-does gis")).startswith("Members only")
    assert await roles(engine, 1) == []
    async with transaction(engine) as session:
        person = await session.get(Member, 1)
        assert person is not None
        assert (person.status, person.listed) == ("left", False)
        assert (await session.scalars(select(Relay.status))).all() == ["ended"]
        due = select(Delivery).where(Delivery.member_id == 1, Delivery.state == "due")
        assert (await session.scalars(due)).all() == []


async def test_a_lead_hands_the_city_to_a_colleague_by_name(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """The colleague leads at once and is told; people of elsewhere and oneself are refused."""
    await typing("admin members lead 1", as_="noor")
    sure = await typing("leave")
    assert "You lead your city." in plain(sure)
    for wrong in ("leave to:3", "leave to:1", "leave to:999", "leave to:sam sure:yes"):
        assert "to" in problems_of(await typing(wrong))
    named = await typing(button(sure, "Hand over to Ben Ortiz").command)
    await typing(button(named, "Leave").command)
    assert await roles(engine, 2) == ["lead"]
    assert [user for user, _ in await duties(engine)] == ["ben"]
    assert commands_of(await typing("verify", as_="ben"))[-1] == "admit"


async def test_a_city_without_a_lead_is_told_to_the_staff(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Only when nobody else leads it."""
    for number in (1, 2):
        await typing(f"admin members lead {number}", as_="noor")
    await typing("leave sure:yes")
    assert await duties(engine) == []
    await typing("leave sure:yes", as_="ben")
    told = dict(await duties(engine))
    assert sorted(told) == ["ada", "noor"]
    assert "Ben Ortiz led Boston, MA and left without naming a new lead." in told["noor"]


@pytest.mark.both
async def test_coming_back_is_joining_again_as_the_same_person(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """The profile is there as it was, hidden until they say so, and no role comes back."""
    await typing("admin members lead 1", as_="noor")
    await typing("leave sure:yes")
    assert "chose to leave" in plain(await typing("admin members restore 1", as_="noor"))
    await typing("join bogota ask:yes")
    await typing("admit 1 yes", as_="noor")
    assert "Open Data Manager" in plain(await typing("profile show"))
    assert "Bogotá" in plain(await typing("verify"))
    assert await roles(engine, 1) == []
    assert "Maya" not in plain(await typing("who-does open data", as_="zoe"))
    await typing("profile listed:yes")
    listed = titles_of(await typing("who-does open data in:bogota", as_="zoe"))
    assert "Maya Chen" in listed


async def test_one_suspended_after_leaving_does_not_come_back(typing: CommandTyper) -> None:
    """Leaving is no way around a suspension, in either order."""
    await typing("leave sure:yes")
    await typing("admin members suspend 1", as_="noor")
    assert "suspended your membership" in plain(await typing("join boston ask:yes"))


async def test_the_last_admin_stays(typing: CommandTyper, engine: AsyncEngine) -> None:
    """Nobody else would run the hub; with a second one, the first may go."""
    assert "the only one who runs the hub" in plain(await typing("leave", as_="ada"))
    assert "the only one who runs the hub" in plain(await typing("leave sure:yes", as_="ada"))
    async with transaction(engine, writes=True) as session:
        await add_member(session, Person(key="eda", name="Eda", listed=False, roles=("admin",)))
    assert plain(await typing("leave sure:yes", as_="ada")).startswith("You've left")
    assert "the only one" in plain(await typing("leave sure:yes", as_="eda"))


# --- leads ------------------------------------------------------------------------------------


async def test_staff_name_leads_and_nobody_names_themselves(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Members of a city only; never oneself, never an admin; the member is told each time."""
    for who, number in (("maya", 1), ("noor", 10), ("noor", 11), ("ada", 10), ("noor", 9),
                        ("noor", 999)):  # fmt: skip
        await typing(f"admin members lead {number}", as_=who)
    assert [await roles(engine, n) for n in (1, 9, 10, 11)] == [[], [], ["staff"], ["admin"]]
    for words in ("lead 1", "lead 1", "unlead 1", "unlead 1"):
        await typing(f"admin members {words}", as_="noor")
    async with transaction(engine) as session:
        told = select(Delivery).where(Delivery.key.startswith("lead:1:"))
        assert len((await session.scalars(told)).all()) == 2, "each once"
    assert await roles(engine, 1) == []


async def test_a_button_pressed_after_the_role_is_gone_does_nothing(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Who may is asked when it is pressed, not when it was drawn."""
    await typing("admin members lead 1", as_="noor")
    await typing("join boston ask:yes", as_="rob")
    card = await typing("admit")
    shown = await typing("invite code")
    await typing("admin members unlead 1", as_="noor")
    for command in (button(card, "Approve").command, button(card, "Decline").command):
        assert "no request number 1" in plain(await typing(command))
    assert "/wwc join code:" in plain(shown)
    assert "for its leads and staff" in plain(await typing("invite rotate city:boston-ma-us"))
    assert titles_of(await typing("admit", as_="noor")) == ["1 · rob"]
