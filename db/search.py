"""Full text search over everything that has words: the same rows match on both databases."""

from collections.abc import Sequence
from functools import reduce

from sqlalchemy import ColumnElement, Index, and_, column, delete, func, or_, select, table
from sqlalchemy import literal_column as text_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, is_sqlite
from db.text import query_tokens


class Document(Base):
    """The words of one thing, as far as one circle of readers may see them.

    `kind` and `ref` name the thing; `seen` is «community» or «city», and then `city_id` says which
    city. A thing with words for both circles has two documents. `tokens` come from `text.analyse`.
    """

    __tablename__ = "document"
    __table_args__ = (Index("ix_document_thing", "kind", "ref"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    ref: Mapped[int]
    seen: Mapped[str]
    city_id: Mapped[int | None]
    tokens: Mapped[str]


_FTS = table("document_fts", column("rowid"), column("document_fts"), column("rank"))


async def put(session: AsyncSession, kind: str, ref: int, documents: Sequence[Document]) -> None:
    """Replace what is known of one thing."""
    await session.execute(delete(Document).where(Document.kind == kind, Document.ref == ref))
    session.add_all(documents)


async def matching(
    session: AsyncSession, kind: str, text: str, city_id: int | None, limit: int
) -> list[int]:
    """The refs whose visible words hold every word asked (or its stem), best first.

    Only documents for the community, and those for the reader's own city, are looked at.
    """
    groups = query_tokens(text)
    if not groups:
        return []
    may_see = or_(
        Document.seen == "community", and_(Document.seen == "city", Document.city_id == city_id)
    )
    query = select(Document.ref).where(Document.kind == kind, may_see)
    if is_sqlite(session):
        asked = " ".join(f"({' OR '.join(_quoted(t) for t in sorted(g))})" for g in groups)
        query = (
            query.join(_FTS, _FTS.c.rowid == Document.id)
            .where(_FTS.c.document_fts.op("MATCH")(asked.replace(") (", ") AND (")))
            .order_by(_FTS.c.rank, Document.ref)
        )
    else:
        vector = func.to_tsvector(text_("'simple'"), Document.tokens)
        wanted = reduce(_and, (reduce(_or, map(_phrase, sorted(g))) for g in groups))
        query = query.where(vector.op("@@")(wanted)).order_by(
            func.ts_rank(vector, wanted).desc(), Document.ref
        )
    refs = (await session.scalars(query.limit(limit * 2))).all()
    return list(dict.fromkeys(refs))[:limit]


def _quoted(token: str) -> str:
    return '"' + token.replace('"', '""') + '"'


def _phrase(token: str) -> ColumnElement[str]:
    """The token as PostgreSQL breaks it: `1e1hr` is two of its words, here as when it was kept."""
    return func.phraseto_tsquery(text_("'simple'"), token)


def _or(one: ColumnElement[str], other: ColumnElement[str]) -> ColumnElement[str]:
    return one.op("||")(other)


def _and(one: ColumnElement[str], other: ColumnElement[str]) -> ColumnElement[str]:
    return one.op("&&")(other)
