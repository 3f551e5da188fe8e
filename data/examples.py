"""One example of a data set: a question and its right answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from data.text import show_value

Split = Literal["dev", "test"]
"""A search sees `dev` only; `test` is scored once, after the search."""

SPLITS: tuple[Split, ...] = ("dev", "test")

_QUESTION, _ANSWER = ("question", "prompt", "context"), ("answer", "target")
"""The fields of the papers' files that hold the question and the right answer; the first field that is there counts."""

_NAMED = ("choices", "id", "split")
_CONTEXT = "context"
CHUNKS = "context_chunks"
"""The field of an example that holds a long text to answer from, as a list."""

_NO_ANSWER = "prompt"
"""An example whose question is in this field needs no right answer."""


class InvalidExample(ValueError):
    """An example that can't be used; the message is `FIELD: what is wrong with the value: the remedy`."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")


@dataclass(frozen=True)
class Example:
    """A valid example.

    Attributes:
        dataset: the name of its data set.
        split: the split it belongs to.
        index: its place in that split, from 0.
        id: the file's own label of it (its index where the file gives none); nothing relies on it being unique,
            because in the papers' own files it is not.
        question: what is asked.
        answer: the right answer; of a multiple choice question the key of the right choice; "" if there is none,
            as in sets of prompts.
        choices: (key, text) of every choice in the file's order; empty if there are none.
        extra: the file's other fields, as JSON: what a kind or a score function needs besides these. Read only.
            Its `context_chunks`, if there are any, are a long text to answer from, in the order of the text.

    """

    dataset: str
    split: Split
    index: int
    id: str
    question: str
    answer: str
    choices: tuple[tuple[str, str], ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @cached_property
    def question_key(self) -> tuple[str, ...]:
        """The question without differences of spaces and of the choices' order; examples with equal keys overlap."""
        return (_normalise_spaces(self.question), *sorted(_normalise_spaces(text) for _, text in self.choices))

    @cached_property
    def context(self) -> tuple[str, ...]:
        """The chunks of the text to answer from, without blank ones; empty if there is no such text."""
        return tuple(chunk for chunk in self.extra.get(CHUNKS, ()) if chunk.strip())

    @property
    def context_text(self) -> str:
        """Its `context` where that is a text beside the question; a template shows it as `{context}`, "" if none."""
        text = self.extra.get(_CONTEXT)
        return text if isinstance(text, str) else ""

    @property
    def has_context(self) -> bool:
        """Whether there is something that `{context}` stands for."""
        return CHUNKS in self.extra or bool(self.context_text.strip())

    @property
    def location(self) -> str:
        """Its place in its file, as messages write it."""
        return f"{self.split}[{self.index}]"


def parse_example(value: object, dataset: str, split: Split, index: int) -> Example:
    """Return the example that one JSON value describes.

    The text to ask is its `question`, `prompt` or `context`, the right answer its `answer` or `target`. An answer may
    be missing beside a `prompt` only.

    Raises:
        InvalidExample: a field is missing, empty or of another type, or the answer is not among the choices.

    """
    if not isinstance(value, dict):
        raise InvalidExample("example", f"{show_value(value)} is not an object: write {{'question': …, 'answer': …}}")
    question_field, answer_field = (_first_of(names, value) for names in (_QUESTION, _ANSWER))
    question = _text(value, question_field, "give the text to ask")
    choices = _choices(value["choices"]) if "choices" in value else ()
    has_no_answer = question_field == _NO_ANSWER and answer_field not in value and not choices
    answer = "" if has_no_answer else _label(value, answer_field, "give the right answer")
    keys = [key for key, _ in choices]
    if keys and answer not in keys:
        raise InvalidExample(
            "answer", f"{show_value(answer)} is not one of the choices {', '.join(keys)}: give one of them"
        )
    identity = _label(value, "id", "give a label") if "id" in value else str(index)
    extra = {field: value[field] for field in other_fields(value)}
    _check_chunks(extra.get(CHUNKS, []))
    return Example(dataset, split, index, identity, question, answer, choices, extra)


def other_fields(value: dict[str, Any]) -> list[str]:
    """Return the fields of an example's JSON object besides those of its question, answer, choices, id and split."""
    named_fields = {_first_of(_QUESTION, value), _first_of(_ANSWER, value), *_NAMED}
    return [field for field in value if field not in named_fields]


def require_answer(example: Example) -> None:
    """Raise `InvalidExample` if `example` has no right answer."""
    if not example.answer:
        raise InvalidExample("answer", "is missing: give the right answer, or choose a kind that needs none")


def _first_of(names: tuple[str, ...], record: dict[str, Any]) -> str:
    return next((name for name in names if name in record), names[0])


def _text(record: dict[str, Any], field: str, remedy: str) -> str:
    if field not in record:
        raise InvalidExample(field, f"is missing: {remedy}")
    return _as_text(record[field], field, remedy)


def _as_text(value: object, field: str, remedy: str) -> str:
    if not isinstance(value, str):
        raise InvalidExample(field, f"{show_value(value)} is not a text: {remedy}, in quotes")
    if not value.strip():
        raise InvalidExample(field, f"{show_value(value)} is empty: {remedy}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidExample(
            field, f"{show_value(value)} holds half a character (a lone surrogate): remove it"
        ) from None
    return value


def _label(record: dict[str, Any], field: str, remedy: str) -> str:
    """Read a text, or a whole number as text; other numbers are refused, since they have several spellings."""
    value = record.get(field)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _text(record, field, remedy)


def _choices(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict) or len(value) < 2:
        raise InvalidExample(
            "choices", f"{show_value(value)} is not an object of two choices or more: write {{'A': …, 'B': …}}"
        )
    for key in value:
        if not key.isalnum():  # scorers look for keys as words
            raise InvalidExample("choices", f"the key {show_value(key)} is no letter, word or number: name it A, B, …")
    return tuple((key, _as_text(text, f"choices.{key}", "give the text of the choice")) for key, text in value.items())


def _check_chunks(value: object) -> None:
    if not isinstance(value, list):
        raise InvalidExample(CHUNKS, f"{show_value(value)} is not a list: write a list of texts")
    for number, chunk in enumerate(value):
        if chunk != "":  # the papers' files fill their lists up with empty ones
            _as_text(chunk, f"{CHUNKS}[{number}]", "give the text")


def _normalise_spaces(text: str) -> str:
    return " ".join(text.split())
