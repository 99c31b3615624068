"""Payloads drawn as HTML: every part, exactly, and never as markup of those who typed it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from time import process_time
from typing import Any

import pytest

from bot.adapters.playground.forms import Field, block_modal, component_modal
from bot.adapters.playground.markdown import markdown_spans
from bot.adapters.playground.mrkdwn import mrkdwn_spans, rich_spans, text_spans
from bot.adapters.playground.render import (
    View,
    accent,
    command_of_press,
    form_html,
    hue,
    initials,
    message_html,
    page_html,
    steps,
)
from bot.adapters.playground.spans import Reader, Span, pictures
from bot.adapters.playground.world import BOT, Message, Persona, Workspace
from bot.cards import Button, Buttons, Card, Choice, Entry, Form, Input, Option, Reply, Text
from bot.i18n import translator
from tests.adapters.playground.demo import HOSTILE, RENDERERS, hostile, people

READER = Reader(names={"U1": "Maya Chen"}, zone="America/New_York")
NOON = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
MAYA = Persona("maya", "Maya Chen", "Boston", zone="America/New_York")
ONE = View(Workspace("T", "slack", "One"), MAYA, "en", {"maya": "Maya Chen"})
TWO = View(Workspace("G", "discord", "Two"), MAYA, "en", {"maya": "Maya Chen"})


def outline(spans: list[Span]) -> str:
    """Spans as one readable line: strong(bold) text."""
    return "".join(
        span.text
        if not span.tag
        else f"{span.tag}{'.' + span.mark if span.mark else ''}({outline(list(span.inside))})"
        for span in spans
    )


def drawn(payload: Mapping[str, Any], view: View, **more: Any) -> str:
    message = Message(1, "T", "general", BOT, NOON, "x", card=Card("x"), payload=payload)
    return message_html(replace(message, **more), view)


def blocks(*blocks: Mapping[str, Any]) -> str:
    return drawn({"text": "x", "blocks": list(blocks)}, ONE)


def components(*components: Mapping[str, Any]) -> str:
    return drawn({"components": list(components)}, TWO)


# --- marks ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("*bold* and _it_ and ~s~", "strong(bold) and em(it) and s(s)"),
        ("`a *b*`", "code(a *b*)"),
        ("2*3*4 snake_case_name", "2*3*4 snake_case_name"),
        ("a\nb", "abr()b"),
        ("```\nx < y\n```", "pre(x < y)"),
        ("before\n```x```\nafter", "beforebr()pre(x)after"),
        ("&gt; quoted\n&gt; more\nnot", "blockquote(quotedbr()more)not"),
        ("<https://a.example|here> <mailto:a@b.example>", "a(here) a(mailto:a@b.example)"),
        ("<javascript:alert(1)|x>", "span(x)"),
        ("<@U1> <@U9> <#C1|data> <#C2> <!here> <!subteam^S|@team>",
         "span.mention(@Maya Chen) span.mention(@U9) span.mention(#data) span.mention(#C2) "
         "span.mention(@here) span.mention(@@team)"),
        ("<!date^1772470800^{date_short} at {time}|then>", "March 2, 2026 at 12:00\u00a0PM"),
        ("&lt;b&gt; &amp;amp;", "<b> &amp;"),
        (":wave: :unknown_one:", "👋 :unknown_one:"),
    ],
)  # fmt: skip
def test_text_objects_show_their_own_markup_and_no_other(text: str, shown: str) -> None:
    """Bold, links, quotes, fences, mentions and dates, as the platform reads them."""
    assert outline(mrkdwn_spans(text, READER)) == shown


def test_plain_text_objects_have_no_markup() -> None:
    """A star in plain text is a star."""
    assert outline(text_spans({"type": "plain_text", "text": "*a*\nb"}, READER)) == "*a*br()b"


def test_a_date_long_past_is_told_as_time_gone_by() -> None:
    """`{ago}` counts from now, in the reader's language."""
    said = outline(mrkdwn_spans("<!date^0^{ago}|x>", Reader("fr")))

    assert said.startswith("il y a ")


