"""Full text search over all documents; both databases match the same rows."""

from collections.abc import Sequence
from functools import reduce

from sqlalchemy import ColumnElement, Index, Select, and_, column, delete, func, or_, select, table
from sqlalchemy import literal_column as text_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, is_sqlite
from db.text import query_tokens

RANKED = 1000
"""How many matches are ranked at most, so that frequent words take no longer than rare ones."""


class Document(Base):
    """The words of one thing that one circle of readers may see.

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
    """Replace all documents of one thing."""
    await session.execute(delete(Document).where(Document.kind == kind, Document.ref == ref))
    session.add_all(documents)


async def find_refs(
    session: AsyncSession, kind: str, text: str, city_id: int | None, limit: int
) -> list[int]:
    """Find the things whose visible words contain every word of the text (or its stem), best first.

    Only documents for the community, and those for the city `city_id`, are searched. Of very many
    matches only the newest `RANKED` are ranked. Return the refs.
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
    """Split the token as PostgreSQL did when it was stored: `1e1hr` is two of its words."""
    return func.phraseto_tsquery(text_("'simple'"), token)


def _or(one: ColumnElement[str], other: ColumnElement[str]) -> ColumnElement[str]:
    return one.op("||")(other)


def _and(one: ColumnElement[str], other: ColumnElement[str]) -> ColumnElement[str]:
    return one.op("&&")(other)
