"""The true adapter over sockets: a person uses Discord, the hub hears of it and answers."""

from types import SimpleNamespace
from typing import Any, cast

import discord as library

from bot.adapters.discord.drafts import RecentCache
from bot.adapters.discord.interactions import InteractionHandler
from bot.adapters.discord.people import People
from bot.cards import Button, Buttons, Card, Choice, Entry, Option, Text
from tests.adapters.discord.fake import form_for
from tests.adapters.discord.stage import QUICK, SLOW, Stage
from tests.platforms.discord import mentions_of, text_of

# --- commands ---------------------------------------------------------------------------------


async def test_a_command_is_answered_at_once_and_for_the_asker_alone(stage: Stage) -> None:
    """The options become values, the person the sender, the card an ephemeral message."""
    stage.discord.guilds[stage.guild.id].members[stage.ada.id].nick = "Ada of Lisbon"

    answer = await stage.discord.slash(
        stage.ada, "wwc who-does", {"topic": "open data", "in": "mexico", "most": 3}
    )

    assert answer.ephemeral
    assert answer.type == 4
    assert text_of(answer) == "## who-does"
    assert answer.message.body["allowed_mentions"] == {"parse": []}
    asked = stage.request
    assert asked.values == {"topic": ("open data",), "place": ("mexico",), "most": ("3",)}
    sender = asked.sender
    assert (sender.platform, sender.workspace) == ("discord", str(stage.guild.id))
    assert (sender.user, sender.name, sender.locale, sender.is_outsider) == (
        str(stage.ada.id), "Ada of Lisbon", "pt-BR", False,
    )  # fmt: skip
    assert (asked.channel, asked.direct) == (str(stage.guild.general.id), False)


async def test_a_public_card_is_seen_by_all(stage: Stage) -> None:
    """Only where the card says so."""
    stage.set_replies(Card("Hello", private=False))

    answer = await stage.discord.slash(stage.ada, "wwc home")

    assert not answer.ephemeral


async def test_a_slow_answer_is_thinking_first(stage: Stage) -> None:
    """In time for Discord, and privately; then the card takes its place."""
    stage.hub.delay = SLOW

    answer = await stage.discord.slash(stage.ada, "wwc home")

    assert (answer.type, answer.ephemeral) == (5, True)
    assert text_of(await answer.edited()) == "## home"


async def test_a_form_opens_as_a_modal_and_comes_back_as_values(stage: Stage) -> None:
    """What was given with the command is in it already; an emptied field has no value."""
    stage.set_replies(form_for("who-does", {"topic": ("open data",)}), Card("Done"))
    modal = await stage.discord.slash(stage.ada, "wwc who-does", {"topic": "open data"})

    answer = await stage.discord.submit(stage.ada, modal, {"place": "", "level": ["gold"]})

    assert modal.type == 9
    assert text_of(answer) == "## Done"
    assert stage.request.from_form
    assert stage.request.words == "who-does"
    assert stage.request.values["topic"] == ("open data",)
    assert stage.request.values["place"] == ()
    assert stage.request.values["level"] == ("gold",)


async def test_a_form_that_came_too_late_has_a_button_that_opens_it(stage: Stage) -> None:
    """A modal cannot follow «thinking…»; nothing typed is lost on the way."""
    stage.hub.delay = SLOW
    stage.set_replies(form_for("who-does", {"topic": ("open data",)}))
    answer = await stage.discord.slash(stage.ada, "wwc who-does", {"topic": "open data"})
    card = await answer.edited()

    modal = await stage.discord.press(stage.ada, card, "Open the form")

    assert modal.modal["components"][0]["component"]["value"] == "open data"


async def test_a_person_is_looked_up_from_the_menu_on_their_name(stage: Stage) -> None:
    """«Who is this?» says who-is with a mention."""
    await stage.discord._interact(
        2, stage.ada, stage.guild.general,
        {"id": "1", "name": "Who is this?", "type": 2, "target_id": str(stage.ada.id)},
    )  # fmt: skip

    assert stage.request.words == f"who-is <@{stage.ada.id}>"


# --- presses ----------------------------------------------------------------------------------


async def test_a_press_says_its_command_in_a_new_answer(stage: Stage) -> None:
    """The list that was pressed stays."""
    entry = Entry("Bo", buttons=(Button("Introduce me", "intro 42"),))
    stage.set_replies(Card("People", (entry,)), Card("Asked"))
    people = await stage.discord.slash(stage.ada, "wwc home")

    answer = await stage.discord.press(stage.ada, people, "Introduce me")

    assert stage.request.words == "intro 42"
    assert (answer.type, answer.ephemeral, text_of(answer)) == (4, True, "## Asked")


async def test_the_next_page_takes_the_place_of_the_first(stage: Stage) -> None:
    """The same card renewed is edited where it stands."""
    first = Card("People", (Text("1"), Buttons((Button("More", "who-does x page:2"),))))
    stage.set_replies(first, Card("People", (Text("2"),)))
    people = await stage.discord.slash(stage.ada, "wwc home")

    answer = await stage.discord.press(stage.ada, people, "More")

    assert (answer.type, text_of(people.message)) == (7, "## People\n2")


