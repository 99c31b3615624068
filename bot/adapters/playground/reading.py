"""Parse and check calls to the playground: who speaks, where, and which words.

The functions raise `BadCallError` for values that do not fit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.adapters.playground.guard import BadCallError
from bot.adapters.playground.world import (
    BOT,
    Persona,
    Workspace,
    conversation_key,
    members_of,
    tidy,
)
from bot.cards import SLASH, Button, Buttons, Card, Form, Text
from bot.i18n import LANGUAGE_NAMES, translator
from bot.request import Sender


@dataclass(frozen=True, slots=True)
class CallContext:
    """Who speaks, in which workspace, and in which entry (`key`) of its channel list."""

    person: Persona
    workspace: Workspace
    key: str
    people: Sequence[Persona]

    @property
    def channel(self) -> str:
        """Return the key of the conversation behind that entry."""
        return conversation(self.key, self.person, self.people)


def text_of(given: Mapping[str, Any], name: str, *, required: bool = False) -> str:
    """Return a text field, "" when it is left out."""
    value = given.get(name, "")
    if not isinstance(value, str):
        raise BadCallError(f"«{name}» must be text.")
    if required and name not in given:
        raise BadCallError(f'«{name}» is missing; for example {{"{name}": "{SLASH} help"}}.')
    return value


def values_of(body: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the values of a form by field."""
    values = body.get("values", {})
    sentence = "«values» must give a list of texts for each field."
    if not isinstance(values, dict):
        raise BadCallError(sentence)
    for given in values.values():
        if not isinstance(given, list) or not all(isinstance(text, str) for text in given):
            raise BadCallError(sentence)
    return {name: tuple(map(tidy, given)) for name, given in values.items()}


def number_of(body: Mapping[str, Any], name: str) -> int:
    """Return a field that holds the number of a message."""
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadCallError(f"«{name}» must be the number of a message.")
    return value


def last_seen_number(request: web.Request) -> int:
    """Return the version of the last message that the page has.

    Without one, return a number above all versions, so that only new messages follow.
    """
    given = request.headers.get("Last-Event-ID") or request.query.get("since", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else 10**19


def person_of(key: str, people: Sequence[Persona]) -> Persona:
    """Return the demo person with this key, or the first when no key is given."""
    if not key:
        return people[0]
    found = next((p for p in people if p.key == key), None)
    if found is None:
        raise BadCallError("There is no demo person with this key; choose one from the list.", 404)
    return found


def default_person(people: Sequence[Persona], workspace: Workspace, chosen: str | None) -> Persona:
    """Return who looks at a pane when the page opens: the chosen person, or one at home there."""
    wanted = (p for p in people if p.key == chosen)
    home = (p for p in people if p.workspace == workspace.key)
    return next(wanted, None) or next(home, people[0])


def sender_of(person: Persona, workspace: Workspace) -> Sender:
    """Return the sender that stands for a person in a workspace."""
    return Sender(
        platform=workspace.platform,
        workspace=workspace.key,
        user=person.key,
        name=person.name,
        locale=person.language,
        zone=person.zone,
        label=workspace.platform.title(),
    )


def conversation(key: str, person: Persona, people: Sequence[Persona]) -> str:
    """Return the key under which a channel is stored; one of two has the same key for both."""
    if key == BOT or any(p.key == key for p in people):
        return conversation_key(person.key, key)
    return key  # a channel or a group conversation, whose key is the same for everybody


def channel_of(conversation: str, person: Persona) -> str:
    """Return the key of a conversation in this person's channel list."""
    both = members_of(conversation)
    if len(both) != 2:
        return conversation
    return next((key for key in both if key != person.key), BOT)


def describe_person(person: Persona) -> str:
    """Return the language and staff role, which tell people apart in the list."""
    staff = translator(person.language)("Program staff") if person.staff else ""
    return " · ".join(filter(None, (LANGUAGE_NAMES.get(person.language, ""), staff)))


def form_invitation_card(form: Form) -> Card:
    """Return a card with a button that opens the form, since it cannot open by itself."""
    parts = (Text(form.intro),) if form.intro else ()
    return Card(form.title, (*parts, Buttons((Button(form.submit, form.command, "primary"),))))
