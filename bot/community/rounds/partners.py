"""Partners in the newest round: shows a member who they are, and why they were paired."""

from bot.cards import Button, Buttons, Card, Entry, Note, Part, Text
from bot.commands import Context
from bot.community.people import portraits
from bot.community.rounds import messages, pools
from bot.domain.affinity import Reason, Seeker, list_reasons
from bot.domain.cadence import A_WEEK
from db import rounds
from db.members import Member
from db.rounds import MET, Round, RoundGroup

MAX_REASONS = 5


async def load_current_group(ctx: Context) -> tuple[RoundGroup | None, str]:
    """Return the member's group in the newest round, or None and the reason why there is none.

    The reason is empty if the member did not take part in that round.
    """
    round_ = await rounds.find_last_sent(ctx.session)
    if round_ is None:
        return None, ""
    group = await rounds.find_group_of(ctx.session, ctx.member.id, round_.id)
    if group and group.begun_at:
        return group, ""
    left = await rounds.find_unmatched(ctx.session, ctx.member.id, round_.id)
    return None, messages.unpaired_reason(ctx.t, left) if left else ""


async def render_partner(ctx: Context) -> Entry | None:
    """Render with whom the member is paired in the round that runs; None without a partner.

    The round is over once the next one is near; who has met needs no reminder.
    """
    t, (group, _) = ctx.t, await load_current_group(ctx)
    mine = next((p for p in group.places if p.member_id == ctx.member.id), None) if group else None
    if group is None or mine is None or mine.answer == MET:
        return None
    if group.begun_at is None or ctx.now - group.begun_at > A_WEEK:
        return None
    names = t.listed([person.name for person in messages.other_members(group, ctx.member.id)])
    acts = messages.check_in_buttons(t, group.id)
    return Entry(t("This round you meet {name}", name=names), buttons=acts)


async def partner_parts(ctx: Context) -> list[Part]:
    """Render the member's partners and the check-in; without one, the reason if it is known."""
    t, (group, why) = ctx.t, await load_current_group(ctx)
    if group is None:
        return [Note(why)] if why else []
    others = messages.other_members(group, ctx.member.id)
    mine = next(one for one in group.places if one.member_id == ctx.member.id)
    said = {"met": t("You met."), "scheduled": t("You have a date."), "not-yet": t("Not met yet.")}
    ongoing = await portraits.load_ongoing(ctx, others)
    note = said.get(mine.answer, "")
    parts: list[Part] = [
        portraits.list_entry(ctx, person, note=note, ongoing=ongoing) for person in others
    ]
    acts = messages.check_in_buttons(t, group.id) if mine.answer != MET else ()
    parts.append(Buttons((*acts, Button(t("Why this person"), "rounds why"))))
    return parts


async def explain_partner(ctx: Context) -> Card:
    """Render the reasons why the member was paired with each partner of the newest round."""
    t, (group, left) = ctx.t, await load_current_group(ctx)
    if group is None:
        text = left or t("You don't have a partner in the latest round.")
        return Card(t("Why"), (Text(text), Buttons((Button(t("My rounds"), "rounds"),))))
    round_ = await ctx.session.get(Round, group.round_id)
    day = round_.day if round_ else ctx.now.date()
    keys = [one.member_id for one in group.places]
    there = await pools.load_seekers(ctx.session, day, ctx.now, keys, any_turn=True)
    known = {person.key: person for person in there}
    me = known.get(ctx.member.id)
    parts: list[Part] = []
    others = messages.other_members(group, ctx.member.id)
    for person in others:
        other = known.get(person.id)
        lines = _reason_sentences(ctx, person, me, other) if me and other else []
        parts.append(Entry(person.name, tuple(lines), badge=portraits.badge(t, person)))
    parts.append(Buttons((Button(t("My rounds"), "rounds"),)))
    return Card(t("Why this person"), tuple(parts), portraits.footer(t, others))


def _reason_sentences(ctx: Context, person: Member, me: Seeker, other: Seeker) -> list[str]:
    """Return the reasons for a pair as sentences to `me` about `person`, the weightiest first."""
    return [
        _reason_sentence(ctx, person, reason) for reason in list_reasons(me, other)[:MAX_REASONS]
    ]


def _reason_sentence(ctx: Context, person: Member, reason: Reason) -> str:
    t, name = ctx.t, person.first_name
    match reason.cause:
        case "hours":
            return t.many(
                "Your working days share one hour.",
                "Your working days share {number} hours.",
                max(1, reason.subject // 2),
            )
        case "new-city":
            return t("You haven't met anyone from each other’s city.")
    topic = ctx.reference.vocabulary.name(reason.subject, ctx.language)
    match reason.cause:
        case "learns":
            return t("{name} knows {topic}, which you want to learn.", name=name, topic=topic)
        case "teaches":
            return t("You know {topic}, which {name} wants to learn.", name=name, topic=topic)
        case "both-know":
            return t("You both know {topic}.", topic=topic)
        case _:
            return t("You both want to learn {topic}.", topic=topic)
