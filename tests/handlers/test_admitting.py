"""Letting people in: who is asked, whose answer counts, and the first week of who came."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import plain
from bot.deliveries import load_card
from tests.cast import CAST
from tests.conftest import Clock, CommandTyper
from tests.handlers.test_joining import city_code, owed, person
from tests.owed import list_pending, mark_delivered
from tests.reading import button, commands_of, titles_of


@pytest.mark.both
async def test_leads_and_staff_are_asked_and_the_first_answer_counts(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """A card with both answers for each of them, in their language; the asker is told once."""
    await typing("admin members lead 1", as_="noor")
    offer = await typing("join boston", as_="rob", locale="fr-CA")
    asked = await typing(button(offer, "Demander à entrer").command, as_="rob", locale="fr-CA")
    assert plain(asked).startswith("Votre demande")
    await typing("join boston ask:yes", as_="rob", locale="fr-CA")

    duties = await owed(engine, "duty")
    assert sorted(d.user for d in duties) == ["ada", "maya", "noor"]
    card = load_card(duties[0].body)
    assert titles_of(card) == ["rob"]
    yes, no = button(card, "Approve").command, button(card, "Decline").command

    assert "rob from Boston, MA is now a member." in plain(await typing(yes, as_="maya"))
    for late, who in ((yes, "noor"), (no, "ada"), (yes, "maya")):
        said = plain(await typing(late, as_=who))
        assert said.startswith("Already decided\nMaya Chen already let them in")
    found = await person(engine, "rob")
    assert found is not None
    assert (found.way, found.language) == ("approval", "fr")
    answers = [d for d in await owed(engine, "answer") if d.user == "rob"]
    assert len(answers) == 1
    assert plain(load_card(answers[0].body)).startswith("Bienvenue, rob")
    assert all(d.state == "cancelled" for d in await owed(engine, "duty"))


@pytest.mark.both
async def test_cards_that_were_sent_say_who_decided_and_lose_their_buttons(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """Everybody's, in their language; an old one stays as it is, and none is redrawn twice."""
    await typing("settings language:fr", as_="ada")
    await typing("join boston ask:yes", as_="rob")
    await mark_delivered(engine)
    await typing("admit 1 no", as_="noor")
    redrawn = {d.user: d for d in await list_pending(engine) if ":decided:" in d.key}
    assert set(redrawn) == {"ada", "noor"}
    assert commands_of(redrawn["ada"].card) == []
    assert "Noor Haddad a refusé la demande." in redrawn["ada"].text
    assert "rob" in redrawn["noor"].text
    assert "Noor Haddad declined." in redrawn["noor"].text
    await typing("admit 1 yes", as_="ada")
    assert len([d for d in await list_pending(engine) if ":decided:" in d.key]) == 2

    await typing("join boston ask:yes", as_="rob")
    await mark_delivered(engine)
    clock.advance(days=15)
    await typing("admit 2 yes", as_="ada")
    assert not [d for d in await list_pending(engine) if ":decided:" in d.key]


@pytest.mark.both
async def test_a_no_is_told_without_a_name_and_one_may_ask_again(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Three times a week; then one waits."""
    for number in (1, 2, 3):
        await typing("join boston ask:yes", as_="rob")
        await typing(f"admit {number} no", as_="noor")
    answers = [load_card(d.body) for d in await owed(engine, "answer")]
    assert len(answers) == 3
    assert all("Your request to join Boston, MA was declined." in plain(card) for card in answers)
    assert not any("Noor" in plain(card) for card in answers)
    assert "already many requests" in plain(await typing("join boston ask:yes", as_="rob"))
    assert await person(engine, "rob") is None


async def test_only_those_of_the_city_decide_and_others_learn_nothing(typing: CommandTyper) -> None:
    """A lead of elsewhere, a member and a lead no more get the answer of a number nobody has."""
    await typing("admin members lead 3", as_="noor")
    await typing("admin members lead 2", as_="noor")
    await typing("join boston ask:yes", as_="rob")
    await typing("admin members unlead 2", as_="noor")
    for who in ("luis", "ben", "maya", "zoe"):
        for answer in ("yes", "no", ""):
            said = plain(await typing(f"admit 1 {answer}", as_=who))
            none = plain(await typing(f"admit 9 {answer}", as_=who))
            assert said.replace("1", "9") == none
    assert titles_of(await typing("admit", as_="luis")) == []
    assert titles_of(await typing("admit", as_="noor")) == ["1 · rob"]


# --- the first week ---------------------------------------------------------------------------


@pytest.mark.both
async def test_a_newcomer_is_welcomed_once_and_shown_one_thing_a_day(
    typing: CommandTyper, engine: AsyncEngine, now: object
) -> None:
    """On the next three working mornings, each with a way to stop them."""
    code = await city_code(typing)
    for _ in range(3):
        await typing(f"join code:{code}", as_="rob", zone="America/Bogota")
    await typing("leave sure:yes", as_="rob")
    back = await typing(f"join code:{code}", as_="rob")
    assert plain(back).startswith("Welcome back, rob")

    week = await owed(engine, "welcome")
    assert [d.key.rpartition(":")[2] for d in week] == ["person", "topic", "profile"]
    assert [f"{d.at:%a %H:%M}" for d in week] == ["Wed 14:30", "Thu 14:30", "Fri 14:30"]
    assert all(d.expires == d.at + timedelta(days=5) for d in week)
    for tip in week:
        assert commands_of(load_card(tip.body))[-1] == "settings stop:welcome"
        assert not any(one.name in tip.body for one in CAST)


async def test_the_first_week_shows_people_as_they_are_when_it_is_asked(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Somebody who left the directory meanwhile, is full or speaks no common language is not."""
    code = await city_code(typing, "bogota")
    await typing(f"join code:{code}", as_="rob", locale="fr")
    steps = await typing("welcome", as_="rob")
    shown = titles_of(await typing(button(steps, "Montrer qui").command, as_="rob"))
    assert shown == ["Rémi Gagnon"]
    await typing("profile listed:no", as_="remi")
    none = await typing("welcome person", as_="rob")
    assert titles_of(none) == []
    assert commands_of(none) == ["topics"]
