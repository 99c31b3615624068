"""The Web API of the loopback Slack, seen through the real client."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.platforms.slack import LoopbackSlack, User
from tests.platforms.slack_bot import CARD, refused

Json = dict[str, Any]


@pytest.fixture
async def slack() -> AsyncIterator[LoopbackSlack]:
    async with LoopbackSlack() as loopback:
        yield loopback


@pytest.fixture
def ana(slack: LoopbackSlack) -> User:
    return slack.add_user(slack.team, "ana", tz="America/Bogota", locale="es-LA")


@pytest.fixture
def client(slack: LoopbackSlack) -> AsyncWebClient:
    return AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])


class TestWebApi:
    """What the bot asks of Slack."""

    async def test_a_token_says_whose_it_is(
        self, slack: LoopbackSlack, client: AsyncWebClient
    ) -> None:
        """auth.test names the workspace; no token, a wrong one and a revoked one do not."""
        assert (await client.auth_test())["team_id"] == slack.team.id
        stranger = AsyncWebClient("xoxb-wrong", base_url=slack.api_url, retry_handlers=[])
        assert await refused(stranger.auth_test()) == "invalid_auth"
        assert await refused(AsyncWebClient(base_url=slack.api_url).auth_test()) == "not_authed"

        assert (await client.auth_revoke())["revoked"]
        assert await refused(client.auth_test()) == "token_revoked"

    async def test_a_message_is_kept_changed_and_deleted(
        self, slack: LoopbackSlack, client: AsyncWebClient
    ) -> None:
        """A post has one time stamp for life; the older contents stay in `edits`."""
        sent = await client.chat_postMessage(
            channel=slack.general.id,
            **CARD,
            metadata={"event_type": "wwc", "event_payload": {"k": "1"}},
        )
        await client.chat_update(channel=slack.general.id, ts=sent["ts"], text="changed", blocks=[])

        [post] = slack.posts
        assert (post.ts, post.text, post.blocks) == (sent["ts"], "changed", [])
        assert post.edits[0]["text"] == CARD["text"]
        assert post.metadata == {"event_type": "wwc", "event_payload": {"k": "1"}}
        await client.chat_delete(channel=slack.general.id, ts=sent["ts"])
        assert post.deleted
        gone = client.chat_update(channel=slack.general.id, ts=sent["ts"], text="x")
        assert await refused(gone) == "message_not_found"
        assert slack.violations == []

    async def test_posting_needs_a_place_and_a_permission(
        self, slack: LoopbackSlack, client: AsyncWebClient
    ) -> None:
        """Unknown, private, archived channels and missing scopes are told apart."""
        hidden = slack.add_channel(slack.team, "hidden", private=True, with_bot=False)
        public = slack.add_channel(slack.team, "public", with_bot=False)
        assert await refused(client.chat_postMessage(channel="C0", text="x")) == "channel_not_found"
        post = client.chat_postMessage(channel=hidden.id, text="x")
        assert await refused(post) == "channel_not_found"
        await client.chat_postMessage(channel=public.id, text="x")

        slack.grant(slack.team, frozenset({"chat:write"}))
        post = client.chat_postMessage(channel=public.id, text="x")
        assert await refused(post) == "not_in_channel"
        slack.general.is_archived = True
        post = client.chat_postMessage(channel=slack.general.id, text="x")
        assert await refused(post) == "is_archived"
        assert await refused(client.users_info(user=slack.team.bot_user)) == "missing_scope"

    async def test_people_and_places_are_described(
        self, slack: LoopbackSlack, client: AsyncWebClient, ana: User
    ) -> None:
        """users.info, team.info, bots.info, conversations.* show what was set up."""
        found = (await client.users_info(user=ana.id, include_locale=True))["user"]
        assert (found["tz"], found["locale"]) == ("America/Bogota", "es-LA")
        assert found["profile"]["email"] == ana.email
        assert (await client.team_info())["team"]["name"] == "Springfield"
        assert (await client.bots_info(bot=slack.team.bot_id))["bot"]["name"] == "wwc"
        info = await client.conversations_info(channel=slack.general.id)
        assert info["channel"]["is_member"]
        mine = await client.users_conversations(types="public_channel,private_channel")
        assert [channel["name"] for channel in mine["channels"]] == ["general"]

    async def test_workspaces_keep_their_people_apart(
        self, slack: LoopbackSlack, client: AsyncWebClient
    ) -> None:
        """The same local id names another person for another token, or nobody."""
        boston = slack.add_team("Boston")
        slack.add_user(slack.team, "ana", id="U1")
        slack.add_user(boston, "bo", id="U1", is_stranger=True, home_team="T9")
        slack.add_user(boston, "cy", id="U2")
        other = AsyncWebClient(boston.bot_token, base_url=slack.api_url, retry_handlers=[])
        assert (await client.users_info(user="U1"))["user"]["name"] == "ana"
        found = (await other.users_info(user="U1"))["user"]
        assert (found["name"], found["team_id"], found["is_stranger"]) == ("bo", "T9", True)
        assert await refused(client.users_info(user="U2")) == "user_not_found"

    async def test_a_direct_channel_is_opened_once(
        self, slack: LoopbackSlack, client: AsyncWebClient, ana: User
    ) -> None:
        """conversations.open gives the same channel each time, as does posting to the person."""
        first = (await client.conversations_open(users=[ana.id]))["channel"]["id"]
        sent = await client.chat_postMessage(channel=ana.id, text="hello")
        assert first == sent["channel"] == slack.dm_of(ana).id
        assert await refused(client.conversations_open(users=["U0"])) == "user_not_found"

    async def test_an_ephemeral_message_is_for_one_member(
        self, slack: LoopbackSlack, client: AsyncWebClient, ana: User
    ) -> None:
        """It needs the reader in the channel and never reaches the history."""
        await client.chat_postEphemeral(channel=slack.general.id, user=ana.id, text="only you")
        assert slack.posts[0].ephemeral_to == ana.id
        history = await client.conversations_history(channel=slack.general.id)
        assert history["messages"] == []
        wrong = client.chat_postEphemeral(channel=slack.general.id, user="U0", text="x")
        assert await refused(wrong) == "user_not_in_channel"

    async def test_history_lags_and_hides_metadata_unless_asked(
        self, slack: LoopbackSlack, client: AsyncWebClient
    ) -> None:
        """A reconciler has to wait for the index, and to ask for all metadata."""
        slack.lag = 3
        await client.chat_postMessage(
            channel=slack.general.id,
            text="x",
            metadata={"event_type": "wwc", "event_payload": {"key": "k"}},
        )
        read = client.conversations_history
        assert (await read(channel=slack.general.id))["messages"] == []
        slack.advance(3)
        [bare] = (await read(channel=slack.general.id))["messages"]
        [full] = (await read(channel=slack.general.id, include_all_metadata=True))["messages"]
        assert "metadata" not in bare
        assert full["metadata"]["event_payload"] == {"key": "k"}
        later = await read(channel=slack.general.id, oldest=bare["ts"])
        assert later["messages"] == []

    async def test_forms_json_and_tokens_in_the_body_are_all_understood(
        self, slack: LoopbackSlack
    ) -> None:
        """Slack takes a form with JSON texts inside, or JSON, and the token in either."""
        args = {"channel": slack.general.id, "text": "x", "token": slack.bot_token}
        form = args | {"blocks": json.dumps(CARD["blocks"])}
        async with aiohttp.ClientSession() as http:
            ways: list[Json] = [{"data": form}, {"json": args | {"blocks": CARD["blocks"]}}]
            for how in ways:
                async with http.post(slack.api_url + "chat.postMessage", **how) as answer:
                    assert (await answer.json())["ok"]
        first, second = slack.posts
        kinds = [block["type"] for block in first.blocks]
        assert kinds == [block["type"] for block in second.blocks] == ["section", "actions"]

    async def test_an_unknown_method_is_noticed(
        self, slack: LoopbackSlack, client: AsyncWebClient
    ) -> None:
        """A typing error in a method name fails the test that asserts no violations."""
        assert await refused(client.api_call("chat.postMassage")) == "unknown_method"
        assert slack.violations == ["chat.postMassage: unknown_method"]


class TestLimits:
    """What Slack refuses is refused and remembered."""

    @pytest.mark.parametrize(
        ("payload", "error"),
        [
            ({"text": ""}, "no_text"),
            ({"text": "x" * 4001}, "msg_too_long"),
            ({"text": "x", "blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
            ({"text": "x", "blocks": [{"type": "headline"}]}, "invalid_blocks"),
            (
                {"text": "x", "blocks": [{"type": "markdown", "text": "x" * 2900}] * 5},
                "msg_blocks_too_long",
            ),
        ],
    )
    async def test_a_message_beyond_the_limits(
        self, slack: LoopbackSlack, client: AsyncWebClient, payload: Json, error: str
    ) -> None:
        """The answer carries Slack's code, `violations` the place and the number."""
        sent = client.api_call("chat.postMessage", json={"channel": slack.general.id, **payload})
        assert await refused(sent) == error
        assert slack.violations[0].startswith(f"chat.postMessage: {error}: ")
        assert slack.posts == []

    async def test_blocks_without_a_text_are_accepted_but_noticed(
        self, slack: LoopbackSlack, client: AsyncWebClient
    ) -> None:
        """Slack posts them; a screen reader says nothing, so our tests do."""
        with pytest.warns(UserWarning, match="text"):
            await client.chat_postMessage(channel=slack.general.id, blocks=CARD["blocks"])
        assert slack.violations[0].startswith("chat.postMessage: advice: text")
        assert len(slack.posts) == 1


