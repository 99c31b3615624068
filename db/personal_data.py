"""What the hub holds about a person, table by table: how it is exported, and how it is erased."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Table, delete, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from db import outbox, search
from db.base import Base, is_sqlite
from db.directory import Expertise
from db.endorsements import Endorsement
from db.members import Account, Member
from db.outbox import Delivery
from db.relay import RelayLine


@dataclass(frozen=True, slots=True)
class PersonalTable:
    """One table that holds people. `owner_columns` name the member to whom a row belongs.

    `title` is what its rows are called for their owners, in English. `on_erasure`: rows are deleted
    with the member; or they stay and the member's name in them is cleared; or they are kept. Then
    `reason` says why. `hidden_columns` are shown to nobody. `subject_columns` name a member to whom
    the row is not disclosed, such as the one who is blocked. `account_columns` name an account; the
    rows of a member's own accounts belong to the member.
    """

    owner_columns: tuple[str, ...]
    title: str
    on_erasure: Literal["deleted", "cleared", "kept"] = "deleted"
    reason: str = ""
    hidden_columns: tuple[str, ...] = ()
    subject_columns: tuple[str, ...] = ()
    account_columns: tuple[str, ...] = ()


PERSONAL_TABLES: Mapping[str, PersonalTable] = {
    "member": PersonalTable(
        ("id",),
        "Your profile",
        "cleared",
        "a row without name or facts holds a suspension, a mute or blocks, while there are any",
    ),
    "member_role": PersonalTable(("member_id",), "Your roles"),
    "account": PersonalTable(("member_id",), "Your accounts"),
    "expertise": PersonalTable(("member_id",), "Your topics"),
    "endorsement": PersonalTable(("by_id",), "Endorsements you gave"),
    "city_code": PersonalTable(
        ("by_id",),
        "Codes you created for your city",
        "cleared",
        "the code is the city's",
        hidden_columns=("hash",),
    ),
    "invitation": PersonalTable(
        ("by_id",), "Invitations", hidden_columns=("hash",), account_columns=("account_id",)
    ),
    "join_request": PersonalTable(
        (), "Requests to join", account_columns=("account_id",), subject_columns=("by_id",)
    ),
    "code_try": PersonalTable((), "Codes you tried", account_columns=("account_id",)),
    "kept_account": PersonalTable(
        (),
        "Other entries",
        "kept",
        "a fingerprint that names nobody, while a suspension, a mute or a block holds",
        subject_columns=("member_id",),
    ),
    "kept_try": PersonalTable(
        (),
        "Other entries",
        "kept",
        "under a fingerprint, for the quarter of an hour or the week that a try counts",
    ),
    "link": PersonalTable(
        ("member_id",),
        "Links between your accounts",
        hidden_columns=("hash",),
        account_columns=("account_id", "other_id"),
    ),
    "kind_off": PersonalTable(("member_id",), "Messages you turned off"),
    "delivery": PersonalTable(
        ("member_id",), "Messages to you", "cleared", "counted, without words or names"
    ),
    "report": PersonalTable(
        # what the staff told the other one, and what that one answered, is theirs
        ("by_id",),
        "Reports",
        "cleared",
        "a suspension or mute that holds keeps its decision, without anybody's words",
        hidden_columns=("appeal", "appealed_at", "reason"),
        subject_columns=("about_id", "decided_by_id"),
    ),
    "block": PersonalTable(
        ("member_id",),
        "People you blocked",
        "kept",
        "it holds for the fingerprint of the account, until who made it takes it back",
        subject_columns=("blocked_id",),
    ),
    "introduction": PersonalTable(
        # what the other side answered, or that it was never asked, belongs to the other side alone
        ("one_id",),
        "Introductions",
        "cleared",
        "of a «never» stays that it was said",
        hidden_columns=("other_said", "silent", "status", "tells_at"),
        subject_columns=("other_id", "by_id"),
    ),
    "talk": PersonalTable(
        ("one_id", "other_id"), "Conversations", subject_columns=("picked_by_id",)
    ),
    "round_member": PersonalTable(("member_id",), "Pairing rounds"),
    "round_avoid": PersonalTable(
        ("member_id",),
        "People you don't want to be paired with",
        "kept",
        "it holds for the fingerprint of the account, like a block",
        subject_columns=("avoided_id",),
    ),
    "round_place": PersonalTable(("member_id",), "Your pairings"),
    "round_left": PersonalTable(("member_id",), "Rounds with no match for you"),
    "relay_line": PersonalTable(("author_id",), "What was passed on (not the words)"),
    "relay_draft": PersonalTable(("member_id",), "Drafts you haven't sent yet"),
    "relay": PersonalTable(
        ("one_id", "other_id"),
        "Conversations",
        "cleared",
        "the one who stays is told that it is over",
    ),
    "audit": PersonalTable(
        ("member_id",),
        "What you did, in the log",
        "kept",
        "acts stand under a number that names nobody any more",
    ),
    "document": PersonalTable(
        (), "Other entries", "deleted", "the words a profile is found by, made anew from it"
    ),
}
"""Every table with people in it. A test fails for a table that stands neither here nor below."""

IMPERSONAL_TABLES = frozenset(
    {
        "alembic_version",
        "certification",
        "city",
        "city_domain",
        "city_name",
        "criterion",
        "gate",
        "inbound",
        "installation",
        "level",
        "memo",
        "practice_area",
        "slot",
        "topic",
        "topic_criterion",
        "round",
        "round_group",
        "topic_term",
        "workspace",
    }
)


DOWNLOAD_LIFETIME = timedelta(minutes=15)
"""How long the address for downloading one's own data is valid."""
SCRUB_KEY = "scrub-due"
"""The key of a value that says that a member was erased since the last scrubbing."""


