"""Many at once: double presses, two deciders, one code in many hands; nobody is anybody twice."""

import asyncio
import re
from collections.abc import Sequence

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import Reply, plain
from bot.hub import Hub
from bot.request import Request
from db.base import transaction
from db.invitations import CityCode
from db.joining import CodeTry
from db.members import Account, Member, MemberRole
from db.outbox import Delivery
from tests.cast import Person, add_member, sender
from tests.conftest import CommandTyper
from tests.reading import button

pytestmark = pytest.mark.both

CODE = re.compile(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2}")


async def at_once(hub: Hub, said: Sequence[tuple[str, str]]) -> list[str]:
    """Everybody says it in the same moment; what each is told, and never that something broke."""
    replies: list[Reply] = await asyncio.gather(
        *(hub(Request(sender(who), words)) for who, words in said)
    )
    told = [plain(reply) for reply in replies]
    assert not [text for text in told if "Something went wrong" in text or "save anything" in text]
    return told


async def met(hub: Hub, *names: str) -> None:
    for name in names:
        await hub(Request(sender(name), "help"))


async def code(typing: CommandTyper, words: str, as_: str) -> str:
    (found,) = CODE.findall(plain(await typing(words, as_=as_)))
    return str(found)


async def owners(engine: AsyncEngine, *names: str) -> list[int | None]:
    async with transaction(engine) as session:
        query = select(Account.external_id, Account.member_id).where(Account.external_id.in_(names))
        found = {row[0]: row[1] for row in (await session.execute(query)).all()}
        return [found.get(name) for name in names]


async def number(engine: AsyncEngine, kind: type) -> int:
    async with transaction(engine) as session:
        return await session.scalar(select(func.count()).select_from(kind)) or 0


