"""The rules of the loopback Slack for messages, views and mentions, as pure functions."""

from typing import Any

import pytest

from tests.platforms.slack import mentions_of, problems_of_message, problems_of_view

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def option(value: str) -> Json:
    return {"text": plain(value), "value": value}


def options(count: int) -> list[Json]:
    return [option(f"o{index}") for index in range(count)]


def rich(*elements: Json) -> Json:
    section = {"type": "rich_text_section", "elements": list(elements)}
    return {"type": "rich_text", "elements": [section]}


def row(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def button(text: str = "Go", **more: Any) -> Json:
    return {"type": "button", "text": plain(text), "action_id": "go", **more}


def menu(count: int, **more: Any) -> Json:
    return {"type": "static_select", "action_id": "menu", "options": options(count), **more}


def asking(element: Json, label: str = "Name", **more: Any) -> Json:
    return {
        "type": "input",
        "label": plain(label),
        "element": {"action_id": "a", **element},
        **more,
    }


def modal(*blocks: Json, **more: Any) -> Json:
    frame = {"type": "modal", "title": plain("Title"), "submit": plain("Send")}
    return {**frame, "blocks": list(blocks), **more}


CONFIRM = {"title": plain("Sure?"), "text": plain("Really"), "confirm": plain("Yes"),
           "deny": plain("No")}  # fmt: skip
GALLERY: list[Json] = [
    {"type": "header", "text": plain("Heading")},
    {"type": "section", "text": mrkdwn("*bold*"), "accessory": button("Open", confirm=CONFIRM)},
    {"type": "section", "fields": [plain("a"), mrkdwn("b")]},
    {"type": "context", "elements": [
        mrkdwn("small"), {"type": "image", "image_url": "http://x/y.png", "alt_text": "y"}]},
    {"type": "divider"},
    {"type": "image", "image_url": "http://x/y.png", "alt_text": "y", "title": plain("y")},
    row(menu(2, initial_option=option("o0")),
        {"type": "overflow", "action_id": "more", "options": options(2)},
        {"type": "checkboxes", "action_id": "c", "options": options(2)},
        {"type": "datepicker", "action_id": "d", "initial_date": "2026-01-01"},
        button(style="primary", value="intro 42", url="http://x")),
    {"type": "table", "rows": [[{"type": "raw_text", "text": "1"},
                                rich({"type": "text", "text": "x", "style": {"bold": True}})]]},
    {"type": "markdown", "text": "**bold**"},
    rich({"type": "text", "text": "<!channel>"}, {"type": "link", "url": "http://x", "text": "x"},
         {"type": "emoji", "name": "wave"}),
    {"type": "rich_text", "elements": [
        {"type": "rich_text_list", "style": "bullet", "indent": 1, "elements": [
            {"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}]},
        {"type": "rich_text_quote", "elements": [{"type": "text", "text": "x"}]},
        {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "x"}]}]},
]  # fmt: skip


def test_everything_in_order_has_no_problems() -> None:
    """A message with every usual block, a form with every usual field, a home tab."""
    fields = [
        asking({"type": "plain_text_input", "multiline": True, "max_length": 300}, hint=plain("h")),
        asking({"type": "static_select", "option_groups": [
            {"label": plain("g"), "options": options(2)}]}),
        asking({"type": "multi_static_select", "options": options(3), "max_selected_items": 2}),
        asking({"type": "radio_buttons", "options": options(3)}, optional=True),
        asking({"type": "external_select", "min_query_length": 1}),
        asking({"type": "users_select", "placeholder": plain("Who")}),
        asking({"type": "number_input", "is_decimal_allowed": False}),
        asking({"type": "datetimepicker"}),
        asking({"type": "timepicker"}),
        asking({"type": "email_text_input"}, dispatch_action=True),
    ]  # fmt: skip
    assert problems_of_message({"text": "x", "blocks": GALLERY}) == []
    assert problems_of_view(modal(*fields, GALLERY[0], GALLERY[6])) == []
    assert problems_of_view({"type": "home", "blocks": GALLERY[:7]}) == []


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ({"type": "section", "text": plain("")}, "text: 0 characters"),
        ({"type": "section", "text": mrkdwn("x" * 3001)}, "text: 3001 characters"),
        ({"type": "section"}, "section without text or fields"),
        ({"type": "section", "fields": [plain("x")] * 11}, "fields: 11, not 1 to 10"),
        ({"type": "section", "fields": [plain("x" * 2001)]}, "fields[0]: 2001"),
        ({"type": "section", "text": plain("x"), "accessory": {"type": "text"}}, "accessory"),
        ({"type": "header", "text": mrkdwn("x")}, "must be plain_text"),
        ({"type": "header", "text": plain("x" * 151)}, "151 characters"),
        ({"type": "context", "elements": [plain("x")] * 11}, "elements: 11"),
        ({"type": "context", "elements": [button()]}, "not an element for this place"),
        ({"type": "image", "image_url": "http://x"}, "image without alt_text"),
        ({"type": "divider", "block_id": "x" * 256}, "block_id: more than 255"),
        (row(), "elements: 0"),
        (row(*[button(action_id=f"a{n}") for n in range(26)]), "elements: 26"),
        (row(button(), button()), "action_id 'go' is used twice"),
        (row(button("x" * 76)), "text: 76 characters"),
        (row(button(value="x" * 2001)), "value: 2001"),
        (row(button(style="warning")), "style"),
        (row(button(confirm={**CONFIRM, "title": plain("x" * 101)})), "confirm.title: 101"),
        (row(menu(101)), "options: 101"),
        (row(menu(2, initial_option=option("o9"))), "not among the options"),
        (row(menu(2, placeholder=plain("x" * 151))), "placeholder: 151"),
        (row({"type": "overflow", "action_id": "o", "options": options(6)}), "not 1 to 5"),
        (row({"type": "radio_buttons", "options": options(11)}), "not 1 to 10"),
        (row({"type": "static_select", "options": [option("x" * 76)]}), "text: 76"),
        ({"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * 21]}, "20 cells"),
        ({"type": "table", "rows": [[{"type": "raw_text", "text": ""}]]}, "empty raw_text"),
        (rich({"type": "text", "text": ""}), "an empty text"),
        (rich({"type": "mention"}), "no inline element"),
        (rich({"type": "user"}), "user without user_id"),
        ({"type": "alert", "text": plain("x")}, "not for a message"),
    ],
)  # fmt: skip
def test_a_block_beyond_its_limits(block: Json, problem: str) -> None:
    """Each rule says where and by how much, found without Slack's published schemas too."""
    found = problems_of_message({"text": "x", "blocks": [block]})
    assert any(problem in line for line in found), found


@pytest.mark.parametrize(
    ("view", "problem"),
    [
        (modal(title=plain("x" * 25)), "view.title"),
        (modal(submit=mrkdwn("Send")), "view.submit: must be plain_text"),
        (modal(*[{"type": "divider"}] * 101), "101, more than 100"),
        (modal(private_metadata="x" * 3001), "private_metadata: more than 3000"),
        (modal(callback_id="x" * 256), "callback_id: more than 255"),
        ({"type": "modal", "title": plain("x"), "blocks": [asking({"type": "timepicker"})]},
         "view.submit: missing"),
        ({"type": "modal", "blocks": []}, "view.title: missing"),
        ({"type": "page", "blocks": []}, "neither modal nor home"),
        ({"type": "home", "blocks": [], "title": plain("x")}, "not in a home tab"),
        (modal(GALLERY[7]), "table is not for a view"),
        (modal({"type": "divider", "block_id": "x"}, {"type": "divider", "block_id": "x"}),
         "used twice"),
        (modal(asking({"type": "timepicker", "focus_on_load": True}),
               asking({"type": "datepicker", "focus_on_load": True})), "focus_on_load"),
        (modal(asking({"type": "plain_text_input", "min_length": 9, "max_length": 3})),
         "do not fit"),
        (modal(asking({"type": "plain_text_input"}, "x" * 2001)), "label: 2001"),
        (modal(asking(button())), "not an element for this place"),
    ],
)  # fmt: skip
def test_a_view_beyond_its_limits(view: Json, problem: str) -> None:
    """Frame, number, fields: each told by name."""
    found = problems_of_view(view)
    assert any(problem in line for line in found), found


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        ({"text": "x", "blocks": [GALLERY[7]] * 2}, "more than 1 table"),
        ({"text": "x", "attachments": [{}] * 101}, "too_many_attachments"),
        ({"text": "x", "metadata": {"event_type": "x"}}, "invalid_metadata_format"),
        ({"text": "x", "markdown_text": "x"}, "markdown_text_conflict"),
        ({"blocks": GALLERY[:1]}, "advice: text"),
    ],
)
def test_a_message_beyond_its_limits(payload: Json, problem: str) -> None:
    """What concerns the message as a whole."""
    found = problems_of_message(payload)
    assert any(problem in line for line in found), found


