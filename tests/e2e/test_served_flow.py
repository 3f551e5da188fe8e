"""`flow.serve`, as docs/deployments.md shows it: a process of one's own runs what is started at the server."""

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.prefect_server import api_client
from tests.prefect_worker import flow_processes, kill
from tests.tiny_search import RUN, make_search

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800, func_only=True)]

SERVE = """
import sys
from pathlib import Path
from flows.model_swarms import model_swarms
from flows.searches import load_run_config

config = load_run_config(Path(sys.argv[1]), ["search.max_iterations=1"])
model_swarms.serve(name="served", parameters={"config": config.model_dump(mode="json")})
"""


def test_a_served_search_runs_when_it_is_started_at_the_server(server: dict[str, str], tmp_path: Path) -> None:
    config = make_search(tmp_path)
    environment = {**os.environ, **server, "SWARM_RUNS": str(tmp_path / "runs")}
    command = [sys.executable, "-c", SERVE, str(config)]
    with (tmp_path / "served.log").open("wb") as log:
        serving = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        with api_client(server["PREFECT_API_URL"]) as client:
            assert completed(client), (tmp_path / "served.log").read_text()
    finally:
        serving.kill()
        serving.wait()
        for process in flow_processes(f"PREFECT_API_URL={server['PREFECT_API_URL']}"):
            kill(process)
    assert (tmp_path / "runs" / RUN / "best" / "adapter_model.safetensors").exists()


def completed(client: httpx.Client, patience: float = 600) -> bool:
    """Start a run when the deployment is there; tell whether it came to its end."""
    deadline, started = time.monotonic() + patience, None
    while time.monotonic() < deadline:
        deployment = client.get("/deployments/name/model-swarms/served")
        if deployment.is_success and started is None:
            path = f"/deployments/{deployment.json()['id']}/create_flow_run"
            started = client.post(path, json={}).raise_for_status().json()["id"]
        if started is not None:
            state = client.get(f"/flow_runs/{started}").raise_for_status().json()["state"]["type"]
            if state in {"COMPLETED", "FAILED", "CRASHED"}:
                return bool(state == "COMPLETED")
        time.sleep(1)
    return False
