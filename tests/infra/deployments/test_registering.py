"""What is at a real Prefect server after a search was registered there."""

from pathlib import Path
from typing import Any

import pytest
from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.responses import DeploymentResponse
from prefect.schedules import Interval

from flows.evolution_strategies import evolution_strategies
from flows.heterogeneous_swarms import heterogeneous_swarms
from flows.model_swarms import model_swarms
from infra.deployments.automations import RESTARTS, crash_automations, install
from infra.deployments.gpu_limit import limit_gpu_tasks
from infra.deployments.registering import register, unregister
from infra.settings import Settings

PARAMETERS = {"config": {"name": "demo"}}
pytestmark = pytest.mark.usefixtures("prefect_api")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("SWARM_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("SWARM_DATABASE_URL", "postgresql://user:secret@127.0.0.1/records")
    return Settings()


def deployed(name: str = "demo") -> DeploymentResponse:
    with get_client(sync_client=True) as client:
        return client.read_deployment_by_name(f"model-swarms/{name}")


def test_it_is_found_by_module_path_and_knows_where_runs_are(settings: Settings) -> None:
    assert register(model_swarms, "demo", PARAMETERS, "pool-of-demo", settings) == "model-swarms/demo"
    found = deployed()
    assert (found.entrypoint, found.path) == ("flows.model_swarms.model_swarms", None)
    assert (found.work_pool_name, found.parameters, found.tags) == ("pool-of-demo", PARAMETERS, ["swarm"])
    assert found.job_variables["env"]["SWARM_RUNS"] == str(settings.runs)
    assert "secret" not in str(found)
    with get_client(sync_client=True) as client:
        assert client.read_work_pool("pool-of-demo").type == "process"


def test_the_form_has_every_field_with_title_description_and_bounds(settings: Settings) -> None:
    register(model_swarms, "demo", PARAMETERS, "swarm", settings)
    schema: dict[str, Any] = deployed().parameter_openapi_schema
    fields = dict(_fields(schema))
    assert [place for place, field in fields.items() if not (_title(schema, field) and field.get("description"))] == []
    search = schema["definitions"]["SearchConfig"]["properties"]
    assert (search["particles"]["default"], search["particles"]["minimum"]) == (20, 2)
    assert search["initial_velocity"]["enum"] == ["random", "best", "zero"]
    assert deployed().enforce_parameter_schema


@pytest.mark.parametrize("flow", [model_swarms, heterogeneous_swarms, evolution_strategies])
def test_fields_at_every_level_say_where_they_stand_in_the_form(settings: Settings, flow: Flow[..., Any]) -> None:
    register(flow, "order", PARAMETERS, "swarm", settings)
    with get_client(sync_client=True) as client:
        schema = client.read_deployment_by_name(f"{flow.name}/order").parameter_openapi_schema
    for model in ("EngineConfig", "RayConfig", "VllmConfig", "ObjectiveConfig", _model_of(schema, "search")):
        fields = schema["definitions"][model]["properties"]
        assert sorted(field["position"] for field in fields.values()) == list(range(len(fields))), model
    search = schema["definitions"][_model_of(schema, "search")]["properties"]
    [first] = [name for name, field in search.items() if field["position"] == 0]
    assert first in {"particles", "population"}


def _model_of(schema: dict[str, Any], field: str) -> str:
    config = schema["definitions"][schema["properties"]["config"]["$ref"].rpartition("/")[2]]
    return str(config["properties"][field]["$ref"].rpartition("/")[2])


def _fields(schema: dict[str, Any]) -> Any:
    for model, definition in schema["definitions"].items():
        for name, field in definition.get("properties", {}).items():
            yield f"{model}.{name}", field


def _title(schema: dict[str, Any], field: dict[str, Any]) -> str | None:
    """Return a field's title; the form shows that of its model where it has none of its own."""
    return field.get("title") or schema["definitions"][field["$ref"].rpartition("/")[2]].get("title")


def test_registering_again_brings_it_up_to_date(settings: Settings) -> None:
    first = register(model_swarms, "again", PARAMETERS, "swarm", settings, Interval(3600))
    identity = deployed("again").id
    assert [each.schedule.interval.total_seconds() for each in deployed("again").schedules] == [3600]
    assert register(model_swarms, "again", {"config": {"name": "new"}}, "swarm", settings) == first
    assert (deployed("again").id, deployed("again").schedules) == (identity, [])
    assert deployed("again").parameters == {"config": {"name": "new"}}
    unregister(model_swarms, "again")
    unregister(model_swarms, "again")


def test_automations_are_installed_once_and_a_paused_one_stays_paused() -> None:
    install(crash_automations())
    with get_client(sync_client=True) as client:
        name = crash_automations()[1].name
        [restart] = client.read_automations_by_name(name)
        client.pause_automation(restart.id)
        install(crash_automations())
        [again] = client.read_automations_by_name(name)
    assert (again.id, again.enabled) == (restart.id, False)
    assert again.trigger.match["prefect.run-count"] == [str(k) for k in range(1, RESTARTS + 1)]


def test_gpu_tasks_are_limited_and_a_later_limit_replaces_the_first() -> None:
    for most in (2, 3):
        limit_gpu_tasks(most)
        with get_client(sync_client=True) as client:
            assert client.read_global_concurrency_limit_by_name("tag:gpu").limit == most
    with get_client(sync_client=True) as client:
        client.delete_global_concurrency_limit_by_name("tag:gpu")
