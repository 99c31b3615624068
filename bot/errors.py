"""What may go wrong and be said to a person; everything else is a bug with a reference code."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.cards import Button, Option


@dataclass
class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not an error of the program
    """One clear sentence with the way out, and buttons that lead there.

    `denied`: the asker lacked a role; that is audited.
    """

    text: str
    title: str = ""
    buttons: tuple[Button, ...] = ()
    is_forbidden: bool = False


@dataclass
class InvalidArgumentError(Refusal):
    """A value that does not fit its field; the form reopens with the sentence beside it.

    `choices`: the nearest values that would fit, offered as buttons. `read`: fields that were
    understood otherwise than the words were dealt out at first.
    """

    name: str = ""
    parsed_values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    choices: tuple[Option, ...] = ()


class DuplicateEventError(Exception):
    """The platform tells again of an event that had its effect."""
