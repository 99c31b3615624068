"""Build the bodies of the hub's answers in Slack: messages, modals and invitations to forms."""

from dataclasses import replace

from bot.adapters.slack import render
from bot.adapters.slack.blocks import Json
from bot.adapters.slack.forms import Origin
from bot.cards import MAX_COMMAND_LENGTH, Card, Form, Note, Reply
from bot.i18n import Translator


def response_type(card: Card) -> Json:
    """Return the response type: visible to the asker alone if the card is private, else to all."""
    return {"response_type": "ephemeral" if card.private else "in_channel"}


def form_invitation(form: Form, words: str, t: Translator) -> Json:
    """Return a message with a button that opens the form.

    The button repeats the member's words if they fit into it, else the form's own command.
    """
    said = words if 0 < len(words) <= MAX_COMMAND_LENGTH else form.command
    return render.message(render.form_invitation_card(form, said, t), t)


def message_body(reply: Reply, words: str, t: Translator) -> Json:
    """Return the answer to a mention or a direct message; its links show no previews."""
    if isinstance(reply, Form):
        return form_invitation(reply, words, t)
    return render.message(reply, t) | {"unfurl_links": False, "unfurl_media": False}


def build_modal(reply: Reply, origin: Origin, t: Translator) -> Json:
    """Return the modal that shows the reply: a form or a card."""
    if isinstance(reply, Form):
        return render.form(reply, t, replace(origin, command=reply.command))
    return render.modal(reply, t, origin)


def placeholder_window(t: Translator) -> Json:
    """Return a modal that says «One moment…», shown until the answer is ready."""
    return render.modal(Card(t("One moment…")), t)


def stale_form_card(t: Translator) -> Card:
    """Return the card for a submitted form that an earlier version of the hub rendered."""
    said = t("This form has expired; please open it again.")
    return Card(t("Not quite"), (Note(said, "warning"),))


def update_action(view: Json) -> Json:
    """Return the response to a submission that replaces the modal with this view."""
    return {"response_action": "update", "view": view}
