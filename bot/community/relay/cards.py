"""Renders the cards of a conversation across workspaces: copies of messages, and notices.

Each card is for one reader; `t` is that reader's translator.
"""

from collections.abc import Sequence
from datetime import datetime

from bot.cards import Button, Buttons, Card, Entry, Link, Note, Part, Text, Written
from bot.community.people import places
from bot.community.staff import describe_mute
from bot.domain.escaping import escape_markup, one_line
from bot.i18n import Translator
from bot.request import File, Quote
from db.members import Member

MAX_FILES = 10
MAX_FILE_SIZE = 10_000_000
"""The largest file passed on, in bytes: the smaller limit of the two platforms."""
_UNITS = ("B", "kB", "MB", "GB")


# --- what is passed on ------------------------------------------------------------------------


def author_line(t: Translator, person: Member, label: str) -> str:
    """Return «Ana Díaz · Bogotá, Colombia · platform», from the directory and not as typed."""
    city = places.city_place(t, person.city) if person.city else t("Program staff")
    return " · ".join(filter(None, (one_line(person.name), city, label)))


def message_card(
    t: Translator,
    person: Member,
    label: str,
    text: str,
    files: Sequence[File],
    quotes: Sequence[Quote] = (),
) -> Card:
    """Render the copy of a message below its author's line, and what was shared with it.

    All texts must be escaped already.
    """
    shown: list[Part] = [Text(author_line(t, person, label), quiet=True)]
    if text:
        shown.append(Written(text))
    for quote in quotes:
        by = t("Shared, from {name}:", name=quote.author) if quote.author else t("Shared:")
        shown += [Text(f"↪ {by}", quiet=True), Written(quote.text)]
    for file in files[:MAX_FILES]:
        shown.append(Text(_file_line(t, file)))
        if file.id and file.url:  # an address at the hub
            shown.append(Link(t("Open the file"), file.url))
    return Card("", tuple(shown))


def reaction_card(t: Translator, person: Member, label: str, mark: str, excerpt: str) -> Card:
    """Render a reaction to a message; `excerpt` may be empty."""
    to = t("{emoji} to «{words}»", emoji=mark, words=excerpt) if excerpt else mark
    return Card("", (Text(f"{author_line(t, person, label)}  {to}", quiet=True),))


def _file_line(t: Translator, file: File) -> str:
    facts = filter(None, (one_line(file.type, 60), _format_size(t, file.size)))
    said = " · ".join((f"📎 {one_line(file.name, 120) or t('a file')}", *facts))
    return f"{said}\n{escape_markup(file.url)}" if file.url and not file.id else said


def _format_size(t: Translator, size: int) -> str:
    if size <= 0:
        return ""
    value, unit = float(size), 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{t.number(value, decimals=1)} {_UNITS[unit]}"


# --- notices ----------------------------------------------------------------------------------


def note_card(text: str, *buttons: Button, tone: str = "info") -> Card:
    """Render a notice of one text, with buttons if any; every tone but «info» is a warning."""
    shown: tuple[Part, ...] = (Text(text) if tone == "info" else Note(text, "warning"),)
    if buttons:
        shown += (Buttons(buttons),)
    return Card("", shown)


def control_buttons(t: Translator, relay_id: int) -> Buttons:
    """Return the buttons of an open conversation: pause, end, block, report."""
    return Buttons(
        (
            Button(t("Pause"), f"relay pause {relay_id}"),
            Button(t("End"), f"relay end {relay_id}"),
            Button(t("Block"), f"relay block {relay_id}", "danger"),
            Button(t("Report"), f"relay report {relay_id}"),
        )
    )


def edits_hint(t: Translator) -> Text:
    """Return the hint that edits and deletions are passed on, for the opening card."""
    said = t(
        "Your edits and deletions reach the other side too. For files, only the name and size do."
    )
    return Text(said, quiet=True)


def here_card(t: Translator, name: str) -> Card:
    """Render the line that brings a conversation up for a reader who looks for it."""
    return note_card(t("Here is your conversation with {name}. Reply in this thread.", name=name))


def resume_button(t: Translator, relay_id: int) -> Button:
    """Return the button that ends the reader's pause."""
    return Button(t("Resume"), f"relay resume {relay_id}", "primary")


def unreachable_card(t: Translator, name: str) -> Card:
    """Render that the other side cannot be reached; an empty name means that they are gone."""
    if not name:
        return note_card(
            t(
                "The person you talked with here is no longer in the community; nothing is passed "
                "on."
            )
        )
    return note_card(t("I can't reach {name} right now, so that wasn't passed on.", name=name))


