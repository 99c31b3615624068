"""Finds a person by what was typed: an id, a mention or a name."""

import re
from collections.abc import Sequence

from bot.cards import Option
from bot.commands import Context
from bot.community.people.places import workplace
from bot.errors import InvalidArgumentError, Refusal
from bot.parsing import shorten
from db import directory, members
from db.members import Member

MAX_NAMES = 6
"""Words of a person's name behind the first that are told from the words of a topic."""
_MENTION = re.compile(r"<@(\w+)>")


async def find_people(ctx: Context, text: str, field: str = "person") -> list[Member]:
    """Find the visible people meant by an id, a mention or a name, own city first.

    If there is nobody, raises `Refusal` for a mention, else `InvalidArgumentError`. Both say the
    same whether the person does not exist or may not be shown.
    """
    if match := _MENTION.fullmatch(text):
        found = await _find_mentioned(ctx, match[1])
    elif is_number(text):
        found = await members.load_member(ctx.session, int(text))
    else:
        people = await directory.find_by_name(ctx.session, text.lstrip("@"), ctx.member)
        if people:
            return people
        found = None
    if found and is_visible(ctx, found):
        return [found]
    if match:
        raise Refusal(ctx.t("That person isn't in the directory."))
    said = ctx.t("No one in the directory is called «{name}».", name=shorten(text))
    way_out = ctx.t("Try part of the name, or who-does with a topic.")
    raise InvalidArgumentError(f"{said} {way_out}", name=field)


async def find_person(ctx: Context, text: str, field: str = "person") -> Member:
    """Find the one person meant; for several raise an `InvalidArgumentError` with their names."""
    people = await find_people(ctx, text, field)
    if len(people) == 1:
        return people[0]
    raise _several_people_error(ctx, text, field, people)


async def find_member(ctx: Context, text: str, field: str) -> Member:
    """Find the one member meant by a number, a mention, an e-mail address or a name.

    For staff only: it finds every member, whatever the status, listed or not. For several people
    it raises an `InvalidArgumentError` with their names to choose from, for nobody one that says
    what may be typed.
    """
    found: Sequence[Member | None]
    if match := _MENTION.fullmatch(text):
        found = [await _find_mentioned(ctx, match[1])]
    elif is_number(text):
        found = [await members.load_member(ctx.session, int(text))]
    elif "@" in text.lstrip("@"):
        found = [await members.find_by_email(ctx.session, text)]
    else:
        found = await members.find_by_name(ctx.session, text.lstrip("@"))
    people = [person for person in found if person]
    if len(people) == 1:
        return people[0]
    if people:
        raise _several_people_error(ctx, text, field, people)
    raise InvalidArgumentError(
        ctx.t(
            "I don't know anyone called «{name}». Try a name, a @mention, an e-mail address or the "
            "number beside the name.",
            name=shorten(text),
        ),
        name=field,
    )


def _several_people_error(
    ctx: Context, text: str, field: str, people: Sequence[Member]
) -> InvalidArgumentError:
    return InvalidArgumentError(
        ctx.t("Several people match «{name}».", name=shorten(text)),
        name=field,
        choices=tuple(
            Option(f"{p.name}, {workplace(ctx.t, p.city)}", str(p.id)) for p in people[:5]
        ),
    )


async def split_person_and_topic(ctx: Context, name: str, topic: str) -> tuple[Member, str]:
    """Split «Samir Abdi open data» into the one person meant and the topic's words.

    The words are not moved between the two if a form or native options already separate them, nor
    after an id or a mention. Raises as `find_person` does, with both values attached.
    """
    if not ctx.request.values and name[-1:].isalpha():
        words, read = topic.split(), ctx.reference.topic_reader.read
        tails = [(cut, read(" ".join(words[cut:]))) for cut in range(min(len(words), MAX_NAMES))]
        order = ("exact", "close", "part")
        cut = min(
            (
                (max(order.index(one.precision) for one in readings), cut)
                for cut, readings in tails
                if readings and all(one.precision in order for one in readings)
            ),
            default=(0, 0),
        )[1]
        name, topic = " ".join([name, *words[:cut]]), " ".join(words[cut:])
    try:
        return await find_person(ctx, name), topic
    except InvalidArgumentError as misfit:
        misfit.parsed_values = {"person": (name,), "topic": (topic,)}
        raise


def is_number(text: str) -> bool:
    """Return whether the text can be a row's number: one to nine ASCII digits."""
    return text.isascii() and text.isdigit() and len(text) < 10


async def _find_mentioned(ctx: Context, user: str) -> Member | None:
    sender = ctx.request.sender
    account = await members.find_account(ctx.session, sender.platform, sender.workspace, user)
    return account.member if account else None


def is_visible(ctx: Context, person: Member) -> bool:
    """Return whether the person is listed in the directory, or is the asker."""
    return person.is_in_directory or (ctx.viewer is not None and person.id == ctx.viewer.id)
