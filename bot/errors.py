"""What may go wrong and be said to a person; everything else is a bug with a reference code."""

from dataclasses import dataclass

from bot.cards import Button, Option


@dataclass
class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not an error of the program
    """One clear sentence with the way out, and buttons that lead there.

    `denied`: the asker lacked a role; that is audited.
    """

    text: str
    title: str = ""
    buttons: tuple[Button, ...] = ()
    denied: bool = False


@dataclass
class Misfit(Refusal):
    """A value that does not fit its field; the form reopens with the sentence beside it.

    `choices`: the nearest values that would fit, offered as buttons.
    """

    name: str = ""
    choices: tuple[Option, ...] = ()


class Repeated(Exception):  # noqa: N818 - an answer: this was done already
    """The platform tells again of an event that had its effect."""
