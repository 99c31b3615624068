"""What outlasts being forgotten: fingerprints of accounts, with sanctions and tries"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kept_account",
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
            name=op.f("fk_kept_account_member_id_member"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_kept_account")),
    )
    op.create_index(op.f("ix_kept_account_member_id"), "kept_account", ["member_id"])
    op.create_table(
        "kept_try",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", db.base.Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("fk_kept_try_workspace_id_workspace"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_try")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_kept_try_there", "kept_try", ["workspace_id", "kind", "at"])


def downgrade() -> None:
    op.drop_table("kept_try")
    op.drop_table("kept_account")
    # rows without a name: they held what the two tables led to
    kept = "SELECT id FROM member WHERE way = 'kept' AND name = ''"
    connection = op.get_bind()
    looked = sa.inspect(connection)
    # no row goes along by itself: foreign keys are off while SQLite migrates
    for table in looked.get_table_names():
        for key in looked.get_foreign_keys(table):
            column = key["constrained_columns"][0]
            if key["referred_table"] != "member":
                continue
            if key["options"].get("ondelete") == "SET NULL":
                change = f'UPDATE "{table}" SET "{column}" = NULL'
            else:
                change = f'DELETE FROM "{table}"'
            op.execute(f'{change} WHERE "{column}" IN ({kept})')
    op.execute("DELETE FROM member WHERE way = 'kept' AND name = ''")
