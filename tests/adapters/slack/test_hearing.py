"""Direct messages in Slack as parts of conversations: the true adapter over real sockets."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.adapters.slack import hearing
from bot.cards import Card, Text
from bot.request import HandledMessage, IncomingMessage, Quote, Sender
from tests.adapters.slack.conftest import ToldHub, adapter_of
from tests.platforms.slack import LoopbackSlack, User

pytestmark = pytest.mark.usefixtures("adapter")


async def test_what_is_written_in_a_thread_is_offered_to_the_conversations(
    slack: LoopbackSlack, hub: ToldHub, ana: User
) -> None:
    """With the thread it stands in; what they take is no command, and needs no answer."""
    hub.takes = HandledMessage()
    first = await slack.dm(ana, "hello &lt;you&gt;")
    assert first.wrote
    await slack.dm(ana, "in <http://evil.example|https://boston.gov>", thread=first.wrote)

    one, two = hub.overheard
    assert (one.act, one.text, one.parent, one.has_threads) == ("written", "hello <you>", "", True)
    assert (one.message, one.channel) == (first.wrote.ts, first.wrote.channel)
    assert (two.text, two.parent) == ("in http://evil.example", first.wrote.ts)
    assert one.sender.label == "Slack"
    assert hub.asked == []
    assert slack.called("chat.postMessage") == []


async def test_what_they_do_not_take_is_a_command(
    slack: LoopbackSlack, hub: ToldHub, ana: User
) -> None:
    """As before, and once for each event."""
    await slack.dm(ana, "help", redeliver=2)
    assert [asked.words for asked in hub.asked] == ["help"]


async def test_edits_and_deletions_are_heard(slack: LoopbackSlack, hub: ToldHub, ana: User) -> None:
    """Of the writer; each edit is newer than the one before."""
    hub.takes = HandledMessage()
    act = await slack.dm(ana, "helo")
    assert act.wrote
    await slack.rewrite(ana, act.wrote, "hello")
    await slack.rewrite(ana, act.wrote, "hello!")
    await slack.take_back(ana, act.wrote)
    acts = [(heard.act, heard.text, heard.message) for heard in hub.overheard[1:]]
    ts = act.wrote.ts
    assert acts == [("edited", "hello", ts), ("edited", "hello!", ts), ("deleted", "hello!", ts)]
    editions = [heard.edition for heard in hub.overheard]
    assert editions[0] == 0 < editions[1] < editions[2]
    assert {heard.sender.user for heard in hub.overheard} == {ana.id}


async def test_a_deleted_message_that_stays_as_a_mark_is_deleted(
    slack: LoopbackSlack, hub: ToldHub, ana: User
) -> None:
    """It has answers in a thread, so Slack only changes it."""
    hub.takes = HandledMessage()
    first = await slack.dm(ana, "wrong")
    assert first.wrote
    await slack.dm(ana, "an answer", thread=first.wrote)
    await slack.take_back(ana, first.wrote)
    gone = hub.overheard[-1]
    assert (gone.act, gone.message, gone.channel) == (
        "deleted",
        first.wrote.ts,
        first.wrote.channel,
    )
    assert gone.sender.user == ana.id


async def test_shared_messages_come_with_their_authors(
    slack: LoopbackSlack, hub: ToldHub, ana: User
) -> None:
    """With words of one's own or without; the preview of a page is not one."""
    hub.takes = HandledMessage()
    ben = slack.add_user(slack.team, "ben")
    said = slack.world.post(slack.general, ben.id, {"text": "see <https://a.example|the plan>"})
    await slack.dm(ana, "look", shares=[said])
    await slack.dm(ana, "", shares=[said])
    one, two = hub.overheard
    assert (one.text, two.text) == ("look", "")
    assert one.quotes == two.quotes == (Quote("ben", "see the plan (https://a.example)"),)
    preview = {"text": "A page", "from_url": "https://a.example"}
    await slack.event(slack.team, {
        "type": "message", "channel_type": "im", "channel": one.channel, "user": ana.id,
        "ts": "9.1", "text": "x", "attachments": [preview, None, {"is_share": True}],
    })  # fmt: skip
    assert hub.overheard[-1].quotes == (Quote("", ""),)


