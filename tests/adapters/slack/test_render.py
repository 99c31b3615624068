"""Cards and forms as Slack shows them."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.adapters.slack import render
from bot.adapters.slack.forms import Origin, field_errors, parse_values
from bot.adapters.slack.render import form
from bot.adapters.slack.text import chunks, escape_text, shorten
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
    Link,
    Note,
    Option,
    Part,
    Table,
    Text,
    Tone,
)
from bot.domain.characters import utf16_length
from bot.i18n import translator
from tests.platforms.slack_limits import problems_of_message, problems_of_view
from tests.platforms.slack_mentions import mentions_of
from tests.platforms.slack_world import texts_of

T = translator("en")
Json = dict[str, Any]
FULL = "There's more than fits here; a narrower search shows the rest."


def drawn(*parts: Part, **card: Any) -> list[Json]:
    """The blocks of a message below its title."""
    message = render.message(Card("Title", parts, **card), T)
    assert problems_of_message(message) == []
    return list(message["blocks"][1:])


def readable(blocks: Any) -> str:
    """All letters on the screen."""
    return "\n".join(texts_of(blocks))


# --- cards ------------------------------------------------------------------------------------


def test_title_is_a_header_and_text_is_complete() -> None:
    """The title stands large; the notification text holds the whole card."""
    card = Card("Who does", (Text("Two people"),), footer="Updated today")
    message = render.message(card, T)

    assert message["blocks"][0]["type"] == "header"
    assert message["text"] == "Who does\nTwo people\n\nUpdated today"


@pytest.mark.parametrize(
    ("tone", "begins"), [("info", "T"), ("good", "✅ T"), ("warning", "⚠️ T"), ("bad", "⛔ T")]
)
def test_tone_marks_the_title(tone: Tone, begins: str) -> None:
    """A success or a failure is seen at the first glance."""
    message = render.message(Card("T", tone=tone), T)

    assert message["blocks"][0]["text"]["text"] == begins


def test_note_says_the_tone_instead_of_the_title() -> None:
    """Two warning signs would be one too many."""
    message = render.message(Card("T", (Note("Careful", "warning"),), tone="warning"), T)

    assert message["blocks"][0]["text"]["text"] == "T"
    assert {"type": "emoji", "name": "warning"} in message["blocks"][1]["elements"][0]["elements"]


def test_card_without_title_has_no_header() -> None:
    """Slack takes no empty header, and a message without any text either."""
    message = render.message(Card(" "), T)

    assert message == {"text": "–", "blocks": []}


def test_entry_is_a_bold_name_with_lines_badge_and_note() -> None:
    """A person looks like a person: name, badge, lines, a reason in italics, buttons."""
    entry = Entry(
        "Ana Lima",
        ("City of Recife", " "),
        "answered twice",
        "lead",
        (Button("Introduce me", "intro 42", "primary"), Button("Never", "never 42", "danger")),
    )
    text, row = drawn(entry)

    assert text["elements"][0]["elements"] == [
        {"type": "text", "text": "Ana Lima", "style": {"bold": True}},
        {"type": "text", "text": "  "},
        {"type": "text", "text": "lead", "style": {"code": True}},
        {"type": "text", "text": "\nCity of Recife"},
        {"type": "text", "text": "\nanswered twice", "style": {"italic": True}},
    ]
    assert [(b["value"], b["style"]) for b in row["elements"]] == [
        ("intro 42", "primary"),
        ("never 42", "danger"),
    ]


def test_bare_entries_become_one_list() -> None:
    """Twenty topics are a list with dots, not twenty paragraphs."""
    blocks = drawn(*(Entry(f"Topic {n}") for n in range(23)), Entry("Last", ("more",)))

    assert [len(b["elements"][0]["elements"]) for b in blocks[:2]] == [20, 3]
    assert blocks[0]["elements"][0]["type"] == "rich_text_list"
    assert blocks[2]["elements"][0]["type"] == "rich_text_section"


def test_facts_stand_in_two_columns_ten_to_a_section() -> None:
    """Labels are bold, ten facts fill a section."""
    one, two = drawn(Facts(tuple(Fact(f"Label {n}", "value") for n in range(12))))

    assert (len(one["fields"]), len(two["fields"])) == (10, 2)
    assert one["fields"][0] == {"type": "mrkdwn", "text": "*Label 0*\nvalue", "verbatim": True}


@pytest.mark.parametrize(
    "typed", ["<!here>", "a*b", "snake_case", "~no~", "`code`", "R&D", ":tada:", "back\\slash"]
)
def test_facts_never_format_what_people_typed(typed: str) -> None:
    """A value with Slack's markup in it is shown letter by letter."""
    (section,) = drawn(Facts((Fact("Topic", typed),)))

    assert section["fields"] == [{"type": "plain_text", "text": f"Topic\n{typed}", "emoji": False}]