def test_rich_text_shows_lists_quotes_styles_and_mentions() -> None:
    """Every part and every inline element of a rich text."""
    line = {"type": "rich_text_section", "elements": [{"type": "text", "text": "a"}]}
    elements: list[Mapping[str, Any]] = [
        {"type": "rich_text_section", "elements": [
            {"type": "text", "text": "b", "style": {"bold": True, "italic": True, "strike": True}},
            {"type": "text", "text": "c", "style": {"code": True}},
            {"type": "link", "url": "https://a.example"},
            {"type": "link", "url": "https://a.example", "text": "t"},
            {"type": "date", "timestamp": 1772470800, "format": "{date}", "fallback": "f"},
            {"type": "emoji", "name": "x", "unicode": "1f44d-1f3fd"},
            {"type": "emoji", "name": "warning"},
            {"type": "emoji", "name": "party"},
            {"type": "user", "user_id": "U1"},
            {"type": "channel", "channel_id": "C1"},
            {"type": "broadcast", "range": "here"},
            {"type": "usergroup", "usergroup_id": "S1"},
        ]},
        {"type": "rich_text_list", "style": "ordered", "indent": 1, "elements": [line]},
        {"type": "rich_text_list", "style": "bullet", "elements": [line]},
        {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "x  y"}]},
        {"type": "rich_text_quote", "elements": [{"type": "text", "text": "q"}]},
    ]  # fmt: skip

    assert outline(rich_spans(elements, READER)) == (
        "p(s(em(strong(b)))code(c)a(https://a.example)a(t)March 2, 202👍🏽⚠️:party:"
        "span.mention(@Maya Chen)span.mention(#C1)span.mention(@here)span.mention(@usergroup))"
        "ol.indent1(li(a))ul.indent0(li(a))pre(x  y)blockquote(q)"
    ).replace("202👍", "2026👍")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "p(plain)"),
        ("a\nb\n\nc", "p(abr()bbr()br()c)"),
        ("# One\n## Two\n### Three\n#### four", "p.h1(One)p.h2(Two)p.h3(Three)p(#### four)"),
        ("-# small\n-# print", "p.small(small)p.small(print)"),
        ("> a\n> b\nc", "blockquote(abr()b)p(c)"),
        ("x\n>>> a\nb", "p(x)blockquote(abr()b)"),
        (">>> a", "blockquote(a)"),
        ("- a\n  - b\n* c", "ul(li.indent0(a)li.indent1(b)li.indent0(c))"),
        ("1. a\n2. b", "ol(li.indent0(a)li.indent0(b))"),
        ("**b** *i* _i_ __u__ ~~s~~ ***both*** ||no||",
         "p(strong(b) em(i) em(i) u(u) s(s) strong(em(both)) span.spoiler(no))"),
        ("**a *b* c**", "p(strong(a em(b) c))"),
        ("snake_case_name 2*3", "p(snake_case_name 2*3)"),
        (r"\*a\* \_b\_ \# \\ \~", r"p(*a* _b_ # \ ~)"),
        (r"**a\*b**", "p(strong(a*b))"),
        ("`x **y**` ``a`b``", "p(code(x **y**) code(a`b))"),
        ("```py\nx = 1\n```after", "pre(x = 1)p(after)"),
        ("[label](https://a.example) <https://b.example> https://c.example.",
         "p(a(label) a(https://b.example) a(https://c.example).)"),
        ("[x](javascript:alert(1))", "p([x](javascript:alert(1)))"),
        ("<@U1> <@!7> <#12>", "p(span.mention(@Maya Chen) span.mention(@7) span.mention(#12))"),
        ("<t:1772470800:t> <t:1772470800>",
         "p(span.time(12:00\u00a0PM) span.time(March 2, 2026, 12:00:00\u202fPM EST))"),
        ("<b>x</b> &amp;", "p(<b>x</b> &amp;)"),
    ],
)  # fmt: skip
def test_markdown_shows_the_small_dialect_and_no_other(text: str, shown: str) -> None:
    """Headings, small print, lists, quotes, emphasis, escapes, links, times; never HTML."""
    said = outline(markdown_spans(text, READER)).replace(" at ", ", ")

    assert said == shown


