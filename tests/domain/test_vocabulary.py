"""Topics by their names: every name leads to its thing, and near misses to few."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.domain.vocabulary import Term, Vocabulary
from db.text import fold_text

NAMES = {
    1: ("open data", "datos abiertos", "dados abertos", "données ouvertes"),
    2: ("open contracting", "contratación abierta", "contratação aberta", "contrats ouverts"),
    3: ("data governance", "gobernanza de datos", "governança de dados", "gouvernance"),
    4: ("GIS", "SIG", "geoprocessamento", "géomatique"),
}
LANGUAGES = ("en", "es", "pt", "fr")
TERMS = [
    Term(key, name, language, True)
    for key, names in NAMES.items()
    for language, name in zip(LANGUAGES, names, strict=True)
]
WORDS = Vocabulary(TERMS, fold_text)


def shouted(text: str) -> str:
    return text.upper()


def hyphened(text: str) -> str:
    return text.replace(" ", "-")


def underscored(text: str) -> str:
    return text.replace(" ", "_")


def bare(text: str) -> str:
    return fold_text(text)


def spaced(text: str) -> str:
    return f"  {text.replace(' ', '   ')}\t"


@pytest.mark.parametrize("how", [shouted, hyphened, underscored, bare, spaced])
@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.text)
def test_every_name_is_exact_however_it_is_written(term: Term, how: object) -> None:
    """Case, accents, hyphens, underscores and spaces make no difference."""
    hit = WORDS.find(how(term.text))  # type: ignore[operator] # one of the functions above

    assert hit is not None
    assert (hit.key, hit.precision) == (term.key, "exact")


@given(st.sampled_from([t for t in TERMS if len(t.text) > 9]), st.data())
def test_one_swapped_pair_of_letters_is_understood(term: Term, data: st.DataObject) -> None:
    """The commonest slip of fingers finds the same thing, and says that it was a guess."""
    at = data.draw(st.integers(0, len(term.text) - 2))
    text = term.text
    slip = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    assume(" " not in text[at : at + 2] and fold_text(slip) != fold_text(text))
    hit = WORDS.find(slip)

    assert hit is not None
    assert (hit.key, hit.precision) == (term.key, "close")
    assert WORDS.find_near(slip)[0].key == term.key


@given(st.text(max_size=30))
def test_no_text_is_too_odd(text: str) -> None:
    """Whatever is typed: known keys, each once, no more than asked for."""
    near = [hit.key for hit in WORDS.find_near(text, 2)]
    typed = WORDS.complete(text, "es", 3)

    assert len(near) == len(set(near)) <= 2
    assert len(typed) == len(set(typed)) <= 3
    assert {*near, *typed} <= {*WORDS.keys()}
    if hit := WORDS.find(text):
        assert hit.key in WORDS.keys()  # noqa: SIM118 - a method of ours, not of a dict


def test_what_could_mean_two_things_is_not_guessed() -> None:
    """It is asked about, with both at hand."""
    two = Vocabulary([Term(1, "data sharing", "en"), Term(2, "data sparing", "en")], fold_text)

    assert two.find("data shaing") is None
    assert sorted(hit.key for hit in two.find_near("data shaing")) == [1, 2]


def test_the_first_of_two_equal_names_is_meant() -> None:
    """The same word in two languages is one entry."""
    same = Vocabulary([Term(7, "total", "en"), Term(8, "Total", "es")], fold_text)
    hit = same.find("TOTAL")

    assert hit is not None
    assert (hit.key, hit.term) == (7, "total")


def test_the_readers_language_comes_first_while_typing() -> None:
    """Among names that begin alike."""
    alike = Vocabulary([Term(1, "data map", "en"), Term(2, "data mapa", "es")], fold_text)

    assert alike.complete("data", "en") == [1, 2]
    assert alike.complete("data", "es") == [2, 1]


def test_a_name_nobody_prefers_is_no_display_name() -> None:
    """A missing translation falls back to English; a thing without any name is an error."""
    some = Vocabulary([Term(1, "a", "en", True), Term(1, "b", "es"), Term(2, "c", "fr")], fold_text)

    assert some.name(1, "es") == "a"
    with pytest.raises(KeyError):
        some.name(2, "fr")


@given(st.text(max_size=2))
def test_two_letters_are_never_guessed(text: str) -> None:
    """Too many things look like them."""
    assert WORDS.find(text) is None
    assert WORDS.find_near(text) == [] or len(fold_text(text)) > 2


def test_an_empty_vocabulary_finds_nothing() -> None:
    """A fresh database has no topics yet."""
    none = Vocabulary([], fold_text)

    assert (none.find("x y z"), none.find_near("x y z"), none.complete("", "en")) == (None, [], [])
    assert list(none.keys()) == []
