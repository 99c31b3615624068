"""Render replies as messages, modals and the Home tab, within all limits of Slack. Pure."""

from bot.adapters.slack import blocks as kit
from bot.adapters.slack.blocks import Json
from bot.adapters.slack.forms import Origin, field_pieces
from bot.adapters.slack.parts import HOME, MESSAGE, MODAL, Piece, fit_pieces, render_blocks
from bot.adapters.slack.text import chunks, escape_text, is_visible
from bot.cards import Button, Buttons, Card, Form, Note, Text, plain
from bot.domain.characters import utf16_length
from bot.i18n import Translator

FALLBACK, TITLE = 3800, 24
"""Longest text of a message and title of a modal, in UTF-16 units."""


def message(card: Card, t: Translator) -> Json:
    """Return a message: the card in blocks, and as text for notifications."""
    return {"text": fallback(card), "blocks": render_blocks(card, MESSAGE, t)}


def home(card: Card, t: Translator) -> Json:
    """Return the card as a view of the Home tab."""
    return {"type": "home", "blocks": render_blocks(card, HOME, t)}


def modal(card: Card, t: Translator, origin: Origin | None = None) -> Json:
    """Return the card as a modal; `origin` is stored in its metadata."""
    return {
        "type": "modal",
        "callback_id": "card",
        "private_metadata": (origin or Origin()).metadata(),
        "title": kit.plain_text(card.title, TITLE),
        "close": kit.plain_text(t("Close"), TITLE),
        "blocks": render_blocks(card, MODAL, t),
    }


def form(asked: Form, t: Translator, origin: Origin | None = None) -> Json:
    """Return the form as a modal with its current values; each problem stands above its field."""
    opening = [Piece((kit.header(asked.title),))] if utf16_length(asked.title) > TITLE else []
    intro = [Piece((kit.paragraph(p),)) for p in chunks(asked.intro, kit.PARAGRAPH)]
    fields, more = field_pieces(asked)
    return {
        "type": "modal",
        "callback_id": "form",
        "private_metadata": (origin or Origin(asked.command)).metadata(),
        "title": kit.plain_text(asked.title, TITLE),
        "submit": kit.plain_text(asked.submit, TITLE),
        "close": kit.plain_text(t("Cancel"), TITLE),
        "blocks": fit_pieces([*opening, *intro, *fields], [], MODAL, t, is_truncated=more),
    }


def form_invitation_card(asked: Form, command: str, t: Translator) -> Card:
    """Return a card with a button that opens the form, and the form's problems.

    It stands in for the form where Slack opens no modal without a press.
    """
    press = Buttons((Button(t("Fill in the form"), command, style="primary"),))
    intro = (Text(asked.intro),) if asked.intro else ()
    problems = (Note(given.problem, "warning") for given in asked.inputs if given.problem)
    return Card(asked.title, (*problems, *intro, press))


def name_commands(text: str) -> str:
    """Return the text unchanged: commands have the same names in Slack and in the hub."""
    return text


def read_command(text: str) -> str:
    """Return typed text unchanged: commands have the same names in Slack and in the hub."""
    return text


def fallback(card: Card) -> str:
    """Return the card as escaped text, for notifications and screen readers."""
    text = plain(card).strip()
    return escape_text(text if is_visible(text) else kit.EMPTY, FALLBACK)
