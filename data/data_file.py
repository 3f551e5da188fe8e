"""Data files: the papers' JSON format, and JSON Lines with one example a line.

JSON:  `{"dataset": "…", "icl_prompt": "…", "dev": [{"question": …, "answer": …}, …], "test": […]}`
JSONL: `{"split": "dev", "question": …, "answer": …}` on each line
List:  `[{"context": …, "numbers": […], "target": …}, …]`, the Evolution Strategies paper's Countdown file: the first
       200 examples are the dev split (what the paper trains on), the others the test split

`dataset`, `icl_prompt` and every example's `id` may be left out; `choices` (`{"A": …, "B": …}`) makes a multiple
choice question. A `train` split is ignored.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.examples import SPLITS, Split
from data.text import show_value
from swarm.errors import InputError
from swarm.names import check_name, printable
from swarm.plain_json import JsonError, parse_json

DEV_EXAMPLES_OF_A_LIST = 200
MOST_BYTES = 2 << 30
"""The largest data file."""


@dataclass(frozen=True)
class RawExample:
    """An example as it is in its file: a JSON value that is not validated yet, and its place (`line` in JSONL only)."""

    split: Split
    index: int
    value: object
    line: int | None = None

    @property
    def location(self) -> str:
        """Its place in its file, as messages write it."""
        location = f"{self.split}[{self.index}]"
        return location if self.line is None else f"line {self.line} ({location})"


@dataclass(frozen=True)
class DataFile:
    """A data file that could be read; its examples are not validated yet.

    Attributes:
        path: the file.
        dataset: the data set's name: the file's `dataset` field, or else the file name without its ending.
        sha256: of the file's bytes.
        icl_prompt: worked examples to stand before every prompt; empty if there are none.
        raw: the examples of both splits.

    """

    path: Path
    dataset: str
    sha256: str
    icl_prompt: str
    raw: tuple[RawExample, ...]


def read_data_file(path: Path) -> DataFile:
    """Read the data file at `path` (`.json` or `.jsonl`) without validating its examples.

    Raises:
        InputError: there is no such file, or it has not the format above.

    """
    content = _read_bytes(path)
    text = _decode(path, content)
    lines = path.suffix == ".jsonl"
    header = {} if lines else _read_json_object(path, text)
    raw = tuple(_raw_from_lines(path, text) if lines else _raw_from_object(path, header))
    return DataFile(
        path=path,
        dataset=_dataset_name(path, header),
        sha256=hashlib.sha256(content).hexdigest(),
        icl_prompt=_header_text(path, header, "icl_prompt"),
        raw=raw,
    )


def _read_bytes(path: Path) -> bytes:
    if path.suffix not in {".json", ".jsonl"}:
        raise InputError(f"{path}: a data file ends in .json or .jsonl: name another file or rename it")
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file: check the path") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}): check what it is and its permissions") from error
    if len(content) > MOST_BYTES:
        raise InputError(f"{path}: the file has more than {MOST_BYTES >> 30} GiB: split it")
    if not content.strip():
        raise InputError(f"{path}: the file is empty: write examples into it")
    return content


def _decode(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")  # editors on Windows write a byte order mark
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not UTF-8: save the file as UTF-8") from None


def _read_json_object(path: Path, text: str) -> dict[str, Any]:
    value = _parse_json(path, text)
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {"dev": value[:DEV_EXAMPLES_OF_A_LIST], "test": value[DEV_EXAMPLES_OF_A_LIST:]}
    if not isinstance(value, dict):
        raise InputError(f'{path}: holds {show_value(value)}, not an object: write {{"dev": […], "test": […]}}')
    return value


def _raw_from_object(path: Path, header: dict[str, Any]) -> Iterable[RawExample]:
    for split in SPLITS:
        values = header.get(split, [])
        if not isinstance(values, list):
            raise InputError(f"{path}: {split}: {show_value(values)} is not a list: write a list of examples")
        yield from (RawExample(split, index, value) for index, value in enumerate(values))


def _raw_from_lines(path: Path, text: str) -> Iterable[RawExample]:
    counts: dict[Split, int] = dict.fromkeys(SPLITS, 0)
    # Not splitlines(): JSON texts may hold U+2028 and its like, which are no line ends in JSON Lines.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        value = _parse_json(path, line, number)
        split = _split_of(path, number, value)
        if split is not None:
            yield RawExample(split, counts[split], value, number)
            counts[split] += 1


def _split_of(path: Path, line: int, value: object) -> Split | None:
    name = value.get("split") if isinstance(value, dict) else None
    if name == "train":
        return None
    for split in SPLITS:
        if name == split:
            return split
    raise InputError(f"{path}: line {line}: split: {show_value(name)} is not dev, test or train: write one of them")


def _parse_json(path: Path, text: str, line: int | None = None) -> object:
    try:
        return parse_json(text, MOST_BYTES, check_text=False)  # each example's text is checked, and named, on its own
    except JsonError as error:
        if error.column is None:
            location = "" if line is None else f"line {line}: "
            remedy = "remove one" if error.reason.endswith("twice") else "correct it"
            raise InputError(f"{path}: {location}{error.reason}: {remedy}") from None
        location = f"line {line or error.line}, column {error.column}"
        raise InputError(f"{path}: {location}: not valid JSON ({error.reason}): correct it") from None


def _dataset_name(path: Path, header: dict[str, Any]) -> str:
    name = _header_text(path, header, "dataset") or path.stem
    try:
        return check_name(name, "the data set's name")
    except InputError as error:
        raise InputError(f"{printable(str(path))}: dataset: {error}") from error


def _header_text(path: Path, header: dict[str, Any], field: str) -> str:
    value = header.get(field)
    if value is None:
        return ""
    try:
        if not isinstance(value, str):
            raise ValueError
        value.encode()
    except ValueError:
        raise InputError(f"{path}: {field}: {show_value(value)} is not a text: write it in quotes") from None
    return value