def you_blocked_card(t: Translator, name: str, relay_id: int) -> Card:
    """Render, for a writer who blocked the other side, that nothing is passed on."""
    said = t("You blocked {name}, so nothing is passed on between you two.", name=name)
    return note_card(said, Button(t("Unblock"), f"relay unblock {relay_id}"))


def conversation_over_card(t: Translator, name: str) -> Card:
    """Render, for a writer in an ended conversation, that nothing is passed on."""
    return note_card(
        t("This conversation with {name} is over; nothing is passed on anymore.", name=name)
    )


def other_ended_card(t: Translator, name: str) -> Card:
    """Render that the other side ended the conversation."""
    said = t("{name} ended this conversation. Nothing is passed on anymore.", name=name)
    return note_card(said)


def pause_over_card(t: Translator, name: str) -> Card:
    """Render that the other side ended its pause, for a reader who wrote during it."""
    said = t(
        "{name} is back, and this conversation continues. What you wrote during the pause "
        "wasn't passed on; you can send it again now.",
        name=name,
    )
    return note_card(said)


def you_paused_card(t: Translator, relay_id: int) -> Card:
    """Render, for a writer who paused the conversation, that nothing is passed on."""
    said = t("You paused this conversation, so that wasn't passed on. Resume it and send it again.")
    return note_card(said, resume_button(t, relay_id))


def mute_card(t: Translator, until: datetime) -> Card:
    """Render, for a writer whom the staff muted, until when."""
    return note_card(describe_mute(t, until), Button(t("Appeal"), "appeal"))


def other_paused_card(t: Translator, name: str) -> Card:
    """Render, for a writer, that the other side has paused the conversation."""
    return note_card(
        t(
            "{name} has paused this conversation, so that wasn't passed on. It stays here in your "
            "thread; I'll tell you when you can send it again.",
            name=name,
        )
    )


def delivery_failure_card(t: Translator, name: str, *, is_closed: bool, is_opening: bool) -> Card:
    """Render, for a writer, that a message or the opening did not arrive, without its text.

    `is_closed`: the other side's direct messages are closed.
    """
    if is_opening:
        said = t("I couldn't open the conversation on {name}'s side.", name=name)
    else:
        said = t("Something you wrote here didn't reach {name}.", name=name)
    if is_closed:
        said += " " + t("I can't send them direct messages.")
    else:
        said += " " + t("Please send it again later.")
    return note_card(said, tone="warning")


def messages_closed_card(t: Translator, name: str) -> Card:
    """Render, at another address, that the reader's direct messages are closed to the hub."""
    said = t(
        "{name} wrote to you, but I can't send you direct messages there. Open them to "
        "continue the conversation.",
        name=name,
    )
    return note_card(said)


def truncation_text(t: Translator, name: str) -> str:
    """Return the sentence that a message was cut because it is too long."""
    return t(
        "That was long: {name} sees only the beginning. Please send the rest as a new message.",
        name=name,
    )


def files_not_sent_text(t: Translator, name: str) -> str:
    """Return the sentence that of a file which is too large only name and size are passed on."""
    return t(
        "Files over 10 MB can't be passed on: {name} sees the name and the size. To share it, "
        "send a link that opens outside your workspace.",
        name=name,
    )


def receipt_card(t: Translator, name: str) -> Card:
    """Render, for a writer, that a message was passed on."""
    return Card("", (Text(t("Passed on to {name}.", name=name), quiet=True),))


def files_without_size_text(t: Translator, name: str) -> str:
    """Return the sentence that of a file whose size is not known only the name is passed on."""
    return t(
        "A file that's empty or kept somewhere else can't be passed on: {name} sees its name. To "
        "share it, send a link that opens outside your workspace.",
        name=name,
    )


def choose_conversation_card(
    t: Translator, choices: Sequence[tuple[int, Member]], draft_id: int, text: str
) -> Card:
    """Render the question whom a message is for: a conversation, or the hub.

    `choices`: relay ids with the other member of each. `draft_id`: the draft that keeps the text.
    """
    asked = t(
        "I haven't sent it to anyone yet, and I'll keep it for a day. Next time, reply to a "
        "message in the conversation."
    )
    title = t("Who is this for?")
    if len(choices) == 1:
        title = t("For the hub, or for {name}?", name=one_line(choices[0][1].first_name, 60))
    buttons = (
        *(
            Button(one_line(person.name, 60), f"relay send {relay_id} draft:{draft_id}", "primary")
            for relay_id, person in choices
        ),
        Button(t("The hub"), f"relay send draft:{draft_id}"),
    )
    entry = Entry(f"«{one_line(text, 120)}»") if text else None
    shown = (Text(asked), *([entry] if entry else ()), Buttons(buttons))
    return Card(title, shown)
