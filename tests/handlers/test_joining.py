"""The ways in: code, invitation, workspace, address, approval; and what opens none of them."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import Form, Reply, plain
from bot.deliveries import load_card
from bot.domain.joining import fingerprint
from db import members, workspaces
from db.base import transaction
from db.invitations import CityCode
from db.joining import CodeTry, JoinRequest
from db.members import Account, Member
from db.outbox import Delivery
from tests.cast import PENDING, PLATFORM
from tests.conftest import Clock, CommandTyper, StatementCounter
from tests.reading import button, commands_of, field, problems_of, titles_of, values_of

CODE = re.compile(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2}")
WRONG = "0000-0000-0000"
Counting = Callable[[], AbstractContextManager[StatementCounter]]


def code_in(reply: Reply) -> str:
    """The code a card shows."""
    (code,) = CODE.findall(plain(reply))
    return str(code)


async def city_code(typing: CommandTyper, city: str = "boston") -> str:
    """A new code for a city, made by staff."""
    return code_in(await typing(f"invite rotate city:{city}", as_="noor"))


async def person(engine: AsyncEngine, key: str, workspace: str = "T1") -> Member | None:
    """The member of an account."""
    async with transaction(engine) as session:
        account = await members.find_account(session, PLATFORM, workspace, key)
        return account.member if account else None


async def owed(engine: AsyncEngine, kind: str = "") -> list[Delivery]:
    """What the hub owes, in order."""
    async with transaction(engine) as session:
        query = select(Delivery).order_by(Delivery.id)
        rows = (await session.scalars(query)).all()
        return [d for d in rows if kind in ("", d.kind)]


async def mark(engine: AsyncEngine, city: str = "", vouched: bool = False) -> None:
    """Staff know this of the tests' workspace."""
    async with transaction(engine, writes=True) as session:
        found = await session.scalar(text(f"SELECT id FROM city WHERE slug = '{city}'"))
        home = await workspaces.find_workspace(session, PLATFORM, "T1")
        assert home is not None
        home.city_id, home.vouched = found, vouched


# --- not in yet -------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["newcomer", PENDING])
async def test_until_verified_there_is_help_and_the_way_in(typing: CommandTyper, who: str) -> None:
    """Every refusal and the help lead to joining; nothing else writes or shows people."""
    refused = await typing("who-does open data", as_=who)
    assert commands_of(refused) == ["join", "help"]
    assert "join" in commands_of(await typing("help", as_=who))
    assert "join" in commands_of(await typing("home", as_=who))
    assert "you have no open request" in plain(await typing("verify", as_=who))
    for words in ("invite", "admit 1 yes", "unlink 1", "leave", "welcome", "admin workspaces"):
        assert plain(await typing(words, as_=who)).startswith("Members only")
    form = await typing("join", as_=who)
    assert isinstance(form, Form)
    assert values_of(form) == {"city": (), "code": ()}


async def test_a_guest_joins_at_home_and_a_stranger_nowhere(typing: CommandTyper) -> None:
    """Guests, people of other organisations and bots are shown the way and leave no trace."""
    code = await city_code(typing)
    for words in ("join", f"join code:{code}", "join boston ask:yes", f"link {code}"):
        reply = await typing(words, as_="guest", is_outsider=True)
        assert "Please try this in your own city's workspace" in plain(reply)
    nowhere = await typing("join boston", as_="nobody", workspace="")
    assert "Please try this in your own city's workspace" in plain(nowhere)


# --- by code ----------------------------------------------------------------------------------


