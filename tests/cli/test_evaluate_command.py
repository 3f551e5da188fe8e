"""`swarm evaluate`."""

import json
from pathlib import Path

import pytest
import torch
import yaml

from data.objective import load_objective
from experts.base_models import resolve_base_model
from experts.basis import load_basis
from infra.configs.yaml_files import load_config
from infra.engines.kinds import open_engine
from infra.searches.model_swarms.config import ModelSwarmsConfig
from swarm.recipes import Recipe, Space
from tests.cli.command_line import Command, RecordRun, World
from tests.tiny import make_base


def two_tasks(world: World, folder: Path) -> Path:
    config = yaml.safe_load(world.config.read_text())
    letters = {"kind": "multiple_choice", "parse": "loglik", "data": str(world.data)}
    config["experts"] = [str(world.expert(name)) for name in ("one", "two")]
    words = {"kind": "exact_match", "match": "reference", "data": str(world.data), "name": "words", "max_new_tokens": 4}
    words["template"] = "{question}\n{choices}\nThe answer is"
    config["objective"] = {"tasks": [letters, words], "aggregate": "min"}
    path = folder / "two.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def test_an_expert_gets_the_utility_that_the_objective_gives_its_answers(
    command: Command, world: World, tmp_path: Path
) -> None:
    config = load_config(world.config, ModelSwarmsConfig)
    base = resolve_base_model(config.base_model, tmp_path)
    basis, objective = load_basis([world.expert("two")], base), load_objective(config.objective)
    engine = open_engine(config.engine, base, basis)
    recipe = Recipe(basis.ids, (1.0,), Space.FACTORS)
    [answers] = engine.run([recipe], [objective.requests("test")])
    engine.close()
    result = command("evaluate", world.expert("two"), "--objective", world.config, "--split", "test", "--json").json
    low, high = result["ci95"]
    assert result["seconds"] > 0
    assert 0 <= low <= result["utility"] <= high <= 1
    assert result == {
        "evaluated": "expert two",
        "recipe": recipe.to_json(),
        "split": "test",
        "examples": 12,
        "utility": objective.score("test", answers).utility,
        "ci95": [low, high],
        "tasks": [{"name": "letters", "examples": 12, "utility": result["utility"], "ci95": [low, high]}],
        "generated_tokens": 0,
        "seconds": result["seconds"],
        "from_records": False,
    }


def test_an_evaluation_is_made_once_and_then_found_in_the_records(
    command: Command, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = command("evaluate", "base", "--objective", world.config, "--json").json

    def refuse(*_: object) -> None:
        raise AssertionError("an engine was opened")

    monkeypatch.setattr("cli.runs.single_evaluation.open_engine", refuse)
    again = command("evaluate", "base", "--objective", world.config, "--json").json
    assert first["evaluated"] == f"base model {world.base}"
    assert (first["from_records"], again["from_records"]) == (False, True)
    assert {**first, "from_records": True} == again


def test_a_runs_name_means_its_best_even_beside_a_folder_of_that_name(
    command: Command, record_run: RecordRun, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "demo").mkdir()
    monkeypatch.chdir(tmp_path)
    best = record_run()[-1].global_best
    assert best is not None
    result = command("evaluate", "demo", "--objective", world.config, "--json").json
    assert result["evaluated"] == "best of run demo"
    assert result["recipe"]["coefficients"] == best.coefficients.tolist()


def test_every_task_and_the_whole_objective_have_an_interval(command: Command, world: World, tmp_path: Path) -> None:
    config = two_tasks(world, tmp_path)
    result = command("evaluate", "base", "--objective", config, "--json").json
    tasks = result["tasks"]
    assert [(task["name"], task["examples"]) for task in tasks] == [("letters", 12), ("words", 12)]
    assert result["utility"] == min(task["utility"] for task in tasks)
    assert 12 <= result["generated_tokens"] <= 48
    title, header, *rows = command("evaluate", "base", "--objective", config).lines
    assert title == f"base model {world.base} on dev"
    assert header.split() == ["task", "examples", "utility", "95", "%", "interval"]
    whole = [*tasks, {"name": "objective", **result}]
    assert [row.split()[:3] for row in rows] == [
        [task["name"], str(task["examples"]), f"{task['utility']:.4f}"] for task in whole
    ]


def test_nobody_of_that_name_is_refused(command: Command, world: World, record_run: RecordRun) -> None:
    record_run()
    unknown = command("evaluate", "demi", "--objective", world.config)
    no_folder = command("evaluate", "experts/four", "--objective", world.config)
    assert (unknown.code, unknown.error) == (2, "error: there is no run 'demi': did you mean 'demo'?")
    assert no_folder.code == 2
    assert no_folder.error == ("error: experts/four: is no expert's folder: give one, the name of a run, or 'base'")


def test_the_best_of_a_run_over_another_base_model_is_refused(
    command: Command, world: World, record_run: RecordRun, tmp_path: Path
) -> None:
    record_run()
    other = yaml.safe_load(world.config.read_text()) | {"base_model": str(make_base(tmp_path / "other", seed=7))}
    other["objective"]["tasks"][0]["data"] = str(world.data)
    config = tmp_path / "other.yaml"
    config.write_text(yaml.safe_dump(other))
    outcome = command("evaluate", "demo", "--objective", config)
    assert outcome.code == 2
    assert outcome.error == (
        f"error: run 'demo' is over the base model {str(world.base)!r}, not {other['base_model']!r}: "
        "give a config with its base model"
    )


def test_a_split_that_does_not_exist_is_refused(command: Command, world: World) -> None:
    outcome = command("evaluate", "base", "--objective", world.config, "--split", "train")
    assert (outcome.code, outcome.out) == (2, "")
    assert "'train'" in outcome.err


def test_a_config_that_does_not_exist_is_refused(command: Command, tmp_path: Path) -> None:
    outcome = command("evaluate", "base", "--objective", tmp_path / "none.yaml")
    assert (outcome.code, outcome.error) == (2, f"error: {tmp_path}/none.yaml: there is no such file: check the path")


def test_a_failing_engine_ends_with_code_1_and_leaves_no_score(
    command: Command, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> torch.Tensor:
        raise RuntimeError("out of memory")

    with monkeypatch.context() as broken:
        broken.setattr("infra.engines.packed.engine.score", fail)
        outcome = command("evaluate", "base", "--objective", world.config)
    assert (outcome.code, outcome.error) == (1, "failed: engine transformers failed: out of memory")
    assert json.loads(command("evaluate", "base", "--objective", world.config, "--json").out)["from_records"] is False


def test_fields_that_nothing_reads_are_named_in_one_line(command: Command, world: World, tmp_path: Path) -> None:
    data = json.loads(world.data.read_text())
    for example in (*data["dev"], *data["test"]):
        example["context"] = "Letters of the alphabet."
    path = tmp_path / "letters.json"
    path.write_text(json.dumps(data))
    config = yaml.safe_load(world.config.read_text())
    config["objective"] = {"tasks": [{"kind": "multiple_choice", "parse": "loglik", "data": str(path)}]}
    config["experts"] = [str(world.expert(name)) for name in ("one", "two")]
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(config))
    outcome = command("evaluate", world.expert("two"), "--objective", tmp_path / "run.yaml", "--json")
    assert outcome.code == 0
    [line] = [line for line in outcome.err.splitlines() if line.startswith("warning: ")]
    assert line.startswith(f"warning: {path}: the field context of its examples reaches neither prompt nor score of ")
