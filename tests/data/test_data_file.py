import hashlib
import json
from pathlib import Path

import pytest

from data.data_file import DataFile, RawExample, read_data_file
from swarm.errors import InputError


def test_the_papers_format_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sums.json"
    dev, test = {"question": "1+1", "answer": "2", "domain": "easy"}, {"question": "2+2", "answer": "4"}
    text = json.dumps(
        {"dataset": "Sums", "icl_prompt": "0+0: 0", "dev": [dev], "test": [test], "train": [1], "seed": 3}
    )
    path.write_text(text)
    assert read_data_file(path) == DataFile(
        path=path,
        dataset="Sums",
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        icl_prompt="0+0: 0",
        raw=(RawExample("dev", 0, dev), RawExample("test", 0, test)),
    )


def test_json_lines_are_read_with_their_splits_and_line_numbers(tmp_path: Path) -> None:
    path = tmp_path / "sums.jsonl"
    path.write_text(
        '{"split": "dev", "n": 1}\n\n{"split": "train"}\n{"split": "test", "n": 2}\r\n{"split": "dev", "n": 3}'
    )
    file = read_data_file(path)
    assert (file.dataset, file.icl_prompt) == ("sums", "")
    assert file.raw == (
        RawExample("dev", 0, {"split": "dev", "n": 1}, 1),
        RawExample("test", 0, {"split": "test", "n": 2}, 4),
        RawExample("dev", 1, {"split": "dev", "n": 3}, 5),
    )
    assert [raw.location for raw in file.raw] == ["line 1 (dev[0])", "line 4 (test[0])", "line 5 (dev[1])"]


def test_a_list_is_the_dev_split_of_200_and_the_test_split(tmp_path: Path) -> None:
    path = tmp_path / "countdown.json"
    values = [{"context": f"Reach {n}", "numbers": [n], "target": str(n)} for n in range(203)]
    path.write_text(json.dumps(values))
    file = read_data_file(path)
    assert (file.dataset, [raw.value for raw in file.raw]) == ("countdown", values)
    assert [raw.location for raw in file.raw[198:]] == ["dev[198]", "dev[199]", "test[0]", "test[1]", "test[2]"]


def test_a_byte_order_mark_and_unicode_line_separators_are_text(tmp_path: Path) -> None:
    path = tmp_path / "sums.jsonl"
    path.write_bytes('\ufeff{"split": "dev", "question": "a\u2028b"}'.encode())
    assert [raw.value for raw in read_data_file(path).raw] == [{"split": "dev", "question": "a\u2028b"}]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"x", "a data file ends in .json or .jsonl: name another file or rename it"),
        ("a.json", b" \n", "the file is empty: write examples into it"),
        ("a.json", b'{"dev": "\xff"}', "byte 9 is not UTF-8: save the file as UTF-8"),
        ("a.json", b'{"dev":\n [1 2]}', "line 2, column 5: not valid JSON (Expecting ',' delimiter): correct it"),
        ("a.json", b"[" * 100_000, "lists and objects are nested deeper than 100: correct it"),
        ("a.json", b'{"dev": ' + b"1" * 5000 + b"}", "a number has 5000 digits, and at most 300 are read: correct it"),
        ("a.json", b"[1, 2]", 'holds [1, 2], not an object: write {"dev": […], "test": […]}'),
        ("a.json", b'{"dev": {"a": 1}}', "dev: {'a': 1} is not a list: write a list of examples"),
        ("a.json", b'{"dataset": 3}', "dataset: 3 is not a text: write it in quotes"),
        ("a.json", b'{"icl_prompt": "\\ud800"}', "icl_prompt: '\\ud800' is not a text: write it in quotes"),
        ("a.json", b'{"dev": [], "dev": []}', "an object has the key 'dev' twice: remove one"),
        (
            "a.jsonl",
            b'{"split": "dev"}\n{"split"',
            "line 2, column 9: not valid JSON (Expecting ':' delimiter): correct it",
        ),
        ("a.jsonl", b'{"a": 1, "a": 2}', "line 1: an object has the key 'a' twice: remove one"),
        ("a.jsonl", b'\n{"split": "valid"}', "line 2: split: 'valid' is not dev, test or train: write one of them"),
        ("a.jsonl", b'{"question": "x"}', "line 1: split: None is not dev, test or train: write one of them"),
        ("a.jsonl", b"[1]", "line 1: split: None is not dev, test or train: write one of them"),
    ],
)
def test_a_broken_file_is_refused_with_its_place_and_the_remedy(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_data_file(path)
    assert str(error.value) == f"{path}: {message}"


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    messages = []
    for name in ("none.json", "folder.json"):
        with pytest.raises(InputError) as error:
            read_data_file(tmp_path / name)
        messages.append(str(error.value).removeprefix(str(tmp_path)))
    assert messages == [
        "/none.json: there is no such file: check the path",
        "/folder.json: cannot be read (Is a directory): check what it is and its permissions",
    ]
