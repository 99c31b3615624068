"""Topics: the practice areas and their topics, with the number of people who know them."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, Field

from bot.cards import Bar, Bars, Button, Buttons, Card, Choice, Option, Part, Table, Text
from bot.commands import MEMBER, Context, Spelled, command, completion
from bot.domain import phrases
from bot.domain.vocabulary import Term, Vocabulary
from bot.errors import InvalidArgumentError
from bot.i18n import LANGUAGES
from bot.parsing import Suggestions, shorten
from db import directory
from db.standard import PracticeArea
from db.text import fold_text


class Topics(BaseModel):
    """Browse topics and how many people know them"""

    area: Annotated[str | None, Suggestions("area")] = Field(
        default=None,
        max_length=80,
        title="Practice area or word",
        description="For example: open data",
    )


@command(
    "topics",
    allow=MEMBER,
    room="daily",
    spelled=Spelled("temas", "temas|topicos", "sujets|themes"),
    phrases=phrases.TOPICS,
    example="topics open data",
)
async def topics(ctx: Context, ask: Topics) -> Card:
    """Show all practice areas with their number of people, one area, or the topics with a word.

    The name of a topic leads to its area. Raises InvalidArgumentError with similar names of areas
    if no topic has the words.
    """
    if ask.area is None:
        return await _all_areas_card(ctx)
    areas = _area_vocabulary(ctx)
    if hit := areas.find(ask.area):
        return await _area_card(ctx, ctx.reference.areas[hit.key])
    readings = ctx.reference.topic_reader.read(ask.area)
    keys = [key for reading in readings for key in reading.keys]
    if len(keys) == 1 and readings[0].precision in ("exact", "close"):
        area_id = ctx.reference.topics[keys[0]].area_id
        if area_id is not None:
            return await _area_card(ctx, ctx.reference.areas[area_id])
    if keys:
        return await _topics_card(ctx, ask.area, keys)
    raise _unknown_area_error(ctx, areas, ask.area)


async def _all_areas_card(ctx: Context) -> Card:
    t = ctx.t
    people = await directory.count_people_by_area(ctx.session)
    areas = list(ctx.reference.areas.values())
    bars = tuple(
        Bar(area.name(ctx.language), people.get(area.id, 0), str(people.get(area.id, 0)))
        for area in areas
    )
    options = tuple(Option(a.name(ctx.language), f"topics {a.slug}") for a in areas)
    return Card(
        title=t("The community's topics"),
        parts=(
            Bars(t("People who share what they know, by practice area"), bars),
            Choice(t("Open a practice area"), options),
        ),
    )


async def _area_card(ctx: Context, area: PracticeArea) -> Card:
    keys = [k for k, topic in ctx.reference.topics.items() if topic.area_id == area.id]
    return Card(
        title=area.name(ctx.language),
        parts=(
            Text(str(getattr(area, f"summary_{ctx.language}"))),
            *await _topic_rows(ctx, keys),
            Buttons((Button(ctx.t("All practice areas"), "topics"),)),
        ),
    )


def _area_vocabulary(ctx: Context) -> Vocabulary:
    terms = []
    for area in ctx.reference.areas.values():
        terms += [Term(area.id, area.name(lang), lang, True) for lang in LANGUAGES]
        terms += [Term(area.id, name) for name in (area.slug, area.prefix)]
        terms += [Term(area.id, name) for name in area.older_names.split(";") if name]
    return Vocabulary(terms, fold_text)


async def _topics_card(ctx: Context, text: str, keys: Sequence[int]) -> Card:
    """List the topics that have the words in their names, with their numbers of people."""
    t = ctx.t
    return Card(
        title=t("Topics with «{text}»", text=shorten(text)),
        parts=(
            *await _topic_rows(ctx, keys),
            Buttons((Button(t("All practice areas"), "topics"),)),
        ),
    )


async def _topic_rows(ctx: Context, keys: Sequence[int]) -> tuple[Part, ...]:
    """Render topics as a table and a menu, those with the most people first: one query."""
    t, name = ctx.t, ctx.reference.vocabulary.name
    counts = await directory.count_people_by_topic(ctx.session)
    ordered = sorted(keys, key=lambda k: (-counts.get(k, 0), name(k, ctx.language)))
    rows = tuple((name(k, ctx.language), t.number(counts.get(k, 0))) for k in ordered)
    options = tuple(
        Option(name(k, ctx.language), f"who-does {ctx.reference.topics[k].slug}")
        for k in ordered[:25]
    )
    return Table((t("Topic"), t("People")), rows), Choice(t("Who does…"), options)


def _unknown_area_error(ctx: Context, areas: Vocabulary, text: str) -> InvalidArgumentError:
    near = [ctx.reference.areas[h.key] for h in areas.find_near(text)]
    return InvalidArgumentError(
        ctx.t("«{text}» isn't a practice area.", text=shorten(text)),
        name="area",
        choices=tuple(
            Option(a.name(ctx.language), a.slug)
            for a in near or list(ctx.reference.areas.values())[:3]
        ),
    )


@completion("topic")
async def complete_topic(ctx: Context, typed: str) -> list[Option]:
    """Complete topics by any of their names; labels are in the reader's language."""
    vocabulary = ctx.reference.vocabulary
    keys = vocabulary.complete(typed, ctx.language)
    names = [vocabulary.name(key, ctx.language) for key in keys]
    return [Option(name, name) for name in names]


@completion("area")
async def complete_area(ctx: Context, typed: str) -> list[Option]:
    """Complete practice areas by their names in the reader's language."""
    wanted = fold_text(typed)
    names = [a.name(ctx.language) for a in ctx.reference.areas.values()]
    return [Option(n, n) for n in names if wanted in fold_text(n)]
