"""Numbers that are given out once: on SQLite too, no row gets the number of a deleted one"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

NUMBERED = (
    "audit", "city", "document", "level", "practice_area", "round", "certification", "city_name",
    "criterion", "member", "round_group", "topic", "workspace", "account", "expertise",
    "introduction", "report", "topic_term", "code_try", "invitation", "join_request", "link",
    "talk", "relay_line",
)  # fmt: skip
"""The tables that did not have it yet: `delivery`, `relay` and `relay_draft` were made with it."""

LOGGED = {"request": "join_request"}
"""What the audit log calls a table, where it is not the table's name."""


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in NUMBERED:
            _rebuild(table, autoincrement=True)
        _skip_logged_numbers()


def _rebuild(table: str, *, autoincrement: bool) -> None:
    """Copy a table into one that counts in the other way, with its rows, indexes and triggers.

    `db.migrate` switches foreign keys off meanwhile: what hangs on a row would go with it.
    """
    hung = sa.text("SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = :table")
    triggers = op.get_bind().scalars(hung, {"table": table}).all()
    way: dict[str, Any] = {"sqlite_autoincrement": autoincrement}
    with op.batch_alter_table(table, recreate="always", table_kwargs=way):
        pass
    for trigger in triggers:
        op.execute(sa.text(trigger.replace(":", r"\:")))


def _skip_logged_numbers() -> None:
    """Let no table give out a number that the audit log names: rows of it may be gone by now."""
    connection = op.get_bind()
    named: dict[str, int] = {}
    for member, subject in connection.execute(sa.text("SELECT member_id, subject FROM audit")):
        kind, _, number = subject.partition(":")
        table = LOGGED.get(kind, kind)
        if table in NUMBERED and number.isascii() and number.isdigit():
            named[table] = max(named.get(table, 0), int(number))
        named["member"] = max(named.get("member", 0), member or 0)
    for table, number in named.items():
        newest = connection.scalar(sa.text(f'SELECT max(id) FROM "{table}"')) or 0
        last = {"name": table, "seq": max(number, newest)}
        connection.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :name"), last)
        connection.execute(sa.text("INSERT INTO sqlite_sequence VALUES (:name, :seq)"), last)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in reversed(NUMBERED):
            _rebuild(table, autoincrement=False)
