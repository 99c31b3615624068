"""Rate limits know when they were set, so that none outlives a clock that goes back"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

LONG_AGO = "1970-01-01 00:00:00+00:00"


def upgrade() -> None:
    postgres = op.get_bind().dialect.name == "postgresql"
    long_ago = LONG_AGO if postgres else LONG_AGO.removesuffix("+00:00")
    with op.batch_alter_table("gate") as table:
        table.add_column(
            sa.Column("set_at", db.base.Moment(), nullable=False, server_default=long_ago)
        )
    with op.batch_alter_table("gate") as table:
        table.alter_column("set_at", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("gate") as table:
        table.drop_column("set_at")
