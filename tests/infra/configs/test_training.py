"""Training files and the examples that they name."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra.configs.training import TrainingFile, in_training_order, read_train_split, training_sources
from infra.configs.yaml_files import validate
from swarm.canonical import content_hash
from swarm.errors import InputError

EXAMPLES: list[dict[str, Any]] = [{"question": "1 + 1", "answer": 2}, {"question": "Say {answer}", "answer": "yes"}]


def data_file(folder: Path, name: str = "sums", **fields: Any) -> Path:
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"train": EXAMPLES, **fields}))
    return path


def training_file(folder: Path, **fields: Any) -> TrainingFile:
    value = {"name": "sums", "base_model": "smollm2-135m-instruct", "data": [{"path": "sums.json"}], **fields}
    return validate(value, TrainingFile, "sums.yaml", folder=folder)


def test_paths_are_relative_to_the_file_and_the_expert_lies_beside_it(tmp_path: Path) -> None:
    beside, below = training_file(tmp_path), training_file(tmp_path, output="../out")
    assert beside.data[0].path == tmp_path / "sums.json"
    assert beside.folder == tmp_path / "sums"
    assert below.folder == tmp_path / ".." / "out" / "sums"


def test_a_source_is_prompts_and_completions_with_their_share(tmp_path: Path) -> None:
    data_file(tmp_path)
    [source] = training_sources(training_file(tmp_path, data=[{"path": "sums.json", "share": 0.25}]))
    assert list(source.pairs) == [("1 + 1\nAnswer:", " 2"), ("Say {answer}\nAnswer:", " yes")]
    assert (source.name, source.share, source.sha256) == ("sums", 0.25, content_hash(source.pairs))


def test_choices_can_be_a_part_of_the_prompt(tmp_path: Path) -> None:
    data_file(tmp_path, train=[{"question": "Which?", "choices": {"A": "this", "B": "that"}, "answer": "B"}])
    [source] = training_sources(training_file(tmp_path, template="{question}\n{choices}\n", completion="{answer}."))
    assert list(source.pairs) == [("Which?\nA: this\nB: that\n", "B.")]


def test_another_template_is_another_training_but_another_dev_split_is_not(tmp_path: Path) -> None:
    data_file(tmp_path)
    [first] = training_sources(training_file(tmp_path))
    [templated] = training_sources(training_file(tmp_path, template="Q: {question}"))
    data_file(tmp_path, dev=EXAMPLES)
    [evaluated] = training_sources(training_file(tmp_path))
    assert templated.sha256 != first.sha256
    assert evaluated.sha256 == first.sha256


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "not valid JSON"),
        ("[]", "holds list, not an object"),
        ("{}", 'has no "train" split'),
        ('{"train": []}', 'has no "train" split'),
        ('{"train": [{"question": "?", "answer": "!"}, {"question": "?"}]}', "train[1].answer: is missing"),
        ('{"train": [{"question": 3, "answer": "!"}]}', "train[0].question: 3 is not a text"),
        ('{"train": [{"prompt": "?"}]}', "train[0].answer: is missing"),
    ],
)
def test_data_without_usable_training_examples_are_refused_by_name(tmp_path: Path, content: str, problem: str) -> None:
    path = tmp_path / "data.json"
    path.write_text(content)
    with pytest.raises(InputError) as refused:
        read_train_split(path)
    assert str(refused.value).startswith(f"{path}: {problem}")
    assert "\n" not in str(refused.value)


def test_an_expert_comes_after_the_one_that_it_starts_from(tmp_path: Path) -> None:
    files = {
        tmp_path / "c.yaml": training_file(tmp_path, name="c", start="b"),
        tmp_path / "b.yaml": training_file(tmp_path, name="b", start="a"),
        tmp_path / "a.yaml": training_file(tmp_path, name="a"),
    }
    assert [path.stem for path in in_training_order(files)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("start", "problem"),
    [
        ("a", "field 'start': this expert starts from itself: start it from another"),
        ("none", "field 'start': there is no folder {folder}/none: train that expert first"),
    ],
)
def test_an_expert_without_a_beginning_is_refused(tmp_path: Path, start: str, problem: str) -> None:
    path = tmp_path / "a.yaml"
    with pytest.raises(InputError) as refused:
        in_training_order({path: training_file(tmp_path, name="a", start=start)})
    assert str(refused.value) == f"{path}: {problem.format(folder=tmp_path)}"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"name": "../sums"}, "field 'name': the run name '../sums' is not allowed"),
        ({"completion": "yes"}, "field 'completion': template 'yes' has no {answer}"),
        ({"training": {"stps": 1}}, "unknown field 'training.stps': did you mean 'steps'?"),
        ({"data": []}, "field 'data': "),
        ({"data": [{"path": "sums.json", "share": 0}]}, "field 'data.0"),
    ],
)
def test_a_wrong_field_is_refused_by_name(tmp_path: Path, fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError) as refused:
        training_file(tmp_path, **fields)
    assert str(refused.value).startswith(f"sums.yaml: {problem}")


def test_a_template_shows_the_fields_that_it_names(tmp_path: Path) -> None:
    data_file(tmp_path, train=[{"question": "Which?", "context": "A dog barks.", "hint": "It barks.", "answer": "dog"}])
    [source] = training_sources(training_file(tmp_path, template="{context} {hint} {question}"))
    assert list(source.pairs) == [("A dog barks. It barks. Which?", " dog")]


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{passage} {question}", "field 'template' has the placeholder {passage}, but there is only {question}, "),
        ("{context} {question}", "train[0].context: is missing, but the template has {context}"),
        ("{choices} {question}", "train[0].choices: is missing, but the template has {choices}"),
    ],
)
def test_a_template_that_names_what_is_not_there_is_refused(tmp_path: Path, template: str, problem: str) -> None:
    data_file(tmp_path)
    with pytest.raises(InputError, match=re.escape(f"{tmp_path / 'sums.json'}: {problem}")):
        training_sources(training_file(tmp_path, template=template))


@pytest.mark.parametrize(
    "fields", [{"template": "{question} {}"}, {"completion": "{answer}{eos}"}, {"completion": "{answer}{}"}]
)
def test_an_empty_or_unknown_placeholder_is_refused(tmp_path: Path, fields: dict[str, str]) -> None:
    with pytest.raises(InputError, match="placeholder"):
        training_file(tmp_path, **fields)
