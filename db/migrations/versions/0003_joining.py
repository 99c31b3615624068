"""Joining: codes, allowed domains, invitations, requests and links"""

from typing import Any

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def moment() -> db.base.Moment:
    return db.base.Moment(timezone=True)


ADDED: dict[str, list[tuple[str, Any, Any]]] = {
    "workspace": [("vouched", sa.Boolean(), sa.false())],
    "member": [
        ("way", sa.String(), ""),
        ("proved_at", moment(), None),
        ("welcomed_at", moment(), None),
    ],
}


def tied(table: str, column: str, to: str, when: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"), ondelete=when
    )


def upgrade() -> None:
    for table, columns in ADDED.items():
        for name, kind, default in columns:
            op.add_column(
                table,
                sa.Column(name, kind, nullable=default is None, server_default=default),
            )
    op.create_table(
        "city_code",
        sa.Column("city_id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("made_at", moment(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False, server_default="0"),
        tied("city_code", "city_id", "city", "CASCADE"),
        tied("city_code", "by_id", "member", "SET NULL"),
        sa.PrimaryKeyConstraint("city_id", name=op.f("pk_city_code")),
        sa.UniqueConstraint("hash", name=op.f("uq_city_code_hash")),
    )
    op.create_table(
        "city_domain",
        sa.Column("domain", sa.String(), nullable=False),
        sa.Column("city_id", sa.Integer(), nullable=False),
        tied("city_domain", "city_id", "city", "CASCADE"),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_city_domain")),
    )
    op.create_index(op.f("ix_city_domain_city_id"), "city_domain", ["city_id"])
    op.create_table(
        "invitation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("city_id", sa.Integer(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("hash", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False, server_default="open"),
        sa.Column("made_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        tied("invitation", "city_id", "city", "CASCADE"),
        tied("invitation", "by_id", "member", "CASCADE"),
        tied("invitation", "account_id", "account", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("hash", name=op.f("uq_invitation_hash")),
    )
    for column in ("by_id", "account_id"):
        op.create_index(op.f(f"ix_invitation_{column}"), "invitation", [column])
    op.create_table(
        "join_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("city_id", sa.Integer(), nullable=True),
        sa.Column("said", sa.String(), nullable=False, server_default=""),
        sa.Column("status", sa.String(), nullable=False, server_default="open"),
        sa.Column("made_at", moment(), nullable=False),
        sa.Column("decided_at", moment(), nullable=True),
        sa.Column("by_id", sa.Integer(), nullable=True),
        tied("join_request", "account_id", "account", "CASCADE"),
        tied("join_request", "city_id", "city", "CASCADE"),
        tied("join_request", "by_id", "member", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_join_request")),
    )
    op.create_index(op.f("ix_join_request_account_id"), "join_request", ["account_id"])
    op.create_index("ix_join_request_open", "join_request", ["status", "city_id"])
    op.create_table(
        "code_try",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        sa.Column("at", moment(), nullable=False),
        tied("code_try", "account_id", "account", "CASCADE"),
        tied("code_try", "workspace_id", "workspace", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code_try")),
    )
    op.create_index("ix_code_try_there", "code_try", ["workspace_id", "at"])
    op.create_index(op.f("ix_code_try_account_id"), "code_try", ["account_id"])
    op.create_table(
        "link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=True),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False, server_default="open"),
        sa.Column("made_at", moment(), nullable=False),
        sa.Column("expires_at", moment(), nullable=False),
        tied("link", "account_id", "account", "CASCADE"),
        tied("link", "member_id", "member", "CASCADE"),
        tied("link", "other_id", "account", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link")),
        sa.UniqueConstraint("hash", name=op.f("uq_link_hash")),
    )
    for column in ("account_id", "member_id", "other_id"):
        op.create_index(op.f(f"ix_link_{column}"), "link", [column])


def downgrade() -> None:
    for table in ("link", "code_try", "join_request", "invitation", "city_domain", "city_code"):
        op.drop_table(table)
    for table, columns in ADDED.items():
        for name, _, _ in columns:
            op.drop_column(table, name)
