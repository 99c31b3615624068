"""The hub: command handlers, platform adapters, scheduled jobs and the domain logic they share.

Importing it makes the time zones of the tzdata package the only ones, for every way into the
program. Python would read the machine's own files first, which may be years behind.
"""

import zoneinfo
from pathlib import Path

import tzdata

SYSTEM_ZONE_FOLDERS = zoneinfo.TZPATH
"""Where Python would have looked; `wwc doctor` tells how old the files there are."""

zoneinfo.reset_tzpath(to=[str(Path(tzdata.__file__).parent / "zoneinfo")])
zoneinfo.ZoneInfo.clear_cache()
