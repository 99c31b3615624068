"""The directory: who knows a topic, and who wants to learn it."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    select,
    union,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, joinedload, mapped_column
from sqlalchemy.orm import relationship as related

from db import search
from db.base import Base
from db.members import Member
from db.reach import can_be_reached
from db.text import analyse, fold_text
from db.topics import Topic, TopicTerm

COMMUNITY_LIMIT, COLLEAGUE_LIMIT = 60, 10
"""People considered for one answer, and colleagues: more than anybody pages through."""


class Expertise(Base):
    """A member's tie to a topic: knows it (`level` 1 to 3) or wants to learn it.

    `seen`, `city_id`, `spoken` and `standing` are derived from the member, so that an index returns
    the best people of a topic in order; `refresh_member` keeps them current.
    """

    __tablename__ = "expertise"
    __table_args__ = (
        UniqueConstraint("member_id", "topic_id", "kind"),
        Index(
            "ix_expertise_best", "topic_id", "kind", "seen", "standing", "id", "city_id", "spoken"
        ),
        Index(
            "ix_expertise_city", "topic_id", "kind", "city_id", "standing", "id", "seen", "spoken"
        ),
        Index("ix_expertise_strengths", "city_id", "kind", "seen", "topic_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"))
    topic_id: Mapped[int] = mapped_column(ForeignKey("topic.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(default="knows")
    level: Mapped[int] = mapped_column(default=2)
    city_id: Mapped[int | None] = mapped_column(ForeignKey("city.id"))
    seen: Mapped[str] = mapped_column(default="nobody")
    spoken: Mapped[str] = mapped_column(default="")
    endorsements: Mapped[int] = mapped_column(default=0)
    standing: Mapped[int] = mapped_column(default=0)
    member: Mapped[Member] = related(lazy="raise")


@dataclass(frozen=True, slots=True)
class PeopleFilter:
    """A filter: people in one of these cities (None: any) who speak this language (empty: any)."""

    cities: Collection[int] | None = None
    speaks: str = ""

    def matches(self, person: Member) -> bool:
        """Return whether the filter admits this person."""
        here = self.cities is None or person.city_id in self.cities
        return here and (not self.speaks or self.speaks in person.languages)


class CandidateRow(NamedTuple):
    """A person who knows a topic: the columns that ranking needs, and those that a list shows."""

    topic_id: int
    level: int
    endorsements: int
    id: int
    name: str
    title: str
    spoken: str
    synthetic: bool
    city_id: int | None
    status: str
    listed: bool
    seen_title: str
    seen_languages: str
    open_to_questions: bool
    monthly_asks: int | None
    asks_taken: int
    asks_month: str
    confirmed_at: datetime
    is_reachable: bool = True

    @property
    def is_in_directory(self) -> bool:
        """Whether the person is listed and verified, as in `Member.is_in_directory`."""
        return self.listed and self.status == "verified"


_OF_PERSON = CandidateRow._fields[3:-1]
_TIE, _PERSON = Expertise.__table__.c, Member.__table__.c  # rows cost half as much as objects
_CANDIDATE_COLUMNS = (
    _TIE.topic_id,
    _TIE.level,
    _TIE.endorsements,
    *(_PERSON[name] for name in _OF_PERSON),
    can_be_reached(_PERSON.id),
)


async def list_candidates(
    session: AsyncSession,
    topic_ids: Sequence[int],
    city_id: int | None,
    where: PeopleFilter = PeopleFilter(),
) -> list[CandidateRow]:
    """Return the best by standing: colleagues in this city, and people visible to all. One query.

    At most `COLLEAGUE_LIMIT` and `COMMUNITY_LIMIT` of them for each topic, and as many again who
    know all topics, in no particular order; a person has a row for each of these topics.
    """
    query = _best_query(
        len(topic_ids), city_id is not None, where.cities is not None, bool(where.speaks)
    )
    asked: dict[str, Any] = {f"topic{n}": topic for n, topic in enumerate(topic_ids)}
    asked |= {"city": city_id, "cities": where.cities}
    if where.speaks:
        asked["speaks"] = f" {where.speaks} "
    rows = await session.execute(query, {k: v for k, v in asked.items() if v is not None})
    return [CandidateRow(*row) for row in rows.all()]


@cache
def _best_query(topics: int, here: bool, cities: bool, speaks: bool) -> Select[*tuple[Any, ...]]:
    """Build the query for one number of topics and one combination of filters, once."""
    asked: list[BindParameter[int]] = [bindparam(f"topic{n}") for n in range(topics)]
    found = _TIE.id if topics == 1 else _TIE.member_id  # the index holds the number of a tie
    filters = [_TIE.kind == "knows"]
    if cities:
        filters.append(_TIE.city_id.in_(bindparam("cities", expanding=True)))
    if speaks:
        filters.append(_TIE.spoken.contains(bindparam("speaks")))
    by_standing = (
        select(found).where(*filters).order_by(_TIE.standing.desc(), _TIE.id.desc())
    )  # the order of the indexes
    searches = [by_standing.where(_TIE.topic_id == topic) for topic in asked]
    if topics > 1:
        searches.append(searches[0].where(*map(_knows_too, asked[1:])))
    chosen = [ids.where(_TIE.seen == "community").limit(COMMUNITY_LIMIT) for ids in searches]
    if here:
        colleagues = _TIE.city_id == bindparam("city"), _TIE.seen != "nobody"
        chosen += [ids.where(*colleagues).limit(COLLEAGUE_LIMIT) for ids in searches]
    either = union(*(select(some.subquery().c[found.name]) for some in chosen))
    people = Expertise.__table__.join(Member.__table__)
    return (
        select(*_CANDIDATE_COLUMNS)
        .select_from(people)
        .where(found.in_(either), _TIE.topic_id.in_(asked), _TIE.kind == "knows")
    )


def _knows_too(topic: ColumnElement[int]) -> ColumnElement[bool]:
    """Return whether the member of a tie knows this topic as well."""
    other = Expertise.__table__.alias()
    known = select(other.c.id).where(
        other.c.member_id == _TIE.member_id, other.c.topic_id == topic, other.c.kind == "knows"
    )
    return known.exists()


def build_candidate_row(tie: Expertise, *, is_reachable: bool) -> CandidateRow:
    """Return the contender for a tie that is loaded with its member."""
    of_person = {name: getattr(tie.member, name) for name in _OF_PERSON}
    return CandidateRow(
        tie.topic_id, tie.level, tie.endorsements, **of_person, is_reachable=is_reachable
    )


async def list_expertise(session: AsyncSession, member_id: int) -> Sequence[Expertise]:
    """Return everything a member knows or wants to learn, the highest standing first."""
    query = select(Expertise).where(Expertise.member_id == member_id)
    return (await session.scalars(query.order_by(Expertise.standing.desc(), Expertise.id))).all()


async def load_in_order(
    session: AsyncSession, member_ids: Sequence[int], where: PeopleFilter
) -> Sequence[Member]:
    """Return those of these members whom the filter admits, in the given order."""
    query = select(Member).where(Member.id.in_(member_ids))
    people = {m.id: m for m in (await session.scalars(query)).all() if where.matches(m)}
    return [people[i] for i in member_ids if i in people]


async def find_by_name(
    session: AsyncSession, name: str, viewer: Member, limit: int = 12
) -> list[Member]:
    """Find listed people, and the viewer, whose names contain all these words: one query.

    Colleagues of the viewer come first.
    """
    wanted = [f"%{_escape_like(word)}%" for word in fold_text(name).split()]
    if not wanted:
        return []
    query = (
        select(Member)
        .where(
            Member.status == "verified",
            Member.listed | (Member.id == viewer.id),
            *(Member.folded.like(word, escape="\\") for word in wanted),
        )
        .order_by(Member.city_id != viewer.city_id, Member.folded, Member.id)
        .limit(limit)
    )
    return list((await session.scalars(query)).all())


def _escape_like(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


async def list_in_city(session: AsyncSession, city_id: int, limit: int = 12) -> Sequence[Member]:
    """Return listed people of a city, those open to questions first."""
    query = (
        select(Member)
        .where(Member.city_id == city_id, Member.listed, Member.status == "verified")
        .order_by(Member.open_to_questions.desc(), Member.folded, Member.id)
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def count_people_by_topic(session: AsyncSession) -> dict[int, int]:
    """Return how many people show the community that they know each topic."""
    query = (
        select(Expertise.topic_id, func.count())
        .where(Expertise.kind == "knows", Expertise.seen == "community")
        .group_by(Expertise.topic_id)
    )
    return {row[0]: row[1] for row in (await session.execute(query)).all() if row[0]}


async def list_strengths(
    session: AsyncSession, city_id: int, limit: int = 5
) -> list[tuple[int, int]]:
    """Return the topics that a city's people show they know, with how many, the most first."""
    number = func.count()
    query = (
        select(Expertise.topic_id, number)
        .where(
            Expertise.city_id == city_id,
            Expertise.kind == "knows",
            Expertise.seen == "community",
        )
        .group_by(Expertise.topic_id)
        .order_by(number.desc(), Expertise.topic_id)
        .limit(limit)
    )
    return [(topic, count) for topic, count in (await session.execute(query)).all()]


