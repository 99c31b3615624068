"""Parses a list of people row by row, before anything is written: rows in, people, faults out."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from functools import cache
from typing import Any, NamedTuple, Protocol
from zoneinfo import available_timezones

COLUMNS = (
    "name",
    "email",
    "city",
    "title",
    "knows",
    "learns",
    "languages",
    "zone",
    "account",
    "listed",
)
REQUIRED_COLUMNS = ("name", "email")
IGNORED_COLUMNS = ("role", "roles", "admin", "staff")
"""Columns that are ignored: a file never grants permissions."""

LANGUAGES = ("en", "es", "pt", "fr")
MAX_NAME_LENGTH, MAX_TITLE_LENGTH, MAX_EMAIL_LENGTH, MAX_TOPICS = 80, 120, 254, 20

_ANSWERS = {
    **dict.fromkeys(("yes", "y", "true", "1", "x", "sí", "si", "sim", "oui"), True),
    **dict.fromkeys(("no", "n", "false", "0", "não", "nao", "non"), False),
}
_EMAIL = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*"
)
_FORMULA = re.compile(r"[=+\-@\t\r＝＋－＠]")
_ESCAPED_FORMULA = re.compile(r"'+[=+\-@\t\r＝＋－＠]")
_DIRECTION_MARKS = frozenset(
    "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c"
)
"""Characters that change the direction of writing, so that a text shows as another one."""


class Fault(NamedTuple):
    """The reason why a row is refused; row 1 is the header."""

    row: int
    column: str
    reason: str

    def __str__(self) -> str:
        where = f"row {self.row}, {self.column}" if self.column else f"row {self.row}"
        return f"{where}: {self.reason}"


class Account(NamedTuple):
    """An account on a platform, written «platform:workspace:user» with the platform's ids."""

    platform: str
    workspace: str
    user: str

    def __str__(self) -> str:
        return ":".join(self)


class NameResolver(Protocol):
    """Finds cities and topics of the community by name, compared as the database compares."""

    def find_cities(self, text: str) -> Sequence[int]:
        """Return the ids of the cities with exactly this name; several if they share it."""

    def find_near_city(self, text: str) -> str:
        """Return the name of the city most like the text; empty if none is like it."""

    def find_topic(self, text: str) -> int | None:
        """Return the id of the topic with exactly this name; None if there is none."""

    def find_near_topic(self, text: str) -> str:
        """Return the name of the topic most like the text; empty if none is like it."""


@dataclass(frozen=True, slots=True)
class Person:
    """A row's values for one person; None if the file has no such column. `city` 0 is no city."""

    row: int
    name: str
    email: str
    city: int | None = None
    title: str | None = None
    knows: frozenset[int] | None = None
    learns: frozenset[int] | None = None
    languages: tuple[str, ...] | None = None
    zone: str | None = None
    accounts: frozenset[Account] | None = None
    listed: bool | None = None

    def list_changes(self, now: "Person") -> tuple[str, ...]:
        """List the columns in which the row would change the person; accounts are only ever added.

        `now` is the person as stored.
        """
        changed = [
            field.name
            for field in fields(self)
            if field.name not in ("row", "accounts")
            and getattr(self, field.name) is not None
            and getattr(self, field.name) != getattr(now, field.name)
        ]
        if (self.accounts or frozenset()) - (now.accounts or frozenset()):
            changed.append("account")
        return tuple(changed)


def parse_header(cells: Sequence[str]) -> tuple[list[str], list[Fault], list[str]]:
    """Return the column names of a header, its faults, and a note for each ignored column."""
    names = [" ".join(cell.split()).casefold() for cell in cells]
    while names and not names[-1]:
        names.pop()
    twice = {n: "is there twice" for n in names if n and names.count(n) > 1}
    missing = {n: "is missing" for n in REQUIRED_COLUMNS if n not in names}
    unknown = {
        n: _describe_unknown_column(n) for n in names if n not in (*COLUMNS, *IGNORED_COLUMNS)
    }
    faults = [
        Fault(1, f"column «{name or 'without a name'}»", said)
        for name, said in (missing | unknown | twice).items()
    ]
    notes = [
        f"Column «{name}» is ignored: a file never says what somebody may do."
        for name in names
        if name in IGNORED_COLUMNS
    ]
    return names, faults, notes


