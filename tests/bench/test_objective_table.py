"""The table of `bench.evaluation.objectives` has every kind, over data that each can use."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter

from bench.evaluation.objective_table.made import make_data
from bench.evaluation.objective_table.rows import Row, own_rows, public_rows
from data.kinds.rated import RatedTask
from data.kinds.registry import AnyTask
from data.objective import ObjectiveConfig, load_objective
from tests.installed import package_tested


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    folder = tmp_path_factory.mktemp("data")
    make_data(folder)
    return list(own_rows(folder, folder, folder, "judge"))  # any folder may hold a rating model, until it is opened


def test_every_kind_has_a_row(rows: list[Row]) -> None:
    kinds = TypeAdapter(AnyTask).json_schema()["discriminator"]["mapping"]
    assert {row.task["kind"] for row in rows} == set(kinds)


def test_every_row_can_be_asked_of_twenty_examples(rows: list[Row]) -> None:
    for row in rows:
        task = TypeAdapter(AnyTask).validate_python({**row.task, "dev": 5, "test": 20})
        assert row.judged == ("judge" in task.kind)
        if isinstance(task, RatedTask) or (task.kind == "lm_eval" and not package_tested("lm_eval", "lm-eval")):
            continue
        objective = load_objective(ObjectiveConfig.model_validate({"tasks": [task], "allow_overlap": True}), repr)
        assert len(objective.requests("test")) == 20


def test_only_the_public_sets_that_are_there_have_rows(tmp_path: Path) -> None:
    (tmp_path / "mmlu.json").write_text("{}")
    found = list(public_rows(tmp_path, Path("classifier"), Path("rewarder"), "judge"))
    assert [row.about.partition(",")[0] for row in found] == ["mmlu"] * 3
    assert all(TypeAdapter(AnyTask).validate_python(row.task).data.name == "mmlu.json" for row in found)
