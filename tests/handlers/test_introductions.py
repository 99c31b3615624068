"""Asking to meet somebody: whom, in which words, and how often."""

import asyncio

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import Form, plain
from bot.community import blocking
from bot.hub import Hub
from bot.request import Request
from db.audit import Audit
from db.base import transaction
from db.introductions import Introduction
from db.outbox import Delivery
from tests.cast import sender
from tests.conftest import CANARY, Clock, CommandTyper
from tests.handlers.test_directory import Counting, Joining
from tests.owed import (
    list_pending,
    load_member,
    mark_delivered,
    run_introductions_job,
    update_member,
)
from tests.reading import button, commands_of, field, problems_of, titles_of, values_of

pytestmark = pytest.mark.both
BECAUSE = "we both publish open data"


async def number_of(engine: AsyncEngine) -> int:
    """The newest introduction that was asked for."""
    async with transaction(engine) as session:
        query = select(func.max(Introduction.id)).where(Introduction.status != "draft")
        return await session.scalar(query) or 0


async def block(engine: AsyncEngine, clock: Clock, by: str, whom: str) -> None:
    """Somebody wants nothing of somebody else."""
    one, other = await load_member(engine, by), await load_member(engine, whom)
    async with transaction(engine, writes=True) as session:
        await blocking.block_member(session, clock(), one, other)


async def asked(
    typing: CommandTyper, engine: AsyncEngine, who: str = "maya", whom: str = "luis"
) -> int:
    """Somebody asked for somebody; the number of it."""
    reply = await typing(f"intro <@{whom}> because {BECAUSE}", as_=who)
    number = await number_of(engine)
    assert f"intro withdraw {number}" in commands_of(reply), plain(reply)
    return number


# --- whom and in which words ------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        f"intro <@luis> because {BECAUSE}",
        f'intro luis because:"{BECAUSE}"',
        f"intro @luis because: {BECAUSE}",
        f"intro Luis Ángel porque {BECAUSE}",
        f"intro luis PARCE QUE {BECAUSE}",
    ],
)
async def test_a_person_is_asked_at_once_with_the_reason(
    typing: CommandTyper, engine: AsyncEngine, said: str
) -> None:
    """The asked person reads who, from where and why, in their own language."""
    reply = await typing(said)

    assert "I asked Luis Ángel Rojas" in plain(reply)
    (card,) = await list_pending(engine, "luis")
    assert (card.kind, card.language) == ("introduction", "es")
    assert card.text.startswith("Maya Chen quiere conocerte\n")
    for shown in ("Open Data Manager", "Boston, MA", f"«{BECAUSE}»", "datos abiertos"):
        assert shown in card.text
    number = await number_of(engine)
    assert commands_of(card.card)[:4] == [
        f"intro answer {number} accept", f"intro answer {number} later",
        f"intro answer {number} never", f"intro why {number}",
    ]  # fmt: skip
    assert await list_pending(engine, "maya") == []


