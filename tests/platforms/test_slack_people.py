"""What people do in the loopback Slack, seen by a tiny Bolt app over signed HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from tests.platforms.slack import CannotDoError, LoopbackSlack, User
from tests.platforms.slack_bot import FORM, PICKS, Bot, bolt, button, refused, serving

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


@pytest.fixture
async def bot(slack: LoopbackSlack, client: AsyncWebClient) -> AsyncIterator[Bot]:
    tiny = bolt(slack, client)
    async with serving(slack, tiny.app.web_app("/slack/events")):
        yield tiny


class TestPeople:
    """What people do, over signed HTTP."""

    async def test_a_command_is_answered_in_the_response(
        self, slack: LoopbackSlack, bot: Bot, ana: User
    ) -> None:
        """The card is there at once, for the person alone, and its button can be pressed."""
        act = await slack.command(ana, "/wwc", "card", slack.general)
        assert (act.status, act.card and act.card.ephemeral_to) == (200, ana.id)
        assert "Ana knows open data" in act.seen
        assert bot.heard[0]["channel_name"] == "general"

        pressed = await slack.press(ana, act, "Meet Ana")
        [action] = bot.heard[1]["actions"]
        assert (action["value"], action["action_id"]) == ("intro 42", "say")
        assert bot.heard[1]["container"]["is_ephemeral"]
        assert "message" not in bot.heard[1]
        assert [post.text for post in pressed.posts] == ["pressed"]
        assert (slack.violations, slack.missed_acks) == ([], 0)

    async def test_a_slow_command_replaces_its_first_answer(
        self, slack: LoopbackSlack, bot: Bot, ana: User
    ) -> None:
        """«one moment» turns into the card through the response URL."""
        act = await slack.command(ana, "/wwc", "later")
        texts = await slack.until(lambda: [p.text for p in slack.posts if "Ana" in p.text])
        assert texts == ["Ana knows open data"]
        assert act.ok

    async def test_a_response_url_wears_out(
        self, slack: LoopbackSlack, bot: Bot, ana: User
    ) -> None:
        """Five uses within thirty minutes, then 404."""
        await slack.command(ana, "/wwc", "nothing")
        url = bot.heard[0]["response_url"]
        async with aiohttp.ClientSession() as http:
            statuses = [(await http.post(url, json={"text": "x"})).status for _ in range(6)]
            assert statuses == [200] * 5 + [404]
            await slack.command(ana, "/wwc", "nothing")
            slack.advance(30 * 60 + 1)
            late = await http.post(bot.heard[1]["response_url"], json={"text": "x"})
            assert (late.status, await late.json()) == (404, {"ok": False, "error": "expired_url"})

    async def test_a_card_against_the_rules_is_not_shown(
        self, slack: LoopbackSlack, bot: Bot, ana: User
    ) -> None:
        """The person sees nothing, the test sees why."""
        act = await slack.command(ana, "/wwc", "broken")
        assert act.card is None
        assert slack.violations[0].startswith("answer to /wwc: invalid_blocks: blocks[0].text: 151")

    async def test_only_what_is_seen_can_be_pressed(
        self, slack: LoopbackSlack, bot: Bot, ana: User
    ) -> None:
        """Others do not see an ephemeral card, and there is no such button."""
        act = await slack.command(ana, "/wwc", "card")
        with pytest.raises(CannotDoError, match="does not see"):
            await slack.press(slack.add_user(slack.team, "ben"), act, "Meet Ana")
        with pytest.raises(CannotDoError, match="no 'Meet Ben'"):
            await slack.press(ana, act, "Meet Ben")

    async def test_a_form_is_opened_filled_and_sent(
        self, slack: LoopbackSlack, bot: Bot, ana: User
    ) -> None:
        """Every field arrives in the shape of its element, untouched ones at rest."""
        view = (await slack.command(ana, "/wwc", "form")).view
        assert view is not None
        offered = await slack.suggest(ana, view, "city", "Spring")
        assert [o["text"]["text"] for o in offered.options] == ["Spring City"]

        values = {"topic": "open data", "level": "Gold", "areas": ["gold"],
                  "city": offered.options[0]}  # fmt: skip
        sent = await slack.submit(ana, view, values)
        state = bot.heard[-1]["view"]["state"]["values"]
        assert state["topic"]["value"] == {"type": "plain_text_input", "value": "open data"}
        assert state["level"]["value"]["selected_option"] == PICKS[0]
        assert state["areas"]["value"]["selected_options"] == [PICKS[0]]
        assert state["city"]["value"]["selected_option"]["value"] == "c1"
        assert state["day"]["value"]["selected_date"] == "2026-03-01"
        assert (sent.action, view.closed, slack.violations) == (None, True, [])

    async def test_a_form_can_answer_with_errors_another_view_or_an_update(
        self, slack: LoopbackSlack, bot: Bot, ana: User
    ) -> None:
        """The three response actions, each leaving the screen as Slack would."""
        view = (await slack.command(ana, "/wwc", "form")).view
        assert view is not None
        wrong = await slack.submit(ana, view, {"topic": "wrong"})
        assert (wrong.errors, view.closed) == ({"topic": "no such topic"}, False)
        again = await slack.submit(ana, view, {"topic": "again"})
        assert (again.view, view.title) == (view, "Again")
        more = await slack.submit(ana, view, {"topic": "more"})
        assert more.view is not None
        assert more.view.previous == view.id

    async def test_slack_itself_refuses_an_incomplete_form(
        self, slack: LoopbackSlack, bot: Bot, ana: User
    ) -> None:
        """Empty required fields and too short texts never reach the bot."""
        view = (await slack.command(ana, "/wwc", "form")).view
        assert view is not None
        for values, why in (({}, "required"), ({"topic": "x"}, "characters"),
                            ({"topic": "xx", "level": "Bronze"}, "not offered")):  # fmt: skip
            with pytest.raises(CannotDoError, match=why):
                await slack.submit(ana, view, values)
        assert len(bot.heard) == 1

    async def test_a_trigger_opens_one_view_within_three_seconds(
        self, slack: LoopbackSlack, bot: Bot, client: AsyncWebClient, ana: User
    ) -> None:
        """Used, late and invented triggers have their own errors."""
        await slack.command(ana, "/wwc", "form")
        used = bot.heard[0]["trigger_id"]
        opened = client.views_open(trigger_id=used, view=FORM)
        assert await refused(opened) == "exchanged_trigger_id"
        await slack.command(ana, "/wwc", "nothing")
        slack.advance(3.1)
        late = client.views_open(trigger_id=bot.heard[1]["trigger_id"], view=FORM)
        assert await refused(late) == "expired_trigger_id"
        assert await refused(client.views_open(trigger_id="1.2", view=FORM)) == "invalid_trigger_id"

    async def test_a_view_is_updated_by_the_hash_it_was_read_with(
        self, slack: LoopbackSlack, bot: Bot, client: AsyncWebClient, ana: User
    ) -> None:
        """Two writers do not overwrite each other unseen."""
        view = (await slack.command(ana, "/wwc", "form")).view
        assert view is not None
        old = view.hash
        await client.views_update(view_id=view.id, view=FORM, hash=old)
        clash = client.views_update(view_id=view.id, view=FORM, hash=old)
        assert await refused(clash) == "hash_conflict"

    async def test_a_menu_in_a_message_tells_what_was_chosen(
        self, slack: LoopbackSlack, bot: Bot, client: AsyncWebClient, ana: User
    ) -> None:
        """The action carries the option; the message is quoted because everyone sees it."""
        menu = {"type": "static_select", "action_id": "pick", "options": PICKS}
        row = {"type": "actions", "elements": [menu]}
        await client.chat_postMessage(channel=slack.general.id, text="choose", blocks=[row])
        await slack.select(ana, slack.posts[0], "pick", "silver")
        body = bot.heard[0]
        assert body["actions"][0]["selected_option"] == PICKS[1]
        assert body["message"]["ts"] == slack.posts[0].ts

    async def test_the_home_tab_is_published_when_opened(
        self, slack: LoopbackSlack, bot: Bot, ana: User
    ) -> None:
        """The first opening has no view in the event, the second one has."""
        await slack.open_home(ana)
        await slack.until(lambda: ana in slack.homes)
        assert "Ana knows open data" in slack.homes[ana].text
        await slack.open_home(ana)
        await slack.until(lambda: len(bot.heard) == 2)
        assert ["view" in body["event"] for body in bot.heard] == [False, True]
        await slack.press(ana, slack.homes[ana], "Meet Ana")
        assert bot.heard[-1]["view"]["type"] == "home"

    async def test_words_to_the_bot_arrive_as_events(
        self, slack: LoopbackSlack, bot: Bot, ana: User
    ) -> None:
        """A direct message and a mention, each with its channel."""
        await slack.dm(ana, "who-does open data")
        await slack.mention(ana, slack.general, "help")
        await slack.until(lambda: len(bot.heard) == 2)
        first, second = (body["event"] for body in bot.heard)
        assert (first["channel_type"], first["text"]) == ("im", "who-does open data")
        assert second["text"] == f"<@{slack.team.bot_user}> help"

    async def test_reactions_are_told_to_whoever_may_read_them(
        self, slack: LoopbackSlack, bot: Bot, ana: User
    ) -> None:
        """Put once and taken once, by somebody who sees the message; without the scope, nothing."""
        post = slack.post(slack.dm_of(ana), slack.team.bot_user, {"text": "x"})
        await slack.react(ana, post, "+1")
        with pytest.raises(CannotDoError, match="already_reacted"):
            await slack.react(ana, post, "+1")
        await slack.react(ana, post, "+1", take=True)
        with pytest.raises(CannotDoError, match="no_reaction"):
            await slack.react(ana, post, "+1", take=True)
        with pytest.raises(CannotDoError, match="message_not_found"):
            await slack.react(slack.add_user(slack.team, "eve"), post, "+1")
        slack.grants[slack.bot_token].scopes = frozenset({"im:history"})
        await slack.react(ana, post, "eyes")

        await slack.until(lambda: len(bot.heard) == 2)
        events = [body["event"] for body in bot.heard]
        assert [event["type"] for event in events] == ["reaction_added", "reaction_removed"]
        assert events[0]["item"] == {"type": "message", "channel": post.channel, "ts": post.ts}
        assert (events[0]["user"], events[0]["item_user"]) == (ana.id, slack.team.bot_user)
        assert post.reactions == {(ana.id, "eyes")}

    async def test_duplicates_share_their_event_id(
        self, slack: LoopbackSlack, bot: Bot, ana: User
    ) -> None:
        """Redelivery repeats the event word for word, at once when asked."""
        act = await slack.dm(ana, "hello", redeliver=2, together=True)
        await slack.until(lambda: len(bot.heard) == 3)
        assert len({body["event_id"] for body in bot.heard}) == 1
        assert act.attempts == 3

    async def test_uninstalling_kills_the_token_and_says_so(
        self, slack: LoopbackSlack, bot: Bot, client: AsyncWebClient
    ) -> None:
        """Both events come, in the order the test wants; the token is dead before."""
        await slack.uninstall(slack.team, order=("tokens_revoked", "app_uninstalled"))
        await slack.until(lambda: len(bot.heard) == 2)
        kinds = [body["event"]["type"] for body in bot.heard]
        assert kinds == ["tokens_revoked", "app_uninstalled"]
        assert await refused(client.auth_test()) == "account_inactive"

    async def test_three_views_at_most_lie_on_each_other(
        self, slack: LoopbackSlack, bot: Bot, client: AsyncWebClient, ana: User
    ) -> None:
        """A button in a modal pushes the next one, until the stack is full."""
        view = (await slack.command(ana, "/wwc", "form")).view
        row = {"type": "actions", "elements": [button("Deeper")]}
        form = {**FORM, "blocks": [*FORM["blocks"], row]}
        assert view is not None
        await client.views_update(view_id=view.id, view=form)
        for _ in range(2):
            act = await slack.press(ana, view, "Deeper")
            await client.views_push(trigger_id=bot.heard[-1]["trigger_id"], view=form)
            assert act.view is not None
            view = act.view
        await slack.press(ana, view, "Deeper")
        push = client.views_push(trigger_id=bot.heard[-1]["trigger_id"], view=form)
        assert await refused(push) == "push_limit_reached"

    async def test_closing_a_form_is_told_when_the_form_asks_for_it(
        self, slack: LoopbackSlack, bot: Bot, client: AsyncWebClient, ana: User
    ) -> None:
        """Without notify_on_close the bot never hears of it."""
        silent = (await slack.command(ana, "/wwc", "form")).view
        told = (await slack.command(ana, "/wwc", "form")).view
        assert silent is not None
        assert told is not None
        await client.views_update(view_id=told.id, view={**FORM, "notify_on_close": True})
        await slack.dismiss(ana, silent)
        await slack.dismiss(ana, told)
        assert [body.get("type") for body in bot.heard] == [None, None, "view_closed"]
        with pytest.raises(CannotDoError, match="does not see"):
            await slack.submit(ana, told, {"topic": "late"})

    async def test_an_answer_to_a_press_is_lost(
        self, slack: LoopbackSlack, bot: Bot, client: AsyncWebClient, ana: User
    ) -> None:
        """Slack ignores the body of such an answer, so it counts as a fault of the bot."""

        async def chatty(ack: Any) -> None:
            await ack("you pressed")

        bot.app.action("chatty")(chatty)
        row = {"type": "actions", "elements": [button("Chat", action="chatty")]}
        await client.chat_postMessage(channel=slack.general.id, text="x", blocks=[row])
        act = await slack.press(ana, slack.posts[0], "Chat")
        assert act.posts == []
        assert slack.violations == ["block_actions: the answer has a body, which is ignored"]