async def test_a_private_answer_to_a_press_on_a_public_card_stays_private(stage: Stage) -> None:
    """Even when it has the same title."""
    go = Buttons((Button("Mine", "home"),))
    stage.set_replies(Card("Vote", (go,), private=False), Card("Vote"))
    vote = await stage.discord.slash(stage.ada, "wwc home")

    answer = await stage.discord.press(stage.ada, vote, "Mine")

    assert (answer.type, answer.ephemeral) == (4, True)


async def test_a_choice_in_a_menu_says_its_value(stage: Stage) -> None:
    """The value is the command."""
    menu = Choice("Which?", (Option("Lisboa", "city 1"), Option("Porto", "city 2")))
    stage.set_replies(Card("Cities", (menu,)), Card("Porto"))
    cities = await stage.discord.slash(stage.ada, "wwc home")

    await stage.discord.choose(stage.ada, cities, "\nmenu2", ["Porto"])

    assert stage.request.words == "city 2"


async def test_buttons_work_after_a_restart(stage: Stage) -> None:
    """Nothing of a button is in memory: another process answers it."""
    stage.set_replies(Card("T", (Buttons((Button("Go", "home"),)),)), Card("There"))
    twice = Card("T", (Buttons((Button("Go", "home"), Button("Again", "home"))),))
    sent = await stage.post_message(stage.direct, twice)
    stage.adapter._interactions = InteractionHandler(stage.hub.hub, People(), answer_timeout=QUICK)

    answer = await stage.discord.press(stage.ada, sent, "Again")

    assert stage.request.words == "home"
    assert (answer.ephemeral, stage.request.direct) == (False, True)


# --- completion -------------------------------------------------------------------------------


async def test_typing_is_completed_by_the_hub(stage: Stage) -> None:
    """At most 25, none of them too long for Discord; the field and verb are known."""
    long = Option("x", "x" * 101)
    stage.hub.completions = (long, *(Option(f"{'Área ' * 30}{n}", f"a{n}") for n in range(30)))

    choices = await stage.discord.autocomplete(stage.ada, "wwc who-does", "topic", "open")

    assert choices[0] == {"name": "«open» in who-does.topic", "value": "open"}
    assert len(choices) == 25
    assert choices[1]["value"] == "a0"


async def test_a_completion_that_fails_or_is_slow_is_empty(stage: Stage) -> None:
    """It never keeps anybody waiting."""
    stage.hub.failing = True
    assert await stage.discord.autocomplete(stage.ada, "wwc who-does", "topic", "open") == []
    stage.hub.failing = False
    stage.hub.delay = 2.0
    assert await stage.discord.autocomplete(stage.ada, "wwc who-does", "topic", "open") == []


async def test_a_fault_in_a_completion_is_silent(stage: Stage) -> None:
    """There is no place where an apology could be shown."""
    stage.discord.patience = 0.2
    stage.hub.commands = cast(Any, None)

    assert await stage.discord.autocomplete(stage.ada, "wwc who-does", "topic", "x") == []


async def test_options_that_are_too_many_are_completed_here(stage: Stage) -> None:
    """Of several, the one typed last."""
    choices = await stage.discord.autocomplete(stage.ada, "wwc profile", "areas", "evaluation, op")
    unknown = await stage.discord._interact(
        4, stage.ada, stage.guild.general, {"id": "1", "name": "wwc", "type": 1, "options": []}
    )

    assert choices == [{"name": "evaluation, Open data", "value": "evaluation, open-data"}]
    assert unknown.choices == []


# --- direct messages --------------------------------------------------------------------------


async def test_words_to_the_bot_are_a_command(stage: Stage) -> None:
    """Answered where they were written, as the person they are in their last server."""
    await stage.discord.slash(stage.ada, "wwc home")
    sent = await stage.discord.dm(stage.ada, "/wwc who-does open data")

    reply = await sent.reply()

    assert text_of(reply) == "## who-does open data"
    assert stage.request.direct
    assert stage.request.sender.workspace == str(stage.guild.id)
    assert stage.request.sender.locale == "pt-BR"
    assert mentions_of(reply.body) == []


async def test_words_to_the_bot_may_name_a_command_as_it_is_called_here(stage: Stage) -> None:
    """By its root on Discord, and by the name that it has everywhere else."""
    for written in ("/wwc-me my-data show", "wwc-me my-data show", "/wwc my-data show"):
        sent = await stage.discord.dm(stage.ada, written)
        await sent.reply()
        assert stage.request.words == "my-data show"
    await (await stage.discord.dm(stage.ada, "/wwc-admin dead list")).reply()
    assert stage.request.words == "admin dead list"