def test_empty_values_are_dashes() -> None:
    """Slack refuses empty texts; an unknown value shows as a dash."""
    (section,) = drawn(Facts((Fact("", ""),)))

    assert section["fields"][0]["text"] == "*–*\n–"


def test_table_is_native_with_numbers_to_the_right() -> None:
    """The first table of a message is Slack's own; numbers stand at the right."""
    table = Table(("City", "Score"), (("Recife", "71 %"), ("", "8")))
    (block,) = drawn(table)

    assert block["type"] == "table"
    assert block["column_settings"] == [{"is_wrapped": True}, {"align": "right"}]
    assert block["rows"][2][0] == {"type": "raw_text", "text": "–"}


def test_second_table_is_drawn_in_letters_of_one_width() -> None:
    """Slack takes one table in a message; the next one stays readable."""
    table = Table(("City", "Score"), (("São Paulo", "7"), ("東京", "80")))
    _, second = drawn(table, table)
    text = second["elements"][0]["elements"][0]["text"]

    assert text == "City       Score\n─────────  ─────\nSão Paulo  7\n東京       80"


@pytest.mark.parametrize(
    "table",
    [
        Table(tuple(f"c{n}" for n in range(21)), (("x",) * 21,)),
        Table(("n",), (("x",),) * 100),
        Table(("n",), (("x" * 500,),) * 20),
    ],
)
def test_table_too_big_for_slack_falls_back(table: Table) -> None:
    """Too many columns, rows or letters: columns of one width instead."""
    block = drawn(table)[0]

    assert block["elements"][0]["type"] == "rich_text_preformatted"


def test_long_table_says_that_there_is_more() -> None:
    """Rows that have no room are not dropped in silence."""
    block, says = drawn(Table(("n",), tuple((f"row {n} " + "x" * 30,) for n in range(300))))

    assert "row 99" in readable(block)
    assert "row 299" not in readable(block)
    assert readable(says) == FULL


def test_bars_show_blocks_and_numbers() -> None:
    """The longest bar fills the width, nothing is an empty bar, little is never nothing."""
    bars = Bars(
        "Scores",
        (Bar("Data", 80, "80 %"), Bar("AI", 0, "0 %"), Bar("X", 1, "1"), Bar("?", -5, "–")),
    )
    (block,) = drawn(bars)
    lines = block["elements"][1]["elements"][0]["text"].splitlines()

    assert lines == [
        "Data  ████████████  80 %",
        "AI    ░░░░░░░░░░░░  0 %",
        "X     █░░░░░░░░░░░  1",
        "?     ░░░░░░░░░░░░  –",
    ]


def test_bars_without_sense_are_still_a_chart() -> None:
    """No bars, or a value that is no number, breaks nothing."""
    odd = drawn(Bars("", (Bar("a", float("nan"), "?"), Bar("b", float("inf"), "∞"))))
    none = drawn(Bars("None", ()))

    assert "a  ░░░░░░░░░░░░  ?" in readable(odd)
    assert readable(none) == "None\n–"


