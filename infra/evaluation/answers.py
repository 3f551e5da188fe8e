"""Get the answers of a population: one call of an engine, and another for follow-ups."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from data.examples import Split
from data.objective import Objective
from data.requests import FollowUpResponse, Request, Response
from swarm.errors import EvaluationError
from swarm.recipes import Recipe

Ask = Callable[[Sequence[Recipe], Sequence[Sequence[Request]]], tuple[list[list[Response]], float]]
"""Answers each recipe's own requests, and says how many seconds that took, as `EngineHost.run` does."""


@dataclass(frozen=True)
class Answers:
    """The answers of a population's members, follow-ups included, and their cost.

    Attributes:
        responses: a list for each member, one entry an example.
        tokens: generated, over all members.
        seconds: that the engine took.

    """

    responses: list[list[Response]]
    tokens: int
    seconds: float


def answer_objective(objective: Objective, split: Split, recipes: Sequence[Recipe], ask: Ask) -> Answers:
    """Have a population answer `split`: one call of `ask`, or two where a kind asks on.

    Raises:
        EvaluationError: an answer is missing or of the wrong type.

    """
    responses, seconds = ask(recipes, [objective.requests(split)] * len(recipes))
    follow_ups = [objective.follow_ups(split, answers) for answers in responses]
    if any(follow_ups):
        more, more_seconds = ask(recipes, [list(then.values()) for then in follow_ups])
        responses = [with_follow_ups(*parts) for parts in zip(responses, follow_ups, more, strict=True)]
        seconds += more_seconds
    tokens = sum(getattr(answer, "tokens", 0) for answers in responses for answer in answers)
    return Answers(responses, tokens, seconds)


def with_follow_ups(
    responses: Sequence[Response], follow_ups: dict[int, Request], more: Sequence[Response]
) -> list[Response]:
    """Return `responses` with the answers to follow-ups in their places."""
    if len(more) != len(follow_ups):
        raise EvaluationError(f"the engine gave {len(more)} answers to {len(follow_ups)} follow-ups")
    together = list(responses)
    for (index, then), second in zip(follow_ups.items(), more, strict=True):
        first = together[index]
        if isinstance(first, FollowUpResponse) or isinstance(second, FollowUpResponse):
            raise EvaluationError("the engine answered with a FollowUpResponse, which no engine makes")
        together[index] = FollowUpResponse(first, then, second)
    return together
