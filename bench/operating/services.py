"""The servers of bench.operating.ops_test: all on the loopback, all gone at the end."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, create_engine, make_url

from bench.operating.telling import took
from tests.postgres_server import PostgresServer, postgres_server
from tests.prefect_server import prefect_server
from tests.two_nodes import ELSEWHERE, TwoNodes, two_nodes


@dataclass(frozen=True)
class Services:
    """What runs, and the environment of what uses it."""

    environment: dict[str, str]
    ray: TwoNodes

    @property
    def records_url(self) -> str:
        """The database of the run that is disturbed."""
        return self.environment["SWARM_DATABASE_URL"]


def start_services(stack: ExitStack, folder: Path) -> Services:
    """Start PostgreSQL, with a database for Prefect and one for the records; a Prefect server; Ray with two nodes."""
    with took("PostgreSQL"):
        postgres = stack.enter_context(postgres_server())
        settings = {"PREFECT_SERVER_DATABASE_CONNECTION_URL": _database(postgres, "prefect", "postgresql+asyncpg")}
        records = _database(postgres, "records", "postgresql")
    with took("Prefect server"):
        found = stack.enter_context(prefect_server(folder / "prefect", settings))
    with took("Ray, two nodes"):
        ray = stack.enter_context(two_nodes())
    ours = {"SWARM_CACHE": str(folder / "cache"), "SWARM_RUNS": str(folder / "runs"), "SWARM_DATABASE_URL": records}
    return Services({**found, **ours, **ELSEWHERE, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}, ray)


def _database(server: PostgresServer, name: str, driver: str) -> str:
    url: URL = make_url(server.url()).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return url.set(drivername=driver, database=name).render_as_string(hide_password=False)
