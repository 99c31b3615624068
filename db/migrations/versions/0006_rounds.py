"""Pairing rounds: who takes part, who met whom"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _moment(name: str, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, db.base.Moment(timezone=True), nullable=nullable)


def _to(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete="CASCADE")


def upgrade() -> None:
    op.create_table(
        "round",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False, server_default="0"),
        *(_moment(f"{step}_at") for step in ("drafted", "noticed", "locked", "sent", "checked", "closed")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round")),
        sa.UniqueConstraint("day", name=op.f("uq_round_day")),
    )
    op.create_table(
        "round_member",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("rhythm", sa.String(), nullable=False, server_default="weekly"),
        sa.Column("nth", sa.Integer(), nullable=False, server_default="1"),
        _moment("joined_at", nullable=False),
        sa.Column("snoozed_until", sa.Date(), nullable=True),
        sa.Column("skips", sa.Date(), nullable=True),
        sa.Column("missed", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("silent", sa.Integer(), nullable=False, server_default="0"),
        _moment("asked_at"),
        _moment("paused_at"),
        _to("round_member", "member_id", "member"),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_round_member")),
    )
    op.create_table(
        "round_avoid",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("avoided_id", sa.Integer(), nullable=False),
        _to("round_avoid", "member_id", "member"),
        _to("round_avoid", "avoided_id", "member"),
        sa.PrimaryKeyConstraint("member_id", "avoided_id", name=op.f("pk_round_avoid")),
    )
    op.create_index(op.f("ix_round_avoid_avoided_id"), "round_avoid", ["avoided_id"])
    op.create_table(
        "round_group",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("again", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("late", sa.Boolean(), nullable=False, server_default=sa.false()),
        _moment("begun_at"),
        _to("round_group", "round_id", "round"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round_group")),
    )
    op.create_index("ix_round_group_round", "round_group", ["round_id", "begun_at"])
    op.create_table(
        "round_place",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False, server_default=""),
        _moment("answered_at"),
        _to("round_place", "round_id", "round"),
        _to("round_place", "member_id", "member"),
        _to("round_place", "group_id", "round_group"),
        sa.PrimaryKeyConstraint("round_id", "member_id", name=op.f("pk_round_place")),
    )
    for column in ("member_id", "group_id"):
        op.create_index(op.f(f"ix_round_place_{column}"), "round_place", [column])
    op.create_table(
        "round_left",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("fits", sa.Integer(), nullable=False, server_default="0"),
        _moment("told_at"),
        _to("round_left", "round_id", "round"),
        _to("round_left", "member_id", "member"),
        sa.PrimaryKeyConstraint("round_id", "member_id", name=op.f("pk_round_left")),
    )
    op.create_index(op.f("ix_round_left_member_id"), "round_left", ["member_id"])


def downgrade() -> None:
    for name in ("left", "place", "group", "avoid", "member"):
        op.drop_table(f"round_{name}")
    op.drop_table("round")
