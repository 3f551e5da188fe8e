"""Deploy a search, kill what runs it, and see that it finishes by itself as if nothing had happened.

    python bench/ops_test.py

On the loopback: PostgreSQL (if it is installed) for the Prefect server and for the records, a Prefect server, a worker,
and a search of a tiny random Llama. In the middle of an iteration the flow run's process is killed; later the worker
and the flow run's process together, and a worker is started again. Nobody touches the run. It has to end with the same
state as an undisturbed run, with no finished evaluation made twice. Everything is stopped at the end.
"""

import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "crash")]

import httpx  # noqa: E402
from postgres_server import INSTALLED, PostgresServer, postgres_server  # noqa: E402
from prefect_server import prefect_server  # noqa: E402
from prefect_worker import Worker, flow_process, kill, prefect_worker  # noqa: E402
from sqlalchemy import URL, create_engine, make_url  # noqa: E402
from swarm_command import swarm  # noqa: E402
from tiny_search import RUN, make_search  # noqa: E402

from infra.records.store import Records  # noqa: E402
from infra.records.values import RunStatus  # noqa: E402

SEARCH = ["--set", "search.max_iterations=12", "--set", "search.patience=20", "--set", "engine.group_size=2"]
GROUPS = 3
"""Evaluation groups of an iteration: six particles, two at a time."""
PATIENCE = 900.0
"""Seconds after which what is waited for is given up."""


class Api:
    """What is asked of the Prefect server."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=60)

    def start(self, deployment: str) -> UUID:
        """Start a run of a deployment, as the UI does; return the flow run's id."""
        found = self._client.get(f"/deployments/name/{deployment}").raise_for_status().json()
        made = self._client.post(f"/deployments/{found['id']}/create_flow_run", json={}).raise_for_status().json()
        return UUID(made["id"])

    def state(self, flow_run: UUID) -> tuple[str, int]:
        """Return the type of a flow run's state, and how often it was begun."""
        found = self._client.get(f"/flow_runs/{flow_run}").raise_for_status().json()
        return found["state"]["type"], found["run_count"]


def main() -> int:
    """Print what happened, a line a step, and the verdict; return the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # stops everything on its way out, as Ctrl-C does
    with tempfile.TemporaryDirectory(prefix="ops-", ignore_cleanup_errors=True) as name, ExitStack() as stack:
        folder = Path(name)
        config = make_search(folder)
        environment = _services(stack, folder)
        expected = _undisturbed(config, {**environment, "SWARM_RUNS": str(folder / "undisturbed")}, folder)
        say(f"undisturbed: state {expected['state_sha256'][:16]}")
        summary = _disturbed(stack, config, environment, folder)
        return verdict(expected, summary, _records_url(environment, folder / "runs"))


def verdict(expected: dict[str, Any], summary: dict[str, Any], records_url: str) -> int:
    """Compare the two runs; return 0 if nothing differs and nothing was done twice."""
    with Records(records_url) as records:
        repeated = sum(group.finished > 1 for group in records.evaluation_groups())
    same = all(summary[key] == expected[key] for key in ("state_sha256", "best_adapter_sha256"))
    say(f"killed twice: state {summary['state_sha256'][:16]}, {repeated} finished evaluation groups repeated")
    say("passed: the same state and adapter, nothing repeated" if same and not repeated else "FAILED")
    return 0 if same and not repeated else 1


def _services(stack: ExitStack, folder: Path) -> dict[str, str]:
    """Start the servers; return the environment of what uses them."""
    settings, ours = {}, {"SWARM_CACHE": str(folder / "cache"), "SWARM_RUNS": str(folder / "runs")}
    if INSTALLED:
        with took("PostgreSQL"):
            postgres = stack.enter_context(postgres_server())
            url = _database(postgres, "prefect", "postgresql+asyncpg")
            settings = {"PREFECT_SERVER_DATABASE_CONNECTION_URL": url}
            ours["SWARM_DATABASE_URL"] = _database(postgres, "records", "postgresql")
    else:
        say("no PostgreSQL here: the servers use SQLite")
    with took("Prefect server"):
        found = stack.enter_context(prefect_server(folder / "prefect", settings))
    return {**found, **ours, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


def _database(server: PostgresServer, name: str, driver: str) -> str:
    url: URL = make_url(server.url()).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return url.set(drivername=driver, database=name).render_as_string(hide_password=False)


def _undisturbed(config: Path, environment: dict[str, str], folder: Path) -> dict[str, Any]:
    """Run the search with `swarm run`, with records of its own: the twin must not find this one's evaluations."""
    alone = {key: value for key, value in environment.items() if key != "SWARM_DATABASE_URL"}
    with took("undisturbed run"):
        found: dict[str, Any] = json.loads(swarm(["run", str(config), *SEARCH, "--json"], alone))
    return found


