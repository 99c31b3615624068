"""Endorsing what somebody knows, and explaining a person's rank for a topic."""

from typing import Annotated

from pydantic import BaseModel, Field

from bot.cards import Button, Buttons, Card, Entry, Option, Text
from bot.commands import MEMBER, Context, Spelled, command
from bot.community.people import finding, portraits, ranking
from bot.domain.ranking import base_points
from bot.errors import InvalidArgumentError, Refusal
from bot.parsing import SingleWord, Suggestions, shorten
from db import audit, directory, endorsements
from db.directory import Expertise


class WhyAsk(BaseModel):
    """See why someone was suggested for a topic"""

    person: Annotated[str, Suggestions("person"), SingleWord()] = Field(
        min_length=1, max_length=80, title="Person", description="A name or @mention"
    )
    topic: Annotated[str, Suggestions("topic")] = Field(
        min_length=2, max_length=80, title="Topic", description="For example: open data"
    )


@command(
    "why",
    allow=MEMBER,
    room="daily",
    spelled=Spelled("motivo", "motivo", "motif"),
    example="why @maya open data",
)
async def explain_rank(ctx: Context, ask: WhyAsk) -> Card:
    """Explain one person's rank for a topic, each reason with the points that the ranking gave."""
    t = ctx.t
    tie = await _load_visible_expertise(ctx, ask.person, ask.topic)
    ranked = ranking.rank_person(ctx, tie)
    lines = tuple(
        f"{t.number(r.points, signed=True)}  {ranking.reason_text(t, r)}" for r in ranked.reasons
    )
    topic = ctx.reference.vocabulary.name(tie.topic_id, ctx.language)
    return Card(
        title=t("Why {name} for {topic}", name=tie.member.name, topic=topic),
        parts=(
            Entry(title=t.many("one point", "{number} points", ranked.points), lines=lines),
            Text(
                t(
                    "Colleagues from your city come first, then people who are open to questions "
                    "and not overloaded. No one can pay, or post more, to rank higher."
                ),
                quiet=True,
            ),
            Buttons(
                (
                    Button(t("Profile"), f"who-is {tie.member_id}"),
                    Button(
                        t("Who does {topic}", topic=topic)[:75],
                        f"who-does {ctx.reference.topics[tie.topic_id].slug}",
                    ),
                )
            ),
        ),
        footer=portraits.footer(t, [tie.member]),
    )


async def _load_visible_expertise(ctx: Context, person_text: str, topic_text: str) -> Expertise:
    """Return a person's expertise in a topic, if the asker may see both.

    Raises InvalidArgumentError for an unknown person or topic. The Refusal is the same whether the
    person hides the topics or does not know this one.
    """
    person, topic_text = await finding.split_person_and_topic(ctx, person_text, topic_text)
    hit = ctx.reference.vocabulary.find(topic_text)
    if hit is None:
        raise _unknown_topic_error(ctx, topic_text)
    tie = await directory.find_expertise(ctx.session, person.id, hit.key)
    if tie is None or not person.is_field_visible("topics", ctx.viewer):
        name = ctx.reference.vocabulary.name(hit.key, ctx.language)
        raise Refusal(
            ctx.t("{name}'s profile doesn't list {topic}.", name=person.name, topic=name),
            buttons=(Button(ctx.t("Profile"), f"who-is {person.id}"),),
        )
    return tie


def _unknown_topic_error(ctx: Context, text: str, field: str = "topic") -> InvalidArgumentError:
    vocabulary = ctx.reference.vocabulary
    near = [
        (vocabulary.name(h.key, ctx.language), ctx.reference.topics[h.key].slug)
        for h in vocabulary.find_near(text)
    ]
    return InvalidArgumentError(
        ctx.t("«{text}» isn't one of our topics.", text=shorten(text)),
        name=field,
        choices=tuple(Option(name, slug) for name, slug in near),
    )


class Endorse(BaseModel):
    """Vouch for what a colleague knows"""

    person: Annotated[str, Suggestions("person"), SingleWord()] = Field(
        min_length=1, max_length=80, title="Person", description="A name or @mention"
    )
    topic: Annotated[str, Suggestions("topic")] = Field(
        min_length=2, max_length=80, title="Topic", description="For example: open data"
    )
    withdraw: bool | None = Field(default=None, title="Remove my endorsement")


@command(
    "endorse",
    allow=MEMBER,
    room="daily",
    spelled=Spelled("avalar|recomendar", "recomendar", "recommander"),
    writes=True,
    example="endorse @maya open data",
)
async def endorse(ctx: Context, ask: Endorse) -> Card:
    """Endorse a member for a topic, or withdraw the endorsement.

    A member endorses each person once for each topic, never themselves, and may withdraw it at any
    time.
    """
    tie = await _load_visible_expertise(ctx, ask.person, ask.topic)
    if tie.member_id == ctx.member.id:
        raise Refusal(ctx.t("You can't endorse yourself."))
    t = ctx.t
    topic = ctx.reference.vocabulary.name(tie.topic_id, ctx.language)
    if ask.withdraw:
        changed = await endorsements.withdraw_endorsement(ctx.session, tie, ctx.member)
        said = t("You no longer endorse {name} for {topic}.", name=tie.member.name, topic=topic)
    else:
        changed = await endorsements.endorse(ctx.session, tie, ctx.member, ctx.now)
        said = t("You endorse {name} for {topic}.", name=tie.member.name, topic=topic)
    if changed:
        action = "endorsement withdrawn" if ask.withdraw else "endorsed"
        audit.record_act(ctx.session, ctx.now, ctx.member.id, action, f"expertise:{tie.id}")
        await directory.refresh_member(ctx.session, tie.member, base_points)
    return await portraits.profile_card(ctx, tie.member, said)
