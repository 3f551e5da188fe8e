"""Function: scored by a Python function that the user wrote (docs/objectives.md)."""

from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from data.examples import Example
from data.kinds.base import MOST_NEW_TOKENS, Bounds, TaskConfig, completion_text
from data.prompts import QUESTION
from data.requests import Generate, Request, Response
from data.score_functions import DEFAULT_SECONDS, LARGEST, LoadedFunction, ScoreFunctionError, check_name, load_function
from swarm.errors import InputError


class Function(TaskConfig):
    """A question, or a prompt without a right answer, whose completion a Python function of the user's scores.

    The function is called with the example (`data.examples.Example`) and the completion without spaces around it, and
    returns a finite number; higher is better. The same arguments must always give the same number. It runs in a process
    of its own (`data/score_process.py`).
    """

    version = 1
    reads_choices: ClassVar[bool] = True
    reads_fields: ClassVar[bool] = True

    kind: Literal["function"] = Field(title="Kind", description="Completions scored by a function of your own.")
    score: str = Field(
        title="Score function",
        description="module:function, for instance scoring:rhymes for the function rhymes in scoring.py.",
    )
    folder: Path | None = Field(
        None,
        validate_default=True,
        title="Folder",
        description="Where the module is looked for first, then where Python looks; the config file's folder if empty.",
    )
    least: float | None = Field(
        None,
        title="Least score",
        ge=-LARGEST,
        le=LARGEST,
        allow_inf_nan=False,
        description="A lower score is a failure; no bound if empty.",
    )
    greatest: float | None = Field(
        None,
        title="Greatest score",
        ge=-LARGEST,
        le=LARGEST,
        allow_inf_nan=False,
        description="A higher score is a failure; no bound if empty.",
    )
    timeout: float = Field(
        DEFAULT_SECONDS,
        title="Time limit",
        gt=0,
        le=86_400,
        allow_inf_nan=False,
        description="Seconds that one call of the function may take; a longer one fails the evaluation.",
    )
    max_new_tokens: int = Field(
        100, title="New tokens", ge=1, le=MOST_NEW_TOKENS, description="A completion is cut after so many tokens."
    )

    @field_validator("score")
    @classmethod
    def _is_a_name(cls, value: str) -> str:
        return check_name(value)

    @field_validator("folder")
    @classmethod
    def _beside_the_config(cls, value: Path | None, info: ValidationInfo) -> Path:
        folder = (info.context or {}).get("folder", "")
        return Path(folder) / (value or Path()).expanduser()

    @model_validator(mode="after")
    def _bounds_fit_together(self) -> Self:
        if self.least is not None and self.greatest is not None and self.least >= self.greatest:
            raise ValueError(f"least {self.least:g} is not below greatest {self.greatest:g}: correct one")
        return self

    @property
    def bounds(self) -> Bounds:
        """What the config says."""
        return self.least, self.greatest

    @property
    def graded(self) -> bool:
        """Scores that the config says to go from 0 to 1 are taken so."""
        return self.bounds == (0.0, 1.0)

    @cached_property
    def function(self) -> LoadedFunction:
        """The function; reading it raises `InputError` if it can't be loaded."""
        try:
            return load_function(self.score, self.folder or Path(), self.timeout)
        except InputError as error:
            raise InputError(f"task {self.label!r}: {error}") from error

    def default_template(self, dataset: str) -> str:
        """Return the question alone."""
        return QUESTION

    def check_example(self, example: Example) -> None:
        """Accept every example: the function itself checks what it needs."""

    def facts(self, example: Example) -> dict[str, Any]:
        """Return the whole example: the function may look at any of it."""
        return asdict(example)

    def request(self, example: Example, prompt: str) -> Request:
        """Ask for a completion."""
        return Generate(prompt, self.max_new_tokens, self.stop)

    def prediction(self, example: Example, response: Response) -> str:
        """Return the completion without spaces around it."""
        return completion_text(response)

    def judge(self, example: Example, prediction: str) -> float:
        """Return what the function returns."""
        value = self.function.score(example, prediction)
        least, greatest = self.bounds
        if (least is not None and value < least) or (greatest is not None and value > greatest):
            raise ScoreFunctionError(
                f"the score function {self.score} for {example.location} of {example.dataset} returned {value:g}, "
                f"outside of the config's {_format_bound(least)} … {_format_bound(greatest)}"
            )
        return value

    def settings(self, dataset: str) -> dict[str, Any]:
        """Return the kind, the function's name and its source file's SHA-256."""
        return {"kind": self.kind, "function": self.score.partition(":")[2], "source": self.function.sha256}


def _format_bound(bound: float | None) -> str:
    return "any" if bound is None else f"{bound:g}"
