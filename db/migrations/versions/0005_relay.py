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
        *(sa.Column(f"{side}_id", sa.Integer(), nullable=False) for side in SIDES),
        *(sa.Column(f"{side}_root_id", sa.Integer(), nullable=True) for side in SIDES),
        sa.Column("status", sa.String(), nullable=False, server_default="open"),
        sa.Column("opened_at", db.base.Moment(timezone=True), nullable=False),
        sa.Column("ended_at", db.base.Moment(timezone=True), nullable=True),
        *(
            sa.ForeignKeyConstraint(
                [f"{side}_id"],
                ["member.id"],
                name=op.f(f"fk_relay_{side}_id_member"),
                ondelete="CASCADE",
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
    )
    for side in SIDES:
        op.create_index(op.f(f"ix_relay_{side}_id"), "relay", [f"{side}_id"])
        op.create_index(op.f(f"ix_relay_{side}_root_id"), "relay", [f"{side}_root_id"])


def downgrade() -> None:
    op.drop_table("relay")
