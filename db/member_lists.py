"""Whole lists of people, for files that come in and go out."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from db import directory, members
from db.base import keep
from db.cities import City
from db.directory import Expertise, Standing
from db.members import Account, Member, Workspace
from db.search import Document
from db.text import fold
from db.topics import TopicTerm

AT_ONCE = 500
"""Keys in one question: SQLite takes a limited number."""

Key = tuple[str, str, str]
"""Platform, workspace and user."""
Thing = TypeVar("Thing")


class Entry(NamedTuple):
    """A member with what the directory ties to it."""

    member: Member
    ties: Sequence[Expertise]
    accounts: Sequence[Account]


class Facts(NamedTuple):
    """What is to be true of a member; None leaves it as it is."""

    name: str
    email: str
    city: City | None
    city_given: bool
    title: str | None
    knows: Collection[int] | None
    learns: Collection[int] | None
    languages: Sequence[str] | None
    zone: str | None
    accounts: Collection[Key] | None
    listed: bool | None


class Change(NamedTuple):
    """What is to be true of whom; nobody's number makes a new member."""

    member_id: int | None
    facts: Facts


async def everybody(session: AsyncSession) -> list[Entry]:
    """The verified people of the community by name; nobody invented for the demo."""
    query = (
        select(Member)
        .where(Member.status == "verified", Member.synthetic.is_(False))
        .order_by(Member.folded, Member.id)
    )
    return await _entries(session, (await session.scalars(query)).all())


async def invented(session: AsyncSession) -> int:
    """How many people of the demo there are."""
    return len(await members.synthetic(session))


async def known(
    session: AsyncSession, emails: Collection[str], accounts: Collection[Key]
) -> list[Entry]:
    """The members that have one of these addresses or accounts."""
    found: dict[int, Member] = {}
    for some in _portions(sorted(emails)):
        query = select(Member).where(Member.email.in_(some))
        found |= {m.id: m for m in await session.scalars(query)}
    for one in await _accounts(session, accounts):
        if one.member is not None:
            found[one.member.id] = one.member
    return await _entries(session, list(found.values()))


async def _accounts(session: AsyncSession, keys: Collection[Key]) -> list[Account]:
    found: list[Account] = []
    for some in _portions(sorted({user for _, _, user in keys})):
        query = select(Account).where(Account.external_id.in_(some))
        found += (await session.scalars(query)).all()
    return [a for a in found if key_of(a) in keys]


def key_of(account: Account) -> Key:
    """The account as platforms name it."""
    return account.workspace.platform, account.workspace.external_id, account.external_id


async def _entries(session: AsyncSession, people: Sequence[Member]) -> list[Entry]:
    ties: dict[int, list[Expertise]] = {m.id: [] for m in people}
    accounts: dict[int, list[Account]] = {m.id: [] for m in people}
    for some in _portions(sorted(ties)):
        query = select(Expertise).where(Expertise.member_id.in_(some)).order_by(Expertise.id)
        for tie in await session.scalars(query):
            ties[tie.member_id].append(tie)
        owned = select(Account).where(Account.member_id.in_(some)).order_by(Account.id)
        for account in await session.scalars(owned):
            accounts[account.member_id or 0].append(account)
    return [Entry(m, ties[m.id], accounts[m.id]) for m in people]


def _portions(keys: Sequence[Thing]) -> Iterator[Sequence[Thing]]:
    for start in range(0, len(keys), AT_ONCE):
        yield keys[start : start + AT_ONCE]


# --- writing ---


async def write(
    session: AsyncSession,
    changes: Sequence[Change],
    standing: Standing,
    now: datetime,
    step: Callable[[int], None],
) -> None:
    """Make these facts true, many people at once; `step` hears how many. The caller commits."""
    terms = await _terms(session)
    for some in _portions(changes):
        people = await _people(session, some, now)
        ties = await _tied(session, people, some)
        await _accounted(session, people, some, now)
        for person in people:
            directory.settle(person, ties[person.id], standing)
        await _findable(session, people, ties, terms)
        await session.flush()
        step(len(some))


async def _terms(session: AsyncSession) -> dict[int, list[str]]:
    """What each topic is called, in every language."""
    terms: dict[int, list[str]] = {}
    query = select(TopicTerm.topic_id, TopicTerm.term).order_by(TopicTerm.id)
    for topic, term in (await session.execute(query)).all():
        terms.setdefault(topic, []).append(term)
    return terms