def test_choice_is_a_menu_that_says_commands() -> None:
    """An option's value is the command; what cannot be said in Slack is left out and told."""
    choice = Choice("Pick", (Option("A", "city 1", "big"), Option("", "b"), Option("C", "c" * 151)))
    block, says = drawn(choice)

    menu = block["elements"][0]
    assert [o["value"] for o in menu["options"]] == ["city 1", "b"]
    assert menu["options"][0]["description"]["text"] == "big"
    assert menu["options"][1]["text"]["text"] == "b"
    assert readable(says) == FULL
    assert drawn(Choice("None", ())) == []


def test_paragraphs_headings_quiet_text_and_footer() -> None:
    """Text is rich text, small print is context, headings are headers."""
    blocks = drawn(Heading("Part"), Text("Body"), Text("Small", quiet=True), footer="End")

    assert [b["type"] for b in blocks] == ["header", "rich_text", "context", "context"]


def test_dividers_part_something() -> None:
    """No line at the end, none twice."""
    blocks = drawn(Text("a"), Divider(), Divider(), Text("b"), Divider())

    assert [b["type"] for b in blocks] == ["rich_text", "divider", "rich_text"]
    assert render.message(Card("", (Divider(), Text("a"))), T)["blocks"][0]["type"] == "rich_text"


def test_buttons_fill_rows_and_are_unique() -> None:
    """Twenty-five to a row; every press has a name of its own; no label shows the command."""
    buttons = tuple(Button(" " if n == 0 else f"B{n}", f"go {n}") for n in range(27))
    rows = drawn(Buttons(buttons))
    names = [b["action_id"] for row in rows for b in row["elements"]]

    assert [len(row["elements"]) for row in rows] == [25, 2]
    assert len(set(names)) == 27
    assert rows[0]["elements"][0]["text"]["text"] == "go 0"


def test_what_does_not_fit_is_said_and_buttons_stay() -> None:
    """Sixty people are more than a message; the paging buttons at its end survive."""
    people = [
        Entry(f"Person {n}", ("line",), buttons=(Button("Go", f"go {n}"),)) for n in range(60)
    ]
    blocks = drawn(*people, Buttons((Button("Next", "page 2"),)), footer="Footer")

    assert len(blocks) <= 49
    assert readable(blocks[-3:]).splitlines() == ["Next", FULL, "Footer"]
    assert "Person 0" in readable(blocks)
    assert "Person 59" not in readable(blocks)


def test_too_many_buttons_are_cut_too() -> None:
    """Even what is kept as long as possible ends somewhere."""
    buttons = tuple(Button("x" * 75, "y" * 100) for _ in range(100))
    blocks = drawn(Buttons(buttons), Text("after"))

    assert readable(blocks[-1]) == FULL


def test_what_nobody_can_see_is_left_out() -> None:
    """Slack refuses empty texts, also those that only look empty."""
    unseen = Entry("\x1b", ("\x00",), "\x1b", "\ud800", (Button("\x1b", "go"),))
    text, row = drawn(unseen, Text("\x1b"), footer="\x1b")

    assert readable([text, row]) == "–\ngo"
    assert render.message(Card("", footer="\x1b"), T) == {"text": "–", "blocks": []}


def test_long_text_is_split_between_words() -> None:
    """A long text is several paragraphs, nothing of it lost."""
    words = "word " * 1500
    blocks = drawn(Text(words))

    assert len(blocks) == 3
    assert readable(blocks).split() == words.split()


def test_home_and_modal_are_views() -> None:
    """The same card as Home tab and as modal; a short note is an alert in the modal."""
    card = Card(
        "A title of more than twenty-four letters",
        (Note("Saved", "good"), Note("x" * 250), Table(("a",), (("b",),))),
    )
    home, modal = render.home(card, T), render.modal(card, T, Origin(channel="C1"))

    assert problems_of_view(home) == []
    assert problems_of_view(modal) == []
    assert modal["blocks"][1] | {"text": ""} == {"type": "alert", "level": "success", "text": ""}
    assert modal["blocks"][2]["type"] == "rich_text"
    assert modal["private_metadata"] == '{"channel":"C1"}'
    assert "A title of more than twenty-four letters" in readable(home["blocks"])


# --- forms ------------------------------------------------------------------------------------

FEW = (Option("Gold", "gold"), Option("Silver", "silver", "second"))
MANY = tuple(Option(f"City {n}", f"city-{n}") for n in range(12))