class TestRates:
    """Tiers, channels and the patience they ask for."""

    async def test_one_message_a_second_and_channel(
        self, slack: LoopbackSlack, client: AsyncWebClient
    ) -> None:
        """A burst passes, then 429; another channel is free; the early come in vain."""
        slack.rates = True
        other = slack.add_channel(slack.team, "other")
        for _ in range(3):
            await client.chat_postMessage(channel=slack.general.id, text="x")
        with pytest.raises(SlackApiError) as caught:
            await client.chat_postMessage(channel=slack.general.id, text="x")
        assert (caught.value.response.status_code, slack.early) == (429, 0)
        assert int(caught.value.response.headers["Retry-After"]) == 1
        await client.chat_postMessage(channel=other.id, text="x")

        post = client.chat_postMessage(channel=slack.general.id, text="x")
        assert await refused(post) == "ratelimited"
        assert slack.early == 1
        slack.advance(1)
        await client.chat_postMessage(channel=slack.general.id, text="x")

    async def test_history_of_a_distributed_app_is_scarce(
        self, slack: LoopbackSlack, client: AsyncWebClient
    ) -> None:
        """One request a minute; without the limits of 2025 there are fifty."""
        slack.rates = slack.commercial = True
        await client.conversations_history(channel=slack.general.id)
        again = client.conversations_history(channel=slack.general.id)
        assert await refused(again) == "ratelimited"
        slack.advance(60)
        await client.conversations_history(channel=slack.general.id)


