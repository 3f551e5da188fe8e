"""The form in Prefect's UI, filled in by a headless Chromium, and the run that it starts on a real worker."""

from pathlib import Path
from typing import Any

import pytest

from tests.browser import chromium, field, fill, open_form, submit
from tests.prefect_server import api_client
from tests.prefect_worker import prefect_worker
from tests.swarm_command import swarm
from tests.tiny_search import make_search

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1800, func_only=True)]
NAME = "form"


@pytest.fixture(scope="module")
def environment(server: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("form")
    return {**server, "SWARM_RUNS": str(folder / "runs"), "SWARM_CACHE": str(folder / "cache")}


@pytest.fixture(scope="module")
def deployment(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> str:
    config = make_search(tmp_path_factory.mktemp("search"))
    small = ["--set", f"name={NAME}", "--set", "search.max_iterations=1"]
    swarm(["deploy", str(config), *small, "--pool", NAME], environment)
    with api_client(environment["PREFECT_API_URL"]) as client:
        return str(client.get(f"/deployments/name/model-swarms/{NAME}").raise_for_status().json()["id"])


def flow_runs(environment: dict[str, str], deployment: str) -> list[dict[str, Any]]:
    ours = {"deployments": {"id": {"any_": [deployment]}}}
    with api_client(environment["PREFECT_API_URL"]) as client:
        found: list[dict[str, Any]] = client.post("/flow_runs/filter", json=ours).raise_for_status().json()
    return found


def test_a_wrong_value_is_refused_and_a_right_one_starts_a_run_that_finishes(
    environment: dict[str, str], deployment: str, tmp_path: Path
) -> None:
    ui = environment["PREFECT_API_URL"].removesuffix("/api")
    with chromium() as browser:
        page = open_form(browser, ui, deployment)
        assert "Experts are grown to N particles by crossover." in field(page, "Particles (N)").inner_text()
        fill(page, "Particles (N)", "1")
        submit(page)
        page.get_by_text("1 is less than the minimum of 2").first.wait_for()
        assert flow_runs(environment, deployment) == []
        fill(page, "Particles (N)", "5")
        submit(page)
        with prefect_worker(environment, tmp_path / "worker.log", NAME):
            page.get_by_text("Completed", exact=True).first.wait_for(timeout=600_000)
    [run] = flow_runs(environment, deployment)
    assert (run["state"]["type"], run["parameters"]["config"]["search"]["particles"]) == ("COMPLETED", 5)
    assert (Path(environment["SWARM_RUNS"]) / NAME / "best" / "adapter_model.safetensors").exists()
