"""The outbox: deliveries, slots of the timetable, and what each member wants to be told"""

from typing import Any

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ADDED: dict[str, list[tuple[str, sa.types.TypeEngine[Any], Any]]] = {
    "workspace": [("gathers", sa.Boolean(), sa.false())],
    "account": [
        ("reachable", sa.Boolean(), sa.true()),
        ("preferred", sa.Boolean(), sa.false()),
    ],
    "member": [
        ("quiet_from", sa.String(), "19:00"),
        ("quiet_to", sa.String(), "08:00"),
        ("weekly_ceiling", sa.Integer(), "7"),
    ],
}


PARTIAL = {
    "due": ("state = 'due'", ["retry_at", "id"]),
    "pending": ("state IN ('due', 'claimed', 'inflight')", ["lane", "at", "id"]),
    "busy": ("state IN ('claimed', 'inflight')", ["lane", "lease_until"]),
    "stale": ("state = 'due' AND expires IS NOT NULL", ["expires"]),
    "unsolved": ("state IN ('dead', 'ambiguous', 'held')", ["id"]),
    "of": ("of_id IS NOT NULL", ["of_id"]),
    "under": ("under_id IS NOT NULL", ["under_id"]),
}


def upgrade() -> None:
    for table, columns in ADDED.items():
        for name, kind, default in columns:
            op.add_column(table, sa.Column(name, kind, nullable=False, server_default=default))
    op.create_table(
        "kind_off",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
            name=op.f("fk_kind_off_member_id_member"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("member_id", "kind", name=op.f("pk_kind_off")),
    )
    op.create_table(
        "slot",
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("at", db.base.Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("job", "at", name=op.f("pk_slot")),
    )
    op.create_table(
        "gate",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("until", db.base.Moment(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_gate")),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("user", sa.String(), nullable=False, server_default=""),
        sa.Column("channel", sa.String(), nullable=False, server_default=""),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False, server_default="post"),
        sa.Column("of_id", sa.Integer(), nullable=True),
        sa.Column("under_id", sa.Integer(), nullable=True),
        sa.Column("language", sa.String(), nullable=False, server_default="en"),
        sa.Column("body", sa.String(), nullable=False, server_default=""),
        sa.Column("weighs", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("state", sa.String(), nullable=False, server_default="due"),
        sa.Column("created_at", db.base.Moment(timezone=True), nullable=False),
        sa.Column("at", db.base.Moment(timezone=True), nullable=False),
        sa.Column("retry_at", db.base.Moment(timezone=True), nullable=False),
        sa.Column("expires", db.base.Moment(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("resent", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("deaths", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("fence", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("lease_until", db.base.Moment(timezone=True), nullable=True),
        sa.Column("began_at", db.base.Moment(timezone=True), nullable=True),
        sa.Column("ended_at", db.base.Moment(timezone=True), nullable=True),
        sa.Column("platform_id", sa.String(), nullable=False, server_default=""),
        sa.Column("landed_in", sa.String(), nullable=False, server_default=""),
        sa.Column("reason", sa.String(), nullable=False, server_default=""),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
            name=op.f("fk_delivery_member_id_member"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["of_id"],
            ["delivery.id"],
            name=op.f("fk_delivery_of_id_delivery"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["under_id"],
            ["delivery.id"],
            name=op.f("fk_delivery_under_id_delivery"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("key", name=op.f("uq_delivery_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_delivery_member", "delivery", ["member_id", "weighs", "created_at"])
    for name, (where, names) in PARTIAL.items():
        few = sa.text(where)
        op.create_index(
            f"ix_delivery_{name}", "delivery", names, sqlite_where=few, postgresql_where=few
        )


def downgrade() -> None:
    for table in ("delivery", "gate", "slot", "kind_off"):
        op.drop_table(table)
    # column by column: a table that is copied and dropped would take along what hangs on it
    for table, columns in ADDED.items():
        for name, _, _ in columns:
            op.drop_column(table, name)
