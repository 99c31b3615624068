"""Sends the messages of a round: notice, introductions, no partner, check-in, and reminders."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import combinations

from sqlalchemy.ext.asyncio import AsyncSession

from bot.cards import Button, Buttons, Card, Entry, Fact, Facts, Note, Part, Text
from bot.community import parting, staff
from bot.community.parting import Parting
from bot.community.people import portraits
from bot.community.people.places import workplace
from bot.community.rounds.pools import load_seekers
from bot.community.talks.opening import (
    begin_talk,
    explain_pair,
    load_pair,
    round_buttons,
    starters,
)
from bot.deliveries import enqueue, withdraw_unsettled
from bot.domain.cadence import round_schedule
from bot.domain.matching import can_meet
from bot.i18n import Translator, translator
from db import reach, round_pools, rounds
from db.members import Member
from db.outbox import Delivery
from db.round_members import RoundMember
from db.rounds import Round, RoundGroup, UnmatchedMember

KIND = "round"
SILENT_ROUNDS_LIMIT = 3
"""Rounds in a row without an answer, after which a member is asked whether to go on."""


def other_members(group: RoundGroup, member_id: int) -> list[Member]:
    """Return the members of a group but this one."""
    return [one.member for one in group.places if one.member_id != member_id]


def _my_rounds_button(t: Translator) -> Button:
    return Button(t("My rounds"), "rounds")


# --- before a round ---------------------------------------------------------------------------


async def notify_before_round(
    session: AsyncSession, now: datetime, round_: Round, person: Member
) -> None:
    """Enqueue the notice of the day before, with a button to skip the round."""
    t = translator(person.language)
    when = t.day_and_time(round_schedule(round_.day).send, person.zone)
    said = t(
        "On {when} I'll introduce you to someone from another city. If it's a bad week, skip "
        "it: no one will know.",
        when=when,
    )
    card = Card(
        title=t("Your next introduction is coming"),
        parts=(
            Text(said),
            Buttons(
                (
                    Button(t("Skip this one"), f"rounds skip {round_.day}"),
                    _my_rounds_button(t),
                )
            ),
        ),
    )
    key = f"round:{round_.id}:notice:{person.id}"
    await enqueue(
        session, now, person, KIND, card, key=key, expires=round_schedule(round_.day).send
    )


async def notify_of_draft(session: AsyncSession, now: datetime, round_: Round) -> None:
    """Notify the staff that a round is drafted, with its size."""
    groups = await rounds.list_groups(session, round_.id)
    left = await rounds.list_unmatched(session, round_.id)
    send = round_schedule(round_.day).send

    def render(t: Translator, person: Member) -> Card:
        when = t.day_and_time(send, person.zone)
        return Card(
            title=t("The next round is drafted"),
            parts=(
                Text(t("It goes out {when} unless you change it.", when=when)),
                Facts(size_facts(t, groups, left)),
                Buttons((Button(t("Take a look"), "admin rounds preview", "primary"),)),
            ),
        )

    await staff.notify_staff(session, now, render, key=f"round:{round_.id}:draft", expires=send)


def size_facts(
    t: Translator, groups: Sequence[RoundGroup], left: Sequence[UnmatchedMember]
) -> tuple[Fact, ...]:
    """Return the size of a round as facts: people, pairs, trios, repeats, unmatched people."""
    trios = sum(len(group.places) == 3 for group in groups)
    return (
        Fact(t("People"), t.number(sum(len(g.places) for g in groups) + len(left))),
        Fact(t("Pairs"), t.number(len(groups) - trios)),
        Fact(t("Trios"), t.number(trios)),
        Fact(t("Repeat pairs"), t.number(sum(group.again for group in groups))),
        Fact(t("No partner"), t.number(len(left))),
    )


# --- the introductions ------------------------------------------------------------------------


async def begin_group(
    session: AsyncSession, now: datetime, round_: Round, group: RoundGroup
) -> None:
    """Introduce the people of a group to each other.

    If one of them can no longer take part or a rule keeps two of them apart by now, the group is
    dropped, and those who can still take part are saved as unmatched.
    """
    group.begun_at = now
    people = [one.member for one in group.places]
    keys = [person.id for person in people]
    there = await load_seekers(session, round_.day, now, keys, any_turn=True)
    if len(there) == len(keys) > 1 and can_meet(there):
        await _introduce(session, now, round_, people)
        return
    await rounds.drop_groups(session, [group])
    await rounds.save_groups(session, round_, [], [(one.key, "gone", 0) for one in there])


async def _introduce(
    session: AsyncSession, now: datetime, round_: Round, people: Sequence[Member]
) -> None:
    """Open one conversation for all if a workspace allows it, else one for each two of them."""
    keys = [person.id for person in people]
    room = await round_pools.find_common_room(session, keys) if len(people) > 2 else None
    if room is None:
        for one, other in combinations(people, 2):
            key = f"round:{round_.id}:{one.id}:{other.id}"
            await begin_talk(session, now, one, other, key=key)
        return
    card, key = await _trio_card(session, people), _trio_key(round_.id, keys)
    await enqueue(session, now, people[0], "conversation", card, key=key, destination=room)


def _trio_key(round_id: int, member_ids: Sequence[int]) -> str:
    """Return the key of the delivery that introduces three people to each other at once."""
    return f"round:{round_id}:{':'.join(map(str, member_ids))}"


@parting.ends("suspended", "muted")
async def withdraw_partner(session: AsyncSession, now: datetime, act: Parting) -> None:
    """Withdraw what names a member to partners of this round and did not arrive yet.

    What introduces two to each other is of their talk, which ends by itself.
    """
    keys = []
    for group in await rounds.list_open_groups_of(session, act.member.id):
        ids = [place.member_id for place in group.places]
        keys += [_check_in_key(group.round_id, number) for number in ids]
        keys.append(_trio_key(group.round_id, ids))
    await withdraw_unsettled(session, now, Delivery.key.in_(keys))


async def _trio_card(session: AsyncSession, people: Sequence[Member]) -> Card:
    spoken = [{person.language, *person.languages} for person in people]
    shared = set.intersection(*spoken)
    language = next((person.language for person in people if person.language in shared), "en")
    t = translator(language)
    pair = await load_pair(session, people[0], people[1])
    reasons: list[str] = []
    for one, other in combinations(people, 2):
        reasons += explain_pair(t, await load_pair(session, one, other), 1)
    parts: list[Part] = [
        Text(t("You three are paired in this round. Find half an hour together.")),
        *(Entry(p.name, (workplace(t, p.city),), badge=portraits.badge(t, p)) for p in people),
        *([Text(" ".join(reasons))] if reasons else []),
        Entry(t("Three ways to begin"), tuple(starters(t, pair))),
        round_buttons(t),
    ]
    names = t.listed([person.first_name for person in people])
    return Card(
        t("{names}, meet each other", names=names),
        tuple(parts),
        portraits.footer(t, people),
        tone="good",
        private=False,
    )


# --- without a partner ------------------------------------------------------------------------


async def notify_left_out(
    session: AsyncSession, now: datetime, round_: Round, one: UnmatchedMember, at: datetime
) -> None:
    """Notify a member, at a time, who has no partner in this round: why, and what would help.

    Those who left or were suspended since are not told.
    """
    one.told_at = now
    if one.member.status != "verified":
        return
    person, t = one.member, translator(one.member.language)
    card = Card(
        title=t("No partner for you this time"),
        parts=(
            Text(unpaired_reason(t, one)),
            Note(t("You're first in line for your next round.")),
            Buttons((*_help_buttons(t, one), _my_rounds_button(t))),
        ),
    )
    key = f"round:{round_.id}:left:{person.id}"
    await enqueue(
        session, now, person, KIND, card, key=key, at=at, expires=round_schedule(round_.day).check
    )


def unpaired_reason(t: Translator, one: UnmatchedMember) -> str:
    """Return the sentence for the rule that barred most partners, and what would help."""
    match one.rule:
        case "alone":
            return t("You were the only one in this round. Invite a colleague from another city.")
        case "city":
            return t(
                "Everyone who could have met you works in your own city, and rounds pair people "
                "from different cities. More cities will help."
            )
        case "language":
            return t(
                "No one in this round shares a language with you. If you speak another one, add "
                "it to your profile."
            )
        case "never":
            return t("No one in this round could be paired with you this time.")
        case "taken":
            return t.many(
                "One person would have been a match for you, and was paired with someone else.",
                "{number} people would have been a match for you, and each was paired with "
                "someone else.",
                one.fits,
            )
        case _:
            return t("The person you were going to meet can't take part anymore.")


def _help_buttons(t: Translator, one: UnmatchedMember) -> list[Button]:
    if one.rule in ("language", "taken"):
        return [Button(t("Edit my profile"), "profile edit", "primary")]
    return []


# --- check-ins --------------------------------------------------------------------------------


async def send_check_ins(
    session: AsyncSession, now: datetime, round_: Round, group: RoundGroup
) -> None:
    """Ask those of a group who have not said so yet whether they met.

    Nobody is asked about a partner who left or cannot be written to, nor are these asked.
    """
    ids = [place.member_id for place in group.places]
    there = await reach.list_reachable(session, ids)
    for place in group.places:
        partners = [p for p in other_members(group, place.member_id) if p.id in there]
        if not place.answer and place.member_id in there and partners:
            await _send_check_in(session, now, round_, group, place.member, partners)


async def _send_check_in(
    session: AsyncSession,
    now: datetime,
    round_: Round,
    group: RoundGroup,
    person: Member,
    partners: Sequence[Member],
) -> None:
    await enqueue(
        session,
        now,
        person,
        KIND,
        check_in_card(translator(person.language), group, partners),
        key=_check_in_key(round_.id, person.id),
        expires=round_schedule(round_.day).close,
    )


def _check_in_key(round_id: int, member_id: int) -> str:
    return f"round:{round_id}:check:{member_id}"


def check_in_card(t: Translator, group: RoundGroup, partners: Sequence[Member]) -> Card:
    """Render the question whether a member of a group met these partners."""
    names = t.listed([person.name for person in partners])
    return Card(
        title=t("Did you meet {name}?", name=names),
        parts=(
            Text(
                t("Your answer keeps rounds good: only people who really met count as having met.")
            ),
            Buttons(check_in_buttons(t, group.id)),
        ),
    )


def check_in_buttons(t: Translator, number: int) -> tuple[Button, ...]:
    """Return the buttons of the three answers to a check-in; `number` is the group's id."""
    return (
        Button(t("We met"), f"rounds met {number}", "primary"),
        Button(t("We have a date"), f"rounds scheduled {number}"),
        Button(t("Not yet"), f"rounds not-yet {number}"),
    )