def _disturbed(stack: ExitStack, config: Path, environment: dict[str, str], folder: Path) -> dict[str, Any]:
    deployment = json.loads(swarm(["deploy", str(config), *SEARCH, "--json"], environment))["deployment"]
    worker = stack.enter_context(prefect_worker(environment, folder / "worker.log"))
    api, records_url = Api(environment["PREFECT_API_URL"]), _records_url(environment, folder / "runs")
    flow_run = api.start(deployment)
    with took("worker's start of the run"):
        wait_for("the run begins", lambda: api.state(flow_run)[0] == "RUNNING")
    _kill_in_an_iteration(api, flow_run, records_url, after=2, worker=None)
    _kill_in_an_iteration(api, flow_run, records_url, after=6, worker=worker)
    with took("rest of the run"):
        wait_for("the run ends", lambda: api.state(flow_run)[0] in {"COMPLETED", "FAILED"})
    with Records(records_url) as records:
        run = records.run(RUN)
    if api.state(flow_run)[0] != "COMPLETED" or run.status is not RunStatus.FINISHED or run.summary is None:
        raise RuntimeError(f"the run is {run.status}: {run.error}\n{(folder / 'worker.log').read_text()[-4000:]}")
    return run.summary


def _kill_in_an_iteration(api: Api, flow_run: UUID, records_url: str, after: int, worker: Worker | None) -> None:
    """Kill the flow run's process (and `worker`) in an iteration later than `after`; wait until it runs again."""
    count, what = api.state(flow_run)[1], "flow run's process" if worker is None else "worker and flow run's process"
    process = flow_process(flow_run)
    with Records(records_url) as records:
        wait_for("the middle of an iteration", lambda: _in_an_iteration(records, after), pause=0.02)
        if worker is not None:
            worker.kill()
        kill(process)
        say(f"killed the {what} in iteration {len(records.iterations(RUN))}")
    with took("  until it is marked Crashed"):
        wait_for("the run is Crashed", lambda: api.state(flow_run)[0] == "CRASHED", pause=0.2)
    if worker is not None:
        worker.restart()
    with took("  until it goes on"):
        wait_for("the run goes on", lambda: api.state(flow_run)[1] > count)


def _in_an_iteration(records: Records, after: int) -> bool:
    """Tell whether some, not all groups of the iteration under way are finished."""
    saved = len(records.iterations(RUN)) if records.has_run(RUN) else 0
    return saved > after and len(records.evaluation_groups()) % GROUPS != 0


def _records_url(environment: dict[str, str], runs: Path) -> str:
    return environment.get("SWARM_DATABASE_URL", f"sqlite:///{runs / '.swarm' / 'records.db'}")


def wait_for(what: str, happened: Callable[[], bool], pause: float = 0.5) -> None:
    """Wait until `happened`, but not for ever."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {PATIENCE:.0f} s in vain until {what}")
        time.sleep(pause)


@contextmanager
def took(what: str) -> Iterator[None]:
    """Say how long the block took."""
    start = time.monotonic()
    yield
    say(f"{what}: {time.monotonic() - start:.1f} s")


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
