"""The relay: conversations that cross workspaces"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SIDES = ("one", "other")


def upgrade() -> None:
    op.create_table(
        "relay",
        sa.Column("id", sa.Integer(), nullable=False),
        *(sa.Column(f"{side}_id", sa.Integer(), nullable=True) for side in SIDES),
        *(sa.Column(f"{side}_root_id", sa.Integer(), nullable=True) for side in SIDES),
        sa.Column("status", sa.String(), nullable=False, server_default="open"),
        sa.Column("opened_at", db.base.Moment(timezone=True), nullable=False),
        sa.Column("ended_at", db.base.Moment(timezone=True), nullable=True),
        *(
            sa.Column(f"{side}_paused_at", db.base.Moment(timezone=True), nullable=True)
            for side in SIDES
        ),
        *(
            sa.ForeignKeyConstraint(
                [f"{side}_id"],
                ["member.id"],
                name=op.f(f"fk_relay_{side}_id_member"),
                ondelete="SET NULL",
            )
            for side in SIDES
        ),
        *(
            sa.ForeignKeyConstraint(
                [f"{side}_root_id"],
                ["delivery.id"],
                name=op.f(f"fk_relay_{side}_root_id_delivery"),
                ondelete="SET NULL",
            )
            for side in SIDES
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relay")),
        sqlite_autoincrement=True,
    )
    for side in SIDES:
        op.create_index(op.f(f"ix_relay_{side}_id"), "relay", [f"{side}_id"])
        op.create_index(op.f(f"ix_relay_{side}_root_id"), "relay", [f"{side}_root_id"])
    op.create_table(
        "relay_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("relay_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(), nullable=False, server_default="passed"),
        sa.Column("edition", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("gone", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("at", db.base.Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["relay_id"],
            ["relay.id"],
            name=op.f("fk_relay_line_relay_id_relay"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["member.id"],
            name=op.f("fk_relay_line_author_id_member"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["delivery.id"],
            name=op.f("fk_relay_line_delivery_id_delivery"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relay_line")),
        sa.UniqueConstraint("source", name=op.f("uq_relay_line_source")),
    )
    for column in ("relay_id", "author_id", "delivery_id"):
        op.create_index(op.f(f"ix_relay_line_{column}"), "relay_line", [column])
    op.create_table(
        "relay_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("at", db.base.Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
            name=op.f("fk_relay_draft_member_id_member"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relay_draft")),
        sa.UniqueConstraint("source", name=op.f("uq_relay_draft_source")),
        sqlite_autoincrement=True,
    )
    for column in ("member_id", "at"):
        op.create_index(op.f(f"ix_relay_draft_{column}"), "relay_draft", [column])


def downgrade() -> None:
    for table in ("relay_draft", "relay_line", "relay"):
        op.drop_table(table)
