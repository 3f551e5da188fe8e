"""Measure what else a search changed: how far the best mean's answers are from the start's, and what it forgot."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

from data.requests import Generate, LogLikelihood, LogLikelihoods, Response
from infra.records.values import EvaluationRecord
from infra.run.open_run import OpenRun
from swarm.errors import EvaluationError
from swarm.recipes import Recipe

MOST_PROMPTS = 32


@dataclass(frozen=True)
class Probe:
    """Log-likelihoods of what two models answer, in nats a token.

    Attributes:
        prompts: how many prompts were answered by both with some text.
        divergence: of the best mean's answers y: log p_best(y) − log p_start(y), an estimate of KL(best ‖ start).
        forgetting: of the start's answers y: log p_start(y) − log p_best(y), an estimate of KL(start ‖ best).

    """

    prompts: int
    divergence: float
    forgetting: float


def probe(
    run: OpenRun[Any, Any], recipes: tuple[Recipe, Recipe], answers: tuple[EvaluationRecord, EvaluationRecord]
) -> Probe | None:
    """Compare start and best mean (`recipes`, and what each answered to the test split).

    Both are greedy answers, without the token that ends them, so the estimates say where texts differ, not how lengths
    do. None if no prompt of the test split was answered with a text by both.

    Raises:
        EvaluationError: the engine could not answer.

    """
    requests = run.inputs.objective.requests("test")
    texts = [
        LogLikelihood(request.prompt, tuple(outputs))
        for request, *outputs in zip(requests, *(evaluation.outputs for evaluation in answers), strict=True)
        if isinstance(request, Generate) and all(text.strip() for text in outputs)
    ][:MOST_PROMPTS]
    if not texts:
        return None
    start, best = (_sums(responses) for responses in run.groups.ask(recipes, [texts, texts]))
    of_start, of_best = start.tokens
    return Probe(
        prompts=len(texts),
        divergence=(best.values[1] - start.values[1]) / of_best,
        forgetting=(start.values[0] - best.values[0]) / of_start,
    )


@dataclass(frozen=True)
class _Sums:
    """Over all prompts: log-likelihoods and tokens of the start's answers, and of the best mean's."""

    values: tuple[float, float]
    tokens: tuple[int, int]


def _sums(responses: Sequence[Response]) -> _Sums:
    likelihoods = [response for response in responses if isinstance(response, LogLikelihoods)]
    if len(likelihoods) != len(responses):
        raise EvaluationError("the engine gave no log-likelihoods where they were asked for")
    values = tuple(fsum(response.values[index] for response in likelihoods) for index in (0, 1))
    tokens = tuple(sum(response.lengths[index] for response in likelihoods) for index in (0, 1))
    return _Sums((values[0], values[1]), (tokens[0], tokens[1]))
