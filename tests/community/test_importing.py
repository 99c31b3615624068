"""Lists of people come in whole or not at all, and go out as they came in."""

import asyncio
import csv
import io
import zipfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.adapters import PLATFORMS
from bot.cards import plain
from bot.community import importing
from bot.community.importing import UnreadableError
from bot.domain import importing as rules
from bot.domain.importing import escape_formula
from bot.hub import Hub
from bot.operator import lists
from bot.request import Request
from bot.settings import Settings
from db import member_lists, members
from db.base import open_engine, transaction
from db.cities import list_cities
from db.members import Member, MemberRole
from db.topics import list_topics
from tests.cast import NOW, sender

HEAD = "name,email,city,knows\n"
ANA = "Ana Souza,ana@recife.example,Recife,open data\n"


async def tried(engine: AsyncEngine, file: Path) -> importing.ImportPlan:
    """What the file would do."""
    async with transaction(engine) as session:
        return await importing.plan_import(session, importing.load_records(file), NOW, PLATFORMS)


async def taken(engine: AsyncEngine, file: Path) -> importing.ImportPlan:
    """Import it."""
    async with transaction(engine, writes=True) as session:
        made = await importing.plan_import(session, importing.load_records(file), NOW, PLATFORMS)
        assert made.faults == []
        await importing.write_plan(session, made, NOW)
        return made


async def faults(engine: AsyncEngine, folder: Path, text: str) -> list[str]:
    """Why rows are refused, as people read it."""
    return [str(fault) for fault in (await tried(engine, written(folder, text))).faults]


def written(folder: Path, content: str | bytes, name: str = "people.csv") -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def unreadable(folder: Path, content: str | bytes, name: str = "people.csv") -> str:
    """What is said of a file that cannot be read at all."""
    with pytest.raises(UnreadableError) as error:
        importing.load_records(written(folder, content, name))
    return str(error.value)


async def everybody(engine: AsyncEngine) -> dict[str, member_lists.ListEntry]:
    async with transaction(engine) as session:
        return {e.member.email or "": e for e in await member_lists.list_members(session)}


# --- what becomes of a row --------------------------------------------------------------------


@pytest.mark.both
async def test_a_new_person_is_found_at_once(engine: AsyncEngine, tmp_path: Path) -> None:
    """A whole row becomes a verified member with topics, an account and words to be found by."""
    file = written(
        tmp_path,
        "name,email,city,title,knows,learns,languages,zone,account,listed\n"
        "Ana Souza,ANA@Recife.example,Recife,Cientista,dados abertos; GIS,program evaluation,pt;en,"
        "America/Recife,slack:T1:U7;discord:9:8,sim\n",
    )

    made = await taken(engine, file)

    assert (made.count("new"), made.refusal_count) == (1, 0)
    entry = (await everybody(engine))["ana@recife.example"]
    assert entry.member.languages == ("pt", "en")
    assert (entry.member.zone, entry.member.listed) == ("America/Recife", True)
    assert {member_lists.account_key(a) for a in entry.accounts} == {
        ("slack", "T1", "U7"),
        ("discord", "9", "8"),
    }
    hub = Hub(engine, clock=lambda: NOW)
    found = plain(await hub(Request(sender("maya"), "who-does open data in:recife", direct=True)))
    assert "Ana Souza" in found
    asked = Request(sender("U7"), "profile show", direct=True)
    assert "Cientista" in plain(await hub(asked))


