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


def _topic(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["topic_id"], ["topic.id"], name=op.f(f"fk_{table}_topic_id_topic"), ondelete="SET NULL"
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
        sa.Column("passed", sa.Integer(), nullable=True),
        sa.Column("asked_at", _moment(), nullable=False),
        sa.Column("tells_at", _moment(), nullable=False),
        sa.Column("closed_at", _moment(), nullable=True),
        _member("introduction", "one_id"),
        _member("introduction", "other_id"),
        _member("introduction", "by_id", "SET NULL"),
        _topic("introduction"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_introduction")),
    )
    op.create_index("ix_introduction_pair", "introduction", ["one_id", "other_id", "status"])
    op.create_index("ix_introduction_tells", "introduction", ["status", "tells_at"])
    op.create_index(op.f("ix_introduction_other_id"), "introduction", ["other_id"])
    op.create_index(op.f("ix_introduction_by_id"), "introduction", ["by_id"])
    op.create_table(
        "talk",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("one_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("topic_id", sa.Integer(), nullable=True),
        sa.Column("because", sa.String(), nullable=False, server_default=""),
        sa.Column("together", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("status", sa.String(), nullable=False, server_default="opening"),
        sa.Column("opened_at", _moment(), nullable=False),
        sa.Column("one_root_id", sa.Integer(), nullable=True),
        sa.Column("other_root_id", sa.Integer(), nullable=True),
        sa.Column("offers", sa.String(), nullable=False, server_default=""),
        sa.Column("picked", sa.Integer(), nullable=True),
        sa.Column("picked_by_id", sa.Integer(), nullable=True),
        sa.Column("agreed", sa.Integer(), nullable=True),
        sa.Column("agreed_at", _moment(), nullable=True),
        sa.Column("moves", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("sequence", sa.Integer(), nullable=False, server_default="0"),
        _member("talk", "one_id"),
        _member("talk", "other_id"),
        _member("talk", "picked_by_id", "SET NULL"),
        _topic("talk"),
        *(
            sa.ForeignKeyConstraint(
                [f"{side}_root_id"],
                ["delivery.id"],
                name=op.f(f"fk_talk_{side}_root_id_delivery"),
                ondelete="SET NULL",
            )
            for side in ("one", "other")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_talk")),
        sa.UniqueConstraint("key", name=op.f("uq_talk_key")),
    )
    for column in ("one_id", "other_id", "status"):
        op.create_index(op.f(f"ix_talk_{column}"), "talk", [column])


def downgrade() -> None:
    for table in ("talk", "introduction", "block"):
        op.drop_table(table)
