import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter

from data.examples import Example
from data.kinds.base import TaskConfig
from data.kinds.registry import AnyTask
from data.objective import ObjectiveConfig, load_objective
from data.requests import Completion
from data.user_code import load

PAGE = (Path(__file__).parents[2] / "docs" / "objectives.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def tasks() -> list[dict[str, Any]]:
    return [task for block in blocks("yaml") if isinstance(value := yaml.safe_load(block), list) for task in value]


def source(name: str) -> str:
    [block] = [block for block in blocks("python") if block.startswith(f"# {name}\n")]
    return block


def test_every_kind_has_a_section_with_an_example_that_is_valid() -> None:
    kinds = TypeAdapter(AnyTask).json_schema()["discriminator"]["mapping"]
    assert sorted(re.findall(r"^### (\w+)$", PAGE, re.MULTILINE)) == sorted(kinds)
    assert [TypeAdapter(AnyTask).validate_python(task).kind for task in tasks()] == re.findall(r"\n### (\w+)", PAGE)


def test_the_objective_and_the_data_on_the_page_are_valid(tmp_path: Path) -> None:
    ObjectiveConfig.model_validate(yaml.safe_load(blocks("yaml")[0])["objective"])
    (tmp_path / "sums.json").write_text(blocks("json")[0])
    task = {"kind": "exact_match", "data": tmp_path / "sums.json"}
    objective = load_objective(ObjectiveConfig.model_validate({"tasks": [task]}))
    assert objective.score("dev", [Completion("2", 1)]).utility == 1.0


def test_the_score_function_on_the_page_scores(tmp_path: Path) -> None:
    (tmp_path / "scoring.py").write_text(source("scoring.py"))
    prompts = [{"prompt": "Be brief.", "most": 2}, {"prompt": "Say hello."}]
    (tmp_path / "prompts.json").write_text(json.dumps({"dev": prompts, "test": [{"prompt": "Bye."}]}))
    [task] = [task for task in tasks() if task["kind"] == "function"]
    config = ObjectiveConfig.model_validate({"tasks": [task]}, context={"folder": tmp_path})
    evaluation = load_objective(config).score("dev", [Completion("one two three four", 4), Completion("Hello!", 2)])
    assert evaluation.scores == (0.5, 1.0)


@pytest.mark.parametrize(("text", "score"), [("DOG", 1.0), ("go", 2 / 3), ("", 0.0)])
def test_the_kind_on_the_page_scores(tmp_path: Path, text: str, score: float) -> None:
    (tmp_path / "letters.py").write_text(source("letters.py"))
    kind: Any = load("letters:Letters", tmp_path).value
    config: TaskConfig = kind.model_validate({"kind": "letters", "data": "pets.json"})
    asked = Example("pets", "dev", 0, "0", "Barks?", "dog")
    config.check_example(asked)
    assert config.judge(asked, config.prediction(asked, Completion(text, 1))) == score
