"""What is typed is read in a time that grows with its length alone: counted in steps, no clock."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from bot.commands import load_commands
from bot.parsing import clean_lines, clean_text, parse_words
from bot.verbs import find_command, find_near_verbs, find_question
from tests.bench.parsers import PARSERS

COMMANDS = load_commands()
SIZE = 1_500
ONCE = 60_000
"""Steps that cutting a text at a limit may take in addition; twice the square is far more."""


def count_steps(parse: Callable[[str], Any], text: str) -> int:
    """Return how many lines of Python run while the text is parsed."""
    steps = 0

    def follow(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal steps
        steps += event == "line"
        return follow

    before = sys.gettrace()
    sys.settrace(follow)
    try:
        parse(text)
    finally:
        sys.settrace(before)
    return steps


@pytest.mark.no_cover
def test_twice_as_long_takes_at_most_twice_the_steps() -> None:
    """For every parser and every nasty text of the bench."""
    wrong = []
    for name, (parse, seeds) in PARSERS.items():
        for seed in seeds:
            parse(seed)  # what is compiled once is no step
            once, twice = (count_steps(parse, (seed * n)[:n]) for n in (SIZE, 2 * SIZE))
            if twice > 2.2 * once + ONCE:
                wrong.append(f"{name} {seed!r}: {once} steps, then {twice}")
    assert wrong == []


@pytest.mark.parametrize("opening", ['"', "'", "“", "‘", "«", "`"])
def test_a_quote_that_is_never_closed_is_looked_for_once(opening: str) -> None:
    """Six hundred thousand characters with an open quote are read at once, not in half a minute."""
    text = f"x {opening}" + "because " * 75_000 + f"{opening}a " * 5_000
    arguments = COMMANDS["intro"].arguments

    assert parse_words(text, arguments)
    assert clean_text(text)
    assert clean_lines(text)
    assert find_command(COMMANDS, f"intro {text}") is not None
    assert find_question(COMMANDS, text) is None
    assert find_near_verbs(COMMANDS, text)
