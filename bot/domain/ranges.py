"""Parses ranges of numbers as people write them: «100k-500k», «>1m», «250000+»."""

import re

_UNITS = {"": 1, "k": 1_000, "mil": 1_000, "m": 1_000_000, "mio": 1_000_000}
_NUMBER = r"(\d{1,15}(?:[.,]\d{1,15})?)\s*(k|mil|mio|m)?"
_BETWEEN = re.compile(rf"{_NUMBER}\s*(?:-|–|\.\.|to|a|à)\s*{_NUMBER}")
_LEAST = re.compile(rf"(?:>=?|≥)\s*{_NUMBER}|{_NUMBER}\s*\+")
_MOST = re.compile(rf"(?:<=?|≤)\s*{_NUMBER}")
_THOUSANDS = re.compile(r"(?<=\d)[.,\s\u202f](?=\d{3}(?!\d))")

Range = tuple[int | None, int | None]


def parse_range(text: str) -> Range | None:
    """Return (least, most), None for an open end; None if the text is no range or is reversed."""
    said = _THOUSANDS.sub("", text.casefold().strip())
    if match := _BETWEEN.fullmatch(said):
        least, most = _parse_number(match[1], match[2]), _parse_number(match[3], match[4])
        if not match[2] and match[4] and least < 1000:
            least = _parse_number(match[1], match[4])  # «100-500k» means 100k
        return (least, most) if least <= most else None
    if match := _LEAST.fullmatch(said):
        return _parse_number(match[1] or match[3], match[2] or match[4]), None
    if match := _MOST.fullmatch(said):
        return None, _parse_number(match[1], match[2])
    return None


def _parse_number(digits: str, unit: str | None) -> int:
    return round(float(digits.replace(",", ".")) * _UNITS[unit or ""])
