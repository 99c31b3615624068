"""Topics: the vocabulary of what people know, with its terms in four languages."""

from collections.abc import Collection, Sequence

from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.orm import relationship as related

from db.base import Base


class TopicTerm(Base):
    """A name of a topic in a language; one of each language is the preferred one."""

    __tablename__ = "topic_term"
    __table_args__ = (UniqueConstraint("topic_id", "language", "term"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    topic_id: Mapped[int] = mapped_column(ForeignKey("topic.id", ondelete="CASCADE"))
    language: Mapped[str]
    term: Mapped[str]
    preferred: Mapped[bool]


class TopicCriterion(Base):
    """A criterion of the Standard to which a topic belongs."""

    __tablename__ = "topic_criterion"
    topic_id: Mapped[int] = mapped_column(
        ForeignKey("topic.id", ondelete="CASCADE"), primary_key=True
    )
    criterion_id: Mapped[int] = mapped_column(
        ForeignKey("criterion.id", ondelete="CASCADE"), primary_key=True
    )


class Topic(Base):
    """One topic of the vocabulary, with or without a practice area."""

    __tablename__ = "topic"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    area_id: Mapped[int | None] = mapped_column(ForeignKey("practice_area.id"), index=True)
    terms: Mapped[list[TopicTerm]] = related(lazy="selectin", order_by=TopicTerm.id)


async def list_topics(session: AsyncSession) -> Sequence[Topic]:
    """Return every topic with its terms: two queries. The vocabulary caches them."""
    return (await session.scalars(select(Topic).order_by(Topic.slug))).all()


async def load_names(
    session: AsyncSession, topic_ids: Collection[int]
) -> dict[tuple[int, str], str]:
    """Load the preferred names of topics, by topic and language: one query."""
    query = select(TopicTerm.topic_id, TopicTerm.language, TopicTerm.term).where(
        TopicTerm.topic_id.in_(topic_ids), TopicTerm.preferred
    )
    return {(row[0], row[1]): row[2] for row in (await session.execute(query)).all()}