@pytest.mark.parametrize("mark", ["*", "_", "`", "~", "[", "||", "**a ", "<", "\\", "> ", "- "])
def test_long_unclosed_marks_are_read_at_once(mark: str) -> None:
    """Four thousand characters of half-open marks cost no time worth naming."""
    started = process_time()

    markdown_spans(mark * (4000 // len(mark)), READER)
    mrkdwn_spans(mark * (4000 // len(mark)), READER)

    assert process_time() - started < 1


def test_moments_nobody_lived_are_shown_as_numbers() -> None:
    """A time stamp beyond the calendar does not break the page; nor does an unknown zone."""
    assert READER.moment(10**17) == str(10**17)
    assert Reader(zone="Mars/Base").moment(0, "time") == "12:00\u00a0AM"
    assert Reader(zone="../etc").moment(0, "time") == "12:00\u00a0AM"


def test_the_signs_of_tones_are_drawn_by_the_page() -> None:
    """As the platforms draw their own pictures for them."""
    assert pictures("a ✅ b⚠️") == [("a ", ""), ("✅", "good"), (" b", ""), ("⚠️", "warning")]


# --- messages ---------------------------------------------------------------------------------


def test_blocks_are_drawn_one_by_one() -> None:
    """Header, section with fields and accessory, context, divider, image, table, alert."""
    plain = {"type": "plain_text", "text": "P"}
    html = blocks(
        {"type": "header", "text": {"type": "plain_text", "text": "Title"}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "*b*"}, "accessory": {
            "type": "button", "text": plain, "value": "help", "action_id": "a"}},
        {"type": "section", "fields": [plain]},
        {"type": "context", "elements": [
            plain, {"type": "image", "image_url": "/a", "alt_text": "A"}]},
        {"type": "divider"},
        {"type": "image", "image_url": "/chart.png", "alt_text": "82 %", "title": plain},
        {"type": "markdown", "text": "**m**"},
        {"type": "alert", "level": "error", "text": plain},
        {"type": "table", "column_settings": [{"align": "right"}, None], "rows": [
            [{"type": "raw_text", "text": "h"}, {"type": "rich_text", "elements": []},
             {"type": "raw_number", "value": 3}],
            [{"type": "raw_text", "text": "1"}, {"type": "raw_text", "text": "2"},
             {"type": "raw_number", "value": 4}]]},
        {"type": "carousel"},
    )  # fmt: skip

    for piece in (
        '<h3 class="b-header">Title</h3>',
        '<div class="b-text"><strong>b</strong></div>',
        'data-say="help"',
        '<hr class="b-divider">',
        'alt="82 %"',
        '<p class="b-alert error">',
        '<th class="right" scope="col">h</th>',
        '<td class="left">4</td>',
        '<p class="unknown">carousel</p>',
    ):
        assert piece in html


def test_actions_carry_what_they_say() -> None:
    """Buttons, links, menus; what is unknown is named, not hidden."""
    text = {"type": "plain_text", "text": "Go"}
    html = blocks(
        {"type": "actions", "elements": [
            {"type": "button", "text": text, "value": "intro 4", "style": "primary",
             "accessibility_label": "Go there"},
            {"type": "button", "text": text, "url": "https://a.example"},
            {"type": "static_select", "placeholder": text, "options": [
                {"text": text, "value": "city boston", "description": text}]},
            {"type": "overflow", "options": [{"text": text, "value": "help"}]},
            {"type": "datepicker"},
        ]},
    )  # fmt: skip

    assert (
        'class="btn primary" data-say="intro 4" title="/wwc intro 4" aria-label="Go there"' in html
    )
    assert 'href="https://a.example"' in html
    assert '<option value="city boston">Go · Go</option>' in html
    assert '<span class="unknown">datepicker</span>' in html


def test_components_are_drawn_one_by_one() -> None:
    """Container with its colour, section, text, separator, rows of buttons and menus, pictures."""
    button = {"type": 2, "style": 1, "label": "Go", "custom_id": "intro 4\n2"}
    html = components(
        {"type": 17, "accent_color": 0x0072B2, "components": [
            {"type": 10, "content": "## Title"},
            {"type": 9, "components": [{"type": 10, "content": "a"}], "accessory": button},
            {"type": 14, "divider": False, "spacing": 2},
            {"type": 14},
            {"type": 1, "components": [
                {"type": 2, "style": 5, "label": "Web", "url": "https://a.example"},
                {"type": 2, "style": 4, "emoji": {"name": "🔔"}, "custom_id": "x",
                 "disabled": True}]},
            {"type": 1, "components": [{"type": 3, "custom_id": "\nmenu", "placeholder": "Pick",
                "options": [{"label": "L", "value": "help\n3", "description": "D"}]}]},
            {"type": 12, "items": [{"media": {"url": "/a.png"}, "description": "82 %"}]},
        ]},
        {"type": 17, "accent_color": None, "components": [
            {"type": 11, "media": {"url": "/b.png"}}, {"type": 99}]},
    )  # fmt: skip

    for piece in (
        'fill="#0072b2"',
        '<p class="m-h2">Title</p>',
        'class="btn style1" data-say="intro 4"',
        '<hr class="d-separator bare wide">',
        '<hr class="d-separator">',
        'class="btn link" href="https://a.example"',
        " disabled>🔔",
        '<option value="help">L · D</option>',
        'src="/a.png" alt="82 %"',
        'src="/b.png" alt=""',
        '<p class="unknown">99</p>',
    ):
        assert piece in html


@pytest.mark.parametrize("view", [ONE, TWO], ids=["one", "two"])
def test_a_private_answer_says_that_it_is_private(view: View) -> None:
    """In each platform's own words, with the words that were typed."""
    payload = RENDERERS[view.workspace.platform].message(Card("Hello"), translator("en"))
    html = drawn(payload, view, visible_to="maya", command_text="/wwc help", command_author="maya")

    assert ("Only visible to you" if view is ONE else "Only you can see this") in html
    assert "<code>/wwc help</code>" in html
    assert ("Dismiss message" in html) == (view is TWO)


def test_what_people_write_to_each_other_is_only_text() -> None:
    """No card, no payload, no markup."""
    message = Message(1, "T", "general", "maya", NOON, "<b>*hi*</b>\nthere")

    html = message_html(message, ONE)

    assert "&lt;b&gt;*hi*&lt;/b&gt;<br>there" in html
    assert "payload" not in html
    assert "12:00\u00a0PM" in html


@pytest.mark.parametrize("view", [ONE, TWO], ids=["one", "two"])
def test_hostile_text_stays_text_everywhere(view: View) -> None:
    """In titles, notes, facts, tables, buttons, payload and plain text."""
    card = hostile()
    payload = RENDERERS[view.workspace.platform].message(card, translator("en"))

    html = drawn(payload, view, card=card)

    assert "<script" not in html
    assert "<b>bold" not in html
    assert "<img" not in html
    assert "<i>" not in html
    assert "evil.example" in html
    assert "{{ 7*7 }}" in html


@pytest.mark.parametrize("view", [ONE, TWO], ids=["one", "two"])
def test_every_button_of_a_true_payload_says_its_command(view: View) -> None:
    """Whatever the renderer adds to its ids, a press is the command that one could type."""
    card = people("who-does open data")
    payload = RENDERERS[view.workspace.platform].message(card, translator("en"))

    html = drawn(payload, view, card=card)

    for command in ("intro 42", "who-is 42", "intro 43", "ask open data", "settings"):
        assert f'data-say="{command}"' in html
    assert 'value="who-does open data in:mexico"' in html
    assert "unknown" not in html


def test_a_press_is_found_by_its_id_else_by_its_label() -> None:
    """Ids may carry a mark behind a line break, and may even be nothing but that mark."""
    card = Card(
        "x",
        (
            Buttons((Button("Go", "intro 4"),)),
            Entry("e", buttons=(Button("See", "who-is 4"),)),
            Choice("c", (Option("Mexico", "city mexico"),)),
            Text("t"),
        ),
    )

    assert command_of_press(card, "intro 4") == "intro 4"
    assert command_of_press(card, "intro 4\n2") == "intro 4"
    assert command_of_press(card, "\n2", "See") == "who-is 4"
    assert command_of_press(card, "\n2", "Nothing") == ""
    assert command_of_press(card, "other\n2", "Mexico") == "other"
    assert command_of_press(None, "help") == "help"
    assert command_of_press(None, None) == ""


# --- forms ------------------------------------------------------------------------------------


def form(*inputs: Input) -> Form:
    return Form("Profile", "profile", inputs, intro="Hello", submit="Save")


def html_of(form: Form, view: View) -> str:
    renderer = RENDERERS[view.workspace.platform]
    return form_html(form, lambda part: renderer.form(part, view.t), view, "profile", 7)


@pytest.mark.parametrize("view", [ONE, TWO], ids=["one", "two"])
def test_fields_are_labelled_described_and_filled_in(view: View) -> None:
    """Label, hint and value of each field; what is wrong is tied to its field."""
    html = html_of(
        form(
            Input("title", "Title", ("Boss <b>",), required=True, hint="As on your card"),
            Input("bio", "Bio", ("a\nb",), long=True, problem="Too long."),
            Input(
                "level", "Level", ("gold",), (Option("Gold", "gold"), Option("Silver", "silver"))
            ),
        ),
        view,
    )

    assert '<label class="label" id="form7-1-' in html
    assert "As on your card" in html
    assert 'value="Boss &lt;b&gt;"' in html
    assert "a\nb</textarea>" in html
    assert "Too long." in html
    assert 'aria-invalid="true"' in html
    assert 'aria-required="true"' in html
    assert '<option value="gold" selected>Gold</option>' in html
    assert "One field needs another look." in html
    assert 'data-said="profile"' in html


def test_a_view_of_blocks_becomes_fields_of_every_kind() -> None:
    """Each input element has its kind, its options and what is chosen."""

    def block(name: str, **element: Any) -> Mapping[str, Any]:
        return {
            "type": "input",
            "block_id": name,
            "label": {"type": "plain_text", "text": name.capitalize()},
            "element": {"action_id": "answer", **element},
        }

    text = {"type": "plain_text", "text": "Gold", "emoji": False}
    option = {"text": text, "value": "gold"}
    view = {
        "type": "modal",
        "blocks": [
            {"type": "divider"},
            block("a", type="plain_text_input", multiline=True, initial_value="x", max_length=9),
            block("b", type="plain_text_input"),
            block("c", type="static_select", options=[option], initial_option=option),
            block("d", type="multi_static_select", options=[option], initial_options=[option]),
            block("e", type="external_select"),
            block("f", type="multi_external_select"),
            block("g", type="checkboxes", options=[option]),
            block("h", type="radio_buttons", options=[option]),
        ],
    }

    fields = [f for f in block_modal(view, form()).items if isinstance(f, Field)]

    kinds = [(f.name, f.kind, f.remote) for f in fields]
    assert kinds == [
        ("a", "paragraph", False),
        ("b", "line", False),
        ("c", "select", False),
        ("d", "several", False),
        ("e", "search", True),
        ("f", "several", True),
        ("g", "checks", False),
        ("h", "radios", False),
    ]
    assert (fields[0].text, fields[0].longest) == ("x", 9)
    assert fields[3].values == {"gold"}


def test_labels_become_fields_of_every_kind() -> None:
    """Text inputs, menus of one and of several, boxes and radios."""
    options = [{"label": "Gold", "value": "gold", "default": True}]

    def label(name: str, **part: Any) -> Mapping[str, Any]:
        return {"type": 18, "label": name, "component": {"custom_id": f"{name}\n1", **part}}

    modal = {
        "title": "T",
        "components": [
            {"type": 10, "content": "intro"},
            label("a", type=4, style=2, value="x"),
            label("b", type=4, style=1),
            label("c", type=3, options=options),
            label("d", type=3, options=options, max_values=2),
            label("e", type=21, options=options),
            label("f", type=22, options=options),
        ],
    }
    known = form(*(Input(name, name) for name in "abcdef"))

    fields = [f for f in component_modal(modal, known).items if isinstance(f, Field)]

    assert [(f.name, f.kind) for f in fields] == [
        ("a", "paragraph"), ("b", "line"), ("c", "select"),
        ("d", "several"), ("e", "radios"), ("f", "checks"),
    ]  # fmt: skip
    assert fields[2].values == {"gold"}


@pytest.mark.parametrize("view", [ONE, TWO], ids=["one", "two"])
def test_every_field_of_a_long_form_is_drawn(view: View) -> None:
    """Also where a platform needs several steps; the payload of each step is shown."""
    many = form(*(Input(f"field-{n}", f"Field {n}", required=n > 5) for n in range(12)))

    html = html_of(many, view)

    assert all(f'data-field="field-{n}"' in html for n in range(12))
    assert ("Step 3 of 3" in html) == (view is TWO)


def test_a_renderer_that_draws_nothing_is_asked_once_only() -> None:
    """Fields that no step shows do not keep the page busy for ever."""
    assert len(steps(form(Input("a", "A")), lambda _: {"blocks": []}, block_modal)) == 1


@pytest.mark.parametrize("view", [ONE, TWO], ids=["one", "two"])
def test_problems_the_payload_does_not_say_are_written_below_the_field(view: View) -> None:
    """As the platform itself writes them under its fields."""
    asked = form(Input("title", "Title", problem="Please fill this in.", required=True))
    bare = form(Input("title", "Title", required=True))
    renderer = RENDERERS[view.workspace.platform]

    html = form_html(asked, lambda _: renderer.form(bare, view.t), view, "profile", 1)

    assert '<p class="problem" id="form1-1-' in html


# --- the page and its small things ------------------------------------------------------------


def test_the_page_names_its_language_and_remembers_the_theme() -> None:
    """And loads nothing from elsewhere."""
    html = page_html("pt", "dark", [(ONE.workspace, "<section></section>")])

    assert '<html lang="pt" data-theme="dark">' in html
    assert 'src="http' not in html
    assert 'href="http' not in html
    assert "style=" not in html


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Maya Chen", "MC"), ("Ana de la Cruz", "AC"), ("Pelé", "P"), ("🌳", "?"), ("", "?")],
)
def test_faces_carry_at_most_two_letters(name: str, letters: str) -> None:
    """The first of the first and of the last word."""
    assert initials(name) == letters


def test_colours_are_steady_and_safe() -> None:
    """A person keeps a colour; a strange accent is none."""
    assert hue("maya") == hue("maya") in range(8)
    assert accent(0x10072B2) == "#0072b2"
    assert accent('"><script>') == "none"


def test_the_hub_reads_its_own_hostile_text_back() -> None:
    """The sample holds what this file promises to defuse."""
    reply: Reply = hostile()

    assert "<script>" in HOSTILE
    assert reply.title.startswith("<img")