async def test_a_button_pressed_six_times_at_once_lets_in_one_person(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """One member, one welcome, one first week."""
    city = await code(typing, "invite rotate city:boston", "noor")
    before = await number(engine, Member)
    told = await at_once(typing.hub, [("rob", f"join code:{city}")] * 6)
    assert sum(text.startswith("Welcome") for text in told) == 1
    assert sum(text.startswith("You're already a member") for text in told) == 5
    assert await number(engine, Member) == before + 1
    async with transaction(engine) as session:
        week = select(Delivery.key).where(Delivery.kind == "welcome")
        assert len((await session.scalars(week)).all()) == 3


async def test_two_who_decide_at_once_decide_once(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Yes and no in the same moment: one counts, the other is told so, the asker hears one."""
    for turn in range(5):
        who = f"rob{turn}"
        await typing("join boston ask:yes", as_=who)
        n = turn + 1
        yes, no = f"admit {n} yes", f"admit {n} no"
        told = await at_once(typing.hub, [("noor", yes), ("ada", no), ("noor", yes), ("ada", yes)])
        late = [text for text in told if text.startswith("Already decided")]
        assert len(late) == 3
        approved = (await owners(engine, who))[0] is not None
        assert all(("let them in" in text) is approved for text in late)
        async with transaction(engine) as session:
            answers = select(Delivery).where(Delivery.key == f"join:{n}:answer")
            assert len((await session.scalars(answers)).all()) == 1


async def test_a_code_for_one_lets_in_one_of_many(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Six accounts type it in the same moment."""
    names = [f"rob{n}" for n in range(6)]
    await met(typing.hub, *names)
    line = await code(typing, "invite somebody", "maya")
    told = await at_once(typing.hub, [(name, f"join code:{line}") for name in names])
    assert sum(text.startswith("Welcome") for text in told) == 1
    assert sum(member is not None for member in await owners(engine, *names)) == 1


async def test_a_city_code_counts_everybody_who_comes_at_once(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Nobody is turned away, and no use is forgotten."""
    names = [f"rob{n}" for n in range(8)]
    await met(typing.hub, *names)
    city = await code(typing, "invite rotate city:boston", "noor")
    await at_once(typing.hub, [(name, f"join code:{city}") for name in names])
    assert None not in await owners(engine, *names)
    async with transaction(engine) as session:
        assert await session.scalar(select(CityCode.uses)) == 8


async def test_a_replaced_code_and_a_new_one_are_never_both_good(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Two leads make codes in the same moment: exactly one of the two works afterwards."""
    told = await at_once(
        typing.hub, [(who, "invite rotate city:boston") for who in ("noor", "ada")]
    )
    codes = [CODE.findall(text)[0] for text in told]
    replies = [await typing(f"join code:{one}", as_=f"rob{n}") for n, one in enumerate(codes)]
    assert sorted(plain(r).startswith("Welcome") for r in replies) == [False, True]


async def test_thirty_wrong_codes_at_once_are_five_tries(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """The limit holds in the very moment, not a moment later."""
    await met(typing.hub, "eve")
    await at_once(typing.hub, [("eve", f"join code:{n:04}-0000-0000") for n in range(30)])
    assert await number(engine, CodeTry) == 5


async def test_a_link_code_in_many_hands_links_one(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """One account is asked about, and pressing Confirm six times links it once."""
    names = [f"rob{n}" for n in range(5)]
    await met(typing.hub, *names)
    link = await code(typing, "link", "maya")
    told = await at_once(typing.hub, [(name, f"link {link}") for name in names])
    assert sum(text.startswith("Nearly done") for text in told) == 1
    command = button(await typing("link"), "Confirm").command
    told = await at_once(typing.hub, [("maya", command)] * 6)
    assert sum(text.startswith("Linked") for text in told) == 1
    assert (await owners(engine, *names)).count(1) == 1


async def test_an_account_linked_and_let_in_at_once_belongs_to_one(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Whichever comes first; the other is refused, and no second member of it is made."""
    city = await code(typing, "invite rotate city:boston", "noor")
    for turn in range(6):
        who = f"rob{turn}"
        await met(typing.hub, who)
        link = await code(typing, "link", "maya")
        await typing(f"link {link}", as_=who)
        command = button(await typing("link"), "Confirm").command
        before = await number(engine, Member)
        told = await at_once(typing.hub, [("maya", command), (who, f"join code:{city}")])
        (owner,) = await owners(engine, who)
        joined = await number(engine, Member) - before
        assert (owner == 1, joined) in ((True, 0), (False, 1))
        assert told[0].startswith("Linked") is (owner == 1)


async def test_two_accounts_that_part_each_other_at_once_leave_one(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """A member is never left without an account."""
    for turn in range(4):
        other = f"rob{turn}"
        await met(typing.hub, other)
        link = await code(typing, "link", "zoe")
        await typing(f"link {link}", as_=other)
        await typing(button(await typing("link", as_="zoe"), "Confirm").command, as_="zoe")
        async with transaction(engine) as session:
            mine = select(Account).where(Account.external_id.in_(("zoe", other)))
            ids = {a.external_id: a.id for a in await session.scalars(mine)}
            person = await session.scalar(
                select(Account.member_id).where(Account.external_id == "zoe")
            )
        pressed = [("zoe", f"unlink {ids[other]}"), (other, f"unlink {ids['zoe']}")]
        await at_once(typing.hub, pressed)
        left = [who for who, owner in zip(ids, await owners(engine, *ids), strict=True) if owner]
        assert len(left) == 1, person
        if left != ["zoe"]:
            return


async def test_of_two_admins_who_leave_at_once_one_stays(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """The last one is protected whoever is quicker."""
    async with transaction(engine, writes=True) as session:
        await add_member(session, Person(key="eda", name="Eda", listed=False, roles=("admin",)))
    told = await at_once(typing.hub, [("ada", "leave sure:yes"), ("eda", "leave sure:yes")])
    assert sum(text.startswith("You've left") for text in told) == 1
    async with transaction(engine) as session:
        admins = select(MemberRole.member_id).where(MemberRole.role == "admin")
        assert len((await session.scalars(admins)).all()) == 1


async def test_asking_six_times_at_once_asks_once(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """One request, and one card for each who decides."""
    await at_once(typing.hub, [("rob", "join boston ask:yes")] * 6)
    async with transaction(engine) as session:
        asked = select(Delivery.user).where(Delivery.kind == "duty")
        assert sorted(await session.scalars(asked)) == ["ada", "noor"]


async def test_invited_and_inviting_at_once(typing: CommandTyper, engine: AsyncEngine) -> None:
    """A card goes out once, and pressing its button twice joins once."""
    await met(typing.hub, "rob")
    await at_once(typing.hub, [("maya", "invite <@rob>")] * 4)
    async with transaction(engine) as session:
        sent = select(Delivery).where(Delivery.kind == "invitation")
        assert len((await session.scalars(sent)).all()) == 1
    told = await at_once(typing.hub, [("rob", "join invitation:1")] * 4)
    assert sum(text.startswith("Welcome") for text in told) == 1
