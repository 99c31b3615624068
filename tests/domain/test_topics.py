"""Which topics a text means: by name, by a part of it, misspelt, several at once."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import db
from bot.domain.topics import MAX_PHRASES, TopicReader
from bot.domain.vocabulary import Term
from db.text import analyse, fold_text, query_tokens, split_words

with (Path(db.__file__).parent / "data" / "topic_terms.csv").open(encoding="utf-8") as file:
    ROWS = list(csv.DictReader(file))
SLUGS = list(dict.fromkeys(row["topic"] for row in ROWS))
TERMS = [
    Term(SLUGS.index(r["topic"]), r["term"], r["language"], r["preferred"] == "1") for r in ROWS
]
READER = TopicReader(TERMS, fold_text, analyse, split_words, query_tokens)
BUDGETS = {"budgeting-for-outcomes", "participatory-budgeting", "budget-equity"}


def meant(text: str) -> list[set[str]]:
    """For each phrase the topics that it may mean."""
    return [{SLUGS[key] for key in reading.keys} for reading in READER.read(text)]


@pytest.mark.parametrize(
    ("text", "slug", "precision"),
    [
        ("open data", "open-data", "exact"),
        ("DATOS-ABIERTOS", "open-data", "exact"),
        ("indicator", "performance-measures", "exact"),
        ("calidad datos", "data-quality", "exact"),
        ("a/b test", "randomized-controlled-trial", "exact"),
        ("budget and performance", "performance-officer", "exact"),
        ("opne data", "open-data", "close"),
        ("homelessness", "homelessness-data", "part"),
        ("housing", "homelessness-data", "part"),
        ("vivienda", "homelessness-data", "part"),
        ("moradia", "homelessness-data", "part"),
        ("logement", "homelessness-data", "part"),
        ("itinérance", "homelessness-data", "part"),
        ("ai", "artificial-intelligence", "exact"),
        ("privacy and data", "data-privacy", "exact"),
        ("homelesness", "homelessness-data", "guess"),
        ("homeles", "homelessness-data", "guess"),
    ],
)
def test_a_text_means_one_topic(text: str, slug: str, precision: str) -> None:
    """By its name in any inflection, nearly its name, a part of it, or a misspelt part."""
    (reading,) = READER.read(text)

    assert ([SLUGS[key] for key in reading.keys], reading.precision) == ([slug], precision)


@pytest.mark.parametrize("text", ["budget", "budgets", "presupuesto", "orçamento", "budgte"])
def test_a_word_of_several_names_means_all_of_them(text: str) -> None:
    """The reader chooses."""
    (found,) = meant(text)

    assert found >= BUDGETS


@pytest.mark.parametrize(
    "text",
    ["open data and gis", "datos abiertos y sig", "dados abertos e sig", "données ouvertes et sig",
     "open data & gis", "open data + gis", "open data, gis", "open data / gis", "open data; gis",
     "gis/open data", "opne data and mapping"],
)  # fmt: skip
def test_two_topics_are_read_at_once(text: str) -> None:
    """Between signs, and between the words for «and»."""
    assert sorted(map(sorted, meant(text))) == [["gis"], ["open-data"]]


def test_words_of_names_come_before_names_spelled_nearly_so() -> None:
    """«governance» is like «AI governance», and stands in «data governance»."""
    assert meant("governance")[0] >= {"artificial-intelligence", "data-governance"}


def test_one_unclear_phrase_leaves_the_other_as_it_is() -> None:
    """Only what is unclear is asked about."""
    assert meant("homelessness and equity") == [
        {"homelessness-data"}, {"data-equity", "budget-equity", "digital-equity"}
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "and", "trees", "open data and cooking", "de la", "x" * 500])
def test_what_is_no_topic_is_none(text: str) -> None:
    """One unknown phrase makes the whole text unknown: it is searched for in profiles."""
    assert READER.read(text) == []


PHRASES = st.lists(st.sampled_from(["gis", "and", ",", "budget"]), max_size=9).map(" ".join)


@given(st.text(max_size=60) | PHRASES)
def test_no_text_is_too_odd(text: str) -> None:
    """Few readings, each of known topics, none twice."""
    readings = READER.read(text)

    assert len(readings) <= MAX_PHRASES
    assert len({reading.keys for reading in readings}) == len(readings)
    assert all(reading.keys and max(reading.keys) < len(SLUGS) for reading in readings)


def test_an_empty_vocabulary_reads_nothing() -> None:
    """A fresh database has no topics yet."""
    assert TopicReader([], fold_text, analyse, split_words, query_tokens).read("open data") == []
