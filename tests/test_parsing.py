"""Words become values, and values become a model."""

from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from bot.i18n import LANGUAGES, translator
from bot.parsing import (
    HiddenField,
    Labels,
    LeadWords,
    Paragraph,
    SingleWord,
    Suggestions,
    arguments_of,
    clean_lines,
    clean_text,
    coerce_values,
    find_nearest,
    parse_words,
    shorten,
)

Language = Annotated[Literal["en", "es"], Labels({"en": "English", "es": "Español"})]


class Ask(BaseModel):
    """Ask for something"""

    topic: Annotated[str, Suggestions("topic")] = Field(
        min_length=2, max_length=80, title="Topic", description="For example: open data"
    )
    place: str | None = Field(default=None, alias="in", max_length=10)
    level: Literal["silver", "very-good"] | None = None
    speaks: Language | None = None
    tags: tuple[str, ...] | None = Field(default=None, max_length=3, title="Tags")
    tongues: tuple[Language, ...] | None = None
    most: int | None = Field(default=None, ge=0, le=100, title="At most")
    sure: bool | None = None
    story: Annotated[str | None, Paragraph()] = Field(default=None, max_length=600)
    page: Annotated[int, HiddenField()] = 1


ARGUMENTS = arguments_of(Ask)
EN = translator("en")


class Why(BaseModel):
    """One word first, then free words"""

    person: Annotated[str, SingleWord()]
    topic: str


def values(words: str) -> dict[str, tuple[str, ...]]:
    return parse_words(words, ARGUMENTS)


def ask(words: str) -> Ask:
    return Ask.model_validate(coerce_values(values(words), ARGUMENTS), by_name=True, by_alias=False)


# --- the declaration --------------------------------------------------------------------------


def test_a_model_is_the_grammar() -> None:
    """Kinds, spellings, limits and choices come from the annotations."""
    by_name = {a.name: a for a in ARGUMENTS}

    assert [a.name for a in ARGUMENTS] == list(Ask.model_fields)
    assert by_name["place"].spelling == "in"
    assert (by_name["topic"].shortest, by_name["topic"].longest) == (2, 80)
    assert by_name["topic"].required
    assert by_name["topic"].suggests == "topic"
    assert by_name["most"].kind == "integer"
    assert by_name["sure"].kind == "yes-no"
    assert [o.label for o in by_name["level"].options] == ["Silver", "Very good"]
    assert [o.label for o in by_name["tongues"].options] == ["English", "Español"]
    assert by_name["tags"].many
    assert by_name["tongues"].many
    assert by_name["story"].long
    assert by_name["page"].hidden


def test_how_many_values_fit_is_not_how_many_characters_fit() -> None:
    """Three tags, each as long as tags are."""
    tags = next(a for a in ARGUMENTS if a.name == "tags")

    assert tags.longest == 3000


# --- words ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("open data", {"topic": ("open data",)}),
        ("  open \u00a0 data  ", {"topic": ("open data",)}),
        ("open data in:mexico", {"topic": ("open data",), "place": ("mexico",)}),
        ("in:mexico open data", {"topic": ("open data",), "place": ("mexico",)}),
        ("open in:mexico data", {"topic": ("open data",), "place": ("mexico",)}),
        ("IN:Mexico gis", {"topic": ("gis",), "place": ("Mexico",)}),
        ('gis in:"costa rica"', {"topic": ("gis",), "place": ("costa rica",)}),
        ("gis in:“costa rica”", {"topic": ("gis",), "place": ("costa rica",)}),
        ("gis in:«costa rica»", {"topic": ("gis",), "place": ("costa rica",)}),
        ("gis in: mexico", {"topic": ("gis",), "place": ("mexico",)}),
        ("gis in:", {"topic": ("gis",), "place": ("",)}),
        ('"in:mexico"', {"topic": ("in:mexico",)}),
        ("topic:gis", {"topic": ("gis",)}),
        ("C++: the basics", {"topic": ("C++: the basics",)}),
        ("see https://x.example/a:b", {"topic": ("see https://x.example/a:b",)}),
        ("note: important", {"topic": ("note: important",)}),
        ("o'brien", {"topic": ("o'brien",)}),
        ('a "b', {"topic": ('a "b',)}),
        ("gis tags:a,b tags:c", {"topic": ("gis",), "tags": ("a", "b", "c")}),
        ('gis tags:"a b, c"', {"topic": ("gis",), "tags": ("a b", "c")}),
        ("gis place:x place:y", {"topic": ("gis",), "place": ("y",)}),
        ("", {}),
    ],
)
def test_the_grammar(words: str, expected: dict[str, tuple[str, ...]]) -> None:
    """`free words key:value key:"two words"`; only known keys are keys."""
    assert values(words) == expected


def test_a_field_of_one_word_leaves_the_rest_to_the_next() -> None:
    """`why @maya open data`."""
    arguments = arguments_of(Why)

    assert parse_words("<@U1> open data", arguments) == {
        "person": ("<@U1>",), "topic": ("open data",)
    }  # fmt: skip
    assert parse_words('"Maya Chen" open data', arguments) == {
        "person": ("Maya Chen",), "topic": ("open data",)
    }  # fmt: skip
    assert parse_words("maya topic:gis", arguments) == {"person": ("maya",), "topic": ("gis",)}


