"""Words from elsewhere are made honest: nothing hidden, nothing that leads elsewhere."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.escaping import MAX_LENGTH, escape_markup, format_link, one_line, truncate


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("[bank](http://evil.example)", "bank (http://evil.example)"),
        ("[https://boston.gov](http://evil.example)", "http://evil.example"),
        ("[boston.gov](https://evil.example/boston.gov)", "https://evil.example/boston.gov"),
        ("<http://evil.example|https://boston.gov>", "http://evil.example"),
        ("<http://evil.example|the city>", "the city (http://evil.example)"),
        ("https://boston.gov@evil.example/x", "https://evil.example/x"),
        ("https://boston.gov:443@evil.example", "https://evil.example"),
        ("https://evil.example\\@boston.gov", "https://evil.example/@boston.gov"),
        ("https:///evil.example/x", "https://evil.example/x"),
        ("HTTPS://Boston.gov/A", "https://Boston.gov/A"),
        ("https://bоston.gov/a", "https://xn--bston-jye.gov/a"),
        ("https://boston。gov", "https://boston.gov"),
        ("javascript:alert(1)", "javascript: alert(1)"),
        ("[click](javascript:alert(1))", "[click](javascript: alert(1))"),
        ("JaVaScRiPt:alert(1)", "JaVaScRiPt: alert(1)"),
        ("java\u200bscript:alert(1)", "javascript: alert(1)"),
        ("data:text/html,<b>", "data: text/html,<b>"),
        ("discord://open slack://open file:///etc", "discord: //open slack: //open file: ///etc"),
        ("see (https://a.example/X_(y)).", "see (https://a.example/X_(y))."),
        ("file: the plan, data: ours", "file: the plan, data: ours"),
        ("ends in https://", "ends in https: //"),
    ],
)
def test_links_show_where_they_lead(typed: str, shown: str) -> None:
    """The host that is asked, and only pages."""
    assert escape_markup(typed) == shown


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("a\u202eb\u2066c\u200bd\u00ade", "abcde"),
        ("a\u200db", "ab"),
        ("👩\u200d👩\u200d👧 ❤️", "👩\u200d👩\u200d👧 ❤️"),
        ("z" + "\u0301" * 40, "z" + "\u0301" * 4),
        ("a\x00b\x1bc\td", "a b c\td"),
        ("a\r\nb\n\n\n\n\nc", "a\nb\n\nc"),
        ("\ud800x", "x"),
        ("\u3164\u115f", ""),
    ],
)
def test_nothing_is_hidden(typed: str, shown: str) -> None:
    """No letters without a shape, no turned lines, no piles of accents."""
    assert escape_markup(typed) == shown


def test_names_stay_one_line_and_name_no_city() -> None:
    """A dot between two words belongs to the hub."""
    assert one_line("Ana\n· City of X\u202e") == "Ana City of X"
    assert len(one_line("x" * 500)) == 80
    assert format_link("", "https://a.example") == "https://a.example"


@given(st.text(st.characters(exclude_categories=()), max_size=400))
def test_any_text_ends_calm(text: str) -> None:
    """Whatever was typed: it can be encoded, turns nothing around, and settles after one pass."""
    shown = escape_markup(text)
    shown.encode()
    kinds = {unicodedata.category(letter) for letter in shown} - {"Cf"}
    assert not kinds & {"Cs", "Zl", "Zp"}
    assert not any("\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069" for c in shown)
    assert all(c in "\n\t" or unicodedata.category(c) != "Cc" for c in shown)


@given(st.text(max_size=300), st.integers(1, 60))
def test_a_cut_never_parts_a_character(text: str, most: int) -> None:
    """It is at most so long, and begins as the text does."""
    kept, was_cut = truncate(text, most)
    assert len(kept.encode("utf-16-le", "surrogatepass")) // 2 <= most
    if not was_cut:
        assert kept == text
        return
    begun = kept.removesuffix("…")
    assert text.startswith(begun)
    rest = text[len(begun) :].lstrip()
    assert len(begun) < 3 or not unicodedata.category(rest[0]).startswith("M")


def test_what_fits_is_left_alone() -> None:
    """To the last character."""
    assert truncate("x" * MAX_LENGTH) == ("x" * MAX_LENGTH, False)
    assert truncate("x" * (MAX_LENGTH + 1))[1]
