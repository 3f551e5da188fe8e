"""The databases that every test of the records runs on: SQLite, and PostgreSQL where that and its driver are."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url

from infra.records.store import Records
from tests.infra.records.record_samples import Clock
from tests.installed import package_tested, tested
from tests.postgres_server import INSTALLED, PostgresServer, postgres_server

POSTGRES = tested("PostgreSQL", INSTALLED, "apt-get install postgresql") and package_tested("psycopg", "postgres")
IN_POSTGRES = [pytest.mark.server]
collect_ignore = [] if POSTGRES else ["test_connection_loss.py"]


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    """A PostgreSQL server that tests may stop, if they start it again."""
    with postgres_server() as started:
        yield started


@pytest.fixture(params=["sqlite", *([pytest.param("postgresql", marks=IN_POSTGRES)] if POSTGRES else [])])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database that does not exist yet (SQLite) or is empty (PostgreSQL)."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/records.db"
        return
    server = make_url(request.getfixturevalue("server").url()).set(drivername="postgresql+psycopg")
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
