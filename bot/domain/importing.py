"""A list of people, judged row by row before anything is written: rows in, verdicts out."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from functools import cache
from typing import Any, NamedTuple, Protocol
from zoneinfo import available_timezones

COLUMNS = (
    "name", "email", "city", "title", "knows", "learns", "languages", "zone", "account", "listed",
)  # fmt: skip
REQUIRED = ("name", "email")
POWERS = ("role", "roles", "admin", "staff")
"""Columns that are left alone: what somebody may do is never given by a file."""

LANGUAGES = ("en", "es", "pt", "fr")
LONGEST_NAME, LONGEST_TITLE, LONGEST_EMAIL, MOST_TOPICS = 80, 120, 254, 20

_ANSWERS = {
    **dict.fromkeys(("yes", "y", "true", "1", "x", "sí", "si", "sim", "oui"), True),
    **dict.fromkeys(("no", "n", "false", "0", "não", "nao", "non"), False),
}
_EMAIL = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]+@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*"
)
_WRITTEN = re.compile(r"[=+\-@\t\r＝＋－＠]")
_GUARDED = re.compile(r"'+[=+\-@\t\r＝＋－＠]")
_TURNS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c")
"""Characters that turn the direction of writing, and so show a text as another."""


class Fault(NamedTuple):
    """Why a row (or the header, row 1) is refused."""

    row: int
    column: str
    reason: str

    def __str__(self) -> str:
        where = f"row {self.row}, {self.column}" if self.column else f"row {self.row}"
        return f"{where}: {self.reason}"


class Account(NamedTuple):
    """Somebody on a platform."""

    platform: str
    workspace: str
    user: str

    def __str__(self) -> str:
        return ":".join(self)


class Known(Protocol):
    """What the community knows by name, in the database's own spelling."""

    def cities(self, text: str) -> Sequence[int]:
        """The cities of exactly this name."""

    def near_city(self, text: str) -> str:
        """The name of the city most like the text, or nothing."""

    def topic(self, text: str) -> int | None:
        """The topic of exactly this name."""

    def near_topic(self, text: str) -> str:
        """The name of the topic most like the text, or nothing."""


@dataclass(frozen=True, slots=True)
class Person:
    """What a row says of somebody; None where it says nothing. `city` 0 is no city."""

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

    def differs(self, now: "Person") -> tuple[str, ...]:
        """What would change of somebody who stands as `now`; accounts are only ever added."""
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


def header(cells: Sequence[str]) -> tuple[list[str], list[Fault], list[str]]:
    """The columns by name, what is wrong with them, and what is left alone."""
    names = [" ".join(cell.split()).casefold() for cell in cells]
    while names and not names[-1]:
        names.pop()
    twice = {n: "is there twice" for n in names if n and names.count(n) > 1}
    missing = {n: "is missing" for n in REQUIRED if n not in names}
    unknown = {n: _unknown(n) for n in names if n not in (*COLUMNS, *POWERS)}
    faults = [
        Fault(1, f"column «{name or 'without a name'}»", said)
        for name, said in (missing | unknown | twice).items()
    ]
    notes = [
        f"Column «{name}» is ignored: a file never says what somebody may do."
        for name in names
        if name in POWERS
    ]
    return names, faults, notes


def _unknown(name: str) -> str:
    near = get_close_matches(name, COLUMNS, 1)
    meant = f"; did you mean «{near[0]}»?" if near else f"; the columns are {', '.join(COLUMNS)}"
    return f"is not known{meant}"


def judge(
    rows: Iterable[tuple[int, Mapping[str, str]]], known: Known, platforms: Sequence[str]
) -> tuple[list[Person], list[Fault]]:
    """The people of a file and why the others are refused; `rows` come with their numbers."""
    people: list[Person] = []
    faults: list[Fault] = []
    seen: dict[object, int] = {}
    for number, cells in rows:
        row = _Row(number, cells, known, platforms)
        person = row.person()
        faults += row.faults or _twice(person, seen)
        people.append(person)
    return people, faults


def _twice(person: Person, seen: dict[object, int]) -> list[Fault]:
    """The same e-mail or account a second time, however it is written."""
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


