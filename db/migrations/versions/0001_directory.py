"""The directory: people, cities, the standard, topics"""

import sqlalchemy as sa
from alembic import op

import db.base

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "city",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("country_code", sa.String(), nullable=False),
        sa.Column("certified", sa.Boolean(), nullable=False),
        sa.Column("level", sa.String(), nullable=True),
        sa.Column("level_year", sa.Integer(), nullable=True),
        sa.Column("first_certified_year", sa.Integer(), nullable=True),
        sa.Column("population", sa.Integer(), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_city")),
        sa.UniqueConstraint("slug", name=op.f("uq_city_slug")),
    )
    op.create_table(
        "document",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("ref", sa.Integer(), nullable=False),
        sa.Column("seen", sa.String(), nullable=False),
        sa.Column("city_id", sa.Integer(), nullable=True),
        sa.Column("tokens", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
    )
    with op.batch_alter_table("document", schema=None) as batch_op:
        batch_op.create_index("ix_document_thing", ["kind", "ref"], unique=False)

    op.create_table(
        "inbound",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("at", db.base.Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_inbound")),
    )
    with op.batch_alter_table("inbound", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_inbound_at"), ["at"], unique=False)

    op.create_table(
        "installation",
        sa.Column("enterprise_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("sealed", sa.String(), nullable=False),
        sa.Column("installed_at", db.base.Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("enterprise_id", "team_id", name=op.f("pk_installation")),
    )
    with op.batch_alter_table("installation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_installation_team_id"), ["team_id"], unique=False)

    op.create_table(
        "level",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("percent_min", sa.Integer(), nullable=False),
        sa.Column("percent_max", sa.Integer(), nullable=False),
        sa.Column("count_min", sa.Integer(), nullable=False),
        sa.Column("count_max", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_level")),
        sa.UniqueConstraint("name", name=op.f("uq_level_name")),
    )
    op.create_table(
        "memo",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_memo")),
    )
    op.create_table(
        "practice_area",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("name_es", sa.String(), nullable=False),
        sa.Column("name_pt", sa.String(), nullable=False),
        sa.Column("name_fr", sa.String(), nullable=False),
        sa.Column("summary_en", sa.String(), nullable=False),
        sa.Column("summary_es", sa.String(), nullable=False),
        sa.Column("summary_pt", sa.String(), nullable=False),
        sa.Column("summary_fr", sa.String(), nullable=False),
        sa.Column("older_names", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practice_area")),
        sa.UniqueConstraint("slug", name=op.f("uq_practice_area_slug")),
    )
    op.create_table(
        "certification",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("city_id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_id"], ["city.id"], name=op.f("fk_certification_city_id_city"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certification")),
        sa.UniqueConstraint(
            "city_id",
            "year",
            "level",
            "event",
            name=op.f("uq_certification_city_id_year_level_event"),
        ),
    )
    with op.batch_alter_table("certification", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_certification_city_id"), ["city_id"], unique=False)

    op.create_table(
        "city_name",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("city_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_id"], ["city.id"], name=op.f("fk_city_name_city_id_city"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_city_name")),
    )
    with op.batch_alter_table("city_name", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_city_name_city_id"), ["city_id"], unique=False)

    op.create_table(
        "criterion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("area_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title_en", sa.String(), nullable=False),
        sa.Column("title_es", sa.String(), nullable=False),
        sa.Column("title_pt", sa.String(), nullable=False),
        sa.Column("title_fr", sa.String(), nullable=False),
        sa.Column("older", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["area_id"], ["practice_area.id"], name=op.f("fk_criterion_area_id_practice_area")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_criterion")),
        sa.UniqueConstraint("code", name=op.f("uq_criterion_code")),
    )
    with op.batch_alter_table("criterion", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_criterion_area_id"), ["area_id"], unique=False)

    op.create_table(
        "member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("folded", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("city_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("bio", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("spoken", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("hours_from", sa.String(), nullable=False),
        sa.Column("hours_to", sa.String(), nullable=False),
        sa.Column("open_to_questions", sa.Boolean(), nullable=False),
        sa.Column("monthly_asks", sa.Integer(), nullable=True),
        sa.Column("asks_taken", sa.Integer(), nullable=False),
        sa.Column("asks_month", sa.String(), nullable=False),
        sa.Column("seen_title", sa.String(), nullable=False),
        sa.Column("seen_topics", sa.String(), nullable=False),
        sa.Column("seen_languages", sa.String(), nullable=False),
        sa.Column("seen_hours", sa.String(), nullable=False),
        sa.Column("seen_bio", sa.String(), nullable=False),
        sa.Column("created_at", db.base.Moment(timezone=True), nullable=False),
        sa.Column("confirmed_at", db.base.Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_member_city_id_city")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
        sa.UniqueConstraint("email", name=op.f("uq_member_email")),
    )
    with op.batch_alter_table("member", schema=None) as batch_op:
        batch_op.create_index("ix_member_city", ["city_id", "listed"], unique=False)
        batch_op.create_index(batch_op.f("ix_member_folded"), ["folded"], unique=False)

    op.create_table(
        "topic",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("area_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["area_id"], ["practice_area.id"], name=op.f("fk_topic_area_id_practice_area")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topic")),
        sa.UniqueConstraint("slug", name=op.f("uq_topic_slug")),
    )
    with op.batch_alter_table("topic", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_topic_area_id"), ["area_id"], unique=False)

    op.create_table(
        "workspace",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("city_id", sa.Integer(), nullable=True),
        sa.Column("first_seen", db.base.Moment(timezone=True), nullable=False),
        sa.Column("removed_at", db.base.Moment(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_workspace_city_id_city")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspace")),
        sa.UniqueConstraint(
            "platform", "external_id", name=op.f("uq_workspace_platform_external_id")
        ),
    )
    with op.batch_alter_table("workspace", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_workspace_city_id"), ["city_id"], unique=False)

    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("first_seen", db.base.Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
            name=op.f("fk_account_member_id_member"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("fk_account_workspace_id_workspace"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint(
            "workspace_id", "external_id", name=op.f("uq_account_workspace_id_external_id")
        ),
    )
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_member_id"), ["member_id"], unique=False)

    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", db.base.Moment(timezone=True), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
            name=op.f("fk_audit_member_id_member"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index("ix_audit_subject", ["subject"], unique=False)

    op.create_table(
        "expertise",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("topic_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("city_id", sa.Integer(), nullable=True),
        sa.Column("seen", sa.String(), nullable=False),
        sa.Column("spoken", sa.String(), nullable=False),
        sa.Column("endorsements", sa.Integer(), nullable=False),
        sa.Column("standing", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_expertise_city_id_city")),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
            name=op.f("fk_expertise_member_id_member"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["topic_id"], ["topic.id"], name=op.f("fk_expertise_topic_id_topic"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expertise")),
        sa.UniqueConstraint(
            "member_id", "topic_id", "kind", name=op.f("uq_expertise_member_id_topic_id_kind")
        ),
    )
    with op.batch_alter_table("expertise", schema=None) as batch_op:
        batch_op.create_index(
            "ix_expertise_best",
            ["topic_id", "kind", "seen", "standing", "id", "city_id", "spoken"],
            unique=False,
        )
        batch_op.create_index(
            "ix_expertise_city",
            ["topic_id", "kind", "city_id", "standing", "id", "seen", "spoken"],
            unique=False,
        )
        batch_op.create_index(
            "ix_expertise_strengths", ["city_id", "kind", "seen", "topic_id"], unique=False
        )

    op.create_table(
        "member_role",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
            name=op.f("fk_member_role_member_id_member"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("member_id", "role", name=op.f("pk_member_role")),
    )
    op.create_table(
        "topic_criterion",
        sa.Column("topic_id", sa.Integer(), nullable=False),
        sa.Column("criterion_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["criterion_id"],
            ["criterion.id"],
            name=op.f("fk_topic_criterion_criterion_id_criterion"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["topic_id"],
            ["topic.id"],
            name=op.f("fk_topic_criterion_topic_id_topic"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("topic_id", "criterion_id", name=op.f("pk_topic_criterion")),
    )
    op.create_table(
        "topic_term",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("topic_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("term", sa.String(), nullable=False),
        sa.Column("preferred", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["topic_id"],
            ["topic.id"],
            name=op.f("fk_topic_term_topic_id_topic"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topic_term")),
        sa.UniqueConstraint(
            "topic_id", "language", "term", name=op.f("uq_topic_term_topic_id_language_term")
        ),
    )
    op.create_table(
        "endorsement",
        sa.Column("expertise_id", sa.Integer(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("at", db.base.Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["by_id"], ["member.id"], name=op.f("fk_endorsement_by_id_member"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["expertise_id"],
            ["expertise.id"],
            name=op.f("fk_endorsement_expertise_id_expertise"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("expertise_id", "by_id", name=op.f("pk_endorsement")),
    )
    with op.batch_alter_table("endorsement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_endorsement_by_id"), ["by_id"], unique=False)
    _search()


def _search() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE INDEX ix_document_tokens ON document USING gin (to_tsvector('simple', tokens))"
        )
        return
    op.execute(
        "CREATE VIRTUAL TABLE document_fts USING fts5("
        "tokens, content='document', content_rowid='id', tokenize='unicode61')"
    )
    op.execute(
        "CREATE TRIGGER document_fts_put AFTER INSERT ON document BEGIN "
        "INSERT INTO document_fts(rowid, tokens) VALUES (new.id, new.tokens); END"
    )
    op.execute(
        "CREATE TRIGGER document_fts_drop AFTER DELETE ON document BEGIN "
        "INSERT INTO document_fts(document_fts, rowid, tokens) "
        "VALUES ('delete', old.id, old.tokens); END"
    )
    op.execute(
        "CREATE TRIGGER document_fts_swap AFTER UPDATE ON document BEGIN "
        "INSERT INTO document_fts(document_fts, rowid, tokens) "
        "VALUES ('delete', old.id, old.tokens); "
        "INSERT INTO document_fts(rowid, tokens) VALUES (new.id, new.tokens); END"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP INDEX ix_document_tokens")
    else:
        op.execute("DROP TABLE document_fts")
    with op.batch_alter_table("endorsement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_endorsement_by_id"))

    op.drop_table("endorsement")
    op.drop_table("topic_term")
    op.drop_table("topic_criterion")
    op.drop_table("member_role")
    with op.batch_alter_table("expertise", schema=None) as batch_op:
        batch_op.drop_index("ix_expertise_strengths")
        batch_op.drop_index("ix_expertise_city")
        batch_op.drop_index("ix_expertise_best")

    op.drop_table("expertise")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_subject")

    op.drop_table("audit")
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_member_id"))

    op.drop_table("account")
    with op.batch_alter_table("workspace", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_workspace_city_id"))

    op.drop_table("workspace")
    with op.batch_alter_table("topic", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_topic_area_id"))

    op.drop_table("topic")
    with op.batch_alter_table("member", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_member_folded"))
        batch_op.drop_index("ix_member_city")

    op.drop_table("member")
    with op.batch_alter_table("criterion", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_criterion_area_id"))

    op.drop_table("criterion")
    with op.batch_alter_table("city_name", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_city_name_city_id"))

    op.drop_table("city_name")
    with op.batch_alter_table("certification", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_certification_city_id"))

    op.drop_table("certification")
    op.drop_table("practice_area")
    op.drop_table("memo")
    op.drop_table("level")
    with op.batch_alter_table("installation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_installation_team_id"))

    op.drop_table("installation")
    with op.batch_alter_table("inbound", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_inbound_at"))

    op.drop_table("inbound")
    with op.batch_alter_table("document", schema=None) as batch_op:
        batch_op.drop_index("ix_document_thing")

    op.drop_table("document")
    op.drop_table("city")
