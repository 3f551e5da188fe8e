"""AbstainQA: answer, then say whether that is right, or else abstain (arXiv 2402.00367; docs/algorithms.md §5)."""

from collections.abc import Callable
from typing import Any, ClassVar, Literal

from pydantic import Field

from data.examples import Example
from data.kinds.base import MOST_NEW_TOKENS, Bounds, TaskConfig, completion_of, completion_text
from data.kinds.multiple_choice import MultipleChoice, anchored_choice, reference_choice
from data.prompts import CHOICES, QUESTION
from data.requests import FollowUpResponse, Generate, Request, Response
from swarm.errors import EvaluationError

ABSTAINED, UNREADABLE = "", "?"
"""The predictions of a model that does not stand by its answer, and of one that does by an answer without a choice."""

_ASK = "\nProposed answer: {}\nIs the proposed answer true or false? Directly answer with true or false."


class AbstainQA(TaskConfig):
    """A question with lettered choices that a model may leave unanswered: right scores 1, wrong −1, abstaining 0.

    The model answers; then it is asked whether its answer, as it wrote it, is true or false, and abstains if it says
    false. The mean score is the effective reliability: (right − wrong) / all.

    - `anchored`: the choice and the word "false" are read as words of their own.
    - `reference`: as the public code: the choice as `multiple_choice` with `parse: reference`, "false" anywhere.
    """

    version = 1
    reads_choices: ClassVar[bool] = True

    kind: Literal["abstain_qa"] = Field(title="Kind", description="Lettered choices; the model may abstain.")
    parse: Literal["anchored", "reference"] = Field(
        "anchored",
        title="Parse",
        description="anchored: a letter that stands alone, then the choice's text. reference: as the papers' public "
        "code.",
    )
    max_new_tokens: int = Field(
        10,
        title="New tokens",
        ge=1,
        le=MOST_NEW_TOKENS,
        description="Each of the two answers is cut after so many tokens.",
    )

    @property
    def bounds(self) -> Bounds:
        """From −1 to 1: a wrong answer counts as much against as a right one counts for."""
        return -1.0, 1.0

    @property
    def graded(self) -> bool:
        """False: an answer is right, wrong, or not given."""
        return False

    def placeholders(self) -> tuple[str, ...]:
        """Require the choices in a template."""
        return QUESTION, CHOICES

    def default_template(self, dataset: str) -> str:
        """Return the public code's prompt, which ends in "The answer is"."""
        return self._choosing.default_template(dataset)

    def check_example(self, example: Example) -> None:
        """Refuse an example without choices."""
        self._choosing.check_example(example)

    def worked_answer(self, example: Example) -> str:
        """Return the key of the right choice."""
        return self._choosing.worked_answer(example)

    def request(self, example: Example, prompt: str) -> Request:
        """Ask for a completion; all of it is shown again, so it does not end once it is decided."""
        return Generate(prompt, self.max_new_tokens, self.stop)

    def follow_up(self, example: Example, response: Response, prompt: Callable[[str], str]) -> Request | None:
        """Ask whether the answer is true or false."""
        return Generate(prompt(_ASK.format(completion_text(response))), self.max_new_tokens, self.stop)

    def prediction(self, example: Example, response: Response) -> str:
        """Return the key of the choice, or `ABSTAINED`, or `UNREADABLE`."""
        if not isinstance(response, FollowUpResponse):
            raise EvaluationError(f"the engine was not asked whether its answer to {example.location} is true")
        if self._says_false(completion_of(response.second).text):
            return ABSTAINED
        answer = completion_text(response.first)
        if self.parse == "anchored":
            return anchored_choice(example, answer) or UNREADABLE
        choice = reference_choice(example, answer)
        return choice if choice in dict(example.choices) else UNREADABLE

    def judge(self, example: Example, prediction: str) -> float:
        """Return 1 for the right choice, 0 for abstaining, else −1."""
        if prediction == ABSTAINED:
            return 0.0
        return 1.0 if prediction == example.answer else -1.0

    def settings(self, dataset: str) -> dict[str, Any]:
        """Return the kind, how answers are parsed, and what is asked after them."""
        return {
            "kind": self.kind,
            "parse": self.parse,
            "ask": _ASK,
            "max_new_tokens": self.max_new_tokens,
            "stop": list(self.stop),
        }

    @property
    def _choosing(self) -> MultipleChoice:
        return MultipleChoice(kind="multiple_choice", data=self.data, parse=self.parse)

    def _says_false(self, text: str) -> bool:
        reply = text.casefold()
        return "false" in reply if self.parse == "reference" else "false" in _words(reply)


def _words(text: str) -> list[str]:
    return "".join(letter if letter.isalpha() else " " for letter in text).split()
