"""A part of an objective: some of its examples, scored as in the whole."""

import json
from pathlib import Path

import pytest

from data.objective import Objective, ObjectiveConfig, load_objective
from data.requests import Completion, Generate
from data.subset import select_examples


@pytest.fixture
def objective(tmp_path: Path) -> Objective:
    for name in ("one", "two"):
        examples = [{"question": f"{name} {n}", "answer": str(n)} for n in range(4)]
        test = [{"question": f"{name} test", "answer": "1"}]
        (tmp_path / f"{name}.json").write_text(json.dumps({"dataset": name, "dev": examples, "test": test}))
    tasks = [{"kind": "exact_match", "data": f"{name}.json"} for name in ("one", "two")]
    return load_objective(ObjectiveConfig.model_validate({"tasks": tasks}, context={"folder": tmp_path}))


def prompts(objective: Objective) -> list[str]:
    return [request.prompt for request in objective.requests("dev") if isinstance(request, Generate)]


def test_a_part_asks_its_examples_in_the_objectives_order(objective: Objective) -> None:
    assert prompts(select_examples(objective, "dev", [5, 1, 3, 1])) == ["one 1", "one 3", "two 1"]
    assert prompts(select_examples(objective, "dev", range(8))) == prompts(objective)


def test_a_task_without_examples_is_no_part_of_the_utility(objective: Objective) -> None:
    part = select_examples(objective, "dev", [0, 2])
    evaluation = part.score("dev", [Completion("0", 1), Completion("wrong", 1)])
    assert (evaluation.utility, evaluation.task_utilities) == (0.5, (0.5,))


def test_parts_are_told_apart_by_content(objective: Objective) -> None:
    keys = {select_examples(objective, "dev", places).split_key("dev") for places in ([0], [1], [0, 1], [4])}
    assert len(keys) == 4
    assert select_examples(objective, "dev", [1, 0]).split_key("dev") == select_examples(
        objective, "dev", [0, 1]
    ).split_key("dev")


def test_nothing_is_no_part(objective: Objective) -> None:
    with pytest.raises(ValueError, match="no example"):
        select_examples(objective, "dev", [])
