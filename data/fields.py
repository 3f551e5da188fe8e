"""The fields of a data file's examples: what a task's prompts and scores read of them, and what nothing reads."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from data.data_file import DataFile
from data.examples import CHUNKS, Example, InvalidExample, other_fields
from data.kinds.base import TaskConfig
from data.placeholders import (
    CHOICES,
    CONTEXT,
    OWN_NAMES,
    fields_in,
    placeholder_names,
    require_fields,
    unknown_placeholder,
)
from swarm.errors import InputError

_LABELS = frozenset(
    {"author", "category", "created", "created_at", "date", "difficulty", "domain", "explanation", "group", "guid"}
    | {"hash", "idx", "index", "lang", "language", "level", "licence", "license", "metadata", "number", "origin"}
    | {"rationale", "row", "solution", "source", "subject", "subset", "tags", "task", "topic", "type", "uid", "url"}
    | {"uuid", "version", "year"}
)
"""Fields that say something about an example, or how its answer is found: nobody expects them in a prompt."""


def file_fields(file: DataFile) -> list[str]:
    """Return the fields that examples of `file` have besides question, answer, choices, id and split, sorted."""
    return sorted({field for raw in file.raw if isinstance(raw.value, dict) for field in other_fields(raw.value)})


def check_of(config: TaskConfig, file: DataFile) -> Callable[[Example], None]:
    """Return the check of every example of `file` for the task of `config`.

    It raises `InvalidExample` for an example that the kind can't use, that lacks what the template names, or whose
    choices neither prompt nor score would read.

    Raises:
        InputError: the template has a placeholder that is no field of any example.

    """
    template, fields = config.template_of(file.dataset), file_fields(file)
    known = [*OWN_NAMES, *(field for field in fields if field not in OWN_NAMES)]
    for name in placeholder_names(template):
        if name and name not in known:
            raise InputError(
                f"task {config.label!r}: template: it has {unknown_placeholder(name, known)} ({file.path})"
            )

    def check(example: Example) -> None:
        config.check_example(example)
        if example.choices and not config.reads_choices and CHOICES not in template:
            raise InvalidExample(
                "choices",
                f"would reach neither prompt nor score of kind {getattr(config, 'kind', '?')}: set kind: "
                f"multiple_choice, put {CHOICES} into the template, or remove them",
            )
        require_fields(template, example, fields)

    return check


def unread_fields(config: TaskConfig, file: DataFile, examples: Sequence[Example]) -> tuple[str, ...]:
    """Return the fields of `examples`, the valid ones of `file`, that reach neither prompt nor score; no labels."""
    if config.reads_fields or not examples:
        return ()
    template = config.template_of(file.dataset)
    fields = file_fields(file)
    read_fields = {*fields_in(template, fields), *config.facts(examples[0]), CHUNKS}
    if CHUNKS in fields:
        read_fields -= {"context"}  # `{context}` is the chunks
    return without_labels(field for field in fields if field not in read_fields)


def without_labels(fields: Iterable[str]) -> tuple[str, ...]:
    """Return `fields` without those that are labels of an example, as their names tell."""
    return tuple(field for field in fields if not _is_label(field))


def describe_unread(path: Path, task: str, fields: Sequence[str]) -> str:
    """Return the line that says which `fields` of the examples in `path` the task called `task` does not read."""
    subject, verb = ("the fields", "reach") if len(fields) > 1 else ("the field", "reaches")
    return (
        f"{path}: {subject} {', '.join(fields)} of its examples {verb} neither prompt nor score of task {task!r}: "
        f"put {placeholders_of(fields)} into the task's template, if the models are to read it"
    )


def placeholders_of(fields: Sequence[str]) -> str:
    """Return `fields` as placeholders: `{context}, {title}`."""
    return ", ".join(CONTEXT if field == "context" else f"{{{field}}}" for field in fields)


def _is_label(field: str) -> bool:
    name = field.casefold()
    return name in _LABELS or name.startswith("_") or name.endswith(("_id", "_idx", "_index"))
