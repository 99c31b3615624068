"""What a test reads off a reply: the commands it offers, the fields it asks for."""

from collections.abc import Iterator

from bot.cards import (
    Bars,
    Button,
    Buttons,
    Card,
    Choice,
    Divider,
    Entry,
    Facts,
    Form,
    Heading,
    Input,
    Link,
    Note,
    Part,
    Reply,
    Table,
    Text,
    Written,
)


def commands_of(reply: Reply) -> list[str]:
    """Every command that the card offers, in reading order."""
    assert isinstance(reply, Card)
    return list(_commands(reply))


def _commands(card: Card) -> Iterator[str]:
    for part in card.parts:
        if isinstance(part, Buttons | Entry):
            yield from (button.command for button in part.buttons)
        elif isinstance(part, Choice):
            yield from (option.value for option in part.options)


def button(reply: Reply, label: str) -> Button:
    """The one button of this label."""
    assert isinstance(reply, Card)
    found = [
        b for part in reply.parts if isinstance(part, Buttons | Entry)
        for b in part.buttons if b.label == label
    ]  # fmt: skip
    assert len(found) == 1, f"{label}: {found}"
    return found[0]


def entries_of(reply: Reply) -> list[Entry]:
    """The entries of a list, as they stand."""
    assert isinstance(reply, Card)
    return [part for part in reply.parts if isinstance(part, Entry)]


def titles_of(reply: Reply) -> list[str]:
    """The titles of the entries: who or what is listed."""
    return [entry.title for entry in entries_of(reply)]


def field(reply: Reply, name: str) -> Input:
    """One field of a form."""
    assert isinstance(reply, Form), reply
    return next(given for given in reply.inputs if given.name == name)


def values_of(reply: Reply) -> dict[str, tuple[str, ...]]:
    """A form as it would be submitted unchanged."""
    assert isinstance(reply, Form), reply
    return {given.name: given.value for given in reply.inputs}


def problems_of(reply: Reply) -> dict[str, str]:
    """What is wrong in a form, by field."""
    assert isinstance(reply, Form), reply
    return {given.name: given.problem for given in reply.inputs if given.problem}


def sentences_of(reply: Reply) -> Iterator[str]:
    """Every text that the card or the form shows, in reading order."""
    yield reply.title
    if isinstance(reply, Form):
        yield from (reply.intro, reply.submit, reply.command)
        for given in reply.inputs:
            yield from (given.label, given.problem, given.hint)
            yield from (option.label for option in given.options)
    else:
        yield reply.footer
        for part in reply.parts:
            yield from _texts(part)


def _texts(part: Part) -> Iterator[str]:
    match part:
        case Heading() | Text() | Written() | Note():
            yield part.text
        case Facts():
            yield from (said for fact in part.facts for said in (fact.label, fact.value))
        case Entry():
            yield from (part.title, *part.lines, part.note, part.badge)
            yield from (said for b in part.buttons for said in (b.label, b.command))
        case Table():
            yield from (*part.columns, *(cell for row in part.rows for cell in row))
        case Bars():
            yield part.caption
            yield from (said for bar in part.bars for said in (bar.label, bar.shown))
        case Buttons():
            yield from (said for b in part.buttons for said in (b.label, b.command))
        case Choice():
            yield part.label
            yield from (said for o in part.options for said in (o.label, o.value))
        case Link():
            yield from (part.label, part.address)
        case Divider():
            pass
