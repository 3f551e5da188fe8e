import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from data.summary import DataSummary, InvalidEntry, ListedFile, check_data, list_data
from swarm.errors import InputError


def test_a_file_is_summed_up(tmp_path: Path) -> None:
    path = tmp_path / "sums.json"
    one, two = {"question": "1+1", "answer": "2"}, {"question": "2+2", "answer": "4"}
    text = json.dumps({"dev": [one, two, {"question": "3+3"}], "test": [two, two]})
    path.write_text(text)
    assert check_data(path) == DataSummary(
        path=str(path),
        dataset="sums",
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        kind="exact_match",
        examples={"dev": 3, "test": 2},
        overlap=1,
        repeated={"dev": 0, "test": 1},
        invalid=(InvalidEntry("dev", 2, "answer: is missing: give the right answer"),),
    )


def test_choices_make_a_multiple_choice_file_and_then_every_example_needs_them(tmp_path: Path) -> None:
    path = tmp_path / "pets.jsonl"
    lines = [
        {"split": "dev", "question": "Barks?", "answer": "A", "choices": {"A": "dog", "B": "cat"}},
        {"split": "dev", "question": "Purrs?", "answer": "cat"},
    ]
    path.write_text("\n".join(map(json.dumps, lines)))
    summary = check_data(path)
    assert (summary.kind, summary.examples) == ("multiple_choice", {"dev": 2, "test": 0})
    assert summary.invalid == (InvalidEntry("dev", 1, "choices: is missing, but other examples have them"),)


@pytest.mark.parametrize(
    ("values", "kind", "reasons"),
    [
        ([{"prompt": "Hello"}], "function", []),
        ([{"prompt": "Hello"}, {"prompt": "1+1", "answer": "2"}], "exact_match", ["answer: is missing: give the"]),
        ([{"context": "Reach 9", "numbers": [4, 5], "target": "9"}], "countdown", []),
        (
            [{"context": "Reach 9", "numbers": [4, 5], "target": "9"}, {"context": "Reach 9", "target": "9"}],
            "countdown",
            ["numbers: None is no list of whole numbers: write [44, 19, 35]"],
        ),
        ([{"note": "x"}], None, ["question: is missing: give the text to ask"]),
    ],
)
def test_the_fields_of_a_file_say_which_kind_fits(
    tmp_path: Path, values: list[dict[str, Any]], kind: str | None, reasons: list[str]
) -> None:
    path = tmp_path / "some.json"
    path.write_text(json.dumps({"dev": values, "test": []}))
    summary = check_data(path)
    assert summary.kind == kind
    assert len(summary.invalid) == len(reasons)
    assert all(entry.reason.startswith(reason) for entry, reason in zip(summary.invalid, reasons, strict=True))


def test_a_summary_is_plain_json(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"dev": [1]}')
    (entry,) = json.loads(json.dumps([listed.to_json() for listed in list_data(tmp_path)]))
    assert entry["summary"] == json.loads(json.dumps(check_data(path).to_json()))
    assert entry["summary"]["invalid"] == [
        {"split": "dev", "index": 0, "reason": "example: 1 is not an object: write {'question': …, 'answer': …}"}
    ]


def test_a_folder_is_listed_with_what_is_wrong_with_a_file(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text('{"dev": []}')
    (tmp_path / "a.json").write_text("[]")
    (tmp_path / "readme.md").write_text("notes")
    (tmp_path / "more.json").mkdir()
    assert list_data(tmp_path) == (
        ListedFile(
            f"{tmp_path}/a.json", None, f'{tmp_path}/a.json: holds [], not an object: write {{"dev": […], "test": […]}}'
        ),
        ListedFile(f"{tmp_path}/b.json", check_data(tmp_path / "b.json"), None),
    )


def test_a_missing_or_empty_folder_is_refused(tmp_path: Path) -> None:
    messages = []
    for folder in (tmp_path / "none", tmp_path):
        with pytest.raises(InputError) as error:
            list_data(folder)
        messages.append(str(error.value))
    assert messages == [
        f"{tmp_path}/none: there is no such folder: check the path",
        f"{tmp_path}: holds no .json or .jsonl file: name a folder with data files",
    ]
