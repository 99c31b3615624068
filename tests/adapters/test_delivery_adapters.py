"""Every delivery adapter keeps the same promises, over real sockets, however a platform fails."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, NamedTuple

import pytest

from bot.adapters.base import (
    DeliveryAdapter,
    DeliveryError,
    Destination,
    PostedMessage,
    SearchInconclusiveError,
)
from bot.adapters.discord import post as discord_post
from bot.adapters.discord import rest as discord_rest
from bot.adapters.discord.post import make_nonce, marker_ids
from bot.adapters.slack import client as slack_client
from bot.adapters.slack import post as slack_post
from bot.adapters.slack.refusals import parse_retry_after
from bot.cards import Button, Buttons, Card, Form, Input, Note, Table, Text
from bot.i18n import translator
from tests.adapters.stands import STANDS, AdapterStand
from tests.conftest import CANARY

MARKER, OTHER = "MFRGGZDFMZTWQ2LKNNWG23TPO", "OBQXE5DJMVSXEZLTNFSGC3DMO"
HELLO = Card("Good news", (Text("@everyone: Ana said yes"), Buttons((Button("Who", "who-is 4"),))))
CHANGED = Card("Better news", (Note("Ana and Bea said yes", "good"),))
FORM = Form("Still right?", "profile", (Input("title", "Title"),), intro="It has been a while.")


@pytest.fixture(params=list(STANDS))
async def stand(request: pytest.FixtureRequest) -> AsyncIterator[AdapterStand]:
    async with STANDS[request.param]() as stand:
        yield stand
        assert stand.pings() == []


on_networks = pytest.mark.parametrize("stand", ["slack", "discord"], indirect=True)
on_slack = pytest.mark.parametrize("stand", ["slack"], indirect=True)
on_discord = pytest.mark.parametrize("stand", ["discord"], indirect=True)


def ago(seconds: float = 0) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


async def refused(
    stand: AdapterStand, place: Destination | None = None, card: Card = HELLO
) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await stand.adapter.post(place or stand.person, card, "en", MARKER)
    return caught.value


# --- what all of them do ----------------------------------------------------------------------


async def test_it_serves_its_own_workspaces_only(stand: AdapterStand) -> None:
    """A demo's workspace and a real one of the same platform are told apart."""
    person, serves = stand.person, stand.adapter.serves

    assert isinstance(stand.adapter, DeliveryAdapter)
    assert serves(person.platform, person.workspace)
    assert not serves("telegraph", person.workspace)
    assert not serves(person.platform, "")
    assert not serves(person.platform, "X-DEMO")


async def test_a_message_arrives_where_it_is_owed(stand: AdapterStand) -> None:
    """To a person and to a channel; the id and the place of it are told."""
    direct = await stand.adapter.post(stand.person, HELLO, "en", MARKER)
    public = await stand.adapter.post(stand.channel, HELLO, "en", OTHER)

    assert [("Good news" in text, "Ana said yes" in text) for text in stand.direct_messages()] == [
        (True,) * 2
    ]
    assert len(stand.channel_messages()) == 1
    assert direct.id
    assert direct.channel
    assert (direct.id, direct.channel) != (public.id, public.channel)


async def test_the_adapters_own_words_are_in_the_readers_language(stand: AdapterStand) -> None:
    """A form cannot open by itself: its button speaks as the reader does."""
    await stand.adapter.post(stand.person, FORM, "pt", MARKER)

    words = {translator("pt")(w) for w in ("Fill in the form", "Open the form")}
    assert "It has been a while." in stand.direct_messages()[0]
    assert (
        any(w in stand.direct_messages()[0] for w in words)
        or "profile" in stand.direct_messages()[0]
    )


async def test_the_same_marker_twice(stand: AdapterStand) -> None:
    """Is one message where the platform promises that, and two where it does not."""
    first = await stand.adapter.post(stand.person, HELLO, "en", MARKER)
    again = await stand.adapter.post(stand.person, HELLO, "en", MARKER)
    promised = stand.adapter.deduplication_seconds() > 0

    assert (first == again) is promised
    assert len(stand.direct_messages()) == (1 if promised else 2)


