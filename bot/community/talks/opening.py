"""Opens the talk of two people who agreed to meet: one conversation, or a relay."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.cards import Button, Buttons, Card, Entry, Fact, Facts, Note, Part, Text
from bot.community import parting
from bot.community.parting import Parting
from bot.community.people import portraits
from bot.community.relay import threads
from bot.community.talks.times import propose_times, render_times
from bot.deliveries import enqueue, run_ended_hooks, withdraw_unsettled
from bot.domain.affinity import work_half_hours
from bot.domain.shared_interests import (
    MemberInterests,
    SharedInterest,
    find_shared_interests,
    pick_varied,
)
from bot.i18n import Translator, translator
from db import blocks, directory, outbox, relay, talks, topics
from db.members import Member
from db.outbox import Address
from db.talks import Talk

KIND = "conversation"
STARTER_COUNT = 3
"""How many questions to begin with an opening offers."""


# --- opening a talk ---------------------------------------------------------------------------


async def begin_talk(
    session: AsyncSession,
    now: datetime,
    one: Member,
    other: Member,
    *,
    topic_id: int | None = None,
    because: str = "",
    key: str,
) -> Talk | None:
    """Open the talk of two people who both said yes; return it, or the one opened with this `key`.

    The talk is one conversation if a workspace of both allows it, else a thread of each. If one
    of them cannot be reached anywhere, the other is notified. Returns None and does nothing if
    one is not a verified member, or has blocked the other.
    """
    if known := await talks.find_by_key(session, key):
        return known
    if not await can_talk(session, one, other):
        return None
    talk = Talk(
        key=key, one_id=one.id, other_id=other.id, topic_id=topic_id, because=because, opened_at=now
    )
    talk.one, talk.other = one, other
    session.add(talk)
    await session.flush()
    await open_talk(session, now, talk)
    return talk


async def can_talk(session: AsyncSession, one: Member, other: Member) -> bool:
    """Return whether both are verified members and neither has blocked the other."""
    verified = one.status == other.status == "verified"
    return verified and not await blocks.is_blocked(session, one.id, other.id)


async def open_talk(
    session: AsyncSession, now: datetime, talk: Talk, *, separate_threads: bool = False
) -> None:
    """Enqueue the opening cards of a talk.

    `separate_threads`: use a thread of each, even if they share a workspace.
    """
    pair = await load_pair(session, talk.one, talk.other, talk.topic_id)
    together = (
        None
        if separate_threads
        else await talks.find_common_workspace(session, talk.one_id, talk.other_id)
    )
    numbers, fits = propose_times(talk, now)
    if together:
        await _open_group_chat(session, now, talk, pair, together, numbers, fits=fits)
        return
    places = [await outbox.find_address(session, person.id) for person in (talk.one, talk.other)]
    if all(places):
        await _open_relay(session, now, talk, pair, numbers, fits=fits)
        return
    talk.status = talks.FAILED
    for person, there in zip((talk.one, talk.other), places, strict=True):
        if there:
            await notify_unreachable(session, now, talk, person)


async def _open_group_chat(
    session: AsyncSession,
    now: datetime,
    talk: Talk,
    pair: "Pair",
    to: Address,
    numbers: Sequence[int],
    *,
    fits: bool,
) -> None:
    t = translator(common_language(talk.one, talk.other))
    card = opening_card(talk, pair, t, None, now, numbers, fits=fits)
    root = await enqueue(session, now, talk.one, KIND, card, key=f"{talk.key}:open", destination=to)
    talk.together, talk.one_root_id, talk.other_root_id = True, root, root


async def _open_relay(
    session: AsyncSession,
    now: datetime,
    talk: Talk,
    pair: "Pair",
    numbers: Sequence[int],
    *,
    fits: bool,
) -> None:
    roots: list[int | None] = []
    for person in (talk.one, talk.other):
        t, key = translator(person.language), f"{talk.key}:open:{person.id}"
        card = opening_card(talk, pair, t, person, now, numbers, fits=fits)
        roots.append(await enqueue(session, now, person, KIND, card, key=key))
    talk.together, talk.one_root_id, talk.other_root_id = False, roots[0], roots[1]
    begun = await relay.create_relay(session, now, talk.one, talk.other, (roots[0], roots[1]))
    await threads.add_opening_controls(session, begun)


async def notify_unreachable(
    session: AsyncSession, now: datetime, talk: Talk, person: Member
) -> None:
    """Notify one person, once for a talk, that the other one cannot be written to.

    Only who was asked has said yes; in a round nobody was.
    """
    t, missing = translator(person.language), talk.partner_of(person.id)
    said = (
        t(
            "This round paired you with {name}, but I can't message them: they may have closed "
            "their direct messages or left. You'll be first in line next time.",
            name=missing.name,
        )
        if talk.key.startswith("round:")
        else t(
            "{name} said yes, but I can't message them: they may have closed their direct "
            "messages or left. Nothing was sent for you.",
            name=missing.name,
        )
    )
    card = Card(
        title=t("I couldn't reach {name}", name=missing.name),
        parts=(Note(said, "warning"), Buttons((Button(t("My introductions"), "intro list"),))),
    )
    await enqueue(session, now, person, KIND, card, key=f"{talk.key}:unreached:{person.id}")


@parting.ends("blocked")
async def withdraw_messages(session: AsyncSession, now: datetime, act: Parting) -> None:
    """Cancel the unsent messages of the talks between a member and the one they blocked."""
    if act.other is not None:
        ended = await talks.cancel_pair_messages(session, act.member.id, act.other.id, now)
        await run_ended_hooks(session, now, ended)


@parting.ends("suspended", "muted")
async def withdraw_openings(session: AsyncSession, now: datetime, act: Parting) -> None:
    """Withdraw the messages of a member's talks that did not arrive; talks not open yet fail."""
    await withdraw_unsettled(session, now, talks.is_of_talks(act.member.id))
    for talk in await talks.list_opening(session, member_id=act.member.id):
        await run_ended_hooks(session, now, await talks.fail_talk(session, talk, now))


