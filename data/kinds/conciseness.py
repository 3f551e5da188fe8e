"""Conciseness: as long as the reference (Evolution Strategies at Scale, arXiv 2509.24372; docs/algorithms.md §3)."""

from typing import Any, Literal

from pydantic import Field

from data.examples import Example, require_answer
from data.kinds.base import MOST_NEW_TOKENS, Bounds, TaskConfig, completion_of, completion_text
from data.prompts import QUESTION
from data.requests import Generate, Request, Response


class Conciseness(TaskConfig):
    """A question whose answer should be as long as a reference: the score is −|len(y) − len(s)|, in characters.

    - `completion`: y is the completion without spaces around it.
    - `reference`: as the public code: y is the prompt and the completion, as they are.
    """

    version = 1

    kind: Literal["conciseness"] = Field(title="Kind", description="Answers as long as a reference.")
    length: Literal["completion", "reference"] = Field(
        "completion",
        title="Length",
        description="completion: that of the completion. reference: that of prompt and completion, as the paper's "
        "public code.",
    )
    max_new_tokens: int = Field(
        100,
        title="New tokens",
        ge=1,
        le=MOST_NEW_TOKENS,
        description="An answer is cut after so many tokens, which bounds its score.",
    )

    @property
    def bounds(self) -> Bounds:
        """The score is 0 at most."""
        return None, 0.0

    @property
    def graded(self) -> bool:
        """No answer is right or wrong."""
        return False

    def default_template(self, dataset: str) -> str:
        """Return the question alone."""
        return QUESTION

    def check_example(self, example: Example) -> None:
        """Refuse an example without a reference."""
        require_answer(example)

    def request(self, example: Example, prompt: str) -> Request:
        """Ask for a completion."""
        return Generate(prompt, self.max_new_tokens, self.stop)

    def read(self, example: Example, request: Request, response: Response) -> str:
        """Return the text whose length counts."""
        if self.length == "reference":
            return request.prompt + completion_of(response).text
        return self.prediction(example, response)

    def prediction(self, example: Example, response: Response) -> str:
        """Return the completion without spaces around it."""
        return completion_text(response)

    def judge(self, example: Example, prediction: str) -> float:
        """Return −|len(y) − len(s)|; s is the example's answer."""
        return float(-abs(len(prediction) - len(example.answer)))

    def settings(self, dataset: str) -> dict[str, Any]:
        """Return the kind and whose length counts."""
        return {"kind": self.kind, "length": self.length}