async def _people(session: AsyncSession, changes: Sequence[Change], now: datetime) -> list[Member]:
    """The member of each change, new ones made, with the facts of the member's own row."""
    query = select(Member).where(Member.id.in_([c.member_id for c in changes if c.member_id]))
    there = {m.id: m for m in await session.scalars(query)}
    people = [there.get(c.member_id or 0) or _newcomer(c.facts, now) for c in changes]
    for person, change in zip(people, changes, strict=True):
        _settle(person, change.facts)
    session.add_all(people)
    await session.flush()
    return people


async def _tied(
    session: AsyncSession, people: Sequence[Member], changes: Sequence[Change]
) -> dict[int, list[Expertise]]:
    """The ties to topics, as the changes want them; those that stay keep their endorsements."""
    ties = {e.member.id: list(e.ties) for e in await _entries(session, people)}
    for person, change in zip(people, changes, strict=True):
        for kind, wanted in (("knows", change.facts.knows), ("learns", change.facts.learns)):
            if wanted is not None:
                mine = _matched(person, ties[person.id], kind, wanted)
                gone = [t for t in ties[person.id] if t.kind == kind and t not in mine]
                for tie in gone:
                    await session.delete(tie)
                session.add_all(mine)
                ties[person.id] = [t for t in ties[person.id] if t.kind != kind] + mine
    await session.flush()
    return ties


def _matched(
    person: Member, ties: Sequence[Expertise], kind: str, wanted: Collection[int]
) -> list[Expertise]:
    there = {t.topic_id: t for t in ties if t.kind == kind}
    return [
        there.get(topic)
        or Expertise(member_id=person.id, topic_id=topic, kind=kind, level=2, endorsements=0)
        for topic in sorted(wanted)
    ]


async def _accounted(
    session: AsyncSession, people: Sequence[Member], changes: Sequence[Change], now: datetime
) -> None:
    """Each account belongs to its member; those that never spoke to the hub are made."""
    owners = {
        key: person
        for person, change in zip(people, changes, strict=True)
        for key in change.facts.accounts or ()
    }
    there = {key_of(a) for a in await _accounts(session, owners)}
    homes: dict[tuple[str, str], int] = {}
    for platform, workspace, user in sorted(set(owners) - there):
        if (platform, workspace) not in homes:
            homes[platform, workspace] = await _home(session, platform, workspace, now)
        home = homes[platform, workspace]
        await keep(session, Account, workspace_id=home, external_id=user, first_seen=now)
    for account in await _accounts(session, owners):
        person = owners[key_of(account)]
        account.member_id = person.id
        account.name = account.name or person.name


async def _home(session: AsyncSession, platform: str, workspace: str, now: datetime) -> int:
    await keep(session, Workspace, platform=platform, external_id=workspace, first_seen=now)
    home = await members.workspace_of(session, platform, workspace)
    if home is None:
        raise LookupError("the workspace vanished while it was made")
    return home.id


async def _findable(
    session: AsyncSession,
    people: Sequence[Member],
    ties: Mapping[int, Sequence[Expertise]],
    terms: Mapping[int, Sequence[str]],
) -> None:
    """The words that people are found by."""
    ids = [person.id for person in people]
    await session.execute(delete(Document).where(Document.kind == "member", Document.ref.in_(ids)))
    for person in people:
        known = sorted(t.topic_id for t in ties[person.id] if t.kind == "knows")
        words = " ".join(term for topic in known for term in terms[topic])
        session.add_all(directory.documents(person, words))


def _newcomer(facts: Facts, now: datetime) -> Member:
    language = facts.city.language if facts.city else "en"
    spoken = facts.languages or (language,)
    return Member(
        created_at=now,
        confirmed_at=now,
        language=language if language in spoken else spoken[0],
        spoken=f" {' '.join(spoken)} ",
        zone=facts.city.zone if facts.city else "UTC",
        roles=[],
    )


def _settle(person: Member, facts: Facts) -> None:
    person.name, person.folded = facts.name, fold(facts.name)
    person.email = facts.email or person.email
    if facts.city_given:
        person.city, person.city_id = facts.city, facts.city.id if facts.city else None
    if facts.languages:
        person.spoken = f" {' '.join(facts.languages)} "
    for field in ("title", "zone", "listed"):
        if (value := getattr(facts, field)) is not None:
            setattr(person, field, value)
