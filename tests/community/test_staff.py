"""Staff: who they are, and that each of them hears once of what waits."""

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.cards import Card
from bot.community import staff
from bot.i18n import Translator
from db import members
from db.members import Member, MemberRole
from db.outbox import Delivery
from tests.cast import NOW

MAYA, BEN, NOOR, ADA = 1, 2, 10, 11
pytestmark = pytest.mark.both


def render(t: Translator, person: Member) -> Card:
    return Card(t("Your city") + f" {person.id}")


async def find_owed(session: AsyncSession) -> list[tuple[str, int | None, str]]:
    rows = await session.scalars(select(Delivery).order_by(Delivery.id))
    return [(row.key, row.member_id, row.kind) for row in rows]


async def test_those_who_hold_a_role_are_found_once(session: AsyncSession) -> None:
    """In the order of their numbers; only verified members, only of the city if one is given."""
    session.add_all([MemberRole(member_id=NOOR, role="admin"),
                     MemberRole(member_id=MAYA, role="lead"),
                     MemberRole(member_id=BEN, role="lead")])  # fmt: skip
    await session.flush()
    maya = await members.load_member(session, MAYA)
    assert maya is not None
    found = await members.list_role_holders(session, ("staff", "admin"))
    assert [person.id for person in found] == [NOOR, ADA]
    assert found[0].has_role("admin")
    here = await members.list_role_holders(session, ("lead",), maya.city_id)
    assert [person.id for person in here] == [MAYA, BEN]
    assert await members.list_role_holders(session, ("staff",), maya.city_id) == []
    maya.status = "suspended"
    assert [p.id for p in await members.list_role_holders(session, ("lead",))] == [BEN]


async def test_staff_are_notified_once_each_but_for_those_concerned(session: AsyncSession) -> None:
    """The same key a second time owes nothing."""
    for _ in range(2):
        await staff.notify_staff(session, NOW, render, key="x:1", but_not=(NOOR,))
    assert await find_owed(session) == [(f"x:1:{ADA}", ADA, "duty")]


async def test_leads_of_a_city_are_notified_with_the_staff(session: AsyncSession) -> None:
    """Those of the city that it is about; nobody twice."""
    maya = await members.load_member(session, MAYA)
    assert maya is not None
    session.add_all([MemberRole(member_id=MAYA, role="lead"),
                     MemberRole(member_id=3, role="lead")])  # fmt: skip
    await session.flush()
    await staff.notify_staff(session, NOW, render, key="x:1", city_id=maya.city_id)
    assert [number for _, number, _ in await find_owed(session)] == [NOOR, ADA, MAYA]


async def test_admins_are_notified_alone(session: AsyncSession) -> None:
    """What only those who run the hub can mend is no task of the staff."""
    await staff.notify_admins(session, NOW, render, key="x:1")
    assert await find_owed(session) == [(f"x:1:{ADA}", ADA, "duty")]