def opened(*inputs: Input, **how: Any) -> list[Json]:
    """The blocks of a modal."""
    view = form(Form("Title", "profile", inputs, **how), T, Origin("profile"))
    assert problems_of_view(view) == []
    return list(view["blocks"])


@pytest.mark.parametrize(
    ("given", "element"),
    [
        (Input("x", "X"), "plain_text_input"),
        (Input("x", "X", options=FEW, required=True), "radio_buttons"),
        (Input("x", "X", options=FEW), "static_select"),
        (Input("x", "X", options=MANY, required=True), "static_select"),
        (Input("x", "X", options=FEW, many=True), "checkboxes"),
        (Input("x", "X", options=MANY, many=True), "multi_static_select"),
        (Input("x", "X", suggests="topic"), "external_select"),
        (Input("x", "X", suggests="topic", many=True), "multi_external_select"),
        (Input("x", "X", ("y" * 151,), suggests="topic"), "plain_text_input"),
        (Input("x", "X", options=(Option("Too long", "z" * 151),)), "plain_text_input"),
    ],
)
def test_each_field_has_the_input_that_suits_it(given: Input, element: str) -> None:
    """Few choices lie open, many hide in a menu, suggestions are asked for, the rest is typed."""
    assert opened(given)[0]["element"]["type"] == element


def test_fields_are_filled_with_what_is_known() -> None:
    """A form opens with the values there are."""
    blocks = opened(
        Input("a", "A", ("one", "two"), many=True),
        Input("b", "B", ("gold",), options=FEW, required=True),
        Input("c", "C", ("gold", "silver", "tin"), options=FEW, many=True),
        Input("d", "D", ("open data",), suggests="topic"),
        Input("e", "E", ("x", "y"), suggests="topic", many=True),
        Input("f", "F", ("line\nline",), long=True),
        Input("g", "G", ("line\nline",)),
    )
    elements = [block["element"] for block in blocks]

    assert elements[0]["initial_value"] == "one, two"
    assert elements[1]["initial_option"]["value"] == "gold"
    assert [o["value"] for o in elements[2]["initial_options"]] == ["gold", "silver"]
    assert elements[3]["initial_option"]["value"] == "open data"
    assert [o["value"] for o in elements[4]["initial_options"]] == ["x", "y"]
    assert (elements[5]["initial_value"], elements[5]["multiline"]) == ("line\nline", True)
    assert elements[6]["initial_value"] == "line line"


def test_problem_stands_above_its_field() -> None:
    """What is wrong is said where it is wrong, and what was typed is still there."""
    alert, field = opened(
        Input("a", "A", ("x" * 50,), problem="Too long", hint="Up to 40", longest=40)
    )

    assert (alert["type"], alert["text"]["text"]) == ("alert", "Too long")
    assert alert["level"] == "error"
    assert opened(Input("a", "A", problem="Please fill this in"))[0]["level"] == "info"
    assert field["element"]["initial_value"] == "x" * 50
    assert field["element"]["max_length"] == 50
    assert field["hint"]["text"] == "Up to 40"


def test_form_keeps_its_long_title_intro_and_unnamed_fields() -> None:
    """A title that the bar cuts is said in full below it."""
    blocks = opened(Input("", ""), Input("a", "A", required=True), intro="Please")
    long = form(Form("A title of more than twenty-four letters", "x", ()), T, Origin())

    assert [b["type"] for b in blocks] == ["rich_text", "input", "input"]
    assert [b["optional"] for b in blocks[1:]] == [True, False]
    assert long["blocks"][0]["type"] == "header"


def test_form_that_is_too_long_says_so() -> None:
    """A hundred and fifty fields do not fit; a menu takes a hundred options."""
    fields = [Input(f"f{n}", "Field") for n in range(150)]
    menu = Input("m", "Menu", options=tuple(Option(f"O{n}", f"o{n}") for n in range(120)))

    assert readable(opened(*fields)[-1]) == FULL
    assert readable(opened(menu)[-1]) == FULL