async def test_what_a_row_leaves_out_comes_from_the_city(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    """Language and zone; and nobody is shown to others without having been asked."""
    await taken(engine, written(tmp_path, HEAD + ANA))

    person = (await everybody(engine))["ana@recife.example"].member
    assert (person.language, person.languages, person.zone) == ("pt", ("pt",), "America/Recife")
    assert not person.listed


async def test_repeating_an_import_changes_nothing(engine: AsyncEngine, tmp_path: Path) -> None:
    """The second time every row is unchanged."""
    file = written(tmp_path, HEAD + ANA)
    await taken(engine, file)

    again = await taken(engine, file)

    assert [row.verdict for row in again.rows] == ["unchanged"]


async def test_only_what_the_file_has_columns_for_changes(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    """Maya's title changes; her bio, her level in a topic and her endorsements stay."""
    before = (await everybody(engine))["maya@city.example"]

    made = await taken(
        engine, written(tmp_path, "email,name,title\nmaya@city.example,Maya Chen,Chief\n")
    )

    after = (await everybody(engine))["maya@city.example"]
    assert made.rows[0].changes == ("title",)
    assert (after.member.title, after.member.bio) == ("Chief", before.member.bio)
    assert after.member.city_id == before.member.city_id
    assert {t.topic_id: t.level for t in after.ties} == {t.topic_id: t.level for t in before.ties}


async def test_a_column_that_is_there_and_empty_empties(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    """So that a file says all of it: what is in no cell is gone."""
    await taken(
        engine,
        written(tmp_path, "email,name,title,knows\nmaya@city.example,Maya Chen,,metadata\n"),
    )

    maya = (await everybody(engine))["maya@city.example"]
    assert maya.member.title == ""
    assert len([t for t in maya.ties if t.kind == "knows"]) == 1


async def test_a_file_gives_nobody_power(engine: AsyncEngine, tmp_path: Path) -> None:
    """A column of roles is left alone, and that is said."""
    made = await taken(engine, written(tmp_path, "name,email,Role\nAna,ana@recife.example,admin\n"))

    assert made.notes == ["Column «role» is ignored: a file never says what somebody may do."]
    async with transaction(engine) as session:
        person = await members.find_by_email(session, "ana@recife.example")
        assert person is not None
        roles = select(func.count()).select_from(MemberRole).filter_by(member_id=person.id)
        assert await session.scalar(roles) == 0


async def test_an_account_alone_is_a_change(engine: AsyncEngine, tmp_path: Path) -> None:
    """Somebody who is there is given one more; a second time there is nothing to do."""
    text = "name,email,account\nMaya Chen,maya@city.example,slack:T1:maya;discord:G1:77\n"

    assert (await taken(engine, written(tmp_path, text))).rows[0].changes == ("account",)
    assert (await taken(engine, written(tmp_path, text))).rows[0].changes == ()


async def test_an_account_twice_in_a_file_is_named(engine: AsyncEngine, tmp_path: Path) -> None:
    """Two people cannot be one account, whatever their addresses."""
    text = "name,email,account\nA,a@x.example,slack:T1:U1\nB,b@x.example,SLACK:T1:U1\n"

    assert await faults(engine, tmp_path, text) == [
        "row 3, account: «slack:T1:U1» stands in row 2 already"
    ]


async def test_empty_columns_at_the_end_are_no_columns(engine: AsyncEngine, tmp_path: Path) -> None:
    """Spreadsheets leave them behind; one in the middle is a fault."""
    assert await faults(engine, tmp_path, "name,email,,\nAna,ana@recife.example,,\n") == []
    assert "without a name" in (await faults(engine, tmp_path, "name,,email\nA,,a@x.example\n"))[0]


async def test_a_name_fits_where_names_are_shown(engine: AsyncEngine, tmp_path: Path) -> None:
    """Eighty characters do, one more does not."""
    text = "name,email\n" + "".join(f"{'n' * n},a{n}@x.example\n" for n in (80, 81))

    assert await faults(engine, tmp_path, text) == ["row 3, name: is longer than 80 characters"]


async def test_an_account_is_never_taken_from_somebody(engine: AsyncEngine, tmp_path: Path) -> None:
    """Neither by a newcomer, nor by a member who is there."""
    text = "name,email,account\nMallory,mallory@x.example,slack:T1:maya\n"
    text += "Ben Ortiz,ben@city.example,slack:T1:luis\n"

    said = await faults(engine, tmp_path, text)

    assert said == [
        "row 2, account: belongs to a member with another e-mail",
        "row 3, account: belongs to another member",
    ]


async def test_who_has_no_address_is_known_by_the_account(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    """People admitted in the chat have no e-mail yet: a file may bring it."""
    async with transaction(engine, writes=True) as session:
        maya = await members.find_by_email(session, "maya@city.example")
        assert maya is not None
        maya.email = None
        number = maya.id

    await taken(
        engine, written(tmp_path, "name,email,account\nMaya Chen,maya@new.example,slack:T1:maya\n")
    )

    assert (await everybody(engine))["maya@new.example"].member.id == number


async def test_who_was_suspended_stays_so(engine: AsyncEngine, tmp_path: Path) -> None:
    """A file is no way back in."""
    said = await faults(engine, tmp_path, "name,email\nSam,sam@city.example\n")

    assert said == [
        "row 2, email: belongs to a suspended member; "
        "let an admin restore them with «admin members restore»"
    ]


# --- refusals ---------------------------------------------------------------------------------

REFUSED = [
    ("city", "Bostn", "«Bostn» is not a city of the community; did you mean «Boston, MA»?"),
    ("knows", "opn data", "«opn data» is not one of our topics; did you mean «open data»?"),
    ("learns", "zzzzqq", "«zzzzqq» is not one of our topics"),
    ("knows", ";".join(f"t{n}" for n in range(21)), "holds more than 20 topics"),
    ("languages", "en;de", "«de» is none of en, es, pt, fr"),
    ("zone", "Mars/Base", "«Mars/Base» is not a time zone"),
    ("zone", "EST5", "«EST5» is not a time zone"),
    ("zone", "America/Bogotá", "did you mean «America/Bogota»?"),
    ("account", "slack:T1", "«slack:T1» is not slack or discord:workspace:user"),
    ("account", "irc:a:b", "«irc:a:b» is not"),
    ("listed", "perhaps", "«perhaps» is neither yes nor no"),
    ("title", "x" * 121, "is longer than 120 characters"),
    ("title", "a\u202eb", "holds control characters"),
    ("title", "a\x07b", "holds control characters"),
]


@pytest.mark.parametrize(("column", "cell", "said"), REFUSED)
async def test_what_does_not_fit_is_named(
    engine: AsyncEngine, tmp_path: Path, column: str, cell: str, said: str
) -> None:
    """Row, column, reason, and the nearest thing that would fit."""
    told = await faults(engine, tmp_path, f"name,email,{column}\nAna,ana@x.example,{cell}\n")

    assert told[0].startswith(f"row 2, {column}: ")
    assert said in told[0]


@pytest.mark.parametrize(
    "email",
    ["a@b", "ana", "ana@x@y.example", "ana@cité.example", "a na@x.example", "@x.example",
     "ana@x.example\x0bBcc:b@y.example", "ana@-x.example", f"{'a' * 250}@x.example"],
)  # fmt: skip
async def test_what_is_no_address_is_refused(
    engine: AsyncEngine, tmp_path: Path, email: str
) -> None:
    """One @, a domain in plain letters, nothing that could break a header."""
    told = await faults(engine, tmp_path, f"name,email\nAna,{email}\n")

    assert told
    assert all(fault.startswith("row 2, email: ") for fault in told)


async def test_a_city_of_several_needs_its_state(engine: AsyncEngine, tmp_path: Path) -> None:
    """Two of the same name are not guessed between."""
    async with transaction(engine, writes=True) as session:
        boston = next(c for c in await list_cities(session) if c.slug == "boston-ma-us")
        facts = {c.key: getattr(boston, c.key) for c in type(boston).__mapper__.column_attrs}
        session.add(type(boston)(**{**facts, "id": None, "slug": "boston-ny-us", "state": "NY"}))

    told = await faults(engine, tmp_path, "name,email,city\nAna,a@x.example,Boston\n")
    assert told == ["row 2, city: «Boston» is the name of several: add the state"]
    assert not await faults(engine, tmp_path, 'name,email,city\nAna,a@x.example,"Boston, NY"\n')


async def test_the_same_address_twice_is_told(engine: AsyncEngine, tmp_path: Path) -> None:
    """However it is written."""
    text = "name,email\nAna,ana@x.example\nBo,bo@x.example\nAna,ANA@X.example\n"

    assert await faults(engine, tmp_path, text) == [
        "row 4, email: «ana@x.example» stands in row 2 already"
    ]


async def test_nobody_without_name_or_key(engine: AsyncEngine, tmp_path: Path) -> None:
    """All that is wrong in a row is told at once."""
    assert await faults(engine, tmp_path, "name,email,city\n,,Boston\n") == [
        "row 2, email: is empty, and there is no account to know the person by",
        "row 2, name: is empty",
    ]


async def test_cells_too_few_or_too_many(engine: AsyncEngine, tmp_path: Path) -> None:
    """What a row does not reach stays as it is: spreadsheets leave out empty cells at the end."""
    full = "name,email,title,languages\nAna,ana@x.example,Chief,es\nBo,bo@x.example,Clerk,fr\n"
    assert (await taken(engine, written(tmp_path, full))).faults == []
    text = "name,email,title,languages\nAna,ana@x.example\n\nBo,bo@x.example,Boss\n"
    made = await tried(engine, written(tmp_path, text))
    assert [row.changes for row in made.rows] == [(), ("title",)]

    text = "name,email,title\nAna\n\nBo,bo@x.example,Chief,more\n"
    assert await faults(engine, tmp_path, text) == [
        "row 2, email: is empty, and there is no account to know the person by",
        "row 4: has 4 cells, the header has 3",
    ]


@pytest.mark.parametrize("first", ["sep=;", "SEP=;", '"sep=;"', "sep=;;;"])
def test_the_line_that_names_the_separator_is_none_of_the_list(tmp_path: Path, first: str) -> None:
    """Excel writes it first, and counts from the next one; it outweighs any guess."""
    text = f"{first}\r\nname;email\r\nAna, of Boston, MA;a@x.example\r\n"

    rows = importing.load_records(written(tmp_path, text))

    assert rows == [(1, ["name", "email"]), (2, ["Ana, of Boston, MA", "a@x.example"])]


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("name,city", "column «email»: is missing"),
        ("name,email,Name", "column «name»: is there twice"),
        ("name,email,titel", "column «titel»: is not known; did you mean «title»?"),
        ("name,email,,city", "column «without a name»: is not known"),
    ],
)
async def test_the_header_is_read_strictly(
    engine: AsyncEngine, tmp_path: Path, header: str, said: str
) -> None:
    """A missing, doubled or unknown column is named, and no row is looked at."""
    made = await tried(engine, written(tmp_path, f"{header}\nAna,nothing,like,this\n"))

    assert said in str(made.faults[0])
    assert made.rows == []


# --- files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_spreadsheets_write_in_many_ways(tmp_path: Path, encoding: str, separator: str) -> None:
    """Encodings with their marks, and what stands between cells, are found out."""
    text = separator.join(("name", "email", '"a, b; c"')) + "\r\n"
    text += separator.join(("Núñez", "n@x.example", '"d\te"')) + "\r\n"
    mark = "\ufeff" if encoding == "utf-16-le" else ""

    rows = importing.load_records(written(tmp_path, (mark + text).encode(encoding)))

    assert rows == [(1, ["name", "email", "a, b; c"]), (2, ["Núñez", "n@x.example", "d\te"])]


UNREADABLE = [
    (b"name,email\nAna,a@x.gov\nN\xfa\xf1ez,n@x.gov\n", "Row 3 is not written in UTF-8"),
    (b'name,email\nAna,a@x.gov\n"Bo,b@x.gov\nCy,c@x.gov\n', "Row 3 cannot be read: a quotation"),
    (b'name,email\nAna,a@x.gov\n"Bo" x,b@x.gov\n', "Row 3 cannot be read: a quotation"),
    (b"name,email\nA\0na,a@x.gov\n", "Row 2 holds a NUL"),
    (b"name,email\rAna,a@x.gov\r", "Row 1 never ends: the lines end in a lone CR"),
    (b"name,email\nAna,a\r@x.gov\n", "Row 2 cannot be read: a lone CR"),
    (b"", "people.csv is empty"),
    (b"\xd0\xcf\x11\xe0old", "old Excel file"),
    (b"\xff\xfen\x00a", "Row 1 is not written in"),
    (b"name,email\n" + b"x" * importing.MAX_BYTES, "at most 5 MB are read"),
    (b"name,email\n" + b"a,b\n" * 10_001, "more than 10,000 rows"),
    (b"name,email\n" + b"a" * 200_000, "Row 2 cannot be read: a cell in it is too long"),
    (b'name,email\n"' + b"a,b\n" * 100_000, "Row 2 cannot be read: a"),
    (b"name,email" + b",a" * 1_000_000, "Row 1 has more than 100 cells"),
    (b'name,email\nAna,"a\0@x.gov"\n', "Row 2 holds a NUL"),
]


@pytest.mark.parametrize(("content", "said"), UNREADABLE, ids=[said for _, said in UNREADABLE])
def test_files_nobody_can_read(tmp_path: Path, content: bytes, said: str) -> None:
    """One sentence, with the row where there is one."""
    assert said in unreadable(tmp_path, content)


def test_ten_thousand_rows_are_read(tmp_path: Path) -> None:
    """The limit itself is allowed, and a line break inside a cell makes no row."""
    text = 'name,email\n"a\nb",c\n' + "a,b\n" * 9_999

    rows = importing.load_records(written(tmp_path, text))

    assert len(rows) == 10_001
    assert rows[1] == (2, ["a\nb", "c"])
    assert rows[2][0] == 3


def excel(rows: Sequence[Sequence[str]], sheet: str = "", strings: str = "") -> bytes:
    """The smallest file that Excel opens; `sheet`: more XML, `strings`: the one shared text."""
    space = "http://schemas.openxmlformats.org"
    sheet += "".join(
        "<row>"
        + "".join(f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>' for cell in row)
        + "</row>"
        for row in rows
    )
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    relation = f"{space}/officeDocument/2006/relationships"
    files = {
        "[Content_Types].xml": f'<Types xmlns="{space}/package/2006/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/s.xml" ContentType="{kind}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{space}/package/2006/relationships">'
        f'<Relationship Id="r" Type="{relation}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>",
        "xl/workbook.xml": f'<workbook xmlns="{space}/spreadsheetml/2006/main" '
        f'xmlns:r="{relation}"><sheets><sheet name="s" sheetId="1" r:id="s"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{space}/package/2006/relationships">'
        f'<Relationship Id="s" Type="{relation}/worksheet" Target="s.xml"/></Relationships>',
        "xl/s.xml": f'<worksheet xmlns="{space}/spreadsheetml/2006/main">'
        f"<sheetData>{sheet}</sheetData></worksheet>",
    }
    if strings:
        shared = f'<sst xmlns="{space}/spreadsheetml/2006/main"><si><t>{strings}</t></si></sst>'
        files["xl/sharedStrings.xml"] = shared
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def test_excel_is_read_too(tmp_path: Path) -> None:
    """The first sheet, cell by cell."""
    rows = [["name", "email"], ["Ana & Bo", "a@x.example"]]

    assert importing.load_records(written(tmp_path, excel(rows), "people.xlsx")) == [
        (1, rows[0]), (2, rows[1]),
    ]  # fmt: skip


def test_names_of_files_do_not_lie(tmp_path: Path) -> None:
    """An Excel file called .csv, text called .xlsx, and an archive that is no workbook."""
    packed = excel([["name", "email"]])

    assert "not CSV but an Excel file" in unreadable(tmp_path, packed)
    assert "not an Excel file" in unreadable(tmp_path, HEAD, "people.xlsx")
    assert "cannot be read" in unreadable(tmp_path, packed[:200], "people.xlsx")
    assert "cannot be read" in unreadable(tmp_path, packed.replace(b"xl/", b"no/"), "people.xlsx")


CELL = '<c r="{}" t="inlineStr"><is><t>x</t></is></c>'


@pytest.mark.parametrize(
    ("sheet", "strings", "said"),
    [
        ('<row r="1048576">' + CELL.format("XFD1048576") + "</row>", "", "takes too much memory"),
        ('<row r="900">' + CELL.format("ZZ900") + "</row>", "", "cells beyond column 100"),
        ('<row r="60000">' + CELL.format("A60000") + "</row>", "", "more than 10,000 rows"),
        ("<row>" + '<c t="s"><v>0</v></c>' * 50_000 + "</row>", "x" * 100_000, "too much memory"),
    ],
    ids=["corner", "wide", "deep", "one text many times"],
)
def test_no_cell_takes_the_memory_of_the_machine(
    tmp_path: Path, sheet: str, strings: str, said: str
) -> None:
    """However small the file: it is read beside the program, and one sentence says what to do."""
    first = "<row>" + CELL.format("A1") + "</row>"
    file = written(tmp_path, excel([], sheet=first + sheet, strings=strings), "people.xlsx")
    assert file.stat().st_size < 20_000
    with pytest.raises(importing.UnreadableError, match=said):
        importing.load_records(file)


def test_excel_files_have_limits_too(tmp_path: Path) -> None:
    """Rows, and what comes out of a packed file."""
    many = excel([["a"]] * 10_002)
    large = excel([["a" * 1_000_000]] * 64)

    assert "more than 10,000 rows" in unreadable(tmp_path, many, "people.xlsx")
    assert len(large) < importing.MAX_BYTES
    assert "unpacks to too much" in unreadable(tmp_path, large, "people.xlsx")


# --- and back ---------------------------------------------------------------------------------


@given(st.text(st.sampled_from("=+-@\t\r'＝＋－＠ab\n "), max_size=6))
def test_the_guard_is_undone_exactly(text: str) -> None:
    """What begins like a formula is text in a spreadsheet, and the same text when it comes back."""
    out = escape_formula(text)

    assert out[:1] not in tuple("=+-@\t\r＝＋－＠") or not out
    assert (
        rules.unescape_cell(out) == (text if out != text else text.strip()) or text != text.strip()
    )


async def test_no_cell_of_an_export_is_a_formula(engine: AsyncEngine, tmp_path: Path) -> None:
    """=HYPERLINK in a title is stored as it was written, and leaves as text."""
    said = '=HYPERLINK("http://x","y")'
    file = tmp_path / "out.csv"
    async with transaction(engine, writes=True) as session:
        maya = await members.find_by_email(session, "maya@city.example")
        assert maya is not None
        maya.title = said
    async with transaction(engine) as session:
        importing.save_csv(file, await importing.build_table(session, NOW, PLATFORMS))

    with file.open(encoding="utf-8-sig", newline="") as opened:
        cells = [row["title"] for row in csv.DictReader(opened)]
    assert "'" + said in cells
    assert (await tried(engine, file)).count("unchanged") == len(cells)


@pytest.mark.both
async def test_what_goes_out_comes_back_the_same(
    engine: AsyncEngine, empty_database: str, tmp_path: Path
) -> None:
    """Here nothing would change; and into an empty community everybody comes as they were."""
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    async with transaction(engine) as session:
        importing.save_csv(first, await importing.build_table(session, NOW, PLATFORMS))
    here = await tried(engine, first)
    assert {row.verdict for row in here.rows} == {"unchanged"}
    settings = Settings(database_url=empty_database, wwc_secret_key="a-key-that-is-long-enough")
    elsewhere = open_engine(empty_database)
    try:
        from db import migrate

        await migrate.upgrade(elsewhere)
        code = await lists.import_members(
            settings, first, Console(file=io.StringIO()), dry_run=False
        )
        async with transaction(elsewhere) as session:
            importing.save_csv(
                second, await importing.build_table(session, NOW + timedelta(days=1), PLATFORMS)
            )
    finally:
        await elsewhere.dispose()

    assert code == 0
    assert second.read_text() == first.read_text()


async def test_every_city_and_topic_comes_back_as_itself(engine: AsyncEngine) -> None:
    """Whatever an export calls it, an import takes it for the same."""
    from bot import reference

    async with transaction(engine) as session:
        known = await reference.load_reference(session, NOW)
        names = importing.NameLookup(known)
        for city in await list_cities(session):
            assert names.find_cities(city.place) == (city.id,)
        for topic in await list_topics(session):
            assert names.find_topic(known.vocabulary.name(topic.id, "en")) == topic.id


async def test_the_invented_and_the_suspended_stay_here(engine: AsyncEngine) -> None:
    """An export holds the real, verified people, whether or not they are listed."""
    async with transaction(engine, writes=True) as session:
        luis = await members.find_by_email(session, "luis@city.example")
        assert luis is not None
        luis.synthetic = True

    there = await everybody(engine)

    assert "uma@city.example" in there
    assert not {"luis@city.example", "sam@city.example"} & set(there)


# --- the command ------------------------------------------------------------------------------


def shown(width: int = 120) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width)


async def count(database: str) -> int:
    engine = open_engine(database)
    try:
        async with transaction(engine) as session:
            return await session.scalar(select(func.count()).select_from(Member)) or 0
    finally:
        await engine.dispose()


def run(database: str, file: Path, console: Console | None = None, *, dry_run: bool = False) -> int:
    work = lists.import_members(
        Settings(database_url=database), file, console or Console(), dry_run=dry_run
    )
    return asyncio.run(work)


def test_one_bad_row_keeps_all_of_them_out(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1, the reason on stderr, and nobody was written."""
    before = asyncio.run(count(database))

    code = run(database, written(tmp_path, HEAD + ANA + "Bo,bo@x.example,Nowhere,GIS\n"))

    said = capsys.readouterr()
    assert code == 1
    assert "1 new, 0 changed, 0 unchanged, 1 invalid" in said.out
    assert "row 3, city: «Nowhere»" in said.err
    assert asyncio.run(count(database)) == before


def test_what_ends_half_way_leaves_nothing(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One transaction: killed after the first portion, nobody of it is there either."""
    before = asyncio.run(count(database))
    portions: list[int] = []

    def killed(bar: object, task: object, *, advance: int) -> None:
        portions.append(advance)
        raise KeyboardInterrupt

    monkeypatch.setattr(member_lists, "BATCH_SIZE", 1)
    monkeypatch.setattr("rich.progress.Progress.update", killed)
    with pytest.raises(KeyboardInterrupt):
        run(database, written(tmp_path, HEAD + ANA + "Bo,bo@x.example,Boston,GIS\n"))

    assert portions == [1]
    assert asyncio.run(count(database)) == before


def test_a_dry_run_shows_and_writes_nothing(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table of what would change, in which nothing people wrote is markup."""
    before, console = asyncio.run(count(database)), shown()

    code = run(database, written(tmp_path, HEAD + ANA.replace("Souza", "[red]")), console,
               dry_run=True)  # fmt: skip

    assert isinstance(console.file, io.StringIO)
    assert code == 0
    assert "Ana [red]" in console.file.getvalue()
    assert "Nothing was written." in capsys.readouterr().out
    assert asyncio.run(count(database)) == before


def test_a_real_run_says_what_it_did(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the next one that there was nothing to do."""
    file = written(tmp_path, HEAD + ANA)

    assert run(database, file, shown()) == 0
    assert "Imported." in capsys.readouterr().out
    assert run(database, file) == 0
    assert "There was nothing to write." in capsys.readouterr().out


def test_a_file_that_is_not_there(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong use, in one sentence, for reading and for writing."""
    assert run(database, tmp_path / "none.csv") == 2
    into = lists.export_members(Settings(database_url=database), tmp_path / "no" / "out.csv")
    assert asyncio.run(into) == 2
    assert capsys.readouterr().err.count("\n") == 2


def test_an_export_says_how_many(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The verified members of the cast."""
    file = tmp_path / "out.csv"

    assert asyncio.run(lists.export_members(Settings(database_url=database), file)) == 0
    rows = file.read_text(encoding="utf-8-sig").splitlines()
    assert f"{len(rows) - 1} members saved" in capsys.readouterr().out
