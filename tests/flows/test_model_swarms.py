import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId, FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import TaskRun

import infra.run.open_run
from cli.runs.drive import drive
from data.requests import Request, Response
from infra.engines.base import Engine, Progress
from infra.engines.kinds import open_engine
from infra.observing.observer import NullObserver, use_observer
from infra.observing.views import IterationView
from infra.records.store import Records
from infra.records.values import RunStatus
from infra.settings import Settings
from swarm.errors import EvaluationError, InputError
from swarm.recipes import Recipe
from swarm.state import State
from tasks.evaluation import evaluate
from tests.flows.searches import Searched, call, finished, forget_group, status


def test_flow_ends_in_the_state_that_the_algorithm_alone_comes_to(searched: Searched) -> None:
    assert searched.summary["state_sha256"] == searched.without_flow().sha256


def test_finished_run_leaves_what_a_person_looks_for(searched: Searched) -> None:
    folder = searched.runs / "tiny"
    assert json.loads((folder / "summary.json").read_text()) == searched.summary
    assert {path.name for path in folder.iterdir()} >= {"best", "config.yaml", "report.html", "run.log"}
    assert status(searched.runs, "tiny") is RunStatus.FINISHED
    assert set(finished(searched.runs).values()) == {1}


def test_iteration_is_a_graph_of_the_five_steps(searched: Searched) -> None:
    runs = {run.id: run for run in task_runs(searched.flow_run)}
    edges = Counter((runs[source].name[:-4], run.name[:-4]) for run in runs.values() for source in inputs(run))
    # Prefect adds an edge now and then where a value happens to lie in the memory of an earlier task's result.
    assert edges >= Counter(
        {
            ("initialise", "merge"): 1,
            ("initialise", "track best"): 1,
            ("update velocity", "merge"): 2,
            ("update velocity", "track best"): 2,
            ("merge", "evaluate"): 6,
            ("merge", "track best"): 3,
            ("evaluate", "track best"): 6,
            ("track best", "check early stop"): 3,
            ("track best", "update velocity"): 2,
        }
    )


def test_evaluate_tasks_alone_are_tagged_gpu(searched: Searched) -> None:
    tagged = {run.name[:-4] for run in task_runs(searched.flow_run) if "gpu" in run.tags}
    assert tagged == {"evaluate"}


def test_curve_and_table_are_one_artifact_each_and_show_the_last_iteration(searched: Searched) -> None:
    of_run = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[searched.flow_run]))
    with get_client(sync_client=True) as client:
        result = {artifact.key: artifact for artifact in client.read_artifacts(artifact_filter=of_run)}
    assert set(result) == {"tiny-curve", "tiny-particles"}
    assert str(result["tiny-curve"].data).startswith("**Iteration 2**")
    rows = json.loads(str(result["tiny-particles"].data))
    with Records(f"sqlite:///{searched.runs / '.swarm' / 'records.db'}") as records:
        last = State.from_json(records.iteration("tiny", 2).state)
    assert [row["utility"] for row in rows] == list(last.utilities)


def test_every_persisted_result_is_json(searched: Searched) -> None:
    results = result_files(searched.runs)
    assert len(results) == 1 + 2 + 3 * 3 + 6 + 1 + groups_on_the_test_split(searched)
    for path in results:
        record = json.loads(path.read_text())
        assert record["metadata"]["serializer"] == {"type": "model-swarms"}
        json.loads(record["result"])


def test_same_search_under_another_name_evaluates_nothing_and_ends_the_same(searched: Searched, runs: Path) -> None:
    searched.copied(runs)
    outcome = call(searched.again())
    assert outcome.result()["state_sha256"] == searched.summary["state_sha256"]
    assert outcome.result()["best_adapter_sha256"] == searched.summary["best_adapter_sha256"]
    assert finished(runs) == finished(searched.runs)


@pytest.mark.parametrize("damage", [b"", b'{"metadata": {', b"\x00\xff"])
def test_damaged_task_results_are_computed_again(searched: Searched, runs: Path, damage: bytes) -> None:
    searched.copied(runs)
    for path in result_files(runs):
        path.write_bytes(damage)
    assert call(searched.again()).result()["state_sha256"] == searched.summary["state_sha256"]
    assert finished(runs) == finished(searched.runs)
    assert all(json.loads(path.read_text()) for path in result_files(runs))


def test_group_that_the_records_lost_is_evaluated_again(searched: Searched, runs: Path) -> None:
    searched.copied(runs)
    lost = list(finished(runs))[2]
    forget_group(runs, lost)
    assert lost not in finished(runs)
    assert call(searched.again()).result()["state_sha256"] == searched.summary["state_sha256"]
    assert finished(runs) == finished(searched.runs)


