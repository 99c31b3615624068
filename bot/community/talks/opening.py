"""How two people who agreed to meet begin to talk: one conversation, or a relay."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from bot.cards import Button, Buttons, Card, Entry, Fact, Facts, Heading, Note, Part, Text
from bot.commands import Context
from bot.community import parting
from bot.community.parting import Parting
from bot.community.people import portraits
from bot.community.relay import threads
from bot.deliveries import owe, tell_ended
from bot.domain.calendar import Hours, slots
from bot.domain.shared_interests import Bond, Side, bonds, chosen
from bot.i18n import Translator, translator
from db import blocks, directory, outbox, relay, talks, topics
from db.members import Member
from db.outbox import Address
from db.talks import Talk

KIND = "conversation"
STARTERS = 3
RECENT = timedelta(days=60)
"""A time that was agreed longer ago than this lies behind."""


# --- beginning --------------------------------------------------------------------------------


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
    """Bring two people together who both said yes; the same `key` does it once.

    In one conversation where a workspace of both allows it, else in a thread of each. Where one
    of them can be reached nowhere the other is told. None, and nothing happens, for people of
    whom one is not a verified member or wants nothing of the other.
    """
    if known := await talks.of_key(session, key):
        return known
    if not await may_talk(session, one, other):
        return None
    talk = Talk(key=key, one_id=one.id, other_id=other.id, topic_id=topic_id, because=because,
                opened_at=now)  # fmt: skip
    talk.one, talk.other = one, other
    session.add(talk)
    await session.flush()
    await open_talk(session, now, talk)
    return talk


async def may_talk(session: AsyncSession, one: Member, other: Member) -> bool:
    """Are both members in good standing, and does neither want nothing of the other?"""
    verified = one.status == other.status == "verified"
    return verified and not await blocks.is_blocked(session, one.id, other.id)


async def open_talk(
    session: AsyncSession, now: datetime, talk: Talk, *, apart: bool = False
) -> None:
    """Owe the opening. `apart`: in a thread of each, though they share a workspace."""
    pair = await meet(session, talk.one, talk.other, talk.topic_id)
    together = None if apart else await talks.gathering(session, talk.one_id, talk.other_id)
    numbers, fits = propose(talk, now)
    if together:
        await _in_one(session, now, talk, pair, together, numbers, fits=fits)
        return
    places = [await outbox.address_of(session, person.id) for person in (talk.one, talk.other)]
    if all(places):
        await _in_two(session, now, talk, pair, numbers, fits=fits)
        return
    talk.status = talks.FAILED
    for person, there in zip((talk.one, talk.other), places, strict=True):
        if there:
            await tell_unreached(session, now, talk, person)


async def _in_one(
    session: AsyncSession, now: datetime, talk: Talk, pair: "Pair", to: Address,
    numbers: Sequence[int], *, fits: bool,
) -> None:  # fmt: skip
    t = translator(common_language(talk.one, talk.other))
    card = opening(talk, pair, t, None, now, numbers, fits=fits)
    root = await owe(session, now, talk.one, KIND, card, key=f"{talk.key}:open", to=to)
    talk.together, talk.one_root_id, talk.other_root_id = True, root, root


async def _in_two(
    session: AsyncSession, now: datetime, talk: Talk, pair: "Pair", numbers: Sequence[int],
    *, fits: bool,
) -> None:  # fmt: skip
    roots: list[int | None] = []
    for person in (talk.one, talk.other):
        t, key = translator(person.language), f"{talk.key}:open:{person.id}"
        card = opening(talk, pair, t, person, now, numbers, fits=fits)
        roots.append(await owe(session, now, person, KIND, card, key=key))
    talk.together, talk.one_root_id, talk.other_root_id = False, roots[0], roots[1]
    begun = await relay.begin(session, now, talk.one, talk.other, (roots[0], roots[1]))
    await threads.furnish(session, begun)


async def tell_unreached(session: AsyncSession, now: datetime, talk: Talk, person: Member) -> None:
    """The other side cannot be written to: said once, with what can be done."""
    t, missing = translator(person.language), talk.facing(person.id)
    said = t("{name} said yes, but I cannot write to them: they may have closed their direct "
             "messages or left. Nothing was sent for you.", name=missing.name)  # fmt: skip
    card = Card(
        title=t("I could not reach {name}", name=missing.name),
        parts=(Note(said, "warning"), Buttons((Button(t("My introductions"), "intro list"),))),
    )
    await owe(session, now, person, KIND, card, key=f"{talk.key}:unreached:{person.id}")


@parting.ends("blocked")
async def withdraw_messages(session: AsyncSession, now: datetime, act: Parting) -> None:
    """Nothing of the talks of the two that was not sent yet is sent any more."""
    if act.other is not None:
        ended = await talks.hush(session, act.member.id, act.other.id, now)
        await tell_ended(session, now, ended)


def common_language(one: Member, other: Member) -> str:
    """A language both read: what both chose, what both speak, else English."""
    wanted = (one.language, other.language, *one.languages)
    shared = {one.language, *one.languages} & {other.language, *other.languages}
    return next((code for code in wanted if code in shared), "en")


# --- why these two ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people, the topic they meet about, and what ties them as far as they show it."""

    one: Member
    other: Member
    about: int | None
    ties: tuple[Bond, ...]
    names: dict[tuple[int, str], str]

    def topic(self, key: int, language: str) -> str:
        """What a topic is called."""
        return self.names.get((key, language)) or self.names[key, "en"]


