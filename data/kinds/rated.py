"""Kinds whose completions are rated from outside, by a model or a service (`data/outside.py`)."""

import json
from abc import abstractmethod
from typing import Any, ClassVar

from data.examples import Example
from data.kinds.base import TaskConfig, completion_text
from data.outside import Item, Rating, RewardScale, ScorerConfig
from data.prompts import QUESTION
from data.requests import Generate, Request, Response
from swarm.canonical import canonical_json


class RatedTask(TaskConfig):
    """A task whose predictions are JSON: the completion, what the scorer said of it, and the score.

    So everything after the rating (votes of ensembles, tests, reports) reads predictions and needs no scorer.
    """

    needs_scale: ClassVar[bool] = False
    """Whether ratings are put on a scale that the answers of the initial experts set."""

    max_new_tokens: int

    @property
    @abstractmethod
    def outside(self) -> ScorerConfig:
        """The scorer that rates the completions."""

    @abstractmethod
    def score(self, rating: Rating, scale: RewardScale | None) -> float:
        """Return the score that a rating comes to; kinds with `needs_scale` get the `scale` once it is known."""

    def item(self, example: Example, text: str) -> Item | None:
        """Return what is rated for the completion `text`; None if it gets `unrated_score` without a rating."""
        return Item(example.question, text, example.answer)

    @property
    def unrated_score(self) -> float:
        """The score of a completion for which `item` is None."""
        raise NotImplementedError(f"task {self.label!r} has every completion rated")

    def write_prediction(self, text: str, rating: Rating | None, scale: RewardScale | None) -> str:
        """Return the prediction, as JSON, of the completion `text` with its `rating`."""
        if rating is None:
            return canonical_json({"score": self.unrated_score, "text": text})
        rating_fields: dict[str, Any] = {"value": rating.value}
        if rating.tokens:
            rating_fields["tokens"] = rating.tokens
        if rating.unparsable:
            rating_fields["unparsable"] = True
        return canonical_json({"score": self.score(rating, scale), "text": text, **rating_fields})

    @property
    def graded(self) -> bool:
        """No answer is right or wrong."""
        return False

    def default_template(self, dataset: str) -> str:
        """Return the question or prompt alone."""
        return QUESTION

    def check_example(self, example: Example) -> None:
        """Accept every example: none needs a right answer."""

    def request(self, example: Example, prompt: str) -> Request:
        """Ask for a completion."""
        return Generate(prompt, self.max_new_tokens, self.stop)

    def prediction(self, example: Example, response: Response) -> str:
        """Return the completion without spaces around it: what is rated."""
        return completion_text(response)

    def judge(self, example: Example, prediction: str) -> float:
        """Return the score that is written in `prediction`."""
        return float(json.loads(prediction)["score"])

    def facts(self, example: Example) -> dict[str, Any]:
        """Add the question, which the scorer reads."""
        return {**super().facts(example), "question": example.question}


def unparsable(prediction: str) -> bool:
    """Tell whether `prediction` was written for a rating that could not be read."""
    if not (prediction.startswith("{") and '"unparsable":true' in prediction):
        return False
    try:
        return json.loads(prediction).get("unparsable") is True
    except ValueError:
        return False
