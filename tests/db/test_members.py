"""People of the demo have a say over the demo only: never where a workspace of real people is."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from bot.cards import plain
from bot.domain.ranking import base_points
from bot.hub import Hub
from db import joining, member_lists, members, seed
from db.base import transaction
from db.cities import City
from db.members import CITY_LEAD, STAFF_ROLES, Member, MemberRole
from db.workspaces import Workspace
from tests.cast import NOW, sender
from tests.conftest import CommandTyper

DEMO = "T-DEMO"


@pytest.fixture
async def demo(engine: AsyncEngine) -> AsyncEngine:
    """The cast as people of the demo: Noor is their staff, Ada their admin, Ben leads Boston."""
    async with transaction(engine, writes=True) as session:
        await session.execute(update(Workspace).values(external_id=DEMO))
        await session.execute(update(Member).values(synthetic=True))
        await joining.grant_lead(session, await person_of(session, "ben"))
    return engine


async def person_of(session: AsyncSession, key: str) -> Member:
    person = await members.find_by_email(session, f"{key}@city.example")
    assert person is not None
    await session.refresh(person, ["roles"])
    return person


async def roles_kept(session: AsyncSession) -> int:
    return await session.scalar(select(func.count()).select_from(MemberRole)) or 0


async def who_decides(engine: AsyncEngine) -> set[str]:
    """The first names of those who hold a role, by each way in which roles are asked."""
    async with transaction(engine) as session:
        people = (await session.scalars(select(Member).where(Member.status == "verified"))).all()
        for person in people:
            await session.refresh(person, ["roles"])
        told = {p.first_name for p in people if p.has_role(*STAFF_ROLES, CITY_LEAD)}
        held = await members.list_role_holders(session, (*STAFF_ROLES, CITY_LEAD))
        assert {p.first_name for p in held} == told
        ada = await person_of(session, "ada")
        assert await joining.is_last_admin(session, ada) == ("Ada" in told)
    return told


@pytest.mark.both
async def test_the_first_real_workspace_ends_the_say_of_invented_people(
    demo: AsyncEngine, typing: CommandTyper
) -> None:
    """Tokens come to a database with a demo in it: somebody real says hello, and that is that."""
    assert await who_decides(demo) == {"Noor", "Ada", "Ben"}
    assert "members approve" in plain(await typing("admin members", "noor", workspace=DEMO))

    await typing("help", "bea", workspace="B77", platform="terminal")
    assert await who_decides(demo) == {"Noor", "Ada", "Ben"}  # the operator's own terminal

    await typing("help", "rita", workspace="TREAL2")
    assert await who_decides(demo) == set()
    assert "Staff only" in plain(await typing("admin members", "noor", workspace=DEMO))
    async with transaction(demo) as session:
        assert await roles_kept(session) == 0


@pytest.mark.both
async def test_a_role_that_is_there_all_the_same_is_not_asked(
    demo: AsyncEngine, typing: CommandTyper
) -> None:
    """Left by an older program, or put back from a copy: nothing reads it."""
    await typing("help", "rita", workspace="G555", platform="discord")
    async with transaction(demo, writes=True) as session:
        noor, ada = await person_of(session, "noor"), await person_of(session, "ada")
        session.add(MemberRole(member_id=noor.id, role="staff"))
        session.add(MemberRole(member_id=ada.id, role="admin"))
    assert await who_decides(demo) == set()
    assert "Staff only" in plain(await typing("admin members", "noor", workspace=DEMO))


async def test_real_people_keep_their_roles(engine: AsyncEngine, typing: CommandTyper) -> None:
    """A second workspace takes nothing from anybody."""
    await typing("help", "rita", workspace="TREAL2")
    assert await who_decides(engine) == {"Noor", "Ada"}


async def test_an_import_of_accounts_is_a_first_workspace_too(demo: AsyncEngine) -> None:
    """Whoever records the workspace: there is one place for it."""
    async with transaction(demo, writes=True) as session:
        await members.get_or_create_workspace(session, "discord", "9001", NOW)
        await members.get_or_create_workspace(session, "discord", "9001", NOW)
    assert await who_decides(demo) == set()


async def test_nobody_invented_is_given_a_role_beside_real_people(
    engine: AsyncEngine, typing: CommandTyper
) -> None:
    """By staff, by an address in the settings, by an account in them, or with the demo itself."""
    newcomer = sender("new@demo.example", workspace=DEMO, name="Nina Novak")
    admin = f"{newcomer.platform}:{DEMO}:{newcomer.user}"
    async with transaction(engine, writes=True) as session:
        await seed.seed_demo(session, datetime.now(UTC), base_points)
        assert await roles_kept(session) == 2
        someone = (await member_lists.list_synthetic(session, limit=1))[0]
        await members.grant_admin(session, someone.email or "")
    said = plain(await typing(f"admin members lead {someone.id}", "noor"))
    assert "invented for the demo" in said
    await CommandTyper(Hub(engine, admins=frozenset({admin}), clock=lambda: NOW))(
        "help", newcomer.user, workspace=DEMO
    )
    assert await who_decides(engine) == {"Noor", "Ada"}
    async with transaction(engine) as session:
        assert await roles_kept(session) == 2


async def test_who_joins_in_the_demo_is_invented_too(demo: AsyncEngine) -> None:
    """And is no export of real people; but those whom the page offers are the written ones."""
    async with transaction(demo, writes=True) as session:
        before = await member_lists.count_synthetic(session)
        offered = len(await member_lists.list_synthetic(session))
        account = await members.get_or_create_account(session, "slack", DEMO, "nina", NOW)
        city = await session.scalar(select(City).where(City.slug == "boston-ma-us"))
        assert city is not None
        joined = await members.admit(session, account, city, NOW)
        assert joined.synthetic
        assert await member_lists.count_synthetic(session) == before + 1
        assert len(await member_lists.list_synthetic(session)) == offered
