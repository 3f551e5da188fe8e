"""A search for an objective of each kind: it ends, it resumes, and its scores are found again."""

from pathlib import Path
from typing import Any

import pytest

from data.examples import SPLITS
from flows.searches import prepare
from infra.configs.yaml_files import load_config
from infra.observing.observer import NullObserver, use_observer
from infra.observing.views import IterationView
from infra.records.store import Records
from infra.records.values import RunStatus
from infra.searches.model_swarms.config import ModelSwarmsConfig
from infra.settings import Settings
from tests.flows.kinds_of_search import TASKS, write_search
from tests.flows.rated_searches import CLASSIFIED, JUDGED, MATCHED, REWARDED, SCORED, TOXIC, use, write_rated_search
from tests.flows.searches import SMALL, call, records_url, status
from tests.rating_server import rating_service
from tests.reports import asked_examples
from tests.tiny_search import CONFIG

THREE = [*SMALL, "search.max_iterations=3"]
MIXED = [
    {**TASKS[kind], "name": kind} for kind in ("conciseness", "likelihood", "countdown", "function", "multiple_choice")
]


class Stops(NullObserver):
    """Asks for a stop after the first iteration."""

    def iteration(self, view: IterationView) -> None:
        with Records(Settings().records_url) as records:
            records.request_stop("tiny")


@pytest.mark.usefixtures("prefect_api")
@pytest.mark.parametrize("kind", TASKS)
def test_a_search_of_three_iterations_resumes_to_the_same_state(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resumes_to_the_same_state(write_search(tmp_path, TASKS[kind]), monkeypatch)


@pytest.mark.usefixtures("prefect_api")
def test_so_does_one_that_is_rated_from_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with rating_service() as service:
        use(service, tmp_path / "cache", monkeypatch)
        tasks = [JUDGED, MATCHED, TOXIC, CLASSIFIED, REWARDED, SCORED]
        resumes_to_the_same_state(write_rated_search(tmp_path, *tasks), monkeypatch)


def resumes_to_the_same_state(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = load_config(path, ModelSwarmsConfig, THREE)
    monkeypatch.setenv("SWARM_RUNS", str(path.parent / "whole"))
    whole = call(config).result()
    assert (whole["iterations"], whole["stopped_by"]) == (3, "max_iterations")
    monkeypatch.setenv("SWARM_RUNS", str(path.parent / "stopped"))
    with use_observer(Stops()):
        assert call(config).is_cancelled()
    assert status(path.parent / "stopped", "tiny") is RunStatus.STOPPED
    second_run = call(config).result()
    assert second_run["state_sha256"] == whole["state_sha256"]
    assert second_run["ending_best"] == whole["ending_best"]
    holds_what_was_asked(config, path.parent / "stopped")


def holds_what_was_asked(config: ModelSwarmsConfig, runs: Path) -> None:
    objective = prepare(config, Settings()).objective
    with Records(records_url(runs)) as records:
        for split in SPLITS:
            examples = asked_examples(records, config.name, split)
            said = [examples[number].exchanges for number in range(1, len(examples) + 1)]
            for who in range(2):
                assert [exchanges[who].request for exchanges in said] == objective.requests(split)


def test_a_run_whose_files_moved_has_the_same_settings() -> None:
    value: dict[str, Any] = {**CONFIG, "objective": {"tasks": MIXED}}
    here, there = (
        ModelSwarmsConfig.model_validate(value, context={"folder": Path(folder)}) for folder in ("/here", "/there")
    )
    assert here.settings() == there.settings()


@pytest.mark.usefixtures("prefect_api")
def test_scores_of_every_size_and_sign_are_searched_reported_and_found_again(tmp_path: Path, runs: Path) -> None:
    config = load_config(write_search(tmp_path, *MIXED), ModelSwarmsConfig, SMALL)
    summary = call(config).result()
    low, high = summary["ending_best"]["test_ci95"]
    assert low <= summary["ending_best"]["test"] <= high < 0
    assert summary["ending_best"]["dev"] >= summary["starting_best"]["dev"]
    assert (runs / "tiny" / "report.html").is_file()
    kept = load_config(runs / "tiny" / "config.yaml", ModelSwarmsConfig, [])
    assert prepare(kept, Settings()).objective.key == prepare(config, Settings()).objective.key
    assert kept.settings() == config.settings()
