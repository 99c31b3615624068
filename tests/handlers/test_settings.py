"""The language one is spoken to in, and the zone one's times are shown in."""

import subprocess
import sys

import pytest

from bot.cards import Form, plain
from bot.hub import Hub
from bot.i18n import LANGUAGE_NAMES, LANGUAGES
from bot.request import Request
from tests.cast import sender
from tests.conftest import CommandTyper
from tests.reading import commands_of, problems_of, values_of


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_language_counts_from_the_answer_on(
    typing: CommandTyper, hub: Hub, language: str
) -> None:
    """By code or by name."""
    reply = await typing(f"settings language:{LANGUAGE_NAMES[language]}")

    assert LANGUAGE_NAMES[language] in plain(reply)
    assert await hub.language(sender("maya")) == language


@pytest.mark.parametrize(
    ("said", "zone"),
    [("America/Bogota", "America/Bogota"), ("bogota", "America/Bogota"),
     ('"sao paulo"', "America/Sao_Paulo"), ("europe/PARIS", "Europe/Paris")],
)  # fmt: skip
async def test_a_zone_is_found_by_its_city(typing: CommandTyper, said: str, zone: str) -> None:
    """With the time it is there."""
    assert f"Time zone: {zone}" in plain(await typing(f"settings zone:{said}"))
    assert values_of(await typing("settings edit"))["zone"] == (zone,)


@pytest.mark.parametrize("said", ["Mars/Base", "EST5", "UTC+3", "../etc/passwd", "%", "Etc/GMT"])
async def test_a_zone_that_is_none_is_refused_and_the_settings_stay(
    typing: CommandTyper, said: str
) -> None:
    """With the nearest ones where there are any."""
    reply = await typing(f"settings zone:{said}")

    assert f"«{said}»" in plain(reply)
    assert values_of(await typing("settings edit"))["zone"] == ("America/New_York",)
    if not isinstance(reply, Form):
        assert all(c.startswith("settings zone:") for c in commands_of(reply))


async def test_a_slip_in_one_field_shows_the_other_as_it_is(typing: CommandTyper) -> None:
    """Nothing is emptied by submitting the form."""
    form = await typing("settings language:klingon")

    assert "language" in problems_of(form)
    assert values_of(form)["zone"] == ("America/New_York",)


async def test_zones_are_suggested_by_any_part_of_their_name(hub: Hub) -> None:
    """`mexico` is enough."""
    offered = await hub.suggest(Request(sender("maya")), "settings", "zone", "mexico_c")

    assert "America/Mexico_City" in [o.value for o in offered]


async def test_quiet_hours_and_the_ceiling_are_the_members_own(typing: CommandTyper) -> None:
    """They may cross midnight; equal ends mean never."""
    said = plain(await typing("settings quiet:22-6:30 weekly:3"))
    assert "Quiet hours: 22:00–06:30" in said
    assert "Most messages per week: 3" in said
    assert "Quiet hours: none" in plain(await typing("settings quiet:0-0"))


async def test_no_quiet_hours_are_said_in_a_word_of_four_languages(typing: CommandTyper) -> None:
    """As it comes to mind: with accents or without, in capitals, with a full stop."""
    for said in (
        "off", "None", "no", "never.", "Nunca", "ninguno", "apagado", "não", "nenhum",
        "DESLIGADO", "non", "aucune", "Jamais", "désactivé",
    ):  # fmt: skip
        assert "Quiet hours: 22:00–06:30" in plain(await typing("settings quiet:22-6:30"))
        assert "Quiet hours: none" in plain(await typing(f"settings quiet:{said}")), said
    form = await typing("settings edit")
    assert isinstance(form, Form)
    assert next(i.value for i in form.inputs if i.name == "quiet") == ("off",)


@pytest.mark.parametrize("said", ["late", "25-3", "7:99-8", "9", "nobody"])
async def test_quiet_hours_that_are_none_are_quoted(typing: CommandTyper, said: str) -> None:
    """With an example."""
    reply = plain(await typing(f"settings quiet:{said}"))
    assert f"«{said}»" in reply
    assert "19:00-08:00" in reply


async def test_each_kind_of_message_has_a_switch(typing: CommandTyper) -> None:
    """Off and on again, each time with the whole list before one's eyes."""
    shown = await typing("settings")
    switches = [c for c in commands_of(shown) if "stop:" in c]
    assert len(switches) == 4
    for stop in switches:
        kind = stop.partition(":")[2]
        after = await typing(stop)
        assert "won't get these messages" in plain(after)
        assert f"settings start:{kind}" in commands_of(after)
        assert f"settings start:{kind}" in commands_of(await typing(stop)), "twice is once"
        assert stop in commands_of(await typing(f"settings start:{kind}"))


async def test_a_kind_that_nobody_may_stop_is_none(typing: CommandTyper) -> None:
    """Answers to what one did always come."""
    assert isinstance(await typing("settings stop:answer"), Form)


def test_a_new_kind_has_its_switch_without_a_line_in_the_settings() -> None:
    """A process of its own, in which a kind is declared before the settings are read."""
    program = """
from bot import deliveries
deliveries.KINDS["digest"] = deliveries.Kind("A made-up kind")
deliveries.KINDS["made-news"] = deliveries.Kind("In channels", in_channels=True)
from bot.commands import load_commands
arguments = {a.name: a for a in load_commands()["settings"].arguments}
for name in ("stop", "start"):
    print(arguments[name].kind, *[f"{o.value}={o.label}" for o in arguments[name].options], sep=";")
"""
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    kinds = ("introduction=Introduction requests;round=Pairing rounds;welcome=Tips for your first "
             "week;profile=Reminders about your profile;digest=A made-up kind")  # fmt: skip
    assert said.stdout.splitlines() == [f"choice;{kinds}"] * 2


@pytest.mark.parametrize(
    ("said", "zone"),
    [
        ("UTC", "UTC"), ("EST", "America/New_York"), ("PST", "America/Los_Angeles"),
        ("CST", "America/Chicago"), ("BRT", "America/Sao_Paulo"), ("austin", "America/Chicago"),
        ("Boston", "America/New_York"), ("hora de Bogotá", "America/Bogota"),
    ],
)  # fmt: skip
async def test_a_zone_has_the_names_people_use(typing: CommandTyper, said: str, zone: str) -> None:
    """Abbreviations and cities."""
    assert zone in plain(await typing(f'settings zone:"{said}"'))


async def test_a_zone_that_could_be_several_is_asked_about(typing: CommandTyper) -> None:
    """At most three, as buttons."""
    for said in ("UTC-5", "texas", "colorado", "bogotta"):
        assert len(commands_of(await typing(f"settings zone:{said}"))) > 0
    reply = await typing("settings zone:UTC-5")
    assert "«UTC-5» fits more than one time zone" in plain(reply)
    assert 2 <= len(commands_of(reply)) <= 3


async def test_languages_have_names_in_each_language(typing: CommandTyper) -> None:
    """An unknown one is quoted, and the four are named."""
    for said in ("francés", "French", "fr", "francês"):
        assert "Français" in plain(await typing(f"settings language:{said}"))
    await typing("settings language:inglés")
    said = problems_of(await typing("settings language:klingon"))["language"]
    assert "«klingon»" in said
    assert "Español" in said
    form = await typing("settings klingon")
    assert isinstance(form, Form)
    assert "Edit" not in form.intro
    assert "«klingon»" in form.intro