def _describe_unknown_column(name: str) -> str:
    near = get_close_matches(name, COLUMNS, 1)
    meant = f"; did you mean «{near[0]}»?" if near else f"; the columns are {', '.join(COLUMNS)}"
    return f"is not known{meant}"


def parse_people(
    rows: Iterable[tuple[int, Mapping[str, str]]], names: NameResolver, platforms: Sequence[str]
) -> tuple[list[Person], list[Fault]]:
    """Parse rows (number, cells by column) and return their people and the faults found.

    Each row yields a person, also one with faults. `platforms`: where accounts may be.
    """
    people: list[Person] = []
    faults: list[Fault] = []
    seen: dict[object, int] = {}
    for number, cells in rows:
        row = _RowReader(number, cells, names, platforms)
        person = row.parse_person()
        faults += row.faults or _find_duplicates(person, seen)
        people.append(person)
    return people, faults


def _find_duplicates(person: Person, seen: dict[object, int]) -> list[Fault]:
    """Return a fault for each e-mail or account that an earlier row has; add new ones to `seen`."""
    keys: list[tuple[str, object]] = [("email", person.email)] if person.email else []
    keys += [("account", account) for account in sorted(person.accounts or ())]
    faults = [
        Fault(person.row, column, f"«{key}» stands in row {seen[key]} already")
        for column, key in keys
        if key in seen
    ]
    for _, key in keys:
        seen.setdefault(key, person.row)
    return faults


class _RowReader:
    """Parses one row, and collects what is wrong with it in `faults`."""

    def __init__(
        self, number: int, cells: Mapping[str, str], known: NameResolver, platforms: Sequence[str]
    ) -> None:
        self.number = number
        self.faults: list[Fault] = []
        self._cells = {name: unescape_cell(cell) for name, cell in cells.items() if name in COLUMNS}
        self._names = known
        self._platforms = platforms

    def parse_person(self) -> Person:
        """Parse every cell, also after a fault, so that all faults are reported at once."""
        for column, text in self._cells.items():
            if any(unicodedata.category(c) == "Cc" or c in _DIRECTION_MARKS for c in text):
                self._add_fault(column, "holds control characters")
        email, accounts = self._parse_email(), self._parse_cell("account", self._parse_accounts)
        if not email and not accounts:
            self._add_fault("email", "is empty, and there is no account to know the person by")
        return Person(
            row=self.number,
            name=self._parse_name(),
            email=email,
            city=self._parse_cell("city", self._parse_city),
            title=self._parse_cell("title", self._parse_title),
            knows=self._parse_cell("knows", self._topics_parser("knows")),
            learns=self._parse_cell("learns", self._topics_parser("learns")),
            languages=self._parse_cell("languages", self._parse_languages) or None,
            zone=self._parse_cell("zone", self._parse_zone) or None,
            accounts=accounts,
            listed=self._parse_cell("listed", self._parse_listed),
        )

    def _add_fault(self, column: str, reason: str) -> None:
        self.faults.append(Fault(self.number, column, reason))

    def _parse_cell(self, column: str, read: Callable[[str], Any]) -> Any:
        """Return `read` of a cell; None if the file has no such column."""
        return read(self._cells[column]) if column in self._cells else None

    def _parse_name(self) -> str:
        name = self._cells.get("name", "")
        if not name:
            self._add_fault("name", "is empty")
        elif len(name) > MAX_NAME_LENGTH:
            self._add_fault("name", f"is longer than {MAX_NAME_LENGTH} characters")
        return name

    def _parse_email(self) -> str:
        email = self._cells.get("email", "").casefold()
        if email and (len(email) > MAX_EMAIL_LENGTH or not _EMAIL.fullmatch(email)):
            self._add_fault("email", f"«{shorten_cell(email)}» is not an address like ana@city.gov")
        return email

    def _parse_title(self, text: str) -> str:
        if len(text) > MAX_TITLE_LENGTH:
            self._add_fault("title", f"is longer than {MAX_TITLE_LENGTH} characters")
        return text

    def _parse_city(self, text: str) -> int:
        if not text:
            return 0
        found = self._names.find_cities(text)
        if len(found) == 1:
            return found[0]
        if found:
            self._add_fault("city", f"«{shorten_cell(text)}» is the name of several: add the state")
        else:
            meant = _suggestion_text(self._names.find_near_city(text))
            self._add_fault("city", f"«{shorten_cell(text)}» is not a city of the community{meant}")
        return 0

    def _topics_parser(self, column: str) -> Callable[[str], frozenset[int]]:
        def read(text: str) -> frozenset[int]:
            found = {topic: self._names.find_topic(topic) for topic in split_cell(text)}
            if len(found) > MAX_TOPICS:
                self._add_fault(column, f"holds more than {MAX_TOPICS} topics")
            for topic in (name for name, key in found.items() if key is None):
                meant = _suggestion_text(self._names.find_near_topic(topic))
                self._add_fault(column, f"«{shorten_cell(topic)}» is not one of our topics{meant}")
            return frozenset(key for key in found.values() if key is not None)

        return read

    def _parse_languages(self, text: str) -> tuple[str, ...]:
        spoken = [code.casefold() for code in split_cell(text)]
        for code in spoken:
            if code not in LANGUAGES:
                self._add_fault(
                    "languages", f"«{shorten_cell(code)}» is none of {', '.join(LANGUAGES)}"
                )
        return tuple(dict.fromkeys(spoken))

    def _parse_zone(self, text: str) -> str:
        if text and text not in _list_zones():
            near = get_close_matches(text, _list_zones(), 1)
            meant = _suggestion_text(near[0] if near else "America/Bogota")
            self._add_fault("zone", f"«{shorten_cell(text)}» is not a time zone{meant}")
        return text

    def _parse_accounts(self, text: str) -> frozenset[Account]:
        return frozenset(a for a in map(self._parse_account, split_cell(text)) if a)

    def _parse_account(self, text: str) -> Account | None:
        platform, _, rest = text.partition(":")
        workspace, _, user = rest.partition(":")
        if platform.casefold() in self._platforms and workspace and user and " " not in rest:
            return Account(platform.casefold(), workspace, user)
        self._add_fault(
            "account", f"«{shorten_cell(text)}» is not {_account_format(self._platforms)}"
        )
        return None

    def _parse_listed(self, text: str) -> bool | None:
        if text and text.casefold() not in _ANSWERS:
            self._add_fault("listed", f"«{shorten_cell(text)}» is neither yes nor no")
        return _ANSWERS.get(text.casefold())


