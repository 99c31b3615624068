"""Introductions: who was asked to meet whom, who blocked whom, and the talks that began"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _moment() -> db.base.Moment:
    return db.base.Moment(timezone=True)


def _member(table: str, column: str, gone: str = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], ["member.id"], name=op.f(f"fk_{table}_{column}_member"), ondelete=gone
    )


def upgrade() -> None:
    op.create_table(
        "block",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("blocked_id", sa.Integer(), nullable=False),
        sa.Column("at", _moment(), nullable=False),
        _member("block", "member_id"),
        _member("block", "blocked_id"),
        sa.PrimaryKeyConstraint("member_id", "blocked_id", name=op.f("pk_block")),
    )
    op.create_index(op.f("ix_block_blocked_id"), "block", ["blocked_id"])
    op.create_table(
        "introduction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("one_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("topic_id", sa.Integer(), nullable=True),
        sa.Column("because", sa.String(), nullable=False, server_default=""),
        sa.Column("status", sa.String(), nullable=False, server_default="draft"),
        sa.Column("one_said", sa.String(), nullable=False, server_default=""),
        sa.Column("other_said", sa.String(), nullable=False, server_default=""),
        sa.Column("silent", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("passed", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("asked_at", _moment(), nullable=False),
        sa.Column("tells_at", _moment(), nullable=False),
        sa.Column("closed_at", _moment(), nullable=True),
        _member("introduction", "one_id"),
        _member("introduction", "other_id"),
        _member("introduction", "by_id", "SET NULL"),
        sa.ForeignKeyConstraint(
            ["topic_id"],
            ["topic.id"],
            name=op.f("fk_introduction_topic_id_topic"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_introduction")),
    )
    op.create_index("ix_introduction_pair", "introduction", ["one_id", "other_id", "status"])
    op.create_index("ix_introduction_tells", "introduction", ["status", "tells_at"])
    op.create_index(op.f("ix_introduction_other_id"), "introduction", ["other_id"])
    op.create_index(op.f("ix_introduction_by_id"), "introduction", ["by_id"])


def downgrade() -> None:
    for table in ("introduction", "block"):
        op.drop_table(table)
