"""The same rows match on both databases, whatever is asked; and nothing asked is ever code."""

import random
import string

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.cards import plain
from db import search
from db.base import transaction
from db.members import Member
from db.search import Document
from db.text import analyse, query_tokens
from tests.conftest import CommandTyper

pytestmark = pytest.mark.both

TEXTS = {
    1: ("en", "Open data portals and the mapping of trees by O'Brien; C++ and R&D"),
    2: ("es", "Publicación de datos abiertos, análisis de presupuestos y evaluaciones"),
    3: ("pt", "Avaliações de programas, dados abertos e participação da população"),
    4: ("fr", "Données ouvertes et évaluations des politiques d’économie; l'été à Montréal"),
    5: ("en", "AND OR NOT NEAR snake_case 100% 3.14 1e5 0x1F c3po x:y a_b _"),
    6: ("en", "nothing to see here: 数据 город مدينة ñandú straße ﬁnance"),
}
EXPECTED = {
    "open data": [1], "opening portals": [1], "map tree": [1], "mapped": [1],
    "dato abierto": [2], "datos": [2], "ANÁLISIS": [2], "analisis presupuesto": [2],
    "evaluacion": [2, 4], "avaliacoes": [3], "dados aberto": [3],
    "donnees ouvertes": [4], "DONNÉES": [4], "donne\u0301es": [4], "évaluation": [2, 4],
    "economie": [4], "ete montreal": [4],
    "open-data": [1], "o'brien": [1], "O’Brien": [1], "C++": [1], "R&D": [1],
    "AND": [1, 5], "OR": [5], "NOT": [5], "NEAR": [5], '"': [], '""': [], "%": [], "*": [],
    "100%": [5], "snake": [5], "case": [5], "snake_case": [5], "a_b": [5], "3.14": [5],
    "1e5": [5], "0x1f": [5], "c3po": [5], "x:y": [5], "tokens:open": [], "{open}: data": [1],
    "open*": [1], "^open": [1], "(open": [1], "open)": [1], "open OR qqq": [], "-open": [1],
    "NEAR(open data)": [], "open\x00data": [1], "\x00": [], "'": [], "\\": [], ":*": [],
    "open & data": [1], "open | data": [1], "!open": [1], "open <-> data": [1],
    "'open' 'data'": [1], "$1": [], "数据": [6], "город": [6], "nandu": [6], "strasse": [6],
    "finance": [6], "🌳": [],
}  # fmt: skip
INJECTIONS = (
    "'; DROP TABLE member;--", "1' OR '1'='1", '" OR ""="', "') UNION SELECT email FROM member--",
    "x'); DELETE FROM member WHERE ('1'='1", "\\'; DROP TABLE member;--", "1; SELECT pg_sleep(9)",
    "${jndi:ldap://x}", "%' OR 1=1 --", "_%_%", "0x27", "member WHERE 1=1", "NULL", "'||'a'||'",
    "'", "''", '"', "`", ";", "--", "/*", "*/", "\\", "\\'", "%27", "%00", "\x00", "$$", "$1", ":1",
    "?", ":name", "%s", "%(name)s", "{0}", "admin'--", "' OR 1=1#", "1) OR (1=1",
    "' HAVING 1=1--", "' AND SLEEP(9)--", "'; ATTACH DATABASE 'x' AS y;--",
    "'; PRAGMA writable_schema=1;--",
    "'; COPY member TO '/x';--", "' UNION SELECT sql FROM sqlite_master--", "ʼ OR 1=1", "＇ OR 1=1",
    "1;VACUUM", "' || (SELECT version()) || '", "E'\\x27'", "U&'\\0027'", "tokens MATCH 'x'",
)  # fmt: skip


async def fill(engine: AsyncEngine) -> None:
    async with transaction(engine, writes=True) as session:
        for ref, (language, words) in TEXTS.items():
            tokens = analyse(words, language)
            made = Document(kind="test", ref=ref, seen="community", city_id=None, tokens=tokens)
            await search.replace_documents(session, "test", ref, [made])


async def asked(engine: AsyncEngine, words: str, city: int | None = None) -> list[int]:
    async with transaction(engine) as session:
        return sorted(await search.find_refs(session, "test", words, city, 20))


async def test_the_same_rows_match_on_both_databases(engine: AsyncEngine) -> None:
    """Accents, stems in four languages, hostile tokens: one table of expectations for both."""
    await fill(engine)
    found = {words: await asked(engine, words) for words in EXPECTED}

    assert {w: f for w, f in found.items() if f != EXPECTED[w]} == {}