async def meet(session: AsyncSession, one: Member, other: Member, about: int | None = None) -> Pair:
    """The trace of two people, read off what each shows the other."""
    mine, theirs = await _side(session, one, other), await _side(session, other, one)
    ties = bonds(mine, theirs, about)
    keys = {bond.topic for bond in ties} | ({about} if about else set())
    return Pair(one, other, about, ties, await topics.names(session, keys))


async def _side(session: AsyncSession, person: Member, viewer: Member) -> Side:
    if not person.shows("topics", viewer):
        return Side({})
    ties = await directory.of_member(session, person.id)
    return Side(
        {e.topic_id: e.level for e in ties if e.kind == "knows"},
        frozenset(e.topic_id for e in ties if e.kind == "learns"),
    )


def _reason(t: Translator, bond: Bond, pair: Pair) -> str:
    one, other = pair.one.first_name, pair.other.first_name
    topic = pair.topic(bond.topic, t.language)
    match bond.cause:
        case "helps":
            return t("{name} knows {topic}, which {other} would like to learn.",
                     name=one, other=other, topic=topic)  # fmt: skip
        case "helped":
            return t("{name} knows {topic}, which {other} would like to learn.",
                     name=other, other=one, topic=topic)  # fmt: skip
        case "both-know":
            return t("Both know {topic}.", topic=topic)
        case "both-learn":
            return t("Both would like to learn {topic}.", topic=topic)


def why(t: Translator, pair: Pair, most: int = 3) -> list[str]:
    """Why these two, in up to so many sentences; none where nothing is shown."""
    return [_reason(t, bond, pair) for bond in chosen(pair.ties, most)]


def starters(t: Translator, pair: Pair) -> list[str]:
    """Three questions to begin with, from what ties the two; the same for the same pair."""
    ties = chosen(pair.ties, STARTERS)
    said = [_starter(t, bond, pair) for bond in ties]
    if pair.about and all(bond.topic != pair.about for bond in ties):
        topic = pair.topic(pair.about, t.language)
        said.append(t("How did the work on {topic} begin in your city?", topic=topic))
    said += [
        t("What does your city do with data that another city could copy?"),
        t("What are you working on this month, and where is it stuck?"),
        t("Which question do your colleagues bring to you most often?"),
    ]
    return said[:STARTERS]


def _starter(t: Translator, bond: Bond, pair: Pair) -> str:
    topic = pair.topic(bond.topic, t.language)
    match bond.cause:
        case "helps" | "helped":
            knows = pair.one if bond.cause == "helps" else pair.other
            return t("{name}, what would you do first if you began again with {topic}?",
                     name=knows.first_name, topic=topic)  # fmt: skip
        case "both-know":
            return t("What about {topic} turned out harder than you expected?", topic=topic)
        case "both-learn":
            return t("What made you curious about {topic}?", topic=topic)


# --- the opening ------------------------------------------------------------------------------


