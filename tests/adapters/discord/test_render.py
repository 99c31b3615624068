"""What a person sees on Discord: every card is a valid message, and nothing of theirs lives."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings

from bot import cards
from bot.adapters.discord.modal import (
    count_parts,
    modal,
    parse_submission,
    sort_inputs,
    split_values,
)
from bot.adapters.discord.render import AdapterButton, custom_id, form, message, parse_custom_id
from bot.adapters.discord.text import (
    ZERO_WIDTH_SPACE,
    escape_markup,
    fit_lines,
    graphemes,
    shorten,
    tidy,
)
from bot.cards import Bar, Button, Card, Entry, Fact, Form, Input, Option
from bot.domain.characters import utf16_length
from bot.i18n import LANGUAGES, translator
from bot.parsing import Argument
from tests.adapters.discord.cards import NASTY, any_card, any_form
from tests.platforms.discord import (
    mentions_of,
    problems_of_message,
    problems_of_modal,
    text_of,
)

T = translator("en")
MISSING = "Not everything fits in one message."


def components(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for child in [*body.get("components", ()), *filter(None, [body.get("accessory")])]:
        yield child
        yield from components(child)


def drawn(*parts: cards.Part, **more: Any) -> dict[str, Any]:
    body = message(Card("Title", parts, **more), T)

    assert problems_of_message(body) == []
    return body


def contents(*parts: cards.Part) -> list[str]:
    """The texts below the title."""
    return [c["content"] for c in components(drawn(*parts)) if c["type"] == 10][1:]


# --- people's words ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("**bold** _it_ ~~no~~ ||spoiler||", r"\*\*bold\*\* \_it\_ \~\~no\~\~ \|\|spoiler\|\|"),
        ("# head\n## two\n  - item\n1. one", "\\# head\n\\## two\n\\- item\n1\\. one"),
        ("-# small\n> quote\n+1 555\nmid # - >", "\\-# small\n\\> quote\n\\+1 555\nmid # - >"),
        ("[bank](https://evil.example)", r"\[bank\](<https://evil.example>)"),
        ("see https://a.example/open_data?x=1, ok", "see <https://a.example/open_data?x=1>, ok"),
        ("https://a.example/~x/(y)_é@z", "<https://a.example/~x/(y)_é@z>"),
        ("<https://x.example>", "<\u200b<https://x.example>>"),
        ("http://x.example/@here/@a", "<http://x.example/%40here/@a>"),
        ("a<b, <3, c <- d", "a<b, <3, c <- d"),
        ("https://boston.gov@evil.example/x", r"https\://boston.gov@evil.example/x"),
        ("https://bоston.gov", r"https\://bоston.gov"),
        ("HTTPS://x.example/[a](b)", r"HTTPS\://x.example/\[a\](b)"),
        ("C++ a < b > c", "C++ a < b > c"),
        ("`code` \\", r"\`code\` \\"),
        ("a\x00b\u202ec\u200b\u2028# d\n\n\n\ne", "a bc\n\\# d\n\ne"),
        ("é" + "\u0301" * 60, "é" + "\u0301" * 4),
        ("\ud800ok", "ok"),
    ],
)
def test_what_people_type_is_shown_and_does_nothing(typed: str, shown: str) -> None:
    """Markup, headings, lists, quotes, hidden directions and false addresses become letters."""
    assert escape_markup(typed) == shown


@pytest.mark.parametrize(
    "typed",
    ["@everyone", "@here", "@HERE", "<@1>", "<@!1>", "<@&1>", "<#1>", "<:a:1>", "<a:b:1>",
     "</wwc:1>", "<t:1:R>", "<id:guide>", "<ftp://x.example>"],
)  # fmt: skip
def test_no_mention_survives(typed: str) -> None:
    """Each kind of mention is broken in two by something that cannot be seen."""
    assert ZERO_WIDTH_SPACE in escape_markup(typed)
    assert escape_markup(typed).replace(ZERO_WIDTH_SPACE, "").replace("\\", "") == typed


def test_text_is_cut_between_letters_that_belong_together() -> None:
    """Families, flags, skin tones and accents are whole or not there."""
    assert list(graphemes("é👩‍👩‍👧🇫🇷🇧🇷👍🏽")) == ["é", "👩‍👩‍👧", "🇫🇷", "🇧🇷", "👍🏽"]
    assert shorten("🇫🇷🇧🇷🇲🇽", 9) == "🇫🇷🇧🇷…"
    assert shorten("abc", 0) == ""
    assert shorten("", 0) == ""
    assert fit_lines(["a", "b"], 1) == "a"


# --- parts ------------------------------------------------------------------------------------


def test_a_card_is_one_coloured_container_with_its_title_as_heading() -> None:
    """The whole answer stands in one box whose colour tells the tone."""
    body = message(Card("Hi *there*", footer="small", tone="bad"), T, ephemeral=True)

    [box] = body["components"]
    assert (box["type"], box["accent_color"]) == (17, 0xD55E00)
    assert [c["content"] for c in box["components"]] == [r"## Hi \*there\*", "-# small"]
    assert body["flags"] == 1 << 15 | 64
    assert body["allowed_mentions"] == {"parse": []}


def test_texts_headings_and_notes() -> None:
    """Small print is small in every line, a note carries the sign of its tone."""
    shown = contents(
        cards.Heading("People"),
        cards.Text("one\n\n# two"),
        cards.Text("one\ntwo", quiet=True),
        cards.Note("Saved.", "good"),
        cards.Text("  "),
    )

    assert shown == ["### People", "one\n\n\\# two", "-# one\n-# two", "✅ Saved."]


def test_short_facts_stand_two_to_a_line() -> None:
    """Long ones keep a line to themselves, and an unnamed fact has no empty bold."""
    facts = [("Level", "Gold"), ("Since", "2021"), ("About", "x" * 30), ("A", "b"), ("", "c")]
    long = Fact("Then", "y" * 40)

    [text] = contents(cards.Facts((*(Fact(*f) for f in facts), long, Fact("Odd", "1"), long)))

    assert text.splitlines() == [
        "**Level:** Gold · **Since:** 2021",
        f"**About:** {'x' * 30}",
        "**A:** b · c",
        f"**Then:** {'y' * 40}",
        "**Odd:** 1",
        f"**Then:** {'y' * 40}",
    ]


def test_an_entry_has_its_one_button_beside_it_and_several_below() -> None:
    """One act is an accessory; two stand in a row; six become a menu."""
    one = Entry("Ana", ("Lisbon",), "free", "Lead", (Button("Introduce me", "intro 1"),))
    two = Entry("Bo", buttons=(Button("A", "a", "primary"), Button("B", "b", "danger")))
    six = Entry("Cy", buttons=tuple(Button(str(n), f"c {n}") for n in range(6)))
    none = Entry("Di")

    [box] = drawn(one, two, six, none)["components"]

    section, bo, row, cy, menu, di = box["components"][1:]
    assert section["components"][0]["content"] == "**Ana** · Lead\nLisbon\n-# free"
    assert section["accessory"]["custom_id"] == "intro 1"
    assert (bo["content"], cy["content"], di["content"]) == ("**Bo**", "**Cy**", "**Di**")
    assert [b["style"] for b in row["components"]] == [1, 4]
    assert [o["value"] for o in menu["components"][0]["options"]] == [f"c {n}" for n in range(6)]


def test_a_table_is_aligned_and_narrow_enough() -> None:
    """Numbers to the right, long cells cut, backticks unable to close the block."""
    rows = (("Lisboa", "9"), ("東京", "120"), ("```" + "x" * 90, "n/a"), ("São", "–"))

    [text] = contents(cards.Table(("City", "Score"), rows[:2]))
    [wide] = contents(cards.Table(("City", "Score"), rows))

    assert text.splitlines() == [
        "```", "City    Score", "──────  ─────", "Lisboa      9", "東京      120", "```",
    ]  # fmt: skip
    assert wide.count("```") == 2
    assert max(map(len, wide.splitlines())) <= 60
    assert contents(cards.Table((), ())) == []


def test_bars_have_lengths_and_numbers() -> None:
    """The longest bar is full; what is no number has no length."""
    bars = (Bar("Open data", 80, "80 %"), Bar("Ops", 40, "40"), Bar("?", float("nan"), ""))

    [text] = contents(cards.Bars("Areas", bars))

    assert text.splitlines() == [
        "**Areas**",
        "`Open data ██████████` **80 %**",
        "`Ops       █████░░░░░` **40**",
        "`?         ░░░░░░░░░░`",
    ]
    assert "`a ░░░░░░░░░░` **0**" in contents(cards.Bars("", (Bar("a", 0, "0"),)))[0]
    assert "`a ██████████`" in contents(cards.Bars("", (Bar("a", 1.7e308, ""),)))[0]


def test_a_choice_is_a_menu_and_a_long_one_is_several() -> None:
    """25 options fit into one menu; hints stand below the labels."""
    options = tuple(Option(f"City {n}", f"city {n}", "x" if n else "") for n in range(30))

    menus = [c for c in components(drawn(cards.Choice("Which?", options))) if c["type"] == 3]

    assert [len(menu["options"]) for menu in menus] == [25, 5]
    assert menus[0]["options"][:2] == [
        {"label": "City 0", "value": "city 0"},
        {"label": "City 1", "value": "city 1", "description": "x"},
    ]
    assert menus[0]["placeholder"] == "Which?"


def test_dividers_stand_only_between_things() -> None:
    """None at an end, never two in a row."""
    line = cards.Divider()

    [box] = drawn(line, line, cards.Text("a"), line, cards.Text(""), line)["components"]
    alone = message(Card("", (line,)), T)

    assert [c["type"] for c in box["components"]] == [10, 14, 10]
    assert text_of(alone) == "…"
    assert problems_of_message(alone) == []


# --- ids --------------------------------------------------------------------------------------


def test_a_button_says_its_command_and_a_second_one_too() -> None:
    """The same command twice has two ids, and both read back as the command."""
    same = tuple(Button("Go", "who-does  open data") for _ in range(3))

    ids = [c["custom_id"] for c in components(drawn(cards.Buttons(same))) if c["type"] == 2]

    assert ids == ["who-does open data", "who-does open data\n2", "who-does open data\n3"]
    assert {parse_custom_id(identifier)[0] for identifier in ids} == {"who-does open data"}


def test_a_command_of_a_hundred_characters_fits() -> None:
    """Without a prefix; a second button of it cannot be told apart and the card says so."""
    long = "x" * 100
    one = Entry("Once", buttons=(Button("Go", long),))
    again = Entry("Twice", buttons=(Button("Go", long),))

    body = drawn(one, again, cards.Buttons((Button("Go", long), Button("", "home"))))

    buttons = [c for c in components(body) if c["type"] == 2]
    assert [b["custom_id"] for b in buttons] == [long, "home"]
    assert buttons[1]["label"] == "home"
    assert MISSING in text_of(body)


def test_the_adapters_own_buttons_carry_a_mark() -> None:
    """It stands behind a line break; a command that leaves no room for it is left out."""
    after = [
        AdapterButton("Try again", "profile", "form:1:k"),
        AdapterButton("Go", "x" * 100, "go:k"),
    ]

    body = message(Card("T"), T, extra_buttons=after)

    assert problems_of_message(body) == []
    ids = [c["custom_id"] for c in components(body) if c["type"] == 2]
    assert list(map(parse_custom_id, ids)) == [("profile", "form:1:k"), ("", "go:k")]
    assert custom_id("a", "b") == "a\nb"


# --- limits -----------------------------------------------------------------------------------


def test_a_long_text_is_shortened_and_the_card_says_so() -> None:
    """A quiet last line tells that something is missing."""
    body = drawn(cards.Text("word " * 2000), cards.Buttons((Button("Home", "home"),)))

    assert MISSING in text_of(body)
    assert "Home" in text_of(body)


def test_many_entries_keep_their_buttons_as_one_menu() -> None:
    """More people than components: their acts move into a menu, nobody is left out."""
    entries = tuple(
        Entry(f"Person {n}", ("City",), buttons=(Button("Introduce me", f"intro {n}"),))
        for n in range(20)
    )

    body = drawn(*entries)

    assert all(f"Person {n}" in text_of(body) for n in range(20))
    [menu] = [c for c in components(body) if c["type"] == 3]
    assert menu["options"][19] == {
        "label": "Introduce me", "value": "intro 19", "description": "Person 19",
    }  # fmt: skip
    assert MISSING not in text_of(body)


def test_a_list_that_does_not_fit_ends_early() -> None:
    """No holes: what comes after the last whole thing is left out, notes and buttons are not."""
    entries = tuple(Entry(f"Person {n}.", ("City",)) for n in range(50))
    body = drawn(*entries, cards.Note("Careful", "warning"), cards.Text("last"))

    said = text_of(body)
    assert "Person 30." in said
    assert "Person 45." not in said
    assert "last" not in said
    assert "⚠️ Careful" in said
    assert said.endswith(MISSING)


def test_menus_too_heavy_for_a_message_get_lighter() -> None:
    """First the hints go, then the later options."""
    heavy = tuple(Option("é" * 100, f"{n} " + "é" * 95, "é" * 100) for n in range(25))
    hints = tuple(Option("e" * 60, f"{n} " + "e" * 60, "é" * 100) for n in range(25))

    [many] = [c for c in components(drawn(cards.Choice("?", heavy))) if c["type"] == 3]
    [bare] = [c for c in components(drawn(cards.Choice("?", hints))) if c["type"] == 3]
    huge = drawn(*(cards.Choice("?", (Option("é" * 100, "é" * 99 + str(n)),)) for n in range(9)))

    assert len(many["options"]) == 6
    assert len(bare["options"]) == 25
    assert "description" not in bare["options"][0]
    assert MISSING in text_of(huge)


LIVE_LINK = re.compile(r"(?<!\\)\[[^\]]*(?<!\\)\]\(")


@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # big cards are meant
@settings(max_examples=40, deadline=None, database=None)
@given(any_card)
def test_any_card_is_a_valid_message_in_which_nothing_lives(card: Card) -> None:
    """Discord takes it; nobody is mentioned even if all were allowed; no label hides a link."""
    body = message(card, T)

    assert problems_of_message(body) == []
    assert mentions_of({k: v for k, v in body.items() if k != "allowed_mentions"}) == []
    texts = [c["content"].replace("\\\\", "") for c in components(body) if c["type"] == 10]
    assert not any(LIVE_LINK.search(re.sub(r"`[^`]*`", "", text)) for text in texts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sentence_about_what_is_missing_fits_in_every_language(language: str) -> None:
    """Its room is set aside before anything else is placed."""
    body = message(Card("T", (cards.Text("é🌳" * 3000),) * 3), translator(language))

    assert problems_of_message(body) == []


# --- forms ------------------------------------------------------------------------------------


def fields(given: Form, part: int = 1) -> list[dict[str, Any]]:
    body = modal(given, "id", T, part=part)

    assert problems_of_modal(body) == []
    labels: list[dict[str, Any]] = body["components"]
    return labels


def test_the_fields_of_a_modal() -> None:
    """Problems come first and take the place of the hint; the rest is filled in."""
    options = (Option("Gold", "gold", "best"), Option("", "none"))
    form = Form(
        "Profile",
        "profile",
        (
            Input("bio", "Bio", ("a\nb",), long=True),
            Input("title", "Title", ("Chief",), required=True, hint="Your job", longest=80),
            Input("level", "", ("none",), options, required=True),
            Input("levels", "Levels", ("gold", "none", "x"), options, many=True),
            Input("zone", "Zone", ("Mars",), hint="Such as Europe/Lisbon", problem="Unknown"),
        ),
        intro="not shown: no room",
    )

    zone, title, level, bio, levels = fields(form)

    assert zone["description"] == "❌ Unknown"
    assert zone["component"]["placeholder"] == "Such as Europe/Lisbon"
    assert title == {
        "type": 18,
        "label": "Title",
        "description": "Your job",
        "component": {
            "type": 4, "custom_id": "title", "style": 1, "required": True,
            "max_length": 80, "value": "Chief",
        },
    }  # fmt: skip
    assert level["label"] == "level"
    assert level["component"]["options"] == [
        {"label": "Gold", "value": "gold", "description": "best"},
        {"label": "none", "value": "none", "default": True},
    ]
    assert (bio["component"]["style"], bio["component"]["value"]) == (2, "a\nb")
    assert (levels["component"]["min_values"], levels["component"]["max_values"]) == (0, 2)


def test_a_menu_too_long_for_discord_becomes_a_line_of_text() -> None:
    """With a hint that says how to write several, and which there are."""
    many = tuple(Option(f"Area {n}", f"area-{n}") for n in range(30))

    one, several = fields(
        Form("F", "f", (Input("a", "A", options=many), Input("b", "B", options=many, many=True)))
    )

    assert one["description"].startswith("Area 0, Area 1")
    assert several["description"].startswith("Separate several with commas. Area 0")
    assert several["component"]["type"] == 4


def test_the_first_modal_of_a_form_says_its_command() -> None:
    """As other faces draw it, and as it opens after a restart."""
    body = form(Form("F", "plan", tuple(Input(f"f{n}", "F") for n in range(7))), T)

    assert problems_of_modal(body) == []
    assert body["custom_id"] == "plan\nform:1:2:"


def test_a_long_form_is_asked_five_fields_at_a_time() -> None:
    """The title counts, and required fields come first."""
    inputs = tuple(Input(f"f{n}", f"Field {n}", required=n > 6) for n in range(12))
    form = Form("A form with a name much too long for a title", "f", inputs, intro="Hello *you*")

    assert count_parts(form) == 3
    assert modal(form, "id", T, part=2)["title"] == "A form with a name much too long for a… (2/3)"
    assert [i.name for i in sort_inputs(form)[:5]] == ["f7", "f8", "f9", "f10", "f11"]
    assert fields(form, 3)[0] == {"type": 10, "content": "Hello \\*you\\*"}
    assert fields(Form("", "empty", ()))[0]["content"] == "…"


def test_what_was_typed_too_long_can_still_be_shortened() -> None:
    """Nothing typed is lost: the field takes as much as it already holds."""
    [label] = fields(Form("F", "f", (Input("a", "A", ("x" * 200,), longest=80),)))

    assert label["component"]["max_length"] == 200
    assert len(label["component"]["value"]) == 200


@pytest.mark.no_cover
@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # big cards are meant
@settings(max_examples=40, deadline=None, database=None)
@given(any_form)
def test_any_form_is_a_valid_modal(form: Form) -> None:
    """Whatever is asked, Discord takes each of its modals."""
    for part in range(1, count_parts(form) + 1):
        assert problems_of_modal(modal(form, "id", T, part=part)) == []


def test_values_come_back_by_field() -> None:
    """Menus give values, lists of words are taken apart, an emptied field has none."""
    submitted = [
        {"type": 18, "component": {"type": 4, "custom_id": "topics", "value": "a, b,,"}},
        {"type": 18, "component": {"type": 3, "custom_id": "level", "values": ["gold"]}},
        {"type": 18, "component": {"type": 4, "custom_id": "bio", "value": ""}},
        {"type": 10, "content": "x"},
        {"type": 1, "components": [{"type": 4, "custom_id": "old", "value": "x, y"}]},
    ]
    many = Argument("topics", "topics", "Topics", many=True)

    assert parse_submission(submitted, [many]) == {
        "topics": ("a", "b"), "level": ("gold",), "bio": (), "old": ("x, y",),
    }  # fmt: skip
    assert split_values(None, ("a,b",)) == ("a,b",)


def test_every_nasty_piece_alone() -> None:
    """Each of them in each place of a card."""
    for piece in NASTY:
        entry = Entry(piece, (piece,), piece, piece, (Button(piece, "home"),))
        body = drawn(entry, cards.Bars(piece, (Bar(piece, 1, piece),)), footer=piece)

        assert mentions_of({**body, "allowed_mentions": None}) == []
    assert utf16_length(tidy("🌳")) == 2
