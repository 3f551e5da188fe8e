"""The migrations: what they make, and that they undo it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect, make_url

from infra.records.models import Base
from infra.records.store import Records
from infra.records.upgrade import migrations
from swarm.errors import InputError


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    parsed = make_url(url)
    driver = "postgresql+psycopg" if parsed.get_backend_name() == "postgresql" else "sqlite"
    engine = create_engine(parsed.set(drivername=driver))
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def with_connection(connection: Connection) -> Config:
    config = migrations()
    config.attributes["connection"] = connection
    return config


def test_the_migrated_schema_is_that_of_the_models(database_url: str) -> None:
    Records(database_url).close()
    with connected(database_url) as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
        assert set(inspect(connection).get_table_names()) == {*Base.metadata.tables, "alembic_version"}


def test_foreign_and_primary_keys_have_the_names_that_later_migrations_use(database_url: str) -> None:
    Records(database_url).close()
    with connected(database_url) as connection:
        inspector = inspect(connection)
        for table in Base.metadata.sorted_tables:
            found = {key["name"] for key in inspector.get_foreign_keys(table.name)}
            assert found == {str(constraint.name) for constraint in table.foreign_key_constraints}
            assert inspector.get_pk_constraint(table.name)["name"] == table.primary_key.name


def test_downgrading_removes_every_table_and_upgrading_makes_them_again(database_url: str) -> None:
    Records(database_url).close()
    with connected(database_url) as connection:
        command.downgrade(with_connection(connection), "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]
    with Records(database_url) as records:
        assert records.runs() == []


def test_a_newer_schema_is_refused_and_left_alone(database_url: str, tmp_path: Path) -> None:
    Records(database_url).close()
    with connected(database_url) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(InputError) as caught:
        Records(database_url)
    assert "have the schema '9999', which this version does not know: use the newer version" in str(caught.value)
    with connected(database_url) as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == "9999"
