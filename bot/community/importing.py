"""Lists of people from files and into them: read, judged as a whole, then written or not at all."""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from bot import reference
from bot.domain import importing
from bot.domain.importing import Fault, Person, guarded, header, judge
from bot.domain.ranking import standing
from bot.reference import Reference
from db import audit, member_lists
from db.cities import City

MOST_ROWS = 10_000
MOST_BYTES = 5 * 1024 * 1024
MOST_UNPACKED = 60 * 1024 * 1024
"""An Excel file is packed: this much may come out of it."""

_EXCEL, _OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
Record = tuple[int, list[str]]
Verdict = Literal["new", "changed", "unchanged"]
Step = Callable[[int], None]


class UnreadableError(Exception):
    """Why a file cannot be read as a list: one sentence, with the row where there is one."""


class Judged(NamedTuple):
    """One row that may be written, and what it would do."""

    person: Person
    verdict: Verdict
    member_id: int | None = None
    changes: tuple[str, ...] = ()


@dataclass
class Plan:
    """What a file would do. With faults it does nothing."""

    rows: list[Judged] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def count(self, verdict: Verdict) -> int:
        """How many rows would do this."""
        return sum(row.verdict == verdict for row in self.rows)

    @property
    def refused(self) -> int:
        """How many rows are refused, the header among them."""
        return len({fault.row for fault in self.faults})


# --- files ------------------------------------------------------------------------------------


def records(file: Path) -> list[Record]:
    """The rows of a CSV or Excel file with their numbers; the header is the first."""
    size = file.stat().st_size
    if size > MOST_BYTES:
        raise UnreadableError(
            f"{file.name} has {size / 1048576:.1f} MB; at most {MOST_BYTES // 1048576} MB are read."
        )
    data = file.read_bytes()
    is_excel = data.startswith(_EXCEL)
    if data.startswith(_OLD_EXCEL):
        raise UnreadableError(f"{file.name} is an old Excel file: save it as .xlsx or CSV.")
    if is_excel and file.suffix.lower() != ".xlsx":
        raise UnreadableError(
            f"{file.name} is not CSV but an Excel file with another name: rename it to .xlsx."
        )
    if not is_excel and file.suffix.lower() == ".xlsx":
        raise UnreadableError(f"{file.name} is not an Excel file, whatever its name says.")
    found = list(_few(_excel(data) if is_excel else _csv(_decoded(data))))
    if not found:
        raise UnreadableError(f"{file.name} is empty.")
    return found


def _few(rows: Iterator[Record]) -> Iterator[Record]:
    for count, (number, cells) in enumerate(row for row in rows if any(map(str.strip, row[1]))):
        if count > MOST_ROWS:
            raise UnreadableError(f"There are more than {MOST_ROWS:,} rows: split the file.")
        yield number, cells


def _decoded(data: bytes) -> str:
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        raise UnreadableError(
            f"Row {row} is not written in UTF-8 (perhaps in Latin-1 or Windows-1252): "
            "save the file as «CSV UTF-8» and import it again."
        ) from None
    if "\0" in text:
        row = text[: text.index("\0")].count("\n") + 1
        raise UnreadableError(f"Row {row} holds a NUL character: the file is damaged.")
    if "\r" in text and "\n" not in text:
        raise UnreadableError(
            "Row 1 never ends: the lines end in a lone CR, as on old Macs. Save it as CSV again."
        )
    return text


def _csv(text: str) -> Iterator[Record]:
    lines = list(io.StringIO(text, newline="\n"))
    reader = csv.reader(lines, delimiter=_delimiter(lines), strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, 1):
            yield number, cells
    except csv.Error as error:
        raise UnreadableError(f"Row {number + 1} cannot be read: {_said(error)}.") from None


def _said(error: csv.Error) -> str:
    if "unexpected end" in str(error) or "expected after" in str(error):
        return "a quotation mark is opened and never closed, or stands inside a cell"
    if "new-line" in str(error):
        return "a lone CR stands in it"
    return str(error)


