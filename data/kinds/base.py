"""The base class of every kind of task: its data, its prompt, and how an answer becomes a score."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from data.data_file import DataFile, read_data_file
from data.examples import Example, require_answer
from data.prompts import QUESTION, fill, require_placeholders
from data.requests import Completion, Request, Response
from swarm.errors import EvaluationError

StopString = Annotated[str, Field(min_length=1)]

MOST_NEW_TOKENS = 1_000_000
"""No answer is longer, whatever the base model takes."""

Bounds = tuple[float | None, float | None]
"""The least and the greatest score that a kind can give; None: there is no such bound."""


class TaskConfig(BaseModel, ABC):
    """One task of an objective: a data file, how its examples are asked, and how answers are scored.

    A kind is a subclass with its own `kind`, `version` and methods; `data/kinds/registry.py` lists them.
    A score is finite, within `bounds`, and higher is better. It depends on an answer only through its prediction, so
    that several models can vote on predictions and the winner can be scored.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: ClassVar[int]
    """Raised by hand whenever the same answer may get another score; part of every objective's key."""

    reads_choices: ClassVar[bool] = False
    """Whether an answer is read or scored by the example's choices; else they must stand in the template."""

    reads_fields: ClassVar[bool] = False
    """Whether a score may depend on every field of an example; else on those alone that `facts` has."""

    data: Path = Field(title="Data file", description="A .json or .jsonl file; relative to the config file's folder.")
    name: str | None = Field(
        None,
        title="Name",
        min_length=1,
        description="How records and reports call this task; the file's name if empty.",
    )
    dev: int | None = Field(
        None,
        title="Dev examples",
        ge=1,
        le=10_000_000,
        description="Use the first so many dev examples; all of them if empty.",
    )
    test: int | None = Field(
        None,
        title="Test examples",
        ge=1,
        le=10_000_000,
        description="Use the first so many test examples; all of them if empty.",
    )
    examples: int = Field(
        0,
        title="In-context examples",
        ge=0,
        le=10_000,
        description="So many examples of the dev split stand before each question, with their answers. They are taken "
        "first, the same for every question, and are no dev examples any more.",
    )
    context_characters: int | None = Field(
        None,
        title="Context",
        ge=1,
        le=1_000_000_000,
        description="A context (context_chunks) is cut to so many characters, at the end of each chunk that is longer "
        "than its share; whole if empty.",
    )
    weight: float = Field(
        1.0, title="Weight", gt=0, le=1e9, allow_inf_nan=False, description="Its share in the objective's mean."
    )
    prompt: Literal["raw", "chat"] = Field(
        "raw",
        title="Prompt",
        description="raw: the template is sent as it is. chat: as a user's message to a chat model.",
    )
    template: str | None = Field(
        None,
        title="Template",
        description="The prompt, with {question}, and {choices}, {context} or any other field of the examples where "
        "the models are to read it; the kind's own if empty.",
    )
    system: str | None = Field(
        None, title="System prompt", min_length=1, description="The system message of a chat prompt; none if empty."
    )
    stop: tuple[StopString, ...] = Field(
        (), title="Stop strings", description="An answer ends before the first of these strings."
    )

    @property
    def label(self) -> str:
        """How records and reports call this task."""
        return self.name or self.data.stem

    @property
    def bounds(self) -> Bounds:
        """The least and the greatest score: [0, 1], unless a kind says otherwise."""
        return 0.0, 1.0

    @field_validator("data")
    @classmethod
    def _resolve(cls, value: Path, info: ValidationInfo) -> Path:
        folder = info.context.get("folder") if isinstance(info.context, dict) else None
        value = value.expanduser()
        return value if folder is None else Path(folder) / value

    @model_validator(mode="after")
    def _prompt_is_complete(self) -> Self:
        if self.template is not None:
            require_placeholders(self.template, *self.placeholders())
        if self.system is not None and self.prompt == "raw":
            raise ValueError(f"system {self.system!r} has no place in a raw prompt: set prompt: chat or remove it")
        return self

    @property
    def graded(self) -> bool:
        """Whether answers are right or wrong: one that is right scores 1 or more, others from 0 to less than 1."""
        return True

    def placeholders(self) -> tuple[str, ...]:
        """Return the placeholders that a template must have."""
        return (QUESTION,)

    def read_data(self) -> DataFile:
        """Read the data; a kind whose examples come from elsewhere overrides this.

        Raises:
            InputError: it is missing or can't be read.

        """
        return read_data_file(self.data)

    def text(self, example: Example, dataset: str, context: str) -> str:
        """Return the filled template of `example` with `context`, without in-context examples."""
        return fill(self.template_of(dataset), example, context)

    def template_of(self, dataset: str) -> str:
        """Return the template for the data set of that name: the config's, or else the kind's own."""
        return self.template or self.default_template(dataset)

    def worked_answer(self, example: Example) -> str:
        """Return the answer that stands after `example` where it is an in-context example.

        Raises:
            InvalidExample: it has none.

        """
        require_answer(example)
        return example.answer

    @abstractmethod
    def default_template(self, dataset: str) -> str:
        """Return the template for the data set of that name where the config gives none."""

    @abstractmethod
    def check_example(self, example: Example) -> None:
        """Raise `InvalidExample` if this kind can't ask or score `example`."""

    def facts(self, example: Example) -> dict[str, Any]:
        """Return, as JSON, what of `example` decides a score besides the request; it enters every objective's key."""
        return {"choices": example.choices, "answer": example.answer}

    @abstractmethod
    def request(self, example: Example, prompt: str) -> Request:
        """Return the request to an engine for `example`, whose finished prompt is `prompt`."""

    def follow_up(self, example: Example, response: Response, prompt: Callable[[str], str]) -> Request | None:
        """Return a second request that depends on `response` to `request(example, …)`; None in most kinds.

        A kind that asks a second question gets a `FollowUpResponse` to read. `prompt(more)` returns the prompt of
        `example` with `more` after it.
        """
        return None

    def read(self, example: Example, request: Request, response: Response) -> str:
        """Return the prediction of `response`; a kind whose predictions depend on what was sent overrides this."""
        return self.prediction(example, response)

    @abstractmethod
    def prediction(self, example: Example, response: Response) -> str:
        """Return the answer that `response` gives, read without looking at the right answer.

        Raises:
            EvaluationError: `response` does not answer `request(example, …)`.

        """

    @abstractmethod
    def judge(self, example: Example, prediction: str) -> float:
        """Return the score of `prediction`, within `bounds`.

        Raises:
            EvaluationError: it can't be scored: a failure never becomes a score.

        """

    @abstractmethod
    def settings(self, dataset: str) -> dict[str, Any]:
        """Return, as JSON, the kind and what else decides a score besides the request, the example and `version`."""


def completion_of(response: Response) -> Completion:
    """Return `response`, which must be a completion.

    Raises:
        EvaluationError: it is none.

    """
    if not isinstance(response, Completion):
        raise EvaluationError(f"the engine answered with {type(response).__name__} where a Completion was asked for")
    return response


def completion_text(response: Response) -> str:
    """Return the text of a completion without spaces around it; raises as `completion_of` does."""
    return completion_of(response).text.strip()
