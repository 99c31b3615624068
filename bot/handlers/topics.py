"""Topics: what the community knows, counted."""

from typing import Annotated

from pydantic import BaseModel, Field

from bot.cards import Bar, Bars, Button, Buttons, Card, Choice, Option, Table, Text
from bot.commands import MEMBER, Context, command, completion
from bot.domain.vocabulary import Term, Vocabulary
from bot.errors import Misfit
from bot.i18n import LANGUAGES
from bot.parsing import Suggest, short
from db import directory
from db.standard import PracticeArea
from db.text import fold


class Topics(BaseModel):
    """Browse topics and how many people know them"""

    area: Annotated[str | None, Suggest("area")] = Field(
        default=None, max_length=80, title="Practice area", description="For example: open data"
    )


@command("topics", allow=MEMBER, room="daily", example="topics open data")
async def topics(ctx: Context, ask: Topics) -> Card:
    """All practice areas with their people, or one area with its topics."""
    if ask.area is None:
        return await _all_areas(ctx)
    return await _one_area(ctx, _area(ctx, ask.area))


async def _all_areas(ctx: Context) -> Card:
    t = ctx.t
    people = await directory.people_by_area(ctx.session)
    areas = list(ctx.known.areas.values())
    bars = tuple(
        Bar(area.name(ctx.language), people.get(area.id, 0), str(people.get(area.id, 0)))
        for area in areas
    )
    options = tuple(Option(a.name(ctx.language), f"topics {a.slug}") for a in areas)
    return Card(
        title=t("Topics of the community"),
        parts=(
            Bars(t("People who share what they know, by practice area"), bars),
            Choice(t("Open a practice area"), options),
        ),
    )


async def _one_area(ctx: Context, area: PracticeArea) -> Card:
    t, name = ctx.t, ctx.known.vocabulary.name
    counts = await directory.counts(ctx.session)
    keys = [k for k, topic in ctx.known.topics.items() if topic.area_id == area.id]
    keys.sort(key=lambda k: (-counts.get(k, 0), name(k, ctx.language)))
    rows = tuple((name(k, ctx.language), t.number(counts.get(k, 0))) for k in keys)
    options = tuple(
        Option(name(k, ctx.language), f"who-does {ctx.known.topics[k].slug}") for k in keys[:25]
    )
    return Card(
        title=area.name(ctx.language),
        parts=(
            Text(str(getattr(area, f"summary_{ctx.language}"))),
            Table((t("Topic"), t("People")), rows),
            Choice(t("Who does…"), options),
            Buttons((Button(t("All practice areas"), "topics"),)),
        ),
    )


def _areas(ctx: Context) -> Vocabulary:
    terms = []
    for area in ctx.known.areas.values():
        terms += [Term(area.id, area.name(lang), lang, True) for lang in LANGUAGES]
        terms += [Term(area.id, name) for name in (area.slug, area.prefix)]
        terms += [Term(area.id, name) for name in area.older_names.split(";") if name]
    return Vocabulary(terms, fold)


def _area(ctx: Context, text: str) -> PracticeArea:
    """The area of this name, or the one that a topic of this name belongs to."""
    areas = _areas(ctx)
    if hit := areas.find(text):
        return ctx.known.areas[hit.key]
    topic = ctx.known.vocabulary.find(text)
    if topic and (area_id := ctx.known.topics[topic.key].area_id):
        return ctx.known.areas[area_id]
    near = [ctx.known.areas[h.key] for h in areas.near(text)]
    raise Misfit(
        ctx.t("«{text}» is not a practice area.", text=short(text)),
        name="area",
        choices=tuple(
            Option(a.name(ctx.language), a.slug) for a in near or list(ctx.known.areas.values())[:3]
        ),
    )


@completion("area")
async def areas_beginning(ctx: Context, typed: str) -> list[Option]:
    """Practice areas in the reader's language."""
    wanted = fold(typed)
    names = [a.name(ctx.language) for a in ctx.known.areas.values()]
    return [Option(n, n) for n in names if wanted in fold(n)]