class _Row:
    """One row being read; what is wrong with it gathers in `faults`."""

    def __init__(
        self, number: int, cells: Mapping[str, str], known: Known, platforms: Sequence[str]
    ) -> None:
        self.number = number
        self.faults: list[Fault] = []
        self._cells = {name: plain(cell) for name, cell in cells.items() if name in COLUMNS}
        self._known = known
        self._platforms = platforms

    def person(self) -> Person:
        """Every cell is looked at, so that all faults are told at once."""
        for column, text in self._cells.items():
            if any(unicodedata.category(c) == "Cc" or c in _TURNS for c in text):
                self._refuse(column, "holds control characters")
        email, accounts = self._email(), self._read("account", self._accounts)
        if not email and not accounts:
            self._refuse("email", "is empty, and there is no account to know the person by")
        return Person(
            row=self.number,
            name=self._name(),
            email=email,
            city=self._read("city", self._city),
            title=self._read("title", self._title),
            knows=self._read("knows", self._topics("knows")),
            learns=self._read("learns", self._topics("learns")),
            languages=self._read("languages", self._languages) or None,
            zone=self._read("zone", self._zone) or None,
            accounts=accounts,
            listed=self._read("listed", self._listed),
        )

    def _refuse(self, column: str, reason: str) -> None:
        self.faults.append(Fault(self.number, column, reason))

    def _read(self, column: str, read: Callable[[str], Any]) -> Any:
        """What a cell says; None when the file has no such column."""
        return read(self._cells[column]) if column in self._cells else None

    def _name(self) -> str:
        name = self._cells.get("name", "")
        if not name:
            self._refuse("name", "is empty")
        elif len(name) > LONGEST_NAME:
            self._refuse("name", f"is longer than {LONGEST_NAME} characters")
        return name

    def _email(self) -> str:
        email = self._cells.get("email", "").casefold()
        if email and (len(email) > LONGEST_EMAIL or not _EMAIL.fullmatch(email)):
            self._refuse("email", f"«{short(email)}» is not an address like ana@city.gov")
        return email

    def _title(self, text: str) -> str:
        if len(text) > LONGEST_TITLE:
            self._refuse("title", f"is longer than {LONGEST_TITLE} characters")
        return text

    def _city(self, text: str) -> int:
        if not text:
            return 0
        found = self._known.cities(text)
        if len(found) == 1:
            return found[0]
        if found:
            self._refuse("city", f"«{short(text)}» is the name of several: add the state")
        else:
            meant = _meant(self._known.near_city(text))
            self._refuse("city", f"«{short(text)}» is not a city of the community{meant}")
        return 0

    def _topics(self, column: str) -> Callable[[str], frozenset[int]]:
        def read(text: str) -> frozenset[int]:
            found = {topic: self._known.topic(topic) for topic in parts(text)}
            if len(found) > MOST_TOPICS:
                self._refuse(column, f"holds more than {MOST_TOPICS} topics")
            for topic in (name for name, key in found.items() if key is None):
                meant = _meant(self._known.near_topic(topic))
                self._refuse(column, f"«{short(topic)}» is not one of our topics{meant}")
            return frozenset(key for key in found.values() if key is not None)

        return read

    def _languages(self, text: str) -> tuple[str, ...]:
        spoken = [code.casefold() for code in parts(text)]
        for code in spoken:
            if code not in LANGUAGES:
                self._refuse("languages", f"«{short(code)}» is none of {', '.join(LANGUAGES)}")
        return tuple(dict.fromkeys(spoken))

    def _zone(self, text: str) -> str:
        if text and text not in _zones():
            near = get_close_matches(text, _zones(), 1)
            meant = _meant(near[0] if near else "America/Bogota")
            self._refuse("zone", f"«{short(text)}» is not a time zone{meant}")
        return text

    def _accounts(self, text: str) -> frozenset[Account]:
        return frozenset(a for a in map(self._account, parts(text)) if a)

    def _account(self, text: str) -> Account | None:
        platform, _, rest = text.partition(":")
        workspace, _, user = rest.partition(":")
        if platform.casefold() in self._platforms and workspace and user and " " not in rest:
            return Account(platform.casefold(), workspace, user)
        self._refuse("account", f"«{short(text)}» is not {_account_form(self._platforms)}")
        return None

    def _listed(self, text: str) -> bool | None:
        if text and text.casefold() not in _ANSWERS:
            self._refuse("listed", f"«{short(text)}» is neither yes nor no")
        return _ANSWERS.get(text.casefold())


def _account_form(platforms: Sequence[str]) -> str:
    return f"{' or '.join(platforms)}:workspace:user, with their ids"


@cache
def _zones() -> Sequence[str]:
    """Places only: `EST5EDT` knows no laws, and `Etc/GMT+5` means the opposite of what it says."""
    return sorted(z for z in available_timezones() if z == "UTC" or _is_place(z))


def _is_place(zone: str) -> bool:
    return "/" in zone and not zone.startswith(("Etc/", "SystemV/", "posix/", "right/"))


def _meant(name: str) -> str:
    return f"; did you mean «{name}»?" if name else ""


def parts(text: str) -> list[str]:
    """The things of a cell with several, each once."""
    return list(dict.fromkeys(p.strip() for p in text.split(";") if p.strip()))


def short(text: str) -> str:
    """A cell as it is quoted: long ones cut, what cannot be seen shown as dots."""
    seen = "".join(c if c.isprintable() else "·" for c in text)
    return seen if len(seen) <= 40 else f"{seen[:39]}…"


def guarded(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if _WRITTEN.match(text) or _GUARDED.match(text) else text


def plain(text: str) -> str:
    """What a guarded cell said, without the blanks around it."""
    text = text.strip()
    said = text.removeprefix("'") if _GUARDED.match(text) else text
    return unicodedata.normalize("NFC", said)