async def test_mentioned_people_are_named(slack: LoopbackSlack, hub: ToldHub, ana: User) -> None:
    """As in their workspace; who is not there stays unnamed."""
    hub.takes = HandledMessage()
    ben = slack.add_user(slack.team, "ben")
    await slack.dm(ana, f"ask <@{ben.id}> and <@U404>")
    assert hub.overheard[0].text == "ask @Ben and @…"


async def test_the_hubs_own_messages_and_previews_are_not_heard(
    slack: LoopbackSlack, hub: ToldHub, ana: User
) -> None:
    """No echo of its own, no other bots, no change that nobody made."""
    act = await slack.dm(ana, "x")
    assert act.wrote
    dm = slack.world.dm_of(ana)
    ours = slack.world.post(dm, slack.team.bot_user, {"text": "card"})
    said = len(hub.overheard)
    base = {"type": "message", "channel": dm.id, "channel_type": "im", "ts": "9.0"}
    inner: dict[str, Any] = {"user": ana.id, "team": slack.team.id, "ts": act.wrote.ts, "text": "x"}
    for event in (
        {**base, "subtype": "message_changed", "message": {**inner, "bot_id": "B1",
                                                           "edited": {"ts": "9.0"}}},
        {**base, "subtype": "message_changed", "message": inner},  # a preview
        {**base, "subtype": "message_changed", "message": None},
        {**base, "subtype": "message_deleted", "previous_message": {"ts": ours.ts, "text": "card",
                                                                    "bot_id": "B1"}},
        {**base, "subtype": "bot_message", "text": "I am a bot", "bot_id": "B2"},
        {**base, "subtype": "channel_join", "user": ana.id, "text": "joined"},
        {**base, "channel_type": "channel", "user": ana.id, "text": "in a channel"},
    ):  # fmt: skip
        await slack.event(slack.team, event)
    assert hub.overheard[said:] == []


async def test_files_have_a_name_and_a_size(slack: LoopbackSlack, hub: ToldHub, ana: User) -> None:
    """And the platform's own name, by which the hub can fetch them."""
    hub.takes = HandledMessage()
    files = [{"id": "F1", "name": "plan.pdf", "size": 1200, "mimetype": "application/pdf"}, {}]
    await slack.dm(ana, "see", files=files)
    (heard,) = hub.overheard
    assert [(f.name, f.size, f.type, f.url, f.id) for f in heard.files] == [
        ("plan.pdf", 1200, "application/pdf", "", "F1"), ("", 0, "", "", ""),
    ]  # fmt: skip


async def test_what_stands_in_the_way_is_said_in_the_thread(
    slack: LoopbackSlack, hub: ToldHub, ana: User
) -> None:
    """Where it was written."""
    hub.takes = HandledMessage(Card("", (Text("Luis paused this conversation"),)))
    first = await slack.dm(ana, "hello")
    assert first.wrote
    await slack.dm(ana, "again", thread=first.wrote)
    calls = await slack.until(lambda: (c := slack.called("chat.postMessage")) and len(c) == 2 and c)
    assert [call.args.get("thread_ts") for call in calls] == [None, first.wrote.ts]


async def test_what_was_passed_on_is_marked(slack: LoopbackSlack, hub: ToldHub, ana: User) -> None:
    """By an emoji at the message, once; the hub does not hear of its own."""
    hub.takes = HandledMessage(receipt=Card("", (Text("Passed on to Luis."),)))
    act = await slack.dm(ana, "hello", redeliver=1)
    assert act.wrote
    wrote = act.wrote
    await slack.until(lambda: wrote.reactions)
    assert wrote.reactions == {(slack.team.bot_user, "white_check_mark")}
    assert slack.called("chat.postMessage") == []
    assert {heard.act for heard in hub.overheard} == {"written"}