def common_language(one: Member, other: Member) -> str:
    """Return the code of a language both read: chosen first, then spoken, else English."""
    wanted = (one.language, other.language, *one.languages)
    shared = {one.language, *one.languages} & {other.language, *other.languages}
    return next((code for code in wanted if code in shared), "en")


# --- why these two ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people, the topic they meet about, and the interests they share.

    `ties`: only what each shows the other. `names`: topic names by (topic id, language).
    """

    one: Member
    other: Member
    topic_id: int | None
    ties: tuple[SharedInterest, ...]
    names: dict[tuple[int, str], str]

    def topic_name(self, key: int, language: str) -> str:
        """Return the name of a topic in a language, else in English."""
        return self.names.get((key, language)) or self.names[key, "en"]


async def load_pair(
    session: AsyncSession, one: Member, other: Member, topic_id: int | None = None
) -> Pair:
    """Load what two people have in common, from the fields that each shows the other."""
    mine, theirs = await _load_side(session, one, other), await _load_side(session, other, one)
    ties = find_shared_interests(mine, theirs, topic_id)
    keys = {bond.topic for bond in ties} | ({topic_id} if topic_id else set())
    return Pair(one, other, topic_id, ties, await topics.load_names(session, keys))


async def _load_side(session: AsyncSession, person: Member, viewer: Member) -> MemberInterests:
    if not person.is_field_visible("topics", viewer):
        return MemberInterests({})
    ties = await directory.list_expertise(session, person.id)
    return MemberInterests(
        {e.topic_id: e.level for e in ties if e.kind == "knows"},
        frozenset(e.topic_id for e in ties if e.kind == "learns"),
    )


def _reason(t: Translator, bond: SharedInterest, pair: Pair) -> str:
    one, other = pair.one.first_name, pair.other.first_name
    topic = pair.topic_name(bond.topic, t.language)
    match bond.cause:
        case "helps":
            return t(
                "{name} knows {topic}, which {other} wants to learn.",
                name=one,
                other=other,
                topic=topic,
            )
        case "helped":
            return t(
                "{name} knows {topic}, which {other} wants to learn.",
                name=other,
                other=one,
                topic=topic,
            )
        case "both-know":
            return t("Both know {topic}.", topic=topic)
        case "both-learn":
            return t("Both want to learn {topic}.", topic=topic)


def explain_pair(t: Translator, pair: Pair, limit: int = 3) -> list[str]:
    """Return up to `limit` sentences on why these two should meet; empty if nothing is known."""
    return [_reason(t, bond, pair) for bond in pick_varied(pair.ties, limit)]


def explain_round(t: Translator, one: Member, other: Member, now: datetime) -> list[str]:
    """Return what a round pairs two people for besides their topics: cities and working hours."""
    said = []
    if one.city and other.city and one.city_id != other.city_id:
        said.append(
            t("You work in different cities: {one} and {other}.", one=one.city.name,
              other=other.city.name)
        )  # fmt: skip
    bits = [work_half_hours(p.zone, p.hours_from, p.hours_to, now.date()) for p in (one, other)]
    if hours := (bits[0] & bits[1]).bit_count() // 2:
        said.append(
            t.many(
                "Your working days share one hour.",
                "Your working days share {number} hours.",
                hours,
            )
        )
    return said


def round_buttons(t: Translator) -> Buttons:
    """Return the buttons of a round's card: more on the reasons, and the way out of the rounds."""
    return Buttons(
        (Button(t("Why this person"), "rounds why"), Button(t("Stop rounds"), "rounds off"))
    )


