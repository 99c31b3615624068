"""Whatever is passed on, to either platform: nobody is pinged, and every message is accepted."""

from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.adapters.discord import render as on_discord
from bot.adapters.slack import hearing
from bot.adapters.slack import render as on_slack
from bot.cards import Card
from bot.community.relay import cards
from bot.domain.escaping import escape_markup, truncate
from bot.i18n import translator
from bot.request import File, Quote
from db.members import Member
from tests.platforms import discord, slack_limits
from tests.platforms.slack_mentions import mentions_of

ANA = Member(name="Ana <!channel> @everyone", city=None)
MENTIONS = (
    "<!channel>", "<!here>", "<!everyone>", "<!subteam^S1>", "<!subteam^S1|@staff>", "<@U1>",
    "<@U024BE7LH|ana>", "<@W1>", "@everyone", "@here", "@channel", "<@&123456789012345678>",
    "<@123456789012345678>", "<@!123456789012345678>", "<#C1>", "<#123456789012345678>",
    "</wwc help:123456789012345678>", "<t:1:R>", "<id:customize>", "<!date^1^{date}|x>",
)  # fmt: skip
ALL = {"parse": ["users", "roles", "everyone"]}
WRAPS = (
    "{}", "hey {} you", "{0}{0}", "`{}`", "```\n{}\n```", "``` {}", "> {}", "# {}", "||{}||",
    "[{}](https://evil.example)", "**{}**", "\\{}", "&lt;{}&gt;", "{}\n{}", "<{}>",
)  # fmt: skip
PAYLOADS = [
    wrap.replace("{0}", "{}").replace("{}", said) for said, wrap in product(MENTIONS, WRAPS)
]


def cards_of(text: str) -> list[Card]:
    """What the other side gets, and what the writer may be told."""
    t = translator("en")
    said, _ = truncate(escape_markup(text))
    files = (File(text[:50], 3, text[:20], ""),)
    return [
        cards.message_card(t, ANA, "Slack", said, files),
        cards.message_card(t, ANA, "Slack", "", (), [Quote(escape_markup(text)[:50], said)]),
        cards.reaction_card(t, ANA, "Discord", escape_markup(text)[:50], escape_markup(text)[:40]),
        cards.choose_conversation_card(t, [(1, ANA)], 1, escape_markup(text)),
    ]


def check(card: Card) -> None:
    """Both platforms take it, and nobody is disturbed."""
    t = translator("en")
    here, there = on_slack.message(card, t), on_discord.message(card, t)
    assert mentions_of(here) == []
    assert discord.mentions_of(there) == []
    # nor would anybody be if the platform were not told to keep still
    assert discord.mentions_of({**there, "allowed_mentions": ALL}) == []
    assert slack_limits.problems_of_message(here) == []
    assert discord.problems_of_message(there) == []


def test_there_are_three_hundred() -> None:
    """Twenty ways to ping, each in fifteen disguises."""
    assert len(set(PAYLOADS)) == 300


@pytest.mark.parametrize("text", PAYLOADS)
def test_nobody_is_pinged(text: str) -> None:
    """As it comes from either platform."""
    for typed in (text, hearing.readable_text(text)):
        for card in cards_of(typed):
            check(card)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.characters(exclude_categories=()), max_size=6000))
def test_every_text_is_accepted(text: str) -> None:
    """However strange or long."""
    for card in cards_of(text):
        check(card)


@pytest.mark.parametrize("text", ["```" * 400, "_*~`|>#" * 700, "👩‍👩‍👧" * 1500, "a\u0301" * 3000])
def test_long_markup_is_accepted(text: str) -> None:
    """Escaping makes text longer; the limits hold anyway."""
    for card in cards_of(text):
        check(card)
