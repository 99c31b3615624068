"""Names are compared with plain letters: what is stored folded, and searched, is folded again"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
import Stemmer
from alembic import op

from db import text

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

MEMBERS_AT_ONCE = 1000
MEMBER = sa.table(
    "member",
    *map(sa.column, ("id", "name", "folded", "title", "bio", "language", "city_id")),
    *map(sa.column, ("seen_title", "seen_bio", "seen_topics")),
)
CITY = sa.table("city", sa.column("id"), sa.column("name"))
KNOWN = sa.table("expertise", *map(sa.column, ("member_id", "topic_id", "kind")))
TERM = sa.table("topic_term", *map(sa.column, ("id", "topic_id", "term")))
DOCUMENT = sa.table("document", *map(sa.column, ("id", "kind", "ref", "seen", "tokens")))
Fold = Callable[[str], str]
Analyse = Callable[[str, str], str]


def upgrade() -> None:
    _write_again(text.fold_text, text.analyse)


def downgrade() -> None:
    _write_again(_fold_before, _analyse_before)


def _write_again(fold: Fold, analyse: Analyse) -> None:
    """Fold every name, and analyse the words of every member's documents."""
    connection = op.get_bind()
    for people in _iter_members(connection):
        for one in people.values():
            folded = MEMBER.update().values(folded=fold(one.name))
            connection.execute(folded.where(MEMBER.c.id == one.id))
        words = _load_topic_words(connection, list(people))
        for document in _load_documents(connection, list(people)):
            one = people[document.ref]
            said = _visible_words(one, words.get(one.id, ""), document.seen)
            tokens = analyse(f"{one.name} {one.city or ''} {said}", one.language)
            written = DOCUMENT.update().values(tokens=tokens)
            connection.execute(written.where(DOCUMENT.c.id == document.id))


def _iter_members(connection: sa.Connection) -> Iterator[dict[int, sa.Row[Any]]]:
    """Yield all members by id, some at a time."""
    query = (
        sa.select(MEMBER, CITY.c.name.label("city"))
        .select_from(MEMBER.outerjoin(CITY, CITY.c.id == MEMBER.c.city_id))
        .order_by(MEMBER.c.id)
        .limit(MEMBERS_AT_ONCE)
    )
    rows = connection.execute(query).all()
    while rows:
        yield {row.id: row for row in rows}
        rows = connection.execute(query.where(MEMBER.c.id > rows[-1].id)).all()


def _load_topic_words(connection: sa.Connection, ids: Sequence[int]) -> dict[int, str]:
    """Return all terms of the topics that each of these members knows."""
    query = (
        sa.select(KNOWN.c.member_id, TERM.c.term)
        .where(KNOWN.c.topic_id == TERM.c.topic_id, KNOWN.c.kind == "knows")
        .where(KNOWN.c.member_id.in_(ids))
        .order_by(KNOWN.c.member_id, TERM.c.id)
    )
    terms: dict[int, list[str]] = {}
    for member, term in connection.execute(query):
        terms.setdefault(member, []).append(term)
    return {member: " ".join(of_member) for member, of_member in terms.items()}


def _load_documents(connection: sa.Connection, ids: Sequence[int]) -> Sequence[sa.Row[Any, Any, Any]]:
    query = sa.select(DOCUMENT.c.id, DOCUMENT.c.ref, DOCUMENT.c.seen)
    return connection.execute(query.where(DOCUMENT.c.kind == "member", DOCUMENT.c.ref.in_(ids))).all()


def _visible_words(one: sa.Row[Any], topic_words: str, circle: str) -> str:
    """Return what this circle of readers may see of a member, besides the name and the city."""
    shows = {"community"} if circle == "community" else {"community", "city"}
    fields = (
        (one.seen_title, one.title), (one.seen_bio, one.bio), (one.seen_topics, topic_words)
    )  # fmt: skip
    return " ".join(words for seen, words in fields if seen in shows)


def _fold_before(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _analyse_before(words: str, language: str) -> str:
    names = {"es": "spanish", "pt": "portuguese", "fr": "french"}
    stemmer = Stemmer.Stemmer(names.get(language, "english"))
    kept: list[str] = []
    for word in re.findall(r"[^\W_]+", _fold_before(words)):
        stem = _fold_before(stemmer.stemWord(word))
        kept += [word] if stem == word else [word, stem]
    return " ".join(kept)
