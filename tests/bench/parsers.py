"""How the time of each parser grows with its input: twice as much should take twice as long."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bot.adapters.discord import commands as discord_commands
from bot.adapters.discord import names as discord_names
from bot.adapters.discord import text as discord_text
from bot.adapters.playground import markdown, mrkdwn
from bot.adapters.playground.spans import Reader
from bot.adapters.slack import hearing as slack_hearing
from bot.adapters.slack import payloads as slack_payloads
from bot.adapters.slack import text as slack_text
from bot.commands import load_commands
from bot.domain import escaping
from bot.domain.ranges import parse_range
from bot.parsing import clean_lines, clean_text, parse_words
from bot.verbs import begins_like_command, find_command, find_near_verbs, find_question

COMMANDS = load_commands()
READER = Reader()
SIZE = 10_000
"""Characters of the smaller input, which is as much as is read as a command."""
GROWTH = 8
"""The larger input is so many times as long."""
LINEAR = 2.0
"""Most times as long that a character of the larger input may take."""


def _arguments(name: str) -> Callable[[str], Any]:
    arguments = COMMANDS[name].arguments
    return lambda text: parse_words(text, arguments)


PARSERS: dict[str, tuple[Callable[[str], Any], tuple[str, ...]]] = {
    "clean_text": (clean_text, ("a\u0301 ", "\x00\u200b", "\u2028x")),
    "clean_lines": (clean_lines, ("a \n", "\u200b\n")),
    "parse_words, lead words": (_arguments("intro"), ('x "because ', "because ", "parce  ")),
    "parse_words, quotes": (
        _arguments("who-does"), ('"a ', "'a ", "\u201ca ", "`a ", 'in:"', "in:'a", "a' 'b"),
    ),
    "parse_words, keys": (_arguments("profile"), ("bio: ", "in : ", "a:b:", 'knows:"a",', ": ")),
    "find_command": (
        lambda text: find_command(COMMANDS, text), ("/wwc ", "- ", "wwc:", "help", "'"),
    ),
    "find_question": (
        lambda text: find_question(COMMANDS, text), ("who ", "please ", "qui s'", "\u00bfquien "),
    ),
    "begins_like_command": (
        lambda text: begins_like_command(COMMANDS, text), ("/wwc", "`", "who-", "\u2014 "),
    ),
    "find_near_verbs": (lambda text: find_near_verbs(COMMANDS, text), ("hlep", "hlep ")),
    "ranges": (parse_range, ("1", "1,", "1.000", ">1 ")),
    "escape_markup": (
        escaping.escape_markup,
        ("http://a)", "http://a", ")", "[a](", "<a:b|", "a.", "//a.a", "\U0001f1e6", "a\u0301"),
    ),
    "truncate": (escaping.truncate, ("\U0001f1e6", "a\u0301", "\U0001f600")),
    "Slack: commands": (
        slack_payloads.parse_command_text, ("<", "<@U1>", "<a|", "&amp;", "<@U1|a"),
    ),
    "Slack: messages": (slack_hearing.readable_text, ("<", "<@U1>", "<a|", "&amp;", "<http://a|b>")),
    "Slack: text": (
        lambda text: slack_text.chunks(text, 3000),
        ("a ", "\U0001f600", "\U0001f1e6", "a\u0301", "&"),
    ),
    "Slack: escaped text": (
        lambda text: slack_text.escape_text(text, 3000), ("&", "\U0001f600", "<", "a\u0301"),
    ),
    "Discord: names of commands": (
        discord_names.read_command, ("/wwc-me ", " ", "wwc-me my-data ", "/"),
    ),
    "Discord: mentions": (discord_commands.normalize_mentions, ("<@!", "<@!1>", "<@!1")),
    "Discord: escaped text": (
        discord_text.escape_markup, ("http://a ", "http://a.", "a.", "@everyone", "<", "\n> "),
    ),
    "Discord: short text": (
        lambda text: discord_text.shorten(text, 2000), ("\u200d", "\U0001f1e6", "a\u0301", "*"),
    ),
    "the page: mrkdwn": (
        lambda text: mrkdwn.mrkdwn_spans(text, READER), ("*a ", "```", "`", "<", ":a", "&gt;\n"),
    ),
    "the page: Markdown": (
        lambda text: markdown.markdown_spans(text, READER),
        ("**a", "*a ", "```", "``a`", "[a", "[a](", "http://", "||a", "- a\n", "> ", "__a_", "\\"),
    ),
}  # fmt: skip
"""Each parser with the texts that are repeated for it: what opens and is never closed, mostly."""


@dataclass(frozen=True)
class Growth:
    """The seconds that a parser took for two sizes of the input on which it grew most."""

    name: str
    seed: str
    small: float
    large: float

    @property
    def ratio(self) -> float:
        """Return how many times as long a character of the larger input took."""
        return self.large / self.small / GROWTH


def measure(size: int = SIZE, runs: int = 5) -> Iterable[Growth]:
    """Yield for each parser the input with the worst growth."""
    for name, (parse, seeds) in PARSERS.items():
        found = [
            Growth(name, seed, *(_least(parse, seed, n, runs) for n in (size, size * GROWTH)))
            for seed in seeds
        ]
        yield max(found, key=lambda one: one.ratio)


def _least(parse: Callable[[str], Any], seed: str, size: int, runs: int) -> float:
    """Return the least seconds of several runs, on the processor's own clock."""
    text = (seed * (size // len(seed) + 1))[:size]
    took = []
    for _ in range(runs):
        began = time.process_time_ns()
        parse(text)
        took.append(time.process_time_ns() - began)
    return max(min(took), 1000) / 1e9