def test_filled_in_form_is_read_back() -> None:
    """Every kind of input gives its values; an emptied one gives none."""
    option = {"text": {"type": "plain_text", "text": "G"}, "value": "gold"}
    state: Json = {
        "text": {"answer": {"type": "plain_text_input", "value": "hello"}},
        "empty": {"answer": {"type": "plain_text_input", "value": None}},
        "one": {"answer": {"type": "static_select", "selected_option": option}},
        "none": {"answer": {"type": "static_select", "selected_option": None}},
        "many": {"answer": {"type": "checkboxes", "selected_options": [option, option]}},
        "odd": {},
    }

    assert parse_values({"state": {"values": state}}) == {
        "text": ("hello",),
        "empty": (),
        "one": ("gold",),
        "none": (),
        "many": ("gold", "gold"),
    }
    assert parse_values({}) == {}


def test_slack_shows_the_problems_itself_when_the_fields_are_the_same() -> None:
    """Then nothing typed moves; a different form, or an old problem, is drawn anew."""
    clean, wrong = Input("a", "A"), Input("a", "A", problem="No")
    before = form(Form("T", "x", (clean,)), T, Origin())
    after = Form("T", "x", (wrong,))
    redrawn = form(after, T, Origin())

    assert field_errors(after, before, redrawn) == {"a": "No"}
    assert field_errors(after, redrawn, redrawn) == {}
    assert field_errors(Form("T", "x", (clean,)), before, before) == {}
    other = Form("T", "x", (wrong, Input("b", "B")))
    assert field_errors(other, before, form(other, T, Origin())) == {}


def test_origin_travels_in_the_window() -> None:
    """Where a form was opened from comes back; what is no such thing is refused."""
    origin = Origin("profile", "C1", "https://hooks.example/1")

    assert Origin.from_view({"private_metadata": origin.metadata()}) == origin
    assert Origin.from_view({}) == Origin()
    for tampered in ("{", "[]", '"x"', '{"role": "admin"}', '{"command": 5}'):
        assert Origin.from_view({"private_metadata": tampered}) is None


def test_form_is_an_invitation_where_no_window_can_open() -> None:
    """In a message a form is a button that opens it."""
    asked = Form("Profile", "profile", (Input("a", "A", problem="Missing"),), intro="Tell us")
    message = render.message(render.form_invitation_card(asked, "profile me", T), T)
    bare = render.message(
        render.form_invitation_card(Form("Profile", "profile", ()), "profile", T), T
    )

    assert problems_of_message(message) == []
    assert message["blocks"][-1]["elements"][0]["value"] == "profile me"
    assert "Missing" in readable(message["blocks"])
    assert len(bare["blocks"]) == 2


# --- texts ------------------------------------------------------------------------------------


def test_texts_are_cut_between_graphemes() -> None:
    """A family, a flag or an accent is never cut in half."""
    family, flag, accent = "👨‍👩‍👧", "🇧🇷", "e\u0301"

    assert shorten(family * 2, utf16_length(family) + 2) == family + "…"
    assert shorten(flag * 3, 11) == flag * 2 + "…"
    assert shorten(accent * 3, 5) == accent * 2 + "…"
    assert shorten("👍🏽👍🏽", 6) == "👍🏽…"
    assert shorten("abc", 3) == "abc"


def test_one_endless_grapheme_is_broken_anyway() -> None:
    """Somebody will try it."""
    assert utf16_length(shorten("\u200d".join("👩" * 50), 10)) <= 10
    assert all(utf16_length(c) <= 10 for c in chunks("\u200d".join("👩" * 50), 10))


def test_unseen_characters_are_dropped() -> None:
    """No control characters, no turned direction, no towers of accents, no half characters."""
    assert shorten("a\x00b\u202ec\ud800\nd", 50) == "a bc\nd"
    assert shorten("z" + "\u0301" * 30, 50) == "z" + "\u0301" * 4


