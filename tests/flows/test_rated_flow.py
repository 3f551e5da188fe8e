"""Searches whose scores come from outside: ratings are found again, and failures leave runs that resume."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.configs.yaml_files import load_config
from infra.observing.observer import NullObserver, use_observer
from infra.observing.views import IterationView
from infra.records.store import Records
from infra.records.values import Purpose, RunStatus
from infra.searches.model_swarms.config import ModelSwarmsConfig
from infra.settings import Settings
from swarm.errors import EvaluationError, InputError
from tasks.evaluation import evaluate
from tests.flows.rated_searches import CLASSIFIED, JUDGED, MATCHED, REWARDED, TOXIC, use, write_rated_search
from tests.flows.searches import SMALL, call, finished, records_url, status
from tests.rating_server import RatingService, rating_service

pytestmark = pytest.mark.usefixtures("prefect_api")


class Stops(NullObserver):
    """Asks for a stop after the first iteration."""

    def iteration(self, view: IterationView) -> None:
        with Records(Settings().records_url) as records:
            records.request_stop("tiny")


@pytest.fixture
def service() -> Iterator[RatingService]:
    with rating_service() as running:
        yield running


def test_a_search_by_every_outside_scorer_is_found_again_and_resumes_to_the_same_state(
    service: RatingService, tmp_path: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(service, tmp_path / "cache", monkeypatch)
    tasks = [JUDGED, MATCHED, TOXIC, CLASSIFIED, REWARDED]
    three = [*SMALL, "search.max_iterations=3"]
    config = load_config(write_rated_search(tmp_path, *tasks), ModelSwarmsConfig, three)
    summary = call(config).result()
    low, high = summary["ending_best"]["test_ci95"]
    assert low <= summary["ending_best"]["test"] <= high
    assert (summary["iterations"], summary["ensemble"]["k"]) == (3, 2)
    asked, groups = len(service.seen), finished(runs)
    again = call(config.model_copy(update={"name": "again"})).result()
    assert again["state_sha256"] == summary["state_sha256"]
    assert (len(service.seen), finished(runs)) == (asked, groups)
    assert "judge judge-1 (quality): " in (runs / "tiny" / "run.log").read_text()
    assert "opening" not in (runs / "again" / "run.log").read_text()
    monkeypatch.setenv("SWARM_RUNS", str(tmp_path / "stopped"))
    use(service, tmp_path / "another cache", monkeypatch)
    with use_observer(Stops()):
        assert call(config).is_cancelled()
    second_run = call(config).result()
    assert second_run["state_sha256"] == summary["state_sha256"]
    assert second_run["ending_best"] == summary["ending_best"]


def test_the_scale_of_rewards_is_measured_once_by_the_initial_experts_and_kept_with_the_run(
    tmp_path: Path, runs: Path
) -> None:
    config = load_config(write_rated_search(tmp_path, REWARDED), ModelSwarmsConfig, SMALL)
    call(config).result()
    with Records(records_url(runs)) as records:
        measured = [item.evaluation for item in records.run_evaluations("tiny", Purpose.SCALE)]
        searched = [item.evaluation for item in records.run_evaluations("tiny", Purpose.SEARCH)]
    rewards = [json.loads(text)["value"] for evaluation in measured for text in evaluation.predictions]
    assert (len(measured), len(rewards)) == (3, 9)
    assert [json.loads(text)["score"] for evaluation in measured for text in evaluation.predictions] == rewards
    said = [json.loads(text) for evaluation in searched for text in evaluation.predictions]
    low, high = min(rewards), max(rewards)
    assert [item["score"] for item in said] == [(item["value"] - low) / (high - low) for item in said]


def test_a_judge_that_fails_for_ever_fails_the_run_which_resumes_to_the_same_bits(
    service: RatingService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load_config(write_rated_search(tmp_path, JUDGED), ModelSwarmsConfig, SMALL)
    monkeypatch.setattr(evaluate, "retry_delay_seconds", [0, 0])
    monkeypatch.setenv("SWARM_RUNS", str(tmp_path / "whole"))
    use(service, tmp_path / "cache of the whole", monkeypatch)
    whole = call(config).result()
    monkeypatch.setenv("SWARM_RUNS", str(tmp_path / "failing"))
    use(service, tmp_path / "cache of the failing", monkeypatch)
    service.broken_after = len(service.seen) + 8
    with pytest.raises(EvaluationError, match=r"the judge at http.* answered 500, 6 times in a row"):
        call(config).result()
    assert status(tmp_path / "failing", "tiny") is RunStatus.FAILED
    service.broken_after = None
    second_run = call(config).result()
    assert second_run["state_sha256"] == whole["state_sha256"]
    assert second_run["ending_best"] == whole["ending_best"]


def test_a_refused_key_stops_the_run_at_once_and_says_which_variable(
    service: RatingService, tmp_path: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(service, tmp_path / "cache", monkeypatch)
    service.broken = 401
    config = load_config(write_rated_search(tmp_path, JUDGED), ModelSwarmsConfig, [*SMALL, "engine.group_size=4"])
    with pytest.raises(InputError, match=r"refuses the key .* correct SWARM_JUDGE_API_KEY"):
        call(config).result()
    assert len(service.seen) <= 12  # of one group, each once
    assert status(runs, "tiny") is RunStatus.FAILED


def test_ratings_that_cannot_be_read_are_counted_in_summary_and_report(
    service: RatingService, tmp_path: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(service, tmp_path / "cache", monkeypatch)
    service.reply = lambda prompt: "I would rather not say."
    summary = call(load_config(write_rated_search(tmp_path, JUDGED), ModelSwarmsConfig, SMALL)).result()
    assert summary["ending_best"]["dev"] == 1.0
    assert summary["unparsable_ratings"] == summary["evaluations"] * 3
    assert "ratings of the judge, counted as 1" in (runs / "tiny" / "report.html").read_text()
