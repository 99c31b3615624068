"""Cards as data and as plain text: nothing that is on a card is missing from its text."""

import dataclasses
import json

import pytest
from hypothesis import given, settings

from bot.cards import (
    MAX_COMMAND_LENGTH,
    SLASH,
    Bar,
    Bars,
    Button,
    Buttons,
    Card,
    Choice,
    Divider,
    Entry,
    Fact,
    Facts,
    Form,
    Heading,
    Input,
    Link,
    Note,
    Option,
    Part,
    Reply,
    Table,
    Text,
    data,
    plain,
)
from tests.gallery import cards, forms
from tests.reading import sentences_of


@pytest.mark.parametrize("command", ["", "x" * (MAX_COMMAND_LENGTH + 1)])
def test_a_button_says_something_that_fits(command: str) -> None:
    """Discord's ids end at 100 characters; an empty press means nothing."""
    with pytest.raises(ValueError, match="1 to 100 characters"):
        Button("b", command)


def test_a_button_may_be_as_long_as_that() -> None:
    """The longest and the shortest."""
    assert len(Button("b", "x" * MAX_COMMAND_LENGTH).command) == MAX_COMMAND_LENGTH
    assert Button("b", "x").style == "normal"


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (Heading("People"), "T\n\nPeople\n"),
        (Text("Hello"), "T\nHello\n"),
        (Note("Saved", "good"), "T\nSaved\n"),
        (Facts((Fact("Level", "Gold"), Fact("Year", "2024"))), "T\nLevel: Gold\nYear: 2024\n"),
        (Entry("Maya"), "T\n\n• Maya\n"),
        (
            Entry("Maya", ("Boston",), "open", "Gold", (Button("See", "who-is 4"),)),
            "T\n\n• Maya [Gold]\n  Boston\n  open\n  → See: /wwc who-is 4\n",
        ),
        (Table(("a", "b"), (("1", "2"), ("3", "4"))), "T\na | b\n1 | 2\n3 | 4\n"),
        (Bars("Met", (Bar("a", 0.5, "50 %"),)), "T\nMet\na: 50 %\n"),
        (Buttons((Button("Help", "help"),)), "T\n→ Help: /wwc help\n"),
        (Choice("Where", (Option("Peru", "in:pe", "hint"),)), "T\nWhere:\n  Peru: /wwc in:pe\n"),
        (
            Link("Calendar file", "https://h.example/x.ics"),
            "T\n→ Calendar file: https://h.example/x.ics\n",
        ),
        (Divider(), "T\n"),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_each_part_in_words(part: Part, said: str) -> None:
    """As a screen reader reads it."""
    assert plain(Card("T", (part,))) == said


def test_the_footer_stands_apart() -> None:
    """At the end, after an empty line; without one there is none."""
    assert plain(Card("T", (Text("a"), Divider(), Text("b")), footer="f")) == "T\na\n\nb\n\nf\n"
    assert plain(Card("")) == "\n"


def test_a_form_in_words_shows_values_by_their_labels() -> None:
    """Stars, problems, hints, options, and how to say the same by typing."""
    form = Form(
        "Profile",
        "profile",
        (
            Input("job_title", "Title", ("Analyst",), required=True, hint="As on your card"),
            Input(
                "open", "Open", ("y", "?"), (Option("Yes", "y"), Option("No", "n")), problem="No!"
            ),
            Input("topics", "Topics"),
            Input("bio", "Bio"),
        ),
        intro="Colleagues find this.",
        submit="Save",
    )

    assert plain(form) == (
        "Profile\nColleagues find this.\n\n"
        "Title *: Analyst\n  As on your card\n\n"
        "Open: Yes, ?\n  ✗ No!\n  Yes · No\n\n"
        "Topics:\n\nBio:\n\n"
        "→ Save: /wwc profile job-title:… open:… topics:…\n"
    )


def test_a_form_without_fields_is_its_command() -> None:
    """And nothing after it."""
    assert plain(Form("F", "help", ())) == f"F\n\n→ OK: {SLASH} help\n"


def test_a_value_of_several_is_one_line() -> None:
    """As it would be typed."""
    assert Input("f", "F", ("a", "b")).text == "a, b"
    assert Input("f", "F").text == ""


def test_nobody_changes_a_card() -> None:
    """Cards are shared between renderers: frozen all the way down, and equal by what they say."""
    card = Card("T", (Entry("e", ("l",)), Facts((Fact("a", "b"),))))

    with pytest.raises(dataclasses.FrozenInstanceError):
        card.title = "other"  # type: ignore[misc] # this is what the test is about
    assert hash(card) == hash(Card("T", (Entry("e", ("l",)), Facts((Fact("a", "b"),)))))


def check(reply: Reply) -> None:
    """The text holds all that is said, and the data survives a trip through JSON."""
    text = plain(reply)
    missing = [said for said in sentences_of(reply) if said.strip() not in text]
    assert missing == []
    assert text.endswith("\n")
    assert not text[:1].isspace() or not text.strip()
    assert data(reply)["kind"] == reply.kind
    json.dumps(data(reply))


@pytest.mark.no_cover
@given(cards())
@settings(max_examples=60, deadline=None)
def test_the_text_of_any_card_is_complete(card: Card) -> None:
    """Every label and every sentence of it."""
    check(card)


@pytest.mark.no_cover
@given(forms())
@settings(max_examples=60, deadline=None)
def test_the_text_of_any_form_is_complete(form: Form) -> None:
    """Every label, problem, hint and option of it."""
    check(form)


@pytest.mark.parametrize(
    "address",
    ["", "/calendar/x.ics", "calendar/x.ics", "javascript:alert(1)", "ftp://h.example/x",
     "https://", "https://h.example/a b", "https://h.example/<x>", "https://h.example/\n",
     "https://h.example/" + "x" * 500],
)  # fmt: skip
def test_a_link_leads_to_a_whole_web_address(address: str) -> None:
    """Anything else is a fault of the program, seen where the card is made."""
    with pytest.raises(ValueError, match="whole http"):
        Link("Open", address)