def _delimiter(lines: Sequence[str]) -> str:
    unquoted = re.sub(r'"[^"]*"', "", lines[0]) if lines else ""
    return max(",;\t", key=unquoted.count)


def _excel(data: bytes) -> Iterator[Record]:
    from python_calamine import CalamineError, load_workbook

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            unpacked = sum(part.file_size for part in packed.infolist())
        if unpacked > MOST_UNPACKED:
            raise UnreadableError("The Excel file unpacks to too much: save it as CSV.")
        sheet = load_workbook(io.BytesIO(data)).get_sheet_by_index(0)
        if sheet.total_height > MOST_ROWS + 1:
            raise UnreadableError(f"There are more than {MOST_ROWS:,} rows: split the file.")
        rows = sheet.to_python(skip_empty_area=False)
    except (CalamineError, zipfile.BadZipFile, IndexError) as error:
        raise UnreadableError(
            f"The Excel file cannot be read ({type(error).__name__}): save it as CSV."
        ) from None
    for number, cells in enumerate(rows, 1):
        yield number, [_written(cell) for cell in cells]


def _written(cell: object) -> str:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


# --- judging ----------------------------------------------------------------------------------


class Names:
    """The community's cities and topics, by exactly their names."""

    def __init__(self, known: Reference) -> None:
        self._known = known

    def cities(self, text: str) -> Sequence[int]:
        """The cities of exactly this name."""
        return tuple(dict.fromkeys(self._known.gazetteer.exactly(text)))

    def near_city(self, text: str) -> str:
        """The city most like the text, as it is written here."""
        near = self._known.gazetteer.near(text, 1)
        return self._known.cities[near[0]].place if near else ""

    def topic(self, text: str) -> int | None:
        """The topic of exactly this name, in any of the languages."""
        hit = self._known.vocabulary.find(text)
        return hit.key if hit and hit.how == "exact" else None

    def near_topic(self, text: str) -> str:
        """The topic most like the text."""
        near = self._known.vocabulary.near(text, 1)
        return self._known.vocabulary.name(near[0].key, "en") if near else ""


async def plan(
    session: AsyncSession, rows: Sequence[Record], now: datetime, platforms: Sequence[str]
) -> Plan:
    """What these rows would do, and why they would not; `platforms`: where accounts may be."""
    columns, faults, notes = header(rows[0][1])
    if faults:
        return Plan(faults=faults, notes=notes)
    whole, ragged = _even(columns, rows[1:])
    people, faults = judge(whole, Names(await reference.read(session, now)), platforms)
    there = _There(await _known(session, people))
    made = Plan(faults=[*ragged, *faults], notes=notes)
    refused = {fault.row for fault in faults}
    for person in (p for p in people if p.row not in refused):
        match = there.match(person)
        if isinstance(match, Fault):
            made.faults.append(match)
        else:
            made.rows.append(match)
    made.faults.sort()
    return made


def _even(
    columns: Sequence[str], rows: Sequence[Record]
) -> tuple[list[tuple[int, Mapping[str, str]]], list[Fault]]:
    """The rows by column, and those that have not as many cells as the header."""
    whole: list[tuple[int, Mapping[str, str]]] = []
    faults = []
    for number, cells in rows:
        beyond = any(cell.strip() for cell in cells[len(columns) :])
        if len(cells) < len(columns) or beyond:
            said = f"has {len(cells)} cells, the header has {len(columns)}"
            faults.append(Fault(number, "", said))
        else:
            whole.append((number, dict(zip(columns, cells, strict=False))))
    return whole, faults


async def _known(session: AsyncSession, people: Sequence[Person]) -> list[member_lists.Entry]:
    emails = {p.email for p in people if p.email}
    accounts = {a for p in people for a in p.accounts or ()}
    return await member_lists.known(session, emails, accounts)