def opening(
    talk: Talk, pair: Pair, t: Translator, reader: Member | None, now: datetime,
    numbers: Sequence[int], *, fits: bool,
) -> Card:  # fmt: skip
    """What opens a talk: for one reader in a thread of theirs, or for both together."""
    shown = [talk.facing(reader.id)] if reader else [talk.one, talk.other]
    parts: list[Part] = [portraits.seen(t, person, talk.facing(person.id)) for person in shown]
    if talk.because:
        parts.append(Text(t("The reason given: «{text}»", text=talk.because)))
    if reasons := why(t, pair):
        parts.append(Text(" ".join(reasons)))
    parts.append(Entry(t("Three ways to begin"), tuple(starters(t, pair))))
    clocks = (talk.facing(reader.id), reader) if reader else (talk.one, talk.other)
    parts.append(Facts(tuple(
        Fact(t("Local time of {name}", name=p.first_name), portraits.local_time(t, p, now))
        for p in clocks
    )))  # fmt: skip
    parts += times(t, talk, reader, numbers, fits=fits)
    if reader:
        name = talk.facing(reader.id).first_name
        parts.append(Text(t("Answer to this message: what you write here reaches {name}, and "
                            "what {name} writes reaches you.", name=name), quiet=True))  # fmt: skip
    title = (
        t("Meet {name}", name=shown[0].name)
        if reader
        else t("{name}, meet {other}", name=talk.one.name, other=talk.other.name)
    )
    return Card(title, tuple(parts), portraits.footer(t, shown), tone="good", private=False)


# --- times ------------------------------------------------------------------------------------


def propose(talk: Talk, now: datetime, beyond: Collection[datetime] = ()) -> tuple[list[int], bool]:
    """Offer three times besides those given; their numbers, and do the working hours meet?"""
    hours = [Hours(p.zone, p.hours_from, p.hours_to) for p in (talk.one, talk.other)]
    found = slots(now, hours[0], hours[1], beyond=beyond)
    return talk.offer([slot.start for slot in found]), all(slot.fits for slot in found)


def times(
    t: Translator, talk: Talk, reader: Member | None, numbers: Sequence[int], *, fits: bool
) -> list[Part]:
    """Offered times with a button for each; the reader's clock first, then the other one's."""
    if not numbers:
        return []
    mine = reader or talk.one
    theirs = talk.facing(mine.id)
    note = t("Times: {name} / {other}.", name=mine.first_name, other=theirs.first_name)
    if not fits:
        note = t("Your working hours never meet. These are the times that are least far from "
                 "them.") + f" {note}"  # fmt: skip
    buttons = [
        Button(when(t, talk.times[n - 1], mine, theirs)[:75], f"intro slot {talk.id} {n}")
        for n in numbers
    ]
    buttons.append(Button(t("Other times"), f"intro slot {talk.id}"))
    return [Heading(t("Half an hour to talk?")), Text(note, quiet=True), Buttons(tuple(buttons))]


def when(t: Translator, moment: datetime, mine: Member, theirs: Member) -> str:
    """«Tue, Dec 2, 10:00 AM / 12:00 PM»: one time on two clocks, with the day where it differs."""
    here, there = (moment.astimezone(ZoneInfo(p.zone)) for p in (mine, theirs))
    clocks = [t.time(here), t.time(there)]
    if there.date() != here.date():
        clocks[1] = f"{t.day(there, 'weekday')} {clocks[1]}"
    return f"{t.day(here, 'medium')}, {' / '.join(clocks)}"


async def render_next_talk(ctx: Context) -> Entry | None:
    """Show the soonest talk to come for which the member agreed a time; None without one."""
    t, me = ctx.t, ctx.member
    agreed = await talks.agreed_by(ctx.session, me.id, ctx.now - RECENT)
    moments = [(talk.agreed_time, talk) for talk in agreed]
    coming = [(time, talk) for time, talk in moments if time and time > ctx.now]
    soonest = min(coming, key=lambda one: one[0], default=None)
    if soonest is None:
        return None
    moment, talk = soonest
    return Entry(
        title=t("You talk with {name}", name=talk.facing(me.id).name),
        lines=(t.day_and_time(moment, me.zone),),
        buttons=(Button(t("Another time"), f"intro slot {talk.id}"),),
    )
