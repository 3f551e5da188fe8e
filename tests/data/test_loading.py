import json
from pathlib import Path
from typing import Any

import pytest

from data.data_file import DataFile, read_data_file
from data.examples import Example
from data.loading import count_overlap, valid_examples, validate
from swarm.errors import InputError

GOOD = {"question": "1+1", "answer": "2"}


def write(path: Path, *dev: Any, test: Any = (GOOD,)) -> DataFile:
    path.write_text(json.dumps({"dataset": "sums", "dev": list(dev), "test": list(test)}))
    return read_data_file(path)


def question(text: str, *choices: str) -> Example:
    return Example("set", "dev", 0, "0", text, "A", tuple(zip("ABCD", choices, strict=False)))


def test_examples_are_read_with_their_ids_answers_and_choices(tmp_path: Path) -> None:
    choice = {"question": "Which?", "answer": "B", "choices": {"B": "dog", "A": "cat"}, "id": "x", "domain": "pets"}
    number = {"question": "1+1", "answer": 2, "id": 7}
    assert valid_examples(write(tmp_path / "a.json", choice, number)) == (
        Example("sums", "dev", 0, "x", "Which?", "B", (("B", "dog"), ("A", "cat")), {"domain": "pets"}),
        Example("sums", "dev", 1, "7", "1+1", "2"),
        Example("sums", "test", 0, "0", "1+1", "2"),
    )


@pytest.mark.parametrize(
    ("value", "question", "answer", "extra"),
    [
        ({"prompt": "Hello"}, "Hello", "", {}),
        ({"prompt": "1+1", "answer": "2"}, "1+1", "2", {}),
        ({"context": "Reach 98", "target": "98", "numbers": [44]}, "Reach 98", "98", {"numbers": [44]}),
        ({"context": "Once …", "question": "Who?", "answer": "I"}, "Who?", "I", {"context": "Once …"}),
    ],
)
def test_the_papers_other_names_of_question_and_answer_are_known(
    tmp_path: Path, value: dict[str, Any], question: str, answer: str, extra: dict[str, Any]
) -> None:
    example = valid_examples(write(tmp_path / "a.json", value))[0]
    assert example == Example("sums", "dev", 0, "0", question, answer, (), extra)


def test_ids_may_repeat_because_those_of_the_papers_files_do(tmp_path: Path) -> None:
    examples = valid_examples(write(tmp_path / "a.json", {**GOOD, "id": 0}, {**GOOD, "id": 0}))
    assert [example.id for example in examples] == ["0", "0", "0"]


@pytest.mark.parametrize(
    ("example", "message"),
    [
        (3, "example: 3 is not an object: write {'question': …, 'answer': …}"),
        ({"answer": "2"}, "question: is missing: give the text to ask"),
        ({"question": 5, "answer": "2"}, "question: 5 is not a text: give the text to ask, in quotes"),
        ({"question": " ", "answer": "2"}, "question: ' ' is empty: give the text to ask"),
        (
            {"question": "\ud800", "answer": "2"},
            "question: '\\ud800' holds half a character (a lone surrogate): remove it",
        ),
        ({"question": "1+1"}, "answer: is missing: give the right answer"),
        ({"question": "1+1", "answer": ""}, "answer: '' is empty: give the right answer"),
        ({"question": "1+1", "answer": None}, "answer: None is not a text: give the right answer, in quotes"),
        ({"question": "1+1", "answer": 2.0}, "answer: 2.0 is not a text: give the right answer, in quotes"),
        ({"question": "1+1", "answer": True}, "answer: True is not a text: give the right answer, in quotes"),
        ({**GOOD, "id": []}, "id: [] is not a text: give a label, in quotes"),
        (
            {**GOOD, "choices": ["1", "2"]},
            "choices: ['1', '2'] is not an object of two choices or more: write {'A': …, 'B': …}",
        ),
        (
            {**GOOD, "choices": {"A": "1"}},
            "choices: {'A': '1'} is not an object of two choices or more: write {'A': …, 'B': …}",
        ),
        (
            {**GOOD, "choices": {"(A)": "1", "B": "2"}},
            "choices: the key '(A)' is no letter, word or number: name it A, B, …",
        ),
        ({**GOOD, "choices": {"A": "1", "B": ""}}, "choices.B: '' is empty: give the text of the choice"),
        (
            {"question": "1+1", "answer": "E", "choices": {"A": "1", "B": "2"}},
            "answer: 'E' is not one of the choices A, B: give one of them",
        ),
    ],
)
def test_an_invalid_example_is_refused_with_file_place_field_value_and_remedy(
    tmp_path: Path, example: Any, message: str
) -> None:
    file = write(tmp_path / "a.json", GOOD, example)
    with pytest.raises(InputError) as error:
        valid_examples(file)
    assert str(error.value) == f"{tmp_path}/a.json: dev[1].{message}"


def test_long_values_are_cut_and_further_invalid_examples_are_counted(tmp_path: Path) -> None:
    file = write(tmp_path / "a.json", {**GOOD, "answer": ["x" * 90]}, 1, 2)
    with pytest.raises(InputError) as error:
        valid_examples(file)
    assert str(error.value) == (
        f"{tmp_path}/a.json: dev[0].answer: ['{'x' * 58}… is not a text: give the right answer, in quotes "
        "(2 more: `swarm data check` lists them)"
    )


def test_an_invalid_line_of_json_lines_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"split": "test", "question": "1+1", "answer": "2"}\n{"split": "dev", "question": "1+1"}')
    with pytest.raises(InputError) as error:
        valid_examples(read_data_file(path))
    assert str(error.value) == f"{path}: line 2 (dev[0]).answer: is missing: give the right answer"


def test_valid_examples_and_findings_come_apart(tmp_path: Path) -> None:
    examples, findings = validate(write(tmp_path / "a.json", {}, GOOD, test=[{}]))
    assert [example.location for example in examples] == ["dev[1]"]
    assert [(finding.raw.location, finding.reason) for finding in findings] == [
        ("dev[0]", "question: is missing: give the text to ask"),
        ("test[0]", "question: is missing: give the text to ask"),
    ]


def test_an_empty_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        valid_examples(write(tmp_path / "a.json", GOOD, test=()))
    assert str(error.value) == (
        f"{tmp_path}/a.json: the test split has no examples: add some, the search and the report need both"
    )


@pytest.mark.parametrize(
    ("dev", "test", "shared"),
    [
        (question("Which?", "cat", "dog"), question("Which?", "cat", "dog"), 1),
        (question("Which?", "cat", "dog"), question(" Which?\n", "dog", "cat"), 1),
        (question("Which?", "cat", "dog"), question("Which?", "cat", "cow"), 0),
        (question("Which?", "cat", "dog"), question("which?", "cat", "dog"), 0),
    ],
)
def test_examples_overlap_if_they_ask_the_same_whatever_the_order_of_the_choices(
    dev: Example, test: Example, shared: int
) -> None:
    assert count_overlap([dev, dev], [test, test]) == shared
