"""Upgrade a database to this version's schema, safely while other processes open it too."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from infra.files.locks import exclusive_lock
from swarm.errors import InputError

_ADVISORY_LOCK = 0x5377_6172_6D
"""The number of the PostgreSQL lock under which a schema is changed ("Swarm" in ASCII)."""

_ALEMBIC = threading.Lock()
"""Alembic hands its environment to env.py by a global, so one thread at a time runs it."""


def migrations() -> Config:
    """Return Alembic's configuration: where the migrations are."""
    config = Config()
    config.set_main_option("script_location", "infra.records:migrations")
    return config


def upgrade(reader: Engine, writer: Engine, where: str) -> None:
    """Create or upgrade the schema of the database, in one transaction; two processes may do so at once.

    Args:
        reader: begins deferred transactions.
        writer: begins transactions that write, on the same database.
        where: what messages call the database.

    Raises:
        InputError: its schema is newer than this version.

    """
    with _alone(reader):
        with reader.connect() as connection:
            revision = _revision(connection)
        if _is_current(revision, where):
            return
        with _ALEMBIC, writer.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
            config = migrations()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _is_current(revision: str | None, where: str) -> bool:
    script = ScriptDirectory.from_config(migrations())
    if revision is not None and revision not in {migration.revision for migration in script.walk_revisions()}:
        raise InputError(
            f"the records at {where} have the schema {revision!r}, which this version does not know: "
            "use the newer version that wrote them, or set SWARM_DATABASE_URL to another database"
        )
    return revision == script.get_current_head()


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    # SQLite's time-out does not cover the change of a new database to WAL, made by its first connection: two
    # processes would see "database is locked" at once. So opening is done in turn.
    if engine.dialect.name != "sqlite":
        yield
        return
    with exclusive_lock(Path(f"{engine.url.database}.lock")):
        yield
