"""What the buttons of Prefect's UI do to a deployed run (suspend, resume, cancel, retry), by the requests they send."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from infra.records.store import Records
from tests.prefect_server import api_client
from tests.prefect_worker import prefect_worker
from tests.swarm_command import swarm
from tests.tiny_search import RUN, make_search

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800, func_only=True)]
POOL = "controls"
LONG = ["--set", "search.max_iterations=20", "--set", "search.patience=30"]


@pytest.fixture(scope="module")
def environment(server: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("controls")
    here = {**server, "SWARM_RUNS": str(folder / "runs"), "SWARM_CACHE": str(folder / "cache")}
    config = make_search(folder)
    alone = swarm(["run", str(config), *LONG, "--json"], {**here, "SWARM_RUNS": str(folder / "alone")})
    swarm(["deploy", str(config), *LONG, "--pool", POOL, "--no-automation"], here)
    with prefect_worker(here, folder / "worker.log", POOL):
        yield {**here, "expected": json.loads(alone)["state_sha256"]}


def test_a_suspended_and_a_cancelled_run_go_on_to_the_state_of_an_undisturbed_one(environment: dict[str, str]) -> None:
    records = Records(f"sqlite:///{environment['SWARM_RUNS']}/.swarm/records.db")
    with api_client(environment["PREFECT_API_URL"]) as client, records:
        run = Run(client)
        until(lambda: iterations(records) >= 2)
        run.set_state("PAUSED", "Suspended", pause_reschedule=True, pause_key=str(uuid4()), pause_timeout=future())
        until(lambda: records.run(RUN).status == "stopped")
        assert run.state == "PAUSED"
        reached = iterations(records)
        client.post(f"/flow_runs/{run.id}/resume").raise_for_status()
        until(lambda: iterations(records) > reached)
        run.set_state("CANCELLING", "Cancelling")
        until(lambda: run.state == "CANCELLED")
        assert (records.run(RUN).status, records.run(RUN).stopped_by) == ("stopped", "interrupt")
        run.set_state("SCHEDULED", "AwaitingRetry")
        until(lambda: run.state in {"COMPLETED", "FAILED"})
        assert (run.state, records.run(RUN).status) == ("COMPLETED", "finished")
        summary = records.run(RUN).summary
        assert summary is not None
        assert summary["state_sha256"] == environment["expected"]
        assert {group.finished for group in records.evaluation_groups()} == {1}


class Run:
    """A flow run of the deployment, begun."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        deployment = client.get(f"/deployments/name/model-swarms/{RUN}").json()["id"]
        self.id = client.post(f"/deployments/{deployment}/create_flow_run", json={}).json()["id"]

    @property
    def state(self) -> str:
        return str(self._client.get(f"/flow_runs/{self.id}").json()["state"]["type"])

    def set_state(self, kind: str, name: str, **details: Any) -> None:
        body = {"state": {"type": kind, "name": name, "state_details": details}}
        said = self._client.post(f"/flow_runs/{self.id}/set_state", json=body).raise_for_status().json()
        assert said["status"] == "ACCEPT", said


def future() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))


def iterations(records: Records) -> int:
    return len(records.iterations(RUN)) if records.has_run(RUN) else 0


def until(happened: Callable[[], bool], patience: float = 400) -> None:
    deadline = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.2)