class _There:
    """The members there are, by what a file knows them by."""

    def __init__(self, entries: Sequence[member_lists.Entry]) -> None:
        self._emails = {e.member.email: e for e in entries if e.member.email}
        self._accounts = {member_lists.key_of(a): e for e in entries for a in e.accounts}

    def match(self, person: Person) -> Judged | Fault:
        """Whom a row is about; an account is never taken from one member to another."""
        owners = {
            entry.member.id: entry
            for account in person.accounts or ()
            if (entry := self._accounts.get(account))
        }
        entry = self._emails.get(person.email)
        if entry is None and len(owners) == 1:
            entry = next(iter(owners.values()))
            if person.email and entry.member.email:
                return Fault(person.row, "account", "belongs to a member with another e-mail")
        if any(owner != (entry and entry.member.id) for owner in owners):
            return Fault(person.row, "account", "belongs to another member")
        if entry is None:
            return Judged(person, "new")
        if entry.member.status != "verified":
            return Fault(
                person.row,
                "email",
                f"belongs to a {entry.member.status} member; "
                "let an admin restore them with /wwc members",
            )
        changes = person.differs(_standing_now(entry, person))
        return Judged(person, "changed" if changes else "unchanged", entry.member.id, changes)


def _standing_now(entry: member_lists.Entry, asked: Person) -> Person:
    """A member as a row would say it. A row without an e-mail does not take it away."""
    member = entry.member
    return Person(
        row=asked.row,
        name=member.name,
        email=(member.email or "") if asked.email else "",
        city=member.city_id or 0,
        title=member.title,
        knows=frozenset(t.topic_id for t in entry.ties if t.kind == "knows"),
        learns=frozenset(t.topic_id for t in entry.ties if t.kind == "learns"),
        languages=member.languages,
        zone=member.zone,
        accounts=frozenset(importing.Account(*member_lists.key_of(a)) for a in entry.accounts),
        listed=member.listed,
    )


# --- writing ----------------------------------------------------------------------------------


async def write(
    session: AsyncSession, made: Plan, now: datetime, step: Step = lambda done: None
) -> None:
    """Write every row that changes something, in the caller's transaction."""
    cities = (await reference.read(session, now)).cities
    wanted = [row for row in made.rows if row.verdict != "unchanged"]
    changes = [member_lists.Change(row.member_id, _facts(row.person, cities)) for row in wanted]
    await member_lists.write(session, changes, standing, now, step)
    if wanted:
        audit.note(session, now, None, "members imported", f"members:{len(wanted)}")


def _facts(person: Person, cities: Mapping[int, City]) -> member_lists.Facts:
    return member_lists.Facts(
        name=person.name,
        email=person.email,
        city=cities.get(person.city or 0),
        city_given=person.city is not None,
        title=person.title,
        knows=person.knows,
        learns=person.learns,
        languages=person.languages,
        zone=person.zone,
        accounts=person.accounts,
        listed=person.listed,
    )


async def table(session: AsyncSession, now: datetime, platforms: Sequence[str]) -> list[list[str]]:
    """Everybody as an import would read them: the header, then a row each."""
    known = await reference.read(session, now)
    return [
        list(importing.COLUMNS),
        *(_row(e, known, platforms) for e in await member_lists.everybody(session)),
    ]


def _row(entry: member_lists.Entry, known: Reference, platforms: Sequence[str]) -> list[str]:
    member = entry.member

    def topics(kind: str) -> str:
        names = (known.vocabulary.name(t.topic_id, "en") for t in entry.ties if t.kind == kind)
        return ";".join(sorted(names))

    accounts = (member_lists.key_of(a) for a in entry.accounts)
    return [
        member.name,
        member.email or "",
        member.city.place if member.city else "",
        member.title,
        topics("knows"),
        topics("learns"),
        ";".join(member.languages),
        member.zone,
        ";".join(":".join(a) for a in accounts if a[0] in platforms),
        "yes" if member.listed else "no",
    ]


def save(file: Path, rows: Sequence[Sequence[str]]) -> None:
    """As CSV in UTF-8 with a mark, so that Excel reads it; no cell is a formula there."""
    with file.open("w", encoding="utf-8-sig", newline="") as opened:
        csv.writer(opened).writerows([guarded(cell) for cell in row] for row in rows)