def test_asked_to_stop_it_is_cancelled_and_goes_on_when_started_again(searched: Searched, runs: Path) -> None:
    with use_observer(StopsAfterTheFirstIteration()):
        first_run = call(searched.config)
    assert first_run.is_cancelled()
    assert "swarm resume tiny" in (first_run.message or "")
    assert status(runs, "tiny") is RunStatus.STOPPED
    before = finished(runs)
    assert 2 <= len(before) < len(finished(searched.runs))
    assert call(searched.config).result()["state_sha256"] == searched.summary["state_sha256"]
    assert finished(runs) == finished(searched.runs)


def test_engine_that_fails_twice_is_tried_again(
    searched: Searched, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "retry_delay_seconds", [0, 0])
    monkeypatch.setattr(infra.run.open_run, "open_engine", failing(lambda call: call < 2))
    assert call(searched.config).result()["state_sha256"] == searched.summary["state_sha256"]
    assert finished(runs) == finished(searched.runs)


def test_engine_that_always_fails_leaves_no_score_and_a_run_that_goes_on(
    searched: Searched, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "retry_delay_seconds", [0, 0])
    with monkeypatch.context() as patch:
        patch.setattr(infra.run.open_run, "open_engine", failing(lambda call: True))
        failed = call(searched.config)
    assert failed.is_failed()
    with pytest.raises(EvaluationError, match="the engine is broken"):
        failed.result()
    assert (status(runs, "tiny"), finished(runs)) == (RunStatus.FAILED, {})
    assert call(searched.config).result()["state_sha256"] == searched.summary["state_sha256"]


def test_finished_run_gives_its_summary_and_starts_no_flow(searched: Searched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARM_RUNS", str(searched.runs))
    before = flow_runs()
    assert drive(searched.config, NullObserver()) == searched.summary
    assert flow_runs() == before


def test_bad_input_fails_the_flow_and_leaves_nothing_behind(searched: Searched, runs: Path, tmp_path: Path) -> None:
    config = searched.config.model_copy(update={"experts": [*searched.config.experts, tmp_path / "missing"]})
    with pytest.raises(InputError, match="missing"):
        call(config).result()
    assert not runs.exists()


class StopsAfterTheFirstIteration(NullObserver):
    def iteration(self, view: IterationView) -> None:
        with Records(Settings().records_url) as records:
            records.request_stop("tiny")


class Failing:
    """A real engine, some of whose calls fail."""

    slots = 1

    def __init__(self, engine: Engine, fails: Callable[[int], bool]) -> None:
        self._engine, self._fails, self._calls = engine, fails, count()

    @property
    def identity(self) -> str:
        return self._engine.identity

    def run(
        self, population: Sequence[Recipe], requests: Sequence[Sequence[Request]], progress: Progress | None = None
    ) -> list[list[Response]]:
        if self._fails(next(self._calls)):
            raise EvaluationError("the engine is broken")
        return self._engine.run(population, requests, progress)

    def close(self) -> None:
        self._engine.close()


def failing(fails: Callable[[int], bool]) -> Callable[..., Failing]:
    return lambda *arguments: Failing(open_engine(*arguments), fails)


def task_runs(flow_run: UUID) -> list[TaskRun]:
    """The task runs of a flow run, once the server has heard of the end of each: it is told a little later."""
    only = FlowRunFilter(id=FlowRunFilterId(any_=[flow_run]))
    deadline = time.monotonic() + 60
    while True:
        with get_client(sync_client=True) as client:
            result = client.read_task_runs(flow_run_filter=only, limit=200)
        outcome = result and all(run.state is not None and run.state.is_final() for run in result)
        if outcome and any(run.name.startswith("write report") for run in result):
            return result
        assert time.monotonic() < deadline
        time.sleep(0.1)


def inputs(run: TaskRun) -> set[UUID]:
    return {source.id for given in run.task_inputs.values() for source in given if source.input_type == "task_run"}


def flow_runs() -> set[UUID]:
    with get_client(sync_client=True) as client:
        return {run.id for run in client.read_flow_runs()}


def result_files(runs: Path) -> list[Path]:
    return sorted(path for path in (runs / ".swarm" / "results").rglob("*") if path.is_file())


def groups_on_the_test_split(searched: Searched) -> int:
    with Records(f"sqlite:///{searched.runs / '.swarm' / 'records.db'}") as records:
        return sum(group.split == "test" for group in records.evaluation_groups())
