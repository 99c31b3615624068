"""Names of emoji become pictures; what only looks like one stays."""

import pytest

from bot.domain.emoji_names import draw_emoji, emoji_picture


@pytest.mark.parametrize(
    ("name", "picture"),
    [
        ("+1", "👍"), ("thumbsup", "👍"), ("thumbsup::skin-tone-3", "👍🏼"), ("-1", "👎"),
        ("white_check_mark", "✅"), ("heart", "❤️"), ("heart::skin-tone-3", "❤️"),
        ("point_up::skin-tone-6", "☝🏿"), ("man-shrugging", "🤷‍♂️"),
        ("man-shrugging::skin-tone-5", "🤷🏾‍♂️"), ("female-technologist", "👩‍💻"),
        ("male-doctor::skin-tone-2", "👨🏻‍⚕️"), ("flag-br", "🇧🇷"), ("flag-us", "🇺🇸"), ("us", "🇺🇸"),
        ("flag-scotland", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"), ("large_green_circle", "🟢"), ("simple_smile", "🙂"),
        ("man-woman-girl-boy", "👨‍👩‍👧‍👦"), ("woman-kiss-man", "👩‍❤️‍💋‍👨"), ("satellite", "🛰️"),
        ("party_parrot", ":party_parrot:"), ("flag-qq", ":flag-qq:"), ("+1::skin-tone-9", "👍"),
        ("boston::skin-tone-2", ":boston:"), ("café", ":café:"), ("boy-boston", ":boy-boston:"),
        ("", ""), ("::skin-tone-2", ""), ("\ud800", ""), ("a\nb", ""),
    ],
)  # fmt: skip
def test_emoji_are_shown_as_people_see_them(name: str, picture: str) -> None:
    """With the colour of the skin and flags; what only the workspace has keeps its name."""
    assert emoji_picture(name) == picture


def test_names_in_a_text_are_drawn_and_all_else_stays() -> None:
    """Times, ports, keys and a workspace's own emoji are no emoji."""
    for typed, shown in (
        (":tada: :+1::skin-tone-3:", "🎉 👍🏼"),
        ("done:white_check_mark:", "done:white_check_mark:"),
        ("(:tada::rocket:)", "(🎉🚀)"),
        ("at 10:30:45 or 10:100:20, host:100:x", "at 10:30:45 or 10:100:20, host:100:x"),
        ("urn:key:a std::string :party_parrot: ::", "urn:key:a std::string :party_parrot: ::"),
        ("https://a.example/:tada:/x", "https://a.example/:tada:/x"),
        (":heart:, :man-shrugging::skin-tone-5:!", "❤️, 🤷🏾‍♂️!"),
    ):
        assert draw_emoji(typed) == shown, typed


def test_where_the_platform_says_which_are_emoji_only_those_are() -> None:
    """Wherever they stand."""
    assert draw_emoji("done:tada:", {"tada"}) == "done🎉"
    assert draw_emoji("10:100:20 :tada:", {"tada"}) == "10:100:20 🎉"
    assert draw_emoji(":100: :boston:", {"boston"}) == ":100: :boston:"
