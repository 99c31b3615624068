"""Translates into four languages: English sentences are the keys of `locales/*.po`."""

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton, format_time, format_timedelta
from babel.lists import format_list
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

LANGUAGES = ("en", "es", "pt", "fr")
LANGUAGE_NAMES = {"en": "English", "es": "Español", "pt": "Português", "fr": "Français"}
LOCALES = {"en": "en_US", "es": "es_419", "pt": "pt_BR", "fr": "fr_CA"}

JUST_NOW_LIMIT = timedelta(minutes=1)
DayLength = Literal["weekday", "short", "medium", "full", "long"]
Length = Literal["short", "medium", "long", "full"]

_DAY_SKELETONS = {"weekday": "E", "short": "MMMd", "medium": "MMMEd"}
_FULL_DAYS = {
    "en": "EEEE, MMMM d",
    "es": "EEEE d 'de' MMMM",
    "pt": "EEEE, d 'de' MMMM",
    "fr": "EEEE d MMMM",
}
_FIRST_DAY = re.compile(r"(?<![\w:])1(?= [^\W\d])")
"""The day number 1 before the name of a month, which French writes «1er»."""
_FOLDER = Path(__file__).parent / "locales"


def language_of(locale: str) -> str:
    """Return the language of a locale (`es-419`, `pt_BR`, `fr-CA`); English if it is another."""
    short = locale.replace("_", "-").split("-")[0].lower()
    return short if short in LANGUAGES else "en"


@cache
def territory_names() -> dict[str, tuple[str, ...]]:
    """Return every country's names in the four languages, the English one first, by its code."""
    named = [Locale.parse(LOCALES[language]).territories for language in LANGUAGES]
    codes = sorted(code for code in map(str, named[0]) if len(code) == 2 and code.isalpha())
    return {code: tuple(str(names[code]) for names in named if code in names) for code in codes}


@cache
def language_names() -> dict[str, tuple[str, ...]]:
    """Return the names of the four languages in each of them, by code: «Spanish», «espagnol»."""
    named = [Locale.parse(LOCALES[language]).languages for language in LANGUAGES]
    return {code: tuple(str(names[code]) for names in named) for code in LANGUAGES}


@cache
def catalogue(language: str) -> Catalog:
    """Return the translations of a language, as its .po file has them."""
    with (_FOLDER / f"{language}.po").open("rb") as file:
        return read_po(file, locale=LOCALES[language])


@cache
def _load_messages(language: str) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Return the translations of sentences, and the forms of sentences with a number.

    The latter are keyed by their first form and left out unless all forms are translated.
    """
    once: dict[str, str] = {}
    counted: dict[str, tuple[str, ...]] = {}
    for message in catalogue(language) if language != "en" else ():
        forms = message.string or ""
        if isinstance(message.id, str):
            once[message.id] = str(forms)
        elif all(forms):
            counted[message.id[0]] = tuple(forms)
    return once, counted


def _plural_index(language: str, number: int) -> int:
    """Return 0 for the singular form of a number, 1 for the plural.

    French and Brazilian Portuguese count zero as one; Spanish and English do not.
    """
    return int(abs(number) > 1) if language in ("fr", "pt") else int(abs(number) != 1)


class Translator:
    """Translates English sentences into one language: `t("Hello {name}", name=…)`."""

    __slots__ = ("language", "locale")

    def __init__(self, language: str) -> None:
        self.language = language
        self.locale = Locale.parse(LOCALES[language])

    def __call__(self, sentence: str, /, **values: object) -> str:
        """Translate a sentence, then fill in the values, which are never read as a template."""
        said = _load_messages(self.language)[0].get(sentence) or sentence
        return said.format(**values) if values else said

    def many(self, one: str, other: str, number: int, /, **values: object) -> str:
        """Translate a sentence with a number; both forms may use `{number}`, formatted."""
        forms = _load_messages(self.language)[1].get(one) or (one, other)
        said = forms[_plural_index(self.language, number)]
        return said.format(number=self.number(number), **values)

    def number(self, number: float, *, signed: bool = False, decimals: int = 0) -> str:
        """Format a number as readers of the language write it: «1,234», «1.234» or «1 234».

        A number that is not whole is rounded to at most `decimals` places.
        """
        if not signed and isinstance(number, int) and 0 <= number < 1000:
            return str(number)  # looks the same in all four languages
        pattern = "#,##0" + ("." + "#" * decimals if decimals else "")
        pattern = f"+{pattern};-{pattern}" if signed else pattern
        return format_decimal(number, format=pattern, locale=self.locale)

    def listed(self, names: Sequence[str]) -> str:
        """Format names as a list, «a, b and c»; empty for no names."""
        return format_list(list(names), locale=self.locale) if names else ""

    def day(self, local: date, length: DayLength = "short") -> str:
        """Format a day; a `datetime` must already be on the reader's clock.

        `weekday` is «Tue», `short` «Dec 1», `medium` «Tue, Dec 1», `full` «Tuesday, December 1»,
        `long` «December 1, 2026».
        """
        if length == "long":
            return self._with_ordinal(format_date(local, "long", locale=self.locale))
        if length == "full":
            pattern = _FULL_DAYS[self.language]
            return self._with_ordinal(format_date(local, pattern, locale=self.locale))
        return self._with_ordinal(
            format_skeleton(_DAY_SKELETONS[length], local, locale=self.locale)
        )

    def _with_ordinal(self, day: str) -> str:
        """Write the first of a month as French does: «1er décembre»."""
        return _FIRST_DAY.sub("1er", day) if self.language == "fr" else day

    def time(self, local: datetime) -> str:
        """Format the time of day of a moment that is already on the reader's clock: «10:00 AM»."""
        return format_time(local, "short", locale=self.locale)

    def day_and_time(self, moment: datetime, zone: str) -> str:
        """Format a moment on the clock of a zone: «Tuesday, December 1, 10:00 AM»."""
        local = moment.astimezone(ZoneInfo(zone))
        return f"{self.day(local, 'full')}, {self.time(local)}"

    def timestamp(self, local: datetime, length: Length) -> str:
        """Format a moment with its year in one of Babel's lengths, as chat apps do."""
        return self._with_ordinal(format_datetime(local, length, locale=self.locale))

    def ago(self, then: datetime, now: datetime) -> str:
        """Format the time since `then`: «3 months ago», or «just now» for less than a minute."""
        t = self  # the catalogue's tool finds sentences by `t("…")`
        return t("just now") if now - then < JUST_NOW_LIMIT else t.relative(then - now)

    def relative(self, distance: timedelta) -> str:
        """Format a distance in time: «in 2 minutes», or «30 seconds ago» if it is negative."""
        return format_timedelta(distance, add_direction=True, locale=self.locale)


@cache
def translator(language: str) -> Translator:
    """Return the translator of a language; each is created once."""
    return Translator(language)
