"""What every search keeps, whatever the algorithm: a suite over the table, for searches of other packages too.

A test module of another package subclasses `SearchConformance` and gives it a `settings` fixture: the mapping of a tiny
configuration whose files `tests.tiny_search.make_search` makes.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from safetensors import safe_open

from flows.searches import SEARCHES, load_run_config, run_config
from infra.configs.common import RunConfig
from infra.records.store import Records
from infra.records.values import RunStatus
from infra.run.search import Search
from tests.flows.searches import records_url
from tests.searches.interrupted_engine import InterruptedEngine, ended_calls
from tests.searches.swarm_in_process import Swarm
from tests.tiny_search import RUN, make_search

SUMMARY_FIELDS = {
    "run",
    "algorithm",
    "seed",
    "objective",
    "base_model",
    "experts",
    "iterations",
    "stopped_by",
    "evaluations",
    "generated_tokens",
    "wall_seconds",
    "starting_best",
    "ending_best",
    "ensemble",
    "state_sha256",
}


@dataclass(frozen=True)
class FinishedRun:
    """A tiny run that came to its end: its configuration file, its runs folder, and how to run commands on it."""

    file: Path
    runs: Path
    swarm: Swarm
    calls: int

    @property
    def config(self) -> RunConfig:
        """The configuration."""
        return load_run_config(self.file)

    @property
    def summary(self) -> dict[str, Any]:
        """The summary."""
        value: dict[str, Any] = json.loads((self.runs / RUN / "summary.json").read_text())
        return value


class SearchConformance:
    """The suite; a search is made once for all of it."""

    @pytest.fixture(scope="class")
    @classmethod
    def settings(cls) -> dict[str, Any]:
        """The mapping of a tiny configuration."""
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def finished(
        cls, settings: dict[str, Any], prefect_api: None, tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[FinishedRun]:
        """A run that came to its end."""
        folder = tmp_path_factory.mktemp("finished")
        file = make_search(folder, settings)
        with pytest.MonkeyPatch.context() as patch:
            swarm, calls = Swarm(folder / "runs", patch), ended_calls(patch)
            swarm("run", file)
            yield FinishedRun(file, folder / "runs", swarm, len(calls))

    @pytest.fixture(scope="class")
    @classmethod
    def search(cls, settings: dict[str, Any]) -> Search[Any]:
        """The line of the table."""
        return SEARCHES[settings.get("algorithm", "model-swarms")]

    def test_the_configuration_survives_being_written_and_the_form_numbers_every_field(
        self, settings: dict[str, Any], search: Search[Any], tmp_path: Path
    ) -> None:
        config = load_run_config(make_search(tmp_path, settings))
        assert config.algorithm == search.name
        assert run_config(yaml.safe_load(yaml.safe_dump(config.model_dump(mode="json"))), "again") == config
        fields = type(config).model_json_schema()["properties"]
        assert sorted(field["position"] for field in fields.values()) == list(range(len(fields)))

    def test_a_summary_has_what_every_summary_has(self, finished: FinishedRun, search: Search[Any]) -> None:
        summary = finished.summary
        assert summary.keys() >= SUMMARY_FIELDS
        assert (summary["run"], summary["algorithm"]) == (RUN, search.name)
        assert {"expert", "dev", "test", "test_ci95"} <= summary["starting_best"].keys()
        assert {"dev", "test", "test_ci95", "p_value_vs_starting_best"} <= summary["ending_best"].keys()
        text = search.summary_text(summary)
        assert text.result and text.kind in {"adapter", "model", "system"}

    def test_status_shows_the_best_so_far(self, finished: FinishedRun) -> None:
        standing = finished.swarm("status", RUN, "--json").json
        assert (standing["status"], standing["iteration"]) == ("finished", finished.summary["iterations"])
        assert standing["best"]["utility"] == finished.summary["ending_best"]["dev"]
        assert RUN in finished.swarm("status").out

    def test_history_shows_every_iteration_and_each_alone(self, finished: FinishedRun) -> None:
        iterations = finished.swarm("history", RUN, "--json").json
        assert [shown["iteration"] for shown in iterations] == list(range(finished.summary["iterations"] + 1))
        assert len(finished.swarm("history", RUN).lines) == len(iterations) + 1
        assert finished.swarm("history", RUN, "--iteration", 1, "--json").json == [iterations[1]]
        assert finished.swarm("history", RUN, "--iteration", 1).out

    def test_history_shows_what_was_asked(self, finished: FinishedRun) -> None:
        for split in ("dev", "test"):
            example = finished.swarm("history", RUN, "--example", 1, "--split", split, "--json").json
            assert example["split"] == split
            assert any(exchange["request"] is not None for exchange in example["exchanges"])

    def test_the_report_is_one_page_that_says_what_the_test_says(self, finished: FinishedRun) -> None:
        written = (finished.runs / RUN / "report.html").read_text()
        assert finished.swarm("report", RUN, "--json").json["report"] == str(finished.runs / RUN / "report.html")
        page = (finished.runs / RUN / "report.html").read_text()
        assert page.startswith("<!doctype html>") and "What was asked" in page
        assert page.count("<h2>") == written.count("<h2>")

    def test_the_best_is_evaluated_as_the_run_evaluated_it(self, finished: FinishedRun) -> None:
        result = finished.swarm("evaluate", RUN, "--objective", finished.file, "--split", "test", "--json").json
        assert result["utility"] == pytest.approx(finished.summary["ending_best"]["test"], abs=1e-12)
        again = finished.swarm("evaluate", RUN, "--objective", finished.file, "--split", "test", "--json").json
        assert again["from_records"]

    def test_the_export_is_what_the_run_published(self, finished: FinishedRun, tmp_path: Path) -> None:
        exported = finished.swarm("export", RUN, tmp_path / "out", "--json").json
        assert exported["finished"] and exported["run"] == RUN
        written = {path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*.safetensors")}
        best = finished.runs / RUN / "best"
        assert written == {path.relative_to(best) for path in best.rglob("*.safetensors")} and written
        for path in written:
            assert _tensors(tmp_path / "out" / path) == _tensors(best / path)

    def test_an_option_of_another_algorithm_is_refused_in_one_line(self, finished: FinishedRun, tmp_path: Path) -> None:
        refused = finished.swarm("export", RUN, tmp_path / "iteration", "--iteration", 99, code=2)
        assert len(refused.err.splitlines()) == 1 and refused.err.startswith("error: --iteration 99: ")
        merged = finished.swarm("export", RUN, tmp_path / "merged", "--merged", code=None)
        if merged.code:
            assert merged.code == 2
            assert len(merged.err.splitlines()) == 1 and merged.err.startswith("error: --merged: ")
        else:
            assert list((tmp_path / "merged").glob("*.safetensors"))

    def test_the_best_answers_a_question(self, finished: FinishedRun) -> None:
        answer = finished.swarm("ask", RUN, "1 plus 2?", "--json").json
        assert answer["run"] == RUN and len(answer["nodes"]) >= 1

    def test_an_interrupted_run_resumes_to_the_same_state_and_repeats_nothing(
        self, finished: FinishedRun, settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = make_search(tmp_path, settings)
        swarm = Swarm(tmp_path / "runs", monkeypatch)
        for calls in (finished.calls // 3, finished.calls // 3):
            with monkeypatch.context() as patch:
                InterruptedEngine.install(patch, calls)
                assert swarm("run", file, code=None).code == 1
            with Records(records_url(tmp_path / "runs")) as records:
                assert records.run(RUN).status is RunStatus.STOPPED
        swarm("resume", RUN)
        summary = json.loads((tmp_path / "runs" / RUN / "summary.json").read_text())
        assert summary["state_sha256"] == finished.summary["state_sha256"]
        with Records(records_url(tmp_path / "runs")) as records:
            assert {group.finished for group in records.evaluation_groups()} == {1}

    def test_a_changed_seed_under_the_same_name_is_refused(self, finished: FinishedRun) -> None:
        ended = finished.swarm("run", finished.file, "--set", "seed=99", code=2)
        assert "seed" in ended.err and len(ended.err.splitlines()) == 1


def _tensors(path: Path) -> dict[str, bytes]:
    with safe_open(path, framework="np") as file:
        return {name: file.get_tensor(name).tobytes() for name in file.keys()}  # noqa: SIM118 (no mapping)
