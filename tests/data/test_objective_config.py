from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from data.objective_config import ObjectiveConfig

TASK = {"kind": "exact_match", "data": "sums.json"}


def test_relative_data_is_resolved_against_the_configs_folder() -> None:
    value = {"tasks": [TASK, {**TASK, "data": "/data/other.json"}]}
    config = ObjectiveConfig.model_validate(value, context={"folder": Path("/configs")})
    assert [task.data for task in config.tasks] == [Path("/configs/sums.json"), Path("/data/other.json")]


def test_relative_data_stays_relative_without_a_folder() -> None:
    assert ObjectiveConfig.model_validate({"tasks": [TASK]}).tasks[0].data == Path("sums.json")


def test_a_config_survives_json() -> None:
    task = {"kind": "multiple_choice", "data": "/a.json", "parse": "loglik", "stop": ["\n"], "dev": 3}
    config = ObjectiveConfig.model_validate({"tasks": [TASK, task], "aggregate": "harmonic_mean"})
    assert ObjectiveConfig.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"tasks": []}, "at least 1 item"),
        (
            {"tasks": [{**TASK, "kind": "essay"}]},
            "'likelihood', 'lm_eval', 'multiple_choice'",
        ),
        ({"tasks": [TASK], "goal": 1}, "Extra inputs are not permitted"),
        ({"tasks": [TASK, TASK]}, "tasks: 2 of them are called 'sums': give each its own 'name'"),
        (
            {"tasks": [{**TASK, "weight": 2}], "aggregate": "min"},
            "weight 2 has no effect with aggregate: min: remove it",
        ),
        (
            {"tasks": [TASK, {"kind": "likelihood", "data": "poems.json"}], "aggregate": "harmonic_mean"},
            "aggregate 'harmonic_mean' needs scores of at least 0, but those of task 'poems' (kind likelihood) may be "
            "lower: set aggregate: mean or min",
        ),
        (
            {"tasks": [{"kind": "function", "data": "a.json", "score": "a:b"}], "aggregate": "harmonic_mean"},
            "those of task 'a' (kind function) may be lower",
        ),
    ],
)
def test_a_wrong_objective_is_refused(value: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as error:
        ObjectiveConfig.model_validate(value)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "task", [{"kind": "countdown"}, {"kind": "function", "score": "a:b", "least": 0}, {"kind": "multiple_choice"}]
)
def test_a_harmonic_mean_takes_scores_that_are_never_below_0(task: dict[str, Any]) -> None:
    value = {"tasks": [{"data": "b.json", **task}, TASK], "aggregate": "harmonic_mean"}
    assert ObjectiveConfig.model_validate(value).aggregate == "harmonic_mean"


def test_every_field_of_the_form_has_a_title_and_a_description() -> None:
    schema = ObjectiveConfig.model_json_schema()
    models = {"ObjectiveConfig": schema, **schema["$defs"]}
    bare = [
        f"{name}.{field}"
        for name, model in models.items()
        for field, value in model["properties"].items()
        if not {"title", "description"} <= value.keys()
    ]
    assert bare == []
