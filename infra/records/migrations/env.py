"""How Alembic runs a migration: on the connection it is given, inside that connection's transaction."""

from alembic import context

from infra.records.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite can't alter a column in place
)
with context.begin_transaction():
    context.run_migrations()
