"""Examples of a data file: validated one by one, counted, compared between the splits."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from data.data_file import DataFile, RawExample
from data.examples import SPLITS, Example, InvalidExample, parse_example
from swarm.errors import InputError

CheckExample = Callable[[Example], None]
"""A check that raises `InvalidExample` for an example that a kind of task can't use."""


@dataclass(frozen=True)
class Finding:
    """An example that can't be used, and why."""

    raw: RawExample
    reason: str


def validate(file: DataFile, check: CheckExample | None = None) -> tuple[tuple[Example, ...], tuple[Finding, ...]]:
    """Return the valid examples of `file`, and what is wrong with the others."""
    examples, findings = [], []
    for raw in file.raw:
        try:
            example = parse_example(raw.value, file.dataset, raw.split, raw.index)
            if check is not None:
                check(example)
            examples.append(example)
        except InvalidExample as error:
            findings.append(Finding(raw, str(error)))
    return tuple(examples), tuple(findings)


def valid_examples(file: DataFile, check: CheckExample | None = None) -> tuple[Example, ...]:
    """Return every example of `file`.

    Raises:
        InputError: an example is invalid (the first is named, the others are counted) or a split is empty.

    """
    examples, findings = validate(file, check)
    if findings:
        more = f" ({len(findings) - 1} more: `swarm data check` lists them)" if len(findings) > 1 else ""
        raise InputError(f"{file.path}: {findings[0].raw.location}.{findings[0].reason}{more}")
    for split in SPLITS:
        if not any(example.split == split for example in examples):
            raise InputError(
                f"{file.path}: the {split} split has no examples: add some, the search and the report need both"
            )
    return examples


def count_overlap(dev: Iterable[Example], test: Iterable[Example]) -> int:
    """Return how many different questions `dev` and `test` share, whatever their answers."""
    return len({example.question_key for example in dev} & {example.question_key for example in test})
