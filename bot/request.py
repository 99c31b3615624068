"""Requests and messages as every adapter hands them to the hub: who, where, and which words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.cards import Card, Reply

Values = Mapping[str, tuple[str, ...]]
"""Values by field name, from a form or native options, as people typed or chose them."""


@dataclass(frozen=True, slots=True)
class Sender:
    """An account as its platform names it.

    `is_outsider`: it does not belong to the workspace (a guest from another organisation, another
    bot) and gets public answers only. `is_unverified`: the platform did not say in time whether it
    is an outsider, so nothing may rest on that. `can_open_group_chat`: in this workspace the hub
    can open a conversation of several people and itself. `email`: the address that the workspace
    says they have; it proves nothing where nobody vouches for the workspace. `label`: what people
    call the platform.
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
    """One request. `words` is what follows `/wwc`; mentions stand in it as `<@id>`.

    `values` are fields given by name (a form, native options); they win over words. `from_form`:
    they come from a form, so an empty value means «clear this». `direct`: it was made in direct
    messages with the hub. `event`: the platform's id of an event that it may send twice; it has one
    effect. `is_retry`: the platform sends an event again that could not be saved; if that fails
    once more, the hub raises instead of answering.
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

    `url`: where anybody who has the address can fetch it; empty where the platform shows its files
    to its own people only. `id`: the platform's id of it, by which the hub can fetch it then.
    """

    name: str
    size: int = 0
    type: str = ""
    url: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Quote:
    """A message that somebody shared or forwarded; `author` is empty where it is not told."""

    author: str
    text: str


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """What somebody did in direct messages with the hub, which may be part of a conversation.

    `message` and `channel` are the platform's ids. `parent`: the message it answers, or the thread
    it stands in; `has_threads`: the platform has threads, so a message outside of them belongs to
    none. `edition` rises with each edit of a message,
    and from one reaction to the next where the platform says when each was made. `keys`: the ids of
    this event; if one of them was recorded before, it is a duplicate. `emoji`: the emoji of a
    reaction. `quotes`: what was shared with it.

    In all texts code stands between ticks, and a moment that everybody reads on their own clock
    stands as `<t:SECONDS:STYLE>`, with Discord's letters for the style.
    """

    sender: Sender
    act: Literal["written", "edited", "deleted", "marked", "unmarked"]
    message: str
    channel: str
    text: str = ""
    parent: str = ""
    has_threads: bool = False
    edition: int = 0
    files: tuple[File, ...] = ()
    emoji: str = ""
    quotes: tuple[Quote, ...] = ()
    keys: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """Return the message's id across platforms: `platform:channel:message`."""
        return self.source_of(self.message)

    def source_of(self, message: str) -> str:
        """Return the same id of another message in this channel."""
        return f"{self.sender.platform}:{self.channel}:{message}"


@dataclass(frozen=True, slots=True)
class HandledMessage:
    """The result of a listener that handled a message; `reply` goes to its author, if given.

    `receipt` says that it was passed on; a mark at the message says so instead, where the platform
    can place one.
    """

    reply: Reply | None = None
    receipt: Card | None = None
