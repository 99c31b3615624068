"""Four languages: English sentences are the keys, `locales/*.po` the translations."""

from functools import cache
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

LANGUAGES = ("en", "es", "pt", "fr")
NAMES = {"en": "English", "es": "Español", "pt": "Português", "fr": "Français"}
LOCALES = {"en": "en_US", "es": "es_419", "pt": "pt_BR", "fr": "fr_CA"}

_FOLDER = Path(__file__).parent / "locales"


def language_of(locale: str) -> str:
    """Fold a platform's locale (`es-419`, `pt_BR`, `fr-CA`) to one of the four; else English."""
    short = locale.replace("_", "-").split("-")[0].lower()
    return short if short in LANGUAGES else "en"


@cache
def catalogue(language: str) -> Catalog:
    """The translations as the file has them."""
    with (_FOLDER / f"{language}.po").open("rb") as file:
        return read_po(file, locale=LOCALES[language])


@cache
def _said(language: str) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Sentences, and sentences with a number by their first form; untranslated ones left out."""
    once: dict[str, str] = {}
    counted: dict[str, tuple[str, ...]] = {}
    for message in catalogue(language) if language != "en" else ():
        forms = message.string or ""
        if isinstance(message.id, str):
            once[message.id] = str(forms)
        elif all(forms):
            counted[message.id[0]] = tuple(forms)
    return once, counted


def _form(language: str, number: int) -> int:
    """French and Brazilian Portuguese count zero as one; Spanish and English do not."""
    return int(abs(number) > 1) if language in ("fr", "pt") else int(abs(number) != 1)


class Translator:
    """Says English sentences in one language: `t("Hello {name}", name=…)`."""

    __slots__ = ("language", "locale")

    def __init__(self, language: str) -> None:
        self.language = language
        self.locale = Locale.parse(LOCALES[language])

    def __call__(self, sentence: str, /, **values: object) -> str:
        """Translate, then fill in. Values are data: they are never read as a template."""
        said = _said(self.language)[0].get(sentence) or sentence
        return said.format(**values) if values else said

    def many(self, one: str, other: str, number: int, /, **values: object) -> str:
        """Translate with a number; both sentences may use `{number}`, written as readers do."""
        forms = _said(self.language)[1].get(one) or (one, other)
        said = forms[_form(self.language, number)]
        return said.format(number=self.number(number), **values)

    def number(self, number: int, *, signed: bool = False) -> str:
        """«1,234», «1.234» or «1 234», as readers of the language write it."""
        if not signed and 0 <= number < 1000:
            return str(number)  # the same in all four
        pattern = "+#,##0;-#,##0" if signed else None
        return format_decimal(number, format=pattern, locale=self.locale)


@cache
def translator(language: str) -> Translator:
    """The one translator of a language."""
    return Translator(language)
