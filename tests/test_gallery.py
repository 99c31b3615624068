"""Every renderer survives every card: what it draws is accepted, complete, and pings nobody."""

import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed
from rich.console import Console

from bot.adapters import terminal
from bot.adapters.discord import render as discord
from bot.adapters.discord.modal import count_parts, modal
from bot.adapters.playground.render import View, form_html, message_html
from bot.adapters.playground.world import BOT, Message, Persona, Renderer, Workspace
from bot.adapters.slack import render as slack
from bot.cards import Card, Form, Reply, data, plain
from bot.i18n import LANGUAGES, translator
from tests.campaign import SEED, examples
from tests.gallery import CARDS, FORMS, GALLERY, cards, forms
from tests.platforms import discord as discord_rules
from tests.platforms.discord_limits import mentions_of as discord_mentions
from tests.platforms.slack_limits import problems_of_message, problems_of_view
from tests.platforms.slack_mentions import mentions_of as slack_mentions
from tests.reading import sentences_of

EN = translator("en")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
RENDERERS: Mapping[str, Renderer] = {"slack": slack, "discord": discord}
MAYA = Persona("maya", "Maya Chen", "Boston")
quickly = examples(120, suppress_health_check=[HealthCheck.too_slow])


def check_card(card: Card) -> None:
    """Both platforms take the message, and nobody is called by it."""
    message = slack.message(card, EN)
    assert problems_of_message(message) == []
    assert slack_mentions(message) == []
    for view in (slack.home(card, EN), slack.modal(card, EN)):
        assert problems_of_view(view) == []
        assert slack_mentions(view) == []
    body = discord.message(card, EN)
    assert discord_rules.problems_of_message(body) == []
    assert discord_mentions(body) == []
    json.dumps([message, body])


def check_form(form: Form) -> None:
    """Both platforms open the form."""
    view = slack.form(form, EN)
    assert problems_of_view(view) == []
    assert slack_mentions(view) == []
    assert discord.form(form, EN)["components"] == modal(form, "x", EN)["components"]
    for part in range(1, count_parts(form) + 1):
        window = modal(form, f"{form.command}\nform:{part}", EN, part=part)
        assert discord_rules.problems_of_modal(window) == []
        assert discord_mentions(window) == []
        json.dumps(window)


def in_terminal(reply: Reply, width: int = 100) -> str:
    """What the terminal prints, without colours."""
    console = Console(file=io.StringIO(), width=width, no_color=True, legacy_windows=False)
    with console.capture() as captured:
        console.print(terminal.render(reply))
    return captured.get()


@pytest.mark.parametrize("name", CARDS)
def test_both_platforms_take_every_card(name: str) -> None:
    """By their own written limits."""
    check_card(CARDS[name])


@pytest.mark.parametrize("name", FORMS)
def test_both_platforms_open_every_form(name: str) -> None:
    """However long, empty or hostile."""
    check_form(FORMS[name])


@pytest.mark.campaign
@seed(SEED)
@given(cards())
@quickly
def test_both_platforms_take_any_card(card: Card) -> None:
    """At random."""
    check_card(card)


@pytest.mark.campaign
@seed(SEED)
@given(forms())
@quickly
def test_both_platforms_open_any_form(form: Form) -> None:
    """At random."""
    check_form(form)


@pytest.mark.parametrize("name", GALLERY)
def test_the_text_of_every_reply_is_complete(name: str) -> None:
    """Every label and every sentence is there; the data is JSON."""
    reply = GALLERY[name]
    text = plain(reply)

    assert [said for said in sentences_of(reply) if said.strip() not in text] == []
    assert plain(reply).endswith("\n")
    assert data(reply)["kind"] in ("card", "form")
    json.dumps(data(reply))


@pytest.mark.parametrize("name", GALLERY)
def test_the_terminal_draws_every_reply(name: str) -> None:
    """Narrow and wide."""
    for width in (40, 120):
        assert in_terminal(GALLERY[name], width).strip()


class Page(HTMLParser):
    """The elements of a piece of HTML, with all that could run something."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.alive: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what opens, and what it could do."""
        if tag not in ("input", "img", "br", "hr", "meta", "link", "use", "path", "circle"):
            self.open.append(tag)
        told = {name: value or "" for name, value in attrs}
        where = told.get("href", "https:").split(":")[0]
        if tag in ("script", "iframe", "img") or where not in ("http", "https", "mailto"):
            self.alive.append(f"{tag} {told}")
        self.alive += [f"{tag} {name}" for name in told if name.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        """What closes was the last to open: the layout is whole."""
        if tag in self.open:
            assert self.open.pop() == tag


@pytest.mark.parametrize("platform", RENDERERS)
@pytest.mark.parametrize("name", GALLERY)
def test_the_playground_draws_what_both_platforms_are_sent(platform: str, name: str) -> None:
    """The true payloads as a page: whole, and with nothing in it that runs."""
    view = View(Workspace("T", platform, "One"), MAYA, "en", {"maya": "Maya Chen"})
    reply, renderer = GALLERY[name], RENDERERS[platform]
    if isinstance(reply, Form):
        html = form_html(reply, partial(_written, renderer), view, "profile", 1)
    else:
        payload = renderer.message(reply, EN)
        html = message_html(
            Message(1, "T", "general", BOT, NOON, "x", card=reply, payload=payload), view
        )
    page = Page(html)

    assert page.alive == []
    assert page.open == []


def _written(renderer: Renderer, form: Form) -> Mapping[str, Any]:
    return renderer.form(form, EN)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_fits(language: str) -> None:
    """Longer words of other languages break no limit."""
    t = translator(language)
    for card in (CARDS["100 of each"], CARDS["100 options"]):
        assert problems_of_message(slack.message(card, t)) == []
        assert discord_rules.problems_of_message(discord.message(card, t)) == []
    for form in (FORMS["60 inputs"], FORMS["longest values"]):
        assert problems_of_view(slack.form(form, t)) == []
        assert discord_rules.problems_of_modal(discord.form(form, t)) == []