async def close_for_silent_member(
    session: AsyncSession, now: datetime, taking: RoundMember
) -> None:
    """Count a round that ended without the member's answer to the check-in.

    After `SILENT_ROUNDS_LIMIT` of them in a row the member is asked whether to go on.
    """
    taking.silent += 1
    if taking.silent >= SILENT_ROUNDS_LIMIT and taking.asked_at is None and taking.active:
        taking.asked_at = now
        await _ask_whether_to_go_on(session, now, taking.member)


async def _ask_whether_to_go_on(session: AsyncSession, now: datetime, person: Member) -> None:
    t = translator(person.language)
    said = t(
        "You haven't answered after your last {number} rounds. If you'd like to keep going, "
        "say so; otherwise I'll pause your rounds so no one waits for you.",
        number=SILENT_ROUNDS_LIMIT,
    )
    card = Card(
        title=t("Should I keep you in the rounds?"),
        parts=(
            Text(said),
            Buttons(
                (
                    Button(t("Keep me in"), "rounds keep", "primary"),
                    Button(t("Stop rounds"), "rounds off"),
                )
            ),
        ),
    )
    await enqueue(session, now, person, KIND, card, key=f"round:keep:{person.id}:{now:%Y-%m-%d}")


def pause_silent(taking: RoundMember, now: datetime) -> bool:
    """Pause a member who was asked whether to go on two days ago or more; return if it was done."""
    waited = taking.asked_at is not None and now - taking.asked_at >= timedelta(days=2)
    if waited and taking.paused_at is None:
        taking.paused_at = now
        return True
    return False


def mark_active(taking: RoundMember) -> None:
    """Reset silence and pause of a member who did anything in the rounds."""
    taking.silent, taking.asked_at, taking.paused_at = 0, None, None
