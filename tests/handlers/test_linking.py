"""One profile for several accounts: shown here, typed there, confirmed here, undone by either."""

import random
import re

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import Reply, plain
from bot.deliveries import enqueue, load_card
from db import members, workspaces
from db.base import transaction
from db.linking import Link
from db.members import Account
from db.outbox import Address, Delivery
from tests.cast import NOW, PLATFORM
from tests.conftest import Clock, CommandTyper
from tests.reading import button, commands_of, titles_of

CODE = re.compile(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2}")
THERE = {"workspace": "G9", "platform": "other"}


def code_in(reply: Reply) -> str:
    (code,) = CODE.findall(plain(reply))
    return str(code)


async def there(typing: CommandTyper, words: str, as_: str = "maya2") -> Reply:
    """Said in another workspace, on another platform."""
    return await typing(words, as_=as_, workspace="G9", platform="other")


async def owner(engine: AsyncEngine, key: str, workspace: str = "G9") -> int | None:
    async with transaction(engine) as session:
        found = await session.scalar(
            select(Account)
            .join(Account.workspace)
            .where(Account.external_id == key, workspaces.Workspace.external_id == workspace)
        )
        return found.member_id if found else None


async def owed_to(engine: AsyncEngine, user: str) -> list[Delivery]:
    async with transaction(engine) as session:
        query = select(Delivery).where(Delivery.user == user).order_by(Delivery.id)
        return list((await session.scalars(query)).all())


async def linked(typing: CommandTyper, as_: str = "maya", other: str = "maya2") -> Reply:
    """The whole way: code here, typed there, confirmed here."""
    code = code_in(await typing("link", as_=as_))
    await there(typing, f"link {code}", other)
    asked = await typing("link", as_=as_)
    return await typing(button(asked, "Confirm").command, as_=as_)


