"""What begins like a command, in four languages and as phones type it; what is a question."""

import itertools

import pytest

from bot.commands import load_commands
from bot.domain.spellings import OPTION_NAMES
from bot.domain.typography import fold_word
from bot.verbs import begins_like_command, find_command, find_question

COMMANDS = load_commands()


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_verb_is_spelled_in_four_languages(name: str) -> None:
    """Beside its declaration; as many words as the verb has, so that they can be mixed."""
    spelled = COMMANDS[name].spelled

    for language in ("es", "pt", "fr"):
        ways = getattr(spelled, language).split("|")
        assert all(ways), f"{name} has no spelling in {language}"
        for way in ways:
            assert len(way.split(" ")) == len(name.split(" ")), way
            assert all(fold_word(word) == word for word in way.split(" ")), "folded, as compared"
            assert find_command(COMMANDS, f"{way} x") == (COMMANDS[name], "x"), way


def test_no_spelling_means_two_verbs() -> None:
    """Over all languages: nobody says in which language they type."""
    ways = {name: set(itertools.product(*command.words)) for name, command in COMMANDS.items()}
    for one, other in itertools.combinations(ways, 2):
        assert not ways[one] & ways[other], f"{one} and {other}"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_is_spelled_in_four_languages(name: str) -> None:
    """In one table, by its English name; no spelling means two options of a command."""
    arguments = COMMANDS[name].arguments
    for argument in arguments:
        ways = OPTION_NAMES.get(argument.spelling, ())
        assert len(ways) == 3, f"{argument.spelling} has no spellings in bot/domain/spellings.py"
        for way in (way for text in ways for way in text.split("|")):
            assert fold_word(way) == way, "folded, as it is compared"
    for one, other in itertools.combinations(arguments, 2):
        assert not set(one.spellings) & set(other.spellings), (one.spelling, other.spelling)


def test_no_option_is_spelled_that_no_command_has() -> None:
    """The table holds what is needed and nothing else."""
    had = {a.spelling for command in COMMANDS.values() for a in command.arguments}

    assert set(OPTION_NAMES) <= had


@pytest.mark.parametrize(
    "text",
    [
        "Wwc block @maya", "/Wwc my-data show", "my–data show", "my\u2011data", "my\u00addata show",
        "`help`", "```help```", "ayuda", "AJUDA!", "Aide ?", "“who-does” open data", "«inicio»",
        "¡Ayuda!", "/help", "\\help", "wwc: home", "/wwc", "WWC", "/wwc-me my-data", "*leave*",
        "_report @maya_", "> block @maya", "- unblock @maya", "’settings’", "¿quién-es Maya?",
        "mis—datos", "meus‑dados", "MES-DONNÉES", "réglages langue:en", "@WWC Hub help",
        "presentar lista", "admin denuncias", "whodoes gis", "who‐does gis", "//wwc help",
        "who−is maya", "help: who-does", "\u200bhelp", "délier 3",
    ],
)  # fmt: skip
def test_what_begins_like_a_command(text: str) -> None:
    """It is the hub's, whatever else it may be."""
    assert begins_like_command(COMMANDS, text)


@pytest.mark.parametrize(
    "text",
    [
        "What's up with the wwc budget?", "I need your help", "Our city is growing", "hi there",
        "ok", "", "…", "city-wide data is ready", "¿Qué tal?", "Obrigado!", "Merci pour ton aide",
        "wwc's budget is up", "The report is done", "https://city.example/help", "🌳 help",
        "profiles are ready", "homework", "blocked", "porque sí", "parce que",
        "My data is in Excel",
        "who knows about open data?", "Gracias por la ayuda", "su perfil me gusta", "«so» I said",
    ],
)  # fmt: skip
def test_what_does_not_begin_like_a_command(text: str) -> None:
    """It may be meant for a person."""
    assert not begins_like_command(COMMANDS, text)


@pytest.mark.parametrize(
    ("text", "name", "about"),
    [
        ("who knows about open data?", "who-does", "open data?"),
        ("¿Quién sabe de presupuesto?", "who-does", "presupuesto?"),
        ("Quem trabalha com dados abertos", "who-does", "dados abertos"),
        ("qui s’occupe d’open data ?", "who-does", "open data ?"),
        ("Hello, can you tell me who works on the budget", "who-does", "budget"),
        ("help me find someone who knows GIS", "who-does", "GIS"),
        ("who can help with procurement", "who-does", "procurement"),
        ("¿Quién es Maya Chen?", "who-is", "Maya Chen?"),
        ("who’s Samir", "who-is", "Samir"),
        ("quem é a Inês", "who-is", "a Inês"),
        ("WWC Hub, who is in Boston", "city", "Boston"),
        ("où est Montréal", "city", "Montréal"),
        ("¿Qué puedes hacer?", "help", ""),
        ("what topics are there?", "topics", ""),
        ("who knows", "who-does", ""),
    ],
)
def test_what_the_hub_could_answer(text: str, name: str, about: str) -> None:
    """The question falls away; what it is about stays as it was typed."""
    assert find_question(COMMANDS, text) == (COMMANDS[name], about)


@pytest.mark.parametrize(
    "text",
    ["What's up with the wwc budget?", "How was your week?", "¿Cómo estás?", "Tudo bem?", "",
     "Ça va ?", "Did you see my file?", "When can we meet?", "whoever", "Thanks for the call"],
)  # fmt: skip
def test_what_the_hub_could_not_answer(text: str) -> None:
    """Small talk is between people."""
    assert find_question(COMMANDS, text) is None


def test_a_command_that_writes_has_no_phrases() -> None:
    """Nothing that writes is run because something sounds like it."""
    assert [c.name for c in COMMANDS.values() if c.writes and c.phrases.ways] == []
