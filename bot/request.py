"""What reaches the hub, whatever it came through: who, where, and which words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.cards import Reply

Values = Mapping[str, tuple[str, ...]]
"""What a form or a native option gave for each field, as people typed or chose it."""


@dataclass(frozen=True, slots=True)
class Sender:
    """An account as its platform names it.

    `stranger`: somebody who does not belong to the workspace (a guest from another
    organisation, another bot): never more than public answers. `unsure`: the platform did not say
    in time whether it is one, so nothing may rest on that. `gathers`: in this workspace the
    hub can open a conversation of several people and itself. `email`: the address that the
    workspace says they have; it proves nothing where nobody vouches for the workspace. `label`:
    what people call the platform.
    """

    platform: str
    workspace: str
    user: str
    name: str = ""
    locale: str = ""
    zone: str = ""
    is_outsider: bool = False
    is_unverified: bool = False
    can_open_group_chat: bool = False
    email: str = field(default="", repr=False)
    label: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """One thing asked. `words` is what follows `/wwc`; mentions stand in it as `<@id>`.

    `values` are fields given by name (a form, native options); they win over words.
    `submitted`: they come from a form, so an empty value means «clear this». `event`: the
    platform's name of what happened, where it may tell of it twice: it has one effect. `is_retry`:
    the platform tells again of what could not be saved, so that is no answer but an exception.
    """

    sender: Sender
    words: str = ""
    values: Values = field(default_factory=dict)
    from_form: bool = False
    channel: str = ""
    direct: bool = False
    event: str = ""
    is_retry: bool = False


@dataclass(frozen=True, slots=True)
class File:
    """A file that came with a message: its size in bytes, 0 if unknown.

    `url`: where anybody who has the address can fetch it; empty where the platform keeps its
    files to its own people. `id`: the platform's name of it, by which the hub can fetch it then.
    """

    name: str
    size: int = 0
    type: str = ""
    url: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """What somebody did in the direct messages with the hub, which may be part of a conversation.

    `message` and `channel` are the platform's ids. `under`: the message it answers, or the
    thread it stands in; `threaded`: the platform has threads, so what stands outside of them
    belongs to none by itself. `command`: it says that it is one. `edition` rises with each edit of
    a message, and from one reaction to the next where the platform says when each was made.
    `keys`: the names of this event; whichever was heard before makes it a double. `mark`: the
    emoji of a reaction.
    """

    sender: Sender
    act: Literal["written", "edited", "deleted", "marked", "unmarked"]
    message: str
    channel: str
    text: str = ""
    parent: str = ""
    has_threads: bool = False
    is_command: bool = False
    edition: int = 0
    files: tuple[File, ...] = ()
    emoji: str = ""
    keys: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """What a message is called, on whichever platform."""
        return self.source_of(self.message)

    def source_of(self, message: str) -> str:
        """What another message of the same place is called."""
        return f"{self.sender.platform}:{self.channel}:{message}"


@dataclass(frozen=True, slots=True)
class HandledMessage:
    """What was heard was part of a conversation; `say` is for who wrote it, if anything is."""

    reply: Reply | None = None
