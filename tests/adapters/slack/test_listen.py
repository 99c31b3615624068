"""What people do in Slack, and what they see of it: the true adapter over real sockets."""

import asyncio
import contextlib
from functools import partial
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.adapters.base import DeliveryError, Destination
from bot.adapters.slack.listen import SlackAdapter
from bot.adapters.slack.people import ExpiringCache
from bot.cards import Card, Note
from bot.hub import Hub
from tests.adapters.slack.conftest import ASKED, LIST, Clock, ToldHub, adapter_of
from tests.platforms.slack import LoopbackSlack, User

MOMENT = ("Un momento…", "One moment…")
"""In Ana's own language, or in English while nothing is known of her."""

pytestmark = pytest.mark.usefixtures("adapter")


class TestCommands:
    """`/wwc …`"""

    async def test_the_card_is_in_the_response_for_the_asker_alone(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """One request, one answer, nobody else sees it."""
        act = await slack.command(ana, "/wwc", "who-does open data", slack.general)

        assert act.card
        assert act.card.ephemeral_to == ana.id
        assert "Ana Lima" in act.seen
        assert hub.asked[0].words == "who-does open data"
        assert (hub.asked[0].channel, hub.asked[0].direct) == (slack.general.id, False)
        assert [call.method for call in slack.calls] == ["users.info"]

    async def test_the_hub_learns_who_asks(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """Workspace, user, name, language and zone; asked of Slack once an hour."""
        for _ in range(2):
            await slack.command(ana, "/wwc", "help")
        sender = hub.asked[0].sender

        assert (sender.platform, sender.workspace, sender.user) == ("slack", slack.team.id, ana.id)
        assert (sender.name, sender.locale, sender.zone) == ("Ana", "es-LA", "America/Bogota")
        assert not sender.is_outsider
        assert hub.asked[0].direct
        assert len(slack.called("users.info")) == 1

    @pytest.mark.parametrize(
        "facts",
        [{"is_restricted": True}, {"is_stranger": True}, {"is_bot": True}, {"home_team": "T9"}],
    )
    async def test_guests_and_people_of_others_are_strangers(
        self, slack: LoopbackSlack, hub: ToldHub, facts: dict[str, Any]
    ) -> None:
        """A guest, a bot or somebody of another company gets public answers only."""
        guest = slack.add_user(slack.team, "guest", **facts)
        for _ in range(20):  # until Slack's own answer was in time: nobody waits for it
            await slack.command(guest, "/wwc", "help")
            if hub.asked[-1].sender.locale:
                break

        assert hub.asked[-1].sender.is_outsider
        assert hub.asked[-1].sender.workspace == facts.get("home_team", slack.team.id)

    async def test_slack_knowing_nobody_delays_nothing(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """Facts about people are nice to have: a failure or a slow answer costs only them."""
        slack.fault("users.info", kind="error", error="fatal_error")
        first = await slack.command(ana, "/wwc", "help")
        bea = slack.add_user(slack.team, "bea")
        slack.fault("users.info", kind="timeout", seconds=0.8)
        second = await slack.command(bea, "/wwc", "help")

        assert [first.status, second.status] == [200, 200]
        assert [r.sender.name for r in hub.asked] == ["ana", "bea"]
        assert hub.asked[0].sender.locale == ""

    async def test_public_answers_are_for_the_channel(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """A card that is not private is posted where the command was typed."""
        hub.answers["say"] = Card("Hello everybody", private=False)
        act = await slack.command(ana, "/wwc", "say", slack.general)

        assert act.card
        assert act.card.ephemeral_to is None

    async def test_words_survive_as_typed(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """Slack's escapes are undone; mentions come as ids; no word is special."""
        for words in (
            "find payload schema",
            "intro <@U0123ABC|bob> &amp; <#C1|general>",
            "share <https://a.gov/x|bank> <http://a.gov|a.gov> <mailto:a@b.gov|a@b.gov>",
            "&lt;!channel&gt; <!here> <!subteam^S1|@team>",
        ):
            await slack.command(ana, "/wwc", words)

        assert [r.words for r in hub.asked] == [
            "find payload schema",
            "intro <@U0123ABC> & #general",
            "share https://a.gov/x a.gov a@b.gov",
            "<!channel> @here @team",
        ]

    async def test_slow_answers_begin_with_one_moment(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """Slack is answered in time, and the card then takes the place of «one moment»."""
        hub.slow = 0.6
        act = await slack.command(ana, "/wwc", "who-does open data")
        assert act.card
        assert act.card.text in MOMENT

        await slack.until(lambda: "Ana Lima" in act.seen)
        assert not any(said in act.seen for said in MOMENT)

    async def test_slow_public_answers_leave_nothing_behind(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """A private «one moment» cannot become public: it goes, the card comes."""
        hub.slow, hub.answers["say"] = 0.6, Card("Hello everybody", private=False)
        act = await slack.command(ana, "/wwc", "say", slack.general)

        await slack.until(lambda: "Hello everybody" in act.seen)
        assert act.card
        assert act.card.deleted

    async def test_a_slow_form_takes_the_note_away(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """The window opens while the trigger is good, and «one moment» disappears."""
        hub.slow = 0.6
        act = await slack.command(ana, "/wwc", "profile")

        await slack.until(lambda: act.view and act.card and act.card.deleted)

    async def test_unheard_of_languages_do_not_cost_the_answer(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """With the database gone the adapter speaks the language Slack names."""
        hub.broken = True
        act = await slack.command(ana, "/wwc", "who-does x")

        assert "Ana Lima" in act.seen

    async def test_a_fault_is_said_kindly(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """No stack trace, no silence; a form stays open with what was typed."""
        form = await slack.command(ana, "/wwc", "profile")
        hub.faulty = True
        said = await slack.command(ana, "/wwc", "help")
        slack.delivery.pauses = (0.0, 0.0, 0.0)
        sent = await slack.submit(ana, form, {"title": "Data lead"})

        assert "Something went wrong" in said.seen
        assert sent.status == 503
        assert form.view
        assert not form.view.closed

    async def test_a_fault_behind_the_answer_harms_nothing(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """What goes on after «one moment» may fail; the next command works."""
        hub.slow, hub.faulty = 0.6, True
        await slack.command(ana, "/wwc", "help")
        await asyncio.sleep(0.4)
        hub.slow, hub.faulty = 0, False
        again = await slack.command(ana, "/wwc", "help")

        assert "You said help" in again.seen


class TestForms:
    """Windows to fill in."""

    async def test_a_form_opens_at_once(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """Words are missing: the window is there, nothing is posted."""
        act = await slack.command(ana, "/wwc", "profile", slack.general)

        assert act.view
        assert act.view.title == ASKED.title
        assert act.card is None

    async def test_a_filled_in_form_says_its_command(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """Every field is given by name, an empty one as empty; the answer is in the window."""
        act = await slack.command(ana, "/wwc", "profile", slack.general)
        sent = await slack.submit(ana, act, {"title": "Data lead"})

        assert hub.asked[-1].words == "profile"
        assert hub.asked[-1].values == {"title": ("Data lead",), "topics": ()}
        assert hub.asked[-1].from_form
        assert hub.asked[-1].channel == slack.general.id
        assert sent.action == "update"
        assert "Saved" in sent.seen

    async def test_problems_stand_beside_their_fields(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """What was typed stays where it is."""
        act = await slack.command(ana, "/wwc", "profile", slack.general)
        sent = await slack.submit(ana, act, {"title": "x"})

        assert sent.action == "errors"
        assert sent.errors == {"title": "Too short"}

    async def test_a_different_form_takes_the_window(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """A form that comes back without a problem, or with other fields, is drawn anew."""
        act = await slack.command(ana, "/wwc", "profile", slack.general)
        sent = await slack.submit(ana, act, {"title": "form"})

        assert sent.action == "update"
        assert sent.view
        assert sent.view.sent["callback_id"] == "form"

    async def test_a_public_answer_leaves_the_window(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """It belongs into the channel the form was opened from."""
        hub.answers["saved"] = Card("Posted for all", private=False)
        act = await slack.command(ana, "/wwc", "profile", slack.general)
        sent = await slack.submit(ana, act, {"title": "Data lead"})

        assert sent.action == "clear"
        post = await slack.until(lambda: [p for p in slack.posts if "Posted" in p.text])
        assert post[0].ephemeral_to is None

    async def test_a_slow_submission_waits_in_its_window(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """«One moment» first, the answer in the same window after."""
        act = await slack.command(ana, "/wwc", "profile", slack.general)
        hub.slow = 0.6
        sent = await slack.submit(ana, act, {"title": "Data lead"})
        assert sent.view
        assert sent.view.title == "One moment…"

        await slack.until(lambda: sent.view and sent.view.title == "Saved")

    async def test_a_form_that_cannot_open_becomes_a_button(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """Slack refuses the window: a button offers it again, with the words that led here."""
        slack.fault("views.open", kind="error", error="expired_trigger_id")
        act = await slack.command(ana, "/wwc", "profile me")
        assert act.card
        pressed = await slack.press(ana, act, "Fill in the form")

        assert hub.asked[-1].words == "profile me"
        assert pressed.view

    async def test_long_words_fall_back_to_the_command(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """A button holds a hundred characters."""
        slack.fault("views.open", kind="error", error="expired_trigger_id")
        act = await slack.command(ana, "/wwc", "profile " + "x" * 200)
        await slack.press(ana, act, "Fill in the form")

        assert hub.asked[-1].words == "profile"

    async def test_a_tampered_form_is_refused_kindly(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """A window whose origin is unreadable says how to go on; the hub hears nothing."""
        act = await slack.command(ana, "/wwc", "profile")
        assert act.view
        act.view.sent["private_metadata"] = "{"
        sent = await slack.submit(ana, act, {"title": "Data lead"})
        options = await slack.suggest(
            ana, await slack.command(ana, "/wwc", "profile"), "topics", ""
        )

        assert "open it again" in sent.seen
        assert len(options.options) == 0
        assert not any(request.from_form for request in hub.asked)

    async def test_completions_help_while_typing(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """The hub completes; what Slack cannot take is left out."""
        act = await slack.command(ana, "/wwc", "profile")
        typed = await slack.suggest(ana, act, "topics", "open")

        assert [o["value"] for o in typed.options] == ["open"]
        assert typed.options[0]["text"]["text"] == "profile topics open"

    async def test_slow_completions_are_none(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """Somebody types on; an empty list in time is better than the right one too late."""
        act = await slack.command(ana, "/wwc", "profile")
        hub.slow = 0.6
        typed = await slack.suggest(ana, act, "topics", "open")

        assert (typed.status, typed.options) == (200, [])


class TestButtons:
    """Buttons and menus."""

    async def test_a_button_says_its_command(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """The answer comes below, for the presser alone; the card stays."""
        act = await slack.command(ana, "/wwc", "who-does open data", slack.general)
        pressed = await slack.press(ana, act, "Introduce me")

        assert hub.asked[-1].words == "intro 42"
        assert pressed.posts[-1].ephemeral_to == ana.id
        assert "You said intro 42" in pressed.seen
        assert act.card
        assert not act.card.edits

    async def test_a_page_takes_the_place_of_the_page_before(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """Turning pages leaves no pile of them."""
        act = await slack.command(ana, "/wwc", "who-does open data", slack.general)
        await slack.press(ana, act, "More")

        assert act.card
        assert len(act.card.edits) == 1

    async def test_a_menu_says_its_option(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """Choosing is saying."""
        act = await slack.command(ana, "/wwc", "who-does open data", slack.general)
        await slack.select(ana, act, "say:3", "who-does ai")

        assert hub.asked[-1].words == "who-does ai"

    async def test_a_button_may_open_a_form(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """The press has a trigger of its own."""
        act = await slack.command(ana, "/wwc", "who-does open data", slack.general)
        pressed = await slack.press(ana, act, "Edit")

        assert pressed.view
        assert pressed.posts == []

    async def test_a_slow_button_answers_when_it_can(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """Slack gets its receipt in time, the person the card after."""
        act = await slack.command(ana, "/wwc", "who-does open data", slack.general)
        hub.slow = 0.6
        pressed = await slack.press(ana, act, "Introduce me")
        assert (pressed.status, pressed.posts) == (200, [])

        await slack.until(lambda: "You said" in pressed.seen)

    async def test_in_a_window_the_answer_takes_its_place(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """And a form lies on top of it, or takes its place where the pile is full."""
        hub.answers["saved"] = LIST
        act = await slack.command(ana, "/wwc", "profile", slack.general)
        window = (await slack.submit(ana, act, {"title": "Data lead"})).view
        assert window
        pushed = await slack.press(ana, window, "Edit")
        assert pushed.view
        assert pushed.view is not window

        await slack.dismiss(ana, pushed.view)
        slack.fault("views.push", kind="error", error="push_limit_reached")
        await slack.press(ana, window, "Edit")
        assert window.sent["callback_id"] == "form"
        await slack.submit(ana, window, {"title": "Data lead"})
        await slack.press(ana, window, "Introduce me")
        assert window.title == "You said intro 42"

    async def test_actions_of_unknown_make_are_ignored(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """A press without a command does nothing."""
        act = await slack.command(ana, "/wwc", "who-does open data", slack.general)
        assert act.card
        act.card.blocks[-2]["elements"][0]["value"] = ""
        pressed = await slack.press(ana, act, "Introduce me")

        assert pressed.status == 200
        assert len(hub.asked) == 1


class TestHome:
    """The Home tab."""

    async def test_opening_it_draws_it(self, slack: LoopbackSlack, hub: ToldHub, ana: User) -> None:
        """The tab shows the card of `home`; the messages tab needs nothing."""
        await slack.open_home(ana)
        await slack.open_home(ana, "messages")

        assert "Ana Lima" in slack.homes[ana].text
        assert [r.words for r in hub.asked] == ["home"]

    async def test_a_form_there_is_a_button(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """A tab cannot open a window by itself."""
        hub.answers["home"] = ASKED
        await slack.open_home(ana)

        assert "Fill in the form" in slack.homes[ana].text

    async def test_answers_open_in_a_window_and_the_tab_is_drawn_anew(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """A press in the tab has no message to answer below."""
        await slack.open_home(ana)
        pressed = await slack.press(ana, slack.homes[ana], "Introduce me")

        assert pressed.view
        assert pressed.view.title == "You said intro 42"
        assert len(slack.called("views.publish")) == 2

    async def test_slow_answers_wait_in_the_window(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """The window opens before the trigger is too old, the answer follows."""
        await slack.open_home(ana)
        hub.slow = 0.6
        pressed = await slack.press(ana, slack.homes[ana], "Introduce me")

        await slack.until(lambda: pressed.view and pressed.view.title == "You said intro 42")

    async def test_no_window_no_update(self, slack: LoopbackSlack, hub: ToldHub, ana: User) -> None:
        """If even «one moment» does not open, nothing is sent to nowhere."""
        await slack.open_home(ana)
        hub.slow = 0.6
        slack.fault("views.open", kind="error", error="expired_trigger_id")
        await slack.press(ana, slack.homes[ana], "Introduce me")

        await slack.until(lambda: len(slack.called("views.publish")) == 2)
        assert slack.called("views.update") == []

    async def test_what_was_saved_from_the_tab_shows_in_the_tab(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """After a form the tab is drawn anew."""
        await slack.open_home(ana)
        pressed = await slack.press(ana, slack.homes[ana], "Edit")
        await slack.submit(ana, pressed, {"title": "Data lead"})

        await slack.until(lambda: len(slack.called("views.publish")) == 3)


class TestTalking:
    """Direct messages and mentions."""

    async def test_a_direct_message_is_a_command(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """Typed to the bot itself, with or without the slash; threads stay threads."""
        top = slack.post(slack.dm_of(ana), ana.id, {"text": "x"})
        await slack.dm(ana, "who-does open data", thread=top)
        await slack.dm(ana, "/wwc help")

        assert [r.words for r in hub.asked] == ["who-does open data", "help"]
        assert hub.asked[0].direct
        answer = slack.posts[-3]
        assert (answer.thread_ts, answer.ephemeral_to) == (top.ts, None)
        assert "Ana Lima" in answer.readable

    async def test_a_form_in_a_message_is_a_button(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """No window opens unasked; the button opens it."""
        await slack.dm(ana, "profile")
        pressed = await slack.press(ana, slack.posts[-1], "Fill in the form")

        assert pressed.view

    async def test_a_mention_is_answered_to_the_asker_alone(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """The channel is spared; the bot's own name is not part of the question."""
        await slack.mention(ana, slack.general, "who-does <@U999>")

        assert hub.asked[0].words == "who-does <@U999>"
        assert slack.posts[-1].ephemeral_to == ana.id

    async def test_a_mention_may_stand_behind_the_question(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """People ask first and name whom they ask then; phones change the signs."""
        await slack.mention(ana, slack.general, f"who knows open data? <@{slack.team.bot_user}>")
        await slack.mention(ana, slack.general, "`/Wwc who–does gis`")

        assert hub.asked[0].words.strip() == "who knows open data?"
        assert hub.asked[1].words == "who–does gis"

    async def test_a_public_answer_to_a_mention_is_public(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """A card for all is posted for all."""
        hub.answers["say"] = Card("Hello", private=False)
        await slack.mention(ana, slack.general, "say")

        assert slack.posts[-1].ephemeral_to is None

    @pytest.mark.parametrize(
        "odd",
        [
            {"bot_id": "B1"},
            {"subtype": "message_changed"},
            {"edited": {"ts": "1"}},
            {"channel_type": "channel"},
            {"user": None},
        ],
    )
    async def test_bots_edits_and_noise_are_not_answered(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User, odd: dict[str, Any]
    ) -> None:
        """No loop, no answer to what nobody asked."""
        event = {"type": "message", "channel_type": "im", "user": ana.id, "text": "help"}
        act = await slack.event(slack.team, {**event, "channel": "D1", **odd})

        assert act.status == 200
        assert hub.asked == []

    async def test_an_event_told_again_is_answered_once(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """Slack repeats itself; the hub does not."""
        await slack.dm(ana, "help", redeliver=3, together=True)

        assert len(hub.asked) == 1

    async def test_somebody_of_another_company_is_a_stranger_in_a_shared_channel(
        self, slack: LoopbackSlack, hub: ToldHub
    ) -> None:
        """Their own workspace counts, not the one they are visiting."""
        eve = slack.add_user(slack.team, "eve", home_team="T777")
        await slack.mention(eve, slack.general, "help")

        sender = hub.asked[0].sender
        assert (sender.workspace, sender.is_outsider) == ("T777", True)

    async def test_an_answer_slack_refuses_costs_nothing_else(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """The event is acknowledged; what cannot be posted is not posted twice."""
        slack.fault("chat.postMessage", kind="reset_after")
        act = await slack.dm(ana, "help")

        assert act.status == 200
        assert len(slack.called("chat.postMessage")) == 1

    async def test_nothing_can_be_saved_so_slack_tells_again(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """An event is not lost while the database is away."""
        slack.delivery.pauses = (0.0, 0.0, 0.0)
        hub.broken = True
        act = await slack.dm(ana, "help")

        assert [reply.status for reply in act.replies] == [503] * 4
        assert hub.asked == []


class TestLateAnswers:
    """What follows an answer that came too late for the response itself."""

    async def test_a_response_url_is_used_once_and_waited_for(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """A lost answer is not repeated; a 429 is waited out."""
        act = await slack.command(ana, "/wwc", "who-does x", slack.general)
        slack.fault("response_url", kind="reset_after")
        await slack.press(ana, act, "Introduce me")
        slack.fault("response_url", kind="429", retry_after=0)
        await slack.press(ana, act, "Introduce me")
        slack.fault("response_url", kind="500")
        await slack.press(ana, act, "Introduce me")

        assert [p.text.strip() for p in slack.posts[1:]] == ["You said intro 42"] * 2


class TestInstallations:
    """Without an installation there is no one to answer."""

    async def test_an_unknown_workspace_is_not_answered(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """An event of a workspace the bot was taken out of is acknowledged and forgotten."""
        async with adapter_of(slack, hub, bot_token="") as adapter:
            act = await slack.dm(ana, "help")
            home = await slack.open_home(ana)
            command = await slack.command(ana, "/wwc", "profile")
            with pytest.raises(DeliveryError, match="not_installed"):
                await adapter.post(
                    Destination("slack", slack.team.id, channel="C1"), LIST, "en", ""
                )

        assert [act.status, home.status] == [200, 200]
        assert "Fill in the form" in command.seen
        assert [r.words for r in hub.asked] == ["profile"]

    async def test_a_single_workspace_that_leaves_is_known_to_have_left(
        self, slack: LoopbackSlack, hub: ToldHub
    ) -> None:
        """The operator's own token is not the hub's to delete."""
        await slack.uninstall(slack.team)

        assert set(hub.gone) == {("slack", slack.team.id)}


class TestSocketMode:
    """Without an address: Slack's events come through a socket."""

    async def test_everything_works_as_over_http(
        self, slack: LoopbackSlack, hub: ToldHub, ana: User
    ) -> None:
        """Commands, forms, buttons, completions, events; also after Slack asked to reconnect."""
        how = {"signing_secret": "", "app_token": slack.app_token}
        async with adapter_of(slack, hub, **how) as adapter:
            assert not adapter.is_ready()
            listening = asyncio.create_task(adapter.listen())
            await slack.until(lambda: slack.connections == 1)
            act = await slack.command(ana, "/wwc", "who-does open data", slack.general)
            assert act.card
            pressed = await slack.press(ana, act, "Edit")
            typed = await slack.suggest(ana, pressed, "topics", "open")
            sent = await slack.submit(ana, pressed, {"title": "x"})
            await slack.dm(ana, "help")
            await slack.event(slack.team, {"type": "unheard_of"})

            assert sent.errors == {"title": "Too short"}
            assert [o["value"] for o in typed.options] == ["open"]
            assert slack.posts[-1].user == slack.team.bot_user
            assert adapter.is_ready()

            await slack.disconnect_sockets()
            calls = partial(slack.called, "apps.connections.open")
            await slack.until(lambda: len(calls()) == 2 and slack.connections == 1)
            again = await slack.command(ana, "/wwc", "help")
            assert "You said help" in again.seen

            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening
            await slack.until(lambda: slack.connections == 0)

    async def test_a_refused_socket_is_said_and_tried_again(
        self, slack: LoopbackSlack, hub: ToldHub
    ) -> None:
        """A wrong app token does not end the process, and is not ready."""
        async with adapter_of(slack, hub, app_token="xapp-wrong") as adapter:
            listening = asyncio.create_task(adapter.listen())
            await slack.until(lambda: slack.called("apps.connections.open"))
            await asyncio.sleep(0.1)
            assert not adapter.is_ready()
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening

    async def test_over_http_listening_is_only_waiting(self, adapter: SlackAdapter) -> None:
        """Nobody to connect to; ready as soon as there is a signed door."""
        listening = asyncio.create_task(adapter.listen())
        await asyncio.sleep(0)

        assert adapter.is_ready()
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening


async def test_what_is_under_way_ends_with_the_process(
    slack: LoopbackSlack, hub: ToldHub, ana: User
) -> None:
    """A moment is given, then the answer is given up."""
    hub.slow = 60
    async with adapter_of(slack, hub, answer_timeout=0.05):
        act = await slack.command(ana, "/wwc", "help")

    assert act.card
    assert act.card.text in MOMENT


async def test_facts_about_people_are_asked_again_after_an_hour(
    slack: LoopbackSlack, hub: ToldHub, ana: User
) -> None:
    """A new name arrives; if Slack is silent then, the old one stays."""
    clock = Clock()
    async with adapter_of(slack, hub, clock=clock) as _:
        slack.delivery.clock = lambda: clock().timestamp()
        await slack.command(ana, "/wwc", "help")
        ana.real_name, clock.skipped = "Ana Ruiz", 3700
        slack.fault("users.info", kind="error", error="fatal_error")
        await slack.command(ana, "/wwc", "help")
        clock.skipped += 61
        await slack.command(ana, "/wwc", "help")

    assert [r.sender.name for r in hub.asked] == ["Ana", "Ana", "Ana Ruiz"]


async def test_people_are_called_by_their_full_names(slack: LoopbackSlack, hub: ToldHub) -> None:
    """A display name is often one word, from which no colleague knows who it is."""
    for display, real, called in (
        ("cy", "Cy Ito", "Cy Ito"), ("Jo R.", "", "Jo R."), ("", "Lu Ocampo ", "Lu Ocampo"),
    ):  # fmt: skip
        somebody = slack.add_user(slack.team, display, real_name=real)
        await slack.command(somebody, "/wwc", "help")
        assert hub.asked[-1].sender.name == called


async def test_languages_come_from_the_hub(slack: LoopbackSlack, hub: ToldHub, ana: User) -> None:
    """The adapter's own words are in the language the person reads."""
    hub.speaks, hub.answers["warn"] = "es", Card("Aviso", (Note("Cuidado", "warning"),))
    act = await slack.command(ana, "/wwc", "warn")

    assert "Cuidado" in act.seen


def test_what_is_kept_of_people_is_bounded() -> None:
    """The one asked for longest ago goes first."""
    kept: ExpiringCache[str] = ExpiringCache(lambda: 0.0, most=2)
    for key in ("a", "b"):
        kept.add(("T1", key), key, 10)
    assert kept.get(("T1", "a")) == "a"
    kept.add(("T1", "c"), "c", 10)

    assert [kept.get(("T1", key)) for key in ("a", "b", "c")] == ["a", None, "c"]


async def test_an_answer_that_the_socket_cannot_carry_is_dropped(
    slack: LoopbackSlack, hub: ToldHub, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection went away meanwhile: Slack sends the envelope again."""

    async def gone(*_: Any) -> None:
        raise ConnectionError

    async with adapter_of(slack, hub, signing_secret="", app_token=slack.app_token) as adapter:
        monkeypatch.setattr("bot.adapters.slack.listen.send_async_response", gone)
        slack.delivery.deadline = 0.3
        listening = asyncio.create_task(adapter.listen())
        await slack.until(lambda: slack.connections == 1)
        await slack.command(ana, "/wwc", "help")
        await slack.delivery.send("interaction", {"type": "block_actions", "team": 5})
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening

    assert [r.words for r in hub.asked] == ["help"]


async def test_the_true_hub_answers(slack: LoopbackSlack, ana: User, engine: AsyncEngine) -> None:
    """From the keyboard to the database and back, in one response."""
    admins = frozenset({f"slack:{slack.team.id}:{ana.id}"})
    async with adapter_of(slack, Hub(engine, admins=admins), answer_timeout=5.0):
        told = await slack.command(ana, "/wwc", "help")
        asked = await slack.command(ana, "/wwc", "who-does")
        typed = await slack.suggest(ana, asked, "topic", "open d")
        await slack.open_home(ana)
        await slack.dm(ana, "topics")

    assert told.card
    assert "/wwc" in told.seen
    assert asked.view
    assert typed.options
    assert slack.homes[ana].text
    assert slack.posts[-1].user == slack.team.bot_user
    assert (slack.violations, slack.pings, slack.missed_acks) == ([], [], 0)