class TestFaults:
    """Every way a request can fail, scripted."""

    @pytest.mark.parametrize(
        ("kind", "posted"),
        [("reset_before", 0), ("reset_after", 1)],
    )
    async def test_a_reset_tells_nothing_about_the_post(
        self, slack: LoopbackSlack, client: AsyncWebClient, kind: str, posted: int
    ) -> None:
        """The client sees the same broken connection whether or not Slack had posted."""
        slack.fault("chat.postMessage", kind=kind)
        with pytest.raises(aiohttp.ClientConnectionError):
            await client.chat_postMessage(channel=slack.general.id, text="x")
        assert len(slack.posts) == posted

    async def test_the_default_client_posts_twice_after_a_reset(self, slack: LoopbackSlack) -> None:
        """Why the bot's clients carry no connection-error handler."""
        careless = AsyncWebClient(slack.bot_token, base_url=slack.api_url)
        slack.fault("chat.postMessage", kind="reset_after")
        await careless.chat_postMessage(channel=slack.general.id, text="x")
        assert len(slack.posts) == 2

    @pytest.mark.parametrize("kind", ["500", "503", "empty", "html", "bad_json"])
    async def test_a_spoilt_answer_is_an_error_of_the_client(
        self, slack: LoopbackSlack, client: AsyncWebClient, kind: str
    ) -> None:
        """Nothing was posted, and the client never takes it for a yes."""
        slack.fault("chat.postMessage", kind=kind)
        with pytest.raises(SlackApiError):
            await client.chat_postMessage(channel=slack.general.id, text="x")
        assert slack.posts == []
        await client.chat_postMessage(channel=slack.general.id, text="x")

    async def test_the_nth_request_of_one_channel(
        self, slack: LoopbackSlack, client: AsyncWebClient
    ) -> None:
        """A fault waits for its turn and its arguments; errors are Slack's words."""
        other = slack.add_channel(slack.team, "other")
        slack.fault("chat.postMessage", 2, "error", where={"channel": other.id}, error="fatal")
        await client.chat_postMessage(channel=other.id, text="1")
        await client.chat_postMessage(channel=slack.general.id, text="2")
        assert await refused(client.chat_postMessage(channel=other.id, text="3")) == "fatal"
        await client.chat_postMessage(channel=other.id, text="4")

    async def test_a_scripted_429_holds_until_its_time(
        self, slack: LoopbackSlack, client: AsyncWebClient
    ) -> None:
        """The seconds are promised in the header and kept by the server."""
        slack.fault("chat.postMessage", kind="429", retry_after=30)
        with pytest.raises(SlackApiError) as caught:
            await client.chat_postMessage(channel=slack.general.id, text="x")
        assert caught.value.response.headers["Retry-After"] == "30"
        slack.advance(29)
        post = client.chat_postMessage(channel=slack.general.id, text="x")
        assert (await refused(post), slack.early) == ("ratelimited", 1)
        slack.advance(1)
        await client.chat_postMessage(channel=slack.general.id, text="x")

    async def test_a_late_answer_and_none_at_all(self, slack: LoopbackSlack) -> None:
        """`delay` answers after its seconds, `timeout` longer than the client waits."""
        hasty = AsyncWebClient(
            slack.bot_token, base_url=slack.api_url, retry_handlers=[], timeout=1
        )
        slack.fault("auth.test", 1, "delay", seconds=0.05)
        slack.fault("auth.test", 2, "timeout", seconds=5)
        assert (await hasty.auth_test())["ok"]
        with pytest.raises(TimeoutError):
            await hasty.auth_test()