async def test_any_word_that_was_written_is_found(engine: AsyncEngine) -> None:
    """Random words of letters, digits and underscores, on both databases alike."""
    rng = random.Random(5)
    letters = string.ascii_lowercase + string.digits + "_éñç"
    written = ["".join(rng.choices(letters, k=rng.randint(1, 12))) for _ in range(300)]
    async with transaction(engine, writes=True) as session:
        for ref, word in enumerate(written):
            made = Document(kind="test", ref=ref, seen="community", tokens=analyse(word, "en"))
            await search.replace_documents(session, "test", ref, [made])
    for ref, word in enumerate(written):
        if query_tokens(word):
            assert ref in await asked(engine, word), word


async def test_only_the_first_words_of_a_long_question_are_asked(engine: AsyncEngine) -> None:
    """Sixty words are no burden: those beyond the thirty-second are not looked at."""
    await fill(engine)

    assert await asked(engine, " ".join(["open", "data"] * 30)) == [1]
    assert await asked(engine, " ".join(["open"] * 32 + ["qqq"] * 28)) == [1]
    assert await asked(engine, " ".join(["open"] * 31 + ["qqq"] * 29)) == []
    assert await asked(engine, "x" * 100_000) == []


def by_hand(words: str) -> list[int]:
    """What a search must find, without any database."""
    groups = query_tokens(words)
    kept = {ref: set(analyse(text, language).split()) for ref, (language, text) in TEXTS.items()}
    return [ref for ref, tokens in kept.items() if groups and all(g & tokens for g in groups)]


async def test_no_injection_finds_or_changes_anything_by_itself(engine: AsyncEngine) -> None:
    """Straight into the search, without the hub's cleaning: only words count."""
    await fill(engine)
    assert len(INJECTIONS) >= 40
    for words in INJECTIONS:
        for said in (words, f"open {words} data", f"open{words}data"):
            assert await asked(engine, said) == by_hand(said), said
    async with transaction(engine) as session:
        kept = select(func.count()).select_from(Document).where(Document.kind == "test")
        assert await session.scalar(kept) == len(TEXTS)


async def test_readers_find_what_is_for_all_and_what_is_for_their_city(
    engine: AsyncEngine,
) -> None:
    """A document for a circle is found in that circle only."""
    async with transaction(engine, writes=True) as session:
        circles = (("community", 1, "alpha"), ("city", 1, "alpha beta"), ("city", 2, "gamma"))
        session.add_all(
            Document(kind="test", ref=n, seen=seen, city_id=city, tokens=words)
            for n, (seen, city, words) in enumerate(circles)
        )
    assert await asked(engine, "alpha", None) == [0]
    assert await asked(engine, "alpha", 1) == [0, 1]
    assert await asked(engine, "beta", 2) == []
    assert await asked(engine, "gamma", 2) == [2]


async def test_what_is_put_again_replaces_what_was_there(engine: AsyncEngine) -> None:
    """Old words are forgotten, in the index too."""
    await fill(engine)
    async with transaction(engine, writes=True) as session:
        await search.replace_documents(session, "test", 1, [])

    assert await asked(engine, "open data") == []


@pytest.mark.parametrize("verb", ["who-does", "who-is", "city", "topics", "settings zone:", "why"])
async def test_nothing_typed_is_ever_code(
    typing: CommandTyper, engine: AsyncEngine, verb: str
) -> None:
    """The classic injections, through every field that asks the database."""
    for words in INJECTIONS:
        said = plain(await typing(f"{verb} {words}"))
        assert "Sorry" not in said, words
        assert "@city.example" not in said
    async with transaction(engine) as session:
        assert await session.scalar(select(func.count()).select_from(Member)) == 11


async def test_words_that_very_many_hold_are_ranked_among_the_newest(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many match, as few are compared; what one may not see takes nobody's place."""
    monkeypatch.setattr(search, "RANKED", 3)
    async with transaction(engine, writes=True) as session:
        for ref in range(900, 906):
            words = Document(kind="herd", ref=ref, seen="community", city_id=None, tokens="zebu")
            await search.replace_documents(session, "herd", ref, [words])
        for ref in range(906, 910):
            hidden = Document(kind="herd", ref=ref, seen="city", city_id=7, tokens="zebu zebu")
            await search.replace_documents(session, "herd", ref, [hidden])
    async with transaction(engine) as session:
        found = await search.find_refs(session, "herd", "zebu", None, 10)
    assert found == [903, 904, 905]
