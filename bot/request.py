"""What reaches the hub, whatever it came through: who, where, and which words."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Values = Mapping[str, tuple[str, ...]]
"""What a form or a native option gave for each field, as people typed or chose it."""


@dataclass(frozen=True, slots=True)
class Sender:
    """An account as its platform names it.

    `stranger`: somebody who does not belong to the workspace (a guest from another
    organisation, another bot): never more than public answers.
    """

    platform: str
    workspace: str
    user: str
    name: str = ""
    locale: str = ""
    zone: str = ""
    stranger: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One thing asked. `words` is what follows `/wwc`; mentions stand in it as `<@id>`.

    `values` are fields given by name (a form, native options); they win over words.
    `submitted`: they come from a form, so an empty value means «clear this».
    """

    sender: Sender
    words: str = ""
    values: Values = field(default_factory=dict)
    submitted: bool = False
    channel: str = ""
    direct: bool = False