@given(st.text(max_size=60))
def test_no_words_ever_raise(words: str) -> None:
    """Whatever is typed is read, and every value belongs to a field."""
    assert set(values(words)) <= set(Ask.model_fields)


@given(st.text(alphabet=st.characters(categories=["L", "N"]), min_size=2, max_size=30))
def test_a_quoted_value_comes_back_as_it_was(word: str) -> None:
    """Letters and digits of any script survive."""
    assert values(f'gis in:"{word} x"')["place"] == (clean_text(f"{word} x"),)


# --- cleaning ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\x00b\x07c", "a b c"),
        ("a\u200bb\ufeff", "ab"),
        ("\u202eevil\u202c", "evil"),
        ("e\u0301", "é"),
        ("a\u2028b\nc\td", "a b c d"),
        ("\ud800x", "x"),
        ("🌳 ok", "🌳 ok"),
    ],
)
def test_what_is_typed_is_cleaned(text: str, expected: str) -> None:
    """Composed letters and single spaces; nothing that hides or turns the text around."""
    assert clean_text(text) == expected


@given(st.text())
def test_cleaning_twice_changes_nothing(text: str) -> None:
    """And what is clean can be kept in every database."""
    once = clean_text(text)

    assert clean_text(once) == once
    assert "\x00" not in once
    once.encode()


def test_a_paragraph_keeps_its_lines() -> None:
    """Line by line it is cleaned the same way."""
    assert clean_lines(" a \x00 b \r\n\r\n c\u200b ") == "a b\n\nc"
    given = coerce_values({"topic": ("gis",), "story": ("one\n two ",)}, ARGUMENTS)
    assert given["story"] == "one\ntwo"


def test_what_is_quoted_back_is_cut() -> None:
    """Ten thousand characters are not repeated."""
    assert shorten("x" * 200) == "x" * 200
    assert shorten("x" * 10_000) == "x" * 199 + "…"


# --- values -----------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["yes", "YES", "Yes"])
def test_yes_in_any_case(said: str) -> None:
    """`sure:YES`."""
    assert ask(f"gis sure:{said}").sure is True


@pytest.mark.parametrize("language", LANGUAGES)
def test_closed_fields_are_said_in_any_of_the_four_languages(language: str) -> None:
    """What the form shows as a label may be typed, with or without accents."""
    t = translator(language)

    for label, value in ((t("Yes"), True), (t("No"), False)):
        assert ask(f'gis sure:"{label.upper()}"').sure is value
    assert ask(f'gis level:"{t("Very good")}"').level == "very-good"
    assert ask("gis speaks:espanol").speaks == "es"
    assert ask("gis tongues:ESPAÑOL,en").tongues == ("es", "en")


def test_an_emptied_field_is_none() -> None:
    """«Clear this» reaches the model."""
    given = coerce_values({"topic": ("",), "place": ("",), "tags": (), "most": ("",)}, ARGUMENTS)

    assert given == {"topic": "", "place": None, "tags": (), "most": None}
    assert coerce_values({"nobody": ("x",)}, ARGUMENTS) == {}


def test_nearest_choices_stand_best_first_and_far_ones_not_at_all() -> None:
    """`profil` is not `help`."""
    assert find_nearest("profil", ["help", "profile", "who-does"])[0] == "profile"
    assert find_nearest("zzz", ["help", "profile"]) == []
    assert find_nearest("", ["help"]) == []


# --- as people talk ---------------------------------------------------------------------------


class Meet(BaseModel):
    """A field that a word leads to"""

    who: str
    about: str | None = None
    because: Annotated[
        str | None, Paragraph(), LeadWords(("because", "parce que", "parce qu'"))
    ] = None


@pytest.mark.parametrize(
    ("said", "who", "because"),
    [
        ("@maya because we both map: trees", "@maya", "we both map: trees"),
        ("maya BECAUSE: we both", "maya", "we both"),
        ("maya because:we both map", "maya", "we both map"),
        ('maya because:"we both"', "maya", "we both"),
        ("maya because about:blank is our page", "maya", "about:blank is our page"),
        ("maya because one\ntwo", "maya", "one\ntwo"),
        ("maya parce  que nous", "maya", "nous"),
        ("maya parce qu'on partage", "maya", "on partage"),
        ('maya because "x" said so', "maya", '"x" said so'),
        ('"a because b"', "a because b", ""),
        ("maya because", "maya", ""),
        ("because", "because", ""),
        ("becauseful things", "becauseful things", ""),
        ("because we both", "", "we both"),
    ],
)
def test_what_stands_behind_a_leading_word_is_its_field(said: str, who: str, because: str) -> None:
    """To the end of what was typed, and nothing of it is taken for a key."""
    found = parse_words(said, arguments_of(Meet))

    wanted = {"who": who, "because": because}
    assert found == {name: (text,) for name, text in wanted.items() if text}
