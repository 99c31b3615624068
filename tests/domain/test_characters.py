"""What nobody sees goes, what shapes a word or an emoji stays."""

from bot.domain.characters import cut_at_character, remove_invisible, utf16_length


def test_joiners_stay_where_they_shape_something() -> None:
    """Inside the words of some scripts, and between the parts of an emoji."""
    for text in (
        "می\u200cخواهم", "क्\u200dया", "ශ්\u200dරී", "അവന്\u200d", "👩🏽\u200d💻", "🏳️\u200d🌈",
        "🏴\U000e0067\U000e0062\U000e007f", "1️⃣ ❤️", "a\tb\nc", "مرحبا",
    ):  # fmt: skip
        assert remove_invisible(text) == text


def test_elsewhere_they_only_hide() -> None:
    """Between Latin letters, at the ends, several in a row, tags and variations of nothing."""
    for text, left in (
        ("pay\u200cpal", "paypal"), ("b\u200dlock", "block"), ("می\u200c", "می"),
        ("می\u200c\u200c\u200cخواهم", "می\u200cخواهم"), ("а\u200cб", "аб"),
        ("👩\u200d", "👩"), ("hi\U000e0068\U000e0069", "hi"), ("a\ufe0f b", "a b"),
        ("❤\ufe0f\ufe0f\ufe0f", "❤\ufe0f"), ("a\u2028b\u2029c\rd", "a\nb\nc\nd"),
        ("\u202eabc\u2066", "abc"), ("a\x00b", "a b"), ("\ud800", ""),
    ):  # fmt: skip
        assert remove_invisible(text) == left, text


def test_a_cut_goes_between_characters() -> None:
    """Not inside a flag, a family or an accent, unless a single one is too long."""
    assert cut_at_character("🇧🇷🇺🇸", 3) == "🇧🇷"
    assert cut_at_character("x👩\u200d💻", 2) == "x"
    assert cut_at_character("xe\u0301", 2) == "x"
    assert cut_at_character("👩\u200d💻", 2) == "👩\u200d"
    assert utf16_length("a🌳") == 3