async def test_messages_without_a_marker_are_messages_of_their_own(stand: AdapterStand) -> None:
    """Nothing is dropped that nobody asked to drop."""
    for _ in range(2):
        await stand.adapter.post(stand.person, HELLO, "en", "")

    assert len(stand.direct_messages()) == 2


async def test_a_message_is_changed_where_it_stands(stand: AdapterStand) -> None:
    """As often as one likes; twice the same is once."""
    posted = await stand.adapter.post(stand.person, HELLO, "en", MARKER)
    for _ in range(2):
        await stand.adapter.edit(stand.person, posted, CHANGED, "en")

    [text] = stand.direct_messages()
    assert "Better news" in text
    assert "Good news" not in text


async def test_what_is_not_there_cannot_be_changed(stand: AdapterStand) -> None:
    """And asking again would not help."""
    posted = await stand.adapter.post(stand.person, HELLO, "en", MARKER)
    await stand.adapter.remove(stand.person, posted)
    with pytest.raises(DeliveryError) as caught:
        await stand.adapter.edit(stand.person, posted, CHANGED, "en")

    assert (caught.value.certain, caught.value.final) == (True, True)
    assert not caught.value.dm_closed


async def test_a_message_is_taken_away(stand: AdapterStand) -> None:
    """Also where only the place is known; twice is once."""
    posted = await stand.adapter.post(stand.person, HELLO, "en", MARKER)
    await stand.adapter.remove(stand.person, PostedMessage(posted.id))
    await stand.adapter.remove(stand.person, posted)

    assert stand.direct_messages() == []


async def test_a_message_is_found_by_its_marker(stand: AdapterStand) -> None:
    """Among what others said, in the place and in the thread; no other message, no deleted one."""
    stand.post_noise("hello there")
    root = await stand.adapter.post(stand.person, HELLO, "en", MARKER)
    below = Destination(
        stand.person.platform, stand.person.workspace, stand.person.user, thread=root.id
    )
    reply = await stand.adapter.post(below, CHANGED, "en", OTHER)
    stand.post_noise("and again")

    assert await stand.adapter.find(stand.person, MARKER, ago()) == root
    assert await stand.adapter.find(below, OTHER, ago()) == reply
    assert await stand.adapter.find(stand.person, "NOBODYSMARKER", ago()) is None
    await stand.adapter.remove(stand.person, root)
    assert await stand.adapter.find(stand.person, MARKER, ago()) is None


@on_networks
async def test_nobody_else_can_make_a_message_that_is_taken_for_ours(stand: AdapterStand) -> None:
    """Somebody who copies the marker is not the hub."""
    posted = await stand.adapter.post(stand.person, HELLO, "en", MARKER)
    if hasattr(stand.platform, "posts"):
        stand.platform.posts[-1].user = "U0000LB"
    else:
        message = stand.platform.messages[int(posted.id)]
        message.author = message.channel.recipient

    assert await stand.adapter.find(stand.person, MARKER, ago()) is None


async def test_a_reply_stands_under_what_it_answers(stand: AdapterStand) -> None:
    """In a thread, or as a reply; where the first message is gone, by itself."""
    root = await stand.adapter.post(stand.person, HELLO, "en", MARKER)
    below = replace(stand.person, thread=root.id, channel=root.channel)
    await stand.adapter.post(below, CHANGED, "en", OTHER)

    assert stand.reply_targets()[-1] in (root.id, "Good news")
    await stand.adapter.remove(stand.person, root)
    await stand.adapter.post(below, CHANGED, "en", "THIRD")
    assert len(stand.direct_messages()) == 2


async def test_several_people_are_brought_together_where_that_can_be(stand: AdapterStand) -> None:
    """One conversation of all of them with the hub; Discord has no such thing."""
    if stand.person.workspace.isdecimal():
        error = await refused(stand, stand.group)
        assert (error.certain, error.final, error.dm_closed) == (True, True, False)
        return
    first = await stand.adapter.post(stand.group, HELLO, "en", MARKER)
    second = await stand.adapter.post(stand.group, CHANGED, "en", OTHER)

    assert first.channel == second.channel
    assert stand.direct_messages() == []