def test_words_longer_than_a_block_are_broken() -> None:
    """A text without a space is parted where the room ends."""
    assert [len(c) for c in chunks("x" * 25, 10)] == [10, 10, 5]
    assert chunks("aaaa bbbb cccc", 10) == ["aaaa bbbb", "cccc"]
    assert chunks("  ", 10) == []
    assert chunks("a" * 10 + " " * 20, 10) == ["a" * 10]


def test_notification_text_is_escaped_and_short() -> None:
    """The text of a message could mention people: it is made harmless, within its limit."""
    text = escape_text("<!channel> & <@U1> " * 1000, 3800)

    assert "<" not in text
    assert len(text) <= 3800
    assert text.startswith("&lt;!channel&gt; &amp; ")


# --- anything at all --------------------------------------------------------------------------

NASTY = st.sampled_from(
    ["<!channel>", "<@U123>", "<!subteam^S1>", "@here", "*b*", "`x`", "&amp;", "👨‍👩‍👧",
     "e\u0301" * 9, "x" * 400, "\x00", "\ud800", "\u202e", "", " ", "\n\n", "<http://evil|https://boston.gov>"]
)  # fmt: skip
WORDS = st.lists(st.one_of(NASTY, st.text(max_size=40)), max_size=6).map("".join)
SAID = st.text("abcdefgh 123:", min_size=1, max_size=100)
BUTTON = st.builds(Button, WORDS, SAID, st.sampled_from(["normal", "primary", "danger"]))
OPTION = st.builds(Option, WORDS, st.text(max_size=160), WORDS)
BUTTONS = st.lists(BUTTON, max_size=30).map(tuple)
LINES = st.lists(WORDS, max_size=8).map(tuple)
BAR = st.builds(Bar, WORDS, st.floats(), WORDS)
PART: st.SearchStrategy[Part] = st.one_of(
    st.builds(Heading, WORDS),
    st.builds(Text, WORDS, st.booleans()),
    st.builds(Note, WORDS, st.sampled_from(["info", "good", "warning", "bad"])),
    st.builds(Facts, st.lists(st.builds(Fact, WORDS, WORDS), max_size=25).map(tuple)),
    st.builds(Entry, WORDS, LINES, WORDS, WORDS, BUTTONS),
    st.builds(Table, LINES, st.lists(LINES, max_size=120).map(tuple)),
    st.builds(Bars, WORDS, st.lists(BAR, max_size=60).map(tuple)),
    st.builds(Buttons, BUTTONS),
    st.builds(Choice, WORDS, st.lists(OPTION, max_size=120).map(tuple)),
    st.builds(Link, WORDS, st.just("https://hub.example/calendar/meeting/x.ics")),
    st.just(Divider()),
)
CARD = st.builds(
    Card,
    WORDS,
    st.lists(PART, max_size=12).map(tuple),
    WORDS,
    st.sampled_from(["info", "good", "warning", "bad"]),
)
INPUT = st.builds(
    Input,
    st.text("abcxyz", max_size=8),
    WORDS,
    LINES,
    st.lists(OPTION, max_size=12).map(tuple),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    WORDS,
    WORDS,
    st.integers(-5, 5000),
    st.sampled_from(["", "topic"]),
)
ANYTHING = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.no_cover
@ANYTHING
@given(CARD)
def test_any_card_is_accepted_and_disturbs_nobody(card: Card) -> None:
    """Whatever stands in a card: Slack takes it everywhere, and nobody is pinged."""
    message = render.message(card, T)

    assert problems_of_message(message) == []
    assert mentions_of(message) == []
    assert problems_of_view(render.home(card, T)) == []
    assert problems_of_view(render.modal(card, T)) == []
    json.dumps(message).encode()


@settings(ANYTHING, max_examples=30)
@given(st.builds(Form, WORDS, SAID, st.lists(INPUT, max_size=4).map(tuple), WORDS, WORDS))
def test_any_form_is_accepted(asked: Form) -> None:
    """Whatever stands in a form: Slack opens it."""
    view = form(asked, T, Origin("x"))

    assert problems_of_view(view) == []
    assert mentions_of({"blocks": view["blocks"]}) == []
    assert problems_of_message(render.message(render.form_invitation_card(asked, "x", T), T)) == []
