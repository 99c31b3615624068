"""Moderation: reports, and an audit log that shows tampering"""

import hashlib
from datetime import UTC

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

AUDIT = sa.table(
    "audit",
    sa.column("id", sa.Integer()),
    sa.column("at", db.base.Moment()),
    sa.column("member_id", sa.Integer()),
    sa.column("action", sa.String()),
    sa.column("subject", sa.String()),
    sa.column("outcome", sa.String()),
    sa.column("seal", sa.String()),
)
MEMO = sa.table("memo", sa.column("key", sa.String()), sa.column("value", sa.String()))
WARNING = "the audit log is only added to"


def upgrade() -> None:
    with op.batch_alter_table("audit") as batch_op:
        batch_op.drop_constraint("fk_audit_member_id_member", type_="foreignkey")
        batch_op.add_column(sa.Column("seal", sa.String(), nullable=False, server_default=""))
    _seal_what_is_there()
    _only_add()
    op.add_column("member", sa.Column("muted_until", db.base.Moment(timezone=True)))
    op.create_table(
        "report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("about_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("because", sa.String(), nullable=False),
        sa.Column("at", db.base.Moment(timezone=True), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", db.base.Moment(timezone=True), nullable=True),
        sa.Column("appeal", sa.String(), nullable=False),
        sa.Column("appealed_at", db.base.Moment(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["by_id"], ["member.id"], name=op.f("fk_report_by_id_member"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["about_id"], ["member.id"], name=op.f("fk_report_about_id_member"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"],
            ["member.id"],
            name=op.f("fk_report_decided_by_id_member"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
    )
    op.create_index("ix_report_queue", "report", ["status", "id"])
    op.create_index("ix_report_about", "report", ["about_id", "id"])


def _seal_what_is_there() -> None:
    """Rows get the numbers 1, 2, 3… in their order, and each the seal of its predecessors."""
    connection = op.get_bind()
    before, number = "", 0
    for row in connection.execute(sa.select(AUDIT).order_by(AUDIT.c.id)).all():
        number += 1
        moment = row.at.astimezone(UTC).isoformat(timespec="microseconds")
        told = (before, number, moment, row.member_id, row.action, row.subject, row.outcome)
        before = hashlib.sha256("\x1f".join(map(str, told)).encode()).hexdigest()
        connection.execute(
            sa.update(AUDIT).where(AUDIT.c.id == row.id).values(id=number, seal=before)
        )
    if number:
        connection.execute(sa.insert(MEMO).values(key="audit-head", value=f"{number}:{before}"))


def _only_add() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{act.lower()} BEFORE {act} ON audit "
                f"BEGIN SELECT RAISE(ABORT, '{WARNING}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_only_added() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{WARNING}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "EXECUTE FUNCTION audit_only_added()"
    )


def downgrade() -> None:
    op.drop_table("report")
    op.drop_column("member", "muted_until")
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_no_update")
        op.execute("DROP TRIGGER audit_no_delete")
    else:
        op.execute("DROP TRIGGER audit_no_change ON audit")
        op.execute("DROP FUNCTION audit_only_added()")
    op.execute(sa.delete(MEMO).where(MEMO.c.key == "audit-head"))
    members = sa.select(sa.table("member", sa.column("id", sa.Integer())).c.id)
    op.execute(
        sa.update(AUDIT).where(AUDIT.c.member_id.not_in(members)).values(member_id=None)
    )
    with op.batch_alter_table("audit") as batch_op:
        batch_op.drop_column("seal")
        batch_op.create_foreign_key(
            "fk_audit_member_id_member", "member", ["member_id"], ["id"], ondelete="SET NULL"
        )
