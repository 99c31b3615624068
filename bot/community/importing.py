"""Imports and exports lists of people: a file is checked whole, then written or not at all."""

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
from bot.community.workbook import WorkbookError, read_workbook
from bot.domain import importing
from bot.domain.importing import Fault, Person, escape_formula, parse_header, parse_people
from bot.domain.ranking import base_points
from bot.reference import Reference
from db import audit, member_lists
from db.cities import City

MAX_ROWS = 10_000
MAX_BYTES = 5 * 1024 * 1024
"""The largest file that is read."""
MAX_UNPACKED_BYTES = 60 * 1024 * 1024
"""An Excel file is a ZIP archive: its parts may unpack to this many bytes in all."""

MAX_COLUMNS = 100
"""A list has ten columns; some leave room for their own."""

_SEPARATOR_LINE = re.compile(r'"?sep=([,;\t|])"?[,;\t|]*\s*', re.IGNORECASE)
"""What Excel writes before a list, so that it knows the character between two cells."""
_EXCEL, _OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
Record = tuple[int, list[str]]
"""A row of a file: its number, from 1, and its cells."""
Verdict = Literal["new", "changed", "unchanged"]
Step = Callable[[int], None]
"""Reports progress: called after each batch with the number of rows in it."""


class UnreadableError(Exception):
    """A file cannot be read as a list; the message is one sentence, with the row if known."""


class PlannedRow(NamedTuple):
    """One row without faults, and what writing it does; `member_id` is None for a new member."""

    person: Person
    verdict: Verdict
    member_id: int | None = None
    changes: tuple[str, ...] = ()


@dataclass
class ImportPlan:
    """What the import of a file does; a plan with faults must not be written."""

    rows: list[PlannedRow] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def count(self, verdict: Verdict) -> int:
        """Return how many rows have this verdict."""
        return sum(row.verdict == verdict for row in self.rows)

    @property
    def refusal_count(self) -> int:
        """The number of refused rows, including the header."""
        return len({fault.row for fault in self.faults})


# --- files ------------------------------------------------------------------------------------


def load_records(file: Path) -> list[Record]:
    """Read the rows of a CSV or Excel file, the header first, without empty ones.

    Raises `UnreadableError` for a file that is too large, damaged, empty or of another format.
    """
    size = file.stat().st_size
    if size > MAX_BYTES:
        raise UnreadableError(
            f"{file.name} has {size / 1048576:.1f} MB; at most {MAX_BYTES // 1048576} MB are read."
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
    found = list(_limit_rows(_iter_excel_rows(data) if is_excel else _iter_csv_rows(_decode(data))))
    if not found:
        raise UnreadableError(f"{file.name} is empty.")
    return found


def _limit_rows(rows: Iterator[Record]) -> Iterator[Record]:
    for count, (number, cells) in enumerate(row for row in rows if any(map(str.strip, row[1]))):
        if count > MAX_ROWS:
            raise UnreadableError(f"There are more than {MAX_ROWS:,} rows: split the file.")
        if len(cells) > MAX_COLUMNS and any(map(str.strip, cells[MAX_COLUMNS:])):
            raise UnreadableError(
                f"Row {number} has more than {MAX_COLUMNS} cells: keep the list's own columns only."
            )
        yield number, cells[:MAX_COLUMNS]


def _decode(data: bytes) -> str:
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


def _iter_csv_rows(text: str) -> Iterator[Record]:
    lines = list(io.StringIO(text, newline="\n"))
    told = _SEPARATOR_LINE.fullmatch(lines[0]) if lines else None
    if told:
        lines = lines[1:]  # Excel, too, counts from the next one
    delimiter = told[1] if told else _guess_delimiter(lines)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, 1):
            yield number, cells
    except csv.Error as error:
        raise UnreadableError(
            f"Row {number + 1} cannot be read: {_describe_csv_error(error)}."
        ) from None


def _describe_csv_error(error: csv.Error) -> str:
    if "unexpected end" in str(error) or "expected after" in str(error):
        return "a quotation mark is opened and never closed, or stands inside a cell"
    if "new-line" in str(error):
        return "a lone CR stands in it"
    if "field limit" in str(error):
        return "a cell in it is too long to be one; perhaps a quotation mark is missing"
    return str(error)


def _guess_delimiter(lines: Sequence[str]) -> str:
    unquoted = re.sub(r'"[^"]*"', "", lines[0]) if lines else ""
    return max(",;\t", key=unquoted.count)


def _iter_excel_rows(data: bytes) -> Iterator[Record]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            unpacked = sum(part.file_size for part in packed.infolist())
        if unpacked > MAX_UNPACKED_BYTES:
            raise UnreadableError("The Excel file unpacks to too much: save it as CSV.")
        rows = read_workbook(data, MAX_ROWS + 1, MAX_COLUMNS)
    except WorkbookError as error:
        raise UnreadableError(str(error)) from None
    except zipfile.BadZipFile:
        raise UnreadableError(
            "The Excel file cannot be read: it is damaged; save it as CSV."
        ) from None
    yield from enumerate(rows, 1)


# --- planning ---------------------------------------------------------------------------------


class NameLookup:
    """Finds the community's cities and topics by name; see `NameResolver`."""

    def __init__(self, known: Reference) -> None:
        self._reference = known

    def find_cities(self, text: str) -> Sequence[int]:
        """Return the ids of the cities with exactly this name."""
        return tuple(dict.fromkeys(self._reference.gazetteer.find_exact(text)))

    def find_near_city(self, text: str) -> str:
        """Return the name of the city most like the text, with its state; empty if none is."""
        near = self._reference.gazetteer.find_near(text, 1)
        return self._reference.cities[near[0]].place if near else ""

    def find_topic(self, text: str) -> int | None:
        """Return the id of the topic with exactly this name, in any language; else None."""
        hit = self._reference.vocabulary.find(text)
        return hit.key if hit and hit.precision == "exact" else None

    def find_near_topic(self, text: str) -> str:
        """Return the English name of the topic most like the text; empty if none is."""
        near = self._reference.vocabulary.find_near(text, 1)
        return self._reference.vocabulary.name(near[0].key, "en") if near else ""