async def find_expertise(
    session: AsyncSession, member_id: int, topic_id: int, kind: str = "knows"
) -> Expertise | None:
    """Find a member's tie to one topic, with the member and the city loaded."""
    query = (
        select(Expertise)
        .where(
            Expertise.member_id == member_id,
            Expertise.topic_id == topic_id,
            Expertise.kind == kind,
        )
        .options(joinedload(Expertise.member).joinedload(Member.city))
    )
    return await session.scalar(query)


async def set_topics(
    session: AsyncSession, person: Member, kind: str, topic_ids: Collection[int]
) -> None:
    """Make these topics all that a member knows (or learns); ties that stay keep endorsements."""
    ties = [e for e in await list_expertise(session, person.id) if e.kind == kind]
    gone = [e.id for e in ties if e.topic_id not in topic_ids]
    await session.execute(delete(Expertise).where(Expertise.id.in_(gone)))
    known = {e.topic_id for e in ties}
    session.add_all(
        Expertise(member_id=person.id, topic_id=t, kind=kind, city_id=person.city_id)
        for t in topic_ids
        if t not in known
    )
    await session.flush()


def search_audience(person: Member) -> str:
    """Return who may find the member by topic: «community», «city» or «nobody»."""
    return person.seen_topics if person.is_in_directory else "nobody"


