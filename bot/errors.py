"""Errors that are shown to people; every other exception is a bug with a reference code."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.cards import Button, Option


@dataclass
class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not an error of the program
    """One clear sentence that says what is refused, and buttons that lead to a way out.

    `is_forbidden`: the asker lacked a role; that is written to the audit log.
    """

    text: str
    title: str = ""
    buttons: tuple[Button, ...] = ()
    is_forbidden: bool = False


@dataclass
class InvalidArgumentError(Refusal):
    """A value does not fit its field; the form reopens with the sentence beside the field.

    `name` is the field. `choices` are the nearest values that would fit, offered as buttons.
    `parsed_values` are fields whose values the handler took from the words in another way than the
    parser did.
    """

    name: str = ""
    parsed_values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    choices: tuple[Option, ...] = ()


class DuplicateEventError(Exception):
    """The platform sent an event again that already had its effect."""