async def test_without_a_reason_one_sees_who_it_is_and_may_give_one(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Nothing is sent before «Ask»; the form with the reason sends it too."""
    shown = await typing("intro luis")

    assert plain(shown).startswith("Ask Luis?\n")
    assert "Both know open data." in plain(shown)
    assert await list_pending(engine) == []
    form = await typing(button(shown, "Say why first").command)
    assert isinstance(form, Form)
    reply = await typing(form.command, values={"because": (BECAUSE,)}, submitted=True)
    assert plain(reply).startswith("Asked\n")
    assert BECAUSE in (await list_pending(engine, "luis"))[0].text


async def test_the_reason_may_be_left_out(typing: CommandTyper, engine: AsyncEngine) -> None:
    """Both by the button and by an empty field."""
    reply = await typing(button(await typing("intro luis"), "Ask").command)
    assert plain(reply).startswith("Asked\n")

    form = await typing("intro")
    assert isinstance(form, Form)
    given = values_of(form) | {"who": ("ines",), "because": ("",)}
    assert plain(await typing("intro", values=given, submitted=True)).startswith("Asked\n")
    assert "«" not in (await list_pending(engine, "luis"))[0].text


async def test_a_topic_shows_the_best_person_first_and_then_the_next(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """As who-does ranks them, without those who are full or closed; the reason is kept."""
    shown = await typing(f"intro datos abiertos because {BECAUSE}")
    assert plain(shown).startswith("Ask Ben?\n")
    assert f"«{BECAUSE}»" in plain(shown)
    names = [titles_of(shown)[0]]
    onward = shown
    while "Next best" in plain(onward):
        onward = await typing(button(onward, "Next best").command)
        names.append(titles_of(onward)[0])
    assert names == ["Ben Ortiz", "Luis Ángel Rojas", "Inês Albuquerque"]
    assert await list_pending(engine) == []

    await typing(button(shown, "Ask").command)

    assert [o.user for o in await list_pending(engine)] == ["ben"]
    assert BECAUSE in (await list_pending(engine, "ben"))[0].text


async def test_nobody_left_for_a_topic_is_said_honestly(typing: CommandTyper) -> None:
    """With the way to see who there is."""
    reply = await typing("intro civic tech", as_="luis")

    assert "nadie más recibe preguntas sobre tecnología cívica" in plain(reply)
    assert "who-does civic-tech" in commands_of(reply)


async def test_people_who_were_asked_or_said_never_are_not_proposed_for_a_topic(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """Nor those who blocked the asker; and nothing tells which of it it was."""
    await typing(f"intro ben because {BECAUSE}")
    number = await asked(typing, engine, "luis", "maya")
    await typing(f"intro answer {number} never")

    assert titles_of(await typing("intro open data")) == ["Inês Albuquerque"]
    await block(engine, clock, "ines", "maya")
    assert "No one else" in plain(await typing("intro open data"))


async def test_several_people_of_a_name_are_offered_with_the_reason_kept(
    typing: CommandTyper, engine: AsyncEngine, joining: Joining
) -> None:
    """However long it is: a button names what was kept."""
    await joining(key="luisa", name="Luisa Rojas", city="bogota-co")
    long = "because we " + "really " * 60

    reply = await typing(f"intro rojas {long}")

    assert sorted(titles_of(reply)) == ["Luis Ángel Rojas", "Luisa Rojas"]
    await typing(button(reply, "Ask Luisa").command)
    assert "really really" in (await list_pending(engine, "luisa"))[0].text


async def test_a_word_that_means_nobody_keeps_what_was_typed(typing: CommandTyper) -> None:
    """The form opens again with the name and the reason; a near topic is named."""
    form = await typing(f"intro meta data sciense because {BECAUSE}")

    assert field(form, "because").value == (BECAUSE,)
    assert problems_of(form)["who"].startswith("I found no topic and nobody for «meta data")


async def test_a_reason_that_is_too_long_is_given_back(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Cut to what a form holds, with the sentence beside the field."""
    form = await typing("intro luis because " + "x" * 9_000)

    assert "9000" in problems_of(form)["because"].replace(",", "")
    assert field(form, "who").value == ("luis",)
    assert await list_pending(engine) == []


async def test_hostile_reasons_reach_the_other_as_they_were_typed(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Never a template, never logged."""
    await typing(f"intro luis because {{0.__class__}} %s <!channel> {CANARY}")

    assert (
        f"«{{0.__class__}} %s <!channel> {CANARY}»" in (await list_pending(engine, "luis"))[0].text
    )


async def test_every_person_on_a_card_can_be_met(
    typing: CommandTyper, query_count: Counting
) -> None:
    """One press from finding to meeting, with the topic they were found by; never oneself."""
    await typing("help")
    with query_count() as counted:
        reply = await typing("who-does open data")
    assert counted.number <= 4
    ids = [c.split(" ")[1] for c in commands_of(reply) if c.startswith("who-is")]
    assert [c for c in commands_of(reply) if c.startswith("intro")] == [
        f"intro {number} about:open-data" for number in ids
    ]
    assert "Introduce me" in plain(await typing("who-is ben"))
    assert "Introduce me" not in plain(await typing("who-is maya"))


# --- who cannot be asked ----------------------------------------------------------------------


@pytest.mark.parametrize("whom", ["<@sam>", "<@uma>", "<@U404>", "<@pat>"])
async def test_suspended_hidden_and_unknown_people_are_not_in_the_directory(
    typing: CommandTyper, whom: str
) -> None:
    """The same words for all of them."""
    reply = await typing(f"intro {whom} because {BECAUSE}")

    assert plain(reply) == "Not quite\nThat person isn't in the directory.\n"


async def test_oneself_is_refused_kindly(typing: CommandTyper, engine: AsyncEngine) -> None:
    """By mention, by name and by the number."""
    number = (await load_member(engine, "maya")).id
    for said in ("<@maya>", "maya chen", str(number)):
        assert "That's you" in plain(await typing(f"intro {said} because {BECAUSE}"))


async def test_closed_and_full_people_are_told_as_their_profile_tells_it(
    typing: CommandTyper,
) -> None:
    """With the next best for the topic they were found by."""
    reply = await typing("intro carl about:open-data because so")
    assert "Carl Quiet isn't taking questions right now." in plain(reply)
    assert "intro open-data" in commands_of(reply)
    assert "reached their limit of questions" in plain(await typing("intro zoe because so"))


async def test_the_last_ask_of_a_month_goes_to_one_of_many_at_once(
    hub: Hub, engine: AsyncEngine, clock: Clock
) -> None:
    """Counted with the row held: three press together, one may."""
    await update_member(engine, "luis", monthly_asks=1)

    replies = await asyncio.gather(*(
        hub(Request(sender(key), f"intro <@luis> because {BECAUSE}"))
        for key in ("maya", "ben", "remi")
    ))  # fmt: skip

    said_yes = [r for r in replies if any("withdraw" in c for c in commands_of(r))]
    assert len(said_yes) == 1
    assert len(await list_pending(engine, "luis")) == 1
    one = await load_member(engine, "luis")
    assert (one.asks_taken, one.asks_month) == (1, "2026-11")


async def test_a_new_month_begins_at_nothing(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """Zoe takes two a month."""
    clock.advance(days=10)
    await typing(f"intro zoe because {BECAUSE}")

    zoe = await load_member(engine, "zoe")
    assert (zoe.asks_taken, zoe.asks_month) == (1, "2026-12")


async def test_five_asks_a_day_may_be_without_a_yes(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock, joining: Joining
) -> None:
    """A withdrawn one counts, an accepted one does not; tomorrow there is room again."""
    for n in range(7):
        await joining(key=f"p{n}", name=f"Person {n}", city="denver-co-us")
    for n in range(5):
        await asked(typing, engine, "maya", f"p{n}")
    await typing(f"intro withdraw {await number_of(engine)}")

    refused = await typing(f"intro <@p5> because {BECAUSE}")
    assert "You've asked 5 people today." in plain(refused)
    assert await list_pending(engine, "p5") == []

    await typing(f"intro answer {await number_of(engine) - 1} accept", as_="p3")
    await asked(typing, engine, "maya", "p5")
    assert "5 people" in plain(await typing(f"intro <@p6> because {BECAUSE}"))
    clock.advance(hours=25)
    await asked(typing, engine, "maya", "p6")


async def test_the_same_ask_twice_is_one(typing: CommandTyper, engine: AsyncEngine) -> None:
    """Said again, pressed again, or after a no: thirty days between."""
    await asked(typing, engine)

    again = await typing(f"intro luis because {BECAUSE}")

    assert "haven't had an answer yet" in plain(again)
    assert len(await list_pending(engine, "luis")) == 1
    assert (await load_member(engine, "luis")).asks_taken == 1


async def test_asking_again_needs_time(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """Thirty days, whatever the answer was."""
    await asked(typing, engine)
    clock.advance(days=8)
    await run_introductions_job(engine, clock())
    assert "Please wait until Dec 24." in plain(await typing("intro luis because again"))

    clock.advance(days=23)

    assert plain(await typing("intro luis because again")).startswith("Asked\n")


async def test_who_is_asked_by_somebody_they_ask_sees_that_request(
    typing: CommandTyper, engine: AsyncEngine
) -> None:
    """Two wishes are one answer."""
    number = await asked(typing, engine, "luis", "maya")

    reply = await typing(f"intro luis because {BECAUSE}")

    assert plain(reply).startswith("Luis Ángel Rojas would like to meet you\n")
    assert f"intro answer {number} accept" in commands_of(reply)


async def test_whom_one_blocked_one_does_not_ask(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """It is said with the reason, for it is one's own."""
    await block(engine, clock, "maya", "luis")

    assert "You blocked Luis" in plain(await typing("intro luis because so"))


@pytest.mark.parametrize("who", ["pat", "sam", "stranger"])
async def test_only_members_ask(typing: CommandTyper, who: str, engine: AsyncEngine) -> None:
    """Somebody who waits, is suspended or belongs elsewhere gets no further than help."""
    reply = await typing("intro luis because so", as_=who, is_outsider=who == "stranger")

    assert plain(reply).startswith("Members only\n")
    assert await list_pending(engine) == []


# --- two others -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    ["intro <@maya> <@luis>", "intro <@maya> and <@luis>", "intro @maya @luis",
     "intro <@maya>, <@luis>", "intro maya and:luis"],
)  # fmt: skip
async def test_staff_bring_two_others_together_when_both_say_yes(
    typing: CommandTyper, engine: AsyncEngine, said: str
) -> None:
    """Each is asked; the first yes waits for the second; the introducer hears of it."""
    reply = await typing(f"{said} because {BECAUSE}", as_="noor")
    assert "I asked Maya Chen and Luis Ángel Rojas." in plain(reply)
    assert [o.user for o in await list_pending(engine)] == ["maya", "luis"]
    assert "Noor Haddad would like you to meet Luis" in (await list_pending(engine, "maya"))[0].text
    number = await number_of(engine)

    first = await typing(f"intro answer {number} accept")
    assert "As soon as Luis Ángel Rojas says yes too" in plain(first)
    assert not [o for o in await list_pending(engine) if o.kind == "conversation"]
    await typing(f"intro answer {number} accept", as_="luis")

    assert [o.user for o in await list_pending(engine) if o.kind == "conversation"] == [
        "maya",
        "luis",
    ]
    assert "both said yes" in (await list_pending(engine, "noor"))[0].text