@pytest.mark.parametrize(
    "payload",
    [
        {"text": "hello <!channel>"},
        {"text": "x", "blocks": [{"type": "section", "text": mrkdwn("<!channel|all>")}]},
        {"text": "x", "blocks": [{"type": "context", "elements": [mrkdwn("<!channel>")]}]},
        {"text": "x", "blocks": [rich({"type": "broadcast", "range": "channel"})]},
        {"text": "x", "attachments": [{"pretext": "<!channel>"}]},
        {"text": "@channel", "link_names": True},
        {"text": "@channel", "parse": "full"},
    ],
)
def test_a_live_mention_is_found_wherever_it_stands(payload: Json) -> None:
    """mrkdwn, text, attachments and rich text elements disturb people."""
    assert mentions_of(payload) == ["<!channel>"]


def test_people_and_groups_are_mentioned_too() -> None:
    """In reading order, doubles kept."""
    element = {"type": "usergroup", "usergroup_id": "S1"}
    payload = {"text": "<@U1> <!here> <@W2|bo>", "blocks": [rich({"type": "user", "user_id": "U1"},
               element)]}  # fmt: skip
    assert mentions_of(payload) == ["<@U1>", "<!here>", "<@W2>", "<@U1>", "<!subteam^S1>"]


@pytest.mark.parametrize(
    "payload",
    [
        {"text": "&lt;!channel&gt; @here <#C1> <http://x|@here>"},
        {"text": "x", "blocks": [{"type": "section", "text": plain("<!channel> <@U1>")}]},
        {"text": "x", "blocks": [rich({"type": "text", "text": "<!channel>"})]},
        {"text": "x", "blocks": [{"type": "table", "rows": [[
            {"type": "raw_text", "text": "<@U1>"}]]}]},
    ],
)  # fmt: skip
def test_inert_text_disturbs_nobody(payload: Json) -> None:
    """Escaped, plain and rich text say the words without the deed."""
    assert mentions_of(payload) == []
