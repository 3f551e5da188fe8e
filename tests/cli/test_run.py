"""`swarm run`, `swarm resume`, `swarm stop`: from a configuration file to the printed summary, against a real flow."""

import json
from pathlib import Path

import pytest
import yaml

import infra.run.open_run
from infra.records.store import Records
from infra.records.values import RunStatus
from infra.settings import Settings
from swarm.errors import EvaluationError
from tests.cli.command_line import Command, RecordRun, World

SUMMARY_KEYS = {
    "run", "algorithm", "seed", "objective", "base_model", "experts", "iterations", "stopped_by", "evaluations",
    "generated_tokens", "wall_seconds", "starting_best", "ending_best", "ensemble", "best_adapter_sha256",
    "state_sha256",
}  # fmt: skip
SMALL = ["--set", "search.max_iterations=1", "--set", "search.particles=4", "--set", "ensemble=2"]

pytestmark = pytest.mark.usefixtures("prefect_api")


def test_run_prints_its_summary_as_one_json_document_and_keeps_it(
    command: Command, world: World, settings: Settings
) -> None:
    outcome = command("run", world.config, *SMALL, "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.json.keys() >= SUMMARY_KEYS
    assert outcome.json["starting_best"].keys() >= {"expert", "dev", "test"}
    assert outcome.json["ending_best"].keys() >= {"recipe", "dev", "test", "test_ci95", "p_value_vs_starting_best"}
    assert outcome.json["ensemble"].keys() >= {"k", "dev", "test"}
    assert (outcome.json["run"], outcome.json["iterations"], outcome.json["stopped_by"]) == (
        "demo",
        1,
        "max_iterations",
    )
    assert json.loads((settings.runs / "demo" / "summary.json").read_text()) == outcome.json
    assert yaml.safe_load((settings.runs / "demo" / "config.yaml").read_text())["search"]["particles"] == 4


def test_run_of_a_finished_run_prints_the_same_summary_and_resume_and_stop_refuse_it(
    command: Command, world: World
) -> None:
    first = command("run", world.config, *SMALL, "--json")
    again = command("run", world.config, *SMALL, "--json")
    assert (again.code, again.json) == (0, first.json)
    second_run, first_run = command("resume", "demo"), command("stop", "demo")
    assert (second_run.code, first_run.code) == (2, 2)
    assert second_run.error == ("error: run 'demo' is finished: there is nothing to resume; see: swarm report demo")
    assert first_run.error == "error: run 'demo' is finished: there is nothing to stop"


def test_run_with_other_settings_under_the_same_name_is_refused_with_the_difference(
    command: Command, world: World, record_run: RecordRun
) -> None:
    record_run()
    outcome = command("run", world.config, "--set", "search.inertia=0.1")
    assert outcome.code == 2
    assert outcome.error == (
        "error: run 'demo' exists and differs: search.inertia: 0.2 → 0.1: "
        "choose another name, or put these back as they were"
    )


def test_run_without_json_prints_a_table_and_where_to_find_the_adapter(
    command: Command, world: World, settings: Settings
) -> None:
    outcome = command("run", world.config, *SMALL)
    assert outcome.code == 0, outcome.err
    assert outcome.lines[0].split()[:2] == ["dev", "test"]
    assert any(line.startswith("best expert (") for line in outcome.lines)
    assert f"adapter: {settings.runs / 'demo' / 'best'}" in outcome.lines
    assert "demo: iteration 1/1: global best" in outcome.err


def test_resume_continues_a_failed_run_to_the_end_of_an_uninterrupted_one(
    command: Command, world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(infra.run.open_run.OpenRun, "publish_best", broken)
        failed = command("run", world.config, *SMALL, "--json")
    assert (failed.code, failed.out) == (1, "")
    assert failed.err.splitlines()[-1] == "failed: the disk is gone"
    with Records(settings.records_url) as records:
        assert records.run("demo").status is RunStatus.FAILED
    second_run = command("resume", "demo", "--json")
    assert second_run.code == 0, second_run.err
    uninterrupted = command("run", world.config, *SMALL, "--set", "name=uninterrupted", "--json")
    same = ("state_sha256", "best_adapter_sha256", "ending_best", "ensemble", "evaluations")
    assert {key: second_run.json[key] for key in same} == {key: uninterrupted.json[key] for key in same}


def test_a_score_function_that_fails_leaves_a_run_to_be_resumed_once_it_is_mended(
    command: Command, world: World, settings: Settings, tmp_path: Path
) -> None:
    mended = tmp_path / "mended"
    (tmp_path / "scoring.py").write_text(
        "import os, sys\n"
        "def score(example, completion):\n"
        f"    print('scoring')\n    return len(completion) if os.path.exists({str(mended)!r}) else sys.exit(4)\n"
    )
    task = {"kind": "function", "data": str(world.data), "score": "scoring:score", "max_new_tokens": 2, "timeout": 9}
    config = yaml.safe_load(world.config.read_text()) | {"objective": {"tasks": [task]}}
    config["experts"] = [str(world.expert(name)) for name in ("one", "two")]
    file = tmp_path / "run.yaml"
    file.write_text(yaml.safe_dump(config))
    failed = command("run", file, *SMALL, "--json")
    assert (failed.code, failed.out) == (1, "")
    line = failed.err.splitlines()[-1]
    assert line == "failed: the score function scoring:score for dev[0] of letters raised SystemExit: 4"
    with Records(settings.records_url) as records:
        assert records.run("demo").status is RunStatus.FAILED
        assert records.evaluation_groups() == []
    mended.touch()
    outcome = command("run", file, *SMALL, "--set", "objective.tasks.0.timeout=20", "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.json["stopped_by"] == "max_iterations"


def test_stop_asks_the_run_to_stop_and_says_how_to_go_on(
    command: Command, settings: Settings, record_run: RecordRun
) -> None:
    record_run(status=RunStatus.RUNNING)
    outcome = command("stop", "demo", "--json")
    assert (outcome.code, outcome.json) == (0, {"run": "demo", "stop_requested": True})
    with Records(settings.records_url) as records:
        assert records.stop_requested("demo")


def test_stop_request_ends_the_run_with_how_to_resume_it(
    command: Command, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Records, "stop_requested", lambda records, name: True)
        outcome = command("run", world.config, *SMALL, "--json")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.splitlines()[-1] == (
        "stopped as asked; finished evaluations are kept: resume it with: swarm resume demo"
    )
    assert command("resume", "demo", "--json").code == 0


@pytest.mark.parametrize("verb", ["resume", "stop"])
def test_unknown_run_is_refused_with_the_nearest_name(command: Command, record_run: RecordRun, verb: str) -> None:
    record_run()
    outcome = command(verb, "dmo")
    assert (outcome.code, outcome.error) == (2, "error: there is no run 'dmo': did you mean 'demo'?")


def test_bad_configuration_is_refused_and_leaves_no_run(
    command: Command, world: World, settings: Settings, tmp_path: Path
) -> None:
    outcome = command("run", world.config, "--set", "search.particles=1")
    assert outcome.code == 2
    assert "search.particles" in outcome.error
    assert not settings.runs.exists()


def broken(*_arguments: object) -> str:
    raise EvaluationError("the disk is gone")
