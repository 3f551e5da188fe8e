import json
from pathlib import Path
from typing import Any

import pytest

from data.objective import Objective, ObjectiveConfig, load_objective
from data.requests import Generate, LogLikelihood
from swarm.errors import InputError

SUMS = {
    "dataset": "sums",
    "dev": [{"question": f"{n}+1=", "answer": str(n + 1)} for n in range(4)],
    "test": [{"question": f"{n}+2=", "answer": str(n + 2)} for n in range(2)],
}
CHOICES = {"A": "dog", "B": "cat"}
PETS = {
    "dataset": "pets",
    "dev": [
        {"question": "Barks?", "answer": "A", "choices": CHOICES},
        {"question": "Purrs?", "answer": "B", "choices": CHOICES},
    ],
    "test": [{"question": "Meows?", "answer": "B", "choices": CHOICES}],
}


def objective(folder: Path, data: dict[str, Any], task: dict[str, Any], **fields: Any) -> Objective:
    (folder / "data.json").write_text(json.dumps(data))
    value = {"tasks": [{"data": "data.json", **task}], **fields}
    return load_objective(ObjectiveConfig.model_validate(value, context={"folder": folder}), chat)


def chat(messages: list[dict[str, str]]) -> str:
    return "".join(f"<{message['role']}>{message['content']}" for message in messages) + "<assistant>"


def sums(folder: Path, **fields: Any) -> Objective:
    return objective(folder, SUMS, {"kind": "exact_match", "max_new_tokens": 5, **fields})


def test_the_first_dev_examples_stand_before_every_question_and_are_no_dev_examples(tmp_path: Path) -> None:
    made = sums(tmp_path, examples=2, dev=1)
    worked = "0+1= 1\n\n1+1= 2\n\n"
    assert made.requests("dev") == [Generate(f"{worked}2+1=", 5)]
    assert made.requests("test") == [Generate(f"{worked}0+2=", 5), Generate(f"{worked}1+2=", 5)]
    assert [example.question for example in made.examples("dev")] == ["2+1="]


def test_the_files_own_worked_examples_stay_first(tmp_path: Path) -> None:
    data = {**SUMS, "icl_prompt": "7+7=14"}
    made = objective(tmp_path, data, {"kind": "exact_match", "max_new_tokens": 5, "examples": 1, "dev": 1})
    assert made.requests("dev") == [Generate("7+7=14\n0+1= 1\n\n1+1=", 5)]


def test_in_a_chat_they_are_turns(tmp_path: Path) -> None:
    made = sums(tmp_path, examples=1, dev=1, prompt="chat", system="Add.")
    assert made.requests("dev") == [Generate("<system>Add.<user>0+1=<assistant>1<user>1+1=<assistant>", 5)]


def test_a_choice_is_shown_as_it_is_to_be_answered(tmp_path: Path) -> None:
    task = {"kind": "multiple_choice", "parse": "loglik", "examples": 1}
    [by_key] = objective(tmp_path, PETS, {**task, "template": "{question} {choices} Is"}).requests("dev")
    assert by_key == LogLikelihood("Barks? A: dog\nB: cat Is A\n\nPurrs? A: dog\nB: cat Is", (" A", " B"))
    [by_text] = objective(tmp_path, PETS, {**task, "loglik_of": "text", "template": "{question}"}).requests("dev")
    assert by_text == LogLikelihood("Barks? dog\n\nPurrs?", (" dog", " cat"))
    [likely] = objective(tmp_path, PETS, {"kind": "likelihood", "examples": 1}).requests("dev")
    assert likely == LogLikelihood("Barks? dog\n\nPurrs?", (" cat",))


def test_the_key_changes_with_their_number_and_without_them_it_is_as_ever(tmp_path: Path) -> None:
    keys = [sums(tmp_path, dev=1, examples=count).key for count in (0, 1, 2)]
    assert len(set(keys)) == 3
    assert sums(tmp_path, dev=1).key == keys[0]


def test_more_than_there_are_dev_examples_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        sums(tmp_path, examples=4)
    assert str(error.value) == (
        "task 'data': examples: 4 of the 4 dev examples are to stand in the prompts, but one or more must be left to "
        "choose by: lower it"
    )


def test_a_test_question_among_them_is_refused_as_overlap(tmp_path: Path) -> None:
    data = {**SUMS, "test": [SUMS["dev"][0]]}
    with pytest.raises(InputError, match=r"data\.json: 1 of its test questions are dev questions too"):
        objective(tmp_path, data, {"kind": "exact_match", "examples": 1})


@pytest.mark.parametrize(
    ("task", "example", "problem"),
    [
        (
            {"kind": "function", "score": "math:hypot"},
            {"prompt": "Hello"},
            "answer: is missing: give the right answer, or choose a kind that needs none",
        ),
        (
            {"kind": "countdown"},
            {"context": "Reach 3", "numbers": [1, 2], "target": "3"},
            "target: has no reasoning that could be shown: leave out 'examples'",
        ),
    ],
)
def test_an_example_without_an_answer_to_show_is_refused(
    tmp_path: Path, task: dict[str, Any], example: dict[str, Any], problem: str
) -> None:
    (tmp_path / "math.py").write_text("def hypot(example, completion):\n    return 0\n")
    with pytest.raises(InputError) as error:
        objective(tmp_path, {"dev": [example] * 2, "test": [example]}, {**task, "examples": 1}, allow_overlap=True)
    assert str(error.value) == f"{tmp_path}/data.json: dev[0].{problem} (it is an in-context example)"
