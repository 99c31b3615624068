"""Inviting: a card or a code for a colleague, and the code of a city."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import plain
from bot.deliveries import load_card
from db.base import transaction
from db.invitations import Invitation
from tests.conftest import Clock, CommandTyper
from tests.handlers.test_joining import CODE, code_in, owed, person
from tests.reading import commands_of


@pytest.mark.both
async def test_a_colleague_who_is_here_gets_a_card_that_fits_nobody_else(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """The button lets in just that account, once; the one who invited is told."""
    await typing("help", as_="rob", locale="es-419")
    assert "I'll send rob a card" in plain(await typing("invite <@rob>"))
    (card,) = await owed(engine, "invitation")
    assert (card.user, card.member_id) == ("rob", None)
    assert plain(load_card(card.body)).startswith("Maya Chen te invita")
    press = commands_of(load_card(card.body))[0]

    await typing("help", as_="eve")
    for thief in ("eve", "zoe"):
        assert not plain(await typing(press, as_=thief)).startswith("Welcome")
    assert plain(await typing(press, as_="rob", locale="es")).startswith("Te damos la bienvenida")
    assert plain(await typing(press, as_="rob", locale="es")).startswith("Ya eres miembro")
    found = await person(engine, "rob")
    assert found is not None
    assert found.way == "invitation"
    told = [d for d in await owed(engine, "answer") if d.user == "maya"]
    assert [plain(load_card(d.body)) for d in told] == [
        "A colleague joined\nrob has accepted your invitation.\n"
    ]


async def test_an_invitation_is_as_good_as_the_member_who_gave_it(
    typing: CommandTyper, clock: Clock
) -> None:
    """Suspended, gone, or a week later it opens nothing, by card or by code."""
    for trouble in ("suspend", "leave", "wait"):
        await typing("help", as_=f"rob-{trouble}")
        await typing(f"invite <@rob-{trouble}>", as_="ben")
    codes = [code_in(await typing("invite somebody", as_="ben")) for _ in range(3)]
    await typing("admin members suspend 2", as_="noor")
    assert "no longer works" in plain(await typing("join invitation:1", as_="rob-suspend"))
    assert "doesn't work" in plain(await typing(f"join code:{codes[0]}", as_="rob-suspend"))
    await typing("admin members restore 2", as_="noor")
    clock.advance(days=7, seconds=1)
    assert "no longer works" in plain(await typing("join invitation:3", as_="rob-wait"))
    assert "doesn't work" in plain(await typing(f"join code:{codes[2]}", as_="rob-wait"))
    await typing("help", as_="last")
    await typing("invite <@last>", as_="ben")
    await typing("leave sure:yes", as_="ben")
    assert "no longer works" in plain(await typing("join invitation:7", as_="last"))


async def test_those_hidden_are_invited_as_if_nobody_knew_them(typing: CommandTyper) -> None:
    """Unlisted, suspended, unknown, and who said no: the same words, and a line to send."""
    await typing("help", as_="rob")
    await typing("invite <@rob>")
    assert "No one will invite you here again." in plain(
        await typing("join invitation:1 ask:no", as_="rob")
    )
    said = {
        CODE.sub("…", plain(await typing(f"invite {who}")))
        for who in ("<@uma>", "<@sam>", "<@nobody>", "<@rob>", "rob", "somebody")
    }
    assert len(said) == 1
    assert plain(await typing("invite <@ben>")).startswith("Not quite\nBen Ortiz is already")


async def test_the_code_of_a_city_is_for_its_leads_and_staff(typing: CommandTyper) -> None:
    """A member invites one by one; a lead of elsewhere sees nothing of this city."""
    await typing("admin members lead 3", as_="noor")
    for who, words in (("maya", "invite code"), ("maya", "invite rotate"),
                       ("luis", "invite rotate city:boston")):  # fmt: skip
        assert "for its leads and staff" in plain(await typing(words, as_=who)).replace(
            "para sus responsables y el equipo", "for its leads and staff"
        )
    assert CODE.search(plain(await typing("invite rotate", as_="luis")))
    assert "/wwc invite code city:Boston" in plain(await typing("invite code", as_="noor"))


async def test_a_member_gives_twenty_invitations_a_week(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """Whoever needs more asks a lead for the code of the city."""
    for _ in range(22):
        last = await typing("invite somebody")
    assert "which is the limit" in plain(last)
    async with transaction(engine) as session:
        assert await session.scalar(select(func.count()).select_from(Invitation)) == 20
    clock.advance(days=8)
    assert CODE.search(plain(await typing("invite somebody")))