async def test_words_to_the_bot_may_be_typed_as_phones_do(stage: Stage) -> None:
    """Capital letters, long dashes, ticks: the name of the command is found all the same."""
    for written in ("/Wwc-me my–data show", "WWC‑ME My—Data show", "Wwc my-data show"):
        await (await stage.discord.dm(stage.ada, written)).reply()
        assert stage.request.words.casefold().replace("—", "-").endswith("my-data show"), written
    await (await stage.discord.dm(stage.ada, "`/wwc who-does open data`")).reply()
    assert stage.request.words == "who-does open data"


# --- mentions in a server ---------------------------------------------------------------------


async def test_a_mention_in_a_server_is_answered_to_the_asker_alone(stage: Stage) -> None:
    """In a direct message, since everybody reads the channel, which only says that it was sent."""
    here, me = stage.guild.general, stage.discord.me.id
    said = await stage.discord.say(stage.ada, here, f"<@{me}> who knows open data?")

    told = await said.reply()
    [answer] = stage.discord.dm_channel(stage.ada).messages

    assert text_of(answer) == "## who knows open data?"
    assert "I sent you the answer in a direct message." in text_of(told)
    assert "open data" not in text_of(told)
    asked = stage.request
    assert (asked.words, asked.direct) == ("who knows open data?", False)
    assert (asked.sender.workspace, asked.channel) == (str(stage.guild.id), str(here.id))


async def test_a_mention_may_stand_behind_the_question_and_a_public_answer_in_the_channel(
    stage: Stage,
) -> None:
    """What everybody may see is said where it was asked."""
    stage.set_replies(Card("Hello", private=False))
    me = stage.discord.me.id

    said = await stage.discord.say(stage.ada, stage.guild.general, f"open data <@!{me}>: <@{me}>")

    assert text_of(await said.reply()) == "## Hello"
    assert stage.request.words.split() == ["open", "data", ":"]
    assert stage.discord.dm_channel(stage.ada).messages == []


async def test_who_takes_no_direct_messages_is_told_how_to_ask(stage: Stage) -> None:
    """Nothing of the answer stands in the channel."""
    stage.ada.dms_open = False
    stage.set_replies(Card("Secret"))

    said = await stage.discord.say(stage.ada, stage.guild.general, f"<@{stage.discord.me.id}> home")

    told = text_of(await said.reply())
    assert "I can't message you directly." in told
    assert "Secret" not in told


async def test_what_people_write_to_each_other_in_a_server_is_not_read(stage: Stage) -> None:
    """Without a mention in the text there is nothing to answer, a reply to the hub included."""
    posted = await stage.post_message(stage.general, Card("News"))
    await stage.discord.say(stage.ada, stage.guild.general, "who knows open data?")
    await stage.discord.say(stage.ada, stage.guild.general, "thanks", to=posted)
    await stage.discord.slash(stage.ada, "wwc home")

    assert [asked.words for asked in stage.hub.asked] == ["home"]


async def test_every_answer_names_commands_as_they_are_called_here(stage: Stage) -> None:
    """In an answer, and in what is delivered."""
    card = Card("Your data", (Text("Type /wwc my-data show"),))
    stage.set_replies(card)

    answer = await stage.discord.slash(stage.ada, "wwc home")
    posted = await stage.post_message(stage.direct, card)

    assert "Type /wwc-me my-data show" in text_of(answer)
    assert "Type /wwc-me my-data show" in text_of(posted)


async def test_a_stranger_to_this_process_writes_from_no_server(stage: Stage) -> None:
    """The hub knows better where they belong; a form comes as a card with its button."""
    stage.set_replies(form_for("who-does"))
    sent = await stage.discord.dm(stage.ada, "who-does")

    reply = await sent.reply()

    assert stage.request.sender.workspace == ""
    modal = await stage.discord.press(stage.ada, reply, "Open the form")
    assert modal.type == 9


async def test_other_bots_and_channels_are_not_heard(stage: Stage) -> None:
    """And a message that is told twice is answered once."""
    hears = stage.adapter._on_message
    bot = SimpleNamespace(guild=None, author=SimpleNamespace(bot=True), id=1)
    there = SimpleNamespace(
        guild=stage.guild, author=SimpleNamespace(bot=False), id=2, content="home"
    )
    for message in (bot, there):
        await hears(cast(library.Message, message))
    sent = await stage.discord.dm(stage.ada, "profile")
    await sent.reply()
    stage.adapter._handled_ids = RecentCache()
    await stage.discord.announce(sent.message)
    await stage.discord.announce(sent.message)
    await stage.discord.slash(stage.ada, "wwc home")

    assert [r.words for r in stage.hub.asked] == ["profile", "home"]


async def test_a_reply_that_cannot_be_sent_is_noted(stage: Stage) -> None:
    """The next one comes through."""
    stage.discord.fault(kind="error", method="POST", path="/channels/.*/messages", status=403)
    await stage.discord.dm(stage.ada, "home")
    sent = await stage.discord.dm(stage.ada, "home")

    assert text_of(await sent.reply()) == "## home"
