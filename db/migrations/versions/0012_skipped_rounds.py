"""Skipped rounds: staff may leave one out, in holidays"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("round", sa.Column("skipped_at", db.base.Moment(timezone=True)))


def downgrade() -> None:
    op.drop_column("round", "skipped_at")