@pytest.mark.both
async def test_an_account_elsewhere_is_linked_when_the_member_confirms(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Not before; both names are shown, both accounts are told, and both are the same person."""
    code = code_in(await typing("link"))
    typed = await there(typing, f"link {code.lower()}")
    assert "«Maya Chen» in Slack T1" in plain(typed)
    assert await owner(engine, "maya2") is None
    assert plain(await there(typing, "home")).startswith("What the hub can do")

    (asked,) = await owed_to(engine, "maya")
    card = plain(load_card(asked.body))
    assert "«maya2» in Other G9" in card
    assert "it speaks as Maya Chen" in card
    assert asked.expires is not None
    done = await typing(button(load_card(asked.body), "Confirm").command)
    assert plain(done).startswith("Linked\n«maya2» in Other G9 now speaks for you.")
    assert await owner(engine, "maya2") == 1
    assert "Open Data Manager" in plain(await there(typing, "profile show"))
    for user in ("maya", "maya2"):
        told = (await owed_to(engine, user))[-1]
        assert commands_of(load_card(told.body)) == [f"unlink {13}"]


@pytest.mark.both
async def test_no_means_no_and_the_code_is_dead(typing: CommandTyper, engine: AsyncEngine) -> None:
    """Whoever tricked somebody into showing a code gets nothing."""
    code = code_in(await typing("link"))
    await there(typing, f"link {code}", "eve")
    asked = await typing("link")
    await typing(button(asked, "No, that's not me").command)
    assert "Nothing to confirm" in plain(await typing(button(asked, "Confirm").command))
    assert "doesn't work" in plain(await there(typing, f"link {code}", "eve"))
    assert await owner(engine, "eve") is None


async def test_only_the_member_who_showed_the_code_confirms(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """The button of somebody else's card does nothing for whoever presses it."""
    code = code_in(await typing("link"))
    await there(typing, f"link {code}", "eve")
    for who in ("ben", "noor", "ada", "sam", "newcomer"):
        for word in ("confirm", "refuse"):
            assert "Nothing to confirm" in plain(await typing(f"link {word}:1", as_=who))
    assert "Nothing to confirm" in plain(await there(typing, "link confirm:1", "eve"))
    for tampered in ("link confirm:2", "link confirm:0", "link confirm:1e0", "link confirm:-1",
                     "link confirm:99999999999"):  # fmt: skip
        await typing(tampered)
    assert await owner(engine, "eve") is None
    async with transaction(engine) as session:
        assert (await session.scalars(select(Link.status))).all() == ["asked"]


async def test_ten_minutes_to_type_and_ten_to_confirm(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """Then it is too late, and a new code is a moment away."""
    code = code_in(await typing("link"))
    clock.advance(minutes=10)
    assert "doesn't work" in plain(await there(typing, f"link {code}"))
    code = code_in(await typing("link"))
    clock.advance(minutes=9, seconds=59)
    await there(typing, f"link {code}")
    asked = button(await typing("link"), "Confirm").command
    clock.advance(minutes=10)
    assert "Nothing to confirm" in plain(await typing(asked))
    assert CODE.search(plain(await typing("link"))), "a new code, not the old question"
    assert await owner(engine, "maya2") is None


async def test_a_code_works_once_and_a_newer_one_replaces_it(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """The second who types it, and who types the older one, get the answer of a wrong code."""
    old = code_in(await typing("link"))
    new = code_in(await typing("link"))
    assert "doesn't work" in plain(await there(typing, f"link {old}", "eve"))
    await there(typing, f"link {new}")
    assert "doesn't work" in plain(await there(typing, f"link {new}", "eve"))
    await typing(button(await typing("link"), "Confirm").command)
    assert "doesn't work" in plain(await there(typing, f"link {new}", "eve"))
    assert (await owner(engine, "maya2"), await owner(engine, "eve")) == (1, None)


async def test_after_five_wrong_codes_not_even_the_right_one(typing: CommandTyper) -> None:
    """The same limit as for the codes of cities, counted together."""
    code = code_in(await typing("link"))
    for number in range(5):
        verb = ("link", "join code:")[number % 2]
        await there(typing, f"{verb} {number:04}-0000-0000".replace(": ", ":"))
    assert "doesn't work" in plain(await there(typing, f"link {code}"))
    assert plain(await there(typing, f"link {code}", "other")).startswith("Nearly done")


@pytest.mark.both
async def test_an_account_of_another_member_is_never_taken_over(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Equal names mean nothing; the way out is to leave with it first."""
    code = code_in(await typing("link"))
    refused = await typing(f"link {code}", as_="ben")
    assert "already belongs to Ben Ortiz" in plain(refused)
    assert commands_of(refused) == ["link list", "leave"]
    assert "already belongs to Maya Chen" in plain(await typing(f"link {code}"))

    await typing("leave sure:yes", as_="ben")
    assert plain(await typing(f"link {code}", as_="ben")).startswith("Nearly done")
    await typing(button(await typing("link"), "Confirm").command)
    assert await owner(engine, "ben", "T1") == 1


async def test_an_account_that_joined_meanwhile_is_not_linked(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Between typing and confirming it became somebody."""
    code = code_in(await typing("link"))
    await there(typing, f"link {code}")
    line = code_in(await typing("invite somebody", as_="ben"))
    await there(typing, f"join code:{line}")
    before = await owner(engine, "maya2")
    assert "has since joined on its own" in plain(await typing("link confirm:1"))
    assert await owner(engine, "maya2") == before != 1
    assert CODE.search(plain(await typing("link")))


@pytest.mark.both
async def test_suspension_holds_on_every_linked_account(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Banned here, refused there; no account can be parted from the person, none comes in anew."""
    await linked(typing)
    await linked(typing, other="maya3")
    line = code_in(await typing("invite somebody", as_="ben"))
    await typing("admin members suspend 1", as_="noor")
    accounts = {"maya": 1, "maya2": 13, "maya3": 14}
    for key, number in accounts.items():
        for words in ("who-does open data", f"unlink {number}", "unlink 13", "leave sure:yes",
                      "invite somebody", "admit", "link confirm:1"):  # fmt: skip
            reply = await (typing(words) if key == "maya" else there(typing, words, key))
            assert plain(reply).startswith(("Members only", "Not quite\nNothing")), words
        for words in ("join", f"join code:{line}", f"link {line}"):
            reply = await (typing(words) if key == "maya" else there(typing, words, key))
            assert "suspended your membership" in plain(reply), (key, words)
    assert {await owner(engine, "maya2"), await owner(engine, "maya3")} == {1}
    async with transaction(engine) as session:
        due = select(Delivery).where(Delivery.member_id == 1, Delivery.state == "due")
        assert (await session.scalars(due)).all() == []


async def test_the_code_of_somebody_suspended_opens_nothing(typing: CommandTyper) -> None:
    """Nor does one whose account is not the member's any more."""
    code = code_in(await typing("link"))
    await typing("admin members suspend 1", as_="noor")
    assert "doesn't work" in plain(await there(typing, f"link {code}"))
    await linked(typing, "ben", "ben2")
    code = code_in(await there(typing, "link", "ben2"))
    await typing("unlink 14", as_="ben")
    assert "doesn't work" in plain(await typing(f"link {code}", as_="newcomer"))


@pytest.mark.both
async def test_either_account_parts_them_and_every_account_is_told(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """What was on its way to the one that goes reaches the other; the last one cannot go."""
    await linked(typing)
    listed = await there(typing, "link list")
    assert titles_of(listed) == ["1 · Maya Chen", "13 · maya2"]
    async with transaction(engine, writes=True) as session:
        maya = await members.load_member(session, 1)
        assert maya is not None
        card = load_card((await owed_to(engine, "maya"))[0].body)
        place = Address(PLATFORM, "T1", "maya")
        assert card.kind == "card"
        await enqueue(session, NOW, maya, "answer", card, key="late", destination=place)
        thread = await enqueue(session, NOW, maya, "answer", card, key="root", destination=place)
        await enqueue(
            session, NOW, maya, "answer", card, key="under", destination=place, parent_id=thread
        )
    await there(typing, "unlink 1")
    async with transaction(engine) as session:
        found = {d.key: d for d in await session.scalars(select(Delivery))}
    assert (found["late"].user, found["late"].state) == ("maya2", "due")
    assert found["late"].lane == "other:G9:maya2"
    assert (found["under"].state, found["under"].reason) == ("cancelled", "unlinked")
    told = [d.user for key, d in found.items() if key.startswith("unlink:")]
    assert sorted(told) == ["maya", "maya2"]
    assert plain(await typing("home")).startswith("What the hub can do for you")
    assert "only account" in plain(await there(typing, "unlink 13"))
    assert "None of your accounts has the number 2." in plain(await there(typing, "unlink 2"))


async def test_leaving_is_told_to_the_other_accounts(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Whoever got hold of one account cannot make somebody leave unseen."""
    await linked(typing)
    await there(typing, "leave sure:yes")
    told = (await owed_to(engine, "maya"))[-1]
    assert told.state == "due"
    assert "Maya Chen left the community. If that was not you" in plain(load_card(told.body))


@pytest.mark.no_cover
async def test_a_thousand_tampered_buttons_do_nothing(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Any letter of any button changed, pressed by somebody outside: nothing changes at all."""
    await typing("join boston ask:yes", as_="rob")
    await typing("help", as_="zac")
    await typing("invite <@zac>")
    code = code_in(await typing("link"))
    await there(typing, f"link {code}")
    line = code_in(await typing("invite somebody"))
    pressed = ("admit 1 yes", "join invitation:1", "link confirm:1", "unlink 13", f"link {code}",
               f"join code:{line}", "admin members approve 12 boston-ma-us",
               "leave to:2 sure:yes")  # fmt: skip
    chance = random.Random(27)
    before = await books(engine)
    for number in range(1000):
        words = pressed[number % len(pressed)]
        at = chance.randrange(len(words))
        letter = chance.choice("0123456789abcxyzZ:- \u0430")
        tampered = words[:at] + letter + words[at + 1 :]
        if tampered.replace("o", "0") != words.replace("o", "0"):
            said = plain(await typing(tampered, as_="eve"))
            assert "Something went wrong" not in said, tampered
    assert await books(engine) == before


async def books(engine: AsyncEngine) -> list[object]:
    """Who is whose, and how far every wish, invitation and link is; but for what eve asked."""
    async with transaction(engine) as session:
        rows = [
            (await session.execute(text(f"SELECT {what} ORDER BY id"))).all()
            for what in (
                "id, member_id FROM account WHERE external_id != 'eve'",
                "id, status FROM member",
                "id, status FROM join_request WHERE id = 1",
                "id, status FROM invitation",
                "id, status FROM link",
            )
        ]
        eve = await session.scalar(text("SELECT member_id FROM account WHERE external_id = 'eve'"))
    return [eve, *map(str, rows)]
