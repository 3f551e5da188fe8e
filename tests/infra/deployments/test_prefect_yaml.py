"""`prefect deploy --all`, at a real server, does with prefect.yaml what `swarm deploy` does with the demo's file."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL

from flows.searches import load_run_config, run_config
from infra.deployments.registering import TAG, environment, make_pool
from infra.settings import Settings

ROOT = Path(__file__).parents[3]


@pytest.mark.usefixtures("prefect_api")
def test_the_file_deploys_the_demo() -> None:
    make_pool("swarm")
    settings = {"PREFECT_API_URL": str(PREFECT_API_URL.value()), "PWD": str(ROOT), "PREFECT_LOGGING_LEVEL": "ERROR"}
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **settings}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    with get_client(sync_client=True) as client:
        found = client.read_deployment_by_name("model-swarms/demo")
    assert (found.entrypoint, found.tags) == ("flows.model_swarms.model_swarms", [TAG])
    expected = environment(Settings(runs=ROOT / "runs"))
    assert found.job_variables["env"].items() <= expected.items()
    assert set(expected) - set(found.job_variables["env"]) == {"SWARM_CACHE"}
    here = load_run_config(ROOT / "demo" / "model-swarms.yaml")
    assert run_config(found.parameters["config"], "prefect.yaml") == here
