"""Cards in a terminal: everything is said, and nothing that people wrote steers the screen."""

import io

import pytest
from rich.console import Console

from bot.adapters.terminal import render
from bot.cards import (
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
    Note,
    Option,
    Part,
    Reply,
    Table,
    Text,
    Tone,
)
from tests.gallery import HOSTILE, card_of, form_of

STEERING = [chr(n) for n in (*range(10), *range(11, 32), 127, 0x9B, 0x202E, 0xD800)]


def printed(reply: Reply, width: int = 100, colours: bool = False) -> str:
    """What reaches a terminal that takes UTF-8, byte by byte."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="utf-8")
    Console(
        file=file,
        width=width,
        force_terminal=colours,
        color_system="truecolor" if colours else None,
        legacy_windows=False,
    ).print(render(reply))
    file.flush()
    return raw.getvalue().decode()


def lines(*parts: Part) -> list[str]:
    """The lines inside the frame, without the frame."""
    inside = printed(Card("T", parts)).splitlines()[1:-1]
    return [said for line in inside if (said := line.strip("│ "))]


# --- cards ------------------------------------------------------------------------------------


def test_title_and_footer_stand_in_the_frame() -> None:
    """Above and below what is said."""
    first, *_, last = printed(Card("Boston", (Text("Hello"),), footer="As of today")).splitlines()

    assert first.startswith("╭─ Boston ─")
    assert last.startswith("╰─ As of today ─")


@pytest.mark.parametrize(
    ("tone", "colour", "sign"),
    [("info", "34", "›"), ("good", "32", "✓"), ("warning", "33", "!"), ("bad", "31", "✗")],
)
def test_a_tone_is_a_colour_and_a_sign(tone: Tone, colour: str, sign: str) -> None:
    """The sign says the same to those who see no colours."""
    drawn = printed(Card("T", (Note("Saved", tone),), tone=tone), colours=True)

    assert drawn.startswith(f"\x1b[{colour}m╭─")
    assert f"\x1b[{colour}m{sign} Saved" in drawn


def test_small_print_is_dim() -> None:
    """And a paragraph is not."""
    drawn = printed(Card("T", (Text("small", quiet=True), Text("big"))), colours=True)

    assert "\x1b[2msmall" in drawn
    assert "\x1b[2mbig" not in drawn


def test_a_heading_stands_after_an_empty_line() -> None:
    """A divider is an empty line too."""
    inside = printed(Card("T", (Text("a"), Heading("b"), Divider(), Text("c")))).splitlines()

    assert [line.strip("│ ") for line in inside[2:-2]] == ["a", "", "b", "", "c"]


def test_facts_stand_in_columns() -> None:
    """The values begin below each other."""
    drawn = lines(Facts((Fact("Level", "Gold"), Fact("Population", "675,647"))))

    assert [line.split() for line in drawn] == [["Level", "Gold"], ["Population", "675,647"]]
    assert drawn[0].index("Gold") == drawn[1].index("675,647")


def test_an_entry_says_all_that_is_known() -> None:
    """Name, badge, lines, note, and what can be typed."""
    entry = Entry("Maya", ("Boston", "en, es"), "open", "Gold", (Button("Profile", "who-is 4"),))

    assert lines(entry) == ["Maya  Gold", "Boston", "en, es", "open", "[Profile]  /wwc who-is 4"]


def test_a_bare_entry_is_its_title() -> None:
    """No empty badge, no empty note."""
    assert lines(Entry("Open data")) == ["Open data"]


def test_a_table_has_its_columns_and_rows() -> None:
    """In order, with a rule below the names."""
    names, rule, *rows = lines(Table(("Topic", "People"), (("GIS", "3"), ("Open data", "12"))))

    assert names.split() == ["Topic", "People"]
    assert set(rule) == {"─"}
    assert [row.split("  ")[0] for row in rows] == ["GIS", "Open data"]


def test_bars_are_as_long_as_their_values() -> None:
    """The longest fills its room, half of it half; the number stands beside."""
    caption, *bars = lines(
        Bars("Met", (Bar("a", 50, "50 %"), Bar("b", 25, "25 %"), Bar("c", 0, "0")))
    )

    assert caption == "Met"
    assert [bar.count("█") for bar in bars] == [24, 12, 0]
    assert [bar.split("█")[-1].split()[-1] for bar in bars] == ["%", "%", "0"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), -3.0])
def test_an_odd_number_draws_no_bar_and_shortens_no_other(value: float) -> None:
    """It is only said."""
    _, odd, other = lines(Bars("c", (Bar("odd", value, "?"), Bar("other", 2, "2"))))

    assert odd.split() == ["odd", "?"]
    assert other.count("█") == 24


def test_bars_without_any_value_are_empty() -> None:
    """Neither zeros nor nothing at all is divided by."""
    assert lines(Bars("c", (Bar("a", 0, "0"), Bar("b", -1, "-1")))) == ["c", "a    0", "b    -1"]
    assert lines(Bars("c", ())) == ["c"]


def test_buttons_and_choices_show_what_to_type() -> None:
    """A terminal has nothing to press; a choice that says nothing is left out."""
    drawn = lines(
        Buttons((Button("Help", "help"),)),
        Choice("Where", (Option("Mexico", "who-does gis in:mexico"), Option("Nowhere", ""))),
    )

    assert drawn == [
        "[Help]  /wwc help",
        "Where",
        "[Mexico]  /wwc who-does gis in:mexico",
    ]


def test_a_choice_longer_than_a_command_is_still_shown() -> None:
    """An option may say more than a button can carry."""
    assert "/wwc who-does" in " ".join(lines(Choice("c", (Option("o", "who-does " + "x" * 200),))))


# --- forms ------------------------------------------------------------------------------------


def test_a_form_shows_values_problems_hints_and_options() -> None:
    """Options by their labels, required fields starred, and the command to type."""
    form = Form(
        "Your profile",
        "profile",
        (
            Input("title", "Title", ("Analyst",), required=True, hint="As on your card"),
            Input(
                "open", "Open", ("y", "?"), (Option("Yes", "y"), Option("No", "n")), problem="No!"
            ),
        ),
        intro="Colleagues find this.",
    )
    first, *inside = printed(form).splitlines()

    assert first.startswith("╭─ Your profile ─")
    assert [said for line in inside if (said := line.strip("│ ╰╯─"))] == [
        "Colleagues find this.",
        "Title *  Analyst",
        "As on your card",
        "Open  Yes, ?",
        "✗ No!",
        "Yes · No",
        "/wwc profile …",
    ]


def test_a_form_without_fields_says_its_command() -> None:
    """And no empty introduction."""
    assert "/wwc help …" in printed(Form("F", "help", ()))


# --- what people wrote ------------------------------------------------------------------------


@pytest.mark.parametrize("letter", STEERING, ids=ascii)
def test_no_letter_steers_the_terminal(letter: str) -> None:
    """Not in any part of a card or a form: no escape, no bell, no turned line."""
    for reply in (card_of(f"a{letter}[31mb"), form_of(f"a{letter}[31mb")):
        drawn = printed(reply)
        assert letter not in drawn
        assert "a [31mb" in drawn


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_printed_in_the_terminals_own_encoding(name: str) -> None:
    """Narrow or wide, it is drawn, and nothing of it is taken for a command of the terminal."""
    for reply in (card_of(HOSTILE[name]), form_of(HOSTILE[name])):
        for width in (30, 200):
            drawn = printed(reply, width)
            assert not any(letter in drawn for letter in STEERING)


def test_square_brackets_are_no_markup() -> None:
    """What looks like rich's own marks is text."""
    said = "[bold]x[/bold] [link=https://evil.example]y[/link] [/nothing]"

    assert lines(Text(said)) == [said]
    assert said in printed(Card(said))
