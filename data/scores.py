"""The scores of a model's answers: what the records hold of one recipe on one split."""

import json
from dataclasses import dataclass

from data.examples import Example
from data.requests import Completion, FollowUpResponse, Response
from swarm.canonical import canonical_json


@dataclass(frozen=True)
class Evaluation:
    """A split's scores; the flat tuples have one entry an example, task after task, as `Objective.requests` has.

    Attributes:
        utility: of the whole objective; higher is better.
        task_utilities: the mean score of each task, within the task's `bounds`.
        scores: of each example, within its task's `bounds`.
        predictions: the answer read from each output.
        outputs: the completion as the engine gave it, or the log-likelihoods as JSON; where there was a follow-up, JSON
            with the first output, the prompt of the follow-up as it was sent, and the second output.

    """

    utility: float
    task_utilities: tuple[float, ...]
    scores: tuple[float, ...]
    predictions: tuple[str, ...]
    outputs: tuple[str, ...]


def output_text(example: Example, response: Response) -> str:
    """Return `response` as an evaluation's `outputs` hold it."""
    if isinstance(response, Completion):
        return response.text
    if isinstance(response, FollowUpResponse):
        first, second = output_text(example, response.first), output_text(example, response.second)
        return canonical_json({"first": first, "then": response.then.prompt, "second": second})
    keys = [key for key, _ in example.choices]
    # One value of an example with choices, or without: that of the right answer.
    labels = keys if len(keys) == len(response.values) else [example.answer]
    return json.dumps(dict(zip(labels, response.values, strict=True)))
