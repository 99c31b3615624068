"""Replies as Slack shows them: messages, modals and the Home tab. Pure, and within every limit."""

from bot.adapters.slack import blocks as kit
from bot.adapters.slack.blocks import Json
from bot.adapters.slack.forms import Origin, field_pieces
from bot.adapters.slack.parts import HOME, MESSAGE, MODAL, Piece, fit_pieces, render_blocks
from bot.adapters.slack.text import chunks, escape_text, is_visible, utf16_length
from bot.cards import Button, Buttons, Card, Form, Note, Text, plain
from bot.i18n import Translator

FALLBACK, TITLE = 3800, 24


def message(card: Card, t: Translator) -> Json:
    """A message: complete as text, and drawn in blocks."""
    return {"text": fallback(card), "blocks": render_blocks(card, MESSAGE, t)}


def home(card: Card, t: Translator) -> Json:
    """The Home tab."""
    return {"type": "home", "blocks": render_blocks(card, HOME, t)}


def modal(card: Card, t: Translator, origin: Origin | None = None) -> Json:
    """The card in a window of its own: what a form answers."""
    return {
        "type": "modal",
        "callback_id": "card",
        "private_metadata": (origin or Origin()).metadata(),
        "title": kit.plain_text(card.title, TITLE),
        "close": kit.plain_text(t("Close"), TITLE),
        "blocks": render_blocks(card, MODAL, t),
    }


def form(asked: Form, t: Translator, origin: Origin | None = None) -> Json:
    """A form in a window, filled with what is known, the problem above its field."""
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
    """A form where none can be opened unasked: a card whose button opens it."""
    press = Buttons((Button(t("Fill in the form"), command, style="primary"),))
    intro = (Text(asked.intro),) if asked.intro else ()
    problems = (Note(given.problem, "warning") for given in asked.inputs if given.problem)
    return Card(asked.title, (*problems, *intro, press))


def name_commands(text: str) -> str:
    """The text as it is: Slack calls the commands as the hub does."""
    return text


def read_command(text: str) -> str:
    """What somebody typed, as it is: Slack calls the commands as the hub does."""
    return text


def fallback(card: Card) -> str:
    """The whole card as text, for notifications and screen readers."""
    text = plain(card).strip()
    return escape_text(text if is_visible(text) else kit.EMPTY, FALLBACK)
