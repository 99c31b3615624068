"""Direct messages on Discord as parts of conversations: the true adapter over sockets."""

import asyncio

from bot.cards import Card, Text
from bot.request import HandledMessage, Quote
from tests.adapters.discord.stage import Stage
from tests.platforms.discord import text_of


async def test_a_reply_says_which_message_it_answers(stage: Stage) -> None:
    """What the conversations take is no command, and needs no answer."""
    stage.hub.takes = HandledMessage()
    first = await stage.discord.dm(stage.ada, "hello")
    await stage.discord.dm(stage.ada, "and <@123456789012345678> <:tree:12345>", to=first.message)
    await stage.discord.until(lambda: len(stage.hub.overheard) == 2)

    one, two = stage.hub.overheard
    assert (one.act, one.text, one.parent, one.has_threads) == ("written", "hello", "", False)
    assert (two.parent, two.text) == (str(first.message.id), "and @… :tree:")
    assert two.sender.label == "Discord"
    assert stage.hub.asked == []
    assert first.replies == []


async def test_edits_deletions_and_reactions_are_heard(stage: Stage) -> None:
    """In the order in which they happened; the bot's own are not."""
    stage.hub.takes = HandledMessage()
    sent = await stage.discord.dm(stage.ada, "helo")
    await stage.discord.rewrite(sent.message, "hello")
    await stage.discord.react(stage.ada, sent.message, "👍")
    await stage.discord.react(stage.ada, sent.message, "👍", take=True)
    await stage.discord.react(stage.discord.me, sent.message, "👀")
    await stage.discord.retract(sent.message)
    await stage.discord.until(lambda: len(stage.hub.overheard) == 5)

    heard = stage.hub.overheard
    assert [one.act for one in heard] == ["written", "edited", "marked", "unmarked", "deleted"]
    assert {one.message for one in heard} == {str(sent.message.id)}
    assert {one.source for one in heard} == {heard[0].source}
    assert (heard[1].text, heard[1].edition > 0, heard[2].emoji) == ("hello", True, "👍")


async def test_files_can_be_opened_where_they_are(stage: Stage) -> None:
    """Discord gives everybody who has the address the file, for a day."""
    stage.hub.takes = HandledMessage()
    await stage.discord.dm(stage.ada, "", files={"map.png": b"1234"})
    (heard,) = await stage.discord.until(lambda: stage.hub.overheard or None)
    (file,) = heard.files
    assert (file.name, file.size) == ("map.png", 4)
    assert file.url.startswith("https://cdn.invalid/")


async def test_forwarded_messages_come_along(stage: Stage) -> None:
    """With their words and files; Discord does not say who wrote them."""
    stage.hub.takes = HandledMessage()
    said = await stage.discord.say(
        stage.ada, stage.guild.general, "the plan for <#123456789012345678>", files={"a.png": b"1"}
    )
    await stage.discord.forward(stage.ada, said.message)
    (heard,) = await stage.discord.until(lambda: stage.hub.overheard or None)
    assert (heard.text, heard.parent) == ("", "")
    assert heard.quotes == (Quote("", "the plan for #…"),)
    assert [file.name for file in heard.files] == ["a.png"]


async def test_what_stands_in_the_way_is_said_under_the_message(stage: Stage) -> None:
    """As a reply that pings nobody."""
    stage.hub.takes = HandledMessage(Card("", (Text("Maya paused this conversation"),)))
    sent = await stage.discord.dm(stage.ada, "hello")
    answer = await sent.reply()
    assert text_of(answer) == "Maya paused this conversation"
    assert str(answer.body["message_reference"]["message_id"]) == str(sent.message.id)
    assert answer.body["allowed_mentions"]["parse"] == []


async def test_what_was_passed_on_is_marked(stage: Stage) -> None:
    """By an emoji at the message; the hub does not hear of its own."""
    stage.hub.takes = HandledMessage(receipt=Card("", (Text("Passed on to Maya."),)))
    sent = await stage.discord.dm(stage.ada, "hello")
    await stage.discord.until(lambda: sent.message.reactions)
    assert sent.message.reactions == ["✅"]
    assert sent.replies == []


async def test_where_no_mark_can_be_placed_a_line_says_it(stage: Stage) -> None:
    """The person has blocked the bot's emoji; with an answer there is no second line."""
    receipt = Card("", (Text("Passed on to Maya."),))
    stage.discord.fault(kind="error", method="PUT", path="/channels/", status=403, code=90001)
    stage.hub.takes = HandledMessage(receipt=receipt)
    sent = await stage.discord.dm(stage.ada, "hello")
    assert text_of(await sent.reply()) == "Passed on to Maya."


async def test_what_could_not_be_saved_is_said(stage: Stage) -> None:
    """Discord sends nothing again, so the writer must know."""
    stage.hub.failing = True
    sent = await stage.discord.dm(stage.ada, "hello")
    assert "nothing was changed" in text_of(await sent.reply()).casefold()
    assert stage.hub.asked == []


async def test_commands_are_answered_in_the_order_in_which_they_were_written(stage: Stage) -> None:
    """Two in a row may depend on each other: the second waits for the first, however slow."""
    stage.hub.delay = 0.3
    await stage.discord.dm(stage.ada, "profile listed:yes")
    await stage.discord.until(lambda: stage.hub.asked)
    stage.hub.delay = 0.0
    await stage.discord.dm(stage.ada, "home")

    def said() -> list[str]:
        here = stage.discord.dm_channel(stage.ada).messages
        return [text_of(m) for m in here if m.author is stage.discord.me]

    await stage.discord.until(lambda: len(said()) == 2)
    assert said() == ["## profile listed:yes", "## home"]


async def test_what_bots_and_servers_say_is_not_heard(stage: Stage) -> None:
    """Neither its own echo nor what stands in channels."""
    other = stage.discord.add_user("robot", guild=stage.guild, bot=True)
    await stage.discord.dm(other, "beep")
    said = await stage.discord.say(stage.ada, stage.guild.general, "in a channel")
    await stage.discord.rewrite(said.message, "still there")
    await stage.discord.retract(said.message)
    own = await stage.post_message(stage.direct, Card("Hi", (Text("there"),)), "m1")
    await stage.discord.announce(own, "MESSAGE_UPDATE")
    await asyncio.sleep(0.05)
    assert stage.hub.overheard == []
