"""The records' database without the records: its engine, and an older schema."""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import command
from sqlalchemy import Connection, create_engine, make_url

from infra.records.upgrade import migrations


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """Give a connection to the database at `url`, whose transaction is committed at the end."""
    parsed = make_url(url)
    driver = "postgresql+psycopg" if parsed.get_backend_name() == "postgresql" else "sqlite"
    engine = create_engine(parsed.set(drivername=driver))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def downgrade(url: str, revision: str) -> None:
    """Take the database at `url` back to an earlier schema."""
    with connected(url) as connection:
        config = migrations()
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