@on_networks
async def test_somebody_who_takes_no_direct_messages(stand: AdapterStand) -> None:
    """Is known to take none; the channel still does."""
    stand.close_direct_messages()
    error = await refused(stand)

    assert (error.certain, error.final, error.dm_closed, error.wait) == (True, True, True, 0.0)
    assert error.scope == "place"
    await stand.adapter.post(stand.channel, HELLO, "en", OTHER)


@on_networks
async def test_what_cannot_be_drawn_is_refused_for_good(stand: AdapterStand) -> None:
    """A fault of ours is certain: nothing was sent."""
    broken = Card("T", (Table(("a",), ((None,),)),))  # type: ignore[arg-type] # that is the fault
    error = await refused(stand, card=broken)

    assert (error.certain, error.final) == (True, True)


# --- however the platform fails ---------------------------------------------------------------


class Case(NamedTuple):
    """A fault and what it means: is it certain, and did the message arrive?"""

    kind: str
    args: dict[str, Any]
    certain: bool
    arrived: int


HALF_WAY = (
    *(Case(kind, {}, False, 0) for kind in ("500", "502", "503", "504", "reset_before", "html")),
    *(Case(kind, {}, False, 1) for kind in ("reset_after", "half")),
)
FAULTS = {
    "slack": (
        *HALF_WAY,
        Case("500", {"processed": True}, False, 1),
        Case("504", {"processed": True}, False, 1),
        Case("empty", {}, False, 0),
        Case("bad_json", {"processed": True}, False, 1),
        Case("timeout", {}, False, 0),
        Case("timeout", {"processed": True}, False, 1),
        Case("error", {"error": "fatal_error", "processed": True}, False, 1),
        Case("error", {"error": "internal_error"}, False, 0),
        Case("error", {"ok": True, "processed": True}, False, 1),
        Case("error", {"error": "something_new"}, True, 0),
    ),
    "discord": (
        *HALF_WAY,
        Case("500", {"carried_out": True}, False, 1),
        Case("504", {"carried_out": True}, False, 1),
        Case("empty", {}, False, 1),
        Case("bad_json", {}, False, 1),
        Case("timeout", {}, False, 0),
        Case("timeout", {"carried_out": True}, False, 1),
    ),
}


def script(stand: AdapterStand, kind: str, nth: int = 1, **args: Any) -> None:
    """The next request to post fails in this way."""
    if stand.person.platform == "slack":
        stand.platform.fault("chat.postMessage", kind=kind, nth=nth, **args)
    else:
        where = r"/channels/\d+/messages"
        stand.platform.fault(kind=kind, method="POST", path=where, nth=nth, **args)


def requests(stand: AdapterStand) -> int:
    """How often the adapter asked to post."""
    if stand.person.platform == "slack":
        return len(stand.platform.called("chat.postMessage"))
    return len(stand.platform.requests_to("POST", r"/channels/\d+/messages"))