async def plan_import(
    session: AsyncSession, rows: Sequence[Record], now: datetime, platforms: Sequence[str]
) -> ImportPlan:
    """Check rows, the header first, and return what an import of them does, with all faults.

    `platforms`: where accounts may be.
    """
    columns, faults, notes = parse_header(rows[0][1])
    if faults:
        return ImportPlan(faults=faults, notes=notes)
    whole, ragged = _map_columns(columns, rows[1:])
    people, faults = parse_people(
        whole, NameLookup(await reference.load_reference(session, now)), platforms
    )
    there = _MemberIndex(await _load_existing(session, people))
    made = ImportPlan(faults=[*ragged, *faults], notes=notes)
    refused = {fault.row for fault in faults}
    for person in (p for p in people if p.row not in refused):
        match = there.match(person)
        if isinstance(match, Fault):
            made.faults.append(match)
        else:
            made.rows.append(match)
    made.faults.sort()
    return made


def _map_columns(
    columns: Sequence[str], rows: Sequence[Record]
) -> tuple[list[tuple[int, Mapping[str, str]]], list[Fault]]:
    """Map the cells of each row to column names; return rows, and a fault for each that is longer.

    What is missing at the end, as spreadsheets leave out empty cells, stays as it is.
    """
    whole: list[tuple[int, Mapping[str, str]]] = []
    faults = []
    for number, cells in rows:
        beyond = any(cell.strip() for cell in cells[len(columns) :])
        if beyond:
            said = f"has {len(cells)} cells, the header has {len(columns)}"
            faults.append(Fault(number, "", said))
        else:
            whole.append((number, dict(zip(columns, cells, strict=False))))
    return whole, faults


async def _load_existing(
    session: AsyncSession, people: Sequence[Person]
) -> list[member_lists.ListEntry]:
    emails = {p.email for p in people if p.email}
    accounts = {a for p in people for a in p.accounts or ()}
    return await member_lists.find_by_email_or_account(session, emails, accounts)


class _MemberIndex:
    """Finds existing members by the e-mail addresses and accounts that a file names."""

    def __init__(self, entries: Sequence[member_lists.ListEntry]) -> None:
        self._emails = {e.member.email: e for e in entries if e.member.email}
        self._accounts = {member_lists.account_key(a): e for e in entries for a in e.accounts}

    def match(self, person: Person) -> PlannedRow | Fault:
        """Find the member a row is about and return the planned row, or the fault of the row.

        An account is never moved from one member to another.
        """
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
            return PlannedRow(person, "new")
        if entry.member.status != "verified":
            return Fault(
                person.row,
                "email",
                f"belongs to a {entry.member.status} member; "
                "let an admin restore them with «admin members restore»",
            )
        changes = person.list_changes(_member_as_person(entry, person))
        return PlannedRow(person, "changed" if changes else "unchanged", entry.member.id, changes)


def _member_as_person(entry: member_lists.ListEntry, asked: Person) -> Person:
    """Return a member as a row would describe them, to compare with the row `asked`.

    Without an e-mail in that row it has none either, so that the import does not remove it.
    """
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
        accounts=frozenset(importing.Account(*member_lists.account_key(a)) for a in entry.accounts),
        listed=member.listed,
    )


# --- writing ----------------------------------------------------------------------------------


async def write_plan(
    session: AsyncSession, made: ImportPlan, now: datetime, step: Step = lambda done: None
) -> None:
    """Write every row that changes something, in the caller's transaction."""
    cities = (await reference.load_reference(session, now)).cities
    wanted = [row for row in made.rows if row.verdict != "unchanged"]
    changes = [member_lists.Change(row.member_id, _facts(row.person, cities)) for row in wanted]
    await member_lists.apply_changes(session, changes, base_points, now, step)
    if wanted:
        audit.record_act(session, now, None, "members imported", f"members:{len(wanted)}")


def _facts(person: Person, cities: Mapping[int, City]) -> member_lists.MemberFacts:
    return member_lists.MemberFacts(
        name=person.name,
        email=person.email,
        city=cities.get(person.city or 0),
        has_city=person.city is not None,
        title=person.title,
        knows=person.knows,
        learns=person.learns,
        languages=person.languages,
        zone=person.zone,
        accounts=person.accounts,
        listed=person.listed,
    )


async def build_table(
    session: AsyncSession, now: datetime, platforms: Sequence[str]
) -> list[list[str]]:
    """Return all members as an import reads them: the header, then a row for each."""
    known = await reference.load_reference(session, now)
    return [
        list(importing.COLUMNS),
        *(_export_row(e, known, platforms) for e in await member_lists.list_members(session)),
    ]


def _export_row(
    entry: member_lists.ListEntry, known: Reference, platforms: Sequence[str]
) -> list[str]:
    member = entry.member

    def topics(kind: str) -> str:
        names = (known.vocabulary.name(t.topic_id, "en") for t in entry.ties if t.kind == kind)
        return ";".join(sorted(names))

    accounts = (member_lists.account_key(a) for a in entry.accounts)
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


def save_csv(file: Path, rows: Sequence[Sequence[str]]) -> None:
    """Write rows as CSV in UTF-8 with a BOM, so that Excel reads it; formulas are escaped."""
    with file.open("w", encoding="utf-8-sig", newline="") as opened:
        csv.writer(opened).writerows([escape_formula(cell) for cell in row] for row in rows)