def starters(t: Translator, pair: Pair) -> list[str]:
    """Return `STARTER_COUNT` questions to begin with; the same pair always gets the same ones."""
    ties = pick_varied(pair.ties, STARTER_COUNT)
    said = [_starter(t, bond, pair) for bond in ties]
    if pair.topic_id and all(bond.topic != pair.topic_id for bond in ties):
        topic = pair.topic_name(pair.topic_id, t.language)
        said.append(t("How did your city get started with {topic}?", topic=topic))
    said += [
        t("What does your city do with data that another city could copy?"),
        t("What are you working on this month, and where is it stuck?"),
        t("What do your colleagues ask you about most often?"),
    ]
    return said[:STARTER_COUNT]


def _starter(t: Translator, bond: SharedInterest, pair: Pair) -> str:
    topic = pair.topic_name(bond.topic, t.language)
    match bond.cause:
        case "helps" | "helped":
            knows = pair.one if bond.cause == "helps" else pair.other
            return t(
                "{name}, what would you do first if you started over with {topic}?",
                name=knows.first_name,
                topic=topic,
            )
        case "both-know":
            return t("What about {topic} turned out harder than you expected?", topic=topic)
        case "both-learn":
            return t("What made you curious about {topic}?", topic=topic)


# --- the opening card -------------------------------------------------------------------------


def opening_card(
    talk: Talk, pair: Pair, t: Translator, reader: Member | None, now: datetime,
    numbers: Sequence[int], *, fits: bool,
) -> Card:  # fmt: skip
    """Render the card that opens a talk: for one reader's thread, or for both if `reader` is None.

    `numbers` and `fits` are the offered times, as `propose_times` returns them.
    """
    shown = [talk.partner_of(reader.id)] if reader else [talk.one, talk.other]
    parts: list[Part] = [
        portraits.person_entry(t, person, talk.partner_of(person.id)) for person in shown
    ]
    if talk.is_of_round:
        parts.insert(0, Text(t("The pairing round put you two together.")))
    if talk.because:
        parts.append(Text(t("Reason: «{text}»", text=talk.because)))
    reasons = explain_pair(t, pair)
    if talk.is_of_round:
        reasons += explain_round(t, talk.one, talk.other, now)
    if reasons:
        parts.append(Text(" ".join(reasons)))
    parts.append(Entry(t("Three ways to begin"), tuple(starters(t, pair))))
    clocks = (talk.partner_of(reader.id), reader) if reader else (talk.one, talk.other)
    parts.append(
        Facts(
            tuple(
                Fact(t("Local time of {name}", name=p.first_name), portraits.local_time(t, p, now))
                for p in clocks
            )
        )
    )
    parts += render_times(t, talk, reader, numbers, fits=fits)
    if talk.is_of_round:
        parts.append(round_buttons(t))
    if reader:
        name = talk.partner_of(reader.id).first_name
        parts.append(
            Text(
                t(
                    "Reply here: what you write goes to {name}, and what {name} writes comes to "
                    "you.",
                    name=name,
                ),
                quiet=True,
            )
        )
    title = (
        t("Meet {name}", name=shown[0].name)
        if reader
        else t("{name}, meet {other}", name=talk.one.name, other=talk.other.name)
    )
    return Card(title, tuple(parts), portraits.footer(t, shown), tone="good", private=False)
