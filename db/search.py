"""Full text search over everything that has words: the same rows match on both databases."""

from collections.abc import Sequence
from functools import reduce

from sqlalchemy import ColumnElement, Index, Select, and_, column, delete, func, or_, select, table
from sqlalchemy import literal_column as text_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, is_sqlite
from db.text import query_tokens

RANKED = 1000
"""As many documents are compared at most: what comes first is then as soon found among many."""


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


async def replace_documents(
    session: AsyncSession, kind: str, ref: int, documents: Sequence[Document]
) -> None:
    """Replace what is known of one thing."""
    await session.execute(delete(Document).where(Document.kind == kind, Document.ref == ref))
    session.add_all(documents)


async def find_refs(
    session: AsyncSession, kind: str, text: str, city_id: int | None, limit: int
) -> list[int]:
    """The refs whose visible words hold every word asked (or its stem), best first.

    Only documents for the community, and those for the reader's own city, are looked at. Words
    that very many hold are ranked among the `RANKED` newest of these.
    """
    groups = query_tokens(text)
    if not groups:
        return []
    may_see = or_(
        Document.seen == "community", and_(Document.seen == "city", Document.city_id == city_id)
    )
    found = _sqlite_query(groups) if is_sqlite(session) else _postgresql_query(groups)
    newest = found.where(Document.kind == kind, may_see).limit(RANKED).subquery()
    query = select(newest.c.ref).order_by(newest.c.rank, newest.c.ref)
    refs = (await session.scalars(query.limit(limit * 2))).all()
    return list(dict.fromkeys(refs))[:limit]


def _sqlite_query(groups: Sequence[set[str]]) -> Select[int, float]:
    asked = " AND ".join(f"({' OR '.join(_quote(t) for t in sorted(g))})" for g in groups)
    return (
        select(Document.ref, _FTS.c.rank)
        .join(_FTS, _FTS.c.rowid == Document.id)
        .where(_FTS.c.document_fts.op("MATCH")(asked))
        .order_by(_FTS.c.rowid.desc())
    )


def _postgresql_query(groups: Sequence[set[str]]) -> Select[int, float]:
    vector = func.to_tsvector(text_("'simple'"), Document.tokens)
    wanted = reduce(_and, (reduce(_or, map(_phrase, sorted(g))) for g in groups))
    rank = (-func.ts_rank(vector, wanted)).label("rank")
    return select(Document.ref, rank).where(vector.op("@@")(wanted)).order_by(Document.id.desc())


def _quote(token: str) -> str:
    return '"' + token.replace('"', '""') + '"'


def _phrase(token: str) -> ColumnElement[str]:
    """The token as PostgreSQL breaks it: `1e1hr` is two of its words, here as when it was kept."""
    return func.phraseto_tsquery(text_("'simple'"), token)


def _or(one: ColumnElement[str], other: ColumnElement[str]) -> ColumnElement[str]:
    return one.op("||")(other)


def _and(one: ColumnElement[str], other: ColumnElement[str]) -> ColumnElement[str]:
    return one.op("&&")(other)
