"""The bodies of what the hub answers in Slack: messages, windows and invitations to forms."""

from dataclasses import replace

from bot.adapters.slack import render
from bot.adapters.slack.blocks import Json
from bot.adapters.slack.forms import Origin
from bot.cards import MAX_COMMAND_LENGTH, Card, Form, Note, Reply
from bot.i18n import Translator


def visibility(card: Card) -> Json:
    """To the asker alone, or to everybody in the channel."""
    return {"response_type": "ephemeral" if card.private else "in_channel"}


def invitation(form: Form, words: str, t: Translator) -> Json:
    """A button that opens the form with the words that led to it, if it can hold them."""
    said = words if 0 < len(words) <= MAX_COMMAND_LENGTH else form.command
    return render.message(render.form_invitation_card(form, said, t), t)


def message_body(reply: Reply, words: str, t: Translator) -> Json:
    """What stands under a mention or a direct message; links show no previews."""
    if isinstance(reply, Form):
        return invitation(reply, words, t)
    return render.message(reply, t) | {"unfurl_links": False, "unfurl_media": False}


def window(reply: Reply, origin: Origin, t: Translator) -> Json:
    """What a window shows: the next form, or the card."""
    if isinstance(reply, Form):
        return render.form(reply, t, replace(origin, command=reply.command))
    return render.modal(reply, t, origin)


def placeholder_window(t: Translator) -> Json:
    """A window for the moment until the answer is there."""
    return render.modal(Card(t("One moment…")), t)


def stale_form_card(t: Translator) -> Card:
    """A form of an earlier version of the hub was sent."""
    said = t("This form can no longer be sent; please open it again.")
    return Card(t("Not quite"), (Note(said, "warning"),))


def update_action(view: Json) -> Json:
    """The window shows something else from now on."""
    return {"response_action": "update", "view": view}
