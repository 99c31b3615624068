"""Every local time follows the rules of the locked tzdata, however old this machine's files are."""

import asyncio
import os
import re
import sys
import zoneinfo
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import tzdata

import bot
from bot.i18n import translator
from bot.operator import doctor
from bot.settings import Settings
from tests.stories.program import ROOT
from tests.test_serving import spoken

WHEEL = Path(tzdata.__file__).parent / "zoneinfo"
EDMONTON, WINTER = "America/Edmonton", datetime(2026, 12, 15, 18, tzinfo=UTC)
CHILD = f"""
import bot
from datetime import datetime
from zoneinfo import ZoneInfo
from apscheduler.triggers.cron import CronTrigger
from babel.dates import get_timezone
from icalendar import Calendar, Event
winter = datetime.fromisoformat("{WINTER.isoformat()}")
local = winter.astimezone(ZoneInfo("{EDMONTON}"))
file, event = Calendar(), Event()
event.add("dtstart", local)
file.add_component(event)
file.add_missing_timezones()
print(local.utcoffset())
print(winter.astimezone(get_timezone("{EDMONTON}")).utcoffset())
print(winter.astimezone(CronTrigger(timezone="{EDMONTON}").timezone).utcoffset())
print(local.replace(tzinfo=file.timezones[0].to_tz()).utcoffset())
"""
IN_SQL = re.compile(
    r"at time zone|func\.(timezone|now|date|date_trunc|date_part|to_char|strftime|localtime\w*)\b"
    r"|\bextract\((?!epoch)[a-z]+ from|date_trunc\(|to_char\(|::date\b|'localtime'",
    re.IGNORECASE,
)
"""What reckons with the zones of a database server, or with the zone of its session."""
IN_PYTHON = re.compile(
    r"\.astimezone\(\)|dateutil\.tz|\btzlocal\b|\bpytz\b|LOCALTZ|\btime\.(localtime|mktime|tzset)\b"
)
"""What reads the machine's own zone, or other files of zones."""


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A tree of zone files in which Edmonton is where it never was: at a quarter to."""
    file = tmp_path / "zones" / EDMONTON
    file.parent.mkdir(parents=True)
    file.write_bytes((WHEEL / "Asia/Kathmandu").read_bytes())
    head = "# version 2012e\n# This zic input file is in the public domain.\n"
    (tmp_path / "zones" / "tzdata.zi").write_text(head)
    return tmp_path / "zones"


async def test_the_program_reads_no_zone_of_the_machine(older: Path, tmp_path: Path) -> None:
    """As its operator starts it, in a folder of its own."""
    given = {"PYTHONTZPATH": str(older)}

    def clock() -> str:
        return translator("en").time(datetime.now(UTC).astimezone(ZoneInfo(EDMONTON)))

    before = clock()
    code, lines = await spoken(tmp_path, given, "say", "city edmonton")
    told = next(line for line in lines if line.startswith("Local time: "))
    assert code == 0
    assert told.removeprefix("Local time: ") in (before, clock())
    _, lines = await spoken(tmp_path, given, "doctor")
    said = next(line for line in lines if "Time zones" in line)
    assert f"with the rules of {tzdata.IANA_VERSION}" in said
    assert "this machine's own (2012e) are not used" in said


async def test_libraries_take_the_same_zones(older: Path) -> None:
    """What writes dates, what runs jobs, and the rules inside calendar files."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, stdout=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONTZPATH": str(older)},
    )  # fmt: skip
    told = (await child.communicate())[0].decode().splitlines()
    right = WINTER.astimezone(ZoneInfo(EDMONTON)).utcoffset()
    assert told == [str(right)] * 4


def test_these_tests_take_them_too() -> None:
    """One folder and no other; the rules are at least as new as those of Alberta's last change."""
    assert list(zoneinfo.TZPATH) == [str(WHEEL)]
    assert str(WINTER.astimezone(ZoneInfo(EDMONTON)).utcoffset()) == "-1 day, 18:00:00"
    assert len(zoneinfo.available_timezones()) > 500


def test_nothing_reckons_with_zones_elsewhere() -> None:
    """A server has files of its own, as old as they may be; so has a machine."""
    root = Path(bot.__file__).parent.parent
    for file in sorted([*(root / "bot").rglob("*.py"), *(root / "db").rglob("*.py")]):
        text = file.read_text(encoding="utf-8")
        for wrong in (IN_SQL, IN_PYTHON):
            found = wrong.search(text)
            assert found is None, f"{file.relative_to(root)}: {found[0] if found else ''}"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("+VERSION", "2019c\n", "this machine's own (2019c) are not used"),
        ("zone.tab", "", "this machine's own (of unknown age) are not used"),
        ("", "", "this machine has none of its own"),
    ],
)
async def test_the_doctor_tells_how_old_the_other_files_are(
    name: str, text: str, said: str, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written in one of two ways, or not at all; containers often have none."""
    folder = tmp_path / "theirs"
    if name:
        folder.mkdir()
        (folder / name).write_text(text)
    monkeypatch.setattr(doctor, "SYSTEM_ZONE_FOLDERS", ("/nowhere/zones", str(folder)))
    found = await doctor.examine(Settings(database_url=database))
    assert said in next(one.status for one in found if one.name == "Time zones")
