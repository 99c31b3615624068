"""Forms over sockets: modals, their problems, and forms too long for one of them."""

from typing import Any

from bot.adapters.discord.drafts import FormDrafts
from bot.cards import Card, Form, Input
from bot.i18n import translator
from tests.adapters.discord.fake import form_for
from tests.adapters.discord.stage import SLOW, Stage
from tests.platforms.discord import text_of

# --- forms ------------------------------------------------------------------------------------


async def test_problems_come_back_as_a_card_that_reopens_the_form(stage: Stage) -> None:
    """A modal cannot follow a modal; everything typed is in it again."""
    wrong = form_for("who-does", {"topic": ("x",), "most": ("many",)}, most="A number, please.")
    stage.set_replies(form_for("who-does"), wrong, Card("Done"))
    modal = await stage.discord.slash(stage.ada, "wwc home")
    problems = await stage.discord.submit(stage.ada, modal, {"topic": "x", "most": "many"})

    again = await stage.discord.press(stage.ada, problems, "Try again")
    done = await stage.discord.submit(stage.ada, again, {"most": "3"})

    assert "A number, please." in text_of(problems)
    assert problems.ephemeral
    assert again.modal["components"][0]["component"]["value"] == "many"
    assert text_of(done) == "## Done"
    assert stage.request.values["most"] == ("3",)
    assert stage.request.values["topic"] == ("x",)


async def test_after_a_restart_a_form_opens_anew(stage: Stage) -> None:
    """Its button says the command; only what was typed is gone."""
    stage.hub.delay = SLOW
    stage.set_replies(form_for("who-does", {"topic": ("x",)}))
    answer = await stage.discord.slash(stage.ada, "wwc home")
    card = await answer.edited()
    stage.hub.delay = 0
    stage.adapter._interactions.forms.drafts = FormDrafts()

    modal = await stage.discord.press(stage.ada, card, "Open the form")

    assert stage.hub.forms[-1].words == "who-does"
    stage.adapter._interactions.forms.drafts = FormDrafts()
    await stage.discord.submit(stage.ada, modal, {"topic": "a, b"})
    assert stage.request.words == "who-does"
    assert stage.request.values["topic"] == ("a, b",)


async def test_a_form_of_somebody_else_opens_empty(stage: Stage) -> None:
    """A draft belongs to one person, whoever presses."""
    bo = stage.discord.add_user("bo", guild=stage.guild)
    stage.hub.delay = SLOW
    stage.set_replies(form_for("who-does", {"topic": ("secret",)}))
    card = await (await stage.discord.slash(stage.ada, "wwc home")).edited()
    stage.hub.delay = 0
    card.private_to = None

    modal = await stage.discord.press(bo, card, "Open the form")

    assert "value" not in modal.modal["components"][0]["component"]


async def test_a_long_form_of_independent_fields_is_saved_five_at_a_time(stage: Stage) -> None:
    """The answer offers the rest, which is sent by itself: nothing happens twice."""
    stage.set_replies(form_for("profile"), Card("Saved"))
    modal = await stage.discord.slash(stage.ada, "wwc profile")
    saved = await stage.discord.submit(stage.ada, modal, {"a": "1"})

    rest = await stage.discord.press(stage.ada, saved, "Continue (2 of 2)")
    await stage.discord.submit(stage.ada, rest, {"f": "6", "areas": ["open-data"]})

    assert text_of(saved).startswith("## Saved")
    assert modal.modal["title"] == "Change your profile (1/2)"
    assert stage.request.values == {"f": ("6",), "areas": ("open-data",)}
    assert stage.request.from_form


async def test_a_long_form_that_needs_its_fields_is_sent_when_it_is_whole(stage: Stage) -> None:
    """Part by part, or earlier by its own button; the hub hears of it once."""
    stage.set_replies(form_for("plan"), Card("Planned"))
    modal = await stage.discord.slash(stage.ada, "wwc plan", {"a": "x"})
    before = len(stage.hub.asked)
    kept = await stage.discord.submit(stage.ada, modal, {"a": "1", "b": "2"})
    rest = await stage.discord.press(stage.ada, kept, "Continue (2 of 2)")
    done = await stage.discord.submit(stage.ada, rest, {"f": "6"})

    assert "Nothing is sent yet" in text_of(kept)
    assert len(stage.hub.asked) == before + 1
    assert text_of(done) == "## Planned"
    assert stage.request.values == {
        "a": ("1",), "b": ("2",), "c": (), "d": (), "e": (), "f": ("6",),
    }  # fmt: skip

    sent = await stage.discord.press(stage.ada, kept, "Go")
    assert text_of(sent) == "## Planned"
    assert "f" not in stage.request.values
    assert stage.request.from_form
    stage.adapter._interactions.forms.drafts = FormDrafts()
    anew = await stage.discord.press(stage.ada, kept, "Go")
    assert anew.modal["title"].startswith("Plan a session")
    rest = await stage.discord.press(stage.ada, kept, "Continue (2 of 2)")
    assert rest.modal["components"][0]["component"]["custom_id"] == "f"


async def test_the_rest_of_a_form_after_a_restart(stage: Stage) -> None:
    """What is filled in goes to the hub at once; the button still knows what comes next."""
    stage.set_replies(form_for("profile"), Card("Saved"))
    modal = await stage.discord.slash(stage.ada, "wwc profile")
    stage.adapter._interactions.forms.drafts = FormDrafts()

    saved = await stage.discord.submit(stage.ada, modal, {"a": "1"})

    [button] = _buttons(saved.message.components)
    assert button["custom_id"] == "profile\nopen:2:2:"
    assert button["label"] == translator("pt")("Continue ({part} of {of})", part=2, of=2)


async def test_a_form_nobody_remembers_says_so(stage: Stage) -> None:
    """When its command was too long to stand in the id."""
    long = "who-does " + "x" * 85
    stage.set_replies(Form("F", long, (Input("topic", "Topic"),)))
    modal = await stage.discord.slash(stage.ada, "wwc home")
    stage.adapter._interactions.forms.drafts = FormDrafts()

    gone = await stage.discord.submit(stage.ada, modal, {"topic": "x"})
    stage.set_replies(Form("F", long, (Input("topic", "Topic"),)))
    sent = await stage.post_message(stage.direct, Form("F", long, (), intro="Please"))
    pressed = await stage.discord.press(stage.ada, sent, "Open the form")

    assert "form is gone" in text_of(gone)
    assert "form is gone" in text_of(pressed)


async def test_reopening_a_form_may_be_slow_or_lead_elsewhere(stage: Stage) -> None:
    """Then a button follows; and a verb that is gone is answered by the hub."""
    sent = await stage.post_message(stage.direct, form_for("who-does"))
    gone = await stage.post_message(stage.direct, Form("F", "gone", ()))
    stage.set_replies(Card("No such command"))

    answer = await stage.discord.press(stage.ada, gone, "Open the form")
    stage.hub.delay = SLOW
    slow = await stage.discord.press(stage.ada, sent, "Open the form")

    assert text_of(answer) == "## No such command"
    assert "Open the form" in text_of(await slow.edited())


def _buttons(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    inside = [c for box in components for c in box["components"] if c["type"] == 1]
    return [button for row in inside for button in row["components"] if button["type"] == 2]
