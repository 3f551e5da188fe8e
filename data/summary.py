"""What `swarm data check` and `swarm data list` say about data files."""

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from data.data_file import DataFile, read_data_file
from data.examples import CHUNKS, SPLITS, Example, InvalidExample, Split, require_answer
from data.fields import file_fields, without_labels
from data.kinds.countdown import check_numbers
from data.loading import CheckExample, Finding, count_overlap, validate
from swarm.errors import InputError


@dataclass(frozen=True)
class InvalidEntry:
    """An example that can't be used: its split, its index there from 0, and why."""

    split: Split
    index: int
    reason: str


@dataclass(frozen=True)
class DataSummary:
    """A data file at a glance.

    Attributes:
        path: the file.
        dataset: the data set's name.
        sha256: of the file's bytes.
        kind: the kind of task that fits: "multiple_choice" if examples have choices, "countdown" if they have numbers
            and targets, "exact_match" if they have only answers, "function" if they have none (then they need a kind
            that scores without), None if there is nothing to ask.
        examples: how many each split has, invalid ones included.
        overlap: how many different questions the splits share.
        repeated: valid examples that ask what an earlier one of their split asks.
        invalid: the examples that can't be used.
        unread: fields of its examples, besides labels, that prompts show only where a task's template names them, and
            that no score reads (but that of a function of the user's).

    """

    path: str
    dataset: str
    sha256: str
    kind: str | None
    examples: dict[str, int]
    overlap: int
    repeated: dict[str, int]
    invalid: tuple[InvalidEntry, ...]
    unread: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return this summary as plain JSON."""
        return asdict(self)


@dataclass(frozen=True)
class ListedFile:
    """A file of a folder: its summary, or what keeps it from being read."""

    path: str
    summary: DataSummary | None
    problem: str | None

    def to_json(self) -> dict[str, Any]:
        """Return this entry as plain JSON."""
        return asdict(self)


def check_data(path: Path) -> DataSummary:
    """Look through the data file at `path`; invalid examples are listed, not raised.

    Raises:
        InputError: the file can't be read at all.

    """
    file = read_data_file(path)
    kind = _fitting_kind(file)
    examples, findings = validate(file, _CHECKS.get(kind))
    by_split = {split: [example for example in examples if example.split == split] for split in SPLITS}
    sizes = Counter(raw.split for raw in file.raw)
    return DataSummary(
        path=str(path),
        dataset=file.dataset,
        sha256=file.sha256,
        kind=kind,
        examples={split: sizes[split] for split in SPLITS},
        overlap=count_overlap(by_split["dev"], by_split["test"]),
        repeated={split: _count_repetitions(examples) for split, examples in by_split.items()},
        invalid=tuple(map(_entry, findings)),
        unread=_unread_fields(file, kind),
    )


def list_data(folder: Path) -> tuple[ListedFile, ...]:
    """Look through every `.json` and `.jsonl` file of `folder` (not of folders in it), by name.

    Raises:
        InputError: `folder` is no folder, or holds no data file.

    """
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder: check the path")
    paths = sorted(path for path in folder.iterdir() if path.suffix in {".json", ".jsonl"} and path.is_file())
    if not paths:
        raise InputError(f"{folder}: holds no .json or .jsonl file: name a folder with data files")
    return tuple(map(_list, paths))


def _list(path: Path) -> ListedFile:
    try:
        return ListedFile(str(path), check_data(path), None)
    except InputError as error:
        return ListedFile(str(path), None, str(error))


def _fitting_kind(file: DataFile) -> str | None:
    fields = {field for raw in file.raw if isinstance(raw.value, dict) for field in raw.value}
    for kind, required_fields in _FIELDS:
        if required_fields <= fields:
            return kind
    return None


def _unread_fields(file: DataFile, kind: str | None) -> tuple[str, ...]:
    read_fields = {CHUNKS, *({"numbers"} if kind == "countdown" else ())}
    return without_labels(field for field in file_fields(file) if field not in read_fields)


def _require_choices(example: Example) -> None:
    if not example.choices:
        raise InvalidExample("choices", "is missing, but other examples have them")


_FIELDS: tuple[tuple[str, set[str]], ...] = (
    ("multiple_choice", {"choices"}),
    ("countdown", {"numbers", "target"}),
    ("exact_match", {"answer"}),
    ("function", {"prompt"}),
)
_CHECKS: dict[str | None, CheckExample] = {
    "multiple_choice": _require_choices,
    "countdown": check_numbers,
    "exact_match": require_answer,
}


def _count_repetitions(examples: list[Example]) -> int:
    return len(examples) - len({example.question_key for example in examples})


def _entry(finding: Finding) -> InvalidEntry:
    return InvalidEntry(finding.raw.split, finding.raw.index, finding.reason)
