"""Likelihood: how likely the model finds the right answer; nothing is generated."""

import math
from typing import Any, ClassVar, Literal

from pydantic import Field

from data.examples import Example, require_answer
from data.kinds.base import Bounds, TaskConfig
from data.prompts import QUESTION, space_after
from data.requests import LogLikelihood, LogLikelihoods, Request, Response
from swarm.errors import EvaluationError


class Likelihood(TaskConfig):
    """A question with a reference that the model should find likely: the example's answer, or its right choice's text.

    - `log_likelihood`: the score is the mean of the logarithms (base e) of the probabilities of the reference's tokens.
    - `perplexity`: the score is −exp(−that mean), so that higher is better here too.

    The objective's utility is the mean over the examples, each of which counts the same, whatever its length.
    """

    version = 1
    reads_choices: ClassVar[bool] = True

    kind: Literal["likelihood"] = Field(title="Kind", description="References that the model should find likely.")
    measure: Literal["log_likelihood", "perplexity"] = Field(
        "log_likelihood",
        title="Measure",
        description="log_likelihood: mean over the reference's tokens, in nats. perplexity: minus the perplexity.",
    )

    @property
    def bounds(self) -> Bounds:
        """A log-likelihood is 0 at most, a perplexity 1 at least."""
        return None, 0.0 if self.measure == "log_likelihood" else -1.0

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

    def worked_answer(self, example: Example) -> str:
        """Return the reference."""
        return reference_of(example)

    def request(self, example: Example, prompt: str) -> Request:
        """Ask for the log-likelihood of the reference."""
        space = space_after(prompt)
        return LogLikelihood(prompt, (space + reference_of(example),))

    def prediction(self, example: Example, response: Response) -> str:
        """Return the mean log-likelihood of a token of the reference, written so that it reads back exactly."""
        if not isinstance(response, LogLikelihoods) or len(response.values) != 1 or response.lengths[0] < 1:
            raise EvaluationError(f"the engine did not answer with one log-likelihood for {example.location}")
        mean = response.values[0] / response.lengths[0]
        if not math.isfinite(mean):
            raise EvaluationError(f"the engine answered with the log-likelihood {mean} for {example.location}")
        return repr(mean)

    def judge(self, example: Example, prediction: str) -> float:
        """Return the mean log-likelihood, or minus the perplexity."""
        mean = float(prediction)
        if self.measure == "log_likelihood":
            return mean
        try:
            return -math.exp(-mean)
        except OverflowError:
            raise EvaluationError(
                f"the perplexity of {example.location} is too large for a number (its log-likelihood is {mean:g} a "
                "token): set measure: log_likelihood"
            ) from None

    def settings(self, dataset: str) -> dict[str, Any]:
        """Return the kind and the measure."""
        return {"kind": self.kind, "measure": self.measure}


def reference_of(example: Example) -> str:
    """Return the text that should be likely: the right choice's, or the answer."""
    return dict(example.choices).get(example.answer, example.answer)