@pytest.mark.both
async def test_one_code_lets_in_as_many_colleagues_as_come(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Typed with care or without; each is a member for that city, and not yet to be found."""
    code = await city_code(typing)
    dashed, spaced = code.replace("-", "–"), code.replace("-", " ")
    ways = (f"code:{code}", f"boston code:{code.lower()}", code, f"Boston `{dashed}`.",
            f"code: {spaced}")  # fmt: skip
    for number, typed in enumerate(ways):
        reply = await typing(f"join {typed}", as_=f"new{number}", locale="pt-BR")
        assert plain(reply).startswith("Boas-vindas, new"), plain(reply)
        found = await person(engine, f"new{number}")
        assert found is not None
        assert found.city is not None
        assert (found.city.slug, found.status, found.way) == ("boston-ma-us", "verified", "code")
        assert (found.language, found.listed) == ("pt", False)
    assert "5" in plain(await typing("invite code city:boston", as_="noor"))
    assert "Verified by: your city's code" in plain(
        await typing("verify", as_="new0", locale="en")
    ).replace("Comprovado por: o código da sua cidade", "Verified by: your city's code")


@pytest.mark.both
async def test_a_new_code_kills_the_old_one_at_once(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """And no code can be read in the database, in whatever table."""
    old = await city_code(typing)
    new = await city_code(typing)
    assert "doesn't work" in plain(await typing(f"join code:{old}", as_="rob"))
    assert plain(await typing(f"join code:{new}", as_="rob")).startswith("Welcome")

    async with transaction(engine) as session:
        kept = (await session.scalars(select(CityCode.hash))).all()
    assert list(kept) == [fingerprint(new)]
    shown = await typing("invite code city:boston", as_="noor")
    assert not CODE.search(plain(shown))


async def test_whatever_is_wrong_with_a_code_the_answer_is_one(
    typing: CommandTyper, clock: Clock, query_count: Counting
) -> None:
    """Mistyped, replaced, expired, used up, for another city, of another kind, after too many
    tries: the same words, found by the same questions to the database."""
    replaced = await city_code(typing)
    boston = await city_code(typing)
    expired = code_in(await typing("invite somebody", as_="maya"))
    clock.advance(days=8)
    used = code_in(await typing("invite somebody", as_="maya"))
    assert plain(await typing(f"join code:{used}", as_="first")).startswith("Welcome")
    link = code_in(await typing("link", as_="maya"))
    tries = {
        "wrong": f"join code:{WRONG}", "replaced": f"join code:{replaced}",
        "expired": f"join code:{expired}", "used": f"join code:{used}",
        "foreign": f"join bogota code:{boston}", "of a link": f"join code:{link}",
        "nonsense": "join code:'--", "in a link": f"link {boston}",
    }  # fmt: skip
    answers, counts = set(), {}
    for name, words in tries.items():
        who = name.replace(" ", "")
        await typing("help", as_=who)
        with query_count() as counted:
            answers.add(plain(await typing(words, as_=who)))
        counts[name] = counted.number
    assert len(answers) == 1
    joins = {name: number for name, number in counts.items() if name != "in a link"}
    assert len(set(joins.values())) == 1, joins
    for _ in range(6):
        answers.add(plain(await typing(f"join code:{WRONG}", as_="wrong")))
    answers.add(plain(await typing(f"join code:{boston}", as_="wrong")))
    assert len(answers) == 1, "not even the right one is looked at any more"


@pytest.mark.both
async def test_five_wrong_codes_and_a_quarter_of_an_hour(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """Brute force meets a wall: after five wrong ones none is looked at, right or wrong."""
    code = await city_code(typing)
    for number in range(30):
        await typing(f"join code:{number:04}-0000-0000", as_="rob")
    async with transaction(engine) as session:
        assert await session.scalar(select(func.count()).select_from(CodeTry)) == 5
    assert "doesn't work" in plain(await typing(f"join code:{code}", as_="rob"))
    assert plain(await typing(f"join code:{code}", as_="zac")).startswith("Welcome")

    clock.advance(minutes=15, seconds=1)
    assert plain(await typing(f"join code:{code}", as_="rob")).startswith("Welcome")


async def test_a_workspace_has_fifty_wrong_tries(typing: CommandTyper, clock: Clock) -> None:
    """Many accounts of one workspace are no way around; other workspaces do not notice."""
    code = await city_code(typing)
    for number in range(50):
        await typing(f"join code:{WRONG}", as_=f"evil{number}", workspace="T2")
    late = await typing(f"join code:{code}", as_="honest", workspace="T2")
    assert "doesn't work" in plain(late)
    assert plain(await typing(f"join code:{code}", as_="honest")).startswith("Welcome")
    clock.advance(minutes=16)
    again = await typing(f"join code:{code}", as_="honest", workspace="T2")
    assert plain(again).startswith("Welcome")


@pytest.mark.both
async def test_the_same_id_in_three_workspaces_is_three_people(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Platform, workspace and user together are the key; one joins, the others stay outside."""
    code = await city_code(typing)
    await typing(f"join code:{code}", as_="U1", workspace="T2")
    for platform, workspace in ((PLATFORM, "T1"), ("other", "T2")):
        said = await typing("who-does gis", as_="U1", workspace=workspace, platform=platform)
        assert plain(said).startswith("Members only")
    assert not plain(await typing("home", as_="U1", workspace="T2")).startswith("What the hub")
    async with transaction(engine) as session:
        mine = select(Account.member_id).where(Account.external_id == "U1")
        assert sorted(m is not None for m in await session.scalars(mine)) == [False, False, True]


# --- by workspace and by address --------------------------------------------------------------


@pytest.mark.both
async def test_the_people_of_a_citys_own_workspace_are_let_in(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Once staff marked it; for that city only, and not any more when the mark is taken back."""
    await typing("help", as_="rob")
    listed = await typing("admin workspaces", as_="noor")
    (number,) = re.findall(r"^(\d+) ·", titles_of(listed)[0])
    await typing(f"admin workspaces city {number} boston", as_="noor")

    form = await typing("join", as_="rob")
    assert field(form, "city").value == ("Boston, MA",)
    assert plain(await typing("join bogota", as_="rob")).startswith("Join for Bogotá")
    assert plain(await typing("join boston", as_="rob")).startswith("Welcome, rob")
    assert "Verified by: your city's workspace" in plain(await typing("verify", as_="rob"))
    assert plain(await typing("join boston", as_="eve", workspace="T2")).startswith("Join for")

    await typing(f"admin workspaces mend {number}", as_="noor")
    assert plain(await typing("join boston", as_="late")).startswith("Join for Boston")
    assert await person(engine, "late") is None
    assert not plain(await typing("home", as_="rob")).startswith("What the hub")


async def test_a_citys_own_workspace_may_be_named_there_though_it_is_not_certified(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Its people know where they work; elsewhere the name is as unknown as any other."""
    await mark(engine, "albuquerque-nm-us")
    assert plain(await typing("join albuquerque", as_="rob")).startswith("Welcome, rob")
    elsewhere = await typing("join albuquerque", as_="rob", workspace="T2")
    unknown = await typing("join atlantis", as_="rob", workspace="T2")
    assert plain(elsewhere).replace("albuquerque", "…") == plain(unknown).replace("atlantis", "…")


ADDRESSES = {
    "maya.x@boston.gov": True,
    "ROB@Boston.GOV": True,
    "zoe@boston.gov.": True,
    "rob@mail.boston.gov": False,
    "rob@boston.gov.evil.com": False,
    "rob+1@boston.gov": False,
    "rob@b\u043eston.gov": False,
    "rob@xn--bston-1of.gov": False,
    "rob@evil.com@boston.gov": False,
    "rob@gmail.com": False,
    "x@boston.gov\nBcc:": False,
    "a@b": False,
    "": False,
}


@pytest.mark.both
async def test_an_address_counts_where_staff_vouch_for_it_and_nowhere_else(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """A workspace can claim any address for anybody: mayor@boston.gov of elsewhere stays out."""
    await typing("admin domains boston add:Boston.GOV.", as_="noor")
    await mark(engine, vouched=True)
    for number, (email, proves) in enumerate(ADDRESSES.items()):
        reply = await typing("join boston", as_=f"rob{number}", email=email)
        assert plain(reply).startswith("Welcome" if proves else "Join for"), email
        foreign = await typing("join boston", as_=f"rob{number}", workspace="T2", email=email)
        assert plain(foreign).startswith("Join for"), email
    other = await typing("join bogota", as_="zac", email="zac@boston.gov")
    assert plain(other).startswith("Join for Bogotá")

    await mark(engine, vouched=False)
    late = await typing("join boston", as_="late", email="late@boston.gov")
    assert plain(late).startswith("Join for")


@pytest.mark.both
async def test_two_accounts_of_one_address_are_never_merged(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """The second is told to link, and who it is stays with the first."""
    await typing("admin domains boston add:boston.gov", as_="noor")
    await mark(engine, vouched=True)
    await typing("join boston", as_="rob", email="rob@boston.gov")
    again = await typing("join boston", as_="bob", email="ROB@boston.gov")
    assert commands_of(again) == ["link"]
    first, second = await person(engine, "rob"), await person(engine, "bob")
    assert first is not None
    assert first.email == "rob@boston.gov"
    assert second is None


# --- by asking --------------------------------------------------------------------------------


async def test_an_unknown_city_goes_to_the_staff_in_the_persons_own_words(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """They know more cities than may be named outside; approving asks them for the name."""
    unknown = await typing('join "Villa Nueva"', as_="rob")
    asked = await typing(button(unknown, "Ask the staff").command, as_="rob")
    assert "You asked to join Villa Nueva." in plain(asked)
    card = load_card((await owed(engine, "duty"))[0].body)
    assert "Says «Villa Nueva»" in plain(card)
    form = await typing(button(card, "Approve").command, as_="noor")
    assert isinstance(form, Form)
    await typing(f"{button(card, 'Approve').command} albuquerque", as_="noor")
    found = await person(engine, "rob")
    assert found is not None
    assert found.city is not None
    assert found.city.slug == "albuquerque-nm-us"
    assert "Noor Haddad already let them in" in plain(await typing("admit 1 no", as_="ada"))


async def test_namesakes_are_offered_with_their_state(typing: CommandTyper) -> None:
    """«Rochester» is two cities, and nobody is let in to the wrong one."""
    reply = await typing("join rochester", as_="rob")
    assert commands_of(reply) == ["join rochester-ny-us", "join rochester-mn-us"]
    form = await typing(
        "join", as_="rob", values={"city": ("rochester",), "code": ("",)}, submitted=True
    )
    assert "several cities" in problems_of(form)["city"]
    assert field(form, "city").value == ("rochester",)


async def test_a_name_of_any_length_and_kind_is_an_answer(typing: CommandTyper) -> None:
    """Ten thousand letters, quotes, markup and nothing at all: one sentence, no fault."""
    hostile = ("x" * 10_000, '"; DROP TABLE city;--', "{0.__class__}", "<!channel>", "\u202e", '""')
    for words in hostile:
        for more in ("", " ask:yes", " code:x"):
            said = plain(await typing(f"join {words}{more}", as_="rob"))
            assert "Something went wrong" not in said, words


async def test_a_workspace_cannot_flood_those_who_decide(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Twenty open requests, then its people wait; the others do not."""
    for number in range(22):
        await typing("join boston ask:yes", as_=f"evil{number}", workspace="T2")
    async with transaction(engine) as session:
        assert await session.scalar(select(func.count()).select_from(JoinRequest)) == 20
    assert "You asked to join Boston" in plain(await typing("join boston ask:yes", as_="rob"))


# --- suspended, left, in ----------------------------------------------------------------------


async def test_the_suspended_come_in_by_no_way(typing: CommandTyper, engine: AsyncEngine) -> None:
    """Code, workspace, invitation, asking, linking: the account cannot, whatever it holds."""
    code, line = await city_code(typing), code_in(await typing("invite somebody", as_="maya"))
    await mark(engine, "boston-ma-us")
    for words in ("join", "join boston", f"join code:{code}", f"join code:{line}",
                  "join boston ask:yes", "join invitation:1", f"link {code}"):  # fmt: skip
        said = plain(await typing(words, as_="sam"))
        assert "suspended your membership" in said, words
    found = await person(engine, "sam")
    assert found is not None
    assert found.status == "suspended"


async def test_a_member_need_not_join(typing: CommandTyper) -> None:
    """It says so, and what proves them."""
    code = await city_code(typing)
    for words in ("join", f"join code:{code}", "join bogota ask:yes"):
        assert plain(await typing(words)).startswith("You're already a member")
    assert "Verified by: the program staff" in plain(await typing("verify"))


# --- guests -----------------------------------------------------------------------------------


async def test_who_may_be_a_guest_is_not_let_in_by_the_workspace(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Where the platform did not say in time who somebody is, the other ways are open."""
    await mark(engine, "boston-ma-us")
    said = plain(await typing("join boston", as_="newcomer", is_unverified=True))
    assert "I can't tell from here that you work for Boston" in said
    assert await person(engine, "newcomer") is None
    await typing("join boston", as_="newcomer")
    assert await person(engine, "newcomer") is not None
