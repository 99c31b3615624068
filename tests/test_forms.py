"""What does not fit becomes a form, with one sentence beside each field."""

import pytest
from pydantic import ValidationError

from bot.cards import Form
from bot.forms import build_form, describe_problems
from bot.i18n import LANGUAGES, translator
from bot.parsing import coerce_values
from tests.test_parsing import ARGUMENTS, Ask, values


def form(words: str, language: str = "en") -> Form:
    """The form that opens because something does not fit."""
    t, given = translator(language), values(words)
    with pytest.raises(ValidationError) as caught:
        Ask.model_validate(coerce_values(given, ARGUMENTS), by_name=True, by_alias=False)
    return build_form(
        "ask", "Ask", ARGUMENTS, t, given, describe_problems(caught.value, ARGUMENTS, t)
    )


def problem(words: str, name: str, language: str = "en") -> str:
    return next(i.problem for i in form(words, language).inputs if i.name == name)


@pytest.mark.parametrize(
    ("words", "name", "said"),
    [
        ("", "topic", "Please fill this in. For example: open data"),
        ("x", "topic", "«x» is too short: please use at least 2 characters."),
        ("x" * 90, "topic", "This can have up to 80 characters; yours has 90."),
        ("gis level:silvr", "level",
         "«silvr» doesn't work here. Try one of these: Silver, Very good. Did you mean «Silver»?"),
        ("gis level:qqq", "level", "«qqq» doesn't work here. Try one of these: Silver, Very good."),
        ("gis speaks:espagnol", "speaks",
         "«espagnol» doesn't work here. Try one of these: English, Español. "
         "Did you mean «Español»?"),
        ("gis sure:perhaps", "sure", "«perhaps» doesn't work here. Try one of these: Yes, No."),
        ("gis in:aaaaaaaaaaaa", "place", "This can have up to 10 characters; yours has 12."),
    ],
)  # fmt: skip
def test_each_problem_is_one_sentence_that_quotes_what_was_read(
    words: str, name: str, said: str
) -> None:
    """And says what is expected, with the nearest choice where there is one."""
    assert problem(words, name) == said


@pytest.mark.parametrize("number", ["many", "101", "-1", "1.5", "1e3", "９９９"])
def test_a_number_that_does_not_fit_is_quoted(number: str) -> None:
    """Whole numbers between the limits."""
    assert f"«{number}»" in problem(f"gis most:{number}", "most")


def test_too_many_values_are_counted_and_not_called_missing() -> None:
    """Four tags where three fit."""
    said = problem("gis tags:a,b,c,d", "tags")

    assert "3" in said
    assert "fill this in" not in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_problems_and_labels_have_the_readers_language(language: str) -> None:
    """The sentence is the translator's."""
    t = translator(language)

    assert problem("x", "topic", language) == t(
        "«{text}» is too short: please use at least {least} characters.", text="x", least=2
    )
    assert next(i.label for i in form("", language).inputs) == t("Topic")


def test_a_form_is_filled_with_what_was_said() -> None:
    """Also with what does not fit; hidden fields are left out."""
    opened = form("gis in:aaaaaaaaaaaa level:silvr speaks:ESPAÑOL tags:a,b tongues:english,es")
    filled = {i.name: i.value for i in opened.inputs}

    assert "page" not in filled
    assert filled["topic"] == ("gis",)
    assert filled["place"] == ("aaaaaaaaaaaa",)
    assert filled["level"] == ("silvr",)
    assert filled["speaks"] == ("es",)
    assert filled["tags"] == ("a", "b")
    assert filled["tongues"] == ("en", "es")


def test_what_is_far_too_long_is_cut_so_that_the_form_opens() -> None:
    """Ten thousand characters do not fit into any platform's field."""
    opened = form("x" * 10_000)

    assert opened.inputs[0].value == ("x" * 200,)
    assert opened.inputs[0].problem == "This can have up to 80 characters; yours has 10000."


@pytest.mark.parametrize(
    "hostile", ["{0.__class__}", "%n%s", "${7*7}", "=cmd()", "{", "}", "{text}", "{{}}"]
)
def test_what_people_type_is_never_a_template(hostile: str) -> None:
    """Format strings come back verbatim."""
    assert f"«{hostile}»" in problem(f"gis level:{hostile}", "level")