async def test_where_no_mark_can_be_placed_a_line_says_it(
    slack: LoopbackSlack, hub: ToldHub, ana: User
) -> None:
    """The workspace has not agreed to it yet; with an answer there is no second line."""
    grant = slack.world.grants[slack.team.bot_token or ""]
    slack.world.grants[grant.token] = replace(grant, scopes=grant.scopes - {"reactions:write"})
    receipt = Card("", (Text("Passed on to Luis."),))
    hub.takes = HandledMessage(receipt=receipt)
    await slack.dm(ana, "hello")
    await slack.until(lambda: slack.called("chat.postMessage"))
    hub.takes = HandledMessage(Card("", (Text("That was long."),)), receipt)
    await slack.dm(ana, "hello again")
    calls = await slack.until(lambda: (c := slack.called("chat.postMessage")) and len(c) == 2 and c)
    assert [call.args["text"] for call in calls] == ["Passed on to Luis.", "That was long."]


async def test_what_could_not_be_saved_is_told_again(
    slack: LoopbackSlack, hub: ToldHub, ana: User
) -> None:
    """Slack gets no yes, and sends the event once more."""
    hub.broken = True
    act = await slack.dm(ana, "hello")
    assert act.status == 503
    assert hub.asked == []


async def test_reactions_are_heard_and_taken_back(
    slack: LoopbackSlack, hub: ToldHub, ana: User
) -> None:
    """To the hub's messages and to one's own; each is newer than the one before."""
    ours = slack.world.post(slack.world.dm_of(ana), slack.team.bot_user, {"text": "card"})
    await slack.react(ana, ours, "+1::skin-tone-3")
    await slack.react(ana, ours, "+1::skin-tone-3", take=True)
    put, taken = hub.overheard
    assert (put.act, taken.act) == ("marked", "unmarked")
    assert put.emoji == taken.emoji == "👍🏼"
    assert (put.message, put.channel) == (ours.ts, ours.channel)
    assert (put.sender.user, put.sender.workspace, put.sender.label) == (
        ana.id, slack.team.id, "Slack",
    )  # fmt: skip
    assert 0 < put.edition < taken.edition
    assert put.keys != taken.keys
    assert hub.asked == []
    assert slack.called("chat.postMessage") == []


async def test_a_reaction_told_again_has_the_same_name(
    slack: LoopbackSlack, hub: ToldHub, ana: User
) -> None:
    """What is saved once is passed on once; what could not be saved is told again."""
    ours = slack.world.post(slack.world.dm_of(ana), slack.team.bot_user, {"text": "card"})
    await slack.react(ana, ours, "tada", redeliver=2)
    assert len({heard.keys for heard in hub.overheard}) == 1
    slack.delivery.pauses = ()
    hub.broken = True
    assert (await slack.react(ana, ours, "eyes")).status == 503


async def test_reactions_elsewhere_and_the_hubs_own_are_not_heard(
    slack: LoopbackSlack, hub: ToldHub, ana: User
) -> None:
    """Not in channels, whatever else they are about, and nothing of a shape never sent."""
    ours = slack.world.post(slack.world.dm_of(ana), slack.team.bot_user, {"text": "card"})
    await slack.react(ana, slack.world.post(slack.general, ana.id, {"text": "x"}), "+1")
    item = {"type": "message", "channel": ours.channel, "ts": ours.ts}
    whole = {"type": "reaction_added", "user": ana.id, "reaction": "+1", "item": item,
             "event_ts": "9.0"}  # fmt: skip
    odd: list[dict[str, Any]] = [
        {"user": slack.team.bot_user}, {"user": None}, {"user": 5}, {"user": ""},
        {"reaction": None}, {"reaction": ""}, {"reaction": ["+1"]}, {"reaction": "x" * 101},
        {"reaction": "::"}, {"reaction": "a\x00b"}, {"item": None}, {"item": "message"},
        {"item": [item]}, {"item": {**item, "type": "file"}}, {"item": {**item, "channel": "C1"}},
        {"item": {**item, "channel": 7}}, {"item": {**item, "ts": 9.0}}, {"item": {}},
    ]  # fmt: skip
    for kind in ("reaction_added", "reaction_removed"):
        for wrong in odd:
            act = await slack.event(slack.team, {**whole, "type": kind, **wrong})
            assert act.status in (200, 400), wrong
    assert hearing.parse_event({"team_id": slack.team.id, "event": whole}) is None  # it has no name
    assert (hub.overheard, hub.asked) == ([], [])


