"""The catalogues of translations: whole, in one voice, and written as the tool writes them."""

import ast
import re
from collections.abc import Iterable
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from bot.adapters.discord.commands import build_commands
from bot.commands import load_commands
from tests import catalogue
from tests.catalogue import TRANSLATED, UnknownError, forms, pairs

SENTENCES = catalogue.collect()
SAME = {
    "{label}: {options}": ("es", "pt"),  # nothing to say but what is filled in
    "APP": ("es", "pt"),  # as Slack and Discord mark apps
    "«{text}»": ("es",),  # quoted as in English
    "No": ("es",),
    "Invitations": ("fr",),
    "Conversations": ("fr",),
    "Page": ("fr",),
    "Points": ("fr",),
    "Trios": ("pt", "fr"),
    "Population": ("fr",),
    "Messages": ("fr",),
    "Suggestions": ("fr",),
    "{number} points": ("fr",),
}
"""What is spelt in a language as it is in English."""


def names(text: str) -> set[str]:
    """The placeholders of a sentence, down to what would be read off them."""
    return {
        f"{name}{spec}{how or ''}" for _, name, spec, how in Formatter().parse(text) if name
    } | {"a place without a name" for _, name, _, _ in Formatter().parse(text) if name == ""}


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_is_translated_and_nothing_else(language: str) -> None:
    """A new sentence in the source is a failing test until three people can read it."""
    assert catalogue.faults(SENTENCES, language) == ([], [])


def test_the_sentences_are_found() -> None:
    """From calls, templates, declarations, form titles, and what is chosen while running."""
    for said in (
        "Who does {topic}",  # a call
        "Skip to the workspaces",  # a template
        "Find who works on something",  # a docstring
        "Leave it empty for no limit",  # a hint
        "The whole community",  # an option
        "Your profile",  # a form's title
        "knows it deeply",  # a dictionary's value
        "Platinum",  # data
    ):
        assert said in SENTENCES
    assert SENTENCES["one endorsement"].other == "{number} endorsements"
    assert "English" not in SENTENCES


def test_a_sentence_that_cannot_be_found_is_an_error(tmp_path: Path) -> None:
    """What is translated must stand there, or the catalogue must be told where it stands."""
    tree = ast.parse('t(made_up)\nt.many("one", plural, 2)')
    first, second = catalogue._calls(tree)
    assert [ast.unparse(a) for a in first[0]] == ["made_up"]
    assert second[1] is True
    with pytest.raises(UnknownError, match=r"x\.py:1: t\(made_up\)"):
        list(catalogue._computed("x.py", first[0][0], tree))


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_files_are_as_the_tool_writes_them(language: str) -> None:
    """So a diff of a catalogue shows what changed and nothing else."""
    file = catalogue.LOCALES / f"{language}.po"
    assert file.read_text(encoding="utf-8") == catalogue.written(SENTENCES, language)


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_fill_in_the_same_values(language: str) -> None:
    """A singular may leave the number out only where it means one and nothing else."""
    for sentence, said in forms(language):
        wanted = names(sentence.key) | names(sentence.other)
        for number, given in enumerate(said):
            left_out = {"number"} if sentence.other and language == "es" and number == 0 else set()
            assert names(given) | left_out == wanted | left_out, given


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_begin_and_end_as_the_english_does(language: str) -> None:
    """Sentences stand side by side, so a space or a full stop too many would show."""
    for english, given in pairs(language):
        assert given == given.strip()
        assert "  " not in given
        ends = [text[-1] if text[-1] in ".…:?" else "" for text in (english, given)]
        assert ends[0] == ends[1], given


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_english_is_left_in_a_catalogue(language: str) -> None:
    """The same spelling is an accident that is listed, or a sentence that was forgotten."""
    same = {english for english, given in pairs(language) if english == given}
    assert same == {key for key, languages in SAME.items() if language in languages}


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_language_has_its_own_marks(language: str) -> None:
    """Opening marks in Spanish, curved quotes in Portuguese, no-break spaces in French."""
    wrong = {
        "es": r"^[^¿]*\?|“|”",
        "pt": r"[«»¿]",
        "fr": r"[^\u00a0][:;!?»](?!\w)|«[^\u00a0]|“|”",
    }[language]
    for _, given in pairs(language):
        assert not re.search(rf"{wrong}|\"|'", given), given


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_glossary_is_kept(language: str) -> None:
    """One thing has one name everywhere."""
    glossary = {
        "directory": ("directorio", "diretório", "répertoire"),
        "practice area": ("áreas? de práctica", "áreas? de prática", "domaines? de pratique"),
        "[Ee]ndorse": ("[Rr]ecom", "[Rr]ecom", "[Rr]ecomm"),
        "verified member": ("miembros? verificado", "membros? verificado", "membres? vérifié"),
        "the program": ("equipo del programa", "equipe do programa", "équipe du programme"),
        "[Tt]opics?": ("[Tt]ema", "[Tt]ema", "[Ss]ujet"),
    }
    place = TRANSLATED.index(language)
    for english, given in pairs(language):
        without = re.sub(r"\{\w+\}", "", english)
        for word, words in glossary.items():
            if re.search(rf"\b{word}", without):
                assert re.search(words[place], given), (english, given)


@pytest.mark.parametrize("path", sorted(catalogue.BOT.rglob("*.html")), ids=lambda path: path.name)
def test_templates_hold_no_words_of_their_own(path: Path) -> None:
    """On the page too, every word goes through a translator; the names of keys do not."""
    written = path.read_text(encoding="utf-8")
    drawn = re.sub(r"(?s)\{%.*?%\}|\{\{.*?\}\}|<kbd>.*?</kbd>", "", written)
    described = re.findall(r"(?:aria-label|title|placeholder|alt)=\"([^\"]*)\"", drawn)
    texts = re.sub(r"(?s)<[^>]*>|[\w-]+=\"[^\"]*\"", " ", drawn).replace("WWC Hub", "")
    assert re.findall(r"[^\W\d_]{2,}", " ".join((texts, *described))) == []


def test_what_discord_shows_fits_without_being_cut() -> None:
    """Descriptions have a hundred letters there; a translation is written to fit."""

    def walk(things: Iterable[dict[str, Any]]) -> Iterable[str]:
        for thing in things:
            yield from thing.get("description_localizations", {}).values()
            yield from walk(thing.get("options", ()))

    said = list(walk(build_commands(load_commands())))
    assert len(said) > 50
    assert [text for text in said if text.endswith("…")] == []
