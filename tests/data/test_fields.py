"""Fields of examples: shown where a template names them, and named where nothing reads them."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from data.kinds.base import TaskConfig
from data.kinds.registry import BuiltInTask
from data.objective import Objective, ObjectiveConfig, load_objective
from data.placeholders import placeholder_names
from data.summary import check_data
from swarm.errors import InputError

PASSAGE = {"question": "Who barks?", "answer": "dog", "context": "A dog barks.", "title": "Pets", "hops": 2, "id": "7"}
PETS = {"question": "Who barks?", "answer": "A", "choices": {"A": "dog", "B": "cat"}}


def write(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "rows.json"
    dev, test = rows, [{**row, "question": f"Again: {row.get('question')}"} for row in rows]
    path.write_text(json.dumps({"dev": dev, "test": test}))
    return path


def load(folder: Path, *rows: dict[str, Any], **task: Any) -> Objective:
    fields = {"kind": "exact_match", "data": write(folder, *rows).name, **task}
    return load_objective(ObjectiveConfig.model_validate({"tasks": [fields]}, context={"folder": folder}))


def refusal(folder: Path, *rows: dict[str, Any], **task: Any) -> str:
    with pytest.raises((InputError, ValueError)) as error:
        load(folder, *rows, **task)
    return str(error.value)


def test_a_template_shows_the_fields_that_it_names(tmp_path: Path) -> None:
    template = "{title} ({hops})\n{context}\nQ: {question} {{question}} \\boxed{x}"
    objective = load(tmp_path, PASSAGE, template=template)
    assert objective.requests("dev")[0].prompt == "Pets (2)\nA dog barks.\nQ: Who barks? {Who barks?} \\boxed{x}"
    assert objective.warnings == []


def test_a_context_is_cut_as_the_config_says(tmp_path: Path) -> None:
    objective = load(tmp_path, PASSAGE, template="{context} {question}", context_characters=5)
    assert objective.requests("dev")[0].prompt == "A dog Who barks?"


def test_a_context_that_no_template_shows_changes_no_prompt_but_is_named(tmp_path: Path) -> None:
    objective = load(tmp_path, PASSAGE)
    assert objective.requests("dev")[0].prompt == "Who barks?"
    assert objective.warnings == [
        f"{tmp_path / 'rows.json'}: the fields context, hops, title of its examples reach neither prompt nor score of "
        "task 'rows': put {context}, {hops}, {title} into the task's template, if the models are to read it"
    ]
    assert check_data(tmp_path / "rows.json").unread == ("context", "hops", "title")


@pytest.mark.parametrize(
    ("row", "task"),
    [
        ({"context": "Reach 9", "numbers": [4, 5], "target": "9", "solution": "4+5"}, {"kind": "countdown"}),
        ({**PASSAGE, "context_chunks": ["A dog."], "context": ""}, {"template": "{title}{hops}{context}{question}"}),
        ({"question": "1+1", "answer": "2", "domain": "sums", "source_id": 3, "_hash": "x"}, {}),
        (PETS, {"kind": "multiple_choice"}),
    ],
)
def test_what_is_read_and_labels_are_not_named(tmp_path: Path, row: dict[str, Any], task: dict[str, Any]) -> None:
    (tmp_path / "rows.json").write_text(json.dumps({"dev": [row], "test": [row]}))
    fields = {"kind": "exact_match", "data": "rows.json", **task}
    config = ObjectiveConfig.model_validate({"tasks": [fields], "allow_overlap": True}, context={"folder": tmp_path})
    unread = [warning for warning in load_objective(config).warnings if "context of" not in warning]
    assert unread == []


def test_a_function_of_the_users_may_read_every_field(tmp_path: Path) -> None:
    (tmp_path / "scoring.py").write_text("def score(example, completion):\n    return 1\n")
    assert load(tmp_path, PASSAGE, kind="function", score="scoring:score").warnings == []


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{titel} {question}", "the placeholder {titel}, but there is only {question}, {choices}, {context}, {hops}, "),
        ("{titel} {question}", "{title}: did you mean {title}?, or write { titel } for braces"),
        ("{answer} {question}", "the placeholder {answer}, but there is only"),
        ("{{passage}} {question}", "the placeholder {passage}, but there is only"),
        ("{} {question}", "has the empty placeholder {}: name a field in it, or write { } for braces"),
    ],
)
def test_a_placeholder_that_no_field_fills_is_refused(tmp_path: Path, template: str, problem: str) -> None:
    message = refusal(tmp_path, PASSAGE, template=template)
    assert problem in message
    assert message.startswith("task 'rows': template: it has") or "{}" in template


def test_an_example_without_what_the_template_names_is_refused_with_its_place(tmp_path: Path) -> None:
    rows = [PASSAGE, {**PASSAGE, "question": "Who?"}]
    for field in ("context", "title"):
        lacking = [rows[0], {key: value for key, value in rows[1].items() if key != field}]
        message = refusal(tmp_path, *lacking, template=f"{{{field}}} {{question}}")
        assert f"rows.json: dev[1].{field}: is missing, but the template has {{{field}}}: give it, or remove" in message
        assert "(1 more: `swarm data check` lists them)" in message


@pytest.mark.parametrize(
    ("row", "template", "problem"),
    [
        ({**PASSAGE, "title": ["a"]}, "{title}", "title: ['a'] is neither text nor number, but the template has"),
        ({**PASSAGE, "title": True}, "{title}", "title: True is neither text nor number"),
        ({"question": "1+1", "answer": "2"}, "{context}", "context: is missing, but the template has {context}"),
        ({"question": "1+1", "answer": "2"}, "{choices}", "choices: is missing, but the template has {choices}"),
    ],
)
def test_nothing_is_put_where_a_template_names_something(
    tmp_path: Path, row: dict[str, Any], template: str, problem: str
) -> None:
    assert f"dev[0].{problem}" in refusal(tmp_path, row, template=template + " {question}")


@pytest.mark.parametrize(
    "kind", [{"kind": "exact_match"}, {"kind": "conciseness"}, {"kind": "judged_match", "model": "m"}]
)
def test_choices_that_neither_prompt_nor_score_would_read_are_refused(tmp_path: Path, kind: dict[str, Any]) -> None:
    message = refusal(tmp_path, PETS, **kind) if kind["kind"] != "judged_match" else _rated_refusal(tmp_path, kind)
    assert (
        f"dev[0].choices: would reach neither prompt nor score of kind {kind['kind']}: set kind: multiple_choice, "
        in (message)
    )


def _rated_refusal(folder: Path, kind: dict[str, Any]) -> str:
    fields = {"data": write(folder, PETS).name, **kind}
    config = ObjectiveConfig.model_validate({"tasks": [fields]}, context={"folder": folder})
    with pytest.raises(InputError) as error:
        load_objective(config, identify=lambda scorer: "a judge")
    return str(error.value)


def test_choices_that_the_template_shows_are_read(tmp_path: Path) -> None:
    objective = load(tmp_path, PETS, template="{question}\n{choices}\nAnswer:")
    assert objective.requests("dev")[0].prompt == "Who barks?\nA: dog\nB: cat\nAnswer:"


def test_every_kind_says_what_becomes_of_choices() -> None:
    """A kind whose template needs no `{choices}` and that reads none of them refuses them."""
    reading = {kind.__name__ for kind in get_args(BuiltInTask) if kind.reads_choices}
    assert reading == {"AbstainQA", "Function", "Likelihood", "LmEval", "MultipleChoice"}
    assert TaskConfig.reads_choices is False


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("{question} and {a_b} {question}", ["question", "a_b"]),
        ("\\boxed{x} \\frac{a}{b} x^{n} y_{i} \\text{d}{e}", []),
        ('{"a": 1} { a } {1,2} {3}', []),
        ("{}", [""]),
        ("\\boxed{}", []),
    ],
)
def test_braces_of_latex_and_json_are_no_placeholders(template: str, names: list[str]) -> None:
    assert placeholder_names(template) == names
