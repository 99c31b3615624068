"""Staff let people in, and look after members; every act stands in the audit log."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import Form, plain
from bot.hub import Hub
from bot.request import Request
from db.audit import Audit
from db.base import transaction
from db.members import get_or_create_account
from tests.cast import NOW, PENDING, sender
from tests.conftest import CommandTyper
from tests.reading import button, commands_of, problems_of, titles_of

WAITS = 12
"""The number of the waiting account."""


async def audited(engine: AsyncEngine) -> list[tuple[int | None, str, str]]:
    async with transaction(engine) as session:
        rows = (await session.scalars(select(Audit).order_by(Audit.id))).all()
        return [(a.member_id, a.action, a.subject) for a in rows]


@pytest.mark.both
@pytest.mark.parametrize("who", ["noor", "ada"])
async def test_from_the_waiting_list_into_the_community(
    typing: CommandTyper, engine: AsyncEngine, who: str
) -> None:
    """Approve asks for the city; the new member is not listed until they say so."""
    waiting = await typing("admin members", as_=who)
    assert titles_of(waiting) == [f"{WAITS} · {PENDING}"]

    form = await typing(button(waiting, "Approve").command, as_=who)
    assert isinstance(form, Form)
    reply = await typing(f"admin members approve {WAITS} boston", as_=who)
    assert f"{PENDING} from Boston, MA is now a member." in plain(reply)
    assert "No one is waiting." in plain(await typing("admin members waiting", as_=who))
    assert plain(await typing("home", as_=PENDING)).startswith("Hello")
    assert PENDING not in plain(await typing("city boston"))
    assert [a[1:] for a in await audited(engine)] == [("member approved", "member:12")]


async def test_nobody_is_let_in_twice(typing: CommandTyper) -> None:
    """The second press says so."""
    await typing(f"admin members approve {WAITS} boston", as_="noor")
    again = await typing(f"admin members approve {WAITS} boston", as_="noor")

    assert "is already a member" in plain(again)
    assert commands_of(again) == ["admin members waiting"]


@pytest.mark.both
async def test_suspending_takes_somebody_out_at_once_and_restoring_brings_them_back(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """From lists, searches and commands."""
    before = titles_of(await typing("who-does open data"))
    reply = await typing("admin members suspend 3", as_="noor")
    assert "Luis Ángel Rojas" not in titles_of(await typing("who-does open data"))
    assert "Luis" not in plain(await typing("who-does veedores"))
    assert plain(await typing("who-does gis", as_="luis")).startswith(
        ("Members only", "Solo miembros", "Sólo miembros")
    ) or "who-does" not in "".join(commands_of(await typing("home", as_="luis")))

    await typing(button(reply, "Restore").command, as_="noor")
    assert titles_of(await typing("who-does open data")) == before
    assert [a[1] for a in await audited(engine) if a[0] == 10] == [
        "member suspended", "member restored"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "name"),
    [("approve", "who"), ("approve 99", "who"), ("approve 99999999999 boston", "who"),
     ("approve x boston", "who"), (f"approve {WAITS} qqxxqq", "city"), ("suspend", "who"),
     ("suspend 999", "who"), ("suspend 2147483648", "who"), ("restore ٣", "who")],
)  # fmt: skip
@pytest.mark.both
async def test_what_is_missing_or_wrong_reopens_the_form(
    typing: CommandTyper, engine: AsyncEngine, words: str, name: str
) -> None:
    """With the sentence beside its field and nothing done."""
    reply = await typing(f"admin members {words}", as_="noor")

    if isinstance(reply, Form):
        assert name in problems_of(reply)
    else:
        assert "Not quite" in plain(reply)
    assert await audited(engine) == []


@pytest.mark.both
async def test_staff_find_a_member_by_whatever_they_know(
    typing: CommandTyper, joining: Callable[..., Awaitable[int]]
) -> None:
    """A name in any spelling, a mention, an address; listed or not, suspended or not."""
    await joining(key="luisa", name="Luisa Rojas", city="bogota-co", listed=False)
    for who in ("Inês Albuquerque", "ines alb", "@ines", "<@ines>", "INES@city.example", "4"):
        assert "Inês" in plain(await typing(f"admin members suspend {who}", as_="noor")), who
        assert "Inês" in plain(await typing(f"admin members restore {who}", as_="noor")), who
    reply = await typing("admin members suspend rojas", as_="noor")
    assert "Several people match «rojas»." in plain(reply)
    assert commands_of(reply) == ["admin members suspend who:3", "admin members suspend who:12"]
    reply = await typing("admin members suspend luis rojas", as_="noor")
    assert commands_of(reply) == ["admin members suspend who:3", "admin members suspend who:12"]
    assert "Luisa" in plain(await typing("admin members lead luisa", as_="noor"))
    unknown = await typing("admin members suspend nobody@city.example", as_="noor")
    assert "nobody@city.example" in problems_of(unknown)["who"]


async def test_who_waits_is_let_in_by_name(typing: CommandTyper, engine: AsyncEngine) -> None:
    """Several words of a name, and the city behind them; namesakes are a choice."""
    async with transaction(engine, writes=True) as session:
        for key, name in (("kim1", "Pat Kim"), ("kim2", "Jo Kim")):
            account = await get_or_create_account(session, "slack", "T1", key, NOW)
            account.name = name
    reply = await typing("admin members approve kim boston", as_="noor")
    assert commands_of(reply)[:2] == [
        "admin members approve who:13 city:boston", "admin members approve who:14 city:boston"
    ]  # fmt: skip
    said = plain(await typing("admin members approve Pat Kim boston", as_="noor"))
    assert "Pat Kim from Boston, MA is now a member." in said


async def test_the_list_of_all_members_completes_for_staff_alone(hub: Hub) -> None:
    """Unlisted people too."""
    asked = Request(sender("noor"), "admin members")
    found = await hub.suggest(asked, "admin members", "who", "uma")
    assert any(option.label.startswith("Uma Unlisted") for option in found)
    assert not await hub.suggest(Request(sender("maya"), ""), "admin members", "who", "uma")


@pytest.mark.parametrize("number", [10, 11])
async def test_staff_touch_neither_themselves_nor_admins(
    typing: CommandTyper, engine: AsyncEngine, number: int
) -> None:
    """Admins come and go by the operator's setting only."""
    for act in ("suspend", "restore"):
        reply = await typing(f"admin members {act} {number}", as_="noor")
        assert plain(reply).startswith("Not quite")
    assert await audited(engine) == []
