"""Why somebody comes first for a topic, and vouching for what they know."""

from typing import Annotated

from pydantic import BaseModel, Field

from bot.cards import Button, Buttons, Card, Entry, Option, Text
from bot.commands import MEMBER, Context, command
from bot.community.people import finding, portraits, ranking
from bot.domain.ranking import standing
from bot.errors import Misfit, Refusal
from bot.parsing import Suggest, Word, short
from db import audit, directory
from db.directory import Expertise


class Why(BaseModel):
    """See why somebody was suggested for a topic"""

    person: Annotated[str, Suggest("person"), Word()] = Field(
        min_length=1, max_length=80, title="Person", description="A name or @mention"
    )
    topic: Annotated[str, Suggest("topic")] = Field(
        min_length=2, max_length=80, title="Topic", description="For example: open data"
    )


@command("why", allow=MEMBER, room="daily", example="why @maya open data")
async def why(ctx: Context, ask: Why) -> Card:
    """The reckoning of one rank, line by line, from the trace that made it."""
    t = ctx.t
    tie = await _visible_tie(ctx, ask.person, ask.topic)
    ranked = ranking.why(ctx, tie)
    lines = tuple(
        f"{t.number(r.points, signed=True)}  {ranking.sentence(t, r)}" for r in ranked.reasons
    )
    topic = ctx.known.vocabulary.name(tie.topic_id, ctx.language)
    return Card(
        title=t("Why {name} for {topic}", name=tie.member.name, topic=topic),
        parts=(
            Entry(title=t.many("one point", "{number} points", ranked.points), lines=lines),
            Text(
                t(
                    "Colleagues come first, then people who are open to questions and not "
                    "overloaded. Nobody can pay or write more messages to rise."
                ),
                quiet=True,
            ),
            Buttons(
                (
                    Button(t("Profile"), f"who-is {tie.member_id}"),
                    Button(
                        t("Who does {topic}", topic=topic)[:75],
                        f"who-does {ctx.known.topics[tie.topic_id].slug}",
                    ),
                )
            ),
        ),
        footer=portraits.footer(t, [tie.member]),
    )


async def _visible_tie(ctx: Context, person_text: str, topic_text: str) -> Expertise:
    """What a visible person visibly knows; the refusal is the same for hidden and for absent."""
    person, topic_text = await finding.find_before(ctx, person_text, topic_text)
    hit = ctx.known.vocabulary.find(topic_text)
    if hit is None:
        raise _no_topic(ctx, topic_text)
    tie = await directory.tie(ctx.session, person.id, hit.key)
    if tie is None or not person.shows("topics", ctx.viewer):
        name = ctx.known.vocabulary.name(hit.key, ctx.language)
        raise Refusal(
            ctx.t("The profile of {name} does not show {topic}.", name=person.name, topic=name),
            buttons=(Button(ctx.t("Profile"), f"who-is {person.id}"),),
        )
    return tie


def _no_topic(ctx: Context, text: str, field: str = "topic") -> Misfit:
    vocabulary = ctx.known.vocabulary
    near = [
        (vocabulary.name(h.key, ctx.language), ctx.known.topics[h.key].slug)
        for h in vocabulary.near(text)
    ]
    return Misfit(
        ctx.t("«{text}» is not one of our topics.", text=short(text)),
        name=field,
        choices=tuple(Option(name, slug) for name, slug in near),
    )


class Endorse(BaseModel):
    """Vouch for what a colleague knows"""

    person: Annotated[str, Suggest("person"), Word()] = Field(
        min_length=1, max_length=80, title="Person", description="A name or @mention"
    )
    topic: Annotated[str, Suggest("topic")] = Field(
        min_length=2, max_length=80, title="Topic", description="For example: open data"
    )
    withdraw: bool | None = Field(default=None, title="Take my endorsement back")


@command("endorse", allow=MEMBER, room="daily", writes=True, example="endorse @maya open data")
async def endorse(ctx: Context, ask: Endorse) -> Card:
    """One endorsement per colleague and topic; withdrawn at will; never for oneself."""
    tie = await _visible_tie(ctx, ask.person, ask.topic)
    if tie.member_id == ctx.member.id:
        raise Refusal(ctx.t("You cannot endorse yourself."))
    t = ctx.t
    topic = ctx.known.vocabulary.name(tie.topic_id, ctx.language)
    if ask.withdraw:
        changed = await directory.withdraw(ctx.session, tie, ctx.member)
        said = t("You no longer endorse {name} for {topic}.", name=tie.member.name, topic=topic)
    else:
        changed = await directory.endorse(ctx.session, tie, ctx.member, ctx.now)
        said = t("You endorse {name} for {topic}.", name=tie.member.name, topic=topic)
    if changed:
        action = "endorsement withdrawn" if ask.withdraw else "endorsed"
        audit.note(ctx.session, ctx.now, ctx.member.id, action, f"expertise:{tie.id}")
        await directory.refresh(ctx.session, tie.member, standing)
    return await portraits.profile(ctx, tie.member, said)