def _table(name: str) -> Table:
    return Base.metadata.tables[name]


def _is_owned_by(table: Table, held: PersonalTable, member_id: int) -> ColumnElement[bool]:
    own = select(Account.id).where(Account.member_id == member_id)
    return or_(
        *(table.c[column] == member_id for column in held.owner_columns),
        *(table.c[column].in_(own) for column in held.account_columns),
    )


async def load_rows(session: AsyncSession, member_id: int) -> dict[str, list[dict[str, Any]]]:
    """Load everything held about a member, by table; tables without such rows are left out."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, held in PERSONAL_TABLES.items():
        if not (held.owner_columns or held.account_columns):
            continue
        table = _table(name)
        shown = [c for c in table.c if c.name not in held.hidden_columns]
        query = select(*shown).where(_is_owned_by(table, held, member_id))
        rows = (await session.execute(query.order_by(*table.primary_key))).mappings().all()
        if rows:
            found[name] = [dict(row) for row in rows]
    return found


async def erase_member(session: AsyncSession, now: datetime, person: Member) -> None:
    """Erase a member and all rows that depend on the member's row.

    Deliveries not sent yet are cancelled, those sent keep neither words nor names, and endorsements
    given to others are subtracted from their counts.
    """
    given = select(Endorsement.expertise_id).where(Endorsement.by_id == person.id)
    await session.execute(
        update(Expertise)
        .where(Expertise.id.in_(given))
        .values(endorsements=Expertise.endorsements - 1)
    )
    await session.flush()
    await _clear_deliveries(session, now, person.id)
    await search.replace_documents(session, "member", person.id, [])
    await session.execute(delete(Account).where(Account.member_id == person.id))
    await session.execute(delete(Member).where(Member.id == person.id))


async def _clear_deliveries(session: AsyncSession, now: datetime, member_id: int) -> None:
    """Cancel and clear what was for the member, and copies of the member's words for others."""
    mine = Delivery.member_id == member_id
    written = Delivery.id.in_(select(RelayLine.delivery_id).where(RelayLine.author_id == member_id))
    await outbox.cancel_waiting(
        session, now, "member forgotten", or_(mine, written), unsolved=outbox.UNSOLVED
    )
    await session.execute(update(Delivery).where(written).values(body=""))
    await session.execute(
        update(Delivery).where(mine).values(body="", user="", lane="", landed_in="", platform_id="")
    )


async def scrub_index(session: AsyncSession) -> None:
    """Remove erased words from the pages of SQLite's search index; `checkpoint` does the rest."""
    if is_sqlite(session):
        await session.execute(text("INSERT INTO document_fts(document_fts) VALUES ('optimize')"))


def list_undeclared_tables() -> Sequence[str]:
    """Return tables declared neither in `PERSONAL_TABLES` nor in `IMPERSONAL_TABLES`."""
    known = PERSONAL_TABLES.keys() | IMPERSONAL_TABLES
    return sorted(name for name in Base.metadata.tables if name not in known)
