"""The databases that every test of the records runs on: SQLite, and PostgreSQL where it and its driver are installed.

SWARM_TEST_POSTGRES_URL names a server to be used instead of one that is started here.
"""

import os
import uuid
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from postgres_server import INSTALLED, PostgresServer, postgres_server
from record_samples import Clock
from sqlalchemy import create_engine, make_url

from infra.records.store import Records

POSTGRES = os.environ.get("SWARM_TEST_POSTGRES_URL")
STARTS = INSTALLED and find_spec("psycopg") is not None
collect_ignore = [] if STARTS else ["test_connection_loss.py"]


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    """A PostgreSQL server that tests may stop, if they start it again."""
    with postgres_server() as started:
        yield started


@pytest.fixture(params=["sqlite", "postgresql"] if POSTGRES or STARTS else ["sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database that does not exist yet (SQLite) or is empty (PostgreSQL)."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/records.db"
        return
    url = POSTGRES or request.getfixturevalue("server").url()
    server = make_url(url).set(drivername="postgresql+psycopg")
    name = f"swarm_test_{uuid.uuid4().hex}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield server.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    engine.dispose()


@pytest.fixture
def records(database_url: str) -> Iterator[Records]:
    """Open records, whose clock goes on by a second each time it is read."""
    with Records(database_url, Clock()) as opened:
        yield opened
