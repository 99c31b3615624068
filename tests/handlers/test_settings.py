"""The language one is spoken to in, and the zone one's times are shown in."""

import pytest

from bot.cards import Form, plain
from bot.hub import Hub
from bot.i18n import LANGUAGES, NAMES
from bot.request import Request
from tests.cast import sender
from tests.conftest import Typing
from tests.reading import commands_of, problems_of, values_of


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_language_counts_from_the_answer_on(
    typing: Typing, hub: Hub, language: str
) -> None:
    """By code or by name."""
    reply = await typing(f"settings language:{NAMES[language]}")

    assert NAMES[language] in plain(reply)
    assert await hub.language(sender("maya")) == language


@pytest.mark.parametrize(
    ("said", "zone"),
    [("America/Bogota", "America/Bogota"), ("bogota", "America/Bogota"),
     ('"sao paulo"', "America/Sao_Paulo"), ("europe/PARIS", "Europe/Paris")],
)  # fmt: skip
async def test_a_zone_is_found_by_its_city(typing: Typing, said: str, zone: str) -> None:
    """With the time it is there."""
    assert f"Time zone: {zone}" in plain(await typing(f"settings zone:{said}"))
    assert values_of(await typing("settings"))["zone"] == (zone,)


@pytest.mark.parametrize("said", ["Mars/Base", "EST5", "UTC+3", "../etc/passwd", "%", "Etc/GMT"])
async def test_a_zone_that_is_none_is_refused_and_the_settings_stay(
    typing: Typing, said: str
) -> None:
    """With the nearest ones where there are any."""
    reply = await typing(f"settings zone:{said}")

    assert f"«{said}»" in plain(reply)
    assert values_of(await typing("settings"))["zone"] == ("America/New_York",)
    if not isinstance(reply, Form):
        assert all(c.startswith("settings zone:") for c in commands_of(reply))


async def test_a_slip_in_one_field_shows_the_other_as_it_is(typing: Typing) -> None:
    """Nothing is emptied by submitting the form."""
    form = await typing("settings language:klingon")

    assert "language" in problems_of(form)
    assert values_of(form)["zone"] == ("America/New_York",)


async def test_zones_are_suggested_by_any_part_of_their_name(hub: Hub) -> None:
    """`mexico` is enough."""
    offered = await hub.suggest(Request(sender("maya")), "settings", "zone", "mexico_c")

    assert "America/Mexico_City" in [o.value for o in offered]
