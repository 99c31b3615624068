"""Whole lists of members, for files that are exported and imported."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

from sqlalchemy import delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from db import directory, members
from db.base import insert_if_absent
from db.cities import City
from db.directory import Expertise, Standing
from db.members import Account, Member
from db.search import Document
from db.text import fold_text
from db.topics import TopicTerm

BATCH_SIZE = 500
"""Keys in one query: SQLite accepts a limited number."""

Key = tuple[str, str, str]
"""Platform, workspace and user."""
Item = TypeVar("Item")


class ListEntry(NamedTuple):
    """A member with their topics and accounts."""

    member: Member
    ties: Sequence[Expertise]
    accounts: Sequence[Account]


class MemberFacts(NamedTuple):
    """The values that a member is to have; None leaves a value as it is.

    `has_city` says whether a city was given: `city` may be None on purpose.
    """

    name: str
    email: str
    city: City | None
    has_city: bool
    title: str | None
    knows: Collection[int] | None
    learns: Collection[int] | None
    languages: Sequence[str] | None
    zone: str | None
    accounts: Collection[Key] | None
    listed: bool | None


class Change(NamedTuple):
    """The values for one member; without a number a new member is created."""

    member_id: int | None
    facts: MemberFacts


async def list_members(session: AsyncSession) -> list[ListEntry]:
    """Return the verified members by name, without those invented for the demo."""
    query = (
        select(Member)
        .where(Member.status == "verified", Member.synthetic.is_(False))
        .order_by(Member.folded, Member.id)
    )
    return await _load_entries(session, (await session.scalars(query)).all())


async def list_synthetic(session: AsyncSession, limit: int | None = None) -> Sequence[Member]:
    """Return the people written by `seed.seed_demo`, in their order; the first is the usual viewer.

    Who joined in a workspace of the demo is synthetic too, but not among them.
    """
    written = exists().where(Account.member_id == Member.id, Account.external_id == Member.email)
    query = select(Member).where(Member.synthetic, written).order_by(Member.id).limit(limit)
    return (await session.scalars(query.options(selectinload(Member.roles)))).all()


async def count_synthetic(session: AsyncSession) -> int:
    """Count the invented people of the demo."""
    query = select(func.count()).select_from(Member).where(Member.synthetic)
    return await session.scalar(query) or 0


async def find_by_email_or_account(
    session: AsyncSession, emails: Collection[str], accounts: Collection[Key]
) -> list[ListEntry]:
    """Return the members who have one of these addresses or accounts."""
    found: dict[int, Member] = {}
    for some in _batches(sorted(emails)):
        query = select(Member).where(Member.email.in_(some))
        found |= {m.id: m for m in await session.scalars(query)}
    for one in await _load_accounts(session, accounts):
        if one.member is not None:
            found[one.member.id] = one.member
    return await _load_entries(session, list(found.values()))


async def _load_accounts(session: AsyncSession, keys: Collection[Key]) -> list[Account]:
    found: list[Account] = []
    for some in _batches(sorted({user for _, _, user in keys})):
        query = select(Account).where(Account.external_id.in_(some))
        found += (await session.scalars(query)).all()
    return [a for a in found if account_key(a) in keys]


def account_key(account: Account) -> Key:
    """Return platform, workspace and user of the account."""
    return account.workspace.platform, account.workspace.external_id, account.external_id


async def _load_entries(session: AsyncSession, people: Sequence[Member]) -> list[ListEntry]:
    ties: dict[int, list[Expertise]] = {m.id: [] for m in people}
    accounts: dict[int, list[Account]] = {m.id: [] for m in people}
    for some in _batches(sorted(ties)):
        query = select(Expertise).where(Expertise.member_id.in_(some)).order_by(Expertise.id)
        for tie in await session.scalars(query):
            ties[tie.member_id].append(tie)
        owned = select(Account).where(Account.member_id.in_(some)).order_by(Account.id)
        for account in await session.scalars(owned):
            accounts[account.member_id or 0].append(account)
    return [ListEntry(m, ties[m.id], accounts[m.id]) for m in people]


def _batches(keys: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(keys), BATCH_SIZE):
        yield keys[start : start + BATCH_SIZE]


# --- writing ---


async def apply_changes(
    session: AsyncSession,
    changes: Sequence[Change],
    standing: Standing,
    now: datetime,
    step: Callable[[int], None],
) -> None:
    """Apply these changes in batches, and call `step` with the size of each. The caller commits."""
    terms = await _load_terms(session)
    for some in _batches(changes):
        people = await _load_or_create_members(session, some, now)
        ties = await _apply_ties(session, people, some)
        await _apply_accounts(session, people, some, now)
        for person in people:
            directory.copy_to_ties(person, ties[person.id], standing)
        await _index_members(session, people, ties, terms)
        await session.flush()
        step(len(some))


async def _load_terms(session: AsyncSession) -> dict[int, list[str]]:
    """Load the terms of each topic, in all languages."""
    terms: dict[int, list[str]] = {}
    query = select(TopicTerm.topic_id, TopicTerm.term).order_by(TopicTerm.id)
    for topic, term in (await session.execute(query)).all():
        terms.setdefault(topic, []).append(term)
    return terms


async def _load_or_create_members(
    session: AsyncSession, changes: Sequence[Change], now: datetime
) -> list[Member]:
    """Return the member of each change, created if new, with the new values of its own row."""
    query = select(Member).where(Member.id.in_([c.member_id for c in changes if c.member_id]))
    there = {m.id: m for m in await session.scalars(query)}
    people = [there.get(c.member_id or 0) or _build_member(c.facts, now) for c in changes]
    for person, change in zip(people, changes, strict=True):
        _apply_facts(person, change.facts)
    session.add_all(people)
    await session.flush()
    return people


async def _apply_ties(
    session: AsyncSession, people: Sequence[Member], changes: Sequence[Change]
) -> dict[int, list[Expertise]]:
    """Make the ties to topics those of the changes; ties that stay keep their endorsements.

    Return all ties of each member, by member id.
    """
    ties = {e.member.id: list(e.ties) for e in await _load_entries(session, people)}
    for person, change in zip(people, changes, strict=True):
        for kind, wanted in (("knows", change.facts.knows), ("learns", change.facts.learns)):
            if wanted is not None:
                mine = _match_ties(person, ties[person.id], kind, wanted)
                gone = [t for t in ties[person.id] if t.kind == kind and t not in mine]
                for tie in gone:
                    await session.delete(tie)
                session.add_all(mine)
                ties[person.id] = [t for t in ties[person.id] if t.kind != kind] + mine
    await session.flush()
    return ties


def _match_ties(
    person: Member, ties: Sequence[Expertise], kind: str, wanted: Collection[int]
) -> list[Expertise]:
    there = {t.topic_id: t for t in ties if t.kind == kind}
    return [
        there.get(topic)
        or Expertise(member_id=person.id, topic_id=topic, kind=kind, level=2, endorsements=0)
        for topic in sorted(wanted)
    ]


async def _apply_accounts(
    session: AsyncSession, people: Sequence[Member], changes: Sequence[Change], now: datetime
) -> None:
    """Give each account to its member, and create accounts that have never written to the hub."""
    owners = {
        key: person
        for person, change in zip(people, changes, strict=True)
        for key in change.facts.accounts or ()
    }
    there = {account_key(a) for a in await _load_accounts(session, owners)}
    homes: dict[tuple[str, str], int] = {}
    for platform, workspace, user in sorted(set(owners) - there):
        if (platform, workspace) not in homes:
            home = await members.get_or_create_workspace(session, platform, workspace, now)
            homes[platform, workspace] = home.id
        key = {"workspace_id": homes[platform, workspace], "external_id": user}
        await insert_if_absent(session, Account, **key, first_seen=now)
    for account in await _load_accounts(session, owners):
        person = owners[account_key(account)]
        account.member_id = person.id
        account.name = account.name or person.name


async def _index_members(
    session: AsyncSession,
    people: Sequence[Member],
    ties: Mapping[int, Sequence[Expertise]],
    terms: Mapping[int, Sequence[str]],
) -> None:
    """Replace the search documents of these people."""
    ids = [person.id for person in people]
    await session.execute(delete(Document).where(Document.kind == "member", Document.ref.in_(ids)))
    for person in people:
        known = sorted(t.topic_id for t in ties[person.id] if t.kind == "knows")
        words = " ".join(term for topic in known for term in terms[topic])
        session.add_all(directory.build_documents(person, words))


def _build_member(facts: MemberFacts, now: datetime) -> Member:
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


def _apply_facts(person: Member, facts: MemberFacts) -> None:
    person.name, person.folded = facts.name, fold_text(facts.name)
    person.email = facts.email or person.email
    if facts.has_city:
        person.city, person.city_id = facts.city, facts.city.id if facts.city else None
    if facts.languages:
        person.spoken = f" {' '.join(facts.languages)} "
    for field in ("title", "zone", "listed"):
        if (value := getattr(facts, field)) is not None:
            setattr(person, field, value)