def build_documents(person: Member, topic_words: str) -> list[search.Document]:
    """Build the member's search documents, one for each circle of readers.

    None for a member who is not in the directory.
    """
    if not person.is_in_directory:
        return []
    made = []
    for circle in ("community", "city"):
        shows = {"community"} if circle == "community" else {"community", "city"}
        text = " ".join(
            words
            for field, words in (
                ("title", person.title),
                ("bio", person.bio),
                ("topics", topic_words),
            )
            if getattr(person, f"seen_{field}") in shows
        )
        tokens = analyse(
            f"{person.name} {person.city.name if person.city else ''} {text}", person.language
        )
        made.append(
            search.Document(
                kind="member",
                ref=person.id,
                seen=circle,
                city_id=person.city_id,
                tokens=tokens,
            )
        )
    return made


Standing = Callable[[int, int, str | None, bool], int]
"""Rates a person as a first contact: skill, endorsements, the city's level, open to questions."""


async def refresh_member(session: AsyncSession, person: Member, standing: Standing) -> None:
    """Update all that is derived from a member: the fields of the ties, and the search documents.

    Call it after any change of the member. It flushes; the caller's transaction commits.
    """
    await session.flush()
    ties = await list_expertise(session, person.id)
    copy_to_ties(person, ties, standing)
    terms = select(TopicTerm.term).where(
        TopicTerm.topic_id.in_([e.topic_id for e in ties if e.kind == "knows"])
    )
    words = " ".join((await session.scalars(terms.order_by(TopicTerm.id))).all())
    await search.replace_documents(session, "member", person.id, build_documents(person, words))


def copy_to_ties(person: Member, ties: Iterable[Expertise], standing: Standing) -> None:
    """Set the fields of a member's ties that are derived from the member."""
    level = person.city.level if person.city else None
    for one in ties:
        one.city_id = person.city_id
        one.seen = search_audience(person)
        one.spoken = person.spoken
        one.standing = standing(one.level, one.endorsements, level, person.open_to_questions)


async def count_people_by_area(session: AsyncSession) -> dict[int, int]:
    """Return how many people show the community that they know some topic of each practice area."""
    query = (
        select(Topic.area_id, func.count(Expertise.member_id.distinct()))
        .join(Topic, Topic.id == Expertise.topic_id)
        .where(Expertise.kind == "knows", Expertise.seen == "community", Topic.area_id.is_not(None))
        .group_by(Topic.area_id)
    )
    return {row[0]: row[1] for row in (await session.execute(query)).all() if row[0]}
