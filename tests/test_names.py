"""Names of people and places as others write them: who-is, who-does, city and join find them."""

import pytest

from bot.cards import plain
from tests.conftest import CommandTyper
from tests.handlers.test_directory import Joining
from tests.reading import titles_of

pytestmark = pytest.mark.both

PEOPLE = (
    ("Siobhán O’Neill", "O'Neill", "O’Neill", "siobhan oneill", "O`Neill", "O´Neill"),
    ("Kathleen O'Brien", "O’Brien", "OʼBrien", "O‘Brien"),
    ("Łukasz Wałęsa", "Lukasz", "łukasz", "WALESA", "Wałęsa"),
    ("Lukasz Nowak", "Łukasz Nowak",),
    ("Søren Sørensen", "Sorensen", "sørensen", "SØRENSEN"),
    ("Ida Sorensson", "Sørensson"),
    ("Đặng Thị Hoa", "Dang", "dang thi", "ĐẶNG"),
    ("Ayşe Işık", "Isik", "ışık", "IŞIK", "ayse isik"),
    ("İpek Yılmaz", "ipek yilmaz", "İPEK", "Ipek"),
    ("Mary–Jane Watts", "Mary-Jane", "mary jane", "Mary‑Jane", "Mary—Jane", "Mary−Jane"),
    ("Jean‑Luc Tremblay", "Jean-Luc", "Jean–Luc", "jean luc tremblay"),
    ("Guðrún Þórsdóttir", "Gudrun", "Thorsdottir"),
    ("François Strauß", "Strauss", "FRANCOIS", "Franc\u0327ois"),
    ("J.R. Núñez", "JR Nunez", "J.R. Núñez", "j. nunez"),
    ("Zoë Œhler", "Zoe Oehler"),
)  # fmt: skip
CITIES = (
    ("Bogotá, Colombia", "Bogota", "BOGOTÁ", "Bogotá, D.C.", "bogota dc"),
    ("São Paulo, Brazil", "Sao Paulo", "São–Paulo", "sa\u0303o paulo"),
    ("Saint Paul, MN", "St. Paul", "St Paul", "saint-paul"),
    ("Washington, DC", "Washington, D.C.", "washington dc", "D.C."),
    ("Athens-Clarke County, GA", "Athens–Clarke County", "Athens‑Clarke County"),
    ("Luján de Cuyo, Argentina", "Lujan de Cuyo"),
    ("Montréal, QC", "montreal", "Montréal, Canada"),
)
JOINED = {"Bogotá, Colombia", "Athens-Clarke County, GA", "Washington, DC"}


async def test_people_are_found_however_their_names_are_typed(
    typing: CommandTyper, joining: Joining
) -> None:
    """By name, and in the search of profiles; whichever of the two was written plainly."""
    for number, (name, *_) in enumerate(PEOPLE):
        await joining(key=f"n{number}", name=name, city="denver-co-us")
    for name, *typed in PEOPLE:
        for text in typed:
            reply = await typing(f"who-is {text}")
            assert plain(reply).startswith((f"{name}\n", "People called")), text
            assert name in plain(reply), text
        reply = await typing(f"who-does {typed[0]} {name.split()[-1]}")
        assert name in titles_of(reply), typed[0]


async def test_cities_are_found_however_their_names_are_typed(typing: CommandTyper) -> None:
    """To look at, and to join."""
    for name, *typed in CITIES:
        for text in typed:
            assert plain(await typing(f"city {text}")).startswith(f"{name}\n"), text
            if name in JOINED:
                said = plain(await typing(f"join {text}", as_="rob"))
                assert name.partition(",")[0] in said.replace(text, ""), (text, said)
