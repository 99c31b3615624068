"""Code between ticks is found, and nothing in it is touched."""

from bot.domain.code import Passage, close_block, rewrite_passages, split_code


def test_code_is_told_from_prose() -> None:
    """Ticks that hold nothing, stand alone or in a word are prose."""
    assert list(split_code("a `b  c` d\n```py\n\tx\n\n\n  y\n```\ne ``f`g``")) == [
        Passage("a "), Passage("b  c", "inline"), Passage(" d"),
        Passage("\tx\n\n\n  y", "block", "py"),
        Passage("e "), Passage("f`g", "inline"),
    ]  # fmt: skip
    for prose in ("it`s and don`t", "` `", "``` ```", "a ` b", "```open"):
        assert list(split_code(prose)) == [Passage(prose)]
    assert list(split_code("```py\nx```", languages=False)) == [Passage("py\nx", "block")]


def test_only_prose_is_rewritten() -> None:
    """And a second time changes nothing more."""
    once = rewrite_passages("a `b` c\n```d\n```e", str.upper)
    assert once == "A `b` C\n```\nd\n```\nE"
    assert rewrite_passages(once, str.upper) == once


def test_a_cut_block_is_closed() -> None:
    """A text that ends by itself is left alone."""
    assert close_block("```\nabc…") == "```\nabc…\n```"
    assert close_block("```\nabc") == "```\nabc"
    assert close_block("```a``` …") == "```a``` …"


def test_long_rows_of_ticks_take_no_time() -> None:
    """Each is looked at once."""
    for text in ("`" * 30_000, "` " * 15_000, "``` " * 10_000, "`a" * 15_000, "``a`" * 10_000):
        assert "".join(passage.text for passage in split_code(text))
