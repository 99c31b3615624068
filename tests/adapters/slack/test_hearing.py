"""Direct messages in Slack as parts of conversations: the true adapter over real sockets."""

import asyncio
from typing import Any

import pytest

from bot.adapters.slack import hearing
from bot.cards import Card, Text
from bot.request import Heard, Sender, Taken
from tests.adapters.slack.conftest import ToldHub
from tests.platforms.slack import LoopbackSlack, User

pytestmark = pytest.mark.usefixtures("adapter")


async def test_what_is_written_in_a_thread_is_offered_to_the_conversations(
    slack: LoopbackSlack, hub: ToldHub, ana: User
) -> None:
    """With the thread it stands in; what they take is no command, and needs no answer."""
    hub.takes = Taken()
    first = await slack.dm(ana, "hello &lt;you&gt;")
    assert first.wrote
    await slack.dm(ana, "in <http://evil.example|https://boston.gov>", thread=first.wrote)

    one, two = hub.overheard
    assert (one.act, one.text, one.under, one.threaded) == ("written", "hello <you>", "", True)
    assert (one.message, one.channel) == (first.wrote.ts, first.wrote.channel)
    assert (two.text, two.under) == ("in http://evil.example", first.wrote.ts)
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
    hub.takes = Taken()
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
    hub.takes = Taken()
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
    hub.takes = Taken(Card("", (Text("Luis paused this conversation"),)))
    first = await slack.dm(ana, "hello")
    assert first.wrote
    await slack.dm(ana, "again", thread=first.wrote)
    calls = await slack.until(lambda: (c := slack.called("chat.postMessage")) and len(c) == 2 and c)
    assert [call.args.get("thread_ts") for call in calls] == [None, first.wrote.ts]


async def test_what_could_not_be_saved_is_told_again(
    slack: LoopbackSlack, hub: ToldHub, ana: User
) -> None:
    """Slack gets no yes, and sends the event once more."""
    hub.broken = True
    act = await slack.dm(ana, "hello")
    assert act.status == 503
    assert hub.asked == []


def test_one_gesture_has_one_name() -> None:
    """Slack may send two events for one press of Enter; the client's own id gives them away."""
    body = {
        "event_id": "Ev1",
        "team_id": "T1",
        "event": {"type": "message", "channel_type": "im", "channel": "D1", "user": "U1",
                  "ts": "1.0", "text": "hi", "client_msg_id": "c-1"},
    }  # fmt: skip
    found = hearing.read("slack", body)
    assert found
    assert found.heard(Sender("slack", "T1", "U1")).keys == ("slack:Ev1", "slack:T1:c-1")


def test_mentions_and_marks_become_words() -> None:
    """Nothing of Slack's own markup is passed on."""
    said = hearing.words("<@U1> <@U2|ana> <#C1|general> <!channel> <!subteam^S1|@team> "
                         "<https://a.example> <https://a.example|the plan> &amp;")  # fmt: skip
    assert said == "@… @ana #general @channel @team https://a.example the plan (https://a.example) &"  # fmt: skip  # noqa: E501


async def test_one_conversation_is_heard_in_the_order_in_which_it_was_written(
    slack: LoopbackSlack, hub: ToldHub, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the first takes longer to be saved than the second."""
    saved: list[str] = []

    async def heard(what: Heard) -> Taken:
        await asyncio.sleep(0.0 if saved or what.text != "first" else 0.2)
        saved.append(what.text)
        return Taken()

    monkeypatch.setattr(hub, "heard", heard)
    first = asyncio.create_task(slack.dm(ana, "first"))
    await asyncio.sleep(0.05)
    await slack.dm(ana, "second")
    await first
    assert saved == ["first", "second"]
