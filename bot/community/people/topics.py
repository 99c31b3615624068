"""The topics that a text means, and the choice among several, in the reader's language."""

from collections.abc import Collection, Sequence

from bot.cards import Option
from bot.commands import Context
from bot.domain.topics import TopicReading
from bot.errors import InvalidArgumentError
from bot.parsing import shorten
from db import directory

MAX_CHOICES = 5
"""Topics offered as buttons at once."""


async def find_topic(
    ctx: Context, text: str, field: str = "topic", among: Collection[int] = ()
) -> int:
    """Return the one topic that a text means.

    If it may mean several, those in `among` come first: one of them alone is meant. Raises
    InvalidArgumentError with choices if it means several topics, or none.
    """
    readings = ctx.reference.topic_reader.read(text)
    keys = list(dict.fromkeys(key for reading in readings for key in reading.keys))
    if len(keys) > 1 and (known := [key for key in keys if key in among]):
        keys = known
    if len(keys) == 1:
        return keys[0]
    if not keys:
        raise unknown_topic_error(ctx, text, field)
    slugs = ctx.reference.topics
    options = await list_options(ctx, keys, {key: slugs[key].slug for key in keys})
    raise InvalidArgumentError(
        describe_choice(ctx, text, readings), name=field, choices=options[:MAX_CHOICES]
    )


async def find_topics(ctx: Context, texts: Sequence[str], field: str) -> list[int]:
    """Return all topics that these texts mean, each once.

    Raises InvalidArgumentError for a text that may mean several topics, or means none; each choice
    is the whole list with that text replaced, so that the others stay.
    """
    keys: list[int] = []
    for index, text in enumerate(texts):
        readings = ctx.reference.topic_reader.read(text)
        if not readings:
            error = unknown_topic_error(ctx, text, field)
            slugs = {choice.value: choice.label for choice in error.choices}
            error.choices = tuple(
                Option(label, _replace_one(texts, index, slug)) for slug, label in slugs.items()
            )
            raise error
        unclear = next((reading for reading in readings if len(reading.keys) > 1), None)
        if unclear:
            values = {
                key: _replace_one(texts, index, ctx.reference.topics[key].slug)
                for key in unclear.keys
            }
            options = await list_options(ctx, unclear.keys, values)
            said = describe_choice(ctx, text, [unclear])
            raise InvalidArgumentError(said, name=field, choices=options[:MAX_CHOICES])
        keys += [reading.keys[0] for reading in readings]
    return list(dict.fromkeys(keys))


def _replace_one(texts: Sequence[str], index: int, text: str) -> str:
    return ",".join((*texts[:index], text, *texts[index + 1 :]))


def describe_choice(ctx: Context, text: str, readings: Sequence[TopicReading]) -> str:
    """Say why the reader has to choose: several topics have these words, or several were named."""
    t = ctx.t
    if len(readings) > 1:
        return t("«{text}» names more than one topic; pick one.", text=shorten(text))
    if readings[0].precision == "guess":
        return t("I don't know «{text}», but these topics come close.", text=shorten(text))
    return t("Several topics have «{text}» in their names; pick one.", text=shorten(text))


async def list_options(
    ctx: Context, keys: Collection[int], values: dict[int, str]
) -> tuple[Option, ...]:
    """Return topics as options with their numbers of people, the most first: one query."""
    counts = await directory.count_people_by_topic(ctx.session)
    name = ctx.reference.vocabulary.name
    ordered = sorted(keys, key=lambda key: (-counts.get(key, 0), name(key, ctx.language)))
    return tuple(
        Option(f"{name(key, ctx.language)} ({ctx.t.number(counts.get(key, 0))})"[:75], values[key])
        for key in ordered
    )


def unknown_topic_error(ctx: Context, text: str, field: str = "topic") -> InvalidArgumentError:
    """Return the error for a text that means no topic, with the most similar ones as choices."""
    vocabulary = ctx.reference.vocabulary
    near = [(vocabulary.name(h.key, ctx.language), h.key) for h in vocabulary.find_near(text)]
    return InvalidArgumentError(
        ctx.t("«{text}» isn't one of our topics.", text=shorten(text)),
        name=field,
        choices=tuple(Option(name, ctx.reference.topics[key].slug) for name, key in near),
    )