async def test_a_no_to_an_introducer_is_as_silent(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """The other one's yes gets the same answer; both waiting people are told at the same time."""
    await typing(f"intro <@maya> <@luis> because {BECAUSE}", as_="noor")
    number = await number_of(engine)
    await mark_delivered(engine)
    await typing(f"intro answer {number} never", as_="luis")

    reply = await typing(f"intro answer {number} accept")

    assert "As soon as Luis Ángel Rojas says yes too" in plain(reply)
    clock.advance(days=3)
    await run_introductions_job(engine, clock())
    new = [o for o in await list_pending(engine) if ":decided:" not in o.key]
    assert sorted(o.user for o in new) == ["maya", "noor"]


@pytest.mark.parametrize(("who", "roles"), [("maya", ()), ("ben", ())])
async def test_members_introduce_themselves_only(
    typing: CommandTyper, engine: AsyncEngine, who: str, roles: tuple[str, ...]
) -> None:
    """Refused and audited."""
    reply = await typing(f"intro <@ines> <@luis> because {BECAUSE}", as_=who)

    assert "Only staff and city leads" in plain(reply)
    assert await list_pending(engine) == []
    async with transaction(engine) as session:
        noted = await session.scalar(select(Audit).order_by(Audit.id.desc()).limit(1))
    assert noted is not None
    assert (noted.action, noted.outcome) == ("intro", "refused")


async def test_an_introduction_of_people_who_want_nothing_of_each_other_reaches_nobody(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """And looks like any other to the introducer."""
    await block(engine, clock, "luis", "maya")

    reply = await typing(f"intro <@maya> <@luis> because {BECAUSE}", as_="noor")

    assert plain(reply).startswith("Asked\n")
    assert await list_pending(engine) == []


async def test_one_person_twice_or_oneself_is_refused(typing: CommandTyper) -> None:
    """Kindly."""
    assert "the same person twice" in plain(
        await typing("intro <@maya> <@maya> because x", as_="noor")
    )
    assert "That's you" in plain(await typing("intro <@noor> <@maya> because x", as_="noor"))


async def test_a_topic_may_be_named_by_a_part(typing: CommandTyper) -> None:
    """One topic leads to its best person, several are asked about, and the reason stays."""
    assert "Luis Ángel Rojas" in plain(await typing("intro tecnología"))
    reply = await typing("intro governance, inventory because trees")
    assert "names more than one topic" in plain(reply)
    assert "intro data-inventory because:trees" in commands_of(reply)


async def test_whoever_asks_at_night_reads_when_the_request_is_seen(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """At the end of the other one's quiet hours, on the other one's clock; by day no word of it."""
    assert "reads this" not in plain(await typing(f"intro luis because {BECAUSE}"))
    clock.now = clock.now.replace(hour=3)
    said = plain(await typing(f"intro remi because {BECAUSE}"))
    assert "Rémi reads this at 8:00\u202fAM in Montréal." in said
    async with transaction(engine) as session:
        (due,) = await session.scalars(select(Delivery.at).where(Delivery.user == "remi"))
    assert due == clock.now.replace(hour=13)


async def test_a_request_that_was_sent_says_what_became_of_it(
    typing: CommandTyper, engine: AsyncEngine, clock: Clock
) -> None:
    """Answered, taken back, over: no button is left that does nothing."""

    async def redrawn() -> str:
        (edit,) = [d for d in await list_pending(engine) if ":decided:" in d.key]
        assert not [c for c in commands_of(edit.card) if c.startswith("intro")]
        await mark_delivered(engine)
        return edit.text

    for whom, act, by, said in (
        ("luis", "intro answer {} later", "luis", "Tu respuesta: Ahora no"),
        ("remi", "intro withdraw {}", "maya", "Maya Chen a retiré la demande."),
        ("ben", "intro answer {} accept", "ben", "You answered: Accept"),
    ):
        number = await asked(typing, engine, whom=whom)
        await mark_delivered(engine)
        await typing(act.format(number), as_=by)
        assert said in await redrawn()
    await typing("intro answer 1 accept", as_="luis")
    assert "Tu respuesta: Aceptar" in await redrawn()
    await asked(typing, engine, whom="ines")
    await mark_delivered(engine)
    clock.advance(days=8)
    await run_introductions_job(engine, clock())
    assert "Este pedido terminou" in await redrawn()
