import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from data.examples import Example
from data.kinds.function import Function
from data.objective import Objective, ObjectiveConfig, load_objective
from data.requests import Completion, Generate
from swarm.errors import EvaluationError, InputError

DATA = {"dev": [{"prompt": "Hello", "mood": "glad"}, {"prompt": "Bye"}], "test": [{"prompt": "Moon"}]}
LENGTH = "def length(example, completion):\n    return len(completion) - 3.0\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "prompts.json").write_text(json.dumps(DATA))
    (tmp_path / "scoring.py").write_text(LENGTH)
    return tmp_path


def load(beside: Path, **fields: Any) -> Objective:
    task = {"kind": "function", "data": "prompts.json", "score": "scoring:length", **fields}
    return load_objective(ObjectiveConfig.model_validate({"tasks": [task]}, context={"folder": beside}))


def test_completions_of_prompts_without_answers_are_scored(folder: Path) -> None:
    objective = load(folder, max_new_tokens=7)
    assert objective.requests("dev") == [Generate("Hello", 7), Generate("Bye", 7)]
    evaluation = objective.score("dev", [Completion(" abcd\n", 2), Completion("", 0)])
    assert (evaluation.scores, evaluation.predictions, evaluation.utility) == ((1.0, -3.0), ("abcd", ""), -1.0)


def test_the_function_sees_every_field_of_the_example(folder: Path) -> None:
    (folder / "scoring.py").write_text("def length(example, completion):\n    return len(example.extra['mood'])\n")
    case = load(folder).tasks[0].dev[0]
    assert case.task.judge(case.example, "anything") == 4.0


def test_the_source_is_part_of_the_key_and_so_is_all_of_the_data(folder: Path) -> None:
    keys = [load(folder).key]
    (folder / "scoring.py").write_text(LENGTH + "# the same, with a word on it\n")
    keys.append(load(folder).key)
    (folder / "prompts.json").write_text(json.dumps({**DATA, "test": [{"prompt": "Moon", "mood": "sad"}]}))
    keys.append(load(folder).key)
    assert len(set(keys)) == 3


def test_bounds_and_the_folders_name_are_no_part_of_the_key(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "scoring.py").write_text(LENGTH)
    assert load(folder, folder=str(elsewhere), least=-9).key == load(folder).key


def test_a_score_out_of_the_configs_bounds_fails_the_evaluation(folder: Path) -> None:
    objective = load(folder, least=0)
    assert objective.score_predictions("test", ["abc"]) == (0.0,)
    with pytest.raises(EvaluationError) as error:
        objective.score_predictions("test", ["a"])
    assert str(error.value) == (
        "the score function scoring:length for test[0] of prompts returned -2, outside of the config's 0 … any"
    )


def test_what_the_function_raises_fails_the_evaluation(folder: Path) -> None:
    (folder / "scoring.py").write_text("def length(example, completion):\n    return example.extra['mood']\n")
    with pytest.raises(EvaluationError) as error:
        load(folder).score("test", [Completion("x", 1)])
    assert str(error.value) == "the score function scoring:length for test[0] of prompts raised KeyError: 'mood'"


def test_a_function_that_is_not_there_is_refused_when_the_objective_is_loaded(folder: Path) -> None:
    with pytest.raises(InputError) as error:
        load(folder, score="scoring:width", name="poems")
    assert str(error.value) == (
        "task 'poems': score 'scoring:width': scoring has no function 'width': define it or name another"
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"score": "os.path.join"}, "'os.path.join' is not module:function: write for instance scoring:rhymes"),
        ({"score": "a:b", "least": 1, "greatest": 1}, "least 1 is not below greatest 1: correct one"),
        ({"score": "a:b", "least": float("nan")}, "finite number"),
    ],
)
def test_a_wrong_field_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as error:
        Function.model_validate({"kind": "function", "data": "a.json", **fields})
    assert message in str(error.value)


def test_the_folder_is_the_config_files_unless_another_is_named() -> None:
    def resolved(**fields: Any) -> Path | None:
        value = {"kind": "function", "data": "a.json", "score": "a:b", **fields}
        return Function.model_validate(value, context={"folder": Path("/configs")}).folder

    assert [resolved(), resolved(folder="own"), resolved(folder="/own")] == [
        Path("/configs"),
        Path("/configs/own"),
        Path("/own"),
    ]


def test_a_config_survives_json_after_its_function_was_used(folder: Path) -> None:
    config = load(folder).tasks[0].config
    assert config.judge(Example("s", "dev", 0, "0", "q", ""), "abcd") == 1.0
    assert Function.model_validate_json(config.model_dump_json()) == config


def test_scores_from_0_to_1_are_shares_of_right_answers(folder: Path) -> None:
    bounds: list[dict[str, Any]] = [{}, {"least": 0}, {"least": 0, "greatest": 1}, {"least": 0, "greatest": 10}]
    assert [load(folder, **fields).tasks[0].config.graded for fields in bounds] == [False, False, True, False]
