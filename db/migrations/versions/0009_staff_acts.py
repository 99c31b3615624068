"""Staff acts: why something was decided, and when staff want a round sent"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("report", sa.Column("reason", sa.String(), nullable=False, server_default=""))
    op.add_column("round", sa.Column("send_from", db.base.Moment(timezone=True)))
    op.add_column(
        "round", sa.Column("at_once", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("round_group", sa.Column("begins_at", db.base.Moment(timezone=True)))


def downgrade() -> None:
    op.drop_column("round_group", "begins_at")
    op.drop_column("round", "at_once")
    op.drop_column("round", "send_from")
    op.drop_column("report", "reason")