def _account_format(platforms: Sequence[str]) -> str:
    return f"{' or '.join(platforms)}:workspace:user, with their ids"


@cache
def _list_zones() -> Sequence[str]:
    """List the zones of places, sorted, and UTC.

    Others mislead: `EST5EDT` ignores changes of law, and in `Etc/GMT+5` the sign is reversed.
    """
    return sorted(z for z in available_timezones() if z == "UTC" or _is_place_zone(z))


def _is_place_zone(zone: str) -> bool:
    return "/" in zone and not zone.startswith(("Etc/", "SystemV/", "posix/", "right/"))


def _suggestion_text(name: str) -> str:
    """Format a suggested name as the end of an error message; empty if there is no name."""
    return f"; did you mean «{name}»?" if name else ""


def split_cell(text: str) -> list[str]:
    """Split a cell at «;» into its distinct values."""
    return list(dict.fromkeys(p.strip() for p in text.split(";") if p.strip()))


def shorten_cell(text: str) -> str:
    """Return a cell as a fault quotes it: at most 40 characters, unprintable ones as dots."""
    seen = "".join(c if c.isprintable() else "·" for c in text)
    return seen if len(seen) <= 40 else f"{seen[:39]}…"


def escape_formula(text: str) -> str:
    """Return a cell that no spreadsheet reads as a formula: with an apostrophe before if needed."""
    return f"'{text}" if _FORMULA.match(text) or _ESCAPED_FORMULA.match(text) else text


def unescape_cell(text: str) -> str:
    """Undo `escape_formula`, strip blanks and normalise to NFC."""
    text = text.strip()
    said = text.removeprefix("'") if _ESCAPED_FORMULA.match(text) else text
    return unicodedata.normalize("NFC", said)
