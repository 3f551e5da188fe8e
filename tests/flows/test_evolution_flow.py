"""The flow of evolution strategies: it does what the algorithm says, once, and goes on where it was ended."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from prefect import State as FlowState

from experts.base_models import BaseModel
from experts.evolved import replay
from experts.seed_basis import SeedBasis
from experts.weights_hash import tensor_sha256, weights_sha256
from infra.configs.yaml_files import load_config
from infra.records.store import Records
from infra.records.values import Purpose, RunStatus
from infra.searches.evolution_strategies.config import EvolutionStrategiesConfig
from swarm import es
from swarm.errors import InputError
from swarm.es_state import EsState
from swarm.recipes import BASE, Recipe, Space
from swarm.seeds import Journal
from tests.flows.searches import finished, forget_group, records_url, status
from tests.reports import asked_examples
from tests.tiny_search import EVOLUTION, make_search


@dataclass(frozen=True)
class Evolved:
    """A finished run: its configuration, runs folder and summary."""

    config: EvolutionStrategiesConfig
    runs: Path
    summary: dict[str, Any]

    def states(self) -> list[EsState]:
        with Records(records_url(self.runs)) as records:
            return [EsState.from_json(saved.state) for saved in records.iterations(self.config.name)]


def call(config: EvolutionStrategiesConfig) -> FlowState[Any]:
    from flows.evolution_strategies import evolution_strategies

    outcome: FlowState[Any] = evolution_strategies(config, return_state=True)
    return outcome


@pytest.fixture(scope="module")
def evolved(prefect_api: None, tmp_path_factory: pytest.TempPathFactory) -> Evolved:
    runs = tmp_path_factory.mktemp("evolved")
    path = make_search(tmp_path_factory.mktemp("search"), EVOLUTION)
    config = load_config(path, EvolutionStrategiesConfig, ["search.max_iterations=3"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SWARM_RUNS", str(runs))
        outcome = call(config)
    assert outcome.is_completed(), outcome.message
    return Evolved(config, runs, outcome.result())


def test_what_the_start_and_the_best_mean_were_asked_is_in_the_records(evolved: Evolved) -> None:
    data = json.loads((Path(evolved.config.base_model).parent / "data.json").read_text())
    best = evolved.states()[-1].best
    assert best is not None
    with Records(records_url(evolved.runs)) as records:
        for split, expectation in (("dev", data["dev"][-4:]), ("test", data["test"])):
            examples = asked_examples(records, "tiny", split)
            said = [examples[number].exchanges for number in range(1, len(examples) + 1)]
            assert [[e.request and e.request.prompt for e in both] for both in said] == [
                [example["question"]] * 2 for example in expectation
            ]
            scores = [fmean(both[who].score for both in said) for who in range(2)]  # type: ignore[misc]
            summary = [evolved.summary[which][split] for which in ("starting_best", "ending_best")]
            assert scores == pytest.approx(summary)


def test_the_flow_ends_in_the_state_that_the_algorithm_alone_comes_to(evolved: Evolved) -> None:
    parameters, state, journal = evolved.config.search.parameters(), EsState(), Journal()
    for saved in evolved.states():
        assert (saved.iteration, saved.journal) == (state.iteration, journal.id)
        told = es.tell(parameters, evolved.config.seed, state, saved.rewards, saved.held_out)
        assert told == saved
        journal = journal if told.update is None else journal.extend(told.update)
        state = es.ask(told)
    assert es.stop_reason(parameters, told) == "max_iterations"
    assert evolved.summary["state_sha256"] == told.sha256
    assert len(journal.updates) == 3, "nothing moved: the test shows nothing"


def test_a_finished_run_leaves_what_a_person_looks_for(evolved: Evolved) -> None:
    folder = evolved.runs / evolved.config.name
    assert json.loads((folder / "summary.json").read_text()) == evolved.summary
    assert {path.name for path in folder.iterdir()} >= {"best", "config.yaml", "report.html", "run.log"}
    assert status(evolved.runs, evolved.config.name) is RunStatus.FINISHED
    assert set(finished(evolved.runs).values()) == {1}
    assert evolved.summary["probe"]["prompts"] > 0
    assert "held-out" in (folder / "report.html").read_text()


def test_the_published_weights_are_replayed_from_the_base_and_the_journal(evolved: Evolved) -> None:
    states, best = evolved.states(), evolved.summary["ending_best"]["iteration"]
    journal = Journal().extend(*(s.update for s in states[:best] if s.update is not None))
    base = BaseModel("base", Path(evolved.config.base_model), "")
    basis = SeedBasis(base, evolved.config.perturbation.perturbation(correlated=False))
    next_state = replay(basis, Recipe((BASE,), (1.0,), Space.PRODUCT), journal)
    assert weights_sha256((m.name, tensor_sha256(m.weight)) for m in next_state) == evolved.summary["weights_sha256"]


def test_members_are_asked_the_batch_and_the_mean_what_is_held_out(evolved: Evolved) -> None:
    with Records(records_url(evolved.runs)) as records:
        links = records.run_evaluations(evolved.config.name, Purpose.SEARCH)
    first = [item for item in links if item.iteration == 0]
    assert [len(item.evaluation.scores) for item in first] == [4] * 6 + [4]
    assert [item.evaluation.recipe["seed"] is None for item in first] == [False] * 6 + [True]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, evolved: Evolved) -> Path:
    """A runs folder with the records and task results of the finished run, and no folder of it."""
    shutil.copytree(evolved.runs / ".swarm", tmp_path / "runs" / ".swarm")
    monkeypatch.setenv("SWARM_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def again(evolved: Evolved, **changes: Any) -> EvolutionStrategiesConfig:
    return evolved.config.model_copy(update={"name": "again", **changes})


def results(runs: Path) -> Path:
    return next(path for path in (runs / ".swarm").iterdir() if path.is_dir() and "result" in path.name)


def test_the_same_search_under_another_name_evaluates_nothing(evolved: Evolved, runs: Path) -> None:
    summary = call(again(evolved)).result()
    assert summary["state_sha256"] == evolved.summary["state_sha256"]
    assert summary["weights_sha256"] == evolved.summary["weights_sha256"]
    assert finished(runs) == finished(evolved.runs)


def test_without_task_results_the_records_are_enough(evolved: Evolved, runs: Path) -> None:
    shutil.rmtree(results(runs))
    assert call(again(evolved)).result()["state_sha256"] == evolved.summary["state_sha256"]
    assert finished(runs) == finished(evolved.runs)


def test_an_evaluation_that_the_records_lost_is_made_again_with_the_same_bits(evolved: Evolved, runs: Path) -> None:
    key = next(iter(finished(runs)))
    forget_group(runs, key)
    summary = call(again(evolved)).result()
    assert summary["state_sha256"] == evolved.summary["state_sha256"]
    assert set(finished(runs).values()) == {1}
    assert finished(runs).keys() == finished(evolved.runs).keys()


def test_too_few_dev_examples_are_refused_before_anything_is_evaluated(evolved: Evolved, runs: Path) -> None:
    search = evolved.config.search.model_copy(update={"held_out": 12})
    before = finished(runs)
    with pytest.raises(InputError, match=r"search.held_out: 12 of the 12 dev examples"):
        call(again(evolved, search=search)).result()
    assert finished(runs) == before
