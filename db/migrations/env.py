"""Runs the migrations on a connection that `db.migrate` hands over."""

from alembic import context

from db.migrate import is_compared, metadata

connection = context.config.attributes["connection"]

context.configure(
    connection=connection,
    target_metadata=metadata(),
    include_name=is_compared,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
