"""Finds time zones as people name them: «EST», «hora de Bogotá», «UTC-5», «Austin»."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from rapidfuzz import fuzz, process

from bot.domain.vocabulary import Fold

ABBREVIATIONS: Mapping[str, str] = {
    **dict.fromkeys(("est", "edt", "et", "eastern"), "America/New_York"),
    **dict.fromkeys(("cst", "cdt", "ct", "central"), "America/Chicago"),
    **dict.fromkeys(("mst", "mdt", "mt", "mountain"), "America/Denver"),
    **dict.fromkeys(("pst", "pdt", "pt", "pacific"), "America/Los_Angeles"),
    **dict.fromkeys(("akst", "akdt", "alaska"), "America/Anchorage"),
    **dict.fromkeys(("hst", "hawaii"), "Pacific/Honolulu"),
    **dict.fromkeys(("ast", "adt", "atlantic"), "America/Halifax"),
    **dict.fromkeys(("nst", "ndt", "newfoundland"), "America/St_Johns"),
    **dict.fromkeys(("brt", "brst", "brasilia"), "America/Sao_Paulo"),
    **dict.fromkeys(("hne", "hae", "heure de l est"), "America/Toronto"),
    "amt": "America/Manaus", "art": "America/Argentina/Buenos_Aires", "cot": "America/Bogota",
    "pet": "America/Lima", "ect": "America/Guayaquil", "bot": "America/La_Paz",
    "vet": "America/Caracas", "clt": "America/Santiago", "clst": "America/Santiago",
    "uyt": "America/Montevideo", "pyt": "America/Asuncion",
    **dict.fromkeys(("utc", "gmt", "z", "zulu", "utc 0", "gmt 0", "utc+0", "gmt+0"), "UTC"),
    "bst": "Europe/London", "wet": "Europe/Lisbon", "cet": "Europe/Paris", "cest": "Europe/Paris",
    "jst": "Asia/Tokyo", "ist": "Asia/Kolkata", "aest": "Australia/Sydney",
}  # fmt: skip
"""Zones by abbreviation, as people in the Americas use it; the clock there is set twice a year."""
MIN_SIMILARITY = 60
_OFFSET = re.compile(r"(?:utc|gmt)?\s*([+\-−–])\s*(\d{1,2})(?::?([0-5]\d))?", re.IGNORECASE)
_AROUND = re.compile(
    r"(?:hora|horario|fuso|fuseau|heure|zona)(?: horari[ao]| horaire)? (?:del? |d[aoue] )?(.+)"
    r"|(.+) (?:time|standard time|daylight time)"
)


@cache
def list_zones() -> list[str]:
    """Return the time zones named by place, sorted, without the old abbreviations."""
    return sorted(z for z in available_timezones() if "/" in z and not z.startswith("Etc/"))


def find_zone(text: str, fold: Fold, home: str = "") -> str | None:
    """Return the zone of this name, of the city at its end, or of this abbreviation.

    An abbreviation that is in use at `home`, a zone, means that zone. None if it is unknown.
    """
    said = fold(text)
    if match := _AROUND.fullmatch(said):
        said = (match[1] or match[2]).strip()
    if home and said.upper() in _list_abbreviations(home):
        return home
    if said in ABBREVIATIONS:
        return ABBREVIATIONS[said]
    for zone in list_zones():
        if said in (fold(zone), fold(zone.rpartition("/")[2])):
            return zone
    return None


def parse_offset(text: str) -> timedelta | None:
    """Return the offset that «UTC-5», «GMT+5:30» or «-03:00» names; None if it is none."""
    match = _OFFSET.fullmatch(text.strip())
    if not match:
        return None
    offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    return offset if match[1] == "+" else -offset


def list_zones_at(offset: timedelta, zones: Iterable[str], now: datetime) -> list[str]:
    """Return those of the zones whose clocks are ahead of UTC by the offset at `now`, each once."""
    return [z for z in dict.fromkeys(zones) if now.astimezone(ZoneInfo(z)).utcoffset() == offset]


def find_near_zones(text: str, fold: Fold, limit: int = 3) -> list[str]:
    """Return the zones whose cities are spelled most like the text, best first."""
    cities = {zone: fold(zone.rpartition("/")[2]) for zone in list_zones()}
    found = process.extract(
        fold(text), cities, scorer=fuzz.ratio, score_cutoff=MIN_SIMILARITY, limit=limit * 3
    )
    once = {city: zone for city, _, zone in reversed(found)}
    return list(reversed(once.values()))[:limit]


def _list_abbreviations(zone: str) -> Sequence[str]:
    """Return what a zone's clocks are called in winter and in summer."""
    moments = (datetime(2026, month, 15, 12, tzinfo=UTC) for month in (1, 7))
    return [moment.astimezone(ZoneInfo(zone)).tzname() or "" for moment in moments]