@pytest.mark.parametrize("at", [None, 9.0, "", "soon", "nan", "inf", "1e300", "-1"])
def test_a_reaction_without_its_time_is_still_one(at: object) -> None:
    """Which of two is newer is then told by their order."""
    event = {"type": "reaction_added", "user": "U1", "reaction": "eyes", "event_ts": at,
             "item": {"type": "message", "channel": "D1", "ts": "1.0"}}  # fmt: skip
    found = hearing.parse_event({"event_id": "Ev1", "team_id": "T1", "event": event})
    assert found
    heard = found.to_incoming_message(Sender("slack", "T1", "U1"))
    assert (heard.emoji, heard.edition, heard.keys) == ("👀", 0, ("slack:Ev1",))


@pytest.mark.parametrize(
    ("facts", "stranger"),
    [({}, False), ({"is_restricted": True}, True), ({"is_stranger": True}, True),
     ({"home_team": "T777"}, True), ({"is_bot": True}, True)],
)  # fmt: skip
async def test_who_does_not_belong_there_reacts_as_a_stranger(
    slack: LoopbackSlack, hub: ToldHub, facts: dict[str, Any], stranger: bool
) -> None:
    """Guests, people of another company and other bots, as with whatever they write."""
    eve = slack.add_user(slack.team, "eve", **facts)
    await slack.react(eve, slack.world.post(slack.world.dm_of(eve), eve.id, {"text": "x"}), "+1")
    assert [heard.sender.is_outsider for heard in hub.overheard] == [stranger]


async def test_reactions_where_the_hub_is_not_installed_are_not_heard(
    slack: LoopbackSlack, hub: ToldHub
) -> None:
    """Nobody there could be told anything either."""
    away = slack.add_team("Shelbyville", installed=False)
    event = {"type": "reaction_added", "user": "U1", "reaction": "eyes",
             "item": {"type": "message", "channel": "D1", "ts": "1.0"}}  # fmt: skip
    async with adapter_of(slack, hub, bot_token=""):
        assert (await slack.event(away, event)).status == 200
    assert hub.overheard == []


def test_one_gesture_has_one_name() -> None:
    """Slack may send two events for one press of Enter; the client's own id gives them away."""
    body = {
        "event_id": "Ev1",
        "team_id": "T1",
        "event": {"type": "message", "channel_type": "im", "channel": "D1", "user": "U1",
                  "ts": "1.0", "text": "hi", "client_msg_id": "c-1"},
    }  # fmt: skip
    found = hearing.parse_event(body)
    assert found
    assert found.to_incoming_message(Sender("slack", "T1", "U1")).keys == (
        "slack:Ev1",
        "slack:T1:c-1",
    )


def test_mentions_and_marks_become_words() -> None:
    """Nothing of Slack's own markup is passed on."""
    said = hearing.readable_text("<@U1> <@U2|ana> <#C1|general> <!channel> <!subteam^S1|@team> "
                         "<https://a.example> <https://a.example|the plan> &amp;")  # fmt: skip
    assert said == "@… @ana #general @channel @team https://a.example the plan (https://a.example) &"  # fmt: skip  # noqa: E501


async def test_one_conversation_is_heard_in_the_order_in_which_it_was_written(
    slack: LoopbackSlack, hub: ToldHub, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the first takes longer to be saved than the second."""
    saved: list[str] = []

    async def heard(what: IncomingMessage) -> HandledMessage:
        await asyncio.sleep(0.0 if saved or what.text != "first" else 0.2)
        saved.append(what.text)
        return HandledMessage()

    monkeypatch.setattr(hub, "handle_message", heard)
    first = asyncio.create_task(slack.dm(ana, "first"))
    await asyncio.sleep(0.05)
    await slack.dm(ana, "second")
    await first
    assert saved == ["first", "second"]
