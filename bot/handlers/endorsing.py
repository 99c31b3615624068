"""Endorsing what somebody knows, and explaining a person's rank for a topic."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, Field

from bot.cards import Button, Buttons, Card, Entry, Text
from bot.commands import MEMBER, Context, Spelled, command
from bot.community.people import finding, portraits, ranking
from bot.community.people.topics import find_topic
from bot.domain.ranking import base_points
from bot.errors import Refusal
from bot.parsing import SingleWord, Suggestions
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
    ranked = await ranking.rank_person(ctx, tie)
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
    ties: Sequence[Expertise] = ()
    if person.is_field_visible("topics", ctx.viewer):
        ties = await directory.list_expertise(ctx.session, person.id)
    known = {one.topic_id for one in ties if one.kind == "knows"}
    topic = await find_topic(ctx, topic_text, among=known)
    tie = await directory.find_expertise(ctx.session, person.id, topic) if topic in known else None
    if tie is None:
        name = ctx.reference.vocabulary.name(topic, ctx.language)
        raise Refusal(
            ctx.t("{name}'s profile doesn't list {topic}.", name=person.name, topic=name),
            buttons=(Button(ctx.t("Profile"), f"who-is {person.id}"),),
        )
    return tie


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