@pytest.mark.parametrize(
    ("stand", "case"),
    [(name, case) for name, cases in FAULTS.items() for case in cases],
    indirect=["stand"],
    ids=lambda given: given if isinstance(given, str) else f"{given.kind}-{given.arrived}",
)
async def test_a_fault_is_told_as_what_it_is_and_a_look_finds_the_truth(
    stand: AdapterStand, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One request is made, never a second; what may have arrived is found if it did."""
    if case.kind == "timeout":
        for client in (slack_client, discord_rest):
            monkeypatch.setattr(client, "TOTAL_TIMEOUT", 1.0)  # seconds, instead of nine
        case.args["seconds"] = 2.0
    await stand.adapter.post(stand.person, CHANGED, "en", OTHER)
    began = ago()
    script(stand, case.kind, **case.args)
    error = await refused(stand, card=Card("Good news", (Text(CANARY),)))

    assert (error.certain, error.final, error.wait) == (case.certain, False, 0.0)
    assert requests(stand) == 2
    assert len(stand.direct_messages()) == 1 + case.arrived
    found = await stand.adapter.find(stand.person, MARKER, began)
    assert (found is not None) is bool(case.arrived)
    assert CANARY not in error.reason


@on_networks
async def test_a_platform_that_cannot_be_reached_has_surely_heard_nothing(
    stand: AdapterStand,
) -> None:
    """Connections refused, names that are none: certain, and worth another attempt."""
    places = (
        ("bot.adapters.slack", "_clients", "_api_url"),
        ("bot.adapters.discord", "_rest", "_api_url"),
    )
    _, holder, address = next(p for p in places if p[0].endswith(stand.person.platform))
    for url in ("http://127.0.0.1:9/api/", "http://no-such-host.invalid/api/"):
        setattr(getattr(stand.adapter, holder), address, url.rstrip("/"))
        error = await refused(stand, stand.channel)
        assert (error.certain, error.final, error.wait) == (True, False, 0.0), url


@on_networks
async def test_a_conversation_that_cannot_be_opened_has_nothing_in_it(stand: AdapterStand) -> None:
    """Whatever happened to the request before it, the message itself was not sent."""
    for kind in ("500", "reset_after", "bad_json"):
        if stand.person.platform == "slack":
            stand.platform.fault("conversations.open", kind=kind)
        else:
            stand.platform.fault(kind=kind, method="POST", path="/users/@me/channels")
        error = await refused(stand)
        assert (error.certain, error.final) == (True, False), kind

    assert requests(stand) == 0
    await stand.adapter.post(stand.person, HELLO, "en", MARKER)
    assert len(stand.direct_messages()) == 1


@on_networks
async def test_an_edit_or_a_removal_that_failed_may_be_repeated(stand: AdapterStand) -> None:
    """Nothing is doubled by it; the end is the same."""
    posted = await stand.adapter.post(stand.person, HELLO, "en", MARKER)
    for kind in ("500", "reset_after"):
        if stand.person.platform == "slack":
            stand.platform.fault("chat.update", kind=kind)
        else:
            stand.platform.fault(kind=kind, method="PATCH")
        with pytest.raises(DeliveryError) as caught:
            await stand.adapter.edit(stand.person, posted, CHANGED, "en")
        assert not caught.value.certain
    await stand.adapter.edit(stand.person, posted, CHANGED, "en")

    [text] = stand.direct_messages()
    assert "Better news" in text


# --- waiting ----------------------------------------------------------------------------------

AT = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
LATER = AT + timedelta(seconds=90)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("1", 1.0), ("2.5", 2.5), ("0", 0.0), ("", 0.0), ("soon", 0.0), ("-3", 0.0), ("nan", 0.0),
     ("inf", 0.0), ("3600", 3600.0), (format_datetime(LATER, usegmt=True), 90.0),
     ("Tue, 24 Nov 2026 15:00:30 -0000", 30.0), ("Tue, 24 Nov 2026 14:00:00 GMT", 0.0)],
)  # fmt: skip
def test_a_time_to_wait_is_read_in_every_form(said: str, seconds: float) -> None:
    """Numbers and dates; what cannot be read asks for nothing."""
    assert parse_retry_after(said, AT) == seconds


@on_slack
@pytest.mark.parametrize(
    ("after", "wait", "scope"),
    [("1", 1.0, "place"), (None, 1.0, "place"), ("0", 1.0, "place"), ("soon", 1.0, "place"),
     ("1.5", 1.5, "place"), ("30", 30.0, "workspace"), ("3600", 3600.0, "workspace")],
)  # fmt: skip
async def test_slack_asks_to_wait(
    stand: AdapterStand, after: str | None, wait: float, scope: str
) -> None:
    """The adapter tells it and does not sleep; a long wait is the whole workspace's."""
    script(stand, "429", retry_after=after)
    error = await refused(stand)

    assert (error.certain, error.final, error.wait, error.scope) == (True, False, wait, scope)
    assert requests(stand) == 1
    assert stand.direct_messages() == []


@on_slack
@pytest.mark.parametrize("method", ["conversations.open", "chat.update", "conversations.history"])
async def test_slacks_other_methods_are_limited_by_the_workspace(
    stand: AdapterStand, method: str
) -> None:
    """So the whole workspace waits, be it for a look or for an edit."""

    async def everything() -> None:
        posted = await stand.adapter.post(stand.person, HELLO, "en", MARKER)
        await stand.adapter.edit(stand.person, posted, CHANGED, "en")
        await stand.adapter.find(stand.person, MARKER, ago())

    stand.platform.fault(method, kind="429", retry_after="1")
    with pytest.raises(DeliveryError) as caught:
        await everything()

    assert (caught.value.wait, caught.value.scope) == (1.0, "workspace")


@on_discord
@pytest.mark.parametrize(
    ("args", "wait", "scope"),
    [
        ({"retry_after": 0.3}, 0.3, "place"),
        ({"retry_after": 0}, 0.1, "place"),
        ({"retry_after": 4000.0}, 4000.0, "place"),
        ({"retry_after": 2.0, "scope": "shared"}, 2.0, "place"),
        ({"retry_after": 5.0, "scope": "global"}, 5.0, "platform"),
        ({"retry_after": 60.0, "via": False}, 60.0, "platform"),
        ({"body": {"message": "slow down"}, "retry_after_header": "7"}, 7.0, "place"),
        ({"body": {"retry_after": "later"}, "retry_after_header": "soon"}, 1.0, "place"),
    ],
)
async def test_discord_asks_to_wait(
    stand: AdapterStand, args: dict[str, Any], wait: float, scope: str
) -> None:
    """The place, or everybody; and until then the adapter does not even ask."""
    script(stand, "429", **args)
    error = await refused(stand)
    held = await refused(stand)
    made = requests(stand)

    assert (error.certain, error.final, error.wait, error.scope) == (True, False, wait, scope)
    assert 0 < held.wait <= wait
    assert held.scope == scope
    assert made == 1
    assert stand.platform.early_requests == 0
    if scope == "place":
        await stand.adapter.post(stand.channel, HELLO, "en", OTHER)
    else:
        assert (await refused(stand, stand.channel)).scope == "platform"


@on_discord
async def test_discord_tells_before_a_channel_is_full(stand: AdapterStand) -> None:
    """So the message after the last one is not even tried, and nothing is ever refused."""
    stand.platform.limits.enabled = True
    for number in range(5):
        await stand.adapter.post(stand.channel, HELLO, "en", f"NUMBER{number}")
    error = await refused(stand, stand.channel)

    assert (error.certain, error.reason, error.scope) == (True, "ratelimited", "place")
    assert 0 < error.wait <= 1
    assert requests(stand) == 5
    assert stand.platform.invalid_requests == 0


@on_discord
async def test_direct_messages_opened_too_fast_are_left_alone_for_a_while(
    stand: AdapterStand,
) -> None:
    """Others that are open already, and channels, go on."""
    discord = stand.platform
    discord.fault(kind="error", method="POST", path="/users/@me/channels", status=400, code=40003)
    first, second = await refused(stand), await refused(stand)
    await stand.adapter.post(stand.channel, HELLO, "en", OTHER)

    assert first.wait == 300.0
    assert 0 < second.wait <= 300
    assert not first.final
    assert len(discord.requests_to("POST", "/users/@me/channels")) == 1


@on_discord
async def test_a_token_that_discord_refuses_costs_no_message(stand: AdapterStand) -> None:
    """The operator can mend it; until then nobody asks again and again."""
    stand.platform.token = "another"
    error = await refused(stand)

    assert (error.certain, error.final, error.scope) == (True, False, "platform")
    assert error.wait >= 60


# --- refusals ---------------------------------------------------------------------------------


@on_slack
@pytest.mark.parametrize(
    "word",
    ["channel_not_found", "not_in_channel", "is_archived", "msg_too_long", "invalid_blocks",
     "restricted_action", "user_disabled", "cannot_dm_bot", "missing_scope"],
)  # fmt: skip
async def test_slack_refuses_for_good(stand: AdapterStand, word: str) -> None:
    """The same again would be refused again."""
    script(stand, "error", error=word)
    error = await refused(stand, stand.channel)

    assert (error.reason, error.certain, error.final, error.scope) == (word, True, True, "place")
    assert error.dm_closed is (word in ("user_disabled", "cannot_dm_bot"))


@on_slack
@pytest.mark.parametrize("word", ["account_inactive", "token_revoked", "invalid_auth"])
async def test_slack_takes_the_right_to_speak_away(stand: AdapterStand, word: str) -> None:
    """That is nobody's message's fault: it holds for the workspace."""
    stand.platform.revoke(stand.platform.team, word)
    error = await refused(stand)

    assert (error.reason, error.certain, error.final) == (word, True, True)
    assert error.scope == "workspace"
    assert not error.dm_closed


@on_slack
async def test_a_channel_of_slack_that_is_gone(stand: AdapterStand) -> None:
    """Archived, or the bot was never in it."""
    slack = stand.platform
    private = slack.add_channel(slack.team, "secret", private=True, with_bot=False)
    slack.general.is_archived = True

    assert (await refused(stand, stand.channel)).reason == "is_archived"
    hidden = replace(stand.channel, channel=private.id)
    assert (await refused(stand, hidden)).reason == "channel_not_found"
    assert (await refused(stand, replace(stand.person, user="U404"))).dm_closed


@on_slack
async def test_tokens_that_cannot_be_read_are_no_reason_to_lose_a_message(
    stand: AdapterStand,
) -> None:
    """The database with them may be away for a while."""

    async def away(enterprise: str, team: str) -> str | None:
        raise OSError("no database")

    stand.adapter._tokens.token_for = away  # type: ignore[attr-defined] # the store is a database
    error = await refused(stand)

    assert (error.reason, error.certain, error.final) == ("OSError", True, False)


@on_discord
@pytest.mark.parametrize(
    ("code", "status", "closed"),
    [(10003, 404, False), (50001, 403, False), (50013, 403, False), (50007, 403, True),
     (50278, 403, True), (50035, 400, False), (160002, 400, False)],
)  # fmt: skip
async def test_discord_refuses_for_good(
    stand: AdapterStand, code: int, status: int, closed: bool
) -> None:
    """By number; a number nobody knows here is a refusal all the same."""
    script(stand, "error", code=code, status=status)
    error = await refused(stand)

    assert error.reason.startswith(f"{code} ")
    assert (error.certain, error.final, error.dm_closed) == (True, True, closed)


@on_discord
async def test_discord_as_it_refuses_by_itself(stand: AdapterStand) -> None:
    """No server in common, no such person, no rights, no such channel."""
    discord, place = stand.platform, stand.channel
    lonely = discord.add_user("lonely")
    guild = next(iter(discord.guilds.values()))

    assert (await refused(stand, Destination("discord", "1", user=str(lonely.id)))).dm_closed
    assert (await refused(stand, Destination("discord", "1", user="1"))).dm_closed
    assert (await refused(stand, replace(place, channel="1"))).reason == "10003 unknown channel"
    guild.general.writable = False
    assert (await refused(stand, place)).reason == "50013 missing permissions"
    guild.general.viewable = False
    assert (await refused(stand, place)).reason == "50001 missing access"


@on_discord
async def test_a_page_instead_of_discord_is_no_refusal(stand: AdapterStand) -> None:
    """A proxy on the way says 403 too; that is waited out."""
    script(stand, "error", status=403, code="<html>")
    error = await refused(stand)

    assert (error.certain, error.final, error.scope) == (True, False, "platform")
    assert error.wait > 0


# --- looking ----------------------------------------------------------------------------------


@on_slack
async def test_slacks_history_is_behind(stand: AdapterStand) -> None:
    """Whoever looks too early sees nothing; after the lag it is there."""
    stand.platform.lag = 10.0
    posted = await stand.adapter.post(stand.person, HELLO, "en", MARKER)
    early = await stand.adapter.find(stand.person, MARKER, ago())
    stand.platform.advance(11)

    assert early is None
    assert await stand.adapter.find(stand.person, MARKER, ago()) == posted


@on_slack
async def test_where_slack_lets_nobody_read_nobody_can_tell(stand: AdapterStand) -> None:
    """A channel, people brought together, a thread that is gone: for want of a right or a root."""
    slack = stand.platform
    slack.grants[slack.team.bot_token].scopes = frozenset(
        {"chat:write", "im:write", "mpim:write", "im:history"}
    )
    gone = replace(stand.person, thread="1.0")
    for place in (stand.channel, stand.group, gone):
        with pytest.raises(SearchInconclusiveError):
            await stand.adapter.find(place, MARKER, ago())

    assert await stand.adapter.find(stand.person, MARKER, ago()) is None


@on_slack
async def test_a_distributed_app_may_look_once_a_minute(stand: AdapterStand) -> None:
    """The look is made later; and pages of fifteen are turned."""
    slack = stand.platform
    posted = await stand.adapter.post(stand.person, HELLO, "en", MARKER)
    for number in range(20):
        stand.post_noise(f"word {number}")
    slack.commercial = True
    assert await stand.adapter.find(stand.person, MARKER, ago()) == posted
    slack.rates = True
    await stand.adapter.find(stand.person, MARKER, ago(-60))
    with pytest.raises(DeliveryError) as caught:
        await stand.adapter.find(stand.person, MARKER, ago(-60))

    assert 50 < caught.value.wait <= 60


@on_networks
async def test_where_too_much_was_said_nobody_can_tell(
    stand: AdapterStand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few pages are turned, not a whole history; on those it is found."""
    for module in (slack_post, discord_post):
        monkeypatch.setattr(module, "PAGE_SIZE", 2)
        monkeypatch.setattr(module, "MAX_PAGES", 2)
    for number in range(3):
        stand.post_noise(f"word {number}")
    posted = await stand.adapter.post(stand.person, HELLO, "en", MARKER)
    assert await stand.adapter.find(stand.person, MARKER, ago()) == posted
    for number in range(3):
        stand.post_noise(f"word {number}")

    with pytest.raises(SearchInconclusiveError):
        await stand.adapter.find(stand.person, OTHER, ago())


@on_discord
async def test_an_empty_history_of_a_channel_proves_nothing(stand: AdapterStand) -> None:
    """Who may not read gets nothing from Discord, not a refusal; any message proves the right."""
    guild = next(iter(stand.platform.guilds.values()))
    with pytest.raises(SearchInconclusiveError):
        await stand.adapter.find(stand.channel, MARKER, ago())
    await stand.adapter.post(stand.channel, HELLO, "en", OTHER)
    assert await stand.adapter.find(stand.channel, MARKER, ago()) is None
    assert await stand.adapter.find(stand.channel, MARKER, ago(-60)) is None
    guild.general.history_readable = False
    with pytest.raises(SearchInconclusiveError):
        await stand.adapter.find(stand.channel, OTHER, ago())
    guild.general.viewable = False
    with pytest.raises(SearchInconclusiveError):
        await stand.adapter.find(stand.channel, OTHER, ago())

    assert await stand.adapter.find(stand.person, MARKER, ago()) is None


@on_discord
async def test_after_the_nonce_is_forgotten_the_message_is_still_found(stand: AdapterStand) -> None:
    """The window of Discord is short, the mark stays."""
    posted = await stand.adapter.post(stand.person, HELLO, "en", MARKER)
    stand.platform.nonce_window = -1
    again = await stand.adapter.post(stand.person, HELLO, "en", MARKER)

    assert posted != again
    assert await stand.adapter.find(stand.person, MARKER, ago()) in (posted, again)
    assert stand.adapter.deduplication_seconds() <= 120


def test_marks_are_what_discord_takes() -> None:
    """Two different numbers of thirty bits, none that Discord gives by itself; a short nonce."""
    for word in (MARKER, OTHER, "", "x" * 200):
        one, other = marker_ids(word)
        assert one != other
        assert all(1 << 29 <= number < 1 << 30 for number in (one, other))
        assert len(make_nonce(word)) <= 25
    assert make_nonce(MARKER) == MARKER
    assert make_nonce("x" * 200) == make_nonce("x" * 200) != make_nonce("x" * 201)
