"""A schedule at a real Prefect server: the sensor looks, the search runs on a worker, and nothing new costs nothing."""

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.prefect_server import api_client
from tests.prefect_worker import prefect_worker
from tests.swarm_command import swarm
from tests.tiny_search import make_search

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800, func_only=True)]
NAME = "scheduled"


def test_a_schedule_starts_a_search_on_new_data_and_then_none(server: dict[str, str], tmp_path: Path) -> None:
    config = make_search(tmp_path)
    environment = {**server, "SWARM_RUNS": str(tmp_path / "runs"), "SWARM_CACHE": str(tmp_path / "cache")}
    small = ["--set", f"name={NAME}", "--set", "search.max_iterations=1", "--interval", "20", "--pool", NAME, "--json"]
    said = json.loads(swarm(["deploy", str(config), *small], environment))
    assert said["sensor"] == f"new-data/{NAME}"
    with (
        api_client(server["PREFECT_API_URL"]) as client,
        prefect_worker(environment, tmp_path / "worker.log", NAME),
    ):
        nothing = ended(client, "NothingNew")
        searched = [run for run in flow_runs(client) if "config" in run["parameters"]]
    [run] = searched
    name = run["parameters"]["config"]["name"]
    assert nothing["state"]["message"].startswith(f"nothing new: run {name} ")
    assert (tmp_path / "runs" / name / "config.yaml").exists()


def ended(client: httpx.Client, state: str, patience: float = 600) -> dict[str, Any]:
    """Wait for a flow run that ended in the state of this name."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        for run in flow_runs(client):
            if run["state"]["name"] == state:
                return run
        time.sleep(1)
    raise TimeoutError([(run["name"], run["state"]["name"]) for run in flow_runs(client)])


def flow_runs(client: httpx.Client) -> list[dict[str, Any]]:
    """Return the flow runs of our pool that are more than planned."""
    wanted = {"flow_runs": {"state": {"name": {"not_any_": ["Scheduled"]}}}, "work_pools": {"name": {"any_": [NAME]}}}
    found: list[dict[str, Any]] = client.post("/flow_runs/filter", json=wanted).raise_for_status().json()
    return found
