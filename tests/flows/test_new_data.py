"""The sensor of a deployed search, at a real Prefect server; no worker runs what it starts."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from prefect import State as FlowState
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.objects import FlowRun

from flows.model_swarms import model_swarms
from flows.new_data import new_data
from infra.deployments.fingerprint import fingerprint
from infra.deployments.registering import register
from infra.records.store import Records
from infra.records.values import RunStatus
from infra.searches.model_swarms.config import ModelSwarmsConfig
from infra.settings import Settings
from swarm.errors import InputError

pytestmark = pytest.mark.usefixtures("prefect_api")


@pytest.fixture
def data(tmp_path: Path, search_config: ModelSwarmsConfig) -> Path:
    copied = tmp_path / "data.json"
    copied.write_text(search_config.objective.tasks[0].data.read_text())
    return copied


@pytest.fixture
def deployment(request: pytest.FixtureRequest, runs: Path, data: Path, search_config: ModelSwarmsConfig) -> str:
    config = search_config.model_dump(mode="json")
    config["name"] = f"sensed-{crc32(request.node.name.encode()):x}"
    config["objective"]["tasks"][0]["data"] = str(data)
    return register(model_swarms, config["name"], {"config": config}, "swarm", Settings())


@pytest.fixture
def records(runs: Path) -> Iterator[Records]:
    with Records(Settings().records_url) as opened:
        yield opened


def look(deployment: str, **parameters: Any) -> FlowState[Any]:
    outcome: FlowState[Any] = new_data(deployment, **parameters, return_state=True)
    return outcome


def started(deployment: str) -> list[FlowRun]:
    with get_client(sync_client=True) as client:
        identity = client.read_deployment_by_name(deployment).id
        return client.read_flow_runs(deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[identity])))


def test_new_data_starts_a_run_named_by_it_and_the_same_data_no_second_one(deployment: str, data: Path) -> None:
    name = f"{deployment.partition('/')[2]}-{fingerprint([str(data)])[:6]}"
    for _ in range(2):
        outcome = look(deployment)
        assert (outcome.name, outcome.message) == ("Started", f"the data is new: run {name} searches on it")
    [run] = started(deployment)
    assert run.parameters["config"]["name"] == name
    assert run.parameters["config"]["objective"]["tasks"][0]["data"] == str(data)
    assert "swarm" in run.tags


def test_data_that_was_searched_is_nothing_new(deployment: str, data: Path, records: Records) -> None:
    name = f"{deployment.partition('/')[2]}-{fingerprint([str(data)])[:6]}"
    records.start_run(name, "model-swarms", {}, {}, 0)
    records.mark(name, RunStatus.FINISHED)
    outcome = look(deployment)
    assert (outcome.name, outcome.type.value) == ("NothingNew", "COMPLETED")
    assert outcome.message == f"nothing new: run {name} has searched on this data; see: swarm report {name}"
    assert started(deployment) == []


def test_changed_data_goes_on_from_the_run_on_the_old_data(deployment: str, data: Path, records: Records) -> None:
    name = deployment.partition("/")[2]
    records.start_run(f"{name}-000000", "model-swarms", {}, {}, 0)
    records.mark(f"{name}-000000", RunStatus.FINISHED)
    look(deployment)
    [warm] = started(deployment)
    assert warm.parameters["config"]["warm_start"] == f"{name}-000000"
    data.write_text(json.dumps({**json.loads(data.read_text()), "dataset": "changed"}))
    look(deployment, warm_start=False)
    [cold] = [run for run in started(deployment) if run.id != warm.id]
    assert cold.parameters["config"]["warm_start"] is None


def test_watched_files_count_instead_of_the_objectives(deployment: str, data: Path, tmp_path: Path) -> None:
    watched = tmp_path / "watched"
    watched.mkdir()
    (watched / "today.csv").write_text("1")
    look(deployment, watch=[str(watched)])
    data.write_text(json.dumps({**json.loads(data.read_text()), "dataset": "changed"}))
    look(deployment, watch=[str(watched)])
    assert len(started(deployment)) == 1


def test_a_deployment_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="deployment 'model-swarms/nobody': there is none of that name"):
        look("model-swarms/nobody").result()
