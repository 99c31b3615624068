"""Workspaces: which city one is of, who is vouched for, and which addresses prove a city."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import plain
from db.base import transaction
from db.workspaces import Workspace
from tests.cast import PLATFORM
from tests.conftest import CommandTyper
from tests.reading import problems_of


async def test_a_workspace_is_marked_by_number_and_city(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Unknown numbers and cities are told beside their fields; a removed one stands last."""
    await typing("help", as_="x", workspace="T2")
    await typing.hub.on_workspace_removed(PLATFORM, "T1")
    assert "number" in problems_of(await typing("admin workspaces city 99 boston", as_="ada"))
    assert "city" in problems_of(await typing("admin workspaces city 1", as_="ada"))
    assert "number" in problems_of(await typing("admin workspaces vouch", as_="ada"))
    await typing("admin workspaces vouch 2", as_="ada")
    async with transaction(engine) as session:
        homes = (await session.scalars(select(Workspace).order_by(Workspace.id))).all()
    assert [home.vouched for home in homes] == [False, True]


async def test_domains_are_plain_one_citys_and_taken_back(typing: CommandTyper) -> None:
    """Free mail and look-alikes are refused beside the field; another city's is refused too."""
    for wrong in ("gmail.com", "b\u043eston.gov", "localhost"):
        reply = await typing(f"admin domains boston add:{wrong}", as_="noor")
        assert "isn't a work domain" in problems_of(reply)["add"]
    await typing("admin domains boston add:boston.gov", as_="noor")
    taken = await typing("admin domains bogota add:boston.gov", as_="noor")
    assert "already verifies another city" in plain(taken)
    await typing("admin domains bogota remove:boston.gov", as_="noor")
    assert "boston.gov: Boston, MA" in plain(await typing("admin domains", as_="noor"))
    await typing("admin domains boston remove:boston.gov", as_="noor")
    assert "No domains are allowed yet." in plain(await typing("admin domains", as_="noor"))
